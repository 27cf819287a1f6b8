"""A classifier as a view: what a stranger to the app finds in the database."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from db.classifiers import SavedClassifier
from db.connection import Connection
from db.database import Database
from db.errors import ExplorerError
from db.label_tables import LabelTable
from db.photo import Photo
from db.views import view_name
from tests.conftest import filled, unit_vectors

WEIGHT = unit_vectors(1, seed=21)[0]


def saved(database: Database, name: str = "Red boats", **other: Any) -> SavedClassifier:
    classifier = SavedClassifier(
        id=other.pop("id", name),
        name=name,
        collection="unsplash_25k",
        model="m",
        fingerprint="f",
        prompt="p",
        session="s",
        method="checked",
        rounds=1,
        ups=1,
        downs=1,
        weight=WEIGHT,
    )
    database.classifiers.save(classifier)
    return classifier


def rows_of(database: Database, view: str) -> dict[str, float]:
    rows = database.connection.rows(f"SELECT id, url, score FROM {view} ORDER BY score DESC")
    assert all(row["url"] == f"sample:{row['id']}" for row in rows)
    assert [row["score"] for row in rows] == sorted((row["score"] for row in rows), reverse=True)
    return {row["id"]: row["score"] for row in rows}


def test_a_view_has_the_classifiers_own_scores_above_the_threshold(database: Database) -> None:
    _, table, vectors = filled(database, 300)
    table.build_index()
    classifier = saved(database)
    ids, scores = table.scores(classifier.weight)
    threshold = float((scores[99] + scores[100]) / 2)
    view = database.views.publish(classifier, threshold)
    assert view.name == "red_boats"
    found = rows_of(database, view.name)
    assert list(found) == ids[:100]
    for photo, score in found.items():
        assert score == pytest.approx(float(vectors[int(photo[-5:])] @ WEIGHT), abs=1e-5)
    assert database.views.of(classifier) == view


def test_a_photo_at_the_threshold_is_kept_in_sql_as_on_the_page(database: Database) -> None:
    _, table, _ = filled(database, 60)
    classifier = saved(database)
    ids, scores = table.scores(classifier.weight)
    for place in range(0, 60, 4):
        threshold = float(scores[place])
        view = database.connection.rows(database.views.query(classifier, threshold))
        assert {row["id"] for row in view} == set(ids[: place + 1])
        for exclusive in (False, True):
            labels = LabelTable(classifier.collection, [classifier], [threshold], exclusive)
            rows = database.label_tables.rows(labels).to_pylist()
            assert {row["id"] for row in rows if row["red_boats"]} == set(ids[: place + 1])


def test_photos_that_come_in_later_are_in_the_view(database: Database) -> None:
    _, table, _ = filled(database, 20)
    view = database.views.publish(saved(database), 0.9)
    assert rows_of(database, view.name) == {}
    table.add([Photo("new", "sample:new")], WEIGHT[None])
    assert rows_of(database, view.name) == {"new": pytest.approx(1, abs=1e-5)}


def test_publishing_again_moves_the_threshold_and_keeps_the_name(database: Database) -> None:
    filled(database, 50)
    classifier = saved(database)
    database.views.publish(classifier, 2)
    database.classifiers.rename(classifier, "Blue boats")
    again = database.views.publish(replace(classifier, name="Blue boats"), -2)
    assert again.name == "red_boats"
    assert len(rows_of(database, again.name)) == 50


def test_dropping_it_frees_the_name(database: Database) -> None:
    filled(database, 5)
    classifier = saved(database)
    database.views.publish(classifier, 0)
    database.views.drop(classifier)
    assert database.views.of(classifier) is None
    with pytest.raises(ExplorerError, match="red_boats"):
        rows_of(database, "red_boats")
    assert database.views.publish(classifier, 0).name == "red_boats"


def test_a_view_that_was_dropped_by_hand_is_not_published(database: Database) -> None:
    filled(database, 5)
    classifier = saved(database)
    view = database.views.publish(classifier, 0)
    database.connection.command(f"DROP VIEW {view.name}")
    assert database.views.of(classifier) is None
    database.views.drop(classifier)
    assert database.views.publish(classifier, -2).name == view.name
    assert len(rows_of(database, view.name)) == 5


def test_a_view_goes_with_its_classifier_and_with_its_collection(database: Database) -> None:
    collection, _, _ = filled(database, 5)
    first, second = saved(database, "First"), saved(database, "Second")
    database.views.publish(first, 0)
    database.views.publish(second, 0)
    database.delete(first)
    assert database.views.of(first) is None
    assert database.views.of(second) is not None
    database.drop(collection)
    assert database.views.of(second) is None
    assert [classifier.id for classifier in database.classifiers.all()] == [second.id]


def test_a_view_never_takes_the_name_of_something_else(database: Database) -> None:
    filled(database, 5)
    names = ["labels", "Unsplash 25k", "red boats", "Red-Boats"]
    views = [database.views.publish(saved(database, name), 0).name for name in names]
    assert views == ["labels_2", "unsplash_25k_2", "red_boats", "red_boats_2"]
    assert [c.name for c in database.collections.all()] == ["unsplash_25k"]


def test_a_view_that_is_refused_counts_as_none(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(database, 5)
    classifier = saved(database)
    command = Connection.command

    def refuse(self: Connection, sql: str, *rest: Any) -> Any:
        if sql.startswith("CREATE"):
            raise ExplorerError("not granted")
        return command(self, sql, *rest)

    monkeypatch.setattr(Connection, "command", refuse)
    with pytest.raises(ExplorerError, match="not granted"):
        database.views.publish(classifier, 0)
    monkeypatch.setattr(Connection, "command", command)
    assert database.views.of(classifier) is None
    published = database.views.publish(classifier, 0.5)
    monkeypatch.setattr(Connection, "command", refuse)
    with pytest.raises(ExplorerError, match="not granted"):
        database.views.publish(classifier, 0.25)
    assert database.views.of(classifier) == published


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("Houses by lakes", "houses_by_lakes"),
        ("x; DROP TABLE labels --", "x_drop_table_labels"),
        ("`b` \"q\" 's' \\ \n \0", "b_q_s"),
        ("Élan à Zürich", "elan_a_zurich"),
        ("3 sheep", "classifier_3_sheep"),
        ("雪の中の犬", "classifier"),
        ("😀" * 80, "classifier"),
        ("long " * 16, "long_" * 9 + "long"),
    ],
)
def test_a_name_is_made_of_any_words(words: str, name: str) -> None:
    assert view_name(words) == name


def test_the_statement_that_is_shown_is_the_one_that_is_run(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(database, 5)
    classifier = saved(database, "x'; DROP TABLE labels --")
    ran: list[str] = []
    command = Connection.command

    def keep(self: Connection, sql: str, *rest: Any) -> Any:
        ran.append(sql)
        return command(self, sql, *rest)

    monkeypatch.setattr(Connection, "command", keep)
    for threshold in (0.25, np.float64(1e-7)):
        shown = database.views.statement(classifier, threshold)
        database.views.publish(classifier, threshold)
        assert ran[-1] == shown
    name = database.connection.dialect.layout.everywhere("x_drop_table_labels")
    assert ran[-1].startswith(f"CREATE OR REPLACE VIEW {name} AS\n")
    assert ran[-1].endswith("\nWHERE toFloat32(score) >= toFloat32(0.000000100000)")
