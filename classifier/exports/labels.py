"""Labels alone: a CSV file, or a JSON object a line."""

import json

from classifier.exports.cells import Row, csv_text
from classifier.exports.entries import Selection
from classifier.exports.scores import fixed


def to_csv(selection: Selection) -> str:
    """One row a photo: id, url, label (up, down, or nothing without a thumb) and score."""
    rows: list[Row] = [["id", "url", "label", "score"]]
    rows += [
        [each.photo.id, each.photo.url, each.thumb or "", fixed(each.score)]
        for each in selection.entries
    ]
    return csv_text(rows)


def to_jsonl(selection: Selection) -> str:
    """One object a line, with what the CSV file has; label is null without a thumb."""
    lines = (
        json.dumps(
            {
                "id": each.photo.id,
                "url": each.photo.url,
                "label": each.thumb,
                "score": round(each.score, 6),
            }
        )
        for each in selection.entries
    )
    return "".join(f"{line}\n" for line in lines)
