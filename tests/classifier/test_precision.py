import pytest

from classifier.precision import wilson


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    # By hand from Wilson's formula; the first two are the textbook's "rule of three" cousins.
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (15, 20, 0.5313, 0.8881), (0, 0, 0.0, 1.0)],
)
def test_wilson(right: int, n: int, low: float, high: float) -> None:
    assert wilson(right, n) == pytest.approx((low, high), abs=2e-4)
