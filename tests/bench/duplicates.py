"""Which cosine makes two photos near-duplicates: `python -m tests.bench.duplicates FILE.npz …`.

One thumb stands for a stack, so the photos of a stack must have the same labels. For each limit:
how many pairs of photos lie above it, and which share of the labels that one of them has the other
one has too; then how many of nine photos it hides in the first five rounds of each prompt.

A file holds `vectors` (n, 512) and `queries` (c, 512), of unit norm, and `truth`, bool (c, n).
"""

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt

from classifier.duplicates import stacks

LIMITS = (0.95, 0.96, 0.97, 0.98, 0.99)
SHOWN, ROUNDS = 9, 5

Matrix = npt.NDArray[np.float32]


def main() -> None:
    """One table a file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    for path in parser.parse_args().files:
        with np.load(path) as world:
            vectors, queries, truth = (world[name] for name in ("vectors", "queries", "truth"))
        print(f"{path.stem}, {len(vectors):,} photos, {len(queries)} concepts")
        print(report(unit(vectors), unit(queries), truth))


def unit(vectors: npt.NDArray[np.floating]) -> Matrix:
    """float32 (n, d), unit norm to the last bit; half precision leaves it at a thousandth."""
    wide = vectors.astype(np.float32)
    return wide / np.linalg.norm(wide, axis=1, keepdims=True)


def report(vectors: Matrix, queries: Matrix, truth: npt.NDArray[np.bool_]) -> str:
    """A line a limit."""
    first, second = np.triu_indices(len(vectors), 1)
    cosines = (vectors @ vectors.T)[first, second]
    lines = ["limit  pairs  same labels  hidden of nine"]
    for limit in LIMITS:
        near = cosines >= limit
        one, other = truth[:, first[near]], truth[:, second[near]]
        either = int((one | other).sum())
        same = f"{(one & other).sum() / either:11.1%}" if either else "       none"
        hidden = hidden_a_round(vectors, queries, limit)
        lines.append(f"{limit:5.2f}  {near.sum():5}  {same:>11}  {hidden:14.3f}")
    return "\n".join(lines)


def hidden_a_round(vectors: Matrix, queries: Matrix, limit: float) -> float:
    """How many photos of a round lie under another one, on average."""
    hidden = []
    for query in queries:
        nearest = np.argsort(-(vectors @ query))[: SHOWN * ROUNDS]
        for start in range(0, len(nearest), SHOWN):
            shown = nearest[start : start + SHOWN]
            hidden.append(len(shown) - len(stacks(vectors[shown], limit)))
    return float(np.mean(hidden))


if __name__ == "__main__":
    main()
