import pytest
import torch

from skae.losses import CORRUPTIONS, GaussianNoise, MaskingNoise, SaltAndPepperNoise, SwapNoise


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
