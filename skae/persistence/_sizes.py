"""Whether a network is as large as the weights that were stored for it, before it is built."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

from .._plain import Part
from .._settings import default_settings
from ..training import Recipe
from ._errors import ModelFileError

_CALLS, _CALLS_PER_ARRAY = 2_000, 200  # of torch; our networks need up to 16 an array
_LARGEST = 2**16


class _Bounded(TorchFunctionMode):
    """Ends what calls torch too often: a network with a billion layers."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._left = most

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self._left -= 1
        if self._left < 0:
            raise ModelFileError("it describes a network with far more parts than it has weights")
        return func(*args, **(kwargs or {}))


@default_settings()
def check_network(recipe: Any, state: Any) -> None:
    """Raise if a recipe does not build what weights are for; nothing is allocated for it.

    Parameters
    ----------
    recipe : Recipe
        What says how to build a net.
    state : dict
        State of the net.
    """
    if not isinstance(recipe, Recipe):
        raise ModelFileError("it is damaged: what its network is built from is missing")
    weights = {k: v.shape for k, v in state["average"].items() if isinstance(v, np.ndarray)}
    widest = max((n for shape in weights.values() for n in shape), default=0)
    _check_numbers([recipe.params, recipe.module, recipe.loss, recipe.wrap], max(_LARGEST, widest))
    try:
        with torch.device("meta"), _Bounded(_CALLS + _CALLS_PER_ARRAY * len(weights)):
            module = recipe.make_module()
            recipe.make_loss()
    except (NotImplementedError, RuntimeError):
        if isinstance(recipe.module, str | Part):
            raise
        return  # a network of the user's, which looks at numbers that are not there
    built = module.state_dict()
    shapes = {f"module.{k}": v.shape for k, v in built.items() if isinstance(v, torch.Tensor)}
    if shapes != {name: shape for name, shape in weights.items() if name != "n_averaged"}:
        raise ModelFileError("it is damaged: its network and its weights differ in shape")


def _check_numbers(value: Any, largest: int) -> None:
    """Raise if there is a number so large that it can't be the width of anything."""
    if isinstance(value, Part):
        value = value.params
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for each in value:
            _check_numbers(each, largest)
    elif isinstance(value, int) and value > largest:
        raise ModelFileError(f"it describes a network with a parameter of {value:.3g}")
