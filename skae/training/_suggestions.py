"""What a user may have meant by a name that is unknown: a word of another library, or a typo."""

import difflib
from collections.abc import Iterable
from typing import Any

from sklearn.utils._param_validation import Interval, InvalidParameterError, StrOptions

# Words of other libraries for parameters and for values; one may stand for several things.
_SYNONYMS = {
    "activation": ("activation_function", "act", "nonlinearity"),
    "batch_size": ("batchsize", "minibatch_size", "mini_batch_size"),
    "beta": ("kl_weight", "kld_weight", "kl_coef"),
    "callbacks": ("callback",),
    "contamination": ("nu", "outliers_fraction", "outlier_fraction", "anomaly_rate"),
    "device": ("gpu", "use_gpu", "use_cuda", "accelerator"),
    "dtype": ("precision",),
    "estimator": ("model", "base_estimator", "autoencoder", "detector", "clf"),
    "hidden_layer_sizes": (
        *("hidden_dims", "hidden_dim", "hidden_units", "hidden_size", "hidden_sizes"),
        *("hidden_layers", "layers", "layer_sizes", "encoder_layers", "n_hidden"),
        *("hidden_neuron_list", "hidden_neurons", "encoder_dims"),
    ),
    "likelihood": ("distribution", "loss", "reconstruction_loss", "output_distribution"),
    "loss": ("criterion", "loss_fn", "loss_function", "reconstruction_loss", "objective"),
    "lr": ("learning_rate", "learning_rate_init", "learningrate", "eta", "eta0", "step_size"),
    "max_epochs": (
        *("epochs", "epoch", "epoch_num", "n_epochs", "num_epochs", "nb_epochs", "max_epoch"),
        *("max_iter", "n_iter", "iterations", "num_iterations"),
    ),
    "module": ("network", "architecture", "backbone", "net"),
    "module__dropout": ("dropout", "dropout_rate", "drop_rate"),
    "module__normalization": ("batch_norm", "batchnorm", "use_batchnorm", "normalization"),
    "n_components": (
        *("latent_dim", "latent_dims", "latent_size", "n_latent", "num_latents", "z_dim", "nz"),
        *("encoding_dim", "embedding_dim", "embedding_size", "code_size", "bottleneck", "n_codes"),
    ),
    "n_estimators": ("n_models", "n_members", "n_folds", "ensemble_size"),
    "n_iter_no_change": ("patience", "early_stopping_rounds"),
    "n_mixture_components": ("n_clusters", "n_gaussians"),
    "noise": ("corruption", "noise_type"),
    "noise_level": ("noise_std", "noise_factor", "corruption_level", "sigma"),
    "optimizer": ("solver", "optim", "optimiser"),
    "optimizer__momentum": ("momentum",),
    "optimizer__weight_decay": ("weight_decay", "alpha", "l2", "l2_regularizer"),
    "random_state": ("seed", "random_seed", "rng"),
    "tol": ("min_delta", "tolerance"),
    "validation_fraction": ("validation_split", "val_split", "val_fraction", "validation_size"),
    "verbose": ("verbosity",),
    # values
    "absolute_error": ("mae", "l1", "mean_absolute_error", "l1loss"),
    "adam": ("adamax", "amsgrad"),
    "bernoulli": ("bce", "binary_crossentropy", "cross_entropy", "log_loss", "bceloss"),
    "conv": ("cnn", "convolutional", "conv2d", "convnet"),
    "cuda": ("gpu",),
    "flow": ("normalizing_flow", "realnvp", "real_nvp", "maf", "nf"),
    "float32": ("float", "single", "float16", "half", "bfloat16", "32"),
    "float64": ("double", "64"),
    "gaussian": ("normal", "gauss", "mse", "squared_error"),
    "gradient_penalty": ("gp", "r1"),
    "huber": ("smooth_l1", "smooth_l1_loss", "huber_loss"),
    "identity": ("linear", "none"),
    "kl": ("kullback_leibler", "kld", "kl_divergence"),
    "l1": ("lasso",),
    "lbfgs": ("l_bfgs", "l_bfgs_b", "bfgs"),
    "leaky_relu": ("lrelu", "leakyrelu"),
    "logistic": ("sigmoid",),
    "masking": ("mask", "zero", "zeros"),
    "mixture": ("gmm", "gaussian_mixture", "bayesian_gaussian_mixture", "vampprior"),
    "mlp": ("dense", "fc", "feedforward", "fully_connected"),
    "normal": ("gaussian", "standard_normal", "standard"),
    "normal_scores": ("quantile", "quantile_normal", "rank_gauss"),
    "poisson": ("count", "counts", "poisson_nll"),
    "range": ("minmax", "min_max"),
    "salt_and_pepper": ("saltpepper", "s&p", "impulse"),
    "sgd": ("momentum", "gd", "gradient_descent"),
    "silu": ("swish",),
    "spectral_norm": ("sn", "spectral", "spectral_normalization"),
    "squared_error": ("mse", "l2", "mean_squared_error", "squared", "mseloss", "gaussian"),
}


