"""What holds for every loss and likelihood of the tables: a new entry is tested as it comes in."""

import copy
from functools import partial, singledispatch

import numpy as np
import pytest
import torch

from skae.losses import (
    LIKELIHOODS,
    LOSSES,
    CategoricalLikelihood,
    Counts,
    DiscretizedLogisticLikelihood,
    Domain,
    GaussianLikelihood,
    HuberLoss,
    Interval,
)
from skae.losses._categorical import OneHot
from skae.losses._discretized_logistic import Levels

D = 4  # columns of the data


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def normal(*shape, seed=0, scale=1.0):
    return scale * torch.randn(*shape, generator=seeded(seed), dtype=torch.double)


@singledispatch
def draw(domain, *shape):
    """Return data of a domain; a new class of domains needs a line here."""
    raise TypeError(f"no data are known of {type(domain).__name__}")


@draw.register
def _(domain: Domain, *shape):
    assert type(domain) is Domain, f"draw() knows no data of {type(domain).__name__}"
    return normal(*shape, seed=1)


@draw.register
def _(domain: Interval, *shape):
    low, high = np.clip([domain.low, domain.high], -5, 5)
    return low + (high - low) * torch.rand(*shape, generator=seeded(1), dtype=torch.double)


@draw.register
def _(domain: Counts, *shape):
    return torch.randint(6, shape, generator=seeded(1)).double()


@draw.register
def _(domain: Levels, *shape):
    return domain.rounded(draw(Interval(domain.low, domain.high), *shape))


@draw.register
def _(domain: OneHot, *shape):
    groups = []
    for i, size in enumerate(domain.sizes or [shape[-1]]):
        chosen = torch.randint(size, shape[:-1], generator=seeded(i))
        groups.append(torch.eye(size, dtype=torch.double)[chosen])
    return torch.cat(groups, -1)


def by_name(table, **variants):
    return [pytest.param(kind, id=name) for name, kind in {**table, **variants}.items()]


OF_LOSSES = by_name(LOSSES, small_delta=partial(HuberLoss, 0.3))
OF_LIKELIHOODS = by_name(
    LIKELIHOODS,
    small_variance=partial(GaussianLikelihood, 0.25),
    predicted=partial(GaussianLikelihood, "predicted"),
    groups=partial(CategoricalLikelihood, [2, 2]),
    few_levels=partial(DiscretizedLogisticLikelihood, (-1.0, 3.0), 16),
)


@pytest.fixture(params=OF_LOSSES + OF_LIKELIHOODS)
def loss(request):
    return request.param().double().eval()


@pytest.fixture
def output(loss):
    return normal(7, loss.n_parameters * D)


@pytest.fixture
def target(loss):
    return draw(loss.domain, 7, D)


def test_every_cell_has_an_error(loss, output, target):
    errors = loss.elementwise(output, target)

    assert errors.shape == target.shape
    assert errors.isfinite().all()
    torch.testing.assert_close(loss(output, target), errors.mean())


def test_gradient_is_that_of_the_function(loss, output, target):
    output.requires_grad_()

    assert torch.autograd.gradcheck(lambda o: loss(o, target), output)


def test_gradient_by_hand_is_that_of_autograd(loss, output, target):
    value, gradient = loss.with_gradient(output, target)

    output.requires_grad_()
    expected = loss(output, target)
    torch.testing.assert_close(value, expected.detach())
    torch.testing.assert_close(gradient, torch.autograd.grad(expected, output)[0])


def test_cells_are_independent_of_other_rows(loss, output, target):
    alone = [loss.elementwise(output[[i]], target[[i]]) for i in range(len(target))]

    torch.testing.assert_close(loss.elementwise(output, target), torch.cat(alone))


def test_link_of_the_domain_is_finite(loss, target):
    edges = [getattr(loss.domain, name, 0.0) for name in ("low", "high")]
    edges = torch.tensor(edges, dtype=torch.double)
    target = torch.cat([target.flatten(), edges[edges.isfinite()]])

    assert loss.link(target).isfinite().all()


def test_mean_of_the_link_rises_with_the_data(loss, target):
    """A decoder that starts from the link gives larger means for larger values."""
    more = torch.zeros_like(target).repeat(1, loss.n_parameters - 1)

    mean = loss.mean(torch.cat([loss.link(target), more], 1))

    assert mean.shape == target.shape
    for column, t in zip(mean.T, target.T, strict=True):
        assert (column[t.argsort()].diff() >= -1e-12).all()


def test_own_data_are_in_the_domain(loss, target):
    loss.check_target(target)
    loss.check_target(target[:0])


