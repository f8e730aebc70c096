"""The models that the command works with: the bundled ones, or a file."""

import contextlib
import io
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from ._media import IMAGES, MEDIA, Medium
from ._outcomes import CommandError


@cache
def model_of(path: Path | None, medium: Medium) -> Any:
    """Return a fitted compressor, the same one at every call.

    Parameters
    ----------
    path : Path or None
        A file that ``skae fit-codec`` or `skops.io.dump` has written; None for the bundled model.
    medium : Medium
        What it has to be for.

    Returns
    -------
    ImageCompressor or AudioCompressor
        Fitted; to images of 8 bits, if to images.

    Raises
    ------
    CommandError
        If the file is none of that, or holds anything that is not part of such a model.
    """
    own = _estimators()[medium]
    if path is None:
        return own.pretrained()
    model = _loaded(path)
    for other, estimator in _estimators().items():
        if other != medium and isinstance(model, estimator):
            raise CommandError(f"{path} is a model of {other.name}, and {medium.name} need another")
    if not isinstance(model, own):
        raise CommandError(f"{path} holds no {medium.estimator}, but a {type(model).__name__}")
    if medium == IMAGES and (dtype := model._form.dtype) != "uint8":
        raise CommandError(f"{path} is a model of images of {dtype}, image files need uint8")
    return model


@contextlib.contextmanager
def at_work(path: Path | None, medium: Medium) -> Iterator[Any]:
    """Yield a model, and let torch use one core: more gain little, and wait when others work."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield model_of(path, medium)
    finally:
        torch.set_num_threads(before)


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
    raise CommandError(f"{path} holds {', '.join(strange)}, which is no part of a model")


def _trusted() -> set[str]:
    from .._plain import REGISTERED

    own = {f"{each.__module__}.{each.__name__}" for each in _estimators().values()}
    return {*REGISTERED, *own, "skorch.callbacks.regularization.GradientNormClipping"}


def _estimators() -> dict[Medium, Any]:
    from .. import compression

    return {medium: getattr(compression, medium.estimator) for medium in MEDIA}


def _skops() -> Any:
    try:
        import skops.io
    except ModuleNotFoundError:
        raise CommandError(
            'models of your own need skops, which is not installed: pip install "skae[persistence]"'
        ) from None
    return skops.io
