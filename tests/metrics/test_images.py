"""Quality and length of compressed images, against formulas written out pixel by pixel."""

import re

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from skae.metrics import bits_per_pixel, ms_ssim, psnr

WEIGHTS = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333]
PAIRWISE = pytest.mark.parametrize("metric", [psnr, ms_ssim])


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def smooth_image(rng, shape):
    """Return an image with structure at all scales, from 0 to 1."""
    sigmas = [(s, s, 0)[: len(shape)] for s in (1, 4, 16)]
    layers = [gaussian_filter(rng.normal(size=shape), s) * s[0] for s in sigmas]
    image = np.sum(layers, axis=0)
    return (image - image.min()) / np.ptp(image)


def noisy(rng, image, scale):
    return image + scale * rng.normal(size=image.shape)


def one_scale(x, y, max_value):
    """Return the means of l * c and of c, by loops over the windows."""
    offsets = np.arange(-5, 6)
    window = np.exp(-np.add.outer(offsets**2, offsets**2) / (2 * 1.5**2))
    window /= window.sum()
    C1, C2 = (0.01 * max_value) ** 2, (0.03 * max_value) ** 2
    both, contrasts = [], []
    for i in range(x.shape[0] - 10):
        for j in range(x.shape[1] - 10):
            a, b = x[i : i + 11, j : j + 11], y[i : i + 11, j : j + 11]
            mean_a, mean_b = np.sum(window * a), np.sum(window * b)
            var_a, var_b = np.sum(window * (a - mean_a) ** 2), np.sum(window * (b - mean_b) ** 2)
            covariance = np.sum(window * (a - mean_a) * (b - mean_b))
            c = (2 * covariance + C2) / (var_a + var_b + C2)
            contrasts.append(c)
            both.append(c * (2 * mean_a * mean_b + C1) / (mean_a**2 + mean_b**2 + C1))
    return np.mean(both), np.mean(contrasts)


