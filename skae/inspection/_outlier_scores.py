"""OutlierScoreDisplay: how the scores of an outlier detector are spread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import roc_auc_score
from sklearn.utils.validation import check_array, column_or_1d

from ._common import (
    DARK,
    PALETTE,
    check_same_length,
    draw_histogram,
    find_holder,
    get_axes,
    merge_style,
    set_log_ticks,
)
from ._score_bins import bin_edges, mark_clipped_tails

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class OutlierScoreDisplay:
    """Histogram of outlier scores, with the threshold and, if known, the true labels.

    Higher scores are more normal, and samples below the threshold are called outliers. Scores far
    out in a tail are counted in the last bar, whose tick then says "≤" or "≥". Scores that are all
    negative and span more than a decade, such as negative errors, are drawn on a logarithmic axis.

    It is recommended to use :meth:`from_estimator` or :meth:`from_predictions` to create a display.
    All parameters are stored as attributes.

    Parameters
    ----------
    scores : array-like of shape (n_samples,)
        Outlier scores, such as `score_samples` returns them.

    offset : float, default=None
        Threshold: samples with a lower score are outliers.

    labels : array-like of shape (n_samples,), default=None
        True labels, +1 for inliers and -1 for outliers.

    estimator_name : str, default=None
        Name of the estimator, shown in the legend.

    Attributes
    ----------
    roc_auc_ : float or None
        Area under the ROC curve, if `labels` holds inliers and outliers.

    histograms_ : list of matplotlib StepPatch
        Histogram of all samples, or of the inliers and of the outliers.

    line_ : matplotlib Line2D or None
        Threshold.

    ax_ : matplotlib Axes
        Axes with the histogram.

    figure_ : matplotlib Figure
        Figure containing the histogram.

    See Also
    --------
    sklearn.metrics.RocCurveDisplay : The ROC curve of the scores.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skae.inspection import OutlierScoreDisplay
    >>> from skae.outliers import AutoencoderOutlierDetector
    >>> X, _ = load_iris(return_X_y=True)
    >>> detector = AutoencoderOutlierDetector(random_state=0).fit(X)
    >>> display = OutlierScoreDisplay.from_estimator(detector, X)
    >>> display.ax_.get_ylabel()
    'samples'
    """

    def __init__(
        self,
        scores: ArrayLike,
        *,
        offset: float | None = None,
        labels: ArrayLike | None = None,
        estimator_name: str | None = None,
    ) -> None:
        scores = column_or_1d(scores, dtype=np.float64, input_name="scores")
        self.scores = check_array(scores, ensure_2d=False, input_name="scores")
        self.offset = offset
        self.labels = None if labels is None else _check_labels(labels)
        self.estimator_name = estimator_name
        check_same_length(scores=self.scores, labels=self.labels)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike,
        y: ArrayLike | None = None,
        *,
        estimator_name: str | None = None,
        ax: Axes | None = None,
        bins: int | None = None,
        log_scale: bool | Literal["auto"] = "auto",
        histogram_kwargs: Mapping[str, Any] | None = None,
        line_kwargs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Score `X` with a fitted outlier detector and draw the scores.

        Parameters
        ----------
        estimator : estimator instance
            Fitted outlier detector or Pipeline. Its `score_samples` is drawn with its `offset_`, if
            it has one; without `score_samples`, its `decision_function` with threshold 0.

        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        y : array-like of shape (n_samples,), default=None
            True labels, +1 for inliers and -1 for outliers.

        estimator_name : str, default=None
            Name shown in the legend. If None, the legend has none.

        ax : matplotlib Axes, default=None
            Axes to draw on. If None, a new figure is made.

        bins : int, default=None
            Number of bars. If None, the square root of the number of samples, from 10 to 60.

        log_scale : bool or "auto", default="auto"
            Whether the score axis is logarithmic, which needs scores that are all negative. "auto"
            chooses so when they span more than a decade.

        histogram_kwargs : dict, default=None
            Keywords for all histograms, passed to :meth:`matplotlib.axes.Axes.stairs`.

        line_kwargs : dict, default=None
            Keywords for the threshold, passed to :meth:`matplotlib.axes.Axes.axvline`.

        Returns
        -------
        display : OutlierScoreDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If the estimator has neither `score_samples` nor `decision_function`.
        """
        scores, offset = scores_of(estimator, X)
        return cls.from_predictions(
            scores,
            offset=offset,
            labels=y,
            estimator_name=estimator_name,
            ax=ax,
            bins=bins,
            log_scale=log_scale,
            histogram_kwargs=histogram_kwargs,
            line_kwargs=line_kwargs,
        )

    @classmethod
    def from_predictions(
        cls,
        scores: ArrayLike,
        *,
        offset: float | None = None,
        labels: ArrayLike | None = None,
        estimator_name: str | None = None,
        ax: Axes | None = None,
        bins: int | None = None,
        log_scale: bool | Literal["auto"] = "auto",
        histogram_kwargs: Mapping[str, Any] | None = None,
        line_kwargs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the given scores.

        Parameters
        ----------
        scores : array-like of shape (n_samples,)
            Outlier scores; higher is more normal.

        offset : float, default=None
            Threshold: samples with a lower score are outliers.

        labels : array-like of shape (n_samples,), default=None
            True labels, +1 for inliers and -1 for outliers.

        estimator_name : str, default=None
            Name shown in the legend.

        ax : matplotlib Axes, default=None
            Axes to draw on. If None, a new figure is made.

        bins : int, default=None
            Number of bars. If None, the square root of the number of samples, from 10 to 60.

        log_scale : bool or "auto", default="auto"
            Whether the score axis is logarithmic, which needs scores that are all negative. "auto"
            chooses so when they span more than a decade.

        histogram_kwargs : dict, default=None
            Keywords for all histograms, passed to :meth:`matplotlib.axes.Axes.stairs`.

        line_kwargs : dict, default=None
            Keywords for the threshold, passed to :meth:`matplotlib.axes.Axes.axvline`.

        Returns
        -------
        display : OutlierScoreDisplay
            The display, drawn.
        """
        display = cls(scores, offset=offset, labels=labels, estimator_name=estimator_name)
        return display.plot(
            ax,
            bins=bins,
            log_scale=log_scale,
            histogram_kwargs=histogram_kwargs,
            line_kwargs=line_kwargs,
        )

    def plot(
        self,
        ax: Axes | None = None,
        *,
        bins: int | None = None,
        log_scale: bool | Literal["auto"] = "auto",
        histogram_kwargs: Mapping[str, Any] | None = None,
        line_kwargs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the histogram.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. If None, a new figure is made.

        bins : int, default=None
            Number of bars. If None, the square root of the number of samples, from 10 to 60.

        log_scale : bool or "auto", default="auto"
            Whether the score axis is logarithmic, which needs scores that are all negative. "auto"
            chooses so when they span more than a decade.

        histogram_kwargs : dict, default=None
            Keywords for all histograms, passed to :meth:`matplotlib.axes.Axes.stairs`.

        line_kwargs : dict, default=None
            Keywords for the threshold, passed to :meth:`matplotlib.axes.Axes.axvline`.

        Returns
        -------
        display : OutlierScoreDisplay
            The display itself.
        """
        self.roc_auc_ = None
        if self.labels is not None and len(np.unique(self.labels)) == 2:
            self.roc_auc_ = float(roc_auc_score(self.labels, self.scores))
        edges, log = bin_edges(self.scores, self.offset, bins, log_scale)
        self.ax_ = ax = get_axes(ax, f"{type(self).__name__}.plot")
        self.figure_ = ax.figure
        self._draw_histograms(edges, histogram_kwargs)
        ax.set(xlabel="score (higher is more normal)", ylim=(0, None))
        if log:
            ax.set_xscale("symlog", linthresh=-edges[-1])
            set_log_ticks(ax.xaxis, -edges[-1], -edges[0])
        ax.margins(x=0.02)
        mark_clipped_tails(ax, self.scores, edges)
        self.line_ = None
        if self.offset is not None:
            self._draw_threshold(line_kwargs)
        if ax.get_legend_handles_labels()[0]:
            ax.legend(
                title=self._legend_title(),
                alignment="left",
                loc="lower left",
                bbox_to_anchor=(0, 1),
                ncols=3,
                fontsize="small",
                columnspacing=1.5,
                borderaxespad=0.2,
                frameon=False,
            )
        return self

    def _draw_histograms(self, edges: NDArray[np.float64], given: Mapping[str, Any] | None) -> None:
        groups = [(None, PALETTE[0], self.scores)]
        if self.labels is not None:
            inliers, outliers = (self.scores[self.labels == label] for label in (1, -1))
            groups = [
                (f"inliers ({len(inliers)})", PALETTE[0], inliers),
                (f"outliers ({len(outliers)})", PALETTE[6], outliers),
            ]
        shares = self.labels is not None
        self.histograms_ = [
            draw_histogram(self.ax_, scores, edges, color, given, label=name, shares=shares)
            for name, color, scores in groups
        ]
        self.ax_.set_ylabel("share of each class" if shares else "samples")

    def _draw_threshold(self, given: Mapping[str, Any] | None) -> None:
        from matplotlib.lines import Line2D

        n_below, n_samples = np.sum(self.scores < self.offset), len(self.scores)
        label = f"threshold ({n_below} of {n_samples} below)"
        style = {"color": DARK, "linestyle": "--", "linewidth": 1.3, "label": label}
        self.line_ = self.ax_.axvline(self.offset, **merge_style(Line2D, style, given))

    def _legend_title(self) -> str | None:
        parts = [] if self.estimator_name is None else [self.estimator_name]
        if self.roc_auc_ is not None:
            parts.append(f"ROC AUC = {self.roc_auc_:.3f}")
        return ", ".join(parts) or None


def _check_labels(labels: ArrayLike) -> NDArray[np.intp]:
    labels = column_or_1d(labels, input_name="labels")
    found = np.unique(labels)
    if not np.isin(found, [-1, 1]).all():
        raise ValueError(
            f"labels must be +1 for inliers and -1 for outliers, got {found[:5].tolist()}. "
            "If 1 stands for an outlier, pass np.where(labels == 1, -1, 1)."
        )
    return labels.astype(np.intp)


def scores_of(estimator: Any, X: ArrayLike) -> tuple[ArrayLike, float | None]:
    """Return the scores of a detector, and its threshold if it has one."""
    if hasattr(estimator, "score_samples"):
        holder = find_holder(estimator, "offset_")
        return estimator.score_samples(X), None if holder is None else float(holder.offset_)
    if hasattr(estimator, "decision_function"):
        return estimator.decision_function(X), 0.0
    raise TypeError(
        "estimator must have score_samples or decision_function; "
        f"{type(estimator).__name__} has neither."
    )
