"""Links and domains by themselves, and how losses of users say what their scale is."""

import math
import pickle

import pytest
import torch

from skae.losses import (
    BernoulliLoss,
    ColumnLosses,
    Counts,
    Domain,
    Identity,
    Interval,
    Likelihood,
    Link,
    Log,
    Logit,
    Observed,
    ReconstructionLoss,
)
from skae.losses._categorical import OneHot, Softmax
from skae.losses._discretized_logistic import Levels
from skae.losses._domains import OutsideDomainError


@pytest.mark.parametrize("link", [Identity(), Logit(1e-9), Log(0.0)], ids=repr)
def test_inverse_undoes_the_link(link):
    t = torch.linspace(0.01, 0.99, 9, dtype=torch.double)

    torch.testing.assert_close(link.inverse(link(t)), t)


@pytest.mark.parametrize(("link", "t"), [(Logit(), [0.0, 1.0]), (Log(), [0.0, 1e9])], ids=repr)
def test_links_are_finite_at_the_edges(link, t):
    assert link(torch.tensor(t)).isfinite().all()


def test_softmax_of_groups():
    mean = Softmax([2, 3]).inverse(torch.zeros(1, 5))

    torch.testing.assert_close(mean, torch.tensor([[1 / 2] * 2 + [1 / 3] * 3]))


@pytest.mark.parametrize(
    ("domain", "values"),
    [
        (Domain(), [-1e30, 1e30]),
        (Interval(0, 1), [0.0, 0.5, 1.0]),
        (Interval(0), [0.0, 1e30]),
        (Counts(), [0.0, 3.0]),
        (Levels(-1.0, 1.0, 5), [-1.0, 0.5, 1.0]),
        (OneHot(), [0.0, 1.0, 0.0]),
    ],
    ids=repr,
)
def test_values_inside(domain, values):
    domain.check(torch.tensor([values]), "loss='some'")
    domain.check(torch.tensor([[*values], [math.nan] * len(values)]), "loss='some'")
    domain.check(torch.empty(0, 3), "loss='some'")


@pytest.mark.parametrize(
    ("domain", "values", "found"),
    [
        (Interval(0, 1), [0.5, 1.25, math.nan], r"in \[0, 1\], but X reaches from 0\.5 to 1\.25"),
        (Interval(-2.0), [-3.0, 7.0], r"of at least -2\.0, but X reaches from -3 to 7"),
        (Counts(), [-1.0, 2.0], "that are counts, but X reaches from -1 to 2"),
        (Counts(), [math.nan, 2.5], r"that are counts, but X has 2\.5"),
        (Levels(0, 1, 3), [0.0, 0.25], "on 3 equidistant levels from 0 to 1"),
        (Levels(0, 1, 3), [0.0, 2.0], r"in \[0, 1\], but X reaches from 0 to 2"),
    ],
    ids=repr,
)
def test_values_outside(domain, values, found):
    with pytest.raises(ValueError, match=f"^loss='some' needs values {found}"):
        domain.check(torch.tensor([values]), "loss='some'")


@pytest.mark.parametrize(
    ("domain", "value", "advice"),
    [
        (Interval(0, 1), 3.0, r"to 3, first in column 1; MinMaxScaler\(\(0, 1\), clip=True\)"),
        (Interval(0), -3.0, "to 1, first in column 1; .* another loss"),
        (Counts(), 0.5, r"has 0\.5, first in column 1; .* another likelihood"),
        (Levels(0, 1, 3), 3.0, "to 3, first in column 1; set bounds and n_levels"),
    ],
    ids=repr,
)
def test_message_names_the_column_and_what_to_do(domain, value, advice):
    with pytest.raises(OutsideDomainError, match=advice) as raised:
        domain.check(torch.tensor([[1.0, 1.0], [1.0, value]]), "loss='some'")

    assert "first in column 'size'" in str(raised.value.named(["age", "size"]))
    assert str(pickle.loads(pickle.dumps(raised.value))) == str(raised.value)


def test_message_of_a_part_names_the_column_of_the_table():
    loss = ColumnLosses([("squared_error", [0, 2]), ("bernoulli", [3, 1])])

    with pytest.raises(OutsideDomainError, match="first in column 1;"):
        loss.check_target(torch.tensor([[9.0, 9.0, 9.0, 1.0]]))


def test_message_about_stored_values_names_no_column():
    with pytest.raises(OutsideDomainError, match=r"from 1 to 3; MinMaxScaler"):
        Interval(0, 1).check(torch.tensor([1.0, 3.0]), "loss='some'")


# ---------------------------------------------------------------- losses of users


class Doubled(Link):
    def __call__(self, target):
        return target / 2

    def inverse(self, output):
        return 2 * output


class LossOfData(ReconstructionLoss):
    link, domain = Doubled(), Interval(-3, 3)

    def elementwise(self, output, target):
        return (self.mean(output) - target).square()


class LossOfMethods(LossOfData):
    def link(self, target):
        return target / 2

    def mean(self, output):
        return 2 * output

    def check_target(self, X):
        if X.abs().max() > 3:
            raise ValueError("loss=LossOfMethods needs values within 3")


class LossOfOneMethod(ReconstructionLoss):
    def link(self, target):
        return target.clamp(-1, 1)


@pytest.mark.parametrize("loss", [LossOfData(), LossOfMethods()])
@pytest.mark.parametrize("within", [lambda x: x, Observed, lambda x: ColumnLosses([(x, [0, 1])])])
def test_link_mean_and_check_of_a_loss(loss, within):
    loss, t = within(loss), torch.tensor([[1.0, 3.0]])

    torch.testing.assert_close(loss.link(t), t / 2)
    torch.testing.assert_close(loss.mean(t), 2 * t)
    loss.check_target(t)
    with pytest.raises(ValueError, match=r"^loss=LossOf.* needs values"):
        loss.check_target(2 * t)


def test_a_link_without_a_way_back_leaves_the_mean():
    torch.testing.assert_close(LossOfOneMethod().mean(torch.tensor([7.0])), torch.tensor([7.0]))


def test_a_likelihood_has_the_mean_of_its_distribution():
    class LogNormal(Likelihood):
        def distribution(self, output):
            return torch.distributions.LogNormal(output, 1.0)

    mean = LogNormal().mean(torch.zeros(1, 2))

    torch.testing.assert_close(mean, torch.full((1, 2), math.exp(0.5)))


def test_a_subclass_goes_by_the_name_of_its_loss():
    class Weighted(BernoulliLoss):
        pass

    with pytest.raises(ValueError, match=r"^loss='bernoulli' needs"):
        Weighted().check_target(torch.tensor([[2.0]]))
