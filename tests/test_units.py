"""Numbers as users have them: in any unit, far from zero, of any dtype, in files, and many."""

import tracemalloc

import numpy as np
import pytest
from scipy import sparse
from sklearn.decomposition import PCA

from skae import Autoencoder, AutoencoderOutlierDetector, VariationalAutoencoder
from skae._units import Units, chunks_of, common_limits, mean_and_scale
from skae.losses import AbsoluteError, ColumnLosses, HuberLoss, Observed, SquaredError


@pytest.fixture
def X():
    """Rows near a plane, in seven dimensions."""
    rng = np.random.default_rng(1)
    return rng.normal(size=(80, 2)) @ rng.normal(size=(2, 7)) + 0.2 * rng.normal(size=(80, 7))


def trained(X, **params):
    return Autoencoder(max_epochs=3, random_state=0, **params).fit(X)


# ---------------------------------------------------------------- units and origins


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error"])
@pytest.mark.parametrize("unit", [1e-30, 1e-9, 1e4, 1e30])
def test_unit_of_the_table_does_not_matter(unit, loss, X):
    expected, model = trained(X, loss=loss), trained(unit * X, loss=loss)

    np.testing.assert_allclose(model.reconstruct(unit * X) / unit, expected.reconstruct(X))
    np.testing.assert_allclose(model.transform(unit * X) / unit, expected.transform(X))


@pytest.mark.parametrize("noise", ["gaussian", "masking", "salt_and_pepper", "swap"])
def test_unit_does_not_matter_to_noise(noise, X):
    levels = (0.3, 3e-7) if noise == "gaussian" else (0.3, 0.3)

    models = [
        trained(unit * X, noise=noise, noise_level=level)
        for unit, level in zip((1, 1e-6), levels, strict=True)
    ]

    np.testing.assert_allclose(models[1].transform(1e-6 * X), 1e-6 * models[0].transform(X))


def test_codes_that_are_log_odds_have_no_unit(X):
    models = [trained(unit * X, sparsity="kl", sparsity_weight=1.0) for unit in (1, 1e-6)]

    np.testing.assert_allclose(models[1].transform(1e-6 * X), models[0].transform(X))


def test_unit_of_pixels_does_not_matter():
    X = np.random.default_rng(0).integers(0, 3, size=(60, 6)) / 2

    bytes_, shares = trained(255 * X), trained(X)

    np.testing.assert_allclose(bytes_.reconstruct(255 * X), 255 * shares.reconstruct(X))
    assert bytes_.reconstruct(999 * X).max() == 255


@pytest.mark.parametrize("fit", ["fit", "partial_fit"])
@pytest.mark.parametrize(
    "loss",
    [
        "squared_error",
        "absolute_error",
        "huber",
        {"huber": [0, 1, 2], "squared_error": slice(3, 7)},
    ],
)
def test_offset_does_no_harm(loss, fit, X):
    near, far = (
        getattr(Autoencoder(loss=loss, max_epochs=1, random_state=0), fit)(X + offset)
        for offset in (0, 1e7)
    )

    np.testing.assert_allclose(far.score(X + 1e7), near.score(X), rtol=1e-3)
    np.testing.assert_allclose(far.reconstruct(X + 1e7) - 1e7, near.reconstruct(X), atol=0.02)


@pytest.mark.parametrize("offset", [0, 1e7])
@pytest.mark.parametrize("unit", [1e-6, 1e3])
def test_score_is_that_of_the_reconstruction(unit, offset, X):
    X = unit * (X + offset)
    model = trained(X)

    error = np.mean((X - model.reconstruct(X)) ** 2)

    assert -model.score(X) == pytest.approx(error, rel=1e-4)
    assert model.feature_errors(X).sum(1).mean() == pytest.approx(error, rel=1e-4)
    assert model.loss_curve_[-1] == pytest.approx(error, rel=0.2)


def test_unit_of_sparse_data_does_not_matter():
    X = sparse.random(60, 9, 0.3, format="csr", random_state=0)

    small, dense = trained(1e-8 * X), trained(X.toarray())

    np.testing.assert_allclose(small.reconstruct(1e-8 * X), 1e-8 * dense.reconstruct(X.toarray()))


def test_seconds_of_a_clock_keep_their_order():
    t = 1.7e9 + np.arange(50.0)[:, None]

    codes = Autoencoder(1, max_epochs=0).fit(t).transform(t).ravel()

    assert len(np.unique(codes)) == 50
    assert (np.diff(codes) > 0).all() or (np.diff(codes) < 0).all()


def test_network_of_the_user_sees_the_data_as_they_are(X):
    from .estimators import DropoutNetwork

    model = Autoencoder(module=DropoutNetwork, max_epochs=1, random_state=0).fit(X)

    assert model._fitted_recipe.units is None


def test_constant_rows_are_restored():
    X = np.full((4, 3), 1e-7)

    np.testing.assert_allclose(trained(X).reconstruct(X), X)


