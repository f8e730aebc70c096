"""Fits of several processes: what must be alike, and what each knows of the others."""

import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils import check_random_state

from .._units import chunks_of
from ..datasets import RowSource
from ..datasets._array_source import ArraySource
from ..tables import LazyTable
from ..training import Recipe
from ..training._distributed import agree_on, gathered, shard
from ..training._group import current_group
from ..training._trials import most_epochs
from ._fit import Fit

_MOST_ROWS, _MOST_CELLS = 2**16, 2**24  # of the sample that is taken from the rows of all
_PLAIN = (bool, float, int, str, type(None))


@contextmanager
def fitting_together(estimator: Any) -> Iterator[Callable[..., None]]:
    """Fit in all processes of a group, if there is one: with the same random state, or not at all.

    Parameters
    ----------
    estimator : estimator
        The estimator.

    Yields
    ------
    callable
        To be called with the checked data, which are compared with those of the other processes.

    Raises
    ------
    RuntimeError
        If another process failed or ended.
    """
    group = current_group()
    if group is None or group.size == 1 or group.is_fitting:
        yield _nothing
        return
    state = getattr(estimator, "random_state", None)
    with group.fit():
        if group.data == "own" and not getattr(estimator, "_takes_own_rows", False):
            raise ValueError(
                f"{type(estimator).__name__} takes the same rows in all processes: give each all "
                'of them, in a block `with skae.distributed(data="same")`'
            )
        try:
            if state is None:
                seed = int(check_random_state(None).randint(np.iinfo(np.int32).max))
                estimator.random_state = agree_on(seed)
            elif isinstance(state, np.random.RandomState):
                state.set_state(agree_on(state.get_state()))
            yield lambda *data: _check_alike(estimator, data, has_own=group.data == "own")
        finally:
            estimator.random_state = state


def _nothing(*data: Any) -> None:
    """Compare nothing: there is nobody to compare it with."""


def _check_alike(estimator: Any, data: tuple[Any, ...], has_own: bool) -> None:
    """Raise ValueError, in all processes, if their parameters or data are not alike."""
    facts = _facts_of(estimator, data, has_own)
    all_facts = gathered(facts)
    for name in facts:
        values = [each.get(name) for each in all_facts]
        if different := [rank for rank, value in enumerate(values) if value != values[0]]:
            rank = different[0]
            raise ValueError(
                f"all processes must fit alike, but {name} is {values[0]!r} in process 0 and "
                f"{values[rank]!r} in process {rank}"
            )


def _facts_of(estimator: Any, data: tuple[Any, ...], has_own: bool = False) -> dict[str, Any]:
    """Return what is to be alike in several fits: parameters, and what is known of checked data."""
    params = {name: _known_of(value) for name, value in estimator.get_params().items()}
    facts: dict[str, Any] = {"the estimator": type(estimator).__name__, **params}
    for i, X in enumerate(each for each in data if each is not None):
        name = "X" if i == 0 else f"what goes with X (number {i})"
        X = X.raw if isinstance(X, LazyTable) else X
        shape = list(getattr(X, "shape", ()))
        facts[f"the shape of {name}"] = shape[1:] if has_own else shape
        facts[f"the dtype of {name}"] = str(getattr(X, "dtype", type(X).__name__))
        if not has_own:
            facts[f"the checksum of {name}"] = _checksum(X)
    return facts


def _known_of(value: Any) -> Any:
    """Return what tells a parameter from others: itself, if it is plain and equal to itself."""
    return value if isinstance(value, _PLAIN) and value == value else type(value).__name__


def check_resumed(estimator: Any, fit: Fit, go_on: bool) -> None:
    """Raise ValueError if a fit can't go on with the training that it is to resume.

    Parameters
    ----------
    estimator : NetEstimator
        The estimator.
    fit : Fit
        What was asked for, checked.
    go_on : bool
        Whether it goes on with the network of the estimator.
    """
    if fit.saved is None:
        return
    if go_on:
        raise ValueError(
            "checkpoint and resume are for a fit from the start, but warm_start=True and there is "
            "a network already: set warm_start=False"
        )
    facts = _facts_of(estimator, (fit.X, fit.targets, fit.weights))
    # What may differ; and a seed that was drawn by chance, or agreed on, is in the file.
    free = {"callbacks", "device", "verbose", "warm_start"}
    if estimator.random_state is None or current_group() is not None:
        free.add("random_state")
    facts = {name: value for name, value in facts.items() if name not in free}
    fit.saved.check(facts)


