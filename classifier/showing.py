"""The rounds of a session: shown, stored, and restored as they were."""

from collections.abc import Sequence
from dataclasses import replace

from classifier.rounds import Round
from db.dialect import Vector
from db.errors import ExplorerError
from db.photo import Neighbour
from db.photos import PhotoTable
from db.sessions import RANKED, RoundRow, Sessions


class Showing:
    """What one session has shown; its owner sees to it that one thread adds at once.

    Attributes:
        rounds: the first one first.
        latest: the latest round that showed each photo, by its id.
    """

    def __init__(self, session: str, sessions: Sessions, photos: PhotoTable) -> None:
        self.rounds: list[Round] = []
        self.latest: dict[str, int] = {}
        self._session = session
        self._sessions = sessions
        self._photos = photos

    def round(self, number: int) -> Round:
        """One of the rounds, the first of which is 1.

        Raises:
            ExplorerError: there is no such round.
        """
        if not 1 <= number <= len(self.rounds):
            raise ExplorerError(f"There is no round {number}: there were {len(self.rounds)}")
        return self.rounds[number - 1]

    def add(
        self, weight: Vector, found: Sequence[Neighbour], liked: str = "", why: str = RANKED
    ) -> None:
        """Show photos; see RoundRow for what is stored of it."""
        ids = tuple(neighbour.photo.id for neighbour in found)
        row = RoundRow(self._session, len(self.rounds) + 1, weight, ids, liked, why)
        self._append(Round.of(self._sessions.add_round(row), found))

    def restore(self) -> None:
        """Go on by all that is stored, but for photos that are gone, whichever process stored it.

        A round that another process showed at the same time may come before one that is known:
        that one then has a later number.
        """
        known = {shown.sequence: shown for shown in self.rounds}
        rows = self._sessions.rounds(self._session)
        new = [row for row in rows if row.sequence not in known]
        found = self._photos.get([photo for row in new for photo in row.photos])
        by_id = {neighbour.photo.id: neighbour for neighbour in found}
        rounds: list[Round] = []
        for row in rows:
            if row.sequence in known:
                rounds.append(replace(known[row.sequence], number=row.round))
            else:
                there = [by_id[photo] for photo in row.photos if photo in by_id]
                rounds.append(Round.of(row, there))
        self.rounds = rounds
        for shown in rounds:
            self._note(shown)

    def _append(self, shown: Round) -> None:
        self.rounds.append(shown)
        self._note(shown)

    def _note(self, shown: Round) -> None:
        self.latest.update((photo.id, shown.number) for photo in shown.photos)
