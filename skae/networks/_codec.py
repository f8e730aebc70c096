"""An autoencoder of images whose code is made to be rounded and compressed."""

import math
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ._contexts import LOG_SCALES, ChannelContexts

_COARSEST, _FINEST, N_LEVELS = 140.0, 7.0, 8
DEAD_ZONE, _RAMP = 0.38, 0.5
BIT_WEIGHT = 0.13  # squared steps that a bit is worth
_FAINT = 5.0  # coefficients that a correction need not see
_MIDDLE = math.sqrt(_COARSEST * _FINEST)
_SLOPE = 0.1
_SQUARE = 2
_VALUES_TO_START = 2**22  # that contexts are fitted to before a training
_LITTLE_NOISE = -3.5  # before the softplus, in steps


class _Residual(nn.Module):
    def __init__(self, width: int, kernel_size: int) -> None:
        super().__init__()
        padding = kernel_size // 2
        self.first = nn.Conv2d(width, width, kernel_size, padding=padding)
        self.second = nn.Conv2d(width, width, kernel_size, padding=padding)
        for parameter in self.second.parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(F.leaky_relu(self.first(F.leaky_relu(x, _SLOPE)), _SLOPE))


class _Correction(nn.Module):
    """What a residual network adds to coefficients: nothing, before it is trained."""

    def __init__(
        self,
        n_components: int,
        width: int,
        n_blocks: int,
        kernel_size: int,
        n_outputs: int | None = None,
    ) -> None:
        super().__init__()
        self.inner = nn.Linear(n_components, width)
        self.level = nn.Linear(1, width, bias=False)
        self.blocks = nn.Sequential(*[_Residual(width, kernel_size) for _ in range(n_blocks)])
        self.outer = nn.Linear(width, n_outputs or n_components)
        nn.init.zeros_(self.level.weight)
        nn.init.zeros_(self.outer.weight)
        nn.init.zeros_(self.outer.bias)

    def forward(self, y: Tensor, level: float = 0.0) -> Tensor:
        if not self.training and not self.outer.weight.any():
            return self.outer.bias.expand(*y.shape[:-1], -1)
        x = self.inner(y) + self.level(y.new_tensor([level]))
        x = self.blocks(x.movedim(-1, 1)).movedim(1, -1)
        return self.outer(F.leaky_relu(x, _SLOPE))


class _PixelCorrection(nn.Module):
    """What a residual network adds to images: nothing, before it is trained."""

    def __init__(self, n_channels: int, width: int, n_blocks: int, kernel_size: int) -> None:
        super().__init__()
        padding, n_values = kernel_size // 2, n_channels * _SQUARE**2
        self.inner = nn.Conv2d(n_values, width, kernel_size, padding=padding)
        self.level = nn.Linear(1, width, bias=False)
        self.blocks = nn.Sequential(*[_Residual(width, kernel_size) for _ in range(n_blocks)])
        self.outer = nn.Conv2d(width, n_values, kernel_size, padding=padding)
        for parameter in (self.level.weight, *self.outer.parameters()):
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor, level: Tensor) -> Tensor:
        if not self.training and not any(p.any() for p in self.outer.parameters()):
            return torch.zeros_like(x)
        height, width = x.shape[1:3]
        x = F.pad(x.movedim(-1, 1), (0, -width % _SQUARE, 0, -height % _SQUARE), "replicate")
        # Squares of pixels instead of more channels: about as good, and much faster.
        x = self.inner(F.pixel_unshuffle(x, _SQUARE)) + self.level(level[:, None])[..., None, None]
        x = F.pixel_shuffle(self.outer(F.leaky_relu(self.blocks(x), _SLOPE)), _SQUARE)
        return x.movedim(1, -1)[:, :height, :width]


