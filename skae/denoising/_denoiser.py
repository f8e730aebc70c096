"""AutoencoderDenoiser: rows without noise, by a filter and a network that corrects it."""

from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
import torch
from sklearn.base import OneToOneFeatureMixin, TransformerMixin
from sklearn.utils import assert_all_finite
from sklearn.utils._param_validation import Interval, StrOptions
from torch import nn

from .._base import KeepsLimits, NetEstimator, TakesWeights, checked_input, given_weights
from .._base._fit import checked_targets
from .._shapes import are_rows
from .._weights import weighted_mean
from ..losses import Corruption
from ..networks import ACTIVATIONS
from ..training import ArrayRows, AutoencoderNet, PairedRows, Recipe, Rows
from ._images import TakesImages
from ._noise import FILLED, NOISES
from ._objectives import noisy_loss
from ._plan import check_combination, recipe_for
from ._tiles import images_of

_LEAST_ERROR = 1e-12  # squared, in ranges of the data: 120 dB


class AutoencoderDenoiser(
    TakesImages, TakesWeights, KeepsLimits, OneToOneFeatureMixin, TransformerMixin, NetEstimator
):
    """Denoiser: a Wiener filter on principal components, and a network that corrects it.

    It learns from clean rows, to which it adds noise, from pairs of noisy and clean rows, or from
    noisy rows alone. How much noise there is in a row is found anew for each, so that one model
    serves rows with much, little and no noise. Training starts at the filter, which is the best
    linear one, and with ``max_epochs=0`` it ends there. Features should have comparable scales.

    Read more in the :ref:`User Guide <denoising>`.

    Parameters
    ----------
    module : {"mlp", "conv"}, nn.Module class or instance, default="mlp"
        The network that corrects the filter. "mlp" is :class:`~skae.networks.DenseCorrection`;
        "conv", for images, is :class:`~skae.networks.ConvCorrection` and needs `image_shape`. Any
        other has methods ``encode(x)`` and ``decode(z)`` as for :class:`~skae.Autoencoder`. Its
        constructor is given those of `n_features`, `n_components`, `hidden_layer_sizes`,
        `activation` and `image_shape` that it names.

    supervision : {"clean", "noisy"}, default="clean"
        What the rows that it learns from are. "noisy" rows have normal noise, and no clean ones
        are needed.

    noise : {"blocks", "gaussian", "masking", "poisson", "salt_and_pepper"} or Corruption, \
            default="gaussian"
        What is done to clean rows, anew in every epoch: a class of :mod:`skae.losses` with the
        level below; "poisson" is for counts. Missing cells, of "masking" and "blocks", are NaN in
        :meth:`transform`, which fills them and leaves the others as they are; "blocks" are strokes
        and rectangles, and need `image_shape`. A corruption has a level of its own.

    noise_level : "auto", float or tuple of two floats, default="auto"
        Standard deviation of "gaussian" noise, or, of "poisson" noise, what one count stands for,
        both in the units of the data; otherwise the probability with which a cell is hit. Of two
        numbers, each row gets a level between them. "auto" is from 0 to the scale of the data: the
        span of pixels and grades, otherwise the root of the mean variance of the columns; of
        probabilities, from 0 to 0.5. With ``supervision="noisy"``, it is the standard deviation of
        the noise in the rows, and "auto" estimates it from them.

    image_shape : tuple of int or None, default=None
        Shape of the images of which the rows are the pixels: (height, width), (channels, height,
        width) or, if it is unmistakable, (height, width, channels).

    self_ensemble : bool, default=False
        Whether images, not rows, are averaged over eight orientations, which takes 8 times as long.

    hidden_layer_sizes : "auto" or array-like of int, default="auto"
        Widths of the hidden layers of "mlp". "auto" takes three, as wide as the data has features
        but between 64 and 512, the middle one half as wide.

    activation : {"elu", "gelu", "identity", "leaky_relu", "logistic", "relu", "silu", "tanh"}, \
            default="gelu"
        Non-linearity of the hidden layers.

    optimizer : {"adam", "adamw", "lbfgs", "nadam", "rmsprop", "sgd"} or class, default="adamw"
        Optimizer; weight decay is ``optimizer__weight_decay`` (0.01 for "adamw").

    lr : float, default=1e-3
        Learning rate. It stays constant, because an average of the weights is used.

    batch_size : int, default=256
        Number of rows per step.

    max_epochs : "auto" or int, default="auto"
        Number of passes over the data; 0 leaves the filter alone. "auto" takes about 2,000 steps,
        but between 10 and 200 epochs; for fewer than 5,000 rows, that is only the upper bound, and
        the number that serves a held-out fifth of the rows best is then used for all of them, be it
        0. From 5,000 rows on, a fiftieth of them, at most 1,000, is held out, and the weights that
        serve them best are kept.

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
        Whether `fit` goes on with the present network instead of building a new one.

    callbacks : list of skorch callbacks or None, default=None
        Such as :class:`skorch.callbacks.LRScheduler`; each may be a tuple (name, callback). They
        are copied.

    device : str or torch.device, default="auto"
        "auto" takes CUDA, else MPS, else the CPU.

    dtype : {"float32", "float64"}, default="float32"
        Type that the network computes in.

    random_state : int, RandomState instance or None, default=None
        Determines initial weights, order of rows, noise and held-out rows. torch's global
        generators are not touched.

    verbose : int, default=0
        Above 0, prints a line per epoch.

    **kwargs : dict
        Parameters of the parts, with skorch's prefixes: ``module__width=48``,
        ``optimizer__weight_decay=0.1``, ``callbacks__name__parameter``.

    Attributes
    ----------
    noise_level_ : float or tuple of two floats
        Level of the noise that was made or, with ``supervision="noisy"``, is in the data; of pairs,
        the standard deviations of their differences, from the least to the largest of the rows. In
        the units of `noise_level`.
    module_ : nn.Module
        The trained network, in evaluation mode.
    net_ : skae.training.AutoencoderNet
        The skorch net.
    loss_ : float
        Training loss of the last epoch; with no epoch, that of the network as it starts. It is the
        mean of log(1 + e / f), where e is the squared error of a row and f that which is expected
        of the filter; with ``supervision="noisy"``, of e / f.
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
    n_features_in_ : int
        Number of features seen during :term:`fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during :term:`fit`. Defined only when `X` has feature names that are
        all strings.

    See Also
    --------
    Autoencoder : With `noise`, codes that noise has little influence on.
    ImageCompressor : Images as short byte strings.

    References
    ----------
    Zhang et al., "Beyond a Gaussian denoiser: residual learning of deep CNN for image denoising",
    IEEE Transactions on Image Processing 26, 2017.

    Pang et al., "Recorrupted-to-Recorrupted: unsupervised deep learning for image denoising",
    CVPR 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> from skae import AutoencoderDenoiser
    >>> X = load_digits().data
    >>> noisy = X[1500:] + np.random.default_rng(0).normal(0, 4, X[1500:].shape)
    >>> denoiser = AutoencoderDenoiser(max_epochs=10, random_state=0).fit(X[:1500])
    >>> clean = denoiser.transform(noisy)
    >>> bool(np.square(clean - X[1500:]).mean() < 0.5 * np.square(noisy - X[1500:]).mean())
    True
    """

    _takes_targets = _takes_own_rows = True
    _changeable = NetEstimator._changeable | {"self_ensemble"}

    _parameter_constraints: dict = {
        **NetEstimator._parameter_constraints,
        "supervision": [StrOptions({"clean", "noisy"})],
        "noise": [StrOptions(set(NOISES)), Corruption],
        "noise_level": [StrOptions({"auto"}), Interval(Real, 0, None, closed="left"), tuple, list],
        "hidden_layer_sizes": [StrOptions({"auto"}), "array-like"],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "image_shape": [tuple, list, None],
        "self_ensemble": ["boolean"],
    }

    def __init__(
        self,
        *,
        module: str | type[nn.Module] | nn.Module = "mlp",
        supervision: str = "clean",
        noise: str | Corruption = "gaussian",
        noise_level: str | float | tuple[float, float] = "auto",
        image_shape: Sequence[int] | None = None,
        self_ensemble: bool = False,
        hidden_layer_sizes: str | Sequence[int] = "auto",
        activation: str = "gelu",
        optimizer: str | type[torch.optim.Optimizer] = "adamw",
        lr: float = 1e-3,
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
        self.module = module
        self.supervision = supervision
        self.noise = noise
        self.noise_level = noise_level
        self.image_shape = image_shape
        self.self_ensemble = self_ensemble
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
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

    @property
    def _fills(self) -> bool:
        """Whether the network fills missing cells."""
        return isinstance(self.noise, str) and self.noise in FILLED

    def _checked(self, X: Any, *, reset: bool = False) -> Any:
        checked = checked_input(self, X, reset=reset, as_it_is=True)
        if reset and self._fills and checked.dtype.kind == "f":
            assert_all_finite(checked, input_name="X", estimator_name=type(self).__name__)
        return checked

    def _checked_target(self, X: Any, y: Any) -> Any:
        check_combination(self)
        return y

    def _plan(self, X: Any) -> Recipe:
        recipe, self._noise_level, self._span = recipe_for(self, X)
        return recipe

    def _view(
        self, X: Any, dtype: torch.dtype, device: torch.device, *, training: bool = False
    ) -> Rows:
        return ArrayRows(X, dtype, device, held=training, units=self._fitted_recipe.units)

    def _finish(self, net: AutoencoderNet, rows: Rows, y: Any) -> dict[str, Any]:
        level = self._noise_level
        if isinstance(rows, PairedRows):
            levels = net.averaged_module_.filter.levels
            scale = self._fitted_recipe.units.scale
            level = float(levels[0]) * scale, float(levels[-1]) * scale
        return {"noise_level_": level}

    def transform(self, X: Any) -> np.ndarray:
        """Return rows without their noise.

        Parameters
        ----------
        X : {array-like, data frame} of shape (n_samples, n_features), or images
            Noisy rows. NaN stands for missing cells, if these are what was learned to be filled.
            Images may have any size, if the denoiser was fitted to images.

        Returns
        -------
        ndarray of shape (n_samples, n_features), or images
            Clean rows, or images in the form of `X`; float64, or of the dtype of `X` if that is
            float32, uint8 or uint16. If each of the lowest and the highest value of the clean
            training data is found in as many cells as there are columns, as in pixels and grades,
            no value is beyond them.
        """
        if not are_rows(X):
            images, cleaned = self._cleaned(X)
            restored = images.restored([_as_given(a, images.dtype) for a in cleaned])
            return restored[0] if images.form == "image" else restored
        X = self._checked(X)
        return _as_given(self._denoised(X), X.dtype)

    def _denoised(self, X: Any) -> np.ndarray:
        """Return what checked rows become, float64."""
        criterion: Any = self.net_.criterion_
        rows = self._apply(X, lambda m, batch: criterion.mean(m.decode(m.encode(batch.input))))
        rows = self._fitted_recipe.units.undo(rows)
        # Beyond the limits by what the change of units has rounded.
        rows = rows if self._limits is None else rows.clip(*self._limits)
        return np.where(np.isnan(X), rows, X) if self._fills else rows

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return how well rows are denoised.

        Parameters
        ----------
        X : {array-like, data frame} of shape (n_samples, n_features), or images
            Noisy rows.
        y : array-like of shape (n_samples, n_features), or images, default=None
            The same, clean. None and labels, of one dimension, are for none.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each row, or each of the images, counts; without clean images, not for images.

        Returns
        -------
        float
            With clean rows, the peak signal-to-noise ratio in dB, the mean over the rows, relative
            to the range of the clean training data, or of `y` if there have not been any; at most
            120 for a row. Without, minus the mean squared error of cells: against the noisy rows,
            to which noise is added first, or of cells that are hidden. It tells which of several
            models is better, but contains the noise of the rows. Higher is better.
        """
        if are_rows(X):
            checked = self._checked(X)
            clean = checked_targets(self, X, checked, y)
            pairs = None if clean is None else (self._denoised(checked), clean)
        else:
            pairs = None
            if y is None:
                checked = self._checked(self._tiles(images_of(X, "X", self._tile)))
            else:
                pairs = self._cleaned(X)[1], images_of(y, "y", self._tile).arrays
        if pairs is None:
            losses = self._noisy_losses(checked)
            return -weighted_mean(losses, given_weights(sample_weight, len(losses)))
        span = self._span or max(map(np.max, pairs[1])) - min(map(np.min, pairs[1])) or 1.0
        errors = [np.square((a - b) / span).mean() for a, b in zip(*pairs, strict=True)]
        ratios = -10 * np.log10(np.maximum(errors, _LEAST_ERROR))
        return weighted_mean(ratios, given_weights(sample_weight, len(ratios)))

    def _noisy_losses(self, X: Any) -> np.ndarray:
        """Return the error of each row against noisy ones, in the units of the data."""
        net = self.net_
        generator = torch.Generator(net.device).manual_seed(0)
        made = net.objective.noise if self._fills else None
        losses = self._apply(X, lambda m, b: noisy_loss(m, net.criterion_, b, generator, made))
        return losses.astype(np.float64) * self._fitted_recipe.units.scale**2

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        tags.input_tags.allow_nan = self._fills
        tags.input_tags.positive_only = self.noise == "poisson"
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _as_given(rows: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return rows in the dtype of what they were made of: pixels, or floats."""
    if dtype not in (np.uint8, np.uint16):
        return rows.astype(np.float32 if dtype == np.float32 else np.float64, copy=False)
    return np.rint(rows).clip(0, np.iinfo(dtype).max).astype(dtype)
