"""Images of one shape as streams and back."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from ..coding import (
    CODED,
    N_NUMBERS,
    N_PER_LEVEL,
    BitstreamError,
    Codec,
    Header,
    StreamCodec,
    opened,
    varint,
)
from ._bundled import version_of
from ._images import are_alike, are_gray_among_colors, padded_image, scaled

_COLORS = 3
_TILE, _LONGEST_LINE = 512, 512**2
_MOST_TOGETHER, _VALUES_TOGETHER = 256, 2**21


@dataclass(frozen=True)
class ImageHeader(Header):
    """What is known of the images of a stream before any of them is decoded.

    Parameters
    ----------
    kind : int
        ``RAW`` or ``CODED``.
    dtype : str
        One of ``dtypes``.
    fingerprint : int
        That of the model.
    n_images, height, width, channels : int
        Shape of all images.
    n_together : int, default=1
        Number of images that share a chunk; not in raw streams, nor is what follows.
    tile : int, default=1
        Height and width of the tiles, but those at the lower and right borders.
    number : int, default=0
        Number of the rounding step.
    """

    magic = b"\x89SKI"
    dtypes = ("uint8", "uint16", "float32", "float64")

    n_images: int
    height: int
    width: int
    channels: int
    n_together: int = 1
    tile: int = 1

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Number of images, height, width and channels."""
        return self.n_images, self.height, self.width, self.channels

    @property
    def chunk_shape(self) -> tuple[int, int, int]:
        """Number of images that share a chunk, height and width of tiles."""
        return self.n_together, self.tile, self.tile

    def check(self) -> None:
        super().check()
        if self.n_together > (most := _most_together(*self.shape)):
            raise BitstreamError(
                f"the header has {self.n_together} images in a chunk, more than {most}"
            )


