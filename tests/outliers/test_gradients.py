"""What images look like to their neighbours."""

import numpy as np
import pytest
import torch

from skae._shapes import checked_image_shape
from skae.outliers._gradients import OrientedGradients
from skae.outliers._neighbors import Nearest


def gradients_of(images, shape, center=0.0):
    flat = torch.from_numpy(images.reshape(len(images), -1).astype(np.float32))
    center = np.full(flat.shape[1], center, dtype=np.float32)
    made = OrientedGradients.of(flat.numpy(), checked_image_shape(shape, flat.shape[1]), center)
    return made, flat


def ramps(angle, side=28):
    """Return an image that becomes lighter in a direction, from the axis to the right downwards."""
    rows, columns = np.mgrid[:side, :side]
    return (np.cos(angle) * columns + np.sin(angle) * rows)[None]


@pytest.mark.parametrize("turns", range(8))
def test_gradients_are_found_in_their_direction(turns):
    images = ramps(2 * np.pi * turns / 8)
    gradients, flat = gradients_of(images, (28, 28))

    of_directions = gradients(flat).view(8, 7, 7)[:, 1:-1, 1:-1]

    # Relative to a mean gradient and a half of 1, at the border less than that.
    assert (of_directions.argmax(0) == turns).all()
    np.testing.assert_allclose(of_directions[turns], np.sqrt(1 / 1.5), atol=0.02)


def test_lightness_and_contrast_change_nothing_and_little():
    images = np.random.default_rng(0).normal(size=(5, 16, 16))
    gradients, flat = gradients_of(images, (16, 16))
    features = gradients(flat)

    torch.testing.assert_close(gradients(flat + 3), features, atol=1e-4, rtol=1e-4)
    change = (gradients(2 * flat) - features).norm() / features.norm()
    assert 0 < change < 0.2


def test_what_was_subtracted_does_not_count():
    images = np.random.default_rng(0).normal(size=(5, 9, 16))
    gradients, flat = gradients_of(images, (9, 16))
    center = flat.mean(0)

    moved = OrientedGradients.of(
        (flat - center).numpy(), checked_image_shape((9, 16), 144), center.numpy()
    )

    torch.testing.assert_close(moved(flat - center), gradients(flat), atol=1e-5, rtol=1e-5)


def test_channels_first_and_last_are_alike():
    images = np.random.default_rng(0).normal(size=(5, 3, 12, 20))
    first, flat_first = gradients_of(images, (3, 12, 20))
    last, flat_last = gradients_of(np.moveaxis(images, 1, -1), (12, 20, 3))
    features = first(flat_first)

    torch.testing.assert_close(last(flat_last), features)
    maps = (each.over_pixels(features) for each in (first, last))
    of_first, of_last = next(maps).view(5, 3, 12, 20), next(maps).view(5, 12, 20, 3)
    torch.testing.assert_close(of_last.movedim(-1, 1), of_first)
    torch.testing.assert_close(of_first.sum((1, 2, 3)), features.sum(1))


def test_rows_of_features_do_not_depend_on_others():
    images = np.random.default_rng(0).normal(size=(100, 1, 5, 3))
    gradients, flat = gradients_of(images, (5, 3))

    alone = torch.cat([gradients(row[None]) for row in flat[:10]])

    assert torch.equal(alone, gradients(flat)[:10])


def test_values_of_any_size_have_finite_features():
    gradients, flat = gradients_of(np.zeros((2, 6, 6)), (6, 6))
    flat[0, 7], flat[1, 8] = 1e15, -1e15

    assert gradients(flat).isfinite().all()


def test_small_shifts_of_images_count_less():
    image = np.zeros((1, 28, 28))
    image[0, 10:18, 10:18] = 1
    gradients, flat = gradients_of(image, (28, 28))
    moved, far = (
        torch.from_numpy(np.roll(image, n, axis=2).reshape(1, -1).astype(np.float32))
        for n in (1, 10)
    )

    plain, of_gradients = (
        Nearest.of(flat.numpy(), np.arange(1), False, False, each) for each in (None, gradients)
    )

    ratios = [
        float(view.values(moved, None)[0] / view.values(far, None)[0])
        for view in (plain, of_gradients)
    ]
    assert ratios[1] < 0.5 * ratios[0]
