"""A training that was interrupted goes on to the same bits."""

import numpy as np
import pytest
from sklearn.base import clone
from skorch.callbacks import Callback

from skae import (
    Autoencoder,
    AutoencoderDenoiser,
    AutoencoderImputer,
    AutoencoderRecommender,
    VariationalAutoencoder,
    save,
)


class Broken(Exception):
    """What ends a training in between."""


class BreaksAfter(Callback):
    """Ends a training as a loss of power would, after some epochs."""

    def __init__(self, n_epochs):
        self.n_epochs = n_epochs

    def on_epoch_begin(self, net, **kwargs):
        if len(net.history) > self.n_epochs:
            raise Broken


@pytest.fixture(scope="module")
def X():
    rng = np.random.default_rng(0)
    return rng.normal(size=(100, 2)) @ rng.normal(size=(2, 6)) + 0.1 * rng.normal(size=(100, 6))


def interrupted(model, X, path, n_epochs=1):
    """Fit until an error ends it."""
    model.set_params(callbacks=[BreaksAfter(n_epochs)])
    with pytest.raises(Broken):
        model.fit(X, checkpoint=path)
    return model.set_params(callbacks=None)


@pytest.mark.parametrize(
    ("estimator", "params"),
    [
        (Autoencoder, {"noise": "gaussian", "max_epochs": 5}),
        (Autoencoder, {"early_stopping": True, "n_iter_no_change": 2, "max_epochs": 9}),
        (Autoencoder, {"max_epochs": "auto"}),
        (VariationalAutoencoder, {"max_epochs": 4}),
    ],
    ids=["noise", "early_stopping", "auto", "variational"],
)
def test_a_training_goes_on_to_the_same_bits(X, tmp_path, estimator, params):
    path = tmp_path / "state"
    model = estimator(2, batch_size=32, random_state=0, **params)
    whole = estimator(2, batch_size=32, random_state=0, **params).fit(X)
    interrupted(model, X, path).fit(X, checkpoint=path, resume=path)
    assert model.n_iter_ == whole.n_iter_
    np.testing.assert_array_equal(model.transform(X), whole.transform(X))
    np.testing.assert_array_equal(model.loss_curve_, whole.loss_curve_)
    # One that was done has nothing left to do, and goes on like any other.
    done = estimator(2, batch_size=32, random_state=0, **params).fit(X, resume=path)
    np.testing.assert_array_equal(done.transform(X), whole.transform(X))
    if hasattr(done, "partial_fit"):
        for each in (done, whole):
            each.partial_fit(X)
        np.testing.assert_array_equal(done.transform(X), whole.transform(X))


def test_other_tasks_go_on_to_the_same_bits(X, tmp_path):
    path = tmp_path / "state"
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (16, 16), dtype=np.uint8) for _ in range(3)]
    incomplete = np.where(rng.random(X.shape) < 0.1, np.nan, X)
    bought = (X > 0).astype(float)
    for estimator, data in [
        (AutoencoderDenoiser(module="conv", batch_size=2), images),
        (AutoencoderImputer(batch_size=32), incomplete),
        (AutoencoderRecommender(), bought),
    ]:
        estimator.set_params(max_epochs=2, random_state=0)
        whole = clone(estimator).fit(data)
        interrupted(estimator, data, path).fit(data, checkpoint=path, resume=path)
        for one, other in zip(estimator.transform(data), whole.transform(data), strict=True):
            np.testing.assert_array_equal(one, other)
        with pytest.raises(ValueError, match="from another training: the checksum of X was"):
            estimator.fit(data[::-1], resume=path)
        path.unlink()


def test_a_seed_by_chance_is_in_the_file(X, tmp_path):
    path = tmp_path / "state"
    model = Autoencoder(2, max_epochs=3, noise="gaussian")
    model.fit(X, checkpoint=path, resume=path)  # there is none yet
    again = Autoencoder(2, max_epochs=3, noise="gaussian").fit(X, resume=path)
    np.testing.assert_array_equal(again.transform(X), model.transform(X))


def test_what_does_not_belong_to_a_file(X, tmp_path):
    path = tmp_path / "state"
    Autoencoder(2, max_epochs=1, random_state=0).fit(X, checkpoint=path)
    message = "state' is from another training: lr was 0.002 and is 0.1"
    with pytest.raises(ValueError, match=message):
        Autoencoder(2, max_epochs=1, random_state=0, lr=0.1).fit(X, resume=path)
    with pytest.raises(ValueError, match="from another training: the checksum of X was"):
        Autoencoder(2, max_epochs=1, random_state=0).fit(X + 1, resume=path)
    model = Autoencoder(2, max_epochs=1, random_state=0, warm_start=True).fit(X)
    with pytest.raises(ValueError, match="set warm_start=False"):
        model.fit(X, resume=path)
    for content in (b"no file", path.read_bytes()[:-40]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="is no checkpoint of this version of skae, or is"):
            Autoencoder(2, max_epochs=1, random_state=0).fit(X, resume=path)


@pytest.mark.parametrize(
    ("path", "error"), [("", IsADirectoryError), ("no/folder/state", FileNotFoundError)]
)
def test_a_place_where_no_file_can_be(X, tmp_path, monkeypatch, path, error):
    monkeypatch.chdir(tmp_path)
    model = Autoencoder(2, max_epochs=0)

    with pytest.raises(error, match=r"directory: '(\.|no/folder)'"):
        model.fit(X, checkpoint=path)
    with pytest.raises(error, match=r"directory: '(\.|no/folder)'"):
        save(model.fit(X), path)
