"""Dimensionality reduction: the plain, denoising, sparse and contractive autoencoder."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
import torch
from sklearn.base import _fit_context
from sklearn.utils._param_validation import Interval, RealNotInt, StrOptions
from torch import nn

from ._base import (
    BaseAutoencoder,
    ChoosesComponents,
    Fit,
    KeepsLimits,
    TakesTables,
    TakesTargets,
    TakesWeights,
    column_losses,
    units_for,
)
from ._units import common_limits
from .losses import (
    CORRUPTIONS,
    LOSSES,
    ContractivePenalty,
    Corruption,
    KLSparsity,
    L1Sparsity,
    Penalty,
)
from .training import Recipe, Reconstruction

__all__ = ["Autoencoder"]

_SPARSITIES = {"l1": L1Sparsity, "kl": KLSparsity}


class Autoencoder(
    TakesTables, ChoosesComponents, KeepsLimits, TakesTargets, TakesWeights, BaseAutoencoder
):
    """Autoencoder: a network that squeezes rows through a narrow code and restores them.

    The network starts from the principal components of the training data, at the squared error of
    PCA with the same number of components, and learns what a linear map can't do. Features of
    arrays should have comparable scales, as for PCA: put a
    :class:`~sklearn.preprocessing.StandardScaler` before it, or scale images to [0, 1]. Data frames
    may have categories, truth values, dates and missing cells, see :ref:`tables`: then each column
    is brought into a unit of its own here.

    Read more in the :ref:`User Guide <autoencoder>`.

    Parameters
    ----------
    n_components : int, float or "auto", default=2
        Number of columns of the code. At most the number of features, unless `noise`, `sparsity` or
        `contraction` keeps the network from copying its input.
        A float between 0 and 1 asks for the fewest components that restore this share of the
        variance of rows that are held out. "auto" finds the number that PCA needs, the fewest that
        predict single cells of held-out rows from the others as well as any, within one standard
        error (Bro et al., 2008), and takes it, or the fewest with which a network restores as much
        as PCA does with it, whichever network predicts such cells better. PCA is judged in closed
        form, and one or two networks are trained on trial: see :ref:`n_components`. The number then
        stays in `partial_fit` and in a warm start.

    hidden_layer_sizes : "auto" or array-like of int, default="auto"
        Widths of the encoder's hidden layers; the decoder mirrors them. "auto" takes two layers,
        the first as wide as the data has features but between 64 and 512, the second half as wide.

    activation : {"elu", "gelu", "identity", "leaky_relu", "logistic", "relu", "silu", "tanh"}, \
            default="gelu"
        Non-linearity of the hidden layers.

    module : {"mlp", "conv"}, nn.Module class or instance, default="mlp"
        The network. "mlp" is :class:`~skae.networks.DenseAutoencoder`; "conv", for flattened
        images, is :class:`~skae.networks.ConvAutoencoder` and needs
        ``module__image_shape=(channels, height, width)``. A class must have methods ``encode(x)``
        and ``decode(z)``; its constructor is given those of `n_features`, `n_components`,
        `hidden_layer_sizes` and `activation` that it names. An instance is copied, never changed,
        and has whatever width of the code it was made with.

    loss : str, dict, nn.Module class or instance, default="squared_error"
        What training minimises: "squared_error", "absolute_error", "huber", "bernoulli" (for values
        in [0, 1]) or "poisson" (for counts). A dict maps names to columns, given as indices, slice,
        boolean mask or feature names, for instance
        ``{"squared_error": [0, 1], "bernoulli": slice(2, 9)}``; every column stands in it once.
        A :class:`~skae.losses.ReconstructionLoss` or a torch criterion is taken too.
        Of a frame it is the loss of numbers; categories have cross-entropy in units of their
        entropy, and what is missing has none.
        With "squared_error", reconstructions are clipped to the lowest and the highest value of the
        training data if each is found in as many cells as there are columns, as in pixels and
        grades; ``criterion__bounds=None`` turns that off.

    noise : {"gaussian", "masking", "salt_and_pepper", "swap"} or None, default=None
        Corruption of the input in training, which makes a denoising autoencoder.

    noise_level : float, default=0.2
        Standard deviation of "gaussian" noise in the units of the data, otherwise the probability
        with which a cell is hit.

    sparsity : {"l1", "kl"} or None, default=None
        Penalty that keeps the code sparse: its mean absolute value, or the Kullback-Leibler
        divergence of its units' mean activity from 0.05.

    sparsity_weight : float, default=1e-3
        Factor of the sparsity penalty.

    contraction : float, default=0.0
        Factor of the contractive penalty, the squared Frobenius norm of the encoder's Jacobian.

    column_kinds : dict or None, default=None
        Which columns of a frame are of another kind than their dtypes say, "number", "category" or
        "date", by their names: ``{"zip": "category"}``.

    optimizer : {"adam", "adamw", "lbfgs", "nadam", "rmsprop", "sgd"} or class, default="adamw"
        Optimizer; weight decay is ``optimizer__weight_decay`` (0.01 for "adamw").

    lr : float, default=2e-3
        Learning rate. It stays constant, because an average of the weights is used; schedules are
        skorch callbacks. "lbfgs" wants about 1.

    batch_size : int, default=256
        Number of rows per step.

    max_epochs : "auto" or int, default="auto"
        Number of passes over the data; 0 leaves the network as it starts. "auto" takes about 2,000
        steps, but between 10 and 200 epochs; for fewer than 5,000 rows, that is only the upper
        bound, and the number that serves a held-out fifth of the rows best is then used for all of
        them. From 5,000 rows on, a fiftieth of them, at most 1,000, is held out, and the weights
        that serve them best are kept, be it those of PCA. A warm start takes as many epochs as the
        fit before it could.

    early_stopping : bool, default=False
        Whether to hold out rows, stop when their loss no longer improves, and restore the best
        weights.

    validation_fraction : float, default=0.1
        Share of the rows that early stopping holds out, drawn by `random_state`.

    n_iter_no_change : int, default=10
        Number of epochs without improvement after which early stopping stops.

    tol : float, default=1e-4
        Least share of the validation loss by which an epoch must improve it to count.

    warm_start : bool, default=False
        Whether `fit` goes on with the present network instead of building a new one. It takes up
        new callbacks, settings of the optimizer, of early stopping and of batches, and another
        device. A change of anything that the network or its loss was built from is refused.

    callbacks : list of skorch callbacks or None, default=None
        Such as :class:`skorch.callbacks.LRScheduler`; each may be a tuple (name, callback). They
        are copied.

    device : str or torch.device, default="auto"
        "auto" takes CUDA, else MPS, else the CPU.

    dtype : {"float32", "float64"}, default="float32"
        Type that the network computes in.

    random_state : int, RandomState instance or None, default=None
        Determines initial weights, order of rows, noise, dropout and held-out rows. torch's global
        generators are not touched.

    verbose : int, default=0
        Above 0, prints a line per epoch.

    **kwargs : dict
        Parameters of the parts, with skorch's prefixes: ``module__dropout=0.1``,
        ``optimizer__weight_decay=0.1``, ``criterion__delta=2.0``, ``callbacks__name__parameter``,
        ``iterator_train__shuffle=False``.

    Attributes
    ----------
    module_ : nn.Module
        The trained network, in evaluation mode.
    net_ : skae.training.AutoencoderNet
        The skorch net.
    loss_ : float
        Training loss of the last epoch; with no epoch, that of the network as it starts.
    loss_curve_ : list of float
        Training loss of every epoch.
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
    n_components_ : int
        Number of columns of the code.
    restored_variance_ : ndarray of shape (n_numbers,)
        Share of the variance of held-out rows that a network restores with 1, 2, ... components:
        one minus its squared error over the squared distance from the mean. It was measured with
        networks that were trained without these rows, for the numbers that were tried; for the
        others, the error of PCA is multiplied by the ratio of a network's error to that of PCA,
        interpolated between the trials. Only if `n_components` is a share or "auto".
    pca_restored_variance_ : ndarray of shape (n_numbers,)
        The same of PCA, measured for every number. Only if `n_components` is a share or "auto".
    schema_ : skae.tables.Schema
        What the columns of the training data were taken for, a table to read; only of a frame.
    n_features_in_ : int
        Number of features seen during :term:`fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during :term:`fit`. Defined only when `X` has feature names that are
        all strings.

    See Also
    --------
    sklearn.decomposition.PCA : The linear autoencoder, in closed form.
    skae.outliers.AutoencoderOutlierDetector : Flags rows that reconstruct badly.

    References
    ----------
    Hinton & Salakhutdinov, "Reducing the dimensionality of data with neural networks",
    Science 313, 2006.

    Vincent et al., "Stacked denoising autoencoders", JMLR 11, 2010.

    Rifai et al., "Contractive auto-encoders", ICML 2011.

    Bro et al., "Cross-validation of component models: a critical look at current methods",
    Analytical and Bioanalytical Chemistry 390, 2008.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skae import Autoencoder
    >>> X = load_digits().data / 16
    >>> autoencoder = Autoencoder(n_components=8, max_epochs=20, random_state=0).fit(X)
    >>> autoencoder.transform(X).shape
    (1797, 8)
    >>> autoencoder.reconstruct(X).shape
    (1797, 64)
    >>> Autoencoder(n_components=0.8, max_epochs=20, random_state=0).fit(X).n_components_
    9
    """

    _parameter_constraints: dict = {
        **BaseAutoencoder._parameter_constraints,
        "n_components": [
            Interval(Integral, 1, None, closed="left"),
            Interval(RealNotInt, 0, 1, closed="neither"),
            StrOptions({"auto"}),
        ],
        "loss": [StrOptions(set(LOSSES)), dict, callable, nn.Module],
        "noise": [StrOptions(set(CORRUPTIONS)), None],
        "noise_level": [Interval(Real, 0, None, closed="left")],
        "sparsity": [StrOptions(set(_SPARSITIES)), None],
        "sparsity_weight": [Interval(Real, 0, None, closed="left")],
        "contraction": [Interval(Real, 0, None, closed="left")],
        "column_kinds": [dict, None],
    }

    def __init__(
        self,
        n_components: int | float | str = 2,
        *,
        hidden_layer_sizes: str | Sequence[int] = "auto",
        activation: str = "gelu",
        module: str | type[nn.Module] | nn.Module = "mlp",
        loss: str | Mapping[str, Any] | type[nn.Module] | nn.Module = "squared_error",
        noise: str | None = None,
        noise_level: float = 0.2,
        sparsity: str | None = None,
        sparsity_weight: float = 1e-3,
        contraction: float = 0.0,
        column_kinds: Mapping[Any, str] | None = None,
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
        self.loss = loss
        self.noise = noise
        self.noise_level = noise_level
        self.sparsity = sparsity
        self.sparsity_weight = sparsity_weight
        self.contraction = contraction
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
        self.device = device
        self.dtype = dtype
        self.random_state = random_state
        self.verbose = verbose
        self._nested_params = kwargs

    # ------------------------------------------------------------------ fit

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Train for one more pass over some rows, all of them: without early stopping.

        Parameters
        ----------
        X : {array-like, CSR matrix or array} of shape (n_samples, n_features)
            Training data. The first call fixes the number of features.
        y : array-like of shape (n_samples, n_features), default=None
            Rows that the network should give in place of those of `X`; see :meth:`fit`.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each row counts; see :meth:`fit`.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        return self._fit(Fit(X, y, 1, once=True, weights=sample_weight), hasattr(self, "net_"))

    def _plan(self, X: Any) -> Recipe:
        loss = self._learn_table(X)
        n_features = X.shape[1] if self._table is None else self._table.n_outputs
        penalties = self._penalties()
        if isinstance(self.module, str) and not (penalties or self.noise):
            self._check_undercomplete(n_features)
        width = min(max(n_features, 64), 512)
        params: dict[str, Any] = {
            "objective": Reconstruction(penalties, self._corruption()),
            **self._module_params(n_features, self._planned_number, (width, width // 2)),
        }
        if loss is not None:
            given = self._nested_params.items()
            params |= {k: v for k, v in given if not k.startswith("criterion__")}
            return Recipe(self.module, loss, self.optimizer, self.dtype, params)
        limits = common_limits(X, self._weights)
        if self.loss == "squared_error" and limits is not None:
            params["criterion__bounds"] = limits
        loss = self.loss
        if isinstance(loss, dict):
            names = list(getattr(self, "feature_names_in_", []))
            loss = column_losses(loss, n_features, names)
        params |= self._nested_params
        recipe = Recipe(self.module, loss, self.optimizer, self.dtype, params)
        loss, is_log_odds = recipe.make_loss(), self.sparsity == "kl"
        units = units_for(X, self.module, loss, limits, is_log_odds, self._weights)
        if units is not None and (objective := params["objective"]).corruption is not None:
            objective.corruption = objective.corruption.in_units(units)
        return replace(recipe, units=units)

    def _restored(self, matrix: np.ndarray, dtype: np.dtype, like: Any) -> Any:
        rows = super()._restored(matrix, dtype, like)
        # Beyond them by what the change of units has rounded.
        return rows if self._limits is None else rows.clip(*self._limits)

    def _corruption(self) -> Corruption | None:
        if self.noise is None:
            return None
        if self.noise != "gaussian" and self.noise_level > 1:
            raise ValueError(
                f"noise_level={self.noise_level} is a probability with noise={self.noise!r}, and "
                "must be at most 1"
            )
        return CORRUPTIONS[self.noise](self.noise_level)

    def _penalties(self) -> list[Penalty]:
        penalties: list[Penalty] = []
        if self.sparsity is not None:
            penalties.append(_SPARSITIES[self.sparsity](self.sparsity_weight))
        if self.contraction > 0:
            penalties.append(ContractivePenalty(self.contraction))
        return penalties
