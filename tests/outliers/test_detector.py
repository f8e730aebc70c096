"""What the outlier detector computes, beyond what all estimators have in common."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from scipy.spatial.distance import cdist
from scipy.stats import kstest
from sklearn.base import BaseEstimator, OutlierMixin, clone
from sklearn.compose import make_column_transformer
from sklearn.covariance import EllipticEnvelope
from sklearn.datasets import load_digits
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags

from skae import Autoencoder, AutoencoderOutlierDetector
from skae.outliers import _ensemble
from skae.outliers._decisions import automatic_threshold

from ..estimators import DropoutNetwork, assert_same_outputs

quick = pytest.mark.usefixtures("quick")
in_all_settings = pytest.mark.parametrize(
    "setting", [{}, {"contamination": 0}, {"image_shape": (2, 4)}]
)


class Squares(OutlierMixin, BaseEstimator):
    """A model that scores by squares, and explains them, but has no method `reconstruct`."""

    def fit(self, X, y=None):
        self.mean_ = X.mean(0)
        return self

    def feature_errors(self, X):
        return (X - self.mean_) ** 2

    def score_samples(self, X):
        return -self.feature_errors(X).sum(1)


def fitted(X, **params):
    return AutoencoderOutlierDetector(random_state=0, **params).fit(X)


def with_holes(X, share=0.1):
    return np.where(np.random.default_rng(7).random(X.shape) < share, np.nan, X)


# ---------------------------------------------------------------- scores and labels


@quick
def test_finds_rows_off_the_plane(X):
    detector = fitted(X[:95])

    assert (detector.predict(X[95:]) == -1).all()
    assert (detector.predict(X[:95]) == 1).mean() > 0.9


@quick
def test_normal_rows_have_higher_scores(X):
    assert roc_auc_score(np.arange(100) < 95, fitted(X).score_samples(X)) > 0.99


@quick
def test_scores_are_those_of_the_model(X):
    detector = fitted(X)

    np.testing.assert_array_equal(detector.score_samples(X), detector.estimator_.score_samples(X))


@quick
def test_decision_function_is_the_score_above_the_threshold(X):
    detector = fitted(X)

    expected = detector.score_samples(X) - detector.offset_

    np.testing.assert_array_equal(detector.decision_function(X), expected)


@quick
def test_negative_decisions_are_outliers(X):
    detector = fitted(X)

    expected = np.where(detector.decision_function(X) < 0, -1, 1)

    np.testing.assert_array_equal(detector.predict(X), expected)


@quick
def test_scores_are_not_above_zero(X):
    detector = fitted(X)

    assert (detector.score_samples(X) <= 0).all()
    assert (detector.held_out_scores_ <= 0).all()


@quick
@pytest.mark.parametrize("contamination", [0.05, 0.2, 0.5])
@pytest.mark.parametrize("n_estimators", [1, 4])
def test_contamination_is_the_share_of_outliers(contamination, n_estimators, X):
    detector = fitted(X, contamination=contamination, n_estimators=n_estimators)

    assert (detector.predict(X) == -1).mean() == pytest.approx(contamination)


@quick
@pytest.mark.parametrize("estimator", [None, Squares()])
def test_threshold_of_clean_rows_is_the_automatic_one(estimator, X):
    detector = fitted(X[:95], estimator=estimator, contamination=0)

    assert detector.offset_ == automatic_threshold(detector.held_out_scores_)
    assert (detector.predict(X[95:]) == -1).all()


@quick
def test_rows_said_to_be_clean_have_their_neighbours_looked_at():
    rng = np.random.default_rng(0)
    centres = rng.uniform(-1, 1, size=(30, 2))
    X = centres[np.arange(600) % 30] + 0.02 * rng.normal(size=(600, 2))
    between = rng.uniform(-1, 1, size=(200, 2))
    between = between[cdist(between, centres).min(1) > 0.08]
    labels = np.arange(600 + len(between)) >= 600

    areas = [
        roc_auc_score(labels, -fitted(X, contamination=c).score_samples(np.r_[X, between]))
        for c in ("auto", 0)
    ]

    assert areas[1] > areas[0]
    assert areas[1] > 0.99


def fence(scores):
    q1, q3 = np.percentile(scores, [25, 75])
    return q1 - 1.5 * (q3 - q1)


def fence_of_roots(scores):
    return -(fence(-np.sqrt(-scores)) ** 2)


@quick
@pytest.mark.parametrize("estimator", [None, Squares()])
@pytest.mark.parametrize("n_estimators", [1, 4])
def test_automatic_threshold_is_the_fence_of_roots_or_the_first_percentile(
    estimator, n_estimators, X
):
    detector = fitted(X, estimator=estimator, n_estimators=n_estimators)

    held_out = detector.held_out_scores_
    assert held_out.shape == (100,)
    assert detector.offset_ == pytest.approx(
        max(fence_of_roots(held_out), np.percentile(held_out, 1))
    )


def test_automatic_threshold_is_the_fence_where_there_are_outliers(X):
    detector = fitted(X, estimator=Squares())

    held_out = detector.held_out_scores_
    assert np.percentile(held_out, 1) < detector.offset_
    assert detector.offset_ == pytest.approx(fence_of_roots(held_out))


def test_automatic_threshold_is_the_first_percentile_where_there_are_none():
    X = np.random.default_rng(0).uniform(size=(200, 8))

    detector = fitted(X, estimator=Squares())

    held_out = detector.held_out_scores_
    assert fence_of_roots(held_out) < detector.offset_
    assert detector.offset_ == pytest.approx(np.percentile(held_out, 1))
    assert (held_out < detector.offset_).sum() == 2


def test_automatic_threshold_is_the_fence_of_scores_of_both_signs(X):
    detector = fitted(X, estimator=GaussianMixture())

    assert detector.held_out_scores_.max() > 0
    assert detector.offset_ == pytest.approx(fence(detector.held_out_scores_))


@quick
def test_threshold_can_be_moved(X):
    detector = fitted(X)

    detector.offset_ = np.median(detector.score_samples(X))

    assert (detector.predict(X) == -1).sum() == 50
    assert detector.explain(X)["row"].nunique() == 50


@quick
def test_labels_are_those_of_scikit_learn(X):
    ours = fitted(X, contamination=0.05).predict(X)
    theirs = EllipticEnvelope(contamination=0.05, random_state=0).fit_predict(X)

    assert set(ours) == set(theirs)
    assert ours.dtype == theirs.dtype


# ---------------------------------------------------------------- held-out scores


def test_held_out_scores_are_by_clones_that_have_not_seen_the_row(X):
    X[0] = 1e4

    alone, with_itself = (
        fitted(X, estimator=GaussianMixture(), n_estimators=n).held_out_scores_[0] for n in (4, 1)
    )

    assert alone < 100 * with_itself < 0


def test_one_model_scores_its_own_training_rows(X):
    detector = fitted(X, estimator=GaussianMixture(), n_estimators=1)

    np.testing.assert_array_equal(detector.held_out_scores_, detector.score_samples(X))


@quick
def test_held_out_scores_are_lower(X):
    X = np.random.default_rng(0).normal(size=(60, 8))

    detector = fitted(X)

    assert np.median(detector.held_out_scores_) < np.median(detector.score_samples(X))


# ---------------------------------------------------------------- feature errors


@quick
@pytest.mark.parametrize("n_estimators", [1, 4])
def test_feature_errors_sum_up_to_the_score(n_estimators, X):
    detector = fitted(X[:60], n_estimators=n_estimators)

    errors = detector.feature_errors(X)

    assert (errors >= 0).all()
    np.testing.assert_allclose(errors.sum(axis=1), -detector.score_samples(X), rtol=1e-9, atol=1e-9)


@quick
@in_all_settings
def test_feature_errors_of_rows_with_holes_sum_up_to_the_score(setting, X):
    X = with_holes(X)
    detector = fitted(X, **setting)

    errors = detector.feature_errors(X)

    np.testing.assert_allclose(errors.sum(axis=1), -detector.score_samples(X), rtol=1e-9, atol=1e-9)


@quick
@in_all_settings
def test_missing_cells_have_no_part_in_the_score(setting, X):
    X = with_holes(X)
    detector = fitted(X, **setting)

    errors = detector.feature_errors(X)

    assert (errors[np.isnan(X)] == 0).all()
    assert (errors[~np.isnan(X)] > 0).mean() > 0.9


@quick
def test_feature_errors_point_at_the_wild_cell(X):
    X[:, 3] = 0.01 * np.random.default_rng(1).normal(size=100)
    detector = fitted(X[:95])
    wild = X[:1].copy()
    wild[0, 3] += 20

    assert detector.feature_errors(wild)[0].argmax() == 3


@quick
@pytest.mark.parametrize("is_fitted", [False, True])
@pytest.mark.parametrize("method", ["feature_errors", "explain"])
def test_explanations_are_there_when_the_model_has_errors(method, is_fitted, X):
    models = [None, Autoencoder(max_epochs=0), Squares(), KernelDensity()]
    detectors = [AutoencoderOutlierDetector(model, n_estimators=1) for model in models]
    if is_fitted:
        detectors = [detector.fit(X) for detector in detectors]

    assert [hasattr(detector, method) for detector in detectors] == [True, True, True, False]


# ---------------------------------------------------------------- explanations


COLUMNS = ["row", "score", "feature", "value", "expected", "share"]


def worst(detector, X, n=5):
    """Set the threshold so that there are n alarms, and return their positions, worst first."""
    scores = detector.score_samples(X)
    detector.offset_ = np.sort(scores)[n]
    return np.argsort(scores, kind="stable")[:n]


@quick
def test_alarms_are_explained_worst_first(X):
    detector = fitted(X)
    alarms = worst(detector, X)

    table = detector.explain(X)

    assert list(table.columns) == COLUMNS
    np.testing.assert_array_equal(table["row"], np.repeat(alarms, 3))
    np.testing.assert_array_equal(table["score"], detector.score_samples(X)[table["row"]])


@quick
def test_explained_rows_are_those_labelled_outliers(X):
    detector = fitted(X, contamination=0.1)

    expected = np.flatnonzero(detector.predict(X) == -1)

    assert set(detector.explain(X)["row"]) == set(expected)


@quick
def test_explanations_begin_with_the_largest_share(X):
    detector = fitted(X)
    alarms = worst(detector, X)

    table = detector.explain(X, n_features=4)

    errors = detector.feature_errors(X[alarms])
    top = np.argsort(-errors, axis=1)[:, :4]
    shares = np.take_along_axis(errors / errors.sum(1, keepdims=True), top, axis=1)
    np.testing.assert_array_equal(table["feature"], top.ravel())
    np.testing.assert_allclose(table["share"], shares.ravel())


@quick
def test_explanations_show_the_values_and_what_was_expected(X):
    detector = fitted(X)
    worst(detector, X)

    table = detector.explain(X)

    rows, features = table["row"], table["feature"].to_numpy()
    expected = detector.estimator_.expected_values(X[rows], features)
    np.testing.assert_array_equal(table["value"], X[rows, features])
    np.testing.assert_array_equal(table["expected"], expected)


@quick
def test_rows_and_features_of_a_data_frame_are_named(X):
    frame = pd.DataFrame(X, index=[f"r{i}" for i in range(100)], columns=list("abcdefgh"))
    detector = fitted(frame)
    worst(detector, frame)
    expected = fitted(X)
    worst(expected, X)

    table, by_position = detector.explain(frame), expected.explain(X)

    assert list(table["row"]) == [f"r{i}" for i in by_position["row"]]
    assert list(table["feature"]) == ["abcdefgh"[j] for j in by_position["feature"]]


@quick
def test_labels_need_not_be_unique(X):
    frame = pd.DataFrame(X, index=np.arange(100) // 2, columns=list("abcdefgh"))
    detector = fitted(frame)
    alarms = worst(detector, frame)

    np.testing.assert_array_equal(detector.explain(frame)["row"], np.repeat(alarms // 2, 3))


@quick
def test_no_alarms_give_an_empty_table(X):
    detector = fitted(X)
    worst(detector, X)
    full = detector.explain(X)
    detector.offset_ = -np.inf

    empty = detector.explain(X)

    assert len(empty) == 0
    assert list(empty.dtypes.items()) == list(full.dtypes.items())


@quick
def test_more_features_than_there_are(X):
    detector = fitted(X)
    worst(detector, X)

    table = detector.explain(X, n_features=100)

    assert len(table) == 5 * 8
    np.testing.assert_allclose(table.groupby("row")["share"].sum(), 1)


@quick
@pytest.mark.parametrize("n_features", [0, -1, 2.0, "2", None])
def test_number_of_features_out_of_range(n_features, X):
    detector = fitted(X[:10])

    with pytest.raises(ValueError, match=r"n_features=.* must be an integer of at least 1"):
        detector.explain(X, n_features=n_features)


@quick
def test_sparse_rows_are_explained_like_dense_ones(X):
    detector = fitted(X)
    worst(detector, X)

    pd.testing.assert_frame_equal(detector.explain(sparse.csr_array(X)), detector.explain(X))


@quick
def test_rows_with_holes_are_explained(X):
    X = with_holes(X)
    detector = fitted(X)
    worst(detector, X)

    table = detector.explain(X, n_features=8)

    np.testing.assert_array_equal(table["value"], X[table["row"], table["feature"]])
    assert table["expected"].notna().all()


def test_model_that_does_not_reconstruct_expects_nothing(X):
    detector = fitted(X, estimator=Squares())
    alarms = worst(detector, X)

    table = detector.explain(X)

    np.testing.assert_array_equal(table["row"], np.repeat(alarms, 3))
    assert table["expected"].isna().all()


def test_model_that_reconstructs_says_what_it_expects(X):
    detector = fitted(X, estimator=Autoencoder(2, max_epochs=1), n_estimators=1)
    worst(detector, X)

    table = detector.explain(X)

    expected = detector.estimator_.reconstruct(X)[table["row"], table["feature"]]
    np.testing.assert_allclose(table["expected"], expected)


# ---------------------------------------------------------------- p-values


@quick
@pytest.mark.parametrize("estimator", [None, Squares()])
def test_p_values_have_their_range(estimator, X):
    detector = fitted(X[:60], estimator=estimator)
    typical = np.median(X[:60], axis=0, keepdims=True)

    p_values = detector.p_values(np.concatenate([X, typical, typical + 1e9]))

    assert p_values.min() == p_values[-1] == 1 / 61
    assert p_values.max() <= 1
    assert p_values[-2] > 0.2


@quick
def test_p_values_follow_the_scores_by_the_networks(X):
    detector = fitted(X[:60])
    scores, p_values = detector.estimator_.member_scores(X), detector.p_values(X)

    worse = (scores[:, None] <= scores[None]).all(2)

    assert (p_values[:, None] <= p_values[None])[worse].all()


def test_p_values_follow_the_scores_of_a_model(X):
    detector = fitted(X[:60], estimator=Squares())

    order = detector.score_samples(X).argsort()

    assert (np.diff(detector.p_values(X)[order]) >= 0).all()


@quick
@pytest.mark.parametrize("estimator", [None, Squares()])
def test_p_values_need_held_out_rows(estimator, X):
    detector = fitted(X, estimator=estimator, n_estimators=1)

    with pytest.raises(ValueError, match="with n_estimators=1 there are none"):
        detector.p_values(X)


@quick
def test_three_rows_are_too_few_for_p_values(X):
    detector = fitted(X[:3])

    with pytest.raises(ValueError, match="fewer than 4 training rows"):
        detector.p_values(X)


@pytest.mark.parametrize("contamination", ["auto", 0])
def test_p_values_of_normal_rows_are_uniform(contamination, monkeypatch):
    monkeypatch.setattr(_ensemble, "_N_STEPS", 10)
    monkeypatch.setattr(_ensemble, "_FEWEST_STEPS", 10)
    p_values = []
    for seed in range(50):
        rng = np.random.default_rng(seed)
        n_features = 3 + seed % 3
        X = rng.normal(size=(81, n_features)) @ rng.normal(size=(n_features, n_features))
        detector = AutoencoderOutlierDetector(contamination=contamination, random_state=seed)
        detector.fit(X[:80])
        p_values.extend(detector.p_values(X[80:]))

    assert kstest(p_values, "uniform").pvalue > 0.01


@pytest.mark.parametrize(("n", "n_features", "n_tables"), [(40, 10, 16), (100, 50, 8)])
def test_p_values_of_few_rows_with_many_features_are_hardly_conservative(
    n, n_features, n_tables, monkeypatch
):
    monkeypatch.setattr(_ensemble, "_N_STEPS", 40)
    monkeypatch.setattr(_ensemble, "_FEWEST_STEPS", 40)
    p_values = []
    for seed in range(n_tables):
        X = np.random.default_rng(seed).normal(size=(n + 20, n_features))
        detector = AutoencoderOutlierDetector(random_state=seed).fit(X[:n])
        p_values.extend(detector.p_values(X[n:]))

    assert 0.04 < np.mean(np.array(p_values) <= 0.1) < 0.11
    assert 0.47 < np.mean(p_values) < 0.57


# ---------------------------------------------------------------- false discoveries


@pytest.fixture(scope="module")
def discoveries():
    """Return detectors fitted to normal rows, and new rows of which the last ten are outliers."""
    results = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_ensemble, "_N_STEPS", 16)
        patch.setattr(_ensemble, "_FEWEST_STEPS", 16)
        for seed in range(30):
            rng = np.random.default_rng(seed)
            X = rng.normal(size=(500, 2)) @ rng.normal(size=(2, 4))
            X += 0.3 * rng.normal(size=(500, 4))
            X[490:] += 8 * rng.normal(size=(10, 4))
            detector = AutoencoderOutlierDetector(random_state=seed).fit(X[:400])
            results.append((detector, X[400:]))
    return results


@pytest.mark.parametrize("fdr", [0.05, 0.1, 0.2])
def test_share_of_false_discoveries_is_held(fdr, discoveries):
    shares = []
    for detector, X in discoveries:
        alarms = detector.predict(X, fdr=fdr) == -1
        shares.append(alarms[:90].sum() / max(1, alarms.sum()))

    assert np.mean(shares) <= fdr + 2 * np.std(shares) / len(shares) ** 0.5


def test_most_outliers_are_discovered(discoveries):
    found = [(detector.predict(X[90:], fdr=0.1) == -1).mean() for detector, X in discoveries]

    assert np.mean(found) > 0.8


@quick
def test_more_false_discoveries_allowed_are_more_alarms(X):
    detector = fitted(X[:95])

    alarms = [detector.predict(X, fdr=fdr) == -1 for fdr in (0.25, 0.3, 0.5, 0.9)]

    for fewer, more in pairwise(alarms):
        assert more[fewer].all()


def test_false_discoveries_by_another_model(X):
    detector = fitted(X[:95], estimator=GaussianMixture())

    np.testing.assert_array_equal(detector.predict(X, fdr=0.3)[95:], -1)


@quick
@pytest.mark.parametrize("fdr", [0, 1, -0.1, 1.5, np.nan, "a"])
def test_share_of_false_discoveries_out_of_range(fdr, X):
    detector = fitted(X[:10])

    with pytest.raises(ValueError, match=r"fdr=.* must be a float between 0 and 1, exclusive"):
        detector.predict(X, fdr=fdr)


@quick
@pytest.mark.parametrize(
    ("n", "fdr", "remedies"),
    [
        (100, 0.1, "999 training rows, or at most 9 rows at once, or 11 outliers together"),
        (100, 0.005, "19,999 training rows"),
        (95, 0.0105, "9,047 training rows, or at most 1 rows at once, or 95 outliers together"),
    ],
)
def test_nothing_flagged_for_want_of_training_rows_is_a_warning(n, fdr, remedies, X):
    detector = fitted(X[:95], estimator=Squares())
    rows = np.repeat(X[:1], n, axis=0)
    rows[0] = 1e3

    with pytest.warns(UserWarning, match=f"any of the {n} rows alone.*It takes {remedies}$"):
        labels = detector.predict(rows, fdr=fdr)

    assert (labels == 1).all()


@quick
def test_more_training_rows_than_are_held_out_are_no_remedy(X, monkeypatch):
    monkeypatch.setattr("skae.outliers._detector.SAMPLE", 200)
    detector = fitted(X[:95])

    with pytest.warns(UserWarning, match="It takes at most 9 rows at once, or 11 outliers"):
        detector.predict(X[:95].repeat(2, axis=0)[:100], fdr=0.1)


def test_nothing_flagged_among_enough_training_rows_is_no_warning(X):
    detector = fitted(X[:95], estimator=Squares())

    assert (detector.predict(X[:9], fdr=0.1) == 1).all()


# ---------------------------------------------------------------- scale


@quick
def test_scores_are_the_same_in_other_units(X):
    units, origin = 10.0 ** np.arange(-4, 4), np.arange(8)
    expected = fitted(X).score_samples(X)

    scores = fitted(X * units + origin).score_samples(X * units + origin)

    assert np.abs(scores - expected).max() < 0.2 * expected.std()


@quick
def test_scores_depend_on_units_without_scaling(X):
    units = 10.0 ** np.arange(-4, 4)
    expected = fitted(X, scale=None).score_samples(X)

    scores = fitted(X * units, scale=None).score_samples(X * units)

    assert np.abs(scores - expected).max() > 0.2 * expected.std()


@quick
def test_wild_values_are_told_apart_without_scaling(X):
    scores = fitted(X, scale=None).score_samples(X[:1] * [[100], [1000], [10000]])

    assert (np.diff(scores) < -1).all()


@quick
@pytest.mark.parametrize("image_shape", [(8, 8), (1, 8, 8)])
def test_other_digits_are_outliers_and_maps_show_why(image_shape):
    images, digits = load_digits(return_X_y=True)
    zeros = images[digits == 0]
    detector = fitted(zeros[::2], image_shape=image_shape)
    new = np.r_[zeros[1::2], images[digits == 1]]

    labels = np.arange(len(new)) >= len(zeros[1::2])
    assert roc_auc_score(labels, -detector.score_samples(new)) > 0.99
    stained = zeros[1:2].copy()
    stained[0, 0] = 16
    assert detector.feature_errors(stained).argmax() == 0


@quick
@pytest.mark.parametrize("unit", [1e-300, 1e300])
def test_values_of_any_size(unit, X):
    detector = fitted(X * unit)

    np.testing.assert_allclose(detector.score_samples(X * unit), fitted(X).score_samples(X))
    assert np.isfinite(detector.feature_errors(X * unit)).all()


@quick
def test_huge_values_are_outliers(X):
    detector = fitted(X[:95])

    assert (detector.predict([np.full(8, 1e300), np.full(8, -1e300)]) == -1).all()


@quick
def test_single_precision(X):
    X = X.astype(np.float32)

    scores = fitted(X).score_samples(X)

    assert scores.dtype == np.float64
    np.testing.assert_allclose(scores, fitted(X.astype(np.float64)).score_samples(X), rtol=1e-6)


# ---------------------------------------------------------------- missing values


@quick
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_missing_values_are_allowed(container, X):
    X = container(with_holes(X))

    detector = fitted(X)

    assert np.isfinite(detector.score_samples(X)).all()
    assert np.isfinite(detector.feature_errors(X)).all()
    assert np.isfinite(detector.partial_fit(X).p_values(X)).all()


@quick
def test_missing_values_are_allowed_after_a_complete_training(X):
    assert np.isfinite(fitted(X).score_samples(with_holes(X))).all()


@quick
def test_missing_row_is_normal(X):
    detector, missing = fitted(with_holes(X)), np.full((1, 8), np.nan)

    assert detector.predict(missing) == 1
    assert detector.score_samples(missing) == 0
    assert (detector.feature_errors(missing) == 0).all()


@quick
def test_outliers_are_found_in_spite_of_holes(X):
    X[:95], X[95:] = with_holes(X[:95], 0.05), 10 * X[95:]

    detector = fitted(X[:95])

    assert (detector.predict(X[95:]) == -1).all()


@quick
def test_column_without_values(X):
    X[:, 2] = np.nan

    detector = fitted(X)

    assert np.isfinite(detector.score_samples(X)).all()
    assert np.isfinite(detector.score_samples(np.nan_to_num(X, nan=1e6))).all()


def test_text_column_without_values(X):
    frame = pd.DataFrame(X).add_prefix("x").assign(text=pd.Categorical([None] * len(X), ["a"]))

    assert fitted(frame).expected_values(frame[:3])["text"].isna().all()


@pytest.mark.parametrize("method", ["fit", "score_samples", "predict", "feature_errors"])
def test_missing_values_that_the_model_does_not_take(method, X):
    detector = fitted(X, estimator=Autoencoder(max_epochs=0), n_estimators=1)

    with pytest.raises(ValueError, match="Input X contains NaN"):
        getattr(detector, method)(with_holes(X))


def test_missing_values_that_the_model_takes(X):
    X = with_holes(X)

    scores = fitted(X, estimator=IsolationForest(n_estimators=5, random_state=0)).score_samples(X)

    assert np.isfinite(scores).all()


def test_missing_values_follow_the_model():
    models = [None, IsolationForest(), GaussianMixture()]

    allowed = [get_tags(AutoencoderOutlierDetector(model)).input_tags.allow_nan for model in models]

    assert allowed == [True, True, False]


@quick
@pytest.mark.parametrize("value", [np.inf, -np.inf])
@pytest.mark.parametrize("method", ["fit", "partial_fit", "score_samples", "p_values", "explain"])
def test_infinity_is_not_allowed(method, value, X):
    detector = fitted(X)
    X[3, 3] = value

    with pytest.raises(ValueError, match="Input X contains infinity"):
        getattr(detector, method)(X)


# ---------------------------------------------------------------- awkward tables


RNG = np.random.default_rng(0)
TABLES = {
    "one row": RNG.normal(size=(1, 4)),
    "two rows": RNG.normal(size=(2, 4)),
    "three rows": RNG.normal(size=(3, 4)),
    "one cell": np.ones((1, 1)),
    "one column": RNG.normal(size=(50, 1)),
    "constant": np.full((20, 4), 0.1),
    "constant but for one row": np.eye(20)[:, :4] * np.eye(20)[0][:, None],
    "duplicates": np.repeat(RNG.normal(size=(3, 4)), 10, axis=0),
    "binary": RNG.integers(0, 2, size=(60, 5)),
    "more columns than rows": RNG.normal(size=(10, 40)),
    "wide": RNG.normal(size=(12, 1200)),
    "heavy tails": RNG.standard_cauchy(size=(60, 4)) ** 9,
    "nothing observed": np.full((20, 3), np.nan),
}


@quick
@pytest.mark.parametrize("n_estimators", [1, 4])
@pytest.mark.parametrize("name", TABLES)
def test_awkward_table(name, n_estimators):
    X = TABLES[name]
    detector = fitted(X, n_estimators=n_estimators)

    scores = detector.score_samples(X)

    assert np.isfinite(scores).all()
    assert np.isfinite(detector.offset_)
    np.testing.assert_allclose(detector.feature_errors(X).sum(1), -scores, rtol=1e-9, atol=1e-9)
    assert np.isfinite(detector.partial_fit(X).score_samples(X)).all()


@quick
def test_constant_data_have_no_outliers():
    X = np.ones((20, 4))

    assert (fitted(X).predict(X) == 1).all()


@quick
def test_anything_else_is_an_outlier_among_constants():
    assert fitted(np.ones((20, 4))).predict([[1, 1, 1, 1.5]]) == -1


@quick
def test_value_that_never_occurred_among_binary_ones():
    X = np.random.default_rng(0).integers(0, 2, size=(60, 5))
    detector = fitted(X)

    scores = detector.score_samples([[0, 1, 0, 1, 0], [0, 9, 0, 1, 0]])

    assert scores[1] < detector.score_samples(X).min() < scores[0]


@quick
@in_all_settings
def test_sparse_equals_dense(setting, X):
    X = X * (np.abs(X) > 0.5)

    assert_same_outputs(fitted(sparse.csr_array(X), **setting), fitted(X, **setting), X)


@quick
@pytest.mark.parametrize(
    "method", ["partial_fit", "score_samples", "predict", "p_values", "feature_errors", "explain"]
)
def test_wrong_number_of_features(method, X):
    detector = fitted(X)

    with pytest.raises(
        ValueError, match=r"X has 5 features, but .*Detector is expecting 8 features"
    ):
        getattr(detector, method)(X[:, :5])


# ---------------------------------------------------------------- streams


@quick
def test_first_batch_is_a_fit(X):
    first = AutoencoderOutlierDetector(random_state=0).partial_fit(X)

    assert_same_outputs(first, fitted(X), X)
    assert first.offset_ == fitted(X).offset_


@quick
def test_scores_keep_their_meaning_along_a_stream():
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(3, 6))
    batches = rng.normal(size=(11, 200, 3)) @ mixing + 0.1 * rng.normal(size=(11, 200, 6))
    detector, medians = AutoencoderOutlierDetector(random_state=0), []

    for batch in batches[1:]:
        scores = detector.partial_fit(batch).score_samples(batches[0])
        medians.append(np.median(scores))
        assert (scores > detector.offset_).mean() > 0.9

    assert np.ptp(medians) < 0.5 * scores.std()


@quick
def test_threshold_follows_the_stream(X):
    detector = fitted(X)
    before = detector.offset_

    detector.partial_fit(X + 1)

    held_out = detector.held_out_scores_
    expected = max(fence_of_roots(held_out), np.percentile(held_out, 1))
    assert detector.offset_ == pytest.approx(expected)
    assert detector.offset_ != before
    assert len(detector.held_out_scores_) == 200


@quick
def test_contamination_is_the_share_of_the_sample_of_a_stream(X):
    detector = fitted(X, contamination=0.1).partial_fit(X + 1)

    assert (detector.predict(np.concatenate([X, X + 1])) == -1).mean() == pytest.approx(0.1)


@quick
def test_what_was_new_becomes_normal(X):
    detector = fitted(X[:95])
    before = detector.p_values(X[:95] + 3).mean()

    for _ in range(5):
        detector.partial_fit(X[:95] + 3)

    assert detector.p_values(X[:95] + 3).mean() > 0.2 > before


@quick
def test_batches_of_one_row(X):
    detector = fitted(X)

    for row in X[:3]:
        detector.partial_fit(row[None])

    assert len(detector.held_out_scores_) == 103


@pytest.mark.parametrize("estimator", [Autoencoder(), GaussianMixture()])
def test_streams_are_for_the_default_model(estimator):
    assert hasattr(AutoencoderOutlierDetector(), "partial_fit")
    assert not hasattr(AutoencoderOutlierDetector(estimator), "partial_fit")


# ---------------------------------------------------------------- state


@quick
@in_all_settings
def test_stored_detector_gives_the_same_and_goes_on_the_same(setting, X):
    detector = fitted(X, **setting)

    stored = pickle.loads(pickle.dumps(detector))

    assert_same_outputs(stored, detector, X)
    np.testing.assert_array_equal(stored.p_values(X), detector.p_values(X))
    assert_same_outputs(stored.partial_fit(X + 1), detector.partial_fit(X + 1), X)
    np.testing.assert_array_equal(stored.p_values(X), detector.p_values(X))


@quick
def test_same_seed_gives_the_same(X):
    assert_same_outputs(fitted(X), fitted(X), X)


@quick
def test_other_seed_gives_something_else(X):
    other = AutoencoderOutlierDetector(random_state=1).fit(X)

    assert not np.array_equal(other.score_samples(X), fitted(X).score_samples(X))


@quick
def test_second_fit_starts_anew(X):
    assert_same_outputs(fitted(X + 1).fit(X), fitted(X), X)


@quick
def test_fits_in_threads_equal_serial_ones(X):
    detectors = [AutoencoderOutlierDetector(random_state=seed) for seed in range(4)]
    serial = [clone(detector).fit(X) for detector in detectors]

    with ThreadPoolExecutor(4) as pool:
        parallel = list(pool.map(lambda detector: detector.fit(X), detectors))

    for actual, expected in zip(parallel, serial, strict=True):
        assert_same_outputs(actual, expected, X)


@quick
def test_global_generators_are_left_alone(X):
    before = torch.get_rng_state(), np.random.get_state()[1]  # noqa: NPY002

    fitted(X).partial_fit(X).explain(X)

    after = torch.get_rng_state(), np.random.get_state()[1]  # noqa: NPY002
    for actual, expected in zip(after, before, strict=True):
        np.testing.assert_array_equal(actual, expected)


@quick
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_refused_rows_leave_the_detector_as_it_was(method, X):
    detector = fitted(X)
    before = pickle.loads(pickle.dumps(detector))

    with pytest.raises(ValueError, match="infinity"):
        getattr(detector, method)(np.full((20, 8), np.inf))

    assert_same_outputs(detector, before, X)
    np.testing.assert_array_equal(detector.p_values(X), before.p_values(X))


def interrupt(*args):
    raise KeyboardInterrupt


def fail(*args):
    raise MemoryError


@quick
@pytest.mark.parametrize(
    ("place", "method", "error"),
    [
        (_ensemble.EnsembleRows, "_batch", interrupt),
        (_ensemble.Whitening, "of", interrupt),
        (_ensemble.Whitening, "of", fail),
    ],
)
def test_batch_that_fails_or_is_interrupted_leaves_the_detector_as_it_was(
    place, method, error, X, monkeypatch
):
    detector = fitted(X)
    before = pickle.loads(pickle.dumps(detector))

    with monkeypatch.context() as patch:
        patch.setattr(place, method, error)
        with pytest.raises((KeyboardInterrupt, MemoryError)):
            detector.partial_fit(X + 1)

    assert_same_outputs(detector, before, X)
    np.testing.assert_array_equal(detector.p_values(X), before.p_values(X))
    assert_same_outputs(detector.partial_fit(X + 1), before.partial_fit(X + 1), X)


@quick
def test_batch_for_a_copy_leaves_the_original_as_it_was(X):
    detector = fitted(X)
    before = pickle.loads(pickle.dumps(detector))

    other = copy.copy(detector).partial_fit(X + 1)

    assert not np.array_equal(other.score_samples(X), detector.score_samples(X))
    assert other.offset_ != detector.offset_
    assert_same_outputs(detector, before, X)
    np.testing.assert_array_equal(detector.p_values(X), before.p_values(X))
    np.testing.assert_array_equal(detector.held_out_scores_, before.held_out_scores_)


@quick
def test_failed_fit_leaves_the_detector_as_it_was(X, monkeypatch):
    detector = fitted(X)
    before = pickle.loads(pickle.dumps(detector))

    monkeypatch.setattr(_ensemble.Whitening, "of", fail)
    with pytest.raises(MemoryError):
        detector.fit(X[:, :5])

    assert detector.n_features_in_ == 8
    assert_same_outputs(detector, before, X)
    np.testing.assert_array_equal(detector.p_values(X), before.p_values(X))


# ---------------------------------------------------------------- other models


def test_model_is_cloned(X):
    model = Autoencoder(max_epochs=1)

    AutoencoderOutlierDetector(model).fit(X)

    assert not hasattr(model, "net_")


def test_random_state_seeds_the_model(X):
    detectors = [fitted(X, estimator=Autoencoder(max_epochs=2)) for _ in range(2)]

    assert_same_outputs(*detectors, X)
    assert detectors[0].offset_ == detectors[1].offset_


def test_without_a_random_state_the_model_keeps_its_own(X):
    detector = AutoencoderOutlierDetector(Autoencoder(max_epochs=2, random_state=3)).fit(X)

    expected = Autoencoder(max_epochs=2, random_state=3).fit(X).score_samples(X)

    np.testing.assert_array_equal(detector.score_samples(X), expected)


@pytest.mark.parametrize(
    "model",
    [
        GaussianMixture(2),
        KernelDensity(),
        make_pipeline(StandardScaler(), Autoencoder(3, max_epochs=2)),
    ],
)
def test_other_models_with_scores(model, X):
    detector = fitted(X, estimator=model, contamination=0.05)

    expected = clone(detector.estimator_).fit(X).score_samples(X)

    np.testing.assert_allclose(detector.score_samples(X), expected, rtol=1e-6)


class Named(OutlierMixin, BaseEstimator):
    """A model of columns by name, one of which holds text."""

    def fit(self, X, y=None):
        self.usual_ = X["kind"].mode()[0]
        return self

    def feature_errors(self, X):
        return np.stack([X["size"] ** 2, 100.0 * (X["kind"] != self.usual_)], axis=1)

    def score_samples(self, X):
        return -self.feature_errors(X).sum(1)


@pytest.fixture
def frame():
    size = np.random.default_rng(0).normal(size=60)
    return pd.DataFrame({"size": size, "kind": "a"}, index=[f"r{i}" for i in range(60)])


def test_model_gets_the_frame_as_it_came(frame):
    detector = fitted(frame, estimator=Named())
    new = frame.iloc[:3].assign(kind=["a", "b", "a"])

    assert list(detector.predict(new) == -1) == [False, True, False]
    assert detector.p_values(new)[1] == 1 / 61
    np.testing.assert_array_equal(
        detector.feature_errors(new), Named.feature_errors(detector.estimator_, new)
    )


def test_columns_that_are_not_numbers_are_explained(frame):
    detector = fitted(frame, estimator=Named())

    table = detector.explain(frame.iloc[:3].assign(kind=["a", "b", "a"]), n_features=1)

    assert list(table.iloc[0][["row", "feature", "value"]]) == ["r1", "kind", "b"]


def test_pipeline_chooses_columns_by_name(frame):
    model = make_pipeline(make_column_transformer((StandardScaler(), ["size"])), GaussianMixture())

    scores = fitted(frame, estimator=model).score_samples(frame)

    expected = clone(model).set_params(gaussianmixture__random_state=0).fit(frame)
    np.testing.assert_allclose(scores, expected.score_samples(frame), rtol=1e-6)


@pytest.mark.parametrize("method", ["score_samples", "predict", "p_values", "explain"])
def test_frames_must_have_the_columns_of_fit(method, frame):
    detector = fitted(frame, estimator=Named())

    with pytest.raises(ValueError, match="Feature names unseen at fit time:\n- length"):
        getattr(detector, method)(frame.rename(columns={"size": "length"}))


def test_arrays_of_any_dtype_reach_the_model(X):
    class Counts(Squares):
        def fit(self, X, y=None):
            assert X.dtype == np.uint8
            return super().fit(X)

    counts = (10 * np.abs(X)).astype(np.uint8)

    assert fitted(counts, estimator=Counts()).score_samples(counts).shape == (100,)


def test_lists_become_arrays(X):
    scores = fitted(X.tolist(), estimator=Squares()).score_samples(X.tolist())

    np.testing.assert_array_equal(scores, fitted(X, estimator=Squares()).score_samples(X))


def test_second_fit_of_another_width(X):
    detector = AutoencoderOutlierDetector(Autoencoder(max_epochs=0)).fit(X)

    assert detector.fit(X[:, :5]).score_samples(X[:, :5]).shape == (100,)


def test_sparse_input_follows_the_model():
    assert get_tags(AutoencoderOutlierDetector()).input_tags.sparse
    assert not get_tags(AutoencoderOutlierDetector(GaussianMixture())).input_tags.sparse


def test_sparse_input_that_the_model_does_not_take(X):
    with pytest.raises(TypeError, match="Sparse data was passed"):
        AutoencoderOutlierDetector(GaussianMixture()).fit(sparse.csr_array(X))


def test_grid_search_over_the_model(X):
    model = Autoencoder(max_epochs=5)
    detector = AutoencoderOutlierDetector(model, n_estimators=1, random_state=0)
    grid = {"estimator__n_components": [1, 3], "estimator__module__dropout": [0.0, 0.5]}

    def mean_score(detector, X, y=None):
        return detector.score_samples(X).mean()

    search = GridSearchCV(detector, grid, scoring=mean_score, cv=2).fit(X)

    assert search.best_params_["estimator__n_components"] == 3


def test_in_a_pipeline(X):
    pipeline = make_pipeline(
        StandardScaler(),
        AutoencoderOutlierDetector(Autoencoder(max_epochs=0), contamination=0.1),
    )

    assert (pipeline.fit(1000 * X + 7).predict(1000 * X + 7) == -1).sum() == 10


def test_module_of_the_user(X):
    model = Autoencoder(module=DropoutNetwork, max_epochs=2)

    assert AutoencoderOutlierDetector(model).fit_predict(X).shape == (100,)


def test_rare_categories_beside_missing_ones_are_odd_and_new_ones_odder():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(400, 3)), columns=list("abc"))
    frame["land"] = rng.choice(["here", "there"], 400).astype(object)
    frame.loc[[3], "land"] = "far"
    frame.loc[::7, "land"] = None
    detector = AutoencoderOutlierDetector(random_state=0).fit(frame)

    usual, rare, new = (
        detector.score_samples(frame.iloc[:40].assign(land=land))
        for land in ("here", "far", "nowhere")
    )

    assert (new < rare).all()
    assert (rare < usual).all()
