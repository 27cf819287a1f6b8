"""Two processes label one session against one database, each with objects of its own."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from classifier.open_sessions import OpenSessions
from classifier.refit import ARTICLE
from classifier.session import Session
from db.database import Database, open_database
from db.errors import EngineError, ExplorerError, GoneError
from db.photos import Filter
from db.sessions import DOWN, LABELLING, NONE, UNSURE, UP
from tests.clickhouse_server import ClickHouseServer
from tests.conftest import TextTower, filled


@dataclass
class Process:
    """What one process has."""

    database: Database
    sessions: OpenSessions
    session: str

    def get(self) -> Session:
        """The session, as a request finds it."""
        return self.sessions.get(self.session)


@pytest.fixture(scope="module")
def databases(engine: str) -> Iterator[tuple[Database, Database]]:
    """One database on a server, opened twice, with a collection."""
    with ClickHouseServer(Path(unquote(urlsplit(engine).path))) as server:
        server.run("CREATE DATABASE two_processes")
        url = f"{server.url}/two_processes"
        with closing(open_database(url)) as one, closing(open_database(url)) as other:
            filled(one, 60)
            yield one, other


@pytest.fixture
def processes(databases: tuple[Database, Database]) -> tuple[Process, Process]:
    """Both with a session of ann's that is shared."""
    one, _ = databases
    collection = one.collections.all()[0]
    tower: Any = TextTower()
    started = Session.start(one, collection, tower, "a lake", method=ARTICLE, owner="ann")
    started.terms.share(LABELLING)
    first, second = (Process(each, OpenSessions(each), started.row.id) for each in databases)
    return first, second


def photos(session: Session, number: int = 1) -> list[str]:
    return [photo.id for photo in session.round(number).photos]


def test_what_one_does_the_other_has_at_once(processes: tuple[Process, Process]) -> None:
    ann, bob = processes
    a, b, c, *_ = photos(ann.get())
    assert bob.get().row.owner == "ann"
    ann.get().label(a, UP, "ann")
    bob.get().label(b, DOWN, "bob")
    assert ann.get().marks == bob.get().marks == {a: UP, b: DOWN}
    assert ann.get().changes == bob.get().changes
    ann.get().refine(1)
    assert photos(bob.get(), 2) == photos(ann.get(), 2)
    assert not bob.get().refine(1), "both had asked for the second round"
    bob.get().terms.rename("Lakes")
    assert ann.get().row.title == "Lakes"
    ann.get().terms.without("countries", "Peru")
    assert bob.get().undo(by="bob")
    assert ann.get().marks == {a: UP}
    assert ann.get().redo(by="ann") is None
    assert bob.get().redo(by="bob")
    assert ann.get().labels == {a: UP, b: DOWN}
    assert ann.get().fitted().tolist() == bob.get().fitted().tolist()
    ann.database.sessions.update(ann.session, deleted=True)
    with pytest.raises(GoneError, match="The session 'Lakes' was deleted: start a new one"):
        bob.get()
    with pytest.raises(GoneError, match="There is no session"):
        bob.get()
    assert c not in ann.sessions._open[ann.session].marks


def test_two_rounds_of_the_same_moment_both_stand_in_the_same_order(
    processes: tuple[Process, Process],
) -> None:
    ann, bob = processes
    first, second = ann.get(), bob.get()
    first.label(photos(first)[0], UP, "ann")
    assert first.refine(1)
    assert second.refine(1), "its process had not heard of the other's"
    shown = [photos(second, 2)[0], photos(first, 2)[0]]
    second.label(shown[0], UP, "bob")
    first.label(shown[1], DOWN, "ann")
    for process in processes:
        session = process.get()
        assert [r.number for r in session.rounds] == [1, 2, 3]
        assert session.marks == {photos(first)[0]: UP, shown[0]: UP, shown[1]: DOWN}
    assert [photos(ann.get(), n) for n in (2, 3)] == [photos(bob.get(), n) for n in (2, 3)]
    again = Session.reopen(ann.database, ann.session)
    assert [r.sequence for r in again.rounds] == [r.sequence for r in bob.get().rounds]


