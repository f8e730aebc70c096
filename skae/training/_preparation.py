"""What comes before the first epoch: rows, a net that has seen them, the number of epochs."""

import math
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from ..losses import Domain, ReconstructionLoss
from ._batches import BatchIterator, Rows, inference_rows
from ._callbacks import BestWeights
from ._net import AutoencoderNet
from ._random import seeded_global_generators
from ._recipe import Recipe

_LARGEST_SQUARE = 1e300  # sums of squares are taken in float64
_MAX_CELLS_TO_START_FROM = 2**25
_AUTO_EPOCHS = (10, 200)
_FEW_ROWS = 5000


def largest_value(X: Any) -> float:
    """Return the largest absolute value, without a copy of the data.

    Parameters
    ----------
    X : ndarray or CSR matrix or array
        Data.

    Returns
    -------
    float
        The value.
    """
    return max(abs(float(X.min())), abs(float(X.max())))


def check_magnitude(X: Any, dtype: torch.dtype) -> None:
    """Raise ValueError if values are too large to compute with.

    Parameters
    ----------
    X : ndarray or CSR matrix or array
        Data.
    dtype : torch.dtype
        Type that the network computes in.
    """
    if largest_value(X) > min(torch.finfo(dtype).max, _LARGEST_SQUARE**0.5):
        raise ValueError(
            f"The largest absolute value of X is {largest_value(X):.3g}, too large to compute with "
            f"in {str(dtype)[6:]}. Scale the features (StandardScaler, MinMaxScaler)."
        )


def checked_rows(
    X: Any, dtype: torch.dtype, device: torch.device, loss: ReconstructionLoss
) -> Rows:
    """Return rows to train on, if they can be computed with and the loss is defined on them.

    Parameters
    ----------
    X : ndarray, memmap or CSR matrix or array of shape (n_samples, n_features)
        Checked data.
    dtype : torch.dtype
        Type of the batches.
    device : torch.device
        Where the batches go.
    loss : ReconstructionLoss
        Whose `check_target` is asked.

    Returns
    -------
    Rows
        The rows.
    """
    check_magnitude(X, dtype)
    rows = Rows(X, dtype, device)
    has_own_check = type(loss).check_target is not ReconstructionLoss.check_target
    if has_own_check or type(loss.domain) is not Domain:
        for _, x in BatchIterator(rows, inference_rows(X.shape[1])):
            loss.check_target(x)
    return rows


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
    d = rows.X.shape[1]
    chosen = torch.arange(len(rows) if hasattr(net.module_, "initialize") else min(2, len(rows)))
    if len(chosen) * d > _MAX_CELLS_TO_START_FROM:
        chosen = torch.randperm(len(chosen), generator=net.generator)
        chosen = chosen[: max(1, _MAX_CELLS_TO_START_FROM // d)].sort().values
    if isinstance(rows.X, Tensor):
        chosen = chosen.to(rows.X.device)
    x = rows.take(chosen)
    with seeded_global_generators(seed, device):
        net.start_from(x)
    net.start_averaging()
    return net, _code_width(net, x[:2])


def copied_net(net: AutoencoderNet, recipe: Recipe) -> AutoencoderNet:
    """Return a copy of a net, as it is now.

    Parameters
    ----------
    net : AutoencoderNet
        The net.
    recipe : Recipe
        What it was built from.

    Returns
    -------
    AutoencoderNet
        The copy, on the same device.
    """
    twin = recipe.build(torch.device(net.device))
    twin.start_averaging()
    twin.load_state(net.state())
    return twin


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
        Two views.
    """
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(rows), generator=generator, device="cpu")
    return rows.subset(order[n_valid:]), rows.subset(order[:n_valid])


def auto_epochs(
    recipe: Recipe,
    device: torch.device,
    seed: int,
    rows: Rows,
    search: bool = True,
    n_steps: int = 2000,
    few_rows: int = _FEW_ROWS,
) -> int:
    """Choose the number of epochs.

    It makes `n_steps`, between 10 and 200 epochs. With few rows that may be too many; then
    it is the number after which a fifth of the rows, held out, are served best.

    Parameters
    ----------
    recipe : Recipe
        What the net will be built from.
    device : torch.device
        Where it will compute.
    seed : int
        Seed of the trial.
    rows : Rows
        Training data.
    search : bool, default=True
        Whether to try on held-out rows at all.
    n_steps : int, default=2000
        Number of steps wanted.
    few_rows : int, default=5000
        Number of rows from which on none are held out.

    Returns
    -------
    int
        Number of epochs, 0 if training brings nothing.
    """
    low, high = _AUTO_EPOCHS
    steps_per_epoch = math.ceil(len(rows) / recipe.params["batch_size"])
    max_epochs = min(high, max(low, math.ceil(n_steps / steps_per_epoch)))
    n_valid = len(rows) // 5
    if not search or n_valid == 0 or len(rows) >= few_rows:
        return max_epochs
    train, valid = split_rows(rows, n_valid, seed)
    quiet = {**recipe.params, "verbose": 0}
    trial, _ = new_net(replace(recipe, params=quiet), device, seed, train)
    best = BestWeights(patience=max(20, max_epochs // 4))
    trial.callbacks_.append(("best_weights", best))
    before = trial.row_losses(valid)
    trial.fit_rows(train, valid, max_epochs)
    gain = before - trial.row_losses(valid)
    # Of a gain that might be chance, what the network starts from is the safer half.
    return best.best_epoch_ if gain.mean() > gain.std() / len(gain) ** 0.5 else 0


@torch.no_grad()
def _code_width(net: AutoencoderNet, x: Tensor) -> int:
    """Return the width of the code, if the module maps rows to codes and back."""
    module: Any = net.averaged_module_
    name = type(net.module_).__name__
    try:
        code = module.encode(x)
    except RuntimeError as error:
        raise ValueError(
            f"module={name} can't encode rows of {x.shape[1]} features: {error}"
        ) from error
    if not isinstance(code, Tensor) or code.ndim != 2 or len(code) != len(x):
        found = tuple(code.shape) if isinstance(code, Tensor) else type(code).__name__
        raise TypeError(
            f"module={name}: encode must return a tensor of shape (n_samples, n_components), "
            f"for {len(x)} rows it returned {found}"
        )
    try:
        output = module.decode(code)
    except RuntimeError as error:
        raise ValueError(
            f"module={name} can't decode codes of {code.shape[1]} components: {error}"
        ) from error
    wanted = (len(x), net.criterion_.n_parameters * x.shape[1])
    if not isinstance(output, Tensor) or output.shape != wanted:
        found = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        raise TypeError(
            f"module={name}: decode must return a tensor of shape (n_samples, n_features) = "
            f"{wanted}, it returned {found}"
        )
    return code.shape[1]
