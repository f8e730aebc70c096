"""The model that the command works with: the bundled one, or a file."""

import io
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

from ._outcomes import CommandError


@cache
def model_of(path: Path | None) -> Any:
    """Return a fitted compressor, the same one at every call.

    Parameters
    ----------
    path : Path or None
        A file that ``skae fit-codec`` or `skops.io.dump` has written; None for the bundled model.

    Returns
    -------
    ImageCompressor
        Fitted to images of 8 bits.

    Raises
    ------
    CommandError
        If the file is none of that, or holds anything that is not part of such a model.
    """
    from ..compression import ImageCompressor

    if path is None:
        return ImageCompressor.pretrained()
    model = _loaded(path)
    if not isinstance(model, ImageCompressor):
        raise CommandError(f"{path} holds no ImageCompressor, but a {type(model).__name__}")
    if (dtype := model._form.dtype) != "uint8":
        raise CommandError(f"{path} is a model of images of {dtype}, image files need uint8")
    return model


def bytes_of(model: Any) -> bytes:
    """Return the file of a model."""
    file = io.BytesIO()
    _skops().dump(model, file, compression=zipfile.ZIP_DEFLATED)
    return file.getvalue()


def _loaded(path: Path) -> Any:
    """Return what is in a file, made of nothing but arrays and what fitted compressors hold."""
    skops = _skops()
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from None
    try:
        strange = sorted(set(skops.get_untrusted_types(data=content)) - _trusted())
        if not strange:
            return skops.loads(content, trusted=sorted(_trusted()))
    except Exception as error:  # whatever damage ends in
        raise CommandError(f"{path} is no model, or damaged ({error})") from None
    raise CommandError(f"{path} holds {', '.join(strange)}, which is no part of a model of images")


def _trusted() -> set[str]:
    from .._plain import REGISTERED
    from ..compression import ImageCompressor

    own = f"{ImageCompressor.__module__}.{ImageCompressor.__name__}"
    return {*REGISTERED, own, "skorch.callbacks.regularization.GradientNormClipping"}


def _skops() -> Any:
    try:
        import skops.io
    except ModuleNotFoundError:
        raise CommandError(
            'models of your own need skops, which is not installed: pip install "skae[persistence]"'
        ) from None
    return skops.io
