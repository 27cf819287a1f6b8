"""MyScale's own words: its statements, its system tables, its `distance()`.

Sources: the article's SQL, docs.myscale.com/docs/en/vector-search, and MyScaleDB on GitHub. None of
it has been run on MyScale.
"""

from collections.abc import Mapping
from types import MappingProxyType

from db.dialect import DIMENSION, INDEX, Dialect
from db.layout import Layout
from db.search import Query, Search, filter_first


class MyScale(Dialect):
    """MyScale, with the article's own statements; built on ClickHouse 23.3.

    Args:
        alpha: how accurately an MSTG index is searched, 1 to 4; None leaves it to the server.
    """

    name = "MyScale"
    index_tables = ("vector_indices", "vector_index_segments")
    # From the sources (MyScaleDB, src/Storages/MergeTree/MergeTask.cpp): with DEDUPLICATE, the map
    # of row ids by which old indexes are carried over counts the rows that are dropped, so that all
    # after them are off; with one part, the index is moved as it is. It stays `Built`.
    carries_index = True
    # Self-hosted servers answer so (src/VectorIndex of myscale/MyScaleDB on GitHub); its README
    # recommends SCANN there, and says that MSTG is MyScale Cloud's.
    substitutes: Mapping[str, tuple[str, str]] = MappingProxyType(
        {"Unknown index type for Float32 Vector: MSTG": ("MSTG", "SCANN")}
    )

    def __init__(self, alpha: int | None = None, layout: Layout | None = None) -> None:
        super().__init__(layout)
        self._alpha = alpha

    def create_photos(self, table: str, facts: str, dimension: int = DIMENSION) -> list[str]:
        """See Dialect."""
        return self.layout.create_photos(
            table,
            "id String, url String, vector Array(Float32), "
            f"{facts}, CONSTRAINT vec_len CHECK length(vector) = {dimension}",
        )

    def build_index(
        self,
        table: str,
        dimension: int = DIMENSION,  # noqa: ARG002
        rows: int = 0,  # noqa: ARG002
    ) -> list[str]:
        """See Dialect. One part first: MyScale builds a segment of the index a part."""
        stored = self.layout.rows(table)
        return [
            self.merge(table),
            f"ALTER TABLE {stored} ADD VECTOR INDEX {INDEX} vector TYPE MSTG('metric_type=Cosine')",
        ]

    def drop_index(self, table: str) -> list[str]:
        """See Dialect."""
        return [f"ALTER TABLE {self.layout.rows(table)} DROP VECTOR INDEX {INDEX}"]

    def index_state(self) -> str:
        """See Dialect.

        Columns are those of docs.myscale.com/docs/en/system-tables, vector_indices and
        vector_index_segments: a segment's `progress` goes from 0 to 100.
        """
        table = f"database = {self.layout.database} AND table = %(table)s"
        system = self.layout.system
        return (
            "SELECT multiIf(status = 'Built', 'built', status = 'Error', 'failed', 'building') "
            "AS state, if(status = 'Error', latest_fail_reason, type) AS detail, "
            "(SELECT if(count() = 0, NULL, avg(progress) / 100) "
            f"FROM {system('vector_index_segments')} WHERE {table}) AS progress "
            f"FROM {system('vector_indices')} WHERE {table}{self.layout.worst_first}"
        )

    def masked(self) -> str:
        """See Dialect. Without an index, `distance()` is the L2 distance, whatever was asked for.

        From the sources of MyScaleDB, as recorded in the project's notes. Rows of a `DELETE FROM`
        are left out, say its documents (docs.myscale.com/docs/en, DELETE in its SQL reference).
        """
        return (
            f"SELECT count() = 0 FROM {self.layout.system('vector_indices')} "
            f"WHERE database = {self.layout.database} AND table = %(table)s"
        )

    def searches(self, search: Search) -> list[Query]:
        """See Dialect. MyScale filters first, so the article's statement misses none it looks at.

        But it doesn't look at rows that are not in the index yet, and says nothing of it
        (MyScaleDB, tests/queries/2_vector_search/00038_mqvs_brute_force_setting), so all are read
        where it leaves too few.
        """
        distance = f"distance('alpha={self._alpha}')" if self._alpha else "distance"
        return [
            Query(filter_first(search, distance), unless=self.masked()),
            Query(filter_first(search, "cosineDistance")),
        ]
