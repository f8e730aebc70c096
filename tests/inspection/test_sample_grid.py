import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import make_pipeline

from skae.inspection import SampleGridDisplay

X, y = load_digits(return_X_y=True)


class Painter:
    """Paints images in the shade that is their class, and remembers what it was asked."""

    def sample(self, n_samples=1, y=None, random_state=None):
        self.asked = (n_samples, y, random_state)
        return np.tile(np.zeros(n_samples) if y is None else y, (6, 1)).T


def row_labels(display):
    return [label.get_text() for label in display.ax_.get_yticklabels()]


def test_forty_images_by_default():
    display = SampleGridDisplay.from_estimator(Painter(), image_shape=(2, 3))

    assert display.images_.shape == (4, 10)
    assert display.labels is None
    assert set(row_labels(display)) == {""}


def test_classes_have_a_row_each_in_the_given_order():
    display = SampleGridDisplay.from_estimator(Painter(), [7, 3], image_shape=(2, 3), n_samples=4)

    assert row_labels(display) == ["7", "3"]
    assert np.all(display.images_[0, 3].get_array() == 7)
    assert np.all(display.images_[1, 0].get_array() == 3)
    assert display.labels.tolist() == [7, 7, 7, 7, 3, 3, 3, 3]


def test_names_of_classes_may_be_text():
    display = SampleGridDisplay(X[:3], image_shape=(8, 8), labels=["b", "a", "b"]).plot()

    assert row_labels(display) == ["b", "a"]
    np.testing.assert_array_equal(display.images_[0, 1].get_array(), X[2].reshape(8, 8))


def test_sample_is_asked_only_for_what_was_asked_for():
    painter = Painter()
    SampleGridDisplay.from_estimator(painter, image_shape=(2, 3), n_samples=5)
    assert painter.asked == (5, None, None)

    SampleGridDisplay.from_estimator(painter, [4], image_shape=(2, 3), random_state=3)
    assert painter.asked[0] == 10
    assert painter.asked[1].tolist() == [4] * 10
    assert painter.asked[2] == 3


def test_pipeline_takes_samples_back_to_images():
    pca = PCA(5, random_state=0)
    pipeline = make_pipeline(pca, GaussianMixture(random_state=0)).fit(X)
    display = SampleGridDisplay.from_estimator(pipeline, image_shape=(8, 8), n_samples=3)

    assert display.X.shape == (3, 64)
    np.testing.assert_allclose(display.X, pca.inverse_transform(pca.transform(display.X)))


def test_grid_search_and_random_state():
    search = GridSearchCV(make_pipeline(KernelDensity()), {"kerneldensity__bandwidth": [1, 2]})
    search.fit(X[:100])
    first, same, other = (
        SampleGridDisplay.from_estimator(search, image_shape=(8, 8), random_state=seed).X
        for seed in (0, 0, 1)
    )

    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("estimator", [PCA(), make_pipeline(PCA())])
def test_estimator_that_cannot_sample(estimator):
    with pytest.raises(TypeError, match=r"estimator must have sample; (PCA|Pipeline) has not"):
        SampleGridDisplay.from_estimator(estimator, image_shape=(8, 8))


def test_long_rows_are_wrapped_under_one_name():
    labels = ["a", "a", "a", "b"]
    display = SampleGridDisplay(X[:4], image_shape=(8, 8), labels=labels).plot(n_columns=2)
    drawn = [[image is not None for image in row] for row in display.images_]

    assert row_labels(display) == ["a", "", "b"]
    assert drawn == [[True, True], [True, False], [True, False]]
    np.testing.assert_array_equal(display.images_[1, 0].get_array(), X[2].reshape(8, 8))


def test_all_images_share_one_gray_scale():
    display = SampleGridDisplay(np.arange(48.0).reshape(8, 6), image_shape=(2, 3)).plot()

    assert {image.get_clim() for image in display.images_.flat} == {(0, 47)}


def test_image_keywords():
    display = SampleGridDisplay.from_predictions(
        X[:2], image_shape=(8, 8), image_kwargs={"cmap": "gray_r", "vmax": 20}
    )

    assert display.images_[0, 1].get_cmap().name == "gray_r"
    assert display.images_[0, 1].get_clim() == (0, 20)


def test_colour_images():
    display = SampleGridDisplay(np.ones((1, 12)), image_shape=(3, 2, 2)).plot()

    assert display.images_[0, 0].get_array().shape == (2, 2, 3)


def test_sparse_images_equal_dense_images():
    display = SampleGridDisplay(csr_array(X), image_shape=(8, 8))

    np.testing.assert_array_equal(display.X, X)


def test_many_rows_fit_on_a_page():
    display = SampleGridDisplay(X[:500], image_shape=(8, 8), labels=y[:500]).plot(n_columns=20)

    assert display.figure_.get_figheight() < 9


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"image_shape": (8, 9)}, r"image_shape=\(8, 9\) holds 72 values, but X has 64 features"),
        ({"image_shape": (8, 8), "labels": [1]}, r"len\(X\)=1797, len\(labels\)=1"),
        ({"image_shape": (8, 8), "n_columns": 0}, "n_columns must be at least 1, got 0"),
    ],
)
def test_bad_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        SampleGridDisplay.from_predictions(X, **parameters)
