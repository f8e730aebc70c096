"""The order of rows in an epoch: batches, shuffled, and shared between processes."""

from collections.abc import Iterator

import torch
from torch import Tensor

from ._batch import Batch
from ._rows import Rows, inference_rows


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
    n_batches : int or None, default=None
        Into how many batches, of about the same size, to divide the rows; None takes as many as
        `batch_size` makes.
    """

    def __init__(
        self,
        dataset: Rows,
        batch_size: int | None = 256,
        shuffle: bool = False,
        generator: torch.Generator | None = None,
        shard: tuple[int, int] = (0, 1),
        n_batches: int | None = None,
    ) -> None:
        self.dataset = dataset
        self.batch_size = batch_size or inference_rows(dataset.n_features)
        self.shuffle = shuffle
        self.generator = generator
        self.rank, self.n_shards = shard
        self.n_batches = n_batches
        if self.n_shards > 1 and min(self.batch_size, len(dataset)) < 2 * self.n_shards:
            raise ValueError(
                f"{self.n_shards} processes need batches of at least {2 * self.n_shards} rows, but "
                f"batch_size={self.batch_size} and n_samples={len(dataset)}"
            )

    def __len__(self) -> int:
        n, size = len(self.dataset), self.batch_size
        if self.n_batches is not None:
            return self.n_batches
        too_few = 0 < n % size < 2 * self.n_shards and size >= 2 * self.n_shards
        return max(1, -(-n // size) - too_few)

    def __iter__(self) -> Iterator[Batch]:
        n, size, last = len(self.dataset), self.batch_size, len(self) - 1
        drawn, parts = torch.empty(0, dtype=torch.int64), orders(self.dataset, self.generator)
        for i in range(last + 1):
            if self.n_batches is None:
                start, stop = i * size, n if i == last else (i + 1) * size
            else:
                start, stop = (n * each // self.n_batches for each in (i, i + 1))
            if not self.shuffle:
                yield self.dataset.batch(slice(start + self.rank, stop, self.n_shards))
                continue
            while len(drawn) < stop - start:
                more = next(parts)
                drawn = torch.cat([drawn, more]) if len(drawn) else more
            yield self.dataset.batch(drawn[self.rank : stop - start : self.n_shards])
            drawn = drawn[stop - start :]


def orders(rows: Rows, generator: torch.Generator | None) -> Iterator[Tensor]:
    """Draw an order of rows for one pass over them.

    Parameters
    ----------
    rows : Rows
        The rows.
    generator : torch.Generator or None
        Draws it, on the CPU.

    Yields
    ------
    Tensor of int64 on the CPU
        Positions, each once. All at once, but of a source those of some blocks, chosen by chance
        and mixed, so that no block is read twice.
    """
    source = rows.row_source
    if source is None:
        yield torch.randperm(len(rows), generator=generator, device="cpu")
        return
    of_blocks = None
    if rows.indices is not None:
        of_blocks = torch.from_numpy(source.blocks_of(rows.indices.numpy()))
    blocks = torch.randperm(source.n_blocks, generator=generator, device="cpu")
    groups = blocks.split(source.blocks_at_once)
    for i, group in enumerate(groups):
        if of_blocks is None:
            places = [source.place(int(block)) for block in group]
            positions = torch.cat([torch.arange(each.start, each.stop) for each in places])
        else:
            positions = torch.isin(of_blocks, group).nonzero().flatten()
        if i + 1 < len(groups):
            source.expect(int(groups[i + 1][0]))
        yield positions[torch.randperm(len(positions), generator=generator, device="cpu")]


def spread(rows: Rows, n_rows: int, generator: torch.Generator) -> Tensor:
    """Choose some rows by chance.

    Parameters
    ----------
    rows : Rows
        The rows.
    n_rows : int
        How many, fewer than there are.
    generator : torch.Generator
        Chooses, on the CPU.

    Returns
    -------
    Tensor of int64 on the CPU
        Positions, in their order. Of a source, one out of each of as many equal parts.
    """
    if rows.row_source is None:
        return torch.randperm(len(rows), generator=generator)[:n_rows].sort().values
    width = len(rows) / n_rows
    places = torch.rand(n_rows, generator=generator, dtype=torch.float64) + torch.arange(n_rows)
    return (places * width).long().clamp_(max=len(rows) - 1)
