"""Fidelity and diversity, by balls that reach from each row to its nearest neighbours."""

from collections.abc import Iterator
from numbers import Integral
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import pairwise_distances_chunked
from sklearn.neighbors import NearestNeighbors
from sklearn.utils._param_validation import Interval, validate_params

from ._checks import aligned_columns, check_same_columns, checked_array

CHUNK = 16  # MiB of distances at a time
_ROUNDING = 1e-12  # of squared distances, relative to the squared norms that they are computed from


class PrecisionRecall(NamedTuple):
    """Result of `precision_recall`.

    Parameters
    ----------
    precision : float
        Share of generated rows that lie among the real ones, from 0 to 1.
    recall : float
        Share of real rows that lie among the generated ones, from 0 to 1.
    """

    precision: float
    recall: float


class DensityCoverage(NamedTuple):
    """Result of `density_coverage`.

    Parameters
    ----------
    density : float
        How many balls of real rows a generated row lies in, relative to what is expected: 0 or
        more, about 1 for rows of the same distribution.
    coverage : float
        Share of real rows with a generated row in their ball, from 0 to 1.
    """

    density: float
    coverage: float


_CONSTRAINTS: dict = {
    "X_real": ["array-like"],
    "X_generated": ["array-like"],
    "n_neighbors": [Interval(Integral, 1, None, closed="left")],
}


@validate_params(_CONSTRAINTS, prefer_skip_nested_validation=True)
def precision_recall(
    X_real: ArrayLike, X_generated: ArrayLike, *, n_neighbors: int = 3
) -> PrecisionRecall:
    """Precision and recall of generated rows.

    A ball around each row of a sample reaches to its `n_neighbors`-th neighbour in the sample, and
    the balls together are where the sample is [1]_. Precision is low if generated rows are
    unrealistic, recall if they miss kinds of real rows.

    Parameters
    ----------
    X_real : array-like of shape (n_real, n_features)
        Real rows, more than `n_neighbors`, finite numbers.
    X_generated : array-like of shape (n_generated, n_features)
        Generated rows, more than `n_neighbors`, finite numbers.
    n_neighbors : int, default=3
        Which neighbour a ball reaches to, not counting the row itself.

    Returns
    -------
    PrecisionRecall
        Named tuple of `precision` and `recall`, both from 0 to 1.

    See Also
    --------
    density_coverage : Is less moved by outliers.

    Notes
    -----
    Distances are Euclidean: put the features into common units first. Memory grows with the number
    of rows, not with its square. Results depend on the numbers of rows: compare only samples of the
    same sizes. One outlier makes a large ball, that of a generated row a large recall.

    References
    ----------
    .. [1] T. Kynkäänniemi, T. Karras, S. Laine, J. Lehtinen and T. Aila. "Improved precision and
       recall metric for assessing generative models". NeurIPS (2019).

    Examples
    --------
    >>> import numpy as np
    >>> from skae.metrics import precision_recall
    >>> rng = np.random.default_rng(0)
    >>> X_real = rng.normal(size=(300, 2))
    >>> X_generated = 0.2 * rng.normal(size=(300, 2))  # realistic, but all of one kind
    >>> precision, recall = precision_recall(X_real, X_generated)
    >>> precision > 0.9, recall < 0.3
    (True, True)
    """
    real, generated = _centred(X_real, X_generated, n_neighbors, both=True)
    among_real = [chunk.any(axis=1) for chunk in _inside(generated, real, n_neighbors)]
    among_generated = [chunk.any(axis=1) for chunk in _inside(real, generated, n_neighbors)]
    return PrecisionRecall(
        precision=float(np.concatenate(among_real).mean()),
        recall=float(np.concatenate(among_generated).mean()),
    )