def brute_force_ms_ssim(x, y, n_scales, max_value=1.0):
    weights = np.array(WEIGHTS[:n_scales]) / sum(WEIGHTS[:n_scales])
    result = 1.0
    for scale, weight in enumerate(weights):
        both, contrast = one_scale(x, y, max_value)
        result *= (both if scale == n_scales - 1 else contrast) ** weight
        rows, columns = (-(-n // 2) for n in x.shape)
        x, y = (
            np.array(
                [
                    [image[2 * i : 2 * i + 2, 2 * j : 2 * j + 2].mean() for j in range(columns)]
                    for i in range(rows)
                ]
            )
            for image in (x, y)
        )
    return result


def test_psnr_by_its_formula(rng):
    true, pred = rng.integers(0, 256, size=(2, 5, 9, 3), dtype=np.uint8)
    error = sum((int(a) - int(b)) ** 2 for a, b in zip(true.flat, pred.flat, strict=True)) / 135

    assert psnr(true, pred) == pytest.approx(20 * np.log10(255) - 10 * np.log10(error))


@pytest.mark.parametrize(
    ("dtype", "unit", "max_value"), [("uint8", 1, 255), ("uint16", 1, 65535), ("float32", 0.25, 1)]
)
@PAIRWISE
def test_greatest_value_by_dtype(metric, dtype, unit, max_value):
    true, pred = np.zeros((2, 12, 12), dtype=dtype)
    pred[3, 4] = unit

    assert metric(true, pred) == metric(true, pred, max_value=max_value)
    assert metric(true, pred) != metric(true, pred, max_value=2 * max_value)


@pytest.mark.parametrize(("shape", "n_scales"), [((13, 11), 1), ((22, 30), 2), ((47, 45), 3)])
def test_ms_ssim_by_its_formula(rng, shape, n_scales):
    true = smooth_image(rng, shape)
    pred = noisy(rng, true, 0.05)

    assert ms_ssim(true, pred) == pytest.approx(brute_force_ms_ssim(true, pred, n_scales))


def test_ms_ssim_at_five_scales(rng):
    true = smooth_image(rng, (176, 177))
    pred = noisy(rng, true, 0.1)

    assert ms_ssim(true, pred) == pytest.approx(brute_force_ms_ssim(true, pred, 5))


def test_ms_ssim_is_the_mean_over_channels(rng):
    true = smooth_image(rng, (50, 60, 3))
    pred = noisy(rng, true, [0.05, 0.1, 0.2])
    channels = [ms_ssim(true[..., c], pred[..., c]) for c in range(3)]

    assert ms_ssim(true, pred) == pytest.approx(np.mean(channels))


def test_ms_ssim_of_a_negative_is_zero(rng):
    image = smooth_image(rng, (200, 200))

    assert ms_ssim(image, 1 - image) == 0


@pytest.mark.parametrize("shape", [(40, 50), (40, 50, 3)])
def test_identical_images(rng, shape):
    image = smooth_image(rng, shape)

    assert psnr(image, image) == np.inf
    assert ms_ssim(image, image) == 1


@PAIRWISE
def test_same_in_both_directions(rng, metric):
    true, pred = smooth_image(rng, (2, 60, 50))

    assert metric(true, pred) == pytest.approx(metric(pred, true))


@PAIRWISE
def test_falls_with_noise(rng, metric):
    image = smooth_image(rng, (180, 180))
    noise = rng.normal(size=image.shape)
    values = [metric(image, image + scale * noise) for scale in (0.01, 0.03, 0.1, 0.3)]

    assert values == sorted(values, reverse=True)
    assert type(values[0]) is float


def test_ms_ssim_forgives_a_shift_of_brightness_that_psnr_does_not(rng):
    image = smooth_image(rng, (180, 180))
    brighter, with_noise = image + 0.05, noisy(rng, image, 0.05)

    assert psnr(image, brighter) == pytest.approx(psnr(image, with_noise), abs=0.1)
    assert ms_ssim(image, brighter) > 0.99 > ms_ssim(image, with_noise)


@PAIRWISE
def test_mean_over_images_of_different_sizes(rng, metric):
    true = [smooth_image(rng, shape) for shape in [(20, 30), (50, 40, 3), (15, 15, 1)]]
    pred = [noisy(rng, image, scale) for image, scale in zip(true, [0.1, 0.01, 0.2], strict=True)]
    each = [metric(a, b) for a, b in zip(true, pred, strict=True)]

    assert metric(true, pred) == pytest.approx(np.mean(each))


@pytest.mark.parametrize("shape", [(3, 15, 12), (3, 15, 12, 3)])
@PAIRWISE
def test_array_of_images_equals_a_list(rng, metric, shape):
    true, pred = rng.random(size=(2, *shape))

    assert metric(true, pred) == metric(list(true), list(pred))


@PAIRWISE
def test_one_identical_image_among_others(rng, metric):
    true = rng.random(size=(2, 20, 20))
    pred = true.copy()
    pred[0] = 1 - pred[0]

    assert metric(true, pred) == {psnr: np.inf, ms_ssim: 0.5}[metric]


@pytest.mark.parametrize(
    ("true", "pred", "message"),
    [
        (np.zeros((12, 12)), np.zeros((12, 13)), r"same shape, got \(12, 12\) and \(12, 13\)"),
        (np.zeros((12, 12)), np.zeros((2, 12, 12)), "X_true and X_pred must have as many images"),
        (np.zeros(12), np.zeros(12), r"X_true must be an image .* got shape \(12,\)"),
        ([[1.0, 2.0]], [[1.0, 2.0]], r"X_true\[0\] must be an image .* got shape \(2,\)"),
        (np.zeros((12, 0)), np.zeros((12, 0)), "X_true must be an image .* at least one pixel"),
        ([], [], "X_true must hold at least one image, got 0"),
        (np.zeros((12, 12)), np.full((12, 12), np.nan), "Input X_pred contains NaN"),
        ([np.zeros((12, 12)), np.full((12, 12), np.inf)], [0], r"Input X_true\[1\] contains inf"),
    ],
)
@PAIRWISE
def test_images_that_are_no_pairs(metric, true, pred, message):
    with pytest.raises(ValueError, match=message):
        metric(true, pred)


@pytest.mark.parametrize(
    ("true", "pred", "found"),
    [
        (np.full((12, 12), 200.0), np.zeros((12, 12)), "float64 from 200 to 200 and float64"),
        (np.full((12, 12), -0.1), np.zeros((12, 12)), "float64 from -0.1 to -0.1 and float64"),
        (np.zeros((12, 12), np.uint8), np.zeros((12, 12)), "uint8 from 0 to 0 and float64"),
        (np.zeros((12, 12), int), np.ones((12, 12), int), "int64 from 0 to 0 and int64"),
    ],
)
@PAIRWISE
def test_greatest_value_that_nothing_tells(metric, true, pred, found):
    with pytest.raises(ValueError, match=f'max_value="auto" .* got {found} of image 0: give'):
        metric(true, pred)

    assert metric(true, pred, max_value=255) > 0


def test_greatest_value_names_the_image():
    images = [np.zeros((12, 12), np.uint8), np.zeros((12, 12))]

    with pytest.raises(ValueError, match="uint8 from 0 to 0 and float64 of image 0: give"):
        psnr(images, images[::-1])


def test_few_bits_of_many():
    true = np.full((12, 12), 4000, np.uint16)

    with pytest.warns(UserWarning, match="no value above 4000, .* to 65535, .* such as 4095"):
        relative_to_16_bits = psnr(true, true - np.uint16(9))
    assert relative_to_16_bits > psnr(true, true - np.uint16(9), max_value=4095) + 24


@PAIRWISE
def test_pictures_masks_and_byte_orders(rng, metric):
    true, pred = rng.integers(0, 256, size=(2, 12, 15, 3), dtype=np.uint8)
    expected = metric(true, pred)

    pictures = [Image.fromarray(image) for image in (true, pred)]
    assert metric(*pictures) == metric([pictures[0]], [pred]) == expected
    assert bits_per_pixel([b"123"], pictures[:1]) == 24 / 180
    swapped = true.astype(">u2"), pred.astype(">u2")
    assert metric(*swapped, max_value=255) == expected
    assert metric(true > 99, pred > 99) == metric((true > 99) * 1.0, (pred > 99) * 1.0)


@pytest.mark.parametrize("max_value", [0, -1, "255"])
@PAIRWISE
def test_bad_greatest_value(metric, max_value):
    with pytest.raises(ValueError, match=f"The 'max_value' parameter of {metric.__name__} must be"):
        metric(np.zeros((12, 12)), np.zeros((12, 12)), max_value=max_value)


def test_image_smaller_than_a_window():
    with pytest.raises(ValueError, match=r"at least 11 by 11 pixels, got \(10, 40\)"):
        ms_ssim(np.zeros((10, 40)), np.zeros((10, 40)))


@pytest.mark.parametrize(
    ("X", "streams"),
    [
        (np.zeros((2, 16, 3)), [b"123"]),
        (np.zeros((8, 4)), b"123"),
        (np.zeros((1, 4, 8)), [b"123"]),
        ([(8, 4)], [b"123"]),
        ([(8, 4, 3)], b"123"),
    ],
)
def test_bits_of_one_image(X, streams):
    assert bits_per_pixel(streams, X) == 0.75


def test_bits_are_averaged_over_images():
    images = [np.zeros((2, 4)), np.zeros((8, 8, 3))]

    assert bits_per_pixel([b"1", b"12345678"], images) == (1 + 1) / 2
    assert bits_per_pixel([b"1234", b""], images) == (4 + 0) / 2


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((3, 8, 8)), "streams and X must have as many images, got 2 and 3"),
        ([(8, 8), (8,)], "Shapes in X must be (height, width) or (height, width, n_channels), got"),
        ([(8, 8), (8, 0)], "got (8, 0) as X[1]"),
        ([], "X must hold at least one image"),
    ],
)
def test_images_without_size(X, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        bits_per_pixel([b"1", b"2"], X)


def test_stream_that_is_no_bytes():
    with pytest.raises(TypeError, match=r"streams must be bytes, got str as streams\[1\]"):
        bits_per_pixel([b"1", "2"], [(8, 8), (8, 8)])
