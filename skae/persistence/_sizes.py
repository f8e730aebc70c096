"""Whether a network is as large as the weights that were stored for it, before it is built."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

from .._plain import Part
from .._settings import default_settings
from ..training import Recipe
from ._errors import ModelFileError

_CALLS, _CALLS_PER_ARRAY = 500, 50  # of torch; our networks need up to 16 an array
_VALUES, _VALUES_PER_COLUMN = 10_000, 20  # among the parameters of a network
_LARGEST = 2**20


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
    params = [
        v for k, v in recipe.params.items() if k.partition("__")[0] in ("module", "criterion")
    ]
    numbers = _numbers_in([params, recipe.module, recipe.loss, recipe.wrap])
    for i, number in enumerate(numbers):
        if number > max(_LARGEST, widest) or i > _VALUES + _VALUES_PER_COLUMN * widest:
            raise ModelFileError("it describes a network with numbers that no network has")
    # What transforms sounds is a table of its square, which is computed by numpy.
    if recipe.params.get("module__hop_length", 0) > widest:
        raise ModelFileError("it describes a network for longer hops than it has weights for")
    try:
        with torch.device("meta"), _Bounded(_CALLS + _CALLS_PER_ARRAY * len(weights)):
            module = recipe.make_module()
            recipe.make_loss()
    except Exception as error:
        if isinstance(recipe.module, str | Part) or isinstance(error, ModelFileError):
            raise
        return  # a network of the reader's, which looks at numbers that are not there
    built = module.state_dict()
    shapes = {f"module.{k}": v.shape for k, v in built.items() if isinstance(v, torch.Tensor)}
    if shapes != {name: shape for name, shape in weights.items() if name != "n_averaged"}:
        raise ModelFileError("it is damaged: its network and its weights differ in shape")


def _numbers_in(value: Any) -> Iterator[int]:
    """Yield the numbers among parameters, 0 for what is none."""
    if isinstance(value, Part):
        value = value.params
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for each in value:
            yield from _numbers_in(each)
    else:
        yield value if isinstance(value, int) else 0
