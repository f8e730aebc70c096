"""Denoisers of images of any size: they see tiles, as rows."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from itertools import product
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._base import attributes_kept_on_failure, given_weights
from .._shapes import Images, are_rows
from ._tiles import OVERLAP, cut, images_of, joined, tile_shape

_OTHER_UNITS = 50  # times as much contrast


class TakesImages:
    """Mixin of estimators that take images besides rows, and make rows of tiles of them."""

    image_shape: Any
    self_ensemble: bool
    warm_start: bool
    n_features_in_: int
    _span: float  # of the clean training data, 0 if there are none
    _checked: Any
    _denoised: Any
    _tile: tuple[int, int, int] | None = None  # height, width and channels

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name in ("transform", "fit_transform"):
            setattr(cls, name, _with_images_as_they_are(getattr(cls, name)))

    def fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        checkpoint: Any = None,
        resume: Any = None,
    ) -> Self:
        """Train the denoiser.

        Parameters
        ----------
        X : {array-like, data frame} of shape (n_samples, n_features), or images
            Clean rows, to which noise is added; noisy rows of which `y` are the clean ones; or,
            with ``supervision="noisy"``, noisy rows alone. Images of any size, in an array of three
            or four axes or in a list, are cut into tiles.
        y : array-like of shape (n_samples, n_features), or images, default=None
            Clean rows. Labels, of one dimension, are only handed on to callbacks.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each row counts, or each image, at least 0. Whole numbers are counts of equal
            rows; of others, only the ratios matter. See :ref:`weights`.
        X_val : {array-like, data frame} of shape (n_val, n_features), or images, default=None
            What early stopping watches, in place of a share of `X`.
        y_val : array-like of shape (n_val, n_features), or images, default=None
            The same, clean, if there are clean ones in `y`.
        checkpoint : str or path-like, default=None
            File to write the state of the training to, after each epoch.
        resume : str or path-like, default=None
            Such a file, from which the training goes on to the same bits, if data and parameters
            are the same; if there is none yet, it starts from the beginning. See
            :ref:`checkpoints`.

        Returns
        -------
        self : object
            The fitted denoiser.

        Raises
        ------
        ValueError
            If a parameter does not fit the data, or the loss becomes infinite or NaN. A denoiser
            that was fitted before stays as it was.
        """
        files = {"checkpoint": checkpoint, "resume": resume}
        with attributes_kept_on_failure(self):
            if are_rows(X):
                self._tile = None
                return super().fit(X, y, sample_weight, X_val=X_val, y_val=y_val, **files)
            if not (self.warm_start and getattr(self, "_tile", None)):
                self._tile = tile_shape(images_of(X, "X"))
            given = {"X": X, "y": None if y is X else y, "X_val": X_val, "y_val": y_val}
            images = {
                name: images_of(value, name, self._tile)
                for name, value in given.items()
                if value is not None and not are_rows(value)
            }
            _check_pairs(images)
            if sample_weight is not None:
                sample_weight = self._weights_of_tiles(images["X"], sample_weight)
            tiles = {name: self._tiles(each) for name, each in images.items()}
            return super().fit(**given | tiles, sample_weight=sample_weight, **files)

    def _weights_of_tiles(self, images: Images, weights: Any) -> np.ndarray:
        """Return the weights of tiles, from those of their images."""
        weights = given_weights(weights, len(images.arrays))
        n_tiles = [len(cut(array, self._tile)[0]) for array in images.arrays]
        return np.repeat(weights, n_tiles)

    def _tiles(self, images: Images) -> np.ndarray:
        """Return the tiles of images as rows."""
        assert self._tile is not None
        return np.concatenate([cut(array, self._tile)[0] for array in images.arrays])

    @property
    def _image_shape(self) -> Sequence[int] | None:
        """Shape of rows that are images or tiles of images."""
        if self._tile is None:
            return self.image_shape
        return self._tile[:2] if self._tile[2] == 1 else self._tile

    def _cleaned(self, X: Any) -> tuple[Images, list[np.ndarray]]:
        """Return images, and what they become, float64."""
        check_is_fitted(self)
        if self._tile is None:
            raise ValueError(
                "X holds images, but the denoiser was fitted to rows: pass rows of "
                f"{self.n_features_in_} features, or fit it to images"
            )
        images = images_of(X, "X", self._tile)
        _warn_of_units("X", images.max() - images.min(), "the clean training images", self._span)
        return images, [self._cleaned_image(array) for array in images.arrays]

    def _cleaned_image(self, array: np.ndarray) -> np.ndarray:
        """Return what an image becomes, the mean over the orientations that it is seen in."""
        assert self._tile is not None
        orientations = list(product(range(4), (1, -1))) if self.self_ensemble else [(0, 1)]
        total = np.zeros(array.shape)
        for turns, step in orientations:
            seen = np.rot90(array, turns)[:, ::step]
            rows, places = cut(seen, self._tile, OVERLAP)
            rows = self._denoised(self._checked(rows))
            image = joined(rows, places, self._tile, seen.shape)
            total += np.rot90(image[:, ::step], -turns)
        return total / len(orientations)


def _with_images_as_they_are(method: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method whose output `set_output` makes frames of, unless it is images."""

    @wraps(method)
    def as_they_are(self: Any, X: Any, *args: Any, **kwargs: Any) -> Any:
        called: Any = method if are_rows(X) else method.__wrapped__  # type: ignore[attr-defined]
        return called(self, X, *args, **kwargs)

    return as_they_are


def _check_pairs(images: Mapping[str, Images]) -> None:
    """Raise ValueError if clean images are not of the shapes of noisy ones."""
    for noisy, clean in (("X", "y"), ("X_val", "y_val")):
        if noisy in images and clean in images:
            one, other = ([a.shape for a in images[name].arrays] for name in (noisy, clean))
            if one != other:
                found = [pair for pair in zip(one, other, strict=False) if pair[0] != pair[1]]
                what = f"{found[0][1]} for {found[0][0]}" if found else f"{len(other)} images"
                raise ValueError(
                    f"{clean} must hold images of the shapes of the {len(one)} in {noisy}, but it "
                    f"has {what}"
                )
            spans = [images[name].max() - images[name].min() for name in (noisy, clean)]
            _warn_of_units(noisy, spans[0], clean, spans[1])


def _warn_of_units(name: str, span: float, other: str, known: float) -> None:
    """Warn of pixels from 0 to 255 where those from 0 to 1 are known, or the other way round."""
    if span and known and not 1 / _OTHER_UNITS < span / known < _OTHER_UNITS:
        warnings.warn(
            f"the values of {name} span {span:.3g} and those of {other} {known:.3g}: are these the "
            "same units?",
            stacklevel=4,
        )
