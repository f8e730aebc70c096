"""scikit-learn's callbacks watch a training, and end it."""

import copy

import numpy as np
import pytest
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from skae import Autoencoder, AutoencoderOutlierDetector

from .estimators import (
    assert_equal_outputs,
    assert_same_outputs,
    new,
    outputs,
    over_all,
    over_models,
    over_networks,
    shared_fit,
)


class Recorder:
    """Keeps what it is told of, in the order in which it happens."""

    max_propagation_depth = None

    def __init__(self):
        self.events = []

    def setup(self, estimator, context):
        self.events.append("setup")

    def teardown(self, estimator, context):
        self.events.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.events.append(f"begin {context.task_name} {context.task_id}")

    def on_fit_task_end(self, estimator, context):
        self.events.append(f"end {context.task_name} {context.task_id}")


class EpochRecorder(Recorder):
    """Keeps a copy of the estimator with every epoch's network."""

    def on_fit_task_end(self, estimator, context, *, X=None, fitted_estimator=None):
        if fitted_estimator is not None:
            self.events.append(copy.deepcopy(fitted_estimator))


class StopAfterTwo(Recorder):
    def on_fit_task_end(self, estimator, context):
        return context.task_name == "epoch" and context.task_id == 1


class Failing(Recorder):
    def on_fit_task_end(self, estimator, context):
        if context.task_name == "epoch":
            raise RuntimeError("no more")


TWO_EPOCHS = [
    "setup",
    "begin fit 0",
    "begin epoch 0",
    "end epoch 0",
    "begin epoch 1",
    "end epoch 1",
    "end fit 0",
    "teardown",
]


def test_every_epoch_is_a_task(X):
    recorder = Recorder()

    Autoencoder(max_epochs=2).set_callbacks(recorder).fit(X)

    assert recorder.events == TWO_EPOCHS


def test_stopped_training_closes_its_tasks(X):
    recorder = Recorder()

    Autoencoder(max_epochs=9).set_callbacks(StopAfterTwo(), recorder).fit(X)

    assert recorder.events == TWO_EPOCHS


def test_early_stopping_closes_its_tasks(X):
    recorder = Recorder()
    model = Autoencoder(max_epochs=99, lr=0.1, early_stopping=True, n_iter_no_change=1)

    model.set_callbacks(recorder).fit(X)

    assert model.n_iter_ < 99
    ends = [event for event in recorder.events if event.startswith("end epoch")]
    assert len(ends) == model.n_iter_


def test_failing_callback_closes_what_it_can(X):
    recorder = Recorder()

    with pytest.raises(RuntimeError, match="no more"):
        Autoencoder(max_epochs=2).set_callbacks(recorder, Failing()).fit(X)

    assert recorder.events[-1] == "teardown"


@over_all("set_callbacks", names=["default", "own_module", "early_stopping", "penalised"])
def test_watching_does_not_change_the_training(estimator, X):
    _, expected = shared_fit(estimator, X, 10)

    watched = new(estimator).set_callbacks(Recorder()).fit(X)

    assert_equal_outputs(outputs(watched, X[:10]), expected)


@over_networks("partial_fit", names=["early_stopping", "own_module", "penalised", "deep", "conv"])
def test_callback_sees_the_network_of_each_epoch(estimator, X):
    recorder = EpochRecorder()

    new(estimator, max_epochs=2, early_stopping=False).set_callbacks(recorder).fit(X)

    epochs = [event for event in recorder.events if not isinstance(event, str)]
    expected = [new(estimator, max_epochs=n, early_stopping=False).fit(X) for n in (1, 2)]
    for seen, fitted in zip(epochs, expected, strict=True):
        assert_same_outputs(seen, fitted, X)


def test_stop_returns_the_network_of_that_epoch(X):
    stopped = Autoencoder(max_epochs=9, random_state=0).set_callbacks(StopAfterTwo()).fit(X)

    assert stopped.n_iter_ == 2
    assert_same_outputs(stopped, Autoencoder(max_epochs=2, random_state=0).fit(X), X)


def test_detector_passes_its_callbacks_to_its_model(X):
    recorder = Recorder()

    AutoencoderOutlierDetector(Autoencoder(max_epochs=2)).set_callbacks(recorder).fit(X)

    assert recorder.events == [
        "setup",
        "begin fit 0",
        "begin fit 0",
        "begin epoch 0",
        "end epoch 0",
        "begin epoch 1",
        "end epoch 1",
        "end fit 0",
        "end fit 0",
        "teardown",
    ]


@over_models(names=["default", "early_stopping"])
def test_callbacks_watch_the_model(estimator, X):
    recorder = Recorder()

    model = new(estimator).set_callbacks(recorder).fit(X).estimator_

    epochs = [f"{moment} epoch {i}" for i in range(model.n_iter_) for moment in ("begin", "end")]
    assert recorder.events == [
        "setup",
        "begin fit 0",
        "begin fit 0",
        *epochs,
        "end fit 0",
        "end fit 0",
        "teardown",
    ]


def test_partial_fit_is_one_epoch(X):
    recorder = Recorder()

    Autoencoder().set_callbacks(recorder).partial_fit(X)

    assert recorder.events == [*TWO_EPOCHS[:4], *TWO_EPOCHS[-2:]]


def in_fit(model, callback):
    return model.set_callbacks(callback)


def in_pipeline(model, callback):
    return make_pipeline(StandardScaler(), model.set_callbacks(callback))


def in_search(model, callback):
    return GridSearchCV(model.set_callbacks(callback), {"n_components": [1, 2]}, cv=2)


def in_parallel_search(model, callback):
    return in_search(model, callback).set_params(n_jobs=2)


over_places = pytest.mark.parametrize(
    ("place", "n_fits"), [(in_fit, 1), (in_pipeline, 1), (in_search, 5), (in_parallel_search, 5)]
)


@over_places
def test_scoring_monitor(place, n_fits, X):
    def scoring(estimator, X, y):  # not at the top of the module, so that workers get its code
        return {"score": estimator.score(X)}

    monitor = ScoringMonitor(scoring=scoring)

    place(Autoencoder(max_epochs=3), monitor).fit(X, np.zeros(len(X)))  # it scores no None

    logs = monitor.get_logs(select="all")
    scores = [row.get("score", np.nan) for log in logs for row in log.data]
    assert len(scores) == 3 * n_fits
    assert np.isfinite(scores).all()


@pytest.mark.parametrize(
    ("search", "n_jobs"), [(None, None), (GridSearchCV, None), (GridSearchCV, 2)]
)
def test_progress_bar(search, n_jobs, X, capsys):
    model = Autoencoder(max_epochs=2)
    if search is not None:
        model = search(model, {"n_components": [1, 2]}, cv=2, n_jobs=n_jobs)

    model.set_callbacks(ProgressBar()).fit(X)

    assert "Autoencoder - fit" in capsys.readouterr().out


@over_places
def test_stopping(place, n_fits, X):
    class Stop:  # not at the top of the module, so that workers get its code
        def setup(self, estimator, context):
            pass

        def teardown(self, estimator, context):
            pass

        def on_fit_task_begin(self, estimator, context):
            pass

        def on_fit_task_end(self, estimator, context):
            return True

    fitted = place(Autoencoder(max_epochs=9), Stop()).fit(X)

    fitted = getattr(fitted, "best_estimator_", fitted)
    fitted = fitted[-1] if isinstance(fitted, Pipeline) else fitted
    assert fitted.n_iter_ == 1
