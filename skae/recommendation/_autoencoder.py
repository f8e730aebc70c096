"""Networks over users x items."""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch
from scipy import sparse
from sklearn.utils._param_validation import Interval, StrOptions
from torch import nn

from .._base import BaseAutoencoder
from .._plain import Part
from ..training import Recipe
from ._history_network import HistoryNetwork
from ._objectives import HistoryLikelihood
from ._weighting import WEIGHTINGS

_LIKELIHOODS = {
    "multinomial": "MultinomialLikelihood",
    "bernoulli": "BernoulliLikelihood",
    "gaussian": "UnitGaussianLikelihood",
}
_AUTO_STEPS = 300


class AutoencoderRecommender(HistoryNetwork):
    """Recommender with a network: an autoencoder over the histories of users.

    What an autoencoder makes of the items of a user says what else would suit the user. The scores
    start from those of the linear autoencoder in closed form, :class:`ShallowRecommender`, and the
    network, whose output is zero at first, adds to them. What it adds is kept if held-out users are
    ranked better, which on the data of our benchmark it seldom was. Users that it learns from and
    those that judge it get scores from a closed form that has not seen them. Networks that take
    sparse rows get nothing else, and no target is ever dense.

    Read more in the :ref:`User Guide <recommendation>`.

    Parameters
    ----------
    n_components : int, default=200
        Number of columns of the code.

    hidden_layer_sizes : array-like of int, default=()
        Widths of the encoder's hidden layers; the decoder mirrors them.

    activation : {"elu", "gelu", "identity", "leaky_relu", "logistic", "relu", "silu", "tanh"}, \
            default="tanh"
        Non-linearity of the hidden layers, and of a code without a distribution.

    module : {"auto", "mlp", "conv"}, nn.Module class or instance, default="auto"
        The network. "auto" is :class:`~skae.networks.RecommenderNetwork`, the others are as for
        :class:`Autoencoder`. A class or instance that has an attribute ``takes_sparse = True`` is
        given sparse CSR tensors, any other one dense rows.

    linear : {"auto", "closed_form"} or None, default="auto"
        What scores start from: "closed_form" is :class:`ShallowRecommender`, None nothing. "auto"
        takes the closed form unless `tied` or `n_negatives` is set.

    likelihood : {"multinomial", "bernoulli", "gaussian"}, default="multinomial"
        Of histories: draws of items, items one by one, or rows of length 1 with Gaussian noise.

    weighting : {"binary", "log", "tfidf", "bm25"} or None, default="binary"
        What an interaction counts, as for :class:`ShallowRecommender`.

    variational : bool, default=False
        Whether codes have a distribution, as in a variational autoencoder.

    beta : float, default=0.2
        Weight of the divergence of that distribution from `prior`.

    prior : {"normal", "composite"}, default="normal"
        "composite" is that of RecVAE, a mixture of the standard normal distribution, what the codes
        were some epochs before, and a wide one; `beta` then counts once for every item of a
        history, and should be about 0.005. Three epochs train the encoder, the next one the
        decoder.

    dropout : float, default=0.5
        Probability that an item of a history is hidden from the network in a step.

    tied : bool, default=False
        Whether the network is linear, and its decoder the transpose of its encoder, both with rows
        of length 1.

    n_negatives : int or None, default=None
        Number of items drawn in every step to stand for all that a user has not, which makes steps
        cheap where there are very many. None takes all items.

    optimizer : {"adam", "adamw", "lbfgs", "nadam", "rmsprop", "sgd"} or class, default="adamw"
        Optimizer; weight decay is ``optimizer__weight_decay`` (0.01 for "adamw").

    lr : float, default=2e-3
        Learning rate. It stays constant, because an average of the weights is used.

    batch_size : int, default=256
        Number of users per step.

    max_epochs : "auto" or int, default="auto"
        Number of passes over the users; 0 leaves the closed form. "auto" takes about 300
        steps, but between 10 and 200 epochs; for fewer than 5,000 users, that is only the upper
        bound, and the number after which hidden items of a held-out fifth of the users are ranked
        best is then used for all of them.

    early_stopping : bool, default=False
        Whether to hold out users and hide a fifth of their items, to stop when the NDCG at 100 of
        these no longer improves, and to restore the best weights.

    validation_fraction : float, default=0.1
        Share of the users that early stopping holds out, drawn by `random_state`.

    n_iter_no_change : int, default=10
        Number of epochs without improvement after which early stopping stops.

    tol : float, default=1e-4
        Least share of 1 - NDCG by which an epoch must improve it to count.

    warm_start : bool, default=False
        Whether `fit` goes on with the present network instead of building a new one. The closed
        form is found anew.

    callbacks : list of skorch callbacks or None, default=None
        Such as :class:`skorch.callbacks.LRScheduler`; each may be a tuple (name, callback). They
        are copied.

    device : str or torch.device, default="auto"
        "auto" takes CUDA, else MPS, else the CPU.

    dtype : {"float32", "float64"}, default="float32"
        Type that the network and the closed form compute in.

    random_state : int, RandomState instance or None, default=None
        Determines initial weights, order of users, dropout, codes and held-out users. torch's
        global generators are not touched.

    verbose : int, default=0
        Above 0, prints a line per epoch.

    **kwargs : dict
        Parameters of the parts, with skorch's prefixes: ``optimizer__weight_decay=0.1``,
        ``callbacks__name__parameter``.

    Attributes
    ----------
    popularity_ : ndarray of int64 of shape (n_items,)
        Number of users that have each item.
    module_ : nn.Module
        The trained network, in evaluation mode.
    net_ : skae.training.AutoencoderNet
        The skorch net.
    loss_ : float
        Training loss of the last epoch, in nats per user.
    loss_curve_ : list of float
        Training loss of every epoch.
    loss_curves_ : dict of str to list of float
        Its parts, "reconstruction" and "divergence"; only if `variational`.
    validation_loss_curve_ : list of float
        1 - NDCG at 100 of every epoch; only with `early_stopping`.
    n_iter_ : int
        Number of epochs trained.
    max_epochs_ : int
        Number of epochs that the last fit could take at most.
    hidden_layer_sizes_ : tuple of int
        Widths of the hidden layers, if the network has this parameter.
    device_ : str
        Device computed on.
    n_features_in_ : int
        Number of items seen during :term:`fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of items seen during :term:`fit`. Defined only when `X` has feature names that are all
        strings.

    See Also
    --------
    ShallowRecommender : The linear autoencoder in closed form, alone.
    BlendRecommender : Several recommenders as one.

    Notes
    -----
    Published networks are settings, all with ``linear=None``:

    - Mult-DAE: no further one; Mult-VAE: ``variational=True, hidden_layer_sizes=(600,)`` (Liang et
      al., 2018), with variances of codes that depend on a history through its mean code alone.
    - RecVAE: ``variational=True, prior="composite", beta=0.005, hidden_layer_sizes=(600, 600)``
      (Shenbin et al., 2020), with another encoder.
    - ELSA: ``tied=True, likelihood="gaussian", optimizer="nadam", lr=0.1`` (Vancura et al., 2022).

    :meth:`inverse_transform` and :meth:`reconstruct` give what the network makes of codes, which
    know nothing of what scores start from.

    References
    ----------
    Liang, Krishnan, Hoffman & Jebara, "Variational autoencoders for collaborative filtering", WWW
    2018.

    Shenbin et al., "RecVAE: a new variational autoencoder for top-N recommendations with implicit
    feedback", WSDM 2020.

    Vancura et al., "Scalable linear shallow autoencoder for collaborative filtering", RecSys 2022.

    Bengio & Senecal, "Adaptive importance sampling to accelerate training of a neural probabilistic
    language model", IEEE Transactions on Neural Networks 19, 2008, on negatives that are drawn.

    Examples
    --------
    >>> import numpy as np
    >>> from skae import AutoencoderRecommender
    >>> X = np.array([[1, 1, 0, 0], [1, 1, 1, 0], [0, 0, 1, 1], [0, 1, 1, 1]])
    >>> recommender = AutoencoderRecommender(2, max_epochs=5, random_state=0).fit(X)
    >>> recommender.recommend([[1, 0, 0, 0]], k=2)
    array([[1, 2]])
    """

    _parameter_constraints: dict = {
        **BaseAutoencoder._parameter_constraints,
        "likelihood": [StrOptions(set(_LIKELIHOODS))],
        "linear": [StrOptions({"auto", "closed_form"}), None],
        "weighting": [StrOptions(set(WEIGHTINGS)), None],
        "variational": ["boolean"],
        "beta": [Interval(Real, 0, None, closed="left")],
        "prior": [StrOptions({"normal", "composite"})],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "tied": ["boolean"],
        "n_negatives": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(
        self,
        n_components: int = 200,
        *,
        hidden_layer_sizes: Sequence[int] = (),
        activation: str = "tanh",
        module: str | type[nn.Module] | nn.Module = "auto",
        linear: str | None = "auto",
        likelihood: str = "multinomial",
        weighting: str | None = "binary",
        variational: bool = False,
        beta: float = 0.2,
        prior: str = "normal",
        dropout: float = 0.5,
        tied: bool = False,
        n_negatives: int | None = None,
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
        self.n_components = n_components
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.module = module
        self.linear = linear
        self.likelihood = likelihood
        self.weighting = weighting
        self.variational = variational
        self.beta = beta
        self.prior = prior
        self.dropout = dropout
        self.tied = tied
        self.n_negatives = n_negatives
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
        self.device = device
        self.dtype = dtype
        self.random_state = random_state
        self.verbose = verbose
        self._nested_params = kwargs

    # ------------------------------------------------------------------ fit

    def _plan(self, X: sparse.csr_array) -> Recipe:
        self._check_combination()
        self._adapt(X)
        self._calibrate(X)
        n_items = X.shape[1]
        network: Any = self.module
        if isinstance(network, str) and network == "auto":
            params = {"activate_code": not self.variational, "from_zero": self._has_linear}
            network = Part("networks", "RecommenderNetwork", params)
            if self.tied:
                network = Part("networks", "TiedRecommenderNetwork", {})
        given = self._module_params(n_items, self.n_components, (self.n_components,))
        if self.tied:
            given.pop("module__hidden_layer_sizes"), given.pop("module__activation")
        objective = HistoryLikelihood(
            float(self.dropout),
            float(self.beta) if self.variational else None,
            self.prior == "composite",
            self.n_negatives,
        )
        recipe = Recipe(
            network,
            Part("losses", _LIKELIHOODS[self.likelihood], {}),
            self.optimizer,
            self.dtype,
            {"objective": objective, **given, **self._nested_params},
            auto_steps=_AUTO_STEPS,
        )
        if self.variational:
            sizes = {"n_features": n_items, "n_components": self.n_components}
            name = "CompositeNetwork" if self.prior == "composite" else "VariationalNetwork"
            recipe.wrap = Part("networks", name, sizes)
        return recipe

    def _check_combination(self) -> None:
        """Raise ValueError if parameters exclude each other."""
        is_auto = isinstance(self.module, str) and self.module == "auto"
        problems = {
            "tied=True is ELSA, which": self.tied
            and {
                "variational=False": self.variational,
                "hidden_layer_sizes=()": len(self.hidden_layer_sizes) > 0,
                "linear='auto' or None": self.linear == "closed_form",
                "n_negatives=None": self.n_negatives is not None,
                "module='auto'": not is_auto,
            },
            f"n_negatives={self.n_negatives}": self.n_negatives is not None
            and {
                "likelihood='multinomial'": self.likelihood != "multinomial",
                "linear='auto' or None": self.linear == "closed_form",
                "module='auto'": not is_auto,
            },
            "prior='composite'": self.prior == "composite"
            and {
                "variational=True": not self.variational,
                "n_negatives=None": self.n_negatives is not None,
            },
        }
        for choice, needs in problems.items():
            for need, is_missing in (needs or {}).items():
                if is_missing:
                    raise ValueError(f"{choice} needs {need}")
