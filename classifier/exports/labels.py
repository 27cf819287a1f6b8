"""Labels alone: a CSV file, or a JSON object a line."""

import json
from io import StringIO

from classifier.exports.cells import Row, write_rows
from classifier.exports.entries import Selection
from classifier.exports.scores import WORDS, fixed


def to_csv(selection: Selection) -> str:
    """One row a photo: id, url, label (up, down, or nothing without a thumb) and score."""
    text = StringIO(newline="")
    rows: list[Row] = [["id", "url", "label", "score"]]
    for each in selection.entries:
        label = WORDS.get(each.label, "") if each.label is not None else ""
        rows.append([each.photo.id, each.photo.url, label, fixed(each.score)])
    write_rows(text, rows)
    return text.getvalue()


def to_jsonl(selection: Selection) -> str:
    """One object a line, with what the CSV file has; label is null without a thumb."""
    lines = (
        json.dumps(
            {
                "id": each.photo.id,
                "url": each.photo.url,
                "label": None if each.label is None else WORDS[each.label],
                "score": round(each.score, 6),
            }
        )
        for each in selection.entries
    )
    return "".join(f"{line}\n" for line in lines)
