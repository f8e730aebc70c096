"""What an autoencoder computes, beyond what all estimators have in common."""

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris, load_wine
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import Checkpoint, EarlyStopping, Freezer, GradientNormClipping, LRScheduler
from torch import nn

from skae import Autoencoder
from skae.losses import ReconstructionLoss, SquaredError
from skae.networks import DenseAutoencoder

from .estimators import DropoutNetwork, assert_same_outputs


@pytest.fixture
def X():
    """Rows on a curved surface with two dimensions, in eight."""
    rng = np.random.default_rng(0)
    angles = rng.normal(size=(60, 2)) @ rng.normal(size=(2, 8))
    return np.sin(angles) + 0.1 * rng.normal(size=(60, 8))


def error(X, reconstruction):
    return np.mean((X - reconstruction) ** 2)


def pca_error(X, n_components, X_test=None):
    pca = PCA(n_components).fit(X)
    X_test = X if X_test is None else X_test
    return error(X_test, pca.inverse_transform(pca.transform(X_test)))


# ---------------------------------------------------------------- methods


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_inverse_transform_of_the_code_is_the_reconstruction(dtype, X):
    X = X.astype(dtype)
    model = Autoencoder(max_epochs=3, random_state=0).fit(X)

    np.testing.assert_array_equal(model.inverse_transform(model.transform(X)), model.reconstruct(X))


@pytest.mark.parametrize(
    "loss", ["squared_error", "absolute_error", "huber", "bernoulli", "poisson"]
)
def test_errors_of_the_features_sum_up_to_the_score(loss, X):
    X = np.clip(X, 0, 1)
    model = Autoencoder(loss=loss, max_epochs=3, random_state=0).fit(X)

    errors = model.feature_errors(X)

    assert (errors >= 0).all()
    np.testing.assert_allclose(errors.sum(axis=1), -model.score_samples(X), rtol=1e-12)


def test_score_is_the_negative_mean_squared_error(X):
    model = Autoencoder(max_epochs=3, random_state=0).fit(X)

    assert model.score(X) == pytest.approx(-error(X, model.reconstruct(X)), rel=1e-5)


def test_score_is_the_mean_of_the_scores(X):
    model = Autoencoder(max_epochs=3, random_state=0).fit(X)

    assert model.score(X) == pytest.approx(model.score_samples(X).mean(), rel=1e-12)


def test_columns_of_the_code_are_named(X):
    model = Autoencoder(n_components=3, max_epochs=0).fit(X)

    assert list(model.get_feature_names_out()) == ["autoencoder0", "autoencoder1", "autoencoder2"]


def test_silent_by_default(X, capsys):
    Autoencoder(max_epochs=2).fit(X)

    assert capsys.readouterr().out == ""


def test_verbose_prints_a_line_per_epoch(X, capsys):
    Autoencoder(max_epochs=2, verbose=1).fit(X)

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["epoch", "-------", "1", "2"]


@pytest.mark.parametrize("device", ["cpu", torch.device("cpu")])
def test_device(device, X):
    assert Autoencoder(device=device, max_epochs=0).fit(X).device_ == "cpu"


def test_loss_curve_has_a_value_per_epoch(X):
    model = Autoencoder(max_epochs=4, random_state=0).fit(X)

    assert len(model.loss_curve_) == model.n_iter_ == 4
    assert model.loss_ == model.loss_curve_[-1]
    assert not hasattr(model, "validation_loss_curve_")


def test_one_row():
    X = np.array([[1.0, -2.0, 3.0]])

    np.testing.assert_allclose(Autoencoder(random_state=0).fit(X).reconstruct(X), X, rtol=0.05)


def test_constant_columns(X):
    X[:, 3] = 5.0

    reconstruction = Autoencoder(max_epochs=3, random_state=0).fit(X).reconstruct(X)

    np.testing.assert_allclose(reconstruction[:, 3], 5.0, rtol=0.05)


# ---------------------------------------------------------------- beside PCA


@pytest.mark.parametrize(("n_samples", "n_features"), [(60, 8), (8, 60), (20, 20), (3, 100)])
@pytest.mark.parametrize("n_components", [1, 3])
def test_untrained_network_is_pca(n_samples, n_features, n_components):
    X = np.random.default_rng(0).normal(3, 2, size=(n_samples, n_features))
    pca = PCA(n_components).fit(X)

    model = Autoencoder(n_components, max_epochs=0).fit(X)

    expected = pca.inverse_transform(pca.transform(X))
    np.testing.assert_allclose(
        model.reconstruct(X), expected, atol=1e-5 * np.abs(expected).max(), rtol=0
    )


