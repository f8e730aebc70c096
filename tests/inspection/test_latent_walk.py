import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits, load_wine
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skae.inspection import LatentWalkDisplay

X, _ = load_digits(return_X_y=True)
WINE = load_wine(as_frame=True).data


@pytest.fixture(scope="module")
def pipeline():
    return make_pipeline(StandardScaler(), PCA(5, random_state=0)).fit(X)


class Doubling:
    """Its code is twice the row; its own walks are of zeros or of ones."""

    def transform(self, X):
        return np.asarray(X) * 2.0

    def inverse_transform(self, Z):
        return Z / 2

    def interpolate(self, X_start, X_stop, n_steps):
        self.called = "interpolate"
        return np.zeros((len(X_start), n_steps, 3))

    def traverse(self, X, components, values):
        self.called = "traverse"
        return np.ones((len(X), len(components), len(values), 3))


def captions(display):
    return [label.get_text() for label in display.ax_.get_xticklabels()]


def row_labels(display):
    return [label.get_text() for label in display.ax_.get_yticklabels()]


def test_ways_are_straight_lines_between_codes(pipeline):
    display = LatentWalkDisplay.from_estimator(
        pipeline, X[:2], X[2:4], n_steps=3, image_shape=(8, 8)
    )
    codes = pipeline.transform(X[:4])
    middle = pipeline.inverse_transform((codes[:2] + codes[2:]) / 2)

    assert display.images_.shape == (2, 3)
    np.testing.assert_allclose(display.walks[:, 0], pipeline.inverse_transform(codes[:2]))
    np.testing.assert_allclose(display.walks[:, 1], middle)
    np.testing.assert_allclose(display.walks[:, 2], pipeline.inverse_transform(codes[2:]))
    np.testing.assert_array_equal(
        display.images_[1, 2].get_array(), display.walks[1, 2].reshape(8, 8)
    )
    assert captions(display) == ["0", "0.5", "1"]
    assert row_labels(display) == ["", ""]


def test_the_estimators_own_ways_are_preferred():
    estimator = Doubling()
    display = LatentWalkDisplay.from_estimator(estimator, np.ones((2, 3)), np.ones((2, 3)))
    assert estimator.called == "interpolate"
    assert not display.walks.any()

    display = LatentWalkDisplay.from_traversal(estimator, np.ones((1, 3)))
    assert estimator.called == "traverse"
    assert display.walks.shape == (3, 7, 3)


def test_grid_search_walks_with_its_best_estimator():
    search = GridSearchCV(PCA(random_state=0), {"n_components": [2, 3]}).fit(X)
    display = LatentWalkDisplay.from_estimator(search, X[:1], X[1:2], image_shape=(8, 8))
    direct = LatentWalkDisplay.from_estimator(
        search.best_estimator_, X[:1], X[1:2], image_shape=(8, 8)
    )

    np.testing.assert_array_equal(display.walks, direct.walks)


def test_traversal_changes_one_component_at_a_time(pipeline):
    display = LatentWalkDisplay.from_traversal(
        pipeline, X[:1], components=[3, 0], values=[-1, 0, 4], image_shape=(8, 8)
    )
    code = pipeline.transform(X[:1])[0]
    code[3] = 4

    np.testing.assert_allclose(display.walks[0, 2], pipeline.inverse_transform([code])[0])
    assert row_labels(display) == ["component 3", "component 0"]
    assert captions(display) == ["-1", "0", "4"]


def test_each_sample_is_traversed(pipeline):
    display = LatentWalkDisplay.from_traversal(
        pipeline, X[:2], components=[1, 2], image_shape=(8, 8)
    )

    assert display.images_.shape == (4, 7)
    assert row_labels(display)[1:3] == ["sample 0, component 2", "sample 1, component 1"]


def test_components_that_change_most_are_chosen():
    pca = PCA(20, random_state=0).fit(X)
    pca.components_[[2, 5]] *= 0.01
    display = LatentWalkDisplay.from_traversal(pca, X[:1], image_shape=(8, 8))

    assert len(display.walks) == 8
    assert not {"component 2", "component 5"} & set(row_labels(display))


def test_scale_of_a_feature_does_not_choose_components():
    pca = PCA(13, whiten=True, random_state=0).fit(StandardScaler().fit_transform(WINE))
    units = 10.0 ** np.arange(-6, 7)

    class InUnits:
        def transform(self, X):
            return pca.transform(X / units)

        def inverse_transform(self, Z):
            return pca.inverse_transform(Z) * units

    row = np.zeros((1, 13))
    plain = LatentWalkDisplay.from_traversal(pca, row)
    scaled = LatentWalkDisplay.from_traversal(InUnits(), row)

    assert plain.walk_names.tolist() == scaled.walk_names.tolist()


