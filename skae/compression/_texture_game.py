"""The game in which a codec of images learns to draw texture."""

from typing import Any

import torch
from torch import nn

from .._plain import Part
from ..training import AutoencoderNet, Recipe, Rows
from ._objectives import AdversarialTexture

_CRITIC_WEIGHT, _AMPLITUDE_WEIGHT = 0.5, 12.0
_MOST_PER_STEP, _VALUES_PER_STEP = 64, 2**17


def trained_sharpener(net: AutoencoderNet, rows: Rows, n_steps: int, dtype: str) -> nn.Module:
    """Return the sharpener after a game against a critic, in which all else stands still.

    Parameters
    ----------
    net : AutoencoderNet
        Its averaged module is an ImageCodecNetwork with a sharpener, and stays as it is.
    rows : Rows
        Flattened images.
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
        "lr": 1e-3,
        "batch_size": size,
        "verbose": int(net.verbose),
        "objective": AdversarialTexture(_CRITIC_WEIGHT, _AMPLITUDE_WEIGHT),
        "module__codec": net.averaged_module_,
        "optimizer__betas": (0.0, 0.9),
    }
    module = Part("networks", "SharpeningNetwork", {})
    recipe = Recipe(module, "squared_error", "adam", dtype, params)
    game = recipe.build(torch.device(net.device), net.generator.initial_seed())
    game.start_averaging()
    n_epochs, rest = divmod(n_steps * size, len(rows))
    game.fit_rows(rows, None, n_epochs)
    if rest:
        order = torch.randperm(len(rows), generator=game.generator)
        game.fit_rows(rows.subset(order[:rest]), None, 1)
    played: Any = game.averaged_module_
    return played.codec.sharpener
