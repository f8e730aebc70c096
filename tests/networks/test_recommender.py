import pytest
import torch

from skae.networks import (
    CompositeNetwork,
    RecommenderNetwork,
    SparseLinear,
    TiedRecommenderNetwork,
)
from skae.networks._sparse import unit_rows


@pytest.fixture
def x():
    cells = torch.rand(5, 7, generator=torch.Generator().manual_seed(0))
    dense = torch.where(cells < 0.5, 0.0, cells)
    dense[3] = 0
    return dense


def test_sparse_and_dense_rows_have_the_same_product(x):
    layer = SparseLinear(7, 3)

    torch.testing.assert_close(layer(x.to_sparse_csr()), layer(x))
    torch.testing.assert_close(layer(x), x @ layer.weight + layer.bias)


def test_rows_have_length_one_or_zero(x):
    units = unit_rows(x.to_sparse_csr()).to_dense()

    torch.testing.assert_close(units, unit_rows(x))
    torch.testing.assert_close(units.norm(dim=1), torch.tensor([1.0, 1, 1, 0, 1]))


@pytest.mark.parametrize("hidden", [(), (6, 5)])
def test_network_gives_the_same_for_sparse_and_dense_rows(hidden, x):
    network = RecommenderNetwork(7, 3, hidden)

    assert network.encode(x).shape == (5, 3)
    torch.testing.assert_close(network(x.to_sparse_csr()), network(x))


def test_some_scores_are_those_of_all(x):
    network = RecommenderNetwork(7, 3, (4,))
    z = network.encode(x)
    rows, columns, others = torch.tensor([0, 2, 2]), torch.tensor([6, 1, 0]), torch.tensor([3, 5])

    cells, items = network.decode_some(z, rows, columns, others)

    torch.testing.assert_close(cells, network.decode(z)[rows, columns])
    torch.testing.assert_close(items, network.decode(z)[:, others])


def test_tied_network_has_weight_one_for_each_item_itself(x):
    network = TiedRecommenderNetwork(7, 3)

    torch.testing.assert_close(network(torch.eye(7)).diagonal(), torch.ones(7))
    torch.testing.assert_close(network(x.to_sparse_csr()), network(x))


def test_composite_prior_is_renewed_with_each_round(x):
    network = CompositeNetwork(RecommenderNetwork(7, 3, activate_code=False), 7, 3)
    mean, log_variance = network.posterior(x)

    first = network.divergence(mean, (mean, log_variance), x, 1)
    with torch.no_grad():
        network.network.history.weight.mul_(3)
    posterior = network.posterior(x)
    same_round = network.divergence(posterior[0], posterior, x, 1)
    next_round = network.divergence(posterior[0], posterior, x, 2)

    # At its mean, a posterior that the prior knows has the density of the prior, or nearly.
    assert first.abs().max() < 1
    assert (next_round <= same_round).all()
    assert next_round.sum() < same_round.sum()
