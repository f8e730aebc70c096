"""One order of image shapes, and one reader of images, for all rooms."""

import copy
import pickle
from dataclasses import replace
from math import prod
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from skae import Autoencoder, ImageCompressor
from skae._shapes import ImageShape, are_rows, checked_image_shape, read_images
from skae.inspection import ReconstructionDisplay
from skae.metrics import psnr


def pixels(*shape, dtype=np.uint8):
    return np.random.default_rng(0).integers(0, 256, shape).astype(dtype)


# ---------------------------------------------------------------- shapes of rows


@pytest.mark.parametrize(
    ("given", "expected", "layout"),
    [
        ((8, 9), (1, 8, 9), (1, 8, 9)),
        ([np.int64(8), 9], (1, 8, 9), (1, 8, 9)),
        ((1, 8, 9), (1, 8, 9), (1, 8, 9)),
        ((3, 8, 9), (3, 8, 9), (3, 8, 9)),
        ((4, 8, 9), (4, 8, 9), (4, 8, 9)),
        ((8, 9, 1), (1, 8, 9), (8, 9, 1)),
        ((8, 9, 3), (3, 8, 9), (8, 9, 3)),
        ((8, 9, 4), (4, 8, 9), (8, 9, 4)),
        ((16, 8, 9), (16, 8, 9), (16, 8, 9)),
        ((2, 8, 9), (2, 8, 9), (2, 8, 9)),
        ((8, 9, 2), (8, 9, 2), (8, 9, 2)),
    ],
    ids=str,
)
def test_order_of_a_shape(given, expected, layout):
    shape = checked_image_shape(given, np.prod(given))

    assert shape == expected
    assert shape.layout == layout


@pytest.mark.parametrize("shape", [(3, 8, 4), (1, 8, 3), (3, 3, 3), (1, 64, 1)])
def test_two_readings(shape):
    with pytest.raises(ValueError, match=r"image_shape=.* may be .* \d channels? of .*, or .*give"):
        checked_image_shape(shape, np.prod(shape))


def test_both_readings_are_named():
    message = (
        r"image_shape=\(3, 8, 4\) may be \(channels, height, width\), 3 channels of 8 x 4 pixels, "
        r"or \(height, width, channels\), 4 channels of 3 x 8 pixels"
    )
    with pytest.raises(ValueError, match=message):
        checked_image_shape((3, 8, 4), 96)


def test_least_side_decides_between_readings():
    assert checked_image_shape((3, 9, 4), 108, min_side=4) == (3, 9, 4)
    assert checked_image_shape((9, 9, 3), 243, min_side=8).channels_last


@pytest.mark.parametrize("shape", [(64,), (2, 2, 4, 4), (), (0, 64), (-8, -8), (0, 8, 8)])
def test_no_shape_of_an_image(shape):
    message = r"image_shape must be \(height, width\) or \(channels, height, width\), got "

    with pytest.raises(ValueError, match=message):
        checked_image_shape(shape, 64)


def test_shape_of_other_rows():
    with pytest.raises(ValueError, match=r"image_shape=\(3, 9, 9\) holds 243 values, but X has 64"):
        checked_image_shape((3, 9, 9), 64)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))])
def test_copies_of_a_shape_keep_its_layout(copied):
    assert copied(checked_image_shape((8, 9, 3), 216)).layout == (8, 9, 3)


def test_rows_of_both_layouts_are_the_same_pictures():
    images = pixels(5, 8, 9, 3)
    first, last = ImageShape((3, 8, 9)), checked_image_shape((8, 9, 3), 216)

    for shape, rows in [(first, np.moveaxis(images, -1, 1)), (last, images)]:
        np.testing.assert_array_equal(shape.pictures(rows.reshape(5, -1)), images)
        np.testing.assert_array_equal(shape.planes(rows.reshape(5, -1))[:, 1], images[..., 1])


# ---------------------------------------------------------------- images


