import numpy as np
import pytest
import torch

from skae._units import Units
from skae.losses import (
    CORRUPTIONS,
    BlockNoise,
    GaussianNoise,
    MaskingNoise,
    PoissonNoise,
    SaltAndPepperNoise,
    SwapNoise,
)


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


@pytest.fixture
def x():
    """2,000 rows, no value twice."""
    return torch.arange(1.0, 6001.0).reshape(2000, 3)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_batch_is_left_as_it_is(name, x, generator):
    before = x.clone()

    CORRUPTIONS[name](0.5)(x, generator)

    assert torch.equal(x, before)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_generator_decides(name, x, generator):
    corruption = CORRUPTIONS[name](0.5)

    first, other = corruption(x, generator), corruption(x, generator)

    assert torch.equal(corruption(x, generator.manual_seed(0)), first)
    assert not torch.equal(other, first)


@pytest.mark.parametrize("corruption", [MaskingNoise, SaltAndPepperNoise, SwapNoise])
def test_level_is_the_share_of_cells_hit(corruption, x, generator):
    hit = corruption(0.3)(x, generator) != x

    assert hit.double().mean().item() == pytest.approx(0.3, abs=0.03)


@pytest.mark.parametrize("corruption", [MaskingNoise, SaltAndPepperNoise, SwapNoise, GaussianNoise])
def test_level_zero_changes_nothing(corruption, x, generator):
    assert torch.equal(corruption(0.0)(x, generator), x)


def test_gaussian_noise_has_the_level_as_its_standard_deviation(x, generator):
    noise = GaussianNoise(0.5)(x.double(), generator) - x

    assert noise.std().item() == pytest.approx(0.5, rel=0.05)
    assert noise.mean().item() == pytest.approx(0.0, abs=0.05)


def test_masking_sets_to_zero(x, generator):
    changed = MaskingNoise(0.5)(x, generator)

    assert (changed[changed != x] == 0).all()


def test_salt_and_pepper_are_the_extremes_of_the_batch(x, generator):
    changed = SaltAndPepperNoise(0.5)(x, generator)

    assert set(changed[changed != x].tolist()) == {1.0, 6000.0}


def test_swapped_values_come_from_the_same_column(x, generator):
    changed = SwapNoise(0.5)(x, generator)

    assert torch.equal((changed - 1) % 3, torch.arange(3.0).expand(2000, 3))


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_dtype_is_kept(name, x, generator):
    assert CORRUPTIONS[name](0.5)(x.double(), generator).dtype == torch.double


def test_masking_of_sparse_rows_hits_what_is_stored(x, generator):
    csr = x.to_sparse_csr()

    masked = MaskingNoise(0.3)(csr, generator)

    assert masked.layout == torch.sparse_csr
    hit = masked.values() != csr.values()
    assert (masked.values()[hit] == 0).all()
    assert hit.double().mean().item() == pytest.approx(0.3, abs=0.03)


def test_of_two_levels_each_row_has_one_between_them(generator):
    x = torch.zeros(500, 400)

    levels = GaussianNoise((1.0, 3.0))(x, generator).std(1)

    assert 0.9 < levels.min() < 1.1
    assert 2.6 < levels.max() < 3.2
    assert (levels < 2).sum() > 300


def test_poisson_noise_is_that_of_counts(generator):
    x = torch.full((20_000, 1), 6.0, dtype=torch.float64)

    noisy = PoissonNoise(2.0)(x, generator)

    assert set(noisy.unique().tolist()) <= {2.0 * count for count in range(40)}
    assert noisy.mean().item() == pytest.approx(6, abs=0.1)
    assert noisy.var().item() == pytest.approx(12, rel=0.05)


def test_poisson_noise_of_other_units_is_the_same(generator):
    x = torch.rand(50, 3, generator=generator, dtype=torch.float64) * 9
    units = Units(np.array([1.0, 2.0, 3.0]), 4.0)

    noisy = PoissonNoise(0.5)(x, generator.manual_seed(0)).numpy()

    rows = torch.from_numpy(units.apply(x.numpy()))
    other = PoissonNoise(0.5).in_units(units)(rows, generator.manual_seed(0)).numpy()
    np.testing.assert_allclose(units.undo(other), noisy, atol=1e-9)


def test_poisson_noise_without_a_level_is_none(x, generator):
    torch.testing.assert_close(PoissonNoise(0.0)(x.double(), generator), x.double(), rtol=0, atol=1)


def test_missing_cells_stay_so_in_other_units(x, generator):
    noise = MaskingNoise(0.5, zero=np.nan).in_units(Units(np.ones(3), 2.0))

    assert noise(x, generator).isnan().double().mean().item() == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("channels_last", [False, True])
def test_blocks_take_all_channels_of_pixels(channels_last, generator):
    x = torch.ones(400, 3 * 20 * 30)

    damaged = BlockNoise(0.3, (3, 20, 30), channels_last)(x, generator)

    shape = (-1, 20, 30, 3) if channels_last else (-1, 3, 20, 30)
    missing = damaged.isnan().reshape(shape)
    channel = -1 if channels_last else 1
    assert torch.equal(missing.any(channel), missing.all(channel))
    assert missing.double().mean().item() == pytest.approx(0.2, abs=0.08)
    alone = missing.all(channel)
    neighbours = (alone[:, 1:] == alone[:, :-1]).double().mean()
    assert neighbours > 0.9
