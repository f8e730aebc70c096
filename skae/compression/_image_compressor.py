"""An estimator that learns to write images as short byte strings."""

import copy
import json
import math
from collections.abc import Callable, Sequence
from importlib import resources
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
import torch
from scipy import sparse
from sklearn.callback import CallbackContext
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data
from skorch.callbacks import GradientNormClipping
from torch import nn

from .._base import BaseAutoencoder
from .._shapes import Images, ImageShape, are_rows, checked_image_shape
from ..metrics import psnr
from ..networks import BIT_WEIGHT, ImageCodecNetwork, SharpeningNetwork, step_size
from ..training import (
    AdversarialTexture,
    AutoencoderNet,
    RateDistortion,
    Recipe,
    RestorationLoss,
    Rows,
    resolve_device,
)
from ._codec import N_PER_LEVEL, N_QUALITIES, Codec
from ._decoded_rows import DecodedRows
from ._images import Crops, are_alike, checked_images, padded_image
from ._streams import MAX_VALUES, StreamCodec

_KERNELS = {"conv": 3, "mlp": 1}
_WHOLE, _PATCH, _LINE = 1024, 8, 64
_CROP = 16  # patches
_CROP_OF_PHOTOGRAPHS = (_CROP * _PATCH, _CROP * _PATCH)
_NETWORK = "network."
_VALUES_TO_LEARN, _CROPS_TO_LEARN, _VALUES_TO_COUNT = 2**26, 2**15, 2**23
_LARGEST_RATIO = 2.0**30
_RESTORATION = {"module__width": 48, "module__n_blocks": 2}
_FEW_IMAGES, _VALUES_TO_RESTORE = 2**13, 2**27
_MOST_PASSES, _IMAGES_TO_RESTORE, _MOST_COPIES = 20, 2**17, 10
_CRITIC_WEIGHT, _AMPLITUDE_WEIGHT = 0.5, 12.0
_MOST_PER_GAME_STEP, _VALUES_PER_GAME_STEP = 64, 2**17


