"""LatentWalkDisplay: what is decoded along ways through a latent space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_array

from ._common import check_image_shape, check_length, check_names
from ._image_grid import draw_image_grid
from ._walk_panels import draw_walk_panels
from ._walks import interpolate, traverse

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class LatentWalkDisplay:
    """What a model decodes along ways through its latent space, as images or as curves.

    A way leads from the code of one sample to that of another, or changes one component of a code.
    With `image_shape` each way is a row of images, without it a curve in the panel of each feature.

    It is recommended to use :meth:`from_estimator`, :meth:`from_traversal` or
    :meth:`from_predictions` to create a display. All parameters are stored as attributes.

    Parameters
    ----------
    walks : array-like of shape (n_walks, n_steps, n_features)
        Decoded samples along each way.

    positions : array-like of shape (n_steps,), default=None
        Where on the way each step is. If None, from 0 to 1.

    position_name : str, default="share of the way"
        What the positions are.

    walk_names : array-like of str of shape (n_walks,), default=None
        Names of the ways. If None, they have no names as images, and are numbered as curves.

    image_shape : tuple of int, default=None
        Shape (height, width) of gray images, or (channels, height, width) with 1 or 3 channels. If
        None, features are drawn as curves.

    feature_names : array-like of str of shape (n_features,), default=None
        Names of the features. If None, "x0", "x1", ...

    Attributes
    ----------
    images_ : ndarray of shape (n_walks, n_steps) of matplotlib AxesImage, or None
        The images.

    lines_ : ndarray of shape (n_features, n_walks) of matplotlib Line2D, or None
        The curves.

    axes_ : ndarray of matplotlib Axes
        One panel for each feature, or the one axes that holds all images.

    ax_ : matplotlib Axes
        Axes that encloses the picture.

    figure_ : matplotlib Figure
        Figure containing the picture.

    See Also
    --------
    SampleGridDisplay : New images.
    LatentSpaceDisplay : The codes themselves.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skae.generation import VariationalAutoencoder
    >>> from skae.inspection import LatentWalkDisplay
    >>> X, _ = load_digits(return_X_y=True)
    >>> model = VariationalAutoencoder(8, max_epochs=3, random_state=0).fit(X)
    >>> display = LatentWalkDisplay.from_estimator(model, X[:3], X[3:6], image_shape=(8, 8))
    >>> display.images_.shape
    (3, 8)
    >>> display = LatentWalkDisplay.from_traversal(model, X[:1], components=0, image_shape=(8, 8))
    >>> display.images_.shape
    (1, 7)
    """

    def __init__(
        self,
        walks: ArrayLike,
        *,
        positions: ArrayLike | None = None,
        position_name: str = "share of the way",
        walk_names: ArrayLike | None = None,
        image_shape: Sequence[int] | None = None,
        feature_names: ArrayLike | None = None,
    ) -> None:
        self.walks = check_array(walks, allow_nd=True, dtype=np.float64, input_name="walks")
        shape = self.walks.shape
        if len(shape) != 3:
            raise ValueError(f"walks must have shape (n_walks, n_steps, n_features), got {shape}.")
        n_walks, n_steps, n_features = shape
        positions = np.linspace(0, 1, n_steps) if positions is None else positions
        self.positions = np.asarray(positions, dtype=np.float64)
        check_length(self.positions, "positions", n_steps, each="one number for each step of walks")
        self.position_name = position_name
        self.walk_names = None if walk_names is None else np.asarray(walk_names).astype(str)
        check_length(self.walk_names, "walk_names", n_walks)
        self.image_shape = check_image_shape(image_shape, n_features)
        self.feature_names = check_names(feature_names, None, n_features)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X_start: ArrayLike,
        X_stop: ArrayLike,
        *,
        n_steps: int = 8,
        image_shape: Sequence[int] | None = None,
        feature_names: ArrayLike | None = None,
        ax: Axes | None = None,
        features: Sequence[int | str] | None = None,
        image_kwargs: Mapping[str, Any] | None = None,
        line_kwargs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw what is between pairs of samples.

        The ends of a way are reconstructions of the samples, not the samples themselves.

        Parameters
        ----------
        estimator : estimator instance
            Fitted estimator. Its `interpolate` is used if it has one, otherwise the
            `inverse_transform` of points on straight lines between the codes of its `transform`.

        X_start, X_stop : {array-like, data frame} of shape (n_walks, n_features)
            Where each way starts, and where it stops.

        n_steps : int, default=8
            Number of steps, both ends included.

        image_shape : tuple of int, default=None
            Shape (height, width) or (channels, height, width) of images. If None, draw curves.

        feature_names : array-like of str of shape (n_features,), default=None
            Names of the features. If None, the columns of a dataframe `X_start`, or "x0", "x1", ...

        ax : matplotlib Axes, default=None
            Axes whose place the picture takes. If None, a new figure is made.

        features : sequence of int or str, default=None
            Features to draw as curves, by position or name. If None, all.

        image_kwargs : dict, default=None
            Keywords of :meth:`matplotlib.axes.Axes.imshow`, such as `cmap`, `vmin` and `vmax`.

        line_kwargs : dict, default=None
            Keywords for the curves, passed to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : LatentWalkDisplay
            The display, drawn.
        """
        walks = interpolate(estimator, X_start, X_stop, n_steps)
        return cls.from_predictions(
            walks,
            position_name="share of the way from start to stop",
            image_shape=image_shape,
            feature_names=check_names(feature_names, X_start, walks.shape[-1]),
            ax=ax,
            features=features,
            image_kwargs=image_kwargs,
            line_kwargs=line_kwargs,
        )

    @classmethod
    def from_traversal(
        cls,
        estimator: Any,
        X: ArrayLike,
        *,
        components: int | Sequence[int] | None = None,
        values: ArrayLike | None = None,
        image_shape: Sequence[int] | None = None,
        feature_names: ArrayLike | None = None,
        ax: Axes | None = None,
        features: Sequence[int | str] | None = None,
        image_kwargs: Mapping[str, Any] | None = None,
        line_kwargs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw what single components of the code change.

        Parameters
        ----------
        estimator : estimator instance
            Fitted estimator. Its `traverse` is used if it has one, otherwise the
            `inverse_transform` of changed codes of its `transform`.

        X : {array-like, data frame} of shape (n_samples, n_features)
            Samples to start from. One will do: each of them gets a way for each component.

        components : int or sequence of int, default=None
            Components to change, counted from 0. If None, at most 8, namely those that change the
            samples most; the mean square of changes is taken in units of the standard deviation
            that a feature has on all ways, unless there is an `image_shape`.

        values : array-like of shape (n_steps,), default=None
            What each component is set to. If None, seven values from -2 to 2, which suit the codes
            of a variational autoencoder.

        image_shape : tuple of int, default=None
            Shape (height, width) or (channels, height, width) of images. If None, draw curves.

        feature_names : array-like of str of shape (n_features,), default=None
            Names of the features. If None, the columns of a dataframe `X`, or "x0", "x1", ...

        ax : matplotlib Axes, default=None
            Axes whose place the picture takes. If None, a new figure is made.

        features : sequence of int or str, default=None
            Features to draw as curves, by position or name. If None, all.

        image_kwargs : dict, default=None
            Keywords of :meth:`matplotlib.axes.Axes.imshow`, such as `cmap`, `vmin` and `vmax`.

        line_kwargs : dict, default=None
            Keywords for the curves, passed to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : LatentWalkDisplay
            The display, drawn.
        """
        values = np.linspace(-2, 2, 7) if values is None else np.asarray(values, dtype=np.float64)
        walks, names = traverse(estimator, X, components, values, standardize=image_shape is None)
        return cls.from_predictions(
            walks,
            positions=values,
            position_name="value of the component",
            walk_names=names,
            image_shape=image_shape,
            feature_names=check_names(feature_names, X, walks.shape[-1]),
            ax=ax,
            features=features,
            image_kwargs=image_kwargs,
            line_kwargs=line_kwargs,
        )

    @classmethod
    def from_predictions(
        cls,
        walks: ArrayLike,
        *,
        positions: ArrayLike | None = None,
        position_name: str = "share of the way",
        walk_names: ArrayLike | None = None,
        image_shape: Sequence[int] | None = None,
        feature_names: ArrayLike | None = None,
        ax: Axes | None = None,
        features: Sequence[int | str] | None = None,
        image_kwargs: Mapping[str, Any] | None = None,
        line_kwargs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the given ways.

        Parameters
        ----------
        walks : array-like of shape (n_walks, n_steps, n_features)
            Decoded samples along each way.

        positions : array-like of shape (n_steps,), default=None
            Where on the way each step is. If None, from 0 to 1.

        position_name : str, default="share of the way"
            What the positions are.

        walk_names : array-like of str of shape (n_walks,), default=None
            Names of the ways. If None, they have no names as images, and are numbered as curves.

        image_shape : tuple of int, default=None
            Shape (height, width) or (channels, height, width) of images. If None, draw curves.

        feature_names : array-like of str of shape (n_features,), default=None
            Names of the features. If None, "x0", "x1", ...

        ax : matplotlib Axes, default=None
            Axes whose place the picture takes. If None, a new figure is made.

        features : sequence of int or str, default=None
            Features to draw as curves, by position or name. If None, all.

        image_kwargs : dict, default=None
            Keywords of :meth:`matplotlib.axes.Axes.imshow`, such as `cmap`, `vmin` and `vmax`.

        line_kwargs : dict, default=None
            Keywords for the curves, passed to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : LatentWalkDisplay
            The display, drawn.
        """
        return cls(
            walks,
            positions=positions,
            position_name=position_name,
            walk_names=walk_names,
            image_shape=image_shape,
            feature_names=feature_names,
        ).plot(ax, features=features, image_kwargs=image_kwargs, line_kwargs=line_kwargs)

    def plot(
        self,
        ax: Axes | None = None,
        *,
        features: Sequence[int | str] | None = None,
        image_kwargs: Mapping[str, Any] | None = None,
        line_kwargs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw all ways of the display.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes whose place the picture takes. If None, a new figure is made.

        features : sequence of int or str, default=None
            Features to draw as curves, by position or name. If None, all.

        image_kwargs : dict, default=None
            Keywords of :meth:`matplotlib.axes.Axes.imshow`, such as `cmap`, `vmin` and `vmax`.

        line_kwargs : dict, default=None
            Keywords for the curves, passed to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : LatentWalkDisplay
            The display itself.
        """
        self.images_ = self.lines_ = None
        if self.image_shape is not None:
            names = [""] * len(self.walks) if self.walk_names is None else self.walk_names
            self.ax_, self.images_, _ = draw_image_grid(
                ax,
                f"{type(self).__name__}.plot",
                list(zip(names, self.walks, strict=True)),
                image_shape=self.image_shape,
                captions=[f"{position:.2g}" for position in self.positions],
                caption_name=self.position_name,
                one_scale=True,
                image_kwargs=image_kwargs,
            )
            self.axes_ = np.array([self.ax_], dtype=object)
        else:
            self.ax_, self.axes_, self.lines_ = draw_walk_panels(
                ax,
                f"{type(self).__name__}.plot",
                self.walks,
                self.positions,
                features=features,
                walk_names=self.walk_names,
                feature_names=self.feature_names,
                position_name=self.position_name,
                line_kwargs=line_kwargs,
            )
        self.figure_ = self.ax_.figure
        return self
