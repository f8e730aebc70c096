"""Spectra of sounds: an orthogonal transform, envelopes, and contexts that decoding can follow."""

import numpy as np
import pytest
import torch

from skae.coding._model import whole_log
from skae.networks import MDCT, SpectralCodecNetwork
from skae.networks.codec._envelope import DECIBELS, LOWEST, Envelope, band_of_bins, frequencies
from skae.networks.codec._lattice import N_PASSES, around, box_sums, lattice, summed_area

GRIDS = [(1, 1), (1, 9), (6, 1), (5, 4), (17, 33)]


def draw(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


# ------------------------------------------------------------------ transform


@pytest.mark.parametrize("hop", [2, 3, 8, 37, 256])
@pytest.mark.parametrize("n_frames", [1, 2, 5])
def test_samples_come_back_from_spectra(hop, n_frames):
    mdct, x = MDCT(hop).double(), draw(2, (n_frames + 1) * hop, 3).double()
    spectra = mdct(x)
    assert spectra.shape == (2, n_frames, 3, hop)
    inner = np.s_[:, hop:-hop]  # what lies in two frames
    torch.testing.assert_close(mdct.inverse(spectra)[inner], x[inner], rtol=0, atol=1e-5)


@pytest.mark.parametrize("hop", [2, 5, 64])
def test_the_transform_is_orthogonal(hop):
    mdct, x = MDCT(hop).double(), draw(1, 6 * hop, 1).double()
    x[:, :hop] = x[:, -hop:] = 0
    spectra = mdct(x)
    torch.testing.assert_close(spectra.square().sum(), x.square().sum(), rtol=1e-5, atol=0)
    y = draw(*spectra.shape).double()
    both = (mdct.inverse(y) * x).sum(), (y * spectra).sum()
    torch.testing.assert_close(*both, rtol=1e-5, atol=1e-4)


def test_a_tone_has_its_frequency():
    time, hop, rate = torch.arange(1024), 64, 8000
    x = torch.cos(2 * torch.pi * 1000 / rate * time)[None, :, None]
    loudest = MDCT(hop)(x).square().mean((0, 1, 2)).argmax()
    assert abs(frequencies(hop, rate)[loudest] - 1000) < rate / 2 / hop


# ------------------------------------------------------------------ envelope

SETTINGS = [(2, 100), (8, 8000), (64, 1), (256, 16_000), (1024, 48_000), (100, 384_000)]


@pytest.mark.parametrize(("hop", "rate"), SETTINGS)
def test_bands_hold_all_bins_in_order(hop, rate):
    bands = band_of_bins(hop, rate)
    assert bands[0] == 0
    assert set(np.diff(bands)) <= {0, 1}


@pytest.mark.parametrize(("hop", "rate"), SETTINGS)
def test_levels_between_bands_are_whole_parts(hop, rate):
    parts = Envelope(hop, rate).parts
    torch.testing.assert_close(parts, parts.round(), rtol=0, atol=0)
    assert (parts >= 0).all()
    assert (parts.sum(0) == 16).all()
    assert (parts > 0).sum(0).max() <= 2


def test_levels_are_decibels():
    envelope, spectra = Envelope(64, 8000), draw(1, 4, 1, 64).sign()
    assert not envelope.levels(spectra).any()
    assert (envelope.levels(10 * spectra) == round(20 / DECIBELS)).all()
    assert (envelope.levels(0 * spectra) == LOWEST).all()
    levels = torch.full((1, 2, 1, envelope.n_bands), 5.0)
    between = envelope.between(levels, 3)
    assert between.shape == (1, 3, 1, 64)
    assert (between == 16 * 5).all()


# ------------------------------------------------------------------ order


@pytest.mark.parametrize("grid", GRIDS)
def test_passes_hold_each_place_once(grid):
    passes = lattice(*grid)
    assert len(passes) == N_PASSES
    places = torch.cat([each.places for each in passes])
    assert sorted(places.tolist()) == list(range(grid[0] * grid[1]))
    for each in passes:
        assert (each.bins == each.places % grid[1]).all()


@pytest.mark.parametrize("grid", GRIDS)
def test_neighbours_were_coded_before(grid):
    known = torch.zeros(grid[0] * grid[1] + 1, dtype=torch.bool)
    known[-1] = True  # none
    for each in lattice(*grid):
        for numbers in each.beside:
            assert known[numbers].all()
        known[each.places] = True


@pytest.mark.parametrize("grid", GRIDS)
def test_sums_of_boxes(grid):
    x = draw(2, *grid).mul(9).round().double()
    sums = box_sums(summed_area(x), around(*grid)).unflatten(1, grid)
    for i in range(grid[0]):
        for j in range(grid[1]):
            box = x[:, max(i - 1, 0) : i + 2, max(j - 1, 0) : j + 2].sum((1, 2))
            torch.testing.assert_close(sums[:, i, j], box, rtol=0, atol=0)


# ------------------------------------------------------------------ contexts


@pytest.fixture(scope="module")
def network():
    network = SpectralCodecNetwork((17 * 32, 2), 32, 8000.0, 0.4, 0.8, 0.3, 0.5)
    x = draw(6, 17 * 32, 2).cumsum(1).flatten(1)
    network.requires_grad_(False).initialize(x, x)
    network.fit_contexts(x)
    return network


@pytest.mark.parametrize("n_frames", [1, 5, 16])
def test_what_is_decoded_follows_from_the_integers(network, n_frames):
    x, contexts = draw(3, (n_frames + 1) * 32, 2).cumsum(1), network.contexts
    y = network.coefficients(x) / network.steps(4)[0]
    weights, written = [contexts.scales[4].double()], []
    flat = y.flatten(1, 2)

    def write(channels, places, mean, log_scale):
        integers = (flat[:, places] - mean).round()
        written.append((places, integers, mean, log_scale))
        return integers, mean + integers

    def read(channels, places, mean, log_scale):
        expected_places, integers, expected_mean, expected_scale = written.pop(0)
        assert (places == expected_places).all()
        torch.testing.assert_close(mean, expected_mean, rtol=0, atol=0)
        torch.testing.assert_close(log_scale, expected_scale, rtol=0, atol=0)
        return integers, mean + integers

    decoded = contexts.walk(y.shape, weights, write, whole_log)
    places = torch.cat([each[0] for each in written])
    assert len(places) == len(places.unique())
    torch.testing.assert_close(
        contexts.walk(y.shape, weights, read, whole_log), decoded, rtol=0, atol=0
    )
    assert not written
    assert (decoded - y)[:, :, contexts.first_bin :].abs().max() <= 0.5 + 1e-5
    some = np.s_[:, ::2, : contexts.first_bin]
    torch.testing.assert_close(decoded[some], y[some], rtol=0, atol=0)


def test_levels_are_not_shifted(network):
    contexts = network.contexts
    decoded = contexts.walk(
        (1, 4, network.n_columns, 1),
        [contexts.scales[0].double()],
        lambda channels, places, mean, scale: (1 + 0 * mean, mean + 1.7),
        whole_log,
    )
    assert (decoded[:, ::2, : contexts.first_bin] % 1 == 0).all()
    assert (decoded[:, :, contexts.first_bin :] == np.float32(1.7)).all()


@pytest.mark.parametrize("n_frames", [1, 4, 7])
def test_sounds_come_back_from_coefficients(network, n_frames):
    x = draw(2, (n_frames + 1) * 32, 2)
    x[:, :32] = x[:, -32:] = 0
    decoded = network.unrounded(network.coefficients(x))
    torch.testing.assert_close(decoded[:, 32:-32], x[:, 32:-32], rtol=0, atol=1e-3)


def test_channels_are_turned(network):
    eye = network.rotation.T @ network.rotation
    torch.testing.assert_close(eye, torch.eye(2), rtol=0, atol=1e-6)


def test_bits_buy_quality(network):
    x = draw(2, 17 * 32, 2).cumsum(1).flatten(1)
    levels = (0.0, 3.5, 7.0)
    costs = [network.rate_distortion(x, level) for level in levels]
    steps = [network.step_size(level) for level in levels]
    sums = [float(bits.sum()) for bits, _ in costs]
    squares = [float(e.sum()) * s**2 for (_, e), s in zip(costs, steps, strict=True)]
    assert sums == sorted(sums)
    assert squares == sorted(squares, reverse=True)


def test_silence_is_told(network):
    silence = network.coefficients(torch.zeros(1, 17 * 32, 2))
    assert network.is_silent(silence)
    assert not network.synthesize(silence + 0.0, 3).any()
    assert not network.is_silent(network.coefficients(draw(1, 17 * 32, 2)))
