"""The one skorch net: a lean loop around an autoencoder, with averaged weights."""

import copy
import dis
import inspect
import math
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import partial
from typing import Any

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback, EpochTimer, PrintLog
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ..networks import Dropout
from ._batches import BatchIterator, Rows
from ._callbacks import StopTraining
from ._distributed import add_up, average_buffers, average_gradients, shard
from ._random import seeded_global_generators
from ._state import to_arrays, to_tensors

_BATCH_HOOKS = ("on_batch_begin", "on_batch_end", "on_grad_computed")
_STEPS_PER_AVERAGE = 16
_AVERAGING_DECAY = 8
_LONGEST_AVERAGE = 10_000


class NonFiniteLossError(ValueError):
    """The loss became infinite or NaN.

    Parameters
    ----------
    epoch : int
        Number of the epoch, counted from 1.
    """

    def __init__(self, epoch: int) -> None:
        super().__init__(f"the loss became infinite or NaN in epoch {epoch}")
        self.epoch = epoch


class AutoencoderNet(NeuralNet):
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
    corruption : skae.losses.Corruption or None, default=None
        Damage done to the input of every training batch, and of the validation batches, there the
        same in every epoch.
    penalties : sequence of skae.losses.Penalty, default=()
        Terms that are added to the training loss.
    objective : Objective or None, default=None
        What is minimised instead of the criterion and the penalties.
    draws_from_global_generators : bool, default=False
        Whether the module draws random numbers of its own, as ``torch.nn.Dropout`` does. Its epochs
        are then seeded from `generator`, and run in one thread at a time.
    device : str or torch.device, default="cpu"
        Where to compute.
    **kwargs : dict
        As for :class:`skorch.NeuralNet`.
    """

    def __init__(
        self,
        module: Any,
        criterion: Any,
        *,
        generator: torch.Generator,
        dtype: torch.dtype = torch.float32,
        corruption: Any = None,
        penalties: Sequence[Any] = (),
        objective: Any = None,
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
        self.corruption = corruption
        self.penalties = penalties
        self.objective = objective
        self.draws_from_global_generators = draws_from_global_generators
        self.validation_generator = torch.Generator(device)

        def damage(generator: torch.Generator) -> Any:
            return corruption and partial(corruption, generator=generator)

        super().__init__(
            module,
            criterion,
            train_split=None,
            device=device,
            iterator_train=BatchIterator,
            iterator_valid=BatchIterator,
            **{"iterator_train__shuffle": True, **kwargs},
            iterator_train__generator=generator,
            iterator_train__corruption=damage(self.noise_generator),
            iterator_valid__corruption=damage(self.validation_generator),
            iterator_train__shard=shard(),
        )

    # ------------------------------------------------------------------ building

    @property
    def _default_callbacks(self) -> list[tuple[str, Callback]]:
        log = [("print_log", PrintLog(keys_ignored="terms"))] if self.verbose else []
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

    @torch.no_grad()
    def start_from(self, x: Tensor) -> None:
        """Let the module look at some rows before training, if it has a method `initialize`.

        Parameters
        ----------
        x : Tensor of shape (n_samples, n_features)
            Rows of the training data.
        """
        if hasattr(self.module_, "initialize"):
            self.module_.initialize(x, self.criterion_.link(x))

    def start_averaging(self) -> None:
        """Start the average of the weights from the present ones."""
        # Kept in a list, or skorch would train the average as a second module.
        self.average = [AveragedModel(self.module_, multi_avg_fn=_polynomial, use_buffers=True)]
        self.averaged_module_.eval()

    @property
    def averaged_module_(self) -> nn.Module:
        """The module with averaged weights: that which predicts."""
        return self.average[0].module

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

    def get_loss(
        self, y_pred: Any, y_true: Tensor, X: Any = None, training: bool = False
    ) -> Tensor:
        """Return the reconstruction loss, in training with the penalties."""
        output, code = y_pred
        loss = self.criterion_(output, y_true)
        if training:
            for penalty in self.penalties:
                loss = loss + penalty(X, code, self.noise_generator)
        return loss

    def train_step_single(self, batch: tuple[Tensor, Tensor], **fit_params: Any) -> dict[str, Any]:
        """Compute loss and gradients of a batch."""
        self._set_training(True)
        x, target = batch
        if self._backpropagates_by_hand:
            step = self._step_by_hand(x, target)
        else:
            step = self._step_by_autograd(x, target)
        if shard() != (0, 1):
            average_gradients((p for _, p in self.get_all_learnable_params()), len(x))
        return step

    def _step_by_autograd(self, x: Tensor, target: Tensor) -> dict[str, Any]:
        if self.objective is not None:
            loss = self._objective_losses(x, target).mean()
            loss.backward()
            return {"loss": loss, "y_pred": None}
        if self._needs_input_gradient:
            x = x.detach().requires_grad_()
        y_pred = self.infer(x)
        loss = self.get_loss(y_pred, target, X=x, training=True)
        loss.backward()
        return {"loss": loss, "y_pred": y_pred[0]}

    def _step_by_hand(self, x: Tensor, target: Tensor) -> dict[str, Any]:
        """Do the same for modules that know their gradients, without autograd's overhead."""
        module: Any = self.module_
        output, code, tape = module.record(x)
        loss, gradient = self.criterion_.with_gradient(output, target)
        to_code = None
        if self.penalties:
            code = code.detach().requires_grad_()
            penalty = sum(penalty(x, code, self.noise_generator) for penalty in self.penalties)
            (to_code,) = torch.autograd.grad(penalty, code)
            loss = loss + penalty.detach()
        module.backpropagate(gradient, to_code, tape)
        return {"loss": loss, "y_pred": output}

    def _objective_losses(self, x: Tensor, target: Tensor) -> Tensor:
        """Return the objective's loss of every row: of the live weights in training."""
        if self.module_.training:
            module, generator, epoch = self.module_, self.noise_generator, len(self.history)
        else:
            module, generator, epoch = self.averaged_module_, self.validation_generator, None
        batch = x, target
        losses, terms = self.objective.row_losses(module, self.criterion_, batch, generator, epoch)
        if epoch is not None:
            for name, value in terms.items():
                self._terms[name] = self._terms.get(name, 0.0) + value.detach() * len(x)
        return losses

    def train_step(self, batch: tuple[Tensor, Tensor], **fit_params: Any) -> dict[str, Any]:
        """Do one step of the optimizer and, now and then, of the average."""
        if self._is_lean:
            if not self._backpropagates_by_hand:  # which overwrites them
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
            average_buffers(self.module_)
        self.average[0].update_parameters(self.module_)

    @torch.no_grad()
    def validation_step(self, batch: tuple[Tensor, Tensor], **fit_params: Any) -> dict[str, Any]:
        """Compute the loss of a batch under the averaged weights."""
        self._set_training(False)
        x, target = batch
        if self.objective is not None:
            return {"loss": self._objective_losses(x, target).mean(), "y_pred": None}
        y_pred = self.infer(x)
        return {"loss": self.get_loss(y_pred, target, X=x), "y_pred": y_pred[0]}

    def _set_training(self, training: bool = True) -> None:
        for part in (self.module_, self.criterion_):
            if part.training is not training:  # skip the walk through all layers
                part.train(training)

    # ------------------------------------------------------------------ loop

    def fit_rows(self, train: Rows, valid: Rows | None, epochs: int) -> None:
        """Train for some epochs.

        Parameters
        ----------
        train : Rows
            What to train on.
        valid : Rows or None
            What to measure the validation loss on.
        epochs : int
            Number of passes over `train`.

        Raises
        ------
        NonFiniteLossError
            If the loss becomes infinite or NaN.
        """
        self._split = train, valid
        hooks = {getattr(type(cb), hook) for _, cb in self.callbacks_ for hook in _BATCH_HOOKS}
        self._notifies_batches = not hooks <= {getattr(Callback, hook) for hook in _BATCH_HOOKS}
        self._is_lean = not self._notifies_batches and not _needs_closure(self.optimizer_)
        self._needs_input_gradient = any(p.needs_input_gradient for p in self.penalties)
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
        return Rows(np.asarray(X), self.dtype, torch.device(self.device))

    def run_single_epoch(
        self, iterator: Any, training: bool, prefix: str, step_fn: Any, **fit_params: Any
    ) -> None:
        """Go through the batches once, and record the mean loss per row."""
        if iterator is None:
            return
        total: Any = 0.0
        n_rows = n_batches = 0
        self._n_steps = 0
        self._terms: dict[str, Any] = {}
        stop = None
        self._backpropagates_by_hand = (
            getattr(self.module_, "can_backpropagate", False)
            and not self._needs_input_gradient
            and self.objective is None
            and not list(self.criterion_.parameters())
        )
        with self._randomness(training), suppress(StopTraining):
            stop = StopTraining()  # unless all batches are done
            for batch in iterator:
                if self._notifies_batches:
                    self.notify("on_batch_begin", batch=batch, training=training)
                step = step_fn(batch)
                n = len(batch[0])
                if self._notifies_batches:
                    self.history.record_batch(prefix + "_loss", step["loss"].item())
                    self.history.record_batch(prefix + "_batch_size", n)
                    self.notify("on_batch_end", batch=batch, training=training, **step)
                # A tensor, because reading its value would wait for the device in every step.
                total = total + step["loss"].detach() * n
                n_rows, n_batches = n_rows + n, n_batches + 1
            stop = None
        if n_rows == 0:
            raise StopTraining
        if training and self._n_steps % _STEPS_PER_AVERAGE:
            self._update_average()
        if training and shard() != (0, 1):
            values = [float(total), n_rows, *(float(term) for term in self._terms.values())]
            sums = torch.tensor(values, dtype=torch.float64, device=self.device)
            total, n_rows, *terms = add_up(sums).tolist()
            self._terms = dict(zip(self._terms, terms, strict=True))
        loss = float(total) / n_rows
        if not math.isfinite(loss):
            raise NonFiniteLossError(len(self.history))
        best = min((row.get(prefix + "_loss", math.inf) for row in self.history), default=math.inf)
        self.history.record(prefix + "_loss", loss)
        if self._terms:
            self.history.record("terms", list(self._terms))
        for name, value in self._terms.items():
            self.history.record(name, float(value) / n_rows)
        if not self._notifies_batches:  # some of skorch's callbacks expect at least one
            self.history.new_batch()
            self.history.record_batch(prefix + "_loss", loss)
        self.history.record(prefix + "_loss_best", loss < best)
        self.history.record(prefix + "_batch_count", n_batches)
        if stop is not None:
            raise stop

    def _randomness(self, training: bool) -> AbstractContextManager[None]:
        """Seed, for an epoch, the generators besides the one that all processes have in common."""
        if not training:
            self.validation_generator.manual_seed(self.generator.initial_seed())
            return nullcontext()
        place = [self.generator.initial_seed(), len(self.history), shard()[0]]
        seed = int(np.random.SeedSequence(place).generate_state(1)[0])
        if self.noise_generator is not self.generator:
            self.noise_generator.manual_seed(seed)
        if self.draws_from_global_generators:
            return seeded_global_generators(seed, torch.device(self.device))
        return nullcontext()

    def on_batch_begin(self, net: Any, batch: Any = None, **kwargs: Any) -> None:
        """Open a row for the batch in the history.

        Parameters
        ----------
        net : AutoencoderNet
            This net.
        batch : tuple of two Tensors
            Input and target.
        **kwargs : dict
            Not used.
        """
        self.history.new_batch()

    def notify(self, method_name: str, **cb_kwargs: Any) -> None:
        """Call a hook of every callback, then end the training if one of them wants it.

        A callback ends it by raising ``StopTraining`` or, as skorch's do, KeyboardInterrupt. A real
        Ctrl-C, at whatever moment, is passed on.
        """
        stop = None
        getattr(self, method_name)(self, **cb_kwargs)
        for _, callback in self.callbacks_:
            try:
                getattr(callback, method_name)(self, **cb_kwargs)
            except StopTraining as signal:
                stop = signal
            except KeyboardInterrupt as interrupt:
                if not _is_raised_by(callback, interrupt):
                    raise
                stop = StopTraining()
        if method_name == "on_epoch_end":  # or they would pile up for ever
            del self.history[-1]["batches"][:-1]
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
                self._objective_losses(x, target)
                if self.objective is not None
                else self.criterion_.elementwise(self.infer(x)[0], target).mean(1)
                for x, target in self.get_iterator(rows, training=False)
            ]
        return torch.cat(losses).cpu().numpy().astype(np.float64)

    # ------------------------------------------------------------------ state

    def state(self, history: bool = True) -> dict[str, Any]:
        """Return all that a later training needs to go on bit for bit.

        Parameters
        ----------
        history : bool, default=True
            Whether to include the history, which grows with every epoch.

        Returns
        -------
        dict
            Weights, optimizer, generator and history, with numpy arrays for tensors.
        """
        state = {
            "module": self.module_.state_dict(),
            "average": self.average[0].state_dict(),
            "criterion": self.criterion_.state_dict(),
            "optimizer": self.optimizer_.state_dict(),
            "generator": self.generator.get_state(),
        }
        if history:
            state["history"] = [{**row, "batches": []} for row in self.history]
        return to_arrays(state)

    def load_state(self, state: dict[str, Any]) -> None:
        """Go back to what :meth:`state` returned.

        Parameters
        ----------
        state : dict
            Result of :meth:`state`, of this net or of one built alike.
        """
        tensors = to_tensors(state)
        self.module_.load_state_dict(tensors["module"])
        self.average[0].load_state_dict(tensors["average"])
        self.criterion_.load_state_dict(tensors["criterion"])
        self.optimizer_.load_state_dict(tensors["optimizer"])
        self.generator.set_state(tensors["generator"])
        self._set_training(False)
        if "history" in state:
            self.history.clear()
            self.history.extend(copy.deepcopy(state["history"]))


def _polynomial(averaged: Any, current: Any, n_averaged: Any) -> None:
    n = min(int(n_averaged) + 1, _LONGEST_AVERAGE)
    weight = (_AVERAGING_DECAY + 1) / (n + _AVERAGING_DECAY)
    if averaged[0].is_floating_point():
        get_ema_multi_avg_fn(1 - weight)(averaged, current, n_averaged)
    else:
        for mine, theirs in zip(averaged, current, strict=True):
            mine.copy_(theirs)


def _needs_closure(optimizer: torch.optim.Optimizer) -> bool:
    closure = inspect.signature(optimizer.step).parameters.get("closure")
    return closure is not None and closure.default is closure.empty


def _is_raised_by(callback: Callback, error: BaseException) -> bool:
    """Tell an exception that a callback raised from one that a signal handler put in between."""
    traceback: Any = error.__traceback__
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    frame, position = traceback.tb_frame, traceback.tb_lasti
    return frame.f_locals.get("self") is callback and any(
        i.opname == "RAISE_VARARGS" and i.offset == position
        for i in dis.get_instructions(frame.f_code)
    )
