"""Signals, some at a time."""

from torch import Tensor

_VALUES_TOGETHER = 2**22


def in_parts(x: Tensor) -> tuple[Tensor, ...]:
    """Return signals in parts that can be transformed with little memory.

    Parameters
    ----------
    x : Tensor of shape (n_signals, ...)
        Signals.

    Returns
    -------
    tuple of Tensors of shape (n, ...)
        Of about four million values, of one signal at least.
    """
    return x.split(max(1, _VALUES_TOGETHER // x[0].numel()))
