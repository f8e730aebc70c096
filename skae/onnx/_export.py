"""From a module to an ONNX model: torch's exporter, quiet, with any number of rows."""

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from .._settings import default_settings
from ._errors import OnnxExportError

OPSET = 18
_N_ROWS = 3  # of the example; neither 1 nor 2, of which an exporter may make a rule


class _Methods(nn.Module):
    """Several methods of a graph, of one input."""

    def __init__(self, graph: Any, methods: Sequence[str]) -> None:
        super().__init__()
        self.parts, self.methods = graph, methods  # `graph` is a name of torch.fx

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        return tuple(getattr(self.parts, method)(x) for method in self.methods)


def import_onnx() -> Any:
    """Return the package `onnx`, or say how to install what an export needs."""
    try:
        import onnx
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise ImportError('to_onnx needs more packages: run pip install "skae[onnx]"') from error
    return onnx


@default_settings()
def exported(graph: Any, methods: Sequence[str], dtype: torch.dtype, source: str) -> Any:
    """Return methods of a graph as an ONNX model.

    Parameters
    ----------
    graph : nn.Module
        Has the methods, and `width_of` one.
    methods : sequence of str
        Names of methods that take the same input; those of the outputs.
    dtype : torch.dtype
        Of the input.
    source : str
        What is exported, for messages.

    Returns
    -------
    onnx.ModelProto
        Checked.

    Raises
    ------
    OnnxExportError
        If a module can't be traced, or ONNX lacks what it does.
    """
    onnx = import_onnx()
    x = torch.zeros(_N_ROWS, graph.width_of(methods[0]), dtype=dtype)
    name = "noise" if "sample" in methods else "X"
    try:
        with _silence(), torch.no_grad():
            program = torch.onnx.export(
                _Methods(graph, methods).eval(),
                (x,),
                dynamo=True,
                opset_version=OPSET,
                input_names=[name],
                output_names=list(methods),
                dynamic_shapes=({0: torch.export.Dim("n_samples", min=1)},),
                custom_translation_table={torch.ops.aten.log1p.default: _log1p},
                verbose=False,
            )
    except Exception as error:
        cause = str(error.__cause__ or error).strip().splitlines()
        raise OnnxExportError(
            f"{source} has no ONNX form, because torch could not trace its network: "
            f"{cause[0] if cause else type(error).__name__}. A module must not branch on data, nor "
            "leave torch (numpy, .item()), nor depend on the number of rows"
        ) from error
    model = program.model_proto
    _forget_sources(model)
    onnx.checker.check_model(model, full_check=True)
    return model


def _log1p(x: Any) -> Any:
    """Return log(1 + x), whose digits the exporter's own would lose to the 1."""
    from onnx import TensorProto
    from onnxscript import opset18 as op

    one = op.Cast(op.Constant(value_float=1.0), to=TensorProto.DOUBLE)
    return op.CastLike(op.Log(op.Add(op.Cast(x, to=TensorProto.DOUBLE), one)), x)


@contextmanager
def _silence() -> Iterator[None]:
    """Keep what the exporter tells of itself from users, and let its errors through."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnx_ir", "onnxscript")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _forget_sources(model: Any) -> None:
    """Remove what the exporter notes of source files, which are this machine's."""
    graph = model.graph
    for each in (*graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        del each.metadata_props[:]
        each.doc_string = ""
    del graph.metadata_props[:]
