"""Text from outside in Markdown."""

_SPECIAL = frozenset("\\`*_{}[]()<>#+-.!|~$:&=^")


def escaped(text: str) -> str:
    """Text that Streamlit's Markdown shows as it is, on one line.

    Everything that was typed or loaded goes through here where Markdown reads it: labels of
    buttons, messages, captions.
    """
    return "".join(f"\\{c}" if c in _SPECIAL else c for c in " ".join(text.split()))
