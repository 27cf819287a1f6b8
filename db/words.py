"""Words for what is counted, and texts of others on a line."""

from unicodedata import category


def counted(n: int, noun: str) -> str:
    """A number of things, whose plural has an s more."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def one_line(text: str) -> str:
    """A text that anybody may have written, on one line; "" where nothing of it would be seen."""
    line = " ".join("".join(c for c in text if c.isspace() or not steers(c)).split())
    return line if any(c.isprintable() and not c.isspace() for c in line) else ""


def steers(character: str) -> bool:
    """Whether it does something to a terminal, and breaks XML, instead of being shown."""
    return category(character) == "Cc"
