"""Training in parts gives what training at a stretch gives."""

import numpy as np

from .estimators import (
    assert_equal_outputs,
    assert_same_outputs,
    new,
    outputs,
    over_fits,
    over_networks,
    shared_fit,
)


@over_networks("partial_fit")
def test_partial_fits_equal_one_fit(estimator, X):
    whole = new(estimator, max_epochs=5, early_stopping=False).fit(X)

    parts = new(estimator)
    for _ in range(5):
        parts.partial_fit(X)

    assert_same_outputs(parts, whole, X[:10])


@over_networks()
def test_warm_start_equals_one_fit(estimator, X):
    whole = new(estimator, max_epochs=5, early_stopping=False).fit(X)

    parts = new(estimator, max_epochs=3, early_stopping=False, warm_start=True).fit(X)
    parts.set_params(max_epochs=2).fit(X)

    assert_same_outputs(parts, whole, X[:10])
    assert parts.loss_curve_ == whole.loss_curve_
    assert parts.n_iter_ == 5


@over_networks(names=["default", "own_module", "early_stopping", "flow", "noisy", "sampled"])
def test_fit_starts_anew_without_warm_start(estimator, X):
    _, expected = shared_fit(estimator, X, 10)

    twice = new(estimator, warm_start=False).fit(X + 1).fit(X)

    assert_equal_outputs(outputs(twice, X[:10]), expected)


@over_networks(names=["default", "early_stopping"])
def test_fit_leaves_no_attribute_of_the_one_before(estimator, X):
    untrained = {"max_epochs": 0, "early_stopping": False}
    once = new(estimator, **untrained).fit(X)

    twice = new(estimator).fit(X).set_params(**untrained).fit(X)

    assert vars(twice).keys() == vars(once).keys()


@over_fits("fit", "partial_fit", names=["default"])
def test_going_on_trains(estimator, fit, X):
    model = new(estimator, max_epochs=1, warm_start=True).fit(X)
    before = outputs(model, X)

    getattr(model, fit)(X)

    changed = [
        n for n, output in outputs(model, X).items() if not np.array_equal(output, before[n])
    ]
    assert "score_samples" in changed or ("score_samples" not in before and changed)
    assert model.n_iter_ == 2
