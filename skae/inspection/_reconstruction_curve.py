"""ReconstructionCurveDisplay: what is lost with 1, 2, ... components, and how many were chosen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from ._common import (
    DARK,
    PALETTE,
    add_grid,
    check_curve,
    check_same_length,
    find_holder,
    get_axes,
    merge_style,
    set_log_ticks,
    three_digits,
    use_log_scale,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_QUANTITIES = {"error": "variance not restored", "restored": "variance restored"}
_LEAST = 1e-3  # what is lower is drawn no further down: PCA with all components leaves nothing


class ReconstructionCurveDisplay:
    """Share of the variance that is lost, over the number of components.

    The error of PCA is drawn beside that of a network, dashed, because it is known for the chosen
    number and estimated for most others; and the number with which PCA loses as little. It is
    recommended to use :meth:`from_estimator` or :meth:`from_predictions` to create a display. All
    parameters are stored as attributes.

    Parameters
    ----------
    pca_restored_variance : array-like of shape (n_numbers,)
        Share of the variance of held-out rows that PCA restores with 1, 2, ... components.

    restored_variance : array-like of shape (n_numbers,), default=None
        The same of a network.

    n_components : int, default=None
        The number that was chosen. If None, none is marked.

    estimator_name : str, default=None
        Name of the network, shown in the legend. If None, "network".

    Attributes
    ----------
    pca_line_ : matplotlib Line2D
        Curve of PCA.

    line_ : matplotlib Line2D or None
        Curve of the network.

    marker_ : matplotlib Line2D or None
        The chosen number.

    pca_marker_ : matplotlib Line2D or None
        The number with which PCA restores as much.

    n_pca_components_ : int or None
        That number; None if there is none.

    ax_ : matplotlib Axes
        Axes with the curves.

    figure_ : matplotlib Figure
        Figure containing the curves.

    See Also
    --------
    skae.Autoencoder : Chooses the number with ``n_components="auto"``, or for a share.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skae import Autoencoder
    >>> from skae.inspection import ReconstructionCurveDisplay
    >>> X = load_digits().data / 16
    >>> model = Autoencoder("auto", max_epochs=5, random_state=0).fit(X)
    >>> display = ReconstructionCurveDisplay.from_estimator(model)
    >>> display.n_components < display.n_pca_components_
    True
    """

    def __init__(
        self,
        pca_restored_variance: ArrayLike,
        *,
        restored_variance: ArrayLike | None = None,
        n_components: int | None = None,
        estimator_name: str | None = None,
    ) -> None:
        self.pca_restored_variance = check_curve(
            pca_restored_variance, "pca_restored_variance", "n_numbers"
        )
        self.restored_variance = None
        if restored_variance is not None:
            self.restored_variance = check_curve(
                restored_variance, "restored_variance", "n_numbers"
            )
        check_same_length(
            pca_restored_variance=self.pca_restored_variance,
            restored_variance=self.restored_variance,
        )
        n_numbers = len(self.pca_restored_variance)
        if n_components is not None and not 1 <= n_components <= n_numbers:
            raise ValueError(f"n_components must be from 1 to {n_numbers}, got {n_components}.")
        self.n_components = n_components
        self.estimator_name = estimator_name

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        estimator_name: str | None = None,
        ax: Axes | None = None,
        quantity: Literal["error", "restored"] = "error",
        log_scale: bool | Literal["auto"] = "auto",
        line_kwargs: Mapping[str, Any] | None = None,
        pca_line_kwargs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw what a fitted estimator has found when it chose its number of components.

        Parameters
        ----------
        estimator : estimator instance
            Fitted estimator with a `restored_variance_`, or a Pipeline or a search that holds one.

        estimator_name : str, default=None
            Name shown in the legend. If None, the name of the class.

        ax : matplotlib Axes, default=None
            Axes to draw on. If None, a new figure is made.

        quantity : {"error", "restored"}, default="error"
            Whether to draw the share of the variance that is lost, or that is restored.

        log_scale : bool or "auto", default="auto"
            Whether the axis of shares is logarithmic. "auto" chooses so when they span more than a
            decade.

        line_kwargs : dict, default=None
            Keywords for the curve of the network, passed to :meth:`matplotlib.axes.Axes.plot`.

        pca_line_kwargs : dict, default=None
            Keywords for the curve of PCA.

        Returns
        -------
        display : ReconstructionCurveDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If neither the estimator nor a part of it has chosen its number of components.
        """
        check_is_fitted(estimator)
        holder = find_holder(estimator, "restored_variance_")
        if holder is None:
            raise ValueError(
                "estimator must have a restored_variance_, or hold a fitted estimator that has "
                f'one; {type(estimator).__name__} has none. Fit it with n_components="auto" or '
                "with a share such as 0.9."
            )
        return cls.from_predictions(
            holder.pca_restored_variance_,
            restored_variance=holder.restored_variance_,
            n_components=holder.n_components_,
            estimator_name=type(holder).__name__ if estimator_name is None else estimator_name,
            ax=ax,
            quantity=quantity,
            log_scale=log_scale,
            line_kwargs=line_kwargs,
            pca_line_kwargs=pca_line_kwargs,
        )

    @classmethod
    def from_predictions(
        cls,
        pca_restored_variance: ArrayLike,
        *,
        restored_variance: ArrayLike | None = None,
        n_components: int | None = None,
        estimator_name: str | None = None,
        ax: Axes | None = None,
        quantity: Literal["error", "restored"] = "error",
        log_scale: bool | Literal["auto"] = "auto",
        line_kwargs: Mapping[str, Any] | None = None,
        pca_line_kwargs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the given shares.

        Parameters
        ----------
        pca_restored_variance : array-like of shape (n_numbers,)
            Share of the variance that PCA restores with 1, 2, ... components.

        restored_variance : array-like of shape (n_numbers,), default=None
            The same of a network.

        n_components : int, default=None
            The number that was chosen.

        estimator_name : str, default=None
            Name of the network, shown in the legend.

        ax : matplotlib Axes, default=None
            Axes to draw on. If None, a new figure is made.

        quantity : {"error", "restored"}, default="error"
            Whether to draw the share of the variance that is lost, or that is restored.

        log_scale : bool or "auto", default="auto"
            Whether the axis of shares is logarithmic. "auto" chooses so when they span more than a
            decade.

        line_kwargs : dict, default=None
            Keywords for the curve of the network, passed to :meth:`matplotlib.axes.Axes.plot`.

        pca_line_kwargs : dict, default=None
            Keywords for the curve of PCA.

        Returns
        -------
        display : ReconstructionCurveDisplay
            The display, drawn.
        """
        display = cls(
            pca_restored_variance,
            restored_variance=restored_variance,
            n_components=n_components,
            estimator_name=estimator_name,
        )
        return display.plot(
            ax,
            quantity=quantity,
            log_scale=log_scale,
            line_kwargs=line_kwargs,
            pca_line_kwargs=pca_line_kwargs,
        )

    def plot(
        self,
        ax: Axes | None = None,
        *,
        quantity: Literal["error", "restored"] = "error",
        log_scale: bool | Literal["auto"] = "auto",
        line_kwargs: Mapping[str, Any] | None = None,
        pca_line_kwargs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. If None, a new figure is made.

        quantity : {"error", "restored"}, default="error"
            Whether to draw the share of the variance that is lost, or that is restored.

        log_scale : bool or "auto", default="auto"
            Whether the axis of shares is logarithmic. "auto" chooses so when they span more than a
            decade.

        line_kwargs : dict, default=None
            Keywords for the curve of the network, passed to :meth:`matplotlib.axes.Axes.plot`.

        pca_line_kwargs : dict, default=None
            Keywords for the curve of PCA.

        Returns
        -------
        display : ReconstructionCurveDisplay
            The display itself.
        """
        if quantity not in _QUANTITIES:
            raise ValueError(f"quantity must be one of {sorted(_QUANTITIES)}, got {quantity!r}.")
        ax = get_axes(ax, f"{type(self).__name__}.plot")
        self.n_pca_components_ = self._n_as_good()
        shown = self._n_shown()
        x = np.arange(1, shown + 1)
        name = self.estimator_name or "network"
        pca, network = (
            None if restored is None else self._values(restored, quantity)
            for restored in (self.pca_restored_variance, self.restored_variance)
        )
        self.pca_line_ = _curve(ax, x, pca, {"color": PALETTE[8], "label": "PCA"}, pca_line_kwargs)
        self.line_ = self.marker_ = self.pca_marker_ = None
        main = pca
        if network is not None:
            style = {"color": PALETTE[0], "linestyle": (0, (5, 1.5)), "label": name}
            self.line_ = _curve(ax, x, network, style, line_kwargs)
            main = network
        self._mark(ax, pca, main)
        drawn = np.concatenate([v[:shown] for v in (pca, network) if v is not None])
        if use_log_scale(log_scale, np.nanmin(drawn), np.nanmax(drawn)):
            ax.set_yscale("log")
            set_log_ticks(ax.yaxis, *ax.get_ylim())
        self._label(ax, quantity)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    @staticmethod
    def _values(restored: Any, quantity: str) -> Any:
        return restored if quantity == "restored" else np.maximum(1 - restored, _LEAST)

    def _n_as_good(self) -> int | None:
        """Return with how many components PCA restores as much as the network does."""
        if self.n_components is None or self.restored_variance is None:
            return None
        reached = self.restored_variance[self.n_components - 1]
        as_good = np.flatnonzero(self.pca_restored_variance >= reached - 1e-6)
        return int(as_good[0]) + 1 if len(as_good) else None

    def _n_shown(self) -> int:
        """Return how many numbers to draw: with hundreds, what was chosen would stand at a rim."""
        n_numbers = len(self.pca_restored_variance)
        marked = [n for n in (self.n_components, self.n_pca_components_) if n is not None]
        return min(n_numbers, max(10, 2 * max(marked))) if marked else n_numbers

    def _mark(self, ax: Axes, pca: Any, main: Any) -> None:
        k, same = self.n_components, self.n_pca_components_
        if k is None:
            return
        color = (self.line_ or self.pca_line_).get_color()
        ax.axvline(k, color=color, linewidth=0.8, linestyle=":", zorder=1)
        dot = {"marker": "o", "linestyle": "none", "markerfacecolor": "white", "markersize": 7}
        dot |= {"markeredgewidth": 1.5, "zorder": 3}
        label = f"chosen: {k} ({three_digits(main[k - 1])})"
        (self.marker_,) = ax.plot(k, main[k - 1], **dot, color=color, label=label)
        if same is not None:
            color, label = self.pca_line_.get_color(), f"PCA, as good: {same}"
            level = main[k - 1]
            ax.plot([k, same], [level, level], color=DARK, linewidth=0.8, linestyle=":", zorder=1)
            (self.pca_marker_,) = ax.plot(same, pca[same - 1], **dot, color=color, label=label)

    def _label(self, ax: Axes, quantity: str) -> None:
        from matplotlib.ticker import MaxNLocator

        ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10]))
        ax.set(xlabel="components", ylabel=_QUANTITIES[quantity])
        add_grid(ax, "y")
        ax.legend(frameon=False)


def _curve(ax: Axes, x: Any, values: Any, style: dict[str, Any], given: Any) -> Any:
    from matplotlib.lines import Line2D

    styled = merge_style(Line2D, {"linewidth": 1.5, **style}, given)
    return ax.plot(x, values[: len(x)], **styled)[0]
