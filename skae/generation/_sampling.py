"""New rows, drawn some at a time until all are as they should be."""

import math
from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np
import torch
from scipy.special import logsumexp

from ..training import ArrayRows
from ..training._random import seeded_global_generators
from ._conditions import Condition
from ._local import with_density
from ._priors import ClassPriors, drawn
from ._proposals import Proposal
from ._restriction import Restriction
from ._row_model import RowModel

_CELLS = 2**20  # that are drawn at once
_MOST_REDRAWS = 50
_MOST_DRAWS = 100_000  # for each row that is found
_LEAST_EXPECTED = 1e-3  # rows that meet conditions, in a table as long as the training data
_PILOT = 1000  # rows by which the bound of weights of categories is known
_CHAIN_PILOT, _LEAST_RATE = 2000, 0.02  # of rows that a chain draws under conditions
_TAIL = 0.001  # share of these that weigh more


class RowSampler:
    """Draws rows of a fitted generator.

    Parameters
    ----------
    model : BaseGenerator
        The generator.
    conditions : list of Condition
        What all rows are to meet.
    random : RandomState
        Draws everything.
    """

    def __init__(self, model: Any, conditions: list[Condition], random: Any) -> None:
        self.model, self.conditions, self.random = model, conditions, random
        self.columns, self.shares = model._columns, model._shares
        self.chain: RowModel | None = getattr(model, "_chain", None)  # older states have none
        prior = model.prior_
        self.sources = prior.priors if isinstance(prior, ClassPriors) else [prior]
        self.is_free = not conditions and model._constraints is None
        self.restriction: Restriction | None = None
        self.limits: dict[int, Any] = {}
        if known := [each for each in conditions if model._is_known(each.column)]:
            self.restriction = Restriction.of(known, self.columns, self._matrix)
            self.limits = self.restriction.limits()
            if self.chain is not None and not self._chain_serves():
                self.chain = None
        if self.chain is not None:
            self.shares = self.chain.shares
        if self.restriction is not None:
            self.sources = [with_density(each) for each in self.sources]
            self._adapt()

    @property
    def size(self) -> int:
        """How many rows to draw at once."""
        return max(1, _CELLS // self.columns.n_outputs)

    # ------------------------------------------------------------------ codes

    def _chain_serves(self) -> bool:
        """Tell whether enough rows of the chain, some cells of which are imposed, weigh much."""
        assert self.chain is not None
        labels = self.random.choice(len(self.sources), _CHAIN_PILOT, p=self._class_shares)
        _, log_weights = self.chain.draw(labels, self.random, self.limits)
        proposal = Proposal(self.sources[0], n_tried=_CHAIN_PILOT)
        proposal.judge(log_weights)
        if proposal.rate < _LEAST_RATE:
            return False
        self.sources = [proposal] * len(self.sources)  # one bound: weights are alike in all classes
        return True

    def _adapt(self) -> None:
        """Learn where codes are from which rows come that meet the conditions."""
        if self.chain is None:
            self.sources = [
                Proposal.adapted(prior, self._log_prob, self.random) for prior in self.sources
            ]
        evidence = logsumexp([each.log_evidence for each in self.sources], b=self._class_shares)
        if evidence < math.log(_LEAST_EXPECTED / self.columns.n_rows):
            raise ValueError(
                f"{self._asked} fits nothing that the model knows: the probability is "
                f"{math.exp(evidence):.2g}, by {self._tried}. Each condition alone can be met; "
                "leave one out, or widen it"
            )
        if self.shares is not None:
            bounds = [self._bound(label) for label in range(len(self.sources))]
            self.shares = replace(self.shares, log_bounds=np.array(bounds))

    def _bound(self, label: int) -> float:
        """Return the logarithm of the weight of categories that few rows of a class exceed."""
        n_tries = min(self.size, math.ceil(_PILOT / self.sources[label].rate))
        _, encoded = self._encoded(np.full(n_tries, label))
        if not len(encoded):
            return self.shares.log_bounds[label]
        logs = self.model._traits(encoded) @ self.shares.log_weights[label]
        return float(np.quantile(logs, 1 - _TAIL))

    @property
    def _asked(self) -> str:
        return " and ".join(each.text for each in self.conditions)

    @property
    def _tried(self) -> str:
        """What has been tried, for messages."""
        n = sum(each.n_tried for each in self.sources)
        size = sum(each.effective_size for each in self.sources)
        return f"{n} codes that were tried, with an effective sample size of {size:.3g}"

    @property
    def _class_shares(self) -> np.ndarray:
        prior = self.model.prior_
        return prior.shares if isinstance(prior, ClassPriors) else np.ones(1)

    def _class_chances(self) -> np.ndarray:
        """Return with which probabilities to try classes, so that rows have the right shares."""
        logs = np.log(self._class_shares)
        if self.restriction is not None:  # accepted is what weighs much beside the bound
            is_possible = [each.effective_size > 0 for each in self.sources]
            logs = logs + np.where(is_possible, [each.log_bound for each in self.sources], -np.inf)
            if self.shares is not None:
                logs = logs + self.shares.log_bounds - self.shares.log_means
        return np.exp(logs - logsumexp(logs))

    def _known(self, Z: np.ndarray) -> np.ndarray:
        """Return what the probabilities of the conditions depend on."""
        criterion, restriction = self.model.net_.criterion_, self.restriction
        return self._decoded(Z, lambda output: restriction.parameters(criterion, output))

    def _log_prob(self, Z: np.ndarray) -> np.ndarray:
        assert self.restriction is not None
        return self.restriction.log_prob(self._known(Z))

    def _decoded(self, Z: np.ndarray, function: Any) -> np.ndarray:
        model = self.model
        rows = ArrayRows(Z, model.net_.dtype, torch.device("cpu"))
        return model._apply_to(rows, lambda m, batch: function(m.decode(batch.input)))

    # ------------------------------------------------------------------ rows

    def _encoded(self, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Draw rows of some classes; return which codes were taken, and the rows."""
        model, random = self.model, self.random
        if self.chain is not None:
            encoded, logs = self.chain.draw(labels, random, self.limits)
            if self.restriction is None:
                return np.arange(len(labels)), encoded
            logs -= self.sources[0].log_bound
            taken = np.flatnonzero(random.random_sample(len(logs)) < np.exp(logs.clip(max=0)))
            return taken, encoded[taken]
        Z, taken = drawn(self.sources, labels, random), np.arange(len(labels))
        if self.restriction is not None:
            known = self._known(Z)
            logs = self.restriction.log_prob(known)
            for label in np.unique(labels):
                source, of_label = self.sources[label], labels == label
                logs[of_label] += source.log_ratios(Z[of_label]) - source.log_bound
            taken = np.flatnonzero(random.random_sample(len(Z)) < np.exp(logs.clip(max=0)))
            Z, known = Z[taken], known[taken]
            if not len(Z):
                return taken, np.empty((0, self.columns.n_outputs))
        criterion: Any = model.net_.criterion_
        draw = criterion.mean if self.columns.are_pixels else criterion.sample
        with seeded_global_generators(random.randint(2**31), torch.device(model.net_.device)):
            encoded = self._decoded(Z, draw)
        if self.restriction is not None:
            encoded = encoded.astype(np.float64)
            self.restriction.impose(encoded, known, random)
        return taken, encoded

    def _matrix(self, encoded: np.ndarray) -> np.ndarray:
        """Return rows as the training data had them, but for differences in place of columns."""
        columns, form = self.columns, self.model._format
        matrix = columns.decode(encoded.astype(np.float64))
        for j, n in zip(columns.numbers, columns.decimals, strict=False):
            matrix[:, j] = matrix[:, j].round(n) if n >= 0 else matrix[:, j]
        matrix = matrix.clip(columns.low, columns.high)
        return form.rounded(matrix) if self.is_free else as_stored(form.rounded(matrix), form)

    def _drawn(self, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Try to draw a row of each of some classes.

        Returns which came to something, the rows, and whether these are not only right but also to
        be taken.
        """
        tried, encoded = self._encoded(labels)
        is_wanted = np.ones(len(tried), dtype=bool)
        if self.shares is not None and len(tried):
            traits = self.model._traits(encoded)
            is_wanted = self.shares.taken(traits, labels[tried], self.random)
        matrix = self._matrix(encoded)
        is_wanted &= ~self.columns.seen(matrix)
        if self.is_free:
            return tried, matrix, is_wanted
        right = np.ones(len(tried), dtype=bool)
        if (constraints := self.model._constraints) is not None:
            matrix = as_stored(constraints.undone(matrix), self.model._format)
            right &= constraints.kept(matrix)
        for condition in self.conditions:
            right &= condition.allows(matrix[:, condition.column])
        return tried[right], matrix[right], is_wanted[right]

    def rows(self, n_rows: int, labels: np.ndarray | None) -> np.ndarray:
        """Draw rows.

        Parameters
        ----------
        n_rows : int
            How many.
        labels : ndarray of shape (n_rows,) or None
            Positions of their classes; None for any.

        Returns
        -------
        ndarray of shape (n_rows, n_columns)
            Rows, in the numbers of matrices.
        """
        matrix = np.empty((n_rows, len(self.columns.low)))
        for some in (slice(start, start + self.size) for start in range(0, n_rows, self.size)):
            n = len(matrix[some])
            matrix[some] = self._some(n, None if labels is None else labels[some])
        return matrix

    def _some(self, n_rows: int, labels: np.ndarray | None) -> np.ndarray:
        """Draw rows, none of which is somebody's if others can be had."""
        matrix = np.empty((n_rows, len(self.columns.low)))
        is_there, again = np.zeros(n_rows, dtype=bool), np.arange(n_rows)
        n_tries = n_good = 0
        rate = 1.0 if self.restriction is None else min(each.rate for each in self.sources)
        for n_rounds in count(1):
            # Where few come to something, several for each row that is wanted.
            n_each = 1 if self.is_free else min(math.ceil(1 / rate), self.size // len(again))
            places = np.tile(again, max(1, n_each))
            if labels is None:
                chances = self._class_chances()
                of_tries = self.random.choice(len(chances), len(places), p=chances)
            else:
                of_tries = labels[places]
            tried, rows, is_wanted = self._drawn(of_tries)
            for some in (~is_wanted, is_wanted):  # what is wanted, in the place of what is not
                matrix[places[tried[some]]] = rows[some]
            is_there[places[tried]] = True
            again = np.setdiff1d(again, places[tried[is_wanted]], assume_unique=False)
            n_tries, n_good = n_tries + len(places), n_good + len(tried)
            if not len(again) or (n_rounds >= _MOST_REDRAWS and is_there.all()):
                return matrix
            if n_tries > _MOST_DRAWS * (n_good + 1):
                raise ValueError(self._failure(n_tries, n_good))
            rate = max(n_good, 1) / n_tries

    def _failure(self, n_tries: int, n_good: int) -> str:
        what = self._asked or "constraints"
        known = "" if self.restriction is None else f"; before, {self._tried}"
        return (
            f"{what} is met by {n_good} of {n_tries} rows that were drawn{known}. Each condition "
            "alone can be met; leave one out, or widen it"
        )


def as_stored(matrix: np.ndarray, form: Any) -> np.ndarray:
    """Round numbers as the dtypes do that they are stored in.

    Parameters
    ----------
    matrix : ndarray of shape (n_rows, n_columns)
        Rows; changed in place.
    form : FrameFormat
        What they will be stored as.

    Returns
    -------
    ndarray of shape (n_rows, n_columns)
        The same array.
    """
    form.rounded(matrix)
    dtypes = form.dtypes if form.container else form.dtypes * matrix.shape[1]
    for j, dtype in enumerate(dtypes):
        if j not in form.categories and j not in form.dates:
            name = str(dtype).lower()
            if "float32" in name or name.startswith("float["):
                matrix[:, j] = matrix[:, j].astype(np.float32)
            elif "float16" in name or "halffloat" in name:
                matrix[:, j] = matrix[:, j].astype(np.float16)
    return matrix
