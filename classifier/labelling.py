"""The labels of one session: whose thumbs stand on what it showed, in every process that has it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import RLock

from classifier.conflicts import crossed, overtaken, untouchable
from classifier.rounds import Round
from classifier.showing import Showing
from classifier.terms import Terms
from classifier.thumbs import Change, Thumbs
from db.database import Database
from db.errors import ExplorerError, GoneError
from db.photos import PhotoTable
from db.sessions import DOWN, LABELLING, NONE, UNSURE, UP, SessionRow


class Labelling:
    """What one session showed, and the thumbs on it; safe to share between threads.

    Attributes:
        terms: what it searches for, its name, and with whom it is shared.
        thumbs: what stands on its photos.
    """

    def __init__(self, database: Database, photos: PhotoTable, row: SessionRow) -> None:
        self._lock = RLock()
        self._elsewhere = not database.connection.is_alone
        self._sessions = database.sessions
        self._crossed: dict[str, str] = {}
        self._showing = Showing(row.id, database.sessions, photos)
        self.terms = Terms(row, database.sessions)
        self.thumbs = Thumbs(row.id, database.sessions, self._showing.latest)

    def refresh(self) -> None:
        """Take in what other processes stored: one small query, and more where there is news.

        Raises:
            GoneError: it was deleted.
            ExplorerError: the database is away.
        """
        # Whoever holds it stores thumbs, which may take long where the database stands still: a
        # page doesn't wait for that without a word, and asks again a moment later.
        if not self._lock.acquire(blocking=False):
            return
        try:
            self._take_in()
        finally:
            self._lock.release()

    def _take_in(self) -> None:
        stored = self._sessions.stored(self.row.id)
        if stored.deleted:
            raise GoneError(f"The session {self.row.title!r} was deleted: start a new one")
        if stored.sequence != self.row.sequence:
            self.terms.restore()
        if stored.rounds != len(self.rounds):
            self._showing.restore()
        if stored.labels != self.thumbs.stored:
            self.thumbs.restore()

    @property
    def row(self) -> SessionRow:
        """What it was started with, its name, and with whom it is shared."""
        return self.terms.row

    @property
    def rounds(self) -> list[Round]:
        """All that were shown, the first one first."""
        return self._showing.rounds

    @property
    def changes(self) -> int:
        """Grows with each, so that a page can tell which of two states is newer.

        It counts rows, so that all processes that know the same rows have the same number.
        """
        return self.row.version + self.thumbs.changes + len(self.rounds)

    @property
    def labels(self) -> dict[str, int]:
        """The thumbs that stand, UP or DOWN by photo id."""
        return self.thumbs.labels

    @property
    def marks(self) -> dict[str, int]:
        """What stands on the photos, UP, DOWN or UNSURE by photo id."""
        return self.thumbs.marks

    @property
    def current(self) -> Round:
        """The round on screen."""
        return self.rounds[-1]

    def round(self, number: int) -> Round:
        """One of the rounds shown, the first of which is 1.

        Raises:
            ExplorerError: there is no such round.
        """
        return self._showing.round(number)

    def count(self, label: int) -> int:
        """How many photos have that label."""
        return list(self.marks.values()).count(label)

    def store(self) -> None:
        """Store what is unstored; where the database doesn't take it, it is kept as it is."""
        with self._lock:
            self.thumbs.store()

    @contextmanager
    def together(self) -> Iterator[None]:
        """Store all that is done inside at once; other threads wait for it."""
        with self._lock:
            before = self.thumbs.changes
            with self.thumbs.together():
                yield
            if self._elsewhere and self.row.shared == LABELLING:
                self._look_again(before)

    def crossed(self) -> Mapping[str, str]:
        """What to say of clicks that crossed another person's of another process; told once.

        Those that would have overwritten the other's were taken back.
        """
        with self._lock:
            told, self._crossed = self._crossed, {}
            return told

    def label(self, photo: str, label: int, by: str = "") -> None:
        """Give one photo a thumb; see `label_all`."""
        self.label_all([photo], label, by=by)

    def label_all(
        self,
        photos: Sequence[str],
        label: int,
        click: str = "",
        by: str = "",
        seen: Mapping[str, int] | None = None,
    ) -> None:
        """Mark photos UP, DOWN or UNSURE, or take their marks away (NONE), and store that.

        While the database doesn't take it, it stands all the same: see `thumbs.unstored`.

        Args:
            photos: ids, of any rounds.
            label: UP, DOWN, UNSURE or NONE.
            click: what the browser calls it; one that is known is not done again.
            by: the name of who gives it.
            seen: by photo, the mark that its page showed, NONE for none.

        Raises:
            ExplorerError: a photo was not shown in this session, or another person marked one
                otherwise and the page had not heard of that; nothing is marked then.
        """
        if label not in (UP, DOWN, UNSURE, NONE):
            raise ExplorerError(f"There is no mark {label}: use 1, 0, 2 or -1")
        with self._lock:
            for photo in photos:
                if photo not in self._showing.latest:
                    raise ExplorerError(f"The photo {photo!r} was not shown in this session")
            thumbs = self.thumbs
            if thumbs.knows(click):
                return
            if label == NONE:
                refusal = untouchable(thumbs, photos, by)
            else:
                refusal = overtaken(thumbs, photos, label, by, seen or {})
            if refusal:
                raise ExplorerError(refusal)
            thumbs.give({p: label for p in photos if thumbs.is_news(p, label, by)}, click, by=by)

    def rest_are_no(self, number: int | None = None, click: str = "", by: str = "") -> None:
        """Thumb down every photo of a round, the latest by default, that has no mark.

        Raises:
            ExplorerError: there is no such round.
        """
        with self._lock:
            shown, marks = self.round(number or len(self.rounds)), self.marks
            rest = {p.id: DOWN for p in shown.photos if p.id not in marks}
            self.thumbs.give(rest, click, by=by)

    def undo(self, of: str = "", click: str = "", by: str = "") -> Change | None:
        """Take a person's last click back, whatever round it was in.

        Args:
            of: the name of the click that is meant; where another was the last one, as after a
                click in another tab, nothing is done. "" for whichever is the last.
            click: what the browser calls this undo.
            by: whose click, by name.

        Returns:
            What it did, nothing where the click is known; None where another click was the last.
        """
        with self._lock:
            return self.thumbs.take_back(self.thumbs.undoable(by), of, click, by)

    def redo(self, of: str = "", click: str = "", by: str = "") -> Change | None:
        """Take the last undo back, if the person clicked nothing since; see `undo`."""
        with self._lock:
            return self.thumbs.take_back(self.thumbs.redoable(by), of, click, by)

    def _look_again(self, before: int) -> None:
        """Take back what was stored at the same moment as another person's mark elsewhere."""
        given = self.thumbs.rows[before:]
        if not given or self.thumbs.unstored:
            return
        stored = self._sessions.stored(self.row.id)
        news = self.thumbs.restore() if stored.labels != self.thumbs.stored else []
        found = crossed(self.thumbs, given, news)
        self._crossed |= {each.row.click: each.told for each in found}
        for number, by in {(e.row.action, e.row.author) for e in found if e.overwrites}:
            self.thumbs.retract(number, by)
