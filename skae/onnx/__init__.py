"""ONNX: methods of fitted estimators as graphs that need neither Python nor torch.

Open ``_to_onnx.py`` first, the one function. ``_models.py`` says which methods there are,
``_graphs.py`` has them as modules of torch, made of what ``_views.py`` does to rows, and
``_export.py`` calls torch's exporter. Importing this room tells skl2onnx, if it is there, of our
estimators (``_pipelines.py``).
"""

from ._errors import OnnxExportError
from ._pipelines import register
from ._to_onnx import to_onnx

register()

__all__ = ["OnnxExportError", "to_onnx"]
