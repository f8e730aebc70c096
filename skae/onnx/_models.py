"""Which methods of which estimators have an ONNX form, and that form."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted
from torch import nn

from .._base import NetEstimator
from .._settings import default_settings
from ..compression import AudioCompressor, ImageCompressor
from ..decomposition import Autoencoder
from ..denoising import AutoencoderDenoiser
from ..generation import AdversarialAutoencoder, VariationalAutoencoder
from ..imputation import AutoencoderImputer
from ..losses._domains import Domain
from ..outliers import AutoencoderOutlierDetector
from ..outliers._ensemble import DenoisingEnsemble
from ..recommendation._recommender import RecommenderMixin
from ._detectors import DetectorGraph, EnsembleGraph
from ._draws import SampleGraph
from ._errors import OnnxExportError
from ._export import exported
from ._graphs import CodeGraph, DenoisingGraph

_CODES = ("transform", "inverse_transform", "reconstruct")
METHODS: Mapping[type, tuple[str, ...]] = {
    Autoencoder: (*_CODES, "score_samples"),
    VariationalAutoencoder: (*_CODES, "sample"),
    AdversarialAutoencoder: (*_CODES, "score_samples", "sample"),
    AutoencoderDenoiser: ("transform",),
    AutoencoderOutlierDetector: ("score_samples", "decision_function", "predict"),
}
_ALONE = {"inverse_transform": "codes", "sample": "noise"}  # which take no rows
_REASONS: Mapping[type, str] = {
    AutoencoderImputer: "it solves other equations for every pattern of missing cells",
    RecommenderMixin: "its rows are sparse, and ONNX has dense ones only",
    ImageCompressor: "it gives byte strings",
    AudioCompressor: "it gives byte strings",
}


def methods_of(estimator: Any) -> tuple[str, ...]:
    """Return the methods of an estimator that have an ONNX form, or say that there are none."""
    for cls, methods in METHODS.items():
        if isinstance(estimator, cls):
            return methods
    reasons = [reason for cls, reason in _REASONS.items() if isinstance(estimator, cls)]
    names = ", ".join(cls.__name__ for cls in METHODS)
    raise OnnxExportError(
        f"{type(estimator).__name__} has no ONNX form"
        f"{f', because {reasons[0]}' if reasons else ''}; those that have one are {names} and "
        "pipelines that end with one of them"
    )


@default_settings()
def model_of(estimator: Any, methods: Sequence[str], dtype: torch.dtype) -> Any:
    """Return methods of a fitted estimator of ours as one ONNX model.

    Parameters
    ----------
    estimator : estimator
        The estimator.
    methods : sequence of str
        Names of methods that take the same input.
    dtype : torch.dtype
        Of the input.

    Returns
    -------
    onnx.ModelProto
        The model.
    """
    _check(estimator, methods)
    return exported(_graph_of(estimator, methods), methods, dtype, type(estimator).__name__)


def _check(estimator: Any, methods: Sequence[str]) -> None:
    """Raise an error that says which method has no ONNX form, and why."""
    known, name = methods_of(estimator), type(estimator).__name__
    for method in methods:
        if method not in known:
            raise OnnxExportError(
                f"method={method!r} of {name} has no ONNX form; those that have one are "
                f"{', '.join(known)}"
            )
        if not getattr(type(estimator), method).__module__.startswith("skae."):
            raise OnnxExportError(
                f"{method} of {name} has no ONNX form, because it is not skae's own but was "
                "overridden"
            )
    check_is_fitted(estimator)
    alone = [method for method in methods if method in _ALONE]
    if alone and len(methods) > 1:
        raise ValueError(
            f"method={list(methods)!r} can't be one model, because {alone[0]} takes "
            f"{_ALONE[alone[0]]} and not rows; export it alone"
        )
    form = getattr(estimator, "_format", None)
    if form is not None and not form.is_numeric:
        column = min([*form.categories, *form.dates])
        kind = "categories" if column in form.categories else "dates"
        raise OnnxExportError(
            f"{name} has no ONNX form, because column {form.names[column]!r} holds {kind} and the "
            "input of a graph is one matrix of numbers; fit to encoded columns (OneHotEncoder)"
        )


def _graph_of(estimator: Any, methods: Sequence[str]) -> nn.Module:
    if isinstance(estimator, AutoencoderOutlierDetector):
        model = estimator.estimator_
        if isinstance(model, DenoisingEnsemble):
            return DetectorGraph(EnsembleGraph(_on_cpu(model)), estimator.offset_)
        if not isinstance(model, (Autoencoder, AdversarialAutoencoder)):
            raise OnnxExportError(
                f"AutoencoderOutlierDetector has no ONNX form with estimator={type(model).__name__}"
                "(...), only without, or with an Autoencoder or AdversarialAutoencoder; steps of a "
                "pipeline can stand before the detector instead"
            )
        _check(model, ["score_samples"])
        return DetectorGraph(CodeGraph(_on_cpu(model)), estimator.offset_)
    if isinstance(estimator, AutoencoderDenoiser):
        return DenoisingGraph(_on_cpu(estimator))
    return (SampleGraph if "sample" in methods else CodeGraph)(_on_cpu(estimator))


def _on_cpu(estimator: NetEstimator) -> Any:
    """Return a copy on the CPU whose loss takes targets without looking at them."""
    twin: BaseEstimator = object.__new__(type(estimator))
    twin.__setstate__({**estimator.__getstate__(), "device_": "cpu"})
    for part in twin.net_.criterion_.modules():
        part.domain = Domain()  # what others check branches on data
    return twin
