"""The flow as a prior: a density, fitted to codes, that knows when to stay a Gaussian."""

import copy
import pickle

import numpy as np
import pytest
import torch
from sklearn.datasets import make_moons

from skae import VariationalAutoencoder
from skae.generation import _flow
from skae.generation._flow import fit_flow
from skae.generation._priors import NormalPrior, fit_mixture


def moons(n=400, seed=0):
    """Codes on two arcs, as float32, like those that networks give."""
    return make_moons(n, noise=0.1, random_state=seed)[0].astype(np.float32)


@pytest.fixture(scope="module")
def flow():
    return fit_flow(moons(), 0)


@pytest.fixture
def quick(monkeypatch):
    """Few steps of training, for what holds whether the flow is good or not."""
    monkeypatch.setattr(_flow, "_LEAST_STEPS", 20)


# ---------------------------------------------------------------- a density


def test_density_integrates_to_one(flow):
    grid = np.linspace(-4, 5, 301)
    points = np.stack(np.meshgrid(grid, grid), -1).reshape(-1, 2)

    total = np.exp(flow.score_samples(points)).sum() * (grid[1] - grid[0]) ** 2

    assert total == pytest.approx(1, abs=0.01)


def test_samples_have_its_density(flow):
    flow = copy.copy(flow)
    flow.random_state = 0

    codes, _ = flow.sample(4000)

    expected = flow.score_samples(moons(4000, 1)).mean()
    assert flow.score_samples(codes).mean() == pytest.approx(expected, abs=0.3)


def test_moons_are_served_better_than_by_one_gaussian(flow):
    Z_test = moons(2000, 1)

    assert flow.score_samples(Z_test).mean() > fit_mixture(moons(), 1, 0).score(Z_test) + 0.3


def test_a_code_has_one_density_whatever_codes_are_beside_it(flow):
    Z = moons(50, 1)

    alone = np.concatenate([flow.score_samples(z[None]) for z in Z])

    np.testing.assert_allclose(flow.score_samples(Z), alone, rtol=1e-12)


def test_densities_are_float64_for_codes_of_both_kinds(flow):
    Z = moons(20, 1)

    scores = flow.score_samples(Z)

    assert scores.dtype == flow.score_samples(Z.astype(np.float64)).dtype == np.float64
    np.testing.assert_allclose(scores, flow.score_samples(Z.astype(np.float64)), rtol=1e-5)


# ---------------------------------------------------------------- what it makes of codes


@pytest.mark.parametrize(("loc", "scale"), [(3.0, 1.0), (-2.0, 0.1)])
def test_normal_codes_get_hardly_more_than_their_distribution(loc, scale):
    rng = np.random.default_rng(0)
    Z, Z_test = rng.normal(loc, scale, (2, 600, 3))

    score = fit_flow(Z, 0).score_samples(Z_test).mean()

    expected = NormalPrior(3).score_samples((Z_test - loc) / scale).mean() - 3 * np.log(scale)
    assert score == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize(("n", "k"), [(12, 3), (40, 16), (100, 2), (150, 16)])
def test_few_codes_are_not_learned_by_heart(n, k):
    rng = np.random.default_rng(0)
    Z, Z_test = rng.normal(size=(n, k)), rng.normal(size=(1000, k))

    score = fit_flow(Z, 0).score_samples(Z_test).mean()

    assert score > fit_mixture(Z, 1, 0).score(Z_test) - 0.5


@pytest.mark.parametrize("n", [1, 2, 60])
def test_codes_that_are_all_the_same(n):
    Z = np.full((n, 3), 0.7, dtype=np.float32)

    assert np.isfinite(fit_flow(Z, 0).score_samples(Z)).all()


def test_a_component_without_variance():
    Z = np.c_[moons(150), np.full(150, 0.5)].astype(np.float32)

    flow = fit_flow(Z, 0)
    flow.random_state = 0

    np.testing.assert_allclose(flow.sample(200)[0][:, 2], 0.5, atol=0.3)


# ---------------------------------------------------------------- randomness and state


@pytest.mark.usefixtures("quick")
def test_seed_determines_the_flow():
    first, second, other = (fit_flow(moons(100), seed).score_samples(moons()) for seed in (1, 1, 2))

    np.testing.assert_array_equal(first, second)
    assert not np.allclose(first, other)


def test_random_state_determines_samples(flow):
    flow = copy.copy(flow)

    flow.random_state = 3
    np.testing.assert_array_equal(flow.sample(9)[0], flow.sample(9)[0])
    flow.random_state = np.random.RandomState(3)
    assert not np.array_equal(flow.sample(9)[0], flow.sample(9)[0])


@pytest.mark.usefixtures("quick")
def test_global_generators_are_left_as_they_are():
    before, torch_before = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002

    flow = fit_flow(moons(100), 0)
    flow.random_state = 0
    flow.sample(5)

    assert torch.equal(torch.get_rng_state(), torch_before)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


@pytest.mark.usefixtures("quick")
def test_codes_are_left_as_they_are():
    Z = moons(100)

    fit_flow(Z, 0).score_samples(Z)

    np.testing.assert_array_equal(Z, moons(100))


def test_pickled_flow_gives_the_same(flow):
    stored = pickle.loads(pickle.dumps(flow))

    np.testing.assert_array_equal(stored.score_samples(moons()), flow.score_samples(moons()))


# ---------------------------------------------------------------- in an estimator


def estimator(n_components, **params):
    return VariationalAutoencoder(
        n_components, prior="flow", max_epochs=2, random_state=0, **params
    )


def test_codes_of_one_component_get_a_density():
    X = np.random.default_rng(0).normal(size=(200, 5))
    grid = np.linspace(-12, 12, 2001)[:, None]

    prior = estimator(1).fit(X).prior_

    total = np.exp(prior.score_samples(grid)).sum() * (grid[1] - grid[0]).item()
    assert total == pytest.approx(1, abs=1e-3)


def test_each_class_gets_a_flow():
    rng = np.random.default_rng(0)
    y = np.repeat(["a", "b"], 100)
    X = rng.normal(size=(200, 5)) + 6 * (y == "b")[:, None]

    model = estimator(2, conditional=True).fit(X, y)

    assert model.sample(50, y="a").mean() < 1 < 5 < model.sample(50, y="b").mean()
