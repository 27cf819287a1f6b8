"""A map in a process of its own: `python -m classifier.map VECTORS PLACES`, two `.npy` files.

It keeps nobody from the app, and can be ended at any time. It prints the share that is done, now
and then, on a line.
"""

import os
import sys
from pathlib import Path

import numpy as np

from classifier.map.layout import lay_out


def _report(done: float) -> None:
    # It ends the process, too, where the app is gone.
    sys.stdout.write(f"{done:.4f}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    if hasattr(os, "nice"):
        os.nice(5)
    source, target = map(Path, sys.argv[1:])
    np.save(target, lay_out(np.load(source), _report))