def test_loss_whose_errors_change_with_the_origin_is_given_none():
    class Relative(SquaredError):
        def elementwise(self, output, target):
            return ((output - target) / (1 + target.abs())).square()

    assert Relative().degree is None
    assert not Relative().knows_no_origin(3).any()
    assert SquaredError().degree == Observed().degree == HuberLoss().degree == 2


def test_parameters_of_losses_follow_the_units():
    parts = [(HuberLoss(3.0), [2]), (SquaredError((0.0, 1.0)), [1]), (AbsoluteError(), [0])]
    loss = ColumnLosses(parts)

    loss.set_units(Units(np.array([0.0, 5.0, 0.0]), scale=2.0))

    assert loss.degree is None
    assert loss.parts[0].delta == 1.5
    assert [float(bound) for bound in loss.parts[1].bounds] == [-2.5, -2.0]


# ---------------------------------------------------------------- statistics


def test_mean_and_scale_are_those_of_the_table(X):
    mean, scale = mean_and_scale(X + 1e6)

    np.testing.assert_allclose(mean, X.mean(0) + 1e6)
    assert scale == pytest.approx(np.sqrt(X.var(0).mean()))


def test_scale_of_constant_data_is_their_size():
    assert mean_and_scale(np.full((3, 2), 0.1 + 0.2))[1] == pytest.approx(0.3)
    assert mean_and_scale(np.zeros((3, 2)))[1] == 1


def test_limits_are_values_that_many_cells_have(X):
    assert common_limits(X) is None
    assert common_limits(np.clip(X, -1, 2)) == (-1, 2)
    assert common_limits(np.ones((9, 2))) is None


def test_chunks_are_all_rows():
    X = np.arange(2e6).reshape(-1, 2)

    chunks = list(chunks_of(X))

    assert len(chunks) > 1
    np.testing.assert_array_equal(np.concatenate(chunks), X)


# ---------------------------------------------------------------- memory


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.uint8, np.bool_, ">i4"])
@pytest.mark.parametrize("method", ["fit", "score_samples", "transform"])
def test_files_are_read_in_batches(method, dtype, tmp_path):
    X = np.memmap(tmp_path / "X", dtype=dtype, mode="w+", shape=(30_000, 100))
    X[:] = np.random.default_rng(0).integers(0, 2, size=X.shape)
    model = Autoencoder(hidden_layer_sizes=(), max_epochs=0).fit(X[:50])

    tracemalloc.start()
    getattr(model, method)(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 10e6  # in float64, the data have 24 MB


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array], ids=["uint8", "csr"])
@pytest.mark.parametrize(
    ("estimator", "method"),
    [
        (AutoencoderOutlierDetector(), "score_samples"),
        (VariationalAutoencoder(2, max_epochs=0, hidden_layer_sizes=()), "transform"),
    ],
    ids=["detector", "generator"],
)
def test_tables_are_read_in_batches(estimator, method, form, monkeypatch):
    monkeypatch.setattr("skae.outliers._ensemble._N_STEPS", 5)
    monkeypatch.setattr("skae.outliers._ensemble._FEWEST_STEPS", 5)
    X = form(np.random.default_rng(0).integers(0, 2, (40_000, 100)).astype(np.uint8))
    model = estimator.fit(X[:60])

    tracemalloc.start()
    getattr(model, method)(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 25e6  # in float64, the data have 32 MB


@pytest.mark.parametrize("dtype", [np.float16, np.int64, ">f4", np.bool_])
def test_dtype_of_numbers_does_not_matter(dtype):
    X = np.random.default_rng(0).integers(0, 2, size=(40, 5))
    expected = trained(X.astype(float))

    model = trained(X.astype(dtype))

    np.testing.assert_allclose(model.reconstruct(X.astype(dtype)), expected.reconstruct(X))
    assert model.transform(X.astype(dtype)).dtype == np.float64


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_found_in_every_batch(value):
    X = np.zeros((30_000, 20), np.float16)
    X[-1, -1] = value

    with pytest.raises(ValueError, match="Input X contains"):
        Autoencoder(max_epochs=0).fit(X)


# ---------------------------------------------------------------- beside PCA


def test_many_rows_never_end_above_pca(monkeypatch):
    monkeypatch.setattr("skae._base._limits.FEW_ROWS", 500)
    monkeypatch.setattr("skae.training._trials.FEW_ROWS", 500)
    monkeypatch.setattr("skae.training._trials._AUTO_EPOCHS", (5, 5))
    X = np.random.default_rng(0).normal(size=(1000, 12))
    pca = PCA(3).fit(X[:600])

    model = Autoencoder(3, lr=0.02, random_state=0).fit(X[:600])

    expected = np.mean((X[600:] - pca.inverse_transform(pca.transform(X[600:]))) ** 2)
    assert -model.score(X[600:]) <= 1.005 * expected
    assert not hasattr(model, "validation_loss_curve_")
