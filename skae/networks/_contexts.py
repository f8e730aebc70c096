"""How widely each coefficient of a transformed image is spread, told from those coded before it."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_EDGES = (0, 1, 2, 3, 4, 6, 8, 10, 13, 17, 22, 28, 36, 46, 60, 80, 110, 150, 200, 300, 450, 600)
_N_SHARED = 9
_N_SOURCES, _N_PREDICTED = 15, 40
_RIDGE = 0.003
LOG_SCALES = (-3.5, 8.0)
_MOST_ROWS = (60_000, 10_000)  # to fit means, and scales
_N_ITERATIONS = 8

Log = Callable[[Tensor], Tensor]
Code = Callable[[slice, Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]


def log_magnitude(sums: Tensor) -> Tensor:
    """Return eighths of octaves.

    Parameters
    ----------
    sums : Tensor
        Sums of magnitudes.

    Returns
    -------
    Tensor
        ``8 * log2(1 + sums)``.
    """
    return 8 * torch.log2(1 + sums)


class ChannelContexts(nn.Module):
    """Predict the mean and the scale of coefficients from those that were coded before.

    Coefficients stand on a grid, in channels of falling variance. They are coded by groups of
    channels (Minnen & Singh, ICIP 2020), and a group in two passes, as the squares of a chessboard
    (He et al., CVPR 2021). The mean is linear in decoded values, the logarithm of the scale in
    logarithms of sums of magnitudes of the coded integers: of groups before, here and around, and
    in the second pass of the four neighbours. Both are fitted in closed form, by ridge regression
    and by Fisher scoring of an exponential distribution.

    Parameters
    ----------
    n_components : int
        Number of channels.
    n_levels : int
        Number of qualities between which the weights are interpolated.
    """

    scales: Tensor
    around: Tensor
    beside: Tensor

    def __init__(self, n_components: int, n_levels: int) -> None:
        super().__init__()
        inner = [edge for edge in _EDGES if edge < n_components]
        self.groups = list(zip(inner, [*inner[1:], n_components], strict=True))
        n_predicted = max(b for a, b in self.groups if a < _N_PREDICTED)
        n_sources = min(_N_SOURCES, n_components)
        self.register_buffer("scales", torch.zeros(n_levels, 2, n_components, _N_SHARED + 1))
        self.register_buffer("around", torch.zeros(n_levels, 2, n_predicted, 9 * n_sources))
        self.register_buffer("beside", torch.zeros(n_levels, n_predicted, 4))

    @property
    def weights(self) -> tuple[Tensor, Tensor, Tensor]:
        """Those of scales and means, of all levels."""
        return self.scales, self.around, self.beside

    def sources(self, group: int) -> int:
        """Return how many channels the means of a group are predicted from.

        Parameters
        ----------
        group : int
            Its number.

        Returns
        -------
        int
            Zero for groups that have no mean.
        """
        a = self.groups[group][0]
        return min(a, _N_SOURCES) if a < self.around.shape[2] else 0

    def means(
        self, group: int, second: int, decoded: Tensor, around: Tensor, beside: Tensor
    ) -> Tensor:
        """Return the means of a group.

        Parameters
        ----------
        group : int
            Its number.
        second : int
            Number of the pass, 0 or 1.
        decoded : Tensor of shape (n_images, height, width, n_components)
            Values that are decoded so far, zero elsewhere.
        around : Tensor of shape (2, n_predicted, 9 * n_sources)
            Weights of one level.
        beside : Tensor of shape (n_predicted, 4)
            Likewise.

        Returns
        -------
        Tensor of shape (n_images, height, width, n_channels)
            Means.
        """
        (a, b), k = self.groups[group], self.sources(group)
        mean = decoded.new_zeros(*decoded.shape[:3], b - a)
        if a >= self.around.shape[2]:
            return mean
        if k:
            kernel = around[second, a:b].unflatten(-1, (3, 3, -1))[..., :k].movedim(-1, 1)
            mean = F.conv2d(_extended(decoded[..., :k]), kernel).movedim(1, -1)
        if second:
            own = _padded(decoded[..., a:b])
            for weight, (i, j) in zip(beside[a:b].T, _FOUR, strict=True):
                mean = mean + weight * own[:, i : i + mean.shape[1], j : j + mean.shape[2]]
        return mean

    def features(
        self,
        group: int,
        second: int,
        squares: Tensor,
        magnitudes: Tensor,
        sums: Sequence[Tensor],
        log: Log = log_magnitude,
    ) -> tuple[Tensor, Tensor | None]:
        """Return what the scales of a group are predicted from.

        Parameters
        ----------
        group, second : int
            Its number, and that of the pass.
        squares : Tensor of bool of shape (height, width)
            Where they are wanted.
        magnitudes : Tensor of shape (n_images, height, width, n_channels)
            Those of the group itself, of the first pass.
        sums : sequence of Tensors of shape (n_images, height, width)
            Sums of the magnitudes of each group before.
        log : callable
            Logarithm.

        Returns
        -------
        shared : Tensor of shape (n_images, n_squares, 8 or 9)
            What all channels of the group have in common.
        own : Tensor of shape (n_images, n_squares, n_channels) or None
            What they have not, in the second pass.
        """
        zero = magnitudes.new_zeros(magnitudes.shape[:3])

        def before(start: int, stop: int) -> Tensor:
            chosen = sums[max(0, start) : max(0, stop)]
            return torch.stack(list(chosen)).sum(0) if chosen else zero

        g = group
        here = [before(g - 1, g), before(g - 2, g - 1), before(g - 3, g - 2), before(0, g - 3)]
        there = torch.stack([*here[:2], before(0, g - 2)], -1)
        around = _surround(there)[:, squares].unbind(-1)
        logs = [log(x) for x in (*(each[:, squares] for each in here), *around)]
        own = None
        if second:
            beside = _beside(magnitudes)[:, squares]
            own = log(beside)
            logs.append(log(beside.sum(-1)))
        return torch.stack([torch.ones_like(logs[0]), *logs], -1), own

    def log_scales(self, shared: Tensor, own: Tensor | None, weights: Tensor) -> Tensor:
        """Return the logarithms of scales.

        Parameters
        ----------
        shared, own : Tensor
            See :meth:`features`.
        weights : Tensor of shape (n_channels, 10)
            Weights of one level, pass and group.

        Returns
        -------
        Tensor of shape (n_images, n_squares, n_channels)
            Logarithms of the mean magnitudes.
        """
        logs = shared @ weights[:, : shared.shape[-1]].T
        return logs if own is None else logs + own * weights[:, -1]

    def walk(
        self,
        shape: Sequence[int],
        weights: Sequence[Tensor],
        code: Code,
        log: Log = log_magnitude,
        n_groups: int | None = None,
        prepare: Callable[..., None] | None = None,
    ) -> Tensor:
        """Visit all coefficients in the order of coding.

        Parameters
        ----------
        shape : sequence of four ints
            Numbers of images, rows, columns and channels.
        weights : sequence of three Tensors
            Weights of the scales and both weights of the means, of one level.
        code : callable
            Is given the channels as a slice, a mask of the squares, and for these the means and the
            logarithms of the scales; returns the integers there and what they are decoded to.
        log : callable
            Logarithm of sums of magnitudes.
        n_groups : int or None, default=None
            How many groups to visit; None for all.
        prepare : callable or None, default=None
            Is called before means and scales are predicted, with what they are predicted from.

        Returns
        -------
        Tensor of shape (n_images, height, width, n_channels)
            What all coefficients are decoded to; zero in groups that were not visited.
        """
        scales, around, beside = weights
        decoded = around.new_zeros(*shape)
        sums: list[Tensor] = []
        first = chessboard(shape[1:3], around.device)
        for g, (a, b) in enumerate(self.groups[:n_groups]):
            magnitudes = scales.new_zeros(*shape[:3], b - a)
            for second, squares in enumerate((first, ~first)):
                if not squares.any():
                    continue
                shared, own = self.features(g, second, squares, magnitudes, sums, log)
                if prepare is not None:
                    prepare(g, second, decoded, shared, own, squares)
                means = self.means(g, second, decoded, around, beside)[:, squares]
                logs = self.log_scales(shared, own, scales[second, a:b])
                integers, values = code(slice(a, b), squares, means, logs)
                magnitudes[:, squares] = integers.abs().to(magnitudes)
                decoded[:, squares, a:b] = values
            sums.append(magnitudes.sum(-1))
        return decoded

    @torch.no_grad()
    def fit_means(
        self, level: int, group: int, second: int, decoded: Tensor, values: Tensor, where: Tensor
    ) -> None:
        """Set the weights of the means of a group to those of a ridge regression.

        Parameters
        ----------
        level, group, second : int
            Their numbers.
        decoded : Tensor of shape (n_images, height, width, n_components)
            What is decoded so far.
        values : Tensor of shape (n_images, height, width, n_channels)
            The group's coefficients.
        where : Tensor of bool of shape (height, width)
            Where to learn.
        """
        (a, b), k = self.groups[group], self.sources(group)
        if a >= self.around.shape[2] or not (k or second) or not where.any():
            return
        some = slice(None, None, -(-len(values) * int(where.sum()) // _MOST_ROWS[0]))

        def rows(padded: Tensor, places: list[tuple[int, int]]) -> Tensor:
            height, width = where.shape
            parts = [padded[:, i : i + height, j : j + width][:, where] for i, j in places]
            return torch.stack([p.flatten(0, 1)[some] for p in parts], 1).double()

        y = values[:, where].flatten(0, 1)[some].double()
        X = y[:, :0]
        if k:
            X = rows(_extended(decoded[..., :k]).movedim(1, -1), _ALL_NINE).flatten(1)
        beside = rows(_padded(decoded[..., a:b]), _FOUR)
        n, d = X.shape
        gram = y.new_zeros(d + 4 * second, d + 4 * second)
        gram[:d, :d] = X.T @ X
        for c in range(b - a):
            target = X.T @ y[:, c]
            if second:
                own = beside[..., c]
                gram[:d, d:], gram[d:, d:] = X.T @ own, own.T @ own
                gram[d:, :d] = gram[:d, d:].T
                target = torch.cat([target, own.T @ y[:, c]])
            ridge = _RIDGE * gram.diagonal().mean() + 1e-3 * n
            solution = torch.linalg.solve(gram + ridge * torch.eye(len(gram)).to(gram), target)
            weights = self.around[level, second, a + c].unflatten(-1, (9, -1))
            weights[:, :k] = solution[:d].reshape(9, k)
            if second:
                self.beside[level, a + c] = solution[d:]

    @torch.no_grad()
    def fit_scales(
        self,
        level: int,
        group: int,
        second: int,
        shared: Tensor,
        own: Tensor | None,
        magnitudes: Tensor,
    ) -> None:
        """Set the weights of the scales of a group to those of greatest likelihood.

        Parameters
        ----------
        level, group, second : int
            Their numbers.
        shared, own : Tensor of shape (n_rows, ...)
            See :meth:`features`.
        magnitudes : Tensor of shape (n_rows, n_channels)
            Of the values that are to be coded, before they are rounded.
        """
        if not len(shared):
            return
        step = -(-len(shared) // _MOST_ROWS[1])
        X, y = shared[::step], magnitudes[::step].clamp(1e-3, 1e6)
        Z = torch.zeros_like(y) if own is None else own[::step]
        # The Hessian of each channel: a block that all have in common, bordered by its own feature.
        n, d = X.shape
        gram = X.new_zeros(y.shape[1], d + 1, d + 1, dtype=torch.float64)
        gram[:, :d, :d] = X.T.double() @ X.double()
        gram[:, :d, d] = gram[:, d, :d] = Z.T.double() @ X.double()
        gram[:, d, d] = Z.double().square().sum(0)
        gram += torch.diag(torch.full((d + 1,), 1.0 + 1e-3 * n, dtype=torch.float64))
        factor = torch.linalg.cholesky(gram)

        def toward(gradient: Tensor) -> Tensor:
            both = torch.cat([(X.T @ gradient).T, (Z * gradient).sum(0)[:, None]], 1)
            return torch.cholesky_solve(both.double()[..., None], factor)[..., 0].to(X)

        mean = y.mean(0).log()
        weights = toward((y + 0.1).log() - mean)
        weights[:, 0] += mean
        for _ in range(_N_ITERATIONS):
            expected = (X @ weights[:, :-1].T + Z * weights[:, -1]).clamp(*LOG_SCALES).exp()
            weights = weights + 0.8 * toward((y / expected - 1).clamp(max=20))
        fitted = self.scales[level, second, slice(*self.groups[group])]
        fitted[:, :d], fitted[:, -1] = weights[:, :-1], weights[:, -1]


_ALL_NINE = [(i, j) for i in range(3) for j in range(3)]
_FOUR = [(0, 1), (2, 1), (1, 0), (1, 2)]


def chessboard(shape: Sequence[int], device: torch.device) -> Tensor:
    """Return which squares of a grid are coded first.

    Parameters
    ----------
    shape : sequence of two ints
        Rows and columns.
    device : torch.device
        Where to.

    Returns
    -------
    Tensor of bool of shape (rows, columns)
        True where row and column have the same parity.
    """
    rows, columns = (torch.arange(n, device=device) for n in shape)
    return (rows[:, None] + columns) % 2 == 0


def _surround(x: Tensor) -> Tensor:
    """Return the sum of what stands on the eight squares around each square."""
    padded = _padded(x)
    rows = padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]
    return rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:] - x


def _beside(x: Tensor) -> Tensor:
    """Return the sum of what stands on the four squares beside each square."""
    padded = _padded(x)
    upright = padded[:, :-2, 1:-1] + padded[:, 2:, 1:-1]
    return upright + padded[:, 1:-1, :-2] + padded[:, 1:-1, 2:]


def _extended(x: Tensor) -> Tensor:
    """Repeat the margin of a grid around it; channels become the second dimension."""
    return F.pad(x.movedim(-1, 1), (1, 1, 1, 1), mode="replicate")


def _padded(x: Tensor) -> Tensor:
    """Put zeros around a grid."""
    return F.pad(x, (0, 0, 1, 1, 1, 1))
