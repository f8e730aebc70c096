"""Several recommenders as one."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from math import comb
from typing import Any, Self

import numpy as np
from scipy import sparse
from sklearn.base import _fit_context, clone
from sklearn.ensemble._base import _set_random_states
from sklearn.utils import Bunch, check_random_state
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import _BaseComposition

from .._base import attributes_kept_on_failure
from ..metrics import hide_items, ndcg_at_k
from ._recommender import HIDDEN, K_OF_SCORE, RecommenderMixin
from ._selection import Selection
from ._shallow import ShallowRecommender
from ._sparse import cells
from ._top_k import top_k

_HELD_OUT, _MOST_HELD_OUT, _FEWEST_USERS = 0.2, 1000, 20
_MOST_CANDIDATES = 70


class BlendRecommender(RecommenderMixin, _BaseComposition):
    """Recommenders whose scores are added up, with weights found on held-out users.

    What helps on one set of data hurts on another: a blend finds out. The scores of each
    recommender are standardised by rows, over the items that a user has not, so that their units
    do not matter.

    Read more in the :ref:`User Guide <recommendation>`.

    Parameters
    ----------
    estimators : list of (str, estimator) or None, default=None
        Names and recommenders, anything with `fit` and a `decision_function` that gives scores of
        shape (n_users, n_items). None takes three :class:`ShallowRecommender`.

    weights : "auto" or array-like of shape (n_estimators,), default="auto"
        Weights of the scores. "auto" fits all estimators to four fifths of the users, hides a fifth
        of the items of the others, at most 1,000, and takes the weights with the best NDCG at 100;
        an estimator may get all or nothing. Those with a weight are then fitted to all users. With
        fewer than 20 users all weights are equal.

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
        equal = np.full(n, 1 / n), None
        if n == 1 or X.shape[0] < _FEWEST_USERS:
            return equal
        order = rng.permutation(X.shape[0])
        n_held_out = min(_MOST_HELD_OUT, int(_HELD_OUT * X.shape[0]))
        held_out, train = X[order[:n_held_out]], X[order[n_held_out:]]
        shown, hidden = hide_items(held_out, HIDDEN, random_state=rng)
        if not hidden.nnz or not train.nnz:
            return equal
        trials = [clone(each).fit(train) for each in estimators]
        candidates = np.array(list(_simplex(n)))
        means = self._gains(shown, hidden, trials, candidates).mean(axis=1)
        alone = [means[(candidates == one).all(axis=1).argmax()] for one in np.eye(n)]
        return candidates[means.argmax()].copy(), np.array(alone)

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
        shown: sparse.csr_array,
        hidden: sparse.csr_array,
        estimators: list[Any],
        candidates: np.ndarray,
    ) -> np.ndarray:
        """Return the NDCG of held-out users with each of the candidate weights."""
        gains: list[list[np.ndarray]] = [[] for _ in candidates]
        for rows in self._chunks(shown.shape[0]):
            x = shown[rows]
            parts = [_standardized(each.decision_function(x), x) for each in estimators]
            seen = Selection(x, x.shape, None, "X")
            for weights, of_weights in zip(candidates, gains, strict=True):
                scores = seen.excluded(_blended(parts, weights), slice(None))
                ids, _ = top_k(scores, K_OF_SCORE)
                of_weights.append(ndcg_at_k(hidden[rows], ids, K_OF_SCORE, per_row=True))
        every = np.array([np.concatenate(each) for each in gains])
        return every[:, ~np.isnan(every[0])]

    @property
    def named_estimators_(self) -> Bunch:
        """The fitted estimators by their names."""
        return Bunch(**dict(zip(self._used_names, self.estimators_, strict=True)))

    # ------------------------------------------------------------------ scores

    def _item_scores(self, X: sparse.csr_array) -> np.ndarray:
        parts = [_standardized(each.decision_function(X), X) for each in self.estimators_]
        return _blended(parts, self._used_weights)

    def _similarities(self, items: np.ndarray, others: np.ndarray | None = None) -> np.ndarray:
        known = [
            weight * each._similarities(items, others)
            for weight, each in zip(self._used_weights, self.estimators_, strict=True)
            if isinstance(each, RecommenderMixin)
        ]
        if not known:
            raise AttributeError("no estimator with a weight knows how alike items are")
        return np.sum(known, axis=0)


def _default_estimators(n_items: int) -> list[tuple[str, Any]]:
    return [
        ("exact", ShallowRecommender()),
        ("low_rank", ShallowRecommender(min(192, n_items))),
    ]


def _simplex(n: int) -> Iterator[np.ndarray]:
    """Yield weights that sum to 1, on a grid that is as fine as leaves few enough."""
    n_steps = max(i for i in range(1, 21) if i == 1 or comb(i + n - 1, n - 1) <= _MOST_CANDIDATES)
    for bars in combinations(range(n_steps + n - 1), n - 1):
        yield (np.diff([-1, *bars, n_steps + n - 1]) - 1) / n_steps


def _standardized(scores: np.ndarray, X: sparse.csr_array) -> np.ndarray:
    """Return scores with mean 0 and deviation 1 over the items that a row has not."""
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
