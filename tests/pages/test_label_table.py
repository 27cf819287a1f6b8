import csv
from io import StringIO

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from classifier.clip import Clip
from classifier.session import Session
from db.collections import Collection
from db.connection import Connection
from db.errors import ExplorerError
from db.label_tables import LabelTable
from db.sessions import DOWN, UP
from pages.classifiers.label_table import best, to_csv
from pages.consequences import of_classifier, of_collection
from pages.services import Services
from tests.pages.conftest import add_collection
from tests.pages.plain import plain
from tests.pages.test_classifiers import button, captions, healthy, script, texts


def save(services: Services, collection: Collection, clip: Clip, name: str) -> None:
    session = Session.start(services.database, collection, clip, name.strip("-*"))
    for place, photo in enumerate(session.current.photos):
        session.label(photo.id, UP if place < 4 else DOWN)
    services.database.classifiers.save(session.to_save(name))


@pytest.fixture
def page(services: Services, collection: Collection, clip: Clip) -> AppTest:
    for name in ("a lake", "a *road*", "-snow"):
        save(services, collection, clip, name)
    add_collection(services, clip, "others", 5)
    page = AppTest.from_function(script, kwargs={"services": services}, default_timeout=60)
    page.session_state["labels"] = True
    return healthy(page.run())


def counts(page: AppTest) -> list[int]:
    """Of each label, and of no label."""
    return [int(option.split()[0]) for option in pills(page).options]


def pills(page: AppTest):  # type: ignore[no-untyped-def]
    return next(group for group in page.button_group if "drawings" in str(group.key))


def test_one_classifier_makes_no_table(
    services: Services, collection: Collection, clip: Clip
) -> None:
    save(services, collection, clip, "a lake")
    page = AppTest.from_function(script, kwargs={"services": services}, default_timeout=60).run()
    assert not [box for box in healthy(page).expander if box.label.startswith("Table of labels")]


def test_a_closed_table_is_not_computed(
    services: Services, collection: Collection, clip: Clip, page: AppTest
) -> None:
    another = AppTest.from_function(script, kwargs={"services": services}, default_timeout=60)
    assert [box for box in healthy(another.run()).expander if box.label.startswith("Table of la")]
    assert not another.multiselect


def test_a_renamed_classifier_stays_in_the_table_and_a_deleted_one_leaves(
    page: AppTest, services: Services
) -> None:
    newest, _, oldest = services.database.classifiers.all()
    services.database.classifiers.rename(oldest, "a pond")
    assert len(healthy(page.run()).multiselect[0].value) == 3
    services.database.classifiers.delete(newest)
    assert len(healthy(page.run()).multiselect[0].value) == 2
    assert len(counts(page)) == 3


def test_labels_are_counted_and_looked_at(page: AppTest) -> None:
    assert pills(page).options[0].endswith(" · \\-snow"), "what is cut off is no number"
    each = counts(page)
    assert len(each) == 4
    page.toggle(key="exclusive").set_value(True)
    healthy(page.run())
    one = counts(page)
    assert sum(one) == 40
    assert one[3] == each[3]
    assert all(exclusive <= label for exclusive, label in zip(one[:3], each[:3], strict=True))
    assert "more than one label" not in captions(page)


def test_photos_without_a_label_are_those_that_nearly_have_one(
    services: Services, collection: Collection, clip: Clip
) -> None:
    for name in ("a lake", "a road"):
        save(services, collection, clip, name)
    table = LabelTable("drawings", services.database.classifiers.all(), [0.1, -2.0], False)
    scores = {"a_road_score": [0.1, 0.0, -0.5, 0.0], "a_lake_score": [-2.1, -2.3, -2.2, -1.9]}
    labels = {"a_road": [1, 0, 0, 0], "a_lake": [0, 0, 0, 1]}
    rows = pd.DataFrame({"id": list("abcd"), **scores, **labels})
    assert table.columns == ["a_road", "a_lake"]
    assert best(table, rows, "no label") == ["b", "c"]
    assert best(table, rows, "a_lake") == ["d"]


def test_the_file_has_the_rows_of_the_view(page: AppTest, services: Services) -> None:
    button(page, "publish_labels")
    assert "Published as the view **`drawings_labels`**: 3 classifiers" in texts(page)
    rows = services.database.connection.rows("SELECT * FROM drawings_labels ORDER BY id")
    read = list(csv.reader(StringIO(to_csv(pd.DataFrame(rows)))))
    assert read[0] == list(rows[0])
    assert read[0][2:4] == ["snow_score", "snow"]
    assert [row[0] for row in read[1:]] == [row["id"] for row in rows]
    assert {row[3] for row in read[1:]} <= {"0", "1"}
    button(page, "unpublish-drawings_labels")
    assert services.database.label_tables.published("drawings") == []


def test_what_is_deleted_says_which_tables_go_and_which_go_on(
    page: AppTest, services: Services, collection: Collection
) -> None:
    button(page, "publish_labels")
    database = services.database
    assert "The table of labels **drawings\\_labels** goes on with it, as it is." in of_classifier(
        database, database.classifiers.all()[0]
    )
    assert (
        "It takes along the view **drawings\\_labels**, for whoever queries it."
        in of_collection(database, collection)
    )
    database.drop(collection)
    assert "label" not in of_collection(database, collection)


def test_a_published_table_can_be_taken_away_when_one_of_its_classifiers_is_left(
    page: AppTest, services: Services
) -> None:
    button(page, "publish_labels")
    database = services.database
    for classifier in database.classifiers.all()[:2]:
        database.delete(classifier)
        healthy(page.run())
    assert "Published as the view **`drawings_labels`**: 3 classifiers" in texts(page)
    (last,) = database.classifiers.all()
    assert "along the table of labels **drawings\\_labels**" in of_classifier(database, last)
    button(page, "unpublish-drawings_labels")
    assert database.label_tables.published("drawings") == []
    assert not [box for box in page.expander if box.label.startswith("Table of labels")]


def test_a_name_that_is_taken_is_one_line(page: AppTest) -> None:
    page.text_input(key="labels-view-drawings").set_value("labels")
    healthy(page.run())
    assert "can't name a view" in plain(page.error[0].value)
    assert not [one for one in page.button if one.key == "publish_labels"]


def test_a_view_that_the_database_refuses_is_one_line(
    page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = Connection.command

    def refuse(self: Connection, sql: str, *rest: object) -> object:
        if sql.startswith("CREATE VIEW"):
            raise ExplorerError("The user *me* lacks a right")
        return command(self, sql, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Connection, "command", refuse)
    button(page, "publish_labels")
    assert plain(page.error[0].value) == "The user *me* lacks a right"
