"""Networks that correct conditional means of a normal distribution."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from ._ensemble import DenseEnsemble
from ._normal import completed, wide

_LEAST_SHARE = 0.02  # of a category, before its logarithm is taken
_LOG_SCALES = (-6.0, 2.0)


class ImputingEnsemble(nn.Module):
    """Fills missing cells: a normal distribution guesses, and networks side by side correct it.

    Rows are coded: standardised numbers first, then a group of zeros and a one for each category,
    NaN where a cell is missing. The networks see the first guess, and which cells are missing. They
    start at zero.

    Parameters
    ----------
    mean : ndarray of shape (n_columns,)
        Mean of the normal distribution.
    precision : ndarray of shape (n_columns, n_columns)
        Inverse of its covariance matrix.
    n_numbers : int
        Number of columns of numbers.
    sizes : sequence of int
        Widths of the groups.
    n_members : int
        Number of networks.
    hidden_layer_sizes : sequence of int
        Widths of their hidden layers.
    """

    mean: Tensor
    precision: Tensor

    def __init__(
        self,
        mean: np.ndarray,
        precision: np.ndarray,
        n_numbers: int,
        sizes: Sequence[int],
        n_members: int,
        hidden_layer_sizes: Sequence[int],
    ) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("precision", torch.tensor(precision))
        self.n_columns, self.n_numbers = len(mean), n_numbers
        self.sizes = list(sizes)
        n_inputs = 2 * self.n_columns
        n_outputs = self.n_columns + self.n_numbers
        self.networks = DenseEnsemble(
            n_inputs, n_members, hidden_layer_sizes, n_outputs=n_outputs, from_zero=True
        )

    def first_guess(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Fill rows by the normal distribution.

        Parameters
        ----------
        x : Tensor of shape (n_samples, n_columns)
            Coded rows, NaN where cells are missing.

        Returns
        -------
        guess : Tensor of shape (n_samples, n_columns)
            Conditional means in place of NaN.
        scale : Tensor of shape (n_samples, n_columns)
            Conditional standard deviations, 1 for observed cells.
        """
        guess, variances = completed(wide(x), wide(self.mean), wide(self.precision))
        return guess.to(x.dtype), variances.sqrt().to(x.dtype)

    def _inputs(self, x: Tensor, guess: Tensor) -> Tensor:
        return torch.cat([guess, x.isnan().to(guess.dtype)], 1)

    def _corrected(self, guess: Tensor, corrections: Tensor) -> Tensor:
        m = self.n_numbers
        start = torch.cat([guess[:, :m], guess[:, m:].clamp(min=_LEAST_SHARE).log()], 1)
        return start + corrections[..., : self.n_columns]

    def members(self, x: Tensor, guess: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
        """Return what each network makes of rows.

        Parameters
        ----------
        x : Tensor of shape (n_samples, n_columns)
            Coded rows, NaN where cells are missing.
        guess, scale : Tensor of shape (n_samples, n_columns)
            What :meth:`first_guess` gives for them.

        Returns
        -------
        output : Tensor of shape (n_members, n_samples, n_columns)
            Numbers, and logits of categories.
        log_scale : Tensor of shape (n_members, n_samples, n_numbers)
            Logarithms of the standard deviations of numbers.
        """
        corrections = self.networks.reconstructions(self._inputs(x, guess))
        log_scale = scale[:, : self.n_numbers].log() + corrections[..., self.n_columns :]
        return self._corrected(guess, corrections), log_scale.clamp(*_LOG_SCALES)

    def probabilities(self, output: Tensor) -> Tensor:
        """Return the probabilities of categories.

        Parameters
        ----------
        output : Tensor of shape (..., n_columns)
            From :meth:`members`.

        Returns
        -------
        Tensor of shape (..., n_columns - n_numbers)
            They add up to 1 in each group.
        """
        logits = output[..., self.n_numbers :]
        if not self.sizes:
            return logits
        return torch.cat([group.softmax(-1) for group in logits.split(self.sizes, -1)], -1)

    def encode(self, x: Tensor) -> Tensor:
        """Return the first guess and the last hidden layers of all networks, side by side.

        Parameters
        ----------
        x : Tensor of shape (n_samples, n_columns)
            Coded rows, NaN where cells are missing.

        Returns
        -------
        Tensor of shape (n_samples, n_columns + n_members * hidden_layer_sizes[-1])
            Codes.
        """
        guess, _ = self.first_guess(x)
        return torch.cat([guess, self.networks.encode(self._inputs(x, guess))], 1)

    def decode(self, z: Tensor) -> Tensor:
        """Return complete rows: the mean of all networks.

        Parameters
        ----------
        z : Tensor of shape (n_samples, n_columns + n_members * hidden_layer_sizes[-1])
            Codes.

        Returns
        -------
        Tensor of shape (n_samples, n_columns)
            Numbers, and logits of categories.
        """
        guess, hidden = z[:, : self.n_columns], z[:, self.n_columns :]
        corrections = self.networks.decode(hidden).unflatten(1, (self.networks.n_members, -1))
        return self._corrected(guess, corrections.mean(1))
