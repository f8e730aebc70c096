"""The likelihood of some columns given others."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import multivariate_normal

from skae import VariationalAutoencoder

MEAN = np.array([0.0, 1, 2])
COVARIANCE = np.array([[1, 0.8, 0.3], [0.8, 1, 0.5], [0.3, 0.5, 1]])


def fitted(X, y=None, **params):
    params = {"hidden_layer_sizes": (32,), "max_epochs": 10, "random_state": 0} | params
    return VariationalAutoencoder(**params).fit(X, y)


@pytest.fixture(scope="module")
def normal():
    X = np.random.default_rng(0).multivariate_normal(MEAN, COVARIANCE, 300)
    return X, fitted(X)


@pytest.fixture(scope="module")
def mixed():
    rng = np.random.default_rng(0)
    u = rng.choice(list("abc"), 800, p=[0.5, 0.3, 0.2])
    v = np.where(rng.random(800) < 0.8, u, rng.choice(list("abc"), 800))
    frame = pd.DataFrame({"u": u, "v": v, "w": rng.poisson(1 + 2 * (u == "a")), "t": v > "a"})
    return frame, fitted(frame, chain=False)  # scores are those of codes


@pytest.mark.parametrize("given", [[0], [1, 2], [2, 0]], ids=str)
def test_normal_columns(given, normal):
    X, model = normal
    X = X[:100]
    whole = multivariate_normal(MEAN, COVARIANCE).logpdf(X)
    own = multivariate_normal(MEAN[given], COVARIANCE[np.ix_(given, given)]).logpdf(X[:, given])

    scores = model.score_samples(X, given=given)

    assert scores.mean() == pytest.approx((whole - own).mean(), abs=0.25)
    assert np.corrcoef(scores, whole - own)[0, 1] > 0.9


@pytest.mark.parametrize("given", [["u"], ["t"], ["v", "u"]], ids=str)
def test_what_is_given_has_the_probability_that_it_has_in_samples(given, mixed):
    X, model = mixed
    X, samples = X[:30], model.sample(3000)

    scores = model.score_samples(X) - model.score_samples(X, given=given)

    shares = samples.value_counts(given, normalize=True)
    expected = [shares[tuple(row)] for row in X[given].to_numpy()]
    np.testing.assert_allclose(np.exp(scores), expected, atol=0.06)


def test_rows_have_one_score(mixed):
    X, model = mixed
    scores = model.score_samples(X[:40], given=["v"])

    np.testing.assert_array_equal(scores[30:33], model.score_samples(X[30:33], given=["v"]))


def test_nothing_and_everything_given(normal):
    X, model = normal

    np.testing.assert_array_equal(model.score_samples(X[:5], given=[]), model.score_samples(X[:5]))
    np.testing.assert_array_equal(model.score_samples(X[:5], given=[0, 1, 2]), np.zeros(5))


def test_likelihoods_in_classes_under_conditions():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 60)
    X = np.column_stack([rng.normal(size=120), rng.normal(size=120) + 4 * y])
    model = fitted(X, y, conditional=True)

    right, wrong = (model.score_samples(X, each, given=[0]) for each in (y, 1 - y))

    assert right.mean() == pytest.approx(-1.42, abs=0.4)
    assert (right > wrong).mean() > 0.9


def test_missing_cells_may_be_given():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 2))
    X[rng.random(300) < 0.3, 0] = np.nan

    assert np.isfinite(fitted(X, max_epochs=2).score_samples(X[:40], given=[0])).all()


@pytest.mark.parametrize("few", [1, 2, 9])
def test_few_codes(few, normal):
    X, model = normal

    assert np.isfinite(model.score_samples(X[:5], given=[0], n_importance_samples=few)).all()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("u", "given='u' must be a list of columns"),
        ({"u": "a"}, "must be a list of columns"),
        (["uu"], "names the column 'uu'"),
    ],
)
def test_columns_that_make_no_sense(given, message, mixed):
    with pytest.raises(ValueError, match=message):
        mixed[1].score_samples(mixed[0], given=given)


def test_columns_that_are_learned_together():
    rng = np.random.default_rng(0)
    X = np.column_stack([np.eye(3)[rng.integers(3, size=90)], np.sort(rng.random((90, 2)))])
    model = fitted(X, constraints=["x3 <= x4"], max_epochs=0)

    for given in ([0], [0, 1], [4]):
        with pytest.raises(ValueError, match="learned together: name all of them, or none"):
            model.score_samples(X, given=given)
    assert np.isfinite(model.score_samples(X, given=[0, 1, 2, 4, 3][:3])).all()
    assert np.isfinite(model.score_samples(X, given=[3])).all()
