"""The state of a training as plain containers of numpy arrays.

Such a state can be pickled without torch, stored by skops, and loaded on any device.
"""

from typing import Any

import numpy as np
import torch

CANNOT_GO_ON = (
    "this {} comes from a file that holds what it gives, and not how its training was going, so it "
    "can't be trained further. Store it by skae.save(estimator, path, training=True) where it was "
    "fitted, or start anew by fit with warm_start=False."
)


def averaged_only(state: dict[str, Any]) -> dict[str, Any]:
    """Return the part of a net's state that it predicts with.

    Parameters
    ----------
    state : dict
        State of a net.

    Returns
    -------
    dict
        Averaged weights, and buffers of the loss.
    """
    return {name: state[name] for name in ("average", "criterion")}


def timeless(row: dict[str, Any]) -> dict[str, Any]:
    """Return a line of a history as it is in equal trainings.

    Parameters
    ----------
    row : dict
        The line.

    Returns
    -------
    dict
        The line without batches and duration.
    """
    return {**{name: value for name, value in row.items() if name != "dur"}, "batches": []}


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
