"""What a medium has to say of signals that are cut into tiles, so that streams hold them."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from torch import Tensor

from ._container import Header
from ._selection import Place


class Medium(ABC):
    """Base of what writes and reads signals in tiles: all that it has to know of them.

    How signals are cut into chunks that have nothing to do with each other.
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
