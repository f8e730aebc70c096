"""Model files as somebody would forge them: with a right checksum, and wrong in one place."""

import copy
import hashlib
import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

_DIGITS = "0" * 64


def parts_of(content: bytes) -> tuple[dict, bytes]:
    """Return header and arrays of a file."""
    stop = 8 + int.from_bytes(content[:8], "little")
    return json.loads(content[8:stop]), content[stop:]


def sealed(header: dict | bytes, data: bytes) -> bytes:
    """Return a file with the checksum that it should have."""
    if isinstance(header, dict):
        header["__metadata__"]["sha256"] = _DIGITS
        header = json.dumps(header, separators=(",", ":")).encode()
    content = len(header).to_bytes(8, "little") + header + data
    return content.replace(_DIGITS.encode(), hashlib.sha256(content).hexdigest().encode(), 1)


def hostile_files(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield names and contents of files made of that of an `Autoencoder` with a network."""
    header, data = parts_of(content)
    for name, forge in _FORGERIES.items():
        changed = copy.deepcopy(header)
        made = forge(changed)
        if isinstance(made, bytes):  # the header itself
            yield name, sealed(made, data)
        else:
            yield name, sealed(changed, data if made is None else made(data))


def _model(header: dict, change: Callable[[dict], Any]) -> None:
    texts = header["__metadata__"]
    model = json.loads(texts["model"])
    made = change(model)
    texts["model"] = made if isinstance(made, str) else json.dumps(model)


def _state(change: Callable[[dict], Any]) -> Callable[[dict], None]:
    return partial(_model, change=lambda model: change(model["state"]))


def _with(name: str, value: Any) -> Callable[[dict], None]:
    return _state(lambda state: state.update({name: value}))


def _recipe(name: str, value: Any) -> Callable[[dict], None]:
    return _state(lambda state: state["_fitted_recipe"]["state"].update({name: value}))


def _param(name: str, value: Any) -> Callable[[dict], None]:
    return _state(lambda state: state["_fitted_recipe"]["state"]["params"].update({name: value}))


def _first(**entry: Any) -> Callable[[dict], None]:
    return lambda header: header["0"].update(entry)


def _text(name: str, value: Any) -> Callable[[dict], None]:
    return lambda header: header["__metadata__"].update({name: value})


def _whole_model(text: str) -> Callable[[dict], None]:
    return _text("model", text)


def _raw(change: Callable[[str], str]) -> Callable[[dict], bytes]:
    def forge(header: dict) -> bytes:
        header["__metadata__"]["sha256"] = _DIGITS
        return change(json.dumps(header, separators=(",", ":"))).encode()

    return forge


def _nested(start: str, stop: str, n: int) -> str:
    return start * n + "1" + stop * n


def _node(kind: str, **entries: Any) -> dict:
    return {"$": kind, **entries}


def _doubled(n: int) -> dict:
    """Return a module with 2**n parts, if parts could be shared."""
    made: dict = {"$": "object", "class": "torch.nn.Identity", "state": _modules({}), "id": "0"}
    for i in range(n):
        parts = {"a": made, "b": _node("same", name=str(i))}
        made = {"$": "object", "class": "torch.nn.Sequential", "id": str(i + 1)}
        made["state"] = _modules(parts)
    return made


def _modules(parts: dict) -> dict:
    return {"_modules": parts, "_parameters": {}, "_buffers": {}, "training": False}


_NAMES = [
    *("os.system", "posix.system", "subprocess.Popen", "builtins.eval", "builtins.exec"),
    *("pickle.loads", "numpy.load", "torch.load", "torch.hub.load", "torch.nn.os"),
    *("torch.nn.functional.relu", "torch.nn.modules.linear.Linear", "sklearn.pipeline.os"),
    *("sklearn.pipeline.make_pipeline", "sklearn.preprocessing.FunctionTransformer"),
    *("skorch.callbacks.Checkpoint", "skae.os", "skae.losses.torch", "skae.persistence.save"),
    *("skae.persistence._files.save", "skae.outliers._ensemble", "skae", "skae.", ".", ""),
    *("__main__.Model", "x" * 100_000, "skae.compression.ImageCompressor.pretrained"),
]
_PART = {"$": "object", "class": "skae._plain.Part"}
_SHAPES = [
    *([2**60], [2**32, 2**32], [2**63, 0], [-1], [1.5], ["1"], [True], [10**400], [1] * 40),
    *(None, {}, [[1]], [2**40, 0, 2**40]),
]
_VALUES = {
    "an unknown tag": _node("pickle", value="gASVCg=="),
    "no tag": _node(None),
    "a list for a tag": _node([]),
    "an array twice": _node("array", name="0"),
    "an array that is not there": _node("array", name="1000"),
    "an array as wide text": _node("array", name="0", dtype="<U999999999"),
    "an array of objects": _node("array", name="0", dtype="|O"),
    "an array of records": _node("array", name="0", dtype="f4,f4"),
    "the same as nothing": _node("same", name="1000"),
    "a wide scalar": _node("scalar", dtype="<U999999999", value="00"),
    "a scalar of objects": _node("scalar", dtype="|O", value="00" * 8),
    "a void": _node("scalar", dtype="|V9", value="00" * 9),
    "no hexadecimal": _node("bytes", value="xx"),
    "a float of another kind": _node("float", value="1e5"),
    "many objects": _node("objects", shape=[2**60], items=[1]),
    "endless objects": _node("objects", shape=[-1, 2**60], items=[]),
    "a tuple of one": _node("tuple", items=1),
    "a tuple without items": _node("tuple"),
    "a dict of one": _node("dict", items=[[1]]),
    "unhashable keys": _node("dict", items=[[[], 1]]),
    "an unhashable set": _node("set", items=[[1]]),
    "no random state": _node("RandomState", value={"bit_generator": "MT19937"}),
    "a tensor of nothing": _node("tensor", value=1, parameter=True, requires_grad=True),
    "another device": _node("torch.device", value="os.system"),
    "another dtype": _node("torch.dtype", value="load"),
    "a dataclass with another field": {**_PART, "state": {"command": "ls"}},
    "a dataclass without fields": {**_PART, "state": {}},
    "a dataclass of a list": {**_PART, "state": []},
    "a dataclass of a tag": {**_PART, "state": _node("tuple", items=[])},
    "a pipeline with a cache": {
        **{"$": "object", "class": "sklearn.pipeline.Pipeline"},
        "state": {"steps": [], "memory": "/tmp", "verbose": False},
    },
}
_PARTS = {
    "of another room": {"room": "os", "name": "system", "params": {}},
    "of a private name": {"room": "networks", "name": "__builtins__", "params": {}},
    "of a function": {"room": "networks", "name": "interpolated", "params": {}},
    "of a table": {"room": "losses", "name": "LOSSES", "params": {}},
    "too wide": {"room": "networks", "name": "DenseAutoencoder", "params": {"x": 2**60}},
}
_FORGERIES: dict[str, Callable[[dict], Any]] = {
    **{f"a shape of {str(shape)[:30]}": _first(shape=shape) for shape in _SHAPES},
    **{f"the dtype {dtype}": _first(dtype=dtype) for dtype in ("F128", "O", "", 5, None, [])},
    "offsets that overlap": _first(data_offsets=[0, 8]),
    "offsets below zero": _first(data_offsets=[-8, 0]),
    "offsets beyond the end": _first(data_offsets=[2**62, 2**63]),
    "offsets of text": _first(data_offsets=["0", "8"]),
    "an array without offsets": lambda header: header["0"].pop("data_offsets") and None,
    "an array that is a number": lambda header: header.update({"0": 5}),
    "more bytes than arrays": lambda header: lambda data: data + b"\0" * 8,
    "less bytes than arrays": lambda header: lambda data: data[:-8],
    "a name twice in the header": _raw(lambda text: text[:-1] + ',"0":' + text[text.index("{") :]),
    "a text twice": _raw(lambda text: text.replace('"format"', '"schema"')),
    "a name twice in the model": _state(lambda state: '{"$":"tuple","items":[],"items":[]}'),
    "a header of a list": _raw(lambda text: f"{text[:-1]}]"),
    "a header of nothing more": _raw(lambda text: text[: text.index(",")]),
    "a header that is nested": _raw(lambda text: f'{text[:-1]},"x":{_nested("[", "]", 10**5)}}}'),
    **{
        f"{n} nested {start}": _whole_model(_nested(start, stop, n))
        for n in (100, 900, 10**5)
        for start, stop in (("[", "]"), ('{"a":', "}"), ('{"$":"tuple","items":[', "]}"))
    },
    "a number of a million digits": _whole_model("1" * 10**6),
    "many values": _whole_model(f"[{'[],' * 3_000_000}1]"),
    "no JSON": _whole_model("import os"),
    "half of JSON": _whole_model('{"$":'),
    **{f"the class {name[:40]}": _with("module", _node("class", name=name)) for name in _NAMES},
    **{
        f"an object of {name[:40]}": partial(
            _model, change=lambda model, name=name: model.update({"class": name})
        )
        for name in [*_NAMES, "torch.nn.Linear", "skae.losses.SquaredError", "numpy.float64"]
    },
    **{f"the class {value!r}": _with("x", _node("class", name=value)) for value in (5, None, [])},
    **{name: _with("x", value) for name, value in _VALUES.items()},
    **{
        f"a network that is a part {name}": _recipe("module", {**_PART, "state": state})
        for name, state in _PARTS.items()
    },
    **{
        f"a loss that is a part {name}": _recipe("loss", {**_PART, "state": state})
        for name, state in _PARTS.items()
    },
    "a network of another name": _recipe("module", "os.system"),
    "a network of a layer": _recipe("module", _node("class", name="torch.nn.Linear")),
    "a large loss": _recipe("loss", _node("class", name="torch.nn.Embedding")),
    "another dtype of the network": _recipe("dtype", "load"),
    "another optimizer": _recipe("optimizer", "os.system"),
    "a wrap of text": _recipe("wrap", "os.system"),
    "a wide network": _param("module__hidden_layer_sizes", [2**60]),
    "a network of some gigabytes": _param("module__hidden_layer_sizes", [10**5, 10**5]),
    "a deep network": _param("module__hidden_layer_sizes", [1] * 10**5),
    "many features": _param("module__n_features", 2**40),
    "other components": _param("module__n_components", 7),
    "components of text": _param("module__n_components", "x"),
    "an unknown parameter": _param("command", "ls"),
    "a callback of text": _param("callbacks", ["os.system"]),
    "no recipe": _with("_fitted_recipe", None),
    "a recipe of text": _with("_fitted_recipe", "os.system"),
    "no network": _with("net_", None),
    "a network of nothing": _with("net_", {}),
    "weights of nothing": _state(lambda state: state["net_"].update(average={})),
    "a tree of the same": _with("x", _doubled(40)),
    "a list for a model": _whole_model("[]"),
    "a number for a model": _whole_model("1"),
    "a newer format": _text("schema", "2"),
    "a format far from now": _text("schema", "9" * 5000),
    "a format of text": _text("schema", "x"),
    "a format below zero": _text("schema", "-1"),
    "another kind of file": _text("format", "pt"),
    "a text that is a number": _text("versions", 5),
    "versions that are no JSON": _text("versions", "x"),
    **{
        f"no {name}": (lambda header, name=name: header["__metadata__"].pop(name) and None)
        for name in ("format", "schema", "versions", "training", "model", "estimator")
    },
}
