"""The variational autoencoder: a likelihood for every row, and new rows like the training data."""

import sys
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch
from sklearn.utils._param_validation import Interval, StrOptions
from torch import Tensor, nn

from ..networks import displaced
from ..training import AutoencoderNet, Recipe, Rows
from ._chain import fit_chain
from ._generator import BaseGenerator
from ._importance import decoding_width
from ._likelihoods import LikelihoodMixin
from ._objectives import EvidenceBound
from ._priors import MOST_MIXED
from ._row_mixture import fit_row_mixture
from ._row_model import RowModel, learned_rows

_MANY_EPOCHS = 10  # from which on a chain may choose how many it takes
# That a chain learns from by default, and that it sees in all epochs together.
_FEWEST_ROWS, _FEWEST_SEEN = 1000, 100_000


class VariationalAutoencoder(LikelihoodMixin, BaseGenerator):
    """Variational autoencoder: likelihoods of rows, codes, and new rows.

    A decoder turns a code z into the distribution p(x | z) of a row, and an encoder gives the
    distribution q(z | x) of the codes that a row may have come from. They are trained together, to
    maximise a lower bound of the likelihood of the training data. The network starts from
    probabilistic principal component analysis, and learns what a linear map can't do. Afterwards a
    prior is fitted to the codes, from which new rows are drawn.

    Tables may come as data frames with numbers, dates and categories, with missing cells, and need
    no scaling. Images are rows of pixels.

    Read more in the :ref:`User Guide <variational>`.

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
        The network, as for :class:`~skae.Autoencoder`: with ``encode(x)``, whose result becomes the
        mean of q(z | x), and ``decode(z)``.

    likelihood : {"auto", "gaussian", "bernoulli", "continuous_bernoulli", "poisson", \
            "negative_binomial", "categorical", "discretized_logistic"} or Likelihood, \
            default="auto"
        The distribution p(x | z), of features that are independent given z. "auto" takes, column by
        column, Bernoulli's for two values, a categorical one for categories and for groups of
        columns as :class:`~sklearn.preprocessing.OneHotEncoder` makes them, else a Gaussian whose
        variance is optimal in closed form: a common one for pixels, one per feature in tables. Any
        other choice is for all columns, which must be complete, and takes them as they are.

    scale : {"auto", "normal_scores", "range"} or None, default="auto"
        How the network sees numbers, if `likelihood` is "auto". "normal_scores" gives every column
        a normal distribution, and samples have the columns' own distributions again, with their
        bounds and frequent values. "range" puts all columns together into [0, 1]. "auto" takes the
        latter for 64 columns or more that share a range, such as pixels. None leaves numbers as
        they are, up to their means and a common unit.

    beta : float, default=1.0
        Weight of the divergence of q(z | x) from the prior. Above 1, components are more
        independent, and reconstructions worse.

    free_bits : float, default=0.0
        Nats of divergence per component that cost nothing; with `n_importance_samples=1` only.

    kl_warm_up : int, default=0
        Number of epochs over which the weight of the divergence rises to `beta`.

    n_importance_samples : int, default=1
        Codes per row in training. More than one make an importance-weighted autoencoder, with a
        tighter bound at a higher cost.

    prior : {"auto", "mixture", "local", "flow", "normal"}, default="auto"
        The distribution of codes that samples and likelihoods come from: a mixture of Gaussians or
        a normalizing flow, fitted to the codes of the training rows after training, or the standard
        normal distribution that the training assumes. "local" draws samples from many small
        Gaussians, one per ten rows, and has the likelihoods of the mixture; "auto" takes it for
        images of at least 500 rows, else the mixture. Codes of one component get the mixture
        where "flow" is asked for.

    n_mixture_components : int or "auto", default="auto"
        Number of Gaussians in the mixture, at most the number of training rows, or of those of a
        class. "auto" takes up to 120, what serves held-out codes best.

    chain : bool or "auto", default="auto"
        Whether rows of a table are drawn column by column, each from its distribution given those
        on its left, by a masked autoencoder that learns beside the network, for at most
        `max_epochs`. Samples are then closer to the data than decoded codes. Codes and likelihoods
        stay those of the network. "auto" does so for tables of at least 1,000 rows whose `scale` is
        "normal_scores", unless all epochs together see fewer than 100,000; True needs this scale.
        Rows of smaller tables are drawn by "auto" from a mixture of Gaussians of the rows
        themselves, one per 20 rows. False draws codes and decodes them.

    conditional : bool, default=False
        Whether `y` holds class labels, each of which gets a prior of its own, so that rows of a
        class can be drawn. Not with ``prior="normal"``.

    column_kinds : dict or None, default=None
        Kinds of columns, "number", "category" or "date", by names, if not as their dtypes say.
    constraints : list of str or None, default=None
        What holds in all rows, and is kept in samples: ``"0 <= age"``, ``"start <= end"``,
        ``"total == a + 2 * b"``. See the :ref:`User Guide <constraints>`.

    optimizer : {"adam", "adamw", "lbfgs", "nadam", "rmsprop", "sgd"} or class, default="adamw"
        Optimizer; weight decay is ``optimizer__weight_decay`` (0.01 for "adamw").

    lr : float, default=2e-3
        Learning rate. It stays constant, because an average of the weights is used.

    batch_size : int, default=256
        Number of rows per step.

    max_epochs : "auto" or int, default="auto"
        Number of passes over the data; 0 leaves probabilistic PCA. "auto" is as for
        :class:`~skae.Autoencoder`, but about 5,000 steps unless the data are pixels.

    early_stopping : bool, default=False
        Whether to hold out rows, stop when their bound no longer improves, and restore the best
        weights.

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
        ``optimizer__weight_decay=0.1``, ``criterion__variance="predicted"``.

    Attributes
    ----------
    prior_ : GaussianMixture or object
        The distribution of codes, with `score_samples` and `sample`: the mixture if `prior` is
        that and there are no classes.
    n_active_components_ : int
        Number of components in use: the variance of whose means is above 0.01 (Burda et al., 2016).
    classes_ : ndarray of shape (n_classes,)
        The labels; only with `conditional`.
    module_ : nn.Module
        The trained network, in evaluation mode.
    net_ : skae.training.AutoencoderNet
        The skorch net.
    loss_ : float
        Training loss of the last epoch, minus the bound in nats per row.
    loss_curve_ : list of float
        Training loss of every epoch.
    loss_curves_ : dict of str to list of float
        Its parts, "reconstruction" and "divergence".
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
        What columns of a frame were taken for, a table to read.
    n_features_in_ : int
        Number of features seen during :term:`fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during :term:`fit`. Defined only when `X` has feature names that are
        all strings.

    See Also
    --------
    sklearn.mixture.GaussianMixture : A density without a network.
    skae.Autoencoder : Codes without a distribution.

    References
    ----------
    Kingma & Welling, "Auto-encoding variational Bayes", ICLR 2014.

    Burda, Grosse & Salakhutdinov, "Importance weighted autoencoders", ICLR 2016.

    Rybkin et al., "Simple and effective VAE training with calibrated decoders", ICML 2021.

    Ghosh et al., "From variational to deterministic autoencoders", ICLR 2020, on later priors.

    Dinh, Sohl-Dickstein & Bengio, "Density estimation using Real NVP", ICLR 2017, on the flow.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skae import VariationalAutoencoder
    >>> X = load_digits().data
    >>> model = VariationalAutoencoder(8, max_epochs=5, random_state=0).fit(X)
    >>> model.sample(5).shape
    (5, 64)
    >>> model.score_samples(X[:3]).shape
    (3,)
    """

    _changeable = BaseGenerator._changeable | {"chain"}
    _parameter_constraints: dict = {
        **BaseGenerator._parameter_constraints,
        "chain": ["boolean", StrOptions({"auto"})],
        "beta": [Interval(Real, 0, None, closed="left")],
        "free_bits": [Interval(Real, 0, None, closed="left")],
        "kl_warm_up": [Interval(Integral, 0, None, closed="left")],
        "n_importance_samples": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        n_components: int | str = "auto",
        *,
        hidden_layer_sizes: str | Sequence[int] = "auto",
        activation: str = "gelu",
        module: str | type[nn.Module] | nn.Module = "mlp",
        likelihood: str | type[nn.Module] | nn.Module = "auto",
        scale: str | None = "auto",
        beta: float = 1.0,
        free_bits: float = 0.0,
        kl_warm_up: int = 0,
        n_importance_samples: int = 1,
        prior: str = "auto",
        n_mixture_components: int | str = "auto",
        chain: bool | str = "auto",
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
        self.beta = beta
        self.free_bits = free_bits
        self.kl_warm_up = kl_warm_up
        self.n_importance_samples = n_importance_samples
        self.prior, self.n_mixture_components, self.chain = prior, n_mixture_components, chain
        self.conditional, self.constraints = conditional, constraints
        self.column_kinds = column_kinds
        self.optimizer = optimizer
        self.lr = lr
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.callbacks = callbacks
        self.device, self.dtype = device, dtype
        self.random_state, self.verbose = random_state, verbose
        self._nested_params = kwargs

    # ------------------------------------------------------------------ fit

    def _plan(self, X: np.ndarray) -> Recipe:
        if self.free_bits > 0 and self.n_importance_samples > 1:
            raise ValueError(
                f"free_bits={self.free_bits} needs n_importance_samples=1, because an "
                "importance-weighted bound has no divergence per component"
            )
        bound = EvidenceBound(self.beta, self.free_bits, self.kl_warm_up, self.n_importance_samples)
        recipe = self._generator_recipe(X, "VariationalNetwork", {"objective": bound})
        if self.chain is True and self._columns.scale != "normal_scores":
            raise ValueError(
                f"chain=True needs columns as normal scores, but likelihood={self.likelihood!r} "
                f"and scale={self.scale!r} make these scale={self._columns.scale!r}; take "
                "likelihood='auto' and scale='normal_scores', or chain=False"
            )
        return recipe

    def _codes(self, net: Any, x: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        mean, log_variance = net.averaged_module_.posterior(x)
        noise = torch.empty_like(mean).normal_(generator=generator)
        return displaced(mean, log_variance, noise), mean

    def _fitted_rows(
        self, net: AutoencoderNet, rows: Rows, labels: np.ndarray, kept: np.ndarray, seed: int
    ) -> RowModel | None:
        n_epochs = len(net.history)
        if isinstance(self.max_epochs, str) and n_epochs >= _MANY_EPOCHS:  # not of partial_fit
            n_epochs = sys.maxsize
        if not (self.chain and self._columns.scale == "normal_scores" and n_epochs):
            return None
        is_auto = isinstance(self.chain, str)
        if is_auto and len(rows) < _FEWEST_ROWS:
            of_each = [kept & (labels == label) for label in range(labels.max() + 1)]
            parts = [learned_rows(rows, labels, some)[0] for some in of_each]
            return fit_row_mixture(parts, self._columns, seed)
        if is_auto and n_epochs * len(rows) < _FEWEST_SEEN:
            return None
        encoded, labels = learned_rows(rows, labels, kept)
        return fit_chain(encoded, labels, self._columns, seed, n_epochs)

    def _finish(self, net: Any, rows: Rows, y: Any) -> dict[str, Any]:
        attributes = super()._finish(net, rows, y)
        n_mixed: Any = self.n_mixture_components
        n_gaussians = MOST_MIXED if isinstance(n_mixed, str) else n_mixed
        width = decoding_width(net.averaged_module_, rows.batch(slice(2)).input)
        # Densities under the Gaussians are float64, twice as large.
        return attributes | {"_decoding_width": max(width, 2 * n_gaussians)}
