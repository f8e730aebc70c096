"""Trials: trainings on a part of the rows, judged by the rest, that settle what a fit leaves open.

Like the trainer, it knows nets and rows, and no estimator.
"""

import math
from dataclasses import dataclass, replace

import torch

from ._callbacks import BestWeights
from ._net import AutoencoderNet
from ._recipe import Recipe
from ._rows import Rows
from ._trainer import new_net, run, split_rows

_AUTO_EPOCHS = (10, 200)
_MOST_STEPS = 20_000
FEW_ROWS = 5000


@dataclass(frozen=True)
class Trial:
    """A training that was judged by held-out rows.

    Parameters
    ----------
    net : AutoencoderNet
        Trained, with the weights that served the held-out rows best if they were watched.
    n_epochs : int
        Number of epochs, 0 if training brings nothing.
    is_too_few : bool
        Whether the held-out rows would be served better by more than was allowed.
    """

    net: AutoencoderNet
    n_epochs: int
    is_too_few: bool


def most_epochs(recipe: Recipe, n_rows: int) -> int:
    """Return how many epochs make the recipe's number of steps, between 10 and 200.

    Of very many rows they are fewer than 10: as many as make 20,000 steps, at least one.

    Parameters
    ----------
    recipe : Recipe
        What the net will be built from.
    n_rows : int
        Number of rows to train on.

    Returns
    -------
    int
        What "auto" takes at most.
    """
    low, high = _AUTO_EPOCHS
    steps_per_epoch = math.ceil(n_rows / recipe.params["batch_size"])
    n_epochs = min(high, max(low, math.ceil(recipe.auto_steps / steps_per_epoch)))
    return max(1, min(n_epochs, _MOST_STEPS // steps_per_epoch))


def try_out(
    recipe: Recipe,
    device: torch.device,
    seed: int,
    train: Rows,
    valid: Rows,
    max_epochs: int,
    patience: int | None = None,
    watch: bool = True,
) -> Trial:
    """Train on some rows and watch others.

    Parameters
    ----------
    recipe : Recipe
        What the net is built from.
    device : torch.device
        Where it computes.
    seed : int
        Seed of the trial.
    train, valid : Rows
        What to train on, and those that are held out.
    max_epochs : int
        Number of epochs that are allowed.
    patience : int or None, default=None
        Number of epochs without improvement that end the trial; None takes a quarter of those that
        are allowed, at least 20.
    watch : bool, default=True
        Whether the held-out rows decide about the number of epochs.

    Returns
    -------
    Trial
        What came of it.
    """
    quiet = replace(recipe, params={**recipe.params, "verbose": 0})
    net, _ = new_net(quiet, device, seed, train)
    if not watch:
        run(net, train, None, max_epochs)
        return Trial(net, max_epochs, False)
    best = BestWeights(patience=patience or max(20, max_epochs // 4))
    before = net.row_losses(valid)
    run(net, train, valid, max_epochs, [("best_weights", best)])
    gain = before - net.row_losses(valid)
    # Of a gain that might be chance, what the network starts from is the safer half.
    if (weights := valid.own_weights) is not None:
        gain = gain * (weights / weights.mean())
    if gain.mean() <= gain.std() / len(gain) ** 0.5:
        return Trial(net, 0, False)
    return Trial(net, best.best_epoch_, best.best_epoch_ == max_epochs)


def auto_epochs(
    recipe: Recipe,
    device: torch.device,
    seed: int,
    rows: Rows,
    search: bool = True,
    patience: int | None = None,
    few_rows: int = FEW_ROWS,
) -> tuple[int, bool]:
    """Choose the number of epochs.

    It makes the recipe's number of steps, between 10 and 200 epochs. With few rows that may be too
    many; then it is the number after which a fifth of the rows, held out, are served best.

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
    patience : int or None, default=None
        As in :func:`try_out`.
    few_rows : int, default=5000
        Number of rows from which on none are held out.

    Returns
    -------
    n_epochs : int
        Number of epochs, 0 if training brings nothing.
    is_too_few : bool
        Whether the held-out rows would be served better by more than is allowed.
    """
    max_epochs, n_valid = most_epochs(recipe, len(rows)), len(rows) // 5
    if not search or n_valid == 0 or len(rows) >= few_rows:
        return max_epochs, False
    train, valid = split_rows(rows, n_valid, seed)
    trial = try_out(recipe, device, seed, train, valid, max_epochs, patience)
    return trial.n_epochs, trial.is_too_few
