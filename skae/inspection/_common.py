"""What the displays share: matplotlib on demand, colours, style, checks of their input."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.utils.validation import _num_samples, check_array

from .._shapes import ImageShape, checked_image_shape

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.patches import StepPatch

# Ten colours that colour-blind readers can tell apart (Petroff, 2021, arXiv:2107.02270).
PALETTE = (
    "#3f90da",
    "#ffa90e",
    "#bd1f01",
    "#94a4a2",
    "#832db6",
    "#a96b59",
    "#e76300",
    "#b9ac70",
    "#717581",
    "#92dadd",
)
DARK = "#333333"
_MARKERS = "osD^v"
_DRAWN = (1, 3)  # channels


def import_pyplot(caller: str) -> ModuleType:
    """Return ``matplotlib.pyplot``, or say how to install it."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(f'{caller} requires matplotlib: run pip install "skae[plot]"') from error
    return plt


def get_axes(ax: Axes | None, caller: str, figsize: tuple[float, float] = (5.5, 3.8)) -> Axes:
    """Return `ax`, or the axes of a new figure without the upper and right spines."""
    plt = import_pyplot(caller)
    if ax is None:
        _, ax = plt.subplots(figsize=figsize, layout="constrained")
        ax.spines[["top", "right"]].set_visible(False)
    return ax


def add_panels(
    ax: Axes, places: Iterable[tuple[float, ...]], *, share_x: bool = True, share_y: bool = False
) -> NDArray[np.object_]:
    """Return panels at places of `ax` that share axes; of `ax` only its texts are seen."""
    clear_frame(ax)
    panels: list[Axes] = []
    for place in places:
        first = panels[0] if panels else None
        shared = {"sharex": first if share_x else None, "sharey": first if share_y else None}
        panels.append(ax.inset_axes(place, **shared))
        panels[-1].spines[["top", "right"]].set_visible(False)
    return np.array(panels, dtype=object)


def add_legend_above(ax: Axes, handles: list[Artist], *, lift: float) -> None:
    """Add a legend that stands `lift` inches above the axes, over the captions of panels."""
    from matplotlib.transforms import ScaledTranslation

    ax.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        bbox_transform=ax.transAxes + ScaledTranslation(0, lift, ax.figure.dpi_scale_trans),
        borderaxespad=0.2,
        ncols=2,
        frameon=False,
    )


def add_grid(ax: Axes, axis: Literal["both", "x", "y"] = "both") -> None:
    """Add thin lines at the ticks, behind all else."""
    ax.grid(axis=axis, color="0.9", linewidth=0.8)
    ax.set_axisbelow(True)


def clear_frame(ax: Axes) -> None:
    """Leave nothing of `ax` to be seen but the panels that are placed in it."""
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    ax.patch.set_visible(False)


