"""Files that are damaged or forged end in one clear error, at once and in little memory."""

import tracemalloc

import numpy as np
import pytest

import skae
from skae import Autoencoder, ModelFileError

from .hostile import _FORGERIES, hostile_files

MOST_MEMORY = 100e6


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    X = np.random.default_rng(0).normal(size=(40, 3))
    path = tmp_path_factory.mktemp("files") / "model.skae"
    skae.save(Autoencoder(1, hidden_layer_sizes=(4,), max_epochs=1, random_state=0).fit(X), path)
    return path.read_bytes()


@pytest.fixture(scope="module")
def forged(content):
    return dict(hostile_files(content))


@pytest.fixture
def error(tmp_path):
    def error_of(content):
        path = tmp_path / "model.skae"
        path.write_bytes(content)
        tracemalloc.start()
        with pytest.raises(ModelFileError) as caught:
            skae.load(path)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        message = str(caught.value)
        assert peak < MOST_MEMORY
        assert message.startswith(f"{path} can't be loaded: it ")
        assert "\n" not in message
        assert len(message) < 600
        return message

    return error_of


@pytest.mark.parametrize("name", _FORGERIES)
def test_forged(name, forged, error):
    error(forged[name])


def test_every_changed_byte_is_noticed(content, error):
    places = np.random.default_rng(0).integers(len(content), size=100)
    for place in (0, 3, 7, 8, 40, *places):
        error(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])


def test_every_missing_byte_is_noticed(content, error):
    for n in (0, 1, 7, 8, 9, 100, len(content) // 2, len(content) - 1):
        error(content[:n])
    error(content + b"\0")


def test_files_of_others(error):
    for other in (
        b"",
        b"no model",
        b"PK\3\4" + bytes(100),
        b"\x80\4K\1.",
        bytes(100),
        b"\xff" * 99,
    ):
        assert "it is no model file" in error(other)
