"""Rows of a table drawn column by column, by a masked autoencoder."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
import torch
from scipy.special import ndtri
from scipy.stats import entropy

from .._plain import Part, registered
from .._settings import inference
from ..networks import ColumnChain
from ..tables import Columns
from ..training import ArrayRows, Recipe
from ..training._state import to_arrays, to_tensors
from ..training._trainer import new_net
from ..training._trials import auto_epochs
from ._objectives import NegativeLogDensity
from ._row_model import RowModel, encoded_places
from ._shares import Shares

_CPU = torch.device("cpu")
_BEYOND, _NEVER = 1e3, 2e3  # a score beyond all others, and one that there is not
_LEAST_SHARE = 1e-3  # of a value that owns an interval
_MOST_SPIKES, _LEAST_SPIKE = 16, 2e-3  # values that have a probability of their own
_FEW_ROWS = 30_000  # from which on a chain can't learn rows by heart
_SIZES = {"width": 512, "dropout": 0.1}
_N_BINS = 16
_STEPS, _BATCH_SIZE = 4000, 128
_DRAWS, _FEWEST_DRAWS, _ROUNDS = 10_000, 1000, 2  # by which shares of categories are learned
_CELLS = 2**24  # of parameters of all distributions, of the rows that are drawn for that
_ROWS_AT_ONCE = 4096


@registered
class Chain(RowModel):
    """A density of rows, of which each column knows those before it.

    It holds arrays only, and builds the network when it is asked.

    Parameters
    ----------
    params : dict
        Parameters of the :class:`~skae.networks.ColumnChain`.
    weights : dict of str to ndarray
        Its state.
    n_classes : int
        Number of classes, each of which has rows of its own; 0 without.
    shares : Shares or None
        What makes the categories of rows as frequent as those of the training rows, in states that
        were stored by versions whose chains did not learn it.
    """

    params: dict[str, Any]
    weights: dict[str, np.ndarray]
    n_classes: int
    shares: Shares | None = None

    @inference()
    def calibrated(
        self,
        wanted: Sequence[np.ndarray],
        traits_of: Callable[[np.ndarray], np.ndarray],
        seed: int,
    ) -> Self:
        chain, generator = self._network(), torch.Generator().manual_seed(seed)
        context = torch.eye(self.n_classes) if self.n_classes else torch.zeros(1, 0)
        n_numbers = len(self.params["flags"])
        n_draws = min(_DRAWS, max(_FEWEST_DRAWS, _CELLS // chain.last.out_features))
        for own, shares in zip(context, wanted, strict=False):
            asked = shares
            for _ in range(_ROUNDS):
                of_columns = torch.from_numpy(np.pad(asked, (n_numbers, 0)))
                rows, _ = chain.draw(own.expand(n_draws, -1), generator, shares=of_columns)
                asked = (asked + shares - traits_of(rows.numpy()).mean(axis=0)).clip(0, 1)
        return replace(self, weights=to_arrays(chain.state_dict()))

    @inference()
    def draw(
        self,
        labels: np.ndarray,
        random: np.random.RandomState,
        limits: Mapping[int, Any] | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        chain = self._network()
        generator = torch.Generator().manual_seed(int(random.randint(2**31)))
        context = torch.zeros(len(labels), self.n_classes)
        if self.n_classes:
            context[torch.arange(len(labels)), torch.from_numpy(labels)] = 1
        parts = [chain.draw(some, generator, limits) for some in context.split(_ROWS_AT_ONCE)]
        encoded, log_probs = (torch.cat(each).numpy() for each in zip(*parts, strict=True))
        return encoded, log_probs

    def _network(self) -> ColumnChain:
        with torch.device("meta"):  # there, initial weights draw nothing
            chain = ColumnChain(**self.params)
        chain.load_state_dict(to_tensors(self.weights), assign=True)
        return chain.eval()


def fit_chain(
    encoded: np.ndarray, labels: np.ndarray, columns: Columns, seed: int, most_epochs: int
) -> Chain:
    """Fit a chain to rows.

    Parameters
    ----------
    encoded : ndarray of shape (n_samples, n_outputs)
        Rows as networks see them.
    labels : ndarray of shape (n_samples,) of int
        Positions of their classes.
    columns : Columns
        What they are made of.
    seed : int
        Determines initial weights, which rows are held out, and the order of the others.
    most_epochs : int
        Number of passes over the rows that it may take.

    Returns
    -------
    Chain
        The chain. Of up to 30,000 rows a fifth is held out first, to see how many epochs serve them
        best.
    """
    n_classes = int(labels.max()) + 1 if labels.any() else 0
    params = {**_SIZES, "n_context": n_classes, **_intervals(columns)}
    params |= _variables(encoded, columns)
    context = (
        np.eye(n_classes, dtype=np.float32)[labels] if n_classes else np.empty((len(labels), 0))
    )
    X = np.concatenate([context, encoded], axis=1).astype(np.float32)
    rows = ArrayRows(X, torch.float32, _CPU)
    net_params = {
        "objective": NegativeLogDensity(),
        **{f"module__{name}": value for name, value in params.items()},
        "lr": 2e-3,
        "batch_size": _BATCH_SIZE,
        "verbose": 0,
    }
    module = Part("networks", "ColumnChain", {})
    steps = min(_STEPS, most_epochs * -(-len(X) // _BATCH_SIZE))
    recipe = Recipe(module, "squared_error", "adamw", "float32", net_params, auto_steps=steps)
    n_epochs, _ = auto_epochs(recipe, _CPU, seed, rows, few_rows=_FEW_ROWS)
    net, _ = new_net(recipe, _CPU, seed, rows)
    net.fit_rows(rows, None, min(n_epochs, most_epochs))
    return Chain(params, to_arrays(net.averaged_module_.state_dict()), n_classes)


def _variables(encoded: np.ndarray, columns: Columns) -> dict[str, Any]:
    """Return which numbers and groups encoded rows have, those of the least entropy first."""
    flags, choices = encoded_places(columns)
    entropies = [
        _entropy(_binned(scores.inverse(x)))
        for scores, x in zip(columns.scores, encoded.T, strict=False)
    ]
    for start, size in choices:
        own = encoded[:, start : start + size]
        entropies.append(_entropy(own[:, 0] > 0.5 if size == 1 else own.argmax(axis=1)))
    order = np.argsort(np.round(entropies, 1), kind="stable")  # about equal: as in the table
    return {"flags": flags, "choices": choices, "order": order.tolist()}


def _binned(x: np.ndarray) -> np.ndarray:
    """Return in which of at most 16 intervals numbers are, each of about equally many."""
    ends = np.unique(np.quantile(x, np.linspace(0, 1, _N_BINS + 1)[1:-1]))
    return np.searchsorted(ends, x)


def _entropy(values: np.ndarray) -> float:
    counts = np.unique(values, return_counts=True)[1]
    return float(entropy(counts))


def _intervals(columns: Columns) -> dict[str, np.ndarray]:
    """Return where in their scores frequent values are, and what stands for them."""
    found, spikes = [], []
    for scores in columns.scores:
        kept = scores.shares >= _LEAST_SHARE
        start, stop = scores.starts[kept], scores.stops[kept]
        middle = ndtri(start + 0.5 * (stop - start))
        least = 1 / (columns.n_rows + 1)  # nothing is beyond the outermost values
        start, stop = np.where(start < least, 0, start), np.where(stop > 1 - least, 1, stop)
        shares = scores.shares[kept]
        frequent = np.argsort(-shares, kind="stable")[:_MOST_SPIKES]
        spikes.append(frequent[shares[frequent] >= _LEAST_SPIKE])
        found.append((ndtri(start).clip(-_BEYOND), ndtri(stop).clip(max=_BEYOND), middle))
    n_most = max([1, *(len(middle) for *_, middle in found)])
    filled = np.full((3, len(found), n_most), _NEVER)
    for i, parts in enumerate(found):
        filled[:, i, : len(parts[0])] = parts
    owners = np.full((len(found), max([0, *map(len, spikes)])), -1)
    for own, frequent in zip(owners, spikes, strict=True):
        own[: len(frequent)] = frequent
    return dict(zip(("starts", "stops", "middles"), filled, strict=True)) | {"spikes": owners}
