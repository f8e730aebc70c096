"""Words of other libraries are understood, where they are no words of ours."""

import numpy as np
import pytest

from skae import (
    AdversarialAutoencoder,
    Autoencoder,
    AutoencoderOutlierDetector,
    ImageCompressor,
    VariationalAutoencoder,
)
from skae.training._suggestions import did_you_mean

X = np.random.default_rng(0).normal(size=(9, 6))


@pytest.mark.parametrize(
    ("estimator", "params", "ours"),
    [
        (Autoencoder, {"learning_rate": 0.1}, "lr"),
        (Autoencoder, {"max_iter": 3}, "max_epochs"),
        (Autoencoder, {"epochs": 3}, "max_epochs"),
        (Autoencoder, {"latent_dim": 3}, "n_components"),
        (Autoencoder, {"hidden_dims": (3,)}, "hidden_layer_sizes"),
        (Autoencoder, {"weight_decay": 0.1}, "optimizer__weight_decay"),
        (Autoencoder, {"dropout": 0.1}, "module__dropout"),
        (Autoencoder, {"n_component": 3}, "n_components"),
        (VariationalAutoencoder, {"kl_weight": 0.1}, "beta"),
        (VariationalAutoencoder, {"loss": "mse"}, "likelihood"),
        (AdversarialAutoencoder, {"patience": 3}, "n_iter_no_change"),
        (ImageCompressor, {"seed": 3}, "random_state"),
        (AutoencoderOutlierDetector, {"nu": 0.1}, "contamination"),
    ],
)
def test_names(estimator, params, ours):
    with pytest.raises(ValueError, match=f"did you mean '{ours}'"):
        estimator().set_params(**params)
    with pytest.raises(TypeError):
        estimator(**params).fit(X)


@pytest.mark.parametrize(
    ("model", "ours"),
    [
        (Autoencoder(loss="mse"), "squared_error"),
        (Autoencoder(loss={"MAE": slice(None)}), "absolute_error"),
        (Autoencoder(activation="swish"), "silu"),
        (Autoencoder(optimizer="L-BFGS"), "lbfgs"),
        (Autoencoder(module="CNN"), "conv"),
        (Autoencoder(dtype="double"), "float64"),
        (Autoencoder(noise="mask"), "masking"),
        (Autoencoder(module__batch_norm="batch"), "module__normalization"),
        (Autoencoder(device="gpu"), "cuda"),
        (VariationalAutoencoder(likelihood="mse"), "gaussian"),
        (VariationalAutoencoder(prior="gmm"), "mixture"),
        (VariationalAutoencoder(prior="gaussian"), "normal"),
        (AutoencoderOutlierDetector(contamination="outo"), "auto"),
        (ImageCompressor(module="dense"), "mlp"),
    ],
    ids=str,
)
def test_values(model, ours):
    with pytest.raises(ValueError, match=f"did you mean '{ours}'"):
        model.fit(X)


def test_messages_about_other_things_stay_as_they_are():
    with pytest.raises(ValueError, match=r"an int in the range \[1, inf\).* Got '2' instead\.$"):
        Autoencoder("2").fit(X)
    with pytest.raises(ValueError, match="Invalid parameter 'zzz'") as raised:
        Autoencoder().set_params(zzz=1)
    assert "did you mean" not in str(raised.value)


def test_nothing_is_suggested_for_what_is_like_nothing():
    assert did_you_mean("zzz", ["lr", "tol"]) == ""
