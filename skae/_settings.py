"""Torch's settings while something is computed: its defaults, whatever a user has set around it.

So a fit or a stream is the same, to the last bit, in a notebook that has set another default dtype
or device, inside ``torch.inference_mode()`` or under ``torch.autocast``. Nor is it stopped where
``np.seterr(all="raise")`` makes an error of an underflow. All fits and all decoding
run in one of these two contexts, which are decorators too.
"""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import torch

# Rows that are computed together without gradients are padded to a multiple of it: a row's result
# then has the same last bits whatever rows stand beside it.
ROW_MULTIPLE = 32

_AUTOCAST = ("cpu", "cuda", "mps", "xpu")

_lock = threading.Lock()
_n_inside = 0
_set_back = ExitStack()


@contextmanager
def default_settings() -> Iterator[None]:
    """Compute with gradients and in torch's defaults inside the block, then set all back.

    What a user asks of torch besides stays: deterministic algorithms, the detection of anomalies,
    the number of threads.

    Yields
    ------
    None
        Nothing.
    """
    with ExitStack() as stack:
        if torch.is_inference_mode_enabled():
            stack.enter_context(torch.inference_mode(False))
        if not torch.is_grad_enabled():
            stack.enter_context(torch.enable_grad())
        for device in _AUTOCAST:
            if torch.is_autocast_enabled(device):
                stack.enter_context(torch.autocast(device, enabled=False))
        if torch.get_default_device().type != "cpu":
            stack.enter_context(torch.device("cpu"))
        stack.enter_context(np.errstate(all="warn", under="ignore"))
        stack.enter_context(_settings_of_the_process())
        yield


@contextmanager
def inference() -> Iterator[None]:
    """Compute without gradients and in torch's defaults inside the block, then set all back.

    Yields
    ------
    None
        Nothing.
    """
    with default_settings(), torch.inference_mode():
        yield


@contextmanager
def _settings_of_the_process() -> Iterator[None]:
    """Set what all threads share: the first one inside changes it, the last one sets it back."""
    global _n_inside
    with _lock:
        if not _n_inside:
            _change_settings_of_the_process()
        _n_inside += 1
    try:
        yield
    finally:
        with _lock:
            _n_inside -= 1
            if not _n_inside:
                _set_back.close()


def _change_settings_of_the_process() -> None:
    if (dtype := torch.get_default_dtype()) != torch.float32:
        _set_back.callback(torch.set_default_dtype, dtype)
        torch.set_default_dtype(torch.float32)
    try:
        precision = torch.get_float32_matmul_precision()
        if precision == "highest":
            return
        _set_back.callback(torch.set_float32_matmul_precision, precision)
    except RuntimeError:  # it was set for one kind of device, by what came with torch 2.9
        backends: Any = torch.backends
        for matmul in (backends.mkldnn.matmul, backends.cuda.matmul):
            _set_back.callback(setattr, matmul, "fp32_precision", matmul.fp32_precision)
    torch.set_float32_matmul_precision("highest")


def whole_rows(most: int, least: int = 1) -> int:
    """Return how many rows to compute together, so that none needs padding.

    Parameters
    ----------
    most : int
        How many rows there is room for.
    least : int, default=1
        How many times `ROW_MULTIPLE` to take in any case.

    Returns
    -------
    int
        A multiple of `ROW_MULTIPLE`.
    """
    return max(least, most // ROW_MULTIPLE) * ROW_MULTIPLE
