"""Many small multi-layer perceptrons, computed at once."""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class DenseEnsemble(nn.Module):
    """Independent autoencoders side by side, as batched matrix products.

    A row is as wide as all members together: the first `n_features` columns belong to the first
    member, and so on. Rows of `n_features` columns go to every member alike.

    Parameters
    ----------
    n_features : int
        Number of columns of the data.
    n_members : int
        Number of autoencoders.
    hidden_layer_sizes : sequence of int, default=(128, 128)
        Widths of the hidden layers; the last is the code.
    n_outputs : int or None, default=None
        Number of columns that a member gives; None for `n_features`.
    from_zero : bool, default=False
        Whether all outputs are zero before training.
    """

    def __init__(
        self,
        n_features: int,
        n_members: int,
        hidden_layer_sizes: Sequence[int] = (128, 128),
        n_outputs: int | None = None,
        from_zero: bool = False,
    ) -> None:
        super().__init__()
        self.n_features, self.n_members = n_features, n_members
        sizes = [n_features, *hidden_layer_sizes, n_outputs or n_features]
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for i, (n_in, n_out) in enumerate(pairwise(sizes)):
            gain = 3.0 if i == len(sizes) - 2 else 6.0  # He's bounds, halved without a rectifier
            bound = math.sqrt(gain / n_in)
            self.weights.append(torch.empty(n_members, n_in, n_out).uniform_(-bound, bound))
            self.biases.append(torch.zeros(n_members, 1, n_out))
        if from_zero:
            nn.init.zeros_(self.weights[-1])

    def _apart(self, x: Tensor) -> Tensor:
        """Return what each member gets, of shape (n_members, n_samples, width)."""
        if x.shape[1] == self.n_features:
            return x.expand(self.n_members, -1, -1)
        return x.view(len(x), self.n_members, -1).transpose(0, 1)

    def _hidden(self, x: Tensor) -> Tensor:
        for i in range(len(self.weights) - 1):  # a slice would be a new list of parameters
            x = F.relu(torch.baddbmm(self.biases[i], x, self.weights[i]))
        return x

    def _output(self, hidden: Tensor) -> Tensor:
        return torch.baddbmm(self.biases[-1], hidden, self.weights[-1])

    def reconstructions(self, x: Tensor) -> Tensor:
        """Return what the members make of rows.

        Parameters
        ----------
        x : Tensor of shape (n_samples, n_features) or (n_samples, n_members * n_features)
            Data.

        Returns
        -------
        Tensor of shape (n_members, n_samples, n_outputs)
            Reconstructions.
        """
        return self._output(self._hidden(self._apart(x)))

    def encode(self, x: Tensor) -> Tensor:
        """Return the codes of all members side by side.

        Parameters
        ----------
        x : Tensor of shape (n_samples, n_features) or (n_samples, n_members * n_features)
            Data.

        Returns
        -------
        Tensor of shape (n_samples, n_members * hidden_layer_sizes[-1])
            Codes.
        """
        return self._hidden(self._apart(x)).transpose(0, 1).flatten(1)

    def decode(self, z: Tensor) -> Tensor:
        """Return the reconstructions of all members side by side.

        Parameters
        ----------
        z : Tensor of shape (n_samples, n_members * hidden_layer_sizes[-1])
            Codes.

        Returns
        -------
        Tensor of shape (n_samples, n_members * n_outputs)
            Reconstructions.
        """
        hidden = z.view(len(z), self.n_members, -1).transpose(0, 1)
        return self._output(hidden).transpose(0, 1).flatten(1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the reconstructions of all members side by side."""
        return self.decode(self.encode(x))