def merge_style(
    artist: type[Artist], defaults: Mapping[str, Any], given: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return `defaults` updated by `given`, whose aliases such as ``lw`` are spelled out."""
    from matplotlib.cbook import normalize_kwargs

    return {**defaults, **normalize_kwargs(dict(given or {}), artist)}


def draw_curves(
    ax: Axes,
    x: Mapping[str, NDArray],
    y: Mapping[str, NDArray],
    log_scale: bool | Literal["auto"],
    line_kwargs: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Draw a line with markers for each name, in colours new to `ax`; return the lines.

    The axis of `x` is logarithmic if it is asked for, and `ax` gets a grid and a legend.
    """
    from matplotlib.lines import Line2D

    everything = np.concatenate(list(x.values()))
    logarithmic = use_log_scale(log_scale, np.nanmin(everything), np.nanmax(everything))
    lines = {}
    for name in x:
        i = len(ax.lines)  # those of other displays included
        style = {"color": PALETTE[i % len(PALETTE)], "marker": _MARKERS[i % len(_MARKERS)]}
        style |= {"markersize": 5, "markeredgecolor": "white", "linewidth": 1.5, "label": name}
        order = np.argsort(x[name])
        styled = merge_style(Line2D, style, line_kwargs)
        (lines[name],) = ax.plot(x[name][order], y[name][order], **styled)
    if logarithmic:
        ax.set_xscale("log")
        set_log_ticks(ax.xaxis, *ax.get_xlim())
    add_grid(ax)
    ax.legend(frameon=False)
    return lines


def draw_histogram(
    ax: Axes,
    values: NDArray[np.float64],
    edges: NDArray[np.float64],
    color: str,
    given: Mapping[str, Any] | None,
    *,
    label: str | None = None,
    shares: bool = False,
) -> StepPatch:
    """Draw the counts of values, or shares of their number, those beyond the edges in end bars."""
    from matplotlib.colors import to_rgba
    from matplotlib.patches import StepPatch

    heights = np.histogram(np.clip(values, edges[0], edges[-1]), bins=edges)[0]
    if shares:
        heights = heights / max(len(values), 1)
    # Empty bars become gaps: an outline along zero would look like very small bars.
    heights = np.where(heights > 0, heights, np.nan)
    style = {"facecolor": to_rgba(color, 0.4), "edgecolor": color, "linewidth": 1.2}
    style = merge_style(StepPatch, style | {"label": label, "fill": True}, given)
    return ax.stairs(heights, edges, **style)


def three_digits(value: float) -> str:
    """Write a number by three digits, zeros at the end included."""
    return f"{value:#.3g}".rstrip(".")


def n_bars(n_samples: int) -> int:
    """Return how many bars suit a histogram of so many samples."""
    return int(np.clip(np.sqrt(n_samples), 10, 60))


def use_log_scale(log_scale: bool | Literal["auto"], low: float, high: float) -> bool:
    """Return `log_scale`, or for "auto" whether positive values span more than a decade."""
    if log_scale not in (True, False, "auto"):
        raise ValueError(f'log_scale must be True, False or "auto", got {log_scale!r}.')
    return bool(0 < 10 * low < high) if log_scale == "auto" else bool(log_scale)


def set_log_ticks(axis: Axis, low: float, high: float) -> None:
    """Label 1, 2 and 5 on a logarithmic `axis` where powers of ten alone would be too few."""
    from matplotlib.ticker import NullFormatter

    if high < 1000 * low:
        axis.get_major_locator().set_params(subs=(1, 2, 5))
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter(NullFormatter())


def find_holder(estimator: Any, attribute: str) -> Any | None:
    """Return `estimator` or the part of it that has `attribute`, the last pipeline step first."""
    if hasattr(estimator, attribute):
        return estimator
    parts = [getattr(estimator, name, None) for name in ("best_estimator_", "estimator_")]
    parts += [step for _, step in reversed(getattr(estimator, "steps", []))]
    holders = (find_holder(part, attribute) for part in parts if part is not None)
    return next((holder for holder in holders if holder is not None), None)


def check_at_least_one(name: str, value: int | None) -> None:
    """Raise ValueError if a number of something is less than 1; None is passed over."""
    if value is not None and value < 1:
        raise ValueError(f"{name} must be at least 1, got {value}.")


def check_same_shape(**arrays: NDArray | None) -> None:
    """Raise ValueError unless both arrays have the same shape; None is passed over."""
    shapes = [array.shape for array in arrays.values() if array is not None]
    if len(set(shapes)) > 1:
        raise ValueError(
            f"{' and '.join(arrays)} must have the same shape, got {shapes[0]} and {shapes[1]}."
        )


def check_length(array: NDArray | None, name: str, length: int, *, each: str = "") -> None:
    """Raise ValueError unless the array (None is passed over) holds that many values."""
    if array is not None and array.shape != (length,):
        raise ValueError(
            f"{name} must have shape ({length},),{each and f' {each},'} got shape {array.shape}."
        )


def check_same_length(**arrays: Any) -> None:
    """Raise ValueError unless all arrays (None is passed over) have the same length."""
    lengths = {name: _num_samples(array) for name, array in arrays.items() if array is not None}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"len({name})={length}" for name, length in lengths.items())
        raise ValueError(f"{' and '.join(lengths)} must have the same length, got {found}.")


