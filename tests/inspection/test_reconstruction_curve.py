"""Curves over the number of components."""

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skae import Autoencoder
from skae.inspection import ReconstructionCurveDisplay

PCA = np.array([0.5, 0.7, 0.8, 0.9, 0.95, 1.0])
NETWORK = np.array([0.7, 0.8, 0.9, 0.92, 0.97, 1.0])
X = np.random.default_rng(0).normal(size=(60, 8)).cumsum(axis=1)


@pytest.fixture(scope="module")
def fitted():
    pipeline = make_pipeline(StandardScaler(), Autoencoder(0.8, max_epochs=2, random_state=0))
    return pipeline.fit(X)


def test_what_the_estimator_found(fitted):
    display = ReconstructionCurveDisplay.from_estimator(fitted)

    model = fitted[-1]
    np.testing.assert_array_equal(display.restored_variance, model.restored_variance_)
    np.testing.assert_array_equal(display.pca_restored_variance, model.pca_restored_variance_)
    assert display.n_components == model.n_components_
    texts = [text.get_text() for text in display.ax_.get_legend().texts]
    assert texts[:2] == ["PCA", "Autoencoder"]


def test_searches():
    search = GridSearchCV(Autoencoder(max_epochs=1), {"n_components": ["auto"]}, cv=2).fit(X)

    display = ReconstructionCurveDisplay.from_estimator(search, estimator_name="searched")

    assert display.line_.get_label() == "searched"


def test_both_numbers_are_marked():
    display = ReconstructionCurveDisplay.from_predictions(
        PCA, restored_variance=NETWORK, n_components=3
    )

    assert display.n_pca_components_ == 4
    np.testing.assert_allclose(display.marker_.get_xydata(), [[3, 0.1]])
    np.testing.assert_allclose(display.pca_marker_.get_xydata(), [[4, 0.1]])


@pytest.mark.parametrize(("quantity", "values"), [("restored", PCA), ("error", 1 - PCA)])
def test_quantities(quantity, values):
    display = ReconstructionCurveDisplay.from_predictions(PCA, quantity=quantity)

    np.testing.assert_allclose(display.pca_line_.get_ydata()[:5], values[:5])
    assert display.line_ is display.marker_ is display.pca_marker_ is None


def test_of_hundreds_of_numbers_those_around_the_chosen_are_drawn():
    many = 1 - 1 / np.arange(1, 501)

    display = ReconstructionCurveDisplay.from_predictions(many, n_components=12)

    assert len(display.pca_line_.get_xdata()) == 24


@pytest.mark.parametrize("log_scale", ["auto", True, False])
def test_scale(log_scale, ax):
    ReconstructionCurveDisplay(PCA).plot(ax, log_scale=log_scale)

    assert ax.get_yscale() == ("linear" if log_scale is False else "log")


def test_an_estimator_that_was_given_its_number_is_told_what_to_do():
    model = Autoencoder(2, max_epochs=0).fit(X)

    with pytest.raises(ValueError, match=r'Autoencoder has none.* n_components="auto"'):
        ReconstructionCurveDisplay.from_estimator(model)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_components": 7}, "n_components must be from 1 to 6"),
        ({"restored_variance": [0.5]}, "must have the same length"),
        ({"quantity": "loss"}, "quantity must be one of"),
    ],
)
def test_wrong_parameters(params, message):
    with pytest.raises(ValueError, match=message):
        ReconstructionCurveDisplay.from_predictions(PCA, **params)
