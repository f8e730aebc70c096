"""Rubin's rules: one estimate from those of several imputed copies of the data."""

from numbers import Real
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t as student
from sklearn.utils._param_validation import Interval, validate_params

from ._checks import checked_values


class PooledEstimate(NamedTuple):
    """Result of `pool_estimates`: a float each, or an array of one value for each parameter.

    Parameters
    ----------
    estimate : float or ndarray of shape (n_parameters,)
        Mean of the estimates.
    standard_error : float or ndarray of shape (n_parameters,)
        Root of the total variance, in the unit of the estimates.
    df : float or ndarray of shape (n_parameters,)
        Degrees of freedom of Student's t distribution; infinite for the normal one.
    low, high : float or ndarray of shape (n_parameters,)
        Bounds of the interval.
    fraction_missing : float or ndarray of shape (n_parameters,)
        Share of the information about a parameter that is missing with the values, from 0 to 1.
    relative_increase : float or ndarray of shape (n_parameters,)
        By how much more, in parts of the variance with no value missing, the estimate varies.
    """

    estimate: float | NDArray[np.float64]
    standard_error: float | NDArray[np.float64]
    df: float | NDArray[np.float64]
    low: float | NDArray[np.float64]
    high: float | NDArray[np.float64]
    fraction_missing: float | NDArray[np.float64]
    relative_increase: float | NDArray[np.float64]


@validate_params(
    {
        "estimates": ["array-like"],
        "variances": ["array-like"],
        "df": [Interval(Real, 0, None, closed="neither"), None],
        "level": [Interval(Real, 0, 1, closed="neither")],
    },
    prefer_skip_nested_validation=True,
)
def pool_estimates(
    estimates: ArrayLike, variances: ArrayLike, *, df: float | None = None, level: float = 0.95
) -> PooledEstimate:
    r"""Pool estimates from several imputations of the same data by Rubin's rules.

    Missing values are drawn several times, and the same analysis of each filled copy gives an
    estimate and its variance. Together they say how uncertain the estimate is, also because values
    are missing.

    Parameters
    ----------
    estimates : array-like of shape (n_imputations,) or (n_imputations, n_parameters)
        Estimates of one parameter or of several, such as means or coefficients of a regression,
        from two imputations or more.
    variances : array-like of the same shape
        Their variances, the squares of standard errors, as if nothing had been missing; positive.
    df : float or None, default=None
        Degrees of freedom that an estimate has with no value missing, such as the number of rows
        minus that of the coefficients. None is for so many rows that the number does not matter.
    level : float, default=0.95
        Probability that the interval covers the parameter, between 0 and 1.

    Returns
    -------
    PooledEstimate
        Named tuple of `estimate`, `standard_error`, `df`, `low`, `high`, `fraction_missing` and
        `relative_increase`: floats, or arrays of shape (n_parameters,) for several parameters.

    Raises
    ------
    ValueError
        If there are fewer than two imputations, the shapes differ, a variance is not positive, or a
        value is not finite.

    See Also
    --------
    crps_ensemble : Whether imputed values are as uncertain as they should be.

    Notes
    -----
    With the mean :math:`\bar U` of the variances of :math:`m` estimates and the variance :math:`B`
    between these, divided by :math:`m - 1`, the total variance [1]_ is
    :math:`T = \bar U + (1 + 1/m) B`. Of it, :math:`\lambda = (1 + 1/m) B / T` is due to missing
    values, `relative_increase` is :math:`r = \lambda / (1 - \lambda)`, and

    .. math::
        \nu_m = \frac{m - 1}{\lambda^2}, \qquad
        \mathtt{fraction\_missing} = \frac{r + 2 / (\nu_m + 3)}{r + 1} .

    The degrees of freedom are :math:`\nu_m` without `df`. For data with :math:`\nu` of them they
    are never more than these [2]_:

    .. math::
        \left(\frac{1}{\nu_m} + \frac{1}{\nu_\text{obs}}\right)^{-1}, \qquad
        \nu_\text{obs} = \frac{\nu + 1}{\nu + 3} \, \nu \, (1 - \lambda) .

    Equal estimates miss nothing: :math:`\nu_m` is infinite, and both fractions are 0.

    The rules suppose that estimates are about normal. Take the logarithm of a ratio and Fisher's
    transform of a correlation, pool these, and transform the results back.

    References
    ----------
    .. [1] D. B. Rubin. "Multiple imputation for nonresponse in surveys". Wiley (1987).
    .. [2] J. Barnard and D. B. Rubin. "Small-sample degrees of freedom with multiple imputation".
       Biometrika 86, 948-955 (1999).

    Examples
    --------
    The mean of 40 rows, in five imputed copies of them:

    >>> from skae.metrics import pool_estimates
    >>> means = [10.1, 9.8, 10.3, 10.0, 9.9]
    >>> pooled = pool_estimates(means, [0.09, 0.1, 0.11, 0.1, 0.1], df=39)
    >>> round(pooled.estimate, 3), round(pooled.standard_error, 3)
    (10.02, 0.38)
    >>> round(pooled.low, 2), round(pooled.high, 2)
    (9.21, 10.83)
    >>> round(pooled.fraction_missing, 2)
    0.34
    """
    values, within = checked_values(estimates, "estimates"), checked_values(variances, "variances")
    _check(values, within)

    m = len(values)
    known = within.mean(axis=0)
    between = (1 + 1 / m) * values.var(axis=0, ddof=1)
    total = known + between
    increase = between / known
    with np.errstate(divide="ignore", over="ignore"):  # infinite for equal estimates
        df_pooled = (m - 1) * (total / between) ** 2
    fraction = (increase + 2 / (df_pooled + 3)) / (increase + 1)
    if df is not None:
        df_observed = (df + 1) / (df + 3) * df * known / total
        df_pooled = 1 / (1 / df_pooled + 1 / df_observed)

    estimate, error = values.mean(axis=0), np.sqrt(total)
    reach = student.ppf((1 + level) / 2, df_pooled) * error
    results = estimate, error, df_pooled, estimate - reach, estimate + reach, fraction, increase
    return PooledEstimate(*(float(x) if values.ndim == 1 else np.asarray(x) for x in results))


def _check(estimates: NDArray[np.float64], variances: NDArray[np.float64]) -> None:
    if estimates.ndim > 2 or estimates.shape != variances.shape:
        raise ValueError(
            "estimates and variances must have the same shape, (n_imputations,) or "
            f"(n_imputations, n_parameters), got {estimates.shape} and {variances.shape}."
        )
    if len(estimates) < 2:
        raise ValueError(
            "estimates must be those of at least 2 imputations, for only their differences tell "
            f"what missing values cost, got {len(estimates)}."
        )
    if not np.all(variances > 0):
        raise ValueError(f"variances must be positive, got {variances.min():g}.")
