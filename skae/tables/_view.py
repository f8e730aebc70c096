"""Tables with columns of all kinds, as an autoencoder sees them and is to restore them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from .._plain import registered
from .._units import chunks_of
from ..training import Batch, Rows
from ..training._rows import of_array
from ._coding import Coding

_MOST_CELLS_HELD = 2**24
_LEAST_ENTROPY = 0.1  # in nats; that of a column of which 2 % are another category


@registered
class TableView:
    """Cells that stand for the columns of a table, and one more for each incomplete column.

    Parameters
    ----------
    coding : Coding
        What makes cells of columns.
    means : ndarray of shape (n_coded,)
        Of these cells, in the training data.
    incomplete : ndarray of int
        Positions of the columns with missing values in training. Whether they are missing is in
        cells at the end.
    """

    coding: Coding
    means: np.ndarray
    incomplete: np.ndarray

    @classmethod
    def of(
        cls,
        X: Any,
        n_categories: Mapping[int, int],
        as_they_are: Sequence[int] = (),
        weights: np.ndarray | None = None,
    ) -> Self:
        """Learn the columns of training data.

        Parameters
        ----------
        X : ndarray or LazyTable of shape (n_samples, n_columns)
            Training data, NaN where cells are missing.
        n_categories : mapping of int to int
            Columns that hold the numbers of categories, and how many there are.
        as_they_are : sequence of int, default=()
            Columns of numbers that are not to be standardised.
        weights : ndarray of shape (n_samples,) or None, default=None
            How often each row counts; None for once.

        Returns
        -------
        TableView
            The view.
        """
        options: dict[str, Any] = {"largest": np.inf, "n_unseen": 1}
        coding = Coding.of(X, np.arange(X.shape[1]), n_categories, weights, **options)
        raw = np.isin(coding.numbers, list(as_they_are))
        coding = replace(
            coding, mean=np.where(raw, 0, coding.mean), unit=np.where(raw, 1, coding.unit)
        )
        sums: Any = np.zeros(coding.n_outputs)
        n_observed: Any = np.zeros(coding.n_outputs)
        missing, start = np.zeros(coding.n_outputs, bool), 0
        for chunk in chunks_of(X):
            Z = coding.encode(chunk)
            of_rows = 1 if weights is None else weights[start : start + len(Z), None]
            observed, start = ~np.isnan(Z), start + len(Z)
            sums += (np.where(observed, Z, 0) * of_rows).sum(axis=0)
            n_observed += (observed * of_rows).sum(axis=0)
            missing |= ~observed.all(axis=0)
        incomplete = np.unique(coding.owners[missing])
        return cls(coding, sums / np.where(n_observed > 0, n_observed, 1), incomplete)

    @property
    def n_outputs(self) -> int:
        """Number of all cells."""
        return self.coding.n_outputs + len(self.incomplete)

    @property
    def owners(self) -> np.ndarray:
        """Positions of the columns that cells stand for, of shape (n_outputs,)."""
        return np.r_[self.coding.owners, self.incomplete]

    @property
    def groups(self) -> list[np.ndarray]:
        """Positions of the cells of each column of categories, in the order of the coding."""
        place, groups = len(self.coding.numbers), []
        for size in self.coding.sizes:
            groups.append(np.arange(place, place + size))
            place += size
        return groups

    @property
    def entropies(self) -> list[float]:
        """Entropy of each column of categories in nats, a least one for those that hardly vary."""
        found = []
        for group in self.groups:
            shares = self.means[group]
            shares = shares[shares > 0]
            found.append(max(_LEAST_ENTROPY, -float((shares * np.log(shares)).sum())))
        return found

    def by_columns(self, errors: np.ndarray) -> np.ndarray:
        """Add up what belongs to the same column.

        Parameters
        ----------
        errors : ndarray of shape (n_samples, n_outputs) or (n_samples, n_coded)
            Of the cells.

        Returns
        -------
        ndarray of shape (n_samples, n_columns)
            Of the columns.
        """
        owners = self.owners[: errors.shape[1]]
        sums = np.zeros((len(errors), len(self.coding.features)))
        np.add.at(sums.T, owners, errors.T)
        return sums

    def decode(self, Z: np.ndarray) -> np.ndarray:
        """Return the rows that cells stand for.

        Parameters
        ----------
        Z : ndarray of shape (n_samples, n_outputs)
            Standardised numbers, and probabilities of categories.

        Returns
        -------
        ndarray of shape (n_samples, n_columns)
            Float64: numbers within the range of training, the likeliest categories.
        """
        return self.coding.decode(Z, np.full((len(Z), len(self.coding.features)), np.nan))


class ViewedRows(Rows):
    """Rows of a table by their cells: missing ones are means in the input, NaN in the target.

    Categories that were not there in training are as good as missing in the input. The cells at the
    end, which say what is missing, are NaN in the target: they are seen, and need not be restored.

    Parameters
    ----------
    X : ndarray or LazyTable of shape (n_samples, n_columns)
        Checked data, categories by their numbers.
    view : TableView
        What makes cells of them.
    dtype : torch.dtype
        Type of the batches.
    device : torch.device
        Where the batches go.
    held : bool, default=False
        Whether to make all cells at once, for many passes over them, if they are not too many.
    """

    def __init__(
        self,
        X: Any,
        view: TableView,
        dtype: torch.dtype,
        device: torch.device,
        held: bool = False,
    ) -> None:
        super().__init__(X.shape[0], view.n_outputs, dtype, device)
        self._X, self._view = X, view
        self._means = torch.from_numpy(view.means).to(device=device, dtype=dtype)
        owners = view.coding.owners
        self._first = torch.tensor([int(np.argmax(owners == j)) for j in view.incomplete])
        self._first = self._first.long().to(device)
        self._groups = [(int(g[0]), int(g[-1]) + 1) for g in view.groups]
        self._held: Batch | None = None
        if held and 2 * self.n_rows * self.n_features <= _MOST_CELLS_HELD:
            x, target = zip(*self.batches(), strict=True)
            self._held = Batch(torch.cat(x), torch.cat(target))

    def _batch(self, positions: Tensor | slice) -> Batch:
        if self._held is None:
            return self._made(positions)
        if isinstance(positions, Tensor):
            positions = positions.to(self.device)
        x, target = self._held
        return Batch(x[positions], target[positions])

    def _made(self, positions: Tensor | slice) -> Batch:
        rows = np.asarray(self._X[of_array(positions)])
        coded = torch.from_numpy(self._view.coding.encode(rows))
        cells = coded.to(device=self.device, dtype=self.dtype)
        missing = cells.isnan()
        flags = missing[:, self._first].to(cells.dtype)
        shown = torch.where(missing, self._means, cells)
        for start, stop in self._groups:  # whose last cell is 1 where a category is new
            unseen = shown[:, stop - 1] == 1
            shown[unseen, start:stop] = self._means[start:stop]
        nowhere = torch.full_like(flags, torch.nan)
        return Batch(torch.cat([shown, flags], 1), torch.cat([cells, nowhere], 1))
