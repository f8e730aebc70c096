"""The public estimators, and the configurations in which all tests that are common to them run."""

from math import ceil, sqrt

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import estimator_checks_generator
from torch import nn
from torch.nn import functional as F

import skae
from skae import (
    AdversarialAutoencoder,
    AudioCompressor,
    Autoencoder,
    AutoencoderDenoiser,
    AutoencoderImputer,
    AutoencoderOutlierDetector,
    AutoencoderRecommender,
    BlendRecommender,
    ImageCompressor,
    ShallowRecommender,
    VariationalAutoencoder,
)
from skae._plain import REGISTERED
from skae.networks import ConvAutoencoder

from .kinds import Denoiser, Imputer, Recommender, Restorer


class DropoutNetwork(nn.Module):
    """A user's network, drawing from torch's global generator."""

    def __init__(self, n_features, n_components):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Linear(n_features, 8), nn.Tanh(), nn.Dropout(0.2), nn.Linear(8, n_components)
        )
        self.decoder = nn.Linear(n_components, n_features)

    def encode(self, x):
        return self.encoder(x)

    def decode(self, z):
        return self.decoder(z)


class PaddedImages(nn.Module):
    """Convolutions for rows of any width: zeros fill them up to a square image."""

    def __init__(self, n_features, n_components):
        super().__init__()
        side = max(8, ceil(sqrt(n_features)))
        self.n_features, self.n_zeros = n_features, side**2 - n_features
        self.images = ConvAutoencoder(side**2, n_components, (side, side), channels=(4,))

    def initialize(self, x, output):
        self.images.initialize(F.pad(x, (0, self.n_zeros)), F.pad(output, (0, self.n_zeros)))

    def encode(self, x):
        return self.images.encode(F.pad(x, (0, self.n_zeros)))

    def decode(self, z):
        return self.images.decode(z)[:, : self.n_features]


# With few epochs, to be quick.
NETWORK_CONFIGURATIONS = {
    "default": {},
    "float64": {"dtype": "float64", "max_epochs": 2},
    "conv": {"module": PaddedImages, "max_epochs": 2},
    "own_module": {"module": DropoutNetwork, "max_epochs": 3},
    "early_stopping": {"early_stopping": True, "n_iter_no_change": 2, "max_epochs": 4},
    "penalised": {
        "noise": "gaussian",
        "sparsity": "kl",
        "sparsity_weight": 0.1,
        "contraction": 0.1,
        "max_epochs": 2,
    },
    "deep": {
        "hidden_layer_sizes": (16, 16, 8),
        "activation": "relu",
        "module__normalization": "batch",
        "module__residual": True,
        "module__dropout": 0.2,
        "max_epochs": 2,
    },
    # Steps that round to nothing: some checks want the same from a second fit, which here goes on.
    "warm_start": {"warm_start": True, "max_epochs": 2, "lr": 1e-12},
}

# Where a network is trained by the same code, two settings may be tried at once.
_IN_DOUBLE = {**NETWORK_CONFIGURATIONS["early_stopping"], "dtype": "float64"}
GENERATOR_CONFIGURATIONS = {
    **{name: NETWORK_CONFIGURATIONS[name] for name in ("conv", "own_module", "warm_start")},
    "early_stopping": _IN_DOUBLE,
}

FEW_CONFIGURATIONS = {
    name: NETWORK_CONFIGURATIONS[name] for name in ("default", "own_module", "early_stopping")
}


