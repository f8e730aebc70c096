"""Rows with weights: counts of equal rows, or shares of the whole."""

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skae import (
    AdversarialAutoencoder,
    Autoencoder,
    AutoencoderDenoiser,
    AutoencoderImputer,
    AutoencoderOutlierDetector,
    AutoencoderRecommender,
    ImageCompressor,
    ShallowRecommender,
    VariationalAutoencoder,
)
from skae._units import common_limits, mean_and_scale
from skae._weights import as_evidence, drawn_positions, repeated_positions, row_hashes
from skae.imputation._normal import Normal
from skae.losses import KLSparsity, L1Sparsity
from skae.networks import DenseAutoencoder
from skae.networks._start import initialize
from skae.outliers._repeated import repeated
from skae.tables import Coding, Columns
from skae.training import ArrayRows, Batch
from skae.training._components import HeldOutPCA

from .estimators import outputs

WEIGHTED = [
    Autoencoder(2, max_epochs=2),
    AutoencoderDenoiser(max_epochs=2),
    AutoencoderImputer(n_estimators=2, hidden_layer_sizes=(8,), max_epochs=2),
    AutoencoderOutlierDetector(Autoencoder(1, max_epochs=1), n_estimators=2),
    VariationalAutoencoder(2, max_epochs=2),
    AdversarialAutoencoder(2, row_critic_weight=1.0, max_epochs=2),
]
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(40, 2)) @ RANDOM.normal(size=(2, 5)) + RANDOM.normal(size=(40, 5)) / 4
COUNTS = RANDOM.integers(0, 4, 40)
SHARES = RANDOM.random(40) + 0.1

over_weighted = pytest.mark.parametrize("estimator", WEIGHTED, ids=lambda e: type(e).__name__)


def fitted(estimator, *args, **kwargs):
    return clone(estimator).set_params(random_state=0).fit(*args, **kwargs)


def assert_same(a, b):
    first, second = outputs(a, X), outputs(b, X)
    for name, value in first.items():
        assert_array_equal(value, second[name], err_msg=name)


@over_weighted
def test_counts_are_repeated_rows_in_any_order(estimator):
    order = RANDOM.permutation(len(X))
    weighted = fitted(estimator, X[order], sample_weight=COUNTS[order])
    assert_same(weighted, fitted(estimator, np.repeat(X, COUNTS, axis=0)))


@over_weighted
def test_weights_of_one_change_nothing(estimator):
    assert_same(fitted(estimator, X, sample_weight=np.ones(len(X))), fitted(estimator, X))


@over_weighted
def test_rows_of_weight_zero_are_absent(estimator):
    wild = np.vstack([X, 1e6 * np.ones((3, 5))])
    weights = np.append(SHARES, [0, 0, 0])
    with_wild = fitted(estimator, wild, sample_weight=weights)
    assert_same(with_wild, fitted(estimator, X, sample_weight=SHARES))


@over_weighted
def test_only_ratios_count_of_weights_that_are_not_whole(estimator):
    a = fitted(estimator, X, sample_weight=SHARES)
    assert_same(a, fitted(estimator, X, sample_weight=2.0**900 * SHARES))


@over_weighted
@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (-np.eye(40)[3], "1 negative weights, the first of them -1 of row 3"),
        (np.full(40, np.nan), "Input sample_weight contains NaN"),
        (np.ones(39), r"sample_weight has the shape \(39,\), but X has 40 rows"),
        (np.zeros(40), "only weights of zero"),
    ],
)
def test_bad_weights(estimator, weights, message):
    with pytest.raises(ValueError, match=message):
        clone(estimator).fit(X, sample_weight=weights)


@pytest.mark.parametrize(
    "estimator",
    [AutoencoderRecommender(), ShallowRecommender(), ImageCompressor()],
    ids=lambda e: type(e).__name__,
)
def test_no_weights_where_rows_are_no_samples(estimator):
    assert "sample_weight" not in estimator.fit.__code__.co_varnames


def restored_by_pca(rows, weights):
    mean = np.average(rows, axis=0, weights=weights)
    axes = np.linalg.eigh((rows - mean).T @ ((rows - mean) * weights[:, None]))[1][:, -2:]
    return (rows - mean) @ axes @ axes.T + mean


