"""What the imputer's networks learn: cells that they are not shown."""

from collections.abc import Sequence

import torch
from torch import Tensor

from .._plain import registered
from ..losses import CategoricalLikelihood
from ..training import Losses, Objective, Step

_WEIGHT_OF_SCALES = 0.1


@registered
class HiddenCells(Objective):
    """The error of cells that are hidden from the networks: squares, and the entropy of categories.

    Parameters
    ----------
    n_numbers : int
        Number of columns of numbers, which come first.
    sizes : sequence of int
        Widths of the groups of columns that follow.
    shares : tuple of two float, default=(0.1, 0.6)
        Of the observed cells of a row, at least and at most this share is hidden.
    """

    n_numbers: int
    sizes: Sequence[int]
    shares: tuple[float, float] = (0.1, 0.6)

    def hidden(self, x: Tensor, share: Tensor | float, generator: torch.Generator) -> Tensor:
        """Draw cells to hide.

        Parameters
        ----------
        x : Tensor of shape (n_samples, n_columns)
            Coded rows.
        share : float or Tensor of shape (n_samples, 1)
            Probability that a cell is drawn.
        generator : torch.Generator
            The only source of randomness.

        Returns
        -------
        Tensor of bool of shape (n_samples, n_columns)
            The cells; of a group of columns all or none.
        """
        widths = torch.tensor([1] * self.n_numbers + list(self.sizes), device=x.device)
        shape = (len(x), len(widths))
        drawn = torch.rand(shape, generator=generator, device=x.device, dtype=x.dtype) < share
        return drawn.repeat_interleave(widths, 1, output_size=x.shape[1])

    def losses(self, step: Step) -> Losses:
        x, target = step.batch
        counts, *start = step.batch.extra
        if x is target:
            low, high = self.shares
            share = torch.rand(
                (len(x), 1), generator=step.generator, device=x.device, dtype=x.dtype
            )
            x = x.masked_fill(self.hidden(x, low + (high - low) * share, step.generator), torch.nan)
        guess, scale = start or step.module.first_guess(x)
        output, log_scale = step.module.members(x, guess, scale)
        m, is_counted = self.n_numbers, x.isnan() & ~target.isnan()
        truth = target.nan_to_num(0.0)
        squares = (output[..., :m] - truth[:, :m]).square()
        of_scale = squares.detach() * (-2 * log_scale).exp() + 2 * log_scale
        errors = squares + _WEIGHT_OF_SCALES * of_scale
        if self.sizes:
            entropy = -CategoricalLikelihood(self.sizes).log_prob(output[..., m:], truth[:, m:])
            errors = torch.cat([errors, entropy], -1)
        by_member = (errors * is_counted).sum(-1)
        n_cells = is_counted[:, :m].sum() + (is_counted[:, m:] & (truth[:, m:] > 0)).sum()
        rows = (by_member * counts.T).mean(0) * (len(x) / n_cells.clamp(min=1))
        return Losses(rows, output=output.mean(0))