def did_you_mean(name: str, known: Iterable[str], prefix: str = "") -> str:
    """Return the end of a message that suggests another name, or nothing.

    Parameters
    ----------
    name : str
        The unknown name.
    known : iterable of str
        All names that would have been right.
    prefix : str, default=""
        What to put before the suggestion.

    Returns
    -------
    str
        For instance ``"; did you mean 'lr'?"``.
    """
    known, word = (
        [ours for ours in known if ours != name],
        name.lower().replace("-", "_").replace(" ", "_"),
    )
    meant = [ours for ours in known if word in (ours, *_SYNONYMS.get(prefix + ours, ()))]
    similar = meant or difflib.get_close_matches(name, known, 1)
    return f"; did you mean {prefix + similar[0]!r}?" if similar else ""


def meant_by_a_name(name: str, parameters: Iterable[str]) -> str:
    """Return the end of a message about a parameter that an estimator does not have.

    Parameters
    ----------
    name : str
        Its name.
    parameters : iterable of str
        Those that it has.

    Returns
    -------
    str
        As of :func:`did_you_mean`, parameters of the parts among the suggestions.
    """
    return did_you_mean(name, [*parameters, *(ours for ours in _SYNONYMS if "__" in ours)])


class Suggests:
    """Mixin of estimators that suggest a parameter, or its value, where one is unknown."""

    _parameter_constraints: dict[str, Any]
    _get_param_names: Any
    get_params: Any

    def set_params(self, **params: Any) -> Any:
        """Set the parameters of this estimator.

        Parameters
        ----------
        **params : dict
            Parameters, also those of parameters that are estimators.

        Returns
        -------
        self : estimator instance
            The estimator.
        """
        try:
            return super().set_params(**params)  # type: ignore[misc]
        except ValueError as error:
            wrong = next((name for name in params if f"parameter {name!r}" in str(error)), "")
            meant = meant_by_a_name(wrong, self._get_param_names()) if wrong else ""
            raise (ValueError(f"{error}".rstrip(".") + meant) if meant else error) from None

    def _validate_params(self) -> None:
        """Raise InvalidParameterError if a parameter has a type or value that it can't have."""
        for name, value in self.get_params(deep=False).items():
            allowed = self._parameter_constraints.get(name, ())
            is_number = any(isinstance(each, Interval) for each in allowed)
            if isinstance(value, bool) and is_number and "boolean" not in allowed:
                raise InvalidParameterError(  # for scikit-learn's Interval, True is 1
                    f"The {name!r} parameter of {type(self).__name__} must be a number, got {value}"
                )
        try:
            super()._validate_params()  # type: ignore[misc]
        except InvalidParameterError as error:
            meant = "".join(
                self._meant(name, value)
                for name, value in self.get_params(deep=False).items()
                if isinstance(value, str) and f"The '{name}' parameter of" in str(error)
            )
            if not meant:
                raise
            raise InvalidParameterError(f"{error}".rstrip(".") + meant) from None

    def _meant(self, name: str, value: str) -> str:
        choices = [each for each in self._parameter_constraints[name] if type(each) is StrOptions]
        return did_you_mean(value, [ours for each in choices for ours in sorted(each.options)])
