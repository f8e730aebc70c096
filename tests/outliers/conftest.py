import numpy as np
import pytest

from skae.outliers import _ensemble


@pytest.fixture
def X():
    """Rows near a plane in eight dimensions, the last five of them far away from it."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 2)) @ rng.normal(size=(2, 8)) + 0.05 * rng.normal(size=(100, 8))
    X[-5:] += 3 * rng.normal(size=(5, 8))
    return X


@pytest.fixture
def quick(monkeypatch):
    """Few steps of training, for what holds whether the networks are good or not."""
    monkeypatch.setattr(_ensemble, "_N_STEPS", 20)
    monkeypatch.setattr(_ensemble, "_FEWEST_STEPS", 20)
