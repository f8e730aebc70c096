"""The best items of many rows: exact, ties by index, without sorting what cannot win."""

import math

import numpy as np

_CELLS = 2**20  # scores that are looked at together: 4 or 8 MB, which caches hold between steps


def top_k(scores: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the k largest scores of every row and where they are, best first.

    Every row is cut into strided blocks. The k-th largest of their maxima is a bound that at least
    k items reach, and little more than k do, so that all but a few blocks are read once only.

    Parameters
    ----------
    scores : ndarray of shape (n_rows, n_items), float32 or float64
        Without NaN. -inf is a forbidden item.
    k : int
        At least 1; may exceed `n_items`.

    Returns
    -------
    ids : int64 ndarray of shape (n_rows, k)
        Of equal scores, 0 and -0 among them, the lower index comes first, also at the end of the
        list. -1 where a row has fewer than k items that are not forbidden.
    values : ndarray of shape (n_rows, k), of the dtype of `scores`
        -inf where `ids` is -1.
    """
    n_rows, n_items = scores.shape
    ids = np.full((n_rows, k), -1, np.int64)
    values = np.full((n_rows, k), -np.inf, scores.dtype)
    if n_items > 0:
        step = max(1, _CELLS // n_items)
        for start in range(0, n_rows, step):
            rows = slice(start, start + step)
            chunk = np.ascontiguousarray(scores[rows])
            _put_in_order(chunk, _candidates(chunk, min(k, n_items)), ids[rows], values[rows])
    return ids, values


def _candidates(scores: np.ndarray, k: int) -> np.ndarray:
    """Return, ascending, the positions in the flat `scores` of all that may be among the best."""
    n_rows, n_items = scores.shape
    width = max(1, math.isqrt(n_items // k))  # as many maxima as items in blocks that hold a winner
    n_blocks = n_items // width
    # Block b holds items b, b + n_blocks, ...: neighbours are alike where items come by popularity.
    whole = scores[:, : n_blocks * width].reshape(n_rows, width, n_blocks)
    maxima = whole.max(axis=1)
    rest = scores[:, n_blocks * width :]
    first = maxima[:, : rest.shape[1]]
    np.maximum(first, rest, out=first)
    bound = np.partition(maxima, n_blocks - k, axis=1)[:, n_blocks - k, None]
    np.maximum(bound, np.finfo(scores.dtype).min, out=bound)
    row, block = np.divmod(np.flatnonzero(maxima >= bound), n_blocks)
    item = block[:, None] + np.arange(-(-n_items // n_blocks)) * n_blocks
    position = (row * n_items)[:, None] + np.minimum(item, n_items - 1)
    reached = (scores.ravel()[position] >= bound[row]) & (item < n_items)
    position = np.sort(position[reached])
    return position[_not_too_many_ties(scores, position, bound[:, 0], k)]


def _not_too_many_ties(
    scores: np.ndarray, position: np.ndarray, bound: np.ndarray, k: int
) -> np.ndarray:
    """Return which candidates remain when only the first k of each row lie at its bound."""
    row = position // scores.shape[1]
    tied = scores.ravel()[position] == bound[row]
    n_before = np.cumsum(tied) - tied
    first = np.searchsorted(row, np.arange(len(scores)))
    return ~tied | (n_before - np.append(n_before, 0)[first][row] < k)


def _put_in_order(
    scores: np.ndarray, positions: np.ndarray, ids: np.ndarray, values: np.ndarray
) -> None:
    """Sort the candidates of every row and write the best of them to `ids` and `values`."""
    n_rows, n_items = scores.shape
    k = ids.shape[1]
    row, item = np.divmod(positions, n_items)
    counts = np.bincount(row, minlength=n_rows)
    place = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    costs = np.full((n_rows, max(k, counts.max())), np.inf, scores.dtype)
    items = np.full(costs.shape, -1, np.int64)
    costs[row, place] = -scores.ravel()[positions]
    items[row, place] = item
    order = np.argsort(costs, axis=1, kind="stable")[:, :k]
    ids[:] = np.take_along_axis(items, order, axis=1)
    values[:] = -np.take_along_axis(costs, order, axis=1)
