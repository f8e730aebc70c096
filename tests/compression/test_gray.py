"""Gray pictures, written by models of pictures in color."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_sample_image

from skae.compression import BitstreamError, ImageCompressor, inspect_stream
from skae.metrics import psnr
from skae.networks import ImageCodecNetwork


@pytest.fixture(scope="module")
def photographs():
    return ImageCompressor.pretrained()


@pytest.fixture(scope="module")
def gray():
    photo = load_sample_image("flower.jpg")[100:196, 200:300].astype(float)
    return (photo @ [0.3, 0.6, 0.1]).round().astype(np.uint8)


@pytest.fixture(scope="module")
def small_colors():
    photo = load_sample_image("china.jpg")[:100, :100]
    return photo.reshape(20, 5, 20, 5, 3).swapaxes(1, 2).reshape(-1, 5, 5, 3)


def in_color(image):
    return np.stack([image] * 3, -1)


@pytest.mark.parametrize("quality", [0, 40, 100])
def test_gray_costs_less_than_the_same_in_color(photographs, gray, quality):
    streams = photographs.compress([gray, in_color(gray)], quality=quality)
    decoded, colored = photographs.decompress(streams)
    assert len(streams[0]) < 1.05 * len(streams[1])
    assert decoded.shape == gray.shape
    assert colored.shape == (*gray.shape, 3)
    assert psnr([gray], [decoded]) > psnr([in_color(gray)], [colored]) + 0.3


def test_gray_in_every_form(photographs, gray):
    (stream,) = photographs.compress([gray], quality=20)
    assert inspect_stream(stream)["channels"] == 1
    assert photographs.compress([gray[..., None]], quality=20) == [stream]
    assert photographs.compress(gray[None], quality=20) == [stream]
    (whole,) = photographs.decompress([stream])
    (part,) = photographs.decompress([stream], region=(slice(5, 9), slice(30, 80)))
    np.testing.assert_array_equal(part, whole[5:9, 30:80])
    (stream,) = photographs.compress([gray], target_psnr=33)
    assert psnr([gray], photographs.decompress([stream])) >= 33
    score, lower = photographs.score_samples([gray, in_color(gray)]) * [1, 3]
    assert lower < score < 0


def test_a_data_set_of_gray_pictures(small_colors):
    model = ImageCompressor(module="mlp", max_epochs=0).fit(small_colors)
    grays = small_colors[:300].mean(-1).astype(np.uint8)
    stream = model.compress_dataset(grays, quality=60)
    decoded = model.decompress_dataset(stream)
    assert decoded.shape == grays.shape
    assert psnr(grays, decoded) > 30
    assert len(stream) < len(model.compress_dataset(in_color(grays), quality=60))
    np.testing.assert_array_equal(model.decompress_dataset(stream, [299, 3]), decoded[[299, 3]])
    with pytest.raises(ValueError, match="compress_dataset needs data of one shape"):
        model.compress_dataset([*grays[:2], small_colors[0]])


def test_pixels_of_gray_pictures_that_are_stored(photographs):
    noise = np.random.default_rng(0).integers(0, 256, (5, 4), dtype=np.uint8)
    (stream,) = photographs.compress([noise], quality=100)
    assert inspect_stream(stream)["quality"] is None
    np.testing.assert_array_equal(photographs.decompress([stream])[0], noise)


def test_where_gray_is_not_one_of_the_colors(photographs, gray, small_colors):
    with pytest.raises(ValueError, match="X has 2 channels, but ImageCompressor was fitted on ima"):
        photographs.compress([gray, in_color(gray)[..., :2]])
    of_gray = ImageCompressor(module="mlp", max_epochs=0).fit(small_colors[:50, ..., 0])
    with pytest.raises(ValueError, match="X has 3 channels, but ImageCompressor was fitted on ima"):
        of_gray.compress([gray, in_color(gray)])
    with pytest.raises(ValueError, match=r"X\[0\] has 1 of uint8 and X\[1\] 3 of uint8"):
        ImageCompressor().fit([gray, in_color(gray)])
    with pytest.raises(BitstreamError, match="by the model"):
        of_gray.decompress(photographs.compress([gray], quality=0))


def test_training_goes_on_with_colors_only(gray):
    model = ImageCompressor.pretrained(warm_start=True)
    large = np.tile(gray, (2, 2))
    for X in ([large], [in_color(large), large]):
        with pytest.raises(ValueError, match="signals of 1 channels, but the network that warm_st"):
            model.fit(X)


@pytest.mark.parametrize("n_components", [None, 5])
def test_components_of_gray_patches_follow_from_those_that_tell_of_them(small_colors, n_components):
    network = ImageCodecNetwork((20, 20, 3), (4, 4), n_components)
    pictures = small_colors.reshape(-1, 20, 20, 3)
    network.transform.fit(torch.from_numpy(pictures).float())
    transform = network.transform
    known = transform.tell_gray(3)
    assert known.sum() == 16 if n_components is None else 0 < known.sum() < 5
    y = transform.components(torch.from_numpy(in_color(pictures[:2, ..., 0])).float())
    found = transform.of_gray(y * known, 3)
    torch.testing.assert_close(found[..., known], y[..., known], rtol=1e-3, atol=0.1)
    if n_components is None:
        torch.testing.assert_close(found, y, rtol=1e-3, atol=0.1)
