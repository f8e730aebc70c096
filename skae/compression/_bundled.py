"""The model that comes with the package, and how it was stored."""

import json
from collections.abc import Mapping
from dataclasses import fields
from importlib import resources
from typing import Any

import numpy as np
import torch

from .._settings import default_settings
from ..coding import Codec, CodecTables
from ..training._device import resolve_device
from ._compressor import network_of

_NETWORK = "network."
_FINGERPRINT = 0xF8584314
_FORMER_FINGERPRINTS = (0x96D82ABF,)  # of the model, before its range of values was in it
_CROP_OF_PHOTOGRAPHS = (128, 128, 3)


@default_settings()
def fitted_to_photographs(cls: Any, params: Mapping[str, Any]) -> Any:
    """Return a compressor as if it had been fitted to the photographs of the bundled model.

    Parameters
    ----------
    cls : type
        ImageCompressor.
    params : mapping
        Parameters of the estimator, but those that are fixed.

    Returns
    -------
    ImageCompressor
        Fitted.
    """
    with np.load(resources.files(__package__) / "photographs.npz", allow_pickle=False) as file:
        arrays = dict(file)
    fixed = {"adversarial": False, **json.loads(str(arrays["params"]))}
    if changed := sorted(fixed.keys() & params.keys()):
        raise ValueError(f"{', '.join(changed)} can't be set, the network is trained already")
    model = cls(**fixed, **params)
    model._check_nested_params()
    model._validate_params()
    pixels = np.resize(np.arange(256, dtype=np.uint8), _CROP_OF_PHOTOGRAPHS)
    images = model._checked([pixels], reset=True)
    recipe = model._plan(images)
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
    attributes |= model._coding_attributes(codec, _FORMER_FINGERPRINTS)
    vars(model).update(attributes, _shape=None)  # it has no training images
    model._check_fingerprint(_FINGERPRINT)
    return model


def arrays_of(model: Any) -> dict[str, np.ndarray]:
    """Return what :func:`fitted_to_photographs` reads; trained weights lose half of their bits.

    Parameters
    ----------
    model : ImageCompressor
        Fitted.

    Returns
    -------
    dict of str to ndarray
        Network, tables and parameters.
    """
    network = {
        name: value.half() if name.startswith(("encoder", "decoder", "contexts")) else value
        for name, value in model._codec.network.state_dict().items()
    }
    params = {name: getattr(model, name) for name in ("module", "patch_shape", "n_components")}
    return {
        **{_NETWORK + name: value.numpy() for name, value in network.items()},
        **vars(model._codec.tables),
        "params": np.array(json.dumps({**params, **model._nested_params})),
    }
