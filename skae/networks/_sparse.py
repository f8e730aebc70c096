"""Layers over sparse rows: what they cost depends on what is stored."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .._stored import row_sums, stored_rows, with_values


class SparseLinear(nn.Module):
    """Linear layer over rows of which few cells are not zero.

    Parameters
    ----------
    n_inputs : int
        Number of columns of the input.
    n_outputs : int
        Number of columns of the output.

    Attributes
    ----------
    weight : Tensor of shape (n_inputs, n_outputs)
        One row for every column of the input: the transpose of that of :class:`torch.nn.Linear`.
    bias : Tensor of shape (n_outputs,)
        Zero at first.
    """

    def __init__(self, n_inputs: int, n_outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_inputs, n_outputs))
        self.bias = nn.Parameter(torch.zeros(n_outputs))
        nn.init.xavier_normal_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x @ weight + bias``.

        Parameters
        ----------
        x : Tensor of shape (n_samples, n_inputs)
            Dense, or a sparse CSR tensor.

        Returns
        -------
        Tensor of shape (n_samples, n_outputs)
            Dense.
        """
        return weighted_rows(x, self.weight) + self.bias


def weighted_rows(x: Tensor, weight: Tensor) -> Tensor:
    """Return the product of rows, sparse or not, and a dense matrix.

    Parameters
    ----------
    x : Tensor of shape (n_samples, n_inputs)
        Dense, or a sparse CSR tensor.
    weight : Tensor of shape (n_inputs, n_outputs)
        Dense.

    Returns
    -------
    Tensor of shape (n_samples, n_outputs)
        Dense. Row by row, so that no row depends on those beside it.
    """
    if x.layout != torch.sparse_csr:
        return x @ weight
    return F.embedding_bag(
        x.col_indices(),
        weight,
        x.crow_indices(),
        mode="sum",
        per_sample_weights=x.values(),
        include_last_offset=True,
    )


def unit_rows(x: Tensor) -> Tensor:
    """Return rows of length 1, and of length 0 if they were.

    Parameters
    ----------
    x : Tensor of shape (n_samples, n_features)
        Dense, or a sparse CSR tensor.

    Returns
    -------
    Tensor of shape (n_samples, n_features)
        Of the same layout.
    """
    if x.layout != torch.sparse_csr:
        return F.normalize(x)
    squares = row_sums(x, x.values().square())
    return with_values(x, x.values() * squares.clamp(min=1e-24).rsqrt()[stored_rows(x)])
