"""What a step minimises."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from .._plain import registered
from ._batch import Batch


@dataclass(frozen=True, slots=True)
class Step:
    """What an objective is given.

    Parameters
    ----------
    module : nn.Module
        The network; in training that with the live weights.
    criterion : skae.losses.ReconstructionLoss
        What outputs are compared with data by.
    batch : Batch
        The rows.
    generator : torch.Generator
        The only source of randomness.
    epoch : int or None, default=None
        Number of the epoch in training, from 1; None otherwise.
    is_by_hand : bool, default=False
        Whether the module is to be differentiated by its own formulas.
    """

    module: Any
    criterion: Any
    batch: Batch
    generator: torch.Generator
    epoch: int | None = None
    is_by_hand: bool = False


class Losses(NamedTuple):
    """What an objective gives.

    Parameters
    ----------
    rows : Tensor of shape (n_rows,) or ()
        The loss of every row, or their mean.
    terms : dict of str to Tensor
        Parts of the loss, means over the batch, which the net records by epochs.
    output : Tensor or None
        What the network gave, for callbacks that look at batches.
    """

    rows: Tensor
    terms: dict[str, Tensor] = {}  # never written to
    output: Tensor | None = None


class Objective:
    """Base class: a loss for every row of a batch. A new one overrides :meth:`losses`."""

    def losses(self, step: Step) -> Losses:
        """Return the loss of every row.

        Parameters
        ----------
        step : Step
            Module, criterion and batch.

        Returns
        -------
        Losses
            With `rows` of shape (n_rows,).
        """
        raise NotImplementedError

    def mean(self, step: Step) -> Losses:
        """Return the loss of a batch.

        Parameters
        ----------
        step : Step
            Module, criterion and batch.

        Returns
        -------
        Losses
            With `rows` of shape ().
        """
        losses = self.losses(step)
        return losses._replace(rows=step.batch.mean(losses.rows))

    def backward(self, step: Step) -> Losses:
        """Add the gradient of the loss of a batch to those of the weights.

        Parameters
        ----------
        step : Step
            Module, criterion and batch.

        Returns
        -------
        Losses
            What :meth:`mean` returns.
        """
        losses = self.mean(step)
        losses.rows.backward()
        return losses

    def is_by_hand(self, module: Any, criterion: Any) -> bool:
        """Tell whether :meth:`backward` sets gradients by formulas of the module, anew each time.

        Parameters
        ----------
        module : nn.Module
            The network.
        criterion : skae.losses.ReconstructionLoss
            What outputs are compared with data by.

        Returns
        -------
        bool
            False, unless an objective knows how to.
        """
        return False


@registered
class Reconstruction(Objective):
    """The criterion between output and target, and penalties on the code.

    Parameters
    ----------
    penalties : sequence of skae.losses.Penalty, default=()
        Terms that are added to the training loss.
    corruption : skae.losses.Corruption or None, default=None
        Damage done to the input of every training batch, and of the validation batches, there the
        same in every epoch.
    """

    penalties: Sequence[Any] = ()
    corruption: Callable[[Tensor, torch.Generator], Tensor] | None = None

    @property
    def _needs_input_gradient(self) -> bool:
        return any(penalty.needs_input_gradient for penalty in self.penalties)

    def _input(self, step: Step) -> Tensor:
        x = step.batch.input
        return x if self.corruption is None else self.corruption(x, step.generator)

    def losses(self, step: Step) -> Losses:
        output = step.module.decode(step.module.encode(self._input(step)))
        return Losses(step.criterion.elementwise(output, step.batch.target).mean(1), output=output)

    def mean(self, step: Step) -> Losses:
        x, is_training = self._input(step), step.epoch is not None
        if is_training and self._needs_input_gradient:
            x = x.detach().requires_grad_()
        code = step.module.encode(x)
        output = step.module.decode(code)
        batch = step.batch
        if batch.weight is None:
            loss = step.criterion(output, batch.target)
        else:
            loss = batch.mean(step.criterion.elementwise(output, batch.target).mean(1))
        if is_training:
            for penalty in self.penalties:
                loss = loss + penalty(x, code, step.generator, *_weights_of(batch))
        return Losses(loss, output=output)

    def is_by_hand(self, module: Any, criterion: Any) -> bool:
        return (
            getattr(module, "can_backpropagate", False)
            and not self._needs_input_gradient
            and not list(criterion.parameters())
        )

    def backward(self, step: Step) -> Losses:
        if not step.is_by_hand:
            return super().backward(step)
        x = self._input(step)
        output, code, tape = step.module.record(x)
        batch, to_code = step.batch, None
        loss, gradient = step.criterion.with_gradient(output, batch.target)
        if batch.weight is not None:
            gradient = gradient * batch.weight[:, None]
            loss = batch.mean(step.criterion.elementwise(output, batch.target).mean(1))
        if self.penalties:
            code = code.detach().requires_grad_()
            penalty: Any = sum(
                each(x, code, step.generator, *_weights_of(batch)) for each in self.penalties
            )
            (to_code,) = torch.autograd.grad(penalty, code)
            loss = loss + penalty.detach()
        step.module.backpropagate(gradient, to_code, tape)
        return Losses(loss, output=output)


def _weights_of(batch: Batch) -> tuple[Tensor, ...]:
    """Return what a penalty is given besides, if rows have weights."""
    return () if batch.weight is None else (batch.weight,)