def test_marks_that_cross_on_their_way_are_told_and_nobody_overwrites_unseen(
    processes: tuple[Process, Process],
) -> None:
    ann, bob = processes
    photo, other, *_ = photos(ann.get())
    for_ann, for_bob = ann.get(), bob.get()  # both have looked before either has stored
    with for_ann.together():
        for_ann.label_all([photo], UP, "click-1", "ann", {photo: NONE})
    assert for_ann.crossed() == {}
    with for_bob.together():
        for_bob.label_all([photo, other], DOWN, "click-2", "bob", {photo: NONE, other: NONE})
    told = {"click-2": "ann marked it yes a moment ago: look, and press again"}
    assert for_bob.crossed() == told
    assert for_bob.crossed() == {}, "told once"
    assert ann.get().marks == bob.get().marks == {photo: UP}
    with bob.get().together():
        bob.get().label_all([photo], DOWN, "click-3", "bob", {photo: UP})
    assert bob.get().crossed() == {}
    third = photos(ann.get())[2]
    with ann.get().together():  # ann's is on its way while bob's is stored, whose process looks
        ann.get().label_all([third], UP, "click-4", "ann", {third: NONE})
        with for_bob.together():
            for_bob.label_all([third], DOWN, "click-5", "bob", {third: NONE})
    assert (for_bob.crossed(), for_ann.crossed()) == (
        {},
        {"click-4": "bob marked it no a moment ago: look, and press again"},
    )
    assert {by: v.label for by, v in bob.get().thumbs.votes(third).items()} == {
        "ann": UP,
        "bob": DOWN,
    }
    ann.get().label(third, NONE, "ann")
    bob.get().label(third, NONE, "bob")
    assert ann.get().marks == {photo: DOWN}
    assert ann.get().thumbs.authors[photo] == "bob"


def test_a_mark_that_its_page_had_not_heard_of_is_not_overwritten(
    processes: tuple[Process, Process],
) -> None:
    ann, bob = processes
    a, b, c, *_ = photos(ann.get())
    ann.get().label_all([a, b], UP, "", "ann")
    told = "ann marked it yes a moment ago: look, and press again"
    with pytest.raises(ExplorerError, match=f"^{told}$"):
        bob.get().label_all([a], DOWN, "k", "bob", {a: NONE})
    with pytest.raises(ExplorerError, match=r"^ann marked 2 of these photos yes a"):
        bob.get().label_all([c, a, b], UNSURE, "", "bob", {a: NONE, b: DOWN, c: NONE})
    assert bob.get().marks == {a: UP, b: UP}
    bob.get().label_all([a], DOWN, "k", "bob", {a: UP})
    bob.get().label_all([b], UP, "", "bob", {b: NONE})  # who agrees overwrites nothing
    assert ann.get().marks == {a: DOWN, b: UP}
    assert {by: vote.label for by, vote in ann.get().thumbs.votes(b).items()} == {
        "ann": UP,
        "bob": UP,
    }
    ann.get().label_all([b], NONE, "", "ann", {b: UP})
    assert bob.get().marks == {a: DOWN, b: UP}, "bob's vote is left"
    with pytest.raises(ExplorerError, match=r"^bob gave that mark, which nobody else takes away: "):
        bob.get().label_all([b], NONE, "", "cem", {b: UP})
    summary = ann.database.listed.recent("unsplash_25k")[0]
    assert (summary.ups, summary.downs) == (1, 1)


def test_a_page_does_not_wait_for_thumbs_that_are_being_stored(
    processes: tuple[Process, Process],
) -> None:
    process, _ = processes
    session = process.get()
    begun, end = Event(), Event()

    def store() -> None:
        with session.together():
            begun.set()
            end.wait(90)

    with ThreadPoolExecutor(2) as pool:
        pool.submit(store)
        assert begun.wait(60)
        assert pool.submit(process.get).result(60) is session
        end.set()


def test_while_the_database_is_away_a_session_is_labelled_as_it_was_known(
    processes: tuple[Process, Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, bob = processes
    photo, other, *_ = photos(ann.get())
    bob.get()

    def away(*_: object) -> None:
        raise EngineError("the database is away", passes=True)

    with monkeypatch.context() as gone:
        gone.setattr(bob.database.sessions, "stored", away)
        gone.setattr(bob.database.sessions, "add_labels", away)
        bob.get().label(photo, UP, "bob")
        ann.get().label(other, UP, "ann")
        assert bob.get().marks == {photo: UP}
    bob.get().store()
    assert bob.get().marks == ann.get().marks == {photo: UP, other: UP}


def test_a_session_starts_with_its_owner_and_is_nobodys_otherwise(
    processes: tuple[Process, Process],
) -> None:
    ann, _ = processes
    collection = ann.database.collections.all()[0]
    other = Session.start(ann.database, collection, TextTower(), "b", only=Filter())  # type: ignore[arg-type]
    assert other.row.owner == ""
    with pytest.raises(ExplorerError, match="A session can't be shared for 'all': reload the page"):
        other.terms.share("all")
