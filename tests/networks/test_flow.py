"""A flow of affine couplings: its start, its inverse, and its density against the Jacobian."""

import pytest
import torch

from skae.networks import CouplingFlow


def randomized(n_components):
    """Return a flow that is far from its start."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        flow = CouplingFlow(n_components, width=16).double()
        for parameter in flow.parameters():
            torch.nn.init.normal_(parameter, std=0.3)
    return flow.requires_grad_(False)


def rows(n_components):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(20, n_components, generator=generator, dtype=torch.double)


over_widths = pytest.mark.parametrize("k", [2, 3, 8])


@over_widths
def test_density_is_standard_normal_at_the_start(k):
    x = rows(k)

    expected = torch.distributions.Normal(0.0, 1.0).log_prob(x).sum(1)

    torch.testing.assert_close(CouplingFlow(k).double().log_prob(x), expected)


@over_widths
def test_decode_inverts_encode(k):
    flow, x = randomized(k), rows(k)

    code = flow.encode(x)

    assert not torch.allclose(code.sort(1).values, x.sort(1).values, atol=0.1)
    torch.testing.assert_close(flow.decode(code), x)


@over_widths
def test_density_is_that_of_the_code_times_the_change_of_volume(k):
    flow, x = randomized(k), rows(k)

    jacobians = torch.func.vmap(torch.func.jacrev(lambda row: flow.encode(row[None])[0]))(x)
    normal = torch.distributions.Normal(0.0, 1.0).log_prob(flow.encode(x)).sum(1)

    torch.testing.assert_close(flow.log_prob(x), normal + jacobians.det().abs().log())


@over_widths
def test_every_column_is_mapped(k):
    flow, x = randomized(k), rows(k)

    jacobian = torch.func.jacrev(lambda row: flow.encode(row[None])[0])(x[0])

    assert (jacobian != 0).all()