def check_names(feature_names: ArrayLike | None, X: Any, n_features: int) -> NDArray[np.str_]:
    """Return the names as strings, one for each feature; without any, those of the columns of X."""
    if feature_names is None:
        feature_names = getattr(X, "columns", [f"x{i}" for i in range(n_features)])
    names = np.asarray(feature_names).astype(str)
    check_length(names, "feature_names", n_features, each="one name for each feature of X")
    return names


def check_curve(curve: ArrayLike, name: str, length: str) -> NDArray[np.float64]:
    """Return the curve as a new array in which every value that is not finite is NaN."""
    curve = check_array(
        curve,
        ensure_2d=False,
        ensure_all_finite=False,
        ensure_min_samples=0,
        dtype=np.float64,
        input_name=name,
    )
    if curve.ndim != 1:
        raise ValueError(f"{name} must have shape ({length},), got shape {curve.shape}.")
    if not np.isfinite(curve).any():
        raise ValueError(f"{name} has no finite value among {len(curve)}.")
    return np.where(np.isfinite(curve), curve, np.nan)


def check_curves(
    whose: str, **curves: Mapping[str, ArrayLike]
) -> tuple[dict[str, NDArray[np.float64]], ...]:
    """Return the abscissas, which are positive, and the ordinates of several curves by name."""
    (x_name, x), (y_name, y) = curves.items()
    if not x or list(x) != list(y):
        raise ValueError(
            f"{x_name} and {y_name} must be of the same {whose}, at least one, got {list(x)} and "
            f"{list(y)}."
        )
    checked: tuple[dict, dict] = {}, {}
    for name in x:
        names = f"{x_name}[{name!r}]", f"{y_name}[{name!r}]"
        for values, each, into in zip((x, y), names, checked, strict=True):
            into[name] = check_curve(values[name], each, "n_points")
        check_same_length(**{each: of[name] for each, of in zip(names, checked, strict=True)})
        lowest = np.nanmin(checked[0][name])
        if lowest <= 0:
            raise ValueError(f"{names[0]} must be positive, got {lowest:g}.")
    return checked


def check_rows(X: ArrayLike, name: str, *, allow_nan: bool = False) -> NDArray[np.float64]:
    """Return rows as a dense float64 array."""
    X = check_array(
        X,
        accept_sparse="csr",
        dtype=np.float64,
        ensure_all_finite="allow-nan" if allow_nan else True,
        input_name=name,
    )
    return X.toarray() if issparse(X) else X


def check_image_shape(image_shape: Sequence[int] | None, n_features: int) -> ImageShape | None:
    """Return the shape of images that can be drawn, if it holds as many values as a row."""
    if image_shape is None:
        return None
    shape = checked_image_shape(image_shape, n_features, channels=_DRAWN)
    if shape[0] not in _DRAWN:
        raise ValueError(
            "image_shape must be (height, width) or (channels, height, width) with 1 or 3 "
            f"channels, got {tuple(shape)}."
        )
    return shape


def reconstruction(estimator: Any, X: ArrayLike) -> ArrayLike:
    """Return what an estimator makes of rows, in their own space."""
    if hasattr(estimator, "reconstruct"):
        return estimator.reconstruct(X)
    if hasattr(estimator, "transform"):
        codes = estimator.transform(X)
        inverse = getattr(estimator, "inverse_transform", None)
        return codes if inverse is None else inverse(codes)
    raise TypeError(
        "estimator must have reconstruct, or transform with or without inverse_transform; "
        f"{type(estimator).__name__} has neither."
    )
