"""Telling a host that is down from photos that are broken."""

from dataclasses import dataclass

from db.failures import Failure
from db.photo import Photo


@dataclass(frozen=True)
class Skip:
    """A photo that was left out, and why.

    Attributes:
        photo: the photo.
        reason: in words.
        final: whether trying again is pointless as long as the photo is the same.
        unexpected: whether nobody foresaw this fault.
    """

    photo: Photo
    reason: str
    final: bool
    unexpected: bool = False

    def failure(self) -> Failure:
        """What is recorded of it."""
        return Failure(self.photo.id, self.photo.url, self.reason, self.final)


class Streak:
    """Skips that came in a row.

    They are held back until a photo comes through: a host that is down fails all photos, and says
    nothing about any of them.
    """

    def __init__(self, longest: int | None) -> None:
        """Start with none.

        Args:
            longest: how many in a row mean that the host is down; None if there is no host.
        """
        self._longest = longest
        self._held: list[Skip] = []

    def hold(self, skip: Skip) -> None:
        """One more."""
        self._held.append(skip)

    @property
    def too_long(self) -> bool:
        """Whether the host must be down."""
        return self._longest is not None and len(self._held) >= self._longest

    def complaint(self) -> str:
        """What to tell, once it is too long."""
        last = self._held[-1]
        return (
            f"{len(self._held)} photos in a row failed, the last one with {last.reason} "
            f"({last.photo.url}): the photo host, or the way to it, is down. What is in the table "
            "stays; once that address opens in a browser, run it again to go on"
        )

    def release(self) -> list[Skip]:
        """The skips that were held back, which are the photos' own."""
        held, self._held = self._held, []
        return held
