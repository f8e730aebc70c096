"""Streams that were written once must decode for ever; ``golden/make.py`` has written them."""

from pathlib import Path

import numpy as np
import pytest
import torch

from skae.compression import ImageCompressor, _codec, _coder
from skae.compression._codec import Codec
from skae.compression._container import RAW, unpack
from skae.compression._images import Images
from skae.networks import ImageCodecNetwork

GOLDEN = Path(__file__).parent / "golden"
NAMES = ("dataset", "odd", "raw", "tiles")


def load_model():
    """Build a compressor from arrays, without unpickling anything."""
    with np.load(GOLDEN / "model.npz") as file:
        arrays = dict(file)
    network = ImageCodecNetwork((8, 8, 1), (4, 4), n_components=10, width=4, n_blocks=1)
    network.load_state_dict(
        {
            name.removeprefix("network."): torch.from_numpy(array)
            for name, array in arrays.items()
            if name.startswith("network.")
        }
    )
    model = ImageCompressor()
    model._codec = Codec(network.eval())
    model._codec.load_state(arrays)
    model.fingerprint_ = model._codec.fingerprint()
    assert model.fingerprint_ == arrays["fingerprint"]
    model._range = 0.0, 255.0
    model._form = Images([np.empty((0, 8, 1), np.uint8)], "array", True)
    return model


@pytest.fixture(scope="module")
def model():
    return load_model()


@pytest.fixture(scope="module")
def streams():
    return {name: (GOLDEN / f"{name}.skae").read_bytes() for name in NAMES}


@pytest.fixture(scope="module")
def pictures():
    with np.load(GOLDEN / "pictures.npz") as file:
        return dict(file)


@pytest.mark.parametrize("coder", ["constriction", "numpy"])
@pytest.mark.parametrize("name", NAMES)
def test_golden_stream(model, streams, pictures, name, coder, monkeypatch):
    if coder == "numpy":
        monkeypatch.setattr(_coder, "constriction", None)
    decoded = np.stack(model.decompress([streams[name]]))
    assert decoded.dtype == pictures[name].dtype
    difference = np.abs(decoded.astype(int) - pictures[name])
    # Pixels are the work of floating point.
    assert difference.max() <= 1
    assert (difference > 0).sum() <= 2


def test_random_access(model, streams, pictures):
    decoded = model.decompress_dataset(streams["dataset"], [299, 3])
    difference = np.abs(decoded.astype(int) - pictures["dataset"][[299, 3]])
    assert difference.max() <= 1


def test_they_hold_what_is_rare(model, streams, monkeypatch):
    headers = {name: unpack(stream, 2**30)[0] for name, stream in streams.items()}
    assert {name: header.n_chunks for name, header in headers.items()} == {
        "dataset": 2,
        "odd": 1,
        "raw": 1,
        "tiles": 3,
    }
    assert headers["raw"].kind == RAW
    escapes = []

    class Watched(_coder.Decoder):
        def take(self, tables, numbers):
            integers = super().take(tables, numbers)
            radii = np.array([table.radius for table in tables])
            escapes.append(np.abs(integers) > radii[numbers])
            return integers

    monkeypatch.setattr(_codec, "Decoder", Watched)
    model.decompress([streams["odd"]])
    assert np.concatenate([e.ravel() for e in escapes]).any()
