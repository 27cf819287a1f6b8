"""The test server dressed as an older ClickHouse, as far as names go.

The engine itself tells what is newer: `introduced_in` of system.functions, and the new settings in
system.settings_changes. Syntax, columns of system tables and other meanings of an old name are not
told there, so a statement that passes may still be too new.
"""

import re
from threading import Lock

from tests.clickhouse_server import Dress, RefusedError, Run

_STRINGS = re.compile(r"'(?:[^'\\]|\\.|'')*'", re.DOTALL)
_CALLS = re.compile(r"\b([A-Za-z_]\w*)\s*\(")
_SETTINGS = re.compile(r"\bSETTINGS\s+(\w+\s*=\s*[^,\s]+(?:\s*,\s*\w+\s*=\s*[^,\s]+)*)")
_NEWER = "toUInt32OrZero(splitByChar('.', {0})[1]) * 100 + toUInt32OrZero(splitByChar('.', {0})[2])"
_TELLS = (
    "SELECT count() = 2 FROM system.columns WHERE database = 'system' AND (table, name) IN "
    "(('functions', 'introduced_in'), ('settings_changes', 'changes'))"
)
# system.settings_changes has the setting that allows them since then.
_INDEX_SINCE = (24, 8)


class OlderDress(Dress):
    """A ClickHouse of an older version, which refuses the names that came after it."""

    def __init__(self, version: str) -> None:
        self.version = version
        major, minor = version.split(".")[:2]
        self._claimed = (int(major), int(minor))
        self._lock = Lock()
        self._functions: frozenset[str] | None = None
        self._settings: frozenset[str] = frozenset()

    def rewrite(self, statement: str, settings: dict[str, str], run: Run) -> str:
        """See Dress: refuses newer functions, settings and indexes, and lists only older ones."""
        self._learn(run)
        code = without_strings(statement)
        self._check_settings([*settings, *_named_settings(code)])
        self._check_functions(code)
        if self._claimed < _INDEX_SINCE and re.search(r"\bTYPE\s+vector_similarity\b", code):
            # Code and text as the engine has them for a type that it doesn't know.
            raise RefusedError(
                80,
                "INCORRECT_QUERY",
                "Unknown Index type 'vector_similarity'. Available index types: ",
            )
        return re.sub(r"\bsystem\.settings\b", self.settings_table(), statement)

    def settings_table(self) -> str:
        """What system.settings is read from."""
        # An empty list is none for an old engine.
        names = ", ".join(f"'{name}'" for name in ["", *sorted(self._settings)])
        return f"(SELECT * FROM system.settings WHERE name NOT IN ({names}))"

    def _learn(self, run: Run) -> None:
        with self._lock:
            if self._functions is not None:
                return
            if not int(run(_TELLS)):
                # An engine that is old itself tells nothing, and refuses by itself what is newer.
                self._functions = frozenset()
                return
            claimed = self._claimed[0] * 100 + self._claimed[1]
            self._settings = _names(
                run,
                "SELECT DISTINCT change.name FROM system.settings_changes "
                "ARRAY JOIN changes AS change WHERE type = 'Session' "
                "AND change.reason ILIKE '%new%setting%' "
                f"AND {_NEWER.format('version')} > {claimed}",
            )
            self._functions = _names(
                run,
                "SELECT name FROM system.functions "
                f"WHERE {_NEWER.format('introduced_in')} > {claimed}",
            )

    def _check_settings(self, names: list[str]) -> None:
        for name in names:
            if name in self._settings:
                raise RefusedError(115, "UNKNOWN_SETTING", f"Unknown setting {name}")

    def _check_functions(self, code: str) -> None:
        for name in sorted({*_CALLS.findall(code)} & (self._functions or frozenset())):
            raise RefusedError(46, "UNKNOWN_FUNCTION", f"Unknown function {name}")


def without_strings(statement: str) -> str:
    """A statement with every string in it empty, so that only its own words are left."""
    return _STRINGS.sub("''", statement)


def _named_settings(code: str) -> list[str]:
    return [name for clause in _SETTINGS.findall(code) for name in re.findall(r"(\w+)\s*=", clause)]


def _names(run: Run, query: str) -> frozenset[str]:
    return frozenset(run(query).split())