# Estimators that train a net of their own, each with its configurations.
NETWORKS = {
    Autoencoder: {
        **{name: Autoencoder(**p) for name, p in NETWORK_CONFIGURATIONS.items()},
        "chosen_number": Autoencoder("auto", max_epochs=2),
    },
    VariationalAutoencoder: {
        **{name: VariationalAutoencoder(**p) for name, p in GENERATOR_CONFIGURATIONS.items()},
        "default": VariationalAutoencoder(max_epochs=5),
        "importance_weighted": VariationalAutoencoder(
            n_importance_samples=3, prior="normal", max_epochs=2
        ),
        "predicted_variance": VariationalAutoencoder(
            likelihood="gaussian", criterion__variance="predicted", max_epochs=2
        ),
        "flow": VariationalAutoencoder(2, prior="flow", max_epochs=2),
    },
    AdversarialAutoencoder: {
        **{
            name: AdversarialAutoencoder(**GENERATOR_CONFIGURATIONS[name])
            for name in ("conv", "early_stopping", "warm_start")
        },
        "default": AdversarialAutoencoder(max_epochs=5),
        "deep": AdversarialAutoencoder(**NETWORK_CONFIGURATIONS["deep"]),
        "two_critics": AdversarialAutoencoder(row_critic_weight=1.0, max_epochs=2),
        "spectral": AdversarialAutoencoder(critic_regularization="spectral_norm", max_epochs=2),
    },
    ImageCompressor: {
        "default": ImageCompressor(batch_size=64),
        "float64": ImageCompressor(dtype="float64", max_epochs=1, batch_size=64),
        "conv": ImageCompressor(n_components=2, patch_shape=(1, 2), max_epochs=1, module__width=8),
        "mlp": ImageCompressor(
            n_components=2, module="mlp", patch_shape=(1, 3), max_epochs=1, module__n_blocks=1
        ),
        "few_components": ImageCompressor(n_components=2, quality=80, batch_size=64),
        "early_stopping": ImageCompressor(
            early_stopping=True, n_iter_no_change=2, max_epochs=3, module__width=8
        ),
        "warm_start": ImageCompressor(
            warm_start=True, max_epochs=1, lr=1e-12, batch_size=64, module__width=8
        ),
    },
    AutoencoderDenoiser: {
        **{
            name: AutoencoderDenoiser(**params) for name, params in GENERATOR_CONFIGURATIONS.items()
        },
        "default": AutoencoderDenoiser(max_epochs=5),
        "noisy": AutoencoderDenoiser(supervision="noisy", noise_level=0.1, max_epochs=2),
        "missing": AutoencoderDenoiser(noise="masking", max_epochs=2),
        "poisson": AutoencoderDenoiser(noise="poisson", noise_level=(0.1, 0.2), max_epochs=2),
    },
    AutoencoderRecommender: {
        "default": AutoencoderRecommender(4, lr=0.02),
        "network_alone": AutoencoderRecommender(4, linear=None, max_epochs=2),
        "own_module": AutoencoderRecommender(
            4, module=DropoutNetwork, dtype="float64", max_epochs=2
        ),
        "early_stopping": AutoencoderRecommender(
            4, early_stopping=True, n_iter_no_change=2, max_epochs=4, linear=None
        ),
        "composite": AutoencoderRecommender(
            4, hidden_layer_sizes=(6,), variational=True, prior="composite", max_epochs=5
        ),
        "tied": AutoencoderRecommender(
            4, tied=True, activation="identity", likelihood="gaussian", max_epochs=2
        ),
        "sampled": AutoencoderRecommender(4, n_negatives=3, variational=True, max_epochs=2),
        "warm_start": AutoencoderRecommender(4, warm_start=True, max_epochs=2, lr=1e-12),
    },
    AutoencoderImputer: {
        "default": AutoencoderImputer(max_epochs=5),
        "early_stopping": AutoencoderImputer(early_stopping=True, n_iter_no_change=2, max_epochs=4),
        "auto": AutoencoderImputer(n_estimators=2, hidden_layer_sizes=(8,)),
        "indicator": AutoencoderImputer(
            n_estimators=1, add_indicator=True, keep_empty_features=True, max_epochs=2
        ),
        "deep": AutoencoderImputer(
            hidden_layer_sizes=(8, 8, 8), lr=1e-3, dtype="float64", max_epochs=2
        ),
        "warm_start": AutoencoderImputer(warm_start=True, max_epochs=2, lr=1e-12),
        "sgd": AutoencoderImputer(n_estimators=2, optimizer="sgd", batch_size=16, max_epochs=2),
    },
    Denoiser: {name: Denoiser(**p) for name, p in FEW_CONFIGURATIONS.items()},
    Recommender: {
        name: Recommender(**NETWORK_CONFIGURATIONS[name])
        for name in ("default", "float64", "early_stopping")
    },
}

# Estimators that have a model, their parameter `estimator`, each with its configurations.
MODELS = {
    AutoencoderOutlierDetector: {
        "default": AutoencoderOutlierDetector(n_estimators=2),
        **{
            # With both of two components, errors would be rounding errors, the same for all rows.
            name: AutoencoderOutlierDetector(Autoencoder(1, **params), n_estimators=2)
            for name, params in NETWORK_CONFIGURATIONS.items()
            if name not in ("default", "float64")
        },
    },
    Imputer: {
        "default": Imputer(),
        "early_stopping": Imputer(Denoiser(**NETWORK_CONFIGURATIONS["early_stopping"])),
    },
    Restorer: {
        "default": Restorer(),
        "early_stopping": Restorer(Denoiser(**NETWORK_CONFIGURATIONS["early_stopping"])),
    },
}

