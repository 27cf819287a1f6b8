"""A whole collection's scores as a CSV file."""

from collections.abc import Mapping
from decimal import Decimal

from classifier.exports.cells import Row, csv_text
from classifier.exports.entries import WORDS
from classifier.ranking import Ranking


def fixed(score: float) -> Decimal:
    """A score with six digits, as a number."""
    return Decimal(f"{score:.6f}")


def to_csv(ranking: Ranking, urls: Mapping[str, str], threshold: float) -> str:
    """One row a photo: id, url, score, whether it is kept, and its thumb.

    Args:
        ranking: of the collection.
        urls: by photo id.
        threshold: the score from which on photos are kept.
    """
    kept = ranking.kept(threshold)
    rows: list[Row] = [["id", "url", "score", "kept", "label"]]
    for place, (photo, score) in enumerate(zip(ranking.ids, ranking.scores, strict=True)):
        label = WORDS.get(ranking.labels.get(photo, -1), "")
        rows.append([photo, urls.get(photo, ""), fixed(score), int(place < kept), label])
    return csv_text(rows)
