"""Images as they come in: rows, an array of equal images, or a list of any."""

from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.utils.validation import check_array
from torch import Tensor

from ..training import Batch, Rows

_WIDEST_ICON = 8
DTYPES = (np.uint8, np.uint16, np.float32, np.float64)


class Images(NamedTuple):
    """Images, and the form that they came in.

    Parameters
    ----------
    arrays : list of ndarray of shape (height, width, channels)
        Images of one dtype and number of channels.
    form : {"rows", "array", "list"}
        What they were given as.
    is_gray : bool
        Whether they came without an axis of channels.
    """

    arrays: list[np.ndarray]
    form: str
    is_gray: bool

    @property
    def dtype(self) -> np.dtype:
        """Their dtype."""
        return self.arrays[0].dtype

    @property
    def are_equal(self) -> bool:
        """Whether all have the same shape."""
        return len({array.shape for array in self.arrays}) == 1

    def min(self) -> float:
        """Return the least value."""
        return min(float(array.min()) for array in self.arrays)

    def max(self) -> float:
        """Return the greatest value."""
        return max(float(array.max()) for array in self.arrays)

    def restored(self, arrays: np.ndarray | list[np.ndarray]) -> Any:
        """Return images in this form.

        Parameters
        ----------
        arrays : ndarray or list of ndarray of shape (height, width, channels)
            Images.

        Returns
        -------
        ndarray or list of ndarray
            Rows, an array or a list; a list also if their shapes differ.
        """
        is_array = isinstance(arrays, np.ndarray)
        if self.form == "list" or not (is_array or len({a.shape for a in arrays}) == 1):
            return [self._with_channels(array) for array in arrays]
        if not is_array:  # a single image is not copied
            arrays = np.stack(arrays) if len(arrays) > 1 else arrays[0][None]
        return (
            arrays.reshape(len(arrays), -1) if self.form == "rows" else self._with_channels(arrays)
        )

    def _with_channels(self, array: np.ndarray) -> np.ndarray:
        """Drop the axis of channels if these images came without."""
        return array[..., 0] if self.is_gray and array.shape[-1] == 1 else array


def are_alike(dtype: np.dtype, other: np.dtype) -> bool:
    """Tell whether images of one dtype can stand for those of another: floats of any width can.

    Parameters
    ----------
    dtype, other : dtype
        Two of the dtypes that images can have.

    Returns
    -------
    bool
        False for integers and floats, and for integers of different width.
    """
    return dtype == other or "u" not in (dtype.kind, other.kind)


def is_rows(X: Any) -> bool:
    """Tell whether an input holds flattened images.

    Parameters
    ----------
    X : array-like
        Input.

    Returns
    -------
    bool
        False for an array of three or four dimensions and for a list of arrays of two or three.
    """
    if isinstance(X, list | tuple) and X and hasattr(X[0], "ndim"):
        return X[0].ndim < 2
    return getattr(X, "ndim", 2) not in (3, 4)


def checked_images(X: Any) -> Images:
    """Return images that did not come as rows.

    Parameters
    ----------
    X : ndarray of shape (n_images, height, width[, channels]) or list of ndarray
        Images.

    Returns
    -------
    Images
        The images.

    Raises
    ------
    ValueError, TypeError
        If one of them is empty or not finite, of another dtype or number of channels.
    """
    form = "list" if isinstance(X, list | tuple) else "array"
    shape = () if form == "list" else X.shape
    if len(shape) == 3 and shape[2] in (3, 4) and shape[1] > _WIDEST_ICON:
        raise ValueError(
            f"X of shape {shape} looks like one image of {shape[2]} channels: pass [X], or "
            f"X[..., None] for {shape[0]} images of {shape[1]} x {shape[2]} pixels"
        )
    arrays = []
    for i, image in enumerate(X):
        image = np.asarray(image)
        name = f"X[{i}]"
        if image.ndim not in (2, 3):
            raise ValueError(
                f"{name} has shape {image.shape}, but an image has height, width and perhaps "
                "channels"
            )
        if image.dtype.type not in DTYPES:
            raise TypeError(
                f"{name} has dtype {image.dtype}, but images must be uint8, uint16, float32 or "
                "float64"
            )
        if not image.size:
            raise ValueError(f"{name} has shape {image.shape}, without any pixel")
        if image.dtype.kind == "f":
            check_array(image, ensure_2d=False, allow_nd=True, dtype=None, input_name=name)
        arrays.append(image if image.ndim == 3 else image[..., None])
        first = arrays[0]
        if arrays[-1].shape[2] != first.shape[2] or arrays[-1].dtype != first.dtype:
            raise ValueError(
                f"all images must have the same number of channels and dtype, but X[0] has "
                f"{first.shape[2]} of {first.dtype} and {name} {arrays[-1].shape[2]} of "
                f"{image.dtype}"
            )
    if not arrays:
        raise ValueError("X holds no image, at least 1 is required")
    return Images(arrays, form, np.asarray(X[0]).ndim == 2)


