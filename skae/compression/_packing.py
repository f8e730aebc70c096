"""Arrays in files of models, so that they take little room: bytes of equal weight together."""

import io
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

_PLANES = "planes"


def write_arrays(file: str | os.PathLike | io.BytesIO, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays as a compressed ``.npz`` file.

    The bytes of numbers are sorted: the first of all, then the second of all, and so on.

    Parameters
    ----------
    file : path or file object
        Where to.
    arrays : mapping of str to ndarray
        Arrays of numbers or text.
    """
    planes: dict[str, Any] = {}
    for name, array in arrays.items():
        array = np.asarray(array)
        if array.dtype.kind == "U":
            planes[name] = array
            continue
        little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        of_bytes = little.reshape(-1).view(np.uint8).reshape(-1, array.itemsize)
        shape = "x".join(map(str, array.shape))
        planes[f"{name}|{_PLANES}|{little.dtype.str}|{shape}"] = np.ascontiguousarray(of_bytes.T)
    np.savez_compressed(file, allow_pickle=False, **planes)


def read_arrays(file: Any) -> dict[str, np.ndarray]:
    """Read what :func:`write_arrays` has written, or any other ``.npz`` file.

    Parameters
    ----------
    file : path or file object
        Where from.

    Returns
    -------
    dict of str to ndarray
        Arrays.
    """
    arrays = {}
    with np.load(file, allow_pickle=False) as stored:
        for key in stored:
            name, *how = key.split("|")
            array = stored[key]
            if how:
                shape = [int(n) for n in how[2].split("x") if n]
                dtype = np.dtype(how[1])
                array = np.ascontiguousarray(array.T).reshape(-1).view(dtype).reshape(shape)
                array = array.astype(dtype.newbyteorder("="), copy=False)
            arrays[name] = array
    return arrays
