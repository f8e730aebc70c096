"""OutlierExplanationDisplay: what each feature or pixel adds to the score of outliers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _num_samples

from ._common import (
    check_at_least_one,
    check_image_shape,
    check_names,
    check_same_length,
    check_same_shape,
    three_digits,
)
from ._contribution_bars import draw_contribution_bars
from ._explained_rows import (
    check_feature_errors,
    check_positions,
    expected_values,
    find_detector,
    name_rows,
    worst_alarms,
)
from ._image_grid import draw_image_grid, split_channels
from ._mixed_frames import as_frame, check_cells
from ._report_text import number_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class OutlierExplanationDisplay:
    """The contributions of features to the scores of some rows, as bars or as maps of pixels.

    Each row of a table gets a panel with a bar for each of the features that contribute most, and
    beside it the value of the feature and, if known, the value that the model expects. With
    `image_shape` the images stand above what the model expects and above a map of the contributions
    of their pixels.

    It is recommended to use :meth:`from_estimator` or :meth:`from_predictions` to create a display.
    All parameters are stored as attributes.

    Parameters
    ----------
    X : {array-like, data frame, sparse matrix} of shape (n_samples, n_features)
        Rows, all of which are drawn. Missing values are named as such.

    feature_errors : array-like of shape (n_samples, n_features)
        What each feature adds to minus the score of each row, none of it negative, such as
        `feature_errors` returns it.

    expected : array-like of shape (n_samples, n_features), default=None
        What the model makes of the rows.

    row_names : array-like of shape (n_samples,), default=None
        Names of the rows. If None, the index of a dataframe `X`, or 0, 1, ...

    image_shape : tuple of int, default=None
        Shape (height, width) of gray images, or (channels, height, width) with 1 or 3 channels. If
        None, the samples are drawn as rows of features.

    feature_names : array-like of str of shape (n_features,), default=None
        Names of the features. If None, the columns of a dataframe `X`, or "x0", "x1", ...

    Attributes
    ----------
    scores_ : ndarray of shape (n_samples,)
        Score of each row: minus the sum of its `feature_errors`.

    bars_ : list of matplotlib BarContainer, or None
        Bars of each row.

    images_ : ndarray of shape (n_picture_rows, n_samples) of matplotlib AxesImage, or None
        Originals, what was expected, if known, and contributions.

    colorbar_ : matplotlib Colorbar or None
        Scale of the contributions of pixels.

    axes_ : ndarray of matplotlib Axes
        One panel for each row, or the one axes that holds all images.

    ax_ : matplotlib Axes
        Axes that encloses the picture.

    figure_ : matplotlib Figure
        Figure containing the picture.

    See Also
    --------
    FeatureErrorDisplay : What makes all alarms of a table.
    OutlierScoreDisplay : The scores of all rows.
    ReconstructionDisplay : Rows above what a model makes of them.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from skae import AutoencoderOutlierDetector
    >>> from skae.inspection import OutlierExplanationDisplay
    >>> X = load_wine(as_frame=True).data
    >>> detector = AutoencoderOutlierDetector(contamination=0.05, random_state=0).fit(X)
    >>> display = OutlierExplanationDisplay.from_estimator(detector, X)
    >>> len(display.axes_)
    3
    """

    def __init__(
        self,
        X: ArrayLike,
        feature_errors: ArrayLike,
        *,
        expected: ArrayLike | None = None,
        row_names: ArrayLike | None = None,
        image_shape: Sequence[int] | None = None,
        feature_names: ArrayLike | None = None,
    ) -> None:
        X = as_frame(X)
        self.X = check_cells(X, "X", allow_nan=True)
        self.feature_errors = check_feature_errors(feature_errors)
        self.expected = None if expected is None else check_cells(expected, "expected")
        check_same_shape(X=self.X, feature_errors=self.feature_errors)
        check_same_shape(X=self.X, expected=self.expected)
        n_samples, n_features = self.X.shape
        self.row_names = np.asarray(name_rows(X, n_samples) if row_names is None else row_names)
        check_same_length(X=self.X, row_names=self.row_names)
        self.feature_names = check_names(feature_names, X, n_features)
        self.image_shape = check_image_shape(image_shape, n_features)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike,
        *,
        rows: ArrayLike | None = None,
        n_samples: int | None = None,
        image_shape: Sequence[int] | None = None,
        feature_names: ArrayLike | None = None,
        ax: Axes | None = None,
        n_features: int = 5,
        bar_kwargs: Mapping[str, Any] | None = None,
        image_kwargs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Explain the alarms of a fitted outlier detector, or other rows, and draw that.

        Parameters
        ----------
        estimator : estimator instance
            Fitted outlier detector with `feature_errors` and `decision_function`, or a Pipeline
            that ends in one: then the values are those that its last step is given. What is
            expected is said by its model: the prediction of each value from the rest of the row, or
            what `reconstruct` makes of the row.

        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples to choose from.

        rows : array-like of int or bool, default=None
            Positions in `X` of the rows to draw. If None, the alarms, those rows with a negative
            `decision_function`, worst first.

        n_samples : int, default=None
            Largest number of alarms drawn. If None, 8 images or 3 rows. Without effect on `rows`.

        image_shape : tuple of int, default=None
            Shape (height, width) or (channels, height, width) of images. If None, draw bars.

        feature_names : array-like of str of shape (n_features,), default=None
            Names of the features. If None, the names that the detector has seen, or "x0", "x1", ...

        ax : matplotlib Axes, default=None
            Axes whose place the picture takes. If None, a new figure is made.

        n_features : int, default=5
            Number of bars for each row, the largest first.

        bar_kwargs : dict, default=None
            Keywords for the bars, passed to :meth:`matplotlib.axes.Axes.barh`.

        image_kwargs : dict, default=None
            Keywords for originals and expected images, passed to
            :meth:`matplotlib.axes.Axes.imshow`, such as `cmap`, `vmin` and `vmax`.

        Returns
        -------
        display : OutlierExplanationDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If the estimator has no `feature_errors`, or no `decision_function` to find alarms by.
        ValueError
            If there is no alarm.
        """
        if rows is None:
            rows = worst_alarms(estimator, X, n_samples, image_shape)
        rows = check_positions(rows, _num_samples(X))
        X = _safe_indexing(X, rows)
        names = name_rows(X, rows)
        detector, X = find_detector(estimator, X)
        if feature_names is None:
            feature_names = getattr(detector, "feature_names_in_", None)
        return cls.from_predictions(
            X,
            detector.feature_errors(X),
            expected=expected_values(detector, X),
            row_names=names,
            image_shape=image_shape,
            feature_names=feature_names,
            ax=ax,
            n_features=n_features,
            bar_kwargs=bar_kwargs,
            image_kwargs=image_kwargs,
        )

    @classmethod
    def from_predictions(
        cls,
        X: ArrayLike,
        feature_errors: ArrayLike,
        *,
        expected: ArrayLike | None = None,
        row_names: ArrayLike | None = None,
        image_shape: Sequence[int] | None = None,
        feature_names: ArrayLike | None = None,
        ax: Axes | None = None,
        n_features: int = 5,
        bar_kwargs: Mapping[str, Any] | None = None,
        image_kwargs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the given rows and contributions, all of them.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        feature_errors : array-like of shape (n_samples, n_features)
            What each feature adds to minus the score of each row.

        expected : array-like of shape (n_samples, n_features), default=None
            What the model makes of the rows.

        row_names : array-like of shape (n_samples,), default=None
            Names of the rows. If None, the index of a dataframe `X`, or 0, 1, ...

        image_shape : tuple of int, default=None
            Shape (height, width) or (channels, height, width) of images. If None, draw bars.

        feature_names : array-like of str of shape (n_features,), default=None
            Names of the features. If None, the columns of a dataframe `X`, or "x0", "x1", ...

        ax : matplotlib Axes, default=None
            Axes whose place the picture takes. If None, a new figure is made.

        n_features : int, default=5
            Number of bars for each row, the largest first.

        bar_kwargs : dict, default=None
            Keywords for the bars, passed to :meth:`matplotlib.axes.Axes.barh`.

        image_kwargs : dict, default=None
            Keywords for originals and expected images, passed to
            :meth:`matplotlib.axes.Axes.imshow`, such as `cmap`, `vmin` and `vmax`.

        Returns
        -------
        display : OutlierExplanationDisplay
            The display, drawn.
        """
        return cls(
            X,
            feature_errors,
            expected=expected,
            row_names=row_names,
            image_shape=image_shape,
            feature_names=feature_names,
        ).plot(ax, n_features=n_features, bar_kwargs=bar_kwargs, image_kwargs=image_kwargs)

    def plot(
        self,
        ax: Axes | None = None,
        *,
        n_features: int = 5,
        bar_kwargs: Mapping[str, Any] | None = None,
        image_kwargs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw all rows of the display.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes whose place the picture takes. If None, a new figure is made.

        n_features : int, default=5
            Number of bars for each row, the largest first.

        bar_kwargs : dict, default=None
            Keywords for the bars, passed to :meth:`matplotlib.axes.Axes.barh`.

        image_kwargs : dict, default=None
            Keywords for originals and expected images, passed to
            :meth:`matplotlib.axes.Axes.imshow`, such as `cmap`, `vmin` and `vmax`.

        Returns
        -------
        display : OutlierExplanationDisplay
            The display itself.
        """
        check_at_least_one("n_features", n_features)
        self.scores_ = 0.0 - self.feature_errors.sum(axis=1)
        self.bars_ = self.images_ = self.colorbar_ = None
        if self.image_shape is None:
            self._plot_bars(ax, n_features, bar_kwargs)
        else:
            self._plot_images(ax, image_kwargs)
        self.figure_ = self.ax_.figure
        return self

    def _plot_images(self, ax: Axes | None, image_kwargs: Mapping[str, Any] | None) -> None:
        pictures = [("original", self.X)]
        if self.expected is not None:
            pictures.append(("expected", self.expected))
        parts = split_channels(self.feature_errors, self.image_shape).sum(axis=1)
        scores = map(three_digits, self.scores_)
        self.ax_, self.images_, self.colorbar_ = draw_image_grid(
            ax,
            f"{type(self).__name__}.plot",
            pictures,
            image_shape=self.image_shape,
            captions=[f"{row}\n{s}" for row, s in zip(self.row_names, scores, strict=True)],
            caption_name="row and score",
            error_map=("contribution", parts),
            image_kwargs=image_kwargs,
        )
        self.axes_ = np.array([self.ax_], dtype=object)

    def _plot_bars(
        self, ax: Axes | None, n_features: int, bar_kwargs: Mapping[str, Any] | None
    ) -> None:
        top = np.argsort(-self.feature_errors, axis=1, kind="stable")[:, :n_features]
        shown = np.take_along_axis(self.feature_errors, top, axis=1)
        self.ax_, self.axes_, self.bars_ = draw_contribution_bars(
            ax,
            f"{type(self).__name__}.plot",
            list(shown),
            [[self._describe(i, j) for j in features] for i, features in enumerate(top)],
            [self._caption(i, part) for i, part in enumerate(shown.sum(axis=1))],
            value_name="contribution to minus the score",
            bar_kwargs=bar_kwargs,
        )

    def _describe(self, row: int, feature: int) -> str:
        text = f"{self.feature_names[feature]} {_text(self.X[row, feature])}"
        if self.expected is None:
            return text
        return f"{text}, expected {_text(self.expected[row, feature])}"

    def _caption(self, row: int, shown: float) -> str:
        """Return name, score and the share of it that the bars of a row make up."""
        score = self.scores_[row]
        caption = f"row {self.row_names[row]}: score {three_digits(score)}"
        return f"{caption}, {shown / -score:.0%} of it shown" if score < 0 else caption


def _text(value: Any) -> str:
    """Return what is written of a number, a category or a date."""
    if value is None or value != value:
        return "missing"
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
        return str(value).removesuffix(" 00:00:00")
    return number_text(float(value))
