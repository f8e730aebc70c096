"""Which signals, and which part of them, are asked for, and where that lies in a stream."""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from ._container import Header

Place = tuple[slice, ...]


def wanted_of(indices: Any, n_signals: int) -> range | np.ndarray:
    """Return which signals are asked for: nothing is allocated for those that are not.

    Parameters
    ----------
    indices : int, slice, array-like of int or bool, or None
        What was asked for; None for all.
    n_signals : int
        How many there are.

    Returns
    -------
    range or ndarray of int
        Their numbers, none of them negative.

    Raises
    ------
    IndexError
        If there are no such signals.
    """
    everything = range(n_signals)
    if indices is None:
        return everything
    if isinstance(indices, slice):
        return everything[indices]
    numbers = np.atleast_1d(np.asarray(indices))
    if numbers.dtype == bool and numbers.shape == (n_signals,):
        return np.flatnonzero(numbers)
    if not numbers.size:
        return everything[:0]
    if numbers.dtype.kind not in "iu" or numbers.ndim > 1:
        raise IndexError(
            f"indices={indices!r} must be whole numbers, a slice, or {n_signals} of True and False"
        )
    if numbers.min() < -n_signals or numbers.max() >= n_signals:
        raise IndexError(f"indices={indices!r} go beyond the {n_signals} signals of the stream")
    return np.where(numbers < 0, numbers + n_signals, numbers).astype(np.int64)


def chunks_of(
    header: Header, signals: np.ndarray, window: Place
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the chunks that hold a window of signals, and the positions of these signals."""
    n_together, *steps = header.chunk_shape
    order = np.argsort(signals, kind="stable")
    rows, starts = np.unique(signals[order] // n_together, return_index=True)
    tiles = [range(w.start // s, -(-w.stop // s)) for w, s in zip(window, steps, strict=True)]
    for row, here in zip(rows.tolist(), np.split(order, starts[1:]), strict=False):
        for tile in itertools.product(*tiles):
            number = row
            for i, count in zip(tile, header.grid[1:], strict=True):
                number = number * count + i
            yield number, here


def overlap(tile: Place, window: Place) -> tuple[Place, Place]:
    """Return which part of a window is in a tile, counted in the window and in the tile."""
    in_window, in_tile = [], []
    for t, w in zip(tile, window, strict=True):
        start, stop = max(t.start, w.start), min(t.stop, w.stop)
        in_window.append(slice(start - w.start, stop - w.start))
        in_tile.append(slice(start - t.start, stop - t.start))
    return tuple(in_window), tuple(in_tile)
