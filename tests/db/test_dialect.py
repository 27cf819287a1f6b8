"""The exact statements, so that none changes unnoticed."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from db.connection import Connection, server_dialect
from db.dialect import (
    ClickHouse,
    Embedded,
    ExactClickHouse,
)
from db.errors import ExplorerError
from db.myscale import MyScale
from db.photo import FACTS
from db.photos import Filter, PhotoTable
from db.search import Query, Search, vector_bytes, vector_literal

ONE = np.eye(1, 512, dtype=np.float32)[0]
LITERAL = vector_literal(ONE)


def test_a_vector_is_written_at_unit_length_with_a_point_in_every_element() -> None:
    literal = vector_literal(np.asarray([3e-6, 0, -4e-6], dtype=np.float32))
    assert literal == "[0.600000024,0.000000000,-0.800000012]"


def test_myscale_gets_the_articles_statements() -> None:
    dialect = MyScale()
    assert dialect.set_up() == [], "distance() is built in there, and must not be redefined"
    assert dialect.create_photos("unsplash_25k", "page String") == [
        "CREATE TABLE IF NOT EXISTS `unsplash_25k` (id String, url String, vector Array(Float32), "
        "page String, CONSTRAINT vec_len CHECK length(vector) = 512) ENGINE = MergeTree ORDER BY id"
    ]
    assert dialect.build_index("unsplash_25k") == [
        "OPTIMIZE TABLE `unsplash_25k` FINAL SETTINGS optimize_skip_merged_partitions = 1",
        "ALTER TABLE `unsplash_25k` ADD VECTOR INDEX vindex vector TYPE MSTG('metric_type=Cosine')",
    ]


def test_myscale_searches_with_the_articles_statement() -> None:
    search = Search("unsplash_25k", ("id", "url"), ONE, 9, rows=25_000)
    assert MyScale().searches(search)[0] == Query(
        f"SELECT id, url, vector, distance(vector, {LITERAL}) AS dist FROM `unsplash_25k` "
        "ORDER BY dist LIMIT 9",
        unless=MyScale().masked(),
    )
    excluding = Search("unsplash_25k", ("id", "url"), ONE, 9, 25_000, 4, "country = 'x'")
    assert MyScale().searches(excluding)[0].sql == (
        f"SELECT id, url, vector, distance(vector, {LITERAL}) AS dist FROM `unsplash_25k` "
        "WHERE country = 'x' AND id NOT IN %(excluded)s ORDER BY dist LIMIT 9"
    )


def test_clickhouse_asks_its_index_for_ids_and_orders_their_rows() -> None:
    indexed, exact = ClickHouse().searches(Search("t", ("id", "url"), ONE, 9, 100_000, 5))
    distance = f"cosineDistance(vector, {vector_bytes(ONE)})"
    select = f"SELECT id, url, vector, {distance} AS dist FROM `t`"
    assert indexed == Query(
        f"{select} WHERE id IN (SELECT id FROM `t` ORDER BY {distance} LIMIT 17 "
        "SETTINGS apply_deleted_mask = 0) "
        "AND id NOT IN %(excluded)s ORDER BY dist LIMIT 9 "
        "SETTINGS hnsw_candidate_list_size_for_search = 4096, "
        "max_limit_for_vector_search_queries = 17, "
        "vector_search_filter_strategy = 'prefilter', max_threads = 1, "
        "query_plan_optimize_lazy_materialization = 0"
    )
    assert exact == Query(
        f"{select} WHERE id NOT IN %(excluded)s ORDER BY dist LIMIT 9 "
        "SETTINGS query_plan_try_use_vector_search = 0"
    )


def test_clickhouse_drops_many_excluded_between_two_statements() -> None:
    indexed, exact = ClickHouse().searches(Search("t", ("id", "url"), ONE, 9, 500_000, 900))
    distance = f"cosineDistance(vector, {vector_bytes(ONE)})"
    nearest = (
        f"SELECT id, url, vector, {distance} AS dist FROM `t` WHERE id IN %(among)s "
        "ORDER BY dist LIMIT 9"
    )
    settings = (
        "SETTINGS hnsw_candidate_list_size_for_search = 8192, "
        "max_limit_for_vector_search_queries = 940, "
        "vector_search_filter_strategy = 'prefilter', max_threads = 1, "
        "query_plan_optimize_lazy_materialization = 0"
    )
    assert indexed == Query(
        f"SELECT id FROM `t` ORDER BY {distance} LIMIT 940 {settings}, apply_deleted_mask = 0",
        f"{nearest} {settings}",
        40,
    )
    exactly = (
        "SETTINGS query_plan_try_use_vector_search = 0, "
        "query_plan_optimize_lazy_materialization = 0"
    )
    assert exact == Query(
        f"SELECT id FROM `t` ORDER BY {distance} LIMIT 909 {exactly}", f"{nearest} {exactly}", 9
    )


def test_a_large_table_gets_an_index_of_more_links_and_more_candidates() -> None:
    for rows, graph, candidates in ((6000, "16, 64", 1024), (10**6, "32, 128", 8192)):
        (_, added, _) = ClickHouse().build_index("t", rows=rows)
        assert f"'bf16', {graph})" in added
        asked = ClickHouse().searches(Search("t", ("id", "url"), ONE, 9, rows))[0].sql
        assert f"hnsw_candidate_list_size_for_search = {candidates}," in asked


@pytest.mark.parametrize(
    "search",
    [
        Search("t", ("id", "url"), ONE, 9, rows=10**7, excluded=200_000),
        Search("t", ("id", "url"), ONE, 9, rows=10**7, condition="country = 'x'"),
        Search("t", ("id", "url"), ONE, 9, rows=25_000, excluded=3200),
        Search("t", ("id", "url"), ONE, 9, rows=4_999),
    ],
)
def test_clickhouse_scans_where_its_index_would_be_wrong_or_slower(search: Search) -> None:
    queries = ClickHouse().searches(search)
    assert len(queries) == 1
    assert "query_plan_try_use_vector_search = 0" in queries[0].sql


def test_the_bytes_of_a_vector_are_those_of_its_floats() -> None:
    vector = np.asarray([1, -2.5], dtype=">f4")
    assert vector_bytes(vector) == "reinterpret(unhex('0000803f000020c0'), 'Array(Float32)')"


def test_the_embedded_engine_learns_the_articles_distance() -> None:
    assert Embedded().set_up() == [
        "CREATE OR REPLACE FUNCTION distance AS (a, b) -> cosineDistance(a, b)"
    ]


class ScriptedClient:
    """Stands where a server would: keeps what is sent, and answers index questions in turn."""

    def __init__(self, *states: tuple[str, str]) -> None:
        self.sent: list[tuple[str, Any]] = []
        self.states = list(states)

    def command(self, sql: str, parameters: Any = None, settings: Any = None) -> int:
        self.sent.append((sql, parameters))
        return 0

    def query(self, sql: str, parameters: Any = None, settings: Any = None) -> "ScriptedClient":
        self.sent.append((sql, parameters))
        return self

    def query_arrow(self, sql: str, **_: Any) -> pa.Table:
        return pa.table({"vector": pa.array([], pa.list_(pa.float32()))})

    def named_results(self) -> list[Mapping[str, object]]:
        if not self.states:
            return []
        state, detail = self.states.pop(0)
        return [{"state": state, "detail": detail, "progress": None}] if state else []


def myscale(client: ScriptedClient) -> PhotoTable:
    return PhotoTable(Connection("http://x", client, MyScale()), "unsplash_25k")  # type: ignore[arg-type]


def test_myscale_gets_its_statements_in_order_and_is_waited_for() -> None:
    client = ScriptedClient(("", ""), ("building", ""), ("building", ""), ("built", ""))
    table = myscale(client)
    reported: list[str] = []
    table.create()
    table.build_index(lambda state: reported.append(state.state), poll=0)
    state = (MyScale().index_state(), {"table": "unsplash_25k"})
    assert client.sent == [
        ("EXISTS TABLE `unsplash_25k`", None),
        (MyScale().create_photos("unsplash_25k", FACTS)[0], None),
        state,
        ("SELECT count() FROM `unsplash_25k`", None),
        (MyScale().merge("unsplash_25k"), None),
        (
            "ALTER TABLE `unsplash_25k` ADD VECTOR INDEX vindex vector "
            "TYPE MSTG('metric_type=Cosine')",
            None,
        ),
        state,
        state,
        state,
    ]
    assert "FROM system.vector_indices" in state[0]
    assert reported == ["building", "building"]


def test_a_failed_index_is_reported_with_the_servers_reason() -> None:
    table = myscale(ScriptedClient(("building", ""), ("failed", "out of memory")))
    with pytest.raises(ExplorerError, match=r"unsplash_25k could not be built: out of memory\."):
        table.build_index(poll=0)


def test_a_failed_index_is_dropped_and_built_again_by_the_next_load() -> None:
    client = ScriptedClient(("failed", "out of memory"), ("built", "MSTG"))
    myscale(client).build_index(poll=0)
    assert [sql for sql, _ in client.sent if not sql.startswith("SELECT")] == [
        "ALTER TABLE `unsplash_25k` DROP VECTOR INDEX vindex",
        *MyScale().build_index("unsplash_25k"),
    ]


def test_alpha_stands_in_the_name_of_the_distance() -> None:
    approximate, exact = MyScale(3).searches(Search("t", ("id", "url"), ONE, 9, rows=25_000))
    assert f"distance('alpha=3')(vector, {LITERAL}) AS dist" in approximate.sql
    assert f"cosineDistance(vector, {LITERAL}) AS dist" in exact.sql


@pytest.mark.parametrize(
    ("version", "kind"),
    [
        ("25.8.1.1", ClickHouse),
        ("26.9.2.1", ClickHouse),
        ("25.7.9.9", ExactClickHouse),
        ("24.12", ExactClickHouse),
        ("", ExactClickHouse),
        ("a fork", ExactClickHouse),
    ],
)
def test_a_server_of_another_version_is_searched_exactly(
    version: str, kind: type[ClickHouse]
) -> None:
    assert type(server_dialect(version, is_myscale=False)) is kind
    assert isinstance(server_dialect(version, is_myscale=True), MyScale)


def test_an_old_server_gets_no_index_no_new_setting_and_is_not_waited_for() -> None:
    dialect = ExactClickHouse()
    search = Search("t", ("id", "url"), ONE, 9, rows=500_000, excluded=2)
    assert dialect.searches(search) == [
        Query(
            f"SELECT id, url, vector, cosineDistance(vector, {LITERAL}) AS dist FROM `t` "
            "WHERE id NOT IN %(excluded)s ORDER BY dist LIMIT 9"
        )
    ]
    client = ScriptedClient(("none", ""))
    PhotoTable(Connection("http://x", client, dialect), "t").build_index()  # type: ignore[arg-type]
    assert client.sent == []


def test_a_filter_binds_every_value() -> None:
    condition, bound = Filter(("Peru",), (), ("it's", "b")).condition()
    assert condition == "country IN %(countries)s AND hasAny(keywords, %(keywords)s)"
    assert bound == {"countries": ("Peru",), "keywords": ["it's", "b"]}
    assert Filter().condition() == ("", {})
