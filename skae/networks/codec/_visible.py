"""How much of what is seen each coefficient carries: the curvature of structural similarity."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # of scales, as in Wang et al. (2003)
_WINDOW, _SIGMA = 11, 1.5
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
_LEAST = 1e-3  # of the similarity of a scale
_PERTURBATION, _N_PERTURBATIONS, _VALUES = 6.0, 2, 2**22
_KNOWN_SHARE = 0.3  # of channels, those that are more than zeros at most qualities
_FLAT = 1e-6  # of the largest curvature, the least
_STEPS = (0.3, 4.0)


def visible_steps(
    x: Tensor, coefficients: Callable[[Tensor], Tensor], images: Callable[[Tensor], Tensor]
) -> Tensor:
    """Return steps of channels that cost structural similarity the least.

    At high rates, rounding costs squared steps times the curvature of what is measured, and each
    bit more halves a step: all channels should cost the same. The curvature is that of multi-scale
    structural similarity [1]_ in the direction of each channel, averaged over random perturbations.

    Parameters
    ----------
    x : Tensor of shape (n_images, height, width, n_channels)
        Images, with values between 0 and 255.
    coefficients, images : callable
        From images to coefficients of shape (n_images, rows, columns, n_components), and back.

    Returns
    -------
    Tensor of shape (n_components,)
        Factors of the step that squared errors would have. The mean of the logarithms of the first
        ones, which are more than zeros at most qualities, is 0, so that qualities keep their place.

    References
    ----------
    .. [1] Z. Wang, E. P. Simoncelli and A. C. Bovik. "Multi-scale structural similarity for image
       quality assessment". Asilomar Conference on Signals, Systems and Computers (2003).
    """
    x = x[: max(1, _VALUES // x[0].numel())].float()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        y = coefficients(x)
    curvature = y.new_zeros(y.shape[-1], dtype=torch.float64)
    for some in torch.arange(len(x)).split(max(1, 2**20 // x[0].numel())):
        for _ in range(_N_PERTURBATIONS):
            signs = 2.0 * torch.randint(0, 2, y[some].shape, generator=generator).to(y) - 1
            there = (y[some] + _PERTURBATION * signs).requires_grad_()
            with torch.enable_grad():
                total = _similarity(x[some], images(there)).sum()
                (slope,) = torch.autograd.grad(total, there)
            curvature -= (signs * slope).sum((0, 1, 2), dtype=torch.float64)
    n_known = max(1, round(_KNOWN_SHARE * len(curvature)))
    steps = curvature.clamp(min=_FLAT * float(curvature.max()) + 1e-30).rsqrt()
    steps = steps / steps[:n_known].log().mean().exp()
    return steps.clamp(*_STEPS).to(y)


def _similarity(x: Tensor, y: Tensor) -> Tensor:
    """Return the similarity of images; windows beyond the margin see its mirror image."""
    x, y = x.movedim(-1, 1), y.movedim(-1, 1)
    total = x.new_ones(x.shape[:2])
    n_scales = 1
    while n_scales < len(_WEIGHTS) and min(x.shape[2:]) >> n_scales > _WINDOW // 2:
        n_scales += 1
    for i, weight in enumerate(_WEIGHTS[:n_scales]):
        mean_x, mean_y = _blurred(x), _blurred(y)
        covariance = _blurred(x * y) - mean_x * mean_y
        variances = _blurred(x * x) - mean_x.square() + _blurred(y * y) - mean_y.square()
        similarity = (2 * covariance + _C2) / (variances + _C2)
        if i == n_scales - 1:
            similarity = similarity * (2 * mean_x * mean_y + _C1)
            similarity = similarity / (mean_x.square() + mean_y.square() + _C1)
        total = total * similarity.mean((2, 3)).clamp(min=_LEAST) ** weight
        x, y = F.avg_pool2d(x, 2, ceil_mode=True), F.avg_pool2d(y, 2, ceil_mode=True)
    return total.mean(1)


def _blurred(x: Tensor) -> Tensor:
    """Return Gaussian means around each pixel of images of shape (n, channels, height, width)."""
    half = _WINDOW // 2
    window = torch.exp(-torch.arange(-half, half + 1.0).square() / (2 * _SIGMA**2))
    window = (window / window.sum()).to(x)
    n, channels, height, width = x.shape
    flat = F.pad(x, [half] * 4, mode="reflect").flatten(0, 1)[:, None]
    flat = F.conv2d(F.conv2d(flat, window[None, None, None]), window[None, None, :, None])
    return flat.view(n, channels, height, width)