@pytest.mark.parametrize(
    ("X", "form", "shapes", "is_gray", "channels_first"),
    [
        (pixels(9, 5), "image", [(9, 5)], True, False),
        (pixels(20, 30, 3), "image", [(20, 30, 3)], False, False),
        (pixels(20, 30, 1), "image", [(20, 30, 1)], False, False),
        (pixels(2, 9, 3), "image", [(2, 9, 3)], False, False),
        (pixels(2, 8, 8), "array", [(8, 8)] * 2, True, False),
        (pixels(3, 20, 30), "array", [(20, 30)] * 3, True, False),
        (pixels(2, 4, 5, 3), "array", [(4, 5, 3)] * 2, False, False),
        (pixels(2, 3, 20, 4), "array", [(3, 20, 4)] * 2, False, False),
        (pixels(2, 3, 20, 30), "array", [(20, 30, 3)] * 2, False, True),
        (pixels(2, 1, 20, 30), "array", [(20, 30, 1)] * 2, False, True),
        (pixels(2, 5, 12, 9), "array", [(5, 12, 9)] * 2, False, False),
        (pixels(2, 1, 8, 8), "array", [(8, 8, 1)] * 2, False, True),
        (pixels(2, 3, 5, 5), "array", [(5, 5, 3)] * 2, False, True),
        (pixels(2, 3, 3, 20), "array", [(3, 3, 20)] * 2, False, False),
        (pixels(2, 64, 48, 7), "array", [(64, 48, 7)] * 2, False, False),
        ([pixels(3, 8, 8)], "list", [(8, 8, 3)], False, True),
        ([pixels(9, 5), pixels(4, 4)], "list", [(9, 5), (4, 4)], True, False),
        ([pixels(100, 8, 4)], "list", [(100, 8, 4)], False, False),
        ([pixels(3, 20, 30)], "list", [(20, 30, 3)], False, True),
        ((pixels(3, 20, 30), pixels(20, 30, 3)), "list", [(20, 30, 3)] * 2, False, True),
        ([[[1, 2], [3, 4]]], "list", [(2, 2)], True, False),
    ],
)
def test_forms_of_images(X, form, shapes, is_gray, channels_first):
    images = read_images(X, "X")

    assert [array.shape for array in images.arrays] == shapes
    found = images.form, images.is_gray, images.channels_first
    assert found == (form, is_gray, channels_first)


@pytest.mark.parametrize(
    "X",
    [
        pixels(2, 8, 9),
        pixels(2, 8, 9, 1),
        pixels(2, 8, 9, 3),
        pixels(2, 3, 20, 30),
        pixels(2, 1, 20, 30),
        [pixels(8, 9), pixels(4, 5)],
        [pixels(3, 20, 30), pixels(3, 10, 9)],
        [pixels(8, 9, 4)],
    ],
)
def test_images_are_restored_in_their_form(X):
    images = read_images(X, "X").with_channels()

    restored = images.restored(images.arrays)

    assert type(restored) is type(X)
    assert len(restored) == len(X)
    for image, expected in zip(restored, X, strict=True):
        np.testing.assert_array_equal(image, expected)


@pytest.mark.parametrize(
    ("X", "expected"),
    [
        (pixels(2, 8, 9), (0, 8, 9)),
        (pixels(2, 8, 9, 3), (0, 8, 9, 3)),
        (pixels(2, 3, 20, 30), (0, 3, 20, 30)),
    ],
)
def test_an_array_of_no_images_keeps_its_axes(X, expected):
    images = read_images(X, "X").with_channels()
    none = np.stack(images.arrays)[:0]

    assert images.restored(none).shape == expected
    assert replace(images, form="rows").restored(none).shape == (0, prod(expected[1:]))


def test_one_image_or_many():
    message = (
        r"Y of shape \(100, 8, 4\) may be one image of 100 x 8 pixels, or 100 images of 8 x 4: "
        r"pass \[Y\] for the one, Y\[..., None\] for the others"
    )
    X = pixels(100, 8, 4)

    with pytest.raises(ValueError, match=message):
        read_images(X, "Y")
    assert len(read_images([X], "Y").arrays) == 1
    assert len(read_images(X[..., None], "Y").arrays) == 100


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (
            pixels(2, 3, 20, 8),
            r"Y of shape \(2, 3, 20, 8\) .* np.moveaxis\(Y, 1, -1\), of shape \(2, ",
        ),
        (pixels(2, 2, 9, 9), r"or 9 channels after them.* of shape \(2, 9, 9, 2\)"),
        (pixels(2, 2, 30, 40), r"np.moveaxis\(Y, 1, -1\), of shape \(2, 30, 40, 2\)"),
        (
            [pixels(9, 9, 3), pixels(3, 20, 8)],
            r"Y\[1\] .* np.moveaxis\(Y\[1\], 0, -1\), of shape \(20, ",
        ),
    ],
)
def test_channels_that_may_come_first_or_last(X, message):
    with pytest.raises(ValueError, match=message):
        read_images(X, "Y")


def test_the_hint_on_channels_leads_to_images():
    X = pixels(2, 2, 30, 40)

    assert read_images(np.moveaxis(X, 1, -1), "X").arrays[0].shape == (30, 40, 2)


@pytest.mark.parametrize("dtype", [">u2", ">i4", ">f4", ">f8"])
@pytest.mark.parametrize("make", [lambda X: X, list])
def test_byte_order_of_this_machine(dtype, make):
    X = pixels(2, 9, 12).astype(dtype)

    images = read_images(make(X), "X")

    assert images.dtype == X.dtype.newbyteorder("=")
    assert images.dtype.isnative
    np.testing.assert_array_equal(images.arrays, X)


