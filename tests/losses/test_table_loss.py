"""Losses of tables: categories that count like numbers, and cells that are missing."""

import numpy as np
import pytest
import torch

from skae.losses import CategoricalLoss, PoissonLoss, SquaredError, TableLoss

OWNERS = [0, 1, 2, 2, 2]  # two numbers, and three categories


def make_loss(**params):
    parts = [(SquaredError(), [0, 1]), (CategoricalLoss([3], **params), [2, 3, 4])]
    return TableLoss(parts, OWNERS)


@pytest.mark.parametrize("shares", [[0.5, 0.3, 0.2], [0.9, 0.1, 0.0]])
def test_who_knows_only_the_shares_has_an_error_of_one(shares):
    p = np.array(shares)
    entropy = -sum(share * np.log(share) for share in shares if share)
    output = torch.tensor(np.log(p.clip(1e-30))).expand(3, 3)

    errors = CategoricalLoss(units=[entropy]).elementwise(output, torch.eye(3).double())

    assert float(torch.tensor(p) @ errors.sum(1)) == pytest.approx(1)


def test_errors_stand_in_the_column_of_the_category_that_is_there():
    errors = CategoricalLoss([2, 3]).elementwise(
        torch.zeros(1, 5), torch.tensor([[0.0, 1, 1, 0, 0]])
    )

    torch.testing.assert_close(errors, torch.tensor([[0, np.log(2), np.log(3), 0, 0]]).float())


def test_the_mean_over_cells_is_that_over_columns():
    target = torch.tensor([[1.0, 2, 0, 1, 0]])

    errors = make_loss().elementwise(torch.zeros(1, 5), target)

    assert float(errors.mean()) == pytest.approx((1 + 4 + np.log(3)) / 3)


@pytest.mark.parametrize(
    ("missing", "mean"), [([0], (4 + np.log(3)) / 2), ([2, 3, 4], 5 / 2), ([0, 1, 2, 3, 4], 0)]
)
def test_missing_cells_cost_nothing_and_do_not_count(missing, mean):
    target = torch.tensor([[1.0, 2, 0, 1, 0]])
    target[:, missing] = torch.nan
    output = torch.zeros(1, 5, requires_grad=True)
    loss = make_loss()

    loss(output, target).backward()

    assert loss.elementwise(output, target).mean().item() == pytest.approx(mean)
    assert (output.grad[:, missing] == 0).all()
    assert output.grad.isfinite().all()


def test_starts_are_finite_where_cells_are_missing():
    target = torch.full((2, 5), torch.nan)

    assert make_loss().link(target).isfinite().all()


def test_columns_outside_of_a_domain_are_named_by_their_owner():
    loss = TableLoss([(CategoricalLoss([2]), [0, 1]), (PoissonLoss(), [2])], [7, 7, 4])

    with pytest.raises(ValueError, match="first in column 4"):
        loss.check_target(torch.tensor([[1.0, 0, -1]]))
