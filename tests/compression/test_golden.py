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
NAMES = ("dataset", "odd", "raw", "tiles", "whole/dataset", "whole/larger")
NETWORKS = {
    "golden": {"image_shape": (8, 8, 1), "patch_shape": (4, 4), "n_components": 10},
    "whole": {"image_shape": (7, 8, 1), "patch_shape": (7, 8), "n_components": 12},
}


def load_stream(name):
    return (GOLDEN / f"{name}.skae").read_bytes()


def load_arrays(name, what):
    """Return arrays that lie beside a stream."""
    with np.load((GOLDEN / name).with_name(f"{what}.npz")) as file:
        return dict(file)


def load_model(name):
    """Build the compressor of a stream from arrays, without unpickling anything."""
    arrays = load_arrays(name, "model")
    network = ImageCodecNetwork(**NETWORKS[(GOLDEN / name).parent.name], width=4, n_blocks=1)
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


@pytest.mark.parametrize("coder", ["constriction", "numpy"])
@pytest.mark.parametrize("name", NAMES)
def test_golden_stream(name, coder, monkeypatch):
    if coder == "numpy":
        monkeypatch.setattr(_coder, "constriction", None)
    decoded = np.stack(load_model(name).decompress([load_stream(name)]))
    picture = load_arrays(name, "pictures")[Path(name).name]
    assert decoded.dtype == picture.dtype
    difference = np.abs(decoded.astype(int) - picture)
    # Pixels are the work of floating point.
    assert difference.max() <= 1
    assert (difference > 0).sum() <= 2


@pytest.mark.parametrize("name", ["dataset", "whole/dataset"])
def test_random_access(name):
    decoded = load_model(name).decompress_dataset(load_stream(name), [299, 3])
    difference = np.abs(decoded.astype(int) - load_arrays(name, "pictures")["dataset"][[299, 3]])
    assert difference.max() <= 1


def test_they_hold_what_is_rare(monkeypatch):
    headers = {name: unpack(load_stream(name), 2**30)[0] for name in NAMES}
    assert {name: header.n_chunks for name, header in headers.items()} == {
        "dataset": 2,
        "odd": 1,
        "raw": 1,
        "tiles": 3,
        "whole/dataset": 2,
        "whole/larger": 1,
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
    load_model("odd").decompress([load_stream("odd")])
    assert np.concatenate([e.ravel() for e in escapes]).any()
