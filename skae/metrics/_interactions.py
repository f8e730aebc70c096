"""From a list of who had what to a matrix of users x items."""

from numbers import Real
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils import check_scalar
from sklearn.utils._missing import is_pandas_na


class Interactions(NamedTuple):
    """Users x items, and who and what they are: what :func:`interactions_to_csr` returns.

    Parameters
    ----------
    X : csr_array of float32 of shape (n_users, n_items)
        The matrix.
    users : ndarray of shape (n_users,)
        The id of the user of each row, sorted.
    items : ndarray of shape (n_items,)
        The id of the item of each column, sorted.
    """

    X: sparse.csr_array
    users: NDArray
    items: NDArray


def interactions_to_csr(
    interactions: Any, user: Any, item: Any, value: Any = None, *, min_value: float | None = None
) -> Interactions:
    """Make a matrix of users x items from a table with one line per interaction.

    Parameters
    ----------
    interactions : data frame or mapping of arrays
        Of pandas, polars or anything else that gives a column for a key.
    user, item : str or other key
        The columns with the ids of users and items: numbers, text, or whatever can be sorted.
    value : str or other key, default=None
        The column with values, ratings or counts; None counts lines.
    min_value : float or None, default=None
        Lines with a lower value are left out, and with them users and items that have no other:
        ``min_value=4`` keeps ratings of 4 and 5 stars.

    Returns
    -------
    X : csr_array of float32 of shape (n_users, n_items)
        Sums of the values of all lines of a user and an item.
    users : ndarray of shape (n_users,)
        The id of the user of each row, sorted.
    items : ndarray of shape (n_items,)
        The id of the item of each column, sorted.

    Raises
    ------
    ValueError
        If there is no such column, an id or a value is missing, or no line is left.

    Examples
    --------
    >>> from skae.metrics import interactions_to_csr
    >>> plays = {"who": ["ann", "bob", "ann"], "what": ["x", "y", "y"], "times": [3, 1, 2]}
    >>> X, users, items = interactions_to_csr(plays, "who", "what", "times")
    >>> X.toarray()
    array([[3., 2.],
           [0., 1.]], dtype=float32)
    """
    who, what = _column(interactions, user, "user"), _column(interactions, item, "item")
    if value is None:
        if min_value is not None:
            raise ValueError(f"min_value={min_value} needs a column of values; set value, too")
        values = np.ones(len(who), np.float32)
    else:
        values = _values(_column(interactions, value, "value"), value)
    if not len(who) == len(what) == len(values):
        raise ValueError(
            f"The columns {user!r}, {item!r} and {value!r} have {len(who)}, {len(what)} and "
            f"{len(values)} lines, but must be equally long"
        )
    if min_value is not None:
        check_scalar(min_value, "min_value", Real)
        kept = values >= min_value
        who, what, values = who[kept], what[kept], values[kept]
    if not len(who):
        raise ValueError(
            "There is no interaction: interactions has 0 lines, at least 1 is required"
            if min_value is None
            else f"No interaction has a value of at least min_value={min_value}"
        )
    users, rows = _codes(who, user)
    items, columns = _codes(what, item)
    X = sparse.coo_array((values, (rows, columns)), (len(users), len(items))).tocsr()
    X.eliminate_zeros()
    return Interactions(X, users, items)


def _column(interactions: Any, key: Any, parameter: str) -> NDArray:
    if hasattr(interactions, "collect"):
        raise ValueError("interactions is not computed yet: pass interactions.collect()")
    try:
        column = np.asarray(interactions[key])
    except Exception as error:  # each library has one of its own
        columns = list(getattr(interactions, "columns", interactions))
        raise ValueError(
            f"{parameter}={key!r} is no column of interactions, which has {columns}"
        ) from error
    if column.ndim != 1:
        raise ValueError(
            f"{parameter}={key!r} is a column of shape {column.shape}, but must have one value per "
            "line; tuples, and names that several columns have, are not taken"
        )
    return column


def _values(column: NDArray, name: Any) -> NDArray:
    try:
        with np.errstate(over="ignore"):
            values = column.astype(np.float32)
    except (TypeError, ValueError) as error:
        raise ValueError(f"The column {name!r} must hold numbers: {error}") from error
    if not np.isfinite(values).all():
        line = int((~np.isfinite(values)).argmax())
        raise ValueError(
            f"The column {name!r} has {column[line]} in line {line}, no finite number of float32"
        )
    return values


def _codes(ids: NDArray, name: Any) -> tuple[NDArray, NDArray]:
    """Return sorted ids and the position of each one among them."""
    if ids.dtype.kind == "O":
        missing = np.array([_is_missing(each) for each in ids.tolist()], dtype=bool)
    else:
        missing = ids != ids  # NaN and NaT
    if missing.any():
        raise ValueError(f"The column {name!r} has no id in line {int(missing.argmax())}")
    try:
        return np.unique(ids, return_inverse=True)
    except TypeError as error:
        raise ValueError(f"The ids in column {name!r} can't be sorted: {error}") from error


def _is_missing(value: Any) -> bool:
    unequal = value != value  # NaN and NaT; what pandas' NA gives is neither true nor false
    return value is None or is_pandas_na(value) or (isinstance(unequal, bool) and unequal)
