"""Detectors of outliers, and the default model with its views of a row, their tables as buffers."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..outliers._gradients import OrientedGradients, oriented
from ..outliers._neighbors import Nearest, Samples
from ..outliers._views import SMALL, Marginals
from ._pieces import Pieces, PiecewiseLinear, taken

_N_SPARE, _N_LOCAL, _N_NEAR = 6, 10, 5
_LARGEST_SQUARE = 1e30


class DetectorGraph(nn.Module):
    """A detector of outliers by the scores of a model.

    Parameters
    ----------
    model : nn.Module
        Graph of the model, with `score_samples`.
    offset : float
        Threshold of the scores.
    """

    def __init__(self, model: Any, offset: float) -> None:
        super().__init__()
        self.model, self.offset = model, float(offset)

    def width_of(self, method: str) -> int:
        """Return the number of columns that a method takes."""
        return self.model.width_of("score_samples")

    def score_samples(self, x: Tensor) -> Tensor:
        return self.model.score_samples(x)

    def decision_function(self, x: Tensor) -> Tensor:
        return self.score_samples(x) - self.offset

    def predict(self, x: Tensor) -> Tensor:
        return torch.where(self.decision_function(x) >= 0, 1, -1)


class EnsembleGraph(nn.Module):
    """The scores of the default model.

    Parameters
    ----------
    model : DenoisingEnsemble
        Fitted, on the CPU. Its network computes in float32 from now on.
    """

    center: Tensor
    unit: Tensor
    low: Tensor
    high: Tensor

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.module, self.n_features = model.module_.float(), model.n_features_in_
        self.largest = float(model.scale_.largest)
        _add(self, torch.float64, center=model.scale_.center, unit=model.scale_.unit)
        _add(self, torch.float32, low=model._limits.low, high=model._limits.high)
        self.whitenings = nn.ModuleList(map(_Whitening, model._whitenings))
        kinds = {Marginals: _Marginals, Samples: _Samples, Nearest: _Nearest}
        self.views = nn.ModuleList(kinds[type(view)](view) for view in model._views)
        self.surprises = _Surprises(model._surprises.values, model._surprises.weights)

    def width_of(self, method: str) -> int:
        """Return the number of columns that a method takes."""
        return self.n_features

    def score_samples(self, x: Tensor) -> Tensor:
        x = ((x.double() - self.center) / self.unit).clamp(-self.largest, self.largest).float()
        observed = (~x.isnan()).float()
        x = torch.where(x.isnan(), 0.0, x)
        is_wild = (x < self.low) | (x > self.high)
        restored = self.module.reconstructions(x.masked_fill(is_wild, 0.0))
        residuals = ((restored - x) * observed).chunk(2)
        factor = x.shape[1] / observed.sum(1).clamp(min=1)
        values = [
            whitening(each, observed).sum(-1).mean(0) * factor
            for whitening, each in zip(self.whitenings, residuals, strict=True)
        ]
        for view in self.views:
            values += view(x, observed, factor)
        return -self.surprises(torch.stack(values, 1).double())


class _Surprises(nn.Module):
    """Weighted sum of the logarithms of shares of training rows that are as unlike the others."""

    largest: Tensor
    weights: Tensor

    def __init__(self, values: Any, weights: Any) -> None:
        super().__init__()
        tables = []
        for each in values:
            n_as_high, zeros = np.arange(len(each), -1, -1), np.zeros(len(each) + 1)
            surprise = np.log(len(each) + 1) - np.log(n_as_high + 1)
            # A value of a training row is as high as it.
            tables.append(Pieces(np.nextafter(each, np.inf), zeros, surprise, zeros))
        self.shares = PiecewiseLinear(tables)
        largest = [max(each[-1], SMALL) for each in values]
        _add(self, torch.float64, largest=largest, weights=weights)

    def forward(self, values: Tensor) -> Tensor:
        surprise = self.shares(values) + (values / self.largest).clamp(min=1).log()
        return (surprise * self.weights).sum(1)


class _Whitening(nn.Module):
    """Squared whitened residuals of cells."""

    def __init__(self, whitening: Any) -> None:
        super().__init__()
        self.is_plain, self.is_diagonal = whitening.root is None, np.ndim(whitening.root) == 1
        _add(self, torch.float32, mean=whitening.mean)
        if not self.is_plain:
            _add(self, torch.float32, root=whitening.root)

    def forward(self, residuals: Tensor, observed: Tensor) -> Tensor:
        centred: Any = (residuals - self.mean) * observed
        if self.is_plain:
            return centred.square()
        white = centred * self.root if self.is_diagonal else centred @ self.root
        return (white * observed).square()


class _Marginals(nn.Module):
    """Sums of how rare the value of each feature is."""

    def __init__(self, view: Marginals) -> None:
        super().__init__()
        self.n_cells = view.tail.shape[1]
        _add(self, torch.float32, low=view.low, per_unit=view.per_unit)
        _add(self, torch.float32, tail=view.tail.ravel(), rarity=view.rarity.ravel())
        _add(self, torch.int64, starts=np.arange(len(view.low)) * self.n_cells)

    def forward(self, x: Tensor, observed: Tensor, factor: Tensor) -> list[Tensor]:
        place: Any = ((x - self.low) * self.per_unit).floor() + 1
        place = place.clamp(0, self.n_cells - 1).long() + self.starts
        return [
            (taken(table, place) * observed).sum(1) * factor for table in (self.tail, self.rarity)
        ]


class _Samples(nn.Module):
    """Mean distance from the nearest row in each of some small samples."""

    def __init__(self, view: Samples) -> None:
        super().__init__()
        self.size = view.size
        keys = np.concatenate([-2 * view.rows.T, np.square(view.rows).T])
        _add(self, torch.float32, per_unit=view.per_unit, keys=keys)

    def forward(self, x: Tensor, observed: Tensor, factor: Tensor) -> list[Tensor]:
        x = x * self.per_unit
        squares = torch.cat([x, observed], 1) @ self.keys + x.square().sum(1, keepdim=True)
        nearest = squares.unflatten(1, (-1, self.size)).amin(2)
        return [nearest.clamp(min=0).sqrt().mean(1) * factor.sqrt()]


class _Nearest(nn.Module):
    """Mean distances from the nearest of many rows, and relative ones."""

    def __init__(self, view: Nearest) -> None:
        super().__init__()
        self.gradients = None if view.gradients is None else _Gradients(view.gradients)
        self.is_local = view.spacings is not None
        keys = np.concatenate([-2 * view.rows.T, np.square(view.rows).T])
        _add(self, torch.float32, rows=view.rows, keys=keys, units=view.squared_units)
        if self.is_local:
            _add(self, torch.float32, spacings=view.spacings)

    def forward(self, x: Tensor, observed: Tensor, factor: Tensor) -> list[Tensor]:
        near, local = [], []
        if self.gradients is not None:
            x = self.gradients(x)
            observed, factor = torch.ones_like(x), torch.ones_like(factor)
        n_sought = _N_LOCAL if self.is_local else _N_NEAR
        n_candidates = min(n_sought + _N_SPARE, len(self.rows))
        for i, units in enumerate(self.units.unbind(0)):
            distances = torch.cat([x * units, observed * units], 1) @ self.keys
            # Rounding has a say in which the candidates are, but not in their order.
            places = distances.topk(n_candidates, largest=False).indices
            cells = (x[:, None] - self.rows[places]) * observed[:, None]
            squares = (cells.square() * units).clamp(max=_LARGEST_SQUARE).sum(2)
            squares, order = squares.topk(min(n_sought, n_candidates), largest=False)
            found = squares.sqrt() * factor.sqrt()[:, None]
            near.append(found[:, :_N_NEAR].mean(1))
            if self.is_local:
                spacings = self.spacings[i][places.gather(1, order)]
                local.append(found.mean(1) / spacings.mean(1))
        return [*near, *local]


class _Gradients(nn.Module):
    """Features of images, by direction and place of their gradients."""

    center: Tensor
    rows: Tensor
    columns: Tensor

    def __init__(self, gradients: OrientedGradients) -> None:
        super().__init__()
        self.layout, self.channels_last = gradients.layout, gradients.channels_last
        self.level = gradients.level
        for name in ("center", "rows", "columns"):
            _add(self, torch.float32, **{name: getattr(gradients, name)})

    def forward(self, x: Tensor) -> Tensor:
        images = (x + self.center).unflatten(1, self.layout)
        images = images.movedim(-1, 1) if self.channels_last else images
        return oriented(images, self.rows, self.columns, self.level)


def _add(module: nn.Module, dtype: torch.dtype, **arrays: Any) -> None:
    """Give a module arrays as buffers."""
    for name, array in arrays.items():
        module.register_buffer(name, torch.as_tensor(np.array(array), dtype=dtype))
