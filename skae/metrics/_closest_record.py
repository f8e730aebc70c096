"""Privacy: whether generated rows stand too close to the rows that the generator has learned."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import validate_params

from ._checks import aligned_columns, check_same_columns, checked_array


class ClosestRecords(NamedTuple):
    """Result of `distance_to_closest_record`.

    Parameters
    ----------
    distances : ndarray of shape (n_generated,)
        Distance of each generated row to the closest training row.
    share_closer_to_train : float or None
        Share of generated rows that are closer to a training row than to any held-out one; None
        without held-out rows.
    """

    distances: NDArray[np.float64]
    share_closer_to_train: float | None


@validate_params(
    {
        "X_generated": ["array-like"],
        "X_train": ["array-like"],
        "X_holdout": ["array-like", None],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def distance_to_closest_record(
    X_generated: ArrayLike,
    X_train: ArrayLike,
    X_holdout: ArrayLike | None = None,
    *,
    random_state: int | np.random.RandomState | None = None,
) -> ClosestRecords:
    """Distance of each generated row to the closest row of the training data.

    A generator that remembers rows gives them away: a distance of 0 is a copy. How close is too
    close is told by rows of the same kind that the generator has not seen. New rows are as often
    closer to the ones as to the others, remembered rows are closer to those learned [1]_.

    Parameters
    ----------
    X_generated : array-like of shape (n_generated, n_features)
        Generated rows, finite numbers.
    X_train : array-like of shape (n_train, n_features)
        Rows that the generator was trained on, finite numbers.
    X_holdout : array-like of shape (n_holdout, n_features) or None, default=None
        Rows of the same kind that it was not trained on, finite numbers.
    random_state : int, RandomState instance or None, default=None
        Chooses rows where `X_train` and `X_holdout` differ in length: pass an int for results that
        repeat themselves.

    Returns
    -------
    ClosestRecords
        Named tuple of `distances`, an array of shape (n_generated,), and `share_closer_to_train`,
        which is about 0.5 if nothing was memorized, 1 if everything was, and None without
        `X_holdout`.

    See Also
    --------
    two_sample_auc : Whether the rows are realistic, which says nothing about privacy.

    Notes
    -----
    Distances are Euclidean, of features in units of their standard deviations in `X_train`; a
    feature that is constant there keeps its units. `distances` are to all training rows. For the
    share, as many rows of the longer one of `X_train` and `X_holdout` are drawn at random as the
    other has, for more rows are closer by chance. A row as far from both counts half.

    For the distances that harmless rows have, put `X_holdout` in the place of `X_generated`. A
    share of 0.5 does not prove privacy: few remembered rows among many do not show in it.

    References
    ----------
    .. [1] M. Platzer and T. Reutterer. "Holdout-based empirical assessment of mixed-type synthetic
       data". Frontiers in Big Data 4, 679939 (2021).

    Examples
    --------
    >>> import numpy as np
    >>> from skae.metrics import distance_to_closest_record
    >>> rng = np.random.default_rng(0)
    >>> X_train, X_holdout = rng.normal(size=(2, 300, 4))
    >>> copies = X_train[:50] + 0.01 * rng.normal(size=(50, 4))
    >>> result = distance_to_closest_record(copies, X_train, X_holdout)
    >>> bool(result.distances.max() < 0.1)
    True
    >>> result.share_closer_to_train
    1.0
    """
    X_generated = aligned_columns(X_train, X_generated, ("X_train", "X_generated"))
    X_holdout = aligned_columns(X_train, X_holdout, ("X_train", "X_holdout"))
    generated, train = checked_array(X_generated, "X_generated"), checked_array(X_train, "X_train")
    check_same_columns(generated, train, ("X_generated", "X_train"))
    scaler = StandardScaler().fit(train)
    generated, train = scaler.transform(generated), scaler.transform(train)
    distances = _to_closest(generated, train)
    if X_holdout is None:
        return ClosestRecords(distances, None)

    holdout = checked_array(X_holdout, "X_holdout")
    check_same_columns(holdout, train, ("X_holdout", "X_train"))
    holdout = scaler.transform(holdout)
    rng = check_random_state(random_state)
    n_rows = min(len(train), len(holdout))
    to_train = (
        distances if len(train) == n_rows else _to_closest(generated, _some(train, n_rows, rng))
    )
    to_holdout = _to_closest(generated, _some(holdout, n_rows, rng))
    ties = np.isclose(to_train, to_holdout, rtol=1e-9, atol=0)  # rounding must not decide them
    closer = np.where(ties, 0.5, to_train < to_holdout)
    return ClosestRecords(distances, float(closer.mean()))


def _some(rows: NDArray[np.float64], n: int, rng: np.random.RandomState) -> NDArray[np.float64]:
    """Draw n rows without replacement; all of them if there are no more."""
    return rows if len(rows) == n else rows[rng.choice(len(rows), n, replace=False)]


def _to_closest(rows: NDArray[np.float64], records: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distance of each row to the closest record."""
    closest = NearestNeighbors(n_neighbors=1).fit(records).kneighbors(rows, return_distance=False)
    # The search rounds by more than a copy can bear, whose distance is exactly 0.
    return np.linalg.norm(rows - records[closest[:, 0]], axis=1)
