"""Links: the scale on which a decoder works, seen from the scale of the data."""

from dataclasses import dataclass

import torch
from torch import Tensor


class Link:
    """Base class: a function from data to decoder outputs, and one back.

    A new link overrides both. The way from data to outputs may be rough: networks start from a
    linear model of these outputs, so they must be finite, also at the edge of the domain.
    """

    def __call__(self, target: Tensor) -> Tensor:
        """Return finite decoder outputs that stand for data.

        Parameters
        ----------
        target : Tensor of shape (..., n_features)
            Data.

        Returns
        -------
        Tensor of shape (..., n_features)
            Outputs.
        """
        raise NotImplementedError

    def inverse(self, output: Tensor) -> Tensor:
        """Return the data that decoder outputs stand for.

        Parameters
        ----------
        output : Tensor of shape (..., n_features)
            What the decoder gave.

        Returns
        -------
        Tensor of shape (..., n_features)
            Expected data.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class Identity(Link):
    """The decoder works on the scale of the data."""

    def __call__(self, target: Tensor) -> Tensor:
        return target

    def inverse(self, output: Tensor) -> Tensor:
        return output


@dataclass(frozen=True)
class Logit(Link):
    """The decoder gives the log-odds of values in [0, 1].

    Parameters
    ----------
    margin : float, default=0.05
        Values this near to 0 or 1 are moved here before their log-odds are taken.
    """

    margin: float = 0.05

    def __call__(self, target: Tensor) -> Tensor:
        return torch.logit(target, eps=self.margin)

    def inverse(self, output: Tensor) -> Tensor:
        return output.sigmoid()


@dataclass(frozen=True)
class Log(Link):
    """The decoder gives logarithms of values that are not negative.

    Parameters
    ----------
    offset : float, default=0.5
        Added to the values before their logarithms are taken.
    """

    offset: float = 0.5

    def __call__(self, target: Tensor) -> Tensor:
        return (target + self.offset).log()

    def inverse(self, output: Tensor) -> Tensor:
        return output.exp()
