"""Fitted state is made of plain values, arrays and registered dataclasses."""

import pickle

import numpy as np
import pytest
from torch import nn

from skae._plain import REGISTERED, Part, kinds_in, registered
from skae.networks import DenseAutoencoder

from .estimators import new, over_all


@registered
class Pair:
    left: object
    right: object


def test_registered_class_is_a_dataclass_that_is_found_by_its_name():
    assert REGISTERED[f"{Pair.__module__}.Pair"] is Pair
    assert Pair(1, right=2).right == 2


def test_kinds_are_those_inside():
    state = {"a": [Pair(np.zeros(2), {"b": (Pair(1, None), nn.Identity())})], "c": np.float64(1)}

    assert list(kinds_in(state)) == [Pair, Pair, nn.Identity]


def test_part_makes_its_class_and_the_parts_among_its_parameters():
    loss = Part("losses", "SquaredError", {"bounds": (0.0, 1.0)})
    part = Part("losses", "ColumnLosses", {"parts": [(loss, [1, 0])]})

    made = pickle.loads(pickle.dumps(part)).make()

    assert made.parts[0].bounds == (0.0, 1.0)


def test_arguments_of_a_part():
    part = Part("networks", "DenseAutoencoder", {"n_features": 4, "n_components": 1})

    assert part.cls is DenseAutoencoder
    assert part.make(n_components=3).linear_encoder.out_features == 3


@pytest.mark.parametrize(
    ("room", "name"), [("os", "system"), ("losses", "torch"), ("networks", "missing")]
)
def test_part_is_public(room, name):
    with pytest.raises(ValueError, match=rf"skae\.{room} has no class '{name}'"):
        Part(room, name, {}).make()


# What users gave, and the mixture of codes, which is scikit-learn's.
OTHERS = {
    "DropoutNetwork",
    "GaussianMixture",
    "GradientNormClipping",
    "PaddedImages",
    "SparseError",
    "SparseNetwork",
}


@over_all()
def test_state_of_a_fitted_estimator_is_plain(estimator, X):
    model = new(estimator).fit(X)
    state = {**model.__getstate__(), **getattr(model, "estimator_", model).__getstate__()}
    for part in getattr(model, "estimators_", []):
        state |= part.__getstate__()
    for name in ("estimator", "estimator_", "estimators", "estimators_", "likelihood", "module"):
        state.pop(name, None)

    kinds = set(kinds_in(state)) - set(REGISTERED.values())

    assert {kind.__name__ for kind in kinds} <= OTHERS | {"type"}
