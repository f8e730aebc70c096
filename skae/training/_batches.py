"""From arrays to batches: dense, sparse or memory-mapped rows, sliced and never collated."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor
from torch.utils.data import Dataset


class Rows(Dataset):
    """Rows of a checked array, as tensors of the wanted dtype and device.

    Parameters
    ----------
    X : ndarray, memmap or CSR matrix or array of shape (n_samples, n_features)
        Checked data. An array in memory becomes one tensor, without a copy where dtype and device
        allow; of a memory-mapped or sparse one only the wanted rows are ever read.
    dtype : torch.dtype
        Type of the batches.
    device : torch.device
        Where the batches go.
    indices : Tensor of shape (n_rows,) or None, default=None
        Which rows; None for all.
    """

    def __init__(
        self, X: Any, dtype: torch.dtype, device: torch.device, indices: Tensor | None = None
    ) -> None:
        self.dtype, self.device, self.indices = dtype, device, indices
        if isinstance(X, np.ndarray) and not _is_memory_mapped(X):
            # torch takes neither read-only arrays nor negative strides.
            X = X if X.flags.writeable and X.flags.c_contiguous else np.array(X, order="C")
            X = torch.from_numpy(X).to(device=device, dtype=dtype)
        self.X = X

    def __len__(self) -> int:
        return self.X.shape[0] if self.indices is None else len(self.indices)

    def __getitem__(self, row: int) -> tuple[Tensor, Tensor]:
        x = self.take(torch.tensor([row]))[0]
        return x, x

    def take(self, rows: Tensor | slice) -> Tensor:
        """Return some of the rows, by their positions.

        Parameters
        ----------
        rows : Tensor of int64 or slice
            Positions.

        Returns
        -------
        Tensor of shape (n_rows, n_features)
            Dense rows of the wanted dtype, on the wanted device.
        """
        if self.indices is not None:
            rows = self.indices[rows]
        if isinstance(self.X, Tensor):
            # Never a view: a network that works in place must not write into the user's array.
            return self.X[rows].clone() if isinstance(rows, slice) else self.X[rows]
        chosen = self.X[rows if isinstance(rows, slice) else rows.cpu().numpy()]
        dense = chosen.toarray() if sparse.issparse(chosen) else np.array(chosen)
        return torch.from_numpy(dense).to(device=self.device, dtype=self.dtype)

    def subset(self, rows: Tensor) -> "Rows":
        """Return the rows at some positions, without copying any data.

        Parameters
        ----------
        rows : Tensor of int64
            Positions.

        Returns
        -------
        Rows
            A view.
        """
        indices = rows if self.indices is None else self.indices[rows]
        if isinstance(self.X, Tensor):
            indices = indices.to(self.X.device)
        view = copy.copy(self)
        view.indices = indices
        return view


class BatchIterator:
    """Iterator over batches (input, target) for skorch's `iterator_train` and `iterator_valid`.

    Parameters
    ----------
    dataset : Rows
        The rows.
    batch_size : int, default=256
        Number of rows per batch. A last batch that leaves a shard less than two rows joins the one
        before it, because batch normalisation can't train on one row.
    shuffle : bool, default=False
        Whether to draw a new order of the rows in every pass.
    generator : torch.Generator or None, default=None
        Draws the order, on the CPU.
    corruption : callable or None, default=None
        Makes the input from the target. None: both are the same tensor.
    shard : tuple of two ints, default=(0, 1)
        ``(rank, size)``: of the rows of every batch, take those at rank, rank + size, ...
    """

    def __init__(
        self,
        dataset: Rows,
        batch_size: int = 256,
        shuffle: bool = False,
        generator: torch.Generator | None = None,
        corruption: Callable[[Tensor], Tensor] | None = None,
        shard: tuple[int, int] = (0, 1),
    ) -> None:
        self.dataset = dataset
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.generator = generator
        self.corruption = corruption
        self.rank, self.n_shards = shard
        if self.n_shards > 1 and min(batch_size, len(dataset)) < 2 * self.n_shards:
            raise ValueError(
                f"{self.n_shards} processes need batches of at least {2 * self.n_shards} rows, but "
                f"batch_size={batch_size} and n_samples={len(dataset)}"
            )

    def __len__(self) -> int:
        n, size = len(self.dataset), self.batch_size
        too_few = 0 < n % size < 2 * self.n_shards and size >= 2 * self.n_shards
        return max(1, -(-n // size) - too_few)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        n, size, last = len(self.dataset), self.batch_size, len(self) - 1
        order = None
        if self.shuffle:
            order = torch.randperm(n, generator=self.generator, device="cpu")
            if isinstance(self.dataset.X, Tensor):
                order = order.to(self.dataset.X.device)
        for i in range(last + 1):
            stop = n if i == last else (i + 1) * size
            rows = slice(i * size + self.rank, stop, self.n_shards)
            x = self.dataset.take(rows if order is None else order[rows])
            yield (x if self.corruption is None else self.corruption(x)), x


def _is_memory_mapped(X: np.ndarray) -> bool:
    base: Any = X
    while base is not None:
        if isinstance(base, np.memmap):
            return True
        base = getattr(base, "base", None)
    return False


def inference_rows(n_features: int) -> int:
    """Return how many rows to process at once when there is no gradient.

    Parameters
    ----------
    n_features : int
        Number of columns.

    Returns
    -------
    int
        A multiple of 32, at most 4096: about a million cells, which fits caches and memory.
    """
    return min(4096, max(32, 2**20 // n_features // 32 * 32))
