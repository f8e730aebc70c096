from itertools import pairwise

import numpy as np
import pytest

from skae.inspection import CompressedImageDisplay
from skae.metrics import bits_per_pixel, psnr


@pytest.fixture
def image(images):
    return images[0]


def titles(display):
    return [text.get_text().split("\n") for text in display.ax_.texts]


def test_image_beside_what_is_left_of_it(image, quantizer):
    display = CompressedImageDisplay.from_estimator(quantizer, image, qualities=[2, 4])
    streams = [quantizer.compress([image], quality) for quality in (2, 4)]
    decoded = [quantizer.decompress(each)[0] for each in streams]
    rates = [bits_per_pixel(each, image) for each in streams]
    ratios = [psnr(image, each) for each in decoded]

    assert titles(display) == [
        ["original", "24 bpp"],
        ["quality 2", f"{rates[0]:#.3g} bpp, {ratios[0]:.1f} dB"],
        ["quality 4", f"{rates[1]:#.3g} bpp, {ratios[1]:.1f} dB"],
    ]
    np.testing.assert_array_equal(display.rates, rates)
    np.testing.assert_array_equal(display.psnr_, ratios)
    for drawn, expected in zip(display.images_, [image, *decoded], strict=True):
        np.testing.assert_allclose(drawn.get_array(), expected / 255)


def test_crop_is_drawn_and_all_is_measured(image, quantizer):
    whole, part = (
        CompressedImageDisplay.from_estimator(quantizer, image, qualities=[2], crop=crop)
        for crop in (None, (3, 5, 10, 20))
    )

    assert titles(part) == titles(whole)
    np.testing.assert_allclose(part.images_[0].get_array(), image[3:13, 5:25] / 255)
    assert part.images_[1].get_array().shape == (10, 20, 3)


@pytest.mark.parametrize("channels", [(), (1,)])
def test_gray_images(image, quantizer, channels):
    gray = image[..., 0].reshape(40, 40, *channels)
    display = CompressedImageDisplay.from_estimator(
        quantizer, gray, qualities=[8], image_kwargs={"cmap": "gray_r"}
    )

    assert titles(display)[0] == ["original", "8 bpp"]
    assert titles(display)[1][1].endswith("bpp, lossless")
    assert display.images_[1].get_array().shape == (40, 40)
    assert display.images_[1].get_clim() == (0, 255)
    assert display.images_[1].get_cmap().name == "gray_r"


def test_floats_are_drawn_in_the_range_of_the_original(image):
    image = image / 100.0
    display = CompressedImageDisplay.from_predictions(
        image, [image + 1], [3], max_value=2.55, names=["brighter"]
    )

    assert titles(display) == [["original", "192 bpp"], ["brighter", "3.00 bpp, 8.1 dB"]]
    drawn = display.images_[1].get_array()
    assert (drawn.min() > 0, drawn.max()) == (True, 1)


@pytest.mark.parametrize(
    ("n_decoded", "n_columns", "shape"),
    [
        (3, None, (1, 4)),
        (4, None, (2, 3)),
        (7, None, (2, 4)),
        (2, 2, (2, 2)),
        (2, 9, (1, 3)),
        (5, 6, (1, 6)),
    ],
)
def test_rows_of_images(image, n_decoded, n_columns, shape):
    display = CompressedImageDisplay(image, [image] * n_decoded, np.ones(n_decoded))
    extents = np.array([drawn.get_extent() for drawn in display.plot(n_columns=n_columns).images_])

    assert (len(set(extents[:, 3])), len(set(extents[:, 0]))) == shape
    assert display.figure_.get_figwidth() < 10.5
    assert display.figure_.get_figheight() < 9.5


def test_titles_of_narrow_images_do_not_overlap(image):
    narrow = image[:, :4]
    display = CompressedImageDisplay(narrow, [narrow // 2] * 3, [0.125] * 3, names="abc").plot()
    display.figure_.draw_without_rendering()
    boxes = [text.get_window_extent() for text in display.ax_.texts]

    assert all(left.x1 < right.x0 for left, right in pairwise(boxes))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"image": np.zeros(3)}, r"image must be an image of shape .* got shape \(3,\)"),
        ({"image": np.zeros((9, 9, 4))}, r"with 1 or 3 channels, got shape \(9, 9, 4\)"),
        ({"decoded": [np.zeros((9, 8))]}, r"decoded\[0\] must have the shape of the image, \(9, 9"),
        ({"rates": [1, 2]}, r"len\(decoded\)=1, len\(rates\)=2"),
        ({"names": ["a", "b"]}, r"len\(rates\)=1, len\(names\)=2"),
        ({"crop": (0, 5, 9, 5)}, r"crop must be .* of shape \(9, 9\), got \(0, 5, 9, 5\)"),
        ({"crop": (-1, 0, 2, 2)}, r"crop must be"),
        ({"crop": (0, 0, 0, 2)}, r"crop must be"),
        ({"crop": (0, 0, 2)}, r"crop must be"),
        ({"n_columns": 0}, "n_columns must be at least 1, got 0"),
    ],
)
def test_bad_parameters(parameters, message):
    good = {"image": np.zeros((9, 9)), "decoded": [np.ones((9, 9))], "rates": [1]}

    with pytest.raises(ValueError, match=message):
        CompressedImageDisplay.from_predictions(**(good | parameters))
