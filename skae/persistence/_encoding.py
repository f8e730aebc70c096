"""Estimators as values of JSON, and arrays beside them."""

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
import torch
from sklearn.pipeline import Pipeline
from torch import nn

from .._plain import REGISTERED, Part
from .._versions import KEY
from ._classes import name_of
from ._container import DTYPES
from ._errors import ModelFileError

TAG = "$"  # the name in an object of JSON that says what else than a dict of names it stands for
MOST_NESTED = 60
PLAIN_DTYPES = "biufcUSMm"  # kinds of arrays
_HOW_TO_PICKLE = ("__reduce__", "__reduce_ex__")
# Of versions the file has its own, and scikit-learn's callbacks belong to the process.
_NOT_STORED = (KEY, "_skl_callbacks", "_parent_callback_ctx")
_CONTAINERS = (dict, list, tuple, set, frozenset, str, bytes, int, float)


class Encoder:
    """Turns values into what JSON knows, and collects the arrays among them.

    Parameters
    ----------
    training : bool
        Whether to keep what only a training that goes on needs.
    """

    def __init__(self, training: bool) -> None:
        self.arrays: dict[str, np.ndarray] = {}
        self.paths: dict[str, str] = {}  # where the arrays are
        self._training = training
        # Of what is met again, which is one object after loading, too: a parameter may be known by
        # its identity. But in modules only tensors are shared, and parts share nothing, or a small
        # file could stand for an exponentially large tree.
        self._nodes: dict[int, tuple[dict[str, Any], Any]] = {}
        self._in_module = 0
        self._names: dict[int, tuple[str, Any]] = {}  # the arrays are kept, or ids would be reused

    def encode(self, value: Any, path: str, depth: int = 0) -> Any:
        """Return a value as JSON.

        Parameters
        ----------
        value : object
            The value.
        path : str
            Where it is, for messages.
        depth : int, default=0
            In how many others.

        Returns
        -------
        object
            A value of JSON.
        """
        if depth > MOST_NESTED:
            raise ModelFileError(f"{path} is nested too deeply, or holds itself")
        if value is None or type(value) in (bool, int, str):
            return value
        if type(value) is float:
            return value if math.isfinite(value) else {TAG: "float", "value": repr(value)}
        if type(value) in _EXACTLY:
            return _EXACTLY[type(value)](self, value, path, depth + 1)
        for kinds, method in _METHODS:
            if isinstance(value, kinds):
                return method(self, value, path, depth + 1)
        return self._object(value, path, depth + 1)

    # ------------------------------------------------------------------ containers

    def _dict(self, value: Any, path: str, depth: int) -> Any:
        items = {key: self.encode(each, f"{path}[{key!r}]", depth) for key, each in value.items()}
        if all(type(key) is str and key != TAG for key in items):
            return items
        pairs = [[self.encode(key, path, depth), each] for key, each in items.items()]
        return {TAG: "dict", "items": pairs}

    def _sequence(self, value: Any, path: str, depth: int) -> Any:
        items = [self.encode(each, f"{path}[{i}]", depth) for i, each in enumerate(value)]
        return items if type(value) is list else {TAG: "tuple", "items": items}

    def _set(self, value: Any, path: str, depth: int) -> Any:
        items = [self.encode(each, path, depth) for each in sorted(value, key=repr)]
        return {TAG: type(value).__name__, "items": items}

    # ------------------------------------------------------------------ values

    def _bytes(self, value: bytes, path: str, depth: int) -> Any:
        return {TAG: "bytes", "value": value.hex()}

    def _complex(self, value: complex, path: str, depth: int) -> Any:
        parts = [self.encode(part, path, depth) for part in (value.real, value.imag)]
        return {TAG: "complex", "items": parts}

    def _scalar(self, value: np.generic, path: str, depth: int) -> Any:
        content = np.asarray(value, _stored_dtype(value.dtype, path))
        return {TAG: "scalar", "dtype": content.dtype.str, "value": content.tobytes().hex()}

    def _dtype(self, value: np.dtype, path: str, depth: int) -> Any:
        stored = value if value.kind == "O" else _stored_dtype(value, path)
        return {TAG: "dtype", "value": stored.str}

    def _of_torch(self, value: Any, path: str, depth: int) -> Any:
        return {TAG: "torch." + type(value).__name__, "value": str(value).rpartition(".")[2]}

    def _random_state(self, value: np.random.RandomState, path: str, depth: int) -> Any:
        state: Any = value.get_state(legacy=False)
        if state["bit_generator"] != "MT19937":
            raise ModelFileError(f"{path} has a bit generator that can't be stored; take a number")
        return {TAG: "RandomState", "value": self.encode(state, path, depth)}

    # ------------------------------------------------------------------ arrays

    def _array(self, value: np.ndarray, path: str, depth: int) -> Any:
        if id(value) in self._names:
            return {TAG: "same", "name": self._names[id(value)][0]}
        if type(value) not in (np.ndarray, np.memmap):
            raise ModelFileError(f"{path} is a {type(value).__name__}, which can't be stored")
        if value.dtype.kind == "O":  # names of features, say
            items = self.encode(value.ravel().tolist(), path, depth)
            return {TAG: "objects", "shape": list(value.shape), "items": items}
        name = str(len(self.arrays))
        self._names[id(value)] = name, value
        self.paths[name] = path
        node = {TAG: "array", "name": name}
        if value.flags.f_contiguous and not value.flags.c_contiguous:
            node["order"] = "F"  # products of arrays depend on it, in their last bits
            value = value.T
        content = np.asarray(value, _stored_dtype(value.dtype, path), order="C")
        if content.dtype.str not in DTYPES.values():
            node["dtype"] = content.dtype.str
            content = content.reshape(*content.shape, 1).view(np.uint8)
        self.arrays[name] = content
        return node

    def _tensor(self, value: torch.Tensor, path: str, depth: int) -> Any:
        if id(value) in self._names:
            return {TAG: "same", "name": self._names[id(value)][0]}
        if value.layout != torch.strided or value.dtype == torch.bfloat16:
            raise ModelFileError(
                f"{path} is a tensor of {value.dtype} and layout {value.layout}, which can't be "
                "stored"
            )
        node = self._array(value.detach().cpu().numpy(), path, depth)
        self._names[id(value)] = node["name"], value
        return {
            TAG: "tensor",
            "value": node,
            "parameter": isinstance(value, nn.Parameter),
            "requires_grad": value.requires_grad,
        }

    # ------------------------------------------------------------------ objects

    def _class(self, value: Any, path: str, depth: int) -> Any:
        return {TAG: "class", "name": name_of(value)}

    def _object(self, value: Any, path: str, depth: int) -> Any:
        cls = type(value)
        if hasattr(value, "__name__") and callable(value):  # a function
            return self._class(value, path, depth)
        if not self._in_module and id(value) in self._nodes:
            node, _ = self._nodes[id(value)]
            return {TAG: "same", "name": node.setdefault("id", f"object {len(self._nodes)}")}
        if cls in REGISTERED.values():
            state = {each.name: getattr(value, each.name) for each in fields(value) if each.init}
        else:
            state = self._state_of(value, path)
        node: dict[str, Any] = {TAG: "object", "class": name_of(cls)}
        is_module = isinstance(value, nn.Module)
        self._in_module += is_module
        node["state"] = {k: self.encode(v, f"{path}.{k}", depth) for k, v in state.items()}
        self._in_module -= is_module
        if not self._in_module and cls is not Part:
            self._nodes[id(value)] = node, value
        return node

    def _state_of(self, value: Any, path: str) -> Mapping[str, Any]:
        """Return the attributes of an object that is restored by setting them."""
        cls = type(value)
        if isinstance(value, _CONTAINERS) or any(
            getattr(cls, name) is not getattr(object, name) for name in _HOW_TO_PICKLE
        ):
            raise ModelFileError(
                f"{path} is a {cls.__module__}.{cls.__qualname__}, which can't be stored as arrays "
                "and plain values. skops.io.dump and pickle can store it"
            )
        lean = None if self._training else getattr(value, "_lean_state", None)
        state = (lean or value.__getstate__)() or {}
        if isinstance(value, nn.Module):
            return _of_module(state, path)
        if cls is Pipeline and value.memory is not None:
            raise ModelFileError(f"{path}.memory is a cache, which can't be stored; set it to None")
        return {name: each for name, each in state.items() if name not in _NOT_STORED}


