"""Networks that give clean rows for noisy ones: a filter, and whatever corrects it."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from .._shapes import checked_image_shape
from ._count_filter import CountFilter
from ._layers import make_activation
from ._patch_filter import PatchFilter
from ._wiener import WienerFilter

MOST_SEEN_AT_ONCE = 1024  # features of images that are filtered as a whole


class DenoisingNetwork(nn.Module):
    """A Wiener filter, and a network that adds what a linear map can't do: nothing at first.

    What the network gives is multiplied by the error that the filter is expected to leave in the
    row, so rows without noise come back as they are.

    Parameters
    ----------
    network : nn.Module
        With ``encode(x)`` and ``decode(z)``. It sees the rows, centred and of unit variance. One
        with the attribute `sees_filtered` sees, beside each other, the rows, those rows filtered,
        and the share of the noise in their standard deviation; and it must give zeros at first.
    n_features : int
        Number of columns.
    levels : tuple of two floats
        The least and the largest standard deviation of the noise.
    sigma : float or None, default=None
        Standard deviation of the noise in the rows that are learned from; None if they are clean.
    fills : bool, default=False
        Whether rows have no noise but missing cells, NaN, that are to be filled.
    image_shape : tuple of int or None, default=None
        Shape of the images, if the rows are such; those of more than 1,024 values are filtered
        patch by patch.
    n_parts : int, default=0
        Number of parts of the mixture that those patches have; 0 for one normal distribution.
    offset : ndarray of shape (n_features,) or None, default=None
        Where those images are counts, what is none is ``-offset`` in the rows.
    """

    def __init__(
        self,
        network: nn.Module,
        n_features: int,
        levels: tuple[float, float],
        sigma: float | None = None,
        fills: bool = False,
        image_shape: Sequence[int] | None = None,
        n_parts: int = 0,
        offset: np.ndarray | None = None,
    ) -> None:
        super().__init__()
        self.filter = WienerFilter(n_features, levels, sigma)
        if image_shape is not None and n_features > MOST_SEEN_AT_ONCE and not fills:
            parts: Any = {
                "image_shape": checked_image_shape(image_shape, n_features),
                "n_parts": n_parts,
            }
            self.filter = (
                PatchFilter(n_features, levels, sigma, **parts)
                if offset is None
                else CountFilter(n_features, levels, offset=offset, **parts)
            )
        self.network: Any = network
        self.fills = fills
        self.sees_filtered = bool(getattr(network, "sees_filtered", False))
        if not self.sees_filtered:
            self.scale = nn.Parameter(torch.zeros(n_features))

    @torch.no_grad()
    def initialize(self, x: Tensor, output: Tensor) -> None:
        """Start from the filter; called once, before training.

        Parameters
        ----------
        x : Tensor of shape (n_samples, n_features)
            Rows of the training data.
        output : Tensor of shape (n_samples, n_features)
            What the network should give for them; the same rows if noise is made.
        """
        self.filter.initialize(x, output)
        if hasattr(self.network, "initialize"):
            rows = (output - self.filter.output_center) / self.filter.mean_variance.sqrt()
            self.network.initialize(rows, rows)

    def encode(self, x: Tensor) -> Tensor:
        """Return rows as they are: there is no narrow code.

        Parameters
        ----------
        x : Tensor of shape (n_samples, n_features)
            Noisy rows.

        Returns
        -------
        Tensor of shape (n_samples, n_features)
            The same.
        """
        return x

    def decode(self, z: Tensor) -> Tensor:
        """Return clean rows for noisy ones.

        Parameters
        ----------
        z : Tensor of shape (n_samples, n_features)
            Noisy rows.

        Returns
        -------
        Tensor of shape (n_samples, n_features)
            Clean rows.
        """
        return self.corrected(z)[0]

    def corrected(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Return clean rows for noisy ones, and how far off those of the filter may be.

        Parameters
        ----------
        z : Tensor of shape (n_samples, n_features)
            Noisy rows.

        Returns
        -------
        rows : Tensor of shape (n_samples, n_features)
            Clean rows.
        error : Tensor of shape (n_samples, 1) or (n_samples, n_features)
            Mean squared error that the filter expects to leave, by which corrections are scaled.
        """
        rows, given, level, error = self.filter.fill(z) if self.fills else self.filter(z)
        variance = self.filter.mean_variance
        noise = 0.0 if self.fills else level.square()
        seen = given / (variance + noise).sqrt()
        if self.sees_filtered:
            filtered = (rows - self.filter.output_center) / variance.sqrt()
            share = level if self.fills else level / (variance + noise).sqrt()
            seen = torch.cat([seen, filtered, share], 1)
        correction = self.network.decode(self.network.encode(seen))
        if not self.sees_filtered:
            correction = correction * self.scale
        return rows + error.sqrt() * correction, error

    def expected_error(self, x: Tensor, output: Tensor) -> Tensor:
        """Return the mean squared error that the filter leaves where there is as much noise.

        Parameters
        ----------
        x, output : Tensor of shape (n_samples, n_features)
            Noisy rows and clean ones.

        Returns
        -------
        Tensor of shape (n_samples,)
            The error.
        """
        if self.fills:
            return x.isnan().to(x.dtype).mean(1) * self.filter.mean_variance
        level = (x - output).square().mean(1, keepdim=True).sqrt()
        # The lowest level may stand for none, and then rows of little noise would count for all.
        return self.filter.expected_error(level.clamp(min=self.filter.levels[1]))


class DenseCorrection(nn.Module):
    """Fully connected layers, from rows, filtered rows and levels of noise to a correction.

    Parameters
    ----------
    n_features : int
        Number of columns of the data.
    n_levels : int, default=1
        Number of columns of the levels.
    hidden_layer_sizes : sequence of int, default=(64, 64)
        Widths of the hidden layers.
    activation : str, default="gelu"
        Name in ``skae.networks.ACTIVATIONS``; follows every hidden layer.
    """

    sees_filtered = True

    def __init__(
        self,
        n_features: int,
        n_levels: int = 1,
        hidden_layer_sizes: Sequence[int] = (64, 64),
        activation: str = "gelu",
    ) -> None:
        super().__init__()
        sizes = [2 * n_features + n_levels, *hidden_layer_sizes]
        layers: list[nn.Module] = []
        for a, b in pairwise(sizes):
            layers += [nn.Linear(a, b), make_activation(activation)]
        self.encoder = nn.Sequential(*layers)
        self.decoder = nn.Linear(sizes[-1], n_features)
        nn.init.zeros_(self.decoder.weight)
        nn.init.zeros_(self.decoder.bias)

    def encode(self, x: Tensor) -> Tensor:
        """Return what the hidden layers make of rows, filtered rows and levels.

        Parameters
        ----------
        x : Tensor of shape (n_samples, 2 * n_features + n_levels)
            The three of them, beside each other.

        Returns
        -------
        Tensor of shape (n_samples, hidden_layer_sizes[-1])
            What the last hidden layer gives.
        """
        return self.encoder(x)

    def decode(self, z: Tensor) -> Tensor:
        """Return the correction.

        Parameters
        ----------
        z : Tensor of shape (n_samples, hidden_layer_sizes[-1])
            What :meth:`encode` returns.

        Returns
        -------
        Tensor of shape (n_samples, n_features)
            Correction.
        """
        return self.decoder(z)