@validate_params(_CONSTRAINTS, prefer_skip_nested_validation=True)
def density_coverage(
    X_real: ArrayLike, X_generated: ArrayLike, *, n_neighbors: int = 5
) -> DensityCoverage:
    r"""Density and coverage of generated rows.

    A ball around each real row reaches to its `n_neighbors`-th neighbour among the real rows [1]_.
    Density is low if generated rows are unrealistic, coverage if they miss kinds of real rows.
    Unlike precision, density counts in how many balls a row lies, and unlike recall, coverage needs
    no balls around generated rows: outliers of either sample hardly matter.

    Parameters
    ----------
    X_real : array-like of shape (n_real, n_features)
        Real rows, more than `n_neighbors`, finite numbers.
    X_generated : array-like of shape (n_generated, n_features)
        Generated rows, finite numbers.
    n_neighbors : int, default=5
        Which neighbour a ball reaches to, not counting the row itself.

    Returns
    -------
    DensityCoverage
        Named tuple of `density`, 0 or more, and `coverage`, from 0 to 1.

    See Also
    --------
    precision_recall : The older pair, which treats both samples alike.

    Notes
    -----
    If both samples are of one distribution, the expected density is 1, and with :math:`n` rows in
    each the expected coverage by :math:`k` neighbours is

    .. math:: 1 - \prod_{i=1}^k \frac{n - i}{2 n - i} \approx 1 - 2^{-k} .

    Distances are Euclidean: put the features into common units first. Memory grows with the number
    of rows, not with its square. Coverage grows with the number of generated rows.

    References
    ----------
    .. [1] M. F. Naeem, S. J. Oh, Y. Uh, Y. Choi and J. Yoo. "Reliable fidelity and diversity
       metrics for generative models". ICML (2020).

    Examples
    --------
    >>> import numpy as np
    >>> from skae.metrics import density_coverage
    >>> rng = np.random.default_rng(0)
    >>> X_real = rng.normal(size=(300, 2))
    >>> X_generated = 0.2 * rng.normal(size=(300, 2))  # realistic, but all of one kind
    >>> density, coverage = density_coverage(X_real, X_generated)
    >>> density > 0.8, coverage < 0.3
    (True, True)
    """
    real, generated = _centred(X_real, X_generated, n_neighbors, both=False)
    n_hits = 0
    covered = np.zeros(len(real), dtype=bool)
    for inside in _inside(generated, real, n_neighbors):
        n_hits += int(np.count_nonzero(inside))
        covered |= inside.any(axis=0)
    return DensityCoverage(
        density=n_hits / (n_neighbors * len(generated)), coverage=float(covered.mean())
    )


def _centred(
    X_real: ArrayLike, X_generated: ArrayLike, n_neighbors: int, *, both: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Check both samples, the generated one for neighbours if `both`; move them to the origin."""
    X_generated = aligned_columns(X_real, X_generated, ("X_real", "X_generated"))
    why = f"n_neighbors={n_neighbors}"
    real = checked_array(X_real, "X_real", n_min=n_neighbors + 1, why=why)
    n_min = n_neighbors + 1 if both else 1
    generated = checked_array(
        X_generated, "X_generated", n_min=n_min, why=why if both else "The metric"
    )
    check_same_columns(real, generated, ("X_real", "X_generated"))
    # Distances are computed from products of rows: far from the origin they would lose digits.
    origin = real.mean(axis=0)
    return real - origin, generated - origin


def _inside(
    points: NDArray[np.float64], centers: NDArray[np.float64], n_neighbors: int
) -> Iterator[NDArray[np.bool_]]:
    """Yield which points, some at a time, lie in which of the balls around the centers."""
    to_neighbors, _ = NearestNeighbors(n_neighbors=n_neighbors).fit(centers).kneighbors()
    # Balls are closed, and a copy of a row must be in its ball though that may have no extent.
    slack_points, slack_centers = (
        _ROUNDING * np.einsum("ij,ij->i", rows, rows) for rows in (points, centers)
    )
    reach = to_neighbors[:, -1] ** 2 + slack_centers

    def inside(squared: NDArray[np.float64], start: int) -> NDArray[np.bool_]:
        squared -= slack_points[start : start + len(squared), None]
        return squared <= reach

    yield from pairwise_distances_chunked(
        points, centers, reduce_func=inside, working_memory=CHUNK, squared=True
    )
