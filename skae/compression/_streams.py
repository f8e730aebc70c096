"""Images of one shape as streams and back, chunk by chunk."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ._codec import N_PER_LEVEL, N_QUALITIES, Codec
from ._coder import BitstreamError
from ._container import CODED, RAW, Header, pack, unpack
from ._images import are_alike, padded_image, scaled

MAX_VALUES = 2**30
_TILE = 512
_MOST_TOGETHER, _VALUES_TOGETHER = 256, 2**21
_FEW_VALUES = 2**15


class StreamCodec:
    """Write images of one kind as streams, and read them.

    Nothing is held of all images or tiles at once but the images and the stream themselves.

    Parameters
    ----------
    codec : Codec
        Turns coefficients into bytes.
    fingerprint : int
        That of the codec.
    scale : tuple of two floats
        The value that the network sees as 0, and by how much that is exceeded by what it sees as
        255.
    dtype : dtype
        Of the training images.
    n_channels : int
        Their number of channels.
    """

    def __init__(
        self,
        codec: Codec,
        fingerprint: int,
        scale: tuple[float, float],
        dtype: np.dtype,
        n_channels: int,
    ) -> None:
        self.codec, self.fingerprint, self.scale = codec, fingerprint, scale
        self.dtype, self.n_channels = dtype, n_channels

    # ------------------------------------------------------------------ pixels

    @torch.inference_mode()
    def coefficients(self, arrays: Sequence[np.ndarray]) -> Tensor:
        """Return the coefficients of images.

        Parameters
        ----------
        arrays : sequence of ndarray of shape (height, width, channels)
            Images of one shape.

        Returns
        -------
        Tensor of shape (n_images, rows, columns, n_components)
            Coefficients.
        """
        return self.codec.network.coefficients(self._tensor(arrays))

    def _tensor(self, arrays: Sequence[np.ndarray]) -> Tensor:
        """Return images, padded, with values between 0 and 255."""
        low, span = self.scale
        padded = np.stack([padded_image(a, self.codec.network.patch_shape) for a in arrays])
        x = scaled(padded, low, 255 / span)
        if not x.isfinite().all():
            raise ValueError(
                f"X has values up to {np.abs(padded).max():.3g}, too large to compute with; those "
                f"of the training images lie between {low:.3g} and {low + span:.3g}"
            )
        return x.to(self.codec.network.mean)

    def pixels(self, x: Tensor, dtype: np.dtype) -> np.ndarray:
        """Return images from what the network makes of coefficients.

        Parameters
        ----------
        x : Tensor of shape (n_images, height, width, channels)
            Values between 0 and 255.
        dtype : dtype
            Of the result.

        Returns
        -------
        ndarray of shape (n_images, height, width, channels)
            Images.

        Raises
        ------
        BitstreamError
            If they are not finite.
        """
        low, span = self.scale
        x = (x if dtype.kind == "u" else x.double()) * (span / 255) + low
        if not x.isfinite().all():
            raise BitstreamError("its numbers are out of range")
        values = x.numpy()
        if dtype.kind == "u":
            values = values.clip(0, np.iinfo(dtype).max).round()
        with np.errstate(over="ignore"):
            return values.astype(dtype)

    def _layout(self, n_images: int, *shape: int) -> tuple[int, int]:
        """Return how many images share a chunk, and the height and width of tiles."""
        n_together = max(1, min(n_images, _MOST_TOGETHER, _VALUES_TOGETHER // math.prod(shape)))
        patch = max(self.codec.network.patch_shape)
        return n_together, patch * max(1, _TILE // patch)

    def _header(self, arrays: Sequence[np.ndarray], number: int) -> Header:
        shape, dtype = (len(arrays), *arrays[0].shape), str(arrays[0].dtype)
        return Header(CODED, dtype, self.fingerprint, *shape, number, *self._layout(*shape))

    # ------------------------------------------------------------------ writing

    def write(self, arrays: Sequence[np.ndarray], number: int) -> bytes:
        """Return the stream of images.

        Parameters
        ----------
        arrays : sequence of ndarray of shape (height, width, channels)
            Images of one shape and dtype.
        number : int
            Number of the rounding step.

        Returns
        -------
        bytes
            The stream; it holds the pixels themselves, if that is shorter.
        """
        header = self._header(arrays, number)
        chunks = (
            self.codec.encode(self.coefficients([a[rows, columns] for a in arrays[images]]), number)
            for images, rows, columns in header.places()
        )
        stream = pack(header, chunks)
        if len(stream) <= sum(array.nbytes for array in arrays):
            return stream
        raw = replace(header, kind=RAW)
        del stream  # it is as large as the images
        little = arrays[0].dtype.newbyteorder("<")
        return pack(raw, [b"".join(a.astype(little, copy=False).tobytes() for a in arrays)])

    @torch.inference_mode()
    def costs(self, arrays: Sequence[np.ndarray], number: int) -> tuple[np.ndarray, np.ndarray]:
        """Return what images cost, each as if it was coded alone.

        Parameters
        ----------
        arrays : sequence of ndarray of shape (height, width, channels)
            Images of one shape and dtype.
        number : int
            Number of the rounding step.

        Returns
        -------
        n_bits : ndarray of shape (n_images,)
            Ideal lengths of their codes.
        squares : ndarray of shape (n_images,)
            Sums of squared errors, where the range of values is 255.
        """
        header, streams = self._header(arrays, number), self
        if arrays[0].size <= _FEW_VALUES:
            # Small images go through the network together: in float64, so that what an image costs
            # does not depend on the others.
            streams = StreamCodec(
                self.codec.double(), self.fingerprint, self.scale, self.dtype, self.n_channels
            )
        else:
            header = replace(header, n_together=1)
        n_bits, squares = np.zeros((2, len(arrays)))
        for images, rows, columns in header.places():
            parts = [array[rows, columns] for array in arrays[images]]
            y, lengths = streams.codec.cost(streams.coefficients(parts), number)
            decoded = streams._decoded(y, header, parts[0].shape[:2], 0.0)
            for i, part, image in zip(range(len(arrays))[images], parts, decoded, strict=True):
                errors = (image.astype(np.float64) - part) * (255 / self.scale[1])
                squares[i] += np.square(errors).sum()
            n_bits[images] += lengths
        return n_bits, squares

    # ------------------------------------------------------------------ reading

    @torch.inference_mode()
    def read(
        self,
        stream: bytes,
        max_values: int = MAX_VALUES,
        indices: Any = None,
        realism: float = 0.0,
        region: tuple[slice, slice] | None = None,
    ) -> np.ndarray:
        """Return the images of a stream.

        Parameters
        ----------
        stream : bytes
            What :meth:`write` has returned.
        max_values : int, default=2**30
            How many values it may unfold to.
        indices : int, slice or array-like of int, default=None
            Which images; None for all.
        realism : float, default=0.0
            How much of the texture to add, from 0 to 1.
        region : tuple of two slices, default=None
            Which rows and columns; None for all.

        Returns
        -------
        ndarray of shape (n_images, height, width, channels)
            Images.

        Raises
        ------
        BitstreamError
            If the stream was changed, or written by another model.
        """
        header, chunks = unpack(stream, max_values)
        self._check(header, chunks)
        shape = (header.n_images, header.height, header.width, header.channels)
        wanted = np.arange(header.n_images)
        if indices is not None:
            try:
                wanted = np.atleast_1d(wanted[indices])
            except IndexError as error:
                raise IndexError(f"indices={indices!r}: {error}") from None
        window, dtype = _window(region, *shape[1:3]), np.dtype(header.dtype)
        array = np.empty((len(wanted), *(w.stop - w.start for w in window), shape[3]), dtype)
        if header.kind == RAW:
            raw = np.frombuffer(chunks[0], dtype.newbyteorder("<")).reshape(shape)
            for into, i in zip(array, wanted, strict=True):
                into[:] = raw[i][window]
            return array
        (ph, pw) = self.codec.network.patch_shape
        for i, (images, rows, columns) in enumerate(header.places()):
            here = np.flatnonzero((wanted >= images.start) & (wanted < images.stop))
            parts = [_overlap(*each) for each in zip((rows, columns), window, strict=True)]
            if not len(here) or None in parts:
                continue
            (into_rows, of_rows), (into_columns, of_columns) = parts
            height, width = rows.stop - rows.start, columns.stop - columns.start
            grid = (images.stop - images.start, -(-height // ph), -(-width // pw))
            try:
                y = self.codec.decode(chunks[i], grid, header.quality)[wanted[here] - images.start]
                x = self._decoded(y, header, (height, width), realism)
            except BitstreamError as error:
                raise BitstreamError(f"chunk {i} of {len(chunks)}: {error}") from None
            array[here, into_rows, into_columns] = x[:, of_rows, of_columns]
        return array

    def _decoded(
        self, y: Tensor, header: Header, shape: tuple[int, int], realism: float
    ) -> np.ndarray:
        """Return the images of coefficients."""
        x = self.codec.network.synthesize(y, header.quality / N_PER_LEVEL, realism)
        return self.pixels(x[:, : shape[0], : shape[1]], np.dtype(header.dtype))

    def _check(self, header: Header, chunks: list[memoryview]) -> None:
        """Make sure that a stream is of this model, and claims nothing that it can't be."""
        if header.fingerprint != self.fingerprint:
            raise BitstreamError(
                f"the stream was written by the model {header.fingerprint:08x}, this one is "
                f"{self.fingerprint:08x}"
            )
        dtype = np.dtype(header.dtype)
        if header.channels != self.n_channels:
            raise BitstreamError(
                f"the header has {header.channels} channels, the model {self.n_channels}"
            )
        if not are_alike(dtype, self.dtype):
            raise BitstreamError(f"the header has dtype {dtype}, the model {self.dtype}")
        if header.kind == RAW:
            if len(chunks[0]) != header.n_values * dtype.itemsize:
                raise BitstreamError(
                    f"{len(chunks[0])} bytes of raw data, but {header.n_values} values of {dtype}"
                )
            return
        if header.quality >= N_QUALITIES:
            raise BitstreamError(f"the header has quality {header.quality}, which is not known")
        # Other layouts would let a few bytes claim much memory or time.
        layout = self._layout(header.n_images, header.height, header.width, header.channels)
        if (header.n_together, header.tile) != layout:
            raise BitstreamError(
                f"the header puts {header.n_together} images into chunks, and their tiles are "
                f"{header.tile} wide, but it must be {layout[0]} and {layout[1]}"
            )


