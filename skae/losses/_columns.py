"""Different losses or likelihoods for different columns of a mixed table."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from .._units import Units
from ._domains import OutsideDomainError
from ._likelihood import Likelihood
from ._likelihoods import LIKELIHOODS
from ._reconstruction import LOSSES, ReconstructionLoss


class ColumnLosses(ReconstructionLoss):
    """Different losses for different columns of a mixed table.

    Parameters
    ----------
    parts : sequence of (str or ReconstructionLoss, array-like of int)
        A loss and the indices of its columns; together they name every column once.
    """

    _table: Mapping[str, type[ReconstructionLoss]] = LOSSES
    _contiguous = True  # vectorised functions round differently where columns are not
    parts: Any
    order: Tensor
    restore: Tensor

    def __init__(self, parts: Sequence[tuple[str | ReconstructionLoss, Any]]) -> None:
        super().__init__()
        self.parts = nn.ModuleList(
            self._table[part]() if isinstance(part, str) else part for part, _ in parts
        )
        self.n_parameters = max(part.n_parameters for part in self.parts)
        columns = [torch.as_tensor(index, dtype=torch.long) for _, index in parts]
        ends = [0, *accumulate(len(index) for index in columns)]
        self.places = [slice(a, b) for a, b in pairwise(ends)]
        self.register_buffer("order", torch.cat(columns), persistent=False)
        self.register_buffer("restore", torch.argsort(torch.cat(columns)), persistent=False)

        degrees = {part.degree for part in self.parts}
        self.degree = degrees.pop() if len(degrees) == 1 else None

    def set_units(self, units: Units) -> None:
        for part, columns in zip(self.parts, self._columns, strict=True):
            part.set_units(replace(units, offset=units.offset[columns]))

    def knows_no_origin(self, n_features: int) -> np.ndarray:
        known = np.empty(n_features, dtype=bool)
        for part, columns in zip(self.parts, self._columns, strict=True):
            known[columns] = part.knows_no_origin(len(columns))
        return known

    @property
    def _columns(self) -> list[np.ndarray]:
        """Indices of the columns of each part."""
        return [self.order[place].cpu().numpy() for place in self.places]

    def _outputs(self, output: Tensor) -> list[Tensor]:
        blocks = output.unflatten(-1, (self.n_parameters, -1))[..., self.order]
        parts = [
            blocks[..., : part.n_parameters, place].flatten(-2)
            for part, place in zip(self.parts, self.places, strict=True)
        ]
        return [part.contiguous() for part in parts] if self._contiguous else parts

    def _targets(self, target: Tensor) -> list[Tensor]:
        ordered = target[..., self.order]
        parts = [ordered[..., place] for place in self.places]
        return [part.contiguous() for part in parts] if self._contiguous else parts

    def _joined(self, method: str, *arguments: Any) -> Tensor:
        results = [
            getattr(part, method)(*each) for part, *each in zip(self.parts, *arguments, strict=True)
        ]
        return torch.cat(results, -1)[..., self.restore]

    def elementwise(self, output: Tensor, target: Tensor) -> Tensor:
        return self._joined("elementwise", self._outputs(output), self._targets(target))

    def mean(self, output: Tensor) -> Tensor:
        return self._joined("mean", self._outputs(output))

    def link(self, target: Tensor) -> Tensor:
        return self._joined("link", self._targets(target))

    def check_target(self, X: Tensor) -> None:
        for part, target, place in zip(self.parts, self._targets(X), self.places, strict=True):
            try:
                part.check_target(target)
            except OutsideDomainError as error:
                raise error.named(self.order[place].tolist()) from None


class ColumnLikelihoods(ColumnLosses, Likelihood):
    """Different likelihoods for different columns of a mixed table.

    Parameters
    ----------
    parts : sequence of (str or Likelihood, array-like of int)
        A likelihood and the indices of its columns; together they name every column once.
    """

    _table = LIKELIHOODS
    _contiguous = False

    def log_prob(self, output: Tensor, target: Tensor) -> Tensor:
        return self._joined("log_prob", self._outputs(output), self._targets(target))

    def sample(self, output: Tensor) -> Tensor:
        return self._joined("sample", self._outputs(output))

    def residual(self, output: Tensor, target: Tensor) -> Tensor:
        return self._joined("residual", self._outputs(output), self._targets(target))

    def draw_target(self, target: Tensor, generator: torch.Generator) -> Tensor:
        return self._joined("draw_target", self._targets(target), [generator] * len(self.parts))

    def set_optimal_variance(self, mean_squares: Tensor) -> None:
        for part, squares in zip(self.parts, self._targets(mean_squares), strict=True):
            part.set_optimal_variance(squares)
