"""Numbers of components that are chosen."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skae import Autoencoder
from skae.networks import DenseAutoencoder

from .estimators import DropoutNetwork, assert_same_outputs

SMALL = {"hidden_layer_sizes": (64, 32), "lr": 0.01, "random_state": 0}


def surface(n_rows, seed=0):
    """Rows near a curved surface of two dimensions, in ten."""
    rng = np.random.default_rng(seed)
    angles = rng.normal(size=(n_rows, 2)) @ np.random.default_rng(9).normal(size=(2, 10))
    return np.sin(1.5 * angles) + 0.05 * rng.normal(size=(n_rows, 10))


X, TEST = surface(300), surface(300, seed=1)


def restored(model, X, mean):
    return 1 - np.sum((model.reconstruct(X) - X) ** 2) / np.sum((X - mean) ** 2)


@pytest.fixture(scope="module")
def fitted():
    return Autoencoder(0.9, **SMALL).fit(X)


def test_a_share_is_restored_with_fewer_components_than_pca_needs(fitted):
    assert fitted.n_components_ < PCA(0.9).fit(X).n_components_
    assert restored(fitted, TEST, X.mean(0)) > 0.88
    assert fitted.transform(TEST).shape == (300, fitted.n_components_)


def test_restored_variance_foretells_that_of_new_rows(fitted):
    share = fitted.restored_variance_[fitted.n_components_ - 1]

    assert share >= 0.9
    assert share == pytest.approx(restored(fitted, TEST, X.mean(0)), abs=0.04)
    assert fitted.pca_restored_variance_.shape == fitted.restored_variance_.shape == (10,)
    assert (fitted.restored_variance_ >= fitted.pca_restored_variance_ - 1e-6).all()


def test_the_fit_is_that_with_the_number(fitted):
    given = Autoencoder(fitted.n_components_, **SMALL).fit(X)

    assert_same_outputs(fitted, given, X)
    assert given.n_components_ == fitted.n_components_
    assert not hasattr(given, "restored_variance_")


def test_auto_finds_the_rank_of_linear_data():
    rng = np.random.default_rng(0)
    Y = rng.normal(size=(200, 4)) @ rng.normal(size=(4, 12)) + 0.3 * rng.normal(size=(200, 12))

    assert Autoencoder("auto", max_epochs=5, random_state=0).fit(Y).n_components_ == 4


def test_auto_finds_the_dimension_of_a_curved_surface():
    # Of few rows the best number depends on the last bits, which processors round differently.
    assert Autoencoder("auto", **SMALL).fit(surface(1000)).n_components_ in (2, 3)


def test_without_training_it_is_the_number_of_pca():
    model = Autoencoder(0.9, max_epochs=0, random_state=0).fit(X)

    np.testing.assert_allclose(model.restored_variance_, model.pca_restored_variance_, atol=1e-5)
    assert model.n_components_ == np.argmax(model.pca_restored_variance_ >= 0.9) + 1


def test_units_do_not_matter():
    far = Autoencoder(0.9, max_epochs=3, random_state=0).fit(1e6 + 1e-3 * X)
    near = Autoencoder(0.9, max_epochs=3, random_state=0).fit(X)

    assert far.n_components_ == near.n_components_
    np.testing.assert_allclose(far.restored_variance_, near.restored_variance_, atol=2e-3)


@pytest.mark.parametrize(
    "params",
    [
        {"early_stopping": True, "n_iter_no_change": 2},
        {"noise": "gaussian", "noise_level": 0.1},
        {"loss": "absolute_error"},
        {"module__tied_weights": True},
        {"module": DropoutNetwork},
    ],
)
@pytest.mark.parametrize("n_components", ["auto", 0.6])
def test_with_other_parameters(params, n_components):
    model = Autoencoder(n_components, max_epochs=4, lr=0.02, random_state=0, **params).fit(X)

    assert 1 <= model.n_components_ == model.transform(X).shape[1] <= 10


def test_many_rows_hold_out_some(monkeypatch):
    monkeypatch.setattr("skae.training._trials._AUTO_EPOCHS", (2, 2))

    model = Autoencoder(0.9, hidden_layer_sizes=(8,), random_state=0).fit(surface(5200))

    assert model.max_epochs_ == 2
    assert restored(model, TEST, 0) > 0.88


def test_targets_count():
    noisy = X + 0.3 * np.random.default_rng(2).normal(size=X.shape)

    model = Autoencoder(0.6, max_epochs=5, random_state=0).fit(noisy, X)

    assert restored(model, X, X.mean(0)) > 0.55


# ---------------------------------------------------------------- the number stays


def test_going_on_keeps_the_number():
    model = Autoencoder(0.7, warm_start=True, max_epochs=2, random_state=0).fit(X)
    k, share = model.n_components_, model.restored_variance_

    model.fit(np.random.default_rng(0).normal(size=X.shape)).partial_fit(X)

    assert model.n_components_ == k
    assert model.restored_variance_ is share


def test_a_stream_takes_the_number_of_its_first_rows():
    model = Autoencoder(0.7, random_state=0).partial_fit(X[:150])
    k = model.n_components_

    assert model.partial_fit(X[150:]).transform(X).shape == (300, k)


def test_a_new_fit_forgets_what_was_chosen(fitted):
    model = clone(fitted).set_params(max_epochs=1).fit(X).set_params(n_components=3).fit(X)

    assert model.n_components_ == 3
    assert not hasattr(model, "restored_variance_")


def test_a_fit_that_fails_forgets_nothing(fitted):
    model = clone(fitted).set_params(max_epochs=1).fit(X)
    before = model.n_components_, model.restored_variance_

    with pytest.raises(ValueError, match="needs at least 5"):
        model.fit(X[:3])

    assert (model.n_components_, model.restored_variance_) == before


# ---------------------------------------------------------------- containers and scikit-learn


def test_containers(tmp_path):
    path = tmp_path / "rows.npy"
    np.save(path, X)
    expected = Autoencoder(0.7, max_epochs=2, random_state=0).fit(X)
    for container in (sparse.csr_array(X), np.load(path, mmap_mode="r"), pd.DataFrame(X)):
        model = clone(expected).fit(container)
        assert model.n_components_ == expected.n_components_


def test_pickle(fitted):
    loaded = pickle.loads(pickle.dumps(fitted))

    assert_same_outputs(loaded, fitted, X)
    assert loaded.n_components_ == fitted.n_components_
    np.testing.assert_array_equal(loaded.restored_variance_, fitted.restored_variance_)


def test_search_in_a_pipeline():
    pipeline = make_pipeline(StandardScaler(), Autoencoder(max_epochs=1, random_state=0))

    search = GridSearchCV(pipeline, {"autoencoder__n_components": [2, 0.95, "auto"]}, cv=2).fit(X)

    assert search.best_params_ == {"autoencoder__n_components": 0.95}
    assert search.best_estimator_[-1].n_components_ > 2


@pytest.mark.parametrize("n_components", [0, 0.0, 1.0, 1.5, -0.5, "mle", None])
def test_what_is_allowed(n_components):
    with pytest.raises(ValueError, match=r"'n_components'.*int.*float.*'auto'"):
        Autoencoder(n_components).fit(X)


def test_a_network_that_is_there_has_its_number():
    with pytest.raises(ValueError, match=r"n_components='auto' is chosen.* set n_components to an"):
        Autoencoder("auto", module=DenseAutoencoder(10, 2)).fit(X)


def test_a_share_that_no_number_restores():
    noise = np.random.default_rng(0).normal(size=(20, 60))

    with pytest.raises(ValueError, match=r"n_components=0\.9, but as many as 16 .*ask for less"):
        Autoencoder(0.9, max_epochs=1, random_state=0).fit(noise)
