import pytest
from sklearn.base import BaseEstimator, clone

from skae.training._nested import NestedParamsMixin, accepted_names, did_you_mean


class Model(NestedParamsMixin, BaseEstimator):
    def __init__(self, size=1, **kwargs):
        self.size = size
        self._nested_params = kwargs


def test_parameters_with_a_prefix_are_parameters():
    assert Model(module__a=3).get_params() == {"size": 1, "module__a": 3}


@pytest.mark.parametrize("name", ["module__a", "callbacks__b__c", "optimizer__d"])
def test_set_params_adds_and_changes(name):
    model = Model(module__a=3).set_params(**{name: 4})

    assert model.get_params()[name] == 4


def test_set_params_sets_both_kinds():
    assert Model().set_params(size=2, module__a=3).get_params() == {"size": 2, "module__a": 3}


@pytest.mark.parametrize("name", ["n_size", "modul__a", "module__", "__a"])
def test_set_params_refuses_others(name):
    with pytest.raises(ValueError, match="Invalid parameter"):
        Model().set_params(**{name: 1})


def test_failed_set_params_changes_nothing():
    model = Model(module__a=3)

    with pytest.raises(ValueError, match="Invalid parameter 'n_size'"):
        model.set_params(module__a=4, n_size=2)

    assert model.get_params() == {"size": 1, "module__a": 3}


def test_clones_share_nothing():
    model = Model(module__a=[1])

    twin = clone(model).set_params(module__b=2)

    assert twin.get_params()["module__a"] == [1]
    assert twin.get_params()["module__a"] is not model.get_params()["module__a"]
    assert "module__b" not in model.get_params()


def test_accepted_names():
    def function(a, b=2, *, c):
        pass

    assert accepted_names(function) == ["a", "b", "c"]


def test_function_that_takes_any_name():
    def function(a, **kwargs):
        pass

    assert accepted_names(function) is None


def test_suggestion():
    assert did_you_mean("dropuot", ["dropout", "width"], "module__") == (
        "; did you mean 'module__dropout'?"
    )


def test_no_suggestion():
    assert did_you_mean("xyz", ["dropout", "width"]) == ""
