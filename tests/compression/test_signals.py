"""The reader of signals: what they are as arrays, and their units."""

import numpy as np
import pytest
import torch

from skae.compression._signals import (
    Signals,
    checked_signal,
    full_scale,
    location_and_scale,
    scaled,
)
from skae.compression._windows import Windows, best_hop_length, frames_of_windows
from skae.networks import MDCT

from .conftest import made_sounds


def of(*arrays):
    return Signals([np.atleast_2d(np.asarray(a).T).T for a in arrays], "list", True)


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        (np.int8, np.float32),
        (np.uint8, np.float32),
        (np.int16, np.int16),
        (np.float16, np.float32),
        (np.int32, np.int32),
        (np.int64, np.float64),
        (np.float32, np.float32),
        (np.longdouble, np.float64),
    ],
)
def test_types(dtype, expected):
    array = checked_signal(np.arange(5).astype(dtype), "x")
    assert array.dtype == expected
    np.testing.assert_array_equal(array, np.arange(5))


def test_full_scale():
    assert full_scale(np.dtype(np.int16)) == 2**15
    assert full_scale(np.dtype(np.int32)) == 2**31
    assert full_scale(np.dtype(np.float32)) == 1


def test_offsets_are_means_far_from_zero():
    random = np.random.default_rng(0)
    noise = random.standard_normal(1000)
    offset, scale = location_and_scale(of(noise + 10, noise + 10))
    assert offset == pytest.approx(10, abs=0.1)
    assert scale == pytest.approx(1, rel=0.1)
    offset, _ = location_and_scale(of(noise + 0.2))
    assert offset == 0


def test_scaled_and_limits():
    x = np.float64([[1.0], [3.0]])
    assert scaled(x, np.array([1.0]), 2.0).tolist() == [[0.0], [1.0]]
    with pytest.raises(ValueError, match="too large to compute with"):
        scaled(1e9 * x, np.array([1.0]), 2.0)
    assert scaled(x[:0], np.array([1.0]), 2.0).shape == (0, 1)


def test_forms_are_restored():
    arrays = [np.ones((3, 1)), np.ones((3, 1))]
    rows = Signals(arrays, "rows", True).restored(arrays)
    assert rows.shape == (2, 3)
    assert Signals(arrays, "rows", False).restored(arrays).shape == (2, 3, 1)
    unequal = Signals(arrays, "rows", True).restored([arrays[0], arrays[0][:2]])
    assert [each.shape for each in unequal] == [(3,), (2,)]
    assert isinstance(Signals(arrays, "list", True).restored(arrays), list)


def test_windows_hold_each_frame_once():
    hop, n_frames = 4, 3
    signals = [torch.arange(1.0, 1 + 4 * n)[:, None] for n in (5, 2, 9)]
    windows = Windows(signals, hop, n_frames, torch.float64, torch.device("cpu"))
    starts = [(i, s) for i, x in enumerate(signals) for s in range(0, len(x) - hop, 12)]
    assert len(windows) == len(starts)
    batch = windows.batch(slice(None)).input
    assert batch.dtype == torch.float64
    for row, (i, start) in zip(batch, starts, strict=True):
        part = signals[i][start : start + 16, 0].double()
        torch.testing.assert_close(row[: len(part)], part)
        assert not row[len(part) :].any()


@pytest.mark.parametrize(
    ("lengths", "expected"), [([10], 4), ([320], 20), ([10**6], 64), ([10, 320, 330], 20)]
)
def test_windows_are_as_long_as_signals(lengths, expected):
    assert frames_of_windows(lengths, 16, 64) == expected


def test_hops_follow_what_lasts():
    time = torch.arange(600.0)
    tone = torch.sin(0.3 * time)[:, None]
    clicks = torch.zeros(600, 1)
    clicks[50::101] = 1
    hops = [
        best_hop_length([x / x.square().mean().sqrt()], lambda x: x, MDCT) for x in (clicks, tone)
    ]
    assert hops[0] < hops[1]
    assert all(hop & (hop - 1) == 0 for hop in hops)
    assert best_hop_length([tone[:3]], lambda x: x, MDCT) >= 2


def test_made_sounds_are_sounds():
    assert np.abs(made_sounds(2, 100)).max() <= 1
