"""The Fréchet distance of two normal distributions, each fitted to an array of features."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import qr, svdvals
from sklearn.utils._param_validation import validate_params

from ._checks import aligned_columns, check_same_columns, checked_array


@validate_params({"X": ["array-like"], "Y": ["array-like"]}, prefer_skip_nested_validation=True)
def frechet_distance(X: ArrayLike, Y: ArrayLike) -> float:
    r"""Fréchet distance of two arrays of features, as if each was normally distributed.

    Lower is better: 0 means equal means and covariances. With features of images by the Inception
    network this is the "Fréchet Inception distance" (FID). As usual under that name, it is the
    square of a distance, in squared units of the features.

    Parameters
    ----------
    X : array-like of shape (n_samples_X, n_features)
        One sample, two rows or more, finite numbers.
    Y : array-like of shape (n_samples_Y, n_features)
        Another sample, two rows or more, finite numbers.

    Returns
    -------
    float
        The squared distance, 0 or more. It does not depend on the order of the two.

    See Also
    --------
    precision_recall : Tells whether rows are unrealistic or kinds of rows are missing.
    two_sample_auc : Sees differences beyond the first two moments.

    Notes
    -----
    With means :math:`\mu` and unbiased covariances :math:`\Sigma` the squared distance [1]_ is

    .. math::
        \lVert \mu_X - \mu_Y \rVert^2 + \operatorname{tr} \Sigma_X + \operatorname{tr} \Sigma_Y
        - 2 \operatorname{tr} \bigl(\Sigma_X^{1/2} \Sigma_Y \Sigma_X^{1/2}\bigr)^{1/2} .

    The last trace is computed as the sum of the singular values of :math:`R_X R_Y^\top`, where
    :math:`\Sigma = R^\top R` comes from a QR decomposition of the centred rows: the same numbers as
    the roots of the eigenvalues, without the digits that squaring loses. Singular covariances, and
    fewer rows than features, need no special care.

    The estimate is biased upwards, more so with fewer rows: compare only distances between samples
    of the same sizes. As unscaled features count by their variance, put them into common units
    first.

    References
    ----------
    .. [1] D. C. Dowson and B. V. Landau. "The Fréchet distance between multivariate normal
       distributions". Journal of Multivariate Analysis 12, 450-455 (1982).
    .. [2] M. Heusel, H. Ramsauer, T. Unterthiner, B. Nessler and S. Hochreiter. "GANs trained by a
       two time-scale update rule converge to a local Nash equilibrium". NeurIPS (2017).

    Examples
    --------
    >>> from skae.metrics import frechet_distance
    >>> X = [[-1.0, 0.0], [1.0, 0.0], [0.0, -2.0], [0.0, 2.0]]
    >>> Y = [[2.0, 0.0], [4.0, 0.0], [3.0, -2.0], [3.0, 2.0]]
    >>> round(frechet_distance(X, Y), 6)
    9.0
    """
    Y = aligned_columns(X, Y, ("X", "Y"))
    X = checked_array(X, "X", n_min=2, why="A covariance")
    Y = checked_array(Y, "Y", n_min=2, why="A covariance")
    check_same_columns(X, Y, ("X", "Y"))

    shift = X.mean(axis=0) - Y.mean(axis=0)
    root_X, root_Y = _root_of_covariance(X), _root_of_covariance(Y)
    variances = np.sum(root_X**2) + np.sum(root_Y**2)
    squared = shift @ shift + variances - 2 * svdvals(root_X @ root_Y.T).sum()
    return max(float(squared), 0.0)


def _root_of_covariance(X: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return R of at most n_features rows, where ``R.T @ R`` is the covariance of X."""
    centred = (X - X.mean(axis=0)) / np.sqrt(len(X) - 1)
    # With a long array it is the QR decomposition that makes the rest independent of its length.
    return qr(centred, mode="r", check_finite=False)[0][: X.shape[1]]
