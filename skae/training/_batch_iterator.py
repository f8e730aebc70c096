"""The order of rows in an epoch: batches, shuffled, and shared between processes."""

from collections.abc import Iterator

import torch

from ._rows import Batch, Rows, inference_rows


class BatchIterator:
    """Iterator over batches for skorch's `iterator_train` and `iterator_valid`.

    Parameters
    ----------
    dataset : Rows
        The rows.
    batch_size : int or None, default=256
        Number of rows per batch; None takes as many as fit caches and memory. A last batch that
        leaves a shard less than two rows joins the one before it, because batch normalisation can't
        train on one row.
    shuffle : bool, default=False
        Whether to draw a new order of the rows in every pass.
    generator : torch.Generator or None, default=None
        Draws the order, on the CPU.
    shard : tuple of two ints, default=(0, 1)
        ``(rank, size)``: of the rows of every batch, take those at rank, rank + size, ...
    """

    def __init__(
        self,
        dataset: Rows,
        batch_size: int | None = 256,
        shuffle: bool = False,
        generator: torch.Generator | None = None,
        shard: tuple[int, int] = (0, 1),
    ) -> None:
        self.dataset = dataset
        self.batch_size = batch_size or inference_rows(dataset.n_features)
        self.shuffle = shuffle
        self.generator = generator
        self.rank, self.n_shards = shard
        if self.n_shards > 1 and min(self.batch_size, len(dataset)) < 2 * self.n_shards:
            raise ValueError(
                f"{self.n_shards} processes need batches of at least {2 * self.n_shards} rows, but "
                f"batch_size={self.batch_size} and n_samples={len(dataset)}"
            )

    def __len__(self) -> int:
        n, size = len(self.dataset), self.batch_size
        too_few = 0 < n % size < 2 * self.n_shards and size >= 2 * self.n_shards
        return max(1, -(-n // size) - too_few)

    def __iter__(self) -> Iterator[Batch]:
        n, size, last = len(self.dataset), self.batch_size, len(self) - 1
        order = None
        if self.shuffle:
            order = torch.randperm(n, generator=self.generator, device="cpu")
        for i in range(last + 1):
            stop = n if i == last else (i + 1) * size
            rows = slice(i * size + self.rank, stop, self.n_shards)
            yield self.dataset.batch(rows if order is None else order[rows])
