"""LatentWalkDisplay: what is decoded along ways through a latent space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_array

from ._common import check_image_shape, check_names
from ._image_grid import draw_image_grid
from ._row_panels import MAX_DOTS
from ._walk_panels import draw_walk_panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_WALKS = 8  # where the components are chosen for the user


class LatentWalkDisplay:
    """What a model decodes along ways through its latent space, as images or as curves.

    A way leads from the code of one sample to that of another, or changes a single component of the
    code of a sample. With `image_shape` each way is a row of images. Without it each feature gets a
    panel, in which there is a curve for each way.

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
    >>> display = LatentWalkDisplay.from_traversal(
    ...     model, X[:1], components=[0, 1], image_shape=(8, 8)
    ... )
    >>> display.images_.shape
    (2, 7)
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
        walks = check_array(walks, allow_nd=True, dtype=np.float64, input_name="walks")
        if walks.ndim != 3:
            raise ValueError(
                f"walks must have shape (n_walks, n_steps, n_features), got {walks.shape}."
            )
        self.walks = walks
        n_walks, n_steps, n_features = walks.shape
        if positions is None:
            positions = np.linspace(0, 1, n_steps)
        self.positions = np.asarray(positions, dtype=np.float64)
        if self.positions.shape != (n_steps,):
            raise ValueError(
                f"positions must have shape ({n_steps},), one number for each step of walks, got "
                f"shape {self.positions.shape}."
            )
        self.position_name = position_name
        self.walk_names = None if walk_names is None else np.asarray(walk_names).astype(str)
        if self.walk_names is not None and self.walk_names.shape != (n_walks,):
            raise ValueError(
                f"walk_names must have shape ({n_walks},), got shape {self.walk_names.shape}."
            )
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
            Keywords for the images, passed to :meth:`matplotlib.axes.Axes.imshow`, such as `cmap`,
            `vmin` and `vmax`.

        line_kwargs : dict, default=None
            Keywords for the curves, passed to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : LatentWalkDisplay
            The display, drawn.
        """
        estimator = getattr(estimator, "best_estimator_", estimator)
        if hasattr(estimator, "interpolate"):
            walks = estimator.interpolate(X_start, X_stop, n_steps)
        else:
            start, stop = estimator.transform(X_start), estimator.transform(X_stop)
            t = np.linspace(0, 1, n_steps)[:, None]
            walks = _decode(estimator, start[:, None] * (1 - t) + stop[:, None] * t)
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
            Keywords for the images, passed to :meth:`matplotlib.axes.Axes.imshow`, such as `cmap`,
            `vmin` and `vmax`.

        line_kwargs : dict, default=None
            Keywords for the curves, passed to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : LatentWalkDisplay
            The display, drawn.
        """
        estimator = getattr(estimator, "best_estimator_", estimator)
        values = np.linspace(-2, 2, 7) if values is None else np.asarray(values, dtype=np.float64)
        codes = np.asarray(estimator.transform(X), dtype=np.float64)
        chosen = _check_components(components, codes.shape[1])
        if hasattr(estimator, "traverse"):
            walks = estimator.traverse(X, chosen, values)
        else:
            walks = _decode(estimator, _change_components(codes, chosen, values))
        if components is None:
            largest = _largest_changes(walks, standardize=image_shape is None)
            walks, chosen = walks[:, largest], chosen[largest]
        names = [f"component {component}" for component in chosen]
        if len(walks) > 1:
            names = [f"sample {i}, {name}" for i in range(len(walks)) for name in names]
        return cls.from_predictions(
            walks.reshape(-1, *walks.shape[2:]),
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
            Keywords for the images, passed to :meth:`matplotlib.axes.Axes.imshow`, such as `cmap`,
            `vmin` and `vmax`.

        line_kwargs : dict, default=None
            Keywords for the curves, passed to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : LatentWalkDisplay
            The display, drawn.
        """
        display = cls(
            walks,
            positions=positions,
            position_name=position_name,
            walk_names=walk_names,
            image_shape=image_shape,
            feature_names=feature_names,
        )
        return display.plot(
            ax, features=features, image_kwargs=image_kwargs, line_kwargs=line_kwargs
        )

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
            Keywords for the images, passed to :meth:`matplotlib.axes.Axes.imshow`, such as `cmap`,
            `vmin` and `vmax`.

        line_kwargs : dict, default=None
            Keywords for the curves, passed to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : LatentWalkDisplay
            The display itself.
        """
        caller = f"{type(self).__name__}.plot"
        self.images_ = self.lines_ = None
        if self.image_shape is not None:
            names = [""] * len(self.walks) if self.walk_names is None else self.walk_names
            ends = {"vmin": self.walks.min(), "vmax": self.walks.max()}
            self.ax_, self.images_, _ = draw_image_grid(
                ax,
                caller,
                list(zip(names, self.walks, strict=True)),
                image_shape=self.image_shape,
                captions=[f"{position:.2g}" for position in self.positions],
                caption_name=self.position_name,
                image_kwargs={**ends, **(image_kwargs or {})},
            )
            self.axes_ = np.array([self.ax_], dtype=object)
        else:
            chosen = self._check_features(features)
            names = self.walk_names
            self.ax_, self.axes_, self.lines_ = draw_walk_panels(
                ax,
                caller,
                self.walks[:, :, chosen],
                self.positions,
                walk_names=[f"way {i}" for i in range(len(self.walks))] if names is None else names,
                feature_names=self.feature_names[chosen],
                position_name=self.position_name,
                line_kwargs=line_kwargs,
            )
        self.figure_ = self.ax_.figure
        return self

    def _check_features(self, features: Sequence[int | str] | None) -> list[int]:
        n_features, names = len(self.feature_names), self.feature_names.tolist()
        if features is None:
            if n_features > MAX_DOTS:
                raise ValueError(
                    f"{n_features} features are too many for a panel each, at most {MAX_DOTS} are "
                    "drawn; choose some with features=, or give the image_shape of images."
                )
            return list(range(n_features))
        chosen = [names.index(f) if isinstance(f, str) and f in names else f for f in features]
        if not chosen or not all(f in range(n_features) for f in chosen):
            raise ValueError(
                f"features must be names or positions from 0 to {n_features - 1}, got {features!r}."
            )
        return chosen


def _check_components(components: int | Sequence[int] | None, n: int) -> NDArray[np.intp]:
    if components is None:
        return np.arange(n)
    chosen = np.atleast_1d(components)
    is_whole = chosen.ndim == 1 and chosen.dtype.kind in "iu"
    if not (is_whole and len(chosen) and np.isin(chosen, np.arange(n)).all()):
        raise ValueError(f"components must be integers from 0 to {n - 1}, got {components!r}.")
    return chosen.astype(np.intp)


def _change_components(
    codes: NDArray[np.float64], components: NDArray[np.intp], values: NDArray[np.float64]
) -> NDArray[np.float64]:
    shape = (len(codes), len(components), len(values), codes.shape[1])
    changed = np.broadcast_to(codes[:, None, None], shape).copy()
    for i, component in enumerate(components):
        changed[:, i, :, component] = values
    return changed


def _decode(estimator: Any, codes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Decode codes of shape (..., n_components)."""
    rows = np.asarray(estimator.inverse_transform(codes.reshape(-1, codes.shape[-1])))
    return rows.reshape(*codes.shape[:-1], -1)


def _largest_changes(walks: NDArray[np.float64], *, standardize: bool) -> NDArray[np.intp]:
    """Return the positions of the components that change most, in ascending order."""
    variances = walks.var(axis=2).mean(axis=0)
    if standardize:
        whole = walks.var(axis=(0, 1, 2))
        variances = variances / np.where(whole > 0, whole, 1)
    order = np.argsort(-variances.sum(axis=1), kind="stable")
    return np.sort(order[:_MOST_WALKS])
