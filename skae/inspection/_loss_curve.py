"""LossCurveDisplay: the loss of each epoch of a training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from ._common import (
    check_curve,
    check_same_length,
    find_holder,
    get_axes,
    merge_style,
    set_log_ticks,
    use_log_scale,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class LossCurveDisplay:
    """Loss per epoch of a training, and the best epoch on held-out data.

    It is recommended to use :meth:`from_estimator` or :meth:`from_predictions` to create a display.
    All parameters are stored as attributes.

    Parameters
    ----------
    loss_curve : array-like of shape (n_epochs,)
        Training loss of each epoch. Values that are not finite leave a gap.

    validation_loss_curve : array-like of shape (n_epochs,), default=None
        Loss of each epoch on the data held out for early stopping. Its lowest value is marked.

    estimator_name : str, default=None
        Name of the estimator, shown in the legend. It tells the curves of several displays drawn
        on the same axes apart.

    Attributes
    ----------
    line_ : matplotlib Line2D
        Curve of the training loss.

    validation_line_ : matplotlib Line2D or None
        Curve of the validation loss.

    best_epoch_ : int or None
        Epoch of the lowest validation loss, counted from 1.

    best_marker_ : matplotlib Line2D or None
        Marker of the lowest validation loss.

    ax_ : matplotlib Axes
        Axes with the curves.

    figure_ : matplotlib Figure
        Figure containing the curves.

    See Also
    --------
    ReconstructionDisplay : What the trained model makes of its input.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skae.decomposition import Autoencoder
    >>> from skae.inspection import LossCurveDisplay
    >>> X, _ = load_iris(return_X_y=True)
    >>> model = Autoencoder(n_components=2, max_epochs=5, random_state=0).fit(X)
    >>> display = LossCurveDisplay.from_estimator(model)
    >>> display.ax_.get_xlabel()
    'epoch'
    """

    def __init__(
        self,
        loss_curve: ArrayLike,
        *,
        validation_loss_curve: ArrayLike | None = None,
        estimator_name: str | None = None,
    ) -> None:
        self.loss_curve = check_curve(loss_curve, "loss_curve", "n_epochs")
        if validation_loss_curve is not None:
            validation_loss_curve = check_curve(
                validation_loss_curve, "validation_loss_curve", "n_epochs"
            )
        self.validation_loss_curve = validation_loss_curve
        self.estimator_name = estimator_name
        check_same_length(
            loss_curve=self.loss_curve, validation_loss_curve=self.validation_loss_curve
        )

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        estimator_name: str | None = None,
        ax: Axes | None = None,
        log_scale: bool | Literal["auto"] = "auto",
        line_kwargs: Mapping[str, Any] | None = None,
        validation_line_kwargs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the loss curve of a fitted estimator.

        Parameters
        ----------
        estimator : estimator instance
            Fitted estimator with a `loss_curve_`, or a Pipeline, a search or a meta-estimator that
            holds one. Of the steps of a Pipeline the last one with a `loss_curve_` is taken.

        estimator_name : str, default=None
            Name shown in the legend. If None, the legend names the curves only.

        ax : matplotlib Axes, default=None
            Axes to draw on. If None, a new figure is made.

        log_scale : bool or "auto", default="auto"
            Whether the loss axis is logarithmic. "auto" chooses so when all losses are positive and
            span more than a decade.

        line_kwargs : dict, default=None
            Keywords for the line of the training loss, passed to :meth:`matplotlib.axes.Axes.plot`.

        validation_line_kwargs : dict, default=None
            Keywords for the line of the validation loss.

        Returns
        -------
        display : LossCurveDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If neither the estimator nor a part of it has a `loss_curve_`.
        """
        check_is_fitted(estimator)
        holder = find_holder(estimator, "loss_curve_")
        if holder is None:
            raise ValueError(
                f"estimator must have a loss_curve_, or hold a fitted estimator that has one; "
                f"{type(estimator).__name__} has none."
            )
        return cls.from_predictions(
            holder.loss_curve_,
            validation_loss_curve=getattr(holder, "validation_loss_curve_", None),
            estimator_name=estimator_name,
            ax=ax,
            log_scale=log_scale,
            line_kwargs=line_kwargs,
            validation_line_kwargs=validation_line_kwargs,
        )

    @classmethod
    def from_predictions(
        cls,
        loss_curve: ArrayLike,
        *,
        validation_loss_curve: ArrayLike | None = None,
        estimator_name: str | None = None,
        ax: Axes | None = None,
        log_scale: bool | Literal["auto"] = "auto",
        line_kwargs: Mapping[str, Any] | None = None,
        validation_line_kwargs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the given losses.

        Parameters
        ----------
        loss_curve : array-like of shape (n_epochs,)
            Training loss of each epoch.

        validation_loss_curve : array-like of shape (n_epochs,), default=None
            Validation loss of each epoch.

        estimator_name : str, default=None
            Name shown in the legend.

        ax : matplotlib Axes, default=None
            Axes to draw on. If None, a new figure is made.

        log_scale : bool or "auto", default="auto"
            Whether the loss axis is logarithmic. "auto" chooses so when all losses are positive and
            span more than a decade.

        line_kwargs : dict, default=None
            Keywords for the line of the training loss, passed to :meth:`matplotlib.axes.Axes.plot`.

        validation_line_kwargs : dict, default=None
            Keywords for the line of the validation loss.

        Returns
        -------
        display : LossCurveDisplay
            The display, drawn.
        """
        display = cls(
            loss_curve, validation_loss_curve=validation_loss_curve, estimator_name=estimator_name
        )
        return display.plot(
            ax,
            log_scale=log_scale,
            line_kwargs=line_kwargs,
            validation_line_kwargs=validation_line_kwargs,
        )

    def plot(
        self,
        ax: Axes | None = None,
        *,
        log_scale: bool | Literal["auto"] = "auto",
        line_kwargs: Mapping[str, Any] | None = None,
        validation_line_kwargs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. If None, a new figure is made.

        log_scale : bool or "auto", default="auto"
            Whether the loss axis is logarithmic. "auto" chooses so when all losses are positive and
            span more than a decade.

        line_kwargs : dict, default=None
            Keywords for the line of the training loss, passed to :meth:`matplotlib.axes.Axes.plot`.

        validation_line_kwargs : dict, default=None
            Keywords for the line of the validation loss.

        Returns
        -------
        display : LossCurveDisplay
            The display itself.
        """
        ax = get_axes(ax, f"{type(self).__name__}.plot")
        from matplotlib.lines import Line2D
        from matplotlib.ticker import MaxNLocator

        prefix = "" if self.estimator_name is None else f"{self.estimator_name}, "
        epochs = np.arange(1, len(self.loss_curve) + 1)
        style = merge_style(Line2D, {"label": f"{prefix}training"}, line_kwargs)
        (self.line_,) = ax.plot(epochs, self.loss_curve, **style)
        self.validation_line_ = self.best_epoch_ = self.best_marker_ = None
        if self.validation_loss_curve is not None:
            # The colour tells the model, the dashes the data: several models fit on one axes.
            style = {"label": f"{prefix}validation", "color": self.line_.get_color()}
            style = merge_style(Line2D, style | {"linestyle": "--"}, validation_line_kwargs)
            (self.validation_line_,) = ax.plot(epochs, self.validation_loss_curve, **style)
            self._mark_best_epoch(ax)

        curves = [self.loss_curve, self.validation_loss_curve]
        losses = np.concatenate([curve for curve in curves if curve is not None])
        if use_log_scale(log_scale, np.nanmin(losses), np.nanmax(losses)):
            ax.set_yscale("log")
            set_log_ticks(ax.yaxis, *ax.get_ylim())
        ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10]))
        ax.set(xlabel="epoch", ylabel="loss")
        ax.legend(frameon=False)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _mark_best_epoch(self, ax: Axes) -> None:
        losses = self.validation_loss_curve
        self.best_epoch_ = int(np.nanargmin(losses)) + 1
        lowest = losses[self.best_epoch_ - 1]
        (self.best_marker_,) = ax.plot(
            self.best_epoch_,
            lowest,
            marker="o",
            linestyle="none",
            markerfacecolor="white",
            markeredgewidth=1.5,
            color=self.validation_line_.get_color(),
            label=f"best: {lowest:.3g} in epoch {self.best_epoch_}",
            zorder=3,
        )
