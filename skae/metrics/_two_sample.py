"""A classifier's chance to tell two samples apart."""

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import cross_val_score
from sklearn.utils import check_random_state, shuffle
from sklearn.utils._param_validation import HasMethods, Interval, validate_params

from ._checks import check_rows, check_same_columns, checked_array, is_frame
from ._common_frame import as_frame, common_columns, suited_to_trees


@validate_params(
    {
        "X": ["array-like"],
        "Y": ["array-like"],
        "classifier": [
            HasMethods(["fit", "predict_proba"]),
            HasMethods(["fit", "decision_function"]),
            None,
        ],
        "cv": [Interval(Integral, 2, None, closed="left"), HasMethods(["split", "get_n_splits"])],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=False,
)
def two_sample_auc(
    X: Any,
    Y: Any,
    *,
    classifier: Any = None,
    cv: Any = 3,
    random_state: int | np.random.RandomState | None = None,
) -> float:
    """Area under the ROC curve of a classifier that tells two samples apart.

    Its rows are those of both samples, shuffled, and their class is where they come from [1]_: 0.5
    means that it cannot tell, 1 that it always can. Unlike distances of moments it sees whatever
    the classifier can learn, in any mixture of measurements, categories and missing values.

    Parameters
    ----------
    X : array-like or data frame of shape (n_samples_X, n_features)
        One sample, such as real rows. An array must be of numbers, NaN where they are missing. A
        frame, of pandas or polars, may hold any kind of column.
    Y : array-like or data frame of shape (n_samples_Y, n_features)
        Another sample, such as generated rows: an array with as many columns, or a frame with the
        same ones in any order.
    classifier : object, default=None
        A classifier with `predict_proba` or `decision_function`. None is a
        :class:`~sklearn.ensemble.HistGradientBoostingClassifier` of 60 trees.
    cv : int or cross-validation splitter, default=3
        Number of folds, each with the same shares of both samples; or an object of
        :mod:`sklearn.model_selection` that splits the rows.
    random_state : int, RandomState instance or None, default=None
        Shuffles the rows and seeds the default classifier: pass an int for results that repeat
        themselves.

    Returns
    -------
    float
        The mean over folds of the area under the ROC curve of rows that the classifier has not been
        trained on. Samples of one distribution give about 0.5, by chance a little more or less.

    See Also
    --------
    frechet_distance : Needs fewer rows, and compares no more than means and covariances.
    telltale_columns : Which columns and pairs of columns it is that tell.
    train_on_synthetic_score : Whether generated rows serve a purpose.

    Notes
    -----
    Columns of frames are made alike before they are compared, so that the type in which a sample is
    stored gives nothing away: numbers, truth values and times become floats, and all else becomes
    categories that both samples share. The default classifier takes a column of more than 255
    categories as numbers, namely how often the value occurs in both samples together.

    Rows that both samples hold, such as remembered ones, mislead the classifier, and take the area
    below 0.5. :func:`distance_to_closest_record` finds them.

    References
    ----------
    .. [1] D. Lopez-Paz and M. Oquab. "Revisiting classifier two-sample tests". ICLR (2017).

    Examples
    --------
    >>> import numpy as np
    >>> from skae.metrics import two_sample_auc
    >>> rng = np.random.default_rng(0)
    >>> X, Y = rng.normal(size=(2, 200, 3))
    >>> 0.4 < two_sample_auc(X, Y, random_state=0) < 0.6
    True
    >>> two_sample_auc(X, Y + 9, random_state=0) > 0.99
    True
    """
    n_min, why = (2, "Cross-validation") if hasattr(cv, "split") else (cv, f"cv={cv}")
    X, Y, columns = both_samples(X, Y, n_min, why)

    rng = check_random_state(random_state)
    if classifier is None:
        rows, is_category = suited_to_trees(columns)
        classifier = HistGradientBoostingClassifier(
            max_iter=60,
            categorical_features=is_category,
            random_state=rng.randint(np.iinfo(np.int32).max),
        )
    elif is_frame(X):
        rows = as_frame(columns, X)
    else:
        rows = np.column_stack(list(columns.values()))
    is_Y = np.repeat([0, 1], [len(X), len(Y)])
    rows, is_Y = shuffle(rows, is_Y, random_state=rng)
    areas = cross_val_score(classifier, rows, is_Y, scoring="roc_auc", cv=cv, error_score="raise")
    return float(areas.mean())


def both_samples(X: Any, Y: Any, n_min: int, why: str) -> tuple[Any, Any, dict[Any, NDArray]]:
    """Check two samples, and put their columns together.

    Parameters
    ----------
    X, Y : array-like or data frame of shape (n_samples, n_features)
        The samples.
    n_min : int
        Number of rows that each must have.
    why : str
        What needs them, for messages.

    Returns
    -------
    X, Y : ndarray or data frame
        The samples, checked.
    columns : dict of ndarrays of shape (n_samples_X + n_samples_Y,)
        Their columns by names or positions.
    """
    if is_frame(X) != is_frame(Y):
        raise ValueError(
            "X and Y must both be data frames or both be arrays, "
            f"got {type(X).__name__} and {type(Y).__name__}."
        )
    if is_frame(X):
        for sample, name in ((X, "X"), (Y, "Y")):
            check_rows(sample, name, n_min, why)
        columns = common_columns(X, Y)
    else:
        X = checked_array(X, "X", allow_nan=True, n_min=n_min, why=why)
        Y = checked_array(Y, "Y", allow_nan=True, n_min=n_min, why=why)
        check_same_columns(X, Y, ("X", "Y"))
        columns = dict(enumerate(np.concatenate([X, Y]).T))
    return X, Y, columns
