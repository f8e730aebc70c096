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
    name : str
        The parameter that asks for it.
    value : float
        How much of it.
    measure : callable
        Returns what a signal and its stream have.
    unit : str
        Of what is measured.
    is_size : bool
        Whether so much is wanted at most; else at least.

    Raises
    ------
    ValueError
        If the value is not a positive number.
    """

    def __init__(self, name: str, value: float, measure: Measure, unit: str, is_size: bool) -> None:
        if not (isinstance(value, Real) and value > 0):
            raise ValueError(f"{name}={value!r} must be a positive number")
        self.name, self.value, self.is_size = name, float(value), is_size
        self._measure, self._unit = measure, unit
        self._n_streams, self._missed = 0, []

    def stream(self, array: np.ndarray, search: Search) -> bytes:
        """Return the stream that meets the target, or comes closest.

        Parameters
        ----------
        array : ndarray of shape (..., channels)
            A signal.
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
        what = "0 takes" if self.is_size else "100 reaches"
        warnings.warn(
            f"{self.name}={self.value:g} can't be met for {len(self._missed)} of "
            f"{self._n_streams} signals: quality {what} {low}{f' to {high}' * (low != high)} "
            f"{self._unit}",
            stacklevel=5,
        )
