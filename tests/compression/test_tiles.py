"""Large images are coded tile by tile: nothing else of their size is ever held."""

import tracemalloc

import numpy as np
import pytest
from sklearn.datasets import load_sample_image

from skae.compression import ImageCompressor

TILE = 512 * 512 * 3


@pytest.fixture(scope="module")
def large():
    return np.tile(load_sample_image("flower.jpg"), (3, 3, 1))[:1200, :1300]


@pytest.fixture(scope="module")
def stream(large):
    return ImageCompressor.pretrained().compress([large], quality=5)[0]


@pytest.fixture
def model(monkeypatch):
    """A model whose network takes nothing larger than a tile."""
    model = ImageCompressor.pretrained()
    network = model._codec.network
    for name in ("coefficients", "synthesize"):
        inner = getattr(network, name)

        def watched(values, *args, inner=inner):
            assert values.numel() <= TILE
            return inner(values, *args)

        monkeypatch.setattr(network, name, watched)
    return model


def peak(function, *args, **params):
    """Return how many bytes of arrays a call holds at most."""
    tracemalloc.start()
    function(*args, **params)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


WORK = 4 * 4 * TILE  # a few arrays of floats


def test_compress_holds_a_tile(model, large):
    assert 3 * large.nbytes > WORK  # less than a copy in float32 needs
    assert peak(model.compress, [large], quality=5) < WORK


def test_decompress_holds_the_image_and_a_tile(model, large, stream):
    assert peak(model.decompress, [stream]) < large.nbytes + WORK


def test_decompress_holds_the_region_and_a_tile(model, large, stream):
    assert peak(model.decompress, [stream], region=(slice(9), slice(9))) < WORK
