"""Images as short byte strings.

``_image_compressor.py`` is the estimator, and ``_streams.py`` turns images into streams, chunk by
chunk: ``_codec.py`` coefficients into bytes, by the coder of ``_coder.py``, and ``_container.py``
chunks into a stream that notices damage.
"""

from ._coder import BitstreamError
from ._image_compressor import ImageCompressor
from ._streams import inspect_stream

__all__ = ["BitstreamError", "ImageCompressor", "inspect_stream"]
