"""Networks that turn signals into a code which is made to be rounded and compressed.

Open ``_image_codec.py`` first: it puts the parts together for images. Coefficients come from
``_transform.py`` and ``_patches.py``, are rounded as ``_quantizer.py`` says, and predicted by
``_contexts.py``, which says where to find what that needs. What knows no medium is
``_transform_codec.py``. How numbers become bytes is not known here.
"""

from ._image_codec import ImageCodecNetwork
from ._mdct import MDCT
from ._quantizer import BIT_WEIGHT, DEAD_ZONE, N_LEVELS, interpolated
from ._regression import LOG_SCALES
from ._sharpening import SharpeningNetwork
from ._spectral_codec import SpectralCodecNetwork

__all__ = [
    "BIT_WEIGHT",
    "DEAD_ZONE",
    "LOG_SCALES",
    "MDCT",
    "N_LEVELS",
    "ImageCodecNetwork",
    "SharpeningNetwork",
    "SpectralCodecNetwork",
    "interpolated",
]
