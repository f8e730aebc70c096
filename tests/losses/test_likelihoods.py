"""Each likelihood against its formula, its samples, and what it does in training."""

import math

import numpy as np
import pytest
import torch
from scipy import integrate, stats
from scipy.special import expit, log_softmax, softmax

from skae.losses import (
    LIKELIHOODS,
    BernoulliLikelihood,
    CategoricalLikelihood,
    ColumnLikelihoods,
    ContinuousBernoulliLikelihood,
    DiscretizedLogisticLikelihood,
    GaussianLikelihood,
    Interval,
    NegativeBinomialLikelihood,
    PoissonLikelihood,
)

D = 5  # columns of the data


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=seeded(seed), dtype=torch.double)


def uniform(*shape, seed=1):
    return torch.rand(*shape, generator=seeded(seed), dtype=torch.double)


def in_unit_interval():
    return uniform(7, D)


def binary():
    return uniform(7, D).round()


def counts():
    return (uniform(7, D) * 6).floor()


def categories():
    """Return a group of two columns, and one of three."""
    rng = np.random.default_rng(0)
    groups = [np.eye(size)[rng.integers(size, size=7)] for size in (2, 3)]
    return torch.from_numpy(np.hstack(groups))


def levels():
    return (uniform(7, D) * 16).floor() / 15


def halves(output):
    return np.split(output, 2, axis=-1)


def gaussian(output):
    return stats.norm(output, 0.5)


def heteroscedastic(output):
    mean, log_variance = halves(output)
    return stats.norm(mean, np.sqrt(np.exp(log_variance) + 1e-6))


def negative_binomial(output):
    mean, size = np.exp(halves(output))
    return stats.nbinom(size, size / (size + mean))


def continuous_bernoulli(output, target):
    p = expit(output)
    constant = 2 * np.arctanh(1 - 2 * p) / (1 - 2 * p)
    return np.log(constant) + target * np.log(p) + (1 - target) * np.log(1 - p)


def categorical(output, target):
    groups = [output[:, :2], output[:, 2:]]
    return target * np.hstack([log_softmax(group, axis=1) for group in groups])


def discretized_logistic(output, target):
    location, log_scale = halves(output)
    law = stats.logistic(location, np.exp(log_scale) + 1 / 15 / 50)
    above = np.where(target == 1, np.inf, target + 1 / 30)
    below = np.where(target == 0, -np.inf, target - 1 / 30)
    return np.log(law.cdf(above) - law.cdf(below))


# Name: likelihood, data, logarithm of probability or density.
CASES = {
    "gaussian": (
        GaussianLikelihood(variance=0.25),
        in_unit_interval,
        lambda o, t: gaussian(o).logpdf(t),
    ),
    "predicted": (
        GaussianLikelihood(variance="predicted"),
        in_unit_interval,
        lambda o, t: heteroscedastic(o).logpdf(t),
    ),
    "bernoulli": (
        BernoulliLikelihood(),
        binary,
        lambda o, t: stats.bernoulli(expit(o)).logpmf(t),
    ),
    "continuous_bernoulli": (
        ContinuousBernoulliLikelihood(),
        in_unit_interval,
        continuous_bernoulli,
    ),
    "poisson": (PoissonLikelihood(), counts, lambda o, t: stats.poisson(np.exp(o)).logpmf(t)),
    "negative_binomial": (
        NegativeBinomialLikelihood(),
        counts,
        lambda o, t: negative_binomial(o).logpmf(t),
    ),
    "categorical": (CategoricalLikelihood([2, 3]), categories, categorical),
    "discretized_logistic": (
        DiscretizedLogisticLikelihood(n_levels=16),
        levels,
        discretized_logistic,
    ),
}


@pytest.fixture(params=CASES)
def case(request):
    likelihood, data, formula = CASES[request.param]
    return likelihood.double().eval(), normal(7, likelihood.n_parameters * D), data(), formula


def test_log_prob_is_that_of_the_formula(case):
    likelihood, output, target, formula = case

    log_prob = likelihood.log_prob(output, target)

    expected = formula(output.numpy(), target.numpy())
    np.testing.assert_allclose(log_prob, expected, rtol=1e-9, atol=1e-7)


# ---------------------------------------------------------------- probabilities


