"""Train on synthetic rows, test on real ones: the same numbers as by hand."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss, r2_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from skae.metrics import train_on_synthetic_score


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def halves(rng):
    X, y = load_iris(return_X_y=True)
    synthetic = X[::2] + 0.3 * rng.normal(size=(75, 4))
    return synthetic, y[::2], X[1::2], y[1::2]


def test_score_of_the_estimator_itself(halves):
    X_synthetic, y_synthetic, X_test, y_test = halves
    fitted = KNeighborsClassifier().fit(X_synthetic, y_synthetic)

    score = train_on_synthetic_score(KNeighborsClassifier(), *halves)

    assert score == fitted.score(X_test, y_test)


def test_estimator_is_left_alone(halves):
    estimator = KNeighborsClassifier()

    train_on_synthetic_score(estimator, *halves)

    assert not hasattr(estimator, "classes_")


def test_named_scoring(halves):
    X_synthetic, y_synthetic, X_test, y_test = halves
    model = make_pipeline(LogisticRegression(max_iter=500))

    score = train_on_synthetic_score(model, *halves, scoring="neg_log_loss")

    probabilities = model.fit(X_synthetic, y_synthetic).predict_proba(X_test)
    assert score == pytest.approx(-log_loss(y_test, probabilities))


def test_several_scores(halves):
    scores = train_on_synthetic_score(
        KNeighborsClassifier(), *halves, scoring=["accuracy", "f1_macro"]
    )

    assert scores["accuracy"] == train_on_synthetic_score(KNeighborsClassifier(), *halves)
    assert set(scores) == {"accuracy", "f1_macro"}


def test_callable_scoring(halves):
    def n_rows(estimator, X, y):
        return len(X)

    assert train_on_synthetic_score(KNeighborsClassifier(), *halves, scoring=n_rows) == 75


def test_regression(rng):
    X, X_synthetic = rng.normal(size=(2, 50, 3))
    y, y_synthetic = X.sum(axis=1), X_synthetic.sum(axis=1)

    score = train_on_synthetic_score(Ridge(), X_synthetic, y_synthetic, X, y)

    assert score == r2_score(y, Ridge().fit(X_synthetic, y_synthetic).predict(X))


def test_frames_for_pipelines():
    frame = pd.DataFrame({"a": ["x", "y", "z"] * 10})
    model = make_pipeline(
        make_column_transformer((OneHotEncoder(), ["a"])), LogisticRegression(C=100)
    )

    assert train_on_synthetic_score(model, frame, frame["a"], frame, frame["a"]) == 1.0


@pytest.mark.parametrize("library", [pd, pl])
def test_columns_of_frames_in_another_order(halves, library):
    X_synthetic, y_synthetic, X_test, y_test = halves
    frame, test = (
        library.DataFrame(dict(zip("abcd", X.T, strict=True))) for X in (X_synthetic, X_test)
    )

    score = train_on_synthetic_score(
        KNeighborsClassifier(), frame, y_synthetic, test[["d", "a", "c", "b"]], y_test
    )

    assert score == train_on_synthetic_score(KNeighborsClassifier(), *halves)


def test_labels_without_meaning_are_worth_chance(rng, halves):
    X_synthetic, y_synthetic, X_test, y_test = halves

    score = train_on_synthetic_score(
        KNeighborsClassifier(15), X_synthetic, rng.permutation(y_synthetic), X_test, y_test
    )

    assert score < 0.6
