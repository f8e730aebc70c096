"""What a file holds, told without making anything of it."""

from collections.abc import Iterator
from typing import Any, BinaryIO

from ._classes import Classes
from ._encoding import TAG
from ._errors import ModelFileError
from ._files import named, read_content

_SHOWN = ("n_features_in_", "n_iter_", "loss_", "offset_")


def facts_of(file: BinaryIO, name: str) -> dict[str, Any]:
    """Return what is known of the model in a file, whose checksum is compared.

    Parameters
    ----------
    file : binary file
        The file, of which any place can be read.
    name : str
        Its name, for messages.

    Returns
    -------
    dict
        Plain values: what it is, the versions that have written it, whether a training can go on,
        the number and size of its arrays, some fitted attributes, and the classes that
        :func:`~skae.load` has to be given.
    """
    with named(name):
        content = read_content(file)
        state = content.model["state"]
        plain = {key: state[key] for key in _SHOWN if type(state.get(key)) in (int, float)}
        return {
            "estimator": content.estimator,
            "versions": content.versions,
            "training": content.training,
            "n_arrays": len(content.arrays),
            "bytes": sum(array.nbytes for array in content.arrays.values()),
            **plain,
            "types": sorted(set(_unknown(content.model, Classes()))),
        }


def _unknown(value: Any, classes: Classes) -> Iterator[str]:
    """Yield the names of classes that are none of ours."""
    if isinstance(value, list):
        for each in value:
            yield from _unknown(each, classes)
    elif isinstance(value, dict):
        name = {"object": value.get("class"), "class": value.get("name")}.get(value.get(TAG))
        if name is not None:
            try:
                classes[name]  # which loads its room, and so knows the parts of its state
            except ModelFileError:
                yield name
        for each in value.values():
            yield from _unknown(each, classes)