@pytest.mark.parametrize("picked", [np.s_[:, ::-1], np.s_[:, :, ::-2], np.s_[::-1]])
def test_views_are_read_as_they_look(picked):
    X = pixels(2, 9, 24)[picked]
    X.flags.writeable = False

    np.testing.assert_array_equal(read_images(X, "X").arrays, X)


@pytest.mark.parametrize(
    ("mode", "shape", "dtype", "like"),
    [
        ("L", (9, 12), "uint8", "L"),
        ("1", (9, 12), "uint8", "L"),
        ("I;16", (9, 12), "uint16", "I;16"),
        ("I;16B", (9, 12), "uint16", "I;16"),
        ("I", (9, 12), "int32", "I"),
        ("F", (9, 12), "float32", "F"),
        ("LA", (9, 12, 2), "uint8", "LA"),
        ("RGB", (9, 12, 3), "uint8", "RGB"),
        ("RGBA", (9, 12, 4), "uint8", "RGBA"),
        ("P", (9, 12, 3), "uint8", "RGB"),
    ],
)
def test_pictures(mode, shape, dtype, like):
    picture = Image.fromarray(pixels(9, 12))
    picture = picture.convert("I;16" if mode == "I;16B" else mode)
    if mode == "I;16B":
        picture = Image.frombytes(mode, picture.size, picture.tobytes())

    for images in (read_images(picture, "X"), read_images([picture, picture], "X")):
        assert images.arrays[0].shape == shape
        assert images.dtype == dtype
    assert read_images(picture, "X").form == "image"
    if mode != "I;16B":
        np.testing.assert_array_equal(images.arrays[1], np.asarray(picture.convert(like)))


def test_palette_with_transparent_colors():
    picture = Image.fromarray(pixels(9, 12)).convert("P")
    picture.info["transparency"] = 0

    assert read_images(picture, "X").arrays[0].shape == (9, 12, 4)


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr", "HSV"])
def test_pictures_in_other_color_spaces_are_refused_by_name(mode):
    pictures = [Image.fromarray(pixels(9, 12, 3)), Image.new(mode, (12, 9))]

    with pytest.raises(ValueError, match=rf"X\[1\] is a picture of mode {mode}.*convert\('RGB'\)"):
        read_images(pictures, "X")


def test_tensors():
    X = torch.rand(2, 3, 9, 12, requires_grad=True)

    for images in (read_images(X, "X"), read_images(list(X), "X")):
        assert images.channels_first
        np.testing.assert_array_equal(images.arrays[0], X[0].detach().permute(1, 2, 0))


@pytest.mark.parametrize("make", [lambda X: X, pd.Series])
def test_arrays_of_objects_are_lists(make):
    X = np.empty(2, dtype=object)
    X[:] = pixels(9, 12), pixels(5, 4)

    assert not are_rows(make(X))
    assert [array.shape for array in read_images(make(X), "X").arrays] == [(9, 12), (5, 4)]


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ("a.png", r"Y must be an image .*, got str: pass PIL.Image.open"),
        ([Path("a.png")], r"Y\[0\] must be .*, got \w*Path: pass PIL.Image.open of each file"),
        ([b"\x89PNG"], r"Y\[0\] must be .*, got bytes"),
        (iter([pixels(9, 9)]), r"Y must be .*iterator: pass list\(Y\)"),
    ],
)
def test_what_is_to_be_opened_first(X, message):
    assert not are_rows(X)
    with pytest.raises(TypeError, match=message):
        read_images(X, "Y")


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([[[1, 2], [3]]], r"Y\[0\] can't be read as an image"),
        (np.ma.masked_less(pixels(9, 9), 200), r"Y has \d+ masked values: fill them"),
        ([], "Y must hold at least one image, got 0"),
        (np.zeros((0, 9, 9)), "Y must hold at least one image, got 0"),
        (np.zeros(9), r"Y must be an image .* got shape \(9,\)"),
        ([np.zeros((2, 9, 9, 3))], r"Y\[0\] must be an image .* got shape \(2, 9, 9, 3\)"),
        (np.zeros((9, 0)), r"Y must be an image .* at least one pixel, got shape \(9, 0\)"),
        (np.array([["a"]]), "Y must hold real numbers, got dtype <U1"),
        ([np.zeros((9, 9), complex)], r"Y\[0\] must hold real numbers, got dtype complex128"),
        (np.full((9, 9), np.nan), "Input Y contains NaN"),
        ([np.zeros((9, 9)), np.full((9, 9), -np.inf)], r"Input Y\[1\] contains infinity"),
    ],
)
def test_what_is_no_image(X, message):
    with pytest.raises(ValueError, match=message):
        read_images(X, "Y")


