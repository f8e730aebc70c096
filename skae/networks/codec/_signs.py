"""Signs that look random, and are the same everywhere."""

import numpy as np
import torch
from torch import Tensor


def random_signs(first: int, n_rows: int, n_columns: int) -> Tensor:
    """Return a sign for each place, from its row and column alone.

    Parameters
    ----------
    first : int
        Number of the first row.
    n_rows, n_columns : int
        How many rows and columns.

    Returns
    -------
    Tensor of shape (n_rows, n_columns)
        -1 and 1, as ``docs/formats/audio.rst`` says.
    """
    rows = (np.arange(first, first + n_rows, dtype=np.uint64) % 2**32).astype(np.uint32)
    columns = np.arange(n_columns, dtype=np.uint32)
    x = rows[:, None] * np.uint32(0x9E3779B1) + columns * np.uint32(0x85EBCA77)
    x ^= x >> np.uint32(15)
    x *= np.uint32(0xC2B2AE3D)
    x ^= x >> np.uint32(13)
    x *= np.uint32(0x27D4EB2F)
    return torch.from_numpy(1 - 2 * (x >> np.uint32(31)).astype(np.float32))
