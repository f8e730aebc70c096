from itertools import pairwise

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skae.inspection import ReconstructionDisplay

X, _ = load_digits(return_X_y=True)


@pytest.fixture(scope="module")
def pipeline():
    return make_pipeline(StandardScaler(), PCA(5, random_state=0)).fit(X)


class Halving:
    """Reconstructs rows as their halves, and counts them."""

    def reconstruct(self, X):
        self.n_rows = len(X)
        return np.asarray(X) / 2


class Denoiser:
    def transform(self, X):
        return X * 0


def test_pipeline_is_reconstructed_through_its_codes(pipeline):
    display = ReconstructionDisplay.from_estimator(pipeline, X[:3], image_shape=(8, 8))
    expected = pipeline.inverse_transform(pipeline.transform(X[:3]))

    np.testing.assert_allclose(display.X_reconstructed, expected)
    np.testing.assert_allclose(display.errors_, ((X[:3] - expected) ** 2).mean(axis=1))


def test_reconstruct_is_preferred_and_sees_only_the_rows_drawn():
    estimator = Halving()
    display = ReconstructionDisplay.from_estimator(estimator, X, image_shape=(8, 8))

    np.testing.assert_array_equal(display.X_reconstructed, display.X / 2)
    assert estimator.n_rows == 8


def test_transform_into_data_space_is_a_reconstruction():
    display = ReconstructionDisplay.from_estimator(Denoiser(), X, image_shape=(8, 8))

    assert not display.X_reconstructed.any()


def test_estimator_that_cannot_reconstruct():
    with pytest.raises(TypeError, match=r"must have reconstruct, or transform.*object has neither"):
        ReconstructionDisplay.from_estimator(object(), X)


def test_rows_are_evenly_spaced_by_default():
    display = ReconstructionDisplay.from_predictions(X, X, n_samples=3, image_shape=(8, 8))

    np.testing.assert_array_equal(display.X, X[[0, 898, 1796]])


def test_random_state_chooses_different_rows():
    chosen = [
        ReconstructionDisplay.from_predictions(X, X, n_samples=5, random_state=seed).X
        for seed in (0, 0, 1)
    ]

    np.testing.assert_array_equal(chosen[0], chosen[1])
    assert not np.array_equal(chosen[0], chosen[2])
    assert len(np.unique(chosen[0], axis=0)) == 5


def test_all_samples_are_drawn_when_there_are_few():
    display = ReconstructionDisplay.from_predictions(X[:3], X[:3], n_samples=10)

    assert display.axes_.shape == (3,)


def test_images_stand_above_their_reconstructions():
    display = ReconstructionDisplay(X[:4], X[:4] / 2, image_shape=(8, 8)).plot()
    left, right, bottom, top = display.images_[1, 2].get_extent()

    assert display.images_.shape == (2, 4)
    np.testing.assert_array_equal(display.images_[1, 2].get_array(), X[2].reshape(8, 8) / 2)
    assert (left, right) == tuple(display.images_[0, 2].get_extent()[:2])
    assert bottom > top >= display.images_[0, 2].get_extent()[2]  # the axis points downwards


def test_originals_and_reconstructions_share_the_gray_scale_of_the_originals():
    display = ReconstructionDisplay(X[:4], X[:4] * 3, image_shape=(8, 8)).plot()

    assert {image.get_clim() for image in display.images_.flat} == {(0, 16)}


def test_captions_are_the_errors():
    X = np.zeros((3, 4))
    errors = np.array([[0.6], [20], [0.001]])
    display = ReconstructionDisplay(X, X + errors, image_shape=(2, 2)).plot()
    labels = [label.get_text() for label in display.ax_.get_xticklabels()]

    assert labels == ["0.360", "400", "1.00e-06"]


@pytest.mark.parametrize("image_shape", [(8, 8), (2, 60), (60, 2)])
@pytest.mark.parametrize("n_samples", [1, 8, 16])
def test_text_beside_images_does_not_overlap(image_shape, n_samples):
    X = np.random.default_rng(0).random((n_samples, np.prod(image_shape)))
    display = ReconstructionDisplay(X, X * 0.8, image_shape=image_shape).plot(error_map=True)
    display.figure_.draw_without_rendering()

    for axis in (display.ax_.xaxis, display.ax_.yaxis, display.colorbar_.ax.yaxis):
        boxes = [
            label.get_window_extent() for label in axis.get_ticklabels() if label.get_visible()
        ]
        assert not any(a.overlaps(b) for a, b in pairwise(boxes))


def test_error_map_is_the_absolute_error_with_a_scale():
    display = ReconstructionDisplay(X[:2], X[:2] / 2, image_shape=(8, 8)).plot(error_map=True)

    np.testing.assert_array_equal(display.images_[2, 0].get_array(), X[0].reshape(8, 8) / 2)
    assert display.colorbar_.vmin == 0
    assert display.colorbar_.vmax == 8


@pytest.mark.parametrize("scale", [1, 255])
def test_colour_images_have_their_channels_first(scale):
    red = np.zeros((1, 3, 2, 5))
    red[:, 0] = scale
    display = ReconstructionDisplay(
        red.reshape(1, -1), red.reshape(1, -1), image_shape=(3, 2, 5)
    ).plot(error_map=True)

    image = display.images_[0, 0].get_array()
    assert image.shape == (2, 5, 3)
    assert np.all(image == [1, 0, 0])
    assert display.images_[2, 0].get_array().shape == (2, 5)


def test_one_channel_is_gray():
    display = ReconstructionDisplay(X[:1], X[:1], image_shape=(1, 8, 8)).plot()

    assert display.images_[0, 0].get_array().shape == (8, 8)


