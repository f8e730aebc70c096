"""How widely each coefficient of a transform is spread, told from those coded before it."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from ._base_contexts import Code, Contexts, log_magnitude
from ._evidence import N_SHARED, CodedGroup, Evidence, Log, Sums
from ._law import Law
from ._order import N_BESIDE, N_PASSES_DEEP, N_PASSES_FLAT, Order, deep_order, flat_order
from ._quantizer import rounded
from ._regression import exponential_regression, ridge_regression
from ._sources import Known, Sources, SourcesAlone, SourcesAround

EDGES = (0, 1, 2, 3, 4, 6, 8, 10, 13, 17, 22, 28, 36, 46, 60, 80, 110, 150, 200, 300, 450, 600)

Prepare = Callable[[slice, slice, Tensor, Evidence], None]


class Group(NamedTuple):
    """Channels that are coded together.

    Parameters
    ----------
    channels : slice
        Which ones.
    order : callable
        Returns the order of the squares.
    rows : list of slice
        The rows of the channels' weights, for each pass.
    has_mean : bool
        Whether there are weights of means, which otherwise are zero.
    """

    channels: slice
    order: Callable[[int, int, torch.device], Order]
    rows: list[slice]
    has_mean: bool


class ChannelContexts(Contexts):
    """Predict the mean and the scale of coefficients from those that were coded before.

    Coefficients stand on a grid, in channels of falling variance. They are coded by groups of
    channels (Minnen & Singh, ICIP 2020), and a group in two passes, as the squares of a chessboard
    (He et al., CVPR 2021); the first few channels, which neighbours tell most about, in nine, from
    coarse to fine. The mean is linear in decoded values, the logarithm of the scale in logarithms
    of sums of magnitudes of the coded integers: of groups before, here and around, and of the
    nearest neighbours of passes before. Both are fitted in closed form, by ridge regression and by
    Fisher scoring of an exponential distribution.

    Where a grid has but one square, as patches are whole images, the mean is linear in random
    features of the channels before.

    Parameters
    ----------
    n_components : int
        Number of channels.
    n_levels : int
        Number of levels, between which the weights are interpolated.
    are_alone : bool, default=False
        Whether squares have no neighbours.
    """

    scales: Tensor
    means: Tensor

    def __init__(self, n_components: int, n_levels: int, are_alone: bool = False) -> None:
        super().__init__()
        sources: Sources = (
            SourcesAlone(n_components, n_levels) if are_alone else SourcesAround(n_components)
        )
        inner = [edge for edge in EDGES if edge < n_components]
        self.groups = list(zip(inner, [*inner[1:], n_components], strict=True))
        self._plan: list[Group] = []
        # Each channel has a row of weights for each pass.
        n_rows = n_means = 0
        for a, b in self.groups:
            is_deep, has_mean = a < sources.n_deep, a < sources.n_predicted
            n_passes = N_PASSES_DEEP if is_deep else N_PASSES_FLAT
            starts = [n_rows + sources.passes_differ * i * (b - a) for i in range(n_passes)]
            rows = [slice(start, start + b - a) for start in starts]
            order = deep_order if is_deep else flat_order
            self._plan.append(Group(slice(a, b), order, rows, has_mean))
            n_rows = rows[-1].stop
            n_means = n_rows if has_mean else n_means
        self.register_buffer("scales", torch.zeros(n_levels, n_rows, N_SHARED + 1))
        self.register_buffer("means", torch.zeros(n_levels, n_means, sources.n_values + N_BESIDE))
        self.sources = sources

    @property
    def weights(self) -> tuple[Tensor, ...]:
        """Those of scales and means, and perhaps of sources, of all levels."""
        return (self.scales, self.means, *self.sources.weights)

    def mean(self, weights: Tensor, evidence: Evidence) -> Tensor:
        """Return means.

        Parameters
        ----------
        weights : Tensor of shape (n_channels, n_values + 4)
            Weights of one level, pass and group.
        evidence : Evidence
            What is known.

        Returns
        -------
        Tensor of shape (n_images, n_squares, n_channels)
            Means.
        """
        width = evidence.sources.shape[2]
        mean = evidence.sources @ weights[:, :width].T
        if evidence.beside is not None:
            mean += (evidence.beside * weights[:, -N_BESIDE:].T[:, None, None]).sum(0)
        return mean

    def log_scale(self, weights: Tensor, evidence: Evidence) -> Tensor:
        """Return the logarithms of scales.

        Parameters
        ----------
        weights : Tensor of shape (n_channels, 10)
            Weights of one level, pass and group.
        evidence : Evidence
            What is known.

        Returns
        -------
        Tensor of shape (n_images, n_squares, n_channels)
            Logarithms of the mean magnitudes.
        """
        shared, own = evidence.shared, evidence.own
        logs = shared @ weights[:, : shared.shape[-1]].T
        return logs if own is None else torch.addcmul(logs, own, weights[:, -1])

    def walk(
        self,
        shape: Sequence[int],
        weights: Sequence[Tensor],
        code: Code,
        log: Log = log_magnitude,
        n_groups: int | None = None,
        prepare: Prepare | None = None,
    ) -> Tensor:
        """Visit all coefficients in the order of coding.

        Parameters
        ----------
        shape : sequence of four ints
            Numbers of images, rows, columns and channels.
        weights : sequence of Tensors
            Those of :attr:`weights`, of one level.
        code : callable
            Is given the channels as a slice, the numbers of the squares, and for these the means
            and the logarithms of the scales, of shape (n_images, n_squares, n_channels); returns
            the integers there and what they are decoded to.
        log : callable
            Logarithm of sums of magnitudes.
        n_groups : int or None, default=None
            How many groups to visit; None for all.
        prepare : callable or None, default=None
            Is called before means and scales are predicted, with the rows of the weights, the
            channels, the numbers of the squares, and what is known.

        Returns
        -------
        Tensor of shape (n_images, rows, columns, n_channels)
            What all coefficients are decoded to; zero in groups that were not visited.
        """
        scales, means, *others = weights
        n, rows, columns, n_channels = shape
        groups = self._plan[:n_groups]
        orders = {
            order: order(rows, columns, means.device).of_images(n)
            for order in {group.order for group in groups}
        }
        decoded = means.new_zeros(n, rows * columns, n_channels)
        known = Known(self.sources, decoded, others)
        sums = Sums(means.new_zeros(n, rows * columns), rows, columns)
        for group in groups:
            order, channels = orders[group.order], group.channels
            width = channels.stop - channels.start
            # From here to the end of the group, squares are sorted by passes.
            sources, n_known = known.before(channels.start, order)
            coded = CodedGroup(width, sources, n_known, sums.sorted(order), log)
            for row, now in zip(group.rows, order.passes, strict=True):
                if not len(now.squares):
                    continue
                evidence = coded.evidence(now, group.has_mean)
                if prepare is not None:
                    prepare(row, channels, now.squares, evidence)
                if group.has_mean:
                    mean = self.mean(means[row], evidence)
                else:
                    mean = means.new_zeros(1).expand(n, len(now.squares), width)
                log_scale = self.log_scale(scales[row], evidence)
                coded.put(now, *code(channels, now.squares, mean, log_scale))
            decoded[:, order.squares, channels] = coded.values
            sums.append(coded.sums, order)
        return decoded.unflatten(1, (rows, columns))

    @torch.no_grad()
    def fit(self, level: int, y: Tensor, law: Law | None = None) -> None:
        """Set the weights of a level.

        Parameters
        ----------
        level : int
            Which one.
        y : Tensor of shape (n_images, rows, columns, n_channels)
            Coefficients, in steps.
        law : Law or None, default=None
            Not used: scales are fitted to magnitudes.
        """
        shape, y = y.shape, y.flatten(1, 2)
        self.sources.fit(level, y)
        products: dict[tuple[int, int], Tensor] = {}  # of sources, which later groups share

        def learn(row: slice, channels: slice, squares: Tensor, evidence: Evidence) -> None:
            values = y[:, squares, channels]
            if channels.start < self.sources.n_predicted:
                kind = evidence.n_known, int(squares[0])
                known = products.get(kind)
                weights, products[kind] = ridge_regression(evidence, values, known)
                used, n = self.means[level, row], evidence.sources.shape[2]
                used[:, :n], used[:, -N_BESIDE:] = weights.split([n, N_BESIDE], 1)
                values = values - self.mean(used, evidence)
            self.scales[level, row] = exponential_regression(evidence, values.abs())

        def code(channels: slice, squares: Tensor, mean: Tensor, log_scale: Tensor) -> tuple:
            integers = rounded(y[:, squares, channels] - mean)
            return integers, mean + integers

        self.walk(shape, [w[level] for w in self.weights], code, prepare=learn)
