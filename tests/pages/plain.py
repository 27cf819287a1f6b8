"""What a person reads of Markdown that the pages made of text."""

import re


def plain(markdown: str) -> str:
    """The text that `pages.markdown.escaped` was given."""
    return re.sub(r"\\(.)", r"\1", markdown.replace(":small[]", ""))
