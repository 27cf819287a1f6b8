"""Names that are words of SQL, that are taken, or that differ in nothing but capitals."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from db.classifiers import SavedClassifier
from db.collections import Collection
from db.connection import Connection
from db.database import TABLES, Database, open_database
from db.errors import ExplorerError
from db.names import OWN, quoted
from db.photos import Filter, PhotoTable
from tests.conftest import filled, unit_vectors

VECTOR = unit_vectors(1)[0]


def use(database: Database, name: str) -> PhotoTable:
    """Do with a collection all that is ever done with one, but delete it."""
    _, table, _ = filled(database, 12, name)
    table.build_index(poll=0.01)
    assert table.index_state().state == "built"
    assert table.count() == len(table.ids()) == len(table.urls()) == len(table.random(20)) == 12
    assert len(table.sample(5)) == 5
    assert table.get(["photo-00001"])[0].photo.id == "photo-00001"
    assert len(table.search(VECTOR, 9)) == len(table.search(VECTOR, 9, ["photo-00001"])) == 9
    assert len(table.search(VECTOR, 9, only=Filter(countries=("Peru",)))) == 4
    assert len(table.scores(VECTOR)[0]) == 12
    assert table.common("keyword") == ["tree's", "boat", "lake"]
    assert database.failures.of(table) == {}
    table.drop_doubles()
    table.bring_up_to_date()
    return table


def classifier(name: str, collection: str) -> SavedClassifier:
    return SavedClassifier(name, name, collection, "m", "f", "p", "s", "checked", 1, 1, 1, VECTOR)


def words(database: Database) -> Iterator[str]:
    """Words that mean something to the engine: of its grammar, functions, types, settings …"""
    sources = [
        "SELECT arrayJoin(splitByChar(' ', keyword)) AS word FROM system.keywords",
        *(
            f"SELECT name AS word FROM system.{table} ORDER BY cityHash64(name) LIMIT 150"
            for table in ("functions", "settings", "data_type_families", "table_functions")
        ),
    ]
    found = {row["word"] for source in sources for row in database.connection.rows(source)}
    return (word for word in sorted(found) if re.fullmatch(r"[A-Za-z_]\w{0,63}", word))


def test_a_thousand_words_of_sql_are_names_in_every_statement(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []

    def kept(method: Callable[..., Any]) -> Callable[..., Any]:
        def keep(self: Connection, sql: str, *rest: Any) -> Any:
            sent.append(sql)
            return method(self, sql, *rest)

        return keep

    for method in ("command", "rows", "arrow"):
        monkeypatch.setattr(Connection, method, kept(getattr(Connection, method)))
    use(database, "the_name")
    database.views.publish(replace(classifier("x", "the_name"), name="the_name_too"), 0.5)
    database.drop(database.collections.all()[0])
    monkeypatch.undo()
    # Bound values and the long vectors are nothing that a name could stand in.
    used = {re.sub(r"%\(\w+\)s|\[[-0-9.,]+\]", "[1]", sql) for sql in sent if "the_name" in sql}
    statements = [
        f"{sql} FORMAT Native" if re.match("SELECT|DESC|EXISTS", sql) else sql for sql in used
    ]
    assert len(statements) > 12
    names = list(words(database))
    assert len(names) >= 1000
    lost = database.connection.rows(
        # The client puts a format behind. What the engine writes of a statement goes to its own
        # files, and has to be read again.
        "SELECT name, base, written FROM (SELECT arrayJoin(%(names)s) AS name, "
        "arrayJoin(%(statements)s) AS base, "
        "formatQuerySingleLineOrNull(replaceAll(base, 'the_name', name)) AS written) "
        "WHERE isNull(formatQueryOrNull(written)) OR replaceAll(written, '`', '') != replaceAll("
        "replaceAll(formatQuerySingleLine(base), '`', ''), 'the_name', name) LIMIT 5",
        {"names": names, "statements": statements},
    )
    assert lost == []


@pytest.mark.parametrize(
    "name", ["from", "Select", "id", "vector", "dist", "score", "distance", "vindex", "_part"]
)
def test_a_collection_of_any_name_is_used_opened_again_and_deleted(
    name: str, database: Database
) -> None:
    table = use(database, name)
    saved = classifier(name, name)
    database.classifiers.save(saved)
    view = database.views.publish(saved, -2)
    assert len(database.connection.rows(view.example)) == 10
    for each in (view.name, name):
        # As a restart does: from the definition that lies in the engine's files.
        database.connection.command(f"DETACH TABLE {quoted(each)} SYNC")
        database.connection.command(f"ATTACH TABLE {quoted(each)}")
    again = open_database(database.connection.url)
    assert table.count() == 12
    assert len(again.connection.rows(view.example)) == 10
    (collection,) = again.collections.all()
    again.drop(collection)
    assert again.collections.all() == []
    again.close()


def test_the_explorers_own_tables_are_known_by_name() -> None:
    assert {table.name for table in TABLES} == OWN


@pytest.mark.parametrize("name", [*sorted(OWN), "Labels", "SESSIONS"])
def test_a_collection_is_never_one_of_them(name: str, database: Database) -> None:
    with pytest.raises(ExplorerError, match=f"{name} is one of the explorer's own tables"):
        database.collections.open(Collection(name, "m", "f", "s"))


def test_names_that_differ_in_capitals_alone_would_be_one_file_on_some_disks(
    database: Database,
) -> None:
    filled(database, 3, "photos")
    with pytest.raises(ExplorerError) as caught:
        database.collections.open(Collection("Photos", "a-model", "a-fingerprint", "s"))
    assert str(caught.value) == (
        "Photos differs from photos, which is there already, in nothing but capitals: load into "
        "--collection photos, or choose another name"
    )
    assert [collection.name for collection in database.collections.all()] == ["photos"]
