"""How often each integer is coded by each table, and where its values lie."""

import numpy as np
import torch
from torch import Tensor

from ..networks import N_CENTROIDS, N_TABLES, table_scales
from ._tables import LARGEST_RADIUS, CodecTables, Table

_N_MAGNITUDES = LARGEST_RADIUS + 1
_PRIOR_WEIGHT = 30.0


class Tally:
    """Counts of integers, for tables that fit them."""

    def __init__(self) -> None:
        self.counts = np.zeros((N_TABLES, _N_MAGNITUDES))
        self.shifts = np.zeros((N_TABLES, N_CENTROIDS))
        self.n_shifts = np.zeros((N_TABLES, N_CENTROIDS))

    def add(self, channels: slice, integers: Tensor, which: Tensor, residuals: Tensor) -> None:
        """Count some.

        Parameters
        ----------
        channels : slice
            Not used.
        integers : Tensor of int
            What was coded.
        which : Tensor of int
            By which table.
        residuals : Tensor
            What was rounded.
        """
        magnitude, which = integers.abs().reshape(-1), which.reshape(-1)
        joint = which * _N_MAGNITUDES + magnitude.clamp(max=_N_MAGNITUDES - 1)
        counts = torch.bincount(joint, minlength=self.counts.size)
        self.counts += counts.reshape(self.counts.shape).numpy()
        shift = (residuals.abs().reshape(-1) - magnitude).double()
        some = magnitude > 0
        joint = (which * N_CENTROIDS + (magnitude - 1).clamp(0, N_CENTROIDS - 1))[some]
        for total, weights in ((self.shifts, shift), (self.n_shifts, torch.ones_like(shift))):
            sums = torch.bincount(joint, weights[some], minlength=total.size)
            total += sums.reshape(total.shape).numpy()

    def tables(self, before: CodecTables) -> CodecTables:
        """Return tables that fit what was counted.

        Parameters
        ----------
        before : CodecTables
            What to start from.

        Returns
        -------
        CodecTables
            Those with other centroids and frequencies.
        """
        centroids = (self.shifts + _PRIOR_WEIGHT * before.centroids) / (
            self.n_shifts + _PRIOR_WEIGHT
        )
        tables = [
            Table.from_counts(scale, seen, _PRIOR_WEIGHT)
            for scale, seen in zip(table_scales(), self.counts, strict=True)
        ]
        return CodecTables.of(before.weights, centroids, tables)
