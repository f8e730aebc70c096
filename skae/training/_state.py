"""Fitted state: plain values, arrays, and registered dataclasses of them.

Such a state can be pickled without torch, stored by skops, and loaded on any device.
"""

from dataclasses import dataclass
from typing import Any, dataclass_transform

import numpy as np
import torch

# By their names, all kinds of objects that the state of a fitted estimator is made of.
REGISTERED: dict[str, type] = {}


@dataclass_transform(eq_default=False)
def registered(cls: type) -> Any:
    """Make a class a dataclass that fitted states may hold.

    Its fields must be plain values, arrays, containers of these, or such dataclasses: so that
    storing a state is one walk through it.

    Parameters
    ----------
    cls : type
        The class.

    Returns
    -------
    type
        The dataclass.
    """
    made = dataclass(eq=False)(cls)
    REGISTERED[f"{cls.__module__}.{cls.__qualname__}"] = made
    return made


def to_arrays(state: Any) -> Any:
    """Copy a nested state, every tensor turned into an array.

    Parameters
    ----------
    state : Any
        Tensors, and dicts, lists and tuples of them.

    Returns
    -------
    Any
        The same containers with numpy arrays.
    """
    if isinstance(state, torch.Tensor):
        return np.array(state.detach().cpu().numpy())
    if isinstance(state, dict):
        return {key: to_arrays(value) for key, value in state.items()}
    if isinstance(state, list | tuple):
        return type(state)(to_arrays(value) for value in state)
    return state


def to_tensors(state: Any) -> Any:
    """Undo :func:`to_arrays`; the tensors are on the CPU.

    Parameters
    ----------
    state : Any
        What ``to_arrays`` returned.

    Returns
    -------
    Any
        The same containers with tensors.
    """
    if isinstance(state, np.ndarray):
        return torch.from_numpy(np.array(state))
    if isinstance(state, dict):
        return {key: to_tensors(value) for key, value in state.items()}
    if isinstance(state, list | tuple):
        return type(state)(to_tensors(value) for value in state)
    return state
