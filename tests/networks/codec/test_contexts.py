"""Every coefficient is coded once, from nothing but what was coded before."""

import pytest
import torch

from skae.networks.codec._contexts import ChannelContexts
from skae.networks.codec._order import deep_order, flat_order
from skae.networks.codec._wide_contexts import WideContexts
from skae.networks.codec._wide_grid import wide_grid

CPU = torch.device("cpu")
KINDS = [((3, 6, 5, 20), "around"), ((60, 1, 1, 20), "alone"), ((3, 6, 5, 26), "wide")]
GRIDS = [(1, 1), (5, 4), (1, 7), (17, 33)]


@pytest.mark.parametrize("order", [flat_order, deep_order])
@pytest.mark.parametrize("grid", GRIDS)
def test_passes_hold_each_square_once(order, grid):
    squares = order(*grid, CPU).squares
    assert sorted(squares.tolist()) == list(range(grid[0] * grid[1]))


@pytest.mark.parametrize("order", [flat_order, deep_order])
@pytest.mark.parametrize("grid", GRIDS)
def test_squares_beside_were_coded_in_passes_before(order, grid):
    for each in order(*grid, CPU).passes:
        if each.beside is not None:
            is_nothing = each.beside == grid[0] * grid[1]
            assert (is_nothing | (each.beside < each.places.start)).all()


@pytest.mark.parametrize("name", ["deep", "flat", "whole"])
@pytest.mark.parametrize("grid", GRIDS)
def test_passes_of_wide_contexts(name, grid):
    n = grid[0] * grid[1]
    passes = getattr(wide_grid(*grid, CPU), name)
    assert sorted(torch.cat([each.squares for each in passes]).tolist()) == list(range(n))
    known = torch.zeros(n + 1, dtype=torch.bool)
    known[n] = True  # stands for none
    for each in passes:
        if each.beside is not None:
            assert known[each.beside].all()
        known[:-1][each.places] = True


def fitted(y, kind):
    n = y.shape[-1]
    contexts = WideContexts(n, 2) if kind == "wide" else ChannelContexts(n, 2, kind == "alone")
    for level in range(2):
        contexts.fit(level, y)
    return contexts


def draw(*shape):
    y = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    return 8 * y.cumsum(-1) / torch.arange(1, shape[-1] + 1)


@pytest.mark.parametrize(("shape", "kind"), KINDS)
def test_what_is_decoded_follows_from_the_integers(shape, kind):
    y = draw(*shape)
    contexts = fitted(y, kind)
    written = []

    def write(channels, squares, mean, log_scale):
        integers = (y.flatten(1, 2)[:, squares, channels] - mean).round()
        written.append((integers, mean, log_scale))
        return integers, mean + integers

    def read(channels, squares, mean, log_scale):
        integers, expected_mean, expected_scale = written.pop(0)
        torch.testing.assert_close(mean, expected_mean, rtol=0, atol=0)
        torch.testing.assert_close(log_scale, expected_scale, rtol=0, atol=0)
        return integers, mean + integers

    weights = [w[1] for w in contexts.weights]
    decoded = contexts.walk(shape, weights, write)
    assert (decoded - y).abs().max() <= 0.5 + 1e-5
    torch.testing.assert_close(contexts.walk(shape, weights, read), decoded, rtol=0, atol=0)
    assert not written


@pytest.mark.parametrize(("shape", "kind"), KINDS)
def test_groups_that_are_not_visited_are_zero(shape, kind):
    y = draw(*shape)
    contexts = fitted(y, kind)
    some = contexts.walk(
        shape,
        [w[0] for w in contexts.weights],
        lambda c, s, mean, scale: (1 + 0 * mean, mean + 1),
        n_groups=4,
    )
    stop = contexts.groups[3][1]
    assert some[..., :stop].any()
    assert not some[..., stop:].any()


@pytest.mark.parametrize("kind", ["around", "alone", "wide"])
def test_rounding_tells_what_it_was_predicted_by(kind):
    y = draw(40, 1, 1, 30)
    contexts = fitted(y, kind)
    decoded, means, scales = contexts.rounded(y, 0.5)
    integers = decoded.flatten(1, 2) - means
    torch.testing.assert_close(integers, integers.round())
    assert (scales > 0).all()
    # Later channels are predicted well from those before.
    assert (y.flatten(1, 2) - means)[..., 20:].abs().mean() < y[..., 20:].abs().mean() / 2