@pytest.mark.parametrize("output", [-20.0, -2.0, -1e-3, 0.0, 3e-3, 0.7, 5.0, 20.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_continuous_bernoulli_has_mass_one(output, dtype):
    likelihood = ContinuousBernoulliLikelihood()
    t = torch.linspace(0, 1, 20001, dtype=torch.float64)
    output = torch.full_like(t, output, dtype=dtype)

    density = likelihood.log_prob(output, t.to(dtype)).double().exp()

    assert integrate.trapezoid(density, t) == pytest.approx(1, abs=2e-3)


@pytest.mark.parametrize("variance", [0.01, 4.0, "predicted"])
def test_gaussian_has_mass_one(variance):
    likelihood = GaussianLikelihood(variance=variance).eval()
    t = torch.linspace(-30, 30, 20001, dtype=torch.double)[:, None]
    output = torch.tensor([0.7, 0.4][: likelihood.n_parameters], dtype=torch.double)

    density = likelihood.log_prob(output.expand(len(t), -1), t).exp()

    assert integrate.trapezoid(density[:, 0], t[:, 0]) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("log_rate", [-5.0, 0.0, 3.0])
def test_poisson_has_mass_one(log_rate):
    log_prob = PoissonLikelihood().log_prob(torch.tensor([log_rate]), torch.arange(200.0)[:, None])

    assert log_prob.exp().sum().item() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("log_size", [-3.0, 0.0, 3.0, 8.0, 12.0, 15.0, 40.0])
def test_negative_binomial_has_mass_one(log_size):
    output = torch.tensor([[1.0, log_size]])

    log_prob = NegativeBinomialLikelihood().log_prob(output, torch.arange(5000.0)[:, None])

    assert log_prob.exp().sum().item() == pytest.approx(1, abs=1e-2)


def test_negative_binomial_of_great_size_is_nearly_poisson():
    t = torch.arange(10.0)[:, None]

    log_prob = NegativeBinomialLikelihood().log_prob(torch.tensor([[1.0, 40.0]]), t)

    expected = PoissonLikelihood().log_prob(torch.tensor([[1.0]]), t)
    torch.testing.assert_close(log_prob, expected, atol=0.02, rtol=0)


@pytest.mark.parametrize("location", [-3.0, 0.0, 0.5, 0.731, 1.0, 40.0])
@pytest.mark.parametrize("log_scale", [-100.0, -7.0, -3.0, 0.0, 10.0, 100.0])
@pytest.mark.parametrize("n_levels", [2, 256])
def test_discretized_logistic_has_mass_one(location, log_scale, n_levels):
    likelihood = DiscretizedLogisticLikelihood(n_levels=n_levels)
    t = torch.linspace(0, 1, n_levels)[:, None]
    output = torch.tensor([[location, log_scale]])

    log_prob = likelihood.log_prob(output, t)

    assert log_prob.isfinite().all()
    assert log_prob.exp().sum().item() == pytest.approx(1, abs=3e-3)


def test_discretized_logistic_in_other_units():
    unit = DiscretizedLogisticLikelihood()
    bytes_ = DiscretizedLogisticLikelihood(bounds=(0.0, 255.0))
    t = torch.linspace(0, 1, 256, dtype=torch.double)[:, None]

    log_prob = bytes_.log_prob(
        torch.tensor([[0.3 * 255, math.log(0.02 * 255)]], dtype=torch.double), 255 * t
    )

    expected = unit.log_prob(torch.tensor([[0.3, math.log(0.02)]], dtype=torch.double), t)
    torch.testing.assert_close(log_prob, expected)


@pytest.mark.parametrize("output", [-200.0, 200.0])
@pytest.mark.parametrize("name", sorted(set(LIKELIHOODS) - {"gaussian", "poisson"}))
def test_float32_output_far_out_is_finite(name, output):
    likelihood = LIKELIHOODS[name]()
    output = torch.full((2, 2 * likelihood.n_parameters), output, requires_grad=True)

    log_prob = likelihood.log_prob(output, torch.eye(2))
    log_prob.sum().backward()

    assert log_prob.isfinite().all()
    assert output.grad.isfinite().all()


# ---------------------------------------------------------------- samples


def variance_of(likelihood, output):
    """Return the variance of every cell by a formula that the likelihood does not use."""
    o = output.numpy()
    if isinstance(likelihood, GaussianLikelihood):
        return gaussian(o).var() if likelihood.n_parameters == 1 else heteroscedastic(o).var()
    if isinstance(likelihood, PoissonLikelihood):
        return np.exp(o)
    if isinstance(likelihood, NegativeBinomialLikelihood):
        return negative_binomial(o).var()
    if isinstance(likelihood, ContinuousBernoulliLikelihood):
        p = expit(o)
        return p * (p - 1) / (1 - 2 * p) ** 2 + 1 / np.log(p / (1 - p)) ** 2
    if isinstance(likelihood, CategoricalLikelihood):
        p = np.concatenate([softmax(group, -1) for group in np.split(o, [2], -1)], -1)
        return p * (1 - p)
    return expit(o) * expit(-o)


@pytest.mark.parametrize("name", sorted(set(CASES) - {"discretized_logistic"}))
def test_samples_have_mean_and_variance(name):
    likelihood = CASES[name][0].eval()
    output = normal(likelihood.n_parameters * D, seed=3)
    n = 40_000

    sample = likelihood.sample(output.expand(n, -1))

    variance = variance_of(likelihood, output)
    error = (sample.mean(0) - likelihood.mean(output)).numpy() / np.sqrt(variance / n)
    assert np.abs(error).max() < 4
    np.testing.assert_allclose(sample.var(0), variance, rtol=0.1)


def test_samples_of_the_discretized_logistic():
    likelihood = DiscretizedLogisticLikelihood(bounds=(-1.0, 3.0), n_levels=101)
    output = torch.tensor([0.9, 1.3, -2.5, -3.0], dtype=torch.double)
    n = 40_000

    sample = likelihood.sample(output.expand(n, -1))

    scale = np.exp([-2.5, -3.0]) + 0.04 / 50
    variance = stats.logistic(0, scale).var() + 0.04**2 / 12
    np.testing.assert_allclose(sample.mean(0), likelihood.mean(output), atol=0.005)
    np.testing.assert_allclose(sample.var(0), variance, rtol=0.05)


@pytest.mark.parametrize("location", [-5.0, 8.0])
def test_samples_of_the_discretized_logistic_stay_in_the_bounds(location):
    likelihood = DiscretizedLogisticLikelihood(bounds=(-1.0, 3.0), n_levels=5)

    sample = likelihood.sample(torch.tensor([[location, 2.0]]).expand(1000, -1))

    assert set(sample.flatten().tolist()) == {-1.0, 0.0, 1.0, 2.0, 3.0}


def test_samples_have_one_category_in_each_group():
    sample = CategoricalLikelihood([2, 3]).sample(5 * normal(100, D))

    assert (sample[:, :2].sum(1) == 1).all()
    assert (sample[:, 2:].sum(1) == 1).all()


# ---------------------------------------------------------------- Gaussian variance


def test_training_minimises_the_logarithm_of_the_mean_square():
    output, target = normal(7, D).requires_grad_(), in_unit_interval()

    bound = -GaussianLikelihood().double().log_prob(output, target).sum(1).mean()

    expected = D / 2 * (output - target).square().mean().log()
    torch.testing.assert_close(
        torch.autograd.grad(bound, output)[0], torch.autograd.grad(expected, output)[0]
    )


def test_training_with_a_variance_for_each_feature():
    output, target = normal(7, D).requires_grad_(), in_unit_interval()

    likelihood = GaussianLikelihood(per_feature=True).double()
    bound = -likelihood.log_prob(output, target).sum(1).mean()

    expected = (output - target).square().mean(0).log().sum() / 2
    torch.testing.assert_close(
        torch.autograd.grad(bound, output)[0], torch.autograd.grad(expected, output)[0]
    )


@pytest.mark.parametrize("per_feature", [False, True])
def test_optimal_variance_has_the_largest_likelihood(per_feature):
    output, target = normal(50, D), 3 * normal(50, D, seed=5)
    likelihood = GaussianLikelihood(per_feature=per_feature).double().eval()
    likelihood.set_optimal_variance((output - target).square().mean(0))

    best = likelihood.log_prob(output, target).sum()

    variance = likelihood.variance_
    assert variance.shape == ((D,) if per_feature else ())
    for factor in (0.9, 1.1):
        likelihood.variance_ = factor * variance
        assert likelihood.log_prob(output, target).sum() < best


def test_training_leads_to_the_optimal_variance():
    output, target = normal(50, D), 3 * normal(50, D, seed=5)
    likelihood = GaussianLikelihood(per_feature=True).double()
    for _ in range(300):
        likelihood.log_prob(output, target)

    torch.testing.assert_close(
        likelihood.variance_, (output - target).square().mean(0), rtol=1e-4, atol=0
    )


def test_variance_follows_the_batches_slowly():
    output, target = normal(50, D).requires_grad_(), 3 * normal(50, D, seed=5)
    likelihood = GaussianLikelihood().double()

    likelihood.log_prob(output, target)

    expected = 0.95 + 0.05 * (output - target).square().mean().item()
    assert likelihood.variance_.item() == pytest.approx(expected)
    assert not likelihood.variance_.requires_grad


@pytest.mark.parametrize("variance", [0.3, "predicted"])
def test_other_variances_are_not_optimised(variance):
    likelihood = GaussianLikelihood(variance=variance)
    before = likelihood.variance_.clone()

    likelihood.log_prob(normal(7, likelihood.n_parameters * D), in_unit_interval())
    likelihood.set_optimal_variance(torch.full((D,), 7.0))

    assert torch.equal(likelihood.variance_, before)


def test_variance_stays_while_the_network_is_evaluated():
    likelihood = GaussianLikelihood().eval()

    likelihood.log_prob(normal(7, D), 100 * in_unit_interval())

    assert likelihood.variance_ == 1


@pytest.mark.parametrize("per_feature", [False, True])
def test_copied_data_have_a_finite_likelihood(per_feature):
    likelihood = GaussianLikelihood(per_feature=per_feature, least_variance=1e-4).double()
    output = in_unit_interval().requires_grad_()

    log_prob = likelihood.log_prob(output, in_unit_interval())
    log_prob.sum().backward()
    likelihood.set_optimal_variance(torch.zeros(D))

    expected = torch.full_like(output, stats.norm(0, 0.01).logpdf(0)).detach()
    torch.testing.assert_close(log_prob, expected)
    assert output.grad.isfinite().all()
    assert likelihood.variance_.min().item() == pytest.approx(1e-4)


def test_predicted_variance_is_bounded_on_both_sides():
    likelihood = GaussianLikelihood(variance="predicted")
    output = torch.tensor([[0.0, 0.0, -1e3, 1e3]])

    log_prob = likelihood.log_prob(output, torch.zeros(1, 2))

    expected = stats.norm(0, np.sqrt([1e-6 + np.exp(-15), np.exp(15)])).logpdf(0)
    np.testing.assert_allclose(log_prob[0], expected, rtol=1e-5)


def test_bounds_clip_the_mean():
    likelihood = GaussianLikelihood(variance=1.0, bounds=(0.0, 1.0))
    output = torch.tensor([[-3.0, 0.25, 7.0]])

    torch.testing.assert_close(likelihood.mean(output), torch.tensor([[0.0, 0.25, 1.0]]))
    expected = stats.norm(0, 1).logpdf([[0.0, 0.25, 1.0]])
    np.testing.assert_allclose(likelihood.log_prob(output, torch.zeros(1, 3)), expected)


def test_gradient_passes_the_clip():
    likelihood = GaussianLikelihood(variance=0.5, bounds=(0.0, 1.0))
    output = torch.tensor([[-3.0, 7.0]], requires_grad=True)

    likelihood.log_prob(output, torch.tensor([[0.25, 0.25]])).sum().backward()

    torch.testing.assert_close(output.grad, torch.tensor([[0.25, 0.25 - 1]]) / 0.5)


@pytest.mark.parametrize("variance", [0, -1.0, "optimum", None])
def test_wrong_variance(variance):
    with pytest.raises(ValueError, match=f"variance={variance!r} .* 'optimal', 'predicted' or"):
        GaussianLikelihood(variance=variance)


@pytest.mark.parametrize("variance", [2, np.float32(2), np.float64(2), np.int64(2)])
def test_variance_is_any_number(variance):
    assert GaussianLikelihood(variance=variance).variance_ == 2


@pytest.mark.parametrize("start", [D, 3, None])
def test_state_has_the_shape_of_the_data(start):
    """It can be loaded by a likelihood that has seen other data, or none."""
    likelihood = GaussianLikelihood(per_feature=True)
    likelihood.set_optimal_variance(torch.arange(1.0, D + 1))
    twin = GaussianLikelihood(per_feature=True)
    if start:
        twin.set_optimal_variance(torch.ones(start))

    twin.load_state_dict(likelihood.state_dict())

    assert torch.equal(twin.variance_, torch.arange(1.0, D + 1))


def test_state_without_a_variance():
    with pytest.raises(RuntimeError, match="variance_"):
        GaussianLikelihood().load_state_dict({})


# ---------------------------------------------------------------- binary data


def test_probabilities_stand_for_binary_data_in_training():
    target = torch.tensor([0.0, 0.2, 0.7, 1.0]).expand(20_000, -1)

    drawn = BernoulliLikelihood().draw_target(target, seeded(0))

    assert ((drawn == 0) | (drawn == 1)).all()
    torch.testing.assert_close(drawn.mean(0), target[0], atol=0.015, rtol=0)


def test_generator_is_the_only_source_of_drawn_data():
    likelihood, target = BernoulliLikelihood(), uniform(50, D)
    before = torch.get_rng_state()

    drawn = [likelihood.draw_target(target, seeded(seed)) for seed in (3, 3, 4)]

    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    assert torch.equal(torch.get_rng_state(), before)


def test_log_prob_of_probabilities_is_the_expected_one():
    likelihood, output, p = BernoulliLikelihood(), normal(7, D), uniform(7, D)
    ones = torch.ones_like(p)

    actual = likelihood.log_prob(output, p)

    expected = p * likelihood.log_prob(output, ones) + (1 - p) * likelihood.log_prob(output, 0 * p)
    torch.testing.assert_close(actual, expected)


@pytest.mark.parametrize("name", sorted(set(CASES) - {"bernoulli"}))
def test_other_data_stand_for_themselves(name):
    likelihood, data, _ = CASES[name]
    target = data()

    assert likelihood.draw_target(target, seeded(0)) is target


# ---------------------------------------------------------------- domains


@pytest.mark.parametrize(
    "name", [name for name, kind in LIKELIHOODS.items() if isinstance(kind().domain, Interval)]
)
def test_values_below_the_domain(name):
    with pytest.raises(ValueError, match=rf"likelihood='{name}' .* X reaches from -0\.5 to 1"):
        LIKELIHOODS[name]().check_target(torch.tensor([[1.0, -0.5]]))


@pytest.mark.parametrize("name", ["bernoulli", "continuous_bernoulli", "discretized_logistic"])
def test_values_above_the_domain(name):
    with pytest.raises(ValueError, match=rf"likelihood='{name}' .* \[0.*, 1.*\], .* from 0 to 255"):
        LIKELIHOODS[name]().check_target(torch.tensor([[0.0, 255.0]]))


@pytest.mark.parametrize("name", ["poisson", "negative_binomial"])
def test_counts_are_whole(name):
    with pytest.raises(ValueError, match=rf"likelihood='{name}' .* counts, but X has 0\.25"):
        LIKELIHOODS[name]().check_target(torch.tensor([[3.0, 0.25]]))


@pytest.mark.parametrize(
    "rows", [[[1.0, 1.0, 0.0]], [[0.0, 0.0, 0.0]], [[0.5, 0.5, 0.0]], [[2.0, -1.0, 0.0]]]
)
def test_groups_have_a_single_one(rows):
    with pytest.raises(ValueError, match=r"likelihood='categorical' needs .* a single one"):
        CategoricalLikelihood().check_target(torch.tensor(rows))


def test_groups_are_checked_on_their_own():
    row = torch.tensor([[1.0, 0.0, 1.0, 0.0, 0.0]])

    CategoricalLikelihood([2, 3]).check_target(row)
    with pytest.raises(ValueError, match="a single one"):
        CategoricalLikelihood([3, 2]).check_target(row)


@pytest.mark.parametrize("n_levels", [2, 16, 256])
@pytest.mark.parametrize("bounds", [(0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)])
def test_levels_are_in_the_domain(bounds, n_levels):
    likelihood = DiscretizedLogisticLikelihood(bounds, n_levels)

    likelihood.check_target(torch.linspace(*bounds, n_levels)[:, None])


def test_values_between_the_levels():
    with pytest.raises(
        ValueError, match=r"needs values on 256 equidistant levels from 0 to 1; set"
    ):
        DiscretizedLogisticLikelihood().check_target(torch.tensor([[0.0, 0.5, 1.0]]))


@pytest.mark.parametrize("params", [{"bounds": (1.0, 0.0)}, {"n_levels": 1}])
def test_wrong_levels(params):
    ((name, value),) = params.items()
    with pytest.raises(ValueError) as error:  # noqa: PT011
        DiscretizedLogisticLikelihood(**params)

    assert f"{name}={value!r}" in str(error.value)


# ---------------------------------------------------------------- mixed columns

# Columns of eight: two parameters for three of them, which are neither first nor last.
PLACES = [
    (GaussianLikelihood(variance="predicted"), [5, 1]),
    (BernoulliLikelihood(), [7, 0]),
    (CategoricalLikelihood([2]), [3, 2]),
    (NegativeBinomialLikelihood(), [4]),
    (PoissonLikelihood(), [6]),
]


@pytest.fixture
def mixed():
    return ColumnLikelihoods(PLACES).eval()


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    table = rng.poisson(2, size=(7, 8)).astype(float)
    table[:, [0, 7]] = rng.integers(2, size=(7, 2))
    table[:, [3, 2]] = np.eye(2)[rng.integers(2, size=7)]
    table[:, [5, 1]] = rng.normal(size=(7, 2))
    return torch.from_numpy(table)


def own(likelihood, output, index):
    """Return the parameters of some columns."""
    parameters = output.chunk(2, -1)[: likelihood.n_parameters]
    return torch.cat([parameter[..., index] for parameter in parameters], -1)


def test_columns_have_their_own_likelihood(mixed, table):
    output = normal(7, 16)

    log_prob, mean, link = mixed.log_prob(output, table), mixed.mean(output), mixed.link(table)

    for likelihood, index in PLACES:
        o, t = own(likelihood, output, index), table[:, index]
        torch.testing.assert_close(log_prob[:, index], likelihood.log_prob(o, t))
        torch.testing.assert_close(mean[:, index], likelihood.mean(o))
        torch.testing.assert_close(link[:, index], likelihood.link(t))


def test_columns_with_one_parameter_each():
    output, target = normal(7, 4), binary()[:, :4]
    likelihood = ColumnLikelihoods([("bernoulli", [2, 0]), (GaussianLikelihood(2.0), [1, 3])])

    log_prob = likelihood.log_prob(output, target)

    assert likelihood.n_parameters == 1
    for part, index in [(BernoulliLikelihood(), [0, 2]), (GaussianLikelihood(2.0), [1, 3])]:
        expected = part.log_prob(output[:, index], target[:, index])
        torch.testing.assert_close(log_prob[:, index], expected)


def test_mixed_samples_have_the_means_of_their_columns(mixed):
    output = normal(16)

    sample = mixed.sample(output.expand(40_000, -1))

    error = (sample.mean(0) - mixed.mean(output)) / (sample.std(0) / 200)
    assert error.abs().max() < 4


def test_mixed_samples_are_in_the_domain(mixed):
    mixed.check_target(mixed.sample(normal(100, 16)))


def test_mixed_columns_keep_leading_dimensions(mixed, table):
    output = normal(3, 7, 16)

    log_prob = mixed.log_prob(output, table.expand(3, -1, -1))

    torch.testing.assert_close(log_prob[1], mixed.log_prob(output[1], table))
    assert mixed.sample(output).shape == (3, 7, 8)


def test_mixed_columns_are_checked_by_their_own_likelihood(mixed, table):
    mixed.check_target(table)
    table[0, 6] = 0.5

    with pytest.raises(ValueError, match=r"poisson.* but X has 0\.5"):
        mixed.check_target(table)


def test_only_bernoulli_columns_are_drawn(mixed):
    target = uniform(7, 8)

    drawn = mixed.draw_target(target, seeded(0))

    kept = [1, 2, 3, 4, 5, 6]
    assert torch.equal(drawn[:, kept], target[:, kept])
    assert set(drawn[:, [0, 7]].flatten().tolist()) == {0.0, 1.0}


def test_mixed_variances_are_those_of_their_columns():
    parts = [
        (GaussianLikelihood(per_feature=True), [4, 0]),
        ("bernoulli", [2]),
        (GaussianLikelihood(), [1, 3]),
    ]
    likelihood = ColumnLikelihoods(parts)

    likelihood.set_optimal_variance(torch.tensor([10.0, 11.0, 12.0, 13.0, 14.0]))

    assert likelihood.parts[0].variance_.tolist() == [14.0, 10.0]
    assert likelihood.parts[2].variance_.item() == 12.0


def test_state_of_mixed_columns():
    parts = [[(GaussianLikelihood(per_feature=True), [2, 0]), ("bernoulli", [1])] for _ in "ab"]
    likelihood, twin = map(ColumnLikelihoods, parts)
    likelihood.set_optimal_variance(torch.tensor([4.0, 5.0, 6.0]))

    twin.load_state_dict(likelihood.state_dict())

    assert twin.parts[0].variance_.tolist() == [6.0, 4.0]
