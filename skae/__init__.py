"""Autoencoders as scikit-learn estimators, on PyTorch through skorch.

One room per task, each with its estimators: `decomposition`, `generation`, `outliers`,
`denoising`, `imputation`, `compression` and `recommendation`. `onnx` makes graphs of them for other
languages. And the rooms that they are built from:

- `training`: the skorch net, its batches and its callbacks.
- `networks`: encoders and decoders.
- `losses`: reconstruction losses, likelihoods, penalties and corruptions.
- `coding`: numbers as byte strings.
- `tables`: data frames as matrices.
- `inspection`: displays, drawn with matplotlib.
- `datasets`: tables that need not fit into memory.
- `metrics`: how good generated data, compressed images and recommendations are.
- `persistence`: fitted estimators as files.

This module only hands names on. A name is imported when it is first used, so that `import skae`
takes no time, and nothing inside the package may import it. To learn how an estimator works, read
`skae/_base/_net_estimator.py` first.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skae.compression import *
    from skae.decomposition import *
    from skae.denoising import *
    from skae.generation import *
    from skae.imputation import *
    from skae.onnx import to_onnx as to_onnx
    from skae.outliers import *
    from skae.persistence import *
    from skae.recommendation import *
    from skae.training import distributed as distributed

__version__ = "0.1.0"

# Where each estimator and function lives: the one line that a new one needs here.
_ROOM_OF = {
    "AdversarialAutoencoder": "generation",
    "AudioCompressor": "compression",
    "Autoencoder": "decomposition",
    "AutoencoderDenoiser": "denoising",
    "AutoencoderImputer": "imputation",
    "AutoencoderOutlierDetector": "outliers",
    "AutoencoderRecommender": "recommendation",
    "BlendRecommender": "recommendation",
    "ImageCompressor": "compression",
    "ModelFileError": "persistence",
    "ShallowRecommender": "recommendation",
    "VariationalAutoencoder": "generation",
    "distributed": "training",
    "load": "persistence",
    "model_card": "persistence",
    "save": "persistence",
    "to_onnx": "onnx",
}
_ROOMS = ("datasets", "inspection", "losses", "metrics", "networks", "training")

__all__ = sorted({*_ROOM_OF, *_ROOM_OF.values(), *_ROOMS, "__version__"})


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    room = import_module(f"{__name__}.{_ROOM_OF.get(name, name)}")
    return getattr(room, name) if name in _ROOM_OF else room


def __dir__() -> list[str]:
    return __all__
