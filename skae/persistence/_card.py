"""A page about a model, for those who are to trust it."""

import inspect
import re
from collections.abc import Iterator, Sequence
from textwrap import shorten
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from .._versions import installed_versions
from ._encoding import Encoder

_WIDTH = 100  # of a value
_MOST_NAMES = 30
_LEAST_SHARE = 0.01  # of the arrays' bytes, to be named
_THRESHOLDS = ("contamination", "offset_", "n_folds_", "n_seen_")
_TO_FILL_IN = {
    "Intended use": (
        "Which decisions it helps with, who uses it, and on which data.",
        "What it must not be used for.",
    ),
    "Training data": (
        "Where they come from, when they were collected, and under which licence or consent.",
        "Whether they hold personal data.",
    ),
    "Evaluation": (
        "On which data, held out how, by which measure, and with which result.",
        "How it does on groups and conditions that matter.",
    ),
    "Limits and risks": ("Where it is known to fail, and what a wrong result costs.",),
    "Contact": ("Who answers questions, and how a mistake is reported.",),
}


def model_card(estimator: Any) -> str:
    """Write a page about a fitted estimator, in Markdown.

    What can be known from the estimator is filled in: what it is, its data, parameters, training
    and thresholds, and what is stored in it. The rest, above all what it is meant for, is left to
    you, and marked so.

    Parameters
    ----------
    estimator : estimator
        Any estimator of skae, fitted, or a pipeline with such.

    Returns
    -------
    str
        The page.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.

    See Also
    --------
    save : Write the estimator itself to a file.

    Examples
    --------
    >>> import numpy as np
    >>> import skae
    >>> X = np.random.default_rng(0).normal(size=(100, 6))
    >>> model = skae.Autoencoder(2, max_epochs=2, random_state=0).fit(X)
    >>> print(skae.model_card(model)[:25])
    # Model card: Autoencoder
    """
    if not isinstance(estimator, BaseEstimator) or isinstance(estimator, type):
        raise TypeError(f"estimator must be a fitted estimator, got {estimator!r:.200}")
    check_is_fitted(estimator)
    lines = [f"# Model card: {type(estimator).__name__}", "", _summary(estimator)]
    sections = {
        "Versions": _versions(),
        "Data": _data(estimator),
        "Parameters": _parameters(estimator),
        "Parts": _parts(estimator),
        "Training": _training(_with_net(estimator)),
        "Thresholds": _thresholds(estimator),
        "What is stored": _stored(estimator),
    }
    for title, content in sections.items():
        if content:
            lines += ["", f"## {title}", "", *content]
    for title, questions in _TO_FILL_IN.items():
        lines += ["", f"## {title}", "", *(f"- *To be filled in:* {text}" for text in questions)]
    return "\n".join(lines) + "\n"


def _with_net(estimator: Any) -> Any:
    """Return what has been trained: the estimator, its model, or the last step of a pipeline."""
    if isinstance(estimator, Pipeline):
        return _with_net(estimator.steps[-1][1])
    return getattr(estimator, "estimator_", estimator)


def _summary(estimator: Any) -> str:
    return (inspect.getdoc(type(estimator)) or "").partition("\n\n")[0].replace("\n", " ")


def _versions() -> list[str]:
    return [", ".join(f"{name} {number}" for name, number in installed_versions().items())]


def _data(estimator: Any) -> list[str]:
    lines = []
    if (n := getattr(estimator, "n_features_in_", None)) is not None:
        lines.append(f"- {n} features")
    kinds = _kinds_of_columns(getattr(estimator, "_format", None))
    names = [str(name) for name in getattr(estimator, "feature_names_in_", [])]
    for name in names[:_MOST_NAMES]:
        lines.append(f"  - `{_text(name)}`{kinds.get(name, '')}")
    if len(names) > _MOST_NAMES:
        lines.append(f"  - and {len(names) - _MOST_NAMES} more")
    for name in ("image_shape", "sample_rate_", "classes_"):
        if (value := getattr(estimator, name, None)) is not None:
            lines.append(f"- `{name}`: {_value(value)}")
    return lines


def _kinds_of_columns(form: Any) -> dict[str, str]:
    """Return what the columns of a table hold, by their names."""
    if form is None or form.names is None:
        return {}
    kinds = {}
    for j, name in enumerate(form.names):
        if j in form.categories:
            kinds[str(name)] = f": {len(form.categories[j])} categories"
        else:
            kinds[str(name)] = ": dates" if j in form.dates else ": numbers"
    return kinds


