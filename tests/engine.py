"""A handle of the chDB that this environment has, whichever its version: the tests' servers use it.

Nothing but chDB and the standard library is needed, so that an old engine can be served from an
environment of its own. What the wheels of ClickHouse 23.6, 25.8, 26.7 and 26.9 do is told here.
"""

import os
import re
import tempfile
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from threading import Lock
from typing import Any

import chdb

# 25.8 has one connection a process: one handle at a time has it.
_TURN = Lock()
_SHARED: dict[str, Any] = {}
_DELETION = re.compile(
    rb"(?i)\s*ALTER\s+TABLE\s+(\S+)\s+DELETE\s+WHERE\s+(.*?)(\s+SETTINGS\s[\w\s=,]+)?\s*",
    re.DOTALL,
)
_MUTATION = re.compile(rb"(?i)\s*(ALTER\s+TABLE\s+\S+\s+(DELETE|UPDATE)|DELETE\s+FROM)\b")
_DATABASE = re.compile(rb"(?i)^\s*CREATE\s+DATABASE\s+\w+\s*$")
_ORDINARY = rb"SET allow_deprecated_database_ordinary = 1;\n\g<0> ENGINE = Ordinary"
_SAID = re.compile(r"^Code: \d+\. DB::", re.MULTILINE)


@dataclass(frozen=True)
class Answer:
    """What an engine answers: bytes in the format asked for, and how much it read."""

    rows: bytes
    rows_read: int
    bytes_read: int
    seconds: float


class Handle:
    """A database, and settings that last as long as the handle.

    Args:
        folder: the engine's.
        config: its configuration, in XML; "" for its own.
    """

    def __init__(self, folder: Path, config: str) -> None:
        path = os.path.realpath(folder)
        if config:
            file = Path(f"{path}.xml")
            file.write_text(config)
            path = f"file:{path}?config-file={file}"
        self._engine: Any = chdb.connect(path)

    def use(self, database: str) -> None:
        """Take a database for the following statements."""
        self.rows(f"USE {quoted(database)}")

    def set(self, name: str, value: str) -> None:
        """Give a setting, or `param_` and a parameter's name, its value."""
        self.rows(f"SET {name} = {literal(value)}")

    def query(self, statement: str | bytes, output: str) -> Answer:
        """Run a statement.

        Raises:
            RuntimeError: the engine refuses it; the text holds "Code: " and ClickHouse's own words.
        """
        return _answer(self._engine.query(statement, output))

    def rows(self, statement: str) -> str:
        """Run a statement; returns TabSeparated rows."""
        return self.query(statement, "TabSeparated").rows.decode()

    def close(self) -> None:
        """Give the engine back."""
        self._engine.close()


class SharedHandle(Handle):
    """A handle of 25.8, whose handles are one: held until it is closed, and left as it was.

    What it answered last keeps a table in use, for which a DROP would wait for ever: it is opened
    anew before.
    """

    def __init__(self, folder: Path, config: str) -> None:
        assert not config, "25.8 takes no configuration here"
        _TURN.acquire()
        self._folder = os.path.realpath(folder)
        self._database = "default"
        self._set: dict[str, str] = {}
        try:
            self._engine = _SHARED.pop(self._folder, None) or chdb.connect(self._folder)
        except RuntimeError:
            _TURN.release()
            raise

    def use(self, database: str) -> None:
        """See Handle."""
        super().use(database)
        self._database = database

    def set(self, name: str, value: str) -> None:
        """See Handle."""
        super().set(name, value)
        self._set[name] = value

    def query(self, statement: str | bytes, output: str) -> Answer:
        """See Handle."""
        text = statement if isinstance(statement, str) else statement.decode("utf-8", "replace")
        if text.lstrip().upper().startswith("DROP"):
            self._engine.close()
            self._engine = chdb.connect(self._folder)
            self.use(self._database)
            for name, value in self._set.items():
                super().set(name, value)
        return super().query(statement, output)

    def close(self) -> None:
        """See Handle. What was set to be read only can't be set back."""
        try:
            if "readonly" in self._set:
                self._engine.close()
            else:
                for name in self._set:
                    self.rows(f"SET {name} = DEFAULT")
                _SHARED[self._folder] = self._engine
        finally:
            _TURN.release()


