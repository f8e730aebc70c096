"""Decoded recordings against originals, by formulas written out frame by frame."""

import re

import numpy as np
import pytest
from scipy.signal import stft

from skae.metrics import log_spectral_distance, segmental_snr, si_sdr

RATE = 8000
METRICS = {
    si_sdr: si_sdr,
    segmental_snr: lambda true, pred: segmental_snr(true, pred, RATE),
    log_spectral_distance: lambda true, pred: log_spectral_distance(true, pred, RATE),
}
EACH = pytest.mark.parametrize("metric", METRICS.values(), ids=[f.__name__ for f in METRICS])


@pytest.fixture
def pair():
    """Return a recording that grows louder, and it with noise, neither beyond full scale."""
    rng = np.random.default_rng(0)
    true = rng.normal(size=4003) * np.geomspace(1e-4, 0.2, 4003)
    return true.clip(-0.9, 0.9), (true + rng.normal(scale=1e-3, size=4003)).clip(-0.9, 0.9)


def test_si_sdr_by_its_formula(pair):
    true, pred = pair
    scale = np.dot(true, pred) / np.dot(true, true)
    error = pred - scale * true
    expected = 10 * np.log10(np.dot(scale * true, scale * true) / np.dot(error, error))

    assert si_sdr(true, pred) == pytest.approx(expected)


@pytest.mark.parametrize("scales", [(1, -3), (1e-200, 1), (1e150, 1e150)])
def test_si_sdr_knows_no_scale(pair, scales):
    scaled = [scale * x for scale, x in zip(scales, pair, strict=True)]

    assert si_sdr(*scaled) == pytest.approx(si_sdr(*pair))


def test_si_sdr_at_its_ends(pair):
    true, _ = pair
    even, odd = np.array([1.0, 0.0]), np.array([0.0, 1.0])

    assert si_sdr(true, true) == np.inf
    assert si_sdr(even, odd) == si_sdr(even, 0 * even) == -np.inf


def test_si_sdr_has_one_scale_for_all_channels(pair):
    true = np.stack(pair, axis=1)
    louder_left = true * [2.0, 1.0]

    assert si_sdr(true, 2 * true) > 200
    assert si_sdr(true, louder_left) < 20
    assert si_sdr(true, louder_left) == pytest.approx(si_sdr(true.ravel(), louder_left.ravel()))


def test_segmental_snr_by_its_formula(pair):
    true, pred = pair
    length = 160
    starts = range(0, len(true) - length + 1, length)
    energy = [np.sum(true[s : s + length] ** 2) for s in starts]
    noise = [np.sum((true - pred)[s : s + length] ** 2) for s in starts]
    ratios = [
        min(35, max(-10, 10 * np.log10(e / n)))
        for e, n in zip(energy, noise, strict=True)
        if e >= max(energy) / 10**4
    ]
    assert 0 < len(ratios) < len(energy)

    assert segmental_snr(true, pred, RATE) == pytest.approx(np.mean(ratios))


def test_segmental_snr_is_held_within_bounds(pair):
    true, pred = pair

    assert segmental_snr(true, true, RATE) == 35
    assert segmental_snr(true, 100 * pred, RATE) == -10
    assert segmental_snr(true, true + 1e-9, RATE) == 35


def by_scipy(true, pred, length, hop, floor, active_db):
    spectra = (
        np.abs(stft(x, nperseg=length, noverlap=length - hop, boundary="zeros", padded=True)[2])
        for x in (true, pred)
    )
    S_true, S_pred = spectra
    counts = S_true.max(axis=0) > S_true.max() * 10 ** (-active_db / 20)
    assert 0 < counts.sum() < len(counts)
    difference = 20 * np.log10((S_true + floor) / (S_pred + floor))[:, counts]
    return np.mean(np.sqrt(np.mean(difference**2, axis=0)))