class ImageStreams(StreamCodec):
    """Write images of one kind as streams, and read them.

    A model of three channels also writes images of one, as if their channels were equal; the
    components that tell colors apart are not coded.

    Parameters
    ----------
    codec : Codec
        Turns coefficients into bytes; its network is an ImageCodecNetwork.
    scale : tuple of two floats
        The value that the network sees as 0, and by how much that is exceeded by what it sees as
        255.
    dtype : dtype
        Of the training images.
    n_channels : int
        Their number of channels.
    fingerprint : int or None, default=None
        That of the model; None computes it.
    former : tuple of int, default=()
        Fingerprints that the model had in earlier versions, whose streams are read, too.
    """

    header_type = ImageHeader

    def __init__(
        self,
        codec: Codec,
        scale: tuple[float, float],
        dtype: np.dtype,
        n_channels: int,
        fingerprint: int | None = None,
        former: tuple[int, ...] = (),
    ) -> None:
        if fingerprint is None:
            medium = struct.pack("<ddB", *scale, ImageHeader.dtypes.index(dtype.name))
            sizes = (n_channels, *codec.network.patch_shape)
            fingerprint = codec.fingerprint(medium + b"".join(map(varint, sizes)))
        super().__init__(codec, 255 / scale[1], fingerprint, former)
        self.scale, self.dtype, self.n_channels = scale, dtype, n_channels

    def layouts(self, shape: tuple[int, ...]) -> list[dict[str, Any]]:
        """Return how images may be cut into chunks.

        Parameters
        ----------
        shape : tuple of four ints
            Number of images, height, width and channels.

        Returns
        -------
        list of dict
            One layout; of long lines another one before it.
        """
        sides = shape[1:3]
        n_together = _most_together(*shape)
        patch_shape = self.codec.network.patch_shape
        tiles = [_multiple(max(patch_shape), _TILE)]
        # Where padding would make an area of a line, its tiles stay short.
        is_line = (1, 1) in zip(sides, patch_shape, strict=True)
        if is_line and max(sides) > tiles[0]:
            tiles.insert(0, _multiple(max(patch_shape), _LONGEST_LINE))
        return [{"n_together": n_together, "tile": tile} for tile in tiles]

    def check(self, header: ImageHeader) -> None:
        """Make sure that images are of the kind that the model was fitted to.

        Parameters
        ----------
        header : ImageHeader
            Their header.

        Raises
        ------
        BitstreamError
            If they have another dtype or number of channels.
        """
        if header.channels != self.n_channels and not self._is_gray(header.channels):
            raise BitstreamError(
                f"the header has {header.channels} channels, the model {self.n_channels}"
            )
        if not are_alike(np.dtype(header.dtype), self.dtype):
            raise BitstreamError(f"the header has dtype {header.dtype}, the model {self.dtype}")

    def writer(self, fingerprint: int) -> str:
        version = version_of(fingerprint)
        known = f"ImageCompressor.pretrained(version={version})"
        return super().writer(fingerprint) if version is None else known

    def coded(self, header: ImageHeader) -> Tensor | None:
        """Return which components are coded.

        Parameters
        ----------
        header : ImageHeader
            Of the images.

        Returns
        -------
        Tensor of bool of shape (n_components,) or None
            Those that tell of gray images, if these are gray, and else None, for all.
        """
        if not self._is_gray(header.channels):
            return None
        return self.codec.network.transform.tell_gray(_COLORS)

    def _is_gray(self, n_channels: int) -> bool:
        """Tell whether images are gray where those of the model have colors."""
        return are_gray_among_colors(n_channels, self.n_channels)

    def window(self, region: Any, lengths: tuple[int, ...]) -> tuple[slice, ...]:
        """Return rows and columns of a region as slices that lie in the images.

        Parameters
        ----------
        region : tuple of two slices or None
            Rows and columns; None for all.
        lengths : tuple of two ints
            Height and width.

        Returns
        -------
        tuple of two slices
            Rows and columns.

        Raises
        ------
        ValueError
            If the region is no pair of slices without steps, or holds no pixel.
        """
        if region is None:
            region = slice(None), slice(None)
        is_pair = isinstance(region, tuple | list) and len(region) == 2
        if not is_pair or not all(isinstance(s, slice) and s.step in (None, 1) for s in region):
            raise ValueError(
                f"region={region!r} must be two slices without steps, rows and columns"
            )
        window = tuple(slice(*s.indices(n)[:2]) for s, n in zip(region, lengths, strict=True))
        if any(s.start >= s.stop for s in window):
            size = " x ".join(map(str, lengths))
            raise ValueError(f"region={region!r} holds no pixel of an image of {size}")
        return window

    def grid(self, place: tuple[slice, ...]) -> tuple[int, ...]:
        """Return how many patches are in a chunk.

        Parameters
        ----------
        place : tuple of three slices
            Its images, rows and columns.

        Returns
        -------
        tuple of three ints
            Numbers of images, of rows and of columns of patches.
        """
        n_images, *sides = (s.stop - s.start for s in place)
        patch_shape = self.codec.network.patch_shape
        return n_images, *(-(-n // p) for n, p in zip(sides, patch_shape, strict=True))

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
        network, (low, span) = self.codec.network, self.scale
        padded = np.stack([padded_image(array, network.patch_shape) for array in arrays])
        x = scaled(padded, low, 255 / span)
        if not x.isfinite().all():
            raise ValueError(
                f"X has values up to {np.abs(padded).max():.3g}, too large to compute with; those "
                f"of the training images lie between {low:.3g} and {low + span:.3g}"
            )
        return network.coefficients(x.to(network.mean).expand(-1, -1, -1, self.n_channels))

    def samples(
        self, y: Tensor, header: ImageHeader, place: tuple[slice, ...], realism: float
    ) -> np.ndarray:
        """Return the images of coefficients.

        Parameters
        ----------
        y : Tensor of shape (n_images, rows, columns, n_components)
            Coefficients.
        header : ImageHeader
            Tells dtype and number of the rounding step.
        place : tuple of three slices
            Tells the height and width of the tile.
        realism : float
            How much of the texture to add, from 0 to 1.

        Returns
        -------
        ndarray of shape (n_images, height, width, channels)
            Images, or one tile of them.

        Raises
        ------
        BitstreamError
            If they are not finite.
        """
        height, width = (s.stop - s.start for s in place[1:])
        network, is_gray = self.codec.network, self._is_gray(header.channels)
        if is_gray:
            y = network.transform.of_gray(y, _COLORS)
        x = network.synthesize(y, header.number / N_PER_LEVEL, realism)
        if is_gray:
            x = x.mean(-1, keepdim=True)
        return self.pixels(x[:, :height, :width], np.dtype(header.dtype))

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


def inspect_images(stream: bytes | memoryview) -> dict[str, Any]:
    """Return what a stream of images holds; see :func:`inspect_stream`."""
    header, chunks = opened(stream, ImageHeader)
    chunks.check()
    n_pixels = header.n_images * header.height * header.width
    coded = header.kind == CODED
    return {
        **{name: getattr(header, name) for name in ("n_images", "height", "width", "channels")},
        "dtype": header.dtype,
        "quality": round(100 * header.number / (N_NUMBERS - 1), 1) if coded else None,
        "bits_per_pixel": 8 * memoryview(stream).nbytes / n_pixels,
        "n_chunks": len(chunks),
        "fingerprint": header.fingerprint,
    }


def _most_together(n_images: int, height: int, width: int, n_channels: int) -> int:
    """Return how many images may share a chunk."""
    return max(1, min(n_images, _MOST_TOGETHER, _VALUES_TOGETHER // (height * width * n_channels)))


def _multiple(length: int, most: int) -> int:
    """Return the largest multiple of a length that is not above a number, or the length itself."""
    return length * max(1, most // length)
