"""Mistakes are met by a message that says what was wrong and what to do about it."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import get_tags
from torch import nn

from skae import AudioCompressor, Autoencoder, AutoencoderOutlierDetector
from skae.networks import DenseAutoencoder

from .estimators import OUTPUTS, DropoutNetwork, over_all, over_sparse

X = np.random.default_rng(0).normal(size=(20, 6))
FITTED = Autoencoder(max_epochs=0).fit(X)
METHODS = ["transform", "reconstruct", "score_samples", "score", "feature_errors"]


def with_value(value):
    changed = X.copy()
    changed[3, 2] = value
    return changed


class NoEncode(nn.Module):
    def decode(self, z):
        return z


class NoDecode(nn.Module):
    def encode(self, x):
        return x


class WrongCode(DropoutNetwork):
    def encode(self, x):
        return super().encode(x).sum(1)


class NoTensor(DropoutNetwork):
    def encode(self, x):
        return (super().encode(x),)


class WrongOutput(DropoutNetwork):
    def decode(self, z):
        return super().decode(z)[:, :-1]


# ---------------------------------------------------------------- data


BAD_DATA = [
    (with_value(np.nan), "Input X contains NaN"),
    (with_value(np.inf), "Input X contains infinity"),
    (sparse.csr_array(with_value(np.nan)), "Input X contains NaN"),
    (X[0], "Expected 2D array, got 1D array instead"),
    (X[None], "Found array with dim 3"),
    ([["a", "b"], ["c", "d"]], "could not convert string to float: 'a'"),
    (X[:0], r"Found array with 0 sample\(s\)"),
    (X[:, :0], r"Found array with 0 feature\(s\)"),
    (X + 1j, "Complex data not supported"),
]


@pytest.mark.parametrize(("data", "message"), BAD_DATA)
@pytest.mark.parametrize("fit", ["fit", "partial_fit", "fit_transform"])
def test_data_to_train_on(fit, data, message):
    with pytest.raises(ValueError, match=message):
        getattr(Autoencoder(), fit)(data)


@pytest.mark.parametrize(("data", "message"), BAD_DATA)
@pytest.mark.parametrize("method", METHODS)
def test_data_to_apply_to(method, data, message):
    with pytest.raises(ValueError, match=message):
        getattr(FITTED, method)(data)


@pytest.mark.parametrize("method", [*METHODS, "partial_fit"])
def test_wrong_number_of_features(method):
    with pytest.raises(ValueError, match="X has 5 features, but Autoencoder is expecting 6"):
        getattr(FITTED, method)(X[:, :5])


@pytest.mark.parametrize(("data", "message"), BAD_DATA[:2] + BAD_DATA[3:7])
def test_codes(data, message):
    with pytest.raises(ValueError, match=message):
        FITTED.inverse_transform(data)


def test_code_of_the_wrong_width():
    with pytest.raises(ValueError, match=r"X has 3 columns, but the code .* has 2 components"):
        FITTED.inverse_transform(np.ones((4, 3)))


@pytest.mark.parametrize("method", [*METHODS, "inverse_transform", "get_feature_names_out"])
def test_autoencoder_that_is_not_fitted(method):
    with pytest.raises(NotFittedError, match="This Autoencoder instance is not fitted yet"):
        getattr(Autoencoder(), method)(X)


@over_all(names=["default"])
def test_methods_before_fit(estimator):
    model, name = clone(estimator), type(estimator).__name__

    for method in (*OUTPUTS, "compress", "decision_function", "sample", "score"):
        if hasattr(model, method):
            with pytest.raises(NotFittedError, match=f"This {name} instance is not fitted yet"):
                getattr(model, method)(*([] if method == "sample" else [X]))


def test_values_that_overflow():
    with pytest.raises(ValueError, match=r"float32, .* too large.*StandardScaler"):
        FITTED.transform(X * 1e200)


# ---------------------------------------------------------------- parameters


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_components": 0}, "'n_components' parameter of Autoencoder must be an int in"),
        ({"n_components": 2.0}, "'n_components' parameter of Autoencoder must be an int in"),
        ({"n_components": 7}, "n_components=7 is above n_features=6.* noise, sparsity or"),
        ({"hidden_layer_sizes": (8, 0)}, r"hidden_layer_sizes=\(8, 0\) must all be at least 1"),
        ({"hidden_layer_sizes": "wide"}, "'hidden_layer_sizes' parameter of Autoencoder must be"),
        ({"activation": "swish"}, "'activation' parameter of Autoencoder must be a str among"),
        ({"noise": "pink"}, "'noise' parameter of Autoencoder must be a str among"),
        ({"noise_level": -0.1}, "'noise_level' parameter of Autoencoder must be a float in"),
        ({"sparsity": "l2"}, "'sparsity' parameter of Autoencoder must be a str among"),
        ({"contraction": -1.0}, "'contraction' parameter of Autoencoder must be a float in"),
        ({"optimizer": "adamx"}, "'optimizer' parameter of Autoencoder must be a str among"),
        ({"lr": 0.0}, "'lr' parameter of Autoencoder must be a float in"),
        ({"batch_size": 0}, "'batch_size' parameter of Autoencoder must be an int in"),
        ({"max_epochs": -1}, "'max_epochs' parameter of Autoencoder must be"),
        ({"validation_fraction": 1.0}, "'validation_fraction' parameter of Autoencoder must be"),
        ({"n_iter_no_change": 0}, "'n_iter_no_change' parameter of Autoencoder must be"),
        ({"tol": -1.0}, "'tol' parameter of Autoencoder must be a float in"),
        ({"dtype": "float16"}, "'dtype' parameter of Autoencoder must be a str among"),
        ({"random_state": "x"}, "'random_state' parameter of Autoencoder must be"),
        ({"module": "mpl"}, "module='mpl' must be one of .*; did you mean 'mlp'"),
        ({"loss": "l2"}, "'loss' parameter of Autoencoder must be a str among"),
        ({"device": "cuda:99"}, "device='cuda:99' can't be used on this machine.* 'auto'"),
        ({"device": "gpu"}, "device='gpu' can't be used on this machine.* 'auto'"),
    ],
    ids=str,
)
def test_parameter(params, message):
    with pytest.raises(ValueError, match=message):
        Autoencoder(**params).fit(X)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_component": 3}, "no parameter 'n_component'; did you mean 'n_components'"),
        ({"learning_rate": 3}, "no parameter 'learning_rate'"),
        ({"modul__dropout": 0.1}, "no parameter 'modul__dropout'"),
        ({"module__": 0.1}, "no parameter 'module__'"),
    ],
    ids=str,
)
@pytest.mark.parametrize("fit", ["fit", "partial_fit"])
def test_name_that_the_constructor_does_not_have(fit, params, message):
    with pytest.raises(TypeError, match=message):
        getattr(Autoencoder(**params), fit)(X)


def test_name_that_set_params_does_not_have():
    with pytest.raises(ValueError, match="Invalid parameter 'n_component'"):
        Autoencoder().set_params(n_component=3)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (
            {"module__droput": 0.1},
            "module__droput is unknown: DenseAutoencoder .* did you mean 'module__dropout'",
        ),
        (
            {"module": DropoutNetwork, "module__width": 3},
            "module__width is unknown: DropoutNetwork has .*n_components",
        ),
        (
            {"module": DropoutNetwork(6, 2), "module__width": 3},
            "module__width can't be set, because module is an instance of DropoutNetwork",
        ),
        (
            {"optimizer__weigth_decay": 0.1},
            "optimizer__weigth_decay is unknown: .* did you mean 'optimizer__weight_decay'",
        ),
        (
            {"loss": "huber", "criterion__detla": 0.1},
            "criterion__detla is unknown: HuberLoss .* did you mean 'criterion__delta'",
        ),
        (
            {"loss": nn.L1Loss(), "criterion__reduction": "sum"},
            "criterion__reduction can't be set, because loss is an instance of L1Loss",
        ),
        (
            {"iterator_train__shufle": True},
            "iterator_train__shufle is unknown: .*; did you mean 'iterator_train__shuffle'",
        ),
        ({"module__dropout": 1.0}, r"dropout=1\.0 must be at least 0 and below 1"),
        ({"module__normalization": "group"}, r"normalization='group' must be one of"),
        ({"module__tied_weights": True, "module__residual": True}, "exclude each other"),
        ({"loss": "huber", "criterion__delta": 0.0}, r"delta=0\.0 of the Huber loss must be above"),
    ],
    ids=str,
)
def test_nested_parameter(params, message):
    with pytest.raises(ValueError, match=message):
        Autoencoder(**params).fit(X)


def test_validation_that_leaves_no_row_to_train_on():
    model = Autoencoder(early_stopping=True, validation_fraction=0.9)

    with pytest.raises(ValueError, match=r"validation_fraction=0\.9 of n_samples=2 leaves no row"):
        model.fit(X[:2])


def test_batch_normalization_of_one_row():
    with pytest.raises(ValueError, match=r"n_samples=1, .*but batch normalisation needs"):
        Autoencoder(module__normalization="batch").fit(X[:1])


def test_batch_normalization_of_one_row_in_a_later_partial_fit():
    model = Autoencoder(module__normalization="batch").partial_fit(X)

    with pytest.raises(ValueError, match=r"n_samples=1, .*but batch normalisation needs"):
        model.partial_fit(X[:1])


# ---------------------------------------------------------------- images


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((9, 9), r"image_shape=\(9, 9\) holds 81 values, but X has 64 features"),
        ((4, 4, 4), "must have at least 8 x 8 pixels"),
        ((64,), r"must be \(height, width\) or \(channels, height, width\), got \(64,\)"),
    ],
)
def test_image_shape(shape, message):
    with pytest.raises(ValueError, match=message):
        Autoencoder(module="conv", module__image_shape=shape).fit(np.ones((5, 64)))


def test_image_shape_that_is_missing():
    with pytest.raises((TypeError, ValueError), match="image_shape"):
        Autoencoder(module="conv").fit(np.ones((5, 64)))


@pytest.mark.parametrize("shape", [(8, 0), (-8, -8), (0, 8, 8)])
def test_image_shape_with_sides_that_are_not_positive(shape):
    with pytest.raises(ValueError, match="image_shape must be"):
        Autoencoder(module="conv", module__image_shape=shape).fit(np.ones((5, 64)))


def test_no_channels():
    model = Autoencoder(module="conv", module__image_shape=(8, 8), module__channels=())

    with pytest.raises(ValueError, match=r"channels=\(\) must name at least one level"):
        model.fit(np.ones((5, 64)))


# ---------------------------------------------------------------- modules of the user


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (NoEncode, "module=NoEncode must have a method `encode`"),
        (NoDecode(), "module=NoDecode must have a method `decode`"),
        (nn.Linear, "module=Linear must have a method `encode`"),
        (
            WrongCode,
            r"module=WrongCode: encode must return a tensor of shape \(n_samples, n_components\), "
            r"for 2 rows it returned \(2,\)",
        ),
        (NoTensor, "module=NoTensor: encode must return a tensor.* it returned tuple"),
        (
            WrongOutput,
            r"module=WrongOutput: decode must return a tensor of shape "
            r"\(n_samples, n_features\) = \(2, 6\), it returned \(2, 5\)",
        ),
    ],
)
def test_module(module, message):
    with pytest.raises(TypeError, match=message):
        Autoencoder(module=module).fit(X)


def test_instance_for_another_width():
    with pytest.raises((ValueError, TypeError), match="module=DropoutNetwork can't encode rows of"):
        Autoencoder(module=DropoutNetwork(5, 2)).fit(X)


def test_function_that_makes_a_module():
    def network(n_features, n_components):
        return DenseAutoencoder(n_features, n_components)

    with pytest.raises(TypeError, match="module=network must have a method `encode`"):
        Autoencoder(module=network).fit(X)


# ---------------------------------------------------------------- losses


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        ({"huberr": slice(None)}, r"'huberr'.*must be one of .*; did you mean 'huber'"),
        ({"huber": [0, 1, 2], "squared_error": [2, 3, 4, 5]}, r"every column .* once.*\{2: 2\}"),
        ({"huber": [0, 1], "squared_error": [3, 4, 5]}, r"every column .* once.*\{2: 0\}"),
        ({"huber": [0, 1, 2, 3, 4, 6]}, "index 6 is out of bounds"),
        ({"huber": np.ones(5, dtype=bool)}, "boolean"),
        ({"huber": ["a", "b"]}, r"loss names columns \['a', 'b'\]"),
        ({}, "every column"),
    ],
    ids=str,
)
def test_losses_of_columns(loss, message):
    with pytest.raises(ValueError, match=message):
        Autoencoder(loss=loss).fit(X)


def test_message_about_values_outside_the_domain_names_the_column_of_a_frame():
    frame = pd.DataFrame({"size": [1.0, 2.0, 3.0], "debt": [0.0, -1.0, 2.0]})

    with pytest.raises(ValueError, match=r"from -1 to 3, first in column 'debt'; .* another loss"):
        Autoencoder(1, loss="poisson").fit(frame)


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        ("bernoulli", r"'bernoulli' needs values in \[0, 1\], but X reaches from -.* in column \d"),
        ("poisson", r"'poisson' needs values of at least 0, but X reaches from -.* in column \d"),
        ({"huber": slice(3), "poisson": slice(3, 6)}, "'poisson' needs values .* in column [345]"),
    ],
    ids=str,
)
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_values_outside_the_domain_of_a_loss(container, loss, message):
    with pytest.raises(ValueError, match=message):
        Autoencoder(loss=loss).fit(container(X))


def test_a_column_outside_the_domain_of_a_loss_has_its_name():
    frame = pd.DataFrame(np.abs(X), columns=[*"abcde", "debit"])
    frame.loc[3, "debit"] = -1

    with pytest.raises(ValueError, match=r"loss='poisson' needs values of .* in column 'debit'"):
        Autoencoder(loss={"poisson": ["e", "debit"], "huber": list("abcd")}).fit(frame)


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        ("poisson", r"largest absolute value of X is .* np.log1p\(X\)\), or a learning rate"),
        ("bernoulli", r"The likely cause is a learning rate that is too high \(lr=1e\+300\)"),
        ("squared_error", "try StandardScaler"),
    ],
)
def test_advice_is_of_use_with_the_loss(loss, message):
    model = Autoencoder(loss=loss, lr=1e300, optimizer="sgd", max_epochs=9)

    with pytest.raises(ValueError, match=message):
        model.fit(np.clip(np.abs(X), 0, 1))


@pytest.mark.parametrize("loss", ["bernoulli", "poisson"])
def test_values_outside_the_domain_of_a_loss_in_partial_fit(loss):
    model = Autoencoder(loss=loss).partial_fit(np.clip(X, 0, 1))

    with pytest.raises(ValueError, match=f"loss='{loss}' needs values"):
        model.partial_fit(X)


@pytest.mark.parametrize("loss", ["bernoulli", "poisson"])
@pytest.mark.parametrize("method", ["score_samples", "feature_errors", "score"])
def test_values_outside_the_domain_of_a_loss_in_scoring(method, loss):
    model = Autoencoder(loss=loss, max_epochs=0).fit(np.clip(X, 0, 1))

    with pytest.raises(ValueError, match=f"loss='{loss}' needs values"):
        getattr(model, method)(X)


def test_criterion_that_is_not_elementwise():
    with pytest.raises(TypeError, match=r"loss must be a name out of .* got Identity"):
        Autoencoder(loss=nn.Identity()).fit(X)


def test_criterion_that_ignores_its_reduction():
    class Scalar(nn.MSELoss):
        def forward(self, output, target):
            return (output - target).square().mean()

    with pytest.raises((ValueError, TypeError), match="Scalar"):
        Autoencoder(loss=Scalar(), max_epochs=1).fit(X)


# ---------------------------------------------------------------- detector


@pytest.mark.parametrize("contamination", [0.51, -0.1, "none"])
def test_contamination(contamination):
    with pytest.raises(ValueError, match="'contamination' parameter of AutoencoderOutlierDetector"):
        AutoencoderOutlierDetector(contamination=contamination).fit(X)


@pytest.mark.parametrize("image_shape", [(5, 5), 8, "8x8", (2.0, 4), (0, 8), (1, 2, 2, 2)])
def test_image_shape_of_outliers(image_shape):
    with pytest.raises(ValueError, match="image_shape"):
        AutoencoderOutlierDetector(image_shape=image_shape).fit(X)


def test_model_without_scores():
    with pytest.raises(ValueError, match="'estimator' parameter of AutoencoderOutlierDetector"):
        AutoencoderOutlierDetector(DropoutNetwork(6, 2)).fit(X)


@over_all(names=["early_stopping"])
def test_failed_fit_leaves_it_unfitted(estimator):
    model = type(estimator)(**estimator.get_params(deep=False))

    allows_nan = get_tags(model).input_tags.allow_nan
    value, message = (np.inf, "infinity") if allows_nan else (np.nan, "NaN")

    with pytest.raises(ValueError, match=message):
        model.fit(with_value(value))

    assert not hasattr(model, "n_features_in_")


@over_all(names=["default"])
def test_arrays_of_dates_are_refused(estimator):
    days = np.arange(60).astype("datetime64[D]").reshape(10, 6)  # NaT would become a number

    with pytest.raises((TypeError, ValueError), match="array of datetime64"):
        clone(estimator).fit(days)


@over_all(names=["default"])
def test_truth_values_are_no_numbers(estimator):
    for name, value in estimator.get_params(deep=False).items():
        if type(value) in (int, float) and name not in ("missing_values", "verbose"):
            with pytest.raises(ValueError, match=f"'{name}' parameter of .* must be"):
                clone(estimator).set_params(**{name: True}).fit(X)


@over_sparse(names=["default"])
@pytest.mark.parametrize("index", [-1, 6])
def test_indices_outside_of_a_sparse_matrix(estimator, index):
    broken = sparse.csr_array(np.abs(X))
    broken.indices[7] = index

    with pytest.raises(ValueError, match=r"no valid CSR: its indices reach from (-1|0) to [56]"):
        clone(estimator).fit(broken)


def test_masks_of_other_arrays_than_X_are_refused():
    rows, weights = np.ma.masked_greater(X, 0), np.ma.masked_less(np.arange(20.0), 3)

    for refused in (
        lambda: Autoencoder().fit(X, rows),
        lambda: Autoencoder().fit(X, sample_weight=weights),
        lambda: FITTED.inverse_transform(rows[:, :2]),
        lambda: AudioCompressor().fit([rows[0]]),
    ):
        with pytest.raises(ValueError, match=r"(X|y|sample_weight|X\[0\]) has \d+ masked values"):
            refused()


def test_generator_is_no_device():
    with pytest.raises(ValueError, match="'device' parameter of Autoencoder must be"):
        Autoencoder(device=torch.Generator()).fit(X)
