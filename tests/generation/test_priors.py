"""Distributions that are fitted to codes: which is chosen, and what it says."""

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal
from sklearn.mixture import GaussianMixture

from skae.generation._priors import ClassPriors, NormalPrior, fit_mixture

CENTERS = np.array([[-6.0, 0], [6, 0], [0, 9], [0, -9]])


def normal_codes(n=1500, loc=0.0, scale=1.0):
    return np.random.default_rng(0).normal(loc, scale, (n, 2))


def clusters(n=1500):
    """Codes around four points, as float32, like those that networks give."""
    rng = np.random.default_rng(0)
    codes = CENTERS[rng.integers(4, size=n)] + 0.5 * rng.normal(size=(n, 2))
    return codes.astype(np.float32)


# ---------------------------------------------------------------- the standard normal


@pytest.mark.parametrize("k", [1, 3])
def test_density_of_the_standard_normal(k):
    Z = np.random.default_rng(0).normal(size=(20, k))

    expected = multivariate_normal(np.zeros(k)).logpdf(Z)

    np.testing.assert_allclose(NormalPrior(k).score_samples(Z), expected, rtol=1e-12)


def test_samples_of_the_standard_normal():
    codes, _ = NormalPrior(3, np.random.RandomState(0)).sample(20_000)

    np.testing.assert_allclose(codes.mean(axis=0), 0, atol=0.03)
    np.testing.assert_allclose(np.cov(codes.T), np.eye(3), atol=0.04)


def test_standard_normal_draws_without_a_random_state():
    assert NormalPrior(3).sample(5)[0].shape == (5, 3)


# ---------------------------------------------------------------- the choice


@pytest.mark.parametrize("seed", range(4))
def test_standard_normal_codes_get_hardly_more_than_their_distribution(seed):
    Z = normal_codes()

    prior = fit_mixture(Z, "auto", seed)

    assert isinstance(prior, NormalPrior) or prior.n_components <= 3
    np.testing.assert_allclose(
        prior.score_samples(Z).mean(), NormalPrior(2).score_samples(Z).mean(), rtol=0.01
    )


@pytest.mark.parametrize(("n", "k"), [(40, 16), (200, 16), (12, 3)])
def test_few_codes_are_not_learned_by_heart(n, k):
    rng = np.random.default_rng(0)
    prior = fit_mixture(rng.normal(size=(n, k)), "auto", 0)
    Z_test = rng.normal(size=(1000, k))

    score = prior.score_samples(Z_test).mean()

    assert score > NormalPrior(k).score_samples(Z_test).mean() - 1.5


