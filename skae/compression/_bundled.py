"""The models that come with the package, and how they are stored."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from importlib import resources
from typing import Any

import numpy as np
import torch

from .._settings import default_settings
from ..coding import Codec, CodecTables
from ..training._device import resolve_device
from ._compressor import network_of

_NETWORK = "network."


@dataclass(frozen=True)
class Bundled:
    """A model that comes with the package.

    Parameters
    ----------
    file : str
        Where its arrays are.
    example : ndarray
        A signal of the kind that it takes.
    fingerprint : int
        Of the model.
    former : tuple of int, default=()
        Fingerprints that it had in earlier versions.
    fixed : dict, default={}
        Parameters that can't be set, besides those in the file.
    """

    file: str
    example: np.ndarray
    fingerprint: int
    former: tuple[int, ...] = ()
    fixed: Mapping[str, Any] = field(default_factory=dict)


# Of photographs, the former one was before the range of values was in it.
PHOTOGRAPHS = Bundled(
    "photographs.npz",
    np.resize(np.arange(256, dtype=np.uint8), (128, 128, 3)),
    0xF8584314,
    (0x96D82ABF,),
    {"adversarial": False, "module__wide": False, "objective": "psnr"},
)
SPEECH = Bundled("speech.npz", np.resize(np.arange(-512, 512, dtype=np.int16), 20_000), 0x9AA4B955)


@default_settings()
def fitted(cls: Any, bundled: Bundled, params: Mapping[str, Any]) -> Any:
    """Return a compressor as if it had been fitted to the data of a bundled model.

    Parameters
    ----------
    cls : type
        The estimator.
    bundled : Bundled
        The model.
    params : mapping
        Parameters of the estimator, but those that are fixed.

    Returns
    -------
    estimator
        Fitted.
    """
    with np.load(resources.files(__package__) / bundled.file, allow_pickle=False) as file:
        arrays = dict(file)
    fixed = {**bundled.fixed, **json.loads(str(arrays["params"]))}
    if changed := sorted(fixed.keys() & params.keys()):
        raise ValueError(f"{', '.join(changed)} can't be set, the network is trained already")
    model = cls(**fixed, **params)
    model._check_nested_params()
    model._validate_params()
    signals = model._checked([bundled.example], reset=True)
    vars(model).update(json.loads(str(arrays.get("units", "{}"))))
    recipe = model._plan(signals)
    net = recipe.build(resolve_device(model.device, getattr(torch, recipe.dtype)))
    state = {
        name.removeprefix(_NETWORK): torch.from_numpy(array)
        for name, array in arrays.items()
        if name.startswith(_NETWORK)
    }
    net.module_.load_state_dict(state)
    net.start_averaging()
    attributes = {**model._fitted_attributes(net, recipe), "max_epochs_": 0}
    tables = CodecTables(**{each.name: arrays[each.name] for each in fields(CodecTables)})
    codec = Codec(network_of(net.averaged_module_), tables)
    attributes |= model._coding_attributes(codec, bundled.former)
    vars(model).update(attributes, _shape=None)  # it has no training signals
    model._check_fingerprint(bundled.fingerprint)
    return model


def arrays_of(model: Any, names: Sequence[str], units: Sequence[str] = ()) -> dict[str, np.ndarray]:
    """Return what :func:`fitted` reads; trained weights lose half of their bits.

    Parameters
    ----------
    model : estimator
        Fitted.
    names : sequence of str
        Parameters that make the network what it is.
    units : sequence of str, default=()
        Attributes that say what it was fitted to, numbers or lists of them.

    Returns
    -------
    dict of str to ndarray
        Network, tables, parameters and units.
    """
    network = {
        name: value.half() if name.startswith(("encoder", "decoder", "contexts")) else value
        for name, value in model._codec.network.state_dict().items()
    }
    params = {name: getattr(model, name) for name in names}
    stored = {name: np.asarray(getattr(model, name)).tolist() for name in units}
    return {
        **{_NETWORK + name: value.numpy() for name, value in network.items()},
        **vars(model._codec.tables),
        "params": np.array(json.dumps({**params, **model._nested_params})),
        "units": np.array(json.dumps(stored)),
    }