def test_untrained_network_is_pca_up_to_signs_in_the_code(X):
    pca = PCA(3).fit(X)

    code = Autoencoder(3, max_epochs=0).fit(X).transform(X)

    np.testing.assert_allclose(np.abs(code), np.abs(pca.transform(X)), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("shape", [(8, 8), (1, 9, 13), (3, 8, 9)])
def test_untrained_convolutions_are_pca(shape):
    X = np.random.default_rng(0).normal(size=(30, np.prod(shape)))

    model = Autoencoder(module="conv", module__image_shape=shape, max_epochs=0).fit(X)

    assert error(X, model.reconstruct(X)) == pytest.approx(pca_error(X, 2), rel=1e-5)


def test_linear_network_converges_to_pca(X):
    model = Autoencoder(
        activation="identity",
        module__linear_skip=False,
        hidden_layer_sizes=(),
        max_epochs=1000,
        lr=0.01,
        random_state=0,
    ).fit(X)

    assert error(X, model.reconstruct(X)) == pytest.approx(pca_error(X, 2), rel=0.01)


@pytest.mark.parametrize("load", [load_iris, load_wine, load_digits])
def test_held_out_error_is_at_or_below_that_of_pca(load):
    X = load().data
    X = X / 16 if load is load_digits else StandardScaler().fit_transform(X)
    X, X_test = train_test_split(X, test_size=0.3, random_state=0)

    model = Autoencoder(random_state=0).fit(X)

    assert error(X_test, model.reconstruct(X_test)) <= pca_error(X, 2, X_test) * (1 + 1e-6)


def test_training_passes_pca_on_a_curved_surface(X):
    model = Autoencoder(max_epochs=300, lr=0.01, random_state=0).fit(X)

    assert error(X, model.reconstruct(X)) < 0.8 * pca_error(X, 2)


def test_pure_noise_is_not_learned_by_heart():
    X = np.random.default_rng(0).normal(size=(100, 10))
    X_test = np.random.default_rng(1).normal(size=(1000, 10))

    model = Autoencoder(random_state=0).fit(X)

    assert error(X_test, model.reconstruct(X_test)) <= pca_error(X, 2, X_test) * 1.001


@pytest.mark.parametrize(
    "params", [{"hidden_layer_sizes": ()}, {"activation": "identity"}], ids=str
)
def test_linear_network_stays_at_pca(params, X):
    model = Autoencoder(max_epochs=20, random_state=0, **params).fit(X)

    assert error(X, model.reconstruct(X)) == pytest.approx(pca_error(X, 2), rel=0.01)


# ---------------------------------------------------------------- losses


class CubicError(ReconstructionLoss):
    def elementwise(self, output, target):
        return (output - target).abs() ** 3


class FirstColumnOnly(SquaredError):
    """A user's loss, which changes a loss of the package."""

    def elementwise(self, output, target):
        return super().elementwise(output, target) * self.weights(target)

    def forward(self, output, target):
        return self.elementwise(output, target).mean()

    def weights(self, target):
        return (torch.arange(target.shape[1]) == 0).to(target.dtype)


ERRORS = {
    "squared_error": lambda d: d**2,
    "absolute_error": np.abs,
    "huber": lambda d: np.where(np.abs(d) < 1, d**2 / 2, np.abs(d) - 0.5),
    nn.SmoothL1Loss: lambda d: np.where(np.abs(d) < 1, d**2 / 2, np.abs(d) - 0.5),
    nn.L1Loss(): np.abs,
    CubicError: lambda d: np.abs(d) ** 3,
    CubicError(): lambda d: np.abs(d) ** 3,
}


@pytest.mark.parametrize("loss", ERRORS)
def test_errors_are_those_of_the_loss(loss, X):
    model = Autoencoder(loss=loss, max_epochs=3, random_state=0).fit(3 * X)

    expected = ERRORS[loss](3 * X - model.reconstruct(3 * X)) / X.shape[1]

    np.testing.assert_allclose(model.feature_errors(3 * X), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("loss", [*ERRORS, "bernoulli", "poisson"])
def test_training_lowers_the_loss(loss, X):
    X = np.clip(X, 0, 1)
    start = Autoencoder(loss=loss, max_epochs=0, random_state=0).fit(X)

    trained = Autoencoder(loss=loss, max_epochs=100, random_state=0).fit(X)

    assert trained.score(X) > start.score(X)


def test_subclass_of_a_loss_trains_as_it_says(X):
    params = {"max_epochs": 200, "lr": 0.01, "random_state": 0, "criterion__bounds": None}

    model = Autoencoder(1, loss=FirstColumnOnly, **params).fit(X)

    errors = np.mean((X - model.reconstruct(X)) ** 2, axis=0)
    assert errors[0] < 0.05 * errors[1:].min()


def test_criterion_parameter(X):
    model = Autoencoder(loss="huber", criterion__delta=0.1, max_epochs=0).fit(X)

    d = np.abs(X - model.reconstruct(X))
    expected = np.where(d < 0.1, d**2 / 2, 0.1 * (d - 0.05)).mean()
    assert -model.score(X) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    "columns",
    [
        ([0, 1, 2], [3, 4, 5, 6, 7]),
        (slice(3), slice(3, None)),
        (np.arange(8) < 3, np.arange(8) >= 3),
        (["a", "b", "c"], ["d", "e", "f", "g", "h"]),
        ([2, 0, 1], [-1, -2, -3, -4, -5]),
    ],
    ids=["indices", "slices", "masks", "names", "unsorted"],
)
def test_losses_of_columns(columns, X):
    pd = pytest.importorskip("pandas")
    X = pd.DataFrame(np.clip(X, 0, 1), columns=list("abcdefgh"))
    loss = {"bernoulli": columns[0], "absolute_error": columns[1]}

    model = Autoencoder(loss=loss, max_epochs=3, random_state=0).fit(X)

    reconstruction, errors, x = model.reconstruct(X), 8 * model.feature_errors(X), X.to_numpy()
    assert ((reconstruction[:, :3] > 0) & (reconstruction[:, :3] < 1)).all()
    np.testing.assert_allclose(errors[:, 3:], np.abs(x - reconstruction)[:, 3:], rtol=1e-4)
    binary = (x == 0) | (x == 1)
    cross_entropy = -np.log(np.where(x == 1, reconstruction, 1 - reconstruction))
    binary[:, 3:] = False
    np.testing.assert_allclose(errors[binary], cross_entropy[binary], rtol=1e-3, atol=1e-5)


def test_poisson_reconstructs_positive_rates():
    X = np.random.default_rng(0).poisson(2, size=(60, 8))

    model = Autoencoder(loss="poisson", max_epochs=20, random_state=0).fit(X)

    assert (model.reconstruct(X) > 0).all()


# ---------------------------------------------------------------- bounds


def test_reconstructions_of_data_in_the_unit_interval_stay_there(X):
    model = Autoencoder(max_epochs=3, random_state=0).fit(np.clip(X, 0, 1))

    reconstruction = model.reconstruct(9 * X)

    assert reconstruction.min() == 0
    assert reconstruction.max() == 1


@pytest.mark.parametrize("fit", ["fit", "partial_fit"])
def test_later_data_widen_the_bounds(fit, X):
    model = Autoencoder(max_epochs=3, warm_start=True, random_state=0).fit(np.clip(X, 0, 1))

    getattr(model, fit)(X)

    assert model.reconstruct(9 * X).min() < 0


@pytest.mark.parametrize("bounds", [None, (-0.5, 2.0)])
def test_bounds_can_be_set(bounds, X):
    model = Autoencoder(max_epochs=3, criterion__bounds=bounds, random_state=0)

    model.fit(np.clip(X, 0, 1)).partial_fit(X)

    low, high = bounds or (-np.inf, np.inf)
    reconstruction = model.reconstruct(9 * X)
    assert max(low, -1) <= reconstruction.min() + 1e-9 < 0 or bounds is None
    assert 1 < reconstruction.max() <= high


# ---------------------------------------------------------------- penalties and noise


def test_l1_makes_codes_small(X):
    params = {"max_epochs": 200, "random_state": 0}
    plain = Autoencoder(**params).fit(X)

    sparse_model = Autoencoder(sparsity="l1", sparsity_weight=1.0, **params).fit(X)

    assert np.abs(sparse_model.transform(X)).mean() < 0.5 * np.abs(plain.transform(X)).mean()


def test_kl_makes_units_rarely_active(X):
    params = {"max_epochs": 300, "lr": 0.01, "random_state": 0}

    model = Autoencoder(sparsity="kl", sparsity_weight=10.0, **params).fit(X)

    activity = (1 / (1 + np.exp(-model.transform(X)))).mean(axis=0)
    np.testing.assert_allclose(activity, 0.05, atol=0.05)


def test_contraction_makes_codes_insensitive(X):
    params = {"max_epochs": 200, "lr": 0.01, "random_state": 0}
    plain = Autoencoder(**params).fit(X)

    contractive = Autoencoder(contraction=1.0, **params).fit(X)

    def sensitivity(model):
        return np.abs(model.transform(X + 1e-2) - model.transform(X)).mean()

    assert sensitivity(contractive) < 0.5 * sensitivity(plain)


@pytest.mark.parametrize("noise", ["gaussian", "masking", "salt_and_pepper", "swap"])
def test_noise_changes_the_training(noise, X):
    plain = Autoencoder(max_epochs=3, random_state=0).fit(X)

    model = Autoencoder(noise=noise, noise_level=0.5, max_epochs=3, random_state=0).fit(X)

    assert not np.array_equal(model.transform(X), plain.transform(X))


def test_noise_is_drawn_anew_for_every_seed(X):
    codes = [
        Autoencoder(noise="masking", max_epochs=3, random_state=seed).fit(X).transform(X)
        for seed in (0, 1)
    ]

    assert not np.array_equal(*codes)


def test_training_on_masked_cells_restores_masked_cells():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 2)) @ rng.normal(size=(2, 8))
    masked = np.where(rng.random(X.shape) < 0.25, 0, X)
    params = {"n_components": 4, "max_epochs": 100, "random_state": 0}
    plain = Autoencoder(**params).fit(X)

    denoising = Autoencoder(noise="masking", noise_level=0.25, **params).fit(X)

    assert error(X, denoising.reconstruct(masked)) < 0.8 * error(X, plain.reconstruct(masked))


