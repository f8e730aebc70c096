"""The adversarial autoencoder: critics make its codes normal and its rows lifelike."""

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
import torch
from sklearn.utils._param_validation import Interval, StrOptions
from torch import Tensor, nn

from .._base import checked_sizes
from ..training import Batch, Recipe
from ..training._recipe import OPTIMIZERS
from ._generator import BaseGenerator
from ._objectives import AdversarialLoss

_SLOW_MOMENTUM = (0.5, 0.99)  # of the critics, who must follow quickly


class AdversarialAutoencoder(BaseGenerator):
    """Autoencoder with critics, of the family of generative adversarial networks.

    An encoder and a decoder restore rows. A critic learns to tell codes from draws of a standard
    normal distribution, and the encoder to deceive it, so that decoded draws are new rows. A second
    critic, if wanted, compares restored and drawn rows with the data, which makes them sharper: a
    VAE-GAN without the divergence. All players learn in the same step.

    Tables may come as data frames with numbers, dates and categories, with missing cells, and need
    no scaling. Images are rows of pixels. There is no density,
    :class:`~skae.VariationalAutoencoder` has one: scores are the log-likelihoods of rows given
    their own codes, which tell how well they are reconstructed.

    Read more in the :ref:`User Guide <adversarial>`.

    Parameters
    ----------
    n_components : int or "auto", default="auto"
        Number of columns of the code. "auto" takes the number of features, at most
        64; for pixels at most one per 50 rows, but 8.

    hidden_layer_sizes : "auto" or array-like of int, default="auto"
        Widths of the encoder's hidden layers; the decoder mirrors them. "auto" takes two layers of
        512, for fewer than 5,000 rows one of 256, and for pixels one that is twice as wide as
        there are pixels but between 256 and 1024.

    activation : {"elu", "gelu", "identity", "leaky_relu", "logistic", "relu", "silu", "tanh"}, \
            default="gelu"
        Non-linearity of the hidden layers.

    module : {"mlp", "conv"}, nn.Module class or instance, default="mlp"
        The network, as for :class:`~skae.Autoencoder`.

    likelihood : {"auto", "gaussian", "bernoulli", "continuous_bernoulli", "poisson", \
            "negative_binomial", "categorical", "discretized_logistic"} or Likelihood, \
            default="auto"
        Whose negative logarithm is the reconstruction loss, as for
        :class:`~skae.VariationalAutoencoder`.

    scale : {"auto", "normal_scores", "range"} or None, default="auto"
        How the network sees numbers, as for :class:`~skae.VariationalAutoencoder`.

    code_critic_weight : float, default=10.0
        Weight of deceiving the critic of codes, against the reconstruction loss in nats per row.

    row_critic_weight : float, default=0.0
        Weight of deceiving a critic of rows. With 0 there is none.

    critic_hidden_layer_sizes : array-like of int, default=(128, 128)
        Widths of the hidden layers of each critic.

    critic_lr : float, default=1e-3
        Learning rate of the critics.

    critic_regularization : {"gradient_penalty", "spectral_norm"}, default="gradient_penalty"
        What keeps critics smooth: a penalty on their squared gradient at what they judge, or
        layers of spectral norm 1.

    gradient_penalty : float, default=1.0
        Weight of that penalty.

    prior : {"auto", "mixture", "local", "flow", "normal"}, default="auto"
        The distribution of codes that samples come from: a mixture of Gaussians, many small ones,
        one per ten rows, with "local", or a normalizing flow, fitted to the codes of the training
        rows after training; or the standard normal distribution. "auto" takes "local" for images of
        at least 500 rows, else the mixture. Codes of one component get the mixture where "flow"
        is asked for.

    n_mixture_components : int or "auto", default="auto"
        Number of Gaussians in the mixture, at most the number of training rows, or of those of a
        class. "auto" takes up to 120, what serves held-out codes best.

    conditional : bool, default=False
        Whether `y` holds class labels, each of which gets a prior of its own, so that rows of a
        class can be drawn. Not with ``prior="normal"``.

    column_kinds : dict or None, default=None
        Which columns of a frame are of another kind than their dtypes say, "number", "category" or
        "date", by their names: ``{"zip": "category"}``.
    constraints : list of str or None, default=None
        What holds in all rows, and is kept in samples: ``"0 <= age"``, ``"start <= end"``,
        ``"total == a + 2 * b"``. See the :ref:`User Guide <constraints>`.

    optimizer : {"adam", "adamw", "nadam", "rmsprop", "sgd"} or class, default="adamw"
        Optimizer; weight decay is ``optimizer__weight_decay`` (0.01 for "adamw").

    lr : float, default=2e-3
        Learning rate. It stays constant, because an average of the weights is used.

    batch_size : int, default=256
        Number of rows per step.

    max_epochs : "auto" or int, default="auto"
        Number of passes over the data; 0 leaves PCA. "auto" is as for :class:`~skae.Autoencoder`,
        but about 5,000 steps unless the data are pixels.

    early_stopping : bool, default=False
        Whether to hold out rows, stop when their reconstruction no longer improves, and restore the
        best weights.

    validation_fraction : float, default=0.1
        Share of the rows that early stopping holds out, drawn by `random_state`.

    n_iter_no_change : int, default=10
        Number of epochs without improvement after which early stopping stops.

    tol : float, default=1e-4
        Least share of the validation loss by which an epoch must improve it to count.

    warm_start : bool, default=False
        Whether `fit` goes on with the present network instead of building a new one. The prior is
        fitted anew.

    callbacks : list of skorch callbacks or None, default=None
        Such as :class:`skorch.callbacks.LRScheduler`; each may be a tuple (name, callback). They
        are copied.

    device : str or torch.device, default="auto"
        "auto" takes CUDA, else MPS, else the CPU.

    dtype : {"float32", "float64"}, default="float32"
        Type that the network computes in.

    random_state : int, RandomState instance or None, default=None
        Determines weights, order of rows, noise, the prior, held-out rows and, unless `sample` is
        told otherwise, samples. torch's global generators are not touched.

    verbose : int, default=0
        Above 0, prints a line per epoch.

    **kwargs : dict
        Parameters of the parts, with skorch's prefixes: ``module__dropout=0.1``,
        ``optimizer__weight_decay=0.1``.

    Attributes
    ----------
    prior_ : GaussianMixture or object
        The distribution of codes, with `score_samples` and `sample`: the mixture if `prior` is
        that and there are no classes.
    n_active_components_ : int
        Number of components in use: those whose codes have a variance above 0.01.
    classes_ : ndarray of shape (n_classes,)
        The labels; only with `conditional`.
    module_ : nn.Module
        The trained network, in evaluation mode.
    net_ : skae.training.AutoencoderNet
        The skorch net.
    loss_ : float
        Training loss of the last epoch, in nats per row.
    loss_curve_ : list of float
        Training loss of every epoch, of all players together.
    loss_curves_ : dict of str to list of float
        Its parts: "reconstruction", "code_deception" (of the encoder), "code_critic", and with a
        critic of rows "row_deception" and "row_critic". A critic that can only guess is at
        ``2 log 2 = 1.39``.
    validation_loss_curve_ : list of float
        Validation loss of every epoch; only with `early_stopping`.
    n_iter_ : int
        Number of epochs trained.
    max_epochs_ : int
        Number of epochs that the last fit could take at most.
    hidden_layer_sizes_ : tuple of int
        Widths of the hidden layers, if the network has this parameter.
    device_ : str
        Device computed on.
    schema_ : skae.tables.Schema
        What the columns of the training data were taken for, a table to read; only of a frame.
    n_features_in_ : int
        Number of features seen during :term:`fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during :term:`fit`. Defined only when `X` has feature names that are
        all strings.

    See Also
    --------
    skae.VariationalAutoencoder : Has a density too, and is easier to train.

    References
    ----------
    Makhzani et al., "Adversarial autoencoders", ICLR 2016 workshop.

    Larsen et al., "Autoencoding beyond pixels using a learned similarity metric", ICML 2016.

    Mescheder, Geiger & Nowozin, "Which training methods for GANs do actually converge?", ICML 2018.

    Miyato et al., "Spectral normalization for generative adversarial networks", ICLR 2018.

    Dinh, Sohl-Dickstein & Bengio, "Density estimation using Real NVP", ICLR 2017, on the flow.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skae import AdversarialAutoencoder
    >>> X = load_digits().data
    >>> model = AdversarialAutoencoder(8, max_epochs=5, random_state=0).fit(X)
    >>> model.sample(5).shape
    (5, 64)
    """

    _parameter_constraints: dict = {
        **BaseGenerator._parameter_constraints,
        "optimizer": [StrOptions(set(OPTIMIZERS) - {"lbfgs"}), callable],
        "code_critic_weight": [Interval(Real, 0, None, closed="left")],
        "row_critic_weight": [Interval(Real, 0, None, closed="left")],
        "critic_hidden_layer_sizes": ["array-like"],
        "critic_lr": [Interval(Real, 0, None, closed="neither")],
        "critic_regularization": [StrOptions({"gradient_penalty", "spectral_norm"})],
        "gradient_penalty": [Interval(Real, 0, None, closed="left")],
    }
    _changeable = BaseGenerator._changeable | {"critic_lr"}

    def __init__(
        self,
        n_components: int | str = "auto",
        *,
        hidden_layer_sizes: str | Sequence[int] = "auto",
        activation: str = "gelu",
        module: str | type[nn.Module] | nn.Module = "mlp",
        likelihood: str | type[nn.Module] | nn.Module = "auto",
        scale: str | None = "auto",
        code_critic_weight: float = 10.0,
        row_critic_weight: float = 0.0,
        critic_hidden_layer_sizes: Sequence[int] = (128, 128),
        critic_lr: float = 1e-3,
        critic_regularization: str = "gradient_penalty",
        gradient_penalty: float = 1.0,
        prior: str = "auto",
        n_mixture_components: int | str = "auto",
        conditional: bool = False,
        column_kinds: Mapping[Any, str] | None = None,
        constraints: Sequence[str] | None = None,
        optimizer: str | type[torch.optim.Optimizer] = "adamw",
        lr: float = 2e-3,
        batch_size: int = 256,
        max_epochs: str | int = "auto",
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        tol: float = 1e-4,
        warm_start: bool = False,
        callbacks: Sequence[Any] | None = None,
        device: str | torch.device = "auto",
        dtype: str = "float32",
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
        **kwargs: Any,
    ) -> None:
        self.n_components, self.module = n_components, module
        self.hidden_layer_sizes, self.activation = hidden_layer_sizes, activation
        self.likelihood = likelihood
        self.scale = scale
        self.code_critic_weight, self.row_critic_weight = code_critic_weight, row_critic_weight
        self.critic_hidden_layer_sizes, self.critic_lr = critic_hidden_layer_sizes, critic_lr
        self.critic_regularization = critic_regularization
        self.gradient_penalty = gradient_penalty
        self.prior, self.n_mixture_components = prior, n_mixture_components
        self.conditional, self.constraints = conditional, constraints
        self.column_kinds = column_kinds
        self.optimizer = optimizer
        self.lr = lr
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change, self.tol = n_iter_no_change, tol
        self.warm_start = warm_start
        self.callbacks = callbacks
        self.device = device
        self.dtype = dtype
        self.random_state, self.verbose = random_state, verbose
        self._nested_params = kwargs

    def _training_params(self) -> dict[str, Any]:
        critics: dict[str, Any] = {"lr": self.critic_lr}
        if self.optimizer in ("adam", "adamw", "nadam"):
            critics["betas"] = _SLOW_MOMENTUM
        groups = [("*_critic.*", critics)]
        return {"optimizer__param_groups": groups, **super()._training_params()}

    def _plan(self, X: np.ndarray) -> Recipe:
        sizes = checked_sizes("critic_hidden_layer_sizes", self.critic_hidden_layer_sizes)
        is_spectral = self.critic_regularization == "spectral_norm"
        penalty = 0.0 if is_spectral else self.gradient_penalty
        objective = AdversarialLoss(self.code_critic_weight, self.row_critic_weight, penalty)
        return self._generator_recipe(
            X,
            "AdversarialNetwork",
            {"objective": objective},
            critic_sizes=sizes,
            spectral=is_spectral,
            sees_rows=self.row_critic_weight > 0,
        )

    def _codes(self, net: Any, x: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        code = net.averaged_module_.encode(x)
        return code, code

    def _scores(self, module: Any, batch: Batch) -> Tensor:
        x, criterion = batch.input, self.net_.criterion_
        criterion.check_target(x)
        return criterion.log_prob(module.decode(module.encode(x)), x).double().sum(1)
