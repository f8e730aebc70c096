"""An estimator that learns to write images as short byte strings."""

import math
from collections.abc import Sequence
from dataclasses import replace
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
import torch
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from .._base import checked_codes
from .._plain import Part
from .._settings import inference
from .._shapes import Images, are_rows
from ..coding import Codec
from ..networks import ImageCodecNetwork
from ..training import AutoencoderNet, Recipe, Rows
from ._bundled import bundled, fitted
from ._compressor import VALUES_TO_COUNT, BaseCompressor
from ._crops import Crops, check_crops, check_similarity, cut_of, warn_of_few
from ._decoded_rows import DecodedRows
from ._image_streams import ImageStreams
from ._images import (
    CodedImages,
    check_like,
    checked_images,
    coded_dtype,
    coded_like,
    images_in_rows,
    padded_image,
    range_of,
)
from ._measures import ImageMeasures
from ._objectives import RateDistortion, RestorationLoss
from ._signal_rows import SignalRows
from ._texture_game import TEXTURE

_KERNELS = {"conv": 3, "mlp": 1}
_RESTORATION = {"module__width": 48, "module__n_blocks": 2}
_FEW_IMAGES, _VALUES_TO_RESTORE = 2**13, 2**27
_MOST_PASSES, _IMAGES_TO_RESTORE, _MOST_COPIES = 20, 2**17, 10


