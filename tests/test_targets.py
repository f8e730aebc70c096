"""What is trained towards: the rows themselves, or others that are given for them."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skae import Autoencoder, ImageCompressor, VariationalAutoencoder

RANDOM = np.random.default_rng(0)
WHOLE = RANDOM.normal(size=(120, 2)) @ RANDOM.normal(size=(2, 6))
DAMAGED = WHOLE + RANDOM.normal(size=WHOLE.shape)
LABELS = np.arange(120) % 3


def autoencoder(**params):
    return Autoencoder(2, random_state=0, **{"max_epochs": 3, **params})


def error(model):
    return ((model.reconstruct(DAMAGED) - WHOLE) ** 2).mean()


def test_training_towards_other_rows():
    told, alone = autoencoder(max_epochs=10).fit(DAMAGED, WHOLE), autoencoder().fit(DAMAGED)

    assert error(told) < 0.8 * error(alone)
    assert told.score(DAMAGED, WHOLE) == pytest.approx(-error(told))
    assert told.score(DAMAGED, WHOLE) > told.score(DAMAGED)


def test_partial_fits_equal_one_fit():
    parts = autoencoder()
    for _ in range(3):
        parts.partial_fit(DAMAGED, WHOLE)

    np.testing.assert_array_equal(
        parts.transform(DAMAGED), autoencoder().fit(DAMAGED, WHOLE).transform(DAMAGED)
    )


@pytest.mark.parametrize("y", [DAMAGED, DAMAGED.copy(), LABELS, LABELS.astype(str), list(LABELS)])
def test_the_rows_themselves_and_labels_make_no_difference(y):
    np.testing.assert_array_equal(
        autoencoder().fit(DAMAGED, y).transform(DAMAGED),
        autoencoder().fit(DAMAGED).transform(DAMAGED),
    )


@pytest.mark.parametrize("form", [pd.DataFrame, sparse.csr_array, np.ndarray.tolist])
def test_forms(form):
    model = autoencoder().fit(form(DAMAGED), form(WHOLE))

    np.testing.assert_allclose(error(model), error(autoencoder().fit(DAMAGED, WHOLE)), rtol=1e-3)


def test_clipping_is_to_what_is_to_be_given():
    model = autoencoder().fit(DAMAGED, np.clip(WHOLE, 0, 1))

    assert 0 <= model.reconstruct(9 * DAMAGED).min() <= model.reconstruct(9 * DAMAGED).max() <= 1


def test_cross_validation_judges_by_the_targets():
    pipeline = make_pipeline(StandardScaler(), autoencoder())

    scores = cross_val_score(pipeline, DAMAGED, WHOLE, cv=2, error_score="raise")

    assert scores.mean() < 0


@pytest.mark.parametrize(
    ("model", "y", "message"),
    [
        (autoencoder(), WHOLE[:, :2], r"y has the shape \(120, 2\), but X has \(120, 6\)"),
        (autoencoder(), WHOLE[:5], r"y has the shape \(5, 6\), but X has \(120, 6\)"),
        (autoencoder(), np.full_like(WHOLE, np.nan), "Input y contains NaN"),
        (VariationalAutoencoder(), WHOLE, "VariationalAutoencoder takes no targets"),
        (ImageCompressor(), WHOLE, "ImageCompressor takes no targets"),
    ],
    ids=str,
)
def test_targets_that_can_not_be(model, y, message):
    with pytest.raises(ValueError, match=message):
        model.fit(DAMAGED, y)


def test_columns_in_another_order():
    X, y = (pd.DataFrame(rows, columns=list("abcdef")) for rows in (DAMAGED, WHOLE))

    with pytest.raises(ValueError, match="feature names"):
        autoencoder().fit(X, y[list("bacdef")])


# ---------------------------------------------------------------- rows that early stopping watches


@pytest.mark.parametrize("estimator", [Autoencoder, VariationalAutoencoder])
def test_all_rows_are_trained_on_and_the_given_ones_watched(estimator):
    model = estimator(2, max_epochs=2, random_state=0).fit(DAMAGED)
    curve = model.loss_curve_

    model.set_params(early_stopping=True).fit(DAMAGED, X_val=WHOLE[:20])

    assert model.loss_curve_ == curve
    assert len(model.validation_loss_curve_) == 2


def test_watched_targets():
    model = autoencoder(early_stopping=True, max_epochs=4, n_iter_no_change=1, tol=9.0)

    model.fit(DAMAGED[20:], WHOLE[20:], X_val=DAMAGED[:20], y_val=WHOLE[:20])

    start = autoencoder(max_epochs=0).fit(DAMAGED[20:], WHOLE[20:])
    assert model.validation_loss_curve_[0] == pytest.approx(
        -start.score(DAMAGED[:20], WHOLE[:20]), rel=0.3
    )


@pytest.mark.parametrize(
    ("params", "y", "given", "message"),
    [
        ({"early_stopping": False}, None, {"X_val": WHOLE}, "but early_stopping=False"),
        ({}, None, {"y_val": WHOLE}, "X_val=None"),
        ({}, None, {"X_val": WHOLE[:, :2]}, "X_val: X has 2 features"),
        ({}, WHOLE, {"X_val": DAMAGED}, "y_val must be rows"),
        ({}, None, {"X_val": DAMAGED, "y_val": WHOLE}, "y_val must be rows"),
        ({}, WHOLE, {"X_val": DAMAGED, "y_val": WHOLE[:5]}, r"but X_val has \(120, 6\)"),
    ],
    ids=str,
)
def test_rows_that_can_not_be_watched(params, y, given, message):
    with pytest.raises(ValueError, match=message):
        autoencoder(**{"early_stopping": True, **params}).fit(DAMAGED, y, **given)


def test_compressors_watch_a_share_of_their_images():
    with pytest.raises(ValueError, match="X_val"):
        ImageCompressor(early_stopping=True).fit(DAMAGED, X_val=WHOLE)


# ---------------------------------------------------------------- trainings that were cut short


def test_early_stopping_that_never_stops():
    with pytest.warns(ConvergenceWarning, match="max_epochs=3 ended the training before early st"):
        autoencoder(early_stopping=True).fit(WHOLE)


def test_auto_that_ends_at_its_cap(monkeypatch):
    monkeypatch.setattr("skae.training._trials._AUTO_EPOCHS", (2, 3))

    t = np.linspace(-1, 1, 200)

    with pytest.warns(ConvergenceWarning, match="'auto' takes 3 epochs at most"):
        Autoencoder(1, random_state=0, batch_size=8).fit(np.c_[t, t**2, abs(t)])


def test_early_stopping_that_stops():
    autoencoder(early_stopping=True, n_iter_no_change=1, tol=1e9).fit(WHOLE)