def test_start_is_the_pca_of_weighted_rows():
    model = Autoencoder(2, max_epochs=0, dtype="float64", random_state=0)
    model.fit(X, sample_weight=SHARES)
    assert_allclose(model.reconstruct(X), restored_by_pca(X, SHARES), atol=1e-9)


def test_start_is_the_pca_of_many_counted_rows():
    rows = np.random.default_rng(1).normal(size=(2000, 5))
    counts = np.arange(2000) % 7
    model = Autoencoder(2, max_epochs=0, dtype="float64", random_state=0)
    model.fit(rows, sample_weight=counts)
    assert_allclose(model.reconstruct(rows), restored_by_pca(rows, counts), atol=1e-9)


def test_losses_are_weighted():
    model = Autoencoder(2, max_epochs=3, early_stopping=True, n_iter_no_change=9, random_state=0)
    with pytest.warns(UserWarning, match="max_epochs=3"):
        model.fit(X, sample_weight=SHARES, X_val=X)
    errors = -model.score_samples(X)
    assert model.score(X, sample_weight=SHARES) == pytest.approx(
        -np.average(errors, weights=SHARES)
    )
    model = Autoencoder(2, max_epochs=0, random_state=0).fit(X, sample_weight=SHARES)
    assert model.loss_ == pytest.approx(-model.score(X, sample_weight=SHARES))


def test_both_ways_to_differentiate_agree():
    by_hand = Autoencoder(2, sparsity="l1", sparsity_weight=0.1, max_epochs=3, dtype="float64")
    autograd = clone(by_hand).set_params(module=_Hooked)
    a, b = (fitted(each, X, sample_weight=SHARES) for each in (by_hand, autograd))
    assert_allclose(a.transform(X), b.transform(X), rtol=1e-9)


class _Hooked(DenseAutoencoder):
    can_backpropagate = False


def test_penalties_are_weighted():
    code = torch.tensor([[1.0], [3.0]])
    weight = torch.tensor([0.5, 1.5])
    generator = torch.Generator()
    repeated = code[[0, 1, 1, 1]]
    for penalty in (L1Sparsity(1.0), KLSparsity(1.0)):
        expected = penalty(repeated, repeated, generator)
        assert penalty(code, code, generator, weight) == pytest.approx(float(expected))


def test_means_of_batches():
    batch = Batch(torch.zeros(2, 1), torch.zeros(2, 1), weight=torch.tensor([0.5, 1.5]))
    assert batch.mean(torch.tensor([2.0, 4.0])) == 3.5
    assert batch.to("cpu").weight is not None


def test_statistics_of_counted_rows_are_those_of_repeated_ones():
    counts = COUNTS.astype(float) + 1
    repeated = np.repeat(X, counts.astype(int), axis=0)
    for a, b in zip(mean_and_scale(X, counts), mean_and_scale(repeated), strict=True):
        assert_allclose(a, b)
    pixels, of_pixels = (np.rint(each.clip(0, 1)) for each in (X, repeated))
    assert common_limits(pixels, counts) == common_limits(of_pixels)
    mixed = np.c_[X, COUNTS, COUNTS > 1]
    for scale in ("normal_scores", "unit"):
        a = Columns.of(mixed, {}, scale, True, weights=counts)
        b = Columns.of(np.repeat(mixed, counts.astype(int), axis=0), {}, scale, True)
        for one, other in zip(a.encode(mixed), b.encode(mixed), strict=True):
            assert_allclose(one, other, rtol=1e-9, atol=1e-12)
    holes = np.where(RANDOM.random(X.shape) < 0.2, np.nan, X)
    of_holes = np.repeat(holes, counts.astype(int), axis=0)
    codings = Coding.of(holes, np.arange(5), {}, counts), Coding.of(of_holes, np.arange(5), {})
    assert_allclose(codings[0].encode(X), codings[1].encode(X))
    one, other = Normal.of(codings[0].encode(holes), counts), Normal.of(codings[1].encode(of_holes))
    assert_allclose(one.covariance, other.covariance, rtol=1e-9, atol=1e-12)


