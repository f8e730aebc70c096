"""The default model: its scale, what its networks see, its sample of a stream."""

import numpy as np
import pytest
import torch
from scipy import sparse
from scipy.stats import chisquare

from skae.outliers import _ensemble
from skae.outliers._ensemble import DenoisingEnsemble
from skae.outliers._limits import Limits
from skae.outliers._rows import BothNoises, EnsembleRows, Scale


def scale_of(X, apply=True):
    return Scale.of(X, Limits.of(X), apply)


def fitted(X, n_folds=4, trim=0.2, scale=True, setting="contaminated"):
    return DenoisingEnsemble(n_folds, setting, trim, scale, random_state=0).fit(X)


def residuals(model, X):
    """Return squared residuals of shape (n_samples, n_members)."""

    def squares(module, batch):
        return (module.reconstructions(batch.input) - batch.input).square().sum(-1).T

    return model._apply(X, squares)


# ---------------------------------------------------------------- scale


def test_scaled_features_are_standard(X):
    X = 7 * X[:95] + 3

    scaled = scale_of(X)(X)

    np.testing.assert_allclose(scaled, (X - X.mean(0)) / X.std(0), rtol=1e-4, atol=1e-5)
    assert scaled.dtype == np.float32


@pytest.mark.parametrize("apply", [True, False])
def test_wild_cells_do_not_count(apply):
    x = np.random.default_rng(0).normal(size=(1000, 1))
    expected = scale_of(x[50:], apply)
    x[:50] = 1e12

    actual = scale_of(x, apply)

    assert (actual.center, actual.unit) == (expected.center, expected.unit)


def test_missing_cells_do_not_count(X):
    with_holes = np.concatenate([X, np.full((50, 8), np.nan)])

    np.testing.assert_array_equal(scale_of(with_holes).unit, scale_of(X).unit)


