"""How sure a share is that was counted on a random sample."""

from math import sqrt

_Z = 1.96  # of a 95 % interval


def wilson(right: int, n: int) -> tuple[float, float]:
    """The 95 % Wilson score interval of a share, honest for small n and near 0 and 1.

    Args:
        right: how many of the sample are right.
        n: the sample's size; 0 tells nothing.

    Returns:
        The interval's ends, 0 to 1.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
    JASA 22 (1927).
    """
    if n == 0:
        return 0.0, 1.0
    share, squared = right / n, _Z**2
    middle = (share + squared / (2 * n)) / (1 + squared / n)
    half = _Z * sqrt(share * (1 - share) / n + squared / (4 * n * n)) / (1 + squared / n)
    return max(0.0, middle - half), min(1.0, middle + half)