@pytest.mark.parametrize(
    ("X", "expected"),
    [
        (pixels(5, 9), True),
        (pixels(5, 9).tolist(), True),
        ([pixels(9), pixels(9)], True),
        (pixels(5, 9, 9), False),
        (pixels(5, 9, 9, 3), False),
        ([pixels(5, 9)], False),
        ([pixels(5, 9).tolist()], False),
        ([["a", "b"], ["c", "d"]], True),
        (Image.new("L", (9, 5)), False),
        ([Image.new("L", (9, 5))], False),
    ],
)
def test_rows(X, expected):
    assert are_rows(X) is expected


# ---------------------------------------------------------------- what rooms make of it


@pytest.fixture(scope="module")
def crops():
    """Return smooth colour images of shape (n, height, width, channels)."""
    y, x = np.mgrid[:32, :24] / 10
    waves = [np.sin(a * x + b * y + [[[0]], [[1]], [[2]]]) for a in range(4) for b in range(1, 6)]
    return np.moveaxis(128 + 100 * np.array(waves), 1, -1).astype(np.uint8)


def compressor(**params):
    params = {"n_components": 4, "patch_shape": (8, 8), "random_state": 0, **params}
    return ImageCompressor(module="mlp", max_epochs=0, **params)


def test_compressed_images_are_the_same_in_every_form(crops):
    """Rows and arrays in either layout give the same streams, and come back as they came."""
    crops = crops[:6]
    first = np.ascontiguousarray(np.moveaxis(crops, -1, 1))
    forms = {
        "array": (crops, None),
        "first": (first, None),
        "list": (list(first), None),
        "rows": (first.reshape(6, -1), (3, 32, 24)),
        "last": (crops.reshape(6, -1), (32, 24, 3)),
    }
    streams, decoded = {}, {}
    for name, (X, shape) in forms.items():
        model = compressor(image_shape=shape).fit(X)
        streams[name], decoded[name] = model.compress(X), model.reconstruct(X)
        assert np.shape(decoded[name]) == np.shape(X)
        assert model.inverse_transform(model.transform(X))[0].shape == X[0].shape

    assert all(stream == streams["array"] for stream in streams.values())
    expected = decoded["array"]
    for name in ("first", "list"):
        np.testing.assert_array_equal(np.moveaxis(decoded[name], 1, -1), expected)
    np.testing.assert_array_equal(decoded["last"].reshape(crops.shape), expected)
    rows = decoded["rows"].reshape(first.shape)
    np.testing.assert_array_equal(np.moveaxis(rows, 1, -1), expected)
    assert psnr(crops, expected) > 20


def test_gray_rows_are_the_same_with_and_without_an_axis_of_channels(crops):
    X = crops[:6, ..., 0].reshape(6, -1)

    streams = [
        compressor(image_shape=shape).fit(X).compress(X)
        for shape in [(32, 24), (1, 32, 24), (32, 24, 1)]
    ]

    assert streams[0] == streams[1] == streams[2]


def test_convolutions_see_the_same_images_in_both_layouts(crops):
    first = np.moveaxis(crops, -1, 1).reshape(20, -1) / 255
    last = crops.reshape(20, -1) / 255
    order = np.arange(last.shape[1]).reshape(32, 24, 3).transpose(2, 0, 1).ravel()
    params = {"module": "conv", "module__linear_skip": False, "max_epochs": 3, "random_state": 0}

    of_first = Autoencoder(4, module__image_shape=(3, 32, 24), **params).fit(first)
    of_last = Autoencoder(4, module__image_shape=(32, 24, 3), **params).fit(last)

    np.testing.assert_allclose(of_last.transform(last), of_first.transform(first), atol=1e-5)
    np.testing.assert_allclose(
        of_last.reconstruct(last)[:, order], of_first.reconstruct(first), atol=1e-5
    )


def test_convolutions_of_images_that_are_too_small():
    model = Autoencoder(module="conv", module__image_shape=(16, 7, 3))

    with pytest.raises(ValueError, match=r"image_shape=\(16, 7, 3\) must have at least 8 x 8"):
        model.fit(np.ones((5, 336)))


def test_displays_draw_the_same_images_in_both_layouts(crops):
    first, last = np.moveaxis(crops, -1, 1), crops
    displays = [
        ReconstructionDisplay(X[:2].reshape(2, -1), X[2:4].reshape(2, -1), image_shape=shape)
        for X, shape in [(first, (3, 32, 24)), (last, (32, 24, 3))]
    ]

    drawn = [
        [image.get_array() for image in display.plot(error_map=True).images_.ravel()]
        for display in displays
    ]

    for a, b in zip(*drawn, strict=True):
        np.testing.assert_allclose(a, b)


def test_metrics_of_both_layouts(crops):
    first = np.moveaxis(crops, -1, 1)

    assert psnr(first[:10], first[10:]) == psnr(crops[:10], crops[10:])
