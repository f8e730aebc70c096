"""The way back from values of JSON and arrays to estimators, which trusts none of them."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from sklearn.pipeline import Pipeline
from torch import nn

from .._plain import REGISTERED, Part
from .._versions import KEY, Versioned, version
from ._classes import Classes
from ._encoding import MOST_NESTED, PLAIN_DTYPES, TAG
from ._errors import ModelFileError
from ._sizes import check_network

_DTYPE = re.compile(rf"[<|][{PLAIN_DTYPES}]\d{{1,9}}(\[\d{{0,9}}[a-zA-Zμ]{{1,2}}\])?|\|O")

_TORCH_DTYPES = {str(each).rpartition(".")[2]: each for each in (torch.float32, torch.float64)}


class Decoder:
    """Makes an estimator of what an `Encoder` has made of it.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        The arrays, which become parts of the estimator.
    classes : Classes
        What names stand for.
    device : str or None, default=None
        Where networks compute; None for the device that they were on, or the best there is.
    """

    def __init__(
        self, arrays: Mapping[str, np.ndarray], classes: Classes, device: str | None = None
    ) -> None:
        self._arrays = dict(arrays)
        self._made: dict[str, Any] = {}
        self._classes = classes
        self._in_module = 0
        self._device = device

    def decode(self, value: Any, depth: int = 0) -> Any:
        """Return what a value of JSON stands for.

        Parameters
        ----------
        value : object
            The value, whose lists are changed.
        depth : int, default=0
            In how many others it is.

        Returns
        -------
        object
            What was encoded.
        """
        if depth > MOST_NESTED + 1:
            raise ModelFileError("it is damaged: its values are nested too deeply")
        if isinstance(value, list):
            for i, each in enumerate(value):
                if isinstance(each, list | dict):  # in place, for there may be many
                    value[i] = self.decode(each, depth + 1)
            return value
        if not isinstance(value, dict):
            return value
        if TAG not in value:
            return {key: self.decode(each, depth + 1) for key, each in value.items()}
        return _METHODS[value[TAG]](self, value, depth + 1)

    def finish(self) -> None:
        """Raise if there are arrays that belong to nothing."""
        if self._arrays:
            raise ModelFileError("it is damaged: it has arrays that belong to nothing")

    # ------------------------------------------------------------------ values

    def _items(self, node: Mapping[str, Any], depth: int) -> list[Any]:
        if not isinstance(node["items"], list):
            raise ModelFileError("it is damaged: a container has no list of items")
        return self.decode(node["items"], depth)

    def _float(self, node: Mapping[str, Any], depth: int) -> float:
        return {"nan": float("nan"), "inf": float("inf"), "-inf": -float("inf")}[node["value"]]

    def _bytes(self, node: Mapping[str, Any], depth: int) -> bytes:
        return bytes.fromhex(node["value"])

    def _scalar(self, node: Mapping[str, Any], depth: int) -> Any:
        content, dtype = bytes.fromhex(node["value"]), _dtype(node["dtype"])
        if dtype.hasobject or len(content) != dtype.itemsize:
            raise ModelFileError("it is damaged: a number is not as long as its type")
        return np.frombuffer(content, dtype)[0]

    def _random_state(self, node: Mapping[str, Any], depth: int) -> np.random.RandomState:
        random = np.random.RandomState(0)
        random.set_state(self.decode(node["value"], depth))
        return random

    # ------------------------------------------------------------------ arrays

    def _array(self, node: Mapping[str, Any], depth: int) -> np.ndarray:
        array = self._arrays.pop(node["name"])
        if "dtype" in node:
            dtype = _dtype(node["dtype"])
            if dtype.hasobject:
                raise ModelFileError("it is damaged: numbers can't be objects")
            array = array.view(dtype)[..., 0]
            if dtype.kind == "U":
                array.tolist()  # which raises for what is no text
        if node.get("order") == "F":
            array = array.T
        self._made[node["name"]] = array
        return array

    def _same(self, node: Mapping[str, Any], depth: int) -> Any:
        made = self._made[node["name"]]
        if self._in_module and not isinstance(made, np.ndarray | torch.Tensor):
            raise ModelFileError("it is damaged: a module has parts in common with others")
        return made

    def _objects(self, node: Mapping[str, Any], depth: int) -> np.ndarray:
        items = self._items(node, depth)
        array = np.empty(len(items), dtype=object)
        array[:] = items
        return array.reshape([int(n) for n in node["shape"]])

    def _tensor(self, node: Mapping[str, Any], depth: int) -> torch.Tensor:
        tensor: torch.Tensor = torch.from_numpy(self.decode(node["value"], depth))
        needs_grad = bool(node["requires_grad"])
        if node["parameter"]:
            tensor = nn.Parameter(tensor, requires_grad=needs_grad)
        else:
            tensor.requires_grad_(needs_grad)
        self._made[node["value"]["name"]] = tensor
        return tensor

    # ------------------------------------------------------------------ objects

    def _class(self, node: Mapping[str, Any], depth: int) -> Any:
        return self._classes[node["name"]]

    def _object(self, node: Mapping[str, Any], depth: int) -> Any:
        cls = self._classes[node["class"]]
        if not isinstance(cls, type):
            raise ModelFileError(f"it is damaged: {node['class'][:100]!r} is no class")
        if not isinstance(node["state"], dict) or TAG in node["state"]:
            raise ModelFileError(f"it is damaged: a {cls.__name__} has no attributes")
        is_module = issubclass(cls, nn.Module)
        self._in_module += is_module
        state = self.decode(node["state"], depth)
        self._in_module -= is_module
        made = self._object_of(cls, state)
        if "id" in node and cls is not Part:
            self._made[node["id"]] = made
        return made

    def _object_of(self, cls: type, state: dict[str, Any]) -> Any:
        if cls in REGISTERED.values():
            return cls(**state)
        if cls is Pipeline and state["memory"] is not None:
            raise ModelFileError("it has a Pipeline with a cache, whose files would be unpickled")
        made = cls.__new__(cls)
        if isinstance(made, nn.Module):
            return _module(made, state)
        if isinstance(made, Versioned):
            state[KEY] = version()
            if "net_" in state:
                check_network(state["_fitted_recipe"], state["net_"])
                state["device_"] = self._device or state["device_"]
        if hasattr(made, "__setstate__"):
            made.__setstate__(state)
        else:
            vars(made).update(state)
        return made


def _dtype(name: str) -> np.dtype:
    if not _DTYPE.fullmatch(name):
        raise ModelFileError(f"it is damaged: {name[:20]!r} is no dtype")
    return np.dtype(name)


def _module(made: nn.Module, state: Mapping[str, Any]) -> nn.Module:
    nn.Module.__init__(made)
    for name, each in state["_modules"].items():
        if not isinstance(each, nn.Module | None):
            raise ModelFileError(f"it is damaged: {name[:50]!r} is no module")
    vars(made).update(state)
    return made


_METHODS: Mapping[str, Callable[[Decoder, Mapping[str, Any], int], Any]] = {
    "RandomState": Decoder._random_state,
    "array": Decoder._array,
    "bytes": Decoder._bytes,
    "class": Decoder._class,
    "complex": lambda decoder, node, depth: complex(*decoder._items(node, depth)),
    "dict": lambda decoder, node, depth: dict(decoder._items(node, depth)),
    "dtype": lambda decoder, node, depth: _dtype(node["value"]),
    "float": Decoder._float,
    "frozenset": lambda decoder, node, depth: frozenset(decoder._items(node, depth)),
    "object": Decoder._object,
    "objects": Decoder._objects,
    "same": Decoder._same,
    "scalar": Decoder._scalar,
    "set": lambda decoder, node, depth: set(decoder._items(node, depth)),
    "tensor": Decoder._tensor,
    "torch.device": lambda decoder, node, depth: torch.device(node["value"]),
    "torch.dtype": lambda decoder, node, depth: _TORCH_DTYPES[node["value"]],
    "tuple": lambda decoder, node, depth: tuple(decoder._items(node, depth)),
}
