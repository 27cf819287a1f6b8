"""Servers that take their time: one is cut off at a long statement, one waits for its disk."""

import re
import time
from collections.abc import Callable
from pathlib import Path

from tests.clickhouse_server import CutOffError, Dress, RefusedError, Run

# What becomes of the answer; texts of the refusals as src/Interpreters/executeDDLQueryOnCluster.cpp
# and src/Storages/StorageReplicatedMergeTree.cpp of ClickHouse 23.3 have them, and, where the nodes
# that are left out are down, newer ones (`distributed_ddl_output_mode`).
ANSWERS: dict[str, Callable[[], Exception]] = {
    "cut": CutOffError,
    "159": lambda: RefusedError(
        159,
        "TIMEOUT_EXCEEDED",
        "Watching task /clickhouse/task_queue/ddl/query-0000000009 is executing longer than "
        "distributed_ddl_task_timeout (=180) seconds. There are 1 unfinished hosts (1 of them are "
        "currently active), they are going to execute the query in background",
    ),
    "159-down": lambda: RefusedError(
        159,
        "TIMEOUT_EXCEEDED",
        "ReplicatedDatabase DDL task /db/log/query-0000000009 is not finished on 1 of 2 hosts (0 "
        "of them are currently executing the task, 1 are inactive). They are going to execute the "
        "query in background. Was waiting for 5.001 seconds",
    ),
    "341": lambda: RefusedError(
        341,
        "UNFINISHED",
        "Mutation is not finished because some replicas are inactive right now: two. Mutation will "
        "be done asynchronously",
    ),
}


class HastyDress(Dress):
    """Another dress, under which statements are cut off and done a while later.

    Attributes:
        version: the dress's under it.
        slow: statements that begin so are cut off.
        answer: one of ANSWERS.
        polls: how often the statement is then found at work.
        times: how often statements are cut off, before they are done as always.

    Args:
        dress: the one under it.
    """

    def __init__(self, dress: Dress, slow: str = "", answer: str = "cut", polls: int = 2) -> None:
        self._dress = dress
        self.version = dress.version
        self.slow, self.answer, self.polls, self.times = slow, answer, polls, 1
        self._left = 0
        self._pending = ""

    def rewrite(self, statement: str, settings: dict[str, str], run: Run) -> str:
        """See Dress."""
        if self.slow and self.times and statement.startswith(self.slow):
            self.times -= 1
            self._left, self._pending = self.polls, self._dress.rewrite(statement, settings, run)
            raise ANSWERS[self.answer]()
        if "system.merges" in statement and self._pending:
            if self._left:
                self._left -= 1
                statement = re.sub(
                    r"(?<=FROM )system\.merges WHERE .*? AND table = '[^']*'",
                    "system.one",
                    statement,
                )
            else:
                pending, self._pending = self._pending, ""
                run(pending)
        return self._dress.rewrite(statement, settings, run)


class StalledDress(Dress):
    """Another dress, under which a search and a thumb wait as long as a file is there.

    Args:
        dress: the one under it.
        file: whose being there stalls them; connections and all else are answered.
    """

    def __init__(self, dress: Dress, file: Path) -> None:
        self._dress, self._file = dress, file
        self.version = dress.version

    def rewrite(self, statement: str, settings: dict[str, str], run: Run) -> str:
        """See Dress."""
        if "Distance(" in statement or statement.startswith("INSERT INTO `labels`"):
            while self._file.exists():
                time.sleep(0.05)
        return self._dress.rewrite(statement, settings, run)
