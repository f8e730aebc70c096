"""The state of a training in a file, from which another process goes on to the same bits."""

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from skorch.callbacks import Callback

from .._atomic import check_place, replaced
from ._callbacks import BestWeights, StopTraining
from ._distributed import agree_on, shard

_FORMAT = "skae checkpoint 1"


class Checkpoint(Callback):
    """Writes the state of a training after each epoch, and starts from one that was written.

    Parameters
    ----------
    path : str, path-like or None
        Where to write; None writes nothing.
    resume : str, path-like or None
        What to start from, if there is such a file.

    Attributes
    ----------
    start : dict
        What was settled before the first epoch, and the facts that a training that goes on must
        have in common with that of the file.
    """

    def __init__(self, path: Any, resume: Any) -> None:
        self.path, self.resume = path, resume
        if path is not None:
            check_place(Path(path))  # now, not after the first epoch
        self.start: dict[str, Any] = {}
        found = _read(resume) if resume is not None and shard()[0] == 0 else None
        self._found = agree_on(found)  # of the first process, whose disk it may be

    @property
    def settled(self) -> dict[str, Any]:
        """What was settled before the first epoch of the training of the file, if there is one."""
        return {} if self._found is None else self._found["start"]

    @property
    def n_done(self) -> int:
        """Number of epochs that are done."""
        return 0 if self._found is None else len(self._found["net"]["history"])

    def check(self, facts: dict[str, Any]) -> None:
        """Raise ValueError if data or parameters are not those of the file.

        Parameters
        ----------
        facts : dict
            What is known of them now.
        """
        self.start["facts"] = facts
        for name, before in self.settled.get("facts", {}).items():
            if (now := facts.get(name)) != before:
                raise ValueError(
                    f"resume={os.fspath(self.resume)!r} is from another training: {name} was "
                    f"{before!r} and is {now!r}"
                )

    def on_train_begin(self, net: Any, X: Any = None, y: Any = None, **kwargs: Any) -> None:
        """Put the training where the file has left it."""
        if self._found is None:
            return
        net.load_state(self._found["net"])
        if best := self._found["best"]:
            vars(_best_weights(net)).update(best)
            if best["stopped_"]:
                raise StopTraining

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Write the file, as a whole or not at all."""
        if self.path is None or shard()[0] > 0:
            return
        watch = _best_weights(net)
        best = {} if watch is None else {k: v for k, v in vars(watch).items() if k.endswith("_")}
        state = {"start": self.start, "net": net.state(), "best": best}
        arrays: list[np.ndarray] = []
        text = json.dumps({"format": _FORMAT, "state": _encoded(state, arrays)})
        with replaced(Path(self.path)) as beside, beside.open("wb") as file:
            np.savez(file, np.frombuffer(text.encode(), np.uint8), *arrays)


def _best_weights(net: Any) -> BestWeights | None:
    return next((each for _, each in net.callbacks_ if isinstance(each, BestWeights)), None)


def _read(path: Any) -> Any:
    """Return what is in a file, None if there is none."""
    try:
        with Path(path).open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            arrays = [file[f"arr_{i}"] for i in range(len(file.files))]
        content = json.loads(arrays[0].tobytes())
        if content["format"] != _FORMAT:
            raise ValueError(content["format"])
        return _decoded(content["state"], arrays[1:])
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, LookupError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"resume={os.fspath(path)!r} is no checkpoint of this version of skae, or is damaged"
        ) from error


def _encoded(value: Any, arrays: list[np.ndarray]) -> Any:
    """Return a nested state as what JSON can hold; arrays go into a list."""
    if isinstance(value, np.ndarray):
        arrays.append(value)
        return {"array": len(arrays) - 1}
    if isinstance(value, dict):
        return {"dict": [[_encoded(k, arrays), _encoded(v, arrays)] for k, v in value.items()]}
    if isinstance(value, list | tuple):
        return {type(value).__name__: [_encoded(each, arrays) for each in value]}
    return value.item() if isinstance(value, np.generic) else value


def _decoded(value: Any, arrays: list[np.ndarray]) -> Any:
    """Undo :func:`_encoded`."""
    if not isinstance(value, dict):
        return value
    [(kind, content)] = value.items()
    if kind == "array":
        return arrays[content]
    if kind == "dict":
        return {_decoded(k, arrays): _decoded(v, arrays) for k, v in content}
    items = [_decoded(each, arrays) for each in content]
    return tuple(items) if kind == "tuple" else items