@pytest.mark.parametrize("params", [{"noise": "swap"}, {"sparsity": "l1"}, {"contraction": 0.1}])
def test_regularised_code_may_be_wider_than_the_data(params, X):
    model = Autoencoder(20, max_epochs=1, **params).fit(X)

    assert model.transform(X).shape == (60, 20)


# ---------------------------------------------------------------- networks


@pytest.mark.parametrize(
    "params",
    [
        {"module__tied_weights": True},
        {"module__normalization": "batch"},
        {"module__normalization": "layer"},
        {"module__residual": True},
        {"module__dropout": 0.1},
        {"module__linear_skip": False},
        {"hidden_layer_sizes": [32]},
        {"hidden_layer_sizes": np.array([16, 16, 16])},
        *({"activation": name} for name in ["elu", "leaky_relu", "logistic"]),
        *({"activation": name} for name in ["gelu", "relu", "silu", "tanh"]),
        {"module": "conv", "module__image_shape": (8, 8), "module__batch_normalization": True},
        {"module": "conv", "module__image_shape": (8, 8), "module__channels": (4, 8, 16)},
        {"module": "conv", "module__image_shape": (8, 8), "module__linear_skip": False},
        {"dtype": "float64"},
        {"batch_size": 7},
        *({"optimizer": name} for name in ["adam", "lbfgs", "nadam", "rmsprop", "sgd"]),
        {"optimizer": torch.optim.Adagrad, "optimizer__lr_decay": 0.1},
    ],
    ids=str,
)
def test_training_lowers_the_error(params):
    rng = np.random.default_rng(0)
    X = np.sin(rng.normal(size=(60, 2)) @ rng.normal(size=(2, 64)))
    params = {"random_state": 0, "batch_size": 20, **params}
    start = Autoencoder(max_epochs=0, **params).fit(X)

    trained = Autoencoder(max_epochs=20, **params).fit(X)

    assert trained.score(X) > start.score(X)


