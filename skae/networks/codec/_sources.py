"""Decoded values that means are linear in: a class for each kind of grid."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ._order import Order

_FEATURES_PER_CHANNEL, _MOST_FEATURES = 8, 512
_FEATURES_RENEWED_AT = (1, 2, 3, 6, 10, 17, 28, 46)
_AMPLITUDE = 2.0


class Sources(nn.Module):
    """Base class: what is known of the first channels where a later group starts.

    Parameters
    ----------
    n_sources : int
        How many channels are looked at.
    n_values : int
        How many numbers they become.
    """

    n_deep: int  # channels that are coded in nine passes, those which neighbours tell most about
    n_predicted: int  # channels that have means
    passes_differ: bool  # whether each pass over the squares has weights of its own

    def __init__(self, n_sources: int, n_values: int) -> None:
        super().__init__()
        self.n_sources, self.n_values = n_sources, n_values

    @property
    def weights(self) -> tuple[Tensor, ...]:
        """What depends on the level, for all levels."""
        return ()

    def fit(self, level: int, y: Tensor) -> None:
        """Set the weights of a level, for coefficients of shape (n_images, n_squares, ...)."""

    def n_known(self, start: int) -> int:
        """Return how many channels a group that starts at `start` makes use of."""
        raise NotImplementedError

    def width(self, n_known: int) -> int:
        """Return how many numbers these become."""
        raise NotImplementedError

    def extended(
        self,
        values: Tensor,
        decoded: Tensor,
        channels: slice,
        order: Order,
        weights: Sequence[Tensor],
    ) -> Tensor:
        """Return the numbers for further channels, too.

        Parameters
        ----------
        values : Tensor of shape (n_images, n_squares, n_values)
            The numbers for channels before these, sorted by passes; may be written to.
        decoded : Tensor of shape (n_images, n_squares, n_channels)
            What was decoded, row by row.
        channels : slice
            Which channels are new.
        order : Order
            The passes.
        weights : sequence of Tensors
            Those of :attr:`weights`, of one level.

        Returns
        -------
        Tensor of shape (n_images, n_squares, n_values)
            Numbers, sorted by passes.
        """
        raise NotImplementedError


class SourcesAround(Sources):
    """For squares that have neighbours: values here and around.

    Parameters
    ----------
    n_components : int
        Number of channels.
    """

    n_deep, n_predicted, passes_differ = 6, 100, True

    def __init__(self, n_components: int) -> None:
        n_sources = min(24, n_components)
        super().__init__(n_sources, 9 * n_sources)

    def n_known(self, start: int) -> int:
        return min(start, self.n_sources)

    def width(self, n_known: int) -> int:
        return 9 * n_known

    def extended(
        self,
        values: Tensor,
        decoded: Tensor,
        channels: slice,
        order: Order,
        weights: Sequence[Tensor],
    ) -> Tensor:
        new = decoded[..., channels].index_select(1, order.around)
        new = new.unflatten(1, (-1, 9)).transpose(2, 3)
        values[..., 9 * channels.start : 9 * channels.stop].unflatten(2, (-1, 9)).copy_(new)
        return values


class SourcesAlone(Sources):
    """For squares that have no neighbours: one, values here, and random features of them.

    Features are rectified sums (Rahimi & Recht, NeurIPS 2007).

    Parameters
    ----------
    n_components : int
        Number of channels.
    n_levels : int
        Number of levels.
    """

    n_deep, n_predicted, passes_differ = 0, 300, False
    spreads: Tensor
    directions: Tensor

    def __init__(self, n_components: int, n_levels: int) -> None:
        n_sources = min(46, n_components)
        n_features = min(_MOST_FEATURES, _FEATURES_PER_CHANNEL * n_components)
        super().__init__(n_sources, 1 + n_sources + n_features)
        self.register_buffer("spreads", torch.ones(n_levels, n_sources))
        numbers = torch.Generator().manual_seed(0)
        directions = torch.randn(1 + n_sources, n_features, generator=numbers)
        self.register_buffer("directions", directions)

    @property
    def weights(self) -> tuple[Tensor, ...]:
        return (self.spreads,)

    def fit(self, level: int, y: Tensor) -> None:
        self.spreads[level] = (1 + y[..., : self.n_sources].square().mean((0, 1))).sqrt()

    def n_known(self, start: int) -> int:
        return max((k for k in _FEATURES_RENEWED_AT if k <= start), default=0)

    def width(self, n_known: int) -> int:
        return self.n_values if n_known else 0

    def extended(
        self,
        values: Tensor,
        decoded: Tensor,
        channels: slice,
        order: Order,
        weights: Sequence[Tensor],
    ) -> Tensor:
        (spreads,) = weights
        features = self._features(decoded[..., : channels.stop], spreads)
        return features.index_select(1, order.squares)

    def _features(self, decoded: Tensor, spreads: Tensor) -> Tensor:
        """Return random features; sums of wide channels are weighted by their roots."""
        k = decoded.shape[-1]
        weights = _AMPLITUDE / (spreads[:k] * spreads[:k].sum()).sqrt()
        sums = torch.addmm(
            self.directions[0], decoded.flatten(0, 1) * weights, self.directions[1 : 1 + k]
        )
        features = decoded.new_zeros(len(sums), self.n_values)
        features[:, 0] = 1
        features[:, 1 : 1 + k] = decoded.flatten(0, 1)
        features[:, 1 + self.n_sources :] = sums.relu_()
        return features.unflatten(0, decoded.shape[:2])


class Known:
    """What has become known of sources in the course of a walk.

    Parameters
    ----------
    sources : Sources
        The kind.
    decoded : Tensor of shape (n_images, n_squares, n_channels)
        What has been decoded; filled as the walk goes on.
    weights : sequence of Tensors
        Weights of the sources, of one level.
    """

    def __init__(self, sources: Sources, decoded: Tensor, weights: Sequence[Tensor]) -> None:
        self._sources, self._decoded, self._weights = sources, decoded, weights
        self._values = decoded.new_empty(*decoded.shape[:2], sources.n_values)
        self._order: Order | None = None
        self._n_known = 0

    def before(self, start: int, order: Order) -> tuple[Tensor, int]:
        """Return the numbers, sorted by passes, and for how many channels they are."""
        if order is not self._order:
            self._order, self._n_known = order, 0
        n_known = self._sources.n_known(start)
        if n_known > self._n_known:
            new = slice(self._n_known, n_known)
            self._values = self._sources.extended(
                self._values, self._decoded, new, order, self._weights
            )
            self._n_known = n_known
        return self._values[..., : self._sources.width(n_known)], n_known
