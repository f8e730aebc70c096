"""ImputationDisplay: imputed values of a table beside those that were observed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from numpy.typing import ArrayLike

from ._common import check_at_least_one
from ._distribution_panels import draw_distribution_panels
from ._imputed_columns import check_columns, split_columns

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class ImputationDisplay:
    """Distributions of imputed values beside those of observed ones, a panel for each column.

    Numbers and dates make histograms, categories make bars, all of shares of the observed and of
    the imputed values. Numbers far out in a tail are counted in the last bar, whose tick then says
    "≤" or "≥", and rare categories are counted together.

    The two need not be alike: whose values are missing may differ from the rest. But a column where
    all imputed values are the same, or none is where any was observed, asks for a look.

    It is recommended to use :meth:`from_estimator` or :meth:`from_predictions` to create a display.
    All parameters are stored as attributes.

    Parameters
    ----------
    observed : dict of {str: array-like of shape (n_observed,)}
        Observed values of each column, by its name: numbers, dates of NumPy, or anything else as
        categories, nothing missing.

    imputed : dict of {str: array-like of shape (n_imputed,)}
        Imputed values of the same columns.

    Attributes
    ----------
    histograms_ : dict of {str: tuple of two matplotlib StepPatch}
        Histograms of observed and of imputed values, for each column of numbers or dates.

    bars_ : dict of {str: tuple of two matplotlib BarContainer}
        Bars of observed and of imputed values, for each column of categories.

    axes_ : ndarray of matplotlib Axes
        One panel for each column.

    ax_ : matplotlib Axes
        Axes that encloses the picture.

    figure_ : matplotlib Figure
        Figure containing the picture.

    See Also
    --------
    ReconstructionDisplay : Some rows, and what a model makes of them.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.impute import KNNImputer
    >>> from skae.inspection import ImputationDisplay
    >>> X = load_iris(as_frame=True).data
    >>> X = X.mask(np.random.default_rng(0).random(X.shape) < 0.2)
    >>> display = ImputationDisplay.from_estimator(KNNImputer().fit(X), X)
    >>> len(display.axes_)
    4
    """

    def __init__(self, observed: Mapping[str, ArrayLike], imputed: Mapping[str, ArrayLike]) -> None:
        self.observed, self.imputed = check_columns(observed, imputed)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        columns: Sequence[int | str] | None = None,
        feature_names: ArrayLike | None = None,
        ax: Axes | None = None,
        bins: int | None = None,
        histogram_kwargs: Mapping[str, Any] | None = None,
        bar_kwargs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Fill the missing values of `X` with a fitted imputer and draw them.

        Parameters
        ----------
        estimator : estimator instance
            Fitted imputer, or a Pipeline of one, whose `transform` returns the rows filled.

        X : array-like or data frame of shape (n_samples, n_features)
            Rows with missing values: numbers, NaN where they are missing, or a frame of pandas or
            polars with any kind of column.

        columns : sequence of int or str, default=None
            Columns to draw, by position or name. If None, those with imputed values, at most the 12
            with the most of them.

        feature_names : array-like of str of shape (n_features,), default=None
            Names of the columns. If None, those of a dataframe `X`, or "x0", "x1", ...

        ax : matplotlib Axes, default=None
            Axes whose place the picture takes. If None, a new figure is made.

        bins : int, default=None
            Number of bars of each histogram. If None, the square root of the number of values, from
            10 to 24, or fewer where whole numbers get a bar each.

        histogram_kwargs : dict, default=None
            Keywords for all histograms, passed to :meth:`matplotlib.axes.Axes.stairs`.

        bar_kwargs : dict, default=None
            Keywords for all bars, passed to :meth:`matplotlib.axes.Axes.barh`.

        Returns
        -------
        display : ImputationDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If the estimator has no `transform`.
        ValueError
            If it does not return the columns of `X`, or fills no cell.
        """
        if not hasattr(estimator, "transform"):
            raise TypeError(f"estimator must have transform; {type(estimator).__name__} has none.")
        return cls.from_predictions(
            X,
            estimator.transform(X),
            columns=columns,
            feature_names=feature_names,
            ax=ax,
            bins=bins,
            histogram_kwargs=histogram_kwargs,
            bar_kwargs=bar_kwargs,
        )

    @classmethod
    def from_predictions(
        cls,
        X: Any,
        X_imputed: Any,
        *,
        columns: Sequence[int | str] | None = None,
        feature_names: ArrayLike | None = None,
        ax: Axes | None = None,
        bins: int | None = None,
        histogram_kwargs: Mapping[str, Any] | None = None,
        bar_kwargs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw what was put into the missing cells of `X`.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
            Rows with missing values: numbers, NaN where they are missing, or a frame of pandas or
            polars with any kind of column.

        X_imputed : array-like or data frame of shape (n_samples, n_features)
            The same rows, filled: an array with the columns of `X`, or a frame with them in any
            order. Cells that are still missing are left out.

        columns : sequence of int or str, default=None
            Columns to draw, by position or name. If None, those with imputed values, at most the 12
            with the most of them.

        feature_names : array-like of str of shape (n_features,), default=None
            Names of the columns. If None, those of a dataframe `X`, or "x0", "x1", ...

        ax : matplotlib Axes, default=None
            Axes whose place the picture takes. If None, a new figure is made.

        bins : int, default=None
            Number of bars of each histogram. If None, the square root of the number of values, from
            10 to 24, or fewer where whole numbers get a bar each.

        histogram_kwargs : dict, default=None
            Keywords for all histograms, passed to :meth:`matplotlib.axes.Axes.stairs`.

        bar_kwargs : dict, default=None
            Keywords for all bars, passed to :meth:`matplotlib.axes.Axes.barh`.

        Returns
        -------
        display : ImputationDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If the columns differ, or no cell is filled.
        """
        return cls(*split_columns(X, X_imputed, columns, feature_names)).plot(
            ax, bins=bins, histogram_kwargs=histogram_kwargs, bar_kwargs=bar_kwargs
        )

    def plot(
        self,
        ax: Axes | None = None,
        *,
        bins: int | None = None,
        histogram_kwargs: Mapping[str, Any] | None = None,
        bar_kwargs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw all columns of the display.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes whose place the picture takes. If None, a new figure is made.

        bins : int, default=None
            Number of bars of each histogram. If None, the square root of the number of values, from
            10 to 24, or fewer where whole numbers get a bar each.

        histogram_kwargs : dict, default=None
            Keywords for all histograms, passed to :meth:`matplotlib.axes.Axes.stairs`.

        bar_kwargs : dict, default=None
            Keywords for all bars, passed to :meth:`matplotlib.axes.Axes.barh`.

        Returns
        -------
        display : ImputationDisplay
            The display itself.
        """
        check_at_least_one("bins", bins)
        self.ax_, self.axes_, self.histograms_, self.bars_ = draw_distribution_panels(
            ax,
            f"{type(self).__name__}.plot",
            {name: (values, self.imputed[name]) for name, values in self.observed.items()},
            ("observed", "imputed"),
            {name: self._caption(name) for name in self.observed},
            bins=bins,
            histogram_kwargs=histogram_kwargs,
            bar_kwargs=bar_kwargs,
        )
        self.figure_ = self.ax_.figure
        return self

    def _caption(self, name: str) -> str:
        n_imputed = len(self.imputed[name])
        return f"{n_imputed:,} of {len(self.observed[name]) + n_imputed:,} imputed"
