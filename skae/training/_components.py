"""How many components: what PCA, and networks on trial, restore of rows that are held out.

Like the trainer, it knows nets and rows, and no estimator.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .._settings import inference
from ..networks._skip import mean_row, principal_axes
from ._batch import Batch
from ._net import AutoencoderNet
from ._rows import Rows

_MOST_CELLS = 2**24
_MOST_COMPONENTS = 512  # that cells are predicted by: it takes as many passes over the rows
_MOST_TRIALS = 2
_N_FOLDS = 5
_MOST_ROWS_TO_FILL, _PARTS_TO_HIDE, _ROUNDS_TO_FILL = 256, 16, 30
_ROUNDING = 1e-6


@dataclass(frozen=True)
class HeldOutPCA:
    """PCA of some rows, judged by others for every number of components at once.

    With targets, the components are those of the inputs, and targets are regressed on them.

    Parameters
    ----------
    variance : float
        Sum of the squared distances of the held-out targets from the mean of the others.
    restored : ndarray of shape (n_numbers,)
        Share of it that is restored with 1, 2, ... components.
    axes : Tensor of shape (n_numbers, n_features)
        The components, float64.
    mean : Tensor of shape (n_features,)
        Of the inputs that were not held out, float64.
    centred : Tensor of shape (n_rows, n_features)
        Held-out inputs less that mean, times the roots of their weights, float64.
    """

    variance: float
    restored: NDArray[np.float64]
    axes: Tensor
    mean: Tensor
    centred: Tensor

    @classmethod
    @inference()
    def of(cls, train: Rows, valid: Rows) -> "HeldOutPCA":
        """Return the PCA of some rows, judged by others.

        Parameters
        ----------
        train, valid : Rows
            Both kinds; of very many, the first of them are taken.

        Returns
        -------
        HeldOutPCA
            The PCA.
        """
        rows, judges = _dense(train), _dense(valid)
        (x, target), weight = rows, rows.weight
        n = min(x.shape)
        axes = principal_axes(x, n if n <= 2048 else _MOST_COMPONENTS, weight).double()
        mean, origin = mean_row(x, weight), mean_row(target, weight)
        codes = _times_root(x - mean, weight) @ axes.T
        errors = _times_root(target - origin, weight)
        slope = codes.T @ errors / codes.square().sum(0).clamp(min=1e-300)[:, None]
        # Squares of what is multiplied by the roots of weights are weighted squares.
        centred = _times_root(judges.input - mean, judges.weight)
        wanted = _times_root(judges.target - origin, judges.weight)
        codes, variance = centred @ axes.T, float(wanted.square().sum())
        gained = 2 * (codes * (wanted @ slope.T)).sum(0).cumsum(0)
        spent = ((codes.T @ codes) * (slope @ slope.T)).cumsum(0).cumsum(1).diagonal()
        restored = (gained - spent) / variance if variance else torch.ones_like(gained)
        return cls(variance, restored.numpy(), axes, mean, centred)

    @inference()
    def errors_of_cells(self) -> NDArray[np.float64]:
        """Return how well components predict the cells of a row from its other cells.

        A code of k components is fitted to all cells of a row but one, and predicts that one; by
        the leverage h of the cell, its error is that of the whole row's PCA divided by 1 - h.

        Returns
        -------
        ndarray of shape (n_numbers, n_rows)
            Mean squared errors, for at most half as many components as there are: with nearly all
            of them, columns that are functions of others are predicted without an error.
        """
        rest, leverage = self.centred.clone(), torch.zeros_like(self.centred[0])
        errors = []
        for axis in self.axes[: max(1, min(len(self.axes) // 2, _MOST_COMPONENTS))]:
            rest -= (self.centred @ axis)[:, None] * axis
            leverage += axis.square()
            free = (1 - leverage).clamp(min=_ROUNDING)
            errors.append((rest / free).square().mean(1))
        return torch.stack(errors).numpy()

    @inference()
    def error_ratio(self, net: AutoencoderNet, valid: Rows, n_components: int) -> float:
        """Return the squared error of a network on the held-out rows, that of PCA being 1.

        Parameters
        ----------
        net : AutoencoderNet
            With a code of `n_components`.
        valid : Rows
            The held-out rows.
        n_components : int
            Number of components of both.

        Returns
        -------
        float
            The ratio; 1 where PCA restores everything.
        """
        module: Any = net.averaged_module_
        error, rows = 0.0, valid.subset(torch.arange(len(self.centred)))
        for batch in rows.batches():
            x, target = batch.to(net.device)
            output = net.criterion_.mean(module.decode(module.encode(x)))
            errors = (output.cpu().double() - target.cpu().double()).square().nan_to_num_(nan=0.0)
            error += float(_times_root(_times_root(errors, batch.weight), batch.weight).sum())
        linear = self.variance * (1 - self.restored[n_components - 1])
        return error / linear if linear > _ROUNDING * self.variance else 1.0


@inference()
def error_of_cells(net: AutoencoderNet, valid: Rows, mean: Tensor) -> float:
    """Return how well a network predicts the cells of rows from their other cells.

    Every cell of some rows is hidden once, with one in 16 of its row at most. Hidden cells are
    filled by reconstructions of the rows as filled so far, from the column means on.

    Parameters
    ----------
    net : AutoencoderNet
        The net.
    valid : Rows
        Rows that it has not seen.
    mean : Tensor of shape (n_features,)
        Means of the columns.

    Returns
    -------
    float
        Mean squared error, infinite if the filling does not stay finite.
    """
    module: Any = net.averaged_module_
    batch = valid.batch(torch.arange(min(len(valid), _MOST_ROWS_TO_FILL))).to(net.device)
    x, target = batch
    n_parts = min(valid.n_features, _PARTS_TO_HIDE)
    # One column after the other, but different ones in neighbouring rows.
    n_rows, n_features = x.shape
    part_of = (torch.arange(n_features) + torch.arange(n_rows)[:, None]).to(x.device) % n_parts
    error = 0.0
    for part in range(n_parts):
        hidden = part_of == part
        filled = torch.where(hidden, mean.to(x), x)
        for _ in range(_ROUNDS_TO_FILL):
            output = net.criterion_.mean(module.decode(module.encode(filled)))
            filled = torch.where(hidden, output, x)
        errors = _times_root(filled - target, batch.weight)[hidden].double()
        error += float(errors.square().nansum())
    return error / x.numel() if math.isfinite(error) else math.inf


def best_number(rows: Rows, n_valid: int, seed: int) -> int:
    """Return how many components PCA needs, by a cross-validation of single cells.

    Parameters
    ----------
    rows : Rows
        Training data.
    n_valid : int
        How many rows to hold out in each of five folds.
    seed : int
        Determines which; the first fold is that of :func:`split_rows`.

    Returns
    -------
    int
        The fewest whose error is within one standard error of the least.
    """
    generator = torch.Generator().manual_seed(seed)
    folds = torch.randperm(len(rows), generator=generator, device="cpu").split(n_valid)
    parts = []
    for i in range(_N_FOLDS):
        others = torch.cat([*folds[:i], *folds[i + 1 :]])
        parts.append(HeldOutPCA.of(rows.subset(others), rows.subset(folds[i])).errors_of_cells())
    errors = np.hstack([part[: min(map(len, parts))] for part in parts])
    mean = errors.mean(axis=1)
    best = errors[mean.argmin()]
    return int(np.argmax(mean <= best.mean() + best.std() / len(best) ** 0.5)) + 1


def fewest_components(
    linear: NDArray[np.float64], share: float, error_ratio: Callable[[int], float]
) -> tuple[int, NDArray[np.float64]]:
    """Return with how many components a network restores a share of the variance.

    At most two numbers are tried; between them, the ratio of a network's error to that of PCA is
    interpolated, and beyond them it is taken to be the same.

    Parameters
    ----------
    linear : ndarray of shape (n_numbers,)
        Share that PCA restores with 1, 2, ... components.
    share : float
        What is wanted.
    error_ratio : callable
        Called with a number of components, tries a network, and returns its error, that of PCA
        being 1.

    Returns
    -------
    n_components : int
        The fewest that are good enough, as far as is known; all, if none are.
    restored : ndarray of shape (n_numbers,)
        Share that a network restores with 1, 2, ... components.
    """
    numbers = np.arange(1, len(linear) + 1)
    ratios: dict[int, float] = {}
    restored, n_components = linear, _first(linear, share)
    while n_components not in ratios and len(ratios) < _MOST_TRIALS:
        ratios[n_components] = error_ratio(n_components)
        tried = sorted(ratios)
        ratio = np.interp(numbers, tried, [ratios[k] for k in tried])
        restored = 1 - ratio * (1 - linear)
        n_components = _first(restored, share)
    # What lies below all trials rests on none.
    return max(n_components, min(ratios)), restored


def _first(restored: NDArray[np.float64], share: float) -> int:
    """Return the first number that restores a share, or else the last one."""
    enough = np.flatnonzero(restored >= share - _ROUNDING)
    return int(enough[0]) + 1 if len(enough) else len(restored)


def _dense(rows: Rows) -> Batch:
    """Return rows as one batch of float64 on the CPU."""
    n_rows = max(1, _MOST_CELLS // rows.n_features)
    batch = rows.batch(torch.arange(min(len(rows), n_rows))).to("cpu")
    x, target = batch
    wide = x.double()
    if target is x:
        return replace(batch, input=wide, target=wide)
    target = target.double()
    missing = target.isnan()  # a mean in their place is no error of who knows nothing else
    means = target.nansum(0) / (~missing).sum(0).clamp(min=1)
    return replace(batch, input=wide, target=torch.where(missing, means, target))


def _times_root(rows: Tensor, weight: Tensor | None) -> Tensor:
    """Return rows times the roots of their weights."""
    return rows if weight is None else rows * weight.to(rows).sqrt()[:, None]
