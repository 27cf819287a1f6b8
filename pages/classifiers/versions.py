"""The versions of a classifier on its page: compared, and taken back by a click."""

from collections.abc import Mapping, Sequence

import streamlit as st

from classifier.ranking import Ranking
from classifier.versions import Kept, has_learnt_from, use_version
from db.classifiers import SavedClassifier
from db.collections import Collection
from db.errors import ExplorerError
from db.photos import PhotoTable
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
        if st.button(f"Use version {number} again", key="use_version", icon=":material/undo:"):
            _use(services, classifier, other, threshold)
        _differences(services, services.database.collections.photos(collection), now, then)


def _table(now: Kept, then: Kept, labels: Mapping[str, int], told: Sequence[str]) -> None:
    lines = [_line(kept, labels) for kept in (now, then)]
    if any(told):
        lines = [line | {"precision": words} for line, words in zip(lines, told, strict=True)]
    st.dataframe(lines, hide_index=True)


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
    version = kept.version
    return {
        "version": str(version.number),
        "thumbs it was fit on": f"{version.ups} up, {version.downs} down",
        "keeps": f"{len(kept.ids):,} from {kept.threshold:.3f} on",
        "agrees with": f"{kept.agreeing(labels)} of {len(labels)} thumbs" if labels else "",
    }


def _differences(services: Services, table: PhotoTable, now: Kept, then: Kept) -> None:
    sides = dict(zip(_SIDES, (now.without(then), then.without(now)), strict=True))
    both = len(now.ids) - len(sides[_SIDES[0]])
    st.markdown(
        f"From version {then.version.number} to {now.version.number}, "
        f"**{len(sides['Enter']):,}** photos enter, **{len(sides['Leave']):,}** leave, "
        f"and {both:,} stay."
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
