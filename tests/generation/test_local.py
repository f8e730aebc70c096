"""The prior of many small Gaussians: what it draws, and what it says of densities."""

import pickle

import numpy as np
import pytest

from skae import AdversarialAutoencoder, VariationalAutoencoder, load, save
from skae.generation import _generator
from skae.generation._local import LocalPrior, fit_local, with_density
from skae.generation._priors import ClassPriors, fit_mixture


def ring(n=2000, seed=0):
    """Codes around a circle."""
    rng = np.random.default_rng(seed)
    angles = rng.uniform(0, 2 * np.pi, n)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return (circle + 0.05 * rng.normal(size=(n, 2)) + 3).astype(np.float32)


def drawn(prior, n=2000):
    prior.random_state = 0
    return prior.sample(n)[0]


@pytest.fixture(scope="module")
def prior():
    return fit_local(ring(), fit_mixture(ring(), 1, 0), 0)


def test_what_no_gaussian_has_is_drawn(prior):
    radii = np.linalg.norm(drawn(prior) - 3, axis=1)

    assert radii.mean() == pytest.approx(1, abs=0.02)
    assert radii.std() < 0.1 < np.linalg.norm(drawn(prior.mixture) - 3, axis=1).std()


def test_densities_are_those_of_the_mixture(prior):
    Z = ring(10)

    np.testing.assert_array_equal(prior.score_samples(Z), prior.mixture.score_samples(Z))
    both = with_density(ClassPriors(np.arange(2), np.full(2, 0.5), [prior, prior]))
    assert both.priors == [prior.mixture] * 2


def test_a_row_far_from_all_others_is_not_given_away():
    Z = np.random.default_rng(0).normal(size=(400, 12))
    Z[0] = 9.0
    prior = fit_local(Z, fit_mixture(Z, 1, 0), 0)

    codes = drawn(prior, 20_000)

    near = np.linalg.norm(codes - Z[0], axis=1)
    assert 0 < (near < 6).sum() < 200
    assert near.min() > 1


@pytest.mark.parametrize("n", [1, 2, 30])
def test_a_few_codes_will_do(n):
    Z = np.random.default_rng(0).normal(size=(n, 3))

    assert np.isfinite(drawn(fit_local(Z, fit_mixture(Z, 1, 0), 0), 50)).all()


@pytest.mark.parametrize("generator", [VariationalAutoencoder, AdversarialAutoencoder])
def test_many_images_get_it(generator, monkeypatch, tmp_path):
    monkeypatch.setattr(_generator, "_MANY_IMAGES", 100)
    X = np.random.default_rng(0).random((120, 64)).round(1)
    y = X[:, 0] > 0.5
    params = {"hidden_layer_sizes": (8,), "max_epochs": 1, "random_state": 0}

    model = generator(2, conditional=True, **params).fit(X, y)

    assert all(isinstance(each, LocalPrior) for each in model.prior_.priors)
    rows = model.sample(5, y=True)
    np.testing.assert_array_equal(rows, pickle.loads(pickle.dumps(model)).sample(5, y=True))
    save(model, tmp_path / "model.skae")
    np.testing.assert_array_equal(rows, load(tmp_path / "model.skae").sample(5, y=True))
    plain = generator(2, conditional=True, prior="mixture", **params).fit(X, y)
    np.testing.assert_array_equal(model.score_samples(X[:3]), plain.score_samples(X[:3]))
    assert not np.array_equal(rows, plain.sample(5, y=True))
