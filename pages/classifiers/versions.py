"""The versions of a classifier on its page: compared, and taken back by a click."""

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from classifier.ranking import Ranking
from classifier.versions import Kept, has_learnt_from, use_version
from db.classifiers import SavedClassifier
from db.collections import Collection
from db.errors import ExplorerError
from db.photos import PhotoTable
from db.words import counted
from pages.classifiers.clicks import pressed
from pages.classifiers.populations import populations
from pages.classifiers.scores import ranking_of
from pages.messages import show_error
from pages.people.acting import authorize
from pages.people.deeds import Deed
from pages.photo_grid import show_photos
from pages.services import Services

PAGE = 10
_SIDES = ("Enter", "Leave")


def show_versions(
    services: Services,
    classifier: SavedClassifier,
    collection: Collection,
    ranking: Ranking,
    threshold: float,
) -> None:
    """List the versions where there are several, and compare the current one with another."""
    versions = services.database.classifiers.versions(classifier)
    if len(versions) < 2:
        return
    others = {v.number: v for v in versions if v.number != classifier.number}
    with st.expander(
        f"Version {classifier.number} of {len(versions)}: compare, or go back",
        icon=":material/history:",
        expanded=True,
    ):
        earlier = [number for number in others if number < classifier.number]
        number = st.selectbox(
            "Compare with",
            list(others),
            index=list(others).index(max(earlier or others)),
            format_func=lambda n: f"Version {n}, saved {others[n].saved:%Y-%m-%d %H:%M} UTC",
            key=f"compare-{classifier.id}-{classifier.number}",
        )
        other = others[number]
        now = Kept.of(classifier, ranking, threshold)
        then = Kept.of(other, ranking_of(services, other, collection))
        told = [_precision(services, collection, kept) for kept in (now, then)]
        # Thumbs on photos that are gone are on no side.
        thumbs = {p: ranking.labels[p] for p in ranking.ids if p in ranking.labels}
        _table(now, then, thumbs, told)
        words, about = f"Use version {number} again", (classifier.id, classifier.number, number)
        if pressed(words, "use_version", about, icon=":material/undo:"):
            _use(services, classifier, other, threshold)
        _differences(services, services.database.collections.photos(collection), now, then)


def _table(now: Kept, then: Kept, labels: Mapping[str, int], told: Sequence[str]) -> None:
    """A column a version: as many rows as there are things to tell have room on a phone."""
    lines = [_line(kept, labels) for kept in (now, then)]
    if any(told):
        lines = [line | {"Precision": words} for line, words in zip(lines, told, strict=True)]
    names = [f"Version {kept.version.number}" for kept in (now, then)]
    st.table(pd.DataFrame(dict(zip(names, lines, strict=True))), border="horizontal")


def _precision(services: Services, collection: Collection, kept: Kept) -> str:
    """The precision of a version by the check sample, which is as good for all, or ""."""
    check = services.database.checks.latest(kept.version.id)
    if check is None or has_learnt_from(services.database, kept.version, check):
        return ""
    table = services.database.collections.photos(collection)
    population = populations.get(services.database, kept.version, check, table)
    evidence = population.evidence(check.labels)
    quality = evidence.at(kept.threshold)
    share = quality.precision
    if not quality.tells_precision:
        return ""
    if not share.width:
        return f"{share.value:.0%}, all are marked"
    return f"{share.value:.0%}, between {share.low:.0%} and {share.high:.0%}"


def _line(kept: Kept, labels: Mapping[str, int]) -> dict[str, str]:
    version, agreeing = kept.version, kept.agreeing(labels)
    agreed = f"{agreeing:,} of {counted(len(labels), 'thumb')}"
    return {
        "Fit on": f"{version.ups} up, {version.downs} down",
        "Keeps": f"{len(kept.ids):,} from {kept.threshold:.3f} on",
        **({"Agrees with": agreed} if labels else {}),
    }


def _differences(services: Services, table: PhotoTable, now: Kept, then: Kept) -> None:
    sides = dict(zip(_SIDES, (now.without(then), then.without(now)), strict=True))
    entering, leaving = (len(sides[side]) for side in _SIDES)
    both = len(now.ids) - entering
    st.markdown(
        f"From version {then.version.number} to {now.version.number}, **{entering:,}** "
        f"{'photo enters' if entering == 1 else 'photos enter'}, **{leaving:,}** "
        f"{'leaves' if leaving == 1 else 'leave'}, and {both:,} {'stays' if both == 1 else 'stay'}."
    )
    if not any(sides.values()):
        return
    side = st.segmented_control(
        "Photos that",
        [side for side in _SIDES if sides[side]],
        format_func=lambda side: f"{side} · {len(sides[side]):,}",
        default=next(side for side in _SIDES if sides[side]),
        required=True,
        label_visibility="collapsed",
        key=f"differences-{now.version.id}-{now.version.number}-{then.version.number}",
    )
    _photos(services, table, sides[str(side)], str(side))


def _photos(services: Services, table: PhotoTable, ids: Sequence[str], side: str) -> None:
    pages = -(-len(ids) // PAGE)
    page = st.pagination(pages, key=f"differing-{side}-{pages}") if pages > 1 else 1
    here = ids[(page - 1) * PAGE : page * PAGE]
    show_photos([found.photo for found in table.get(here)], services.thumbnails)


def _use(
    services: Services, current: SavedClassifier, other: SavedClassifier, threshold: float
) -> None:
    try:
        target = f"the classifier {current.title}: use version {other.number}"
        authorize(services.database, Deed.SAVE, target, current.owner)
        use_version(services.database, current, other, threshold)
    except ExplorerError as error:
        show_error(error)
    else:
        st.rerun()
