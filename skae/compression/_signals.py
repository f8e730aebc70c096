"""Sounds and other sampled signals that can be compressed: one reader of all forms."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from scipy import sparse
from sklearn.utils.validation import validate_data
from torch import Tensor

from .._arrays import Arrays
from .._plain import registered
from .._shapes import are_rows
from ..metrics._checks import refuse_masked
from ..tables import refuse_unusable

DTYPES = ("int16", "int32", "float32", "float64")
_LARGEST = 2.0**20
_MANY_CHANNELS, _LONGER = 64, 8  # more channels than that, and than samples times that, are none
_FAR = 0.5  # standard deviations from zero, from which on a mean is an offset


@registered
class Signals(Arrays):
    """Signals, and the form in which they came.

    Parameters
    ----------
    arrays : list of ndarray of shape (n_samples, n_channels)
        Signals.
    kind : {"list", "rows"}
        Whether they came in a list, or as the rows of an array.
    is_flat : bool
        Whether they came without an axis for the channels.
    """

    arrays: list[np.ndarray]
    kind: str
    is_flat: bool

    def restored(self, arrays: Sequence[np.ndarray]) -> Any:
        """Return other signals in this form.

        Parameters
        ----------
        arrays : sequence of ndarray of shape (n_samples, n_channels)
            Signals.

        Returns
        -------
        ndarray or list of ndarray
            Rows, if these came as rows and those have one length; else a list.
        """
        signals = [array[:, 0] if self.is_flat else array for array in arrays]
        if self.kind == "rows" and len({signal.shape for signal in signals}) == 1:
            return np.stack(signals)
        return signals


def checked_signals(estimator: Any, X: Any, reset: bool) -> Signals:
    """Read signals.

    Parameters
    ----------
    estimator : AudioCompressor
        Remembers how long rows are.
    X : list of array-likes, or array-like of shape (n_signals, n_samples[, n_channels])
        Signals.
    reset : bool
        Whether they are training data.

    Returns
    -------
    Signals
        Finite numbers, in a dtype that streams have.

    Raises
    ------
    TypeError, ValueError
        If they are none.
    """
    refuse_unusable(X)
    refuse_masked(X, "X")
    if isinstance(X, np.ndarray) and X.ndim == 3:
        return Signals(
            [checked_signal(x, f"X[{i}]") for i, x in enumerate(_filled(X))], "rows", False
        )
    is_list = isinstance(X, list | tuple) and all(isinstance(x, np.ndarray) for x in X)
    if not is_list and are_rows(X):
        if isinstance(X, np.ndarray) and X.ndim == 1 and X.dtype != object:
            raise ValueError(
                f"X has {len(X)} numbers in one dimension; give a single signal in a list, [x]. "
                "Expected 2D array, got 1D array instead. Reshape your data"
            )
        X = validate_data(estimator, X, accept_sparse="csr", dtype="numeric", reset=reset)
        X = X.toarray() if sparse.issparse(X) else X
        if X.dtype.name not in DTYPES:  # rows of whole numbers equal those of floats
            X = X.astype(np.float64)
        return Signals([row[:, None] for row in X], "rows", True)
    arrays = [checked_signal(x, f"X[{i}]") for i, x in enumerate(_filled(X))]
    dimensions = {array.ndim for array in arrays}
    if len(dimensions) > 1:
        raise ValueError(
            "X mixes signals with and without an axis for the channels; use x[:, None]"
        )
    if len(dtypes := sorted({array.dtype.name for array in arrays})) > 1:
        raise ValueError(f"X mixes signals of the dtypes {', '.join(dtypes)}")
    is_flat = dimensions == {1}
    arrays = [array[:, None] if is_flat else array for array in arrays]
    channels = {array.shape[1] for array in arrays}
    if len(channels) > 1:
        raise ValueError(f"X has signals of {sorted(channels)} channels, all must have as many")
    return Signals(arrays, "list", is_flat)


def _filled(X: Any) -> Any:
    if not isinstance(X, list | tuple | np.ndarray):
        raise TypeError(
            f"X must be a list of arrays or an array of rows, got {type(X).__name__}; give a "
            "single signal in a list, [x]"
        )
    if not len(X):
        raise ValueError("X holds no signal, at least 1 is required")
    return X


def checked_signal(x: Any, name: str) -> np.ndarray:
    """Return one signal as an array."""
    refuse_masked(x, name)
    try:
        array = np.asarray(x)
    except ValueError as error:
        raise ValueError(f"{name} is no array: {error}") from None
    if array.ndim not in (1, 2) or not array.size:
        raise ValueError(
            f"{name} has the shape {array.shape}, but a signal has samples, and perhaps channels, "
            "at least one of each"
        )
    if array.ndim == 2 and array.shape[1] > max(_MANY_CHANNELS, _LONGER * len(array)):
        raise ValueError(
            f"{name} has the shape {array.shape}: {len(array)} samples of {array.shape[1]} "
            "channels, which looks like channels of samples; samples come first, give its transpose"
        )
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name} has dtype {array.dtype}, but samples are {', '.join(DTYPES)}")
    if array.dtype.name not in DTYPES:
        array = array.astype(np.float32 if array.dtype.itemsize < 4 else np.float64)
    if array.dtype.kind == "f" and not (finite := np.isfinite(array)).all():
        at = np.argwhere(~finite)[0]
        raise ValueError(
            f"{name} contains {array[tuple(at)]} at sample {at[0]}; NaN and infinity "
            "can't be compressed"
        )
    return np.ascontiguousarray(array)


def full_scale(dtype: np.dtype) -> float:
    """Return what values are shares of: 2 ** 15 and 2 ** 31 for whole numbers, 1 for floats."""
    return 1.0 if dtype.kind == "f" else -float(np.iinfo(dtype).min)


def location_and_scale(signals: Signals) -> tuple[np.ndarray, float]:
    """Return the offset of each channel, and the root mean square of what differs from it.

    Parameters
    ----------
    signals : Signals
        Training data.

    Returns
    -------
    offset : ndarray of shape (n_channels,)
        Means that are far from zero, or zero, in shares of the full scale.
    scale : float
        The root mean square; 1 if it is zero.
    """
    n = sum(len(array) for array in signals.arrays)
    full = full_scale(signals.dtype)

    def mean_squares(offset: np.ndarray) -> np.ndarray:
        parts = (array.astype(np.float64) / full - offset for array in signals.arrays)
        return sum(np.square(part).sum(0) for part in parts) / n

    with np.errstate(over="ignore"):  # that is told below
        offset = sum(array.sum(0, dtype=np.float64) for array in signals.arrays) / n / full
        spread = np.sqrt(mean_squares(offset))
        # Near zero it is no offset, and silence should stay silence.
        offset = np.where(np.abs(offset) > _FAR * spread, offset, 0.0)
        scale = float(np.sqrt(mean_squares(offset).mean()))
    if not np.isfinite(scale):
        raise ValueError(
            "X has values that are too large: their mean square is infinite. Divide X by its "
            "largest absolute value"
        )
    if not scale:
        warnings.warn("X is the same number throughout: nothing to learn from", stacklevel=6)
    return offset, scale or 1.0


def scaled(array: np.ndarray, offset: np.ndarray, scale: float) -> Tensor:
    """Return samples as a network sees them.

    Parameters
    ----------
    array : ndarray of shape (n_samples, n_channels)
        Samples.
    offset : ndarray of shape (n_channels,)
        What is seen as 0, in shares of the full scale.
    scale : float
        What is seen as 1.

    Returns
    -------
    Tensor of the same shape
        In float32.

    Raises
    ------
    ValueError
        If they are too large to compute with.
    """
    x = (array / full_scale(array.dtype) - offset) / scale
    largest = float(np.abs(x).max(initial=0.0))
    if not largest < _LARGEST:
        raise ValueError(
            f"X has values {largest:.3g} times as large as the root mean square of the training "
            f"data, too large to compute with; at most {_LARGEST:.3g} times is allowed"
        )
    return torch.from_numpy(x.astype(np.float32))
