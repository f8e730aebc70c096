"""Several recommenders as one."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from math import comb
from typing import Any, Self

import numpy as np
from scipy import sparse
from sklearn.base import _fit_context, clone
from sklearn.ensemble._base import _set_random_states
from sklearn.utils import Bunch, check_random_state, gen_batches
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import _BaseComposition

from .._base import attributes_kept_on_failure
from .._versions import Versioned
from ..metrics import hide_items, ndcg_at_k
from ._recommender import HIDDEN, K_OF_SCORE, RecommenderMixin
from ._selection import Selection
from ._shallow import ShallowRecommender
from ._sparse import cells
from ._top_k import top_k

_N_FOLDS, _ENOUGH_USERS, _FEWEST_USERS = 5, 1000, 20
_MOST_CANDIDATES = 70
_ROWS_AT_ONCE = 64


class BlendRecommender(RecommenderMixin, Versioned, _BaseComposition):
    """Recommenders whose scores are added up, with weights found on held-out users.

    What helps on one set of data hurts on another: a blend finds out. The scores of each
    recommender are standardised by rows, over the items that a user has not, so that their units
    do not matter.

    Read more in the :ref:`User Guide <recommendation>`.

    Parameters
    ----------
    estimators : list of (str, estimator) or None, default=None
        Names and recommenders, anything with `fit` and a `decision_function` that gives scores of
        shape (n_users, n_items). None takes three :class:`ShallowRecommender`: "exact" as it comes,
        "low_rank" with 192 components, and "light" with a small ridge, ``l2=8, dropout=0.3``.

    weights : "auto" or array-like of shape (n_estimators,), default="auto"
        Weights of the scores. "auto" fits all estimators to four fifths of the users and hides a
        fifth of the items of the others, in turns until 1,000 users were held out. It takes the
        mean of the weights whose NDCG at 100 is within one standard error of the best; an estimator
        may get all or nothing. Those with a weight are then fitted to all users. With fewer than 20
        users all weights are equal.

    random_state : int, RandomState instance or None, default=None
        Determines the held-out users and items, and the random states of the estimators.

    Attributes
    ----------
    estimators_ : list of estimators
        The fitted ones that have a weight.
    named_estimators_ : Bunch
        The same by name.
    weights_ : ndarray of shape (n_estimators,)
        Weights of all, which sum to 1.
    scores_ : ndarray of shape (n_estimators,)
        NDCG at 100 of each alone on the held-out users; only with ``weights="auto"`` and enough
        users.
    n_features_in_ : int
        Number of items seen during :term:`fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of items seen during :term:`fit`. Defined only when `X` has feature names that are all
        strings.

    See Also
    --------
    ShallowRecommender : The recommender to begin with.

    Examples
    --------
    >>> import numpy as np
    >>> from skae import BlendRecommender, ShallowRecommender
    >>> X = np.random.default_rng(0).integers(2, size=(60, 12))
    >>> blend = BlendRecommender(
    ...     [("exact", ShallowRecommender()), ("rank_4", ShallowRecommender(4))], random_state=0
    ... )
    >>> blend.fit(X).recommend(X[:1], k=3).shape
    (1, 3)
    """

    _parameter_constraints: dict = {
        "estimators": [list, None],
        "weights": [StrOptions({"auto"}), "array-like"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimators: list[tuple[str, Any]] | None = None,
        *,
        weights: str | Sequence[float] = "auto",
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.estimators = estimators
        self.weights = weights
        self.random_state = random_state

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters, and those of the estimators by their names.

        Parameters
        ----------
        deep : bool, default=True
            Whether to return the estimators and their parameters, too.

        Returns
        -------
        dict of str to object
            Names and values.
        """
        return self._get_params("estimators", deep=deep)

    def set_params(self, **params: Any) -> Self:
        """Set parameters, estimators by their names, or their parameters.

        Parameters
        ----------
        **params : dict
            Such as ``exact__l2=10``.

        Returns
        -------
        self : object
            The estimator.
        """
        self._set_params("estimators", **params)
        return self

    # ------------------------------------------------------------------ fit

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the weights and fit the estimators.

        Parameters
        ----------
        X : {array-like, data frame, sparse matrix or array} of shape (n_users, n_items)
            What users have of items, not negative.
        y : Ignored
            Not used, present for API consistency.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If `X`, the estimators or the weights are not as they must be.
        """
        with attributes_kept_on_failure(self):
            X = self._interactions(X, reset=True)
            names, estimators = self._checked_estimators()
            rng = check_random_state(self.random_state)
            if self.random_state is not None:
                for estimator in estimators:
                    _set_random_states(estimator, rng)
            self.weights_, scores = self._chosen_weights(X, estimators, rng)
            if scores is None:
                vars(self).pop("scores_", None)
            else:
                self.scores_ = scores
            used = [i for i, weight in enumerate(self.weights_) if weight > 0]
            self.estimators_ = [estimators[i].fit(X) for i in used]
            self._used_weights = self.weights_[used]
            self._used_names = [names[i] for i in used]
        return self

    def _checked_estimators(self) -> tuple[list[str], list[Any]]:
        """Return names and clones."""
        pairs = self.estimators
        if pairs is None:
            pairs = _default_estimators(self.n_features_in_)
        are_pairs = all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in pairs)
        if not pairs or not are_pairs:
            raise ValueError(
                f"estimators={self.estimators!r} must be a list of pairs (name, recommender)"
            )
        names = [name for name, _ in pairs]
        self._validate_names(names)
        for name, each in pairs:
            if not (hasattr(each, "fit") and hasattr(each, "decision_function")):
                raise TypeError(
                    f"estimators: {name!r} is a {type(each).__name__}, which has no `fit` or no "
                    "`decision_function`"
                )
        return names, [clone(each) for _, each in pairs]

    def _chosen_weights(
        self, X: sparse.csr_array, estimators: list[Any], rng: np.random.RandomState
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the weights and, if they were sought, the NDCG of each estimator alone."""
        n = len(estimators)
        if not isinstance(self.weights, str):
            return self._given_weights(n), None
        if n == 1 or X.shape[0] < _FEWEST_USERS:
            return np.full(n, 1 / n), None
        candidates = np.array(list(_simplex(n)))
        parts = list(self._gains(X, estimators, candidates, rng))
        if not parts:
            return np.full(n, 1 / n), None
        gains = np.concatenate(parts, axis=1)
        means = gains.mean(axis=1)
        alone = [means[(candidates == one).all(axis=1).argmax()] for one in np.eye(n)]
        behind = gains[means.argmax()] - gains
        errors = behind.std(axis=1) / np.sqrt(behind.shape[1])
        # Their mean, because which of them is the best is chance.
        return candidates[behind.mean(axis=1) <= errors].mean(axis=0), np.array(alone)

    def _given_weights(self, n: int) -> np.ndarray:
        weights = np.asarray(self.weights, dtype=float)
        if weights.shape != (n,) or not (weights >= 0).all() or not weights.sum() > 0:
            raise ValueError(
                f"weights={self.weights!r} must be {n} numbers, one per estimator, none negative "
                "and not all zero"
            )
        return weights / weights.sum()

    def _gains(
        self,
        X: sparse.csr_array,
        estimators: list[Any],
        candidates: np.ndarray,
        rng: np.random.RandomState,
    ) -> Iterator[np.ndarray]:
        """Yield the NDCG of users with each of the candidate weights, some users at a time.

        They are held out in turns until there are enough of them.
        """
        order, n_scored = rng.permutation(X.shape[0]), 0
        for fold in range(_N_FOLDS):
            held_out = np.zeros(len(order), dtype=bool)
            held_out[order[fold::_N_FOLDS][: _ENOUGH_USERS - n_scored]] = True
            shown, hidden = hide_items(X[held_out], HIDDEN, random_state=rng)
            train = X[~held_out]
            if not hidden.nnz or not train.nnz:
                continue
            fitted = [clone(each).fit(train) for each in estimators]
            for rows in self._chunks(shown.shape[0]):
                if hidden[rows].nnz:
                    yield _gains(shown[rows], hidden[rows], fitted, candidates)
            n_scored += shown.shape[0]
            if n_scored >= _ENOUGH_USERS:
                break

    @property
    def named_estimators_(self) -> Bunch:
        """The fitted estimators by their names."""
        return Bunch(**dict(zip(self._used_names, self.estimators_, strict=True)))

    # ------------------------------------------------------------------ scores

    def _item_scores(self, X: sparse.csr_array) -> np.ndarray:
        parts = [_standardized(each, X) for each in self.estimators_]
        return _blended(parts, self._used_weights)

    def _similarities(self, items: np.ndarray, others: np.ndarray | None = None) -> np.ndarray:
        known = [
            weight * each._similarities(items, others)
            for weight, each in zip(self._used_weights, self.estimators_, strict=True)
            if isinstance(each, RecommenderMixin)
        ]
        if not known:
            raise AttributeError(
                "no estimator with a weight knows how alike items are; similar items need a "
                "recommender of skae among estimators"
            )
        return np.sum(known, axis=0)


def _gains(
    shown: sparse.csr_array, hidden: sparse.csr_array, fitted: list[Any], candidates: np.ndarray
) -> np.ndarray:
    """Return the NDCG with each of the candidate weights, of users who hide something."""
    seen = Selection(shown, shown.shape, None, "X")
    parts = [seen.excluded(_standardized(each, shown), slice(None)) for each in fitted]
    # Several candidates at a time where users are few: calls would cost more than what they do.
    gains = []
    for some in gen_batches(len(candidates), max(1, _ROWS_AT_ONCE // shown.shape[0])):
        blends = [_blended(parts, weights) for weights in candidates[some]]
        ids, _ = top_k(np.concatenate(blends), K_OF_SCORE)
        relevant = sparse.vstack([hidden] * len(blends))
        rows = ndcg_at_k(relevant, ids, K_OF_SCORE, per_row=True)
        gains.append(rows.reshape(len(blends), -1))
    return np.concatenate(gains)[:, np.diff(hidden.indptr) > 0]


def _default_estimators(n_items: int) -> list[tuple[str, Any]]:
    return [
        ("exact", ShallowRecommender()),
        ("low_rank", ShallowRecommender(min(192, n_items))),
        ("light", ShallowRecommender(l2=8.0, dropout=0.3)),
    ]


def _simplex(n: int) -> Iterator[np.ndarray]:
    """Yield weights that sum to 1, on a grid that is as fine as leaves few enough."""
    n_steps = max(i for i in range(1, 21) if i == 1 or comb(i + n - 1, n - 1) <= _MOST_CANDIDATES)
    for bars in combinations(range(n_steps + n - 1), n - 1):
        yield (np.diff([-1, *bars, n_steps + n - 1]) - 1) / n_steps


def _standardized(estimator: Any, X: sparse.csr_array) -> np.ndarray:
    """Return scores with mean 0 and deviation 1 over the items that a row has not."""
    scores = estimator.decision_function(X)
    if np.shape(scores) != X.shape:
        raise ValueError(
            f"estimators: {type(estimator).__name__} gives scores of shape {np.shape(scores)}, "
            f"but a recommender gives one for each item, of shape {X.shape}"
        )
    n_left = np.maximum(scores.shape[1] - np.diff(X.indptr), 1)
    unseen = scores.copy()
    unseen[cells(X)] = 0.0
    means = unseen.sum(axis=1) / n_left
    unseen -= means[:, None].astype(scores.dtype)
    unseen[cells(X)] = 0.0
    deviations = np.sqrt(np.einsum("ij,ij->i", unseen, unseen) / n_left)
    deviations[deviations == 0] = 1.0
    scores -= means[:, None].astype(scores.dtype)
    scores /= deviations[:, None].astype(scores.dtype)
    return scores


def _blended(parts: list[np.ndarray], weights: np.ndarray) -> np.ndarray:
    """Return the weighted sum of scores, a new array."""
    total = np.zeros_like(parts[0])
    for part, weight in zip(parts, weights, strict=True):
        if weight:
            total += part.dtype.type(weight) * part
    return total
