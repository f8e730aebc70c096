"""Sounds elsewhere: the same integers from a stream, whatever adds up the floating point."""

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch

from skae.coding import _entropy, unpack
from skae.compression._audio_header import AudioHeader
from skae.networks.codec._signs import random_signs

from .test_determinism import CONDITIONS, read

QUALITIES = (5, 50, 95)


@pytest.fixture(scope="module")
def streams(of_sounds, sounds):
    return [of_sounds.compress([sounds[3][:4500]], quality=q)[0] for q in QUALITIES]


@pytest.fixture(scope="module")
def expected(of_sounds, streams):
    return read(of_sounds, streams)


@pytest.fixture(params=["constriction", "numpy"])
def coder(request, monkeypatch):
    if request.param == "numpy":
        monkeypatch.setattr(_entropy, "constriction", None)


def assert_same(read, expected):
    (integers, sounds), (expected_integers, expected_sounds) = read, expected
    np.testing.assert_array_equal(integers, expected_integers)
    difference = np.abs(sounds.astype(int) - expected_sounds)
    assert difference.max() <= 1
    assert (difference > 0).mean() <= 1e-5


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.usefixtures("coder")
def test_decoding_under(condition, of_sounds, streams, expected):
    with CONDITIONS[condition]():
        assert_same(read(of_sounds, streams), expected)


@pytest.mark.parametrize("condition", CONDITIONS)
def test_encoding_under(condition, of_sounds, sounds):
    """What is written under one condition is read under another."""
    codec = of_sounds._codec
    for number in QUALITIES:
        with CONDITIONS[condition]():
            y = of_sounds._streams.coefficients([sounds[3][:2000, None]])
            stream, (decoded, _) = codec.encode(y, number), codec.cost(y, number)
        found = codec.decode(stream, y.shape[:3], number)
        torch.testing.assert_close(found, decoded, rtol=0, atol=0.01)


SCRIPT = """
import pickle, sys
import numpy as np
import torch
torch.set_num_threads(2)
sys.modules["constriction"] = None
from tests.compression.test_determinism import read
with open(sys.argv[1] + "/model.pkl", "rb") as file:
    integers, sounds = read(*pickle.load(file))
np.savez(sys.argv[1] + "/read.npz", integers=integers, sounds=sounds)
"""


def test_fresh_process(of_sounds, streams, expected, tmp_path):
    (tmp_path / "model.pkl").write_bytes(pickle.dumps((of_sounds, streams)))
    paths = [os.getcwd(), *filter(None, [os.environ.get("PYTHONPATH")])]
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "2", "PYTHONPATH": os.pathsep.join(paths)},
    )
    assert result.returncode == 0, result.stderr
    with np.load(tmp_path / "read.npz") as found:
        assert_same((found["integers"], found["sounds"]), expected)


def test_segments_alone_and_together(of_sounds, sounds):
    """Also silent ones, and such as have no other number than zero."""
    x = sounds[3].copy()
    x[2500:5000] = 0
    (stream,) = of_sounds.compress([x], quality=30)
    header, chunks = unpack(stream, AudioHeader)
    segments = of_sounds._streams.segments
    with torch.inference_mode():
        together = segments.read(header, chunks, range(len(chunks)))
        alone = [segments.read(header, chunks, range(i, i + 1))[0] for i in range(len(chunks))]
    for found, expected in zip(alone, together, strict=True):
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)


def test_codes_without_numbers_are_alike_alone_and_together(of_sounds):
    """Where all integers are zero there are levels and noise, beside other codes, too."""
    codec, frames = of_sounds._codec, 8
    shape, zeros = (1, frames, codec.network.n_columns), []

    def code(channels, places, mean, which):
        zeros.append((which.byte().numpy(), np.zeros(which.shape, np.int32)))
        return torch.zeros_like(which)

    codec._walk((*shape, 1), 50, code)
    encoder = _entropy.Encoder()
    for which, integers in zeros:
        encoder.put(integers, codec._tables, which)
    empty = encoder.finish()
    y = torch.randn(*shape, 1, generator=torch.Generator().manual_seed(0)) * 300
    y[:, :, : codec.network.contexts.first_bin] = 3
    other = codec.encode(y, 50)
    alone = codec.decode_each([empty], shape, 50)
    both = codec.decode_each([other, empty], shape, 50)
    torch.testing.assert_close(both[1:], alone, rtol=0, atol=0)
    assert codec._packed([(1, i, w) for w, i in zeros]) == empty


def test_data_sets_and_single_sounds_decode_alike(of_stereo, stereo):
    x = [each[:700] for each in stereo]
    together = of_stereo.decompress_dataset(of_stereo.compress_dataset(x, chunk_size=4))
    for i in range(4):
        alone = of_stereo.decompress_dataset(of_stereo.compress_dataset(x[i : i + 1]))
        assert np.abs(alone[0] - together[i]).max() < 0.05


# ------------------------------------------------------------------ why


def test_weights_and_sums_are_whole_numbers_that_float64_holds(of_sounds, of_stereo):
    for model in (of_sounds, of_stereo):
        codec = model._codec
        weights, contexts = codec.weights, codec.network.contexts
        for whole in (weights, contexts.beside, contexts.middle, contexts.envelope.parts):
            torch.testing.assert_close(whole, whole.round(), rtol=0, atol=0)
        # 16ths of levels of up to 60, and logarithms of up to 128.
        largest = torch.tensor([1, 16 * 60, *[128] * 5], dtype=torch.float64)
        assert 16 * (weights.abs() @ largest).max() < 2**53
        assert 2**31 * 16 * float(largest.sum()) < 2**53


def test_signs():
    signs = random_signs(5, 300, 400)
    assert set(signs.unique().tolist()) == {-1, 1}
    torch.testing.assert_close(signs[7:], random_signs(12, 293, 400), rtol=0, atol=0)
    assert abs(float(signs.mean())) < 0.01
    for shift in ((0, 1), (1, 0), (1, 1)):
        assert abs(float((signs * signs.roll(shift, (0, 1))).mean())) < 0.02
    x = 2**32 + 3
    torch.testing.assert_close(random_signs(x, 1, 9), random_signs(3, 1, 9), rtol=0, atol=0)