def test_curves_have_a_panel_for_each_column():
    model = make_pipeline(StandardScaler(), PCA(3, random_state=0)).fit(WINE)
    display = LatentWalkDisplay.from_estimator(model, WINE[:2], WINE[-2:])

    assert display.lines_.shape == (13, 2)
    assert [panel.get_title(loc="left") for panel in display.axes_] == list(WINE.columns)
    np.testing.assert_array_equal(display.lines_[4, 1].get_xdata(), np.linspace(0, 1, 8))
    np.testing.assert_array_equal(display.lines_[4, 1].get_ydata(), display.walks[1, :, 4])
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert legend == ["way 0", "way 1"]
    assert display.images_ is None


def test_features_are_chosen_by_name_or_position():
    walks = np.arange(24.0).reshape(1, 4, 6)
    display = LatentWalkDisplay(walks, feature_names=list("abcdef")).plot(features=["d", 0])

    assert [panel.get_title(loc="left") for panel in display.axes_] == ["d", "a"]
    np.testing.assert_array_equal(display.lines_[0, 0].get_ydata(), walks[0, :, 3])
    assert display.ax_.get_legend() is None


def test_names_of_columns_are_taken_from_the_samples():
    frame = pd.DataFrame(np.ones((1, 3)), columns=["u", "v", "w"])
    display = LatentWalkDisplay.from_traversal(Doubling(), frame, components=0)

    assert display.feature_names.tolist() == ["u", "v", "w"]
    assert display.position_name == "value of the component"


def test_keywords():
    walks = np.random.default_rng(0).random((2, 3, 4))
    images = LatentWalkDisplay.from_predictions(
        walks, image_shape=(2, 2), image_kwargs={"cmap": "gray_r", "vmin": -1}
    )
    curves = LatentWalkDisplay.from_predictions(walks, line_kwargs={"lw": 3})

    assert images.images_[0, 0].get_cmap().name == "gray_r"
    assert images.images_[1, 2].get_clim() == (-1, walks.max())
    assert curves.lines_[3, 1].get_linewidth() == 3


@pytest.mark.parametrize("n_walks", [1, 12])
@pytest.mark.parametrize("n_features", [1, 5])
def test_legend_and_panels_stay_inside_the_figure(n_walks, n_features):
    walks = np.random.default_rng(0).random((n_walks, 3, n_features))
    names = [f"component {i}" for i in range(n_walks)]
    figure = LatentWalkDisplay(walks, walk_names=names).plot().figure_
    figure.draw_without_rendering()
    box, whole = figure.get_tightbbox(), figure.bbox_inches

    assert min(box.x0, box.y0) >= -0.05
    assert box.x1 <= whole.width + 0.05
    assert box.y1 <= whole.height + 0.05


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"positions": [0, 1]}, r"positions must have shape \(3,\).* got shape \(2,\)"),
        ({"walk_names": ["a"]}, r"walk_names must have shape \(2,\), got shape \(1,\)"),
        ({"image_shape": (8, 9)}, r"image_shape=\(8, 9\) holds 72 values, but X has 64 features"),
        ({"feature_names": ["a"]}, r"feature_names must have shape \(64,\)"),
        ({"features": ["y"]}, r"features must be names or positions from 0 to 63, got \['y'\]"),
        ({"features": [64]}, r"features must be names or positions from 0 to 63, got \[64\]"),
        ({"features": []}, r"features must be names or positions from 0 to 63, got \[\]"),
        ({}, "64 features are too many for a panel each, at most 40 are drawn; choose some"),
    ],
)
def test_bad_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        LatentWalkDisplay.from_predictions(X[:6].reshape(2, 3, 64), **parameters)


def test_walks_of_the_wrong_shape():
    with pytest.raises(ValueError, match=r"\(n_walks, n_steps, n_features\), got \(1797, 64\)"):
        LatentWalkDisplay(X)
    with pytest.raises(ValueError, match="walks contains NaN"):
        LatentWalkDisplay(np.full((1, 2, 3), np.nan))


@pytest.mark.parametrize("components", [5, [-1], [], [[0]], [0.5], [True]])
def test_bad_components(components, pipeline):
    with pytest.raises(ValueError, match="components must be integers from 0 to 4, got"):
        LatentWalkDisplay.from_traversal(pipeline, X[:1], components=components)
