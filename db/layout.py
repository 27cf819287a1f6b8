"""Where tables lie: on one server, on all replicas of a database, or on every node of a cluster.

A database that replicates itself follows engines/database-engines/replicated of the same documents;
MyScale Cloud has one where it has several replicas (MyScale's benchmark, configure.py, as recorded
in the project's notes). It has been run on none.

A cluster's statements follow these pages of clickhouse.com/docs. What one engine executes of them
is executed in the tests (tests/cluster_dress.py, tests/db/test_cluster.py): Distributed tables over
one and two shards, their inserts, searches, scores and views, what is asked of every node's system
tables, and the deletions, merges and indexes of the tables behind; the definitions of replicated
tables, with their paths in Keeper. `ON CLUSTER`, what replicas do and nodes that are down have
never been run: of these there are snapshots alone (tests/db/snapshots).

- sql-reference/distributed-ddl, and optimize and kill in sql-reference/statements: `ON CLUSTER`
  runs a statement on every node.
- engines/table-engines/mergetree-family/replication: `ReplicatedMergeTree`, its path in Keeper and
  the macros in it. A replica's name is unique within its shard only. An `ALTER` is replicated, a
  `CREATE` or a `DROP` is not.
- engines/table-engines/special/distributed: the table that searches, counts and adds go through;
  its sharding key; `internal_replication`, which the cluster's configuration must set to true.
- reference/settings/session-settings/distributed: inserts that wait for the shards, and subqueries
  over a Distributed table within another. The older name of the former is known to MyScale too.
- sql-reference/table-functions/cluster: `clusterAllReplicas`, to ask every node's system tables.

MyScale says that both engines work there (github.com/myscale/MyScaleDB/issues/26), and tests
`distance()` through Distributed (its 00030_mqvs_skip_check_order_direction_for_distributed.sql).
ClickHouse asks its vector indexes through Distributed from 26.4 on (its pull request 100364); an
older cluster reads every vector, which is slow and as right. Two replicas build two different
graphs, and the log then says that parts differ and one is fetched (its issue 72811).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from db.errors import ExplorerError
from db.names import quoted


@dataclass(frozen=True)
class Table:
    """One of the explorer's own tables, all small beside the photos.

    Attributes:
        name: as in SQL.
        holds: what its rows are, in words.
        columns: in SQL.
        order: the sorting key, in SQL.
    """

    name: str
    holds: str
    columns: str
    order: str


class Layout:
    """Tables on one server.

    Attributes:
        database: an SQL expression: the name of the database.
        engine: of all tables on one server, and of those of a database that replicates itself.
        worst_first: ends a query of an index's state that may find one row a node.
        session: settings of every statement.
        patience: further settings of a statement that may take long, in SQL, after others.
        notes: what an operator has to know, in words.
    """

    database = "currentDatabase()"
    engine = "MergeTree"
    worst_first = ""
    session: Mapping[str, int | str] = MappingProxyType({})
    patience = ""
    notes: tuple[str, ...] = ()

    def create(self, table: Table) -> str:
        """The statement that creates one of the explorer's own tables."""
        return (
            f"CREATE TABLE IF NOT EXISTS {table.name} ({table.columns}) "
            f"ENGINE = {self.engine} ORDER BY {table.order}"
        )

    def create_photos(self, name: str, columns: str, settings: str = "") -> list[str]:
        """The statements that create a photo table; `settings` follow the sorting key."""
        engine = _by_id(self.engine, settings)
        return [f"CREATE TABLE IF NOT EXISTS {quoted(name)} ({columns}) {engine}"]

    def add_column(self, name: str, column: str) -> list[str]:
        """The statements that add a column to a photo table."""
        return [f"ALTER TABLE {self.rows(name)} ADD COLUMN IF NOT EXISTS {column}"]

    def drop(self, name: str) -> list[str]:
        """The statements that delete a photo table, and free its room at once."""
        return [f"DROP TABLE IF EXISTS {quoted(name)} SYNC"]

    def create_view(self, name: str, query: str, *, replace: bool) -> str:
        """The statement that creates a view, or puts one in place of that of the name."""
        verb = "CREATE OR REPLACE VIEW" if replace else "CREATE VIEW"
        return f"{verb} {self.everywhere(name)} AS\n{query}"

    def drop_view(self, name: str) -> str:
        """The statement that takes a view away."""
        return f"DROP VIEW IF EXISTS {self.everywhere(name)}"

    def everywhere(self, name: str) -> str:
        """The name of a table or view in a CREATE or a DROP."""
        return quoted(name)

    def stored_as(self, name: str) -> str:
        """The name of the table that holds a photo table's rows."""
        return name

    def rows(self, name: str) -> str:
        """What to ALTER or OPTIMIZE where a photo table's rows are meant."""
        return quoted(name)

    def kill_mutation(self) -> str:
        """How a statement starts that stops mutations."""
        return "KILL MUTATION"

    def system(self, name: str) -> str:
        """A system table, of all nodes."""
        return f"system.{name}"


class Synced(Layout):
    """Tables of the embedded engine: a power cut takes no thumb that was stored.

    Every block is forced to disk, which ClickHouse leaves to the operating system by default
    (clickhouse.com/docs, reference/settings/merge-tree-settings/fsync). Photos are not: what is
    lost there, the next load adds again.
    """

    SETTINGS = "fsync_after_insert = 1, fsync_part_directory = 1"

    def create(self, table: Table) -> str:
        """See Layout."""
        return f"{super().create(table)} SETTINGS {self.SETTINGS}"

    def sync(self, name: str) -> str:
        """The statement that has an existing table forced to disk too."""
        return f"ALTER TABLE {name} MODIFY SETTING {self.SETTINGS}"


