"""The loss of a table with columns of all kinds and missing cells."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ._columns import ColumnLosses
from ._domains import OutsideDomainError


class TableLoss(ColumnLosses):
    """Different losses for the columns of a table, each of one cell or several.

    The mean over the cells of a row is that over its columns, the errors of whose cells are added
    up. Cells whose target is NaN are missing: they cost nothing, and their columns do not count in
    the mean.

    Parameters
    ----------
    parts : sequence of (str or ReconstructionLoss, array-like of int)
        A loss and the indices of its cells; together they name every cell once.
    owners : sequence of int
        For every cell, the column that it belongs to.
    """

    first: Tensor

    def __init__(self, parts: Sequence[tuple[Any, Any]], owners: Sequence[int]) -> None:
        super().__init__(parts)
        self._owners = [int(owner) for owner in owners]
        last_first = list(enumerate(self._owners))[::-1]
        first = sorted({owner: i for i, owner in last_first}.values())
        self.register_buffer("first", torch.tensor(first), persistent=False)
        self.degree = None

    def elementwise(self, output: Tensor, target: Tensor) -> Tensor:
        missing = target.isnan()
        # What a missing cell hands back is NaN, and zero times NaN too: nothing may pass here.
        blocked = torch.cat([missing] * self.n_parameters, -1)
        output = torch.where(blocked, output.detach(), output)
        errors = super().elementwise(output, target).masked_fill(missing, 0)
        n_observed = (~missing[..., self.first]).sum(-1, keepdim=True).clamp(min=1)
        return errors * (target.shape[-1] / n_observed)

    def link(self, target: Tensor) -> Tensor:
        return super().link(target).nan_to_num(0.0)

    def check_target(self, X: Tensor) -> None:
        try:
            super().check_target(X)
        except OutsideDomainError as error:
            raise error.named(self._owners) from None
