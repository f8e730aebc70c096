"""Streams of sounds that were written once must decode for ever: ``golden/make_audio.py``."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from skae.coding import RAW, Codec, CodecTables, _codec, _entropy, unpack
from skae.compression import AudioCompressor
from skae.compression._audio_header import AudioHeader
from skae.compression._signals import Signals
from skae.networks import SpectralCodecNetwork

GOLDEN = Path(__file__).parent / "golden" / "audio"
NAMES = ("mono/silent", "mono/loud", "mono/raw", "stereo/dataset", "stereo/odd")


def load_stream(name):
    return (GOLDEN / f"{name}.skae").read_bytes()


def load_arrays(name, what):
    """Return arrays that lie beside a stream."""
    with np.load((GOLDEN / name).with_name(f"{what}.npz")) as file:
        return dict(file)


def load_model(name):
    """Build the compressor of a stream from arrays, without unpickling anything."""
    arrays = load_arrays(name, "model")
    hop, n_channels = int(arrays["hop"]), len(arrays["offset"])
    rate, frames = float(arrays["millihertz"]) / 1000, int(arrays["frames"])
    shape = ((frames + 1) * hop, n_channels)
    network = SpectralCodecNetwork(shape, hop, rate, *arrays["powers"].tolist())
    state = network.state_dict()
    for key in state:
        if (own := key.split(".")[-1]) in arrays:
            state[key] = torch.from_numpy(arrays[own])
    network.load_state_dict(state)
    model = AudioCompressor()
    tables = CodecTables(*(arrays[each.name] for each in dataclasses.fields(CodecTables)))
    model._codec = Codec(network.requires_grad_(False).eval(), tables)
    model._location, model._scale = arrays["offset"], float(arrays["scale"])
    model.sample_rate_, model._n_frames, model.hop_length_ = rate, frames, hop
    dtype = load_arrays(name, "sounds")[Path(name).name].dtype
    model._form = Signals([np.empty((0, n_channels), dtype)], "list", n_channels == 1)
    # It is what streams were written by: their numbers, too, are what they were.
    assert arrays["fingerprint"] == model._streams_of(model._codec).fingerprint
    model.fingerprint_, model._former_fingerprints = int(arrays["fingerprint"]), ()
    return model


def assert_same_sounds(decoded, expected):
    """Compare what is the work of floating point."""
    assert decoded.dtype == expected.dtype
    assert decoded.shape == expected.shape
    if expected.dtype.kind == "f":
        np.testing.assert_allclose(decoded, expected, rtol=0, atol=1e-5)
        return
    difference = np.abs(decoded.astype(float) - expected)
    assert difference.max() <= 1
    assert (difference > 0).sum() <= 2


@pytest.mark.parametrize("coder", ["constriction", "numpy"])
@pytest.mark.parametrize("name", NAMES)
def test_golden_stream(name, coder, monkeypatch):
    if coder == "numpy":
        monkeypatch.setattr(_entropy, "constriction", None)
    decoded = np.stack(load_model(name).decompress([load_stream(name)]))
    assert_same_sounds(decoded, load_arrays(name, "sounds")[Path(name).name])


def test_a_sound_of_a_data_set():
    decoded = load_model("stereo/dataset").decompress_dataset(load_stream("stereo/dataset"), [2])
    expected = load_arrays("stereo/dataset", "sounds")["dataset"][[2]]
    assert_same_sounds(np.stack(decoded), expected)


def test_they_hold_what_is_rare(monkeypatch):
    headers = {name: unpack(load_stream(name), AudioHeader)[0] for name in NAMES}
    n_chunks = {name: header.n_chunks for name, header in headers.items()}
    assert headers["mono/raw"].kind == RAW
    assert n_chunks["mono/silent"] > 2
    assert n_chunks["stereo/dataset"] == 2
    assert n_chunks["stereo/odd"] > 2
    (silent,) = load_model("mono/silent").decompress([load_stream("mono/silent")])
    assert not silent[-500:].any()
    escapes = []

    class Watched(_entropy.Decoder):
        def take(self, tables, which):
            integers = super().take(tables, which)
            radii = np.array([table.radius for table in tables])
            escapes.append(np.abs(integers) > radii[which])
            return integers

    monkeypatch.setattr(_codec, "Decoder", Watched)
    load_model("mono/loud").decompress([load_stream("mono/loud")])
    assert np.concatenate([e.ravel() for e in escapes]).any()


def test_golden_stream_of_unequal_lengths():
    found = load_model("unequal/clips").decompress_dataset(load_stream("unequal/clips"))
    assert [len(sound) for sound in found] == [200, 1, 95]
    assert_same_sounds(np.concatenate(found), load_arrays("unequal/clips", "sounds")["clips"])
