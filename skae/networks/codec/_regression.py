"""Weights of means and of scales in closed form."""

import torch
from torch import Tensor
from torch.nn import functional as F

from ._evidence import N_SHARED, Evidence
from ._order import N_BESIDE

LOG_SCALES = (-3.5, 8.0)
_RIDGE, _RIDGE_ROWS = 0.003, 100.0
_MOST_ROWS = (100_000, 30_000)  # to fit means, and scales
MOST_ROWS_OF_MEANS = 99_991
_N_ITERATIONS = 8


def ridge_regression(
    evidence: Evidence, values: Tensor, products: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Return the weights of sources and of squares beside, and the products of the sources."""
    some = slice(None, None, -(-values.shape[:2].numel() // _MOST_ROWS[0]))
    X, y = (x.flatten(0, 1)[some] for x in (evidence.sources, values))
    n, d = X.shape
    products = (X.T @ X).double() if products is None else products
    if evidence.beside is None:
        weights = torch.linalg.solve(_ridged(products[None], n)[0], (X.T @ y).double())
        return F.pad(weights.T, (0, N_BESIDE)).to(values), products
    X, y = X.double(), y.double()
    Z = evidence.beside.flatten(1, 2)[:, some].transpose(0, 1).double()
    # Channels have their sources in common, bordered by their own values beside.
    border = (X.T @ Z.flatten(1)).unflatten(1, Z.shape[1:]).movedim(-1, 0)
    gram = X.new_zeros(y.shape[1], d + N_BESIDE, d + N_BESIDE)
    gram[:, :d, :d], gram[:, :d, d:], gram[:, d:, :d] = products, border, border.mT
    gram[:, d:, d:] = torch.einsum("nic,njc->cij", Z, Z)
    target = torch.cat([X.T @ y, torch.einsum("nic,nc->ic", Z, y)])
    return torch.linalg.solve(_ridged(gram, n), target.T).to(values), products


def linear_regression(X: Tensor, y: Tensor, gram: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Return weights of a ridge regression, and the products of the features.

    Parameters
    ----------
    X : Tensor of shape (n_rows, n_features)
        Features.
    y : Tensor of shape (n_rows, n_channels)
        What to predict.
    gram : Tensor of float64 of shape (n_features, n_features) or None, default=None
        The products, if they are known.

    Returns
    -------
    weights : Tensor of float64 of shape (n_features, n_channels)
        Weights.
    gram : Tensor of float64 of shape (n_features, n_features)
        The products.
    """
    gram = (X.T @ X).double() if gram is None else gram
    if not X.shape[1]:
        return gram.new_zeros(0, y.shape[1]), gram
    return torch.linalg.solve(_ridged(gram[None], len(X))[0], (X.T @ y).double()), gram


def some_rows(n: int, most: int) -> Tensor:
    """Return the numbers of some rows, at unequal distances, as those of images repeat themselves.

    Parameters
    ----------
    n : int
        How many there are.
    most : int
        How many to choose of them at most: a prime.

    Returns
    -------
    Tensor of int64
        All of them, or so many.
    """
    return torch.arange(n) if n <= most else torch.arange(most) * n // most


def _ridged(gram: Tensor, n_rows: int) -> Tensor:
    ridged = gram.clone()
    diagonal = ridged.diagonal(dim1=1, dim2=2)
    diagonal += (_RIDGE + _RIDGE_ROWS / n_rows) * diagonal.mean(1, keepdim=True) + 1e-3 * n_rows
    return ridged


def exponential_regression(evidence: Evidence, magnitudes: Tensor) -> Tensor:
    """Return the weights of the logarithms of scales, those of greatest likelihood."""
    shared, own = evidence.shared.flatten(0, 1), evidence.own
    y = magnitudes.flatten(0, 1)
    weights = scale_regression(shared, y, None if own is None else own.flatten(0, 1))
    # The shared features of the first pass are one fewer than there is room for.
    missing = y.new_zeros(y.shape[1], N_SHARED - shared.shape[1])
    return torch.cat([weights[:, :-1], missing, weights[:, -1:]], 1)


def scale_regression(shared: Tensor, magnitudes: Tensor, own: Tensor | None = None) -> Tensor:
    """Fit exponential distributions whose scales are told from features, by Fisher scoring.

    Parameters
    ----------
    shared : Tensor of shape (n_rows, n_features)
        Features that all channels have in common, one first.
    magnitudes : Tensor of shape (n_rows, n_channels)
        What was seen.
    own : Tensor of shape (n_rows, n_channels) or None, default=None
        A further feature of each channel.

    Returns
    -------
    Tensor of shape (n_channels, n_features + 1)
        Weights of the logarithms of scales, that of a channel's own feature last.
    """
    step = -(-len(shared) // _MOST_ROWS[1])
    X, y = shared[::step], magnitudes[::step].clamp(1e-3, 1e6)
    Z = torch.zeros_like(y) if own is None else own[::step]
    # The Hessian of each channel: a block that all have in common, bordered by its own feature.
    # Without these, there is but one.
    n, d = X.shape
    gram = X.new_zeros(1 if own is None else y.shape[1], d + 1, d + 1, dtype=torch.float64)
    Z = Z[:, : len(gram)]
    gram[:, :d, :d] = X.T.double() @ X.double()
    gram[:, :d, d] = gram[:, d, :d] = Z.T.double() @ X.double()
    gram[:, d, d] = Z.double().square().sum(0)
    gram += torch.diag(torch.full((d + 1,), 1.0 + 1e-3 * n, dtype=torch.float64))
    factor = torch.linalg.cholesky(gram)

    def toward(gradient: Tensor) -> Tensor:
        both = torch.cat([(X.T @ gradient).T, (Z * gradient).sum(0)[:, None]], 1)
        if own is None:
            return torch.cholesky_solve(both.T.double(), factor[0]).T.to(X)
        return torch.cholesky_solve(both.double()[..., None], factor)[..., 0].to(X)

    mean = y.mean(0).log()
    weights = toward((y + 0.1).log() - mean)
    weights[:, 0] += mean
    for _ in range(_N_ITERATIONS):
        expected = (X @ weights[:, :-1].T + Z * weights[:, -1]).clamp(*LOG_SCALES).exp()
        weights = weights + 0.8 * toward((y / expected - 1).clamp(max=20))
    return weights
