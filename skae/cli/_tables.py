"""Tables: a model fitted to one, the scores and codes of others, and new rows.

Numbers are read block by block. With text, dates or gaps a table is a frame, and read as a whole to
fit to it.
"""

import contextlib
import importlib.util
import sys
import warnings
from argparse import Namespace
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

from ._commands import Jobs, job_of
from ._files import written
from ._models import loaded
from ._outcomes import CommandError, Outcome
from ._plan import check_free, check_is_no_input, planned
from ._progress import tracked
from ._table_writers import SUFFIXES, check_suffix, columns_of, table_writer

_METHODS = {"score": "score_samples", "transform": "transform"}
_ENDINGS = {"score": ".scores", "transform": ".codes"}  # of outputs without a name


def jobs_of_tables(args: Namespace) -> Jobs:
    """Return a job for each table.

    Parameters
    ----------
    args : Namespace
        Options.

    Returns
    -------
    list of tuples
        As of the other commands.
    """
    if args.command in ("fit", "sample"):
        if args.output is not None:
            check_is_no_input(args.output, args.files)
            if not args.force:
                check_free(args.output)
        if args.command == "fit":
            return [(args.files[0], partial(fit, args, args.files[0]))]
        if args.output is not None:
            check_suffix(args.output)
        _model_with(args.files[0], "sample")
        return [(args.files[0], partial(sample, args, args.files[0]))]
    _model_with(args.model, _METHODS[args.command])  # one line, rather than one for each table
    ending = _ENDINGS[args.command]

    def suffix_of(source: Path | None) -> str:
        suffix = "" if source is None else source.suffix.lower()
        return ending + (suffix if suffix in SUFFIXES else ".parquet")

    steps = planned(args, suffix_of, None)
    for step in steps:
        if step.output is not None:
            check_suffix(step.output)
    is_alone = len(steps) == 1
    return [
        job_of(step, partial(apply, args, step.source, step.output, is_alone)) for step in steps
    ]


def fit(args: Namespace, source: Path) -> Outcome:
    """Fit an estimator to a table and store it.

    Parameters
    ----------
    args : Namespace
        Options.
    source : Path
        The table.

    Returns
    -------
    Outcome
        What was fitted to what.
    """
    from .. import save

    model = _new_model(args.estimator, dict(args.set))
    table, n_rows, n_features = _opened_to_fit(source, args.columns)
    with warnings.catch_warnings(record=True) as seen, _told(args, model):
        warnings.simplefilter("always")
        model.fit(table)
    with written(args.output, force=args.force) as path:
        save(model, path, training=args.training)
        n_bytes = path.stat().st_size
    facts = {"output": str(args.output), "bytes": n_bytes, "estimator": args.estimator}
    facts |= {"n_rows": n_rows, "n_features": n_features}
    size = f"{n_rows:,} rows of {n_features} features"
    return Outcome(
        f"{args.output}: {n_bytes:,} bytes, {args.estimator} fitted to {size}",
        facts,
        tuple(" ".join(str(warning.message).split()) for warning in seen),
    )


def apply(args: Namespace, source: Path, output: Path | None, is_alone: bool) -> Outcome:
    """Write the scores or the codes of the rows of a table, in their order.

    Parameters
    ----------
    args : Namespace
        Options.
    source : Path
        The table.
    output : Path or None
        What is written, in the format of its suffix; None for the standard output, as CSV.
    is_alone : bool
        Whether it is the only table, whose blocks a bar may show.

    Returns
    -------
    Outcome
        Where it is, and how many rows there are.
    """
    method = _METHODS[args.command]
    model = _model_with(args.model, method)
    table = _opened_for(model, source)
    suffix = ".csv" if output is None else output.suffix.lower()
    n_outliers = 0
    with written(output, force=args.force) as path, table_writer(path, suffix, len(table)) as write:
        blocks = enumerate(table.blocks())
        for block, values in tracked(blocks, table.n_blocks) if is_alone else blocks:
            with _placed(table.place(block)):
                columns = _columns_of(model, method, values)
            n_outliers += int((columns["label"] == -1).sum()) if "label" in columns else 0
            write(columns)
    facts: dict[str, Any] = {"output": "-" if output is None else str(output)}
    facts |= {"n_rows": len(table), "columns": list(columns)}
    words = f"{facts['output']}: {len(table):,} rows"
    if "label" in columns:
        facts["n_outliers"] = n_outliers
        words += f", {n_outliers:,} outliers"
    return Outcome(words, facts)