def _parameters(estimator: Any) -> list[str]:
    given = {k: v for k, v in estimator.get_params(deep=False).items() if k != "steps"}
    defaults = {
        name: each.default for name, each in inspect.signature(type(estimator)).parameters.items()
    }
    rows = [
        (f"`{name}`", f"`{_value(value)}`", "" if _is_same(value, defaults.get(name)) else "yes")
        for name, value in sorted(given.items())
    ]
    return _table(("parameter", "value", "changed"), rows)


def _is_same(value: Any, default: Any) -> bool:
    return type(value) is type(default) and repr(value) == repr(default)


def _parts(estimator: Any) -> list[str]:
    rows = [(f"`{_text(n)}`", f"`{_value(part)}`") for n, part in _named_parts(estimator)]
    return _table(("part", "what it is"), rows)


def _named_parts(estimator: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(estimator, Pipeline):
        yield from estimator.steps
    if hasattr(estimator, "estimator_"):
        yield "estimator_", estimator.estimator_
    if isinstance(getattr(estimator, "estimators_", None), list):
        yield from getattr(estimator, "named_estimators_", {}).items()


def _training(model: Any) -> list[str]:
    lines = []
    if (module := getattr(model, "module_", None)) is not None:
        n = sum(each.numel() for each in module.parameters())
        lines.append(f"- network: {n:,} weights, {_value(getattr(model, 'dtype', 'float32'))}")
    curves = {
        "loss": getattr(model, "loss_curve_", None),
        **getattr(model, "loss_curves_", {}),
        "validation loss": getattr(model, "validation_loss_curve_", None),
    }
    for name, curve in curves.items():
        if curve:
            lines.append(f"- {_of_curve(name, curve)}")
    return lines


def _of_curve(name: str, curve: Sequence[float]) -> str:
    values = np.asarray(curve, dtype=float)
    if len(values) == 1:
        return f"{name}: {values[0]:.4g} after 1 epoch"
    text = f"{name}: {values[0]:.4g} after 1 epoch, {values[-1]:.4g} after {len(values)}"
    best = int(values.argmin())
    return text if best == len(values) - 1 else f"{text}, lowest {values[best]:.4g} at {best + 1}"


def _thresholds(estimator: Any) -> list[str]:
    estimator = estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator
    if not hasattr(estimator, "offset_"):
        return []
    rows = [
        (f"`{name}`", f"`{_value(getattr(estimator, name))}`")
        for name in _THRESHOLDS
        if hasattr(estimator, name)
    ]
    return ["Rows with scores below `offset_` are outliers.", "", *_table(("name", "value"), rows)]


def _stored(estimator: Any) -> list[str]:
    encoder = Encoder(training=False)
    encoder.encode(estimator, type(estimator).__name__)
    sizes: dict[str, int] = {}
    for name, array in encoder.arrays.items():
        place = _place(encoder.paths[name])
        sizes[place] = sizes.get(place, 0) + array.nbytes
    total = sum(sizes.values())
    rows = [
        (f"`{name}`", f"{size:,}")
        for name, size in sorted(sizes.items(), key=lambda item: -item[1])
        if size >= _LEAST_SHARE * total
    ]
    note = (
        "Attributes that hold one per cent of all arrays or more. Rows of the training data are in "
        "`sample_` and `_views` of detectors and in `_machines` of imputers, if these are listed."
    )
    return [note, "", *_table(("attribute", "bytes"), rows)] if rows else []


def _place(path: str) -> str:
    """Return the attribute that a path leads to, and that of a part inside a part."""
    first, *rest = re.sub(r"\[['\"].*?['\"]\]", "", path).split(".")[1:3]
    return f"{first}.{rest[0].split('[')[0]}" if rest else first.split("[")[0]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    if not rows:
        return []
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(line)} |" for line in lines]


def _value(value: Any) -> str:
    return _text(repr(value) if not isinstance(value, np.ndarray) else str(value.tolist()))


def _text(value: Any) -> str:
    """Return text that breaks no line, table or code."""
    line = shorten(" ".join(str(value).split()), _WIDTH, placeholder="...")
    return line.replace("|", "\\|").replace("`", "'")
