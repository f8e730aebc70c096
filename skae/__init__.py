"""Autoencoders as scikit-learn estimators, on PyTorch through skorch.

One room per task, each with its estimators:

- `decomposition`: `Autoencoder`, a low-dimensional code of each row.
- `compression`: `ImageCompressor`, images as short byte strings.
- `generation`: `VariationalAutoencoder`, likelihoods and new rows; `AdversarialAutoencoder`.
- `outliers`: `AutoencoderOutlierDetector`, a score and a label for each row.

And the rooms that they are built from:

- `training`: the skorch net, its batches and its callbacks.
- `networks`: encoders and decoders.
- `losses`: reconstruction losses, likelihoods, penalties and corruptions.
- `inspection`: displays, drawn with matplotlib.
- `metrics`: how good generated data are.

This module only hands names on. A name is imported when it is first used, so that `import skae`
takes no time, and nothing inside the package may import it. To learn how an estimator works, read
`skae/_base.py` first.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skae import (
        compression,
        decomposition,
        generation,
        inspection,
        losses,
        metrics,
        networks,
        outliers,
        training,
    )
    from skae.compression import ImageCompressor
    from skae.decomposition import Autoencoder
    from skae.generation import AdversarialAutoencoder, VariationalAutoencoder
    from skae.outliers import AutoencoderOutlierDetector

__all__ = [
    "AdversarialAutoencoder",
    "Autoencoder",
    "AutoencoderOutlierDetector",
    "ImageCompressor",
    "VariationalAutoencoder",
    "__version__",
    "compression",
    "decomposition",
    "generation",
    "inspection",
    "losses",
    "metrics",
    "networks",
    "outliers",
    "training",
]

__version__ = "0.1.0.dev0"

# Where each estimator lives. Every other lazy name in `__all__` is a room itself.
_ROOM_OF = {
    "AdversarialAutoencoder": "generation",
    "Autoencoder": "decomposition",
    "AutoencoderOutlierDetector": "outliers",
    "ImageCompressor": "compression",
    "VariationalAutoencoder": "generation",
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    room = import_module(f"{__name__}.{_ROOM_OF.get(name, name)}")
    return getattr(room, name) if name in _ROOM_OF else room


def __dir__() -> list[str]:
    return __all__
