"""The games in which codecs learn to draw what rounding has erased."""

import copy
from typing import Any, NamedTuple

import torch
from torch import nn

from .._plain import Part
from ..training import AutoencoderNet, Objective, Recipe
from ._objectives import AdversarialNoise, AdversarialTexture
from ._signal_rows import SignalRows

_MOST_PER_STEP, _VALUES_PER_STEP = 64, 2**17


class Game(NamedTuple):
    """What makes the game of a medium.

    Parameters
    ----------
    network : str
        Name of the network that has a codec and its critic.
    objective : Objective
        What it minimises.
    lr : float
        Learning rate.
    memory : float
        Of the optimizer, for gradients.
    """

    network: str
    objective: Objective
    lr: float
    memory: float


TEXTURE = Game("SharpeningNetwork", AdversarialTexture(0.5, 12.0), 1e-3, 0.0)
NOISE = Game("SoundSharpeningNetwork", AdversarialNoise(0.3, 1.0), 2e-3, 0.5)


def trained_sharpener(
    game: Game, net: AutoencoderNet, rows: SignalRows, n_steps: int, dtype: str
) -> nn.Module:
    """Return the sharpener after a game against a critic, in which all else stands still.

    Parameters
    ----------
    game : Game
        The game.
    net : AutoencoderNet
        Its averaged module is a codec with a sharpener, and stays as it is.
    rows : SignalRows
        What it is played with.
    n_steps : int
        Number of steps.
    dtype : {"float32", "float64"}
        Type of the weights.

    Returns
    -------
    nn.Module
        A new sharpener.
    """
    size = min(_MOST_PER_STEP, max(2, _VALUES_PER_STEP // rows.n_features))
    params: dict[str, Any] = {
        "lr": game.lr,
        "batch_size": size,
        "verbose": int(net.verbose),
        "objective": game.objective,
        "module__codec": copy.deepcopy(net.averaged_module_),
        "optimizer__betas": (game.memory, 0.9),
    }
    module = Part("networks", game.network, {})
    recipe = Recipe(module, "squared_error", "adam", dtype, params)
    playing = recipe.build(torch.device(net.device), net.generator.initial_seed())
    playing.start_averaging()
    n_epochs, rest = divmod(n_steps * size, len(rows))
    playing.fit_rows(rows, None, n_epochs)
    if rest:
        order = torch.randperm(len(rows), generator=playing.generator)
        playing.fit_rows(rows.subset(order[:rest]), None, 1)
    played: Any = playing.averaged_module_
    return played.codec.sharpener
