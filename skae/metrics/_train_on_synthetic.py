"""Utility: what a model is worth on real rows after it has seen nothing but synthetic ones."""

from typing import Any

from sklearn.base import clone
from sklearn.metrics import check_scoring
from sklearn.utils._param_validation import HasMethods, validate_params
from sklearn.utils.validation import _num_samples

from ._checks import aligned_columns


@validate_params(
    {
        "estimator": [HasMethods("fit")],
        "X_synthetic": "no_validation",
        "y_synthetic": "no_validation",
        "X_test": "no_validation",
        "y_test": "no_validation",
        "scoring": "no_validation",
    },
    prefer_skip_nested_validation=False,
)
def train_on_synthetic_score(
    estimator: Any,
    X_synthetic: Any,
    y_synthetic: Any,
    X_test: Any,
    y_test: Any,
    *,
    scoring: Any = None,
) -> Any:
    """Score on real rows of a model that was trained on synthetic ones.

    "Train on synthetic, test on real" [1]_: synthetic rows are as useful as real ones if a model
    learns as much from them. Compare the score with that of the same estimator trained on the real
    rows which the synthetic ones were generated from.

    Parameters
    ----------
    estimator : object
        A classifier, regressor or other estimator with `fit`. A clone of it is fitted, it stays as
        it is.
    X_synthetic : array-like or frame of shape (n_synthetic, n_features)
        Synthetic rows to train on, of whatever kind the estimator takes.
    y_synthetic : array-like of shape (n_synthetic,) or (n_synthetic, n_outputs)
        Their targets.
    X_test : array-like or frame of shape (n_test, n_features)
        Real rows to score on, which the generator of the synthetic ones has not seen.
    y_test : array-like of shape (n_test,) or (n_test, n_outputs)
        Their targets.
    scoring : str, callable, list, tuple, dict or None, default=None
        What to score, as in scikit-learn: :func:`sklearn.metrics.get_scorer_names` lists the
        strings. Several scorers return a dict. None is the estimator's own `score`.

    Returns
    -------
    float or dict of str to float
        The score, higher is better; of each scorer if there are several.

    See Also
    --------
    two_sample_auc : Tells synthetic from real rows without a target.

    References
    ----------
    .. [1] C. Esteban, S. L. Hyland and G. Rätsch. "Real-valued (medical) time series generation
       with recurrent conditional GANs". arXiv:1706.02633 (2017).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from skae.metrics import train_on_synthetic_score
    >>> X, y = load_iris(return_X_y=True)
    >>> rng = np.random.default_rng(0)
    >>> X_synthetic = X[::2] + 0.1 * rng.normal(size=(75, 4))
    >>> score = train_on_synthetic_score(
    ...     KNeighborsClassifier(), X_synthetic, y[::2], X[1::2], y[1::2]
    ... )
    >>> score > 0.9
    True
    """
    _check_lengths(X_synthetic, y_synthetic, ("X_synthetic", "y_synthetic"))
    _check_lengths(X_test, y_test, ("X_test", "y_test"))
    X_test = aligned_columns(X_synthetic, X_test, ("X_synthetic", "X_test"))
    _check_columns(X_synthetic, X_test)
    scorer = check_scoring(estimator, scoring=scoring)
    return scorer(clone(estimator).fit(X_synthetic, y_synthetic), X_test, y_test)


def _check_lengths(X: Any, y: Any, names: tuple[str, str]) -> None:
    if _num_samples(X) != _num_samples(y):
        raise ValueError(
            f"{names[0]} and {names[1]} must be of the same length, "
            f"got {_num_samples(X)} and {_num_samples(y)} rows."
        )


def _check_columns(X_synthetic: Any, X_test: Any) -> None:
    """Raise an error if the numbers of columns differ, for input that has such a number."""
    synthetic, test = (getattr(X, "shape", None) for X in (X_synthetic, X_test))
    if synthetic and test and synthetic[1:] != test[1:]:
        raise ValueError(
            "X_synthetic and X_test must have the same columns, "
            f"got shapes {tuple(synthetic)} and {tuple(test)}."
        )
