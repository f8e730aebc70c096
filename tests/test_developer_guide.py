"""The code of the developer guide makes estimators and objectives that work."""

import pickle
import re
import sys
from pathlib import Path
from textwrap import dedent, indent
from types import ModuleType

import numpy as np
import pytest
from sklearn.utils.estimator_checks import check_estimator

GUIDE = Path(__file__).resolve().parents[1] / "docs" / "developers"


def code_of(page):
    text = GUIDE.joinpath(f"{page}.rst").read_text("utf-8")
    blocks = re.findall(r"^\.\. code-block:: python\n((?:\n| .*\n)+)", text, re.MULTILINE)
    return [dedent(block) for block in blocks]


@pytest.fixture
def room(monkeypatch):
    """Return a function that runs code as a module of the package."""

    def made(name, code):
        module = ModuleType(f"skae.{name}")
        module.__package__ = module.__name__.rpartition(".")[0]
        monkeypatch.setitem(sys.modules, module.__name__, module)
        exec(code, vars(module))
        return module

    return made


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(size=(60, 6))


@pytest.fixture
def cleaning(room):
    return room("cleaning", code_of("add_an_estimator")[0])


def test_estimator_that_trains_a_network(cleaning):
    check_estimator(cleaning.Cleaner(max_epochs=2), on_skip=None)


def test_estimator_that_has_a_model(room):
    smoothing = room("smoothing", code_of("add_an_estimator")[1])

    check_estimator(smoothing.Smoother(smoothing.Autoencoder(1, max_epochs=2)), on_skip=None)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_objective(cleaning, room, early_stopping, X):
    objective, plan = code_of("add_an_objective")
    objectives = room("cleaning._objectives", objective)
    cleaning.DecorrelatedCodes = objectives.DecorrelatedCodes
    code = "class Decorrelated(Cleaner):\n" + indent(plan, "    ")
    exec(code, vars(cleaning))

    model = cleaning.Decorrelated(max_epochs=3, early_stopping=early_stopping).fit(X)

    assert model.loss_curves_.keys() == {"error", "covariance"}
    stored = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(stored.transform(X), model.transform(X))
