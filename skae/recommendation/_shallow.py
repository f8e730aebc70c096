"""The linear autoencoder over users x items, in closed form."""

import warnings
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from scipy import sparse
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    _fit_context,
)
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from .._base import attributes_kept_on_failure, checked_codes
from .._versions import Versioned
from ._closed_form import DenseWeights
from ._recommender import RecommenderMixin
from ._solution import Solution, solved
from ._sums import Sums, state_without_sums, sums_so_far
from ._weighting import WEIGHTINGS

_AUTO_COMPONENTS = 256


class ShallowRecommender(
    RecommenderMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin, Versioned, BaseEstimator
):
    """Recommender in closed form: the linear autoencoder that may not copy its input.

    Every item is predicted from all others by ridge regression, all at once, by one matrix inverse.
    Users are damped by how many items they have, scores by how popular an item is, and short
    histories are helped by popularity. On sparse data this is as good as deep networks or better,
    and any row of users x items can be served, whether it was in the training data or not.

    Read more in the :ref:`User Guide <recommendation>`.

    Parameters
    ----------
    n_components : int or None, default=None
        Number of components of a low-rank approximation of the weights, which has
        :meth:`transform` and :meth:`inverse_transform`; at most the number of items. None keeps the
        weights exact.

    l2 : float, default=30.0
        Ridge, in units of the mean of the Gram matrix's diagonal by the root of the mean number of
        users of an item, which makes one value serve dense and sparse data. The first parameter to
        tune, from 5 to 200.

    dropout : float, default=0.6
        Probability that an item of a history is missing, as in a denoising autoencoder, in
        expectation: ``dropout / (1 - dropout)`` times the diagonal of the Gram matrix is added to
        the ridge.

    user_damping : float, default=0.5
        Power of the number of a user's items by which the user is divided, from 0, where users
        count by their numbers of items, to 1.

    item_damping : float, default=0.1
        Power of the number of an item's users, relative to its mean, by which the item is divided
        in histories and in scores. Higher values recommend less popular items, more of the
        catalogue.

    prior : float, default=0.2
        What popularity adds to the scores of a user with a single item, in units of its weight;
        with n items it is a n-th of that, in units of their mean weight.

    weighting : {"binary", "log", "tfidf", "bm25"} or None, default="binary"
        What an interaction counts: "binary" 1, "log" ``log(1 + x)``, "tfidf" that times the inverse
        document frequency, "bm25" Okapi BM25; None leaves the values, of which few large ones may
        drown all others.

    solver : {"auto", "primal", "dual", "low_rank"}, default="auto"
        "primal" takes a matrix of items x items, "dual" one of users x users, with the same result;
        "low_rank" finds `n_components`, or 256, singular vectors by iteration. "auto" takes
        "low_rank" if `n_components` is given, else the smaller matrix, and "low_rank" with a
        warning if that is larger than `memory_limit`.

    memory_limit : float, default=4e9
        Bytes that the matrix of solver="auto" may have.

    dtype : {"float32", "float64"}, default="float32"
        Type that weights are computed in.

    random_state : int, RandomState instance or None, default=None
        Determines where the search for singular vectors starts.

    Attributes
    ----------
    solver_ : {"primal", "dual", "low_rank"}
        The solver taken.
    item_weights_ : ndarray of shape (n_items, n_items)
        What an item of a history (row) adds to the score of another (column) before popularity
        damps it; only by the primal solver, without `n_components`.
    popularity_ : ndarray of int64 of shape (n_items,)
        Number of users that have each item.
    n_features_in_ : int
        Number of items seen during :term:`fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of items seen during :term:`fit`. Defined only when `X` has feature names that are all
        strings.

    See Also
    --------
    AutoencoderRecommender : Networks over users x items.
    BlendRecommender : Several recommenders as one.

    Notes
    -----
    With X the weighted users x items, n the numbers of items of users, c those of users of items,
    ``G = X' diag(n ** -user_damping) X`` and P the inverse of ``G + diag(l2 * mean(diag(G)) /
    sqrt(mean(c)) + dropout / (1 - dropout) * diag(G))``, the weights are ``B = I - P / diag(P)`` by
    columns, and the scores of a row x are ``(x D B) D + prior * mean(x) / n(x) * c / n_users``
    with ``D = diag((c / mean(c)) ** -item_damping)`` and the mean over the items that x has.
    Without damping and prior this is EDLAE, without dropout too EASE.

    The estimator keeps the interactions it was fitted on, or their Gram matrix where that is
    smaller, so that :meth:`partial_fit` is exact.

    References
    ----------
    Steck, "Embarrassingly shallow autoencoders for sparse data", WWW 2019.

    Steck, "Autoencoders that don't overfit towards the identity", NeurIPS 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from skae import ShallowRecommender
    >>> X = np.array([[1, 1, 0, 0], [1, 1, 1, 0], [0, 0, 1, 1], [0, 1, 1, 1]])
    >>> recommender = ShallowRecommender().fit(X)
    >>> recommender.recommend([[1, 0, 0, 0]], k=2)
    array([[1, 2]])
    """

    _parameter_constraints: dict = {
        "n_components": [Interval(Integral, 1, None, closed="left"), None],
        "l2": [Interval(Real, 0, None, closed="neither")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "user_damping": [Interval(Real, 0, 1, closed="both")],
        "item_damping": [Interval(Real, 0, 1, closed="both")],
        "prior": [Interval(Real, 0, None, closed="left")],
        "weighting": [StrOptions(set(WEIGHTINGS)), None],
        "solver": [StrOptions({"auto", "primal", "dual", "low_rank"})],
        "memory_limit": [Interval(Real, 0, None, closed="neither")],
        "dtype": [StrOptions({"float32", "float64"})],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_components: int | None = None,
        *,
        l2: float = 30.0,
        dropout: float = 0.6,
        user_damping: float = 0.5,
        item_damping: float = 0.1,
        prior: float = 0.2,
        weighting: str | None = "binary",
        solver: str = "auto",
        memory_limit: float = 4e9,
        dtype: str = "float32",
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.n_components = n_components
        self.l2 = l2
        self.dropout = dropout
        self.user_damping = user_damping
        self.item_damping = item_damping
        self.prior = prior
        self.weighting = weighting
        self.solver = solver
        self.memory_limit = memory_limit
        self.dtype = dtype
        self.random_state = random_state

    # ------------------------------------------------------------------ fit

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the weights.

        Parameters
        ----------
        X : {array-like, data frame, sparse matrix or array} of shape (n_users, n_items)
            What users have of items, not negative: 1 or True, ratings, counts.
        y : Ignored
            Not used, present for API consistency.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If `X` has negative values, NaN or no entry, or a parameter does not fit it.
        """
        with attributes_kept_on_failure(self):
            self._take(Sums.of(self._interactions(X, reset=True)))
            self._solution = self._solved()
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Add users.

        The result is that of one fit to all of them. The weights are found when they are next
        needed.

        Parameters
        ----------
        X : {array-like, data frame, sparse matrix or array} of shape (n_users, n_items)
            What users have of items; each row is a new user.
        y : Ignored
            Not used, present for API consistency.

        Returns
        -------
        self : object
            The estimator.
        """
        so_far = sums_so_far(self)
        with attributes_kept_on_failure(self):
            sums = Sums.of(self._interactions(X, reset=so_far is None))
            self._take(sums if so_far is None else so_far.plus(sums))
            self._solution = None
        return self

    def _take(self, sums: Sums) -> None:
        n_items = len(sums.counts)
        if self.n_components is not None and self.n_components > n_items:
            raise ValueError(
                f"n_components={self.n_components} must be at most the number of items, {n_items}"
            )
        if self._solver_for(sums) == "primal":
            sums = sums.compact(self.weighting, self.user_damping, self.dtype)
        self._sums, self.popularity_ = sums, sums.counts

    def _solver_for(self, sums: Sums) -> str:
        if sums.gram is not None:
            return "primal"
        if self.solver != "auto":
            return self.solver
        if self.n_components is not None or self._bytes_of(sums) > self.memory_limit:
            return "low_rank"
        return "primal" if len(sums.counts) <= sums.n_users else "dual"

    def _bytes_of(self, sums: Sums) -> float:
        """Return the size of the smaller of the two exact solvers' matrices."""
        return np.dtype(self.dtype).itemsize * float(min(len(sums.counts), sums.n_users)) ** 2

    def _solved(self) -> Solution:
        """Return the solution for all users so far."""
        solver = self._solver_for(self._sums)
        return solved(
            self._sums,
            solver,
            self._rank(solver, self._sums),
            l2=self.l2,
            dropout=self.dropout,
            user_damping=self.user_damping,
            item_damping=self.item_damping,
            prior=self.prior,
            weighting=self.weighting,
            dtype=self.dtype,
            rng=check_random_state(self.random_state),
        )

    def _rank(self, solver: str, sums: Sums) -> int | None:
        """Return the number of components, if it is limited."""
        if self.n_components is not None or solver != "low_rank":
            return self.n_components
        rank = min(_AUTO_COMPONENTS, len(sums.counts))
        if self.solver == "auto":
            warnings.warn(
                f"Exact weights need a matrix of {self._bytes_of(sums) / 1e9:.3g} GB for "
                f"{sums.n_users} users and {len(sums.counts)} items, more than memory_limit="
                f"{self.memory_limit:.3g}. A low-rank approximation with {rank} components is taken"
                ", which ranks worse where tastes are diverse, by up to a tenth. Raise "
                "memory_limit for exact weights, or set n_components to choose the rank.",
                stacklevel=5,
            )
        return rank

    # ------------------------------------------------------------------ fitted

    _lean_state = state_without_sums

    @property
    def _now(self) -> Solution:
        """The solution for all users so far."""
        check_is_fitted(self)
        if self._solution is None:
            self._solution = self._solved()
        return self._solution

    @property
    def solver_(self) -> str:
        """The solver taken."""
        return self._now.solver

    @property
    def item_weights_(self) -> np.ndarray:
        """Weights of items for items, by the primal solver."""
        weights = self._now.weights
        if not isinstance(weights, DenseWeights):
            raise AttributeError(
                "item_weights_ is there with solver_='primal' and n_components=None only, not with "
                f"solver_={self.solver_!r} and n_components={self.n_components}"
            )
        return weights.matrix

    # ------------------------------------------------------------------ scores

    def _item_scores(self, X: sparse.csr_array) -> np.ndarray:
        return self._now.scores(X)

    def _contributions(
        self, x: sparse.csr_array, items: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        return self._now.contributions(x, items), self._item_scores(x)[0, items]

    def _similarities(self, items: np.ndarray, others: np.ndarray | None = None) -> np.ndarray:
        return self._now.similarities(items, others)

    # ------------------------------------------------------------------ codes

    def _has_codes(self) -> bool:
        if self.n_components is None:
            raise AttributeError("n_components=None has no codes; set it to an integer")
        return True

    def transform(self, X: Any) -> np.ndarray:
        """Return the codes of users.

        Parameters
        ----------
        X : {array-like, data frame, sparse matrix or array} of shape (n_users, n_items)
            What users have.

        Returns
        -------
        ndarray of shape (n_users, n_components)
            Float64, or float32 if `X` is.
        """
        X = self._interactions(X)
        return self._now.codes(X).astype(X.dtype, copy=False)

    def inverse_transform(self, X: Any) -> np.ndarray:
        """Return the scores of items for codes of users.

        Parameters
        ----------
        X : array-like of shape (n_users, n_components)
            Codes.

        Returns
        -------
        ndarray of shape (n_users, n_items)
            Scores, up to two things that a code does not know: popularity, which helps short
            histories, and what items of the history add to their own scores.
        """
        Z = checked_codes(self, X)
        return self._now.decoded(Z).astype(Z.dtype, copy=False)

    @property
    def _n_features_out(self) -> int:
        return self.n_components

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


# After scikit-learn has wrapped them, so that `set_output` knows them.
for _name in (
    "transform",
    "fit_transform",
    "inverse_transform",
    "set_output",
    "get_feature_names_out",
):
    _method = getattr(ShallowRecommender, _name)
    setattr(ShallowRecommender, _name, available_if(ShallowRecommender._has_codes)(_method))
