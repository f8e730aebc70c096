"""What writes signals of one kind as streams, and reads them, whatever stands between."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from torch import Tensor

from ._chunks import Chunks, opened
from ._codec import Codec
from ._container import CODED, Header
from ._errors import BitstreamError

MAX_VALUES = 2**30


class BaseStreams(ABC):
    """Base of what writes signals of one kind as streams, and reads them.

    A signal is an array with any number of axes, and one of channels after them.

    Parameters
    ----------
    codec : Codec
        Turns coefficients into bytes.
    fingerprint : int
        That of the model.
    former : tuple of int, default=()
        Fingerprints that the model had in earlier versions, whose streams are read, too.
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
    def check(self, header: Any) -> None:
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
    def write(
        self, arrays: Sequence[np.ndarray], number: int, chunk_size: int | None = None
    ) -> bytes:
        """Return the stream of signals.

        Parameters
        ----------
        arrays : sequence of ndarray
            Signals of one shape and dtype.
        number : int
            Number of the rounding step.
        chunk_size : int, default=None
            How many signals at most share a chunk; None for as many as the layout has.

        Returns
        -------
        bytes
            The stream; it holds the values themselves, if that is shorter.
        """

    @abstractmethod
    def costs(self, arrays: Sequence[np.ndarray], number: int) -> tuple[np.ndarray, np.ndarray]:
        """Return what signals cost, each as if it was coded alone.

        Parameters
        ----------
        arrays : sequence of ndarray
            Signals of one shape and dtype.
        number : int
            Number of the rounding step.

        Returns
        -------
        n_bits : ndarray of shape (n_signals,)
            Ideal lengths of their codes.
        squares : ndarray of shape (n_signals,)
            Sums of squared errors, in the units of the network.
        """

    @abstractmethod
    def decoded(
        self,
        header: Any,
        chunks: Chunks,
        max_values: int = MAX_VALUES,
        *,
        indices: Any = None,
        realism: float = 0.0,
        region: Any = None,
        n_before: int = 0,
    ) -> np.ndarray:
        """Return signals of a stream that was opened.

        Parameters
        ----------
        header, chunks : Header, Chunks
            What it is made of; chunks that hold something that is wanted are read.
        max_values : int, default=2**30
            How many bytes the signals may have.
        indices : int, slice or array-like of int or bool, default=None
            Which signals; None for all.
        realism : float, default=0.0
            How much of what rounding has erased to invent, from 0 to 1.
        region : tuple of slices, default=None
            Which part of each axis; None for all.
        n_before : int, default=0
            How many bytes signals have that were read before, and count, too.

        Returns
        -------
        ndarray of shape (n_signals, ..., n_channels)
            Signals.

        Raises
        ------
        BitstreamError
            If a chunk was changed, or the signals have too many bytes.
        """

    def __init__(self, codec: Codec, fingerprint: int, former: tuple[int, ...] = ()) -> None:
        self.codec, self.fingerprint, self.former = codec, fingerprint, former

    def opened(self, stream: bytes | memoryview) -> tuple[Any, Chunks]:
        """Return what a stream of this model is made of; chunks are checked when they are read.

        Parameters
        ----------
        stream : bytes, memoryview or another buffer
            What :meth:`write` has returned.

        Returns
        -------
        header : Header
            Its header.
        chunks : Chunks
            Its chunks.

        Raises
        ------
        BitstreamError
            If it is none.
        """
        header, chunks = opened(stream, self.header_type)
        self.check_model(header)
        allowed = [replace(header, **layout).chunk_shape for layout in self.layouts(header.shape)]
        n_together, *tile = header.chunk_shape
        if header.kind == CODED and not any(
            n_together <= most and tile == sides for most, *sides in allowed
        ):
            shapes = " or ".join(map(str, allowed))
            raise BitstreamError(
                f"the header has chunks of the shape {header.chunk_shape}, but it must be {shapes}"
            )
        return header, chunks

    def check_model(self, header: Any) -> None:
        """Make sure that this model, or an earlier version of it, has written signals.

        Parameters
        ----------
        header : Header
            Their header.

        Raises
        ------
        BitstreamError
            If it has not.
        """
        if header.fingerprint in (self.fingerprint, *self.former):
            self.check(header)
            return
        what = (
            f"the stream was written by the model {header.fingerprint:08x}, this one is "
            f"{self.fingerprint:08x}; read it with {self.writer(header.fingerprint)}"
        )
        try:
            self.check(header)
        except BitstreamError as difference:
            raise BitstreamError(f"{what}: {difference}") from None
        raise BitstreamError(what)

    def writer(self, fingerprint: int) -> str:
        """Return what has written a stream, in words.

        Parameters
        ----------
        fingerprint : int
            That of the model.

        Returns
        -------
        str
            How to get the model, if that is known.
        """
        return "the model that wrote it"

    def read(
        self, stream: bytes | memoryview, max_values: int = MAX_VALUES, **params: Any
    ) -> np.ndarray:
        """Return the signals of a stream, of which every byte is checked.

        Parameters
        ----------
        stream : bytes, memoryview or another buffer
            What :meth:`write` has returned.
        max_values : int, default=2**30
            How many bytes the signals may have.
        **params : dict
            As in :meth:`decoded`, which see.

        Returns
        -------
        ndarray of shape (n_signals, ..., n_channels)
            Signals.
        """
        header, chunks = self.opened(stream)
        chunks.check()
        return self.decoded(header, chunks, max_values, **params)
