"""The chain of columns: a density that adds up to one, and draws that follow it."""

import numpy as np
import pytest
import torch

from skae.networks import ColumnChain

# Two numbers, the first of which may be missing and the second of which has frequent values; two
# values; the flag; a group of three. One column of context.
STARTS, STOPS, MIDDLES = np.array(
    [[[2e3, 2e3], [-1e3, 0.5]], [[2e3, 2e3], [-0.5, 1.0]], [[2e3, 2e3], [-1.0, 0.7]]]
)
SPIKES = np.array([[-1], [1]])  # the second frequent value
ORDER = [1, 3, 0, 2]
COLUMNS = {0: [0, 3], 1: [1], 2: [2], 3: [4, 5, 6]}  # after the context


@pytest.fixture(params=[SPIKES, None], ids=["spikes", "of older versions"])
def chain(request):
    torch.manual_seed(0)
    columns = [3, -1], [(2, 1), (4, 3)], ORDER, STARTS, STOPS, MIDDLES, request.param
    chain = ColumnChain(1, *columns, width=16)
    x = rows(200)
    chain.initialize(x, x)
    for parameter in chain.parameters():  # an untrained one knows of no columns before
        parameter.data += 0.3 * torch.randn_like(parameter)
    return chain.double().eval()


def rows(n):
    rng = np.random.default_rng(0)
    missing = rng.random(n) < 0.3
    x = np.column_stack(
        [
            rng.integers(0, 2, n),
            np.where(missing, 0, rng.normal(size=n)),
            rng.choice([-1.0, 0.7, 0.1, 2.0], n),
            rng.integers(0, 2, n),
            missing,
            np.eye(3)[rng.integers(0, 3, n)],
        ]
    )
    return torch.from_numpy(x)


@pytest.mark.parametrize("rank", range(4))
def test_no_column_sees_itself_or_what_follows(chain, rank):
    x = rows(50)
    other = x.clone()
    for variable in ORDER[rank:]:
        for column in COLUMNS[variable]:
            other[:, 1 + column] = x[:, 1 + column].flip(0)

    before, after = (chain.decode(chain.encode(each)) for each in (x, other))

    for variable in ORDER[: rank + 1]:
        columns = [1 + column for column in COLUMNS[variable]]
        torch.testing.assert_close(before[:, columns], after[:, columns])
    if rank:  # what follows depends on the context, and on columns before
        assert not torch.allclose(chain(x)[:, 1:], chain(x.flip(0))[:, 1:])


def test_the_density_adds_up_to_one():
    torch.manual_seed(0)
    intervals = STARTS[1:], STOPS[1:], MIDDLES[1:], SPIKES[1:]
    chain = ColumnChain(0, [1], [(2, 3)], [1, 0], *intervals, width=16).double().eval()
    numbers = torch.cat([torch.arange(-60, 60, 0.01).double() + 0.005, torch.tensor([-1.0, 0.7])])
    free = (numbers[:-2] > -0.5) & (numbers[:-2] < 0.5) | (numbers[:-2] > 1.0)
    sizes = torch.cat([0.01 * free.double(), torch.ones(2).double()])
    x = torch.zeros(len(numbers), 5).double()
    x[:, 0] = numbers
    chain.initialize(x, x)
    for parameter in chain.parameters():
        parameter.data += 0.3 * torch.randn_like(parameter)
    total = 0.0
    for group in range(3):
        x[:, 2:] = torch.eye(3)[group]
        missing = x[:1].clone()
        missing[:, :2] = torch.tensor([0.0, 1.0])
        total += (sizes @ chain.log_prob(x).exp() + chain.log_prob(missing).exp()).item()

    assert total == pytest.approx(1, abs=1e-3)


def test_draws_under_limits_have_the_weights_that_say_how_probable_they_are(chain):
    context = torch.ones(20_000, 1).double()
    limits = {
        1: (np.array([0.5]), np.array([1.0]), False),
        4: np.array([True, False, True]),
        0: (np.array([-np.inf]), np.array([0.3]), True),
    }
    generator = torch.Generator().manual_seed(0)

    free, log_probs = chain.draw(context, generator)
    limited, log_weights = chain.draw(context, generator, limits)

    assert log_probs.abs().max() < 1e-12
    met = (free[:, 1] >= 0.5) & (free[:, 1] <= 1.0) & (free[:, 5] == 0)
    met &= (free[:, 3] == 1) | (free[:, 0] <= 0.3)
    weights = log_weights.exp()
    assert met.double().mean().item() == pytest.approx(weights.mean().item(), abs=0.01)
    assert ((limited[:, 1] >= 0.5) & (limited[:, 1] <= 1.0) & (limited[:, 5] == 0)).all()
    expected = free[met].mean(0)
    found = (weights @ limited) / weights.sum()
    torch.testing.assert_close(found, expected, rtol=0, atol=0.05)


def test_columns_learn_the_shares_that_are_asked_for(chain):
    context, generator = torch.ones(5000, 1).double(), torch.Generator().manual_seed(0)
    shares = torch.tensor([0, 0, 0.3, 0.2, 0.5, 0.1, 0.4]).double()
    before, _ = chain.draw(context, generator)

    chain.draw(context, generator, shares=shares)

    after, _ = chain.draw(context, generator)
    assert (before.mean(0) - shares)[2:].abs().max() > 0.05
    torch.testing.assert_close(after.mean(0)[2:], shares[2:], rtol=0, atol=0.01)
