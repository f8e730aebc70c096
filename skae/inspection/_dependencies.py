"""How strongly the columns of a table depend on one another, two by two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

_N_BINS = 10


def dependencies(
    columns: Mapping[Any, NDArray], like: Mapping[Any, NDArray]
) -> NDArray[np.float64]:
    """Return a matrix of dependencies between columns.

    Two numbers have Spearman's rank correlation, between -1 and 1, in which missing values count as
    average. Any other two columns have Cramér's V, between 0 and 1, corrected for chance as by
    Bergsma (Journal of the Korean Statistical Society 42, 2013); numbers are cut into ten bins by
    quantiles of `like` for it, and missing values are a category.

    Parameters
    ----------
    columns, like : dict of ndarrays of shape (n_samples,)
        Numbers as float64, categories as objects that are str or None.

    Returns
    -------
    ndarray of shape (n_columns, n_columns)
        Symmetric, 1 for a column with itself.
    """
    names = list(columns)
    found = np.eye(len(names))
    numbers = [i for i, name in enumerate(names) if columns[name].dtype != object]
    if len(numbers) > 1:
        ranks = np.column_stack([_ranks(columns[names[i]]) for i in numbers])
        lengths = np.linalg.norm(ranks, axis=0)
        products = ranks.T @ ranks / np.maximum(np.outer(lengths, lengths), 1e-12)
        found[np.ix_(numbers, numbers)] = products
    codes: dict[int, NDArray[np.intp]] = {}
    for i in range(len(names)):
        for j in range(i):
            if i in numbers and j in numbers:
                continue
            for k in (i, j):
                if k not in codes:
                    codes[k] = _codes(columns[names[k]], like[names[k]])
            found[i, j] = found[j, i] = _cramers_v(codes[i], codes[j])
    np.fill_diagonal(found, 1)
    return found


def numbered(values: NDArray[np.object_]) -> tuple[list[str | None], NDArray[np.intp]]:
    """Return the different labels in order, None last, and the place of each value's among them."""
    # Not by NumPy's strings, all of which are as long as the longest one.
    labels = sorted(set(values.tolist()), key=lambda label: (label is None, label or ""))
    place = {label: i for i, label in enumerate(labels)}
    return labels, np.array([place[value] for value in values], dtype=np.intp)


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    known = ~np.isnan(values)
    ranks = np.zeros(len(values))
    if known.any():
        ranks[known] = rankdata(values[known]) - (known.sum() + 1) / 2
    return ranks


def _codes(values: NDArray, like: NDArray) -> NDArray[np.intp]:
    """Number the categories of a column, or the bins of its numbers."""
    if values.dtype == object:
        return numbered(values)[1]
    known = like[~np.isnan(like)]
    if not len(known):
        return np.isnan(values).astype(np.intp)
    cuts = np.unique(np.quantile(known, np.linspace(0, 1, _N_BINS + 1)[1:-1]))
    return np.where(np.isnan(values), len(cuts) + 1, np.searchsorted(cuts, values))


def _cramers_v(x: NDArray[np.intp], y: NDArray[np.intp]) -> float:
    n = len(x)
    width = int(y.max()) + 1
    counts = np.bincount(x * width + y, minlength=(int(x.max()) + 1) * width)
    counts = counts.reshape(-1, width).astype(np.float64)
    counts = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / n
    phi = float(((counts - expected) ** 2 / expected).sum()) / n
    r, k = counts.shape
    phi = max(0.0, phi - (r - 1) * (k - 1) / max(n - 1, 1))
    r, k = (m - (m - 1) ** 2 / max(n - 1, 1) for m in (r, k))
    least = min(r, k) - 1
    return float(min(1.0, np.sqrt(phi / least))) if least > 0 else 0.0