def test_all_features_may_have_the_same_unit(X):
    X = X[:95]
    expected = (X - X.mean(0)) / np.sqrt(X.var(0).mean())

    np.testing.assert_allclose(scale_of(X, False)(X), expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(scale_of(1e9 * X, False)(1e9 * X), expected, rtol=1e-4, atol=1e-6)


def test_values_in_a_common_unit_are_clipped_only_where_squares_would_overflow():
    x = np.array([[1e3, -1e6, 1e14, 1e308, -np.finfo(float).max]])

    actual = scale_of(np.zeros((3, 5)), False)(x)

    np.testing.assert_allclose(actual, x.clip(-1e15, 1e15), rtol=1e-6)
    assert np.isfinite(np.square(actual)).all()


@pytest.mark.parametrize(("value", "unit"), [(0.0, 1), (0.1, 1), (-1e9, 1), (1e300, 1e289)])
def test_constants_become_zero(value, unit):
    X = np.full((30, 2), value)

    scale = scale_of(X)

    np.testing.assert_array_equal(scale(X), np.zeros((30, 2)))
    np.testing.assert_allclose(scale.unit, [unit, unit])


@pytest.mark.parametrize(("usual", "rare"), [(0.0, 1.0), (0.7, 0.3)])
def test_a_rare_value_does_not_move_the_centre_of_constants(usual, rare):
    X = np.full((1000, 1), usual)
    X[17] = rare

    scale = scale_of(X)

    np.testing.assert_array_equal(scale.center, [usual])
    np.testing.assert_allclose(scale(X)[17], [rare - usual], rtol=1e-6)


def test_rounding_is_no_deviation():
    X = np.where(np.arange(30)[:, None] % 2, 0.3, 0.1 + 0.2)

    np.testing.assert_array_equal(scale_of(X).unit, [1])


@pytest.mark.parametrize("unit", [1e-300, 1e300])
def test_units_are_of_any_size(unit, X):
    actual = scale_of(X * unit)(X * unit)

    np.testing.assert_allclose(actual, scale_of(X)(X), rtol=1e-5, atol=1e-6)


def test_scaled_values_are_bounded(X):
    scaled = scale_of(X)(np.full((1, 8), 1e308))

    np.testing.assert_array_equal(scaled, np.full((1, 8), 30))


def test_sparse_rows_are_scaled_like_dense_ones(X):
    scale = scale_of(X)

    np.testing.assert_array_equal(scale(sparse.csr_array(X)), scale(X))


# ---------------------------------------------------------------- noise and rows


def test_first_half_gets_gaussian_noise_and_second_is_masked():
    x = torch.full((500, 6), 2.0)

    first, second = BothNoises(0.1, 0.3)(x, torch.Generator().manual_seed(0)).chunk(2, dim=1)

    assert first.std().item() == pytest.approx(0.1, rel=0.1)
    assert set(second.unique().tolist()) == {0, 2}
    assert (second == 0).float().mean().item() == pytest.approx(0.3, rel=0.1)


def test_missing_cells_become_zero():
    x = torch.full((5, 4), torch.nan)

    noisy = BothNoises(0.1, 0.5)(x, torch.Generator().manual_seed(0))

    assert (noisy == 0).all()


def test_members_get_the_rows_they_may_see(X):
    seen = np.random.default_rng(0).random((100, 3)) < 0.5
    scale, nowhere = scale_of(X, False), Limits(*np.full((2, 8), np.nan))
    rows = EnsembleRows(X, torch.float32, torch.device("cpu"), scale, nowhere, seen)

    taken = rows.batch(torch.tensor([7, 3])).input.reshape(2, 3, 8).numpy()

    expected = np.where(seen[[7, 3], :, None], scale(X)[[7, 3], None], np.nan)
    np.testing.assert_allclose(taken, expected, rtol=1e-6)


def test_members_get_no_wild_cells(X):
    low, high = np.full((2, 8), np.nan)
    low[2], high[5] = -0.5, 0.5
    seen = np.ones((100, 3), dtype=bool)
    rows = EnsembleRows(X, torch.float32, torch.device("cpu"), scale_of(X), Limits(low, high), seen)

    taken = rows.batch(slice(0, 100)).input.reshape(100, 3, 8).numpy()

    is_wild = (scale_of(X)(X) < low) | (scale_of(X)(X) > high)
    np.testing.assert_array_equal(np.isnan(taken), np.repeat(is_wild[:, None], 3, axis=1))


# ---------------------------------------------------------------- held-out rows


@pytest.mark.usefixtures("quick")
def test_network_of_a_row_does_not_depend_on_it(X, monkeypatch):
    X = X[:95]
    same_scale, X[0] = scale_of(X), 4 * X.std(0)
    monkeypatch.setattr(Scale, "of", lambda *args: same_scale)
    before = fitted(X)
    X[0] *= 1.1

    after = fitted(X)

    gaussian = range(4)
    weights = [[w.detach().numpy() for w in m.module_.weights] for m in (before, after)]
    same = [
        all(np.array_equal(a[k], b[k]) for a, b in zip(*weights, strict=True)) for k in gaussian
    ]
    assert same == [k == before.held_out_folds_[0] for k in gaussian]


@pytest.mark.usefixtures("quick")
def test_network_of_a_wild_row_can_not_restore_it(X):
    X[0] += 2 * np.random.default_rng(1).normal(size=8)

    model = fitted(X)

    gaussian = residuals(model, X[:1])[0, :4]
    assert gaussian.argmax() == model.held_out_folds_[0]


@pytest.mark.usefixtures("quick")
def test_masked_networks_never_see_the_rarest_rows(X):
    X = X[:95]
    X[0] = 6 * X.std(0)
    model = fitted(X)

    gaussian, masked = np.split(residuals(model, X[:1])[0], 2)

    others = np.arange(4) != model.held_out_folds_[0]
    assert masked.min() > gaussian[others].max()


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(("trim", "n_rows"), [(0.2, 80), (0.4, 60)])
def test_small_samples_are_of_typical_rows(trim, n_rows, X):
    model = fitted(X, trim=trim)

    samples = model._views[1]
    assert len(samples.rows) == n_rows
    assert not set(range(95, 100)) & set(samples.own)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("n_folds", [1, 2, 4, 7])
def test_folds_are_of_equal_size(n_folds, X):
    counts = np.bincount(fitted(X, n_folds).held_out_folds_)

    assert len(counts) == n_folds
    assert np.ptp(counts) <= 1


def test_held_out_scores_are_those_by_the_own_fold_without_help_of_the_row_itself(X, monkeypatch):
    monkeypatch.setattr(_ensemble, "_N_STEPS", 40)
    monkeypatch.setattr(_ensemble, "_FEWEST_STEPS", 40)
    model = fitted(X[:95])

    own = model.member_scores(X[:95])[np.arange(95), model.held_out_folds_]

    assert (model.held_out_scores_ < own).all()
    assert np.corrcoef(model.held_out_scores_, own)[0, 1] > 0.95


@pytest.mark.usefixtures("quick")
def test_held_out_scores_of_wild_rows_are_those_of_the_rows_as_they_are(X):
    X[7, 3] = -999
    model = fitted(X[:95])

    own = model.member_scores(X[:95])[7, model.held_out_folds_[7]]

    assert model.held_out_scores_[7] == own == model.held_out_scores_.min()


@pytest.mark.usefixtures("quick")
def test_wild_training_cells_are_learned_from_as_if_they_were_missing(X):
    missing, wild = X[:95].copy(), X[:95].copy()
    missing[:5, 3], wild[:5, 3] = np.nan, 1e6
    assert np.isnan(fitted(missing)._limits.high).all()

    actual, expected = fitted(wild), fitted(missing)

    for a, b in zip(actual._whitenings, expected._whitenings, strict=True):
        assert a.root.shape == b.root.shape
    assert actual.scale_.unit[3] == expected.scale_.unit[3]
    np.testing.assert_array_equal(actual._views[0].tail, expected._views[0].tail)


@pytest.mark.usefixtures("quick")
def test_networks_do_not_see_wild_cells_of_new_rows(X):
    X[7, 3] = -999
    model, wild, missing = fitted(X[:95]), X[10:20].copy(), X[10:20].copy()
    wild[:, 3], missing[:, 3] = 999, np.nan

    np.testing.assert_array_equal(model.reconstruct(wild), model.reconstruct(missing))


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("setting", ["contaminated", "clean"])
def test_held_out_scores_are_distributed_like_those_of_new_rows(setting):
    X, new = np.random.default_rng(0).normal(size=(2, 3000, 3))
    model = fitted(X, setting=setting)

    scores = model.member_scores(new)[:, 0]

    quarters = (np.percentile(each, [25, 50, 75]) for each in (scores, model.held_out_scores_))
    np.testing.assert_allclose(*quarters, atol=0.15 * scores.std())


@pytest.mark.usefixtures("quick")
def test_clean_rows_are_all_learned_from(X):
    model = fitted(X, setting="clean")

    assert model._whitenings[1].n_rows == len(model._views[0].rows) == 100


@pytest.mark.usefixtures("quick")
def test_pixels_are_in_one_unit(X):
    model = DenoisingEnsemble(4, "clean", 0.2, True, (2, 4), random_state=0).fit(X)

    assert np.ptp(model.scale_.unit) == 0


@pytest.mark.usefixtures("quick")
def test_rows_are_scored_alike_whatever_stands_beside_them(X, monkeypatch):
    model = fitted(X)
    expected = model.score_samples(X)

    monkeypatch.setattr(_ensemble, "_CHUNK", 7)

    np.testing.assert_array_equal(model.score_samples(X), expected)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("method", ["score_samples", "member_scores", "feature_errors"])
@pytest.mark.parametrize("setting", ["contaminated", "clean"])
def test_rows_alone_have_what_they_have_among_others(setting, method, X):
    of_rows = getattr(fitted(X, setting=setting), method)

    alone = np.concatenate([of_rows(row[None]) for row in X[:10]])

    np.testing.assert_array_equal(alone, of_rows(X)[:10])
    incomplete = np.vstack([X[:10], np.where(np.arange(X.shape[1]) == 2, np.nan, X[10:40])])
    np.testing.assert_array_equal(alone, of_rows(incomplete)[:10])


# ---------------------------------------------------------------- expected values


@pytest.mark.usefixtures("quick")
def test_expected_values_are_in_the_units_of_the_data(X):
    features = np.arange(100) % 8
    expected = fitted(X).expected_values(X, features)

    # A power of two, that rounds nothing.
    actual = fitted(1024 * X).expected_values(1024 * X, features)

    np.testing.assert_allclose(actual, 1024 * expected, rtol=1e-5)


@pytest.mark.usefixtures("quick")
def test_reconstructions_are_in_the_units_of_the_data(X):
    expected = fitted(X).reconstruct(X)

    # A power of two, that rounds nothing.
    actual = fitted(1024 * X).reconstruct(1024 * X)

    np.testing.assert_allclose(actual, 1024 * expected, rtol=1e-5)


def test_reconstructions_are_near_the_rows(X):
    model = fitted(X[:95] + 7)

    actual = model.reconstruct(X[:95] + 7)

    assert np.square(actual - X[:95] - 7).mean() < 0.2 * X[:95].var()


@pytest.mark.usefixtures("quick")
def test_expected_value_is_the_reconstruction_of_the_row_without_the_cell(X):
    model = fitted(X)
    masked = X.copy()
    masked[:, 2] = np.nan

    actual = model.expected_values(X, np.full(100, 2))

    np.testing.assert_array_equal(actual, model.reconstruct(masked)[:, 2])


def test_model_has_no_code():
    for method in ("transform", "inverse_transform"):
        assert not hasattr(DenoisingEnsemble(4, "clean", 0.2, True), method)


@pytest.mark.usefixtures("quick")
def test_expected_values_do_not_depend_on_the_cell_itself(X):
    model, features = fitted(X), np.arange(100) % 8
    expected = model.expected_values(X, features)
    X[np.arange(100), features] = 1e6

    np.testing.assert_array_equal(model.expected_values(X, features), expected)


def test_expected_values_follow_the_other_cells(X):
    model, X = fitted(X[:80]), X[80:95]

    for feature in range(8):
        expected = model.expected_values(X, np.full(15, feature))
        assert np.corrcoef(expected, X[:, feature])[0, 1] > 0.9


# ---------------------------------------------------------------- the sample of a stream


@pytest.mark.usefixtures("quick")
def test_sample_is_everything_while_there_is_room(X):
    model = fitted(X[:60])

    model.partial_fit(X[60:])

    np.testing.assert_array_equal(model.sample_, X)


@pytest.mark.usefixtures("quick")
def test_sample_is_never_larger_than_its_bound(X, monkeypatch):
    monkeypatch.setattr(_ensemble, "SAMPLE", 30)
    model = fitted(X)

    for _ in range(3):
        assert len(model.sample_) == len(model.held_out_scores_) == len(model.held_out_folds_) == 30
        model.partial_fit(X)


@pytest.mark.usefixtures("quick")
def test_sample_is_uniform_over_batches(monkeypatch):
    monkeypatch.setattr(_ensemble, "SAMPLE", 300)
    rng = np.random.default_rng(0)
    batches = [np.column_stack([np.full(150, i), rng.normal(size=(150, 2))]) for i in range(10)]
    model = fitted(batches[0])

    for batch in batches[1:]:
        model.partial_fit(batch)

    counts = np.bincount(model.sample_[:, 0].astype(int), minlength=10)
    assert chisquare(counts).pvalue > 0.01


@pytest.mark.usefixtures("quick")
def test_sample_has_no_row_twice(monkeypatch):
    monkeypatch.setattr(_ensemble, "SAMPLE", 100)
    X = np.random.default_rng(0).normal(size=(240, 2))
    model = fitted(X[:80]).partial_fit(X[80:160]).partial_fit(X[160:])

    assert len(np.unique(model.sample_, axis=0)) == 100


@pytest.mark.usefixtures("quick")
def test_sparse_rows_are_kept_dense(X):
    model = fitted(sparse.csr_array(X)).partial_fit(sparse.csr_array(X))

    np.testing.assert_array_equal(model.sample_, np.concatenate([X, X]))


@pytest.mark.usefixtures("quick")
def test_going_on_keeps_the_scale(X):
    model = fitted(X)
    unit = model.scale_.unit.copy()

    model.partial_fit(100 * X)

    np.testing.assert_array_equal(model.scale_.unit, unit)
