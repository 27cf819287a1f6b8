"""What a user has to be granted to see how far an index is."""

import pytest

from db.errors import ExplorerError
from db.rows import Rows
from tests.clickhouse_server import Dress, RefusedError, Run
from tests.conftest import filled, photo_ids
from tests.db.conftest import Open, found_by_their_own
from tests.myscale_dress import MyScaleDress


def refused(opened: Open, dress: Dress) -> str:
    """What is said of a server that lacks grants."""
    with pytest.raises(ExplorerError) as caught:
        opened(dress)
    line = str(caught.value)
    assert "\n" not in line
    assert line.startswith("The user default can't see at http://127.0.0.1:")
    return line


def test_myscale_is_known_where_its_tables_are_hidden_and_the_grants_are_named(
    opened: Open,
) -> None:
    dress = MyScaleDress()
    dress.granted = False
    assert refused(opened, dress).endswith(
        "how far the vector indexes of MyScale are: have its administrator run "
        "GRANT SELECT ON system.vector_indices TO `default`; "
        "GRANT SELECT ON system.vector_index_segments TO `default`"
    )


class Closed(Dress):
    """A server that lets a user read no table of `system` that they weren't granted.

    As `select_from_system_db_requires_grant` has it, which is on in the configuration that
    ClickHouse comes with; the text is that of src/Access/ContextAccess.cpp.
    """

    version = "25.8.2.1"

    def __init__(self, *tables: str) -> None:
        self._tables = tables

    def rewrite(self, statement: str, settings: dict[str, str], run: Run) -> str:
        """See Dress."""
        for table in self._tables:
            if f"system.{table}" in statement:
                raise RefusedError(
                    497,
                    "ACCESS_DENIED",
                    "me: Not enough privileges. To execute this query, it's necessary to have "
                    f"the grant SELECT(database) ON system.{table}",
                )
        return statement


def test_the_grants_that_a_user_of_clickhouse_lacks_are_named_together(opened: Open) -> None:
    assert refused(opened, Closed("parts", "mutations", "detached_parts")).endswith(
        "how far the vector indexes of ClickHouse are: have its administrator run "
        "GRANT SELECT ON system.mutations TO `default`; GRANT SELECT ON system.parts TO `default`"
    )


def test_who_has_no_index_needs_no_grants_for_it(opened: Open) -> None:
    dress = Closed("data_skipping_indices", "parts", "mutations", "merges")
    dress.version = "24.3.1.1"
    database, _ = opened(dress)
    _, table, vectors = filled(database, 20)
    table.drop_doubles()
    table.build_index()
    Rows(database.connection, table).remove(photo_ids(20)[:1])
    assert found_by_their_own(table, vectors[1:3]) == photo_ids(20)[1:3]
