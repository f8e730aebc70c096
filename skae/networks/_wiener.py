"""The Wiener filter on principal components, for any level of noise."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from ._skip import principal_axes

_MOST_COMPONENTS = 1024  # beyond them, the variance is taken for the same in all directions
# On a geometric grid, and in shares of the highest: the lowest, and what stands for no noise.
_N_LEVELS, _LOWEST, _NONE = 24, 1e-3, 1e-6
_TINY = 1e-30
# In shares of the mean variance and of the largest one, of what seems to be constant.
_LEAST_VARIANCE, _FLAT = 1e-10, 1e-10
_CELLS_OF_A_CHUNK = 2**20
_N_STEPS, _RIDGE = 20, 1e-3  # of conjugate gradients; in shares of the mean variance
_DEGREES, _NORMAL = 2.0, 1e4  # of freedom, of components without noise, and of noise alone


class Filtered(NamedTuple):
    """What a filter makes of rows.

    Parameters
    ----------
    rows : Tensor of shape (n_samples, n_features)
        The expected clean rows.
    given : Tensor of shape (n_samples, n_features)
        The rows that it was given, centred and without gaps.
    level : Tensor of shape (n_samples, 1) or (n_samples, n_features)
        Standard deviation of the noise in each row or cell; 1 and 0 for missing and other cells.
    error : Tensor of shape (n_samples, 1) or (n_samples, n_features)
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
    the likelihood of the row, divided by the error that the filter leaves there. This minimises the
    expected ratio of both errors, so that a row that may be clean is left as it is. Components have
    Student's t distribution, of 2 degrees of freedom if there is no noise: rows are more unlike
    each other than normal ones. The covariance is shrunk as by Ledoit and Wolf (Journal of
    Multivariate Analysis 88, 2004), or, if it was learned from noisy rows, variance by variance as
    by Donoho, Gavish and Johnstone (Annals of Statistics 46, 2018).

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

    n_rest: Tensor
    center: Tensor
    output_center: Tensor
    axes: Tensor
    variances: Tensor
    rest: Tensor
    levels: Tensor
    densities: Tensor

    def __init__(
        self, n_features: int, levels: tuple[float, float], sigma: float | None = None
    ) -> None:
        super().__init__()
        self.sigma = sigma
        width = self._width(n_features)
        k = min(width, _MOST_COMPONENTS)
        self.register_buffer("n_rest", torch.tensor(float(width - k)))
        self.register_buffer("center", torch.zeros(n_features))
        self.register_buffer("output_center", torch.zeros(n_features))
        self.register_buffer("axes", torch.zeros(k, width))
        self.register_buffer("variances", torch.ones(k))
        self.register_buffer("rest", torch.ones(()))
        self.register_buffer("levels", _grid(*levels))
        self.register_buffer("densities", torch.zeros(_N_LEVELS))

    _pools_rest = True  # directions without variance have one in common

    def _width(self, n_features: int) -> int:
        """Return the width of what has principal components."""
        return n_features

    @property
    def mean_variance(self) -> Tensor:
        """Mean variance of the columns of clean rows."""
        return (self.variances.sum() + self.n_rest * self.rest) / self.axes.shape[1]

    def expected_error(self, level: Tensor) -> Tensor:
        """Return the mean squared error that the filter leaves in the mean row.

        Parameters
        ----------
        level : Tensor of shape (n_samples, 1)
            Standard deviation of the noise in each row.

        Returns
        -------
        Tensor of shape (n_samples,)
            The error.
        """
        noise = level.square()
        total = (self.variances * noise / (self.variances + noise)).sum(1)
        total = total + self.n_rest * (self.rest * noise / (self.rest + noise))[:, 0]
        return total / self.axes.shape[1]

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
        self._learn_centers(x, output)
        self._learn_variances(output)
        if is_paired:
            noise = (x.double() - output.double()).square().mean(1).sqrt()
            low, high = noise.quantile(torch.tensor([0.005, 0.995], dtype=noise.dtype)).tolist()
            if not (high := high or float(noise.max())):
                raise ValueError(
                    "the noisy rows in X and the clean ones in y are the same: there is no noise "
                    "to learn. Give clean rows alone, to which noise is added"
                )
            self.levels.copy_(_grid(low, high))
        noise = self.levels.double().square()
        variances = self.variances.double()[self.variances > 0, None]
        n = _degrees(variances, sums := variances + noise)
        densities = torch.lgamma((n + 1) / 2) - torch.lgamma(n / 2) - (n * sums).log() / 2
        rest = self.n_rest * (self.rest + noise).log() / 2
        self.densities.copy_(densities.sum(0) - rest)

    def _learn_centers(self, x: Tensor, output: Tensor) -> None:
        self.center.copy_(x.mean(0, dtype=torch.float64))
        self.output_center.copy_(output.mean(0, dtype=torch.float64))

    def _learn_variances(self, output: Tensor) -> None:
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
        is_flat = variances <= _FLAT * variances[0] if self._pools_rest else variances < 0
        n_rest = d - k + int(is_flat.sum())
        if self.sigma is None:
            variances, rest = _shrunk(variances, rest, fourth / n, n, d - k)
        else:
            variances = _without_noise(variances, self.sigma**2, n, d)
            rest = (rest - (d - k) * self.sigma**2).clamp(min=0)
        rest = (rest + variances[is_flat].sum()) / max(n_rest, 1)
        least = (_LEAST_VARIANCE * variances.mean()).clamp(min=_TINY)
        # Directions in which nothing varies are as good as any others: they have no axes.
        self.axes.copy_(axes * ~is_flat[:, None])
        self.variances.copy_(variances.clamp(min=least) * ~is_flat)
        self.rest.copy_(rest.clamp(min=least))
        self.n_rest.fill_(n_rest)

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
        evidence = self._evidence(power, x.square().sum(1))
        # Not that of the lowest, which may stand for none: nothing could make up for its ratio.
        least = self.expected_error(self.levels.clamp(min=self.levels[1])[:, None])
        share = (evidence - least.clamp(min=_TINY).log()).softmax(1)
        sums = self.variances[:, None] + noise
        shrinkage, errors = self.variances[:, None] / sums, (sums - noise) * noise / sums
        rest = self.rest / (self.rest + noise)
        common = (share @ rest)[:, None]
        rows = (code * (share @ shrinkage.T - common)) @ self.axes + common * x
        squares = self.axes.square()
        error = errors.T @ squares + (rest * noise)[:, None] * (1 - squares.sum(0)).clamp(min=0)
        level = (evidence.softmax(1) @ noise)[:, None].sqrt()
        return Filtered(rows + self.output_center, x, level, share @ error)

    def _evidence(self, power: Tensor, total: Tensor) -> Tensor:
        """Return the logarithm of the likelihood of every level, from squared components."""
        other, evidence = (total - power.sum(1)).clamp(min=0), []
        variances = torch.where(self.variances > 0, self.variances, 1.0)
        for noise in self.levels.square():
            sums = variances + noise
            n = _degrees(variances, sums)
            each = ((n + 1) / 2 * (power / (n * sums)).log1p()).sum(1)
            evidence.append(-each - other / (self.rest + noise) / 2)
        return torch.stack(evidence, 1) + self.densities

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
            step = power / (direction * image).sum(1, keepdim=True).clamp(min=_TINY)
            solution, residual = solution + step * direction, residual - step * image
            before, power = power, residual.square().sum(1, keepdim=True)
            direction = residual + power / before.clamp(min=_TINY) * direction
        rows = torch.where(missing, self._covariance_times(solution), x)
        level = missing.to(x)
        return Filtered(rows + self.output_center, x, level, level * self.mean_variance)

    def _covariance_times(self, x: Tensor) -> Tensor:
        code = x @ self.axes.T
        return (code * (self.variances - self.rest)) @ self.axes + self.rest * x