class ForgetfulHandle(Handle):
    """A handle of 23.6: each call starts an engine, which tells its errors to standard error.

    It can't drop tables of an Atomic database, so its databases are Ordinary. It would wait for
    ever for a mutation, so a deletion is done by a copy of what stays, and others are refused. It
    reads a statement up to a NUL, so that is written in two characters.
    """

    def __init__(self, folder: Path, config: str) -> None:
        self._folder = os.path.realpath(folder)
        assert not config, "23.6 takes no configuration"
        self._database = ""
        self._settings: list[str] = []
        if not Path(self._folder, "metadata", "default.sql").exists():
            # As every server has one; its own is in memory.
            self.rows("CREATE DATABASE default")

    def use(self, database: str) -> None:
        """See Handle; said again before each statement."""
        self._database = f"USE {quoted(database)};\n"

    def set(self, name: str, value: str) -> None:
        """See Handle; said again before each statement."""
        self._settings.append(f"SET {name} = {literal(value)};\n")

    def query(self, statement: str | bytes, output: str) -> Answer:
        """See Handle."""
        last = statement.encode() if isinstance(statement, str) else statement
        if deletion := _DELETION.fullmatch(last):
            last = _copied(deletion[1], deletion[2])
        if _MUTATION.match(last):
            raise RuntimeError("Code: 48. DB::Exception: 23.6 runs no mutations. (NOT_IMPLEMENTED)")
        last = _DATABASE.sub(_ORDINARY, last)
        whole = "".join([self._database, *self._settings]).encode() + last.replace(b"\0", rb"\0")
        answer, said = _alone().submit(_run, whole, output, self._folder).result()
        if _SAID.search(said):
            raise RuntimeError(said)
        return answer

    def close(self) -> None:
        """See Handle."""


def _copied(table: bytes, condition: bytes) -> bytes:
    """Statements that leave the rows of a table to which a condition doesn't apply."""
    copy, old = b"copy_of_what_stays", b"what_was_there"
    return (
        b"CREATE TABLE %b AS %b;\nINSERT INTO %b SELECT * FROM %b WHERE NOT (%b);\n"
        b"RENAME TABLE %b TO %b, %b TO %b;\nDROP TABLE %b"
    ) % (copy, table, copy, table, condition, table, old, copy, table, old)


def open_handle(folder: Path, config: str = "") -> Handle:
    """A new handle of the engine in a folder."""
    return _HANDLE(folder, config)


def keep_open(folder: Path, config: str = "") -> AbstractContextManager[object]:
    """Keeps the engine open until it is closed, where handles alone don't."""
    return closing(Handle(folder, config)) if _HANDLE is Handle else nullcontext()


def _handle_of(version: str) -> type[Handle]:
    major = int(version.partition(".")[0])
    return Handle if major > 25 else SharedHandle if major > 23 else ForgetfulHandle


_HANDLE = _handle_of(chdb.engine_version)


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def literal(text: str) -> str:
    """A text as an SQL string."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _answer(result: Any) -> Answer:
    rows = bytes(result.bytes() or b"")
    return Answer(rows, result.rows_read(), result.bytes_read(), result.elapsed())


@cache
def _alone() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, get_context("spawn"))


def _run(statement: bytes, output: str, folder: str) -> tuple[Answer, str]:
    """What a call answers, and what it writes to standard error."""
    kept = os.dup(2)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            result = chdb.query(statement, output, path=folder)
        finally:
            os.dup2(kept, 2)
            os.close(kept)
        file.seek(0)
        return _answer(result), file.read().decode("utf-8", "replace")
