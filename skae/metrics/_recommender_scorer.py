"""Scores of recommenders for scikit-learn's cross-validation."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils import check_scalar

from ._checks import check_share
from ._hidden_items import hide_items, is_later, like, only_new
from ._ranking import (
    coverage_at_k,
    map_at_k,
    mrr_at_k,
    ndcg_at_k,
    precision_at_k,
    recall_at_k,
)

_OF_HITS: Mapping[str, Callable[..., float]] = {
    "map": map_at_k,
    "mrr": mrr_at_k,
    "ndcg": ndcg_at_k,
    "precision": precision_at_k,
    "recall": recall_at_k,
}
_NAMES = sorted([*_OF_HITS, "coverage"])


def make_recommender_scorer(
    metrics: str | Sequence[str] = ("ndcg", "recall"),
    k: int | Sequence[int] = 100,
    *,
    test_size: float = 0.2,
    n_repeats: int = 1,
    random_state: int = 0,
) -> Callable[..., dict[str, float]]:
    """Make a scorer that hides items of users and looks where they are ranked.

    :func:`~sklearn.model_selection.KFold` splits rows, so in :class:`~sklearn.model_selection.
    GridSearchCV` and :func:`~sklearn.model_selection.cross_validate` the scored users are new. All
    candidates are scored on the same hidden items.

    Parameters
    ----------
    metrics : str or sequence of str, default=("ndcg", "recall")
        Of "coverage", "map", "mrr", "ndcg", "precision" and "recall". :func:`novelty_at_k` is none
        of them, because it needs the training data.
    k : int or sequence of int, default=100
        How many places of the lists to look at.
    test_size : float, default=0.2
        Share of a user's items to hide; see :func:`hide_items`.
    n_repeats : int, default=1
        How often to hide items anew; scores are the means.
    random_state : int, default=0
        Determines what is hidden.

    Returns
    -------
    callable
        ``scorer(estimator, X, y=None)`` returns a dict, such as ``{"ndcg@100": 0.4}``. A `y` of the
        shape of `X` is what users had later; then nothing is hidden, and what they have in `X` does
        not count. For :func:`~sklearn.model_selection.cross_val_score`, which wants one number,
        leave `scoring` out.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.model_selection import cross_validate
    >>> from skae import ShallowRecommender
    >>> from skae.metrics import make_recommender_scorer
    >>> X = np.random.default_rng(0).integers(2, size=(40, 12))
    >>> scorer = make_recommender_scorer(["ndcg", "recall"], k=[5, 10])
    >>> sorted(cross_validate(ShallowRecommender(), X, scoring=scorer))[2:]
    ['test_ndcg@10', 'test_ndcg@5', 'test_recall@10', 'test_recall@5']
    """
    names = [metrics] if isinstance(metrics, str) else list(metrics)
    for name in names:
        if name not in _NAMES:
            raise ValueError(f"metrics has {name!r}, but must be some of {_NAMES}")
    ks = [k] if isinstance(k, int | Integral) else list(k)
    if not names or not ks:
        raise ValueError(f"metrics={metrics!r} and k={k!r} must not be empty")
    for each in ks:
        check_scalar(each, "k", Integral, min_val=1)
    check_share(test_size, "test_size")
    check_scalar(n_repeats, "n_repeats", Integral, min_val=1)
    check_scalar(random_state, "random_state", Integral, min_val=0)
    ks = [int(each) for each in ks]
    return _Scorer(names, ks, float(test_size), int(n_repeats), int(random_state))


@dataclass(frozen=True)
class _Scorer:
    """What :func:`make_recommender_scorer` returns."""

    metrics: list[str]
    k: list[int]
    test_size: float
    n_repeats: int
    random_state: int

    def __call__(self, estimator: Any, X: Any, y: Any = None) -> dict[str, float]:
        if not hasattr(estimator, "recommend"):
            raise TypeError(
                f"estimator={type(estimator).__name__} has no method `recommend`. A Pipeline has "
                "not, either, even if its last step has: weighting is a parameter of recommenders, "
                "no step before them"
            )
        if is_later(y):
            scores = [self._scores(estimator, X, only_new(X, y))]
        else:
            seeds = range(self.random_state, self.random_state + self.n_repeats)
            splits = (hide_items(X, self.test_size, random_state=seed) for seed in seeds)
            scores = [self._scores(estimator, like(X, a), b) for a, b in splits]
        return {name: float(np.mean([each[name] for each in scores])) for name in scores[0]}

    def _scores(self, estimator: Any, shown: Any, hidden: Any) -> dict[str, float]:
        ids = estimator.recommend(shown, k=max(self.k))
        n_items = np.shape(hidden)[1]
        return {
            f"{name}@{k}": (
                coverage_at_k(ids, n_items, k)
                if name == "coverage"
                else _OF_HITS[name](hidden, ids, k)
            )
            for name in self.metrics
            for k in self.k
        }
