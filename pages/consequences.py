"""What goes with a collection, a session or a classifier that is deleted, and what it leaves."""

from collections.abc import Sequence

from db.classifiers import SavedClassifier
from db.collections import Collection
from db.database import Database
from db.dependants import Dependants
from db.sessions import NONE, SessionRow
from db.words import counted
from pages.markdown import escaped

_NAMED = 5  # names in a sentence


def of_collection(database: Database, collection: Collection) -> str:
    """What deleting a collection means, in Markdown."""
    lost = Dependants.of(database, collection)
    lines = [
        f"Delete **{escaped(collection.name)}** with the vectors of its photos? "
        "The photos themselves are not touched."
    ]
    if lost.views:
        which, whom = ("views", "them") if len(lost.views) > 1 else ("view", "it")
        lines.append(
            f"It takes along the {which} {_names(lost.views)}, for whoever queries {whom}."
        )
    if lost.sessions:
        lines.append(
            f"{counted(lost.sessions, 'session')} can't be gone on with any more, unless the same "
            "photos are loaded again under this name, with the same model."
        )
    if lost.classifiers:
        lines.append(
            f"Nothing is left to rank for {_names(lost.classifiers)}: download what "
            "you want to keep on the Classifiers page before."
        )
    return "\n\n".join(lines)


def of_session(row: SessionRow, thumbs: int, made: Sequence[tuple[SavedClassifier, int]]) -> str:
    """What deleting a session means, in Markdown.

    Args:
        row: the session.
        thumbs: how many it has.
        made: its classifiers, as `Classifiers.by_session` tells them.
    """
    lines = [f"Delete **{escaped(row.title)}** with its {counted(thumbs, 'thumb')}?"]
    if made:
        lines.append(
            f"What was saved from it stays: {_names([_own(*one) for one in made])}. "
            f"{'They' if len(made) > 1 else 'It'} can't be sharpened any more."
        )
    return "\n\n".join(lines)


def of_classifier(database: Database, classifier: SavedClassifier) -> str:
    """What deleting a classifier means, in Markdown."""
    versions = len(database.classifiers.versions(classifier))
    check, view = database.checks.latest(classifier.id), database.views.of(classifier)
    marked = sum(label != NONE for label in check.labels.values()) if check else 0
    gone = [f"its {versions} versions"] if versions > 1 else []
    gone += [f"the {counted(marked, 'thumb')} of its check sample"] if marked else []
    gone += [f"the view {_names([view.name])}, for whoever queries it"] if view else []
    tables = database.tables_with(classifier)
    lost = database.left_alone(tables, classifier)
    gone += [f"the table of labels {_names([table.name])}" for table in lost]
    lines = [f"Delete **{escaped(classifier.name)}**?"]
    if gone:
        lines.append(f"It takes along {_listed(gone)}.")
    if keep := [table.name for table in tables if table not in lost]:
        which, go = ("tables", "go") if len(keep) > 1 else ("table", "goes")
        lines.append(f"The {which} of labels {_names(keep)} {go} on with it, as it is.")
    if database.sessions.find(classifier.session) is not None:
        lines.append("Its labelling session stays.")
    return "\n\n".join(lines)


def _own(classifier: SavedClassifier, number: int) -> str:
    """A classifier with the number of a version, where there may be others."""
    is_all = number == classifier.number == 1
    return classifier.name if is_all else f"{classifier.name} (version {number})"


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    bold = [f"**{escaped(name)}**" for name in names[:_NAMED]]
    return ", ".join(bold) + more if more else _listed(bold)


def _listed(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
