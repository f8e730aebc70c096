import pytest
import torch

from skae._stored import stored_rows, with_values
from skae.losses import BernoulliLikelihood, MultinomialLikelihood, UnitGaussianLikelihood

LIKELIHOODS = [BernoulliLikelihood, MultinomialLikelihood, UnitGaussianLikelihood]


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


@pytest.fixture
def target(generator):
    cells = torch.rand(6, 9, generator=generator, dtype=torch.float64)
    dense = torch.where(cells < 0.6, 0.0, cells)
    dense[2] = 0
    return dense


@pytest.fixture
def output(generator):
    logits = torch.randn(6, 9, generator=generator, dtype=torch.float64)
    return logits.requires_grad_()


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_sparse_rows_are_as_likely_as_dense_ones(likelihood, target, output):
    weights = torch.arange(1.0, 7.0)  # of the rows, or gradients of several might cancel

    expected = likelihood().row_log_prob(output, target)
    (gradient,) = torch.autograd.grad((expected * weights).sum(), output)
    actual = likelihood().row_log_prob(output, target.to_sparse_csr())
    (of_sparse,) = torch.autograd.grad((actual * weights).sum(), output)

    filled = [0, 1, 3, 4, 5]  # a row without entries has no direction
    torch.testing.assert_close(actual[filled], expected[filled])
    torch.testing.assert_close(of_sparse[filled], gradient[filled])


def test_multinomial_likelihood_by_hand():
    output, target = torch.tensor([[0.0, 0.0, 0.0, 0.0]]), torch.tensor([[1.0, 0.0, 2.0, 0.0]])

    log_prob = MultinomialLikelihood().row_log_prob(output, target.to_sparse_csr())

    torch.testing.assert_close(log_prob, -3 * torch.tensor([4.0]).log())


def test_all_other_columns_drawn_once_give_the_likelihood_itself(target, output):
    csr = target.to_sparse_csr()
    stored = output[stored_rows(csr), csr.col_indices()]
    others = output.masked_fill(target > 0, -torch.inf)

    sampled = MultinomialLikelihood().sampled_log_prob(stored, others, csr, 9)

    torch.testing.assert_close(sampled, MultinomialLikelihood().row_log_prob(output, target))


def test_values_of_stored_cells_are_replaced(target):
    csr = target.to_sparse_csr()

    doubled = with_values(csr, 2 * csr.values())

    torch.testing.assert_close(doubled.to_dense(), 2 * target)
