"""Images of any dtype and range: they keep their quality, and come back as they were."""

import warnings

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from skae.compression import ImageCompressor


@pytest.fixture(scope="module")
def digits():
    return (load_digits().images[:300, 1:6, 1:6] * 255 / 16).astype(np.uint8)


def fitted(X, **params):
    params = {"n_components": 12, "max_epochs": 0, "random_state": 0} | params
    return ImageCompressor(**params).fit(X)


@pytest.fixture(scope="module")
def of_digits(digits):
    return fitted(digits)


@pytest.mark.parametrize(
    ("change", "unit"),
    [
        (lambda X: X.astype(np.int64), 1),
        (lambda X: X.astype(np.int16) * 8 - 1024, 8),
        (lambda X: X.astype(np.uint16) * 16, 16),
        (lambda X: X.astype(">u2") * 257, 257),
        (lambda X: X.astype(np.uint32) * 10**6, 10**6),
        (lambda X: X.astype(np.float16) / 256, 1 / 256),
        (lambda X: X.astype(">f8") * 1000, 1000),
        (lambda X: X.reshape(-1, 25).astype(">u2"), 1),
    ],
    ids=["int64", "int16", "12 bits", "big-endian", "uint32", "float16", ">f8", "rows of >u2"],
)
def test_every_dtype_keeps_its_quality_and_comes_back(change, unit, digits, of_digits):
    X = change(digits)
    model = fitted(X, image_shape=(5, 5) if X.ndim == 2 else None)
    streams = [each.compress_dataset(Y[:50]) for each, Y in [(model, X), (of_digits, digits)]]

    decoded, expected = (
        model.decompress_dataset(streams[0]),
        of_digits.decompress_dataset(streams[1]),
    )

    assert decoded.dtype == X.dtype.newbyteorder("=")
    assert decoded.shape == X[:50].shape
    assert decoded.min() >= 0 or X.min() < 0 or X.dtype.kind == "f"
    errors = [
        np.std((Y - 1.0 * Z).astype(float)) for Y, Z in [(decoded, X[:50]), (expected, digits[:50])]
    ]
    assert errors[0] / unit == pytest.approx(errors[1], rel=0.25)
    assert len(streams[0]) == pytest.approx(len(streams[1]), rel=0.1)


@pytest.mark.parametrize("change", [lambda X: X > 99, lambda X: (X > 99).astype(np.uint8)])
def test_masks_are_not_lost(change, digits):
    X = change(digits)
    decoded = fitted(X).reconstruct(X[:20])

    assert decoded.dtype == X.dtype
    assert np.mean(decoded != X[:20]) < 0.03


@pytest.mark.parametrize(
    ("X", "expected"),
    [
        (np.array([0, 200], np.uint8), (0, 255)),
        (np.array([3, 16], np.uint8), (0, 31)),
        (np.array([0, 4000], np.uint16), (0, 4095)),
        (np.array([0, 60000], np.uint16), (0, 65535)),
        (np.array([0, 1023], int), (0, 1023)),
        (np.array([-100, 300], np.int16), (-100, 400)),
        (np.array([0.5, 0.75]), (0.5, 0.25)),
        (np.array([False, True]), (0, 1)),
    ],
)
def test_range_of_training_images(X, expected):
    images = np.resize(X, (12, 2, 2, 1))

    assert fitted(images)._range == expected


def test_a_range_that_is_given(digits):
    X = digits.astype(np.uint16) * 4
    model = fitted(X, max_value=1023)

    decoded = model.reconstruct(X[:20])

    assert model._range == (0, 1023)
    assert (decoded.dtype, decoded.min(), decoded.max()) == (np.uint16, 0, 1023)
    with pytest.raises(
        ValueError, match=r"X\[0\] has values from 0 to 19\d\d, .* between 0 and 1023"
    ):
        model.compress(X[:20] * 2)
    with pytest.raises(
        ValueError, match="X has values from 0 to 1020, more than max_value=255 spans"
    ):
        fitted(X, max_value=255)
    assert fitted(digits / 255, max_value=2)._range == (0, 2)
    assert fitted(digits / 255 - 1, max_value=2)._range == (-1, 2)


def test_integers_of_any_kind_go_with_a_model_of_bytes(of_digits, digits):
    streams = of_digits.compress(digits[:3])

    assert of_digits.compress(digits[:3].astype(int)) == streams
    assert of_digits.compress(digits[:3].tolist()) == streams
    for other in (digits[:3] > 5, digits[:3].astype(np.uint16), digits[:3] / 255):
        with pytest.raises(ValueError, match=f"X has dtype {other.dtype}, but ImageCompressor was"):
            of_digits.compress(other)


def test_pictures_are_lists_of_images(digits, of_digits):
    pictures = [Image.fromarray(image) for image in digits[:3]]

    assert of_digits.compress(pictures) == of_digits.compress(digits[:3])
    assert of_digits.compress(pictures[0]) == of_digits.compress(digits[:1])
    model = fitted([Image.fromarray(image) for image in digits])
    assert isinstance(model.reconstruct(pictures), list)
    assert model.fingerprint_ == of_digits.fingerprint_


# ---------------------------------------------------------------- what is said


def test_targets_out_of_reach(of_digits, digits):
    X = [np.tile(image, (12, 12)) for image in digits[:2]]
    with pytest.warns(
        UserWarning, match=r"target_psnr=99 can't .* 2 of 2 signals: quality 100 reaches"
    ):
        streams = of_digits.compress(X, target_psnr=99)
    assert streams == of_digits.compress(X, quality=100)
    message = r"target_bpp=0.01 can't be met for 2 of 2 signals: quality 0 takes \d.* bits per"
    with pytest.warns(UserWarning, match=message):
        streams = of_digits.compress(X, target_bpp=0.01)
    assert streams == of_digits.compress(X, quality=0)


def test_targets_within_reach_are_silent(of_digits, digits):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        of_digits.compress(digits[:2], target_psnr=20)
        of_digits.compress(digits[:2], target_bpp=100)


def test_other_units(digits):
    model = fitted(digits / 1.0)

    with pytest.warns(UserWarning, match="up to 1, and the range .* is 0 to 255, .* same units"):
        model.compress(digits[:3] / 255)
    with pytest.warns(UserWarning, match="up to 1.*e.05"):
        model.compress(digits[:3] * 400.0)


def test_too_few_images(digits):
    with pytest.warns(
        UserWarning, match="X has 50 images, few to learn 25 coefficients .* least 75"
    ):
        fitted(digits[:50], n_components="auto")
    with pytest.warns(UserWarning, match="X has 8 patches of 4 x 4 pixels, few to learn 16 coeff"):
        fitted(digits[:2], n_components="auto", patch_shape=(4, 4))


def test_images_of_one_value():
    with pytest.warns(UserWarning, match="X has the value 7 everywhere"):
        model = fitted(np.full((20, 2, 2, 1), 7, np.uint8))
    assert (model.reconstruct(np.full((2, 2, 2, 1), 7, np.uint8)) == 7).all()
