"""The evidence bound against integrals, and its variants."""

import math

import numpy as np
import pytest
import torch
from numpy.polynomial.hermite_e import hermegauss
from torch.distributions import Normal, kl_divergence

from skae.generation._objectives import EvidenceBound
from skae.losses import BernoulliLikelihood, GaussianLikelihood
from skae.training import Batch, Step


class Curve:
    """A module whose posterior has any parameters, and whose decoder is curved."""

    def __init__(self, mean, log_variance, weight):
        self.mean, self.log_variance, self.weight = mean, log_variance, weight

    def posterior(self, x):
        mean = x.mean(1, keepdim=True) * self.mean
        return mean, self.log_variance.expand_as(mean)

    def decode(self, z):
        return (2 * z).sin() @ self.weight


def seeded(seed):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def x():
    return torch.rand(6, 4, generator=seeded(1), dtype=torch.double)


@pytest.fixture
def criterion():
    return GaussianLikelihood(variance=0.25).double().eval()


def parameters(n_components):
    mean = torch.linspace(0.3, 1.2, n_components, dtype=torch.double)
    log_variance = torch.linspace(-1.0, -2.0, n_components, dtype=torch.double)
    weight = torch.randn(n_components, 4, generator=seeded(0), dtype=torch.double)
    return [p.requires_grad_() for p in (mean, log_variance, weight / math.sqrt(n_components))]


@pytest.fixture
def curve():
    return Curve(*parameters(1))


@pytest.fixture
def surface():
    return Curve(*parameters(3))


def losses(module, criterion, x, seed=0, epoch=None, **params):
    step = Step(module, criterion, Batch(x, x), seeded(seed), epoch)
    return EvidenceBound(**params).losses(step).rows


def mean_losses(module, criterion, x, n=20_000, **params):
    """Return the losses of rows, averaged over many draws, and the errors of these averages."""
    with torch.no_grad():
        drawn = losses(module, criterion, x.repeat(n, 1), **params).view(n, len(x))
    return drawn.mean(0), drawn.std(0) / math.sqrt(n)


def posterior(module, x):
    mean, log_variance = module.posterior(x)
    return Normal(mean, (log_variance / 2).exp())


def divergences(module, x):
    return kl_divergence(posterior(module, x), Normal(0, 1)).detach()


def reconstruction(module, criterion, x):
    """Return the expected logarithm of p(x | z), by quadrature over a code of one column."""
    nodes, weights = hermegauss(60)
    law = posterior(module, x)
    total = 0
    for node, weight in zip(nodes, weights / weights.sum(), strict=True):
        output = module.decode(law.mean + node * law.stddev)
        total = total + weight * criterion.log_prob(output, x).sum(1)
    return total.detach()


def log_likelihood(module, criterion, x):
    """Return the logarithm of p(x), by a sum over a fine grid of codes of one column."""
    z = torch.linspace(-9, 9, 4001, dtype=torch.double)[:, None]
    terms = criterion.log_prob(module.decode(z)[:, None], x).sum(-1) + Normal(0, 1).log_prob(z)
    return (terms.logsumexp(0) + math.log(18 / 4000)).detach()


# ---------------------------------------------------------------- the bound


@pytest.mark.parametrize("beta", [0.0, 1.0, 4.0])
def test_bound_by_quadrature(beta, curve, criterion, x):
    actual, error = mean_losses(curve, criterion, x, beta=beta)

    expected = beta * divergences(curve, x).sum(1) - reconstruction(curve, criterion, x)
    assert ((actual - expected).abs() < 4 * error).all()


def test_bound_of_binary_data(curve, x):
    criterion, x = BernoulliLikelihood(), x.round()

    actual, error = mean_losses(curve, criterion, x)

    expected = divergences(curve, x).sum(1) - reconstruction(curve, criterion, x)
    assert ((actual - expected).abs() < 4 * error).all()


@pytest.mark.parametrize("n_samples", [1, 3])
def test_gradient_is_that_of_the_function(n_samples, criterion, x):
    def loss(*values):
        return losses(Curve(*values), criterion, x, n_samples=n_samples)

    assert torch.autograd.gradcheck(loss, parameters(3))


def test_rows_do_not_depend_on_each_other(surface, criterion, x):
    other = x.clone()
    other[1:] += 1

    rows = [losses(surface, criterion, each, n_samples=2) for each in (x, other)]

    assert rows[0][0] == rows[1][0]
    assert (rows[0][1:] != rows[1][1:]).all()


# ---------------------------------------------------------------- importance samples


def test_more_samples_are_a_tighter_bound(curve, criterion, x):
    limit = -log_likelihood(curve, criterion, x)
    means = [mean_losses(curve, criterion, x, 4000, n_samples=n)[0] for n in (1, 3, 10, 100)]

    for looser, tighter in zip(means, [*means[1:], limit], strict=True):
        assert (looser.mean() > tighter.mean()).all()
    torch.testing.assert_close(means[-1], limit, atol=0.2, rtol=0)


