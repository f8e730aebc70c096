"""Set up the process before any test module is imported."""

import os

# SciPy reads this once, when it is first imported. Without it scikit-learn skips its array API
# checks.
os.environ["SCIPY_ARRAY_API"] = "1"
os.environ["MPLBACKEND"] = "Agg"
# Data and networks in the tests are small: a second thread of torch or OpenBLAS costs more than it
# brings, and pytest-xdist already fills the cores.
os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import pytest
import torch
from sklearn.utils import get_tags

from skae import AutoencoderImputer, ImageCompressor


@pytest.fixture
def X(request):
    """Rows for the estimator that a test is about.

    Zeros for negative values, if it takes none, and cells that are missing, if it fills them. Few
    for a compressor, which codes each of them alone.
    """
    X = np.random.default_rng(0).normal(size=(40, 6))
    params = getattr(getattr(request.node, "callspec", None), "params", {})
    estimator = params.get("estimator")
    if isinstance(estimator, ImageCompressor):
        X = X[:24]
    if isinstance(estimator, AutoencoderImputer):
        X[np.random.default_rng(1).random(X.shape) < 0.1] = np.nan
    takes_all = estimator is None or not get_tags(estimator).input_tags.positive_only
    return X if takes_all else X.clip(0)


@pytest.fixture(autouse=True)
def _few_steps(request, monkeypatch):
    """Train less by default in tests that ask what all estimators do, however good they are."""
    if request.path.name.startswith(("test_common", "test_plain")):
        monkeypatch.setattr("skae.training._trials._AUTO_EPOCHS", (2, 5))
        monkeypatch.setattr("skae.imputation._network_imputer._MOST_EPOCHS", 5)
        monkeypatch.setattr("skae.imputation._normal._N_FOLDS", 2)
        monkeypatch.setattr("skae.imputation._normal._RIDGES", (0.1, 0.01))
        monkeypatch.setattr("skae.outliers._ensemble._N_STEPS", 20)
        monkeypatch.setattr("skae.outliers._ensemble._FEWEST_STEPS", 20)
        monkeypatch.setattr("skae.compression._image_compressor._FEW_IMAGES", 64)
        monkeypatch.setattr("skae.compression._image_compressor._MOST_PASSES", 2)
        monkeypatch.setattr("skae.networks.codec._regression._N_ITERATIONS", 1)


@pytest.fixture(autouse=True)
def _seeded():
    """Let tests that set no seed be the same in every order."""
    np.random.seed(0)  # noqa: NPY002
    torch.manual_seed(0)
