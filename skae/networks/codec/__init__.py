"""Networks that turn signals into a code which is made to be rounded and compressed.

Open ``_image_codec.py`` first: it puts the parts together for images. Coefficients come from
``_transform.py`` and ``_patches.py``, are rounded as ``_quantizer.py`` says, and predicted by
``_wide_contexts.py``, which says where to find what that needs, or, where patches are whole images
and in older models, by ``_contexts.py``. What knows no medium is ``_transform_codec.py``. What
tables say of integers is ``_law.py``; how numbers become bytes is not known here.
"""

from ._image_codec import ImageCodecNetwork
from ._law import N_CENTROIDS, N_TABLES, Law, laplace_centroids, table_scales
from ._mdct import MDCT
from ._quantizer import BIT_WEIGHT, DEAD_ZONE, N_LEVELS, interpolated
from ._regression import LOG_SCALES
from ._sharpening import SharpeningNetwork, SoundSharpeningNetwork
from ._spectral_codec import SpectralCodecNetwork
from ._wide_contexts import MEAN_UNIT, SCALE_UNIT

__all__ = [
    "BIT_WEIGHT",
    "DEAD_ZONE",
    "LOG_SCALES",
    "MDCT",
    "MEAN_UNIT",
    "N_CENTROIDS",
    "N_LEVELS",
    "N_TABLES",
    "SCALE_UNIT",
    "ImageCodecNetwork",
    "Law",
    "SharpeningNetwork",
    "SoundSharpeningNetwork",
    "SpectralCodecNetwork",
    "interpolated",
    "laplace_centroids",
    "table_scales",
]
