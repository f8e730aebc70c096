import pytest
import torch
from torch import nn

from skae.networks import DenseAutoencoder
from skae.training import ArrayRows, NonFiniteLossError, Recipe

CPU = torch.device("cpu")


@pytest.fixture
def X():
    return torch.randn(50, 4, generator=torch.Generator().manual_seed(0)).numpy()


def build(seed=0, loss="squared_error", optimizer="adamw", **params):
    params = {
        "lr": 0.01,
        "batch_size": 16,
        "callbacks": [],
        "verbose": 0,
        "module__n_features": 4,
        "module__n_components": 2,
        "module__hidden_layer_sizes": (8,),
        **params,
    }
    net = Recipe("mlp", loss, optimizer, "float32", params).build(CPU, seed)
    net.start_averaging()
    return net


def rows_of(X):
    return ArrayRows(X, torch.float32, CPU)


def weights(net):
    return torch.cat([p.detach().reshape(-1) for p in net.averaged_module_.parameters()])


def test_same_seed_same_weights():
    assert torch.equal(weights(build(3)), weights(build(3)))
    assert not torch.equal(weights(build(3)), weights(build(4)))


def test_epochs_at_a_stretch_equal_epochs_one_by_one(X):
    whole, parts = build(), build()

    whole.fit_rows(rows_of(X), None, 5)
    for _ in range(5):
        parts.fit_rows(rows_of(X), None, 1)

    assert torch.equal(weights(whole), weights(parts))


def test_state_restores_the_rest_of_a_training(X):
    net = build(optimizer="adam")
    net.fit_rows(rows_of(X), None, 2)
    twin = build(seed=7, optimizer="adam")
    twin.load_state(net.state())

    for each in (net, twin):
        each.fit_rows(rows_of(X), None, 2)

    assert torch.equal(weights(net), weights(twin))
    assert [row["train_loss"] for row in net.history] == [row["train_loss"] for row in twin.history]


def test_state_is_not_changed_by_later_training(X):
    net = build()
    net.fit_rows(rows_of(X), None, 1)
    state = net.state()
    before = state["module"]["encoder.0.weight"].copy()

    net.fit_rows(rows_of(X), None, 1)

    assert (state["module"]["encoder.0.weight"] == before).all()


def test_average_has_polynomially_decaying_memory():
    net = build()
    live = next(net.module_.parameters())
    values = [1.0, 5.0, -2.0, 7.0]
    with torch.no_grad():
        next(net.averaged_module_.parameters()).zero_()

    expected = 0.0
    for n, value in enumerate(values, start=1):
        live.data.fill_(value)
        net.average.update(net.module_)
        weight = 1 if n == 1 else 9 / (n + 8)  # Shamir & Zhang with eta = 8
        expected += weight * (value - expected)

    averaged = next(net.averaged_module_.parameters())
    torch.testing.assert_close(averaged.data, torch.full_like(averaged, expected))


def test_average_predicts_and_live_weights_train(X):
    net = build()
    net.fit_rows(rows_of(X), None, 3)
    x = torch.from_numpy(X)

    net.module_.eval()
    output, _ = net.infer(x)

    torch.testing.assert_close(output, net.averaged_module_(x))
    net.module_.train()
    output, _ = net.infer(x)
    torch.testing.assert_close(output, net.module_(x))


def test_average_is_no_parameter_of_the_optimizer():
    net = build()

    trained = {id(p) for group in net.optimizer_.param_groups for p in group["params"]}

    assert trained == {id(p) for p in net.module_.parameters()}


@pytest.mark.parametrize("loss", ["squared_error", "huber"])
def test_steps_by_hand_equal_those_of_autograd(loss, X, monkeypatch):
    by_hand, by_autograd = build(loss=loss), build(loss=loss)
    by_hand.fit_rows(rows_of(X), None, 3)

    monkeypatch.setattr(DenseAutoencoder, "can_backpropagate", False)
    by_autograd.fit_rows(rows_of(X), None, 3)

    torch.testing.assert_close(weights(by_hand), weights(by_autograd), rtol=1e-4, atol=1e-6)


def test_losses_of_rows_are_their_mean_errors(X):
    net = build()
    x = torch.from_numpy(X)

    expected = (net.averaged_module_(x) - x).square().mean(1).detach()

    torch.testing.assert_close(torch.from_numpy(net.row_losses(rows_of(X))).float(), expected)


def test_training_loss_is_the_mean_over_rows(X):
    net = build(lr=1e-12)  # batches of 16, 16 and 18 rows
    expected = net.row_losses(rows_of(X)).mean()

    net.fit_rows(rows_of(X), None, 1)

    assert net.history[-1]["train_loss"] == pytest.approx(expected, rel=1e-5)


def test_validation_loss_is_the_mean_over_rows(X):
    net = build()

    net.fit_rows(rows_of(X[:40]), rows_of(X[40:]), 1)

    expected = net.row_losses(rows_of(X[40:])).mean()
    assert net.history[-1]["valid_loss"] == pytest.approx(expected, rel=1e-5)


def test_infinite_loss_names_the_epoch(X):
    net = build(optimizer="sgd")
    net.fit_rows(rows_of(X), None, 1)

    with pytest.raises(NonFiniteLossError, match="in epoch 2") as error:
        net.fit_rows(rows_of(1e30 * X), None, 1)

    assert error.value.epoch == 2


def test_no_gradients_are_left_behind(X):
    net = build()

    net.fit_rows(rows_of(X), None, 1)

    assert all(p.grad is None for p in net.module_.parameters())


def test_batches_do_not_pile_up_in_the_history(X):
    net = build()

    net.fit_rows(rows_of(X), None, 2)

    assert [len(row["batches"]) for row in net.history] == [1, 1]


def test_dropout_of_torch_is_seeded(X):
    class Noisy(nn.Module):
        def __init__(self):
            super().__init__()
            self.encode = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5))
            self.decode = nn.Linear(4, 4)

    recipe = Recipe(Noisy(), "squared_error", "sgd", "float32", {"lr": 0.1, "callbacks": []})

    def trained(n_draws):
        net = recipe.build(CPU, 0)
        net.start_averaging()
        torch.rand(n_draws)
        net.fit_rows(rows_of(X), None, 3)
        return weights(net)

    assert torch.equal(trained(0), trained(5))
