"""Definitions whose answer is cut off: what was done is known, and nothing is nobody's."""

import pytest

from db.errors import EngineError, ExplorerError
from tests.clickhouse_server import Dress
from tests.conformance.test_label_tables import table_of
from tests.conformance.test_views import saved
from tests.conftest import filled
from tests.db.conftest import Open, Swallowing
from tests.hasty_dress import HastyDress


@pytest.mark.parametrize("answer", ["cut", "159"])
def test_a_collection_whose_deletion_is_cut_off_is_gone_and_not_missing(
    opened: Open, answer: str
) -> None:
    dress = HastyDress(Dress(), "DROP TABLE", answer)
    database, _ = opened(dress)
    collection, _, _ = filled(database, 30)
    dress.times = 1
    database.drop(collection)
    assert dress.times == 0
    assert database.collections.all() == []
    assert database.damage() == []


def test_a_collection_that_stays_is_told(opened: Open) -> None:
    database, server = opened(HastyDress(Swallowing(Dress(), "DROP TABLE"), "DROP TABLE", "159"))
    collection, _, _ = filled(database, 3)
    with pytest.raises(ExplorerError) as caught:
        database.drop(collection)
    assert str(caught.value) == (
        "unsplash_25k is not deleted yet, since the server was cut off at it: delete it again when "
        "the server is less busy"
    )
    assert [each.name for each in database.collections.all()] == [collection.name]
    assert server.statements


def test_a_view_whose_answer_was_lost_is_its_classifiers(opened: Open) -> None:
    database, server = opened(Dress())
    filled(database, 20)
    classifier = saved(database)
    server.lose_answer_to = "CREATE VIEW"
    with pytest.raises(EngineError, match="broke"):
        database.views.publish(classifier, 0.1)
    published = database.views.of(classifier)
    assert published is not None
    assert published == database.views.publish(classifier, 0.1)
    database.views.drop(classifier)
    assert database.connection.tables("engine = 'View'") == set()


def test_a_table_of_labels_whose_answer_was_lost_is_listed(opened: Open) -> None:
    database, server = opened(Dress())
    filled(database, 20)
    table = table_of(database, False)
    server.lose_answer_to = "CREATE VIEW"
    with pytest.raises(EngineError, match="broke"):
        database.label_tables.publish(table, "all_labels")
    (published,) = database.label_tables.published("unsplash_25k")
    database.label_tables.drop("unsplash_25k", published)
    assert database.connection.tables("engine = 'View'") == set()
