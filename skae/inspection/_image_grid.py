"""Rows of images, such as originals above what a model makes of them, as tiles on one axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._shapes import ImageShape
from ._common import get_axes, merge_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colorbar import Colorbar
    from matplotlib.image import AxesImage

GAP = 0.08  # between tiles, in parts of their size


def split_channels(rows: NDArray[np.float64], image_shape: ImageShape) -> NDArray[np.float64]:
    """Return flattened images as an array of shape (n_samples, n_channels, n_pixels)."""
    return image_shape.planes(rows).reshape(len(rows), image_shape[0], -1)


class _Layout(NamedTuple):
    """Where the tiles of a grid stand, and the gap beside them, in units of their pixels."""

    lefts: NDArray[np.float64]
    tops: NDArray[np.float64]
    gap: float
    inch: float
    figsize: tuple[float, float]


def draw_image_grid(
    ax: Axes | None,
    caller: str,
    pictures: Sequence[tuple[str, NDArray[np.float64]]],
    *,
    image_shape: ImageShape,
    one_scale: bool = False,
    captions: Sequence[str] = (),
    caption_name: str = "",
    error_map: tuple[str, NDArray[np.float64]] | None = None,
    image_kwargs: Mapping[str, Any] | None = None,
) -> tuple[Axes, NDArray[np.object_], Colorbar | None]:
    """Draw flattened images; return axes, images by picture row and sample, and colour bar.

    `pictures` are the names and images of the rows of the grid, in the gray scale of the first of
    them, or in `one_scale` that suits all, and `error_map` is a last row with one value per pixel,
    which has a colour bar.
    """
    tiles = [_as_images(rows, image_shape) for _, rows in pictures]
    names = [name for name, _ in pictures]
    if error_map is not None:
        names.append(error_map[0])
        tiles.append(_as_images(error_map[1], ImageShape((1, *image_shape[1:]))))
    size = height, width = image_shape[1:]
    grid = _lay_out(
        (len(tiles), max(map(len, tiles))),
        size,
        has_captions=bool(captions),
        has_names=any(names),
        has_colorbar=error_map is not None,
    )
    ax = get_axes(ax, caller, grid.figsize)
    styles = [_gray(pictures if one_scale else pictures[:1], image_kwargs)] * len(pictures)
    styles.append({"cmap": "magma_r", "vmin": 0.0, "vmax": np.nanmax(tiles[-1])})
    images = np.empty((len(grid.tops), len(grid.lefts)), dtype=object)
    for i, row in enumerate(tiles):
        for j, tile in enumerate(row):
            images[i, j] = draw_tile(ax, tile, grid.lefts[j], grid.tops[i], size, styles[i])

    right, bottom = grid.lefts[-1] + width, grid.tops[-1] + height
    ax.set(xlim=(0, right), ylim=(bottom, 0), aspect="equal", xlabel=caption_name)
    ax.set_xticks(grid.lefts + width / 2 if captions else [], captions)
    ax.set_yticks(grid.tops + height / 2, names)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    colorbar = None if error_map is None else _add_colorbar(ax, images[-1, 0], grid, size)
    return ax, images, colorbar


def _gray(
    pictures: Sequence[tuple[str, NDArray[np.float64]]], given: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return the style of images from black, the least value of the pictures, to white."""
    from matplotlib.image import AxesImage

    low = min(np.nanmin(rows) for _, rows in pictures)
    high = max(np.nanmax(rows) for _, rows in pictures)
    return merge_style(AxesImage, {"cmap": "gray", "vmin": low, "vmax": high}, given)


def _lay_out(
    n_tiles: tuple[int, int],
    size: tuple[int, int],
    *,
    has_captions: bool,
    has_names: bool,
    has_colorbar: bool,
) -> _Layout:
    """Place rows and columns of tiles of that height and width in pixels."""
    (n_rows, n_columns), (height, width) = n_tiles, size
    gap = GAP * np.sqrt(height * width)
    inch = 1 / _pixel_size(height, width, n_rows, n_columns)
    # Flat or narrow images stand further apart, to leave room for the text beside and below them.
    step_x = max(width + gap, 0.58 * inch * has_captions)
    step_y = max(height + gap, 0.22 * inch * has_names)
    beside = 0.2 + 1.1 * has_names + 0.5 * has_colorbar
    figsize = (
        beside + max(1.9, n_columns * step_x / inch),
        0.2 + 0.3 * has_captions + n_rows * step_y / inch,
    )
    lefts, tops = np.arange(n_columns) * step_x, np.arange(n_rows) * step_y
    return _Layout(lefts, tops, gap, inch, figsize)


def _pixel_size(height: int, width: int, n_rows: int, n_samples: int) -> float:
    """Return the size in inches of a pixel of tiles that are neither too large nor too many."""
    tile = min(0.95 / np.sqrt(height * width), 2.5 / max(height, width))
    return min(tile, 8.5 / (n_samples * width), 7.5 / (n_rows * height))


def _add_colorbar(ax: Axes, image: AxesImage, grid: _Layout, size: tuple[int, int]) -> Colorbar:
    """Add the scale of an image to the right of the last row."""
    from matplotlib.ticker import MaxNLocator

    height, width = size
    length = max(height, 0.4 * grid.inch)
    middle = grid.tops[-1] + height / 2
    place = (grid.lefts[-1] + width + grid.gap, middle - length / 2, 1.2 * grid.gap, length)
    bar = ax.inset_axes(place, transform=ax.transData)
    ticks = MaxNLocator(int(np.clip(4 * length / grid.inch, 1, 5)))
    return ax.figure.colorbar(image, cax=bar, ticks=ticks)


def draw_tile(
    ax: Axes,
    image: NDArray[np.float64],
    left: float,
    top: float,
    size: tuple[int, int],
    style: Mapping[str, Any],
) -> Any:
    """Draw an image of that height and width, its upper left corner there, in a thin frame."""
    from matplotlib.patches import Rectangle

    if image.ndim == 3:  # colours have no norm of their own
        span = style["vmax"] - style["vmin"]
        image = np.clip((image - style["vmin"]) / (span or 1.0), 0, 1)
    height, width = size
    # Without a frame, tiles with a white ground run into the page.
    ax.add_patch(Rectangle((left, top), width, height, fill=False, edgecolor="0.8", clip_on=False))
    return ax.imshow(image, extent=(left, left + width, top + height, top), **style)


def _as_images(rows: NDArray[np.float64], shape: ImageShape) -> NDArray[np.float64]:
    """Return shape (n, height, width) for gray and (n, height, width, 3) for colour images."""
    return shape.pictures(rows) if shape[0] > 1 else shape.planes(rows)[:, 0]
