"""The one skorch net: a lean loop around an objective, with averaged weights."""

import inspect
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback, EpochTimer, PrintLog
from torch import Tensor, nn

from ..networks import Dropout
from ._averaging import WeightAverage
from ._batch import Batch
from ._batch_iterator import BatchIterator
from ._callbacks import StopTraining
from ._distributed import average_buffers, average_gradients, shard, shares
from ._epoch import EpochTotals
from ._interrupts import stopped_by
from ._objectives import Objective, Reconstruction, Step
from ._random import seeded_global_generators
from ._rows import ArrayRows, Rows
from ._stateful import StatefulNet

_BATCH_HOOKS = ("on_batch_begin", "on_batch_end", "on_grad_computed")
_STEPS_PER_AVERAGE = 16


class AutoencoderNet(StatefulNet, NeuralNet):
    """A skorch net for modules with ``encode(x)`` and ``decode(z)``.

    Training runs at a constant learning rate, and the weights that count are an average over the
    training with polynomially decaying memory (Shamir & Zhang, ICML 2013, section 3): as good as a
    decaying learning rate, without having to know the number of epochs beforehand. So n calls of
    one epoch give the same as one call of n epochs.

    Parameters
    ----------
    module : nn.Module class or instance
        The network.
    criterion : skae.losses.ReconstructionLoss
        What its output is compared with the data by.
    generator : torch.Generator
        The source of all randomness of the training.
    dtype : torch.dtype, default=torch.float32
        Type of the weights.
    objective : Objective or None, default=None
        What is minimised; None takes the criterion alone.
    draws_from_global_generators : bool, default=False
        Whether the module draws random numbers of its own, as ``torch.nn.Dropout`` does. Its epochs
        are then seeded from `generator`, and run in one thread at a time.
    device : str or torch.device, default="cpu"
        Where to compute.
    **kwargs : dict
        As for :class:`skorch.NeuralNet`.
    """

    has_own_rows = False  # in this training: each process of a group rows that no other has

    def __init__(
        self,
        module: Any,
        criterion: Any,
        *,
        generator: torch.Generator,
        dtype: torch.dtype = torch.float32,
        objective: Objective | None = None,
        draws_from_global_generators: bool = False,
        device: str | torch.device = "cpu",
        **kwargs: Any,
    ) -> None:
        self.generator = generator
        # Random numbers for a GPU come from the GPU, and those of one process of many must not move
        # the common generator: both come from a second one, which is seeded in every epoch.
        alone = torch.device(device).type == "cpu" and shard() == (0, 1)
        self.noise_generator = generator if alone else torch.Generator(device)
        self.dtype = dtype
        self.objective = objective or Reconstruction()
        self.draws_from_global_generators = draws_from_global_generators
        self.validation_generator = torch.Generator(device)
        super().__init__(
            module,
            criterion,
            train_split=None,
            device=device,
            iterator_train=BatchIterator,
            iterator_valid=BatchIterator,
            **{"iterator_train__shuffle": True, "iterator_valid__batch_size": None, **kwargs},
            iterator_train__generator=generator,
            iterator_train__shard=shard(),
        )

    # ------------------------------------------------------------------ building

    @property
    def _default_callbacks(self) -> list[tuple[str, Callback]]:
        log = (
            [("print_log", PrintLog(keys_ignored="terms"))]
            if self.verbose and shard()[0] == 0
            else []
        )
        return [("epoch_timer", EpochTimer()), *log]

    def initialize_module(self) -> "AutoencoderNet":
        """Build the module in the wanted dtype, and give it the generator."""
        super().initialize_module()
        self.module_.to(self.dtype)
        for layer in self.module_.modules():
            if isinstance(layer, Dropout):
                layer.generator = self.noise_generator
        return self

    def initialize_criterion(self) -> "AutoencoderNet":
        """Build the criterion in the wanted dtype."""
        super().initialize_criterion()
        self.criterion_.to(self.dtype)
        return self

    def start_averaging(self) -> None:
        """Start the average of the weights from the present ones."""
        self.average = WeightAverage(self.module_)

    @property
    def averaged_module_(self) -> nn.Module:
        """The module with averaged weights: that which predicts."""
        return self.average.module

    @property
    def term_names(self) -> list[str]:
        """Names under which the history has parts of the training loss."""
        return list(self.history[-1].get("terms", [])) if self.history else []

    # ------------------------------------------------------------------ steps

    def infer(self, x: Tensor, **fit_params: Any) -> tuple[Tensor, Tensor]:
        """Return the output and the code for a batch, in training with the live weights."""
        module: Any = self.module_ if self.module_.training else self.averaged_module_
        code = module.encode(x)
        return module.decode(code), code

    def _step(self, batch: Batch) -> Step:
        """Return what the objective is given: in training the live weights, else the average."""
        if self.module_.training:
            module, generator, epoch = self.module_, self.noise_generator, len(self.history)
            return Step(module, self.criterion_, batch, generator, epoch, self._is_by_hand)
        return Step(self.averaged_module_, self.criterion_, batch, self.validation_generator)

    def train_step_single(self, batch: Batch, **fit_params: Any) -> dict[str, Any]:
        """Compute loss and gradients of a batch."""
        self._set_training(True)
        loss, terms, output = self.objective.backward(self._step(batch))
        if shard() != (0, 1):
            average_gradients((p for _, p in self.get_all_learnable_params()), len(batch))
        return {"loss": loss, "y_pred": output, "terms": terms}

    def train_step(self, batch: Batch, **fit_params: Any) -> dict[str, Any]:
        """Do one step of the optimizer and, now and then, of the average."""
        if self._is_lean:
            if not self._is_by_hand:  # which overwrites them
                self.optimizer_.zero_grad()
            step = self.train_step_single(batch)
            self.optimizer_.step()
        else:
            step = super().train_step(batch)
        self._n_steps += 1
        if self._n_steps % _STEPS_PER_AVERAGE == 0:
            self._update_average()
        return step

    def _update_average(self) -> None:
        if shard() != (0, 1):
            average_buffers(self.module_, self._totals.n_rows)
        self.average.update(self.module_)

    @torch.no_grad()
    def validation_step(self, batch: Batch, **fit_params: Any) -> dict[str, Any]:
        """Compute the loss of a batch under the averaged weights."""
        self._set_training(False)
        loss, _, output = self.objective.mean(self._step(batch))
        return {"loss": loss, "y_pred": output}

    def _set_training(self, training: bool = True) -> None:
        for part in (self.module_, self.criterion_):
            if part.training is not training:  # skip the walk through all layers
                part.train(training)

    # ------------------------------------------------------------------ loop

    def fit_rows(
        self, train: Rows, valid: Rows | None, epochs: int, has_own_rows: bool = False
    ) -> None:
        """Train for some epochs.

        Parameters
        ----------
        train : Rows
            What to train on.
        valid : Rows or None
            What to measure the validation loss on.
        epochs : int
            Number of passes over `train`.
        has_own_rows : bool, default=False
            Whether no other process of the group has these rows.

        Raises
        ------
        NonFiniteLossError
            If the loss becomes infinite or NaN.
        """
        self._split, self.has_own_rows = (train, valid), has_own_rows
        shared = shares(len(train), self.batch_size, has_own_rows, self.generator)
        self.__dict__.update(shared)
        hooks = {getattr(type(cb), hook) for _, cb in self.callbacks_ for hook in _BATCH_HOOKS}
        self._notifies_batches = not hooks <= {getattr(Callback, hook) for hook in _BATCH_HOOKS}
        self._is_lean = not self._notifies_batches and not _needs_closure(self.optimizer_)
        try:
            with suppress(StopTraining), torch.enable_grad():
                self.notify("on_train_begin", X=train, y=None)
                self.fit_loop(train, epochs=epochs)
            self.notify("on_train_end", X=train, y=None)
        finally:
            del self._split
            self.module_.zero_grad(set_to_none=True)
            self._set_training(False)

    def get_split_datasets(self, X: Any, y: Any = None, **fit_params: Any) -> Any:
        """Return the training and the validation rows of this training."""
        return self._split

    def get_dataset(self, X: Any, y: Any = None) -> Rows:
        """Return arrays as rows, for skorch's own `predict` and `forward`."""
        if isinstance(X, Rows):
            return X
        return ArrayRows(np.asarray(X), self.dtype, torch.device(self.device))

    def run_single_epoch(
        self, iterator: Any, training: bool, prefix: str, step_fn: Any, **fit_params: Any
    ) -> None:
        """Go through the batches once, and record the mean loss per row."""
        if iterator is None:
            return
        self._n_steps, self._totals = 0, EpochTotals()
        self._is_by_hand = self.objective.is_by_hand(self.module_, self.criterion_)
        with self._randomness(training):
            stop = self._go_through(iterator, training, prefix, step_fn)
        if not self._totals.n_rows:
            raise StopTraining
        if training and self._n_steps % _STEPS_PER_AVERAGE:
            self._update_average()
        if training or self.has_own_rows:
            self._totals.of_all_processes(self.device)
        # Some of skorch's callbacks expect at least one batch.
        self._totals.record(self.history, prefix, with_batch=not self._notifies_batches)
        if stop is not None:
            raise stop

    def _go_through(
        self, iterator: Any, training: bool, prefix: str, step_fn: Any
    ) -> StopTraining | None:
        """Do a step for every batch; return what ended the training in between."""
        try:
            for batch in iterator:
                if self._notifies_batches:
                    self.notify("on_batch_begin", batch=batch, training=training)
                step = step_fn(batch)
                if self._notifies_batches:
                    self.history.record_batch(prefix + "_loss", step["loss"].item())
                    self.history.record_batch(prefix + "_batch_size", len(batch))
                    self.notify("on_batch_end", batch=batch, training=training, **step)
                self._totals.add(step, batch)
        except StopTraining as stop:
            return stop
        return None

    def _randomness(self, training: bool) -> AbstractContextManager[None]:
        """Seed, for an epoch, the generators besides the one that all processes have in common."""
        if not training:
            self.validation_generator.manual_seed(self.generator.initial_seed())
            return nullcontext()
        place = [self.generator.initial_seed(), len(self.history), shard()[0]]
        seed = int(np.random.SeedSequence(place).generate_state(1)[0])
        if self.noise_generator is not self.generator:
            self.noise_generator.manual_seed(seed)
        if self.has_own_rows:
            self.iterator_train__generator.manual_seed(seed)
        if self.draws_from_global_generators:
            return seeded_global_generators(seed, torch.device(self.device))
        return nullcontext()

    def on_batch_begin(self, net: Any, batch: Any = None, **kwargs: Any) -> None:
        """Open a row for the batch in the history.

        Parameters
        ----------
        net : AutoencoderNet
            This net.
        batch : Batch
            The rows of the step.
        **kwargs : dict
            Not used.
        """
        self.history.new_batch()

    def notify(self, method_name: str, **cb_kwargs: Any) -> None:
        """Call a hook of every callback, then end the training if one of them wants it.

        A callback ends it by raising ``StopTraining`` or, as skorch's do, KeyboardInterrupt. A real
        Ctrl-C, at whatever moment, is passed on.
        """
        getattr(self, method_name)(self, **cb_kwargs)
        stops = [stopped_by(each, method_name, self, **cb_kwargs) for _, each in self.callbacks_]
        if method_name == "on_epoch_end":  # or they would pile up for ever
            del self.history[-1]["batches"][:-1]
        for stop in stops:
            if stop is not None:
                raise stop

    @torch.no_grad()
    def row_losses(self, rows: Rows) -> np.ndarray:
        """Return the loss of each row under the averaged weights.

        Parameters
        ----------
        rows : Rows
            Data.

        Returns
        -------
        ndarray of shape (n_rows,)
            Mean loss over the features, or what the objective makes of the row, float64.
        """
        self._set_training(False)
        with self._randomness(training=False):
            losses = [
                self.objective.losses(self._step(batch)).rows
                for batch in self.get_iterator(rows, training=False)
            ]
        return torch.cat(losses).cpu().numpy().astype(np.float64)


def _needs_closure(optimizer: torch.optim.Optimizer) -> bool:
    closure = inspect.signature(optimizer.step).parameters.get("closure")
    return closure is not None and closure.default is closure.empty
