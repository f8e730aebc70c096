"""Models of one's own: a safe file, from the command or from Python."""

import zipfile

import numpy as np
import pytest
import skops.io
from PIL import Image
from sklearn.decomposition import PCA
from skorch.callbacks import EpochTimer

from skae import ImageCompressor
from skae.cli import _fit_codec, _models


@pytest.fixture(scope="module")
def small_model(tmp_path_factory):
    """A file of a model that is fitted in no time, to colored images of 8 bits."""
    images = np.random.default_rng(0).integers(0, 256, (40, 4, 4, 3), dtype=np.uint8)
    model = ImageCompressor(n_components=6, max_epochs=0, random_state=0).fit(images)
    path = tmp_path_factory.mktemp("models") / "my.skae-model"
    path.write_bytes(_models.bytes_of(model))
    return path


@pytest.fixture(autouse=True)
def _forget_models():
    _models.model_of.cache_clear()


def test_a_model_of_ones_own(folder, run, failure, small_model):
    assert run("compress", "photo.png", "--model", small_model)[0] == 0
    assert run("decompress", "photo.skae", "-o", "y.png", "--model", small_model)[0] == 0
    assert "was written by the model" in failure("decompress", "photo.skae", "-o", "x.png")


def test_fit_codec(folder, run, failure, monkeypatch, photo):
    shapes, fit = [], ImageCompressor.fit

    def quick_fit(model, X):
        shapes.extend(image.shape for image in X)
        return fit(model, np.stack([image[:4, :4] for image in X] * 20))

    monkeypatch.setattr(ImageCompressor, "fit", quick_fit)
    (folder / "pictures" / "deep").mkdir(parents=True)
    Image.fromarray(photo).save("pictures/deep/a.png")
    Image.fromarray(photo[..., 0]).save("pictures/gray.png")
    (folder / "pictures" / "bad.png").write_bytes(b"no picture")

    status, _, [error, line] = run("fit-codec", "pictures", "-o", "my.skae-model")

    assert status == 1
    assert error == "skae: pictures/bad.png: it is not an image file"
    assert line.startswith("skae: my.skae-model: X has 40 images, few to learn")
    assert "fitted to 2 images of 0.0 megapixels" in line
    assert shapes == [(48, 65, 3), (48, 65, 3)]
    assert run("compress", "photo.png", "--model", "my.skae-model")[0] == 0
    assert "is there already" in failure("fit-codec", "pictures", "-o", "my.skae-model")


def test_nothing_to_fit_to(folder, run):
    (folder / "empty").mkdir()
    status, out, [line] = run("fit-codec", "empty", "-o", "my.skae-model")
    assert (status, out) == (1, [])
    assert line == "skae: my.skae-model: there is no image and no sound to fit a model to"


def test_files_that_are_no_models(folder, failure, small_model):
    def message():
        return failure("compress", "photo.png", "--model", "x.skae-model")

    assert message() == "x.skae-model: No such file or directory"
    path = folder / "x.skae-model"
    path.write_bytes(b"no model")
    assert message().startswith("x.skae-model is no model, or damaged")
    path.write_bytes(small_model.read_bytes()[:-200])
    assert message().startswith("x.skae-model is no model, or damaged")
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a", "b")
    assert message().startswith("x.skae-model is no model, or damaged")
    skops.io.dump(PCA(), path)
    assert message() == "x.skae-model holds no ImageCompressor, but a PCA"
    skops.io.dump(EpochTimer(), path)
    assert "EpochTimer, which is no part of a model" in message()
    model = ImageCompressor(n_components=2, max_epochs=0).fit(np.eye(30 * 9).reshape(-1, 9, 9)[:30])
    path.write_bytes(_models.bytes_of(model))
    assert message() == "x.skae-model is a model of images of float64, image files need uint8"


def test_skops_may_be_missing(folder, failure, monkeypatch, small_model):
    monkeypatch.setitem(__import__("sys").modules, "skops.io", None)
    assert 'pip install "skae[persistence]"' in failure(
        "compress", "photo.png", "--model", small_model
    )


def test_fit_is_not_begun_in_vain(folder, failure, monkeypatch):
    monkeypatch.setattr(_fit_codec, "found", None)
    (folder / "my.skae-model").write_bytes(b"mine")
    message = failure("fit-codec", ".", "-o", "my.skae-model")
    assert message == "my.skae-model is there already; --force overwrites it"
