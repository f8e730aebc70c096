"""ReconstructionDisplay: rows or images above what a model makes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import _safe_indexing, check_random_state
from sklearn.utils.validation import _num_samples

from ._common import (
    check_at_least_one,
    check_image_shape,
    check_names,
    check_rows,
    check_same_length,
    check_same_shape,
    reconstruction,
    three_digits,
)
from ._image_grid import draw_image_grid, split_channels
from ._mixed_frames import as_frame, is_mixed, places
from ._row_panels import draw_row_panels
from ._row_units import check_units, suitable_units

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class ReconstructionDisplay:
    """Some samples and their reconstructions, as images or feature by feature.

    With `image_shape` the originals stand above their reconstructions, in one gray scale. Without
    it each sample gets a panel: a dot plot with one line per feature for up to 40 features, two
    curves over the features for more.

    It is recommended to use :meth:`from_estimator` or :meth:`from_predictions` to create a display.
    All parameters are stored as attributes.

    Parameters
    ----------
    X : {array-like, data frame, sparse matrix} of shape (n_samples, n_features)
        Samples, all of which are drawn. Missing values are left out of picture and error. Of a
        frame, categories are written out; one that comes back as another one has the error 1.

    X_reconstructed : {array-like, data frame, sparse matrix} of shape (n_samples, n_features)
        Reconstructions of the samples.

    image_shape : tuple of int, default=None
        Shape (height, width) of gray images, or (channels, height, width) with 1 or 3 channels. If
        None, the samples are drawn as rows of features.

    feature_names : array-like of str of shape (n_features,), default=None
        Names of the features. If None, the columns of a dataframe `X`, or "x0", "x1", ...

    center : array-like of shape (n_features,), default=None
        Subtracted from both samples and reconstructions before they are drawn as rows.

    scale : array-like of shape (n_features,), default=None
        Positive unit of each feature, by which rows are divided after `center` is subtracted.

    X_damaged : {array-like, sparse matrix} of shape (n_samples, n_features), default=None
        What the reconstructions were made of, if not of the samples themselves: images with noise,
        or with missing pixels (NaN). Needs `image_shape`.

    Attributes
    ----------
    errors_ : ndarray of shape (n_samples,)
        Mean squared error of each sample, in the units that are drawn.

    images_ : ndarray of shape (n_picture_rows, n_samples) of matplotlib AxesImage, or None
        Originals, damaged images if there are any, reconstructions and, if asked for, error maps.

    colorbar_ : matplotlib Colorbar or None
        Scale of the error maps.

    lines_ : ndarray of shape (2, n_samples) of matplotlib Line2D, or None
        Dots or curves of the originals and the reconstructions.

    axes_ : ndarray of matplotlib Axes
        One panel for each sample, or the one axes that holds all images.

    ax_ : matplotlib Axes
        Axes that encloses the picture.

    figure_ : matplotlib Figure
        Figure containing the picture.

    See Also
    --------
    LatentSpaceDisplay : The codes from which the samples are reconstructed.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skae.decomposition import Autoencoder
    >>> from skae.inspection import ReconstructionDisplay
    >>> X, _ = load_digits(return_X_y=True)
    >>> model = Autoencoder(n_components=8, max_epochs=5, random_state=0).fit(X)
    >>> display = ReconstructionDisplay.from_estimator(model, X, image_shape=(8, 8))
    >>> display.images_.shape
    (2, 8)
    """

    def __init__(
        self,
        X: ArrayLike,
        X_reconstructed: ArrayLike,
        *,
        image_shape: Sequence[int] | None = None,
        feature_names: ArrayLike | None = None,
        center: ArrayLike | None = None,
        scale: ArrayLike | None = None,
        X_damaged: ArrayLike | None = None,
    ) -> None:
        X, X_reconstructed = as_frame(X), as_frame(X_reconstructed)
        self.texts = None
        if is_mixed(X):
            self.X, self.X_reconstructed, self.texts = places(X, X_reconstructed)
        else:
            self.X = check_rows(X, "X", allow_nan=True)
            self.X_reconstructed = check_rows(X_reconstructed, "X_reconstructed")
        check_same_shape(X=self.X, X_reconstructed=self.X_reconstructed)
        n_features = self.X.shape[1]
        self.feature_names = check_names(feature_names, X, n_features)
        self.image_shape = check_image_shape(image_shape, n_features)
        self.center, self.scale = check_units(center, scale, n_features)
        self.X_damaged = None
        if X_damaged is not None:
            if image_shape is None:
                raise ValueError("X_damaged needs image_shape=(height, width), got None.")
            self.X_damaged = check_rows(X_damaged, "X_damaged", allow_nan=True)
            check_same_shape(X=self.X, X_damaged=self.X_damaged)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike,
        *,
        image_shape: Sequence[int] | None = None,
        feature_names: ArrayLike | None = None,
        n_samples: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        standardize: bool | Literal["auto"] = "auto",
        ax: Axes | None = None,
        error_map: bool = False,
        image_kwargs: Mapping[str, Any] | None = None,
        line_kwargs: Mapping[str, Any] | None = None,
        X_damaged: ArrayLike | None = None,
    ) -> Self:
        """Reconstruct some rows of `X` with a fitted estimator and draw both.

        Parameters
        ----------
        estimator : estimator instance
            Fitted estimator. Its `reconstruct` is used if it has one, otherwise its
            `inverse_transform` of its `transform`, as for a Pipeline, otherwise its `transform`, as
            for a denoiser or an imputer.

        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples to choose from.

        image_shape : tuple of int, default=None
            Shape (height, width) or (channels, height, width) of images. If None, draw rows.

        feature_names : array-like of str of shape (n_features,), default=None
            Names of the features. If None, the columns of a dataframe `X`, or "x0", "x1", ...

        n_samples : int, default=None
            Number of samples drawn. If None, 8 images or 4 rows.

        random_state : int, RandomState instance or None, default=None
            Chooses the samples at random. If None, they are evenly spaced through `X`.

        standardize : bool or "auto", default="auto"
            Whether rows are drawn in standard deviations from the mean of `X`. "auto" does so in a
            dot plot when the standard deviations of the features span more than a decade.

        ax : matplotlib Axes, default=None
            Axes whose place the picture takes. If None, a new figure is made.

        error_map : bool, default=False
            Whether a last row of images shows the absolute error of each pixel.

        image_kwargs : dict, default=None
            Keywords for originals and reconstructions, passed to
            :meth:`matplotlib.axes.Axes.imshow`, such as `cmap`, `vmin` and `vmax`.

        line_kwargs : dict, default=None
            Keywords of :meth:`matplotlib.axes.Axes.plot` for the reconstructions of rows.

        X_damaged : {array-like, sparse matrix} of shape (n_samples, n_features), default=None
            The same images, damaged: what the estimator is given, and is drawn between both.

        Returns
        -------
        display : ReconstructionDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If the estimator has none of the methods named above.
        """
        rows = _choose_rows(X, n_samples, image_shape, random_state)
        chosen, damaged = _safe_indexing(X, rows), None
        if X_damaged is not None:
            check_same_length(X=X, X_damaged=X_damaged)
            damaged = _safe_indexing(X_damaged, rows)
        return cls(
            chosen,
            reconstruction(estimator, chosen if damaged is None else damaged),
            image_shape=image_shape,
            feature_names=feature_names,
            X_damaged=damaged,
            **suitable_units(X, standardize, image_shape),
        ).plot(ax, error_map=error_map, image_kwargs=image_kwargs, line_kwargs=line_kwargs)

    @classmethod
    def from_predictions(
        cls,
        X: ArrayLike,
        X_reconstructed: ArrayLike,
        *,
        image_shape: Sequence[int] | None = None,
        feature_names: ArrayLike | None = None,
        n_samples: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        standardize: bool | Literal["auto"] = "auto",
        ax: Axes | None = None,
        error_map: bool = False,
        image_kwargs: Mapping[str, Any] | None = None,
        line_kwargs: Mapping[str, Any] | None = None,
        X_damaged: ArrayLike | None = None,
    ) -> Self:
        """Draw some of the given samples and reconstructions.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples to choose from.

        X_reconstructed : {array-like, sparse matrix} of shape (n_samples, n_features)
            Reconstructions of the samples.

        image_shape : tuple of int, default=None
            Shape (height, width) or (channels, height, width) of images. If None, draw rows.

        feature_names : array-like of str of shape (n_features,), default=None
            Names of the features. If None, the columns of a dataframe `X`, or "x0", "x1", ...

        n_samples : int, default=None
            Number of samples drawn. If None, 8 images or 4 rows.

        random_state : int, RandomState instance or None, default=None
            Chooses the samples at random. If None, they are evenly spaced through `X`.

        standardize : bool or "auto", default="auto"
            Whether rows are drawn in standard deviations from the mean of `X`. "auto" does so in a
            dot plot when the standard deviations of the features span more than a decade.

        ax : matplotlib Axes, default=None
            Axes whose place the picture takes. If None, a new figure is made.

        error_map : bool, default=False
            Whether a last row of images shows the absolute error of each pixel.

        image_kwargs : dict, default=None
            Keywords for originals and reconstructions, passed to
            :meth:`matplotlib.axes.Axes.imshow`, such as `cmap`, `vmin` and `vmax`.

        line_kwargs : dict, default=None
            Keywords of :meth:`matplotlib.axes.Axes.plot` for the reconstructions of rows.

        X_damaged : {array-like, sparse matrix} of shape (n_samples, n_features), default=None
            The same images, damaged: what the reconstructions were made of, drawn between both.

        Returns
        -------
        display : ReconstructionDisplay
            The display, drawn.
        """
        check_same_length(X=X, X_reconstructed=X_reconstructed)
        if X_damaged is not None:
            check_same_length(X=X, X_damaged=X_damaged)
        rows = _choose_rows(X, n_samples, image_shape, random_state)
        return cls(
            _safe_indexing(X, rows),
            _safe_indexing(X_reconstructed, rows),
            image_shape=image_shape,
            feature_names=feature_names,
            X_damaged=None if X_damaged is None else _safe_indexing(X_damaged, rows),
            **suitable_units(X, standardize, image_shape),
        ).plot(ax, error_map=error_map, image_kwargs=image_kwargs, line_kwargs=line_kwargs)

    def plot(
        self,
        ax: Axes | None = None,
        *,
        error_map: bool = False,
        image_kwargs: Mapping[str, Any] | None = None,
        line_kwargs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw all samples of the display.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes whose place the picture takes. If None, a new figure is made.

        error_map : bool, default=False
            Whether a last row of images shows the absolute error of each pixel.

        image_kwargs : dict, default=None
            Keywords for originals and reconstructions, passed to
            :meth:`matplotlib.axes.Axes.imshow`, such as `cmap`, `vmin` and `vmax`.

        line_kwargs : dict, default=None
            Keywords of :meth:`matplotlib.axes.Axes.plot` for the reconstructions of rows.

        Returns
        -------
        display : ReconstructionDisplay
            The display itself.
        """
        if error_map and self.image_shape is None:
            raise ValueError("error_map=True needs image_shape=(height, width), got None.")
        self.images_ = self.lines_ = self.colorbar_ = None
        if self.image_shape is None:
            self._plot_rows(ax, line_kwargs)
        else:
            self._plot_images(ax, error_map, image_kwargs)
        self.figure_ = self.ax_.figure
        return self

    def _plot_images(
        self, ax: Axes | None, error_map: bool, image_kwargs: Mapping[str, Any] | None
    ) -> None:
        self.errors_ = _mean_squares(self.X - self.X_reconstructed)
        pictures = [("original", self.X), ("reconstruction", self.X_reconstructed)]
        if self.X_damaged is not None:
            pictures.insert(1, ("damaged", self.X_damaged))
        self.ax_, self.images_, self.colorbar_ = draw_image_grid(
            ax,
            f"{type(self).__name__}.plot",
            pictures,
            image_shape=self.image_shape,
            captions=[three_digits(error) for error in self.errors_],
            caption_name="mean squared error",
            error_map=self._error_map() if error_map else None,
            image_kwargs=image_kwargs,
        )
        self.axes_ = np.array([self.ax_], dtype=object)

    def _plot_rows(self, ax: Axes | None, line_kwargs: Mapping[str, Any] | None) -> None:
        center = 0.0 if self.center is None else self.center
        scale = 1.0 if self.scale is None else self.scale
        original, reconstructed = ((X - center) / scale for X in (self.X, self.X_reconstructed))
        self.errors_ = _mean_squares(original - reconstructed)
        self.ax_, self.axes_, self.lines_ = draw_row_panels(
            ax,
            f"{type(self).__name__}.plot",
            original,
            reconstructed,
            [f"MSE {three_digits(error)}" for error in self.errors_],
            feature_names=self.feature_names,
            value_name="value" if self.scale is None else "standard deviations from the mean",
            line_kwargs=line_kwargs,
            texts=self.texts,
        )

    def _error_map(self) -> tuple[str, NDArray[np.float64]]:
        """Return the absolute error of each pixel, the mean over its channels."""
        errors = np.abs(self.X - self.X_reconstructed)
        return "absolute error", split_channels(errors, self.image_shape).mean(axis=1)


def _mean_squares(errors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean square of each row, of what is known."""
    return np.ma.filled(np.ma.masked_invalid(errors**2).mean(axis=1), np.nan)


def _choose_rows(
    X: ArrayLike,
    n_samples: int | None,
    image_shape: Sequence[int] | None,
    random_state: int | np.random.RandomState | None,
) -> NDArray[np.intp]:
    if n_samples is None:
        n_samples = 4 if image_shape is None else 8
    check_at_least_one("n_samples", n_samples)
    n_available = _num_samples(X)
    n_samples = min(n_samples, n_available)
    if random_state is None:
        # Evenly spaced rows show every part of sorted data and leave the global generator alone.
        return np.linspace(0, n_available - 1, n_samples).round().astype(np.intp)
    return check_random_state(random_state).choice(n_available, n_samples, replace=False)
