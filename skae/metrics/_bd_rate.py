"""Bjøntegaard's difference of two codecs."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import PchipInterpolator
from sklearn.utils._param_validation import validate_params

from ._checks import check_same_number, checked_values


@validate_params(
    {
        "bits": ["array-like"],
        "quality": ["array-like"],
        "bits_reference": ["array-like"],
        "quality_reference": ["array-like"],
    },
    prefer_skip_nested_validation=True,
)
def bd_rate(
    bits: ArrayLike, quality: ArrayLike, bits_reference: ArrayLike, quality_reference: ArrayLike
) -> float:
    r"""Bjøntegaard delta rate: how many more bits a codec needs for the same quality.

    Parameters
    ----------
    bits : array-like of shape (n_points,)
        Bits that the codec takes at two settings or more, such as bits per pixel; positive.
    quality : array-like of shape (n_points,)
        Quality at the same settings, in any order, such as the PSNR in dB; higher is better.
    bits_reference : array-like of shape (n_points_reference,)
        Bits that the codec takes which it is compared with, in the same unit.
    quality_reference : array-like of shape (n_points_reference,)
        Quality of that codec, in the same unit.

    Returns
    -------
    float
        The difference in percent: -20 is a fifth fewer bits than the reference.

    Raises
    ------
    ValueError
        If a curve has fewer than two different qualities, a rate that is not positive or a value
        that is not finite, or if there is no quality that both codecs reach.

    See Also
    --------
    bits_per_pixel : The bits of images.
    psnr : Their quality.

    Notes
    -----
    The logarithm of the bits is interpolated over the quality and averaged over the range of
    qualities :math:`[q_0, q_1]` that both curves have:

    .. math::
        100 \left(\exp \frac{1}{q_1 - q_0} \int_{q_0}^{q_1}
        \log \frac{b(q)}{b_\text{ref}(q)} \, \mathrm{d}q - 1\right) .

    Bjøntegaard fitted a polynomial [1]_. As in later practice [2]_, the interpolation here is by
    piecewise cubic Hermite polynomials that keep monotone points monotone (PCHIP). Of points of
    equal quality, the one with the fewest bits counts.

    MS-SSIM is better compared in decibels, ``-10 * log10(1 - ms_ssim)``: most of the range of the
    bare values belongs to low qualities, and the average would be theirs.

    References
    ----------
    .. [1] G. Bjøntegaard. "Calculation of average PSNR differences between RD-curves". ITU-T SG16
       VCEG-M33 (2001).
    .. [2] "Working practices using objective metrics for evaluation of video coding efficiency
       experiments". ITU-T HSTP-VID-WPOM (2020).

    Examples
    --------
    >>> from skae.metrics import bd_rate
    >>> round(bd_rate([0.2, 0.4, 0.8], [30, 33, 36], [0.25, 0.5, 1.0], [30, 33, 36]), 6)
    -20.0
    """
    low, high, log_bits = _curve(bits, quality, ("bits", "quality"))
    low_reference, high_reference, log_reference = _curve(
        bits_reference, quality_reference, ("bits_reference", "quality_reference")
    )
    start, stop = max(low, low_reference), min(high, high_reference)
    if not start < stop:
        raise ValueError(
            "quality and quality_reference must overlap, got qualities "
            f"from {low:g} to {high:g} and from {low_reference:g} to {high_reference:g}."
        )
    difference = log_bits.integrate(start, stop) - log_reference.integrate(start, stop)
    return float(100 * np.expm1(difference / (stop - start)))


def _curve(
    bits: ArrayLike, quality: ArrayLike, names: tuple[str, str]
) -> tuple[float, float, PchipInterpolator]:
    """Return the range of qualities, and the logarithm of the bits as a function of them."""
    rates, qualities = _checked(bits, names[0]), _checked(quality, names[1])
    check_same_number(rates, qualities, names, "points")
    if not np.all(rates > 0):
        raise ValueError(f"{names[0]} must be positive, got {rates.min():g}.")
    order = np.lexsort((rates, qualities))  # by quality, the fewest bits first
    places, first = np.unique(qualities[order], return_index=True)
    if len(places) < 2:
        raise ValueError(
            f"A curve needs at least 2 different values in {names[1]}, got {len(places)}."
        )
    return places[0], places[-1], PchipInterpolator(places, np.log(rates[order][first]))


def _checked(values: ArrayLike, name: str) -> NDArray[np.float64]:
    checked = checked_values(values, name)
    if checked.ndim != 1:
        raise ValueError(f"{name} must have shape (n_points,), got {checked.shape}.")
    return checked
