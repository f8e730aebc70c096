"""How widely each coefficient of a transformed image is spread, told from those coded before it."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_EDGES = (0, 1, 2, 3, 4, 6, 8, 10, 13, 17, 22, 28, 36, 46, 60, 80, 110, 150, 200, 300, 450, 600)
_N_DEEP = 6
_STRIDES = (8, 4, 2, 1)
_N_SHARED, _N_BESIDE = 9, 4
_N_SOURCES, _N_PREDICTED = 24, 100
_N_SOURCES_ALONE, _N_PREDICTED_ALONE = 46, 300
_FEATURES_PER_CHANNEL, _MOST_FEATURES = 8, 512
_FEATURES_RENEWED_AT = (1, 2, 3, 6, 10, 17, 28, 46)
_AMPLITUDE = 2.0
_RIDGE, _RIDGE_ROWS = 0.003, 100.0
LOG_SCALES = (-3.5, 8.0)
_MOST_ROWS = (100_000, 30_000)  # to fit means, and scales
_N_ITERATIONS = 8

Log = Callable[[Tensor], Tensor]
Code = Callable[[slice, Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]
Prepare = Callable[[slice, slice, Tensor, "Evidence"], None]


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


class Pass(NamedTuple):
    """Squares of a grid that are coded together.

    Parameters
    ----------
    squares : Tensor of int64 of shape (n_squares,)
        Their numbers, row by row.
    places : slice
        Where they stand if all squares are sorted by passes.
    beside : Tensor of int64 of shape (n_squares, 4) or None
        The places of squares around them that are coded before; the number of squares of the
        grid stands for none. None, if there are none at all.
    """

    squares: Tensor
    places: slice
    beside: Tensor | None


class Evidence(NamedTuple):
    """What a pass of a group of channels is predicted from.

    Parameters
    ----------
    sources : Tensor of shape (n_images, n_squares, n_values)
        Decoded values of the first channels, here and around, or features of those here.
    beside : Tensor of shape (4, n_images, n_squares, n_channels) or None
        Decoded values of the group's own channels.
    shared : Tensor of shape (n_images, n_squares, 8 or 9)
        One, and the logarithms of sums of magnitudes that all channels of the group have in common.
    own : Tensor of shape (n_images, n_squares, n_channels) or None
        Logarithms of sums of magnitudes of each channel's nearest neighbours.
    n_known : int
        Of how many channels the sources are.
    """

    sources: Tensor
    beside: Tensor | None
    shared: Tensor
    own: Tensor | None
    n_known: int


@lru_cache(maxsize=16)
@torch.inference_mode(False)
def passes(rows: int, columns: int, is_deep: bool, device: torch.device) -> list[Pass]:
    """Return in which order the squares of a grid are coded.

    Parameters
    ----------
    rows, columns : int
        Its shape.
    is_deep : bool
        Whether to begin with few squares far apart and to halve their distance time and again, or
        with half of them, as those of a chessboard.
    device : torch.device
        Where to.

    Returns
    -------
    list of Pass
        Nine or two.
    """
    i, j = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")

    def known(squares: Tensor, offsets: list[tuple[int, int]]) -> Tensor:
        """Number what stands at each offset, or else opposite, or else nothing."""
        y, x = squares // columns, squares % columns
        numbers = []
        for down, right in offsets:
            number = torch.full_like(squares, rows * columns)
            for sign in (-1, 1):
                a, b = y + sign * down, x + sign * right
                exists = (a >= 0) & (a < rows) & (b >= 0) & (b < columns)
                number = torch.where(exists, a * columns + b, number)
            numbers.append(number)
        return torch.stack(numbers, 1)

    kinds: list[tuple[Tensor, list[tuple[int, int]]]]
    if is_deep:
        widest = 2 * _STRIDES[0]
        kinds = [((i % widest == 0) & (j % widest == 0), [])]
        for stride in _STRIDES:
            a, b = i % (2 * stride), j % (2 * stride)
            kinds.append(((a == stride) & (b == stride), _scaled(_DIAGONAL, stride)))
            kinds.append(((a + b == stride) & (a * b == 0), _scaled(_UPRIGHT, stride)))
    else:
        kinds = [((i + j) % 2 == 0, []), ((i + j) % 2 == 1, _UPRIGHT)]
    places = torch.full((rows * columns + 1,), rows * columns)
    result, start = [], 0
    for mask, offsets in kinds:
        squares = mask.flatten().nonzero().flatten()
        stop = start + len(squares)
        places[squares] = torch.arange(start, stop)
        beside = places[known(squares, offsets)].to(device) if offsets else None
        result.append(Pass(squares.to(device), slice(start, stop), beside))
        start = stop
    return result


_UPRIGHT = [(1, 0), (-1, 0), (0, 1), (0, -1)]
_DIAGONAL = [(a, b) for a in (-1, 1) for b in (-1, 1)]


def _scaled(offsets: list[tuple[int, int]], stride: int) -> list[tuple[int, int]]:
    return [(stride * a, stride * b) for a, b in offsets]


@lru_cache(maxsize=16)
@torch.inference_mode(False)
def around(rows: int, columns: int, device: torch.device) -> Tensor:
    """Return the numbers of the squares around each square of a grid, and of itself.

    Parameters
    ----------
    rows, columns : int
        Its shape.
    device : torch.device
        Where to.

    Returns
    -------
    Tensor of int64 of shape (n_squares, 9)
        The square itself is in the middle; beyond the margin there is the margin again.
    """
    i, j = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    numbers = [
        (i + a).clamp(0, rows - 1) * columns + (j + b).clamp(0, columns - 1)
        for a in (-1, 0, 1)
        for b in (-1, 0, 1)
    ]
    return torch.stack(numbers, -1).flatten(0, 1).to(device)


class ChannelContexts(nn.Module):
    """Predict the mean and the scale of coefficients from those that were coded before.

    Coefficients stand on a grid, in channels of falling variance. They are coded by groups of
    channels (Minnen & Singh, ICIP 2020), and a group in two passes, as the squares of a chessboard
    (He et al., CVPR 2021); the first few channels, which neighbours tell most about, in nine, from
    coarse to fine. The mean is linear in decoded values, the logarithm of the scale in logarithms
    of sums of magnitudes of the coded integers: of groups before, here and around, and of the
    nearest neighbours of passes before. Both are fitted in closed form, by ridge regression and by
    Fisher scoring of an exponential distribution.

    Where a grid has but one square, as patches are whole images, the mean is linear in random
    features of the channels before (Rahimi & Recht, NeurIPS 2007), rectified sums.

    Parameters
    ----------
    n_components : int
        Number of channels.
    n_levels : int
        Number of qualities between which the weights are interpolated.
    are_alone : bool, default=False
        Whether squares have no neighbours.
    """

    scales: Tensor
    means: Tensor
    spreads: Tensor
    directions: Tensor

    def __init__(self, n_components: int, n_levels: int, are_alone: bool = False) -> None:
        super().__init__()
        self.are_alone = are_alone
        n_sources, n_predicted, self.n_deep = _N_SOURCES, _N_PREDICTED, _N_DEEP
        if are_alone:
            n_sources, n_predicted, self.n_deep = _N_SOURCES_ALONE, _N_PREDICTED_ALONE, 0
        self.n_sources = min(n_sources, n_components)
        self.n_predicted = n_predicted
        inner = [edge for edge in _EDGES if edge < n_components]
        self.groups = list(zip(inner, [*inner[1:], n_components], strict=True))
        # Each channel has a row of weights for each pass.
        self.rows: list[list[slice]] = []
        n_rows = n_means = 0
        for a, b in self.groups:
            n_passes = 1 + 2 * len(_STRIDES) if a < self.n_deep else 2
            starts = [n_rows + (not are_alone) * i * (b - a) for i in range(n_passes)]
            self.rows.append([slice(start, start + b - a) for start in starts])
            n_rows = starts[-1] + b - a
            n_means = n_rows if a < n_predicted else n_means
        self.n_features = min(_MOST_FEATURES, _FEATURES_PER_CHANNEL * n_components)
        self.n_values = 1 + self.n_sources + self.n_features if are_alone else 9 * self.n_sources
        self.register_buffer("scales", torch.zeros(n_levels, n_rows, _N_SHARED + 1))
        self.register_buffer("means", torch.zeros(n_levels, n_means, self.n_values + _N_BESIDE))
        if are_alone:
            self.register_buffer("spreads", torch.ones(n_levels, self.n_sources))
            numbers = torch.Generator().manual_seed(0)
            directions = torch.randn(1 + self.n_sources, self.n_features, generator=numbers)
            self.register_buffer("directions", directions)

    @property
    def weights(self) -> tuple[Tensor, ...]:
        """Those of scales and means, and perhaps the spreads of sources, of all levels."""
        return (self.scales, self.means, *([self.spreads] if self.are_alone else []))

    def _features(self, decoded: Tensor, spreads: Tensor) -> Tensor:
        """Return random features of the first channels; of wide ones, weighted by their roots."""
        k = decoded.shape[-1]
        weights = _AMPLITUDE / (spreads[:k] * spreads[:k].sum()).sqrt()
        sums = torch.addmm(
            self.directions[0], decoded.flatten(0, 1) * weights, self.directions[1 : 1 + k]
        )
        features = decoded.new_zeros(len(sums), self.n_values)
        features[:, 0] = 1
        features[:, 1 : 1 + k] = decoded.flatten(0, 1)
        features[:, -self.n_features :] = sums.relu_()
        return features.unflatten(0, decoded.shape[:2])

    def mean(self, weights: Tensor, evidence: Evidence) -> Tensor:
        """Return means.

        Parameters
        ----------
        weights : Tensor of shape (n_channels, n_values + 4)
            Weights of one level, pass and group; none if the means are zero.
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
            mean += (evidence.beside * weights[:, -_N_BESIDE:].T[:, None, None]).sum(0)
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
            Weights of the scales and of the means, and the spreads, of one level.
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
        scales, means, *spreads = weights
        n, rows, columns, n_channels = shape
        device, n_squares = means.device, rows * columns
        nine = around(rows, columns, device)
        others = _of_images(torch.cat([nine[:, :4], nine[:, 5:]], 1), n, n_squares)
        decoded = means.new_zeros(n, n_squares, n_channels)
        sources = means.new_empty(n, n_squares, self.n_values)
        # Sums of magnitudes of the last groups, and of all before these, here and around. They are
        # whole numbers, which float32 holds exactly, or so large that it does not matter.
        here = [means.new_zeros(n, n_squares)] * 4
        there = here[:3]
        was_deep = None
        for g, (a, b) in enumerate(self.groups[:n_groups]):
            is_predicted, is_deep = a < self.n_predicted, a < self.n_deep
            if is_deep != was_deep:
                in_passes = passes(rows, columns, is_deep, device)
                order = torch.cat([each.squares for each in in_passes])
                besides = [
                    None if each.beside is None else _of_images(each.beside, n, n_squares + 1)
                    for each in in_passes
                ]
                around_each = nine[order].flatten()
                n_known = n_values = 0
                was_deep = is_deep
            k = min(a, self.n_sources)
            if self.are_alone:
                if a in _FEATURES_RENEWED_AT:
                    new = self._features(decoded[..., :k], *spreads)
                    sources, n_known, n_values = new.index_select(1, order), k, self.n_values
            elif is_predicted and n_known < k:
                new = decoded[..., n_known:k].index_select(1, around_each)
                new = new.unflatten(1, (n_squares, 9)).transpose(2, 3)
                sources[..., 9 * n_known : 9 * k].unflatten(2, (-1, 9)).copy_(new)
                n_known, n_values = k, 9 * k
            # From here to the end of the group, squares are sorted by passes.
            shared = scales.new_ones(n, n_squares, _N_SHARED)
            shared[..., 1:-1] = log(torch.stack([*here, *there], -1).index_select(1, order))
            # What the last square of a grid is followed by stands for no square at all.
            magnitudes, values = means.new_empty(2, n, n_squares + 1, b - a)
            magnitudes[:, -1] = values[:, -1] = 0
            for row, (squares, places, _), beside in zip(
                self.rows[g], in_passes, besides, strict=True
            ):
                if not len(squares):
                    continue
                known = sources[:, places, :n_values]
                evidence = Evidence(known, None, shared[:, places, :-1], None, n_known)
                if beside is not None:
                    own = _summed(magnitudes, beside)
                    shared[:, places, -1] = log(own.sum(-1))
                    near = None
                    if is_predicted:
                        near = values.flatten(0, 1).index_select(0, beside.T.flatten())
                        near = near.unflatten(0, (_N_BESIDE, n, -1))
                    evidence = Evidence(known, near, shared[:, places], log(own), n_known)
                if prepare is not None:
                    prepare(row, slice(a, b), squares, evidence)
                if is_predicted:
                    mean = self.mean(means[row], evidence)
                else:
                    mean = means.new_zeros(1).expand(n, len(squares), b - a)
                log_scale = self.log_scale(scales[row], evidence)
                integers, got = code(slice(a, b), squares, mean, log_scale)
                magnitudes[:, places] = integers.abs()
                values[:, places] = got
            decoded[:, order, a:b] = values[:, :-1]
            sums = torch.empty_like(here[0])
            sums[:, order] = magnitudes[:, :-1].sum(-1)
            here = [sums, *here[:2], here[2] + here[3]]
            there = [_summed(sums[..., None], others)[..., 0], there[0], there[1] + there[2]]
        return decoded.unflatten(1, (rows, columns))

    @torch.no_grad()
    def fit(self, level: int, y: Tensor, decode: Callable[[Tensor], Tensor]) -> None:
        """Set the weights of a level.

        Parameters
        ----------
        level : int
            Its number.
        y : Tensor of shape (n_images, rows, columns, n_channels)
            Coefficients, in steps.
        decode : callable
            Rounds them.
        """
        shape, y = y.shape, y.flatten(1, 2)
        if self.are_alone:
            self.spreads[level] = (1 + y[..., : self.n_sources].square().mean((0, 1))).sqrt()
        products: dict[tuple[int, int], Tensor] = {}  # of sources, which later groups share

        def learn(row: slice, channels: slice, squares: Tensor, evidence: Evidence) -> None:
            values = y[:, squares, channels]
            if channels.start < self.n_predicted:
                kind = evidence.n_known, int(squares[0])
                known = products.get(kind)
                weights, products[kind] = _ridge_regression(evidence, values, known)
                used, n = self.means[level, row], evidence.sources.shape[2]
                used[:, :n], used[:, -_N_BESIDE:] = weights.split([n, _N_BESIDE], 1)
                values = values - self.mean(used, evidence)
            self.scales[level, row] = _exponential_regression(evidence, values.abs())

        def code(channels: slice, squares: Tensor, mean: Tensor, log_scale: Tensor) -> tuple:
            integers = decode(y[:, squares, channels] - mean)
            return integers, mean + integers

        self.walk(shape, [w[level] for w in self.weights], code, prepare=learn)


