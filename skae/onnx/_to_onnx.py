"""Methods of fitted estimators as ONNX models."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from sklearn.pipeline import Pipeline

from ._export import import_onnx
from ._models import model_of
from ._pipelines import pipeline_model

if TYPE_CHECKING:
    from onnx import ModelProto

_DTYPES = {"float32": torch.float32, "float64": torch.float64}


def to_onnx(
    estimator: Any,
    path: str | PathLike[str] | None = None,
    method: str | Sequence[str] = "transform",
    *,
    dtype: str = "float32",
) -> "ModelProto":
    """Return what a method of a fitted estimator computes as an ONNX model.

    ONNX Runtime, and whatever else reads ONNX, then computes it without Python, torch or skae. The
    model has one input, `X` of shape (n_samples, n_features) with any number of rows, and an output
    for each method, of its name. It is self-contained: centring and scaling, in float64, limits and
    the distributions of columns are part of it.

    Read more in the :ref:`User Guide <onnx>`.

    Parameters
    ----------
    estimator : estimator or Pipeline
        Fitted. The methods with an ONNX form are

        - :class:`~skae.Autoencoder`: `transform`, `inverse_transform`, `reconstruct`,
          `score_samples`;
        - :class:`~skae.VariationalAutoencoder`: `transform`, `inverse_transform`, `reconstruct`,
          `sample`;
        - :class:`~skae.AdversarialAutoencoder`: these, and `score_samples`;
        - :class:`~skae.AutoencoderDenoiser`: `transform`, of rows;
        - :class:`~skae.AutoencoderOutlierDetector`: `score_samples`, `decision_function`,
          `predict`;
        - pipelines that end with one of them, and whose other steps skl2onnx converts: `transform`,
          `score_samples`, `decision_function`, `predict`.
    path : path-like or None, default=None
        Where to write the model too.
    method : str or sequence of str, default="transform"
        Which method. Several that take rows may share a model. `inverse_transform` takes codes, and
        `sample` standard normal noise, of as many columns as its input `noise` says: a row of noise
        becomes a row of data.
    dtype : {"float32", "float64"}, default="float32"
        Of the input, and of outputs that are rows or codes. Scores are float64 and labels int64.
        The network computes in float32 in either case, so "float64" is for columns whose values lie
        far from zero, relative to their spread.

    Returns
    -------
    onnx.ModelProto
        The model, of opset 18, checked.

    Raises
    ------
    OnnxExportError
        If the estimator or the method has no ONNX form, with the reason: columns of text or dates,
        a module of yours that branches on data, sparse rows, byte strings.
    ImportError
        If packages are missing that ``pip install "skae[onnx]"`` installs.

    Notes
    -----
    A graph has no checks. NaN, and values that the loss is not defined on, give NaN or numbers
    without a meaning, where the method of the estimator would raise; where it allows NaN, so does
    the graph. Rows that equal a training row are not drawn again by `sample`.

    Examples
    --------
    >>> import numpy as np
    >>> import skae
    >>> X = np.random.default_rng(0).normal(size=(100, 5)).astype(np.float32)
    >>> autoencoder = skae.Autoencoder(2, max_epochs=1, random_state=0).fit(X)
    >>> model = skae.to_onnx(autoencoder, method=["transform", "score_samples"])
    >>> [output.name for output in model.graph.output]
    ['transform', 'score_samples']
    """
    import_onnx()
    methods = (method,) if isinstance(method, str) else tuple(method)
    if not methods or len(set(methods)) < len(methods):
        raise ValueError(f"method={method!r} must be a name, or different names")
    if dtype not in _DTYPES:
        raise ValueError(f"dtype={dtype!r} must be one of {sorted(_DTYPES)}")
    as_model = pipeline_model if isinstance(estimator, Pipeline) else model_of
    model = as_model(estimator, methods, _DTYPES[dtype])
    if path is not None:
        Path(path).write_bytes(model.SerializeToString())
    return model
