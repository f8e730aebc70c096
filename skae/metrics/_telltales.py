"""Which columns, and which pairs of columns, tell two samples apart."""

from itertools import combinations
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import cross_val_score
from sklearn.utils import check_random_state, shuffle
from sklearn.utils._param_validation import Interval, validate_params

from ._common_frame import suited_to_trees
from ._two_sample import both_samples

_N_TREES, _N_FOLDS = 20, 3


class Telltales(NamedTuple):
    """What tells two samples apart.

    Parameters
    ----------
    columns : dict
        For each column, by name or position, how well it tells the samples apart by itself: an area
        under the ROC curve, 0.5 for not at all. The most telling come first.
    pairs : dict
        For each pair of columns, by how much the area of both together exceeds the larger one of
        the two. The most telling come first.
    """

    columns: dict[Any, float]
    pairs: dict[tuple[Any, Any], float]


@validate_params(
    {
        "X": ["array-like"],
        "Y": ["array-like"],
        "pairs": ["boolean"],
        "max_samples": [Interval(Integral, 6, None, closed="left"), None],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=False,
)
def telltale_columns(
    X: Any,
    Y: Any,
    *,
    pairs: bool = True,
    max_samples: int | None = 5000,
    random_state: int | np.random.RandomState | None = None,
) -> Telltales:
    """Name the columns and pairs of columns that tell two samples apart.

    Where :func:`two_sample_auc` says that a classifier knows generated rows from real ones, this
    says what it may look at: a small classifier is trained on every column by itself, and on every
    two. A column that tells has a distribution of its own in each sample, such as values that are
    too rare or never round. A pair that tells, of columns that don't, belongs together otherwise:
    numbers that should be equal, a category that does not go with another.

    Parameters
    ----------
    X : array-like or data frame of shape (n_samples_X, n_features)
        One sample, such as real rows, as for :func:`two_sample_auc`.
    Y : array-like or data frame of shape (n_samples_Y, n_features)
        Another sample, such as generated rows.
    pairs : bool, default=True
        Whether to look at pairs: a classifier for each, so 45 of ten columns, 1,225 of fifty.
    max_samples : int or None, default=5000
        Number of rows of each sample that are looked at, drawn at random; None takes all.
    random_state : int, RandomState instance or None, default=None
        Draws and shuffles rows: pass an int for results that repeat themselves.

    Returns
    -------
    Telltales
        A named tuple of two dicts, `columns` and `pairs`, the most telling first.

    See Also
    --------
    two_sample_auc : What all columns together tell.

    Examples
    --------
    >>> import numpy as np
    >>> from skae.metrics import telltale_columns
    >>> rng = np.random.default_rng(0)
    >>> X, Y = rng.normal(size=(2, 400, 3))
    >>> X[:, 2] = X[:, 0]
    >>> found = telltale_columns(X, Y, random_state=0)
    >>> next(iter(found.pairs))
    (0, 2)
    """
    X, Y, columns = both_samples(X, Y, _N_FOLDS, f"{_N_FOLDS} folds")
    rng = check_random_state(random_state)
    rows, is_category = suited_to_trees(columns)
    is_Y = np.repeat([0, 1], [len(X), len(Y)])
    kept = [rng.permutation(np.flatnonzero(is_Y == c))[:max_samples] for c in (0, 1)]
    rows, is_Y = shuffle(rows[np.concatenate(kept)], is_Y[np.concatenate(kept)], random_state=rng)
    names = list(columns)

    def area(*chosen: int) -> float:
        classifier = HistGradientBoostingClassifier(
            max_iter=_N_TREES,
            categorical_features=[is_category[j] for j in chosen],
            early_stopping=False,
            random_state=0,
        )
        part = rows[:, list(chosen)]
        return float(cross_val_score(classifier, part, is_Y, scoring="roc_auc", cv=_N_FOLDS).mean())

    single = [area(j) for j in range(len(names))]
    both = combinations(range(len(names)), 2) if pairs else ()
    gains = {(names[i], names[j]): area(i, j) - max(single[i], single[j]) for i, j in both}
    return Telltales(
        _descending(dict(zip(names, single, strict=True))),
        _descending(gains),
    )


def _descending(values: dict) -> dict:
    return dict(sorted(values.items(), key=lambda item: -item[1]))
