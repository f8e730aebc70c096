"""How images are cut: into patches, and into crops to train on."""

import math
import warnings
from collections.abc import Sequence
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from .._shapes import Images
from ..training import Batch
from ._images import scaled
from ._signal_rows import SignalRows

_WHOLE, _PATCH, _LINE = 1024, 8, 64
_CROP, _TILE = 16, 64  # patches
_LEAST_SIDE = 11  # that structural similarity is measured on
_FEWEST = 3  # patches for each coefficient; with so few, digits take a tenth more bytes


class Cut(NamedTuple):
    """How images are cut.

    Parameters
    ----------
    patch : tuple of two ints
        Height and width of patches.
    crop, tile : tuple of two ints
        Height and width of the crops to train on, and of those that contexts are fitted to, as few
        squares of them lie at borders. All images hold them if they are padded to whole patches.
    """

    patch: tuple[int, int]
    crop: tuple[int, int]
    tile: tuple[int, int]

    @property
    def is_whole(self) -> bool:
        """Whether a crop is a single patch."""
        return self.patch == self.crop


def cut_of(images: Images, patch_shape: str | Sequence[int]) -> Cut:
    """Return how to cut images.

    Parameters
    ----------
    images : Images
        Training images.
    patch_shape : "auto" or sequence of two ints
        Height and width of the patches.

    Returns
    -------
    Cut
        Shapes of patches, crops and tiles.

    Raises
    ------
    ValueError
        If there is no such patch.
    """
    ph, pw = _patch_of(images, patch_shape)
    height, width = np.min([array.shape[:2] for array in images.arrays], axis=0).tolist()

    def part(n_patches: int) -> tuple[int, int]:
        return min(-(-height // ph), n_patches) * ph, min(-(-width // pw), n_patches) * pw

    return Cut((ph, pw), part(_CROP), part(_TILE))


def _patch_of(images: Images, patch_shape: str | Sequence[int]) -> tuple[int, int]:
    if not isinstance(patch_shape, str):
        shape = tuple(patch_shape)
        if len(shape) != 2 or not all(isinstance(n, Integral) and n >= 1 for n in shape):
            raise ValueError(
                f"patch_shape={patch_shape} must be 'auto' or two positive integers, height and "
                "width"
            )
        height, width = np.max([array.shape[:2] for array in images.arrays], axis=0)
        if math.prod(shape) > _WHOLE and (shape[0] > height or shape[1] > width):
            raise ValueError(
                f"patch_shape={patch_shape} must not be larger than the images, which have at most "
                f"{height} x {width} pixels"
            )
        return int(shape[0]), int(shape[1])
    height, width, _ = images.arrays[0].shape
    if images.are_equal and images.arrays[0].size <= _WHOLE:
        return height, width
    return (1, _LINE) if height == 1 and images.are_equal else (_PATCH, _PATCH)


class Crops(SignalRows):
    """Crops of images, cut when they are needed.

    Parameters
    ----------
    arrays : list of ndarray of shape (height, width, channels)
        Images, none smaller than a crop.
    cut : Cut
        Tells how large crops are.
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
        cut: Cut,
        offset: float,
        factor: float,
        seed: int,
        dtype: torch.dtype,
        device: torch.device,
    ) -> None:
        random = np.random.default_rng(seed)
        h, w = cut.crop
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
        self.arrays, self.shape, self.cut, self.seed = arrays, cut.crop, cut, seed
        self.offset, self.factor = offset, factor
        super().__init__(len(which), h * w * arrays[0].shape[2], dtype, device)

    def some(self, n_values: int, generator: torch.Generator) -> Tensor:
        if self.shape == self.cut.tile:
            return super().some(n_values, generator)
        cut, scale = self.cut._replace(crop=self.cut.tile), (self.offset, self.factor, self.seed)
        tiles = Crops(self.arrays, cut, *scale, self.dtype, self.device)
        return tiles.some(n_values, generator).unflatten(1, (*cut.tile, -1))

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


def check_crops(crops: Crops, image_shape: tuple[int, ...]) -> None:
    """Raise ValueError if a network, that a training goes on with, was made for other crops.

    Parameters
    ----------
    crops : Crops
        What to train on.
    image_shape : tuple of three ints
        Height, width and channels of what the network takes.
    """
    if crops.shape != tuple(image_shape[:2]):
        found, wanted = (f"{h} x {w}" for h, w in (crops.shape, image_shape[:2]))
        raise ValueError(
            f"X gives crops of {found} pixels, but the network that warm_start=True goes on with "
            f"was trained on crops of {wanted}: give images of that size at least, or set "
            "warm_start=False"
        )


def check_similarity(cut: Cut, objective: str) -> None:
    """Raise ValueError if structural similarity is the objective, but can't be measured on crops.

    Parameters
    ----------
    cut : Cut
        How images are cut.
    objective : {"psnr", "ms_ssim"}
        What steps of rounding serve.
    """
    if objective == "ms_ssim" and min(cut.crop) < _LEAST_SIDE:
        height, width = cut.crop
        raise ValueError(
            f"objective='ms_ssim' needs images, or crops of {_CROP} x {_CROP} patches, with sides "
            f"of {_LEAST_SIDE} pixels at least, but they have {height} x {width}; take larger "
            "patches, or objective='psnr'"
        )


def warn_of_few(crops: Crops, network: Any) -> None:
    """Warn if there is too little to learn from.

    Parameters
    ----------
    crops : Crops
        What to train on.
    network : ImageCodecNetwork
        Tells how large patches are, and how many coefficients they have.
    """
    height, width = network.patch_shape
    n_patches = sum(a.shape[0] // height * (a.shape[1] // width) for a in crops.arrays)
    if n_patches < _FEWEST * network.n_components:
        what = (
            "images" if (height, width) == crops.shape else f"patches of {height} x {width} pixels"
        )
        warnings.warn(
            f"X has {n_patches} {what}, few to learn {network.n_components} coefficients from: "
            f"other images will take many bytes. Give at least {_FEWEST * network.n_components}, "
            "better ten times as many, or set a smaller patch_shape or n_components",
            stacklevel=8,
        )