class ImageCompressor(BaseCompressor):
    """Lossy compression of images by an autoencoder that is trained on images of their kind.

    Images are cut into patches, which become coefficients of their principal components; residual
    networks correct what is lost in rounding. Rounded coefficients are coded by where they are
    expected, and how widely spread, given those coded before. Everything but the residual networks
    has a closed form.

    Parameters
    ----------
    module : {"conv", "mlp"}, default="conv"
        Residual networks that look at neighbours, or at each patch alone. Neighbours are patches,
        or pixels, where a patch is a whole image; there the encoder has no residual network.
    image_shape : tuple of int, default=None
        Shape of the images in the rows of a matrix: ``(channels, height, width)``, or ``(height,
        width)`` for one channel. A row is the image flattened in this order, or in the order
        ``(height, width, channels)`` if the shape is unmistakably so, as in (64, 64, 3). None takes
        a row as a line of pixels.
    patch_shape : "auto" or tuple of two ints, default="auto"
        Height and width of the patches. "auto" takes whole images, if all are equal and of at most
        1,024 values, else 8 x 8 pixels.
    n_components : "auto" or int, default="auto"
        Number of coefficients of a patch; "auto" as many as it has values. Fewer bound the quality.
    max_value : "auto" or float, default="auto"
        Greatest value that a pixel can have, if the least is 0, as 4095 of images of 12 bits: what
        `quality` and PSNR are relative to, and what decoded values never exceed. Where values can
        be negative, it is their span. "auto" takes, of integers, as many bits as the training
        images need, and of floats the range of the training images.
    objective : {"psnr", "ms_ssim"}, default="psnr"
        What bits are spent on: squared errors, or multi-scale structural similarity, closer to what
        people see. A training makes squared errors small in both.
    quality : float, default=50
        Default of :meth:`compress`, and what :meth:`score` is measured at, from 0 to 100.
    adversarial : bool, default=False
        Whether to train a network that draws the texture which rounding erases, against a critic
        (Mentzer et al., 2020). Streams stay the same, bit for bit; `realism` of :meth:`decompress`
        tells how much of the texture pictures show.
    adversarial_steps : int, default=800
        Number of steps of that training, whatever `max_epochs` is.
    optimizer : str or class, default="adamw"
        Optimizer.
    lr : float, default=1e-3
        Learning rate of the residual networks. Gradients are clipped to a norm of one.
    batch_size : int, default=8
        Number of crops, or of whole images, per step.
    max_epochs : "auto" or int, default="auto"
        Number of passes over the images. With 0, everything is what its closed form says. "auto"
        trains where that pays: decoders that correct the pixels of whole images, for about 130,000
        images, or 20 times each. With smaller patches it is 0: there training gains little, takes
        many minutes, and makes decoding slower.
    early_stopping : bool, default=False
        Whether to hold out crops, and to stop when they are not coded better any more.
    validation_fraction : float, default=0.1
        How many.
    n_iter_no_change : int, default=10
        Number of epochs without an improvement of at least `tol`, after which to stop.
    tol : float, default=1e-4
        See `n_iter_no_change`.
    warm_start : bool, default=False
        Whether :meth:`fit` goes on with the fitted network.
    callbacks : list of skorch callbacks, default=None
        Callbacks of the net.
    device : str or torch.device, default="auto"
        Where to train. Coding is done on the CPU.
    dtype : {"float32", "float64"}, default="float32"
        Type of the weights.
    random_state : int, RandomState instance or None, default=None
        Determines weights, crops and noise.
    verbose : int, default=0
        Whether to print the losses of every epoch.
    **kwargs : dict
        ``module__width=128`` and ``module__n_blocks=3`` of the residual networks, 48 and 2 of one
        that corrects pixels; others as in :class:`skae.Autoencoder`.

    Attributes
    ----------
    fingerprint_ : int
        Checksum of all that streams depend on; a stream can be read by the model that wrote it.

    References
    ----------
    .. [1] F. Mentzer, G. Toderici, M. Tschannen and E. Agustsson. "High-fidelity generative image
       compression". NeurIPS (2020).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> from skae import ImageCompressor
    >>> digits = (load_digits().images * 15).astype(np.uint8)
    >>> compressor = ImageCompressor(max_epochs=0).fit(digits[:900])
    >>> stream = compressor.compress_dataset(digits[900:], quality=40)
    >>> digits[900:].nbytes > 4 * len(stream)
    True
    >>> compressor.decompress_dataset(stream).shape
    (897, 8, 8)
    """

    _parameter_constraints: dict = {
        **BaseCompressor._parameter_constraints,
        "module": [StrOptions(set(_KERNELS))],
        "image_shape": ["array-like", None],
        "patch_shape": [StrOptions({"auto"}), "array-like"],
        "n_components": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "max_value": [StrOptions({"auto"}), Interval(Real, 0, None, closed="neither")],
        "objective": [StrOptions({"psnr", "ms_ssim"})],
        "adversarial": ["boolean"],
        "adversarial_steps": [Interval(Integral, 0, None, closed="left")],
    }
    _game = TEXTURE

    def __init__(
        self,
        *,
        module: str = "conv",
        image_shape: Sequence[int] | None = None,
        patch_shape: str | Sequence[int] = "auto",
        n_components: int | str = "auto",
        max_value: float | str = "auto",
        objective: str = "psnr",
        quality: float = 50,
        adversarial: bool = False,
        adversarial_steps: int = 800,
        optimizer: str | type[torch.optim.Optimizer] = "adamw",
        lr: float = 1e-3,
        batch_size: int = 8,
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
        self.image_shape = image_shape
        self.patch_shape = patch_shape
        self.n_components = n_components
        self.max_value = max_value
        self.objective = objective
        self.quality = quality
        self.adversarial = adversarial
        self.adversarial_steps = adversarial_steps
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

    def _checked(self, X: Any, *, reset: bool = False) -> Images:
        if not reset:
            check_is_fitted(self)
        images = images_in_rows(self, X, reset) if are_rows(X) else checked_images(X, reset)
        if not reset:
            check_like(images, self._form, type(self).__name__)
            return coded_like(images, self._form, self._range)
        self._range, bounds = range_of(images, self.max_value)
        coded = CodedImages.of(images, coded_dtype(images.dtype), bounds)
        self._form = replace(coded, arrays=[coded.arrays[0][:0].copy()])
        self._shape = coded.arrays[0].shape if coded.are_equal else None
        return coded

    # ------------------------------------------------------------------ fit

    def _training_params(self) -> dict[str, Any]:
        slowly = [("*sis", {"lr": 0.04 * self.lr})]
        return {"optimizer__param_groups": slowly, **super()._training_params()}

    def _plan(self, X: Images) -> Recipe:
        cut = cut_of(X, self.patch_shape)
        check_similarity(cut, self.objective)
        # Some of the images may have neighbouring patches, but the crops have none.
        default = 1 if cut.is_whole and not X.are_equal else _KERNELS[self.module]
        kernel_size = self._nested_params.get("module__kernel_size", default)
        restores = ImageCodecNetwork.restores(cut.crop, cut.patch, kernel_size)
        params = {
            "objective": RestorationLoss() if restores else RateDistortion(),
            "module__image_shape": (*cut.crop, X.arrays[0].shape[2]),
            "module__patch_shape": cut.patch,
            "module__n_components": None if self.n_components == "auto" else self.n_components,
            "module__kernel_size": kernel_size,
            "module__adversarial": self.adversarial,
            "module__wide": not cut.is_whole,
            "module__objective": self.objective,
            **(_RESTORATION if restores else {}),
            **self._nested_params,
        }
        module = Part("networks", "ImageCodecNetwork", {})
        return Recipe(module, "squared_error", self.optimizer, self.dtype, params)

    def _view(
        self, X: Images, dtype: torch.dtype, device: torch.device, *, training: bool = False
    ) -> Rows:
        cut = cut_of(X, self.patch_shape)
        arrays = [padded_image(array, cut.patch) for array in X.arrays]
        return Crops(arrays, cut, self._range[0], 255 / self._range[1], 0, dtype, device)

    def _auto_epochs(self, recipe: Recipe, device: torch.device, seed: int, rows: Rows) -> int:
        if not isinstance(recipe.params["objective"], RestorationLoss):
            return 0
        n = len(rows)
        n_restored = min(_IMAGES_TO_RESTORE, _MOST_PASSES * n)
        return max(1, round(n_restored / (n * self._n_copies(n))))

    def _prepared(self, net: AutoencoderNet, rows: Any, max_epochs: int) -> SignalRows:
        module: Any = net.module_
        check_crops(rows, module.image_shape)
        warn_of_few(rows, module)
        if not module.restores_pixels:
            return rows
        # All but the decoder has its final state now.
        codec = self._frozen(net, rows)
        module.contexts.load_state_dict(codec.network.contexts.state_dict())
        n_values = _VALUES_TO_RESTORE if max_epochs else VALUES_TO_COUNT
        # The same rows in a fit that goes on, and nothing drawn that training draws from.
        generator = torch.Generator().manual_seed(net.generator.initial_seed())
        return DecodedRows(rows, codec, self._n_copies(len(rows)), n_values, generator)

    def _n_copies(self, n_images: int) -> int:
        """Return at how many qualities each image is decoded for the decoder to learn from."""
        # Copies of held-out images among the others would be no use.
        return min(_MOST_COPIES, 1 if self.early_stopping else math.ceil(_FEW_IMAGES / n_images))

    def _coding_attributes(self, codec: Codec, former: tuple[int, ...] = ()) -> dict[str, Any]:
        attributes = super()._coding_attributes(codec, former)
        if self._shape is None:
            return attributes
        return {**attributes, "_n_features_out": math.prod(self._grid(codec.network))}

    def _grid(self, network: ImageCodecNetwork) -> tuple[int, int, int]:
        """Return the shape of the code of the training images, if they were equal."""
        (height, width, _), (ph, pw) = self._shape, network.patch_shape
        return -(-height // ph), -(-width // pw), network.n_components

    def _streams_of(self, codec: Codec, *fingerprints: Any) -> ImageStreams:
        first = self._form.arrays[0]
        return ImageStreams(codec, self._range, first.dtype, first.shape[2], *fingerprints)

    # ------------------------------------------------------------------ streams

    def compress(
        self,
        X: Any,
        *,
        quality: float | None = None,
        target_bpp: float | None = None,
        target_psnr: float | None = None,
        target_ms_ssim: float | None = None,
    ) -> list[bytes]:
        """Write each image as a byte string.

        Parameters
        ----------
        X : array-like, list of array-likes, or pictures
            Images, in any form that :meth:`fit` takes.
        quality : float, default=None
            From 0, few bits, to 100, high fidelity; None takes that of the estimator.
        target_bpp : float, default=None
            Instead of a quality: the best one with at most so many bits per pixel, for each image.
        target_psnr : float, default=None
            Instead of a quality: the least one with a peak signal-to-noise ratio of at least so
            many decibels, for each image.
        target_ms_ssim : float, default=None
            Instead of a quality: the least one with so much structural similarity, for each image.

        Returns
        -------
        list of bytes
            A stream for each image. If no quality meets a target, the one that comes closest, and
            a warning says what was reached.
        """
        targets = ImageMeasures(self._streams).targets(target_bpp, target_psnr, target_ms_ssim)
        return self._compressed(X, quality, targets)

    @inference()
    def inverse_transform(self, X: Any) -> Any:
        """Return the images of codes that were not rounded.

        Parameters
        ----------
        X : array-like of shape (n_images, n_coefficients)
            What :meth:`transform` returns for images of the training images' shape.

        Returns
        -------
        ndarray or list of ndarray
            Images, in the form of the training data.

        Raises
        ------
        ValueError
            If the training images had different shapes.
        """
        Z = checked_codes(self, X)
        if self._shape is None:
            raise ValueError(
                "inverse_transform needs training images of one shape; decompress reads images of "
                "any"
            )
        network, (height, width, _) = self._codec.network, self._shape
        y = torch.from_numpy(Z.astype(np.float32)).reshape(len(Z), *self._grid(network))
        x = network.unrounded(y)[:, :height, :width]
        return self._form.restored(self._streams.pixels(x, self._form.dtype))

    def __setstate__(self, state: dict[str, Any]) -> None:
        if params := state.get("_fitted_params"):  # perhaps from before there was a choice
            state = {**state, "_fitted_params": {"objective": "psnr", **params}}
        super().__setstate__({"objective": "psnr", **state})

    @classmethod
    def pretrained(cls, *, version: int | None = None, **params: Any) -> Self:
        """Return a compressor that has been fitted to photographs.

        Parameters
        ----------
        version : int or None, default=None
            Which of the bundled models, 1 or 2; None for the latest.
        **params : dict
            Parameters of the estimator. Those of its network, `module`, `patch_shape`,
            `n_components`, `objective` and `adversarial`, are fixed.

        Returns
        -------
        ImageCompressor
            Fitted to photographs of 8 bits, of CLIC 2025 at half size (Unsplash License). With
            ``warm_start=True``, its :meth:`fit` goes on from there.
        """
        return fitted(cls, bundled(version), params)
