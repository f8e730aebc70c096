"""The model behind the default detector: denoising autoencoders beside simpler views."""

import math
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, Self

import numpy as np
import torch
from scipy import sparse
from sklearn.base import _fit_context
from sklearn.utils import check_random_state
from torch import Tensor, nn

from .._base import Fit, NetEstimator
from .._plain import Part
from .._settings import default_settings
from .._shapes import checked_image_shape
from ..training import Batch, Recipe, Reconstruction, Rows
from ..training._rows import inference_rows
from ._gradients import OrientedGradients
from ._limits import Limits
from ._neighbors import Nearest, Samples
from ._rows import BothNoises, EnsembleRows, Scale, ScaledRows
from ._setting import SETTINGS, Setting
from ._views import (
    Marginals,
    Surprises,
    Whitening,
    as_if_all,
    both_padded,
    padded,
    without_missing,
)

_MASKED = 0.5
_N_STEPS = 500
_MOST_FEATURES_FOR_ALL_STEPS = 256
_FEWEST_STEPS = 100
_BATCH_SIZE = 128
_LR = 5e-3
SAMPLE = 8192  # rows that all statistics are taken of
_CHUNK = 1024  # rows scored at once


class DenoisingEnsemble(NetEstimator):
    """Outlier model of several views: two kinds of denoising autoencoders, values, neighbours.

    The training rows are split into folds. For each fold one network learns to remove Gaussian
    noise, and one to fill in masked cells, both from the rows outside the fold; so every training
    row has residuals by networks that have not seen it.

    Parameters
    ----------
    n_folds : int
        Number of folds, each of at least two rows.
    setting : {"contaminated", "clean"}
        Name in ``SETTINGS``: which views there are. It does not count for images.
    trim : float
        Share of the rows, those whose values are rarest, that the networks for masked cells and
        small samples never see, where there is a view of single values.
    scale : bool
        Whether to scale features, but for pixels.
    image_shape : sequence of int or None, default=None
        Shape of images.
    random_state : int, RandomState instance or None, default=None
        Determines folds, weights and noise.
    """

    batch_size, lr = _BATCH_SIZE, _LR

    def __init__(
        self,
        n_folds: int,
        setting: str,
        trim: float,
        scale: bool,
        image_shape: Sequence[int] | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.n_folds = n_folds
        self.setting = setting
        self.trim = trim
        self.scale = scale
        self.image_shape = image_shape
        self.random_state = random_state

    @property
    def _setting(self) -> Setting:
        return SETTINGS[self.setting if self.image_shape is None else "images"]

    def _plan(self, X: Any) -> Recipe:
        params = {
            "module__n_features": X.shape[1],
            "module__n_members": 2 * self.n_folds_,
            "objective": Reconstruction(corruption=BothNoises(self._setting.noise, _MASKED)),
        }
        network, loss = Part("networks", "DenseEnsemble", {}), Part("losses", "Observed", {})
        return Recipe(network, loss, "adam", "float32", params)

    def _view(
        self, X: Any, dtype: torch.dtype, device: torch.device, *, training: bool = False
    ) -> Rows:
        if not training:
            return ScaledRows(X, dtype, device, self.scale_)
        seen = np.ones((X.shape[0], 2 * self.n_folds_), dtype=bool)
        if self.n_folds_ > 1:
            own = self._folds[:, None] == np.arange(self.n_folds_)
            seen &= ~np.tile(own, 2)
        seen[self._is_trimmed, self.n_folds_ :] = False
        return EnsembleRows(X, dtype, device, self.scale_, self._limits, seen)

    # ------------------------------------------------------------------ fit

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Fit everything to checked rows."""
        rng = check_random_state(self.random_state)
        self.seed_ = int(rng.randint(np.iinfo(np.int32).max))
        self.n_features_in_ = X.shape[1]
        if self.image_shape is not None:
            checked_image_shape(self.image_shape, X.shape[1])
        self.n_folds_ = max(1, min(self.n_folds, X.shape[0] // 2))
        self.n_seen_ = 0
        self.sample_ = np.empty((0, X.shape[1]), dtype=X.dtype)
        self.held_out_folds_, self._sample_keys = np.empty(0, dtype=int), np.empty(0)
        self._remember(X)
        steps = _N_STEPS * min(1, _MOST_FEATURES_FOR_ALL_STEPS / X.shape[1])
        steps_per_epoch = math.ceil(X.shape[0] / _BATCH_SIZE)
        return self._learn(X, math.ceil(max(_FEWEST_STEPS, steps) / steps_per_epoch))

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Go on with checked rows: one epoch, and statistics over a sample of all rows so far."""
        self._remember(X)
        return self._learn(X, 1, go_on=True)

    def _remember(self, X: Any) -> None:
        """Draw folds, and keep a uniform sample of all rows seen: those of the smallest keys."""
        rng = np.random.RandomState((self.seed_ + self.n_seen_) % 2**32)
        n = X.shape[0]
        self._folds = (rng.permutation(n) + self.n_seen_) % self.n_folds_
        keys = np.concatenate([self._sample_keys, rng.random_sample(n)])
        kept = np.sort(np.argsort(keys, kind="stable")[:SAMPLE])
        old, new = kept[kept < len(self.sample_)], kept[kept >= len(self.sample_)]
        new -= len(self.sample_)
        rows = X[new].toarray() if sparse.issparse(X) else X[new]
        self._sample_keys = keys[kept]
        self.held_out_folds_ = np.concatenate([self.held_out_folds_[old], self._folds[new]])
        self.sample_ = np.concatenate([self.sample_[old], rows])
        self.n_seen_ += n

    @default_settings()
    def _learn(self, X: Any, max_epochs: int, go_on: bool = False) -> Self:
        limits = Limits.of(self.sample_)
        if not go_on:
            self.scale_ = Scale.of(self.sample_, limits, self.scale and self.image_shape is None)
        self._limits = self.scale_.limits(limits)
        sample = self.scale_(self.sample_)
        is_wild = self._limits(torch.from_numpy(sample)).numpy()
        sample[is_wild] = np.nan
        is_typical, self._is_trimmed = np.ones(len(sample), bool), np.zeros(X.shape[0], bool)
        self._views = []
        if self._setting.single_values:
            marginals = Marginals.of(sample)
            rarity = self._rarity(marginals, self.sample_)
            largest = np.quantile(rarity, 1 - self.trim)
            is_typical = rarity <= largest
            self._is_trimmed = self._rarity(marginals, X) > largest
            self._views.append(marginals)
        fit = Fit(X, None, max_epochs, once=go_on)
        context = self._go_on(fit) if go_on else self._start(fit)
        self._summarise(sample, is_typical)
        self._score_wild(is_wild.any(1))
        del self._folds, self._is_trimmed
        context.call_on_fit_task_end(estimator=self, **fit.shown)
        return self

    def _rarity(self, marginals: Marginals, X: Any) -> np.ndarray:
        """Return how rare the values of rows are altogether, each for itself."""
        sums = []
        for start in range(0, X.shape[0], SAMPLE):
            x = torch.from_numpy(self.scale_(X[start : start + SAMPLE]))
            tail, rarity = marginals.cells(x.nan_to_num(0.0), ~x.isnan())
            sums.append((tail + rarity).sum(1))
        return torch.cat(sums).numpy()

    def _summarise(self, sample: np.ndarray, is_typical: np.ndarray) -> None:
        """Take statistics of rows that the networks have not seen; NaN for wild cells."""
        setting, d = self._setting, sample.shape[1]
        is_observed, filled = ~np.isnan(sample), np.nan_to_num(sample)
        order = np.argsort(self._sample_keys, kind="stable")
        if setting.single_values:
            typical = order[is_typical[order]]
            self._views.append(Samples.of(sample[typical], typical))
        of_rows = sample[order], order, setting.ranges
        if self.image_shape is None:
            self._views.append(Nearest.of(*of_rows, setting.local))
        else:
            shape, center = checked_image_shape(self.image_shape, d), self.scale_.offset
            gradients = OrientedGradients.of(filled, shape, center)
            self._views.append(Nearest.of(*of_rows, False))
            self._views.append(Nearest.of(*of_rows, setting.local, gradients))

        x, own = torch.from_numpy(filled), torch.arange(len(filled))
        observed = None if is_observed.all() else torch.from_numpy(is_observed)
        held_out = self._held_out_residuals()
        self._whitenings, sums = [], []
        for kind, used in enumerate((np.ones_like(is_typical), is_typical)):
            of_kind = held_out[:, kind]
            whitening = Whitening.of(of_kind[used], is_observed[used], setting.whitened)
            cells = whitening(torch.from_numpy(of_kind), observed)
            without_own = whitening.distances_without_own(cells)
            sums.append(torch.where(torch.from_numpy(used), without_own, cells.sum(1)))
            self._whitenings.append(whitening)

        others = []
        for start in range(0, len(x), self._n_at_once(d)):
            part = slice(start, start + self._n_at_once(d))
            seen = None if observed is None else observed[part]
            each = (view.values(x[part], seen, own[part]) for view in self._views)
            others.append([value for values in each for value in values])
        values = [as_if_all(each, observed) for each in sums]
        values += [torch.cat(parts) for parts in zip(*others, strict=True)]
        of_views = torch.stack(values)
        self._surprises = Surprises(of_views.numpy(), np.array(setting.weights, dtype=np.float64))
        self.held_out_scores_ = -_total(self._surprises(of_views, own=True)).numpy()
        if setting.single_values:
            self._views[0].forget_own()

    def _held_out_residuals(self) -> np.ndarray:
        """Return the residuals of sampled rows by both kinds of networks of their folds."""

        def residuals(module: Any, x: Tensor, observed: Tensor | None, folds: Tensor) -> Tensor:
            both = self._residuals(module, *both_padded(x, observed))
            of_folds = both.unflatten(0, (2, self.n_folds_)).transpose(0, 1)
            return of_folds[folds.long(), :, torch.arange(len(folds), device=x.device)]

        rows = ScaledRows(
            self.sample_, torch.float32, torch.device("cpu"), self.scale_, self.held_out_folds_
        )
        return self._apply_scaled(rows, residuals)

    def _score_wild(self, is_wild: np.ndarray) -> None:
        """Score sampled rows as they are, with wild cells that so far counted as missing."""
        rows = np.flatnonzero(is_wild)
        if len(rows):
            scores = self.member_scores(self.sample_[rows])
            self.held_out_scores_[rows] = scores[np.arange(len(rows)), self.held_out_folds_[rows]]

    # ------------------------------------------------------------------ inference

    def _apply_scaled(self, rows: Rows, function: Callable[..., Tensor]) -> np.ndarray:
        """Call a function of module, rows, observed cells and folds, on as many as fit caches.

        If all cells were observed, it is given None.
        """

        def scaled(module: nn.Module, batch: Batch) -> Tensor:
            x, is_missing = batch.input, batch.input.isnan()
            if not is_missing.any():
                return function(module, x, None, *batch.extra)
            return function(module, x.masked_fill(is_missing, 0.0), ~is_missing, *batch.extra)

        return self._apply_to(rows, scaled, self._n_at_once(rows.n_features))

    def _n_at_once(self, n_features: int) -> int:
        return min(_CHUNK, inference_rows(n_features))

    def _of_rows(
        self, X: Any, function: Callable[[Any, Tensor, Tensor | None], Tensor]
    ) -> np.ndarray:
        """Call a function of module, scaled rows and observed cells on checked rows."""
        rows = self._view(X, self.net_.dtype, torch.device("cpu"))
        return self._apply_scaled(rows, function)

    def _reconstructions(self, module: Any, x: Tensor) -> Tensor:
        """Return what all networks make of padded rows, wild cells of which they do not see."""
        return module.reconstructions(x.masked_fill(self._limits(x), 0.0))

    def _residuals(self, module: Any, x: Tensor, observed: Tensor | None) -> Tensor:
        return without_missing(self._reconstructions(module, x) - x, observed)

    def _network_cells(self, module: Any, x: Tensor, observed: Tensor | None) -> list[Tensor]:
        """Return the whitened squares of padded rows by both kinds of networks, for each member."""
        x, observed = both_padded(x, observed)
        kinds = zip(self._whitenings, self._residuals(module, x, observed).chunk(2), strict=True)
        return [whitening(each, observed) for whitening, each in kinds]

    def _network_values(self, cells: list[Tensor], x: Tensor, observed: Tensor | None) -> Tensor:
        """Return the values of rows by both kinds of networks, for each member."""
        sums = torch.stack([each.sum(-1) for each in cells])[..., : len(x)]
        return as_if_all(sums, observed)

    def _other_values(self, x: Tensor, observed: Tensor | None) -> Tensor:
        """Return the values of rows in all other views."""
        return torch.stack([each for view in self._views for each in view.values(x, observed)])

    def _parts(self, cells: list[Tensor], x: Tensor, observed: Tensor | None) -> Tensor:
        """Return the weighted surprises of rows in all views, at the mean over the networks."""
        networks = self._network_values(cells, x, observed).mean(1)
        return self._surprises(torch.cat([networks, self._other_values(x, observed)]))

    def score_samples(self, X: Any) -> np.ndarray:
        """Return minus the summed surprise of checked rows, at the mean over the networks."""

        def scores(module: Any, x: Tensor, observed: Tensor | None) -> Tensor:
            return -_total(self._parts(self._network_cells(module, x, observed), x, observed))

        return self._of_rows(X, scores)

    def member_scores(self, X: Any) -> np.ndarray:
        """Return the scores of checked rows by the networks of each fold."""

        def scores(module: Any, x: Tensor, observed: Tensor | None) -> Tensor:
            cells = self._network_cells(module, x, observed)
            networks = self._network_values(cells, x, observed)
            others = self._surprises(self._other_values(x, observed), first=2)
            first, second = self._surprises(networks.flatten(1)).view_as(networks)
            return -(first + second + _total(others)).T

        return self._of_rows(X, scores)

    def feature_errors(self, X: Any) -> np.ndarray:
        """Return what each feature adds to the surprise of checked rows."""

        def errors(module: Any, x: Tensor, observed: Tensor | None) -> Tensor:
            n_rows = len(x)
            x, observed = both_padded(x, observed)
            of_members = self._network_cells(module, x, observed)
            parts = self._parts(of_members, x, observed)
            cells = [each.mean(0) for each in of_members]
            cells += [each for view in self._views for each in view.cells(x, observed)]
            by_view = [_shares(c) * p[:, None] for c, p in zip(cells, parts, strict=True)]
            return _total(by_view)[:n_rows]

        return self._of_rows(X, errors)

    def reconstruct(self, X: Any) -> np.ndarray:
        """Return what the networks for masked cells make of whole checked rows."""

        def restored(module: Any, x: Tensor, observed: Tensor | None) -> Tensor:
            return self._reconstructions(module, padded(x)).chunk(2)[1].mean(0)[: len(x)]

        scaled = self._of_rows(X, restored)
        return scaled * self.scale_.unit + self.scale_.center

    def expected_values(self, X: Any, features: np.ndarray) -> np.ndarray:
        """Return what the networks for masked cells fill in for one cell of each row.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Checked rows.
        features : ndarray of shape (n_samples,) of int
            Which cell of each row.

        Returns
        -------
        ndarray of shape (n_samples,)
            Expected values, in the units of the data.
        """
        rows = np.arange(len(X))
        masked = X.astype(np.float64)
        masked[rows, features] = np.nan
        return self.reconstruct(masked)[rows, features]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _total(parts: Tensor | Sequence[Tensor]) -> Tensor:
    """Return the sums over views, added in the same order for any number of rows."""
    return reduce(torch.add, parts)


def _shares(cells: Tensor) -> Tensor:
    """Return cells divided by their sums over features; equal shares where that is zero."""
    cells = cells.double()
    total = cells.sum(-1, keepdim=True)
    equal = torch.full_like(cells, 1 / cells.shape[-1])
    return torch.where(total > 0, cells / total.clamp(min=1e-300), equal)
