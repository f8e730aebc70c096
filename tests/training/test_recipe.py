import pickle

import pytest
import torch
from torch import nn

from skae.losses import HuberLoss
from skae.training import Recipe
from skae.training._recipe import OPTIMIZERS

CPU = torch.device("cpu")
SIZES = {"module__n_features": 4, "module__n_components": 2}


def recipe(module="mlp", loss="squared_error", optimizer="adamw", **params):
    return Recipe(module, loss, optimizer, "float32", {"lr": 0.01, **SIZES, **params})


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizer_by_its_name(name):
    assert type(recipe(optimizer=name).build(CPU).optimizer_) is OPTIMIZERS[name]


def test_optimizer_class_with_parameters():
    net = recipe(optimizer=torch.optim.Adagrad, optimizer__lr_decay=0.5).build(CPU)

    assert net.optimizer_.param_groups[0]["lr_decay"] == 0.5


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd"])
def test_optimizer_is_fused_where_it_can_be(name):
    assert recipe(optimizer=name).build(CPU).optimizer_.param_groups[0]["fused"]


@pytest.mark.parametrize("params", [{"fused": False}, {"foreach": True}, {"differentiable": True}])
def test_fusing_can_be_turned_off(params):
    given = {f"optimizer__{name}": value for name, value in params.items()}

    group = recipe(**given).build(CPU).optimizer_.param_groups[0]

    assert not group["fused"]


def test_parameter_groups():
    net = recipe(optimizer__param_groups=[("linear_*", {"weight_decay": 0.5})]).build(CPU)

    assert [group["weight_decay"] for group in net.optimizer_.param_groups] == [0.5, 0.01]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtype(dtype):
    net = Recipe("mlp", "squared_error", "adam", dtype, {"lr": 0.01, **SIZES}).build(CPU)

    assert {str(p.dtype) for p in net.module_.parameters()} == {f"torch.{dtype}"}


def test_instances_are_copied():
    loss = nn.L1Loss()

    made = recipe(loss=loss).make_loss()

    assert loss.reduction == "mean"
    assert made.criterion is not loss


def test_columns_with_losses():
    loss = recipe(loss=[("huber", [0, 1]), (HuberLoss(0.5), [2, 3])]).make_loss()

    assert [part.delta for part in loss.parts] == [1.0, 0.5]


def test_parameters_of_the_loss():
    assert recipe(loss="huber", criterion__delta=0.5).make_loss().delta == 0.5


def test_pickled_recipe_builds_the_same():
    original = recipe(module__dropout=0.5, optimizer="sgd")

    twin = pickle.loads(pickle.dumps(original))

    states = [each.build(CPU, 3).module_.state_dict() for each in (original, twin)]
    for name, value in states[0].items():
        assert torch.equal(value, states[1][name])


def test_building_leaves_the_global_generator_alone():
    before = torch.get_rng_state()

    recipe().build(CPU, 3)

    assert torch.equal(torch.get_rng_state(), before)
