"""AutoencoderDenoiser: what comes back, and what is refused."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.datasets import load_breast_cancer, load_digits, load_sample_images
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skae import AutoencoderDenoiser
from skae.denoising import _plan
from skae.losses import GaussianNoise, SwapNoise
from skae.metrics import psnr

SIGMA = 4.0


@pytest.fixture(scope="module")
def digits():
    X = load_digits().data
    return X[:1000], X[1000:1300]


@pytest.fixture(scope="module")
def noisy(digits):
    return digits[1] + np.random.default_rng(0).normal(0, SIGMA, digits[1].shape)


def fitted(X, y=None, **params):
    return AutoencoderDenoiser(random_state=0, **{"max_epochs": 5, **params}).fit(X, y)


def mse(one, other):
    return float(np.square(one - other).mean())


# ---------------------------------------------------------------- the filter


def test_without_epochs_it_is_the_wiener_filter():
    rng = np.random.default_rng(0)
    variances = np.array([4.0, 2.0, 1.0, 0.5])
    X = rng.normal(size=(200_000, 4)) * variances**0.5 + [1.0, 2.0, 3.0, 4.0]

    model = fitted(X, max_epochs=0, noise_level=0.8, dtype="float64")

    Y = X[:50] + rng.normal(0, 0.8, (50, 4))
    mean = X.mean(0)
    expected = mean + (Y - mean) * variances / (variances + 0.8**2)
    np.testing.assert_allclose(model.transform(Y), expected, atol=0.05)


def test_the_level_is_found_row_by_row(digits):
    train, test = digits
    rng = np.random.default_rng(0)
    levels = rng.uniform(1, 12, (len(test), 1))
    model = fitted(train, max_epochs=0)

    noisy = model._fitted_recipe.units.apply(test + levels * rng.normal(size=test.shape))
    found = model.module_.filter(torch.from_numpy(noisy).float()).level.numpy() * 16

    assert np.abs(found / levels - 1).mean() < 0.15


@pytest.mark.parametrize("sigma", [0.0, 0.1, 0.3, 1.0, 4.0, 8.0, 16.0])
@pytest.mark.parametrize("max_epochs", [0, 20])
def test_blind_rows_come_back_better_or_nearly_as_they_are(sigma, max_epochs, digits):
    train, test = digits
    noisy = test + np.random.default_rng(0).normal(0, 1, test.shape) * sigma
    before = -10 * np.log10(np.maximum(np.square((noisy - test) / 16).mean(1), 1e-12)).mean()

    after = fitted(train, max_epochs=max_epochs).score(noisy, test)

    assert after > min(before - 0.05, 65)


@pytest.mark.parametrize("sigma", [0.003, 0.03, 0.1, 0.3, 1.0])
def test_blind_rows_of_tables_come_back_no_worse(sigma):
    X = StandardScaler().fit_transform(load_breast_cancer().data)
    noise = np.random.default_rng(0).normal(0, sigma, X[400:].shape)

    cleaned = fitted(X[:400], max_epochs=0).transform(X[400:] + noise)

    assert mse(cleaned, X[400:]) < 1.005 * mse(noise, 0)


def test_training_improves_on_the_filter(digits, noisy):
    train, test = digits

    start, end = (fitted(train, max_epochs=n, batch_size=32).score(noisy, test) for n in (0, 20))

    assert end > start + 0.25


# ---------------------------------------------------------------- what it learns from


def test_pairs_equal_noise_that_is_made(digits, noisy):
    train, test = digits
    pairs = train + np.random.default_rng(1).normal(0, SIGMA, train.shape)

    model = fitted(pairs, train, max_epochs=0)

    made = fitted(train, max_epochs=0, noise_level=SIGMA)
    assert abs(model.score(noisy, test) - made.score(noisy, test)) < 0.2
    low, high = model.noise_level_
    assert low < SIGMA < high


def test_noisy_rows_alone(digits, noisy):
    train, test = digits
    rows = train + np.random.default_rng(1).normal(0, SIGMA, train.shape)

    given = fitted(rows, supervision="noisy", noise_level=SIGMA)
    estimated = fitted(rows, supervision="noisy")

    assert given.noise_level_ == SIGMA
    assert abs(estimated.noise_level_ / SIGMA - 1) < 0.02
    assert mse(given.transform(noisy), test) < 0.5 * SIGMA**2
    assert mse(estimated.transform(noisy), test) < 0.5 * SIGMA**2


@pytest.mark.parametrize("level", ["auto", 0.0])
def test_rows_without_noise_are_left_as_they_are(level):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 2)) @ rng.normal(size=(2, 6))

    model = fitted(X, supervision="noisy", noise_level=level)

    assert model.noise_level_ == 0
    np.testing.assert_allclose(model.transform(X), X, atol=1e-4)


def test_noisy_targets_do_not_limit_what_comes_back(digits):
    rows = np.clip(digits[0] + np.random.default_rng(1).normal(0, SIGMA, digits[0].shape), 0, 16)

    model = fitted(rows, supervision="noisy", max_epochs=0)

    assert model.transform(rows - 16.0).min() < 0


def test_clean_pixels_limit_what_comes_back(digits, noisy):
    cleaned = fitted(digits[0], max_epochs=1).transform(noisy)

    assert cleaned.min() == 0
    assert cleaned.max() <= 16


@pytest.mark.parametrize("noise", ["masking", "blocks"])
def test_missing_cells_are_filled_and_others_left(noise, digits):
    train, test = digits
    holes = np.random.default_rng(0).random(test.shape) < 0.2
    given = np.where(holes, np.nan, test)

    model = fitted(train, noise=noise, image_shape=(8, 8), max_epochs=10, batch_size=32)

    cleaned = model.transform(given)
    np.testing.assert_array_equal(cleaned[~holes], test[~holes])
    mean = np.broadcast_to(train.mean(0), test.shape)
    assert mse(cleaned[holes], test[holes]) < 0.4 * mse(mean[holes], test[holes])
    assert np.isfinite(model.score(given))


@pytest.mark.parametrize(
    "damage",
    [
        ("poisson", lambda X, rng: rng.poisson(X / 4) * 4.0),
        ("salt_and_pepper", lambda X, rng: np.where(rng.random(X.shape) < 0.2, 16.0, X)),
        (SwapNoise(0.3), lambda X, rng: np.where(rng.random(X.shape) < 0.3, X[::-1], X)),
    ],
    ids=["poisson", "salt_and_pepper", "instance"],
)
def test_other_noise(damage, digits):
    noise, damaged = damage
    train, test = digits
    noisy = damaged(test, np.random.default_rng(0))

    cleaned = fitted(train, noise=noise, max_epochs=20, batch_size=64).transform(noisy)

    assert mse(cleaned, test) < 0.75 * mse(noisy, test)


# ---------------------------------------------------------------- units and forms


def test_images_as_wide_as_colors_are_many():
    images = [np.full((3, 3), 9 * i, np.uint8) for i in range(4)]
    model = AutoencoderDenoiser(module="conv", max_epochs=1, random_state=0).fit(images)
    assert model.transform(images)[0].shape == (3, 3)


def test_counts_are_not_negative(digits):
    X = digits[0].copy()
    X[3, 4] = -0.5
    with pytest.raises(ValueError, match=r"Negative values in data.*clean rows hold -0\.5"):
        AutoencoderDenoiser(noise="poisson").fit(X)


@pytest.mark.parametrize("params", [{"max_epochs": 0}, {"noise": "poisson"}, {"noise": "masking"}])
def test_units_do_not_matter(params, digits, noisy):
    factor, offset = 2.0**-10, 0.0 if params.get("noise") == "poisson" else 3.0

    def changed(X):
        return X * factor + offset

    one = fitted(digits[0], dtype="float64", **params)
    other = fitted(changed(digits[0]), dtype="float64", **params)

    expected = changed(one.transform(noisy))
    np.testing.assert_allclose(other.transform(changed(noisy)), expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
def test_dtypes_are_kept(dtype, digits, noisy):
    train = digits[0].astype(dtype)

    cleaned = fitted(train).transform(noisy.clip(0, 16).astype(dtype))

    assert cleaned.dtype == dtype
    assert cleaned.max() > 10


def test_frames_in_pipelines_keep_their_names(digits):
    frame = pd.DataFrame(digits[0]).add_prefix("pixel")
    pipeline = make_pipeline(StandardScaler(), AutoencoderDenoiser(max_epochs=1))

    out = pipeline.set_output(transform="pandas").fit(frame).transform(frame)

    assert list(out.columns) == list(frame.columns)


# ---------------------------------------------------------------- odd data


@pytest.mark.parametrize(
    "X",
    [
        np.ones((1, 3)),
        np.arange(20.0)[:, None],
        np.ones((20, 4)),
        np.repeat(np.random.default_rng(0).normal(size=(30, 1)), 3, axis=1),
        np.random.default_rng(0).normal(size=(8, 50)),
    ],
    ids=["one_row", "one_column", "constant", "duplicated", "wide"],
)
@pytest.mark.parametrize("params", [{}, {"noise": "masking"}, {"noise_level": 0.5}])
def test_odd_data(X, params):
    model = fitted(X, **params)

    assert np.isfinite(model.transform(X)).all()
    assert mse(model.transform(X), X) <= 0.1 * X.var() + 1e-6


def test_values_far_beyond_the_training_data(digits):
    cleaned = fitted(digits[0], max_epochs=1).transform(np.full((2, 64), 1e6))

    assert cleaned.max() <= 16


# ---------------------------------------------------------------- mistakes


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"noise_level": (0.5, 0.1)}, "noise_level=.* lowest"),
        ({"noise_level": (1, 2, 3)}, "noise_level=.* lowest"),
        ({"noise": "masking", "noise_level": 2.0}, "noise_level=2.0 is a share"),
        ({"noise": "blocks"}, "noise='blocks' needs image_shape"),
        ({"module": "conv"}, "module='conv' needs image_shape"),
        ({"module": "unet"}, "module='unet' must be one of"),
        ({"image_shape": (3, 3)}, "holds 9 values, but X has 64 features"),
        ({"supervision": "noisy", "noise": "poisson"}, "noise='poisson'"),
        ({"supervision": "noisy", "noise_level": (0, 1)}, "'auto' or a number"),
        ({"module__n_levels": 2}, "module__n_levels can't be set"),
    ],
)
def test_parameters_that_are_refused(params, message, digits):
    model = AutoencoderDenoiser(**params)

    with pytest.raises(ValueError, match=message):
        model.fit(digits[0])

    assert not hasattr(model, "n_features_in_")


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda X: np.where(X == 16, np.nan, X), ValueError, "NaN"),
        (lambda X: np.where(X == 16, np.inf, X), ValueError, "infinity"),
        (sparse.csr_array, TypeError, "[Ss]parse"),
        (lambda X: X[:, :3], ValueError, "3 features"),
    ],
)
def test_rows_that_are_refused(change, error, message, digits):
    model = fitted(digits[0], max_epochs=0)

    with pytest.raises(error, match=message):
        model.transform(change(digits[1]))


def test_pairs_of_different_shape(digits):
    with pytest.raises(ValueError, match=r"y has the shape .* but X has"):
        AutoencoderDenoiser().fit(digits[0], digits[0][:, :5])


def test_incomplete_training_rows(digits):
    X = digits[0].copy()
    X[0, 0] = np.nan

    with pytest.raises(ValueError, match="NaN"):
        AutoencoderDenoiser(noise="masking").fit(X)


def test_one_noisy_column():
    with pytest.raises(ValueError, match="noise_level='auto' needs at least 2 rows and 2 columns"):
        AutoencoderDenoiser(supervision="noisy").fit(np.arange(9.0)[:, None])


def test_a_level_of_its_own(digits):
    assert fitted(digits[0], noise=GaussianNoise(2.0), max_epochs=0).noise_level_ == 2.0


# ---------------------------------------------------------------- images


@pytest.fixture(scope="module")
def photographs():
    images = load_sample_images().images
    return [images[0][:150, 250:380], images[1][100:200, 300:420]]


def test_images_of_any_size_come_back_in_their_form(photographs):
    model = fitted(photographs, max_epochs=0)
    random = np.random.default_rng(0)
    others = [photographs[0][:70, :90], photographs[1][:20, :100]]
    noisy = [random.normal(image, 25).clip(0, 255).astype(np.uint8) for image in others]

    cleaned = model.transform(noisy)

    assert [image.shape for image in cleaned] == [image.shape for image in others]
    assert {image.dtype for image in cleaned} == {np.dtype(np.uint8)}
    assert model.score(noisy, others) > psnr(others, noisy) + 4
    np.testing.assert_array_equal(model.transform(noisy[0]), cleaned[0])


def test_pairs_of_images(photographs):
    random = np.random.default_rng(0)
    noisy = [random.normal(image, 25) for image in photographs]

    model = fitted(noisy, photographs, module="conv", max_epochs=1, batch_size=8)

    low, high = model.noise_level_
    assert low > 22
    assert high < 28
    assert model.score(noisy, photographs) > 24
    assert np.isfinite(model.score(noisy))


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_set_output_leaves_images_as_they_are(container, photographs):
    model = fitted(photographs, max_epochs=0)
    expected = model.transform(photographs)
    model.set_output(transform=container)

    for found in (model.transform(photographs), model.fit_transform(photographs)):
        assert type(found) is list
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one, other)


def test_threads_do_not_matter_to_what_comes_back(photographs):
    tiles = [image[:64, :64] for image in photographs]
    model = fitted(tiles, module="conv", max_epochs=3, batch_size=1)
    before = torch.get_num_threads()
    found = []
    try:
        for n_threads in (1, 2):
            torch.set_num_threads(n_threads)
            found.append(np.stack(model.transform(tiles)))
    finally:
        torch.set_num_threads(before)

    np.testing.assert_array_equal(*found)


def test_a_self_ensemble_sees_every_orientation(photographs):
    model = fitted(photographs, module="conv", max_epochs=2, batch_size=1, self_ensemble=True)
    image = np.random.default_rng(0).normal(photographs[0], 25)

    turned = model.transform(image.swapaxes(0, 1)).swapaxes(0, 1)

    np.testing.assert_allclose(model.transform(image), turned, atol=1e-3)
    model.set_params(self_ensemble=False)
    assert np.abs(model.transform(image) - turned).max() > 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda images: images[:1], "y must hold images of the shapes of the 2 in X"),
        (lambda images: [i[:, :70] for i in images], "y must hold images of the shapes"),
    ],
)
def test_pairs_of_images_of_different_shape(change, message, photographs):
    with pytest.raises(ValueError, match=message):
        AutoencoderDenoiser().fit(photographs, change(photographs))


@pytest.mark.filterwarnings("error")
def test_pairs_without_noise(photographs):
    images = photographs[1][:32, :32, 0]
    with pytest.raises(ValueError, match="in X and the clean ones in y are the same"):
        AutoencoderDenoiser().fit([images], [images.copy()])

    assert AutoencoderDenoiser(max_epochs=0).fit(both := [images], both).noise_level_[1] > 0


def test_images_in_other_units(photographs):
    small = [image[:32, :32] for image in photographs]
    bright = [image / 255 for image in small]
    model = fitted(bright, max_epochs=0)

    with pytest.warns(UserWarning, match=r"of X span 192 and those of the clean .* same units"):
        model.transform(small)
    with pytest.warns(UserWarning, match=r"of X span 192 and those of y 0\.753: are these"):
        model.fit(small, bright)


def test_other_numbers_of_channels(photographs):
    model = fitted(photographs, max_epochs=0)

    with pytest.raises(ValueError, match="X has images of \\[1\\] channels"):
        model.transform([photographs[0][:, :, 0]])


def test_images_for_rows(digits):
    with pytest.raises(ValueError, match="fitted to rows"):
        fitted(digits[0], max_epochs=0).transform(digits[1].reshape(-1, 8, 8))


def test_convolutions_learn_small_images(digits, noisy):
    train, test = digits
    params = {"module": "conv", "image_shape": (8, 8), "module__width": 8, "batch_size": 32}

    start, end = (fitted(train, max_epochs=n, **params).score(noisy, test) for n in (0, 8))

    assert end > start + 0.1


def test_channels_last_equals_channels_first(photographs):
    rows = photographs[0][:128, :128].reshape(4, 32, 4, 32, 3).swapaxes(1, 2).reshape(16, -1)
    first = rows.reshape(16, 32, 32, 3).transpose(0, 3, 1, 2).reshape(16, -1)
    params = {"module": "conv", "max_epochs": 0, "dtype": "float64"}

    last = fitted(rows / 255.0, image_shape=(32, 32, 3), **params).transform(rows / 255.0)

    other = fitted(first / 255.0, image_shape=(3, 32, 32), **params).transform(first / 255.0)
    turned = other.reshape(16, 3, 32, 32).transpose(0, 2, 3, 1).reshape(16, -1)
    np.testing.assert_allclose(last, turned, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("params", "is_mixed"),
    [({"max_epochs": 0}, True), ({"max_epochs": 1}, True), ({"module": "mlp"}, True), ({}, False)],
)
def test_many_tiles_make_up_for_a_mixture(params, is_mixed, photographs, monkeypatch):
    monkeypatch.setattr(_plan, "_MANY_TILES", 30)
    params = {"module": "conv", "max_epochs": 10, "module__width": 8, **params}
    if params["module"] == "mlp":
        del params["module__width"]

    images = [photographs[0][:128, :64, 0], photographs[1][:64, :64, 0]]

    model = fitted(images, **params)

    assert (model.module_.filter.mixture is not None) is is_mixed
