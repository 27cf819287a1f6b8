"""What was done that others may ask about later: by whom, when, and to what."""

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

from db.connection import Connection
from db.layout import Table

AUDIT = Table(
    "audit_entries",
    "what owners did, and when",
    "at DateTime64(3, 'UTC'), who String, did String, target String",
    "(at, who)",
)


@dataclass(frozen=True)
class Entry:
    """One thing that somebody did.

    Attributes:
        who: their name.
        did: what, in words.
        target: to what.
        at: when it was begun; it may have failed since.
    """

    who: str
    did: str
    target: str
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


class Audit:
    """All entries of a database; none is ever changed, and one that was sent twice is one."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, entry: Entry) -> None:
        """Write one down."""
        self._connection.insert(AUDIT.name, asdict(entry))

    def count(self) -> int:
        """How many there are."""
        return int(
            self._connection.command(f"SELECT uniqExact(who, did, target, at) FROM {AUDIT.name}")
        )

    def latest(self, n: int, after: int = 0) -> list[Entry]:
        """The latest n, newest first, after so many that are newer still."""
        rows = self._connection.rows(
            f"SELECT DISTINCT who, did, target, at FROM {AUDIT.name} "
            "ORDER BY at DESC, who, did, target LIMIT %(n)s OFFSET %(after)s",
            {"n": n, "after": after},
        )
        return [Entry(**row) for row in rows]
