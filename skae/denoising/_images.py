"""Denoisers of images of any size: they see tiles, as rows."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._base import attributes_kept_on_failure
from .._shapes import Images, are_rows
from ._tiles import OVERLAP, cut, images_of, joined, tile_shape


class TakesImages:
    """Mixin of estimators that take images besides rows, and make rows of tiles of them."""

    image_shape: Any
    warm_start: bool
    n_features_in_: int
    _checked: Any
    _denoised: Any
    _tile: tuple[int, int, int] | None = None  # height, width and channels

    def fit(self, X: Any, y: Any = None, *, X_val: Any = None, y_val: Any = None) -> Self:
        """Train the denoiser.

        Parameters
        ----------
        X : {array-like, data frame} of shape (n_samples, n_features), or images
            Clean rows, to which noise is added; noisy rows of which `y` are the clean ones; or,
            with ``supervision="noisy"``, noisy rows alone. Images of any size, in an array of three
            or four axes or in a list, are cut into tiles.
        y : array-like of shape (n_samples, n_features), or images, default=None
            Clean rows. Labels, of one dimension, are only handed on to callbacks.
        X_val : {array-like, data frame} of shape (n_val, n_features), or images, default=None
            What early stopping watches, in place of a share of `X`.
        y_val : array-like of shape (n_val, n_features), or images, default=None
            The same, clean, if there are clean ones in `y`.

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
        with attributes_kept_on_failure(self):
            if are_rows(X):
                self._tile = None
                return super().fit(X, y, X_val=X_val, y_val=y_val)
            if not (self.warm_start and getattr(self, "_tile", None)):
                self._tile = tile_shape(images_of(X, "X"))
            given = {"X": X, "y": y, "X_val": X_val, "y_val": y_val}
            images = {
                name: images_of(value, name, self._tile)
                for name, value in given.items()
                if value is not None and not are_rows(value)
            }
            _check_pairs(images)
            return super().fit(**given | {n: self._tiles(each) for n, each in images.items()})

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
        images, cleaned = images_of(X, "X", self._tile), []
        for array in images.arrays:
            rows, places = cut(array, self._tile, OVERLAP)
            rows = self._denoised(self._checked(rows))
            cleaned.append(joined(rows, places, self._tile, array.shape))
        return images, cleaned


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
