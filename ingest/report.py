"""What a load tells: how far it is, and what it did."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from db.photo import Photo
from ingest.reasons import in_words
from ingest.streak import Skip

_NAMED = 10  # ids in a line


@dataclass(frozen=True)
class Progress:
    """How far a load is.

    Attributes:
        step: what is being done, in words.
        done: photos, or rows, dealt with.
        total: those to deal with, or 0 while that is not known.
        share: 0 to 1 of the step, or None where it can't be told.
        unit: what is counted: "photo" while they are read, "row" of the index.
    """

    step: str
    done: int = 0
    total: int = 0
    share: float | None = None
    unit: str = "photo"


@dataclass
class Report:
    """What a load did.

    Attributes:
        collection: the name of the photo table.
        rows: photos in it now.
        added: photos that came in.
        present: photos that were in it before, and are as they were.
        changed: photos that took the place of what they were.
        moved: photos that are at another place.
        gone: photos in it that the source has no more.
        pruned: whether these were taken out.
        away: by reason, how many can't be looked for: they stay.
        known: photos that failed before for good, and were not tried again.
        skipped: photos that were tried and left out.
        bad_rows: rows of a table that can't be read, and why.
        left_out: by reason, how many files and folders were passed over.
        same: ids of photos for which a host sent the same bytes.
        stopped: whether it was told to stop before it was done.
    """

    collection: str
    rows: int = 0
    added: int = 0
    present: int = 0
    changed: int = 0
    moved: int = 0
    gone: list[Photo] = field(default_factory=list)
    pruned: bool = False
    away: Mapping[str, int] = field(default_factory=dict)
    known: int = 0
    skipped: list[Skip] = field(default_factory=list)
    bad_rows: Sequence[str] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)
    same: Sequence[Sequence[str]] = ()
    stopped: bool = False

    @property
    def unexpected(self) -> int:
        """How many were left out for a fault that nobody foresaw."""
        return sum(skip.unexpected for skip in self.skipped)

    def summary(self) -> str:
        """The closing line."""
        parts = [
            f"{self.rows:,} photos in {self.collection}",
            f"{self.added:,} added",
            f"{self.present:,} already there",
            *self._changes(),
            self._skips(),
            *(f"{n:,} not looked for: {why}" for why, n in sorted(self.away.items())),
        ]
        if self.known:
            parts.append(f"{self.known:,} known to fail not tried again")
        if self.bad_rows:
            parts.append(f"{len(self.bad_rows):,} rows can't be read")
        if self.same:
            parts.append(f"{sum(map(len, self.same)):,} photos came with the bytes of others")
        if self.left_out:
            parts.append(f"{sum(self.left_out.values()):,} left out ({in_words(self.left_out)})")
        return ", ".join(parts)

    def notices(self) -> list[str]:
        """A line for each thing to look at beside what was skipped."""
        same = [
            f"the same picture came for {len(ids):,} photos: {', '.join(ids[:_NAMED])}"
            + (" …" if len(ids) > _NAMED else "")
            for ids in self.same
        ]
        return [*self.bad_rows, *same]

    def _changes(self) -> list[str]:
        """What is no longer as it was, if anything is."""
        if not (self.changed or self.moved or self.gone):
            return []
        how = " and taken out" if self.pruned else " (--prune takes them out)"
        gone = f"{len(self.gone):,} gone" + (how if self.gone else "")
        return [f"{self.changed:,} changed", f"{self.moved:,} moved", gone]

    def _skips(self) -> str:
        reasons = Counter(skip.reason for skip in self.skipped)
        why = f" ({in_words(reasons)})" if reasons else ""
        return f"{len(self.skipped):,} skipped{why}"