@pytest.mark.parametrize("shape", [(8, 8), (1, 9, 13), (3, 8, 9)])
def test_convolutions_fit_images_of_any_shape(shape):
    rng = np.random.default_rng(0)
    X = np.sin(rng.normal(size=(40, 2)) @ rng.normal(size=(2, np.prod(shape))))

    model = Autoencoder(module="conv", module__image_shape=shape, max_epochs=30, random_state=0)

    assert error(X, model.fit(X).reconstruct(X)) < 0.95 * pca_error(X, 2)


def test_tied_weights_halve_the_matrices(X):
    model = Autoencoder(2, hidden_layer_sizes=(16,), module__tied_weights=True, max_epochs=1).fit(X)

    n_linear = 8 * 2 + 2 + 2 * 8 + 8
    n_encoder = 8 * 16 + 16 + 16 * 2 + 2
    n_biases_of_the_decoder = 16 + 8
    n_scales = 2 + 8
    n_parameters = sum(p.numel() for p in model.module_.parameters())
    assert n_parameters == n_linear + n_encoder + n_biases_of_the_decoder + n_scales


def test_tied_weights_stay_tied_in_the_averaged_network(X):
    model = Autoencoder(2, hidden_layer_sizes=(16,), module__tied_weights=True, max_epochs=3).fit(X)

    with torch.no_grad():
        model.module_.encoder[0].weight.zero_()
    outputs = model.module_.decoder(torch.tensor([[0.0, 0.0], [1.0, -1.0]]))

    torch.testing.assert_close(outputs[0], outputs[1], rtol=0, atol=0)


