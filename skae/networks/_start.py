"""Letting a network look at the rows that it will train on, with their weights."""

import inspect
from typing import Any

import torch
from torch import Tensor

from .._weights import are_whole, drawn_positions

_MOST_CELLS = 2**24


def initialize(network: Any, x: Tensor, output: Tensor, weight: Tensor | None = None) -> None:
    """Call ``initialize`` of a network.

    Parameters
    ----------
    network : nn.Module
        Has ``initialize(x, output)`` and may take weights as a third argument, `weight`. If it does
        not, rows are repeated as often as their weights say.
    x : Tensor of shape (n_samples, n_features)
        Rows of the training data.
    output : Tensor of shape (n_samples, n_targets)
        What the network should give for them.
    weight : Tensor of shape (n_samples,) or None, default=None
        How much each row counts; None for all alike.
    """
    if weight is None:
        network.initialize(x, output)
    elif "weight" in inspect.signature(network.initialize).parameters:
        network.initialize(x, output, weight)
    else:
        counts = weight.double().cpu().numpy()
        total = int(counts.sum()) if are_whole(counts) else len(counts)
        most = max(len(counts), _MOST_CELLS // x.shape[1])
        rows = torch.from_numpy(drawn_positions(counts, min(total, most))).to(x.device)
        drawn = x[rows]
        network.initialize(drawn, drawn if output is x else output[rows])
