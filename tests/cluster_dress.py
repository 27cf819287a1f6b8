"""The test server dressed as a node of the cluster `photos`, of one shard or two.

The engine executes Distributed tables over local shards, with a configuration for them. It refuses
`ON CLUSTER` (code 392, "Replicated DDL queries are disabled"), and the replicated tables that it
makes, in a Keeper of its own, stay read-only. So a statement is rewritten in two ways, and in no
other: `ON CLUSTER` is taken off, and a replicated engine becomes the plain one of its name.

Two shards are this one server, so their tables are one. A filter, which the engine puts on what a
shard reads, leaves it the rows that the sharding key sends there.

Not imitated: replicas, nodes that are down, and what Keeper does.
"""

import re

from tests.clickhouse_server import Dress, Run

CLUSTER = "photos"
# Nobody listens on it: a shard at this server's own address is asked within the process.
_PORT = 19_777

_ON_CLUSTER = re.compile(rf"\s+ON\s+CLUSTER\s+'{CLUSTER}'")
_REPLICATED = re.compile(r"\bReplicated(\w*MergeTree)(?:\('[^']*', '[^']*'\))?")


class ClusterDress(Dress):
    """A node of a cluster.

    Args:
        shards: how many.
        replicated: whether tables are replicated, and so are never written to.
    """

    def __init__(self, shards: int = 1, replicated: bool = False) -> None:
        self._shards = shards
        self._replicated = replicated
        shard = (
            "<shard><internal_replication>true</internal_replication><replica><host>127.0.0.1"
            f"</host><port>{_PORT}</port></replica></shard>"
        )
        self.config = (
            f"<clickhouse><tcp_port>{_PORT}</tcp_port>"
            f"<remote_servers><{CLUSTER}>{shard * shards}</{CLUSTER}></remote_servers>"
            "<macros><shard>one</shard><replica>first</replica></macros>"
            "<zookeeper><implementation>testkeeper</implementation></zookeeper></clickhouse>"
        )

    def rewrite(self, statement: str, settings: dict[str, str], run: Run) -> str:
        """See Dress."""
        if self._shards > 1:
            settings["additional_table_filters"] = self._filters(run)
        plain = _ON_CLUSTER.sub("", statement)
        return plain if self._replicated else _REPLICATED.sub(r"\1", plain)

    def _filters(self, run: Run) -> str:
        """What each shard reads of the tables behind; who reads such a table itself reads all."""
        rows = f"shardNum() IN (0, cityHash64(id) % {self._shards} + 1)"
        tables = run(
            "SELECT database || '.' || name FROM system.tables "
            "WHERE database = currentDatabase() AND endsWith(name, '_local')"
        )
        return "{" + ", ".join(f"'{table}': '{rows}'" for table in tables.split()) + "}"
