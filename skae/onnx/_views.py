"""What an estimator does to rows before its network sees them, and to what that gives."""

import numpy as np
import torch
from torch import Tensor, nn

from .._units import Units
from ..tables import Columns
from ._pieces import PiecewiseLinear, scores_of, values_of


class UnitsView(nn.Module):
    """Rows in the units of the network, and back within limits.

    Parameters
    ----------
    units : Units or None
        Of the network; None if these are the units of the data.
    limits : tuple of two floats or None
        Lowest and highest value of what comes back.
    """

    offset: Tensor

    def __init__(self, units: Units | None, limits: tuple[float, float] | None) -> None:
        super().__init__()
        self.units, self.limits = units, limits
        if units is not None:
            self.register_buffer("offset", torch.from_numpy(units.offset.astype(np.float64)))

    def forward(self, rows: Tensor) -> Tensor:
        """Return rows as the network sees them, float32."""
        if self.units is not None:
            rows = (rows.double() - self.offset) / self.units.scale
        return rows.float()

    def undo(self, rows: Tensor) -> Tensor:
        """Return rows in the units of the data, float64."""
        rows = rows.double()
        if self.units is not None:
            rows = rows * self.units.scale + self.offset
        return rows if self.limits is None else rows.clamp(*self.limits)


class ColumnsView(nn.Module):
    """Columns of a table as the network sees them, and back; as `Columns`, in torch.

    Parameters
    ----------
    columns : Columns
        Of numbers.
    """

    low: Tensor
    high: Tensor
    middle: Tensor
    offset: Tensor

    def __init__(self, columns: Columns) -> None:
        super().__init__()
        self.columns = columns
        middle = np.where(columns.low < columns.high, columns.low / 2 + columns.high / 2, np.inf)
        arrays = {"low": columns.low, "high": columns.high, "middle": middle}
        for name, array in (arrays | {"offset": columns.offset}).items():
            self.register_buffer(name, torch.from_numpy(array.astype(np.float64)))
        self.scores = self.values = None
        if columns.scores:
            self.scores = PiecewiseLinear([scores_of(each) for each in columns.scores])
            self.values = PiecewiseLinear([values_of(each) for each in columns.scores])

    def forward(self, rows: Tensor) -> Tensor:
        """Return rows as the network sees them, float32."""
        columns, rows = self.columns, rows.double()
        missing = rows.isnan()
        rows = torch.where(missing, self.low, rows)
        parts = []
        if len(columns.numbers):
            numbers = self._encoded(rows[:, columns.numbers])
            parts.append(numbers.masked_fill(missing[:, columns.numbers], 0.0))
        if len(columns.binary):
            parts.append(rows[:, columns.binary] > self.middle[columns.binary])
        if len(columns.incomplete):
            parts.append(missing[:, columns.numbers[columns.incomplete]])
        for group in columns.groups:
            chosen = rows[:, group].argmax(1, keepdim=True)
            parts.append(chosen == torch.arange(len(group), device=rows.device))
        return torch.cat([part.float() for part in parts], 1)

    def _encoded(self, numbers: Tensor) -> Tensor:
        if self.scores is not None:
            return self.scores(numbers)
        return (numbers - self.offset) / self.columns.factor

    def undo(self, encoded: Tensor) -> Tensor:
        """Return the rows that the network's view of them stands for, float64."""
        columns, encoded = self.columns, encoded.double()
        m, b, n_missing = len(columns.numbers), len(columns.binary), len(columns.incomplete)
        groups = [len(group) for group in columns.groups]
        numbers, *shares = encoded.split([m, b, n_missing, *groups], 1)
        numbers = self._decoded(numbers)
        if n_missing:
            hidden = shares[1] > 0.5
            places = columns.incomplete
            of_numbers = torch.zeros(m, n_missing, dtype=torch.float64)
            of_numbers[places, np.arange(n_missing)] = 1.0
            numbers = numbers.masked_fill(hidden.double() @ of_numbers.T > 0, torch.nan)
        binary = np.r_[columns.binary, *columns.groups].astype(int)
        share = torch.cat([shares[0], *shares[2:]], 1)
        two_values = self.low[binary] * (1 - share) + self.high[binary] * share
        order = np.argsort(np.r_[columns.numbers, binary])
        return torch.cat([numbers, two_values], 1)[:, order]

    def _decoded(self, numbers: Tensor) -> Tensor:
        columns = self.columns
        if self.values is None:
            return numbers * columns.factor + self.offset
        return self.values(numbers).clamp(self.low[columns.numbers], self.high[columns.numbers])