def test_constant_images_can_be_drawn():
    display = ReconstructionDisplay(np.ones((2, 12)), np.ones((2, 12)), image_shape=(3, 2, 2))

    assert display.plot(error_map=True).errors_.tolist() == [0, 0]


def test_image_keywords():
    display = ReconstructionDisplay(X[:1], X[:1], image_shape=(8, 8))
    display.plot(image_kwargs={"cmap": "gray_r", "vmax": 20})

    assert display.images_[1, 0].get_cmap().name == "gray_r"
    assert display.images_[1, 0].get_clim() == (0, 20)


def test_dots_stand_at_the_names_of_a_dataframe():
    X = load_breast_cancer(as_frame=True).data
    display = ReconstructionDisplay.from_estimator(Halving(), X, standardize=False)
    labels = [label.get_text() for label in display.axes_[0].get_yticklabels()]

    assert labels == list(X.columns)
    np.testing.assert_array_equal(display.lines_[0, 3].get_xdata(), X.iloc[-1])
    np.testing.assert_array_equal(display.lines_[1, 3].get_xdata(), X.iloc[-1] / 2)
    assert display.images_ is None


def test_many_features_make_curves():
    display = ReconstructionDisplay(X[:2], X[:2] / 2).plot()

    np.testing.assert_array_equal(display.lines_[1, 1].get_ydata(), X[1] / 2)
    assert display.axes_[1].get_xlabel() == "feature"
    assert [panel.get_title(loc="right")[:3] for panel in display.axes_] == ["MSE", "MSE"]


def test_features_of_very_different_scale_are_standardized():
    X = load_breast_cancer().data
    display = ReconstructionDisplay.from_predictions(X, X + X.std(axis=0), n_samples=4)

    np.testing.assert_allclose(display.errors_, 1)
    np.testing.assert_allclose(
        display.lines_[0, 0].get_xdata(), StandardScaler().fit_transform(X)[0]
    )
    assert display.axes_[2].get_xlabel() == "standard deviations from the mean"


@pytest.mark.parametrize("factor", [9, 11])
def test_standardization_starts_at_a_decade(factor):
    X = np.random.default_rng(0).permuted(np.tile(np.arange(20.0)[:, None], 2), axis=0)
    X[:, 1] *= factor
    display = ReconstructionDisplay.from_predictions(X, X)

    assert (display.scale is not None) == (factor > 10)


def test_constant_features_can_be_standardized():
    X = np.column_stack([np.ones(20), np.arange(20.0)])
    display = ReconstructionDisplay.from_predictions(X, X + 1, standardize=True)

    assert display.scale[0] == 1


def test_missing_values_are_left_out_of_the_error():
    X = np.array([[np.nan, 1.0, 2.0], [np.nan, np.nan, np.nan]])
    display = ReconstructionDisplay(X, np.zeros((2, 3))).plot()

    np.testing.assert_array_equal(display.errors_, [2.5, np.nan])


def test_sparse_rows_equal_dense_rows():
    display = ReconstructionDisplay.from_predictions(csr_array(X), X / 2, image_shape=(8, 8))

    np.testing.assert_array_equal(display.X, X[np.linspace(0, len(X) - 1, 8).round().astype(int)])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"image_shape": (8, 9)}, r"image_shape=\(8, 9\) holds 72 values, but X has 64 features"),
        ({"image_shape": (4, 4, 4)}, r"with 1 or 3 channels, got \(4, 4, 4\)"),
        ({"image_shape": (64,)}, r"must be \(height, width\) or .*, got \(64,\)"),
        ({"feature_names": ["a"]}, r"feature_names must have shape \(64,\).* got shape \(1,\)"),
        ({"center": [1.0]}, r"center must have shape \(64,\), got \(1,\)"),
        ({"scale": np.zeros(64)}, r"scale must be positive, its smallest value is 0\.0"),
    ],
)
def test_bad_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        ReconstructionDisplay(X, X, **parameters)


def test_shapes_that_differ():
    with pytest.raises(ValueError, match=r"same shape, got \(1797, 64\) and \(1797, 63\)"):
        ReconstructionDisplay(X, X[:, 1:])
    with pytest.raises(ValueError, match=r"len\(X\)=1797, len\(X_reconstructed\)=1796"):
        ReconstructionDisplay.from_predictions(X, X[1:])


def test_missing_values_in_reconstructions():
    with pytest.raises(ValueError, match="X_reconstructed contains NaN"):
        ReconstructionDisplay(X, X * np.nan)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_samples": 0}, "n_samples must be at least 1, got 0"),
        ({"standardize": "yes"}, "standardize must be True, False or \"auto\", got 'yes'"),
        ({"error_map": True}, r"error_map=True needs image_shape=\(height, width\), got None"),
    ],
)
def test_bad_options(parameters, message):
    with pytest.raises(ValueError, match=message):
        ReconstructionDisplay.from_predictions(X, X, **parameters)


def test_damaged_images_are_given_to_the_estimator_and_drawn_between():
    damaged = np.full((4, 64), 4.0)
    display = ReconstructionDisplay.from_estimator(
        Halving(), X[:4], X_damaged=damaged, image_shape=(8, 8), error_map=True
    )

    assert display.images_.shape == (4, 4)
    np.testing.assert_array_equal(display.X_reconstructed, damaged / 2)
    assert [label.get_text() for label in display.ax_.get_yticklabels()][1] == "damaged"


def test_damaged_rows_need_images_of_the_same_number():
    with pytest.raises(ValueError, match="X_damaged needs image_shape"):
        ReconstructionDisplay(X[:4], X[:4], X_damaged=X[:4])
    with pytest.raises(ValueError, match="X_damaged"):
        ReconstructionDisplay.from_predictions(X[:4], X[:4], X_damaged=X[:3], image_shape=(8, 8))
