"""SampleGridDisplay: new images from a generative model, in a grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import column_or_1d

from ._common import check_at_least_one, check_image_shape, check_rows, check_same_length
from ._image_grid import draw_image_grid

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_N_COLUMNS = 10


class SampleGridDisplay:
    """Images that a model has made, in a grid; with labels, a row for each class.

    All images share one gray scale.

    It is recommended to use :meth:`from_estimator` or :meth:`from_predictions` to create a display.
    All parameters are stored as attributes.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Flattened images, all of which are drawn.

    image_shape : tuple of int
        Shape (height, width) of gray images, or (channels, height, width) with 1 or 3 channels.

    labels : array-like of shape (n_samples,), default=None
        Classes of the images. Each begins a row of its own, in the order in which they occur.

    Attributes
    ----------
    images_ : ndarray of shape (n_grid_rows, n_columns) of matplotlib AxesImage
        The images, row by row; None where a row is not full.

    ax_ : matplotlib Axes
        Axes that holds all images.

    figure_ : matplotlib Figure
        Figure containing the images.

    See Also
    --------
    LatentWalkDisplay : Images along ways between codes.
    ReconstructionDisplay : Images beside those that they were made from.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skae.generation import VariationalAutoencoder
    >>> from skae.inspection import SampleGridDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> model = VariationalAutoencoder(conditional=True, max_epochs=3, random_state=0).fit(X, y)
    >>> display = SampleGridDisplay.from_estimator(model, y=[3, 8], n_samples=6, image_shape=(8, 8))
    >>> display.images_.shape
    (2, 6)
    """

    def __init__(
        self,
        X: ArrayLike,
        *,
        image_shape: Sequence[int],
        labels: ArrayLike | None = None,
    ) -> None:
        self.X = check_rows(X, "X")
        self.image_shape = check_image_shape(image_shape, self.X.shape[1])
        self.labels = None if labels is None else column_or_1d(labels, input_name="labels")
        check_same_length(X=self.X, labels=self.labels)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        y: ArrayLike | None = None,
        *,
        image_shape: Sequence[int],
        n_samples: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        ax: Axes | None = None,
        n_columns: int | None = None,
        image_kwargs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw new images from a fitted estimator.

        Parameters
        ----------
        estimator : estimator instance
            Fitted estimator with a `sample`, such as
            :class:`~skae.VariationalAutoencoder` or
            :class:`~sklearn.mixture.GaussianMixture`. Samples of the last step of a Pipeline are
            taken back by the `inverse_transform` of its other steps.

        y : array-like of shape (n_classes,), default=None
            Classes to draw, a row for each, from an estimator that was fitted to classes. If None,
            `sample` is not asked for classes.

        image_shape : tuple of int
            Shape (height, width) or (channels, height, width) of images.

        n_samples : int, default=None
            Number of images, of each class if there are any. If None, 40, or 10 of each class.

        random_state : int, RandomState instance or None, default=None
            Passed to `sample`, unless it is None.

        ax : matplotlib Axes, default=None
            Axes whose place the picture takes. If None, a new figure is made.

        n_columns : int, default=None
            Length of a row, after which the next one begins. If None, 10, or as many as there are
            images of a class.

        image_kwargs : dict, default=None
            Keywords of :meth:`matplotlib.axes.Axes.imshow`, such as `cmap`, `vmin` and `vmax`.

        Returns
        -------
        display : SampleGridDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If the estimator has no `sample`.
        """
        labels, asked = None, {}
        if n_samples is None:
            n_samples = 40 if y is None else _N_COLUMNS
        if y is not None:
            labels = np.repeat(column_or_1d(y, input_name="y"), n_samples)
            asked["y"], n_samples = labels, len(labels)
        if random_state is not None:
            asked["random_state"] = random_state
        return cls.from_predictions(
            _sample(estimator, n_samples, asked),
            image_shape=image_shape,
            labels=labels,
            ax=ax,
            n_columns=n_columns,
            image_kwargs=image_kwargs,
        )

    @classmethod
    def from_predictions(
        cls,
        X: ArrayLike,
        *,
        image_shape: Sequence[int],
        labels: ArrayLike | None = None,
        ax: Axes | None = None,
        n_columns: int | None = None,
        image_kwargs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the given images.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Flattened images.

        image_shape : tuple of int
            Shape (height, width) or (channels, height, width) of images.

        labels : array-like of shape (n_samples,), default=None
            Classes of the images.

        ax : matplotlib Axes, default=None
            Axes whose place the picture takes. If None, a new figure is made.

        n_columns : int, default=None
            Length of a row, after which the next one begins. If None, 10, or as many as there are
            images of a class.

        image_kwargs : dict, default=None
            Keywords of :meth:`matplotlib.axes.Axes.imshow`, such as `cmap`, `vmin` and `vmax`.

        Returns
        -------
        display : SampleGridDisplay
            The display, drawn.
        """
        return cls(X, image_shape=image_shape, labels=labels).plot(
            ax, n_columns=n_columns, image_kwargs=image_kwargs
        )

    def plot(
        self,
        ax: Axes | None = None,
        *,
        n_columns: int | None = None,
        image_kwargs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw all images of the display.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes whose place the picture takes. If None, a new figure is made.

        n_columns : int, default=None
            Length of a row, after which the next one begins. If None, 10, or as many as there are
            images of a class.

        image_kwargs : dict, default=None
            Keywords of :meth:`matplotlib.axes.Axes.imshow`, such as `cmap`, `vmin` and `vmax`.

        Returns
        -------
        display : SampleGridDisplay
            The display itself.
        """
        check_at_least_one("n_columns", n_columns)
        if n_columns is None:
            n_columns = _N_COLUMNS if self.labels is None else len(self.X)
        pictures = [
            (name if start == 0 else "", rows[start : start + n_columns])
            for name, rows in self._classes()
            for start in range(0, len(rows), n_columns)
        ]
        self.ax_, self.images_, _ = draw_image_grid(
            ax,
            f"{type(self).__name__}.plot",
            pictures,
            image_shape=self.image_shape,
            one_scale=True,
            image_kwargs=image_kwargs,
        )
        self.figure_ = self.ax_.figure
        return self

    def _classes(self) -> list[tuple[str, NDArray[np.float64]]]:
        """Return the names of the classes and their images."""
        if self.labels is None:
            return [("", self.X)]
        labels = dict.fromkeys(self.labels.tolist())
        return [(str(label), self.X[self.labels == label]) for label in labels]


def _sample(estimator: Any, n_samples: int, asked: Mapping[str, Any]) -> ArrayLike:
    estimator = getattr(estimator, "best_estimator_", estimator)
    if hasattr(estimator, "steps") and hasattr(estimator[-1], "sample"):
        X = _sample(estimator[-1], n_samples, asked)
        return estimator[:-1].inverse_transform(X) if len(estimator) > 1 else X
    if not hasattr(estimator, "sample"):
        raise TypeError(f"estimator must have sample; {type(estimator).__name__} has not.")
    X = estimator.sample(n_samples, **asked)
    return X[0] if isinstance(X, tuple) else X  # mixtures of scikit-learn add components
