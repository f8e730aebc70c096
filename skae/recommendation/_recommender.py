"""What all recommenders give: the best items of users, why, and how good that is."""

from collections.abc import Iterator
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from sklearn.utils import check_scalar
from sklearn.utils.validation import check_is_fitted

from .._settings import whole_rows
from ..metrics import hide_items, ndcg_at_k
from ..metrics._hidden_items import is_later, only_new
from ..training._suggestions import Suggests
from ._diversity import reranked
from ._interactions import checked_interactions
from ._selection import PADDING, Selection, checked_k, item_ids, named
from ._top_k import top_k

# How rankings are judged: by their first places, and by this share of a history, hidden.
K_OF_SCORE, HIDDEN = 100, 0.2
_CELLS_AT_ONCE = 2**22  # more rows make a product faster, and fewer stay in the caches
_CANDIDATES_PER_ITEM, _FEWEST_CANDIDATES = 10, 100


class Explanation(NamedTuple):
    """Why items were recommended: what :meth:`RecommenderMixin.explain` returns.

    Parameters
    ----------
    items : ndarray of int64 or object of shape (n_users, n_items, k)
        The items of the user's history that speak for the item most, the strongest first; -1, or
        None among names, where there are fewer.
    contributions : ndarray of shape (n_users, n_items, k)
        What each adds to the score; 0 where there are fewer.
    base : ndarray of shape (n_users, n_items)
        What no item of the history accounts for. With all items of the history,
        ``contributions.sum(axis=-1) + base`` is the score.
    scores : ndarray of shape (n_users, n_items)
        The scores, as in :meth:`RecommenderMixin.decision_function`.
    """

    items: np.ndarray
    contributions: np.ndarray
    base: np.ndarray
    scores: np.ndarray


