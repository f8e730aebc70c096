"""What is asked of a stream: a size, or a fidelity."""

import warnings
from collections.abc import Callable
from numbers import Real

import numpy as np

Measure = Callable[[np.ndarray, bytes], float]
Search = Callable[[np.ndarray, Callable[[np.ndarray, bytes], bool]], tuple[bytes, bytes]]


class Target:
    """A size or a fidelity that streams should have, and how many missed it.

    Parameters
    ----------
    name : {"target_bpp", "target_psnr"}
        What is asked for: at most so many bits per pixel, or at least so many decibels.
    value : float
        How many.
    psnr : callable
        Returns the decibels of an image and its stream.

    Raises
    ------
    ValueError
        If the value is not a positive number.
    """

    def __init__(self, name: str, value: float, psnr: Measure) -> None:
        if not (isinstance(value, Real) and value > 0):
            raise ValueError(f"{name}={value!r} must be a positive number")
        self.name, self.value, self.is_size = name, float(value), name == "target_bpp"
        self._measure = _bits_per_pixel if self.is_size else psnr
        self._n_streams, self._missed = 0, []

    def stream(self, array: np.ndarray, search: Search) -> bytes:
        """Return the stream that meets the target, or comes closest.

        Parameters
        ----------
        array : ndarray of shape (height, width, channels)
            An image.
        search : callable
            Returns the last stream that is not high and the first that is, or one if all agree.

        Returns
        -------
        bytes
            The best one of those that are small enough, or the smallest that is good enough.
        """
        measured: dict[bytes, float] = {}

        def is_high(array: np.ndarray, stream: bytes) -> bool:
            value = measured[stream] = self._measure(array, stream)
            return value > self.value if self.is_size else value >= self.value

        below, above = search(array, is_high)
        stream = below if self.is_size else above
        value = measured[stream]
        self._n_streams += 1
        if value > self.value if self.is_size else value < self.value:
            self._missed.append(value)
        return stream

    def warn_if_missed(self) -> None:
        """Warn if streams missed the target, and say what they reached."""
        if not self._missed:
            return
        low, high = (f"{value:.4g}" for value in (min(self._missed), max(self._missed)))
        what = ("0 takes", "bits per pixel") if self.is_size else ("100 reaches", "dB")
        warnings.warn(
            f"{self.name}={self.value:g} can't be met for {len(self._missed)} of "
            f"{self._n_streams} images: quality {what[0]} {low}{f' to {high}' * (low != high)} "
            f"{what[1]}",
            stacklevel=3,
        )


def _bits_per_pixel(array: np.ndarray, stream: bytes) -> float:
    return 8 * len(stream) / (array.shape[0] * array.shape[1])
