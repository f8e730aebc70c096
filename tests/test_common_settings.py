"""What is computed depends on no setting of torch or NumPy, and leaves them as they were."""

import pickle
from contextlib import ExitStack, contextmanager

import numpy as np
import torch

from .estimators import (
    assert_equal_outputs,
    assert_same_outputs,
    new,
    outputs,
    over_all,
    shared_fit,
)

KINDS = ["default", "own_module", "conv", "penalised", "flow", "two_critics"]


def settings():
    """Return all that is set here, and may be set elsewhere."""
    return {
        "inference mode": torch.is_inference_mode_enabled(),
        "gradients": torch.is_grad_enabled(),
        "autocast": torch.is_autocast_enabled("cpu"),
        "autocast dtype": torch.get_autocast_dtype("cpu"),
        "default dtype": torch.get_default_dtype(),
        "default device": torch.get_default_device(),
        "matmul precision": torch.get_float32_matmul_precision(),
        "deterministic algorithms": torch.are_deterministic_algorithms_enabled(),
        "floating point errors": np.geterr(),
    }


@contextmanager
def other_settings():
    """Set all that changes results, or breaks code that does not expect it."""
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode())
        stack.enter_context(torch.autocast("cpu", torch.bfloat16))
        stack.enter_context(torch.device("meta"))
        stack.callback(torch.set_default_dtype, torch.get_default_dtype())
        torch.set_default_dtype(torch.float64)
        stack.callback(torch.set_float32_matmul_precision, torch.get_float32_matmul_precision())
        torch.set_float32_matmul_precision("medium")
        stack.callback(torch.use_deterministic_algorithms, False)
        torch.use_deterministic_algorithms(True)
        stack.enter_context(np.errstate(all="raise"))
        yield


def generated(model):
    """Return what a fitted estimator gives without rows."""
    return model.sample(3, random_state=0) if hasattr(model, "sample") else None


@over_all(names=KINDS)
def test_fits_and_outputs_do_not_depend_on_settings(estimator, X):
    expected, given = shared_fit(estimator, X, 10)
    with other_settings():
        before = settings()

        model = new(estimator).fit(X)

        assert_equal_outputs(outputs(model, X[:10]), given)
        np.testing.assert_equal(generated(model), generated(expected))
        assert settings() == before


@over_all("partial_fit", names=KINDS)
def test_training_goes_on_outside(estimator, X):
    with other_settings():
        model = new(estimator).fit(X)

    model.partial_fit(X)

    assert_same_outputs(model, new(estimator).fit(X).partial_fit(X), X)


@over_all("partial_fit", names=KINDS)
def test_what_was_loaded_there_goes_on_outside(estimator, X):
    stored = pickle.dumps(new(estimator).fit(X))
    with other_settings():
        model = pickle.loads(stored)

    assert_same_outputs(model.partial_fit(X), pickle.loads(stored).partial_fit(X), X)
