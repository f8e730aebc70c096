"""RankingCurveDisplay: how well recommenders rank what they were not shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike

from ..metrics import hide_items, ndcg_at_k, recall_at_k
from ..metrics._hidden_items import like, split_rows
from ._common import (
    check_curves,
    draw_curves,
    get_axes,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_METRICS = {"ndcg": (ndcg_at_k, "NDCG", 100), "recall": (recall_at_k, "Recall", 20)}
_STEPS = {"k": (1, 2, 5, 10, 20, 50, 100), "history": (1, 2, 5, 10, 20, 50)}


class RankingCurveDisplay:
    """Quality of rankings over the length of the list, or of what is known of a user.

    Higher is better. It is recommended to use :meth:`from_estimator` or :meth:`from_predictions` to
    create a display. All parameters are stored as attributes.

    Parameters
    ----------
    lengths : dict of str to array-like of shape (n_points,)
        Lengths of the lists, or of the histories, for each recommender; positive, in any order.

    quality : dict of str to array-like of shape (n_points,)
        The metric of the same recommenders there, from 0 to 1.

    length_name : str, default="k"
        What the lengths are.

    quality_name : str, default="NDCG@k"
        Name of the metric.

    Attributes
    ----------
    lines_ : dict of str to matplotlib Line2D
        Curve of each recommender.

    ax_ : matplotlib Axes
        Axes with the curves.

    figure_ : matplotlib Figure
        Figure containing the curves.

    See Also
    --------
    skae.metrics.make_recommender_scorer : The same numbers in a cross-validation.

    Examples
    --------
    >>> from skae.inspection import RankingCurveDisplay
    >>> display = RankingCurveDisplay.from_predictions(
    ...     {"popularity": [1, 10, 100]}, {"popularity": [0.1, 0.15, 0.25]}
    ... )
    >>> display.ax_.get_ylabel()
    'NDCG@k'
    """

    def __init__(
        self,
        lengths: Mapping[str, ArrayLike],
        quality: Mapping[str, ArrayLike],
        *,
        length_name: str = "k",
        quality_name: str = "NDCG@k",
    ) -> None:
        self.lengths, self.quality = check_curves("recommenders", lengths=lengths, quality=quality)
        self.length_name, self.quality_name = length_name, quality_name

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        metric: Literal["ndcg", "recall"] = "ndcg",
        over: Literal["k", "history"] = "k",
        lengths: Iterable[int] | None = None,
        k: int | None = None,
        test_size: float = 0.2,
        random_state: int = 0,
        estimator_name: str | None = None,
        ax: Axes | None = None,
        log_scale: bool | Literal["auto"] = "auto",
        line_kwargs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Hide items of users, let a recommender rank them, and draw how well it does.

        Parameters
        ----------
        estimator : estimator instance
            Fitted recommender with a method `recommend`, or a search for one.

        X : {array-like, sparse matrix or array} of shape (n_users, n_items)
            What users have who were not in the training data.

        metric : {"ndcg", "recall"}, default="ndcg"
            :func:`~skae.metrics.ndcg_at_k` or :func:`~skae.metrics.recall_at_k`.

        over : {"k", "history"}, default="k"
            Whether to draw the metric over the length of the list, or over the number of items of
            each user that are shown to the recommender, drawn by chance from those not hidden; of
            users who have fewer, all are.

        lengths : iterable of int, default=None
            Where to measure. If None, 1, 2, 5, 10, 20, 50 and, of lists, 100, up to the number of
            items.

        k : int, default=None
            Length of the list with ``over="history"``. If None, 100 for NDCG and 20 for recall.

        test_size : float, default=0.2
            Share of each user's items that is hidden.

        random_state : int, default=0
            Determines what is hidden and what is shown.

        estimator_name : str, default=None
            Name shown in the legend. If None, the name of the class.

        ax : matplotlib Axes, default=None
            Axes to draw on, such as those of another display. If None, a new figure is made.

        log_scale : bool or "auto", default="auto"
            Whether the axis of lengths is logarithmic. "auto" chooses so when they span more than a
            decade.

        line_kwargs : dict, default=None
            Keywords for the curves, passed to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : RankingCurveDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If the estimator has no `recommend`.
        """
        for name, value, allowed in (("metric", metric, _METRICS), ("over", over, _STEPS)):
            if value not in allowed:
                raise ValueError(f"{name} must be one of {sorted(allowed)}, got {value!r}.")
        recommender = getattr(estimator, "best_estimator_", estimator)
        if not hasattr(recommender, "recommend"):
            raise TypeError(f"{type(recommender).__name__} has no method `recommend`.")
        measure, title, default_k = _METRICS[metric]
        shown, hidden = hide_items(X, test_size, random_state=random_state)
        if lengths is None:
            lengths = [n for n in _STEPS[over] if n <= hidden.shape[1]]
        steps = [int(n) for n in lengths]
        if not steps or min(steps) < 1:
            raise ValueError(f"lengths must be at least 1, got {steps}.")
        name = type(recommender).__name__ if estimator_name is None else estimator_name
        if over == "k":
            ids = recommender.recommend(like(X, shown), k=max(steps))
            values = [measure(hidden, ids, n) for n in steps]
            names = {"length_name": "k", "quality_name": f"{title}@k"}
        else:
            k = default_k if k is None else k
            order = np.random.default_rng(random_state).random(shown.nnz)
            parts = (like(X, split_rows(shown, order, n)[0]) for n in steps)
            values = [measure(hidden, recommender.recommend(x, k=k), k) for x in parts]
            names = {"length_name": "items shown of each user", "quality_name": f"{title}@{k}"}
        return cls.from_predictions(
            {name: steps},
            {name: values},
            **names,
            ax=ax,
            log_scale=log_scale,
            line_kwargs=line_kwargs,
        )

    @classmethod
    def from_predictions(
        cls,
        lengths: Mapping[str, ArrayLike],
        quality: Mapping[str, ArrayLike],
        *,
        length_name: str = "k",
        quality_name: str = "NDCG@k",
        ax: Axes | None = None,
        log_scale: bool | Literal["auto"] = "auto",
        line_kwargs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw what was measured.

        Parameters
        ----------
        lengths : dict of str to array-like of shape (n_points,)
            Lengths of the lists, or of the histories, for each recommender; positive.

        quality : dict of str to array-like of shape (n_points,)
            The metric of the same recommenders there.

        length_name : str, default="k"
            What the lengths are.

        quality_name : str, default="NDCG@k"
            Name of the metric.

        ax : matplotlib Axes, default=None
            Axes to draw on, such as those of another display. If None, a new figure is made.

        log_scale : bool or "auto", default="auto"
            Whether the axis of lengths is logarithmic. "auto" chooses so when they span more than a
            decade.

        line_kwargs : dict, default=None
            Keywords for the curves, passed to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : RankingCurveDisplay
            The display, drawn.
        """
        display = cls(lengths, quality, length_name=length_name, quality_name=quality_name)
        return display.plot(ax, log_scale=log_scale, line_kwargs=line_kwargs)

    def plot(
        self,
        ax: Axes | None = None,
        *,
        log_scale: bool | Literal["auto"] = "auto",
        line_kwargs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on, such as those of another display. If None, a new figure is made.

        log_scale : bool or "auto", default="auto"
            Whether the axis of lengths is logarithmic. "auto" chooses so when they span more than a
            decade.

        line_kwargs : dict, default=None
            Keywords for the curves, passed to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : RankingCurveDisplay
            The display itself.
        """
        ax = get_axes(ax, f"{type(self).__name__}.plot")
        self.lines_ = draw_curves(ax, self.lengths, self.quality, log_scale, line_kwargs)
        ax.set_ylim(bottom=0, auto=True)
        ax.set(xlabel=self.length_name, ylabel=self.quality_name)
        self.ax_, self.figure_ = ax, ax.figure
        return self
