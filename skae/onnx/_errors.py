"""The error of what has no ONNX form."""


class OnnxExportError(ValueError):
    """An estimator, or one of its methods, that can't be an ONNX graph; the message says why."""