# A replicated table takes a block that equals one of the last hundred for the same one, and ignores
# it: photos that were taken out and come back would be lost without a word. What is sent twice
# counts once without that.
_EVERY_BLOCK: Mapping[str, int | str] = MappingProxyType({"insert_deduplicate": 0})


class Replicated(Layout):
    """Tables of a database of the engine `Replicated`.

    It runs each definition on all its replicas, and refuses `ON CLUSTER`; a plain MergeTree would
    have its rows on the replica alone that took them.
    """

    engine = "ReplicatedMergeTree"
    session = _EVERY_BLOCK
    notes = (
        "The database replicates itself: written from the documents and never run on one, so "
        "review it first",
        "The state of a vector index is that of the replica that answers",
        *(f"Every statement is sent with {key} = {_EVERY_BLOCK[key]}" for key in _EVERY_BLOCK),
    )


class Cluster(Layout):
    """Tables on every node of a cluster.

    A photo table is a Distributed one over a replicated one a shard. Rows go to a shard by their
    id, so that one that came twice is there twice in one shard, where `DEDUPLICATE` sees both.

    The explorer's own tables are small, and are joined, filtered and deleted from: all nodes,
    whatever their shard, are replicas of one table, so that every node has all rows and queries
    need not know of the cluster. `ALTER … DELETE` is replicated and waits for all with
    `mutations_sync = 2`.

    Args:
        name: the cluster's, in the servers' configuration.
        database: the database's; `ON CLUSTER` would take another node's default one for granted.
    """

    session: Mapping[str, int | str] = MappingProxyType(
        {"insert_distributed_sync": 1, "distributed_product_mode": "global", **_EVERY_BLOCK}
    )
    # By default nodes are waited for three minutes, which a great merge takes longer than. Not for
    # every statement: where a node is down, the app would stand still as long.
    patience = ", distributed_ddl_task_timeout = 3600"
    # A node that is down has no say in whether the others are done.
    worst_first = (
        " ORDER BY state = 'built', state = 'building' LIMIT 1 SETTINGS skip_unavailable_shards = 1"
    )

    def __init__(self, name: str, database: str) -> None:
        self._name = name
        self.notes = (
            f"Cluster {name}: written from the documents and never run on one, so review it first",
            f"Every node needs the database {database}, Keeper, and the macros shard and replica",
            "internal_replication has to be true in the cluster's configuration",
            *(f"Every statement is sent with {key} = {self.session[key]}" for key in self.session),
        )
        self.database = f"'{database}'"
        self._on = f"ON CLUSTER '{name}'"

    def create(self, table: Table) -> str:
        """See Layout."""
        return (
            f"CREATE TABLE IF NOT EXISTS {table.name} {self._on} ({table.columns}) ENGINE = "
            "ReplicatedMergeTree('/clickhouse/tables/all/{database}/{table}', '{shard}-{replica}') "
            f"ORDER BY {table.order}"
        )

    def create_photos(self, name: str, columns: str, settings: str = "") -> list[str]:
        """See Layout."""
        local = self.stored_as(name)
        stored, shown = self.everywhere(local), self.everywhere(name)
        engine = "ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')"
        return [
            f"CREATE TABLE IF NOT EXISTS {stored} ({columns}) {_by_id(engine, settings)}",
            f"CREATE TABLE IF NOT EXISTS {shown} ({columns}) ENGINE = "
            f"Distributed('{self._name}', {self.database}, '{local}', cityHash64(id))",
        ]

    def add_column(self, name: str, column: str) -> list[str]:
        """See Layout."""
        tables = (self.stored_as(name), name)
        added = f"ADD COLUMN IF NOT EXISTS {column}"
        return [f"ALTER TABLE {self.everywhere(table)} {added}" for table in tables]

    def drop(self, name: str) -> list[str]:
        """See Layout. SYNC frees the path in Keeper at once, for a table of the same name."""
        tables = (name, self.stored_as(name))
        return [f"DROP TABLE IF EXISTS {self.everywhere(table)} SYNC" for table in tables]

    def everywhere(self, name: str) -> str:
        """See Layout."""
        return f"{quoted(name)} {self._on}"

    def stored_as(self, name: str) -> str:
        """See Layout."""
        return f"{name}_local"

    def rows(self, name: str) -> str:
        """See Layout. A Distributed table can't be optimised and has no index."""
        return self.everywhere(self.stored_as(name))

    def kill_mutation(self) -> str:
        """See Layout."""
        return f"KILL MUTATION {self._on}"

    def system(self, name: str) -> str:
        """See Layout."""
        return f"clusterAllReplicas('{self._name}', system.{name})"


def checked_cluster(name: str) -> str:
    """A cluster's name that may stand in quotes in a statement; `{cluster}` is a server's macro.

    Raises:
        ExplorerError: it is none.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}|\{[A-Za-z0-9_]{1,64}\}", name):
        raise ExplorerError(
            f"DATABASE_CLUSTER={name} can't name a cluster: write its name in the servers' "
            "remote_servers, 1 to 64 letters, digits, hyphens and underscores, or {cluster}"
        )
    return name


def _by_id(engine: str, settings: str) -> str:
    return f"ENGINE = {engine} ORDER BY id{settings}"
