"""The continuous ranked probability score of forecasts that are given as draws."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils._param_validation import validate_params

from ._checks import checked_values


@validate_params(
    {
        "y_true": ["array-like"],
        "draws": ["array-like"],
        "fair": ["boolean"],
        "per_value": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def crps_ensemble(
    y_true: ArrayLike, draws: ArrayLike, *, fair: bool = False, per_value: bool = False
) -> Any:
    r"""Mean continuous ranked probability score of draws from predictive distributions.

    It asks of a distribution what the absolute error asks of a number, and of a single draw it is
    that error. Draws must be right on average and spread as widely as the truth varies: no other
    distribution has a lower expected score than the true one [1]_.

    Parameters
    ----------
    y_true : array-like of shape (n_samples, ...)
        True values, finite numbers, such as those that were hidden from an imputer.
    draws : array-like of shape (n_draws, n_samples, ...)
        Draws for each of them, finite numbers, such as several imputations. The order of the draws
        does not matter.
    fair : bool, default=False
        Whether to estimate, without bias, the score that endless draws from the same distributions
        would have [2]_, instead of scoring these draws. It takes two draws.
    per_value : bool, default=False
        Whether to return the score of each value.

    Returns
    -------
    float or ndarray of the shape of `y_true`
        The mean over all values, or the score of each: 0 or more, in the unit of `y_true`, and
        lower is better.

    Raises
    ------
    ValueError
        If the shapes do not fit, a value is not a finite number, or `fair` has one draw.

    See Also
    --------
    pool_estimates : What estimates from several imputations say together.
    energy_distance : Compares two samples of rows.

    Notes
    -----
    The score is the integrated squared difference between the distribution function of the draws
    and the step at the true value :math:`y`, and for :math:`m` draws :math:`x_i` equals

    .. math::
        \frac{1}{m} \sum_i \lvert x_i - y \rvert
        - \frac{1}{2 m^2} \sum_{i, j} \lvert x_i - x_j \rvert .

    With `fair`, pairs of different draws alone count: :math:`m (m - 1)` stands for :math:`m^2`.

    It is computed from sorted draws in :math:`O(m \log m)`, as a sum without differences, which
    loses no digits: the :math:`k`-th smallest draw counts by its distance to :math:`y` times
    :math:`(2 k - 1) / m^2` if it is below, and :math:`(2 (m - k) + 1) / m^2` if it is above.

    Fewer draws of the same distribution have a higher score: compare equal numbers of them, or
    `fair` scores. Columns in different units are put into common ones first, or scored one by one.

    References
    ----------
    .. [1] T. Gneiting and A. E. Raftery. "Strictly proper scoring rules, prediction, and
       estimation". Journal of the American Statistical Association 102, 359-378 (2007).
    .. [2] C. A. T. Ferro. "Fair scores for ensemble forecasts". Quarterly Journal of the Royal
       Meteorological Society 140, 1917-1923 (2014).

    Examples
    --------
    >>> from skae.metrics import crps_ensemble
    >>> y_true = [1.0, 5.0]
    >>> draws = [[0.0, 4.0], [1.0, 7.0], [2.0, 7.0]]
    >>> crps_ensemble(y_true, draws, per_value=True).round(3)
    array([0.222, 1.   ])
    >>> round(crps_ensemble(y_true, draws), 3)
    0.611
    """
    y, drawn = checked_values(y_true, "y_true"), checked_values(draws, "draws")
    if drawn.shape[1:] != y.shape:
        raise ValueError(
            "draws must have the shape of y_true behind an axis of draws, got shapes "
            f"{drawn.shape} of draws and {y.shape} of y_true."
        )
    m = len(drawn)
    if fair and m < 2:
        raise ValueError("fair=True takes at least 2 draws, got 1.")
    weights = 2 * np.arange(m) / (m * (m - 1)) if fair else np.arange(1, 2 * m, 2) / m**2
    errors = np.sort(drawn - y, axis=0)
    below = np.tensordot(weights, np.maximum(-errors, 0), axes=1)
    above = np.tensordot(weights[::-1], np.maximum(errors, 0), axes=1)
    scores = below + above
    return scores if per_value else float(scores.mean())