def test_importance_weights_with_beta(curve, criterion, x):
    beta, n = 2.5, 5
    actual = losses(curve, criterion, x, beta=beta, n_samples=n)

    law = posterior(curve, x)
    noise = torch.empty(n, len(x), 1, dtype=torch.double).normal_(generator=seeded(0))
    z = law.mean + noise * law.stddev
    weights = criterion.log_prob(curve.decode(z), x.expand(n, -1, -1)).sum(-1)
    weights = weights + beta * (Normal(0, 1).log_prob(z) - law.log_prob(z)).sum(-1)
    torch.testing.assert_close(actual, -(weights.exp().mean(0).log()))


def test_importance_weights_do_not_underflow(curve, criterion, x):
    rows = losses(curve, criterion, 1e3 * x, n_samples=4)

    assert rows.isfinite().all()


# ---------------------------------------------------------------- warm-up


def test_weight_rises_to_beta(surface, criterion, x):
    def weight(epoch):
        without = losses(surface, criterion, x, epoch=epoch, beta=0.0)
        rows = losses(surface, criterion, x, epoch=epoch, beta=2.0, warm_up=4)
        return ((rows - without) / divergences(surface, x).sum(1)).mean().item()

    weights = [weight(epoch) for epoch in (1, 2, 3, 4, 5, 6)]

    np.testing.assert_allclose(weights, [0.4, 0.8, 1.2, 1.6, 2.0, 2.0])


@pytest.mark.parametrize("n_samples", [1, 3])
def test_validation_knows_no_warm_up(n_samples, surface, criterion, x):
    params = {"beta": 2.0, "n_samples": n_samples}

    torch.testing.assert_close(
        losses(surface, criterion, x, warm_up=4, **params),
        losses(surface, criterion, x, **params),
    )


# ---------------------------------------------------------------- free bits


def gradients(module, rows):
    return torch.autograd.grad(rows.mean(), [module.mean, module.log_variance])


def test_free_bits_have_no_gradient(surface, criterion, x):
    limit = divergences(surface, x).mean(0).max().item() + 0.1

    free = losses(surface, criterion, x, free_bits=limit)

    without = losses(surface, criterion, x, beta=0.0)
    torch.testing.assert_close(gradients(surface, free), gradients(surface, without))
    assert (free - without).mean().item() == pytest.approx(3 * limit)


def test_components_above_the_limit_cost_all_their_bits(surface, criterion, x):
    means = divergences(surface, x).mean(0)
    limit = means.sort().values[:2].mean().item()
    is_free = means < limit
    assert is_free.sum() == 1

    free = gradients(surface, losses(surface, criterion, x, free_bits=limit))

    full = gradients(surface, losses(surface, criterion, x))
    without = gradients(surface, losses(surface, criterion, x, beta=0.0))
    for actual, all_bits, no_bits in zip(free, full, without, strict=True):
        torch.testing.assert_close(actual, torch.where(is_free, no_bits, all_bits))


def test_free_bits_below_all_divergences_change_nothing(surface, criterion, x):
    limit = divergences(surface, x).mean(0).min().item() / 2

    torch.testing.assert_close(
        losses(surface, criterion, x, free_bits=limit), losses(surface, criterion, x)
    )


# ---------------------------------------------------------------- randomness


@pytest.mark.parametrize("likelihood", [GaussianLikelihood(1.0), BernoulliLikelihood()])
@pytest.mark.parametrize("n_samples", [1, 3])
def test_generator_is_the_only_source_of_randomness(n_samples, likelihood, surface, x):
    before = torch.get_rng_state()

    rows = [losses(surface, likelihood, x, seed, 1, n_samples=n_samples) for seed in (0, 0, 1)]

    assert torch.equal(rows[0], rows[1])
    assert not torch.equal(rows[0], rows[2])
    assert torch.equal(torch.get_rng_state(), before)


def test_training_draws_what_probabilities_stand_for(surface, x):
    criterion, generator = BernoulliLikelihood(), seeded(0)
    drawn = criterion.draw_target(x, generator)

    expected = EvidenceBound().losses(Step(surface, criterion, Batch(drawn, drawn), generator)).rows

    torch.testing.assert_close(losses(surface, criterion, x, epoch=1), expected)


def test_corrupted_input_is_not_replaced(surface, x):
    criterion, generator, corrupted = BernoulliLikelihood(), seeded(0), 0.5 * x
    objective = EvidenceBound()
    drawn = criterion.draw_target(x, generator)

    expected = objective.losses(Step(surface, criterion, Batch(corrupted, drawn), generator)).rows

    actual = objective.losses(Step(surface, criterion, Batch(corrupted, x), seeded(0), 1)).rows
    torch.testing.assert_close(actual, expected)


def test_validation_takes_probabilities_as_they_are(curve, x):
    criterion = BernoulliLikelihood()

    actual, error = mean_losses(curve, criterion, x)

    expected = divergences(curve, x).sum(1) - reconstruction(curve, criterion, x)
    assert ((actual - expected).abs() < 4 * error).all()
