"""LatentSpaceDisplay: the codes of an encoder as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import column_or_1d

from ._common import PALETTE, check_rows, check_same_length, get_axes, merge_style, n_bars
from ._scatter import (
    Categories,
    add_category_legend,
    find_categories,
    scatter,
    scatter_categories,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class LatentSpaceDisplay:
    """Codes of some samples in one or two components of the latent space.

    Two components make a scatter plot. One component makes a histogram without labels, a strip
    for each category with categorical labels, and a scatter plot against the label with continuous
    ones.

    It is recommended to use :meth:`from_estimator` or :meth:`from_predictions` to create a display.
    All parameters are stored as attributes.

    Parameters
    ----------
    codes : {array-like, sparse matrix} of shape (n_samples, n_components)
        Codes of the samples.

    labels : array-like of shape (n_samples,), default=None
        Colours of the samples. Text, booleans and integers with up to 20 distinct values are
        categories; other numbers are continuous.

    label_name : str, default=None
        Title of the legend or of the colour bar.

    Attributes
    ----------
    components_ : tuple of int
        The one or two components drawn, counted from 0.

    scatter_ : matplotlib PathCollection or None
        Points. Those of categories are in a shuffled order, so that none hides another.

    histogram_ : matplotlib StepPatch or None
        Histogram of a single component without labels.

    legend_ : matplotlib Legend or None
        Names of the categories.

    colorbar_ : matplotlib Colorbar or None
        Scale of continuous labels.

    ax_ : matplotlib Axes
        Axes with the codes.

    figure_ : matplotlib Figure
        Figure containing the codes.

    See Also
    --------
    ReconstructionDisplay : What is decoded from the codes.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skae.decomposition import Autoencoder
    >>> from skae.inspection import LatentSpaceDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> model = Autoencoder(n_components=2, max_epochs=5, random_state=0).fit(X)
    >>> display = LatentSpaceDisplay.from_estimator(model, X, y, label_name="species")
    >>> display.components_
    (0, 1)
    """

    def __init__(
        self,
        codes: ArrayLike,
        *,
        labels: ArrayLike | None = None,
        label_name: str | None = None,
    ) -> None:
        self.codes = check_rows(codes, "codes")
        self.labels = None if labels is None else _check_labels(labels)
        self.label_name = label_name
        check_same_length(codes=self.codes, labels=self.labels)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike,
        y: ArrayLike | None = None,
        *,
        label_name: str | None = None,
        components: int | Sequence[int] | None = None,
        ax: Axes | None = None,
        scatter_kwargs: Mapping[str, Any] | None = None,
        histogram_kwargs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the codes of `X`.

        Parameters
        ----------
        estimator : estimator instance
            Fitted estimator or Pipeline with a `transform`.

        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        y : array-like of shape (n_samples,), default=None
            Labels that colour the samples: categories or a quantity.

        label_name : str, default=None
            Title of the legend or of the colour bar. If None, the name of a pandas Series `y`.

        components : int or sequence of two int, default=None
            Components to draw, counted from 0. If None, the two with the largest variance.

        ax : matplotlib Axes, default=None
            Axes to draw on. If None, a new figure is made.

        scatter_kwargs : dict, default=None
            Keywords for the points, passed to :meth:`matplotlib.axes.Axes.scatter`.

        histogram_kwargs : dict, default=None
            Keywords of :meth:`matplotlib.axes.Axes.stairs` for the histogram of one component.

        Returns
        -------
        display : LatentSpaceDisplay
            The display, drawn.
        """
        return cls.from_predictions(
            estimator.transform(X),
            labels=y,
            label_name=label_name,
            components=components,
            ax=ax,
            scatter_kwargs=scatter_kwargs,
            histogram_kwargs=histogram_kwargs,
        )

    @classmethod
    def from_predictions(
        cls,
        codes: ArrayLike,
        *,
        labels: ArrayLike | None = None,
        label_name: str | None = None,
        components: int | Sequence[int] | None = None,
        ax: Axes | None = None,
        scatter_kwargs: Mapping[str, Any] | None = None,
        histogram_kwargs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the given codes.

        Parameters
        ----------
        codes : {array-like, sparse matrix} of shape (n_samples, n_components)
            Codes of the samples.

        labels : array-like of shape (n_samples,), default=None
            Labels that colour the samples: categories or a quantity.

        label_name : str, default=None
            Title of the legend or of the colour bar. If None, the name of a pandas Series `labels`.

        components : int or sequence of two int, default=None
            Components to draw, counted from 0. If None, the two with the largest variance.

        ax : matplotlib Axes, default=None
            Axes to draw on. If None, a new figure is made.

        scatter_kwargs : dict, default=None
            Keywords for the points, passed to :meth:`matplotlib.axes.Axes.scatter`.

        histogram_kwargs : dict, default=None
            Keywords of :meth:`matplotlib.axes.Axes.stairs` for the histogram of one component.

        Returns
        -------
        display : LatentSpaceDisplay
            The display, drawn.
        """
        if label_name is None and getattr(labels, "name", None) not in (None, ""):
            label_name = str(labels.name)
        return cls(codes, labels=labels, label_name=label_name).plot(
            ax,
            components=components,
            scatter_kwargs=scatter_kwargs,
            histogram_kwargs=histogram_kwargs,
        )

    def plot(
        self,
        ax: Axes | None = None,
        *,
        components: int | Sequence[int] | None = None,
        scatter_kwargs: Mapping[str, Any] | None = None,
        histogram_kwargs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the codes.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. If None, a new figure is made.

        components : int or sequence of two int, default=None
            Components to draw, counted from 0. If None, the two with the largest variance.

        scatter_kwargs : dict, default=None
            Keywords for the points, passed to :meth:`matplotlib.axes.Axes.scatter`.

        histogram_kwargs : dict, default=None
            Keywords of :meth:`matplotlib.axes.Axes.stairs` for the histogram of one component.

        Returns
        -------
        display : LatentSpaceDisplay
            The display itself.
        """
        self.components_ = _choose_components(self.codes, components)
        categories = find_categories(self.labels)
        flat = len(self.components_) == 2
        width = categories.width if flat and categories is not None else 5.5
        self.ax_ = ax = get_axes(ax, f"{type(self).__name__}.plot", (width, 4.2))
        self.figure_ = ax.figure
        self.scatter_ = self.histogram_ = self.legend_ = self.colorbar_ = None
        x = self.codes[:, self.components_[0]]
        ax.set_xlabel(self._component_label(self.components_[0]))
        if not flat and self.labels is None:
            self._draw_histogram(x, histogram_kwargs)
            return self
        y = self._draw_second_axis(categories)
        if categories is not None:
            self.scatter_ = scatter_categories(ax, x, y, categories.index, scatter_kwargs)
            if flat:
                self.legend_ = add_category_legend(ax, categories, self.label_name)
        elif self.labels is not None and flat:
            self.scatter_ = scatter(ax, x, y, {"c": self.labels}, scatter_kwargs)
            self.colorbar_ = self.figure_.colorbar(self.scatter_, ax=ax, label=self.label_name)
            self.colorbar_.solids.set_alpha(1)
        else:
            self.scatter_ = scatter(ax, x, y, {"color": PALETTE[0]}, scatter_kwargs)
        return self

    def _draw_second_axis(self, categories: Categories | None) -> NDArray[Any]:
        """Return the heights of the points: another component, else the labels."""
        if len(self.components_) == 2:
            self.ax_.set_ylabel(self._component_label(self.components_[1]))
            return self.codes[:, self.components_[1]]
        if categories is None:
            self.ax_.set_ylabel(self.label_name or "label")
            return self.labels
        names, index = categories
        self.ax_.set_yticks(np.arange(len(names)), names)
        self.ax_.set_ylim(len(names) - 0.5, -0.5)
        self.ax_.set_ylabel(self.label_name)
        return index + np.random.default_rng(0).uniform(-0.3, 0.3, len(index))

    def _component_label(self, component: int) -> str:
        if self.codes.shape[1] <= 2:
            return f"component {component}"
        variances = self.codes.var(axis=0)
        share = variances[component] / (variances.sum() or 1.0)
        return f"component {component} ({share:.0%} of the variance)"

    def _draw_histogram(self, x: NDArray[np.float64], given: Mapping[str, Any] | None) -> None:
        from matplotlib.patches import StepPatch

        style = merge_style(StepPatch, {"fill": True, "color": PALETTE[0]}, given)
        self.histogram_ = self.ax_.stairs(*np.histogram(x, bins=n_bars(len(x))), **style)
        self.ax_.set_ylabel("samples")


def _check_labels(labels: ArrayLike) -> NDArray[Any]:
    labels = column_or_1d(np.asarray(labels), input_name="labels")
    if labels.dtype.kind == "f":
        missing = ~np.isfinite(labels)
    else:
        missing = np.array([label is None or label != label for label in labels.tolist()])
    if missing.any():
        raise ValueError(
            f"labels has {missing.sum()} values that are missing or infinite; leave these samples "
            "out, or give them a category of their own."
        )
    return labels.astype(str) if labels.dtype.kind == "O" else labels


def _choose_components(
    codes: NDArray[np.float64], components: int | Sequence[int] | None
) -> tuple[int, ...]:
    n_components = codes.shape[1]
    if components is None:
        # A stable order, so that of equal variances the first components are taken.
        largest = np.argsort(-codes.var(axis=0), kind="stable")[:2]
        return tuple(sorted(largest.tolist()))
    chosen = tuple(np.atleast_1d(components).tolist())
    known = all(isinstance(c, int) and 0 <= c < n_components for c in chosen)
    if not known or len(chosen) not in (1, 2) or len(set(chosen)) < len(chosen):
        raise ValueError(
            f"components must be one or two different integers from 0 to {n_components - 1}, "
            f"got {components!r}."
        )
    return chosen
