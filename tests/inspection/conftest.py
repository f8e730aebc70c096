import copy
import pickle
import zlib

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest


@pytest.fixture(autouse=True)
def matplotlib_left_as_found():
    mpl.use("Agg")
    found = copy.deepcopy(dict(mpl.rcParams))
    yield
    plt.close("all")
    assert dict(mpl.rcParams) == found


@pytest.fixture
def ax():
    return plt.subplots()[1]


class Quantizer:
    """Keeps the first `quality` bits of each value."""

    def compress(self, X, quality):
        step = 2 ** (8 - quality)
        return [zlib.compress(pickle.dumps(x // step * step + step // 2)) for x in X]

    def decompress(self, streams):
        return [pickle.loads(zlib.decompress(stream)) for stream in streams]


@pytest.fixture
def quantizer():
    return Quantizer()


@pytest.fixture
def images():
    x = np.linspace(0, 3, 40)
    shades = [np.sin(x[:, None] * x), np.cos(x[:, None] + x), np.sin(2 * x + x[:, None])]
    image = (127.5 * (1 + np.stack(shades, axis=-1))).round().astype(np.uint8)
    return [image, image[:25, 5:]]