class ImageCodecNetwork(nn.Module):
    """Principal components of overlapping patches, and residual networks that correct them.

    An orthogonal transform across the borders of the patches comes before their principal
    components, as in a lapped transform (Malvar & Staelin, 1989; Tran et al., 2003). If a patch is
    a whole image, and convolutions are wanted, then they correct the pixels that come out.

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
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        patch_shape: tuple[int, int],
        n_components: int | None = None,
        width: int = 128,
        n_blocks: int = 3,
        kernel_size: int = 3,
        adversarial: bool = False,
    ) -> None:
        super().__init__()
        self.image_shape, self.patch_shape = tuple(image_shape), tuple(patch_shape)
        d = patch_shape[0] * patch_shape[1] * image_shape[2]
        k = self.n_components = d if n_components is None else min(n_components, d)
        across = [_across_border(length) for length in patch_shape]
        self.register_buffer("across_rows", across[0], persistent=False)
        self.register_buffer("across_columns", across[1], persistent=False)
        self.register_buffer("mean", torch.zeros(d))
        self.register_buffer("spread", torch.ones(k))
        self.analysis = nn.Parameter(torch.eye(d, k))
        self.synthesis = nn.Parameter(torch.eye(k, d))
        are_alone = self.patch_shape == self.image_shape[:2]
        self.restores_pixels = are_alone and kernel_size > 1
        self.decoder: nn.Module
        if self.restores_pixels:
            # All else stands still, so that the decoder learns from what is really decoded.
            self.requires_grad_(False)
            self.encoder = None
            self.decoder = _PixelCorrection(image_shape[2], width, n_blocks, kernel_size)
            kernel_size = 1  # of the sharpener, which looks at coefficients
        else:
            self.encoder = _Correction(k, width, n_blocks, kernel_size)
            self.decoder = _Correction(k, width, n_blocks, kernel_size)
        self.gains = nn.Parameter(torch.zeros(2, N_LEVELS, k), not self.restores_pixels)
        self.contexts = ChannelContexts(k, N_LEVELS, are_alone)
        # The last one, so that the others start from the same weights with and without it.
        self.sharpener = (
            _Correction(k, width, n_blocks, kernel_size, 2 * k) if adversarial else None
        )

    highest_level = N_LEVELS - 1
    across_rows: Tensor
    across_columns: Tensor
    mean: Tensor
    spread: Tensor

    # ------------------------------------------------------------------ patches

    def patches(self, x: Tensor) -> Tensor:
        """Cut images into overlapping patches.

        Parameters
        ----------
        x : Tensor of shape (n_images, height, width, channels) or (n_images, n_features)
            Images.

        Returns
        -------
        Tensor of shape (n_images, rows, columns, n_values)
            Patches.
        """
        x = x.reshape(len(x), *self.image_shape) if x.ndim == 2 else x
        n, height, width, channels = x.shape
        ph, pw = self.patch_shape
        x = _mixed(_mixed(x, 1, self.across_rows), 2, self.across_columns)
        x = x.reshape(n, height // ph, ph, width // pw, pw, channels)
        return x.movedim(3, 2).flatten(3)

    def images(self, patches: Tensor) -> Tensor:
        """Put patches together.

        Parameters
        ----------
        patches : Tensor of shape (n_images, rows, columns, n_values)
            Patches.

        Returns
        -------
        Tensor of shape (n_images, height, width, channels)
            Images.
        """
        n, rows, columns = patches.shape[:3]
        ph, pw = self.patch_shape
        x = patches.reshape(n, rows, columns, ph, pw, -1).movedim(2, 3)
        x = x.reshape(n, rows * ph, columns * pw, -1)
        return _mixed(_mixed(x, 1, self.across_rows.T), 2, self.across_columns.T)

    # ------------------------------------------------------------------ coefficients

    def principal_components(self, x: Tensor) -> Tensor:
        """Return those of patches.

        Parameters
        ----------
        x : Tensor of shape (n_images, height, width, channels) or (n_images, n_features)
            Images, of values between 0 and 255.

        Returns
        -------
        Tensor of shape (n_images, rows, columns, n_components)
            Coefficients that have not been corrected, in the units of the images.
        """
        return (self.patches(x) - self.mean) @ self.analysis

    def coefficients(self, x: Tensor) -> Tensor:
        """Return the code of images on its grid.

        Parameters
        ----------
        x : Tensor of shape (n_images, height, width, channels) or (n_images, n_features)
            Images, of values between 0 and 255.

        Returns
        -------
        Tensor of shape (n_images, rows, columns, n_components)
            Coefficients, in the units of the images.
        """
        y = self.principal_components(x)
        if self.encoder is None:
            return y
        return y + self.encoder(self._even(y)) * self.spread.clamp(max=_MIDDLE)

    def synthesize(self, y: Tensor, level: float, realism: float = 0.0) -> Tensor:
        """Return images for coefficients.

        Parameters
        ----------
        y : Tensor of shape (n_images, rows, columns, n_components)
            Coefficients, rounded.
        level : float
            How finely, from 0 to ``N_LEVELS - 1``.
        realism : float, default=0.0
            How much of the texture to add, from 0 to 1.

        Returns
        -------
        Tensor of shape (n_images, height, width, channels)
            Images.
        """
        if self.restores_pixels:
            x = self.restored(self.projected(y), torch.full_like(y[:, 0, 0, 0], level))
        else:
            # In the size of what rounding takes away, so that all channels learn equally fast.
            correction = self.decoder(self._even(y), level / N_LEVELS)
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
        return self.images(y @ self.synthesis + self.mean)

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
        return x + correction * step_size(levels)[:, None, None, None]

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
        relative = y / self.spread
        gains, widths = sharpener(relative, level / N_LEVELS).chunk(2, -1)
        if generator is None:
            noise = fixed_noise(*y.shape[1:]).to(y)
        else:
            noise = torch.empty_like(y).normal_(generator=generator)
        # Without an offset, which would be a pattern with the period of the patches.
        detail = gains.tanh() * relative + F.softplus(widths + _LITTLE_NOISE) * noise
        return self.images(detail * self._erased(level) @ self.synthesis)

    def _erased(self, level: float) -> Tensor:
        """Return how wide at most is what rounding erases: as the coefficients, and as its step."""
        return self.spread.clamp(max=step_size(level))

    def _even(self, y: Tensor) -> Tensor:
        """Return coefficients as the corrections see them, all of about the same size."""
        return y / (self.spread + _FAINT)

    def steps(self, level: float) -> tuple[Tensor, Tensor]:
        """Return what coefficients are divided by before rounding, and multiplied by afterwards.

        Parameters
        ----------
        level : float
            How finely to round, from 0 to ``N_LEVELS - 1``.

        Returns
        -------
        divisors, factors : Tensor of shape (n_components,)
            In the units of the images.
        """
        gains = (interpolated(self.gains[0], level), interpolated(self.gains[1], level))
        return step_size(level) * gains[0].exp(), step_size(level) * gains[1].exp()

    def encode(self, x: Tensor) -> Tensor:
        """Return the code of flattened images.

        Parameters
        ----------
        x : Tensor of shape (n_images, n_features)
            Images.

        Returns
        -------
        Tensor of shape (n_images, n_coefficients)
            Coefficients.
        """
        return self.coefficients(x).flatten(1)

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

    # ------------------------------------------------------------------ rate and distortion

    def rate_distortion(self, x: Tensor, level: float) -> tuple[Tensor, Tensor]:
        """Return what images cost: gradients take rounding, and what is known of it, as given.

        Parameters
        ----------
        x : Tensor of shape (n_images, n_features)
            Images.
        level : float
            How finely to round.

        Returns
        -------
        bits : Tensor of shape (n_images,)
            Estimated length of the code.
        squares : Tensor of shape (n_images,)
            Sum of squared errors, in squared steps.
        """
        divisors, factors = self.steps(level)
        y = self.coefficients(x) / divisors
        flat = y.flatten(1, 2)
        decoded, means, scales = self._rounded(y.detach(), level)
        bits = code_length((flat - means).abs(), scales).sum((1, 2))
        # Rounding has the gradient of the identity, as in compressive autoencoders (ICLR 2017).
        error = self.synthesize((y + (decoded - y.detach())) * factors, level).flatten(1) - x
        return bits, error.square().sum(1) / step_size(level) ** 2

    @torch.no_grad()
    def rounded_coefficients(self, x: Tensor, level: float) -> Tensor:
        """Return what decoding starts from.

        Parameters
        ----------
        x : Tensor of shape (n_images, n_features)
            Images.
        level : float
            How finely to round.

        Returns
        -------
        Tensor of shape (n_images, rows, columns, n_components)
            Coefficients.
        """
        divisors, factors = self.steps(level)
        return self._rounded(self.coefficients(x) / divisors, level)[0] * factors

    @torch.no_grad()
    def _rounded(self, y: Tensor, level: float) -> tuple[Tensor, Tensor, Tensor]:
        """Return what is decoded, in steps, and the means and scales that it was predicted by."""
        weights = [interpolated(w, level) for w in self.contexts.weights]
        flat = y.flatten(1, 2)
        means, scales = torch.zeros_like(flat), torch.ones_like(flat)

        def code(channels: slice, squares: Tensor, mean: Tensor, log_scale: Tensor) -> Any:
            scale = log_scale.clamp(*LOG_SCALES).exp()
            means[:, squares, channels], scales[:, squares, channels] = mean, scale
            integers = rounded(flat[:, squares, channels] - mean)
            return integers, mean + integers

        return self.contexts.walk(y.shape, weights, code), means, scales

    # ------------------------------------------------------------------ closed form

    @torch.no_grad()
    def initialize(self, x: Tensor, target: Tensor) -> None:
        """Set everything that has a closed form: principal components, means and scales.

        Parameters
        ----------
        x : Tensor of shape (n_images, n_features)
            Training data.
        target : Tensor
            Not used.
        """
        patches = self.patches(x)
        flat = patches.flatten(0, 2)
        mean = flat.mean(0, dtype=torch.float64)
        flat = flat - mean.to(x)
        variances, vectors = torch.linalg.eigh((flat.T @ flat).double() / len(flat))
        k = self.n_components
        basis = vectors.flip(1)[:, :k].to(x)
        self.mean.copy_(mean)
        self.spread.copy_(variances.flip(0)[:k].clamp(min=1).sqrt())
        self.analysis.copy_(basis)
        self.synthesis.copy_(basis.T)
        if not self.restores_pixels:  # then training begins when all is fitted
            self.fit_contexts(x[: max(1, _VALUES_TO_START // x.shape[1])])

    @torch.no_grad()
    def fit_contexts(self, x: Tensor) -> None:
        """Set the weights of means and scales, for coefficients as they are now.

        Parameters
        ----------
        x : Tensor of shape (n_images, n_features)
            Training data.
        """
        y = self.coefficients(x)
        for level in range(N_LEVELS):
            self.contexts.fit(level, y / self.steps(level)[0], rounded)


@lru_cache(maxsize=16)
@torch.inference_mode(False)
def fixed_noise(rows: int, columns: int, n_components: int) -> Tensor:
    """Return standard normal numbers, the same ones for ever.

    Parameters
    ----------
    rows, columns, n_components : int
        Their shape.

    Returns
    -------
    Tensor of shape (rows, columns, n_components)
        Numbers, in float32.
    """
    random = np.random.RandomState(0)  # whose numbers no version of NumPy may change
    return torch.from_numpy(random.standard_normal((rows, columns, n_components))).float()


def _across_border(length: int) -> Tensor:
    """Return the orthogonal matrix that acts on `length` values, half of them on each side.

    It leaves sums of opposite values as they are, and turns their differences by two cosine
    transforms (Tran, Liang & Tu, IEEE Transactions on Signal Processing 2003).
    """
    half = length // 2
    i, scale = torch.arange(half, dtype=torch.float64), (2 / max(half, 1)) ** 0.5
    second = scale * torch.cos(math.pi / max(half, 1) * i[:, None] * (i + 0.5))
    second[:1] /= 2**0.5
    fourth = scale * torch.cos(math.pi / max(half, 1) * (i[:, None] + 0.5) * (i + 0.5))
    one = torch.eye(half, dtype=torch.float64)
    butterfly = torch.cat([torch.cat([one, one.flip(0)], 1), torch.cat([one.flip(0), -one], 1)])
    turned = torch.block_diag(one, (second.T @ fourth).flip(0, 1))
    matrix = torch.eye(length, dtype=torch.float64)
    matrix[: 2 * half, : 2 * half] = butterfly @ turned @ butterfly / 2
    return matrix.float()


def _mixed(x: Tensor, dim: int, matrix: Tensor) -> Tensor:
    """Apply a matrix across all borders of patches along one dimension."""
    length = len(matrix)
    half, n_borders = length // 2, x.shape[dim] // length - 1
    if not half or n_borders < 1:
        return x
    first, inside, last = x.split([length - half, n_borders * length, half], dim)
    inside = inside.unflatten(dim, (n_borders, length))
    inside = torch.tensordot(inside, matrix, ([dim + 1], [1])).movedim(-1, dim + 1)
    return torch.cat([first, inside.flatten(dim, dim + 1), last], dim)


def step_size(level: Any) -> Any:
    """Return the step of rounding.

    Parameters
    ----------
    level : float or Tensor
        From 0 to ``N_LEVELS - 1``.

    Returns
    -------
    float or Tensor
        In the units of the images.
    """
    return _COARSEST * (_FINEST / _COARSEST) ** (level / (N_LEVELS - 1))


def interpolated(weights: Tensor, level: float) -> Tensor:
    """Return weights between two levels.

    Parameters
    ----------
    weights : Tensor of shape (N_LEVELS, ...)
        Weights of all levels.
    level : float
        From 0 to ``N_LEVELS - 1``.

    Returns
    -------
    Tensor of shape (...)
        Weights of the level.
    """
    i = min(int(level), N_LEVELS - 2)
    return torch.lerp(weights[i], weights[i + 1], level - i)


def rounded(y: Tensor) -> Tensor:
    """Round towards zero, a little less than half of the way.

    Parameters
    ----------
    y : Tensor
        Numbers.

    Returns
    -------
    Tensor
        Whole numbers.
    """
    return y.sign() * (y.abs() + DEAD_ZONE).floor()


def code_length(magnitude: Tensor, scale: Tensor) -> Tensor:
    """Return the length of the code of numbers, rising steadily from each integer to the next.

    Below one it rises within a quarter of a step of where rounding goes up, because numbers that
    are surely rounded to zero cost no more than zero.

    Parameters
    ----------
    magnitude : Tensor
        Magnitudes, not rounded.
    scale : Tensor of the same shape
        Expected magnitudes.

    Returns
    -------
    Tensor
        In bits, under a Laplace distribution.
    """
    zero = -torch.log2(-torch.expm1((DEAD_ZONE - 1) / scale))
    slope = 1 / (scale * math.log(2))
    one = (1 - DEAD_ZONE) * slope + 1 - torch.log2(-torch.expm1(-1 / scale))
    rise = ((magnitude - (1 - DEAD_ZONE)) / _RAMP + 0.5).clamp(0, 1)
    return zero + (one - zero) * rise + slope * (magnitude - 1).clamp(min=0)
