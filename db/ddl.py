"""Everything that is run to set up a database, in words and SQL, for an operator to review."""

from collections.abc import Iterator
from dataclasses import dataclass

from db.database import TABLES
from db.dialect import Dialect
from db.names import checked_name
from db.photo import FACTS


@dataclass(frozen=True)
class Step:
    """Statements of one purpose, which is given in words."""

    purpose: str
    statements: tuple[str, ...]


def steps(dialect: Dialect, photos: str) -> Iterator[Step]:
    """What the app and the ingest run, in that order, where nothing is there yet.

    Args:
        dialect: of the engine.
        photos: the name of a collection, whose photo table is set up last.

    Raises:
        ExplorerError: the name can't be used.
    """
    name = checked_name(photos)
    yield Step("The engine", tuple(dialect.set_up()))
    for table in TABLES:
        yield Step(f"{table.name}: {table.holds}", (dialect.layout.create(table),))
    yield Step(
        f"{name}: photos, their vectors and their facts",
        tuple(dialect.create_photos(name, FACTS)),
    )
    index = dialect.build_index(name) if dialect.has_index else []
    yield Step(f"The vector index of {name}, after a load that finds none", tuple(index))


def script(dialect: Dialect, photos: str) -> str:
    """The steps as a script: each statement ends with a semicolon, each purpose is a comment."""
    parts = [
        [f"-- {step.purpose}", *(f"{sql};" for sql in step.statements)]
        for step in steps(dialect, photos)
        if step.statements
    ]
    instead = [
        f"A server that refuses {refused} gets {other} in its place"
        for refused, other in dialect.substitutes.values()
    ]
    hints = [dialect.hint] if dialect.hint else []
    notes = (f"For {dialect.name}", *instead, *hints, *dialect.layout.notes)
    return "\n\n".join("\n".join(part) for part in ([f"-- {note}" for note in notes], *parts))
