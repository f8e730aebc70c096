"""An autoencoder of images whose code is made to be rounded and compressed."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ._base_contexts import Contexts
from ._contexts import ChannelContexts
from ._corrections import Correction, PixelCorrection
from ._quantizer import N_LEVELS, Quantizer
from ._texture import Sharpener
from ._transform import PatchTransform
from ._transform_codec import TransformCodec
from ._visible import visible_steps
from ._wide_contexts import WideContexts

# In the units of images, whose values lie between 0 and 255.
_COARSEST, _FINEST = 140.0, 7.0
_FAINT = 5.0  # coefficients that a correction need not see
_VALUES_TO_START = 2**22  # that contexts are fitted to before a training

# What stored models call the parts that have moved.
_FORMER_NAMES = {
    "mean": "transform.mean",
    "spread": "transform.spread",
    "analysis": "transform.analysis",
    "synthesis": "transform.synthesis",
    "gains": "quantizer.gains",
    "contexts.spreads": "contexts.sources.spreads",
    "contexts.directions": "contexts.sources.directions",
}


class ImageCodecNetwork(TransformCodec):
    """Principal components of overlapping patches, and residual networks that correct them.

    If a patch is a whole image, and convolutions are wanted, then they correct the pixels that come
    out. Values of images lie between 0 and 255.

    Parameters
    ----------
    image_shape : tuple of three ints
        Height, width and channels of the flattened images that it is trained on; others may have
        another height and width.
    patch_shape : tuple of two ints
        Height and width of a patch. Images are padded to a multiple of them by the caller.
    n_components : int or None, default=None
        Number of coefficients of a patch; None for as many as it has values.
    width : int, default=128
        Channels of the residual networks.
    n_blocks : int, default=3
        Residual blocks of each of them.
    kernel_size : int, default=3
        How many patches a convolution looks at in each direction, or how many squares of 2 x 2
        pixels, if a patch is a whole image; 1 makes perceptrons of patches.
    adversarial : bool, default=False
        Whether a further residual network, `sharpener`, draws the texture that rounding has erased.
    wide : bool, default=False
        Whether contexts look at single channels and far around. Where patches are whole images,
        they do not. The default is what networks were that say nothing of it.
    objective : {"psnr", "ms_ssim"}, default="psnr"
        What steps of rounding serve: squared errors, for which they are equal at first and can be
        trained, or multi-scale structural similarity, for which each channel keeps one of its own.
    """

    span = 255.0
    cells_to_start_from = 2**26  # with a quarter of them, photographs take 3 to 5 % more bits
    encoder: Correction | None
    decoder: Correction

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        patch_shape: tuple[int, int],
        n_components: int | None = None,
        width: int = 128,
        n_blocks: int = 3,
        kernel_size: int = 3,
        adversarial: bool = False,
        wide: bool = False,
        objective: str = "psnr",
    ) -> None:
        super().__init__()
        self.image_shape, self.patch_shape = tuple(image_shape), tuple(patch_shape)
        d = patch_shape[0] * patch_shape[1] * image_shape[2]
        k = self.n_components = d if n_components is None else min(n_components, d)
        self.transform = PatchTransform(self.patch_shape, d, k)
        self.quantizer = Quantizer(k, _COARSEST, _FINEST)
        self.objective = objective
        self.quantizer.gains.requires_grad_(objective == "psnr")
        self.restores_pixels = self.restores(image_shape, patch_shape, kernel_size)
        if self.restores_pixels:
            # All else stands still, so that the decoder learns from what is really decoded.
            self.requires_grad_(False)
            self.encoder = None
            self.decoder = PixelCorrection(image_shape[2], width, n_blocks, kernel_size)
            kernel_size = 1  # of the sharpener, which looks at coefficients
        else:
            self.encoder = Correction(k, k, width, n_blocks, kernel_size)
            self.decoder = Correction(k, k, width, n_blocks, kernel_size)
        are_alone = self.patch_shape == self.image_shape[:2]
        self.contexts: Contexts = (
            WideContexts(k, N_LEVELS)
            if wide and not are_alone
            else ChannelContexts(k, N_LEVELS, are_alone)
        )
        # The last one, so that the others start from the same weights with and without it.
        self.sharpener = Sharpener(k, width, n_blocks, kernel_size) if adversarial else None

    @staticmethod
    def restores(image_shape: Sequence[int], patch_shape: Sequence[int], kernel_size: int) -> bool:
        """Tell whether the decoder corrects pixels instead of coefficients.

        Parameters
        ----------
        image_shape : sequence of int
            Height and width, and perhaps channels, of images.
        patch_shape : sequence of two ints
            Height and width of a patch.
        kernel_size : int
            That of convolutions.

        Returns
        -------
        bool
            Whether patches are whole images, and convolutions look at more than one place.
        """
        return tuple(patch_shape) == tuple(image_shape[:2]) and kernel_size > 1

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *args: Any) -> None:
        for former, name in _FORMER_NAMES.items():
            if prefix + former in state_dict:
                state_dict[prefix + name] = state_dict.pop(prefix + former)
        super()._load_from_state_dict(state_dict, prefix, *args)

    @property
    def mean(self) -> Tensor:
        """The mean of patches; of the dtype, and on the device, of all weights."""
        return self.transform.mean

    def stream_tensors(self) -> list[Tensor]:
        transform = self.transform
        tensors: list[Tensor] = [transform.analysis, transform.synthesis, self.quantizer.gains]
        tensors += [transform.mean, transform.spread]
        for part in (self.encoder, self.decoder, self.contexts):
            tensors.extend([] if part is None else part.state_dict().values())
        return tensors  # not those of the sharpener: streams are the same with and without it

    # ------------------------------------------------------------------ coefficients

    def principal_components(self, x: Tensor) -> Tensor:
        """Return those of patches.

        Parameters
        ----------
        x : Tensor of shape (n_images, height, width, channels) or (n_images, n_features)
            Images.

        Returns
        -------
        Tensor of shape (n_images, rows, columns, n_components)
            Coefficients that have not been corrected, in the units of the images.
        """
        return self.transform.components(self._unflattened(x))

    def coefficients(self, x: Tensor) -> Tensor:
        y = self.principal_components(x)
        if self.encoder is None:
            return y
        size = self.transform.spread.clamp(max=self.quantizer.middle_step)
        return y + self.encoder(self._even(y), y.new_zeros(1)) * size

    def synthesize(self, y: Tensor, level: float, realism: float = 0.0) -> Tensor:
        if self.restores_pixels:
            x = self.restored(self.projected(y), torch.full_like(y[:, 0, 0, 0], level))
        else:
            # In the size of what rounding takes away, so that all channels learn equally fast.
            correction = self.decoder(self._even(y), _relative(level, y))
            x = self.projected(y + correction * self._erased(level))
        return x + realism * self.texture(y, level) if realism else x

    def projected(self, y: Tensor) -> Tensor:
        """Return the images that have some principal components.

        Parameters
        ----------
        y : Tensor of shape (n_images, rows, columns, n_components)
            Principal components of patches.

        Returns
        -------
        Tensor of shape (n_images, height, width, channels)
            Images.
        """
        return self.transform.images(y)

    def restored(self, x: Tensor, levels: Tensor) -> Tensor:
        """Correct the pixels of decoded images.

        Parameters
        ----------
        x : Tensor of shape (n_images, height, width, channels)
            Images.
        levels : Tensor of shape (n_images,)
            How finely their coefficients were rounded, from 0 to ``N_LEVELS - 1``.

        Returns
        -------
        Tensor of shape (n_images, height, width, channels)
            Images.
        """
        correction = self.decoder(x / 128 - 1, levels / N_LEVELS)
        return x + correction * self.step_size(levels)[:, None, None, None]

    def texture(self, y: Tensor, level: float, generator: torch.Generator | None = None) -> Tensor:
        """Return what the sharpener adds to images.

        Parameters
        ----------
        y : Tensor of shape (n_images, rows, columns, n_components)
            Coefficients, rounded.
        level : float
            How finely, from 0 to ``N_LEVELS - 1``.
        generator : torch.Generator or None, default=None
            Draws the noise that texture is made of; None takes the same noise for all images.

        Returns
        -------
        Tensor of shape (n_images, height, width, channels)
            Differences of images.
        """
        sharpener: Any = self.sharpener
        detail = sharpener.detail(y / self.transform.spread, _relative(level, y), generator)
        return self.transform.differences(detail * self._erased(level))

    def _unflattened(self, x: Tensor) -> Tensor:
        return x.reshape(len(x), *self.image_shape) if x.ndim == 2 else x

    def _erased(self, level: float) -> Tensor:
        """Return how wide at most is what rounding erases: as the coefficients, and as its step."""
        return self.transform.spread.clamp(max=self.step_size(level))

    def _even(self, y: Tensor) -> Tensor:
        """Return coefficients as the corrections see them, all of about the same size."""
        return y / (self.transform.spread + _FAINT)

    def decode(self, z: Tensor) -> Tensor:
        """Return flattened images for codes, as if nothing had been rounded.

        Parameters
        ----------
        z : Tensor of shape (n_images, n_coefficients)
            Codes.

        Returns
        -------
        Tensor of shape (n_images, n_features)
            Images.
        """
        rows = self.image_shape[0] // self.patch_shape[0]
        return self.unrounded(z.reshape(len(z), rows, -1, self.n_components)).flatten(1)

    def unrounded(self, y: Tensor) -> Tensor:
        """Return images for coefficients that were not rounded.

        Parameters
        ----------
        y : Tensor of shape (n_images, rows, columns, n_components)
            Coefficients.

        Returns
        -------
        Tensor of shape (n_images, height, width, channels)
            Images.
        """
        # Where the decoder corrects pixels, it has nothing to correct.
        return self.projected(y) if self.restores_pixels else self.synthesize(y, self.highest_level)

    # ------------------------------------------------------------------ closed form

    @torch.no_grad()
    def initialize(self, x: Tensor, target: Tensor) -> None:
        """Set everything that has a closed form: principal components, steps, means and scales.

        Parameters
        ----------
        x : Tensor of shape (n_images, n_features)
            Training data.
        target : Tensor
            Not used.
        """
        self.transform.fit(self._unflattened(x))
        if self.objective == "ms_ssim":
            images = self._unflattened(x)
            steps = visible_steps(images, self.transform.components, self.projected)
            self.quantizer.gains.copy_(steps.log())
        if not self.restores_pixels:  # then training begins when all is fitted
            self.fit_contexts(x[: max(1, _VALUES_TO_START // x.shape[1])])


def _relative(level: float, y: Tensor) -> Tensor:
    """Return a level as the corrections see it."""
    return y.new_tensor([level / N_LEVELS])