def inspect_stream(stream: bytes) -> dict[str, Any]:
    """Return what a stream holds, without its model; its checksums are verified.

    Parameters
    ----------
    stream : bytes
        What :meth:`ImageCompressor.compress` or :meth:`ImageCompressor.compress_dataset` returned.

    Returns
    -------
    dict
        ``n_images``, ``height``, ``width``, ``channels``, ``dtype``, ``quality`` (from 0 to 100,
        None if pixels are stored as they are), ``bits_per_pixel``, ``n_chunks`` and the
        ``fingerprint`` of the model.

    Raises
    ------
    BitstreamError
        If it is no stream, or damaged.
    """
    header, chunks = unpack(stream, math.inf)
    n_pixels = header.n_images * header.height * header.width
    coded = header.kind == CODED
    return {
        **{name: getattr(header, name) for name in ("n_images", "height", "width", "channels")},
        "dtype": header.dtype,
        "quality": round(100 * header.quality / (N_QUALITIES - 1), 1) if coded else None,
        "bits_per_pixel": 8 * len(stream) / n_pixels,
        "n_chunks": len(chunks),
        "fingerprint": header.fingerprint,
    }


def _window(region: Any, height: int, width: int) -> tuple[slice, slice]:
    """Return rows and columns of a region as slices that lie in the image."""
    if region is None:
        return slice(0, height), slice(0, width)
    is_pair = isinstance(region, tuple | list) and len(region) == 2
    if not is_pair or not all(isinstance(s, slice) and s.step in (None, 1) for s in region):
        raise ValueError(f"region={region!r} must be two slices without steps, rows and columns")
    rows, columns = (slice(*s.indices(n)[:2]) for s, n in zip(region, (height, width), strict=True))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        raise ValueError(f"region={region!r} holds no pixel of an image of {height} x {width}")
    return rows, columns


def _overlap(tile: slice, window: slice) -> tuple[slice, slice] | None:
    """Return which part of a window is in a tile, counted in the window and in the tile."""
    start, stop = max(tile.start, window.start), min(tile.stop, window.stop)
    if start >= stop:
        return None
    return tuple(slice(start - s.start, stop - s.start) for s in (window, tile))
