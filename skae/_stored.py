"""The stored cells of sparse rows."""

import torch
from torch import Tensor


def stored_rows(x: Tensor) -> Tensor:
    """Return the row of every cell that sparse rows store.

    Parameters
    ----------
    x : Tensor of shape (n_samples, n_features)
        A sparse CSR tensor.

    Returns
    -------
    Tensor of int64 of shape (n_stored,)
        In the order of ``x.col_indices()`` and ``x.values()``.
    """
    lengths = x.crow_indices().diff()
    rows = torch.arange(len(lengths), device=x.device)
    return rows.repeat_interleave(lengths, output_size=x.values().shape[0])


def with_values(x: Tensor, values: Tensor) -> Tensor:
    """Return sparse rows with other values in the same cells.

    Parameters
    ----------
    x : Tensor of shape (n_samples, n_features)
        A sparse CSR tensor.
    values : Tensor of shape (n_stored,)
        Its new values.

    Returns
    -------
    Tensor of shape (n_samples, n_features)
        A sparse CSR tensor.
    """
    return torch.sparse_csr_tensor(
        x.crow_indices(), x.col_indices(), values, size=x.shape, check_invariants=False
    )


def row_sums(x: Tensor, values: Tensor) -> Tensor:
    """Add up values of stored cells, by rows.

    Parameters
    ----------
    x : Tensor of shape (n_samples, n_features)
        A sparse CSR tensor.
    values : Tensor of shape (n_stored,)
        One for every stored cell.

    Returns
    -------
    Tensor of shape (n_samples,)
        Their sums.
    """
    return values.new_zeros(x.shape[0]).index_add(0, stored_rows(x), values)


def at_stored(x: Tensor, output: Tensor) -> Tensor:
    """Return the cells of a dense tensor that sparse rows store.

    Parameters
    ----------
    x : Tensor of shape (n_samples, n_features)
        A sparse CSR tensor.
    output : Tensor of shape (n_samples, n_features)
        Dense.

    Returns
    -------
    Tensor of shape (n_stored,)
        Its values there.
    """
    return output.flatten()[stored_rows(x) * x.shape[1] + x.col_indices()]
