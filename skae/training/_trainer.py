"""A training from its start to its end: a net that has seen rows, and the run.

It knows nets and rows, and no estimator.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from skorch.callbacks import Callback
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from .._units import chunks_of
from ..losses import Domain, ReconstructionLoss
from ..losses._domains import OutsideDomainError
from ..networks._start import initialize
from ._batch import Batch
from ._batch_iterator import spread
from ._nested import same
from ._net import AutoencoderNet
from ._random import seeded_global_generators
from ._recipe import Recipe
from ._rows import Rows

_LARGEST_SQUARE = 1e300  # sums of squares are taken in float64
_MAX_CELLS_TO_START_FROM = 2**24  # unless a network has `cells_to_start_from`


def largest_value(X: Any) -> float:
    """Return the largest absolute value that is not NaN, without a copy of complete data.

    Parameters
    ----------
    X : ndarray or CSR matrix or array
        Data.

    Returns
    -------
    float
        The value.
    """
    low, high = float(X.min()), float(X.max())
    if math.isnan(low):
        low = np.fmin.reduce([np.fmin.reduce(chunk, axis=None) for chunk in chunks_of(X)])
        high = np.fmax.reduce([np.fmax.reduce(chunk, axis=None) for chunk in chunks_of(X)])
    return max(abs(float(low)), abs(float(high)))


def check_magnitude(X: Any, dtype: torch.dtype) -> None:
    """Raise ValueError if values are too large to compute with.

    Parameters
    ----------
    X : ndarray or CSR matrix or array
        Data.
    dtype : torch.dtype
        Type that the rows are cast to as they are.
    """
    if largest_value(X) > min(torch.finfo(dtype).max, _LARGEST_SQUARE**0.5):
        raise ValueError(
            f"The largest absolute value of X is {largest_value(X):.3g}, too large to compute with "
            f"in {str(dtype)[6:]}. Scale the features (StandardScaler, MinMaxScaler)."
        )


def check_targets(rows: Rows, loss: ReconstructionLoss, names: Sequence[Any] | None = None) -> None:
    """Raise ValueError if a loss is not defined on what the network should give.

    Parameters
    ----------
    rows : Rows
        Training data.
    loss : ReconstructionLoss
        Whose `check_target` is asked.
    names : sequence or None, default=None
        Names of the columns, for messages.
    """
    has_own_check = type(loss).check_target is not ReconstructionLoss.check_target
    if has_own_check or type(loss.domain) is not Domain:
        for batch in rows.batches():
            target = batch.target
            try:
                loss.check_target(target if target.layout == torch.strided else target.values())
            except OutsideDomainError as error:
                raise error.named([] if names is None else names) from None


def check_batch_normalization(net: AutoencoderNet, rows: Rows) -> None:
    """Raise ValueError if a network with batch normalisation would train on a single row.

    Parameters
    ----------
    net : AutoencoderNet
        The net.
    rows : Rows
        What to train on.
    """
    normalizes = any(isinstance(layer, _BatchNorm) for layer in net.module_.modules())
    if normalizes and min(len(rows), net.batch_size) == 1:
        found = "n_samples=1" if len(rows) == 1 else "batch_size=1"
        raise ValueError(f"{found}, but batch normalisation needs at least 2 rows")


def new_net(
    recipe: Recipe, device: torch.device, seed: int, rows: Rows
) -> tuple[AutoencoderNet, int]:
    """Build a net and let it look at the rows that it will train on.

    Parameters
    ----------
    recipe : Recipe
        What to build it from.
    device : torch.device
        Where it computes.
    seed : int
        Seed of the weights and of all that the net will draw.
    rows : Rows
        Training data.

    Returns
    -------
    net : AutoencoderNet
        A net, ready to train.
    n_components : int
        Width of its code.
    """
    net = recipe.build(device, seed)
    d = rows.n_features
    n_seen = len(rows) if hasattr(net.module_, "initialize") else min(2, len(rows))
    most = max(1, getattr(net.module_, "cells_to_start_from", _MAX_CELLS_TO_START_FROM) // d)
    chosen = torch.arange(n_seen) if n_seen <= most else spread(rows, most, net.generator)
    module: Any = net.module_
    if hasattr(module, "initialize"):
        batch = rows.batch(chosen)
        x, target = batch
        weight = None if rows.weights is None else rows.weights[chosen]
        if x.layout != target.layout:  # a network that takes dense rows is given nothing else
            target = target.to_dense()
        with seeded_global_generators(seed, device), torch.no_grad():
            initialize(module, x, net.criterion_.link(target), weight)
    net.start_averaging()
    return net, _code_width(net, rows.batch(chosen[:2]))


def run(
    net: AutoencoderNet,
    train: Rows,
    valid: Rows | None,
    max_epochs: int,
    callbacks: Sequence[tuple[str, Callback]] = (),
    has_own_rows: bool = False,
) -> None:
    """Train under callbacks that the net does not keep.

    Parameters
    ----------
    net : AutoencoderNet
        The net.
    train : Rows
        What to train on.
    valid : Rows or None
        What to measure the validation loss on.
    max_epochs : int
        Number of passes over `train`.
    callbacks : sequence of tuples (str, Callback), default=()
        Further callbacks with their names.
    has_own_rows : bool, default=False
        Whether no other process of the group has these rows.
    """
    check_batch_normalization(net, train)
    n_callbacks = len(net.callbacks_)
    net.callbacks_ += callbacks
    try:
        net.fit_rows(train, valid, max_epochs, has_own_rows)
    finally:
        del net.callbacks_[n_callbacks:]


@contextmanager
def rolled_back_on_failure(net: AutoencoderNet) -> Iterator[None]:
    """Let a net train on; if that fails, it is as before.

    Parameters
    ----------
    net : AutoencoderNet
        The net.

    Yields
    ------
    None
        Nothing.
    """
    n_epochs, state = len(net.history), net.state(history=False)
    try:
        yield
    except BaseException:
        net.load_state(state)
        del net.history[n_epochs:]
        raise


def copied_net(
    net: AutoencoderNet, recipe: Recipe, device: torch.device | None = None
) -> AutoencoderNet:
    """Return a copy of a net, as it is now.

    Parameters
    ----------
    net : AutoencoderNet
        The net.
    recipe : Recipe
        What it was built from, or that with other settings of the training.
    device : torch.device or None, default=None
        Where the copy computes; None for the same device.

    Returns
    -------
    AutoencoderNet
        The copy.
    """
    twin = recipe.build(device or torch.device(net.device))
    twin.start_averaging()
    state = net.state()
    if not same(_optimizer_params(twin), _optimizer_params(net)):
        state["optimizer"]["param_groups"] = twin.optimizer_.state_dict()["param_groups"]
    twin.load_state(state)
    return twin


def _optimizer_params(net: AutoencoderNet) -> list[Any]:
    return [net.lr, net.get_params_for("optimizer")]


def split_rows(rows: Rows, n_valid: int, seed: int) -> tuple[Rows, Rows]:
    """Hold out some rows.

    Parameters
    ----------
    rows : Rows
        All of them.
    n_valid : int
        How many to hold out.
    seed : int
        Determines which.

    Returns
    -------
    train, valid : Rows
        Two views, the second one :meth:`Rows.held_out`.
    """
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(rows), generator=generator, device="cpu")
    return rows.subset(order[n_valid:]), rows.subset(order[:n_valid]).held_out()


@torch.no_grad()
def _code_width(net: AutoencoderNet, batch: Batch) -> int:
    """Return the width of the code, if the module maps rows to codes and back."""
    x, target = batch
    module: Any = net.averaged_module_
    name = type(net.module_).__name__
    try:
        code = module.encode(x)
    except RuntimeError as error:
        raise ValueError(
            f"module={name} can't encode rows of {x.shape[1]} features: {error}"
        ) from error
    if not isinstance(code, Tensor) or code.ndim != 2 or len(code) != len(batch):
        found = tuple(code.shape) if isinstance(code, Tensor) else type(code).__name__
        raise TypeError(
            f"module={name}: encode must return a tensor of shape (n_samples, n_components), "
            f"for {len(batch)} rows it returned {found}"
        )
    try:
        output = module.decode(code)
    except RuntimeError as error:
        raise ValueError(
            f"module={name} can't decode codes of {code.shape[1]} components: {error}"
        ) from error
    wanted = (len(batch), net.criterion_.n_parameters * target.shape[1])
    if not isinstance(output, Tensor) or output.shape != wanted:
        found = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        raise TypeError(
            f"module={name}: decode must return a tensor of shape (n_samples, n_features) = "
            f"{wanted}, it returned {found}"
        )
    return code.shape[1]
