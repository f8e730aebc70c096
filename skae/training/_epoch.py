"""What an epoch adds up to, over its batches and over all processes."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from skorch.history import History

from ._batch import Batch
from ._distributed import add_up, shard


class NonFiniteLossError(ValueError):
    """The loss became infinite or NaN.

    Parameters
    ----------
    epoch : int
        Number of the epoch, counted from 1.
    """

    def __init__(self, epoch: int) -> None:
        super().__init__(f"the loss became infinite or NaN in epoch {epoch}")
        self.epoch = epoch


class EpochTotals:
    """Sums over the rows of an epoch.

    Losses stay tensors, because reading their values would wait for the device in every step.
    """

    def __init__(self) -> None:
        self.n_rows = self.n_batches = 0
        self._weight: Any = 0  # of all rows, which is their number if they have none
        self._loss: Any = 0.0
        self._terms: dict[str, Any] = {}

    def add(self, step: Mapping[str, Any], batch: Batch) -> None:
        """Add what a step on a batch gave.

        Parameters
        ----------
        step : mapping of str to Any
            The "loss", a mean over the rows of the batch, and perhaps its parts, "terms".
        batch : Batch
            Its rows.
        """
        n_rows = len(batch)
        self._weight = self._weight + (n_rows if batch.weight is None else batch.weight.sum())
        self._loss = self._loss + step["loss"].detach() * n_rows
        self.n_rows, self.n_batches = self.n_rows + n_rows, self.n_batches + 1
        for name, value in step.get("terms", {}).items():
            self._terms[name] = self._terms.get(name, 0.0) + value.detach() * n_rows

    def of_all_processes(self, device: torch.device | str) -> None:
        """Add what the other processes of a group have added up.

        Parameters
        ----------
        device : torch.device or str
            Where the group computes.
        """
        if shard() == (0, 1):
            return
        values = [float(self._loss), self.n_rows, float(self._weight)]
        values += [float(term) for term in self._terms.values()]
        sums = torch.tensor(values, dtype=torch.float64, device=device)
        self._loss, self.n_rows, self._weight, *terms = add_up(sums).tolist()
        self._terms = dict(zip(self._terms, terms, strict=True))

    def record(self, history: History, prefix: str, with_batch: bool) -> None:
        """Write means over the rows into the last line of a history.

        Parameters
        ----------
        history : skorch.history.History
            The history.
        prefix : {"train", "valid"}
            Of the names.
        with_batch : bool
            Whether to add a line for a batch, of which some of skorch's callbacks expect at least
            one.

        Raises
        ------
        NonFiniteLossError
            If the loss is not finite.
        """
        name, weight = prefix + "_loss", float(self._weight)
        loss = float(self._loss) / weight
        if not math.isfinite(loss):
            raise NonFiniteLossError(len(history))
        best = min((row.get(name, math.inf) for row in history), default=math.inf)
        history.record(name, loss)
        if self._terms:
            history.record("terms", list(self._terms))
        for term, value in self._terms.items():
            history.record(term, float(value) / weight)
        if with_batch:
            history.new_batch()
            history.record_batch(name, loss)
        history.record(name + "_best", loss < best)
        history.record(prefix + "_batch_count", self.n_batches)