def test_missing_cells_are_in_the_domain(loss, target):
    target[2] = torch.nan

    loss.check_target(target)


def test_message_names_the_choice(loss):
    parameter = "likelihood" if type(loss) in LIKELIHOODS.values() else "loss"
    wild = torch.full((1, D), -1e6)

    if type(loss.domain) is Domain:
        loss.check_target(wild)
    else:
        with pytest.raises(ValueError, match=f"^{parameter}='{loss.name}' needs "):
            loss.check_target(wild)


def test_float32_stays_float32(loss, output, target):
    loss = copy.deepcopy(loss).float()
    output, target = output.float(), target.float()

    for result in (loss.elementwise(output, target), loss.mean(output), loss.link(target)):
        assert result.dtype == torch.float32


def test_outputs_that_are_large_in_float32(loss, target):
    """Nothing is NaN where a network errs widely, nor infinite without need."""
    loss = copy.deepcopy(loss).float()
    for size in (-50.0, 50.0):
        output = torch.full((len(target), loss.n_parameters * D), size, requires_grad=True)

        errors = loss.elementwise(output, target.float())
        errors.sum().backward()

        assert errors.isfinite().all()
        assert output.grad.isfinite().all()


# ---------------------------------------------------------------- losses


@pytest.mark.parametrize("kind", OF_LOSSES)
def test_errors_are_zero_at_the_mean_and_never_negative(kind):
    loss = kind()
    output = normal(1000, D)
    output = torch.cat([output, output.float().double()])

    for dtype in (torch.double, torch.float):
        errors = loss.elementwise(output.to(dtype), loss.mean(output.to(dtype)))
        torch.testing.assert_close(errors, torch.zeros_like(errors), atol=1e-5, rtol=0)
        assert (errors >= 0).all()


@pytest.mark.parametrize("kind", OF_LOSSES)
def test_other_data_cost_more_than_the_mean(kind):
    loss, output = kind(), normal(50, D)

    assert (loss.elementwise(output, draw(loss.domain, 50, D)) > 0).all()


# ---------------------------------------------------------------- likelihoods


@pytest.fixture(params=OF_LIKELIHOODS)
def likelihood(request):
    return request.param().double().eval()


def sampled(likelihood, n=40_000):
    """Return outputs for `n` rows, all alike, and a sample of data."""
    # Small outputs: the samples' errors are nearly normal, and hardly any touch a bound.
    output = normal(likelihood.n_parameters * D, seed=3, scale=0.3).expand(n, -1)
    torch.manual_seed(0)
    return output, likelihood.sample(output)


def standard_errors(values):
    """Return the means of columns in units of their standard errors."""
    return values.mean(0) / (values.std(0) / len(values) ** 0.5)


def test_error_is_minus_the_log_probability(likelihood):
    output, target = normal(7, likelihood.n_parameters * D), draw(likelihood.domain, 7, D)

    errors = likelihood.elementwise(output, target)

    torch.testing.assert_close(errors, -likelihood.log_prob(output, target))


def test_leading_dimensions_are_kept(likelihood):
    output, target = normal(2, 7, likelihood.n_parameters * D), draw(likelihood.domain, 7, D)

    log_prob = likelihood.log_prob(output, target.expand(2, -1, -1))

    for o, row in zip(output, log_prob, strict=True):
        torch.testing.assert_close(row, likelihood.log_prob(o, target))
    assert likelihood.mean(output).shape == likelihood.sample(output).shape == (2, 7, D)


def test_samples_are_in_the_domain(likelihood):
    likelihood.check_target(sampled(likelihood)[1])


def test_samples_have_the_log_probability(likelihood):
    """The mean gradient over samples is zero: true of a density of mass one and its own samples."""
    output, sample = sampled(likelihood)
    output = output.clone().requires_grad_()
    likelihood.log_prob(output, sample).sum().backward()

    assert standard_errors(output.grad).abs().max() < 4.5


def test_global_generator_determines_samples(likelihood):
    output = normal(50, likelihood.n_parameters * D)

    samples = [(torch.manual_seed(seed), likelihood.sample(output))[1] for seed in (3, 3, 4)]

    assert torch.equal(samples[0], samples[1])
    assert not torch.equal(samples[0], samples[2])


def test_drawn_targets_are_in_the_domain(likelihood):
    target = draw(likelihood.domain, 50, D)
    before = torch.get_rng_state()

    drawn = [likelihood.draw_target(target, seeded(0)) for _ in range(2)]

    likelihood.check_target(drawn[0])
    assert torch.equal(*drawn)
    assert torch.equal(torch.get_rng_state(), before)
