"""A fit changes the estimator and nothing else: no global state, no parameter, no other thread."""

import random
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
import torch._dynamo  # torch does so when it first trains; what that imports adds a warning filter
from sklearn.base import clone

from .estimators import (
    assert_equal_outputs,
    assert_same_outputs,
    new,
    outputs,
    over_all,
    shared_fit,
)


def global_state():
    return {
        "numpy's generator": np.random.get_state()[1].tolist(),  # noqa: NPY002
        "python's generator": random.getstate(),
        "torch's generator": torch.get_rng_state().tolist(),
        "number of threads": torch.get_num_threads(),
        "default dtype": torch.get_default_dtype(),
        "deterministic algorithms": torch.are_deterministic_algorithms_enabled(),
        "gradients": torch.is_grad_enabled(),
        "warning filters": list(warnings.filters),
        "floating point errors": np.geterr(),
    }


@over_all()
def test_global_state_and_data_are_left_alone(estimator, X):
    X = X.astype(getattr(estimator, "dtype", "float32"))  # of which tensors need no copy
    before, data = global_state(), X.copy()

    outputs(new(estimator).fit(X), X[:10])

    assert [name for name, state in global_state().items() if state != before[name]] == []
    np.testing.assert_array_equal(X, data)


@over_all(names=["own_module"])
def test_global_generator_has_no_influence(estimator, X):
    _, expected = shared_fit(estimator, X, 10)

    torch.rand(7)

    assert_equal_outputs(outputs(new(estimator).fit(X), X[:10]), expected)


@over_all(names=["default", "own_module", "deep", "flow", "mlp", "noisy", "sampled", "blended"])
def test_fits_in_threads_equal_serial_ones(estimator, X):
    _, first = shared_fit(estimator, X, 10)
    models = [new(estimator).set_params(random_state=seed) for seed in (0, 1)]
    second = clone(models[1]).fit(X)

    with ThreadPoolExecutor(2) as pool:
        fitted = list(pool.map(lambda model: model.fit(X), models))

    assert_equal_outputs(outputs(fitted[0], X[:10]), first)
    assert_same_outputs(fitted[1], second, X[:10])


@over_all()
def test_inference_in_threads_equals_serial_one(estimator, X):
    model, expected = shared_fit(estimator, X, 10)

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: outputs(model, X[:10]), range(4)))

    for result in results:
        assert_equal_outputs(result, expected)
