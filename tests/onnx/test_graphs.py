"""The modules that are exported, in torch, against the methods that they stand for."""

import numpy as np
import pytest
import torch
from sklearn.exceptions import NotFittedError
from torch import nn

from skae import (
    AdversarialAutoencoder,
    Autoencoder,
    AutoencoderDenoiser,
    AutoencoderOutlierDetector,
    VariationalAutoencoder,
)
from skae._settings import inference
from skae.generation._flow import FlowPrior
from skae.generation._priors import NormalPrior
from skae.networks import CouplingFlow
from skae.onnx import OnnxExportError
from skae.onnx._draws import CodesFromNoise
from skae.onnx._models import _graph_of, model_of
from skae.training._state import to_arrays

FEW = {"max_epochs": 1, "random_state": 0}


def table(n, seed):
    rng = np.random.default_rng(seed)
    X = np.tanh(rng.normal(size=(n, 2)) @ np.ones((2, 6))) * 3 + 0.5 * rng.normal(size=(n, 6))
    return X.astype(np.float32)


def mixed_table(n, seed):
    """Return numbers, whole ones, capped ones, missing ones, two values, and one of three."""
    X = table(n, seed)
    rng = np.random.default_rng(seed)
    X[:, 1], X[:, 2] = X[:, 1].round(), X[:, 2].clip(max=1)
    X[rng.random(n) < 0.2, 3] = np.nan
    return np.column_stack([X, X[:, 0] > 0, np.eye(3)[rng.integers(3, size=n)]]).astype(np.float32)


X, NEW = table(150, 0), table(40, 1)
SHARES = (X - X.min(axis=0)) / np.ptp(X, axis=0)


@inference()
def in_torch(estimator, method, X):
    return getattr(_graph_of(estimator, [method]).eval(), method)(torch.from_numpy(X)).numpy()


def assert_same(estimator, method, X):
    expected = getattr(estimator, method)(X)
    found = in_torch(estimator, method, X)

    assert found.dtype == expected.dtype
    scale = np.nanstd(expected) + 1e-6
    np.testing.assert_allclose(found / scale, expected / scale, atol=1e-5, rtol=1e-6)


@pytest.mark.parametrize("method", ["transform", "reconstruct", "score_samples"])
@pytest.mark.parametrize(
    "loss", ["squared_error", "bernoulli", "poisson", {"huber": [0, 1], "bernoulli": slice(2, 6)}]
)
def test_autoencoder(loss, method):
    assert_same(Autoencoder(2, loss=loss, **FEW).fit(SHARES), method, SHARES)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("method", ["transform", "reconstruct", "score_samples"])
def test_values_far_from_zero(method, dtype):
    far = X.astype(dtype) + dtype(1e4)

    assert_same(Autoencoder(2, **FEW).fit(far), method, far[:40])


def test_pixels_stay_within_their_limits():
    pixels = (X > 0).astype(np.float32) * 255
    autoencoder = Autoencoder(2, **FEW).fit(pixels)

    restored = in_torch(autoencoder, "reconstruct", pixels * 2 - 100)

    assert restored.min() == 0
    assert restored.max() == 255


def test_codes_become_rows():
    autoencoder = Autoencoder(2, **FEW).fit(X)

    assert_same(autoencoder, "inverse_transform", autoencoder.transform(NEW))


def test_scores_of_float32_rows_do_not_overflow():
    autoencoder = Autoencoder(2, **FEW).fit(X)
    wild = np.full((1, 6), 1e21, np.float32)

    assert np.isfinite(in_torch(autoencoder, "score_samples", wild)).all()


def test_network_of_float64():
    assert_same(Autoencoder(2, dtype="float64", **FEW).fit(X), "reconstruct", NEW)


@pytest.mark.parametrize("params", [{}, {"scale": None}, {"scale": "range"}, {"prior": "normal"}])
def test_generator_of_numbers(params):
    model = VariationalAutoencoder(2, **params, **FEW).fit(X)

    for method in ("transform", "reconstruct"):
        assert_same(model, method, NEW)


@pytest.mark.parametrize("method", ["transform", "reconstruct", "score_samples"])
def test_generator_of_a_mixed_table_with_gaps(method):
    model = AdversarialAutoencoder(2, **FEW).fit(mixed_table(150, 0))

    assert_same(model, method, mixed_table(40, 1))


@pytest.mark.parametrize(
    ("params", "n_of_codes"),
    [
        ({"chain": "auto"}, 0),  # Gaussians of rows
        ({"chain": False}, 2),
        ({"chain": False, "prior": "normal"}, 2),
        ({"chain": False, "prior": "local"}, 4),  # axes and the rest
    ],
    ids=str,
)
def test_samples_are_distributed_as_those_of_the_estimator(params, n_of_codes):
    model = VariationalAutoencoder(2, **params, **FEW).fit(X)
    width = 1 + n_of_codes + 6  # and the noise of cells
    noise = np.random.default_rng(0).standard_normal((4000, width), np.float32)

    rows, expected = in_torch(model, "sample", noise), model.sample(4000, random_state=0)

    scale = expected.std(axis=0)
    assert np.abs(rows.mean(axis=0) - expected.mean(axis=0)).max() < 0.1 * scale.min()
    np.testing.assert_allclose(np.corrcoef(rows.T), np.corrcoef(expected.T), atol=0.1)
    np.testing.assert_allclose(rows.std(axis=0), scale, rtol=0.1)


