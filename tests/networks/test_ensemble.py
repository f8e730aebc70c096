import pytest
import torch
from torch import nn

from skae.networks import DenseEnsemble


@pytest.fixture
def x():
    return torch.randn(7, 5, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = DenseEnsemble(5, 3, (6, 4))
        for bias in network.biases:
            nn.init.normal_(bias)
    return network


def member(network, k):
    """Return one of the autoencoders as a network of its own."""
    layers = []
    for weight, bias in zip(network.weights, network.biases, strict=True):
        layer = nn.Linear(*weight.shape[1:])
        layer.weight.data, layer.bias.data = weight.data[k].T, bias.data[k, 0]
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


@pytest.mark.parametrize("k", range(3))
def test_members_are_perceptrons(k, network, x):
    torch.testing.assert_close(network.reconstructions(x)[k], member(network, k)(x))


@pytest.mark.parametrize("k", range(3))
def test_each_member_gets_its_own_columns(k, network, x):
    wide = torch.cat([x, x + 1, x + 2], dim=1)

    torch.testing.assert_close(network.reconstructions(wide)[k], member(network, k)(x + k))


def test_narrow_rows_go_to_every_member(network, x):
    torch.testing.assert_close(network(x), network(x.repeat(1, 3)))


def test_members_stand_side_by_side(network, x):
    torch.testing.assert_close(network(x), torch.cat(list(network.reconstructions(x)), dim=1))


def test_decoding_the_code_gives_the_reconstruction(network, x):
    torch.testing.assert_close(network.decode(network.encode(x)), network(x))


def test_code_is_as_wide_as_all_members_together(network, x):
    assert network.encode(x).shape == (7, 3 * 4)


@pytest.mark.parametrize("n_samples", [1, 2])
def test_few_rows(n_samples, network, x):
    assert network(x[:n_samples]).shape == (n_samples, 15)


def test_members_learn_apart(network, x):
    network.reconstructions(x)[1].square().sum().backward()

    for parameter in network.parameters():
        assert (parameter.grad[1] != 0).any()
        assert (parameter.grad[[0, 2]] == 0).all()


def test_members_start_apart():
    first, second = DenseEnsemble(5, 2).weights[0]

    assert not torch.equal(first, second)


def test_signals_keep_their_size():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = DenseEnsemble(200, 2, (200, 200))
        output = network(torch.randn(500, 200))

    assert output.std().item() == pytest.approx(1, rel=0.1)


def test_one_member(x):
    assert DenseEnsemble(5, 1)(x).shape == (7, 5)


@pytest.mark.parametrize("sizes", [(4,), (8, 4, 2)])
def test_any_number_of_hidden_layers(sizes, x):
    network = DenseEnsemble(5, 2, sizes)

    assert network.encode(x).shape == (7, 2 * sizes[-1])
    assert network(x).shape == (7, 10)
