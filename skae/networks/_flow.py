"""A normalizing flow: an invertible network that turns codes into normal ones."""

import math

import torch
from torch import Tensor, nn

_LARGEST_LOG_SCALE = 1.0


class CouplingFlow(nn.Module):
    """Affine couplings, each of which maps half of the columns by what the other half says.

    The other half of a coupling is the first one of the next, and after two of them the columns are
    shuffled. At the start the columns are only permuted, so that the density is the standard
    normal one.

    Parameters
    ----------
    n_components : int
        Number of columns, at least 2.
    n_couplings : int, default=6
        Number of couplings.
    width : int, default=128
        Width of the two hidden layers of each coupling.

    References
    ----------
    Dinh, Sohl-Dickstein & Bengio, "Density estimation using Real NVP", ICLR 2017.
    """

    orders: Tensor

    def __init__(self, n_components: int, n_couplings: int = 6, width: int = 128) -> None:
        super().__init__()
        n_given = n_components // 2
        backwards = torch.arange(n_components).flip(0)
        orders = [backwards if i % 2 else torch.randperm(n_components) for i in range(n_couplings)]
        self.register_buffer("orders", torch.stack(orders))
        self.couplings = nn.ModuleList(
            _conditioner(n_given, n_components - n_given, width) for _ in range(n_couplings)
        )

    def encode(self, x: Tensor) -> Tensor:
        """Return the normal code.

        Parameters
        ----------
        x : Tensor of shape (n_samples, n_components)
            Data.

        Returns
        -------
        Tensor of shape (n_samples, n_components)
            Code.
        """
        return self._encode(x)[0]

    def decode(self, z: Tensor) -> Tensor:
        """Return the data that have the code `z`.

        Parameters
        ----------
        z : Tensor of shape (n_samples, n_components)
            Code.

        Returns
        -------
        Tensor of shape (n_samples, n_components)
            Data.
        """
        for order, conditioner in zip(self.orders.flip(0), reversed(self.couplings), strict=True):
            given, other = _halves(z)
            log_scale, shift = _affine(conditioner, given)
            z = torch.cat([given, (other - shift) * (-log_scale).exp()], 1)[:, order.argsort()]
        return z

    def log_prob(self, x: Tensor) -> Tensor:
        """Return the log-density of rows.

        Parameters
        ----------
        x : Tensor of shape (n_samples, n_components)
            Data.

        Returns
        -------
        Tensor of shape (n_samples,)
            In nats.
        """
        z, log_volume = self._encode(x)
        return log_volume - 0.5 * (z.square() + math.log(2 * math.pi)).sum(1)

    def _encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the code, and the logarithm of the volume that a unit volume becomes."""
        log_volume = x.new_zeros(len(x))
        for order, conditioner in zip(self.orders, self.couplings, strict=True):
            given, other = _halves(x[:, order])
            log_scale, shift = _affine(conditioner, given)
            x = torch.cat([given, other * log_scale.exp() + shift], 1)
            log_volume = log_volume + log_scale.sum(1)
        return x, log_volume


def _halves(x: Tensor) -> tuple[Tensor, Tensor]:
    n_given = x.shape[1] // 2
    return x[:, :n_given], x[:, n_given:]


def _affine(conditioner: nn.Module, given: Tensor) -> tuple[Tensor, Tensor]:
    """Return logarithms of scales, which are bounded, and shifts."""
    log_scale, shift = conditioner(given).chunk(2, 1)
    return _LARGEST_LOG_SCALE * (log_scale / _LARGEST_LOG_SCALE).tanh(), shift


def _conditioner(n_given: int, n_others: int, width: int) -> nn.Sequential:
    """Return a network that gives zeros at first: two numbers for each other column."""
    last = nn.Linear(width, 2 * n_others)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return nn.Sequential(
        nn.Linear(n_given, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(), last
    )
