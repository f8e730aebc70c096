"""How a training ends before its last epoch: a callback that wants it, and a real Ctrl-C."""

import dis
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch
from skorch.callbacks import Callback
from torch import nn

from ._callbacks import StopTraining


def stopped_by(callback: Callback, hook: str, net: Any, **kwargs: Any) -> StopTraining | None:
    """Call a hook of a callback, which may want to end the training.

    It says so by raising ``StopTraining`` or, as skorch's do, KeyboardInterrupt. A real Ctrl-C, at
    whatever moment, is passed on.

    Parameters
    ----------
    callback : Callback
        The callback.
    hook : str
        Name of the method.
    net : NeuralNet
        Its first argument.
    **kwargs : dict
        Its other arguments.

    Returns
    -------
    StopTraining or None
        What ends the training, if the callback wants it.
    """
    try:
        getattr(callback, hook)(net, **kwargs)
    except StopTraining as stop:
        return stop
    except KeyboardInterrupt as interrupt:
        if not _is_raised_by(callback, interrupt):
            raise
        return StopTraining()
    return None


def _is_raised_by(callback: Callback, error: BaseException) -> bool:
    """Tell an exception that a callback raised from one that a signal handler put in between."""
    traceback: Any = error.__traceback__
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    frame, position = traceback.tb_frame, traceback.tb_lasti
    return frame.f_locals.get("self") is callback and any(
        i.opname == "RAISE_VARARGS" and i.offset == position
        for i in dis.get_instructions(frame.f_code)
    )


@cache
def let_torch_import() -> None:
    """Let torch import what it needs for optimizers: if Ctrl-C cut that short, none could be made.

    It takes seconds, before the first training in a process.
    """
    with _ctrl_c_put_off():
        torch.optim.SGD([nn.Parameter(torch.zeros(1))])


@contextmanager
def _ctrl_c_put_off() -> Iterator[None]:
    """Let a Ctrl-C wait for the end of the block."""
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield  # no signal handler in Python will run here
        return
    pressed: list[int] = []
    signal.signal(signal.SIGINT, lambda signum, frame: pressed.append(signum))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
    if pressed:
        signal.raise_signal(signal.SIGINT)
