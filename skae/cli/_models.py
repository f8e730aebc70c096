"""The models that the command works with: the bundled ones, or a file."""

import contextlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from ._media import IMAGES, MEDIA, Medium
from ._outcomes import CommandError


@cache
def model_of(path: Path | None, medium: Medium, version: int | None = None) -> Any:
    """Return a fitted compressor, the same one at every call.

    Parameters
    ----------
    path : Path or None
        A file that ``skae fit-codec`` or :func:`skae.save` has written; None for the bundled model.
    medium : Medium
        What it has to be for.
    version : int or None, default=None
        Of the bundled model; None for the latest.

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
        return own.pretrained() if version is None else own.pretrained(version=version)
    model = loaded(path)
    for other, estimator in _estimators().items():
        if other != medium and isinstance(model, estimator):
            raise CommandError(f"{path} is a model of {other.name}, and {medium.name} need another")
    if not isinstance(model, own):
        raise CommandError(f"{path} holds no {medium.estimator}, but a {type(model).__name__}")
    if medium == IMAGES and (dtype := model._form.dtype) != "uint8":
        raise CommandError(f"{path} is a model of images of {dtype}, image files need uint8")
    return model


@contextlib.contextmanager
def at_work(path: Path | None, medium: Medium, version: int | None = None) -> Iterator[Any]:
    """Yield a model, and let torch use one core: more gain little, and wait when others work."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield model_of(path, medium, version)
    finally:
        torch.set_num_threads(before)


def loaded(path: Path) -> Any:
    """Return what is in a file.

    Parameters
    ----------
    path : Path
        A file that :func:`skae.save` has written.

    Returns
    -------
    estimator
        What it holds.

    Raises
    ------
    CommandError
        If it can't be read, or is no model.
    """
    from ..persistence import ModelFileError, load

    try:
        return load(path)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from None
    except ModelFileError as error:
        raise CommandError(str(error)) from None


def _estimators() -> dict[Medium, Any]:
    from .. import compression

    return {medium: getattr(compression, medium.estimator) for medium in MEDIA}
