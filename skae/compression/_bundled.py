"""The models that come with the package, and how they are stored."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from importlib import resources
from typing import Any

import numpy as np
import torch

from .._settings import default_settings
from ..coding import FRACTION_BITS, Codec, CodecTables
from ..networks import MEAN_UNIT, SCALE_UNIT
from ..training._device import resolve_device
from ._compressor import network_of
from ._packing import read_arrays

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


_PHOTOGRAPH = np.resize(np.arange(256, dtype=np.uint8), (128, 128, 3))
# By version. The former fingerprint was before the range of values was in it.
PHOTOGRAPHS = {
    1: Bundled(
        "photographs.npz",
        _PHOTOGRAPH,
        0xF8584314,
        (0x96D82ABF,),
        {"adversarial": False, "module__wide": False, "objective": "psnr"},
    ),
    2: Bundled(
        "photographs_2.npz",
        _PHOTOGRAPH,
        0xF400AD2C,
        fixed={"adversarial": False, "module__wide": True, "objective": "psnr"},
    ),
}
SPEECH = Bundled(
    "speech.npz",
    np.resize(np.arange(-512, 512, dtype=np.int16), 20_000),
    0x9AA4B955,
    fixed={"adversarial": False},
)


def bundled(version: int | None) -> Bundled:
    """Return a model of photographs.

    Parameters
    ----------
    version : int or None
        None for the latest.

    Returns
    -------
    Bundled
        The model.

    Raises
    ------
    ValueError
        If there is no such version.
    """
    version = max(PHOTOGRAPHS) if version is None else version
    if version not in PHOTOGRAPHS:
        raise ValueError(f"version={version!r} must be one of {sorted(PHOTOGRAPHS)}, or None")
    return PHOTOGRAPHS[version]


def version_of(fingerprint: int) -> int | None:
    """Return the version of the bundled model that wrote a stream of images.

    Parameters
    ----------
    fingerprint : int
        That of the stream.

    Returns
    -------
    int or None
        None if it was another model.
    """
    for version, bundled in PHOTOGRAPHS.items():
        if fingerprint in (bundled.fingerprint, *bundled.former):
            return version
    return None


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
    arrays = read_arrays(resources.files(__package__) / bundled.file)
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
    if "whole_scales" in arrays:
        state = _closed_form(net.module_, state, arrays)
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


def rounded_arrays(model: Any, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Return what :func:`fitted` reads of a model of images that has only its closed form.

    Weights of contexts become whole numbers of the units that coding takes, and the basis that of
    half precision.

    Parameters
    ----------
    model : ImageCompressor
        Fitted with ``max_epochs=0``; its contexts are wide.
    names : sequence of str
        Parameters that make the network what it is.

    Returns
    -------
    dict of str to ndarray
        Network, tables and parameters.
    """
    network, tables = model._codec.network, vars(model._codec.tables)
    transform, contexts = network.transform, network.contexts
    arrays = {
        _NETWORK + "transform.analysis": transform.analysis.detach().half(),
        _NETWORK + "transform.mean": transform.mean,
        _NETWORK + "transform.spread": transform.spread,
        "whole_scales": (contexts.scales.double() / SCALE_UNIT).round(),
        "whole_means": (contexts.means.double() / MEAN_UNIT).round(),
    }
    params = {**{name: getattr(model, name) for name in names}, **model._nested_params}
    return {
        **{name: _narrowed(value.numpy()) for name, value in arrays.items()},
        **{name: array for name, array in tables.items() if name != "weights"},
        "params": np.array(json.dumps(params)),
    }


def _narrowed(array: np.ndarray) -> np.ndarray:
    """Return whole numbers in two bytes, or four; others as they are."""
    if array.dtype != np.float64:
        return array
    return array.astype(np.int16 if np.abs(array).max() < 2**15 else np.int32)


def _closed_form(
    network: Any, state: dict[str, torch.Tensor], arrays: dict[str, np.ndarray]
) -> dict[str, torch.Tensor]:
    """Return the state of a network that has only its closed form, and add weights to arrays.

    Its residual networks, which do nothing before they are trained, start from numbers that are the
    same in every version of torch, as they are part of the fingerprint.
    """
    scales, means = arrays["whole_scales"], arrays["whole_means"]
    arrays["weights"] = scales.astype(np.int32) * round(SCALE_UNIT * 2**FRACTION_BITS)
    state = {name: value.float() for name, value in state.items()}
    state["transform.synthesis"] = state["transform.analysis"].T
    state["contexts.scales"] = torch.from_numpy(scales * SCALE_UNIT).float()
    state["contexts.means"] = torch.from_numpy(means * MEAN_UNIT).float()
    random = np.random.RandomState(0)
    for name, value in network.state_dict().items():
        if name not in state:
            bound = value[0].numel() ** -0.5 if value.any() and value.ndim > 1 else 0.0
            drawn = bound * (2 * random.random_sample(value.shape) - 1)
            state[name] = torch.from_numpy(drawn).float()
    return state
