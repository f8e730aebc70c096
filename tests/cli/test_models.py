"""Models of one's own: a safe file, from the command or from Python."""

import json

import numpy as np
import pytest
from PIL import Image
from sklearn.decomposition import PCA
from sklearn.preprocessing import FunctionTransformer

import skae
from skae import ImageCompressor
from skae.cli import _fit_codec, _models


@pytest.fixture(scope="module")
def small_model(tmp_path_factory):
    """A file of a model that is fitted in no time, to colored images of 8 bits."""
    images = np.random.default_rng(0).integers(0, 256, (40, 4, 4, 3), dtype=np.uint8)
    model = ImageCompressor(n_components=6, max_epochs=0, random_state=0).fit(images)
    path = tmp_path_factory.mktemp("models") / "my.skae-model"
    skae.save(model, path)
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
    assert message().startswith("x.skae-model can't be loaded: it is no model file, or damaged")
    path.write_bytes(small_model.read_bytes()[:-200])
    assert message().startswith("x.skae-model can't be loaded: it is damaged")
    skae.save(PCA().fit(np.eye(2)), path)
    assert message() == "x.skae-model holds no ImageCompressor, but a PCA"
    model = ImageCompressor(n_components=2, max_epochs=0).fit(np.eye(30 * 9).reshape(-1, 9, 9)[:30])
    skae.save(model, path)
    assert message() == "x.skae-model is a model of images of float64, image files need uint8"


def test_info(folder, run, failure, small_model):
    status, [line], errors = run("info", small_model)
    assert (status, errors) == (0, [])
    assert line.startswith(f"{small_model}: ImageCompressor, skae {skae.__version__}, ")
    assert line.endswith(" bytes, no training can go on")
    assert json.loads(run("info", small_model, "--json")[1][0])["types"] == []

    path = folder / "own.skae"
    scaler = FunctionTransformer(print).fit(np.eye(2))
    skae.save(scaler, path, training=True)
    line = run("info", path)[1][0]
    assert line.endswith(
        "a training can go on, needs types=[sklearn.preprocessing.FunctionTransformer]"
    )

    content = path.read_bytes()
    path.write_bytes(content[:-1])
    assert "can't be loaded: it is no model file, or damaged" in failure("info", path)
    assert "No such file" in failure("info", "missing.skae")


def test_fit_is_not_begun_in_vain(folder, failure, monkeypatch):
    monkeypatch.setattr(_fit_codec, "found", None)
    (folder / "my.skae-model").write_bytes(b"mine")
    message = failure("fit-codec", ".", "-o", "my.skae-model")
    assert message == "my.skae-model is there already; --force overwrites it"
