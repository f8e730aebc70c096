"""Streams that were written once must decode for ever; ``golden/make.py`` has written them."""

import dataclasses
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_sample_image

from skae.coding import RAW, BitstreamError, Codec, CodecTables, _codec, _entropy, unpack
from skae.compression import ImageCompressor
from skae.compression._image_streams import ImageHeader
from skae.compression._images import Images
from skae.metrics import psnr
from skae.networks import ImageCodecNetwork

GOLDEN = Path(__file__).parent / "golden"
NAMES = ("dataset", "odd", "raw", "tiles", "whole/dataset", "whole/larger")
WIDE = ("wide/dataset", "wide/strip")
NETWORKS = {
    "golden": {"image_shape": (8, 8, 1), "patch_shape": (4, 4), "n_components": 10},
    "whole": {"image_shape": (7, 8, 1), "patch_shape": (7, 8), "n_components": 12},
    "wide": {"image_shape": (8, 32, 1), "patch_shape": (2, 2), "wide": True},
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
    tables = CodecTables(*(arrays[each.name] for each in dataclasses.fields(CodecTables)))
    model._codec = Codec(network.eval(), tables)
    model._range = 0.0, 255.0
    model._form = Images([np.empty((0, 8, 1), np.uint8)], "array", True)
    # The first streams are older than the range of values in fingerprints.
    allowed = model._codec.fingerprint(), model._streams_of(model._codec).fingerprint
    assert arrays["fingerprint"] in allowed
    model.fingerprint_, model._former_fingerprints = int(arrays["fingerprint"]), ()
    return model


@pytest.mark.parametrize("coder", ["constriction", "numpy"])
@pytest.mark.parametrize("name", [*NAMES, *WIDE])
def test_golden_stream(name, coder, monkeypatch):
    if coder == "numpy":
        monkeypatch.setattr(_entropy, "constriction", None)
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
    headers = {name: unpack(load_stream(name), ImageHeader)[0] for name in NAMES}
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

    class Watched(_entropy.Decoder):
        def take(self, tables, which):
            integers = super().take(tables, which)
            radii = np.array([table.radius for table in tables])
            escapes.append(np.abs(integers) > radii[which])
            return integers

    monkeypatch.setattr(_codec, "Decoder", Watched)
    load_model("odd").decompress([load_stream("odd")])
    assert np.concatenate([e.ravel() for e in escapes]).any()


def test_first_bundled_model_reads_streams_of_its_former_fingerprint():
    model = ImageCompressor.pretrained(version=1)
    (decoded,) = model.decompress([load_stream("photographs/flower")])
    picture = load_arrays("photographs/flower", "pictures")["flower"]
    assert np.abs(decoded.astype(int) - picture).max() <= 1
    twin = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(twin.decompress([load_stream("photographs/flower")])[0], decoded)
    other = ImageCompressor.pretrained(version=1, warm_start=True).fit(
        [np.tile(picture, (4, 3, 1))]
    )
    how = r"written by the model 96d82abf.*read it with ImageCompressor.pretrained\(version=1\)"
    with pytest.raises(BitstreamError, match=how):
        other.decompress([load_stream("photographs/flower")])


def test_first_bundled_model_reads_streams_of_its_present_fingerprint():
    """Written before gray pictures could be."""
    (decoded,) = ImageCompressor.pretrained(version=1).decompress(
        [load_stream("photographs/china")]
    )
    assert psnr([load_sample_image("china.jpg")[100:140, 200:264]], [decoded]) > 28


@pytest.mark.parametrize("name", ["petals", "gray"])
def test_second_bundled_model(name):
    name = f"photographs_2/{name}"
    stream, picture = load_stream(name), load_arrays(name, "pictures")[Path(name).name][0]
    assert unpack(stream, ImageHeader)[1][0][0] > 127  # it has offsets
    (decoded,) = ImageCompressor.pretrained(version=2).decompress([stream])
    assert decoded.shape == picture.shape
    assert np.abs(decoded.astype(int) - picture).max() <= 1