class RecommenderMixin(Suggests):
    """Mixin of estimators that rank items for users.

    Rows are users, columns items, and a value says how much a user has of an item. A row needs not
    be one of the training data. A recommender fills :meth:`_item_scores` and :meth:`_similarities`,
    and :meth:`_contributions` if it knows better than leaving items out.
    """

    n_features_in_: int

    # ------------------------------------------------------------------ hooks

    def _item_scores(self, X: sparse.csr_array) -> np.ndarray:
        """Return scores of shape (n_rows, n_items) of some checked rows, a new array."""
        raise NotImplementedError

    def _similarities(self, items: np.ndarray, others: np.ndarray | None = None) -> np.ndarray:
        """Return how alike items and others, or all, are: of shape (n_items, n_others)."""
        raise NotImplementedError

    def _contributions(
        self, x: sparse.csr_array, items: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return what each entry of one row adds to the scores of items, and the scores.

        This default takes what a score loses when an entry is left out.
        """
        n = x.nnz
        kept = np.nonzero(~np.eye(n, dtype=bool))[1]
        parts_of_x = x.data[kept], x.indices[kept], np.arange(n + 1) * (n - 1)
        left_out = sparse.csr_array(parts_of_x, (n, x.shape[1]))
        with_all = self._item_scores(x)[0, items]
        parts = [self._item_scores(left_out[rows])[:, items] for rows in self._chunks(n)]
        return with_all[:, None] - np.concatenate(parts or [np.empty((0, len(items)))]).T, with_all

    # ------------------------------------------------------------------ inputs

    def _interactions(self, X: Any, *, reset: bool = False) -> sparse.csr_array:
        """Return checked users x items."""
        return checked_interactions(self, X, reset=reset)

    @property
    def _item_names(self) -> np.ndarray | None:
        return getattr(self, "feature_names_in_", None)

    def _chunks(self, n_rows: int) -> Iterator[slice]:
        """Yield slices of so many rows that dense scores of them fit the caches."""
        size = min(256, whole_rows(_CELLS_AT_ONCE // self.n_features_in_, least=2))
        for start in range(0, n_rows, size):
            yield slice(start, min(start + size, n_rows))

    # ------------------------------------------------------------------ recommendations

    def recommend(
        self,
        X: Any,
        k: int = 10,
        *,
        exclude_seen: bool = True,
        items: Any = None,
        exclude: Any = None,
        diversity: float = 0.0,
        return_scores: bool = False,
        as_names: bool = False,
    ) -> Any:
        """Return the best items of users.

        Users x items are never dense: scores are computed for some users at a time.

        Parameters
        ----------
        X : {array-like, data frame, sparse matrix or array} of shape (n_users, n_items)
            What users have, not negative. They need not have been in the training data; a user
            without any item gets the most popular ones.
        k : int, default=10
            How many items to recommend.
        exclude_seen : bool, default=True
            Whether to leave out what a user has.
        items : array-like, or array or sparse matrix of shape (n_users, n_items), default=None
            What may be recommended: indices, names or a boolean mask of items for all users, or
            what is not zero for each. None allows all items.
        exclude : array-like, or array or sparse matrix of shape (n_users, n_items), default=None
            What must not be recommended, in the forms of `items`.
        diversity : float, default=0.0
            How much it counts that the items of a list are unlike each other, up to 1. They are
            chosen one by one from the ``max(100, 10 * k)`` best, by maximal marginal relevance
            (Carbonell & Goldstein, SIGIR 1998).
        return_scores : bool, default=False
            Whether to return scores, too.
        as_names : bool, default=False
            Whether to return names of items, those of the columns of the training data frame.

        Returns
        -------
        ids : ndarray of shape (n_users, k)
            Indices of items, int64, the best first, of equal ones that with the lower index first;
            -1 where no further item is allowed: as an index it would be the last item. With
            `as_names` names, and None.
        scores : ndarray of shape (n_users, k)
            Their scores, minus infinity where there is no item. Only with `return_scores`.

        Raises
        ------
        ValueError
            If an item is unknown, or a parameter is not allowed or does not fit `X`.
        """
        X, k = self._interactions(X), checked_k(k)
        check_scalar(diversity, "diversity", Real, min_val=0, max_val=1)
        if np.isnan(diversity):
            raise ValueError("diversity is NaN, must be from 0 to 1")
        shape, names = X.shape, self._item_names
        allowed = None if items is None else Selection(items, shape, names, "items")
        excluded = [] if exclude is None else [Selection(exclude, shape, names, "exclude")]
        if exclude_seen:
            excluded.append(Selection(X, shape, names, "X"))
        ids, scores = self._ranked(X, k, allowed, excluded, diversity)
        found = named(ids, names) if as_names else ids
        return (found, scores) if return_scores else found

    def _ranked(
        self,
        X: sparse.csr_array,
        k: int,
        allowed: Selection | None,
        excluded: list[Selection],
        diversity: float = 0.0,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return indices and scores of the best items of checked rows."""
        ids = np.full((X.shape[0], k), PADDING, dtype=np.int64)
        values = np.full((X.shape[0], k), -np.inf)
        wanted = max(_FEWEST_CANDIDATES, _CANDIDATES_PER_ITEM * k) if diversity else k
        for rows in self._chunks(X.shape[0]):
            scores = self._item_scores(X[rows])
            if allowed is not None:
                scores = allowed.kept(scores, rows)
            for selection in excluded:
                scores = selection.excluded(scores, rows)
            best, their_scores = top_k(scores, wanted)
            if diversity:
                best, their_scores = self._diverse(best, their_scores, k, diversity)
            ids[rows], values[rows] = best, their_scores
        return ids, values

    def _diverse(
        self, ids: np.ndarray, scores: np.ndarray, k: int, diversity: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Choose k of the candidates of each row."""
        chosen = np.tile(np.arange(k), (len(ids), 1))
        for row, candidates in enumerate(ids):
            found = candidates[candidates != PADDING]
            if len(found) > 1:
                alike, n = self._similarities(found, found), min(k, len(found))
                chosen[row, :n] = reranked(scores[row, : len(found)], alike, n, diversity)
        return np.take_along_axis(ids, chosen, 1), np.take_along_axis(scores, chosen, 1)

    def predict(self, X: Any) -> np.ndarray:
        """Return the one item to show next to each user, of those that the user has not.

        Parameters
        ----------
        X : {array-like, data frame, sparse matrix or array} of shape (n_users, n_items)
            What users have.

        Returns
        -------
        ndarray of int64 of shape (n_users,)
            Its index; -1 for who has all items. :meth:`recommend` gives more than one.
        """
        X = self._interactions(X)
        seen = Selection(X, X.shape, None, "X")
        return self._ranked(X, 1, None, [seen])[0][:, 0]

    def decision_function(self, X: Any) -> np.ndarray:
        """Return the scores of all items, also of those that a user has, as a dense array.

        Parameters
        ----------
        X : {array-like, data frame, sparse matrix or array} of shape (n_users, n_items)
            What users have.

        Returns
        -------
        ndarray of shape (n_users, n_items)
            Higher for items that suit a user better. Scores of different users can't be compared.
            It is as large as users times items: :meth:`recommend` never holds it.
        """
        X = self._interactions(X)
        scores = [self._item_scores(X[rows]) for rows in self._chunks(X.shape[0])]
        return np.concatenate(scores)

    def score(self, X: Any, y: Any = None) -> float:
        """Return how well held-out items are ranked: the mean NDCG at 100 of the users.

        A fifth of the items of each user who has two or more is hidden, the same one in every call,
        and the recommender, shown the rest, ranks what is not shown. So cross-validation over rows
        measures users that were not in the training data, as in Liang et al. (2018).

        Parameters
        ----------
        X : {array-like, data frame, sparse matrix or array} of shape (n_users, n_items)
            What users have.
        y : {array-like, data frame, sparse matrix or array} of shape (n_users, n_items), \
                default=None
            What they had later. If given, all of `X` is shown, and what is not zero here and zero
            there is what should be ranked high. Labels of one dimension are ignored.

        Returns
        -------
        float
            From 0 to 1, higher is better.

        Raises
        ------
        ValueError
            If no user has an item that could be hidden.

        References
        ----------
        Liang, Krishnan, Hoffman & Jebara, "Variational autoencoders for collaborative filtering",
        WWW 2018.
        """
        X = self._interactions(X)
        if is_later(y):
            shown, hidden = X, only_new(X, y)
            why_not = "y has nothing that X has not"
        else:
            shown, hidden = hide_items(X, HIDDEN, random_state=0)
            why_not = "none has two items, to hide one of them"
        if not hidden.nnz:
            raise ValueError(f"No user can be scored: {why_not}")
        seen = Selection(shown, shown.shape, None, "X")
        ids, _ = self._ranked(shown, K_OF_SCORE, None, [seen])
        return float(ndcg_at_k(hidden, ids, K_OF_SCORE))

    # ------------------------------------------------------------------ items

    def similar_items(
        self, items: Any, k: int = 10, *, return_scores: bool = False, as_names: bool = False
    ) -> Any:
        """Return the items that are most like others.

        Parameters
        ----------
        items : int, str, or array-like of these, of shape (n_queries,)
            Indices or names.
        k : int, default=10
            How many to return for each.
        return_scores : bool, default=False
            Whether to return how alike they are, too.
        as_names : bool, default=False
            Whether to return names, those of the columns of the training data frame.

        Returns
        -------
        ids : ndarray of shape (n_queries, k)
            Indices, int64, the most similar first, without the item itself; -1 where there are no
            more. With `as_names` names, and None.
        similarities : ndarray of shape (n_queries, k)
            At most 1. Only with `return_scores`.
        """
        check_is_fitted(self)
        k = checked_k(k)
        queries = item_ids(items, self.n_features_in_, self._item_names).ravel()
        ids = np.empty((len(queries), k), dtype=np.int64)
        similarities = np.empty((len(queries), k))
        for rows in self._chunks(len(queries)):
            some = queries[rows]
            alike = self._similarities(some)
            alike[np.arange(len(some)), some] = -np.inf
            ids[rows], similarities[rows] = top_k(alike, k)
        found = named(ids, self._item_names) if as_names else ids
        return (found, similarities) if return_scores else found

    def explain(self, X: Any, items: Any, k: int = 5, *, as_names: bool = False) -> Explanation:
        """Return which items of users' histories speak for an item.

        In closed form, what the items of the history contribute adds up to the score. For networks,
        a contribution is what the score loses if that item is left out of the history.

        Parameters
        ----------
        X : {array-like, data frame, sparse matrix or array} of shape (n_users, n_items)
            What users have.
        items : array-like of shape (n_users,) or (n_users, n_explained)
            Indices or names of the items to explain, such as :meth:`recommend` returns. -1 and None
            stand for no item.
        k : int, default=5
            How many items of the history to return for each.
        as_names : bool, default=False
            Whether to return names, those of the columns of the training data frame.

        Returns
        -------
        Explanation
            Of arrays (items, contributions, base, scores), without the second axis if `items` has
            none.
        """
        X, k = self._interactions(X), checked_k(k)
        explained, is_padding = self._explained_ids(X, items)
        shape = (*explained.shape, k)
        ids, contributions = np.full(shape, PADDING, dtype=np.int64), np.zeros(shape)
        scores, base = np.zeros(explained.shape), np.zeros(explained.shape)
        for row, wanted in enumerate(explained):
            x = X[[row]]
            parts, scores[row] = self._contributions(x, wanted)
            base[row] = scores[row] - parts.sum(axis=1)
            n = min(k, x.nnz)
            order = np.argsort(-parts, axis=1, kind="stable")[:, :n]
            ids[row, :, :n] = x.indices[order]
            contributions[row, :, :n] = np.take_along_axis(parts, order, 1)
        ids[is_padding], contributions[is_padding] = PADDING, 0.0
        base[is_padding], scores[is_padding] = 0.0, 0.0
        found = named(ids, self._item_names) if as_names else ids
        explanation = Explanation(found, contributions, base, scores)
        if np.ndim(items) == 1:
            return Explanation(*(each[:, 0] for each in explanation))
        return explanation

    def _explained_ids(self, X: sparse.csr_array, items: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return the items to explain as indices, one row for each user, and which are none."""
        given = np.asarray(items)
        if given.ndim not in (1, 2) or len(given) != X.shape[0]:
            raise ValueError(
                f"items has the shape {given.shape}, but must be of shape ({X.shape[0]},) or "
                f"({X.shape[0]}, n_explained): some items for each user of X"
            )
        if given.dtype.kind == "b":
            raise ValueError("items is a mask, but must be indices or names; take np.flatnonzero")
        given = given.reshape(len(given), -1)
        if given.dtype.kind == "O":
            is_padding = np.equal(given, None)
        else:
            is_padding = (given == PADDING) & (given.dtype.kind in "iu")
        ids = np.zeros(given.shape, dtype=np.int64)
        if not is_padding.all():
            ids[~is_padding] = item_ids(given[~is_padding], X.shape[1], self._item_names)
        return ids, is_padding

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.input_tags.sparse = tags.input_tags.positive_only = True
        return tags