def test_hidden_layers_follow_the_number_of_features():
    X = np.random.default_rng(0).normal(size=(5, 100))

    model = Autoencoder(max_epochs=0).fit(X)

    widths = [m.out_features for m in model.module_.encoder if isinstance(m, nn.Linear)]
    assert widths == [100, 50, 2]


def test_float64_computes_in_float64(X):
    model = Autoencoder(dtype="float64", max_epochs=0).fit(X)

    assert {p.dtype for p in model.module_.parameters()} == {torch.float64}
    assert error(X, model.reconstruct(X)) == pytest.approx(pca_error(X, 2), rel=1e-12)


def test_dropout_draws_from_the_generator_of_the_net(X):
    model = Autoencoder(module__dropout=0.5, max_epochs=1).fit(X)

    layers = [m for m in model.net_.module_.modules() if type(m).__name__ == "Dropout"]
    assert len(layers) == 4
    assert {layer.generator for layer in layers} == {model.net_.generator}


def test_module_is_in_evaluation_mode(X):
    assert not Autoencoder(module__dropout=0.5, max_epochs=1).fit(X).module_.training


def test_instance_is_copied_and_not_changed(X):
    module = DropoutNetwork(8, 3)
    before = {name: value.clone() for name, value in module.state_dict().items()}

    model = Autoencoder(module=module, max_epochs=3).fit(X)

    assert model.transform(X).shape == (60, 3)
    for name, value in module.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)


def test_instance_starts_from_its_own_weights(X):
    module = DropoutNetwork(8, 3)

    model = Autoencoder(module=module, max_epochs=0).fit(X)

    expected = module.eval().encode(torch.from_numpy(X).float()).detach().numpy()
    np.testing.assert_allclose(model.transform(X), expected, rtol=1e-5, atol=1e-6)


def test_class_is_given_the_parameters_that_it_names(X):
    class Network(DropoutNetwork):
        def __init__(self, n_features, n_components, activation, width=5):
            super().__init__(n_features, n_components)
            self.seen = n_features, n_components, activation, width

    model = Autoencoder(3, module=Network, activation="tanh", module__width=7, max_epochs=0).fit(X)

    assert model.module_.seen == (8, 3, "tanh", 7)


def test_subclass_of_a_network_trains_as_it_says(X):
    class UnitCodes(DenseAutoencoder):
        def encode(self, x):
            return nn.functional.normalize(super().encode(x))

    params = {"module": UnitCodes, "max_epochs": 100, "lr": 0.01, "random_state": 0}
    model = Autoencoder(**params).fit(X)

    assert model.loss_curve_[-1] == pytest.approx(-model.score(X), rel=0.2)


def test_csr_with_a_module_of_the_user(X):
    X = np.where(X > 0, X, 0)
    expected = Autoencoder(module=DropoutNetwork, max_epochs=2, random_state=0).fit(X)

    model = Autoencoder(module=DropoutNetwork, max_epochs=2, random_state=0)

    assert_same_outputs(model.fit(sparse.csr_array(X)), expected, X)


# ---------------------------------------------------------------- training


