"""A labelling session behind a desk."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from classifier.agreement import answers_of, disputed
from classifier.conflicts import WORDS
from classifier.marks import SILENT, Click
from classifier.refit import Evidence
from classifier.rounds import Round, share_of_ups, turns
from classifier.session import Session
from classifier.thumbs import Change
from classifier.versions import add_version
from db.classifiers import SavedClassifier
from db.database import Database
from db.errors import ExplorerError
from db.photo import Photo
from db.sessions import DOWN, MAP, NEW, NONE, SAMPLE, THRESHOLD, UNSURE, UP
from db.words import counted
from pages.desk.board import (
    AS_VERSION,
    LATEST,
    Act,
    Answer,
    NameTaken,
    Show,
    State,
    allowed,
    require_act,
)
from pages.desk.photos import facts, name, thumbnail_url
from pages.label.access import may_label, require_part, require_sight
from pages.people.acting import authorize
from pages.people.deeds import Deed
from pages.people.person import Person

UNMOVED = 0.05  # degrees
_WHY = {
    THRESHOLD: "at the threshold",
    SAMPLE: "drawn by chance",
    NEW: "new photos",
    MAP: "from the map",
}
# Stands for a mark where photos are asked for on which people differ.
DISPUTED = 3
_FACTS = ("countries", "photographers", "keywords")  # the fields of Filter


class SessionBoard:
    """See pages.desk.board.Board.

    Args:
        session: what is labelled.
        database: where it is.
        person: who sits at the desk.
        can: what the desk offers to those who may.

    Raises:
        NotSharedError: it is none of that person's business.
    """

    # Refining and saving belong to the Label page.
    SHARPENING = ("mark", "rest", "undo")

    def __init__(
        self,
        session: Session,
        database: Database,
        person: Person,
        can: Sequence[str] = ("mark", "rest", "undo", "refine", "like", "save"),
    ) -> None:
        require_sight(person, session.row)
        self._session = session
        self._database = database
        self._person = person
        self._by = person.name
        self._can = allowed(person, can) if may_label(person, session.row) else []

    def together(self) -> AbstractContextManager[None]:
        """See Board."""
        return self._session.together()

    @property
    def at(self) -> int:
        """See Board."""
        return self._session.changes

    def crossed(self) -> Mapping[str, str]:
        """See Board."""
        return self._session.crossed()

    def act(self, act: Act) -> Answer:
        """See Board."""
        require_act(self._person, act)
        require_part(self._person, self._session.row)
        done = {
            "mark": self._mark,
            "rest": self._rest,
            "undo": self._undo,
            "redo": self._redo,
            "refine": self._refine,
            "like": self._like,
            "without": self._without,
            "save": self._save,
            "store": self._store,
        }[act.do]
        return done(act)

    def state(self, show: Show) -> State:
        """See Board."""
        session = self._session
        labels, marks = session.labels, session.marks
        shown = session.round(show.round or len(session.rounds))
        if show.mark is not None:
            photos, scores, piles = _marked(session, show.mark)
        else:
            photos, scores, piles = shown.photos, shown.scores.tolist(), shown.stacks
        known = show.mark is None and show.have == str(shown.sequence)
        ids, given = {photo.id for photo in photos}, list(marks.values())
        return {
            "can": self._can,
            "at": self.at,
            "live": True,
            "title": session.row.title,
            "collection": session.collection.name,
            "filters": _filters(session),
            "rounds": len(session.rounds),
            "round": shown.number,
            "key": str(shown.sequence),
            "why": _WHY.get(shown.why.partition(" ")[0], ""),
            "liked": _liked(session, shown),
            "likedThumbnail": _liked_thumbnail(session, shown),
            "photos": None if known else _facts(session.collection.name, photos, scores),
            "stacks": None if known else piles,
            # Of a list of marked photos all: some that it shows may be marked otherwise by now.
            "marks": {p: mark for p, mark in marks.items() if show.mark is not None or p in ids},
            "by": self._authors(marks if show.mark is not None else ids & marks.keys()),
            "also": self._others(ids & marks.keys()),
            "ups": given.count(UP),
            "downs": given.count(DOWN),
            "unsure": given.count(UNSURE),
            "shares": share_of_ups(session.rounds, labels),
            "turns": turns(session.rounds),
            "verdict": _verdict(session.evidence()),
            "undo": _click(session.thumbs.undoable(self._by)),
            "redo": _click(session.thumbs.redoable(self._by)),
            "unstored": session.thumbs.unstored,
            "trouble": session.thumbs.trouble,
        }

    def _authors(self, photos: Iterable[str]) -> dict[str, str]:
        """Whose mark stands on photos where it is another person's and not this one's too."""
        thumbs = self._session.thumbs
        found = {}
        for photo in photos:
            author, standing = thumbs.standing(photo)
            own = thumbs.votes(photo).get(self._by, SILENT)
            if author not in ("", self._by) and own.label != standing.label:
                found[photo] = author
        return found

    def _others(self, photos: Iterable[str]) -> dict[str, str]:
        """What other people say of photos, where it is not what stands."""
        thumbs = self._session.thumbs
        found = {}
        for photo in photos:
            standing = thumbs.standing(photo)[1].label
            votes = {by: vote.label for by, vote in thumbs.votes(photo).items() if by != self._by}
            said = {by: label for by, label in votes.items() if label not in (NONE, standing)}
            if said:
                found[photo] = ", ".join(
                    f"{by or 'somebody'}: {WORDS[said[by]]}" for by in sorted(said)
                )
        return found

    def _mark(self, act: Act) -> Answer:
        self._session.label_all(act.photos, act.label, act.click, self._by, act.seen)
        return Answer()

    def _rest(self, act: Act) -> Answer:
        self._session.rest_are_no(act.round or None, act.click, self._by)
        return Answer()

    def _undo(self, act: Act) -> Answer:
        return _told(self._session.undo(act.of, act.click, self._by), "taken back")

    def _redo(self, act: Act) -> Answer:
        return _told(self._session.redo(act.of, act.click, self._by), "given again")

    def _refine(self, act: Act) -> Answer:
        if not self._session.refine(act.after or None):
            return Answer(round=LATEST)
        return Answer(_notice(self._session), LATEST)

    def _like(self, act: Act) -> Answer:
        for photo in act.photos[:1]:
            self._session.like(photo, act.after or None)
        return Answer(round=LATEST)

    def _save(self, act: Act) -> Answer:
        classifiers, session = self._database.classifiers, self._session
        there = classifiers.named(session.collection.name, act.value)
        if there is None:
            saved = replace(session.to_save(act.value), owner=self._person.name)
            classifiers.save(saved)
            said = "Saved"
        elif there.session == session.row.id or act.fact == AS_VERSION:
            target = f"the classifier {there.title}: make a version"
            authorize(self._database, Deed.SAVE, target, there.owner, self._person)
            saved = add_version(self._database, session, there)
            said = f"Saved as version {saved.number} of “{saved.name}”"
        else:
            return Answer(asked=self._taken(there))
        return Answer(
            f"{said}, fit on {saved.ups} up and {saved.downs} down. It is on the Classifiers page"
        )

    def _taken(self, there: SavedClassifier) -> NameTaken:
        classifiers = self._database.classifiers
        versions = classifiers.versions(there)
        fits = there.fingerprint == self._session.collection.fingerprint
        fits = fits and self._person.may_change(there.owner)
        return NameTaken(
            f"“{there.name}” is there already, from another session (“{there.prompt}”)",
            classifiers.unused(there.collection, there.name),
            f"Make it version {1 + max(v.number for v in versions)} of that" if fits else "",
        )

    def _store(self, _act: Act) -> Answer:
        self._session.store()
        return Answer()

    def _without(self, act: Act) -> Answer:
        if act.fact not in _FACTS:
            raise ExplorerError(f"A filter has no {act.fact!r}: reload the page")
        self._session.terms.without(act.fact, act.value)
        return Answer(f"“{act.value}” is taken away: the next round is searched without it")


def _facts(
    collection: str, photos: Sequence[Photo], scores: Sequence[float | None]
) -> list[dict[str, Any]]:
    pairs = zip(photos, scores, strict=True)
    return [facts(collection, photo, score) for photo, score in pairs]


def _marked(
    session: Session, mark: int
) -> tuple[Sequence[Photo], Sequence[float | None], list[list[int]]]:
    """All photos of a session that have a mark, in the order in which they were shown."""
    if mark == DISPUTED:
        marks = dict.fromkeys(disputed(answers_of(session.thumbs)), DISPUTED)
    else:
        marks = session.marks
    shown = {p.id: p for r in session.rounds for p in r.photos if marks.get(p.id) == mark}
    photos = list(shown.values())
    return photos, [None] * len(photos), [[place] for place in range(len(photos))]


def _filters(session: Session) -> list[dict[str, str]]:
    only = session.row.only
    return [{"fact": fact, "value": value} for fact in _FACTS for value in getattr(only, fact)]


def _liked(session: Session, shown: Round) -> str:
    """What the photo is called that a round was to resemble, or ""."""
    photos = (photo for r in session.rounds for photo in r.photos if photo.id == shown.liked)
    return next(map(name, photos), shown.liked)


def _liked_thumbnail(session: Session, shown: Round) -> str:
    photos = (photo for r in session.rounds for photo in r.photos if photo.id == shown.liked)
    return next((thumbnail_url(session.collection.name, photo) for photo in photos), "")


def _click(click: Click | None) -> Mapping[str, Any] | None:
    if click is None:
        return None
    return {"click": click.name, "photos": len(click.before), "round": click.round}


def _told(change: Change | None, what: str) -> Answer:
    if change is None:
        return Answer("Another thumb came in between, so nothing was changed: look, and try again")
    if not change.photos:
        return Answer()
    marks = counted(len(change.photos), "thumb")
    rounds = " and ".join(map(str, change.rounds))
    plural = "round" if len(change.rounds) == 1 else "rounds"
    return Answer(f"{marks} of {plural} {rounds} {what}", change.rounds[0], change.photos)


def _notice(session: Session) -> str:
    """What a person should know about the refinement just made, or ""."""
    if not session.labels:
        return "No thumbs yet, so the classifier stays as it is: these are the next photos."
    if not session.count(DOWN):
        return "Only thumbs up so far: a few thumbs down show the classifier where to stop."
    if not session.count(UP):
        return "Only thumbs down so far: if nothing fits, try another prompt."
    if turns(session.rounds)[-1] < UNMOVED:
        return "Your thumbs tell no more than the classifier knew: these are the next photos."
    return ""


def _verdict(evidence: Evidence | None) -> dict[str, Any] | None:
    """Whether refining still helps, once the thumbs can tell."""
    if evidence is None:
        return None
    better = evidence.refit - evidence.prompt > 2 * evidence.error
    return {
        "short": "Better than the prompt alone" if better else "About the same as the prompt alone",
        "long": f"Of all pairs of an up and a down, {evidence.refit:.0%} are in the right order "
        f"when the refit doesn't know them; by the prompt alone, {evidence.prompt:.0%}."
        + ("" if better else " Try a different prompt, or stop."),
    }
