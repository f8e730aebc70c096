"""Sparse rows as sparse tensors: what is not stored is never made."""

import warnings
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ._batch import Batch
from ._rows import Rows, of_array


class SparseRows(Rows):
    """Rows of a CSR matrix as sparse CSR tensors, for networks that take them.

    Parameters
    ----------
    X : CSR matrix or array of shape (n_samples, n_features)
        Checked data.
    dtype : torch.dtype
        Type of the batches.
    device : torch.device
        Where the batches go.
    """

    def __init__(self, X: Any, dtype: torch.dtype, device: torch.device) -> None:
        super().__init__(X.shape[0], X.shape[1], dtype, device)
        self._X = X
        _hear_of_beta()

    def _batch(self, positions: Tensor | slice) -> Batch:
        x = self.tensor(self._X[of_array(positions)])
        return Batch(x, x)

    def tensor(self, X: Any) -> Tensor:
        """Return a matrix as a tensor of the dtype and on the device of the batches.

        Parameters
        ----------
        X : CSR matrix or array of shape (n_rows, n_columns)
            The matrix.

        Returns
        -------
        Tensor of shape (n_rows, n_columns)
            A sparse CSR tensor that shares no memory with it.
        """
        return torch.sparse_csr_tensor(
            torch.from_numpy(X.indptr.astype(np.int64)),
            torch.from_numpy(X.indices.astype(np.int64)),
            torch.from_numpy(np.array(X.data)).to(self.dtype),
            size=X.shape,
            device=self.device,
            check_invariants=False,  # SciPy's matrices have them
        )


@cache
def _hear_of_beta() -> None:
    """Let torch say, once in a process, that CSR tensors are in beta, where nobody listens."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.eye(1).to_sparse_csr()