def test_early_stopping_restores_the_best_weights(X):
    params = {"lr": 0.05, "early_stopping": True, "n_iter_no_change": 5, "random_state": 0}
    model = Autoencoder(max_epochs=200, **params).fit(X)
    curve = model.validation_loss_curve_
    best = int(np.argmin(curve)) + 1

    shorter = Autoencoder(max_epochs=best, **params).fit(X)

    assert best < model.n_iter_ == len(curve) < 200
    assert_same_outputs(model, shorter, X)


def test_early_stopping_falls_back_to_the_start():
    X = np.random.default_rng(0).normal(size=(50, 10))
    params = {"lr": 1.0, "early_stopping": True, "n_iter_no_change": 2, "random_state": 0}

    model = Autoencoder(max_epochs=9, **params).fit(X)

    assert model.n_iter_ == 2
    assert_same_outputs(model, Autoencoder(max_epochs=0, **params).fit(X), X)


def test_fit_without_early_stopping_forgets_the_validation_losses(X):
    model = Autoencoder(max_epochs=2, early_stopping=True).fit(X)

    model.set_params(early_stopping=False).fit(X)

    assert not hasattr(model, "validation_loss_curve_")


def test_learning_rate_schedule(X):
    schedule = LRScheduler(policy=torch.optim.lr_scheduler.StepLR, step_size=1, gamma=0.1)

    model = Autoencoder(max_epochs=3, lr=1.0, optimizer="sgd", callbacks=[schedule]).fit(X)

    rates = [row["event_lr"] for row in model.net_.history]
    np.testing.assert_allclose(rates, [1.0, 0.1, 0.01])


def test_callback_parameter_by_its_name(X):
    clipping = ("clipping", GradientNormClipping(1.0))

    model = Autoencoder(
        max_epochs=0, callbacks=[clipping], callbacks__clipping__gradient_clip_value=0.5
    ).fit(X)

    assert dict(model.net_.callbacks_)["clipping"].gradient_clip_value == 0.5


def test_callbacks_are_copied(X):
    schedule = LRScheduler(policy=torch.optim.lr_scheduler.StepLR, step_size=1)
    before = set(vars(schedule))

    Autoencoder(max_epochs=2, callbacks=[schedule]).fit(X)

    assert set(vars(schedule)) == before


def test_early_stopping_of_skorch(X):
    stopping = EarlyStopping(monitor="train_loss", patience=3, threshold=1e9, sink=lambda _: None)

    model = Autoencoder(max_epochs=50, callbacks=[stopping]).fit(X)

    assert model.n_iter_ < 10


def test_frozen_weights_stay(X):
    start = Autoencoder(max_epochs=0, random_state=0).fit(X)

    model = Autoencoder(max_epochs=3, callbacks=[Freezer("linear_encoder.*")], random_state=0).fit(
        X
    )

    torch.testing.assert_close(
        model.module_.linear_encoder.weight, start.module_.linear_encoder.weight, rtol=0, atol=0
    )
    assert model.loss_curve_[-1] < -start.score(X)


def test_clipped_gradients(X):
    params = {"max_epochs": 1, "optimizer": "sgd", "lr": 1.0, "random_state": 0}
    start = Autoencoder(**{**params, "max_epochs": 0}).fit(X)

    model = Autoencoder(callbacks=[GradientNormClipping(1e-3)], **params).fit(X)

    steps = [
        (after - before).norm()
        for after, before in zip(
            model.net_.module_.parameters(), start.net_.module_.parameters(), strict=True
        )
    ]
    assert torch.stack(steps).norm().item() == pytest.approx(1e-3, rel=1e-2)


def test_partial_fit_learns_from_a_stream(X):
    model = Autoencoder(lr=0.01, random_state=0).partial_fit(X[:20])
    first = model.score(X)

    for _ in range(30):
        for start in (0, 20, 40):
            model.partial_fit(X[start : start + 20])

    assert model.n_iter_ == 91
    assert model.score(X) > first


def test_partial_fit_takes_chunks_of_any_size(X):
    model = Autoencoder(module__normalization="layer", random_state=0)

    for chunk in np.split(X, [1, 3, 30]):
        model.partial_fit(chunk)

    assert np.isfinite(model.score(X))


