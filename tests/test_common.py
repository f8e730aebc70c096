"""scikit-learn's common checks, over every public estimator in many configurations."""

import numpy as np
import pytest
from sklearn.utils._testing import SkipTest
from sklearn.utils.estimator_checks import (
    check_dataframe_column_names_consistency,
    check_get_feature_names_out_error,
    check_global_output_transform_pandas,
    check_global_set_output_transform_polars,
    check_param_validation,
    check_set_output_transform,
    check_set_output_transform_pandas,
    check_set_output_transform_polars,
    check_transformer_get_feature_names_out,
    check_transformer_get_feature_names_out_pandas,
)

from .estimators import (
    CONFIGURATIONS,
    ENOUGH,
    assert_equal_outputs,
    in_turn,
    new,
    outputs,
    over_all,
    public_estimators,
    shared_fit,
    with_checks,
)

# What scikit-learn's own test suite runs besides `check_estimator`.
FURTHER_TRANSFORMER_CHECKS = [
    check_get_feature_names_out_error,
    check_set_output_transform_pandas,
    check_transformer_get_feature_names_out,
    check_transformer_get_feature_names_out_pandas,
]
# The same wrapping of the same output, asked for in other ways: no configuration can change it.
CHECKS_OF_OTHER_WAYS_TO_SET_OUTPUT = [
    check_global_output_transform_pandas,
    check_global_set_output_transform_polars,
    check_set_output_transform,
    check_set_output_transform_polars,
]


def run(check, *args):
    """Run a check that must not be skipped."""
    try:
        check(*args)
    except SkipTest as skip:
        pytest.fail(f"skipped: {skip}")


@pytest.mark.parametrize("estimator_class", public_estimators())
def test_every_public_estimator_has_configurations(estimator_class):
    name = estimator_class.__name__
    n_configurations = len(CONFIGURATIONS.get(estimator_class, {}))

    assert n_configurations >= 7, (
        f"{name} is public, but the common checks know {n_configurations} configurations of it: "
        f"add {name}: {{'default': {name}(), and at least six more}} to NETWORKS, MODELS or "
        f"CLOSED_FORMS in tests/estimators.py"
    )


@with_checks()
def test_check_estimator(estimator, check):
    run(check, estimator)


@over_all(names=ENOUGH)
def test_column_names(estimator):
    run(check_dataframe_column_names_consistency, type(estimator).__name__, estimator)


# As searches over `numpy.logspace` and scipy.stats set them.
@over_all(names=["default", "penalised", "two_critics"])
def test_numbers_of_numpy_as_parameters(estimator, X):
    params = {
        name: np.array([value])[0]
        for name, value in new(estimator).get_params().items()
        if type(value) in (int, float) and name != "random_state"
    }

    model = new(estimator, **params).fit(X)

    assert_equal_outputs(outputs(model, X), shared_fit(estimator, X)[1])


# Its configuration could not add anything: the check sets every parameter itself.
@over_all(names=["default"])
def test_param_validation(estimator):
    run(check_param_validation, type(estimator).__name__, estimator)


# Fitted to an array, the estimators also transform data frames there, and vice versa.
@pytest.mark.filterwarnings("ignore:X (has|does not have valid) feature names:UserWarning")
@in_turn("check", FURTHER_TRANSFORMER_CHECKS, "transform", names=ENOUGH)
def test_further_transformer_check(estimator, check):
    run(check, type(estimator).__name__, estimator)


@pytest.mark.filterwarnings("ignore:X (has|does not have valid) feature names:UserWarning")
@in_turn(
    "check",
    CHECKS_OF_OTHER_WAYS_TO_SET_OUTPUT,
    "transform",
    names=["default"],
    all_of="toencoder-default",
)
def test_other_ways_to_set_output(estimator, check):
    run(check, type(estimator).__name__, estimator)