def _degrees(variances: Tensor, sums: Tensor) -> Tensor:
    """Return the degrees of freedom of noisy components, the more the more of them is noise."""
    return (_DEGREES * sums / variances).clamp(max=_NORMAL)


def _grid(low: float, high: float) -> Tensor:
    """Return levels of noise, from the lowest to the highest."""
    if low == high:
        return torch.full((_N_LEVELS,), float(low))
    lowest = max(low, _LOWEST * high)
    levels = lowest * (high / lowest) ** torch.linspace(0, 1, _N_LEVELS)
    if low < lowest:
        levels[0] = max(low, _NONE * high)
    return levels


def _shrunk(
    variances: Tensor, rest: Tensor, fourth: Tensor, n: int, n_rest: int
) -> tuple[Tensor, Tensor]:
    """Return variances shrunk towards their mean, so far as their number of rows asks for it."""
    mean = (variances.sum() + rest) / (len(variances) + n_rest)
    distance = (variances - mean).square().sum() + n_rest * mean**2
    error = (fourth - variances.square().sum()) / n
    share = (error / distance.clamp(min=1e-300)).clamp(0, 1)
    common = share * mean
    return (1 - share) * variances + common, (1 - share) * rest + common * n_rest


def _without_noise(variances: Tensor, noise: float, n: int, d: int) -> Tensor:
    """Return the variances of clean rows, from those of noisy ones."""
    ratio = d / n
    if not noise:
        return variances
    y = variances / noise
    is_above = y > (1 + ratio**0.5) ** 2
    b = y + 1 - ratio
    excess = ((b + (b * b - 4 * y).clamp(min=0).sqrt()) / 2 - 1).clamp(min=1e-300)
    cosine = ((1 - ratio / excess**2) / (1 + ratio / excess)).clamp(min=0)
    return torch.where(is_above, excess * cosine * noise, 0)