_PARTS = [("exact", ShallowRecommender()), ("one", ShallowRecommender(1))]

# Estimators that train nothing.
CLOSED_FORMS = {
    AudioCompressor: {
        "default": AudioCompressor(),
        "fidelity": AudioCompressor(shaping="fidelity"),
        "float64": AudioCompressor(dtype="float64", hop_length=4),
        "segments": AudioCompressor(hop_length=2, segment_duration=2**-11),
        "shaped": AudioCompressor(shaping=0.6, hop_length=8),
        "slow": AudioCompressor(sample_rate=1),
        "fast": AudioCompressor(sample_rate=1e7, quality=90),
    },
    BlendRecommender: {
        "default": BlendRecommender([*_PARTS]),
        "none_given": BlendRecommender(),
        "one": BlendRecommender(_PARTS[:1]),
        "weights": BlendRecommender([*_PARTS], weights=[0.3, 0.7]),
        "zero": BlendRecommender([*_PARTS], weights=[0, 1]),
        "float64": BlendRecommender([_PARTS[0], ("wide", ShallowRecommender(dtype="float64"))]),
        "blended": BlendRecommender([_PARTS[0], ("blend", BlendRecommender(weights=[1, 2, 3]))]),
    },
    ShallowRecommender: {
        "default": ShallowRecommender(),
        "float64": ShallowRecommender(dtype="float64"),
        "components": ShallowRecommender(2),
        "dual": ShallowRecommender(solver="dual"),
        "low_rank": ShallowRecommender(solver="low_rank"),
        "truncated": ShallowRecommender(2, solver="dual", dtype="float64"),
        "weighted": ShallowRecommender(weighting="bm25", solver="primal"),
    },
}

CONFIGURATIONS = {**NETWORKS, **MODELS, **CLOSED_FORMS}

# Methods that give an array for rows.
OUTPUTS = (
    "transform",
    "reconstruct",
    "score_samples",
    "predict",
    "feature_errors",
    "recommend",
)


def public_estimators():
    """Return the estimator classes in the namespace of the package."""
    everything = [getattr(skae, name) for name in skae.__all__]
    return [c for c in everything if isinstance(c, type) and issubclass(c, BaseEstimator)]


# What else is configured, scikit-learn's checks can hardly tell apart: one estimator has it all.
ENOUGH = ("default", "conv", "early_stopping")
_TURNS = 4


# Configurations of what sees batches alone, in whatever container their rows have come.
OF_BATCHES = (
    "conv",
    "mlp",
    "deep",
    "few_components",
    "flow",
    "importance_weighted",
    "predicted_variance",
    "two_critics",
    "spectral",
    "warm_start",
)


def with_checks():
    """Parametrize a test with estimators, each with the checks of scikit-learn it goes through.

    One estimator goes through all of them in all configurations, each other one in its default,
    and in some others through every fourth check, in turn.
    """
    chosen = []
    for cls, configurations in CONFIGURATIONS.items():
        for i, (name, estimator) in enumerate(configurations.items()):
            if cls is not Autoencoder and name not in ENOUGH:
                continue
            checks = [*estimator_checks_generator(estimator)]
            is_whole = cls is Autoencoder or name == "default"
            for _, check in checks if is_whole else checks[i % _TURNS :: _TURNS]:
                called = getattr(check, "func", check).__name__
                chosen.append(pytest.param(estimator, check, id=f"{cls.__name__}-{name}-{called}"))
    return pytest.mark.parametrize(("estimator", "check"), chosen)


def over_all(*methods, names=None, but=()):
    """Parametrize a test with the estimators that have some methods, in some configurations."""
    return _over(_parameters(CONFIGURATIONS, methods, names, but))


def in_turn(name, values, *methods, names=None, but=(), all_of="default"):
    """Parametrize a test with estimators, and with what each of them is to go through.

    The default goes through everything, other configurations through one thing each, in turn.
    """
    everything = [*values]
    turns = [
        pytest.param(*each.values, value, id=f"{each.id}-{getattr(value, '__name__', value)}")
        for i, each in enumerate(_parameters(CONFIGURATIONS, methods, names, but))
        for j, value in enumerate(everything)
        if each.id.endswith(all_of) or i % len(everything) == j
    ]
    return pytest.mark.parametrize(("estimator", name), turns)