def padded_image(array: np.ndarray, patch_shape: tuple[int, int]) -> np.ndarray:
    """Repeat the last pixels of an image until patches fit in.

    Parameters
    ----------
    array : ndarray of shape (height, width, channels)
        Image.
    patch_shape : tuple of two ints
        Height and width of a patch.

    Returns
    -------
    ndarray
        The image, with multiples of both for height and width.
    """
    padding = [(0, -n % p) for n, p in zip(array.shape, patch_shape, strict=False)]
    return np.pad(array, [*padding, (0, 0)], mode="edge") if np.any(padding) else array


def scaled(array: np.ndarray, offset: float, factor: float) -> Tensor:
    """Return values as the network sees them.

    Parameters
    ----------
    array : ndarray
        Images.
    offset, factor : float
        Values are shifted and multiplied by these, in float64 if they have it.

    Returns
    -------
    Tensor of float32
        Values between 0 and 255 in training images; infinite where they are too large.
    """
    wide = array.astype(np.promote_types(array.dtype, np.float32), copy=False)
    with np.errstate(over="ignore"):
        return torch.from_numpy(((wide - offset) * factor).astype(np.float32, copy=False))


class Crops(Rows):
    """Crops of images, cut when they are needed.

    Parameters
    ----------
    arrays : list of ndarray of shape (height, width, channels)
        Images, none smaller than a crop.
    shape : tuple of two ints
        Height and width of a crop.
    offset, factor : float
        Values are shifted and multiplied by these.
    seed : int
        Determines where the crops lie.
    dtype : torch.dtype
        Type of the batches.
    device : torch.device
        Where the batches go.
    """

    def __init__(
        self,
        arrays: list[np.ndarray],
        shape: tuple[int, int],
        offset: float,
        factor: float,
        seed: int,
        dtype: torch.dtype,
        device: torch.device,
    ) -> None:
        random = np.random.default_rng(seed)
        h, w = shape
        areas = np.array([a.shape[0] * a.shape[1] for a in arrays], dtype=float)
        # As many as cover the images, or each image at least once.
        counts = np.ceil(areas / (h * w)).astype(int)
        which = np.repeat(np.arange(len(arrays)), counts)
        self.places = [
            (
                i,
                random.integers(arrays[i].shape[0] - h + 1),
                random.integers(arrays[i].shape[1] - w + 1),
            )
            for i in which
        ]
        self.mirrored = random.random(len(which)) < 0.5
        self.arrays, self.shape, self.offset, self.factor = arrays, shape, offset, factor
        super().__init__(len(which), h * w * arrays[0].shape[2], dtype, device)

    def _batch(self, positions: Tensor | slice) -> Batch:
        """Cut some of the crops."""
        chosen = torch.arange(self.n_rows)[positions]
        h, w = self.shape
        crops = []
        for row in chosen.tolist():
            i, top, left = self.places[row]
            crop = self.arrays[i][top : top + h, left : left + w]
            crops.append(crop[:, ::-1] if self.mirrored[row] else crop)
        values = scaled(np.stack(crops).reshape(len(crops), -1), self.offset, self.factor)
        x = values.to(device=self.device, dtype=self.dtype)
        return Batch(x, x)
