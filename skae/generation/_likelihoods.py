"""Likelihoods of rows, and of rows under conditions."""

import copy
import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from scipy.special import logsumexp
from sklearn.utils import column_or_1d
from sklearn.utils.validation import check_consistent_length
from torch import Tensor

from .._settings import inference
from ..tables import ColumnRows
from ..training._random import seeded_global_generators
from ._checks import check_count
from ._conditions import Table
from ._densities import class_densities
from ._importance import ImportanceWeights, MarginalWeights, Pool, spread_noise
from ._local import with_density

_PLACES = 8  # scores for each value that occurs often
_DRAWN = 1024  # rows from which those are chosen that go with given cells


class LikelihoodMixin:
    """For a variational autoencoder: likelihoods by importance sampling."""

    def score_samples(
        self, X: Any, y: Any = None, *, given: Any = None, n_importance_samples: int = 128
    ) -> np.ndarray:
        """Return the importance-weighted lower bound of the log-likelihood of each row.

        The bound has all constant terms: it is in nats, comparable with
        :meth:`sklearn.mixture.GaussianMixture.score_samples` on the same data. Binary columns,
        categories and values that occur often count with their probability, other numbers with
        their density in the units of `X`. A category that is new, or a cell that is missing where
        none was in the n training rows, has a probability of 1 / (2 n + 2).

        Parameters
        ----------
        X : {array-like, data frame, CSR matrix or array} of shape (n_samples, n_features)
            Data.
        y : array-like of shape (n_samples,), default=None
            Classes, if the estimator is `conditional`: the likelihood of each row is then that in
            its class.
        given : list of columns, default=None
            Names of columns, or positions in an array. The likelihood is then that of the other
            columns given the cells of these: the difference of two bounds, neither a bound itself.
        n_importance_samples : int, default=128
            Codes per row. The bound rises to the log-likelihood with their number. The codes are
            the same in every call, so that scores are too.

        Returns
        -------
        ndarray of shape (n_samples,)
            Float64; higher is more like the training data.
        """
        X = self._checked(X)
        check_count("n_importance_samples", n_importance_samples, 1)
        counted = self._counted(given)
        scores = self._of_classes(X, y, self._class_likelihoods(X, n_importance_samples))
        if not counted.any():
            return scores
        if counted.all():
            return np.zeros(len(X))
        marginal = self._class_marginals(X, n_importance_samples, counted)
        return scores - self._of_classes(X, y, marginal)

    def _of_classes(self, X: Any, y: Any, logs: np.ndarray) -> np.ndarray:
        """Return the log-likelihoods of rows in their classes, or in any."""
        if y is None:
            shares = self.prior_.shares if self._has_classes else np.ones(1)
            return logsumexp(logs + np.log(shares), axis=1)
        if not self._has_classes:
            raise ValueError("score_samples takes y only if conditional=True in fit")
        check_consistent_length(X, y)
        return logs[np.arange(len(X)), self._class_numbers(column_or_1d(y))]

    def _counted(self, given: Any) -> np.ndarray:
        """Tell which columns are given."""
        table = Table(self._format, self._columns, self._constraints)
        counted = np.zeros(len(table.names), dtype=bool)
        if given is None:
            return counted
        if isinstance(given, str | Mapping) or not isinstance(given, Iterable):
            raise ValueError(f"given={given!r} must be a list of columns")
        for name in given:
            counted[table.position(name, "given")] = True
        together = list(self._columns.groups)
        if self._constraints is not None:
            for each in self._constraints.differences:
                if counted[each.column]:
                    together.append([each.column, *each.others])
        for group in together:
            if counted[group].any() and not counted[group].all():
                raise ValueError(
                    f"given names some of the columns {[table.names[j] for j in group]}, which are "
                    "learned together: name all of them, or none"
                )
        return counted

    def _places(self, n_samples: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return where in their intervals the scores of frequent values lie, each with noise."""
        noise = spread_noise(n_samples, self._n_features_out)
        # Frequent values stand for intervals of scores: average over places in them.
        n_places = min(_PLACES, n_samples) if self._columns.has_ties else 1
        places = np.tile((np.arange(n_places) + 0.5) / n_places, (len(self._columns.scores), 1))
        places = np.random.default_rng(0).permuted(places, axis=1)
        return list(zip(places.T, np.array_split(noise, n_places), strict=True))

    def _class_densities(self) -> Any:
        """Return what gives the log-density of codes in each class, or one column without them."""
        return class_densities(self.prior_.priors if self._has_classes else [self.prior_])

    def _class_likelihoods(self, X: np.ndarray, n_samples: int) -> np.ndarray:
        """Return the log-likelihood of each row in each class, or one column without classes."""
        total: Any = -np.inf
        densities = self._class_densities()
        for place, part in self._places(n_samples):
            rows = ColumnRows(X, self._columns, self.net_.dtype, torch.device("cpu"), place[None])
            criterion, width = self.net_.criterion_, self._decoding_width
            weights = ImportanceWeights(criterion, densities, part, width)
            total = np.logaddexp(total, self._apply_to(rows, weights, weights.n_rows))
        if self._shares is not None:
            rows = self._view(X, self.net_.dtype, torch.device("cpu"))
            total += np.concatenate(
                [self._shares.log_ratios(self._traits(b.input.numpy())) for b in rows.batches()]
            )
        return total - math.log(n_samples)

    def _class_marginals(self, X: np.ndarray, n_samples: int, counted: np.ndarray) -> np.ndarray:
        """Return the log-likelihood of some columns of each row in each class."""
        columns, net = self._columns, self.net_
        is_counted = self._encoded_mask(counted)
        shares = self.prior_.shares if self._has_classes else np.ones(1)
        device = torch.device("cpu")
        pool, densities = self._pool(), self._class_densities()
        total: Any = -np.inf
        for place, part in self._places(n_samples):
            weights = MarginalWeights(
                net.criterion_,
                densities,
                part,
                self._decoding_width,
                torch.from_numpy(is_counted).to(net.device),
                pool,
                lambda output: self._factors(output, is_counted),
                np.log(shares),
            )
            rows = ColumnRows(X, columns, net.dtype, device, place[None])
            logs = self._apply_to(rows, weights, weights.n_rows)
            total = np.logaddexp(total, logs + self._volumes(X, place, counted)[:, None])
        if self._shares is not None:
            own = replace(
                self._shares,
                log_weights=self._shares.log_weights * is_counted[len(columns.numbers) :],
            )
            rows = self._view(X, net.dtype, device)
            total += np.concatenate(
                [own.log_ratios(self._traits(b.input.numpy())) for b in rows.batches()]
            )
        return total - math.log(n_samples)

    def _volumes(self, X: np.ndarray, place: np.ndarray, counted: np.ndarray) -> np.ndarray:
        """Return the log-volumes of some columns of rows, those of the others being known."""
        columns = self._columns
        rest = columns.low.copy()
        rest[columns.numbers] = np.nan  # whose volume is 1
        for group in columns.groups:
            rest[group] = np.arange(len(group)) == 0
        others = ~counted[columns.numbers]
        others[columns.incomplete] = False  # where none was missing, one that is has its price
        known = -np.count_nonzero(others) * math.log(2 * columns.n_rows + 2)
        n_values = 1 + (columns.low < columns.high)[columns.binary]
        lowest = np.cumsum(n_values) - n_values
        known += columns.levels.own[lowest[~counted[columns.binary]]].sum()
        parts = (X[start : start + _DRAWN] for start in range(0, len(X), _DRAWN))
        logs = [columns.encode(np.where(counted, part, rest), place[None])[1] for part in parts]
        return np.concatenate(logs) - known

    def _encoded_mask(self, counted: np.ndarray) -> np.ndarray:
        """Tell which columns of the network's view some columns make."""
        columns = self._columns
        groups = [group[0] for group in columns.groups] + list(columns.categories)
        single = [*columns.numbers, *columns.binary, *columns.numbers[columns.incomplete]]
        sizes = [1] * len(single) + columns.group_sizes
        return np.repeat(counted[np.array([*single, *groups], dtype=int)], sizes)

    def _pool(self) -> Pool:
        """Return rows that the generator draws, always the same."""
        prior = copy.copy(with_density(self.prior_))
        prior.random_state = 0
        net, module = self.net_, self.module_
        codes = np.random.RandomState(0).permutation(prior.sample(_DRAWN)[0])
        with inference(), seeded_global_generators(0, torch.device(net.device)):
            z = torch.from_numpy(codes).to(net.device, net.dtype)
            outputs = module.decode(z)
            return Pool(z, outputs, net.criterion_.sample(outputs))

    def _factors(self, output: Tensor, is_counted: np.ndarray) -> Tensor:
        """Return the mean weights of rows, by the columns that are not given, for each class."""
        if self._shares is None:
            return torch.zeros(*output.shape[:-1], 1, dtype=torch.float64)
        columns = self._columns
        n_numbers = len(columns.numbers)
        means = self.net_.criterion_.mean(output)[..., n_numbers:].double().cpu()
        is_open, weights = ~is_counted[n_numbers:], torch.from_numpy(self._shares.log_weights)
        n_single = means.shape[-1] - sum(columns.group_sizes)
        single = np.flatnonzero(is_open[:n_single])
        total = torch.zeros(*means.shape[:-1], len(weights), dtype=torch.float64)
        for j in single:
            total += torch.log1p(means[..., j, None] * torch.expm1(weights[:, j]))
        start = n_single
        for size in columns.group_sizes:
            group = slice(start, start + size)
            if is_open[start]:
                total += (means[..., group] @ weights[:, group].exp().T).log()
            start += size
        return total