@pytest.mark.parametrize("name", ["lr", "batch_size"])
def test_going_on_takes_changed_parameters(name, X):
    value = {"lr": 0.5, "batch_size": 5}[name]
    one = Autoencoder(max_epochs=1, warm_start=True, random_state=0).fit(X)
    two = clone(one).fit(X)

    one.fit(X)
    two.set_params(**{name: value}).fit(X)

    assert not np.array_equal(one.transform(X), two.transform(X))


def test_seed_decides(X):
    models = [Autoencoder(max_epochs=2, random_state=seed).fit(X) for seed in (0, 0, 1)]

    assert_same_outputs(models[0], models[1], X)
    assert not np.array_equal(models[0].transform(X), models[2].transform(X))


def test_random_state_instance_moves_on(X):
    random_state = np.random.RandomState(0)

    codes = [
        Autoencoder(max_epochs=2, random_state=random_state).fit(X).transform(X) for _ in range(2)
    ]

    assert not np.array_equal(*codes)


def test_rows_do_not_depend_on_each_other(X):
    model = Autoencoder(max_epochs=2, random_state=0).fit(X)

    alone = np.vstack([model.transform(row[None]) for row in X])

    np.testing.assert_array_equal(alone, model.transform(X))


# ---------------------------------------------------------------- parameters


def test_clone_keeps_nested_parameters():
    model = Autoencoder(module__dropout=0.3, optimizer__weight_decay=0.1)

    params = clone(model).get_params()

    assert params["module__dropout"] == 0.3
    assert params["optimizer__weight_decay"] == 0.1


def test_set_params_of_a_clone_leaves_the_original():
    model = Autoencoder(module__dropout=0.3)

    clone(model).set_params(module__dropout=0.5)

    assert model.get_params()["module__dropout"] == 0.3


def test_nested_parameters_show_in_the_representation():
    assert repr(Autoencoder(module__dropout=0.3)) == "Autoencoder(module__dropout=0.3)"


def test_optimizer_parameter_arrives(X):
    model = Autoencoder(optimizer__weight_decay=0.5, max_epochs=1).fit(X)

    assert model.net_.optimizer_.param_groups[0]["weight_decay"] == 0.5


def test_iterator_parameter_arrives(X):
    orders = [
        Autoencoder(batch_size=9, max_epochs=1, random_state=0, iterator_train__shuffle=shuffle)
        .fit(X)
        .transform(X)
        for shuffle in (True, False)
    ]

    assert not np.array_equal(*orders)


def test_grid_search_over_all_kinds_of_parameters(X):
    grid = {
        "autoencoder__n_components": [1, 3],
        "autoencoder__module__dropout": [0.0, 0.9],
        "autoencoder__optimizer__weight_decay": [0.0, 0.1],
    }
    pipeline = make_pipeline(StandardScaler(), Autoencoder(max_epochs=5, random_state=0))

    search = GridSearchCV(pipeline, grid, cv=2).fit(X)

    assert search.best_params_["autoencoder__n_components"] == 3
    assert len(set(search.cv_results_["mean_test_score"])) == 8


def test_automatic_epochs_judge_a_denoiser_by_damaged_rows():
    X = load_digits().data[:500] / 16

    model = Autoencoder(16, noise="gaussian", noise_level=0.3, random_state=0).fit(X)

    assert model.n_iter_ > 0


def test_offsets_of_columns_do_no_harm(X):
    params = {"max_epochs": 20, "random_state": 0}
    expected = Autoencoder(**params).fit(X).score(X)

    assert Autoencoder(**params).fit(X + 1000).score(X + 1000) == pytest.approx(expected, rel=0.02)


def test_parameters_that_are_modules_are_not_trained_in_place(X):
    class Wrapper(nn.Module):
        def __init__(self, encoder, n_features):
            super().__init__()
            self.encoder, self.decoder = encoder, nn.Linear(2, n_features)

        def encode(self, x):
            return self.encoder(x)

        def decode(self, z):
            return self.decoder(z)

    encoder = nn.Linear(8, 2)
    before = encoder.weight.detach().clone()

    Autoencoder(module=Wrapper, module__encoder=encoder, max_epochs=2).fit(X)

    assert torch.equal(encoder.weight, before)


def test_checkpoints_of_skorch(X, tmp_path):
    checkpoint = Checkpoint(dirname=tmp_path, monitor="train_loss_best")

    Autoencoder(max_epochs=2, callbacks=[checkpoint]).fit(X)

    assert (tmp_path / "params.pt").exists()