def test_samples_of_whole_numbers_are_whole_and_within_the_range():
    model = VariationalAutoencoder(2, chain=False, **FEW).fit((10 * X).astype(int))
    noise = 3 * np.random.default_rng(0).standard_normal((50, 9), np.float32)

    rows = in_torch(model, "sample", noise)

    np.testing.assert_array_equal(rows, rows.round())
    assert (rows >= (10 * X).astype(int).min(axis=0)).all()


def test_noise_of_the_normal_prior_is_the_code():
    noise = torch.randn(5, 4, dtype=torch.float64)

    torch.testing.assert_close(CodesFromNoise(NormalPrior(3), 3)(noise), noise[:, 1:])


def test_noise_goes_through_a_flow_as_in_the_prior():
    flow = CouplingFlow(3)
    for parameter in flow.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    mean, whitening = np.arange(3.0), np.random.default_rng(0).normal(size=(3, 3))
    prior = FlowPrior(mean, whitening, to_arrays(flow.state_dict()), random_state=0)
    normal = np.random.RandomState(0).standard_normal((5, 3))

    codes = CodesFromNoise(prior, 3)(torch.from_numpy(np.c_[np.zeros(5), normal]))

    np.testing.assert_allclose(codes.detach(), prior.sample(5)[0])


@pytest.mark.parametrize("noise", ["gaussian", "masking"])
def test_denoiser(noise):
    denoiser = AutoencoderDenoiser(noise=noise, **FEW).fit(X)
    given = NEW.copy()
    if noise == "masking":
        given[::3, 2] = np.nan

    assert_same(denoiser, "transform", given)


@pytest.mark.parametrize("params", [{}, {"contamination": 0}, {"image_shape": (2, 3)}])
def test_detector_with_wild_and_missing_cells(params):
    given, new = X.copy(), NEW.copy()
    given[:4, 1], new[::9, 2], new[0] = -999, np.nan, 1e30
    detector = AutoencoderOutlierDetector(n_estimators=2, random_state=0, **params).fit(given)

    scores, expected = in_torch(detector, "score_samples", new), detector.score_samples(new)

    np.testing.assert_allclose(scores, expected, rtol=1e-3)
    assert np.median(np.abs(scores - expected)) < 1e-5 * expected.std()
    np.testing.assert_array_equal(in_torch(detector, "predict", new), detector.predict(new))


def test_detector_with_a_model():
    detector = AutoencoderOutlierDetector(Autoencoder(2, **FEW), random_state=0).fit(X)

    for method in ("score_samples", "decision_function", "predict"):
        assert_same(detector, method, NEW)


def test_estimator_stays_as_it_was():
    autoencoder = Autoencoder(2, loss="bernoulli", dtype="float64", **FEW).fit(SHARES)
    before = autoencoder.score_samples(SHARES)
    _graph_of(autoencoder, ["score_samples"])

    np.testing.assert_array_equal(autoencoder.score_samples(SHARES), before)
    with pytest.raises(ValueError, match=r"needs values in \[0, 1\]"):
        autoencoder.score_samples(SHARES + 5)


# ---------------------------------------------------------------- what has no ONNX form


class Doubled(Autoencoder):
    """An estimator that changes a method."""

    def transform(self, X):
        return 2 * super().transform(X)


class Branching(nn.Module):
    """A network that looks at the data."""

    def __init__(self, n_features, n_components):
        super().__init__()
        self.layer = nn.Linear(n_features, n_components)
        self.back = nn.Linear(n_components, n_features)

    def encode(self, x):
        return self.layer(x) if x.sum() > 0 else self.layer(-x)

    def decode(self, z):
        return self.back(z)


def test_overridden_method_is_refused():
    with pytest.raises(OnnxExportError, match=r"transform of Doubled .* was overridden"):
        model_of(Doubled(2, **FEW).fit(X), ["transform"], torch.float32)


def test_module_that_branches_on_data_is_refused():
    autoencoder = Autoencoder(2, module=Branching, **FEW).fit(X)

    with pytest.raises(OnnxExportError, match="must not branch on data"):
        model_of(autoencoder, ["transform"], torch.float32)


def test_categories_are_refused():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"size": X[:, 0], "color": np.where(X[:, 1] > 0, "red", "blue")})
    model = VariationalAutoencoder(2, **FEW).fit(frame)

    with pytest.raises(OnnxExportError, match="column 'color' holds categories"):
        model_of(model, ["transform"], torch.float32)


def test_samples_that_are_drawn_again_are_refused():
    model = VariationalAutoencoder(2, **FEW).fit(mixed_table(150, 0))

    with pytest.raises(OnnxExportError, match="it draws rows again"):
        model_of(model, ["sample"], torch.float32)


def test_samples_of_another_likelihood_are_refused():
    model = VariationalAutoencoder(2, likelihood="bernoulli", **FEW).fit(SHARES.round())

    with pytest.raises(OnnxExportError, match="likelihood is not Gaussian: BernoulliLikelihood"):
        model_of(model, ["sample"], torch.float32)


def test_unfitted_estimator_is_refused():
    with pytest.raises(NotFittedError):
        model_of(Autoencoder(), ["transform"], torch.float32)
