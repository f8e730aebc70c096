"""Recordings as the metrics of audio take them, and the spectra of their frames."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ._checks import refuse_masked

_DTYPES = (np.int16, np.int32, np.float16, np.float32, np.float64)
_FRAMES_AT_ONCE = 2048  # bounds the memory that spectra of long recordings take


def checked_pair(
    X_true: Any, X_pred: Any, names: tuple[str, str] = ("X_true", "X_pred")
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return an original and its decoded version in units of full scale.

    Parameters
    ----------
    X_true, X_pred : array-like of shape (n_samples,) or (n_samples, n_channels)
        What the user gave, of int16, int32 or floats.
    names : tuple of two str
        Their parameters' names.

    Returns
    -------
    tuple of two ndarrays of shape (n_samples, n_channels) of float64
        The same samples; whole numbers are divided by what is just beyond their greatest.

    Raises
    ------
    ValueError
        If they are not two such recordings of one shape and finite values, or the original is
        silent.
    """
    true, pred = (_checked(X, name) for X, name in zip((X_true, X_pred), names, strict=True))
    if np.shape(X_true) != np.shape(X_pred):
        raise ValueError(
            f"{names[0]} and {names[1]} must have the same shape, "
            f"got {np.shape(X_true)} and {np.shape(X_pred)}."
        )
    if not true.any():
        raise ValueError(f"{names[0]} must not be silent, got zeros only.")
    return true, pred


def frame_length(frame_ms: float, sample_rate: float, n_samples: int, *, least: int = 1) -> int:
    """Return the number of samples in a frame.

    Parameters
    ----------
    frame_ms : float
        Length of a frame in milliseconds.
    sample_rate : float
        Samples per second, in Hz.
    n_samples : int
        Length of the recording.
    least : int, default=1
        The fewest samples that a frame can have.

    Returns
    -------
    int
        The number of samples.

    Raises
    ------
    ValueError
        If that is too few, or more than the recording has.
    """
    length = round(frame_ms * sample_rate / 1000)
    if length < least:
        raise ValueError(
            f"frame_ms must be at least {least} sample{'s' * (least > 1)}, got {frame_ms:g} ms, "
            f"{length} samples at {sample_rate:g} Hz."
        )
    if n_samples < length:
        raise ValueError(
            f"Recordings must have a frame or more, {length} samples at {sample_rate:g} Hz, got "
            f"{n_samples} samples: give a smaller frame_ms."
        )
    return length


def spectra(x: NDArray[np.float64], length: int, hop: int) -> Iterator[NDArray[np.float64]]:
    """Yield amplitudes of frames under a Hann window whose values sum to 1.

    Parameters
    ----------
    x : ndarray of shape (n_samples,) of float64
        One channel. Half a frame of zeros is put before and after it, and zeros that complete the
        last frame.
    length : int
        Samples of a frame.
    hop : int
        Samples from one frame to the next.

    Yields
    ------
    ndarray of shape (n_frames, n_frequencies) of float64
        Amplitudes of so many frames at a time; a sine of full scale has .5.
    """
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)
    padded = np.pad(x, length // 2)
    padded = np.pad(padded, (0, -(len(padded) - length) % hop))
    frames = sliding_window_view(padded, length)[::hop]
    for start in range(0, len(frames), _FRAMES_AT_ONCE):
        yield np.abs(np.fft.rfft(frames[start : start + _FRAMES_AT_ONCE] * (window / window.sum())))


def _checked(X: Any, name: str) -> NDArray[np.float64]:
    refuse_masked(X, name)
    try:
        samples = np.asarray(X)
    except ValueError as error:  # recordings of different lengths in a list
        raise ValueError(f"{name} must be one recording, got a list of several.") from error
    if samples.ndim not in (1, 2):
        raise ValueError(
            f"{name} must have shape (n_samples,) or (n_samples, n_channels), got {samples.shape}."
        )
    if samples.dtype not in _DTYPES:
        allowed = ", ".join(np.dtype(dtype).name for dtype in _DTYPES)
        raise ValueError(f"{name} must be of one of {allowed}, got {samples.dtype}.")
    if samples.size == 0:
        raise ValueError(f"{name} must have samples, got shape {samples.shape}.")
    full_scale = 1.0 if samples.dtype.kind == "f" else -float(np.iinfo(samples.dtype).min)
    values = samples.reshape(len(samples), -1).astype(np.float64) / full_scale
    if not np.isfinite(values).all():
        place = int(np.argmin(np.isfinite(values).all(axis=1)))
        raise ValueError(f"{name} must be finite, got NaN or infinity at sample {place}.")
    return values
