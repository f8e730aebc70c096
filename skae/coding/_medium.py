"""What a medium has to say of its signals, so that they can be written as streams and read."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from torch import Tensor

from ._container import Header
from ._selection import Place


class Medium(ABC):
    """Base of what writes and reads signals of one kind: all that it has to know of them.

    A signal is an array with any number of axes, and one of channels after them.
    """

    header_type: ClassVar[type[Header]]

    @abstractmethod
    def layouts(self, shape: tuple[int, ...]) -> list[dict[str, Any]]:
        """Return how signals may be cut into chunks.

        Parameters
        ----------
        shape : tuple of int
            Number of signals, lengths of their axes, number of channels.

        Returns
        -------
        list of dict
            The fields of headers that tell of it, among them `n_together`, how many signals at most
            share a chunk. Streams are written with the first, and read with any; others would let a
            few bytes claim much memory or time.
        """

    @abstractmethod
    def check(self, header: Header) -> None:
        """Make sure that signals are of the kind that the model was fitted to.

        Parameters
        ----------
        header : Header
            Their header.

        Raises
        ------
        BitstreamError
            If they have other channels, for one.
        """

    @abstractmethod
    def window(self, region: Any, lengths: tuple[int, ...]) -> tuple[slice, ...]:
        """Return a region that was asked for as slices that lie in the signals.

        Parameters
        ----------
        region : tuple of slices or None
            What was asked for; None for all.
        lengths : tuple of int
            Those of the axes.

        Returns
        -------
        tuple of slices
            One for each axis, with start and stop, none of them empty.

        Raises
        ------
        ValueError
            If there is no such part.
        """

    @abstractmethod
    def grid(self, place: Place) -> tuple[int, ...]:
        """Return the shape of the coefficients of a chunk, without their components.

        Parameters
        ----------
        place : tuple of slices
            Its signals, and its part of each axis.

        Returns
        -------
        tuple of int
            Number of signals, rows and columns.
        """

    @abstractmethod
    def coefficients(self, arrays: Sequence[np.ndarray]) -> Tensor:
        """Return the coefficients of signals, or of parts of them.

        Parameters
        ----------
        arrays : sequence of ndarray
            Signals of one shape.

        Returns
        -------
        Tensor of shape (n_signals, rows, columns, n_components)
            Coefficients, in the dtype of the network, which is float64 where costs are measured.
        """

    @abstractmethod
    def samples(self, y: Tensor, header: Header, place: Place, realism: float) -> np.ndarray:
        """Return the signals of coefficients.

        Parameters
        ----------
        y : Tensor of shape (n_signals, rows, columns, n_components)
            Coefficients.
        header : Header
            Tells dtype and number of the rounding step.
        place : tuple of slices
            Tells how long the part of each axis is.
        realism : float
            How much of what rounding has erased to invent, from 0 to 1.

        Returns
        -------
        ndarray
            Signals, or these parts of them.

        Raises
        ------
        BitstreamError
            If they are not finite.
        """

    def coded(self, header: Header) -> Tensor | None:
        """Return which components are coded, where signals have some that follow from the others.

        Parameters
        ----------
        header : Header
            Of the signals.

        Returns
        -------
        Tensor of bool of shape (n_components,) or None
            None for all.
        """
        return None
