"""Numbers as networks see them: which share of each of some intervals they have passed."""

import torch
from torch import Tensor, nn

_N_EDGES, _OF_QUANTILES, _OF_ATOMS = 17, 9, 4
_LEAST_GAP = 1e-3  # between edges


class PiecewiseNumbers(nn.Module):
    """A piecewise linear encoding of numbers, some of which are missing.

    Parameters
    ----------
    n_numbers : int
        Number of columns.

    References
    ----------
    Gorishniy, Rubachev & Babenko, "On embeddings for numerical features in tabular deep learning",
    NeurIPS 2022, section 3.2.
    """

    n_each = _N_EDGES + 1  # columns for each number
    edges: Tensor

    def __init__(self, n_numbers: int) -> None:
        super().__init__()
        self.register_buffer("edges", torch.zeros(n_numbers, _N_EDGES))

    def learn(self, i: int, x: Tensor, starts: Tensor, stops: Tensor) -> None:
        """Choose between which numbers the encoding is straight.

        Parameters
        ----------
        i : int
            Which of the columns to learn.
        x : Tensor of shape (n_samples,)
            Its numbers; quantiles of them become ends.
        starts, stops : Tensor of shape (n_intervals,)
            Intervals; those in which most numbers lie have ends of their own.
        """
        if not len(x):
            return
        x = x.sort().values
        places = torch.linspace(0, len(x) - 1, _OF_QUANTILES, device=x.device).round().long()
        counts = torch.searchsorted(x, stops) - torch.searchsorted(x, starts)
        frequent = counts.argsort(descending=True)[:_OF_ATOMS]
        frequent = frequent[counts[frequent] > 0]
        edges = torch.cat([x[places], starts[frequent], stops[frequent]])
        edges = edges.clamp(x[0] - 1, x[-1] + 1).unique()
        kept = torch.cat([edges[:1], edges[1:][edges.diff() > _LEAST_GAP]])
        self.edges[i] = torch.cat([kept, kept[-1:].expand(_N_EDGES - len(kept))])

    def forward(self, x: Tensor, missing: Tensor, only: slice = slice(None)) -> Tensor:
        """Return the encoding.

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
        Tensor of shape (n_samples, n_numbers * n_each)
            The number, which share of each interval it has passed, and whether it is missing.
        """
        low, gap = self.edges[only, :-1], self.edges[only].diff(dim=1)
        passed = ((x.unsqueeze(-1) - low) / gap.clamp(min=_LEAST_GAP)).clamp(0, 1) * (gap > 0)
        absent = missing.unsqueeze(-1).to(passed)
        parts = [x.unsqueeze(-1) * (1 - absent), passed * (1 - absent), absent]
        return torch.cat(parts, -1).flatten(1)
