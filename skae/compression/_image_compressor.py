"""An estimator that learns to write images as short byte strings."""

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch
from scipy import sparse
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor, nn

from .._base import BaseAutoencoder
from ..metrics import psnr
from ..networks import BIT_WEIGHT, ImageCodecNetwork, SharpeningNetwork, step_size
from ..training import AdversarialTexture, AutoencoderNet, RateDistortion, Recipe, Rows
from ._codec import N_PER_LEVEL, N_QUALITIES, Codec
from ._coder import BitstreamError
from ._container import CODED, RAW, Header, pack, unpack
from ._images import Crops, Images, are_alike, checked_images, is_rows, padded_image

_KERNELS = {"conv": 3, "mlp": 1}
_WHOLE, _PATCH, _LINE = 1024, 8, 64
_CROP = 16  # patches
_TILE = 512
_MOST_TOGETHER, _VALUES_TOGETHER = 256, 2**21
_MAX_VALUES, _VALUES_TO_LEARN = 2**30, 2**24
_CRITIC_WEIGHT, _AMPLITUDE_WEIGHT = 0.5, 12.0
_MOST_PER_GAME_STEP, _VALUES_PER_GAME_STEP = 64, 2**17


class ImageCompressor(BaseAutoencoder):
    """Lossy compression of images by an autoencoder that is trained on images of their kind.

    Images are cut into patches, which become coefficients of their principal components; residual
    networks correct what is lost in rounding. Rounded coefficients are coded by how widely they are
    expected to be spread, given those coded before. Everything but the residual networks has a
    closed form, so that ``max_epochs=0`` is a usable codec already.

    Parameters
    ----------
    module : {"conv", "mlp"}, default="conv"
        Residual networks that look at neighbouring patches, or at each patch alone.
    image_shape : tuple of int, default=None
        Shape of the images in the rows of a matrix: height and width, and perhaps channels. None
        takes a row as a line of pixels.
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
        Learning rate of the residual networks.
    batch_size : int, default=8
        Number of crops, or of whole images, per step.
    max_epochs : "auto" or int, default="auto"
        Number of passes over the images. 0 keeps the closed form.
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
        ``module__width=128`` and ``module__n_blocks=3`` of the residual networks; others as in
        :class:`skae.Autoencoder`.

    References
    ----------
    .. [1] F. Mentzer, G. Toderici, M. Tschannen and E. Agustsson. "High-fidelity generative image
       compression". NeurIPS (2020).
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

    # ------------------------------------------------------------------ images

    def _checked(self, X: Any, *, reset: bool = False) -> Images:
        if not reset:
            check_is_fitted(self)
        if not is_rows(X):
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
            images = Images(list(X.reshape(len(X), *shape)), "rows", shape[2] == 1)
        if reset:
            self._form = images._replace(arrays=[images.arrays[0][:0]])
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

    def _row_shape(self, n_features: int) -> tuple[int, int, int]:
        if self.image_shape is None:
            return 1, n_features, 1
        shape = tuple(int(n) for n in self.image_shape)
        shape = (*shape, 1) if len(shape) == 2 else shape
        if len(shape) != 3 or min(shape) < 1 or np.prod(shape) != n_features:
            raise ValueError(
                f"image_shape={self.image_shape} must be height and width, and perhaps channels, "
                f"with a product of {n_features}, the number of columns of X"
            )
        return shape

    def _patch(self, images: Images) -> tuple[int, int]:
        if not isinstance(self.patch_shape, str):
            shape = tuple(self.patch_shape)
            if len(shape) != 2 or not all(isinstance(n, Integral) and n >= 1 for n in shape):
                raise ValueError(
                    f"patch_shape={self.patch_shape} must be 'auto' or two positive integers, "
                    "height and width"
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

    def _recipe(self, X: Images) -> Recipe:
        patch, crop = self._patch_and_crop(X)
        params = {
            "lr": self.lr,
            "batch_size": self.batch_size,
            "callbacks": list(self.callbacks or []),
            "verbose": int(self.verbose),
            "iterator_valid__batch_size": self.batch_size,
            "objective": RateDistortion(),
            "optimizer__param_groups": [("*sis", {"lr": 0.04 * self.lr})],
            "module__image_shape": (*crop, X.arrays[0].shape[2]),
            "module__patch_shape": patch,
            "module__n_components": None if self.n_components == "auto" else self.n_components,
            "module__kernel_size": _KERNELS[self.module],
            "module__adversarial": self.adversarial,
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

    def _finish(self, net: AutoencoderNet, rows: Rows, y: Any) -> dict[str, Any]:
        some = rows.take(torch.arange(len(rows))[: max(1, _VALUES_TO_LEARN // rows.X.shape[1])])
        trained: Any = net.averaged_module_
        trained.fit_contexts(some)
        net.module_.contexts.load_state_dict(trained.contexts.state_dict())
        if trained.sharpener is not None:
            state = self._sharpened(net, rows).state_dict()
            trained.sharpener.load_state_dict(state)
            net.module_.sharpener.load_state_dict(state)
        codec = self._codec_of(trained)
        with torch.no_grad():
            grid = codec.network.coefficients(some.cpu().float())
        codec.learn_tables([grid], list(range(0, N_QUALITIES, N_PER_LEVEL)))
        return {"_codec": codec, "fingerprint_": codec.fingerprint()}

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
                stream = self._compressed(array[None], number)
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
        return self._compressed(np.stack(images.arrays), self._number(quality))

    def decompress(
        self,
        streams: Sequence[bytes],
        *,
        realism: float | None = None,
        max_values: int = _MAX_VALUES,
    ) -> Any:
        """Read images.

        Parameters
        ----------
        streams : list of bytes
            What :meth:`compress` has returned.
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
            a for stream in streams for a in self._decompressed(stream, max_values, None, realism)
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
        max_values: int = _MAX_VALUES,
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
        return self._form.restored(list(self._decompressed(stream, max_values, indices, realism)))

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
            seen[middle] = self._compressed(array[None], middle)
            low, high = (low, middle) if is_high(array, seen[middle]) else (middle + 1, high)
        below, above = max(low - 1, 0), min(low, N_QUALITIES - 1)
        return seen[below], seen[above]

    def _psnr(self, array: np.ndarray, stream: bytes) -> float:
        decoded = self._decompressed(stream, _MAX_VALUES)[0]
        return psnr(array, decoded, max_value=self._range[1])

    def _number(self, quality: float | None) -> int:
        quality = self.quality if quality is None else quality
        if not (isinstance(quality, Real) and 0 <= quality <= 100):
            raise ValueError(f"quality={quality!r} must be a number between 0 and 100")
        return round(quality / 100 * (N_QUALITIES - 1))

    def _layout(self, n_images: int, *shape: int) -> tuple[int, int]:
        """Return how many images share a chunk, and the height and width of tiles."""
        n_together = max(1, min(n_images, _MOST_TOGETHER, _VALUES_TOGETHER // math.prod(shape)))
        patch = max(self._codec.network.patch_shape)
        return n_together, patch * max(1, _TILE // patch)

    def _compressed(self, array: np.ndarray, number: int) -> bytes:
        """Return the stream of images of one shape."""
        codec, (n_together, tile) = self._codec, self._layout(*array.shape)
        raw = Header(RAW, str(array.dtype), self.fingerprint_, *array.shape)
        header = replace(raw, kind=CODED, quality=number, n_together=n_together, tile=tile)
        chunks = []
        for images, rows, columns in header.places():
            x = self._tensor(array[images, rows, columns])
            chunks.append(codec.encode(self._coefficients(x), number)[0])
        stream = pack(header, chunks)
        if len(stream) <= array.nbytes:
            return stream
        little = array.astype(array.dtype.newbyteorder("<"))
        return pack(raw, [little.tobytes()])

    @torch.inference_mode()
    def _coefficients(self, x: Tensor) -> Tensor:
        return self._codec.network.coefficients(x)

    def _tensor(self, array: np.ndarray) -> Tensor:
        """Return images of one shape, padded, with values between 0 and 255."""
        low, span = self._range
        padded = np.stack([padded_image(a, self._codec.network.patch_shape) for a in array])
        return torch.from_numpy((padded.astype(np.float32) - np.float32(low)) * (255 / span))

    def _images(self, x: Tensor, dtype: np.dtype) -> np.ndarray:
        """Return values between 0 and 255 as those of images."""
        low, span = self._range
        x = x * (span / 255) + low
        if not x.isfinite().all():
            raise BitstreamError("its numbers are out of range")
        values = x.numpy()
        if dtype.kind == "u":
            values = values.clip(0, np.iinfo(dtype).max).round()
        return values.astype(dtype)

    @torch.inference_mode()
    def _decompressed(
        self, stream: bytes, max_values: int, indices: Any = None, realism: float = 0.0
    ) -> np.ndarray:
        header, chunks = unpack(stream, max_values)
        if header.fingerprint != self.fingerprint_:
            raise BitstreamError(
                f"the stream was written by the model {header.fingerprint:08x}, this one is "
                f"{self.fingerprint_:08x}"
            )
        shape = (header.n_images, header.height, header.width, header.channels)
        dtype, expected = np.dtype(header.dtype), self._form.arrays[0]
        if header.channels != expected.shape[2]:
            raise BitstreamError(
                f"the header has {header.channels} channels, the model {expected.shape[2]}"
            )
        if not are_alike(dtype, expected.dtype):
            raise BitstreamError(f"the header has dtype {dtype}, the model {expected.dtype}")
        if header.kind == RAW and len(chunks[0]) != header.n_values * dtype.itemsize:
            raise BitstreamError(
                f"{len(chunks[0])} bytes of raw data, but {header.n_values} values of {dtype}"
            )
        if header.kind == CODED:
            if header.quality >= N_QUALITIES:
                raise BitstreamError(f"the header has quality {header.quality}, which is not known")
            # Other layouts would let a few bytes claim much memory or time.
            if (header.n_together, header.tile) != (layout := self._layout(*shape)):
                raise BitstreamError(
                    f"the header puts {header.n_together} images into chunks, and their tiles are "
                    f"{header.tile} wide, but it must be {layout[0]} and {layout[1]}"
                )
        wanted = np.arange(header.n_images)
        if indices is not None:
            try:
                wanted = np.atleast_1d(wanted[indices])
            except IndexError as error:
                raise IndexError(f"indices={indices!r}: {error}") from None
        if header.kind == RAW:
            raw = np.frombuffer(chunks[0], dtype.newbyteorder("<"))
            return raw.reshape(shape)[wanted].astype(dtype)
        array = np.empty((len(wanted), *shape[1:]), dtype)
        codec, (ph, pw) = self._codec, self._codec.network.patch_shape
        for i, (images, rows, columns) in enumerate(header.places()):
            here = np.flatnonzero((wanted >= images.start) & (wanted < images.stop))
            if not len(here):
                continue
            height, width = rows.stop - rows.start, columns.stop - columns.start
            grid = (images.stop - images.start, -(-height // ph), -(-width // pw))
            try:
                y = codec.decode(chunks[i], grid, header.quality)[wanted[here] - images.start]
                x = codec.network.synthesize(y, header.quality / N_PER_LEVEL, realism)
                array[here, rows, columns] = self._images(x[:, :height, :width], dtype)
            except BitstreamError as error:
                raise BitstreamError(f"chunk {i} of {len(chunks)}: {error}") from None
        return array

    # ------------------------------------------------------------------ codes

    @torch.inference_mode()
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
            self._coefficients(self._tensor(array[None])).flatten().numpy().astype(dtype)
            for array in images.arrays
        ]
        return np.stack(codes) if images.are_equal else codes

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
        """
        images, number = self._checked(X), self._number(None)
        worth = BIT_WEIGHT * step_size(number / N_PER_LEVEL) ** 2
        costs = []
        for array in images.arrays:
            stream = self._compressed(array[None], number)
            error = self._decompressed(stream, _MAX_VALUES)[0].astype(np.float64) - array
            squared = np.mean((error * (255 / self._range[1])) ** 2)
            costs.append(8 * len(stream) / array.size + squared / worth)
        return -np.array(costs)

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
