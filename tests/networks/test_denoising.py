"""The parts of denoisers: filters, and networks that correct them."""

import numpy as np
import pytest
import torch

from skae._shapes import checked_image_shape
from skae.denoising._level import noise_level
from skae.denoising._objectives import Denoising
from skae.denoising._tiles import OVERLAP, cut, joined
from skae.losses import SquaredError
from skae.networks import ConvCorrection, DenoisingNetwork, DenseCorrection, WienerFilter
from skae.networks._count_filter import CountFilter
from skae.networks._patch_filter import PatchFilter
from skae.training import Batch, Step


def low_rank(n, d, k, seed=0):
    random = np.random.default_rng(seed)
    return random.normal(size=(n, k)) @ random.normal(size=(k, d))


@pytest.mark.parametrize(("n", "d", "k"), [(2000, 64, 10), (300, 100, 5), (100, 300, 5)])
def test_level_of_noisy_rows(n, d, k):
    noise = np.random.default_rng(1).normal(0, 0.7, (n, d))

    assert noise_level(low_rank(n, d, k) + noise) == pytest.approx(0.7, rel=0.03)


def test_rows_without_noise_have_no_level():
    assert noise_level(low_rank(200, 20, 3)) < 1e-6


def test_filter_learned_from_noisy_rows_equals_that_of_clean_ones():
    clean = torch.from_numpy(low_rank(5000, 20, 4))
    noisy = clean + torch.from_numpy(np.random.default_rng(1).normal(size=clean.shape))
    one, other = WienerFilter(20, (1.0, 1.0)).double(), WienerFilter(20, (1.0, 1.0), 1.0).double()
    one.initialize(clean, clean)
    other.initialize(noisy, noisy)

    error = (one(noisy).rows - other(noisy).rows).square().mean()

    assert error < 0.02 * (one(noisy).rows - clean).square().mean()


def test_filling_is_the_conditional_mean_of_normal_rows():
    x = torch.from_numpy(low_rank(4000, 6, 6))
    model = WienerFilter(6, (0.0, 1.0)).double()
    model.initialize(x, x)
    covariance, mean = np.cov(x.numpy().T), x.numpy().mean(0)
    row = x[:1].clone()
    row[0, :2] = torch.nan

    filled = model.fill(row).rows[0]

    weights = covariance[:2, 2:] @ np.linalg.inv(covariance[2:, 2:])
    expected = mean[:2] + weights @ (x[0, 2:].numpy() - mean[2:])
    np.testing.assert_allclose(filled[2:], x[0, 2:])
    np.testing.assert_allclose(filled[:2], expected, atol=0.2 * x.std().item())


@pytest.mark.parametrize("shape", [(8, 8), (3, 7, 10), (7, 10, 3), (1, 5)])
def test_corrections_start_at_zero_for_any_size_of_image(shape):
    d = int(np.prod(shape))
    x = torch.rand(5, d)

    for network in (ConvCorrection(d, shape, width=8), DenseCorrection(d)):
        model = DenoisingNetwork(network, d, (0.0, 1.0), image_shape=shape)
        model.initialize(x, x)

        assert torch.equal(model.decode(model.encode(x)), model.filter(x).rows)


def test_rows_whose_noise_is_overrated_do_not_rule_the_training():
    class Overrating:
        def corrected(self, x):  # by a network whose steps are as large as the expected error
            return x + 1e-3, torch.ones(len(x), 1)

        def expected_error(self, x, output):
            return torch.full((len(x),), 1e-6)

    x = torch.zeros(3, 5)
    step = Step(Overrating(), SquaredError(), Batch(x, x), torch.Generator())

    assert Denoising(None).losses(step).rows.max() < 1e-5


@pytest.mark.parametrize("size", [(64, 64), (150, 100), (30, 70), (65, 200)])
def test_tiles_become_the_image_again(size):
    image = np.random.default_rng(0).random((*size, 3))

    rows, places = cut(image, (64, 64, 3), OVERLAP)

    np.testing.assert_allclose(joined(rows, places, (64, 64, 3), image.shape), image)


def test_tiles_without_overlap_cover_an_image_once():
    image = np.arange(128 * 192.0).reshape(128, 192, 1)

    rows, _ = cut(image, (64, 64, 1))

    assert sorted(rows.ravel()) == sorted(image.ravel())


def stripes(n, side, seed=0):
    """Images with steps in one of two directions."""
    random = np.random.default_rng(seed)
    steps = random.normal(size=(n, 1, side)) * (random.uniform(size=(n, 1, side)) < 0.2)
    lines = 0.2 * steps.cumsum(2).repeat(side, 1)
    lines[::2] = lines[::2].transpose(0, 2, 1)
    return torch.from_numpy(lines.reshape(n, -1)).float()


@pytest.fixture(scope="module")
def filters():
    x, shape = stripes(60, 40), checked_image_shape((40, 40), 1600)
    both = [PatchFilter(1600, (0.0, 0.5), image_shape=shape, n_parts=k) for k in (0, 4)]
    for each in both:
        each.initialize(x, x)
    return both


def test_parts_of_a_mixture_tell_directions(filters):
    x = stripes(20, 40, seed=1)
    noisy = x + 0.2 * torch.from_numpy(np.random.default_rng(2).normal(size=x.shape)).float()

    one, mixed = (each(noisy) for each in filters)

    error = (mixed.rows - x).square().mean()
    assert error < 0.7 * (one.rows - x).square().mean()
    assert 0.5 * error < mixed.error.mean() < 2 * error
    assert mixed.level.mean() == pytest.approx(0.2, rel=0.1)
    torch.testing.assert_close(filters[1](noisy[:3]).rows, mixed.rows[:3])


def test_a_mixture_leaves_images_without_noise(filters):
    x = torch.cat([stripes(4, 40, seed=1), torch.zeros(1, 1600)])

    torch.testing.assert_close(filters[1](x).rows, x, atol=1e-2, rtol=0)


def test_noise_of_counts_grows_with_them():
    x, shape = (
        stripes(60, 40).abs() + torch.linspace(0, 2, 1600),
        checked_image_shape((40, 40), 1600),
    )
    offset = x.mean(0)
    filter_ = CountFilter(1600, (0.0, 0.5), image_shape=shape, n_parts=4, offset=offset.numpy())
    rows = x - offset
    filter_.initialize(rows, rows)
    counted = torch.poisson(x / 0.1, generator=torch.Generator().manual_seed(0)) * 0.1

    filtered = filter_(counted - offset)

    noise = (0.1 * x).mean(0).sqrt()
    torch.testing.assert_close(filtered.level.mean(0), noise, rtol=0.3, atol=0.05)
    errors = (filtered.rows + offset - x).square().mean(0)
    assert errors.mean() < 0.4 * noise.square().mean()
    assert abs((filtered.rows + offset - x).mean()) < 0.02
