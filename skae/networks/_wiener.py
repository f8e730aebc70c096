"""The Wiener filter on principal components, for noise of a level that is found row by row."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from ._skip import principal_axes

_MOST_COMPONENTS = 1024  # beyond them, the variance is taken for the same in all directions
_N_LEVELS, _LOWEST = 40, 1e-3  # on a geometric grid, and in shares of the highest
_LEAST_VARIANCE = 1e-10  # in shares of the mean one, of what seems to be constant
_CELLS_OF_A_CHUNK = 2**20
_N_STEPS, _RIDGE = 20, 1e-3  # of conjugate gradients; in shares of the mean variance


class Filtered(NamedTuple):
    """What a filter makes of rows.

    Parameters
    ----------
    rows : Tensor of shape (n_samples, n_features)
        The expected clean rows.
    given : Tensor of shape (n_samples, n_features)
        The rows that it was given, without gaps.
    level : Tensor of shape (n_samples, 1) or (n_samples, n_features)
        Standard deviation of the noise in each row or cell; 1 and 0 for missing and other cells.
    error : Tensor of the shape of `level`
        Mean squared error that is expected to be left.
    """

    rows: Tensor
    given: Tensor
    level: Tensor
    error: Tensor


class WienerFilter(nn.Module):
    """The best linear estimate of clean rows under white noise, on principal components.

    A component of variance v is multiplied by ``v / (v + s**2)``, where s is the standard deviation
    of the noise. Unless s is given, it is found for each row: every one on a grid is weighted by
    the likelihood of the row, as if clean rows were normal. The covariance is shrunk as by Ledoit
    and Wolf (Journal of Multivariate Analysis 88, 2004), or, if it was learned from noisy rows, one
    by one as by Donoho, Gavish and Johnstone (Annals of Statistics 46, 2018).

    Parameters
    ----------
    n_features : int
        Number of columns.
    levels : tuple of two floats
        The least and the largest standard deviation of the noise. They are found anew by
        :meth:`initialize` if it is given pairs of noisy and clean rows.
    sigma : float or None, default=None
        Standard deviation of the noise in the rows that :meth:`initialize` learns from; None if
        these are clean.
    """

    center: Tensor
    output_center: Tensor
    axes: Tensor
    variances: Tensor
    rest: Tensor
    levels: Tensor

    def __init__(
        self,
        n_features: int,
        levels: tuple[float, float],
        sigma: float | None = None,
    ) -> None:
        super().__init__()
        self.sigma = sigma
        self.n_rest = max(0, n_features - _MOST_COMPONENTS)
        k = n_features - self.n_rest
        self.register_buffer("center", torch.zeros(n_features))
        self.register_buffer("output_center", torch.zeros(n_features))
        self.register_buffer("axes", torch.zeros(k, n_features))
        self.register_buffer("variances", torch.ones(k))
        self.register_buffer("rest", torch.ones(()))
        self.register_buffer("levels", _grid(*levels))

    @property
    def mean_variance(self) -> Tensor:
        """Mean variance of the columns of clean rows."""
        total = self.variances.sum() + self.n_rest * self.rest
        return total / (len(self.variances) + self.n_rest)

    @torch.no_grad()
    def initialize(self, x: Tensor, output: Tensor) -> None:
        """Learn means and variances.

        Parameters
        ----------
        x : Tensor of shape (n_samples, n_features)
            Rows of the training data.
        output : Tensor of shape (n_samples, n_features)
            What the filter should give for them; the same rows if noise is made.
        """
        is_paired = x is not output
        x, output = x.cpu(), output.cpu()
        n, d = output.shape
        k = len(self.variances)
        mean = output.mean(0, dtype=torch.float64)
        axes = principal_axes(output, k).double()
        squares = torch.zeros(k, dtype=torch.float64)
        total = fourth = torch.zeros((), dtype=torch.float64)
        for rows in output.split(max(1, _CELLS_OF_A_CHUNK // d)):
            centred = rows.double() - mean
            squares += (centred @ axes.T).square().sum(0)
            lengths = centred.square().sum(1)
            total, fourth = total + lengths.sum(), fourth + lengths.square().sum()
        variances, rest = squares / n, (total - squares.sum()).clamp(min=0) / n
        if self.sigma is None:
            variances, rest = _shrunk(variances, rest, fourth / n, n, d)
        else:
            variances = _without_noise(variances, self.sigma**2, n, d)
            rest = (rest - self.n_rest * self.sigma**2).clamp(min=0)
        least = _LEAST_VARIANCE * (variances.sum() + rest) / d
        least = least.clamp(min=1e-30)
        self.center.copy_(x.mean(0, dtype=torch.float64))
        self.output_center.copy_(mean)
        self.axes.copy_(axes)
        self.variances.copy_(variances.clamp(min=least))
        self.rest.copy_((rest / max(self.n_rest, 1)).clamp(min=least))
        if is_paired:
            noise = (x.double() - output.double()).square().mean(1).sqrt()
            low, high = noise.quantile(torch.tensor([0.005, 0.995], dtype=noise.dtype)).tolist()
            self.levels.copy_(_grid(low, high))

    def forward(self, x: Tensor) -> Filtered:
        """Return the expected clean rows.

        Parameters
        ----------
        x : Tensor of shape (n_samples, n_features)
            Noisy rows.

        Returns
        -------
        Filtered
            With the level of noise of each row.
        """
        x = x - self.center
        code = x @ self.axes.T
        power, noise = code.square(), self.levels.square()
        sums = self.variances[:, None] + noise
        evidence = power @ (1 / sums) + sums.log().sum(0)
        shrinkage = (self.variances[:, None] / sums).T
        errors = (self.variances[:, None] * noise / sums).sum(0)
        rest = self.rest / (self.rest + noise)
        if self.n_rest:
            other = (x.square().sum(1, keepdim=True) - power.sum(1, keepdim=True)).clamp(min=0)
            evidence = evidence + other / (self.rest + noise)
            evidence = evidence + self.n_rest * (self.rest + noise).log()
            errors = errors + self.n_rest * rest * noise
        share = (evidence / -2).softmax(1)
        rows = (code * (share @ shrinkage)) @ self.axes
        if self.n_rest:
            left = x - code @ self.axes
            rows = rows + left * (share @ rest)[:, None]
        level = (share @ noise)[:, None].sqrt()
        return Filtered(rows + self.output_center, x, level, (share @ errors)[:, None] / x.shape[1])

    def fill(self, x: Tensor) -> Filtered:
        """Return rows whose missing cells are what the others let expect.

        Parameters
        ----------
        x : Tensor of shape (n_samples, n_features)
            Rows in which NaN stands for missing cells.

        Returns
        -------
        Filtered
            Cells that are not missing as they are.
        """
        missing = x.isnan()
        x = torch.where(missing, 0, x - self.center)
        seen, ridge = (~missing).to(x), _RIDGE * self.mean_variance
        # Conjugate gradients; what few steps leave out is what the ridge would take away.
        solution, residual = torch.zeros_like(x), x
        direction, power = residual, residual.square().sum(1, keepdim=True)
        for _ in range(_N_STEPS):
            image = seen * self._covariance_times(direction) + ridge * direction
            step = power / (direction * image).sum(1, keepdim=True).clamp(min=1e-30)
            solution, residual = solution + step * direction, residual - step * image
            before, power = power, residual.square().sum(1, keepdim=True)
            direction = residual + power / before.clamp(min=1e-30) * direction
        rows = torch.where(missing, self._covariance_times(solution), x)
        level = missing.to(x)
        return Filtered(rows + self.output_center, x, level, level * self.mean_variance)

    def _covariance_times(self, x: Tensor) -> Tensor:
        code = x @ self.axes.T
        rest = self.rest if self.n_rest else 0.0
        return (code * (self.variances - rest)) @ self.axes + rest * x


def _grid(low: float, high: float) -> Tensor:
    """Return levels of noise, from the lowest to the highest."""
    if low == high:
        return torch.full((_N_LEVELS,), float(low))
    low = max(low, _LOWEST * high)
    return low * (high / low) ** torch.linspace(0, 1, _N_LEVELS)


def _shrunk(
    variances: Tensor, rest: Tensor, fourth: Tensor, n: int, d: int
) -> tuple[Tensor, Tensor]:
    """Return variances shrunk towards their mean, so far as their number of rows asks for it."""
    mean = (variances.sum() + rest) / d
    distance = (variances - mean).square().sum() + (d - len(variances)) * mean**2
    error = (fourth - variances.square().sum()) / n
    share = (error / distance.clamp(min=1e-300)).clamp(0, 1)
    return (
        (1 - share) * variances + share * mean,
        (1 - share) * rest + share * mean * (d - len(variances)),
    )


def _without_noise(variances: Tensor, noise: float, n: int, d: int) -> Tensor:
    """Return the variances of clean rows, from those of noisy ones."""
    ratio = d / n
    if not noise:
        return variances
    y = variances / noise
    above = y > (1 + ratio**0.5) ** 2
    b = y + 1 - ratio
    spike = (b + (b * b - 4 * y).clamp(min=0).sqrt()) / 2
    excess = (spike - 1).clamp(min=1e-300)
    cosine = ((1 - ratio / excess**2) / (1 + ratio / excess)).clamp(min=0)
    return torch.where(above, excess * cosine * noise, 0)
