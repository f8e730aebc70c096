"""Missing cells cost nothing, whatever the loss."""

import copy

import pytest
import torch
from torch import nn

from skae.losses import (
    LIKELIHOODS,
    LOSSES,
    BernoulliLikelihood,
    ColumnLikelihoods,
    ColumnLosses,
    ElementwiseCriterion,
    GaussianLikelihood,
    HuberLoss,
    Observed,
    SquaredError,
)

COLUMNS = [("bernoulli", [2, 0]), (HuberLoss(0.3), [1, 3])]
LIKELY_COLUMNS = [(GaussianLikelihood("predicted"), [1, 3]), ("bernoulli", [2, 0])]
CASES = {
    **{name: kind() for name, kind in (LOSSES | LIKELIHOODS).items() if name != "categorical"},
    "bounds": SquaredError(bounds=(0.0, 1.0)),
    "criterion": ElementwiseCriterion(nn.SmoothL1Loss()),
    "columns": ColumnLosses(COLUMNS),
    "predicted": GaussianLikelihood("predicted"),
    "per_feature": GaussianLikelihood(per_feature=True),
    "likely_columns": ColumnLikelihoods(LIKELY_COLUMNS),
}


@pytest.fixture(params=CASES)
def loss(request):
    return copy.deepcopy(CASES[request.param]).double().eval()


@pytest.fixture
def output(loss):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(7, 4 * loss.n_parameters, generator=generator, dtype=torch.double)


@pytest.fixture
def target():
    random = torch.rand(7, 4, generator=torch.Generator().manual_seed(1), dtype=torch.double)
    return random.round()


@pytest.fixture
def with_holes(target):
    holes = target.clone()
    holes[0] = holes[2:5, 1] = torch.nan
    return holes


def test_missing_targets_cost_nothing_and_others_what_they_did(loss, output, target, with_holes):
    errors = Observed(loss).elementwise(output, with_holes)

    expected = loss.elementwise(output, target).masked_fill(with_holes.isnan(), 0)
    torch.testing.assert_close(errors, expected, rtol=0, atol=0)


def test_mean_is_over_the_observed_targets(loss, output, target, with_holes):
    expected = loss.elementwise(output, target)[~with_holes.isnan()].mean()

    torch.testing.assert_close(Observed(loss)(output, with_holes), expected)


def test_missing_targets_have_no_gradient(loss, output, target, with_holes):
    missing = with_holes.isnan()
    output.requires_grad_()
    expected = loss.elementwise(output, target).masked_fill(missing, 0).sum() / (~missing).sum()

    _, gradient = Observed(loss).with_gradient(output.detach(), with_holes)

    if getattr(loss, "bounds", None) is None:
        torch.testing.assert_close(gradient, torch.autograd.grad(expected, output)[0])
    assert (gradient[torch.cat([missing] * loss.n_parameters, 1)] == 0).all()
    assert gradient.isfinite().all()


@pytest.mark.parametrize("size", [1.0, 1e4])
def test_nothing_observed_costs_nothing(loss, output, target, size):
    loss, gradient = Observed(loss).with_gradient(size * output, torch.full_like(target, torch.nan))

    assert loss == 0
    assert (gradient == 0).all()


def test_complete_rows_are_as_before(loss, output, target):
    expected, expected_gradient = loss.with_gradient(output, target)

    value, gradient = Observed(loss).with_gradient(output, target)

    torch.testing.assert_close(value, expected)
    torch.testing.assert_close(gradient, expected_gradient)


def test_scales_are_those_of_the_loss(loss, output, target):
    observed = Observed(loss)

    torch.testing.assert_close(observed.mean(output), loss.mean(output))
    torch.testing.assert_close(observed.link(target), loss.link(target))
    assert observed.n_parameters == loss.n_parameters


def test_missing_cells_are_in_the_domain(loss, with_holes):
    Observed(loss).check_target(with_holes)


@pytest.mark.parametrize("loss", ["bernoulli", BernoulliLikelihood(), ColumnLosses(COLUMNS)])
def test_observed_cells_are_checked(loss, with_holes):
    with_holes[1, 2] = 7.0

    with pytest.raises(ValueError, match=r"='bernoulli' .* but X reaches from 0 to 7"):
        Observed(loss).check_target(with_holes)


def test_output_beyond_a_bound_is_drawn_back():
    target = torch.tensor([[0.25, torch.nan]])

    _, gradient = Observed(SquaredError((0.0, 1.0))).with_gradient(torch.full((1, 2), 3.0), target)

    torch.testing.assert_close(gradient, torch.tensor([[2 * (1 - 0.25), 0.0]]))


@pytest.mark.parametrize("per_feature", [False, True])
def test_optimal_variance_is_that_of_the_observed_cells(per_feature, target, with_holes):
    missing, output = with_holes.isnan(), torch.zeros(7, 4, dtype=torch.double)
    likelihood = GaussianLikelihood(per_feature=per_feature).double()
    target = torch.where(missing, torch.nan, target + 1)

    Observed(likelihood).elementwise(output, target)

    squares = target.square()
    expected = squares.nanmean(0) if per_feature else squares[~missing].mean()
    torch.testing.assert_close(likelihood.variance_, 0.95 + 0.05 * expected)


def test_missing_categories():
    rows = torch.eye(4, dtype=torch.double)
    rows[2] = torch.nan
    loss = Observed(LIKELIHOODS["categorical"]())

    loss.check_target(rows)
    value, gradient = loss.with_gradient(torch.zeros(4, 4, dtype=torch.double), rows)

    assert value.item() == pytest.approx(3 * torch.log(torch.tensor(4.0)).item() / 12)
    assert (gradient[2] == 0).all()
    assert (gradient[[0, 1, 3]] != 0).all()
