import numpy as np
import pytest
import torch
from scipy.special import expit, xlogy
from torch import nn

from skae.losses import (
    LOSSES,
    AbsoluteError,
    BernoulliLoss,
    ColumnLosses,
    ElementwiseCriterion,
    HuberLoss,
    Observed,
    PoissonLoss,
    SquaredError,
)

ALL = [
    SquaredError(),
    SquaredError(bounds=(0.0, 1.0)),
    Observed(),
    AbsoluteError(),
    HuberLoss(),
    HuberLoss(delta=0.3),
    BernoulliLoss(),
    PoissonLoss(),
    ElementwiseCriterion(nn.SmoothL1Loss()),
    ColumnLosses([("bernoulli", [2, 0]), (HuberLoss(0.3), [1, 3])]),
]


@pytest.fixture
def output():
    return 2 * torch.randn(7, 4, generator=torch.Generator().manual_seed(0), dtype=torch.double)


@pytest.fixture
def target():
    return torch.rand(7, 4, generator=torch.Generator().manual_seed(1), dtype=torch.double)


def bernoulli(o, t):
    entropy = -xlogy(t, t) - xlogy(1 - t, 1 - t)
    return -t * np.log(expit(o)) - (1 - t) * np.log(expit(-o)) - entropy


FORMULAS = {
    "squared_error": lambda o, t: (o - t) ** 2,
    "absolute_error": lambda o, t: np.abs(o - t),
    "huber": lambda o, t: np.where(np.abs(o - t) < 1, (o - t) ** 2 / 2, np.abs(o - t) - 0.5),
    "bernoulli": bernoulli,
    "poisson": lambda o, t: xlogy(t, t / np.exp(o)) - t + np.exp(o),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_formula(name, output, target):
    expected = FORMULAS[name](output.numpy(), target.numpy())

    errors = LOSSES[name]().elementwise(output, target).numpy()

    np.testing.assert_allclose(errors, expected, rtol=1e-9)


@pytest.mark.parametrize("loss", ALL, ids=str)
def test_loss_is_the_mean_error(loss, output, target):
    torch.testing.assert_close(loss(output, target), loss.elementwise(output, target).mean())


@pytest.mark.parametrize("loss", ALL, ids=str)
def test_gradient_by_hand_is_that_of_autograd(loss, output, target):
    output.requires_grad_()
    expected_loss = loss(output, target)
    (expected,) = torch.autograd.grad(expected_loss, output)

    value, gradient = loss.with_gradient(output.detach(), target)

    torch.testing.assert_close(gradient, expected)
    torch.testing.assert_close(value, expected_loss.detach())


@pytest.mark.parametrize("loss", [loss for loss in ALL if getattr(loss, "bounds", None) is None])
def test_gradient_is_that_of_the_function(loss, output, target):
    output.requires_grad_()

    assert torch.autograd.gradcheck(lambda o: loss(o, target), output)


@pytest.mark.parametrize(
    ("loss", "target"),
    [(BernoulliLoss(), [0.0, 1.0]), (PoissonLoss(), [0.0, 1e6]), (SquaredError(), [-1e6, 1e6])],
)
def test_link_is_finite(loss, target):
    assert loss.link(torch.tensor([target])).isfinite().all()


@pytest.mark.parametrize("name", ["bernoulli", "poisson"])
def test_errors_at_the_edge_of_the_domain_are_finite(name):
    errors = LOSSES[name]().elementwise(torch.tensor([[-50.0, 50.0]]), torch.tensor([[0.0, 1.0]]))

    assert errors.isfinite().all()


# ---------------------------------------------------------------- bounds


def test_bounds_clip_the_reconstruction():
    mean = SquaredError(bounds=(0.0, 1.0)).mean(torch.tensor([-3.0, 0.25, 3.0]))

    torch.testing.assert_close(mean, torch.tensor([0.0, 0.25, 1.0]))


def test_output_beyond_the_bound_on_which_its_target_lies_costs_nothing():
    loss = SquaredError(bounds=(0.0, 1.0))

    assert loss(torch.tensor([[-3.0, 7.0]]), torch.tensor([[0.0, 1.0]])) == 0


def test_gradient_passes_the_clip():
    output = torch.tensor([[3.0]], requires_grad=True)

    SquaredError(bounds=(0.0, 1.0))(output, torch.tensor([[0.25]])).backward()

    assert output.grad.item() == pytest.approx(2 * (1 - 0.25))


# ---------------------------------------------------------------- domains


@pytest.mark.parametrize("loss", [BernoulliLoss(), PoissonLoss()])
@pytest.mark.parametrize("values", [[0.0, 1.0], []])
def test_values_inside_the_domain(loss, values):
    loss.check_target(torch.tensor([values]))


@pytest.mark.parametrize(
    ("loss", "value"), [(BernoulliLoss(), -0.1), (BernoulliLoss(), 1.1), (PoissonLoss(), -0.1)]
)
def test_values_outside_the_domain(loss, value):
    with pytest.raises(ValueError, match=rf"but X reaches from .*{abs(value)}"):
        loss.check_target(torch.tensor([[0.5, value]]))


# ---------------------------------------------------------------- adapters


def test_criterion_is_told_to_give_one_error_per_cell(output, target):
    loss = ElementwiseCriterion(nn.SmoothL1Loss(beta=0.5))

    expected = nn.functional.smooth_l1_loss(output, target, reduction="none", beta=0.5)

    torch.testing.assert_close(loss.elementwise(output, target), expected)


def test_columns_keep_their_order(output, target):
    loss = ColumnLosses([("absolute_error", [3, 1]), ("bernoulli", [0, 2])])

    errors = loss.elementwise(output, target)

    absolute, bernoulli = AbsoluteError(), BernoulliLoss()
    for column, part in enumerate([bernoulli, absolute, bernoulli, absolute]):
        o, t = output[:, [column]], target[:, [column]]
        torch.testing.assert_close(errors[:, [column]], part.elementwise(o, t))
        torch.testing.assert_close(loss.mean(output)[:, [column]], part.mean(o))
        torch.testing.assert_close(loss.link(target)[:, [column]], part.link(t))


def test_columns_are_checked_by_their_own_loss():
    loss = ColumnLosses([("poisson", [1]), ("squared_error", [0])])

    loss.check_target(torch.tensor([[-1.0, 1.0]]))
    with pytest.raises(ValueError, match="poisson"):
        loss.check_target(torch.tensor([[1.0, -1.0]]))