def sample(args: Namespace, source: Path) -> Outcome:
    """Write new rows that a generator draws.

    Parameters
    ----------
    args : Namespace
        Options.
    source : Path
        Its file.

    Returns
    -------
    Outcome
        Where they are, and how many.
    """
    model, output = _model_with(source, "sample"), args.output
    suffix = ".csv" if output is None else output.suffix.lower()
    rows = model.sample(args.rows, random_state=args.seed)
    columns = columns_of(rows, lambda: _names_of(model))
    with (
        written(output, force=args.force) as path,
        table_writer(path, suffix, args.rows) as write,
    ):
        write(columns)
    facts = {"output": "-" if output is None else str(output)}
    facts |= {"n_rows": args.rows, "columns": list(columns)}
    return Outcome(f"{facts['output']}: {args.rows:,} new rows", facts)


def _names_of(model: Any) -> list[str]:
    names = getattr(model, "feature_names_in_", None)
    return [f"x{j}" for j in range(model.n_features_in_)] if names is None else list(names)


def _columns_of(model: Any, method: str, values: Any) -> dict[str, Any]:
    """Return what a model makes of some rows, by the names of the columns in the output."""
    import numpy as np

    found = getattr(model, method)(values)
    if len(found.shape) == 2:
        return columns_of(found, model.get_feature_names_out)
    found = np.asarray(found)
    columns = {"score": found}
    # A pipeline has no threshold of its own.
    offset = getattr(getattr(model, "_final_estimator", model), "offset_", None)
    if offset is not None:
        columns["label"] = np.where(found - offset < 0, -1, 1).astype(np.int8)
    return columns


@contextlib.contextmanager
def _in_one_line() -> Iterator[None]:
    """Let errors about what is not there be told."""
    try:
        yield
    except (ImportError, TypeError) as error:
        raise CommandError(str(error)) from None


def _opened_to_fit(source: Path, columns: Any) -> tuple[Any, int, int]:
    """Return a table, of which nothing is read yet if it holds nothing but numbers; its shape."""
    from ..datasets import rows
    from ..datasets._arrow_blocks import ArrowBlocks, are_numbers, dataset_at

    with _in_one_line():
        if source.suffix == ".npy":
            table = rows(source)
            return table, table.n_rows, table.n_features
        dataset = dataset_at(source)
        blocks = ArrowBlocks(dataset, columns)
        if all(map(are_numbers, blocks.types.values())) and not blocks.has_gaps:
            return rows(dataset, columns=columns), len(blocks), len(blocks.names)
        return blocks.whole(), len(blocks), len(blocks.names)


def _opened_for(model: Any, source: Path) -> Any:
    """Return a table for a model, in blocks; of one with names, the columns that it knows."""
    from ..datasets import rows
    from ..datasets._arrow_blocks import ArrowBlocks, dataset_at

    names = getattr(model, "feature_names_in_", None)
    if source.suffix == ".npy" or names is None:
        with _in_one_line():
            return rows(source)
    with _in_one_line():
        dataset = dataset_at(source)
        if hasattr(model, "schema_"):  # it was fitted to a frame
            return ArrowBlocks(dataset, names)
        return rows(dataset, columns=list(names))


@contextlib.contextmanager
def _placed(place: slice) -> Iterator[None]:
    """Say in which rows an error is."""
    try:
        yield
    except ValueError as error:
        what = " ".join(str(error).split())
        raise CommandError(f"rows {place.start:,} to {place.stop - 1:,}: {what}") from error


@cache
def _model_with(path: Path, method: str) -> Any:
    """Return the model of a file, the same one at every call, if it has a method."""
    model = loaded(path)
    if not hasattr(model, method):
        name = type(model).__name__
        raise CommandError(f"{path}: a fitted {name} has no method {method}")
    return model


def _new_model(name: str, params: dict[str, Any]) -> Any:
    import skae

    try:
        return getattr(skae, name)(random_state=0).set_params(**params)
    except (TypeError, ValueError) as error:
        raise CommandError(str(error)) from None


@contextlib.contextmanager
def _told(args: Namespace, model: Any) -> Iterator[None]:
    """Show scikit-learn's bar while a model is fitted, if somebody looks and rich is installed."""
    is_quiet = args.quiet or args.json or not sys.stdout.isatty()
    if not is_quiet and importlib.util.find_spec("rich") is not None:
        from sklearn.callback import ProgressBar

        model.set_callbacks(ProgressBar())
    yield
    if hasattr(model, "_skl_callbacks"):
        model.set_callbacks()
