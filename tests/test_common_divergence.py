"""A training whose loss becomes infinite is explained, and leaves the estimator as it was."""

import numpy as np
import pytest
from sklearn.utils import get_tags

from skae import AutoencoderImputer, ImageCompressor

from .estimators import (
    assert_unchanged,
    frozen,
    outputs,
    over_fits,
    over_networks,
    over_trainings,
    with_network_params,
)

DIVERGING = {"lr": 1e60, "optimizer": "sgd", "max_epochs": 9, "warm_start": False}


@over_trainings()
def test_first_fit_leaves_it_unfitted(estimator, X):
    model = with_network_params(estimator, **DIVERGING)
    before = frozen(model)

    with pytest.raises(ValueError, match="the loss became infinite or NaN"):
        model.fit(X)

    assert_unchanged(model, before)


@over_networks()
def test_second_fit_leaves_the_first(estimator, X):
    model = with_network_params(estimator).fit(X).set_params(**DIVERGING)
    before = frozen(model)

    with pytest.raises(ValueError, match="the loss became infinite or NaN"):
        model.fit(2 * X[:, :5])  # some users still have what others have not

    assert_unchanged(model, before)


@pytest.mark.filterwarnings("ignore:X has values up to")
@over_fits("fit", "partial_fit")
def test_going_on_leaves_what_was_fitted(estimator, fit, X):
    model = with_network_params(estimator, warm_start=True, max_epochs=2).fit(X)
    before = frozen(model)
    huge = 1e300 if model.dtype == "float64" else 1e30

    is_binary = getattr(model, "weighting", None) == "binary"  # for which all values are one
    if isinstance(model, AutoencoderImputer) or (is_binary and huge < 1e100):
        getattr(model, fit)(X * huge)
        return
    with pytest.raises(ValueError, match=r"the loss became infinite or NaN|too large to compute"):
        getattr(model, fit)(X * huge)

    assert_unchanged(model, before)


@over_networks(names=["default", "float64", "early_stopping"])
def test_message_names_epoch_and_causes(estimator, X):
    X[3, 4] = 8.25 if get_tags(estimator).input_tags.positive_only else -8.25
    model = with_network_params(estimator, lr=1e60, optimizer="sgd", max_epochs=50)

    cause = ".*largest absolute value of X is 8\\.25;"
    if isinstance(estimator, ImageCompressor):  # whose pixels have units of their own
        cause = "The likely cause is"

    with pytest.raises(ValueError, match=rf"in epoch \d+\. {cause}.*\(lr=1e\+60\)"):
        model.fit(X)


@pytest.mark.parametrize("exponent", [20, 60, 300])
@over_networks(names=["float64", "own_module", "early_stopping"])
def test_huge_features_are_fitted_or_explained(estimator, exponent, X):
    huge = X * 10.0**exponent
    results, message = {"none": np.nan}, ""
    try:
        results = outputs(with_network_params(estimator).fit(huge), huge)
    except ValueError as error:
        message = str(error)

    is_fitted = all(np.isfinite(result).all() for result in results.values())
    assert is_fitted or "StandardScaler" in message
