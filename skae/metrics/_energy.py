"""The energy distance of two samples of rows."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import pairwise_distances_chunked
from sklearn.preprocessing import StandardScaler
from sklearn.utils._param_validation import StrOptions, validate_params

from ._checks import aligned_columns, check_same_columns, checked_array, checked_values
from ._neighborhoods import CHUNK


@validate_params(
    {"X": ["array-like"], "Y": ["array-like"], "scale": ["array-like", StrOptions({"std"}), None]},
    prefer_skip_nested_validation=True,
)
def energy_distance(
    X: ArrayLike, Y: ArrayLike, *, scale: ArrayLike | Literal["std"] | None = "std"
) -> float:
    r"""Energy distance of two samples of rows.

    Lower is better: unlike distances of moments it is 0 only for equal distributions [1]_, and
    unlike a classifier it has nothing to train or to choose.

    Parameters
    ----------
    X : array-like of shape (n_samples_X, n_features)
        One sample, such as real rows, finite numbers.
    Y : array-like of shape (n_samples_Y, n_features)
        Another sample, such as generated or imputed rows, finite numbers.
    scale : "std", array-like of shape (n_features,) or None, default="std"
        Positive units that the features are divided by: "std" their standard deviations in `X`,
        where a constant feature keeps its unit; None leaves all as they are.

    Returns
    -------
    float
        The distance, 0 or more; in the unit of the features, if these are not scaled.

    Raises
    ------
    ValueError
        If the columns of the two differ, or a value is not a finite number.

    See Also
    --------
    two_sample_auc : Takes categories and missing values, too.
    crps_ensemble : Half the squared distance of draws to one value.
    scipy.stats.energy_distance : The same for one feature, not scaled, and with weights.

    Notes
    -----
    With rows :math:`x, x'` drawn from `X` and :math:`y, y'` from `Y`, both with replacement, and
    Euclidean norms, it is

    .. math::
        \sqrt{2 \, \mathrm{E} \lVert x - y \rVert - \mathrm{E} \lVert x - x' \rVert
        - \mathrm{E} \lVert y - y' \rVert} .

    It takes all pairs of rows: time grows with the square of their number, memory does not. Samples
    of one distribution have a distance above 0, which falls with the root of the number of rows:
    compare samples of the same sizes, best with what other real rows have. It is the same for both
    orders of the samples if `scale` is.

    References
    ----------
    .. [1] G. J. Székely and M. L. Rizzo. "Energy statistics: a class of statistics based on
       distances". Journal of Statistical Planning and Inference 143, 1249-1272 (2013).

    Examples
    --------
    >>> import numpy as np
    >>> from skae.metrics import energy_distance
    >>> rng = np.random.default_rng(0)
    >>> X, others, wider = rng.normal(size=(3, 300, 2)) * [[[1.0]], [[1.0]], [[2.0]]]
    >>> energy_distance(X, others) < 0.2 < energy_distance(X, wider)
    True
    """
    Y = aligned_columns(X, Y, ("X", "Y"))
    X, Y = checked_array(X, "X"), checked_array(Y, "Y")
    check_same_columns(X, Y, ("X", "Y"))
    if scale is not None:
        units = StandardScaler().fit(X).scale_ if isinstance(scale, str) else _checked(scale, X)
        X, Y = X / units, Y / units
    squared = 2 * _mean_distance(X, Y) - _mean_distance(X, X) - _mean_distance(Y, Y)
    return float(np.sqrt(max(squared, 0.0)))


def _checked(scale: ArrayLike, X: NDArray[np.float64]) -> NDArray[np.float64]:
    units = checked_values(scale, "scale")
    if units.shape != X.shape[1:]:
        raise ValueError(
            f"scale must have shape {X.shape[1:]}, one unit for each column of X, "
            f"got {units.shape}."
        )
    if not np.all(units > 0):
        raise ValueError(f"scale must be positive, got {units.min():g}.")
    return units


def _mean_distance(X: NDArray[np.float64], Y: NDArray[np.float64]) -> float:
    # By scipy, from differences of rows: from their products, close rows would lose digits.
    chunks = pairwise_distances_chunked(
        X, Y, metric="minkowski", reduce_func=_sums, working_memory=CHUNK
    )
    return float(np.concatenate(list(chunks)).mean() / len(Y))


def _sums(distances: NDArray[np.float64], start: int) -> NDArray[np.float64]:
    return distances.sum(axis=1)
