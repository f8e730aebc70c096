"""Numbers of which some are missing: what is missing costs nothing, that it is missing does."""

import numpy as np
import pytest
import torch

from skae.losses import (
    BernoulliLikelihood,
    ColumnLikelihoods,
    GaussianLikelihood,
    IncompleteLikelihood,
    PoissonLikelihood,
)

KINDS = {
    "gaussian": GaussianLikelihood,
    "predicted": lambda: GaussianLikelihood("predicted"),
    "poisson": PoissonLikelihood,
}
N, M = 40, 3


@pytest.fixture(params=KINDS)
def likelihood(request):
    return IncompleteLikelihood(KINDS[request.param]()).double().eval()


def holes():
    """Return which of some numbers are missing."""
    return (torch.rand(N, M, generator=torch.Generator().manual_seed(0)) < 0.3).double()


def data(fill=0.0):
    numbers = torch.arange(N * M, dtype=torch.double).reshape(N, M) % 5
    return torch.cat([torch.where(holes() == 1, fill, numbers), holes()], 1)


def outputs(likelihood):
    torch.manual_seed(1)
    return torch.randn(N, 2 * M * likelihood.n_parameters, dtype=torch.double)


def test_log_probability_is_that_of_both(likelihood):
    output, target = outputs(likelihood), data()

    logs = likelihood.log_prob(output, target)

    blocks = output.unflatten(1, (likelihood.n_parameters, 2, M))
    numbers = likelihood.likelihood.log_prob(blocks[:, :, 0].flatten(1), target[:, :M])
    expected = torch.where(holes() == 1, 0, numbers)
    torch.testing.assert_close(logs[:, :M], expected)
    missing = BernoulliLikelihood().log_prob(blocks[:, 0, 1], holes())
    torch.testing.assert_close(logs[:, M:], missing)


@pytest.mark.parametrize("fill", [-1e9, torch.nan, torch.inf])
def test_what_stands_where_a_number_is_missing_does_not_matter(likelihood, fill):
    output = outputs(likelihood).requires_grad_()
    expected = likelihood.log_prob(output, data())

    logs = likelihood.log_prob(output, data(fill))
    (gradient,) = torch.autograd.grad(logs.sum(), output)

    torch.testing.assert_close(logs, expected)
    assert gradient.isfinite().all()
    blocks = gradient.unflatten(1, (likelihood.n_parameters, 2, M))
    assert (blocks.transpose(0, 1)[:, :, 0][:, holes() == 1] == 0).all()


def test_leading_dimensions_are_kept(likelihood):
    output = torch.stack([outputs(likelihood)] * 2)

    logs = likelihood.log_prob(output, data().expand(2, -1, -1))

    torch.testing.assert_close(logs[0], likelihood.log_prob(output[0], data()))
    assert likelihood.mean(output).shape == likelihood.sample(output).shape == (2, N, 2 * M)


def test_samples_have_as_many_holes():
    output = torch.tensor([0.0, -2.0]).expand(20_000, -1)
    torch.manual_seed(0)

    share = IncompleteLikelihood().sample(output)[:, 1].mean()

    np.testing.assert_allclose(share, torch.tensor(-2.0).sigmoid(), atol=0.01)


@pytest.mark.parametrize("n_missing", [0, 5, 10])
def test_variance_is_that_of_what_is_there(n_missing):
    likelihood = IncompleteLikelihood(GaussianLikelihood(per_feature=True))
    target = torch.zeros(10, 2)
    target[:, 0] = 3.0
    target[:n_missing] = torch.tensor([-99.0, 1.0])

    for _ in range(300):
        likelihood.log_prob(torch.zeros(10, 2), target)

    expected = 9.0 if n_missing < 10 else 1.0  # where nothing is known it stays
    np.testing.assert_allclose(likelihood.likelihood.variance_, expected, rtol=1e-4)


def test_residuals_of_what_is_missing_are_missing(likelihood):
    output, target = outputs(likelihood), data(fill=7.0)

    residual = likelihood.residual(output, target)

    expected = target - likelihood.mean(output)
    expected[:, :M][holes() == 1] = torch.nan
    torch.testing.assert_close(residual, expected, equal_nan=True)


def test_targets_are_checked():
    likelihood = IncompleteLikelihood("poisson")

    likelihood.check_target(data(fill=-3.0))
    with pytest.raises(ValueError, match="'poisson' needs values that are counts"):
        likelihood.check_target(data() - 1)


def test_part_of_a_table():
    parts = [("bernoulli", [1]), (IncompleteLikelihood(), [0, 2])]
    likelihood, target = ColumnLikelihoods(parts), torch.tensor([[5.0, 1.0, 1.0]])
    output = torch.zeros(1, 3)

    logs = likelihood.eval().log_prob(output, target)

    np.testing.assert_allclose(logs, [[0, -np.log(2), -np.log(2)]], rtol=1e-6)
    assert likelihood.residual(output, target).isnan().tolist() == [[True, False, False]]
