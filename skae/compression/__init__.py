"""Images as short byte strings.

``_image_compressor.py`` is the estimator; ``_codec.py`` turns coefficients into bytes, by the coder
of ``_coder.py``, and ``_container.py`` wraps them into a stream that notices damage.
"""

from ._coder import BitstreamError
from ._image_compressor import ImageCompressor, inspect_stream

__all__ = ["BitstreamError", "ImageCompressor", "inspect_stream"]