def _of_images(numbers: Tensor, n_images: int, n_rows: int) -> Tensor:
    """Return the numbers of rows of one image for all images, whose rows follow each other."""
    if n_images == 1:
        return numbers
    first = n_rows * torch.arange(n_images, device=numbers.device)
    return (numbers + first[:, None, None]).flatten(0, 1)


def _summed(table: Tensor, numbers: Tensor) -> Tensor:
    """Return sums of rows of images of shape (n_images, n_rows, n_columns)."""
    sums = F.embedding_bag(numbers, table.flatten(0, 1), mode="sum")
    return sums.unflatten(0, (len(table), -1))


def _ridge_regression(
    evidence: Evidence, values: Tensor, products: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Return the weights of sources and of squares beside, and the products of the sources."""
    some = slice(None, None, -(-values.shape[:2].numel() // _MOST_ROWS[0]))
    X, y = (x.flatten(0, 1)[some] for x in (evidence.sources, values))
    n, d = X.shape
    products = (X.T @ X).double() if products is None else products
    if evidence.beside is None:
        weights = torch.linalg.solve(_ridged(products[None], n)[0], (X.T @ y).double())
        return F.pad(weights.T, (0, _N_BESIDE)).to(values), products
    X, y = X.double(), y.double()
    Z = evidence.beside.flatten(1, 2)[:, some].transpose(0, 1).double()
    # Channels have their sources in common, bordered by their own values beside.
    border = (X.T @ Z.flatten(1)).unflatten(1, Z.shape[1:]).movedim(-1, 0)
    gram = X.new_zeros(y.shape[1], d + _N_BESIDE, d + _N_BESIDE)
    gram[:, :d, :d], gram[:, :d, d:], gram[:, d:, :d] = products, border, border.mT
    gram[:, d:, d:] = torch.einsum("nic,njc->cij", Z, Z)
    target = torch.cat([X.T @ y, torch.einsum("nic,nc->ic", Z, y)])
    return torch.linalg.solve(_ridged(gram, n), target.T).to(values), products


def _ridged(gram: Tensor, n_rows: int) -> Tensor:
    diagonal = gram.diagonal(dim1=1, dim2=2)
    ridge = (_RIDGE + _RIDGE_ROWS / n_rows) * diagonal.mean(1, keepdim=True) + 1e-3 * n_rows
    return gram + torch.diag_embed(ridge.expand_as(diagonal))


def _exponential_regression(evidence: Evidence, magnitudes: Tensor) -> Tensor:
    """Return the weights of the logarithms of scales, those of greatest likelihood."""
    shared, own = evidence.shared.flatten(0, 1), evidence.own
    step = -(-len(shared) // _MOST_ROWS[1])
    X, y = shared[::step], magnitudes.flatten(0, 1)[::step].clamp(1e-3, 1e6)
    Z = torch.zeros_like(y) if own is None else own.flatten(0, 1)[::step]
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
    # The shared features of the first pass are one fewer than there is room for.
    return torch.cat([weights[:, :-1], y.new_zeros(y.shape[1], _N_SHARED - d), weights[:, -1:]], 1)