def test_pca_on_trial_is_that_of_repeated_rows():
    def judged(rows, weights=None):
        rows = ArrayRows(rows, torch.float64, torch.device("cpu")).weighted(weights)
        half = len(X) // 2 if weights is not None else int(COUNTS[: len(X) // 2].sum())
        return HeldOutPCA.of(
            rows.subset(torch.arange(half)), rows.subset(torch.arange(half, len(rows)))
        )

    counted = judged(X[COUNTS >= 0], COUNTS + 1e-300)
    repeated = judged(np.repeat(X, COUNTS, axis=0))
    assert_allclose(counted.restored, repeated.restored, rtol=1e-9)


def test_networks_that_take_no_weights_see_repeated_rows():
    class Counting:
        def initialize(self, x, output):
            self.seen = x, output

    x, network = torch.arange(3.0)[:, None], Counting()
    initialize(network, x, x, torch.tensor([2.0, 0.0, 3.0]))
    assert network.seen[0].flatten().tolist() == [0, 0, 2, 2, 2]
    assert network.seen[0] is network.seen[1]


def test_generated_shares_are_weighted():
    frame = pd.DataFrame({"kind": ["a", "b"] * 20, "x": X[:, 0]})
    weights = np.where(frame.kind == "a", 4.5, 0.5)
    model = VariationalAutoencoder(2, max_epochs=1, random_state=0)
    drawn = model.fit(frame, sample_weight=weights).sample(2000)
    assert (drawn.kind == "a").mean() == pytest.approx(0.9, abs=0.03)
    classes = model.set_params(conditional=True).fit(frame, frame.kind, sample_weight=weights)
    assert_allclose(classes.prior_.shares, [0.9, 0.1])


def test_a_category_of_weight_zero_is_unknown():
    frame = pd.DataFrame({"kind": ["a", "b", "c"] * 10, "x": X[:30, 0]})
    model = VariationalAutoencoder(1, max_epochs=1, random_state=0)
    model.fit(frame, sample_weight=(frame.kind != "c").to_numpy() * 1.5)
    assert set(model.sample(100).kind) == {"a", "b"}


def test_sparse_rows_with_weights():
    dense = np.where(np.abs(X) > 1, X, 0)
    model = Autoencoder(2, max_epochs=2)
    for weights in (COUNTS, SHARES):
        a = fitted(model, sparse.csr_array(dense), sample_weight=weights)
        assert_allclose(a.transform(X), fitted(model, dense, sample_weight=weights).transform(X))


def test_detectors_count_rows():
    detector = AutoencoderOutlierDetector(n_estimators=2)
    repeated = np.repeat(X[:12], COUNTS[:12], axis=0)
    a, b = fitted(detector, X[:12], sample_weight=COUNTS[:12]), fitted(detector, repeated)
    assert_same(a, b)
    assert_array_equal(a.held_out_scores_, b.held_out_scores_)
    assert_array_equal(a.p_values(X), b.p_values(X))


def test_held_out_scores_are_in_the_order_of_the_rows():
    model = AutoencoderOutlierDetector(Autoencoder(1, max_epochs=1), n_estimators=1)
    twice = np.vstack([X, X[::-1]])
    model.fit(twice)
    assert_allclose(model.held_out_scores_, model.score_samples(twice))


def test_many_rows_of_detectors_are_drawn():
    rows, positions = repeated(np.arange(6000.0)[:, None], np.arange(6000) % 3 * 0.5)
    assert len(rows) == 4000
    assert set(np.bincount(positions, minlength=6)[:6]) <= {0, 1, 2}
    assert not (positions % 3 == 0).any()


def test_partial_fit_with_weights():
    model = Autoencoder(2, random_state=0)
    a = clone(model).partial_fit(X, sample_weight=COUNTS).partial_fit(X, sample_weight=COUNTS)
    rows = np.repeat(X, COUNTS, axis=0)
    assert_same(a, clone(model).partial_fit(rows).partial_fit(rows))