@pytest.mark.parametrize("n_samples", [256, 257, 3999, 4003])
def test_log_spectral_distance_by_scipy(pair, n_samples):
    true, pred = (x[-n_samples:] for x in pair)
    true[: n_samples // 2] *= 1e-4  # for silence at any length
    hop = 64

    expected = by_scipy(true, pred, 256, hop, 1e-5, 40)

    assert log_spectral_distance(true, pred, RATE, hop_ms=8) == pytest.approx(expected)


def test_settings_of_the_log_spectral_distance(pair):
    expected = by_scipy(*pair, 80, 40, 1e-3, 20)

    found = log_spectral_distance(*pair, RATE, frame_ms=10, floor_db=-60, active_db=20)

    assert found == pytest.approx(expected)


def test_long_recordings_are_transformed_part_by_part(pair, monkeypatch):
    at_once = log_spectral_distance(*pair, RATE)
    monkeypatch.setattr("skae.metrics._recordings._FRAMES_AT_ONCE", 5)

    assert log_spectral_distance(*pair, RATE) == at_once


def test_loud_channels_make_others_inactive(pair):
    true, pred = pair
    two = np.stack([true, 1e-4 * true], axis=1), np.stack([pred, pred], axis=1)

    for metric in (segmental_snr, log_spectral_distance):
        assert metric(*two, RATE) == metric(true, pred, RATE)


@EACH
def test_a_column_is_one_channel(metric, pair):
    true, pred = pair

    assert metric(true[:, None], pred[:, None]) == metric(true, pred)


@EACH
def test_a_silent_channel_is_no_error(metric, pair):
    true, pred = (np.stack([x, 0 * x], axis=1) for x in pair)

    assert metric(true, pred) == pytest.approx(metric(*pair), rel=1e-12)


@EACH
@pytest.mark.parametrize("dtype", ["int16", "int32"])
def test_whole_numbers_beside_floats(metric, dtype, pair):
    scale = 2.0 ** (np.iinfo(dtype).bits - 1)
    whole = [np.round(x * scale).astype(dtype) for x in pair]
    true, pred = (x / scale for x in whole)
    expected = metric(true, pred)

    assert metric(*whole) == expected
    assert metric(whole[0], pred) == expected
    assert metric(true.tolist(), whole[1]) == expected


@EACH
def test_extremes_of_whole_numbers_do_not_overflow(metric):
    true = np.tile(np.array([-32768, 32767], np.int16), 500)

    assert metric(true, true[::-1]) == metric(true / 32768.0, true[::-1] / 32768.0)


@EACH
@pytest.mark.parametrize(
    ("true", "pred", "message"),
    [
        (np.ones(500), np.ones(499), "must have the same shape, got (500,) and (499,)"),
        (np.ones(500), np.ones((500, 1)), "must have the same shape, got (500,) and (500, 1)"),
        (np.ones(500), np.ones((500, 2)), "must have the same shape, got (500,) and (500, 2)"),
        (np.ones((9, 2, 2)), np.ones(9), "X_true must have shape (n_samples,) or (n_samples, n"),
        (np.ones(()), np.ones(9), "X_true must have shape (n_samples,) or (n_samples, n_channels)"),
        ([np.ones(3), np.ones(4)], np.ones(3), "X_true must be one recording, got a list"),
        (np.ones(9), np.ones(9, np.int64), "X_pred must be of one of int16, int32, float16"),
        (np.ones(9), np.ones(9, np.uint8), "float64, got uint8"),
        (np.ones(0), np.ones(0), "X_true must have samples, got shape (0,)"),
        (np.ones((5, 0)), np.ones((5, 0)), "X_true must have samples, got shape (5, 0)"),
        (np.zeros(500), np.ones(500), "X_true must not be silent"),
        (np.ones(3), np.array([0, np.nan, 1]), "X_pred must be finite, got NaN or infinity at s"),
        (np.array([0, 1, -np.inf]), np.ones(3), "X_true must be finite, got NaN or infinity at "),
    ],
)
def test_bad_recordings(metric, true, pred, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        metric(true, pred)


@pytest.mark.parametrize("metric", [segmental_snr, log_spectral_distance])
def test_bad_frames(metric):
    x = np.ones(100)

    with pytest.raises(ValueError, match="a frame or more, 256 samples at 8000 Hz, got 100 samp"):
        metric(x, x, 8000, frame_ms=32)
    with pytest.raises(ValueError, match=r"frame_ms must be at least \d samples?, got 0\.01 ms"):
        metric(x, x, 8000, frame_ms=0.01)
    with pytest.raises(ValueError, match="'sample_rate' parameter"):
        metric(x, x, 0)


def test_silence_but_for_an_incomplete_frame():
    x = np.zeros(170)
    x[165] = 1

    with pytest.raises(ValueError, match="X_true must not be silent in all frames"):
        segmental_snr(x, x, 8000)


@pytest.mark.parametrize("hop_ms", [0.01, 33])
def test_bad_hop(hop_ms):
    x = np.ones(300)

    with pytest.raises(ValueError, match="hop_ms must be from 1 to the 256 samples of a frame"):
        log_spectral_distance(x, x, 8000, hop_ms=hop_ms)
