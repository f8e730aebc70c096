"""A training that goes on takes up what may have changed, and says what may not."""

import pickle

import numpy as np
import pytest
from skorch.callbacks import Callback, LRScheduler
from torch import nn

from skae import AdversarialAutoencoder, Autoencoder, ImageCompressor, VariationalAutoencoder

from .estimators import (
    DropoutNetwork,
    assert_same_outputs,
    assert_unchanged,
    frozen,
    new,
    outputs,
    over_fits,
    over_networks,
)


class Counter(Callback):
    """Counts epochs in a list that its copies share."""

    def __init__(self, seen):
        self.seen = seen

    def on_epoch_end(self, net, **kwargs):
        self.seen.append(net.verbose)


def fitted(estimator, X, **params):
    return new(estimator, warm_start=True, max_epochs=1, **params).fit(X)


@over_networks(names=["default"])
def test_callbacks_are_taken_up_and_nothing_else_changes(estimator, X):
    seen, expected = [], fitted(estimator, X).fit(X)
    model = fitted(estimator, X).set_params(callbacks=[Counter(seen)], n_iter_no_change=3)

    model.fit(X)

    assert len(seen) == 1
    assert_same_outputs(model, expected, X)
    assert_same_outputs(model.fit(X), expected.fit(X), X)


@over_networks(names=["default"])
def test_settings_of_the_optimizer_are_taken_up_with_its_moments(estimator, X):
    settings = {"optimizer__weight_decay": 0.5, "lr": 1e-3, "batch_size": 7}
    model = fitted(estimator, X)
    moments = model.net_.state()["optimizer"]["state"]

    model.set_params(**settings, max_epochs=0).fit(X)

    group = model.net_.optimizer_.param_groups[-1]
    assert [group["weight_decay"], group["lr"], model.net_.batch_size] == [0.5, 1e-3, 7]
    np.testing.assert_equal(model.net_.state()["optimizer"]["state"], moments)


@over_fits("fit", "partial_fit", names=["default"])
def test_what_the_network_has_can_not_change(estimator, fit, X):
    model = fitted(estimator, X)
    before = frozen(model.net_.state())

    with pytest.raises(ValueError, match=r"dtype='float64' can't .* had dtype='float32'"):
        getattr(model.set_params(dtype="float64"), fit)(X)

    assert frozen(model.net_.state()) == before
    getattr(model.set_params(dtype="float32"), fit)(X)


@pytest.mark.parametrize(
    ("model", "change", "message"),
    [
        (Autoencoder(), {"n_components": 3}, "had n_components=2"),
        (Autoencoder(), {"loss": "huber"}, "had loss='squared_error'"),
        (Autoencoder(loss={"huber": [0, 1, 2, 3, 4, 5]}), {"loss": {"huber": [0]}}, "had loss={"),
        (Autoencoder(), {"hidden_layer_sizes": (9,)}, "had hidden_layer_sizes='auto'"),
        (Autoencoder(), {"noise": "masking"}, "had noise=None"),
        (Autoencoder(), {"optimizer": "sgd"}, "had optimizer='adamw'"),
        (Autoencoder(), {"module": DropoutNetwork}, "had module='mlp'"),
        (Autoencoder(), {"module__dropout": 0.1}, "did not set module__dropout"),
        (Autoencoder(module__dropout=0.1), {"module__dropout": 0.2}, "had module__dropout=0.1"),
        (Autoencoder(), {"module__dropot": 0.1}, "did you mean 'module__dropout'"),
        (Autoencoder(), {"criterion__delta": 0.1}, "criterion__delta is unknown"),
        (Autoencoder(), {"optimizer__weigth_decay": 0}, "did you mean 'optimizer__weight_decay'"),
        (Autoencoder(), {"optimizer__betas": (2, 2)}, "Invalid beta parameter"),
        (Autoencoder(), {"callbacks__log__sink": print}, "callbacks__log is unknown"),
        (Autoencoder(), {"iterator_train__shufle": True}, "iterator_train__shufle is unknown"),
        (Autoencoder(), {"device": "cuda:99"}, "device='cuda:99' can't be used"),
        (VariationalAutoencoder(), {"likelihood": "gaussian"}, "had likelihood='auto'"),
        (VariationalAutoencoder(), {"beta": 2.0}, "had beta=1.0"),
        (AdversarialAutoencoder(), {"row_critic_weight": 1.0}, "had row_critic_weight=0.0"),
        (ImageCompressor(), {"n_components": 2}, "had n_components='auto'"),
    ],
    ids=str,
)
def test_change(model, change, message, X):
    model = fitted(model, X).set_params(**change)

    with pytest.raises(ValueError, match=message):
        model.fit(X)


def test_what_comes_after_the_network_may_change(X):
    model = fitted(VariationalAutoencoder(), X).set_params(prior="flow", random_state=3).fit(X)
    coder = fitted(ImageCompressor(), X).set_params(quality=90).fit(X)

    assert type(model.prior_).__name__ == "FlowPrior"
    assert coder.n_iter_ == 2


def test_equal_values_are_no_change(X):
    model = fitted(Autoencoder(2, hidden_layer_sizes=[8]), X)

    model.set_params(n_components=np.int64(2), hidden_layer_sizes=np.array([8]), device="cpu")

    assert model.fit(X).n_iter_ == 2


def test_instances_are_no_change_after_loading(X):
    model = fitted(Autoencoder(module=DropoutNetwork(6, 2), loss=nn.L1Loss()), X)

    stored = pickle.loads(pickle.dumps(model))

    assert_same_outputs(stored.fit(X), model.fit(X), X)


def test_an_interrupted_change_leaves_all_as_it_was(X):
    class Failing(Callback):
        def on_epoch_end(self, net, **kwargs):
            raise ZeroDivisionError

    model = fitted(Autoencoder(), X).set_params(callbacks=[Failing()], lr=1.0)
    before = frozen(model)

    with pytest.raises(ZeroDivisionError):
        model.fit(X)

    assert_unchanged(model, before)


def test_a_schedule_is_left_alone_by_other_changes(X):
    schedule = LRScheduler("ExponentialLR", gamma=0.5)
    model = fitted(Autoencoder(callbacks=[schedule]), X)

    model.set_params(batch_size=9, callbacks=None).fit(X)

    assert model.net_.optimizer_.param_groups[0]["lr"] < model.lr


def test_outputs_change_with_the_learning_rate(X):
    slow, fast = (fitted(Autoencoder(), X).set_params(lr=lr).fit(X) for lr in (1e-9, 1e-2))

    assert not np.array_equal(outputs(slow, X)["transform"], outputs(fast, X)["transform"])