class ImageCompressor(BaseAutoencoder):
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
        images, or 20 times each. With smaller patches it is 0: there training leaves little to
        gain, a few percent for many minutes, and decoding takes several times as long.
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
    >>> compressor = ImageCompressor().fit(digits[:900])
    >>> stream = compressor.compress_dataset(digits[900:], quality=40)
    >>> digits[900:].nbytes > 4 * len(stream)
    True
    >>> compressor.decompress_dataset(stream).shape
    (897, 8, 8)
    """

    _parameter_constraints: dict = {
        **{
            name: allowed
            for name, allowed in BaseAutoencoder._parameter_constraints.items()
            if name not in ("hidden_layer_sizes", "activation")
        },
        "module": [StrOptions(set(_KERNELS))],
        "image_shape": ["array-like", None],
        "patch_shape": [StrOptions({"auto"}), "array-like"],
        "n_components": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "quality": [Interval(Real, 0, 100, closed="both")],
        "adversarial": ["boolean"],
        "adversarial_steps": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(
        self,
        *,
        module: str = "conv",
        image_shape: Sequence[int] | None = None,
        patch_shape: str | Sequence[int] = "auto",
        n_components: int | str = "auto",
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

    @property
    def partial_fit(self) -> Any:
        """Not there: principal components and tables are those of all images together."""
        raise AttributeError(f"{type(self).__name__} has no partial_fit, but warm_start=True")

    @property
    def feature_errors(self) -> Any:
        """Not there: bits are not those of single pixels."""
        raise AttributeError(f"{type(self).__name__} has no feature_errors")

    # ------------------------------------------------------------------ images

    def _checked(self, X: Any, *, reset: bool = False) -> Images:
        if not reset:
            check_is_fitted(self)
        if not are_rows(X):
            images = checked_images(X)
        else:
            X = validate_data(
                self,
                X,
                accept_sparse="csr",
                dtype=[np.float64, np.float32, np.uint8, np.uint16],
                reset=reset,
            )
            X = X.toarray() if sparse.issparse(X) else X
            shape = self._row_shape(X.shape[1])
            arrays = list(shape.pictures(X))
            images = Images(arrays, "rows", shape[0] == 1, not shape.channels_last)
        if reset:
            self._form = images._replace(arrays=[images.arrays[0][:0]])
            self._shape = images.arrays[0].shape if images.are_equal else None
            is_integer = images.dtype.kind == "u"
            low = 0.0 if is_integer else images.min()
            high = float(np.iinfo(images.dtype).max) if is_integer else images.max()
            self._range = low, (high - low) or 1.0
            return images
        expected = self._form
        if images.arrays[0].shape[2] != expected.arrays[0].shape[2]:
            raise ValueError(
                f"X has {images.arrays[0].shape[2]} channels, but {type(self).__name__} was fitted "
                f"on images of {expected.arrays[0].shape[2]}"
            )
        if not are_alike(images.dtype, expected.dtype):
            raise ValueError(
                f"X has dtype {images.dtype}, but {type(self).__name__} was fitted on images of "
                f"{expected.dtype}"
            )
        return images

    def _row_shape(self, n_features: int) -> ImageShape:
        if self.image_shape is None:
            return ImageShape((1, 1, n_features))
        return checked_image_shape(self.image_shape, n_features)

    def _patch(self, images: Images) -> tuple[int, int]:
        if not isinstance(self.patch_shape, str):
            shape = tuple(self.patch_shape)
            if len(shape) != 2 or not all(isinstance(n, Integral) and n >= 1 for n in shape):
                raise ValueError(
                    f"patch_shape={self.patch_shape} must be 'auto' or two positive integers, "
                    "height and width"
                )
            height, width = np.max([array.shape[:2] for array in images.arrays], axis=0)
            if math.prod(shape) > _WHOLE and (shape[0] > height or shape[1] > width):
                raise ValueError(
                    f"patch_shape={self.patch_shape} must not be larger than the images, which "
                    f"have at most {height} x {width} pixels"
                )
            return int(shape[0]), int(shape[1])
        height, width, _ = images.arrays[0].shape
        if images.are_equal and images.arrays[0].size <= _WHOLE:
            return height, width
        return (1, _LINE) if height == 1 and images.are_equal else (_PATCH, _PATCH)

    # ------------------------------------------------------------------ fit

    def _patch_and_crop(self, X: Images) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return the shapes of patches, and of the crops to train on, which all images hold."""
        ph, pw = self._patch(X)
        height, width = np.min([array.shape[:2] for array in X.arrays], axis=0).tolist()
        return (ph, pw), (min(-(-height // ph), _CROP) * ph, min(-(-width // pw), _CROP) * pw)

    def _kernel_size(self, X: Images) -> int:
        patch, crop = self._patch_and_crop(X)
        # Some of the images may have neighbouring patches, but the crops have none.
        default = 1 if patch == crop and not X.are_equal else _KERNELS[self.module]
        return self._nested_params.get("module__kernel_size", default)

    def _restores_pixels(self, X: Images) -> bool:
        """Tell whether the decoder corrects pixels, as patches are whole images."""
        patch, crop = self._patch_and_crop(X)
        return patch == crop and self._kernel_size(X) > 1

    def _recipe(self, X: Images) -> Recipe:
        patch, crop = self._patch_and_crop(X)
        restores = self._restores_pixels(X)
        params = {
            "lr": self.lr,
            "batch_size": self.batch_size,
            "callbacks": [GradientNormClipping(1.0), *(self.callbacks or [])],
            "verbose": int(self.verbose),
            "iterator_valid__batch_size": self.batch_size,
            "objective": RestorationLoss() if restores else RateDistortion(),
            "optimizer__param_groups": [("*sis", {"lr": 0.04 * self.lr})],
            "module__image_shape": (*crop, X.arrays[0].shape[2]),
            "module__patch_shape": patch,
            "module__n_components": None if self.n_components == "auto" else self.n_components,
            "module__kernel_size": self._kernel_size(X),
            "module__adversarial": self.adversarial,
            **(_RESTORATION if restores else {}),
        }
        return Recipe(
            ImageCodecNetwork,
            "squared_error",
            self.optimizer,
            self.dtype,
            {**params, **self._nested_params},
        )

    def _rows(self, X: Images, dtype: torch.dtype, device: torch.device, loss: Any) -> Rows:
        patch, crop = self._patch_and_crop(X)
        arrays = [padded_image(array, patch) for array in X.arrays]
        return Crops(arrays, crop, self._range[0], 255 / self._range[1], 0, dtype, device)

    def _start(self, X: Images, shown: dict, max_epochs: int | str, once: bool) -> CallbackContext:
        if max_epochs == "auto":
            n, is_worth_it = len(X.arrays), self._restores_pixels(X)
            n_restored = min(_IMAGES_TO_RESTORE, _MOST_PASSES * n) / (n * self._n_copies(n))
            max_epochs = max(1, round(n_restored)) if is_worth_it else 0
        return super()._start(X, shown, max_epochs, once)

    def _train(
        self,
        net: AutoencoderNet,
        rows: Rows,
        shown: dict,
        max_epochs: int,
        *args: Any,
        **attributes: Any,
    ) -> CallbackContext:
        module: Any = net.module_
        if module.restores_pixels:
            # All but the decoder has its final state now.
            codec = self._frozen(net, rows)
            module.contexts.load_state_dict(codec.network.contexts.state_dict())
            n_values = _VALUES_TO_RESTORE if max_epochs else _VALUES_TO_COUNT
            # The same rows in a fit that goes on, and nothing drawn that training draws from.
            generator = torch.Generator().manual_seed(net.generator.initial_seed())
            rows = DecodedRows(rows, codec, self._n_copies(len(rows)), n_values, generator)
        return super()._train(net, rows, shown, max_epochs, *args, **attributes)

    def _n_copies(self, n_images: int) -> int:
        """Return at how many qualities each image is decoded for the decoder to learn from."""
        # Copies of held-out images among the others would be no use.
        few = 1 if self.early_stopping else math.ceil(_FEW_IMAGES / n_images)
        return min(_MOST_COPIES, few)

    def _frozen(self, net: AutoencoderNet, rows: Rows) -> Codec:
        """Set contexts and tables, which training has no part in."""
        n_some = max(1, min(_CROPS_TO_LEARN, _VALUES_TO_LEARN // rows.X.shape[1]))
        generator = torch.Generator().manual_seed(net.generator.initial_seed())
        some = rows.take(torch.randperm(len(rows), generator=generator)[:n_some])
        if not (largest := float(some.abs().max()) / 255) < _LARGEST_RATIO:
            low, span = self._range
            raise ValueError(
                f"X has values up to {low + span * largest:.3g}, too large to compute with; those "
                f"of the first training images lie between {low:.3g} and {low + span:.3g}"
            )
        trained: Any = net.averaged_module_
        trained.fit_contexts(some)
        codec = self._codec_of(trained)
        few = some[: max(1, _VALUES_TO_COUNT // some.shape[1])]
        with torch.no_grad():
            grid = codec.network.coefficients(few.cpu().float())
        codec.learn_tables([grid], list(range(0, N_QUALITIES, N_PER_LEVEL)))
        return codec

    def _finish(self, net: AutoencoderNet, rows: Rows, y: Any) -> dict[str, Any]:
        trained: Any = net.averaged_module_
        if isinstance(rows, DecodedRows):
            codec, rows = rows.codec, rows.images
            codec.network.load_state_dict(trained.state_dict())
        else:
            codec = self._frozen(net, rows)
        if trained.sharpener is not None:
            state = self._sharpened(net, rows).state_dict()
            for network in (trained, net.module_, codec.network):
                network.sharpener.load_state_dict(state)
        attributes = {"_codec": codec, "fingerprint_": codec.fingerprint()}
        if self._shape is not None:
            attributes["_n_features_out"] = math.prod(self._grid(codec.network))
        return attributes

    def _grid(self, network: ImageCodecNetwork) -> tuple[int, int, int]:
        """Return the shape of the code of the training images, if they were equal."""
        (height, width, _), (ph, pw) = self._shape, network.patch_shape
        return -(-height // ph), -(-width // pw), network.n_components

    def _sharpened(self, net: AutoencoderNet, rows: Rows) -> nn.Module:
        """Return the sharpener after a game against a critic, in which all else stands still."""
        size = min(_MOST_PER_GAME_STEP, max(2, _VALUES_PER_GAME_STEP // rows.X.shape[1]))
        params = {
            "lr": 1e-3,
            "batch_size": size,
            "verbose": int(self.verbose),
            "objective": AdversarialTexture(_CRITIC_WEIGHT, _AMPLITUDE_WEIGHT),
            "module__codec": net.averaged_module_,
            "optimizer__betas": (0.0, 0.9),
        }
        recipe = Recipe(SharpeningNetwork, "squared_error", "adam", self.dtype, params)
        game = recipe.build(torch.device(net.device), net.generator.initial_seed())
        game.start_averaging()
        n_epochs, rest = divmod(self.adversarial_steps * size, len(rows))
        game.fit_rows(rows, None, n_epochs)
        if rest:
            order = torch.randperm(len(rows), generator=game.generator)
            game.fit_rows(rows.subset(order[:rest]), None, 1)
        return game.averaged_module_.codec.sharpener

    def _codec_of(self, module: nn.Module) -> Codec:
        network: Any = copy.deepcopy(module).cpu().float()
        return Codec(network)

    # ------------------------------------------------------------------ streams

    def compress(
        self,
        X: Any,
        *,
        quality: float | None = None,
        target_bpp: float | None = None,
        target_psnr: float | None = None,
    ) -> list[bytes]:
        """Write each image as a byte string.

        Parameters
        ----------
        X : array-like or list of ndarray
            Images, in any form that :meth:`fit` takes.
        quality : float, default=None
            From 0, few bits, to 100, high fidelity; None takes that of the estimator.
        target_bpp : float, default=None
            Instead of a quality: the best one with at most so many bits per pixel, for each image.
        target_psnr : float, default=None
            Instead of a quality: the least one with a peak signal-to-noise ratio of at least so
            many decibels, for each image.

        Returns
        -------
        list of bytes
            A stream for each image. If no quality meets a target, the one that comes closest.
        """
        images = self._checked(X)
        given = {"quality": quality, "target_bpp": target_bpp, "target_psnr": target_psnr}
        if len(chosen := [name for name, value in given.items() if value is not None]) > 1:
            raise ValueError(f"{' and '.join(chosen)} exclude each other")
        for name in ("target_bpp", "target_psnr"):
            value = given[name]
            if value is not None and not (isinstance(value, Real) and value > 0):
                raise ValueError(f"{name}={value!r} must be a positive number")
        number = self._number(quality)
        streams = []
        for array in images.arrays:
            if target_bpp is not None:
                most = target_bpp * array.shape[0] * array.shape[1] / 8
                stream = self._searched(array, lambda _, s, most=most: len(s) > most)[0]
            elif target_psnr is not None:
                stream = self._searched(array, lambda a, s: self._psnr(a, s) >= target_psnr)[1]
            else:
                stream = self._streams.write([array], number)
            streams.append(stream)
        return streams

    def compress_dataset(self, X: Any, *, quality: float | None = None) -> bytes:
        """Write many equal images as one byte string.

        They share a header and checksums, so that small images cost little more than their code.

        Parameters
        ----------
        X : array-like or list of ndarray
            Images of one shape.
        quality : float, default=None
            From 0, few bits, to 100, high fidelity; None takes that of the estimator.

        Returns
        -------
        bytes
            A stream, for :meth:`decompress_dataset`.
        """
        images = self._checked(X)
        if not images.are_equal:
            shapes = sorted({array.shape for array in images.arrays})
            raise ValueError(f"compress_dataset needs images of one shape, but X has {shapes}")
        return self._streams.write(images.arrays, self._number(quality))

    def decompress(
        self,
        streams: Sequence[bytes],
        *,
        region: tuple[slice, slice] | None = None,
        realism: float | None = None,
        max_values: int = MAX_VALUES,
    ) -> Any:
        """Read images.

        Parameters
        ----------
        streams : list of bytes
            What :meth:`compress` has returned.
        region : tuple of two slices, default=None
            The rows and the columns that are wanted; only the tiles that hold them are decoded.
            None for all.
        realism : float, default=None
            From 0, the most faithful picture, to 1, with all of the texture that the adversarial
            training has learned to draw. None is 1 for a model with ``adversarial=True``, else 0.
        max_values : int, default=2**30
            How many values a stream may unfold to: protection against hostile streams.

        Returns
        -------
        ndarray or list of ndarray
            Images, in the form of the training data.

        Raises
        ------
        BitstreamError
            If a stream was changed, or written by another model.
        """
        check_is_fitted(self)
        realism = self._checked_realism(realism)
        if isinstance(streams, bytes | bytearray | memoryview):
            raise TypeError("streams must be a list of bytes, got bytes; pass [stream]")
        arrays = [
            a
            for stream in streams
            for a in self._streams.read(stream, max_values, realism=realism, region=region)
        ]
        if not arrays:
            raise ValueError("streams holds no stream, at least 1 is required")
        return self._form.restored(arrays)

    def decompress_dataset(
        self,
        stream: bytes,
        indices: Any = None,
        *,
        realism: float | None = None,
        max_values: int = MAX_VALUES,
    ) -> Any:
        """Read images of a data set.

        Parameters
        ----------
        stream : bytes
            What :meth:`compress_dataset` has returned.
        indices : int, slice or array-like of int, default=None
            Which images; None for all. Only the chunks that hold them are decoded.
        realism : float, default=None
            As in :meth:`decompress`.
        max_values : int, default=2**30
            How many values the stream may unfold to.

        Returns
        -------
        ndarray or list of ndarray
            Images, in the form of the training data.

        Raises
        ------
        BitstreamError
            If the stream was changed, or written by another model.
        """
        check_is_fitted(self)
        realism = self._checked_realism(realism)
        return self._form.restored(self._streams.read(stream, max_values, indices, realism))

    def _checked_realism(self, realism: float | None) -> float:
        has_texture = self._codec.network.sharpener is not None
        if realism is None:
            return float(has_texture)
        if not (isinstance(realism, Real) and 0 <= realism <= 1):
            raise ValueError(f"realism={realism!r} must be a number between 0 and 1")
        if realism > 0 and not has_texture:
            raise ValueError(
                f"realism={realism} needs a model that was fitted with adversarial=True"
            )
        return float(realism)

    def _searched(
        self, array: np.ndarray, is_high: Callable[[np.ndarray, bytes], bool]
    ) -> tuple[bytes, bytes]:
        """Return the last stream that is not high and the first that is, or one if all agree."""
        low, high = 0, N_QUALITIES  # the first high one lies in between, both included
        seen: dict[int, bytes] = {}
        while low < high:
            middle = (low + high) // 2
            seen[middle] = self._streams.write([array], middle)
            low, high = (low, middle) if is_high(array, seen[middle]) else (middle + 1, high)
        below, above = max(low - 1, 0), min(low, N_QUALITIES - 1)
        return seen[below], seen[above]

    def _psnr(self, array: np.ndarray, stream: bytes) -> float:
        decoded = self._streams.read(stream)[0]
        return psnr([array], [decoded], max_value=self._range[1])

    @property
    def _streams(self) -> StreamCodec:
        first = self._form.arrays[0]
        return StreamCodec(self._codec, self.fingerprint_, self._range, first.dtype, first.shape[2])

    def _number(self, quality: float | None) -> int:
        quality = self.quality if quality is None else quality
        if not (isinstance(quality, Real) and 0 <= quality <= 100):
            raise ValueError(f"quality={quality!r} must be a number between 0 and 100")
        return round(quality / 100 * (N_QUALITIES - 1))

    # ------------------------------------------------------------------ codes

    def transform(self, X: Any) -> np.ndarray | list[np.ndarray]:
        """Return the coefficients of images, before they are rounded.

        Parameters
        ----------
        X : array-like or list of ndarray
            Images.

        Returns
        -------
        ndarray of shape (n_images, n_coefficients) or list of ndarray
            A list of such rows, if images have different shapes.
        """
        images = self._checked(X)
        dtype = images.dtype if images.dtype.kind == "f" else np.dtype(np.float32)
        codes = [
            self._streams.coefficients([array]).flatten().numpy().astype(dtype)
            for array in images.arrays
        ]
        return np.stack(codes) if images.are_equal else codes

    @torch.inference_mode()
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
        Z = self._checked_codes(X)
        if self._shape is None:
            raise ValueError(
                "inverse_transform needs training images of one shape; decompress reads images of "
                "any"
            )
        network, (height, width, _) = self._codec.network, self._shape
        y = torch.from_numpy(Z.astype(np.float32)).reshape(len(Z), *self._grid(network))
        x = network.unrounded(y)[:, :height, :width]
        return self._form.restored(self._streams.pixels(x, self._form.dtype))

    def reconstruct(self, X: Any) -> Any:
        """Compress images and decompress them again.

        Parameters
        ----------
        X : array-like or list of ndarray
            Images.

        Returns
        -------
        ndarray or list of ndarray
            What is left of them at the estimator's quality.
        """
        return self.decompress(self.compress(X))

    def score_samples(self, X: Any) -> np.ndarray:
        """Return minus the cost of each image at the estimator's quality.

        Parameters
        ----------
        X : array-like or list of ndarray
            Images.

        Returns
        -------
        ndarray of shape (n_images,)
            Minus the bits per value, and minus the mean squared error in the units in which it is
            worth a bit at this quality.

        Notes
        -----
        Bits are the ideal length of the code of each image, without header and checksums, which
        images of a data set share.
        """
        images, number = self._checked(X), self._number(None)
        worth = BIT_WEIGHT * step_size(number / N_PER_LEVEL) ** 2
        by_shape: dict[tuple[int, ...], list[int]] = {}
        for i, array in enumerate(images.arrays):
            by_shape.setdefault(array.shape, []).append(i)
        scores = np.empty(len(images.arrays))
        for shape, indices in by_shape.items():
            arrays = [images.arrays[i] for i in indices]
            bits, squares = self._streams.costs(arrays, number)
            scores[indices] = -(bits + squares / worth) / math.prod(shape)
        return scores

    def score(self, X: Any, y: Any = None) -> float:
        """Return the mean of :meth:`score_samples`.

        Parameters
        ----------
        X : array-like or list of ndarray
            Images.
        y : Ignored
            Not used, present for API consistency.

        Returns
        -------
        float
            Minus the mean cost; higher is better.
        """
        return float(np.mean(self.score_samples(X)))

    # ------------------------------------------------------------------ state

    @classmethod
    def pretrained(cls, **params: Any) -> Self:
        """Return a compressor that has been fitted to photographs.

        Parameters
        ----------
        **params : dict
            Parameters of the estimator. Those of its network, `module`, `patch_shape`,
            `n_components` and `adversarial`, are fixed.

        Returns
        -------
        ImageCompressor
            Fitted to color photographs of 8 bits, those of CLIC 2025 at half size (Unsplash
            License), by ``benchmarks/pretrained_image_compressor.py``. With ``warm_start=True``,
            its :meth:`fit` goes on from there.
        """
        with np.load(resources.files(__package__) / "photographs.npz", allow_pickle=False) as file:
            arrays = dict(file)
        fixed = {"adversarial": False, **json.loads(str(arrays["params"]))}
        if changed := sorted(fixed.keys() & params.keys()):
            raise ValueError(f"{', '.join(changed)} can't be set, the network is trained already")
        model = cls(**fixed, **params)
        model._check_nested_params()
        model._validate_params()
        images = model._checked([np.zeros((*_CROP_OF_PHOTOGRAPHS, 3), np.uint8)], reset=True)
        recipe = model._recipe(images)
        net = recipe.build(resolve_device(model.device, getattr(torch, recipe.dtype)))
        state = {
            name.removeprefix(_NETWORK): torch.from_numpy(array)
            for name, array in arrays.items()
            if name.startswith(_NETWORK)
        }
        net.module_.load_state_dict(state)
        net.start_averaging()
        vars(model).update(model._fitted_attributes(net, recipe), max_epochs_=0, _shape=None)
        model._codec = model._codec_of(net.averaged_module_)
        model._codec.load_state(arrays)
        model.fingerprint_ = model._codec.fingerprint()
        model._n_features_out = net.module_.n_components * _CROP**2
        return model

    def _arrays(self) -> dict[str, np.ndarray]:
        """Return what :meth:`pretrained` reads; trained weights lose half of their bits."""
        network = {
            name: value.half() if name.startswith(("encoder", "decoder", "contexts")) else value
            for name, value in self._codec.network.state_dict().items()
        }
        params = {name: getattr(self, name) for name in ("module", "patch_shape", "n_components")}
        return {
            **{_NETWORK + name: value.numpy() for name, value in network.items()},
            **self._codec.state(),
            "params": np.array(json.dumps({**params, **self._nested_params})),
        }

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        if "_codec" in state:
            state["_codec"] = state["_codec"].state()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "_codec" in state:
            self._codec = self._codec_of(self.module_)
            self._codec.load_state(state["_codec"])
