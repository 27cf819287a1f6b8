"""Text from outside in Markdown."""

import re
from urllib.parse import quote

_SPECIAL = frozenset("\\`*_{}[]()<>#+-.!|~$:&=^@/")
# Streamlit looks for addresses, icons, smileys and arrows in the text that is left once Markdown
# was read, where a backslash is no help: between these two signs comes something that is not text.
_READ_LATER = re.compile(
    r":(?=[\w+/-])|(?<=[\w.+-])(?=@)|(?<=www)(?=\.)|[<~>-](?=[->=])", re.IGNORECASE
)
_NOTHING = ":small[]"
# Signs of an address that end no link.
_OF_ADDRESSES = ":/?#@!$&'*+,;=%~"
# They turn the direction in which all that follows is read.
_TURNS = dict.fromkeys(map(ord, "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"))


def escaped(text: str) -> str:
    """Text that Streamlit's Markdown shows as it is, on one line.

    Everything that was typed or loaded goes through here where Markdown reads it: labels of
    buttons, messages, captions.
    """
    line = " ".join(text.translate(_TURNS).split())
    parts = _READ_LATER.sub(lambda found: f"{found[0]}\n", line).split("\n")
    return _NOTHING.join("".join(f"\\{c}" if c in _SPECIAL else c for c in part) for part in parts)


def link(text: str, url: str) -> str:
    """Text that leads to an address; no part of the address is read as anything else."""
    return f"[{escaped(text)}]({quote(url, safe=_OF_ADDRESSES)})"


def code(text: str) -> str:
    """Text in the type of code, on one line, whatever it holds."""
    line = " ".join(text.translate(_TURNS).split()) or "-"
    fence = "`" * (1 + max(map(len, re.findall("`+", line)), default=0))
    return f"{fence} {line} {fence}" if "`" in line else f"`{line}`"
