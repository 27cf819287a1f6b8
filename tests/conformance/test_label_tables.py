"""Several classifiers as a table of labels: what a stranger to the app finds in the database."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from db.classifiers import SavedClassifier
from db.connection import Connection
from db.database import Database
from db.errors import ExplorerError
from db.label_tables import MOST, LabelTable
from tests.conformance.test_views import saved
from tests.conftest import filled, unit_vectors

WEIGHTS = unit_vectors(3, seed=31)
NAMES = ("Red boats", "Lakes", "red-boats score")
THRESHOLDS = (0.02, -0.01, 0.03)


def three(database: Database) -> list[SavedClassifier]:
    return [
        replace(saved(database, name), weight=weight)
        for name, weight in zip(NAMES, WEIGHTS, strict=True)
    ]


def table_of(database: Database, exclusive: bool, *chosen: int) -> LabelTable:
    places = chosen or (0, 1, 2)
    classifiers = three(database)
    return LabelTable(
        "unsplash_25k",
        [classifiers[place] for place in places],
        [THRESHOLDS[place] for place in places],
        exclusive,
    )


def test_each_classifier_has_its_score_and_its_label(database: Database) -> None:
    _, _, vectors = filled(database, 200)
    table = table_of(database, False)
    assert table.columns == ["red_boats", "lakes", "red_boats_score_2"]
    rows = database.label_tables.rows(table).to_pylist()
    assert list(rows[0])[:4] == ["id", "url", "red_boats_score", "red_boats"]
    assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)
    for row in rows:
        scores = WEIGHTS @ vectors[int(row["id"][-5:])]
        for name, score, threshold in zip(table.columns, scores, THRESHOLDS, strict=True):
            assert row[f"{name}_score"] == pytest.approx(score, abs=1e-5)
            assert row[name] == int(row[f"{name}_score"] >= threshold)
    assert any(sum(row[name] for name in table.columns) > 1 for row in rows)


def test_of_an_exclusive_set_the_best_margin_wins(database: Database) -> None:
    filled(database, 200)
    table = table_of(database, True)
    rows = database.label_tables.rows(table).to_pylist()
    found = set()
    for row in rows:
        margins = [
            row[f"{name}_score"] - threshold
            for name, threshold in zip(table.columns, THRESHOLDS, strict=True)
        ]
        best = table.columns[int(np.argmax(margins))] if max(margins) >= 0 else ""
        assert row["label"] == best
        assert [row[name] for name in table.columns] == [int(best == n) for n in table.columns]
        found.add(best)
    assert found == {"", *table.columns}


def test_of_equal_margins_the_first_one_wins(database: Database) -> None:
    filled(database, 50)
    one = replace(saved(database, "one"), weight=WEIGHTS[0])
    two = replace(saved(database, "two"), weight=WEIGHTS[0])
    rows = database.label_tables.rows(LabelTable("unsplash_25k", [one, two], [0, 0], True))
    assert set(rows.column("label").to_pylist()) == {"", "one"}


def test_a_table_is_published_moved_and_taken_away(database: Database) -> None:
    filled(database, 60)
    tables = database.label_tables
    tables.publish(table_of(database, True), "kinds")
    (published,) = tables.published("unsplash_25k")
    assert (published.name, published.classifiers, published.exclusive) == ("kinds", NAMES, True)
    counts = database.connection.rows(published.example)
    assert sum(row["count()"] for row in counts) == 60
    tables.publish(LabelTable("unsplash_25k", three(database)[:1], [2.0], False), "kinds")
    (moved,) = tables.published("unsplash_25k")
    assert (moved.classifiers, moved.exclusive) == (NAMES[:1], False)
    rows = database.connection.rows("SELECT * FROM kinds")
    assert set(rows[0]) == {"id", "url", "red_boats", "red_boats_score"}
    assert {row["red_boats"] for row in rows} == {0}
    tables.drop("unsplash_25k", moved)
    assert tables.published("unsplash_25k") == []
    assert "kinds" not in database.connection.tables()


def test_a_published_table_takes_another_version_and_keeps_its_columns(database: Database) -> None:
    filled(database, 60)
    boats, lakes, _ = three(database)
    for one in (boats, lakes):
        database.classifiers.save(one)
    table = LabelTable("unsplash_25k", [boats, lakes], [2.0, -0.01], False)
    database.label_tables.publish(table, "kinds")
    before = database.connection.rows("SELECT id, lakes, lakes_score FROM kinds ORDER BY id")
    database.classifiers.rename(boats, "Ships")
    second = database.classifiers.add_version(
        replace(boats, name="Ships"), replace(boats, weight=WEIGHTS[2])
    )
    database.delete(lakes)
    database.use_in_tables(second, 0.0)
    (published,) = database.label_tables.published("unsplash_25k")
    assert (published.numbers, published.thresholds) == ((2, 1), (0.0, -0.01))
    rows = database.connection.rows("SELECT * FROM kinds ORDER BY id")
    assert [{name: row[name] for name in before[0]} for row in rows] == before
    alone = LabelTable("unsplash_25k", [second], [0.0], False)
    scored = database.label_tables.rows(alone).to_pylist()
    assert [row["red_boats"] for row in rows] == [row[alone.columns[0]] for row in scored]
    assert 0 < sum(row["red_boats"] for row in rows) < 60


def test_a_table_of_an_earlier_version_of_the_explorer_is_left_as_it_is(database: Database) -> None:
    filled(database, 5)
    boats = three(database)[0]
    database.classifiers.save(boats)
    database.connection.command("CREATE VIEW kinds AS SELECT 1 AS red_boats")
    columns = ("name", "collection", "classifiers", "exclusive", "dropped", "sequence")
    row = ["kinds", "unsplash_25k", [boats.id], 0, 0, 1]
    database.connection.insert_rows("label_tables", columns, [row])
    database.use_in_tables(boats, 0.0)
    (published,) = database.label_tables.published("unsplash_25k")
    assert not published.follows
    assert database.connection.rows("SELECT * FROM kinds") == [{"red_boats": 1}]


def test_a_table_goes_with_the_last_of_its_classifiers(database: Database) -> None:
    filled(database, 5)
    boats, lakes, _ = three(database)
    for one in (boats, lakes):
        database.classifiers.save(one)
    table = LabelTable("unsplash_25k", [boats, lakes], [0.0, 0.0], True)
    database.label_tables.publish(table, "kinds")
    database.delete(boats)
    assert [one.name for one in database.label_tables.published("unsplash_25k")] == ["kinds"]
    database.delete(lakes)
    assert database.label_tables.published("unsplash_25k") == []
    assert "kinds" not in database.connection.tables()


def test_views_go_with_their_collection_and_one_dropped_by_hand_is_none(
    database: Database,
) -> None:
    collection, _, _ = filled(database, 5)
    for name in ("first", "second"):
        database.label_tables.publish(table_of(database, False), name)
    database.connection.command("DROP VIEW first")
    assert [one.name for one in database.label_tables.published("unsplash_25k")] == ["second"]
    database.drop(collection)
    assert database.connection.tables("engine = 'View'") == set()


@pytest.mark.parametrize(
    "name", ["", "1st", "a b", "x`; DROP TABLE labels", "labels", "LABELS", "é", "a" * 65, "%(x)s"]
)
def test_a_name_that_can_not_be_used_is_refused(database: Database, name: str) -> None:
    filled(database, 5)
    with pytest.raises(ExplorerError, match="can't name a view: use 1 to 64 letters"):
        database.label_tables.publish(table_of(database, True), name)
    assert database.label_tables.published("unsplash_25k") == []


def test_nothing_else_is_replaced(database: Database) -> None:
    filled(database, 5)
    classifier = saved(database, "Boats")
    database.views.publish(classifier, 0)
    for name in ("boats", "BOATS", "unsplash_25k"):
        with pytest.raises(ExplorerError, match=f"There is a table or view {name} already"):
            database.label_tables.publish(table_of(database, True), name)
    assert database.views.of(classifier) is not None


def test_a_table_that_the_database_refuses_counts_as_none(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(database, 5)
    command = Connection.command

    def refuse(self: Connection, sql: str, *rest: Any) -> Any:
        if sql.startswith("CREATE"):
            raise ExplorerError("not granted")
        return command(self, sql, *rest)

    table = table_of(database, True)
    monkeypatch.setattr(Connection, "command", refuse)
    with pytest.raises(ExplorerError, match="not granted"):
        database.label_tables.publish(table, "kinds")
    monkeypatch.setattr(Connection, "command", command)
    assert database.label_tables.published("unsplash_25k") == []


def test_none_and_too_many_classifiers_are_refused(database: Database) -> None:
    filled(database, 5)
    one = saved(database, "one")
    for many in (0, MOST + 1):
        table = LabelTable("unsplash_25k", [one] * many, [0.0] * many, True)
        with pytest.raises(
            ExplorerError, match=f"has 1 to 20 classifiers, and this one has {many}"
        ):
            database.label_tables.publish(table, "kinds")
    database.label_tables.publish(LabelTable("unsplash_25k", [one] * MOST, [0.0] * MOST, True), "m")
    assert len(database.connection.rows("SELECT * FROM m")) == 5
