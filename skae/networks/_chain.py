"""A masked autoencoder: the distribution of every column given those before it, in one pass."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ._draws import shift_to_shares, spread_choices
from ._layers import Dropout
from ._logistics import limited, slices
from ._spiky_numbers import SpikyNumbers


class ColumnChain(nn.Module):
    """Distributions of the columns of a table, each given those before it.

    A network restores rows, and masks keep from every output what it must not see: the column
    itself and those that follow. So the product of the outputs is a density of rows. Numbers, which
    are about normal, have mixtures of logistic distributions; a value that occurs often owns an
    interval of them, and has its probability. Columns of few values have theirs.

    Parameters
    ----------
    n_context : int
        Number of columns, the first ones, that are given from the start.
    flags : sequence of int
        For each number, which of the columns after the context says that it is missing; -1 if none
        does. The numbers are the first of these columns.
    choices : sequence of (int, int)
        Where groups of columns of which one is 1 start among them, and how wide they are. A group
        of one is a column of two values.
    order : sequence of int
        Numbers, and after them groups, in the order in which they are drawn.
    starts, stops : ndarray of shape (n_numbers, n_atoms)
        Where the intervals of frequent values start and end, in ascending order; above 1,000 for
        none.
    middles : ndarray of shape (n_numbers, n_atoms)
        The numbers that stand for these values in rows.
    spikes : ndarray of shape (n_numbers, n_spikes) of int or None, default=None
        Which of these values, in the order of their intervals, have a probability of their own
        beside that of the mixture; -1 for none.
    width : int, default=256
        Width of the two hidden layers.
    n_logistics : int, default=6
        Number of logistic distributions in a mixture.
    dropout : float, default=0.2
        Share of the hidden units that are left out of a step.

    References
    ----------
    Germain, Gregor, Murray & Larochelle, "MADE: masked autoencoder for distribution estimation",
    ICML 2015.

    Salimans, Karpathy, Chen & Kingma, "PixelCNN++", ICLR 2017, section 2.1, on intervals.
    """

    seen: Tensor
    degrees: Tensor
    made: Tensor

    def __init__(
        self,
        n_context: int,
        flags: Sequence[int],
        choices: Sequence[tuple[int, int]],
        order: Sequence[int],
        starts: np.ndarray,
        stops: np.ndarray,
        middles: np.ndarray,
        spikes: np.ndarray | None = None,
        width: int = 256,
        n_logistics: int = 6,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        self.n_context, self.flags = n_context, list(flags)
        self.choices, self.order = [tuple(choice) for choice in choices], list(order)
        ends = [len(flags), *(start + size for start, size in choices), *(f + 1 for f in flags)]
        self._n_columns = max(ends)
        n_numbers, sizes = len(self.flags), [size for _, size in self.choices]
        owners = np.empty((n_numbers, 0), int) if spikes is None else spikes
        self.numbers = SpikyNumbers(starts, stops, middles, owners, n_logistics)
        self._inputs = slices([self.numbers.n_seen] * n_numbers + sizes)
        self._outputs = slices([self.numbers.n_parameters] * n_numbers + sizes)
        ranks = np.argsort(self.order)
        n_in, n_out = ([p.stop - p.start for p in ps] for ps in (self._inputs, self._outputs))
        seen = np.concatenate([np.full(n_context, -1), np.repeat(ranks, n_in)])
        lowest = -1 if n_context else 0
        highest = max(lowest, len(self.order) - 2)
        degrees = lowest + np.arange(width) * (highest + 1 - lowest) // width
        made = np.repeat(ranks, n_out)
        for name, array in {"seen": seen, "degrees": degrees, "made": made}.items():
            self.register_buffer(name, torch.from_numpy(array), persistent=False)
        self.first, self.second = nn.Linear(len(seen), width), nn.Linear(width, width)
        self.last = nn.Linear(width, sum(n_out))
        n_direct = len(seen) if spikes is None else n_context
        self.direct = nn.Linear(n_direct, sum(n_out), bias=False) if n_direct else None
        nn.init.zeros_(self.last.weight)
        if self.direct is not None:
            nn.init.zeros_(self.direct.weight)
        self.dropout = Dropout(dropout)

    # ------------------------------------------------------------------ the start

    @torch.no_grad()
    def initialize(self, x: Tensor, output: Tensor, weight: Tensor | None = None) -> None:
        """Start from columns that are independent, each with about its own distribution.

        Parameters
        ----------
        x : Tensor of shape (n_samples, n_context + n_columns)
            Rows of the training data.
        output : Tensor
            Not used.
        weight : Tensor of shape (n_samples,) or None, default=None
            How much each row counts; None for all alike.
        """
        rows = x[:, self.n_context :]
        share = x.new_full((len(x),), 1.0) if weight is None else weight.to(x)
        share = share / share.sum()
        bias = self.last.bias.zero_()
        for i, flag in enumerate(self.flags):
            present = rows[:, flag] < 0.5 if flag >= 0 else torch.ones_like(share, dtype=torch.bool)
            own = bias[self._outputs[i]]
            self.numbers.start(i, rows[present, i], share[present], own[:-1])
            absent = (share @ (~present).to(share)).clamp(1e-4, 1 - 1e-4)
            own[-1] = torch.logit(absent)
        for (start, size), part in zip(self.choices, self._outputs[len(self.flags) :], strict=True):
            mean = (share @ rows[:, start : start + size]).clamp(1e-5, 1 - 1e-5)
            bias[part] = mean.logit() if size == 1 else mean.log()

    # ------------------------------------------------------------------ densities

    def encode(self, x: Tensor) -> Tensor:
        """Return what the distributions are made from.

        Parameters
        ----------
        x : Tensor of shape (n_samples, n_context + n_columns)
            Rows.

        Returns
        -------
        Tensor of shape (n_samples, width + n_inputs)
            Hidden units, and after them what the first layer sees.
        """
        features = self._features(x)
        return torch.cat([self._hidden(features), features], 1)

    def decode(self, z: Tensor) -> Tensor:
        """Return what is expected in every column, given those before it.

        Parameters
        ----------
        z : Tensor of shape (n_samples, width + n_inputs)
            As from :meth:`encode`.

        Returns
        -------
        Tensor of shape (n_samples, n_context + n_columns)
            Context, means of numbers, and probabilities.
        """
        output = self._distributions(z)
        rows = z.new_empty(len(z), self._n_columns)
        for i, flag in enumerate(self.flags):
            own = output[:, self._outputs[i]]
            rows[:, i] = self.numbers.mean(i, own)
            if flag >= 0:
                rows[:, flag] = own[:, -1].sigmoid()
        for (start, size), part in zip(self.choices, self._outputs[len(self.flags) :], strict=True):
            logits = output[:, part]
            rows[:, start : start + size] = logits.sigmoid() if size == 1 else logits.softmax(1)
        start = len(self.degrees)
        return torch.cat([z[:, start : start + self.n_context], rows], 1)

    def _distributions(self, z: Tensor) -> Tensor:
        """Return the parameters of all distributions."""
        hidden, features = z[:, : len(self.degrees)], z[:, len(self.degrees) :]
        output = F.linear(hidden, self._masked(self.last, self.degrees), self.last.bias)
        if self.direct is None:
            return output
        direct = self._masked(self.direct, self.seen)
        return output + F.linear(features[:, : direct.shape[1]], direct)

    def forward(self, x: Tensor) -> Tensor:
        """Return the same, of rows."""
        return self.decode(self.encode(x))

    def log_prob(self, x: Tensor) -> Tensor:
        """Return the log-density of rows, in which frequent values count with their probabilities.

        Parameters
        ----------
        x : Tensor of shape (n_samples, n_context + n_columns)
            Rows.

        Returns
        -------
        Tensor of shape (n_samples,)
            In nats, given the context.
        """
        output, rows = self._distributions(self.encode(x)), x[:, self.n_context :]
        total = x.new_zeros(len(x))
        n_numbers = len(self.flags)
        if n_numbers:
            of_numbers = output[:, : self._outputs[n_numbers - 1].stop].unflatten(
                1, (n_numbers, -1)
            )
            total = total + self._of_numbers(of_numbers, rows).sum(1)
        for (start, size), part in zip(self.choices, self._outputs[n_numbers:], strict=True):
            logits, ones = output[:, part], rows[:, start : start + size]
            if size == 1:
                total = total + (ones * logits - F.softplus(logits))[:, 0]
            else:
                total = total + (ones * logits.log_softmax(1)).sum(1)
        return total

    def _of_numbers(self, output: Tensor, rows: Tensor) -> Tensor:
        """Return the log-densities of numbers, or log-probabilities, of shape (n, n_numbers)."""
        logs, absent = self.numbers.log_prob(output, rows[:, : len(self.flags)]), output[..., -1]
        known = torch.where(self._missing(rows), F.logsigmoid(absent), logs + F.logsigmoid(-absent))
        may_be = torch.tensor([flag >= 0 for flag in self.flags], device=rows.device)
        return torch.where(may_be, known, logs)

    def _missing(self, rows: Tensor) -> Tensor:
        """Tell which numbers are missing, of shape (n, n_numbers)."""
        none = torch.zeros(len(rows), dtype=torch.bool, device=rows.device)
        return torch.stack([rows[:, j] > 0.5 if j >= 0 else none for j in self.flags], 1)

    # ------------------------------------------------------------------ layers

    def _features(self, x: Tensor) -> Tensor:
        """Return what the first layer sees."""
        context, rows = x[:, : self.n_context], x[:, self.n_context :]
        parts = [context]
        if n_numbers := len(self.flags):
            parts.append(self.numbers(rows[:, :n_numbers], self._missing(rows)))
        parts += [rows[:, start : start + size] for start, size in self.choices]
        return torch.cat(parts, 1)

    def _hidden(self, features: Tensor) -> Tensor:
        first, second = self._masked(self.first, self.seen), self._masked(self.second, self.degrees)
        hidden = self.dropout(F.gelu(F.linear(features, first, self.first.bias)))
        return hidden + self.dropout(F.gelu(F.linear(hidden, second, self.second.bias)))

    def _masked(self, layer: nn.Linear, seen: Tensor) -> Tensor:
        """Return the weights of a layer, zero where an output must not see an input."""
        if layer in (self.first, self.second):
            return layer.weight * (self.degrees.unsqueeze(1) >= seen)
        return layer.weight * (self.made.unsqueeze(1) > seen[: layer.in_features])

    # ------------------------------------------------------------------ new rows

    @torch.no_grad()
    def draw(
        self,
        context: Tensor,
        generator: torch.Generator,
        limits: Mapping[int, Any] | None = None,
        shares: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Draw rows, one column after the other; each hidden unit is computed once.

        Rows are not independent: a value comes up about as often as its probabilities in all rows
        add up to.

        Parameters
        ----------
        context : Tensor of shape (n_samples, n_context)
            The columns that are given.
        generator : torch.Generator
            The only source of randomness.
        limits : mapping or None, default=None
            What cells may be, by columns after the context. For a number a tuple: lower and upper
            ends of intervals, arrays of shape (n_intervals,), and whether it may be missing. For
            the first column of a group an array of bool, whether it may be each of the values.
        shares : Tensor of shape (n_columns,) or None, default=None
            How frequent ones shall be in the columns that follow the numbers, among rows that have
            all the same context. It is learned, for that context.

        Returns
        -------
        rows : Tensor of shape (n_samples, n_columns)
            Rows.
        log_probs : Tensor of shape (n_samples,)
            Logarithm of the probability that each cell would have met its limits by itself, given
            those before it; float64.
        """
        n = len(context)
        limits = {} if limits is None else limits
        sees = {"first": self.seen, "second": self.degrees, "last": self.degrees}
        sees |= {"direct": self.seen} if self.direct is not None else {}
        weights = {name: self._masked(getattr(self, name), seen) for name, seen in sees.items()}
        first, second, output = (
            layer.bias.expand(n, -1).clone() for layer in (self.first, self.second, self.last)
        )
        rows = context.new_zeros(n, self._n_columns)
        log_probs = torch.zeros(n, dtype=torch.float64, device=context.device)
        features, columns = context, slice(0, self.n_context)
        for rank in range(-1, len(self.order)):
            if rank >= 0:
                variable = self.order[rank]
                parameters = output[:, self._outputs[variable]]
                if shares is not None:
                    parameters = parameters + self._learned(variable, parameters, shares, context)
                features, log_prob = self._drawn(variable, parameters, rows, generator, limits)
                log_probs += log_prob
                own = self._inputs[variable]
                columns = slice(self.n_context + own.start, self.n_context + own.stop)
            first += features @ weights["first"][:, columns].T
            if "direct" in weights and len(direct := weights["direct"][:, columns].T):
                output += features @ direct
            own_units = (self.degrees == rank).nonzero()[:, 0]
            if len(own_units):
                units = slice(int(own_units[0]), int(own_units[-1]) + 1)
                lower = F.gelu(first[:, units])
                second += lower @ weights["second"][:, units].T
                upper = lower + F.gelu(second[:, units])
                output += upper @ weights["last"][:, units].T
        return rows, log_probs

    def _learned(self, variable: int, output: Tensor, shares: Tensor, context: Tensor) -> Tensor:
        """Learn what brings a column its shares, and return it."""
        n_numbers, shift = len(self.flags), torch.zeros_like(output[0])
        if variable >= n_numbers:
            own, (start, size) = shift, self.choices[variable - n_numbers]
        else:
            own, start, size = shift[-1:], self.flags[variable], 1
        if start < 0:
            return shift
        cells = slice(start, start + size)
        own += shift_to_shares(output[:, -len(own) :].double(), shares[cells].double()).to(own)
        part = self._outputs[variable]
        if self.direct is None:
            self.last.bias[part] += shift
        else:
            self.direct.weight[part, : self.n_context] += shift.outer(context[0])
        return shift

    def _drawn(
        self, variable: int, output: Tensor, rows: Tensor, generator: Any, limits: Mapping[int, Any]
    ) -> tuple[Tensor, Tensor]:
        """Fill in a column; return what others see of it, and how probable its limits are."""
        n_numbers = len(self.flags)
        if variable >= n_numbers:
            start, size = self.choices[variable - n_numbers]
            cells = slice(start, start + size)
            logits = output.double()
            if size == 1:
                logits = torch.cat([torch.zeros_like(logits), logits], 1)
            logs, log_prob = limited(logits.log_softmax(1), limits.get(start))
            chosen = spread_choices(logs.exp(), generator)
            rows[:, cells] = chosen.unsqueeze(1) if size == 1 else F.one_hot(chosen, size)
            return rows[:, cells], log_prob
        flag = self.flags[variable]
        x, missing, log_prob = self.numbers.draw(
            variable, output, flag >= 0, generator, limits.get(variable)
        )
        x, missing = x.to(rows).unsqueeze(1), missing.unsqueeze(1)
        rows[:, [variable]] = x * ~missing
        if flag >= 0:
            rows[:, [flag]] = missing.to(rows)
        return self.numbers(x, missing, slice(variable, variable + 1)), log_prob
