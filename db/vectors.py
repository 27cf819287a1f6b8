"""The vectors of an Arrow table, not as Python lists: those would take ten times the memory."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa


def vectors_of(table: pa.Table) -> npt.NDArray[np.float32]:
    """The column `vector` of n rows, at least one, as float32 (n, d)."""
    flat = table.column("vector").combine_chunks().flatten().to_numpy()
    vectors: npt.NDArray[np.float32] = flat.reshape(table.num_rows, -1)
    return vectors
