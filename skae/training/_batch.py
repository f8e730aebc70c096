"""What a step of the training is given."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Batch:
    """What a step is given. As a sequence it is the pair of input and target.

    Parameters
    ----------
    input : Tensor of shape (n_rows, n_features)
        What the network sees; a sparse CSR tensor, if the rows are sparse.
    target : Tensor of shape (n_rows, n_targets)
        What it should give; often the input itself.
    extra : tuple of Tensors of shape (n_rows, ...), default=()
        What an objective knows of the rows besides.
    weight : Tensor of shape (n_rows,) or None, default=None
        How much each row counts, 1 in the mean over all training rows; None if all count alike.
    n_padding : int, default=0
        How many rows at the end only fill the batch up.
    """

    input: Tensor
    target: Tensor
    extra: tuple[Tensor, ...] = ()
    weight: Tensor | None = None
    n_padding: int = 0

    def __len__(self) -> int:
        return self.input.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        yield self.input
        yield self.target

    def to(self, device: torch.device | str) -> "Batch":
        """Return the batch on a device.

        Parameters
        ----------
        device : torch.device or str
            Where to.

        Returns
        -------
        Batch
            The same; input and target are one tensor if they were.
        """
        x = self.input.to(device)
        target = x if self.target is self.input else self.target.to(device)
        weight = None if self.weight is None else self.weight.to(device)
        extra = tuple(each.to(device) for each in self.extra)
        return Batch(x, target, extra, weight, self.n_padding)

    def mean(self, values: Tensor) -> Tensor:
        """Return the mean of what the rows have.

        Parameters
        ----------
        values : Tensor of shape (..., n_rows)
            Their values.

        Returns
        -------
        Tensor of shape ()
            The mean of weight times value. Over all training rows, the mean weight is 1.
        """
        return values.mean() if self.weight is None else (values * self.weight).mean()

    def mean_row(self, values: Tensor) -> Tensor:
        """Return the mean of what the rows have in every column.

        Parameters
        ----------
        values : Tensor of shape (n_rows, n_columns)
            Their values.

        Returns
        -------
        Tensor of shape (n_columns,)
            The mean of weight times value.
        """
        return values.mean(0) if self.weight is None else (values * self.weight[:, None]).mean(0)

    def padded(self, multiple: int) -> "Batch":
        """Return a batch whose number of rows is a multiple.

        Parameters
        ----------
        multiple : int
            Of what.

        Returns
        -------
        Batch
            The same and up to ``multiple - 1`` rows more: the last one again, or empty sparse ones.
        """
        n_more = -len(self) % multiple
        if not n_more:
            return self
        x = _longer(self.input, n_more)
        target = x if self.target is self.input else _longer(self.target, n_more)
        extra = tuple(_longer(each, n_more) for each in self.extra)
        return Batch(x, target, extra, n_padding=n_more)


def _longer(x: Tensor, n_more: int) -> Tensor:
    """Return rows and some more: the last one again, or empty ones of a sparse tensor."""
    if x.layout != torch.sparse_csr:
        return torch.cat([x, x[-1:].expand(n_more, *x.shape[1:])])
    starts = x.crow_indices()
    starts = torch.cat([starts, starts[-1:].expand(n_more)])
    size = (x.shape[0] + n_more, x.shape[1])
    return torch.sparse_csr_tensor(
        starts, x.col_indices(), x.values(), size=size, check_invariants=False
    )