def over_networks(*methods, names=None):
    """Parametrize a test with the estimators that train a net of their own."""
    return _over(_parameters(NETWORKS, methods, names))


def over_models(*methods, names=None):
    """Parametrize a test with the estimators that have a model."""
    return _over(_parameters(MODELS, methods, names))


def over_trainings(*methods, names=None):
    """Parametrize a test with the estimators of whose net parameters can be set, own or given."""
    own, given = _parameters(NETWORKS, methods, names), _parameters(MODELS, methods, names)
    return _over([*own, *(each for each in given if each.values[0].estimator is not None)])


def over_transformers(*methods, names=None):
    """Parametrize a test with the estimators that transform, to codes or within data space."""
    return over_all("transform", *methods, names=names)


def over_sparse(*methods, names=None, but=()):
    """Parametrize a test with the estimators that take sparse rows."""
    everything = _parameters(CONFIGURATIONS, methods, names, but)
    return _over([each for each in everything if get_tags(each.values[0]).input_tags.sparse])


def over_fits(*fits, names=None):
    """Parametrize a test with nets, and with those of some ways to fit that they have."""
    return pytest.mark.parametrize(
        ("estimator", "fit"),
        [
            pytest.param(*each.values, fit, id=f"{each.id}-{fit}")
            for fit in fits
            for each in _parameters(NETWORKS, (fit,), names)
        ],
    )


def _over(parameters):
    return pytest.mark.parametrize("estimator", parameters)


def _parameters(kind, methods=(), names=None, but=()):
    return [
        pytest.param(estimator, id=f"{estimator_class.__name__}-{name}")
        for estimator_class, configurations in kind.items()
        for name, estimator in configurations.items()
        if all(hasattr(estimator, method) for method in methods)
        and (not names or name in names)
        and name not in but
    ]


def new(estimator, **params):
    """Return an unfitted copy that gives the same in every fit."""
    return clone(estimator).set_params(random_state=0, **params)


def with_network_params(estimator, **params):
    """Return a copy with other parameters of the network, be it its own or that of its model."""
    if type(estimator) in MODELS:
        params = {f"estimator__{name}": value for name, value in params.items()}
    return new(estimator, **params)


def outputs(estimator, X):
    """Return all that a fitted estimator gives for some rows."""
    return {name: getattr(estimator, name)(X) for name in OUTPUTS if hasattr(estimator, name)}


def shared_fit(estimator, X, n=None):
    """Return a copy fitted to an array and what it gives for n rows, to tests that change nothing.

    Tests of the same configuration and data get the same objects.
    """
    key = estimator, X.dtype, X.shape, X.tobytes()
    if key not in _SHARED_FITS:
        _SHARED_FITS[key] = new(estimator).fit(X), {}
    model, given = _SHARED_FITS[key]
    if n not in given:
        given[n] = outputs(model, X[:n])
    return model, given[n]


_SHARED_FITS = {}


def assert_same_outputs(actual, expected, X):
    """Compare two fitted estimators bit for bit."""
    assert_equal_outputs(outputs(actual, X), outputs(expected, X))


def assert_equal_outputs(actual, expected):
    """Compare what two estimators give, bit for bit."""
    assert actual.keys() == expected.keys()
    for name in expected:
        np.testing.assert_array_equal(actual[name], expected[name], err_msg=name)


def frozen(value):
    """Return a copy of a state that can be compared."""
    if isinstance(value, BaseEstimator):
        return frozen(value.__getstate__())
    if type(value) in REGISTERED.values():
        return frozen(vars(value))
    if isinstance(value, np.ndarray):
        return value.shape, value.dtype, value.tolist() if value.dtype == "O" else value.tobytes()
    if isinstance(value, dict):
        return {key: frozen(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [frozen(item) for item in value]
    has_attributes = hasattr(value, "__dict__") and not callable(value)
    if has_attributes and type(value).__eq__ is object.__eq__:  # a callback, say
        return type(value), frozen(vars(value))
    return value if value == value else "NaN"


def assert_unchanged(estimator, before):
    """Compare all attributes with those that were frozen before."""
    now = frozen(estimator)
    assert now.keys() ^ before.keys() == set()
    assert [name for name in before if now[name] != before[name]] == []
