"""Numbers some values of which are frequent: what networks see of them, and distributions."""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ._logistics import draw_number, log_density, log_inside, mixture
from ._piecewise import PiecewiseNumbers

_NEVER = -1e4  # the logarithm of the probability of what there is not
_LEAST_REST, _LEAST_ODDS = 0.05, 1e-4


class SpikyNumbers(PiecewiseNumbers):
    """Columns of numbers, with distributions that a network gives the parameters of.

    A distribution is a mixture of logistic ones and of spikes, which are single values. Any
    frequent value owns an interval of numbers, and has its probability beside that of its spike.
    Last among the parameters are the log-odds of being missing.

    Parameters
    ----------
    starts, stops : ndarray of shape (n_numbers, n_atoms)
        Where the intervals of frequent values start and end, in ascending order.
    middles : ndarray of shape (n_numbers, n_atoms)
        The numbers that stand for these values.
    spikes : ndarray of shape (n_numbers, n_spikes) of int
        Which of the frequent values, by their order, are spikes; -1 for none.
    n_logistics : int
        Number of logistic distributions in a mixture.
    """

    starts: Tensor
    stops: Tensor
    middles: Tensor
    spikes: Tensor

    def __init__(
        self,
        starts: np.ndarray,
        stops: np.ndarray,
        middles: np.ndarray,
        spikes: np.ndarray,
        n_logistics: int,
    ) -> None:
        super().__init__(len(starts))
        for name, array in (("starts", starts), ("stops", stops), ("middles", middles)):
            values = torch.from_numpy(array.astype(np.float32))
            self.register_buffer(name, values, persistent=False)
        self.register_buffer("spikes", torch.from_numpy(spikes.copy()), persistent=False)
        self.n_logistics = n_logistics
        self.n_seen = self.n_each + spikes.shape[1]
        self.n_parameters = 3 * n_logistics + spikes.shape[1] + 1

    @torch.no_grad()
    def start(self, i: int, x: Tensor, share: Tensor, parameters: Tensor) -> None:
        """Learn what a column is like, and with which parameters to start.

        Parameters
        ----------
        i : int
            Which of the columns to learn.
        x : Tensor of shape (n_samples,)
            Its numbers.
        share : Tensor of shape (n_samples,)
            How much each counts among all rows.
        parameters : Tensor of shape (n_parameters - 1,)
            Is filled.
        """
        self.learn(i, x, self.starts[i], self.stops[i])
        k = self.n_logistics
        parameters[k : 2 * k] = torch.linspace(-1.5, 1.5, k)
        parameters[2 * k : 3 * k] = -0.5
        only = slice(i, i + 1)
        at = self._at_spikes(*self._atoms(x.unsqueeze(1), only), only)[:, 0]
        counts = share @ at.to(share)
        rest = (share.sum() - counts.sum()).clamp(min=_LEAST_REST)
        parameters[3 * k :] = (k * counts / rest).clamp(min=_LEAST_ODDS).log()

    def forward(self, x: Tensor, missing: Tensor, only: slice = slice(None)) -> Tensor:
        """Return what networks see.

        Parameters
        ----------
        x : Tensor of shape (n_samples, n_numbers)
            Numbers.
        missing : Tensor of shape (n_samples, n_numbers) of bool
            Which of them are missing.
        only : slice, default=slice(None)
            Which of the columns these are.

        Returns
        -------
        Tensor of shape (n_samples, n_numbers * n_seen)
            For each number its encoding, and which spike it is.
        """
        atom, tied = self._atoms(x, only)
        middles = self.middles[only].expand(len(x), -1, -1)
        x = torch.where(tied, middles.gather(2, atom.unsqueeze(2))[..., 0], x)
        encoded = super().forward(x, missing, only).unflatten(1, (x.shape[1], -1))
        spikes = self._at_spikes(atom, tied & ~missing, only)
        return torch.cat([encoded, spikes.to(encoded)], 2).flatten(1)

    def log_prob(self, parameters: Tensor, x: Tensor) -> Tensor:
        """Return log-densities, or log-probabilities of frequent values.

        Parameters
        ----------
        parameters : Tensor of shape (n_samples, n_numbers, n_parameters)
            What a network gave.
        x : Tensor of shape (n_samples, n_numbers)
            Numbers that are not missing.

        Returns
        -------
        Tensor of shape (n_samples, n_numbers)
            In nats.
        """
        body, log_body, log_spikes = self._parts(parameters)
        atom, tied = self._atoms(x)
        numbers = torch.arange(x.shape[1], device=x.device)
        low = torch.where(tied, self.starts[numbers, atom], x).unsqueeze(-1)
        high = torch.where(tied, self.stops[numbers, atom], x + 1).unsqueeze(-1)
        inside = log_inside(body, low, high)[..., 0, :].logsumexp(-1)
        logs = torch.where(tied, inside, log_density(body, x)) + log_body
        if not self.spikes.shape[1]:
            return logs
        own = log_spikes.masked_fill(~self._at_spikes(atom, tied), _NEVER).logsumexp(-1)
        return torch.logaddexp(logs, own)

    def mean(self, i: int, parameters: Tensor) -> Tensor:
        """Return the means of a column that is not missing.

        Parameters
        ----------
        i : int
            Which of the columns.
        parameters : Tensor of shape (n_samples, n_parameters)
            What a network gave.

        Returns
        -------
        Tensor of shape (n_samples,)
            Means.
        """
        body, log_body, log_spikes = self._parts(parameters, i)
        log_shares, means, _ = mixture(body)
        of_body = log_body.exp() * (log_shares.exp() * means).sum(1)
        return of_body + log_spikes.exp() @ self._places(i)

    def draw(
        self,
        i: int,
        parameters: Tensor,
        may_be_missing: bool,
        generator: torch.Generator,
        limits: Any = None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Draw numbers of a column.

        Parameters
        ----------
        i : int
            Which of the columns.
        parameters : Tensor of shape (n_samples, n_parameters)
            What a network gave.
        may_be_missing : bool
            Whether numbers are missing in some rows.
        generator : torch.Generator
            The only source of randomness.
        limits : tuple or None, default=None
            As for :func:`draw_number`.

        Returns
        -------
        x, missing, log_probs : Tensor of shape (n_samples,)
            As from :func:`draw_number`.
        """
        parameters = parameters.double()
        body, log_body, log_spikes = self._parts(parameters, i)
        absent = parameters[:, -1:].masked_fill(torch.tensor(not may_be_missing), -math.inf)
        spikes = log_body, log_spikes, self._places(i).double()
        return draw_number(body, absent, spikes, generator, limits)

    def _places(self, i: int) -> Tensor:
        """Return the numbers that stand for spikes."""
        return self.middles[i][self.spikes[i]]

    def _atoms(self, x: Tensor, only: slice = slice(None)) -> tuple[Tensor, Tensor]:
        """Return the frequent values at which numbers are, if they are, and whether they are."""
        starts, stops = self.starts[only], self.stops[only]
        atom = torch.searchsorted(stops, x.T.contiguous()).T.clamp(max=stops.shape[1] - 1)
        start, stop = (
            ends.expand(len(x), -1, -1).gather(2, atom.unsqueeze(2))[..., 0]
            for ends in (starts, stops)
        )
        return atom, (start <= x) & (x <= stop)

    def _at_spikes(self, atom: Tensor, tied: Tensor, only: slice = slice(None)) -> Tensor:
        """Tell which numbers are at spikes, of shape (n_samples, n_numbers, n_spikes)."""
        return (atom.unsqueeze(-1) == self.spikes[only]) & tied.unsqueeze(-1)

    def _parts(self, parameters: Tensor, i: Any = slice(None)) -> tuple[Tensor, Tensor, Tensor]:
        """Return the parameters of the mixture, its log-probability, and those of the spikes."""
        k = self.n_logistics
        spikes = parameters[..., 3 * k : -1].masked_fill(self.spikes[i] < 0, _NEVER)
        body = parameters[..., :k].logsumexp(-1, keepdim=True)
        logs = torch.cat([body, spikes], -1).log_softmax(-1)
        return parameters[..., : 3 * k], logs[..., 0], logs[..., 1:]
