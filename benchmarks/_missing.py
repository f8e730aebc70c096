"""Tables with missing values, and cells removed from them in three ways.

Logistic masks as of Muzellec, Josse, Boyer and Cuturi, "Missing Data Imputation using Optimal
Transport" (ICML 2020).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from _data import LABELLED
from scipy.optimize import brentq
from scipy.special import expit

MECHANISMS = ("MCAR", "MAR", "MNAR")
CAUSES = 0.3  # share of the columns that decide and stay complete, at random
STEEPNESS = 1.5  # of the logistic curve, per standard deviation of what decides
N_REMOVED = 3  # as many cells must be removed from a column for it to count


@dataclass(frozen=True)
class Table:
    """A table as numbers: categories as codes from 0, NaN where a value is missing.

    `n_categories` is 0 for columns of numbers.
    """

    X: np.ndarray
    n_categories: np.ndarray
    y: np.ndarray

    @property
    def is_regression(self) -> bool:
        return self.y.dtype.kind == "f"


@dataclass(frozen=True)
class Case:
    """A table whose first `n_train` rows are fitted to, and the cells that were removed from it."""

    table: Table
    removed: np.ndarray
    n_train: int

    @property
    def incomplete(self) -> np.ndarray:
        return np.where(self.removed, np.nan, self.table.X)

    def counted(self, rows: slice) -> Iterator[tuple[int, np.ndarray]]:
        """Yield columns with the rows, out of `rows`, of at least three removed cells in them."""
        for column, removed in enumerate(self.removed.T):
            places = np.arange(len(removed))[rows][removed[rows]]
            if len(places) >= N_REMOVED:
                yield column, places

    @property
    def parts(self) -> dict[str, slice]:
        """Rows seen in training, and new ones."""
        return {"train": slice(self.n_train), "new": slice(self.n_train, None)}


def load(name: str, max_rows: int, rng: np.random.Generator) -> Table:
    """Return a random sample of the rows, in random order; constant columns are left out."""
    frame, y = LABELLED[name]()
    y = np.asarray(y)
    rows = rng.permutation(len(frame))[:max_rows]
    frame, y = frame.iloc[rows], y[rows]
    frame = frame.loc[:, frame.nunique() > 1]
    numeric = [pd.api.types.is_numeric_dtype(dtype) for dtype in frame.dtypes]
    columns, n_categories = [], []
    for (_, column), is_number in zip(frame.items(), numeric, strict=True):
        if is_number:
            columns.append(column.to_numpy(float))
            n_categories.append(0)
        else:
            codes, values = pd.factorize(column, sort=True)
            columns.append(np.where(codes < 0, np.nan, codes))
            n_categories.append(len(values))
    return Table(np.column_stack(columns), np.array(n_categories), y)


def make_case(
    name: str, max_rows: int, mechanism: str, rate: float, seed: int, train_share: float = 0.7
) -> Case:
    """Return a case; columns without any value in the training rows are left out."""
    # Not the stream of `seed`, which imputers take: some hide cells too, and these must be others.
    rng = np.random.default_rng([seed, 1])
    table = load(name, max_rows, rng)
    removed = cells_to_remove(table.X, mechanism, rate, rng)
    n_train = round(train_share * len(table.X))
    keep = ~(removed | np.isnan(table.X))[:n_train].all(axis=0)
    table = Table(table.X[:, keep], table.n_categories[keep], table.y)
    return Case(table, removed[:, keep], n_train)


def cells_to_remove(
    X: np.ndarray, mechanism: str, rate: float, rng: np.random.Generator
) -> np.ndarray:
    """Return which of the known cells to remove.

    MCAR: any of them. MAR: 30 % of the columns stay, and a random mixture of their values decides
    about each other column. MNAR: the cell's own value decides; large ones are likelier to go in a
    random half of the columns, small ones in the others. Rows keep at least one value.
    """
    n_columns = X.shape[1]
    missing = np.isnan(X)
    chance = np.full(X.shape, float(rate))
    if mechanism != "MCAR":
        Z = (X - np.nanmean(X, axis=0)) / (np.nanstd(X, axis=0) + 1e-12)
        Z = np.nan_to_num(Z).clip(-3, 3)
        if mechanism == "MAR":
            n_causes = max(1, int(CAUSES * n_columns))
            causes, others = np.split(rng.permutation(n_columns), [n_causes])
            mixtures = Z[:, causes] @ rng.normal(size=(n_causes, len(others)))
            chance[:, causes] = 0
            chance[:, others] = _chances(mixtures / (mixtures.std(axis=0) + 1e-12), rate)
        else:
            chance = _chances(Z * rng.choice([-1, 1], size=n_columns), rate)
    removed = (rng.random(X.shape) < chance) & ~missing
    for row in np.flatnonzero((removed | missing).all(axis=1) & ~missing.all(axis=1)):
        removed[row, rng.choice(np.flatnonzero(removed[row]))] = False
    return removed


def _chances(Z: np.ndarray, rate: float) -> np.ndarray:
    """Return chances that rise with Z and whose mean in every column is `rate`."""
    slopes = STEEPNESS * Z
    shifts = [brentq(lambda b, s=s: expit(s + b).mean() - rate, -50, 50) for s in slopes.T]
    return expit(slopes + shifts)
