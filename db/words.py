"""Words for what is counted."""


def counted(n: int, noun: str) -> str:
    """A number of things, whose plural has an s more."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"
