"""FeatureErrorDisplay: which features make the alarms of a whole table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import _num_samples

from ._common import (
    DARK,
    PALETTE,
    add_grid,
    check_at_least_one,
    check_names,
    get_axes,
    import_pyplot,
    merge_style,
)
from ._explained_rows import check_feature_errors, check_positions, find_detector, worst_alarms

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BAR = 0.27  # inches


class FeatureErrorDisplay:
    """The share of each feature in the scores of alarms, beside its share in all other rows.

    A bar for each of the features with the largest shares: what it adds to minus the score of an
    alarm, as a share of that score, the mean over the alarms. A mark says the same of the rows that
    are no alarms: a long bar beyond its mark is a feature that makes alarms, and one that ends at
    its mark is only noisy. The number at the bar counts the alarms in which the feature has the
    largest share of all.

    It is recommended to use :meth:`from_estimator` or :meth:`from_predictions` to create a display.
    All parameters are stored as attributes.

    Parameters
    ----------
    feature_errors : array-like of shape (n_samples, n_features)
        What each feature adds to minus the score of each row, none of it negative, such as
        `feature_errors` returns it.

    alarms : array-like of int or bool
        Positions of the rows that are alarms, or a mask of shape (n_samples,).

    feature_names : array-like of str of shape (n_features,), default=None
        Names of the features. If None, the columns of a dataframe `feature_errors`, or "x0", "x1",
        ...

    Attributes
    ----------
    shares_ : ndarray of shape (n_features,)
        Mean share of each feature in the scores of alarms. Their sum is 1.

    usual_shares_ : ndarray of shape (n_features,) or None
        The same of the other rows, if there are any.

    n_first_ : ndarray of shape (n_features,) of int
        Number of alarms in which the feature has the largest share.

    bars_ : matplotlib BarContainer
        Bars of the features that are shown.

    marks_ : matplotlib LineCollection or None
        Shares in the other rows.

    ax_ : matplotlib Axes
        Axes with the bars.

    figure_ : matplotlib Figure
        Figure containing the bars.

    See Also
    --------
    OutlierExplanationDisplay : Single rows, and what was expected of them.
    OutlierScoreDisplay : The scores of all rows.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from skae import AutoencoderOutlierDetector
    >>> from skae.inspection import FeatureErrorDisplay
    >>> X = load_wine(as_frame=True).data
    >>> detector = AutoencoderOutlierDetector(contamination=0.05, random_state=0).fit(X)
    >>> display = FeatureErrorDisplay.from_estimator(detector, X)
    >>> int(display.n_first_.sum())
    9
    """

    def __init__(
        self,
        feature_errors: ArrayLike,
        alarms: ArrayLike,
        *,
        feature_names: ArrayLike | None = None,
    ) -> None:
        self.feature_errors = check_feature_errors(feature_errors)
        n_samples, n_features = self.feature_errors.shape
        self.alarms = check_positions(alarms, n_samples, "alarms")
        self.feature_names = check_names(feature_names, feature_errors, n_features)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike,
        *,
        rows: ArrayLike | None = None,
        feature_names: ArrayLike | None = None,
        ax: Axes | None = None,
        n_features: int = 10,
        bar_kwargs: Mapping[str, Any] | None = None,
        line_kwargs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Find the alarms of a fitted outlier detector in a table, and draw what makes them.

        Parameters
        ----------
        estimator : estimator instance
            Fitted outlier detector with `feature_errors` and `decision_function`, or a Pipeline
            that ends in one: then the features are those that its last step is given.

        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The table.

        rows : array-like of int or bool, default=None
            Positions in `X` of the rows to count as alarms, or a mask. If None, those with a
            negative `decision_function`.

        feature_names : array-like of str of shape (n_features,), default=None
            Names of the features. If None, the names that the detector has seen, or "x0", "x1", ...

        ax : matplotlib Axes, default=None
            Axes to draw on. If None, a new figure is made.

        n_features : int, default=10
            Number of bars, the largest first.

        bar_kwargs : dict, default=None
            Keywords for the bars, passed to :meth:`matplotlib.axes.Axes.barh`.

        line_kwargs : dict, default=None
            Keywords for the marks, passed to :meth:`matplotlib.axes.Axes.vlines`.

        Returns
        -------
        display : FeatureErrorDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If the estimator has no `feature_errors`, or no `decision_function` to find alarms by.
        ValueError
            If there is no alarm.
        """
        if rows is None:
            rows = worst_alarms(estimator, X, _num_samples(X), None)
        detector, X = find_detector(estimator, X)
        if feature_names is None:
            feature_names = getattr(detector, "feature_names_in_", None)
        return cls.from_predictions(
            detector.feature_errors(X),
            rows,
            feature_names=feature_names,
            ax=ax,
            n_features=n_features,
            bar_kwargs=bar_kwargs,
            line_kwargs=line_kwargs,
        )

    @classmethod
    def from_predictions(
        cls,
        feature_errors: ArrayLike,
        alarms: ArrayLike,
        *,
        feature_names: ArrayLike | None = None,
        ax: Axes | None = None,
        n_features: int = 10,
        bar_kwargs: Mapping[str, Any] | None = None,
        line_kwargs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the given contributions.

        Parameters
        ----------
        feature_errors : array-like of shape (n_samples, n_features)
            What each feature adds to minus the score of each row.

        alarms : array-like of int or bool
            Positions of the rows that are alarms, or a mask of shape (n_samples,).

        feature_names : array-like of str of shape (n_features,), default=None
            Names of the features. If None, the columns of a dataframe `feature_errors`, or "x0",
            "x1", ...

        ax : matplotlib Axes, default=None
            Axes to draw on. If None, a new figure is made.

        n_features : int, default=10
            Number of bars, the largest first.

        bar_kwargs : dict, default=None
            Keywords for the bars, passed to :meth:`matplotlib.axes.Axes.barh`.

        line_kwargs : dict, default=None
            Keywords for the marks, passed to :meth:`matplotlib.axes.Axes.vlines`.

        Returns
        -------
        display : FeatureErrorDisplay
            The display, drawn.
        """
        return cls(feature_errors, alarms, feature_names=feature_names).plot(
            ax, n_features=n_features, bar_kwargs=bar_kwargs, line_kwargs=line_kwargs
        )

    def plot(
        self,
        ax: Axes | None = None,
        *,
        n_features: int = 10,
        bar_kwargs: Mapping[str, Any] | None = None,
        line_kwargs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the bars.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. If None, a new figure is made.

        n_features : int, default=10
            Number of bars, the largest first.

        bar_kwargs : dict, default=None
            Keywords for the bars, passed to :meth:`matplotlib.axes.Axes.barh`.

        line_kwargs : dict, default=None
            Keywords for the marks, passed to :meth:`matplotlib.axes.Axes.vlines`.

        Returns
        -------
        display : FeatureErrorDisplay
            The display itself.
        """
        check_at_least_one("n_features", n_features)
        import_pyplot(f"{type(self).__name__}.plot")
        self._count()
        top = np.argsort(-self.shares_, kind="stable")[:n_features]
        names = self.feature_names[top]
        width = 4.2 + 0.065 * max(map(len, names))
        ax = get_axes(ax, f"{type(self).__name__}.plot", (width, 1.3 + _BAR * len(top)))
        self._draw(ax, top, bar_kwargs, line_kwargs)
        ax.set_yticks(np.arange(len(top)), names)
        ax.tick_params(axis="y", length=0)
        ax.set_ylim(len(top) - 0.4, -0.6)
        ax.xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
        ax.set_xlabel("mean share of the score")
        add_grid(ax, "x")
        n_alarms = len(self.alarms)
        caption = f"{n_alarms:,} alarm{'s' * (n_alarms > 1)} in {len(self.feature_errors):,} rows"
        if len(top) < len(self.shares_):
            shown = self.shares_[top].sum()
            caption += f", {shown:.0%} by {len(top)} of {len(self.shares_)} features"
        ax.set_title(caption, fontsize="medium", loc="left")
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _count(self) -> None:
        is_alarm = np.zeros(len(self.feature_errors), dtype=bool)
        is_alarm[self.alarms] = True
        of_alarms = _shares(self.feature_errors[is_alarm])
        self.shares_ = of_alarms.mean(axis=0)
        others = self.feature_errors[~is_alarm]
        self.usual_shares_ = _shares(others).mean(axis=0) if len(others) else None
        first = of_alarms.argmax(axis=1)
        self.n_first_ = np.bincount(first, minlength=len(self.shares_))

    def _draw(
        self,
        ax: Axes,
        top: NDArray[np.intp],
        bar_kwargs: Mapping[str, Any] | None,
        line_kwargs: Mapping[str, Any] | None,
    ) -> None:
        from matplotlib.collections import LineCollection
        from matplotlib.patches import Rectangle

        places = np.arange(len(top))
        style = {"color": PALETTE[6], "height": 0.7, "label": "alarms"}
        self.bars_ = ax.barh(places, self.shares_[top], **merge_style(Rectangle, style, bar_kwargs))
        self.marks_ = None
        ends = self.shares_[top]
        if self.usual_shares_ is not None:
            usual = self.usual_shares_[top]
            ends = np.maximum(ends, usual)
            style = {"color": DARK, "linewidth": 1.8, "label": "other rows"}
            style = merge_style(LineCollection, style, line_kwargs)
            self.marks_ = ax.vlines(usual, places - 0.42, places + 0.42, **style)
        for place, end, n in zip(places, ends, self.n_first_[top], strict=True):
            if n:
                ax.annotate(
                    f"first in {n:,}",
                    (end, place),
                    xytext=(4, 0),
                    textcoords="offset points",
                    va="center",
                    fontsize="small",
                    color=DARK,
                )
        ax.set_xlim(0, 1.25 * float(ends.max()) or 1.0)
        ax.legend(loc="lower right", frameon=False)


def _shares(errors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return errors divided by their sums over features; equal shares where these are zero."""
    totals = errors.sum(axis=1, keepdims=True)
    equal = np.full(errors.shape, 1 / errors.shape[1])
    return np.divide(errors, totals, out=equal, where=totals > 0)