def _of_module(state: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Return the attributes of a module that an empty one has not."""
    empty = vars(nn.Module())
    for name, value in state.items():
        if name in empty and "hook" in name and value:
            raise ModelFileError(f"{path} has hooks, which are code and can't be stored")
    return {
        name: dict(value) if name in ("_buffers", "_modules", "_parameters") else value
        for name, value in state.items()
        if name not in empty or "hook" not in name
    }


def _stored_dtype(dtype: np.dtype, path: str) -> np.dtype:
    """Return the dtype in which an array is stored."""
    if dtype.kind not in PLAIN_DTYPES or (dtype.itemsize > 16 and dtype.kind not in "US"):
        raise ModelFileError(f"{path} has the dtype {dtype}, which can't be stored")
    if dtype.itemsize == 0:  # an empty string
        dtype = np.dtype(f"{dtype.kind}1")
    return dtype.newbyteorder("<")


_EXACTLY: Mapping[type, Any] = {
    bytes: Encoder._bytes,
    complex: Encoder._complex,
    dict: Encoder._dict,
    frozenset: Encoder._set,
    list: Encoder._sequence,
    set: Encoder._set,
    tuple: Encoder._sequence,
}
_METHODS: tuple[tuple[Any, Any], ...] = (
    (np.generic, Encoder._scalar),
    (np.ndarray, Encoder._array),
    (torch.Tensor, Encoder._tensor),
    (np.dtype, Encoder._dtype),
    ((torch.device, torch.dtype), Encoder._of_torch),
    (np.random.RandomState, Encoder._random_state),
    (type, Encoder._class),
)
