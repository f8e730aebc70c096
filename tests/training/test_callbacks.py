import numpy as np
import pytest
import torch
from skorch.callbacks import Callback

from skae.training import ArrayRows, BestWeights, Recipe, StopTraining
from skae.training._callbacks import losses_of

CPU = torch.device("cpu")
LOSSES = [5.0, 4.0, 4.5, 3.0, 6.0, 7.0, 8.0]  # after 0, 1, 2, ... epochs


class FakeNet:
    """A net whose only weight is the number of epochs done."""

    has_own_rows = False

    def __init__(self, losses):
        self.losses = losses
        self.history = []
        self.averaged_module_ = torch.nn.Linear(1, 1, bias=False).requires_grad_(False)
        self.module_ = torch.nn.Linear(1, 1, bias=False).requires_grad_(False)
        self.averaged_module_.weight.fill_(0)

    def get_split_datasets(self, X):
        rows = torch.zeros(1, 1).numpy()
        return None, ArrayRows(rows, torch.float32, CPU)

    def row_losses(self, rows):
        return np.array([self.losses[0]])

    def train(self, callback):
        callback.on_train_begin(self)
        try:
            for loss in self.losses[1:]:
                self.history.append({"valid_loss": loss})
                self.averaged_module_.weight += 1
                callback.on_epoch_end(self)
        except StopTraining:
            pass
        callback.on_train_end(self)
        return len(self.history)


@pytest.mark.parametrize(("patience", "n_epochs"), [(1, 2), (2, 5), (3, 6), (9, 6)])
def test_patience(patience, n_epochs):
    assert FakeNet(LOSSES).train(BestWeights(patience)) == n_epochs


@pytest.mark.parametrize(
    ("patience", "best_epoch", "best_loss"), [(1, 1, 4.0), (2, 3, 3.0), (9, 3, 3.0)]
)
def test_best_weights_come_back(patience, best_epoch, best_loss):
    net, callback = FakeNet(LOSSES), BestWeights(patience)

    net.train(callback)

    assert callback.best_epoch_ == best_epoch
    assert callback.best_loss_ == best_loss
    assert net.averaged_module_.weight.item() == best_epoch
    assert net.module_.weight.item() == best_epoch


def test_start_takes_part():
    net, callback = FakeNet([1.0, 2.0, 3.0]), BestWeights(9)

    net.train(callback)

    assert callback.best_epoch_ == 0
    assert net.averaged_module_.weight.item() == 0


def test_small_steps_are_no_improvement_but_kept():
    net, callback = FakeNet([5.0, 4.9, 4.8, 4.7, 4.6]), BestWeights(2, tol=0.05)

    n_epochs = net.train(callback)

    assert n_epochs == 2
    assert callback.best_epoch_ == 2


def test_losses_have_a_place_for_every_epoch():
    history = [{"train_loss": 2.0}, {}, {"train_loss": 1}]

    assert losses_of(history, "train_loss") == pytest.approx([2.0, float("nan"), 1.0], nan_ok=True)


def test_no_losses():
    assert losses_of([{"train_loss": 2.0}, {}], "valid_loss") == []


class Raise(Callback):
    def __init__(self, hook, error):
        self.hook, self.error = hook, error

    def on_epoch_end(self, net, **kwargs):
        if self.hook == "epoch" and len(net.history) == 2:
            raise self.error

    def on_batch_end(self, net, **kwargs):
        if self.hook == "batch" and len(net.history) == 2:
            raise self.error


@pytest.mark.parametrize("hook", ["batch", "epoch"])
@pytest.mark.parametrize("error", [StopTraining, KeyboardInterrupt])
def test_raising_in_a_callback_ends_the_training(hook, error):
    params = {"lr": 0.01, "callbacks": [Raise(hook, error)]}
    params |= {"module__n_features": 4, "module__n_components": 2}
    net = Recipe("mlp", "squared_error", "sgd", "float32", params).build(CPU)
    net.start_averaging()

    net.fit_rows(ArrayRows(torch.ones(8, 4).numpy(), torch.float32, CPU), None, 9)

    assert len(net.history) == 2


def test_other_errors_pass():
    params = {"lr": 0.01, "callbacks": [Raise("epoch", RuntimeError)]}
    params |= {"module__n_features": 4, "module__n_components": 2}
    net = Recipe("mlp", "squared_error", "sgd", "float32", params).build(CPU)
    net.start_averaging()

    with pytest.raises(RuntimeError):
        net.fit_rows(ArrayRows(torch.ones(8, 4).numpy(), torch.float32, CPU), None, 9)
