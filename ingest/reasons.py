"""Reasons, with how often each held, in words."""

from collections.abc import Mapping


def in_words(reasons: Mapping[str, int]) -> str:
    """The most first, and by name where as many: which came first is chance."""
    ranked = sorted(reasons.items(), key=lambda reason: (-reason[1], reason[0]))
    return ", ".join(f"{n:,} {why}" for why, n in ranked)