def test_labels_and_targets_go_with_their_rows():
    noisy = X + RANDOM.normal(size=X.shape)
    model = Autoencoder(2, max_epochs=2)
    a = fitted(model, noisy, X, sample_weight=COUNTS)
    assert_same(a, fitted(model, *(np.repeat(each, COUNTS, axis=0) for each in (noisy, X))))


def test_images_with_weights():
    images = RANDOM.random((4, 16, 16))
    denoiser = AutoencoderDenoiser(max_epochs=1, random_state=0)
    a = clone(denoiser).fit(images, sample_weight=[2, 1, 0, 1])
    b = clone(denoiser).fit(images[[0, 0, 1, 3]])
    assert_array_equal(a.transform(images), b.transform(images))
    assert a.score(images, images, sample_weight=[1, 0, 0, 0]) == a.score(images[:1], images[:1])


def test_scores_of_imputers_are_weighted():
    imputer = AutoencoderImputer(n_estimators=2, max_epochs=1, random_state=0).fit(X)
    assert imputer.score(X, sample_weight=np.ones(40)) == pytest.approx(imputer.score(X))
    assert imputer.score(X, sample_weight=SHARES) != imputer.score(X)


def test_weights_are_routed():
    with config_context(enable_metadata_routing=True):
        model = Autoencoder(1, max_epochs=1, random_state=0)
        model.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        pipeline = make_pipeline(scaler, model)
        pipeline.fit(X, sample_weight=SHARES)
        scaled = StandardScaler().fit_transform(X)
        assert_same(pipeline[-1], clone(model).fit(scaled, sample_weight=SHARES))
        search = GridSearchCV(pipeline, {"autoencoder__n_components": [1, 2]}, cv=2)
        search.fit(X, sample_weight=SHARES)
        assert search.best_params_ == {"autoencoder__n_components": 2}


def test_trained_losses_agree_in_expectation(monkeypatch):
    monkeypatch.setattr("skae._base._fit.FEW_ROWS", 0)  # or they would be equal
    counts = 1 + np.arange(40) % 3
    rows = np.repeat(X, counts, axis=0)

    def losses(max_epochs, *args, **kwargs):
        model = Autoencoder(1, hidden_layer_sizes=(16,), max_epochs=max_epochs, batch_size=10)
        models = [clone(model).set_params(random_state=i).fit(*args, **kwargs) for i in range(5)]
        return np.array([-each.score(rows) for each in models])

    # As many steps of both.
    few, many = losses(20, X, sample_weight=counts), losses(10, rows)
    assert abs(few.mean() - many.mean()) < 3 * (few.std() + many.std())


def test_hashes_are_those_of_numbers():
    x = np.array([[0.0, 2.0, np.nan], [-0.0, 2.0, -np.nan], [1.0, 0.0, 0.0]])
    a, b, c = row_hashes(x)
    assert a == b != c
    assert_array_equal(row_hashes(x.astype(np.float32)), row_hashes(x))
    whole = np.array([[0, 3, 0], [1, 0, 2]])
    assert_array_equal(row_hashes(sparse.csr_matrix(whole)), row_hashes(whole.astype(float)))


def test_drawn_positions():
    assert drawn_positions(np.array([2.0, 0.0, 1.0]), 3).tolist() == [0, 0, 2]
    assert len(drawn_positions(SHARES, 17, 0.9)) == 17
    counts = np.bincount(drawn_positions(SHARES, 4000, 0.3), minlength=40)
    assert np.abs(counts - 4000 * SHARES / SHARES.sum()).max() <= 1


def test_rows_stay_as_they_are_where_there_is_nothing_to_repeat():
    assert repeated_positions(None, 5000, [X], 40) is None
    assert repeated_positions(SHARES, 5000, [X], 40) is None
    assert repeated_positions(None, 60, [np.ones((60, 1))], 60) is None
    assert_array_equal(repeated_positions(np.ones(4), 60, [], 4), range(4))
    assert_array_equal(repeated_positions(None, 5000, [np.ones((3, 1))], 3), range(3))


def test_evidence():
    assert_array_equal(as_evidence(np.array([3.0, 1.0])), [3, 1])
    assert_allclose(as_evidence(np.array([0.5, 1.0])), [2 / 3, 4 / 3])
