"""Log-densities of codes in torch are those of scikit-learn."""

import numpy as np
import pytest
import torch
from sklearn.mixture import GaussianMixture

from skae.generation._densities import class_densities
from skae.generation._priors import NormalPrior


@pytest.mark.parametrize("kind", ["full", "tied"])
def test_mixtures(kind):
    rng = np.random.default_rng(0)
    Z = 100 + rng.normal(size=(300, 3)) * [1, 10, 0.01] + rng.integers(2, size=(300, 1))
    mixture = GaussianMixture(4, covariance_type=kind, random_state=0).fit(Z)
    codes = torch.from_numpy(Z[:50])
    found = class_densities([mixture, NormalPrior(3)])(codes).numpy()
    np.testing.assert_allclose(found[:, 0], mixture.score_samples(Z[:50]), rtol=1e-9)
    np.testing.assert_allclose(found[:, 1], NormalPrior(3).score_samples(Z[:50]), rtol=1e-9)


def test_any_other_prior():
    class Prior:
        def score_samples(self, X):
            return X.sum(axis=1)

    found = class_densities([Prior()])(torch.ones(2, 3))
    assert (found.dtype, found.tolist()) == (torch.float64, [[3.0], [3.0]])
