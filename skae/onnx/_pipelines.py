"""Converters by which skl2onnx knows our estimators, alone and as steps of pipelines."""

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import torch
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from ..outliers import AutoencoderOutlierDetector
from ._errors import OnnxExportError
from ._export import OPSET
from ._models import METHODS, methods_of, model_of

_OF_PIPELINES = ("transform", "score_samples", "decision_function", "predict")


def register() -> None:
    """Tell skl2onnx of our estimators, if it is installed."""
    if find_spec("skl2onnx") is None:
        return
    from skl2onnx import update_registered_converter

    for cls in METHODS:
        update_registered_converter(
            cls, f"Skae{cls.__name__}", _shapes, _convert, parser=_parse, options={"method": None}
        )


def pipeline_model(pipeline: Pipeline, methods: Sequence[str], dtype: torch.dtype) -> Any:
    """Return methods of a pipeline whose last step is ours as one ONNX model.

    Parameters
    ----------
    pipeline : Pipeline
        Fitted.
    methods : sequence of str
        Names of methods of the last step, which take rows.
    dtype : torch.dtype
        Of the input.

    Returns
    -------
    onnx.ModelProto
        The model.
    """
    try:
        import skl2onnx
        from skl2onnx.common import data_types
    except ImportError as error:
        raise ImportError('pipelines need skl2onnx: run pip install "skae[onnx]"') from error
    last = pipeline[-1]
    known = [method for method in methods_of(last) if method in _OF_PIPELINES]
    if unknown := [method for method in methods if method not in known]:
        raise OnnxExportError(
            f"method={unknown[0]!r} of a pipeline that ends with {type(last).__name__} has no ONNX "
            f"form; those that have one are {', '.join(known)}"
        )
    check_is_fitted(pipeline)
    of_dtype = {
        torch.float32: data_types.FloatTensorType,
        torch.float64: data_types.DoubleTensorType,
    }
    try:
        return skl2onnx.to_onnx(
            pipeline,
            initial_types=[("X", of_dtype[dtype]([None, pipeline.n_features_in_]))],
            options={id(last): {"method": methods}},
            target_opset=OPSET,
        )
    except OnnxExportError:
        raise
    except Exception as error:
        cause = str(error).strip().splitlines()
        raise OnnxExportError(
            "the pipeline has no ONNX form, because skl2onnx could not convert a step of it: "
            f"{cause[0] if cause else type(error).__name__}"
        ) from error


def _parse(scope: Any, model: Any, inputs: Any, custom_parsers: Any = None) -> Any:
    """Declare an output for each method; its name tells the others which it is of."""
    from skl2onnx import get_model_alias
    from skl2onnx.common.data_types import FloatTensorType

    is_detector = isinstance(model, AutoencoderOutlierDetector)
    usual = ("predict", "decision_function") if is_detector else ("transform",)
    methods = scope.get_options(model, {"method": None})["method"] or usual
    operator = scope.declare_local_operator(get_model_alias(type(model)), model)
    operator.inputs.append(inputs[0])
    for method in (methods,) if isinstance(methods, str) else methods:
        operator.outputs.append(scope.declare_local_variable(method, FloatTensorType()))
    return operator.outputs


def _shapes(operator: Any) -> None:
    """Set the types of outputs."""
    from skl2onnx.common import data_types

    model, given = operator.raw_operator, operator.inputs[0].type
    for output in operator.outputs:
        if output.raw_name == "predict":
            output.type = data_types.Int64TensorType([None])
        elif output.raw_name == "transform":
            width = getattr(model, "_n_features_out", model.n_features_in_)
            output.type = type(given)([None, width])
        else:
            output.type = data_types.DoubleTensorType([None])


def _convert(scope: Any, operator: Any, container: Any) -> None:
    """Put our graph in the place of an estimator."""
    from onnx import compose, helper
    from skl2onnx.common import data_types

    given = operator.inputs[0].type
    of_type = {
        data_types.FloatTensorType: torch.float32,
        data_types.DoubleTensorType: torch.float64,
    }
    if len(operator.inputs) != 1 or type(given) not in of_type:
        raise OnnxExportError(
            f"{type(operator.raw_operator).__name__} takes one matrix of floats, got "
            f"{len(operator.inputs)} inputs, the first of them {type(given).__name__}"
        )
    methods = [output.raw_name for output in operator.outputs]
    model = model_of(operator.raw_operator, methods, of_type[type(given)])
    for node in model.graph.node:
        while node.input and not node.input[-1]:
            del node.input[-1]
        if node.op_type == "Clip" and not node.input[1]:  # skl2onnx takes no gap for a name
            node.op_type = "Min"
            del node.input[1]
    # skl2onnx's own add_onnx_graph gives the same name to initializers and to results.
    graph = compose.add_prefix(model, scope.get_unique_operator_name("skae") + "_").graph
    pairs = [(operator.inputs[0].onnx_name, graph.input[0].name)]
    pairs += [(a.name, b.onnx_name) for a, b in zip(graph.output, operator.outputs, strict=True)]
    for a, b in pairs:
        name = scope.get_unique_operator_name("Identity")
        container.nodes.append(helper.make_node("Identity", [a], [b], name=name))
    container.nodes.extend(graph.node)
    container.initializers.extend(graph.initializer)
    container.node_domain_version_pair_sets.update(
        (o.domain, o.version) for o in model.opset_import
    )
