"""The versions of a saved classifier: refit with all thumbs, compared, and taken back."""

from collections.abc import Collection as Container
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from classifier.ranking import Ranking
from classifier.session import Session
from db.checks import Check
from db.classifiers import SavedClassifier
from db.database import Database
from db.errors import ExplorerError
from db.sessions import DOWN, SAMPLE, UP


@dataclass(frozen=True, eq=False)
class Kept:
    """What a version keeps of a collection.

    Attributes:
        version: of a classifier.
        threshold: the score from which on it keeps photos.
        ids: n photo ids, best first.
    """

    version: SavedClassifier
    threshold: float
    ids: Sequence[str]

    @classmethod
    def of(
        cls, version: SavedClassifier, ranking: Ranking, threshold: float | None = None
    ) -> "Kept":
        """What a version keeps.

        Args:
            version: of a classifier.
            ranking: of the collection under it, with the thumbs.
            threshold: None for where it was left, or else the thumbs propose it.
        """
        if threshold is None:
            threshold = version.threshold
        if threshold is None:
            threshold = ranking.first_threshold()
        return cls(version, threshold, ranking.ids[: ranking.kept(threshold)])

    def without(self, other: "Kept") -> list[str]:
        """The photos that this one keeps and the other one doesn't, best first."""
        others = set(other.ids)
        return [photo for photo in self.ids if photo not in others]

    def agreeing(self, labels: Mapping[str, int]) -> int:
        """How many thumbs are on their side of the threshold: ups are kept and downs are not."""
        inside = set(self.ids)
        return sum((photo in inside) == (label == UP) for photo, label in labels.items())


def at_threshold(ids: Sequence[str], kept: int, known: Container[str], n: int) -> list[str]:
    """The n photos nearest to a threshold, best first: half of them above it, if there are so many.

    Args:
        ids: of all photos, best first.
        kept: how many of them are above.
        known: ids to leave out, such as those with thumbs.
        n: how many; where one side has too few, the other one gives more.
    """
    above = _first(n, (photo for photo in reversed(ids[:kept]) if photo not in known))
    below = _first(n, (photo for photo in ids[kept:] if photo not in known))
    from_above = min(len(above), max(n // 2, n - len(below)))
    return [*reversed(above[:from_above]), *below[: n - from_above]]


def _first(n: int, photos: Iterable[str]) -> list[str]:
    return [photo for photo, _ in zip(photos, range(n), strict=False)]


def dividing_threshold(ranking: Ranking, wanted: int) -> float:
    """The score that divides the thumbs best: the share of ups above it, less that of downs.

    Of several that do it equally well it is the one that keeps most nearly as many photos as is
    wanted, as all do without thumbs.

    Args:
        ranking: of a collection, with its thumbs.
        wanted: how many photos to keep.
    """
    marks = np.asarray([ranking.labels.get(photo, -1) for photo in ranking.ids])
    gains = np.zeros(len(marks) + 1)
    for label, sign in ((UP, 1), (DOWN, -1)):
        above = np.concatenate([[0], np.cumsum(marks == label)])
        gains += sign * above / max(above[-1], 1)
    best = np.flatnonzero(np.isclose(gains, gains.max()))
    kept = int(best[np.argmin(np.abs(best - wanted))])
    scores = ranking.scores
    if kept in (0, len(scores)):
        return float(scores[0] if kept == 0 else scores[-1])
    return float(scores[kept - 1] + scores[kept]) / 2


def learn_from(
    database: Database, session: Session, classifier: SavedClassifier, check: Check, by: str = ""
) -> None:
    """Give a session the thumbs of a check sample on photos that have none in it, as a round.

    Args:
        database: where the photos are; those that are gone are left out.
        session: the one that the classifier is refit in.
        classifier: whose sample it is.
        check: from then on it says nothing of the versions that are fit on these thumbs.
        by: the name of who gives them.
    """
    marks = session.marks
    given = {p: label for p, label in check.labels.items() if label in (UP, DOWN)}
    news = [photo for photo in given if photo not in marks]
    there = [n.photo.id for n in database.collections.photos(session.collection).get(news)]
    if not there:
        return
    with session.together():
        session.show(there, classifier.weight, _reason(check))
        for label in (UP, DOWN):
            session.label_all([photo for photo in there if given[photo] == label], label, by=by)


def has_learnt_from(database: Database, version: SavedClassifier, check: Check) -> bool:
    """Whether a version was fit on thumbs of a check sample, which then flatters it.

    What it was fit on stays true when its session is deleted.
    """
    return _reason(check) in database.sessions.reasons(version.session)[: version.rounds]


def _reason(check: Check) -> str:
    """Which sample a round showed: another one may have the same photos, and flatters nobody."""
    return f"{SAMPLE} {check.drawn}"


def add_version(
    database: Database,
    session: Session,
    classifier: SavedClassifier,
    threshold: float | None = None,
) -> SavedClassifier:
    """Refit with all thumbs of a session, and store that as a classifier's next version.

    Its view, where it is published, follows.

    Args:
        database: where the classifier is.
        session: a session of the same collection, as a rule the classifier's own.
        classifier: its current version, which is kept.
        threshold: where that one's was last; None for where it was left or its thumbs propose it.

    Returns:
        The new version, with a threshold of its own.

    Raises:
        ExplorerError: the thumbs have made one of its versions already, or the database refuses
            it; a view that can't be changed is told of after the version is stored.
    """
    fit = session.to_save(classifier.name)
    if (fit.collection, fit.fingerprint) != (classifier.collection, classifier.fingerprint):
        raise ExplorerError(
            f"{classifier.name} is a classifier of {classifier.collection}: thumbs on photos of "
            f"{fit.collection} make no version of it"
        )
    for version in database.classifiers.versions(classifier):
        if np.array_equal(version.weight, fit.weight):
            raise ExplorerError(
                f"A refit gives version {version.number} again: give some more thumbs first"
            )
    table = database.collections.photos(session.collection)
    scored = Ranking(*table.scores(classifier.weight), session.labels)
    before = Kept.of(classifier, scored, threshold)
    after = Ranking(*table.scores(fit.weight), session.labels)
    chosen = dividing_threshold(after, len(before.ids))
    database.classifiers.use(_left_at(classifier, before.threshold))
    made = database.classifiers.add_version(classifier, replace(fit, threshold=chosen))
    _publish(database, made)
    return made


def use_version(
    database: Database,
    current: SavedClassifier,
    version: SavedClassifier,
    threshold: float | None = None,
) -> None:
    """Go to another version of a classifier; its view, where it is published, follows.

    Args:
        database: where the classifier is.
        current: its current version.
        version: the one to use from now on.
        threshold: where the current one's was last.

    Raises:
        ExplorerError: the database refuses it; a view that can't be changed is told of after the
            other version is in use.
    """
    database.classifiers.use(_left_at(current, threshold))
    database.classifiers.use(version)
    _publish(database, version)


def _left_at(classifier: SavedClassifier, threshold: float | None) -> SavedClassifier:
    return classifier if threshold is None else replace(classifier, threshold=threshold)


def _publish(database: Database, version: SavedClassifier) -> None:
    if version.threshold is None:
        return
    view = database.views.of(version)
    if view is not None:
        try:
            database.views.publish(version, version.threshold)
        except ExplorerError as error:
            raise ExplorerError(
                f"Version {version.number} is in use, but the view {view.name} shows version "
                f"{view.number} still: {error}"
            ) from error
    database.use_in_tables(version, version.threshold)
