"""A training that is cut short leaves the estimator exactly as it was before."""

import signal

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted
from skorch.callbacks import Callback

from .estimators import (
    assert_same_outputs,
    assert_unchanged,
    frozen,
    over_networks,
    over_trainings,
    with_network_params,
)

MOMENTS = ("batch", "epoch")


@pytest.fixture(autouse=True)
def _ctrl_c_interrupts():
    """Undo what a shell does to the programs that it starts in the background: ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class CtrlC(Callback):
    """Presses Ctrl-C at the end of the first batch or of the first epoch."""

    moment = None  # kept by the class, because nets copy their callbacks

    def on_batch_end(self, net, **kwargs):
        if self.moment == "batch":
            signal.raise_signal(signal.SIGINT)

    def on_epoch_end(self, net, **kwargs):
        if self.moment == "epoch":
            signal.raise_signal(signal.SIGINT)


class Stop(Callback):
    """Ends a training after two epochs, in the way of skorch's callbacks."""

    def on_epoch_end(self, net, **kwargs):
        if len(net.history) == 2:
            raise KeyboardInterrupt


def interruptible(estimator):
    """Return a copy whose training has batches after the first, and is sensitive to Ctrl-C."""
    return with_network_params(estimator, callbacks=[CtrlC()], batch_size=16, warm_start=False)


@pytest.mark.parametrize("moment", MOMENTS)
@over_trainings()
def test_interrupted_first_fit_leaves_it_unfitted(estimator, moment, X, monkeypatch):
    model = interruptible(estimator)
    before = frozen(model)
    monkeypatch.setattr(CtrlC, "moment", moment)

    with pytest.raises(KeyboardInterrupt):
        model.fit(X)

    assert_unchanged(model, before)
    with pytest.raises(NotFittedError):
        check_is_fitted(model)


@over_trainings(names=["default", "conv", "own_module", "early_stopping", "warm_start"])
def test_interrupted_second_fit_leaves_the_first(estimator, X, monkeypatch):
    model = interruptible(estimator).fit(X)
    before = frozen(model)

    for moment in MOMENTS:
        monkeypatch.setattr(CtrlC, "moment", moment)
        with pytest.raises(KeyboardInterrupt):
            model.fit(X[:, :5] + 1)
        assert_unchanged(model, before)


@over_networks(names=["default", "early_stopping", "warm_start"])
def test_interrupted_warm_start_leaves_the_first_fit(estimator, X, monkeypatch):
    model = interruptible(estimator).set_params(warm_start=True, max_epochs=2).fit(X)
    before = frozen(model)

    for moment in MOMENTS:
        monkeypatch.setattr(CtrlC, "moment", moment)
        with pytest.raises(KeyboardInterrupt):
            model.fit(X + 1)
        assert_unchanged(model, before)


@over_networks("partial_fit")
def test_interrupted_partial_fit_leaves_the_first(estimator, X, monkeypatch):
    model = interruptible(estimator).partial_fit(X)
    before = frozen(model)

    for moment in MOMENTS:
        monkeypatch.setattr(CtrlC, "moment", moment)
        with pytest.raises(KeyboardInterrupt):
            model.partial_fit(X + 1)
        assert_unchanged(model, before)


@over_networks("partial_fit", "reconstruct", names=["early_stopping"])
def test_interrupted_partial_fit_leaves_the_bounds(estimator, X, monkeypatch):
    model = interruptible(estimator).fit(np.clip(X, 0, 1))
    before = model.reconstruct(5 * X)
    monkeypatch.setattr(CtrlC, "moment", "epoch")

    with pytest.raises(KeyboardInterrupt):
        model.partial_fit(X)

    np.testing.assert_array_equal(model.reconstruct(5 * X), before)


@over_trainings(names=["penalised", "own_module"])
def test_training_goes_on_after_an_interruption(estimator, X, monkeypatch):
    model = interruptible(estimator)
    with monkeypatch.context() as patch:
        patch.setattr(CtrlC, "moment", "batch")
        with pytest.raises(KeyboardInterrupt):
            model.fit(X)

    model.fit(X)

    assert_same_outputs(model, interruptible(estimator).fit(X), X)


@over_networks()
def test_keyboard_interrupt_of_a_skorch_callback_ends_the_fit(estimator, X):
    model = with_network_params(estimator, callbacks=[Stop()], max_epochs=9).fit(X)

    assert model.n_iter_ == 2


@over_networks(names=["own_module"])
def test_training_stopped_by_a_callback_equals_a_short_one(estimator, X):
    stopped = with_network_params(estimator, callbacks=[Stop()], max_epochs=9).fit(X)

    short = with_network_params(estimator, max_epochs=2).fit(X)

    assert_same_outputs(stopped, short, X)


@over_networks(names=["deep"])
def test_ctrl_c_under_a_handler_in_python(estimator, X, monkeypatch):
    def handler(signum, frame):
        raise KeyboardInterrupt

    monkeypatch.setattr(CtrlC, "moment", "epoch")
    before = signal.signal(signal.SIGINT, handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            interruptible(estimator).fit(X)
    finally:
        signal.signal(signal.SIGINT, before)
