"""Which items are meant: by index, by name, or by a mask for every user."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import sparse

from ..training._suggestions import did_you_mean
from ._sparse import cells

PADDING = -1  # where there is no further item


def item_ids(
    items: Any, n_items: int, names: Sequence[str] | None, parameter: str = "items"
) -> np.ndarray:
    """Return the indices of items.

    Parameters
    ----------
    items : int, str, or array-like of these or of bool
        Indices, names, or a mask of shape (n_items,).
    n_items : int
        How many there are.
    names : sequence of str or None
        Names of all items, if they have names.
    parameter : str, default="items"
        Name of the parameter, for messages.

    Returns
    -------
    ndarray of int64
        Of the shape of `items`, which is (n_chosen,) for a mask.

    Raises
    ------
    ValueError
        If there is no such item.
    """
    chosen = np.asarray(list(items) if isinstance(items, set | frozenset) else items)
    if chosen.dtype.kind in "OUT" and chosen.size:
        return _of_names(chosen, names, parameter)
    if chosen.dtype.kind == "b":
        if chosen.shape != (n_items,):
            raise ValueError(
                f"{parameter} is a mask of shape {chosen.shape}, but must be of shape ({n_items},),"
                " one value per item"
            )
        return np.flatnonzero(chosen)
    if chosen.size and chosen.dtype.kind not in "iu":
        raise ValueError(
            f"{parameter} must be indices or names of items, or a boolean mask, got an array of "
            f"{chosen.dtype}"
        )
    wrong = chosen[(chosen < 0) | (chosen >= n_items)]
    if wrong.size:
        raise ValueError(
            f"{parameter} has the index {wrong[0]}, but there are {n_items} items, 0 to "
            f"{n_items - 1}"
        )
    return chosen.astype(np.int64)


def _of_names(chosen: np.ndarray, names: Sequence[str] | None, parameter: str) -> np.ndarray:
    if names is None:
        raise ValueError(
            f"{parameter} has the name {str(chosen.flat[0])!r}, but the recommender was not fitted "
            "on a data frame with names of items; give indices"
        )
    index = {name: i for i, name in enumerate(names)}
    for name in chosen.flat:
        if name not in index:
            raise ValueError(
                f"{parameter} has the name {str(name)!r}, which no item has"
                f"{did_you_mean(str(name), names)}"
            )
    found = [index[name] for name in chosen.flat]
    return np.array(found, dtype=np.int64).reshape(chosen.shape)


class Selection:
    """Some items, the same ones for all users or others for each.

    Parameters
    ----------
    items : array-like, or array or sparse matrix of shape (n_users, n_items)
        Indices, names or a mask for all users; or what is not zero for each.
    shape : tuple (int, int)
        Numbers of users and items.
    names : sequence of str or None
        Names of all items, if they have names.
    parameter : str
        Name of the parameter, for messages.

    Raises
    ------
    ValueError
        If there is no such item, or the shape is another one.
    """

    def __init__(
        self, items: Any, shape: tuple[int, int], names: Sequence[str] | None, parameter: str
    ) -> None:
        self._per_user = None
        if sparse.issparse(items) or np.ndim(items) == 2:
            if np.shape(items) != shape:
                raise ValueError(
                    f"{parameter} has the shape {np.shape(items)}, but X has {shape[0]} users and "
                    f"there are {shape[1]} items; it must be of shape {shape}, or indices or names "
                    "of items for all users"
                )
            self._per_user = sparse.csr_array(items).astype(bool)
            self._per_user.eliminate_zeros()
        else:
            self._mask = np.zeros(shape[1], dtype=bool)
            self._mask[item_ids(items, shape[1], names, parameter).ravel()] = True

    def excluded(self, scores: np.ndarray, rows: slice) -> np.ndarray:
        """Return scores in which these items are out.

        Parameters
        ----------
        scores : ndarray of shape (n_rows, n_items)
            Scores of some users, written to.
        rows : slice
            Which users.

        Returns
        -------
        ndarray of shape (n_rows, n_items)
            The same array, minus infinity where they are.
        """
        scores[self._places(rows)] = -np.inf
        return scores

    def kept(self, scores: np.ndarray, rows: slice) -> np.ndarray:
        """Return scores in which all other items are out.

        Parameters
        ----------
        scores : ndarray of shape (n_rows, n_items)
            Scores of some users.
        rows : slice
            Which users.

        Returns
        -------
        ndarray of shape (n_rows, n_items)
            Minus infinity where these items are not.
        """
        places, kept = self._places(rows), np.full_like(scores, -np.inf)
        kept[places] = scores[places]
        return kept

    def _places(self, rows: slice) -> Any:
        if self._per_user is None:
            return slice(None), self._mask
        return cells(self._per_user[rows])


def named(ids: np.ndarray, names: Sequence[str] | None) -> np.ndarray:
    """Return the names of items.

    Parameters
    ----------
    ids : ndarray of int64
        Their indices, -1 for none.
    names : sequence of str or None
        Names of all items.

    Returns
    -------
    ndarray of object
        Of the same shape, None for none.

    Raises
    ------
    ValueError
        If items have no names.
    """
    if names is None:
        raise ValueError(
            "as_names=True needs names of items, but the recommender was not fitted on a data frame"
        )
    return np.append(np.asarray(names, dtype=object), None)[ids]
