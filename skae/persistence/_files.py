"""Fitted estimators to files and back."""

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from .._versions import installed_versions, version
from ..training._device import resolve_device
from ._classes import Classes
from ._container import most_values, parsed_json, read, write
from ._decoding import Decoder
from ._encoding import Encoder
from ._errors import ModelFileError

SCHEMA, _NEEDS = 1, "0.1"  # of the files that are written, and the first skae that reads it
_FORMAT = "skae"


def save(estimator: Any, path: str | os.PathLike, *, training: bool = False) -> None:
    """Write a fitted estimator to a file that is safe to open.

    The file holds arrays, in the format of safetensors, and plain values, among them all
    parameters; no code. Read more in the :ref:`User Guide <deployment>`.

    Parameters
    ----------
    estimator : estimator
        Any estimator of skae, fitted, or a :class:`~sklearn.pipeline.Pipeline` of such and of
        scalers and other transformers of scikit-learn.
    path : str or path-like
        The file, for instance "model.skae". One that is there is replaced as a whole, once all is
        written.
    training : bool, default=False
        Whether to store what a training needs to go on to the same bits: the live weights beside
        their average, the optimizer's moments, the generator, and the sums or rows that a
        `partial_fit` of recommenders needs. That is about four times as large. Without, the file
        holds what the estimator gives, and `partial_fit` and warm starts refuse to work.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    ModelFileError
        If it holds something that can't be stored, such as a lambda; the message says where.

    See Also
    --------
    load : Read such a file.
    model_card : A page about the model, to be handed over with it.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> import skae
    >>> X = np.random.default_rng(0).normal(size=(100, 6))
    >>> model = skae.Autoencoder(2, max_epochs=2, random_state=0).fit(X)
    >>> path = os.path.join(tempfile.mkdtemp(), "model.skae")
    >>> skae.save(model, path)
    >>> np.array_equal(skae.load(path).transform(X), model.transform(X))
    True
    """
    if not isinstance(estimator, BaseEstimator) or isinstance(estimator, type):
        raise TypeError(f"estimator must be a fitted estimator, got {estimator!r:.200}")
    check_is_fitted(estimator)
    encoder = Encoder(training)
    name = type(estimator).__name__
    model = encoder.encode(estimator, name)
    versions = installed_versions()
    texts = {
        "format": _FORMAT,
        "schema": str(SCHEMA),
        "needs": _NEEDS,
        "versions": _json(versions),
        "training": _json(training),
        "estimator": name,
        "model": _json(model),
    }
    write(Path(path), texts, encoder.arrays)


def load(
    path: str | os.PathLike,
    *,
    device: str | torch.device | None = None,
    types: Iterable[Any] = (),
) -> Any:
    """Read an estimator that :func:`save` has written.

    Nothing is executed that the file says: the classes in it are those of skae, a few of
    scikit-learn, torch and skorch, and those that you give. Sizes are compared with what is there
    before anything is allocated. A checksum tells damage; it does not tell who has written the
    file.

    Parameters
    ----------
    path : str or path-like
        The file.
    device : str, torch.device or None, default=None
        Where networks compute, for instance "cpu" or "cuda". None takes the device that they were
        on if it is here, and else the best there is.
    types : iterable of classes and functions, default=()
        What else the file may name: networks of your own, callbacks, losses, transformers. They are
        called with what the file says.

    Returns
    -------
    estimator
        The estimator. On the machine on which it was stored, and with the same versions, it gives
        the same, to the last bit.

    Raises
    ------
    ModelFileError
        If the file is no model or damaged, needs a newer skae or classes that are not given, or if
        there is no such device.
    OSError
        If it can't be read.

    See Also
    --------
    save : Write such a file.
    """
    classes = Classes(types)
    with named(os.fspath(path)):
        with Path(path).open("rb") as file:
            content = read_content(file)
        if device is not None:
            device = str(resolve_device(device))
        decoder = Decoder(content.arrays, classes, device)
        estimator = decoder.decode(content.model)
        decoder.finish()
        if not isinstance(estimator, BaseEstimator):
            raise ModelFileError(f"it holds no estimator, but a {type(estimator).__name__}")
    return estimator


class Content(NamedTuple):
    """What is in a file."""

    estimator: str
    versions: dict[str, str]
    training: bool
    model: Any
    arrays: dict[str, np.ndarray]


def read_content(file: BinaryIO) -> Content:
    """Read a file, without making anything of it.

    Parameters
    ----------
    file : binary file
        The file, of which any place can be read.

    Returns
    -------
    Content
        Its content.
    """
    texts, arrays = read(file)
    if texts.get("format") != _FORMAT:
        raise ModelFileError("it is no model file")
    if not texts["schema"].isdecimal() or int(texts["schema"]) > SCHEMA:
        raise ModelFileError(
            f"it needs skae {texts['needs'][:20]} or newer, and this is {version()}: it is written "
            f"in version {texts['schema'][:20]} of the format, and {SCHEMA} is the last known here"
        )
    most = most_values(sum(array.nbytes for array in arrays.values()))
    versions, training, model = (
        parsed_json(texts[name], most) for name in ("versions", "training", "model")
    )
    if not isinstance(versions, dict) or not isinstance(training, bool):
        raise ModelFileError("it is damaged: what its header says of it is of another kind")
    return Content(texts["estimator"], versions, training, model, arrays)


@contextmanager
def named(name: str) -> Iterator[None]:
    """Say of which file an error is, whatever damage or malice ends in.

    Parameters
    ----------
    name : str
        Its name.
    """
    try:
        yield
    except (OSError, MemoryError):
        raise
    except ModelFileError as error:
        raise ModelFileError(f"{name} can't be loaded: {error}") from None
    except Exception as error:
        text = " ".join(f"{error}".split())
        raise ModelFileError(
            f"{name} can't be loaded: it is damaged, or was not written by skae.save "
            f"({type(error).__name__}: {text:.300})"
        ) from error


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)