def seed_of(estimator: Any, fit: Fit) -> int:
    """Return the seed of a fit, the same in all processes.

    Parameters
    ----------
    estimator : NetEstimator
        The estimator.
    fit : Fit
        What was asked for.

    Returns
    -------
    int
        The seed.
    """
    if fit.saved is not None and fit.saved.settled:
        return fit.saved.settled["seed"]
    random = check_random_state(estimator.random_state)
    return agree_on(int(random.randint(np.iinfo(np.int32).max)))


def _checksum(X: Any) -> str:
    if isinstance(X, RowSource):
        summary = X.summary
        parts: Any = [np.asarray(summary.mean), np.array([summary.low, summary.high])]
    elif sparse.issparse(X):
        parts = [X.data, X.indices, X.indptr]
    elif isinstance(X, np.ndarray) and X.dtype != object:
        parts = chunks_of(X) if X.ndim == 2 else [X]
    elif hasattr(X, "arrays"):  # pictures or sounds
        parts = X.arrays
    else:
        return "unknown"
    found = 0
    for part in parts:
        found = zlib.crc32(np.ascontiguousarray(part).view(np.uint8).ravel(), found)
    return f"{found:08x}"


def with_common_sample(fit: Fit) -> Fit:
    """Return a fit to a sample of the rows of all processes, which keeps those of this one.

    Parameters
    ----------
    fit : Fit
        What this process was asked for.

    Returns
    -------
    Fit
        The same in a group of processes that all have the same rows, or without any.

    Raises
    ------
    ValueError
        If its data are of a kind that can't be shared out.
    """
    group = current_group()
    if group is None or group.size == 1 or group.data == "same":
        return fit
    X, y, weights = fit.X, fit.y, fit.weights
    if not (isinstance(X, np.ndarray | RowSource) or (sparse.issparse(X) and X.format == "csr")):
        raise ValueError(
            f"X is a {type(X).__name__}, but rows of its own are given to a process as an array, "
            "a CSR matrix or skae.datasets.rows(...)"
        )
    for name, given in (("y", y), ("sample_weight", weights)):
        if len(set(gathered(given is None))) > 1:
            raise ValueError(f"all processes must fit alike, but only some were given {name}")
    n_rows = sum(gathered(X.shape[0]))
    most = min(n_rows, _MOST_ROWS, max(1, _MOST_CELLS // X.shape[1]))
    n_own = -(-X.shape[0] * most // n_rows)
    chosen = np.random.default_rng(shard()[0]).permutation(X.shape[0])[:n_own]
    chosen.sort()
    sample = _joined(gathered(X[chosen]))
    if isinstance(X, RowSource):
        names = X.feature_names
        sample = ArraySource(sample, X.buffer_rows)
        sample.feature_names = names
    of_sample = [
        None if each is None else _joined(gathered(np.asarray(each)[chosen]))
        for each in (y, weights)
    ]
    return replace(
        fit, X=sample, y=of_sample[0], weights=of_sample[1], own=(X, y, weights), n_rows=n_rows
    )


def epochs_of_all(fit: Fit, recipe: Recipe, n_seen: int, seed: int) -> Any:
    """Return the number of epochs, the same in all processes, and note it for a training to go on.

    Parameters
    ----------
    fit : Fit
        What was asked for.
    recipe : Recipe
        What the net is built from.
    n_seen : int
        Number of rows that "auto" has seen.
    seed : int
        The seed of the fit.

    Returns
    -------
    int
        The number.
    """
    n_epochs = fit.max_epochs
    if fit.is_auto and fit.n_rows > n_seen:
        n_epochs = most_epochs(recipe, fit.n_rows)
    n_epochs = agree_on(n_epochs)
    if fit.saved is not None:
        n_epochs = fit.saved.settled.get("max_epochs", n_epochs)
        fit.saved.start |= {"seed": seed, "max_epochs": n_epochs}
    return n_epochs


def _joined(parts: list[Any]) -> Any:
    return sparse.vstack(parts, "csr") if sparse.issparse(parts[0]) else np.concatenate(parts)