@pytest.mark.parametrize(("loc", "scale"), [(3.0, 1.0), (0.0, 0.3), (-2.0, 4.0)])
def test_another_normal_distribution_gets_one_gaussian(loc, scale):
    Z = normal_codes(loc=loc, scale=scale)

    mixture = fit_mixture(Z, "auto", 0)

    assert mixture.n_components == 1
    np.testing.assert_allclose(mixture.means_[0], Z.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(mixture.covariances_[0], np.cov(Z.T), atol=0.05 * scale**2)


def test_clusters_get_several_gaussians():
    mixture = fit_mixture(clusters(), "auto", 0)

    assert mixture.n_components >= 4


def test_clusters_are_served_better_than_by_one_gaussian():
    Z, Z_test = clusters()[:1000], clusters()[1000:]

    several, one = fit_mixture(Z, "auto", 0), fit_mixture(Z, 1, 0)

    assert several.score(Z_test) > one.score(Z_test) + 1
    assert several.score(Z_test) > NormalPrior(2).score_samples(Z_test).mean() + 1


def test_means_of_clusters_are_found():
    mixture = fit_mixture(clusters(), 4, 0)

    distances = np.linalg.norm(mixture.means_[:, None] - CENTERS, axis=2)
    assert distances.min(axis=0).max() < 0.2


def test_what_is_rare_gets_a_gaussian():
    rng = np.random.default_rng(0)
    is_rare = rng.random(1500) < 0.02
    Z = rng.normal(size=(1500, 3)) + 3 * is_rare[:, None]
    Z[:, 1] *= 1 - 0.5 * is_rare

    mixture = fit_mixture(Z, "auto", 0, np.c_[is_rare, ~is_rare])

    far = np.linalg.norm(mixture.means_ - 3 * np.array([1, 0.5, 1]), axis=1)
    assert far.min() < 0.6
    assert mixture.weights_[far.argmin()] == pytest.approx(0.02, abs=0.01)


def test_traits_that_are_common_or_nearly_never_there_change_nothing():
    Z, rng = normal_codes(300), np.random.default_rng(0)
    traits = np.c_[rng.random(300) < 0.4, np.arange(300) < 3]

    mixture = fit_mixture(Z, "auto", 0, traits)

    np.testing.assert_array_equal(mixture.means_, fit_mixture(Z, "auto", 0).means_)


@pytest.mark.parametrize("n_components", [1, 3, 7])
def test_a_number_is_the_number_of_gaussians(n_components):
    assert fit_mixture(normal_codes(), n_components, 0).n_components == n_components


def test_no_more_gaussians_than_codes():
    assert fit_mixture(normal_codes(5), 20, 0).n_components <= 5


@pytest.mark.parametrize("n_components", ["auto", 1, 3])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_hardly_any_codes(n, n_components):
    prior = fit_mixture(normal_codes(n).astype(np.float32), n_components, 0)

    assert np.isfinite(prior.score_samples(normal_codes(10))).all()


@pytest.mark.parametrize("n_components", ["auto", 1, 3])
@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
def test_codes_that_are_all_the_same(n_components):
    Z = np.full((60, 3), 0.7, dtype=np.float32)

    prior = fit_mixture(Z, n_components, 0)

    assert np.isfinite(prior.score_samples(Z)).all()


@pytest.mark.parametrize("n_components", ["auto", 3])
def test_a_component_without_variance(n_components):
    Z = np.c_[normal_codes(300, 2.0), np.full(300, 0.5)].astype(np.float32)

    prior = fit_mixture(Z, n_components, 0)
    prior.random_state = 0

    np.testing.assert_allclose(prior.sample(200)[0][:, 2], 0.5, atol=0.3)


def test_seed_determines_the_mixture():
    first, second, other = (fit_mixture(clusters(), 8, seed) for seed in (1, 1, 2))

    np.testing.assert_array_equal(first.means_, second.means_)
    assert not np.array_equal(first.means_, other.means_)


@pytest.mark.parametrize("n_components", ["auto", 3])
def test_codes_are_left_as_they_are(n_components):
    Z = clusters(300)

    fit_mixture(Z, n_components, 0)

    np.testing.assert_array_equal(Z, clusters(300))


def test_global_generators_are_left_as_they_are():
    before, torch_before = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002

    fit_mixture(clusters(), "auto", 0)

    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), torch_before)


def test_samples_of_a_mixture_have_its_density():
    mixture = fit_mixture(clusters(), 4, 0)
    mixture.random_state = 0

    codes, _ = mixture.sample(4000)

    assert mixture.score(codes) == pytest.approx(mixture.score(clusters()), abs=0.05)


# ---------------------------------------------------------------- classes


@pytest.fixture
def priors():
    Z = normal_codes(300)
    parts = [GaussianMixture(1, random_state=0).fit(Z - 3), NormalPrior(2)]
    return ClassPriors(np.array(["a", "b"]), np.array([0.25, 0.75]), parts)


def test_a_column_of_densities_per_class(priors):
    Z = normal_codes(20)

    scores = priors.class_scores(Z)

    assert scores.shape == (20, 2)
    for column, prior in zip(scores.T, priors.priors, strict=True):
        np.testing.assert_array_equal(column, prior.score_samples(Z))


def test_density_of_all_classes_is_their_weighted_mean(priors):
    Z = normal_codes(20)

    expected = np.log(np.exp(priors.class_scores(Z)) @ [0.25, 0.75])

    np.testing.assert_allclose(priors.score_samples(Z), expected, rtol=1e-12)


def test_density_of_all_classes_integrates_to_one(priors):
    grid = np.linspace(-9, 7, 161)
    points = np.stack(np.meshgrid(grid, grid), -1).reshape(-1, 2)

    total = np.exp(priors.score_samples(points)).sum() * (grid[1] - grid[0]) ** 2

    assert total == pytest.approx(1, abs=1e-3)


def test_codes_far_from_every_class_have_a_finite_density(priors):
    assert np.isfinite(priors.score_samples(np.full((1, 2), 1e3))).all()
