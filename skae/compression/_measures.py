"""What streams of images have: a size, and fidelities."""

from typing import Any

import numpy as np

from ..metrics import ms_ssim, psnr
from ._image_streams import ImageStreams


class ImageMeasures:
    """Measure streams of images.

    Parameters
    ----------
    streams : ImageStreams
        What reads them.
    """

    def __init__(self, streams: ImageStreams) -> None:
        self._streams, self._span = streams, streams.scale[1]

    def targets(
        self, bpp: float | None, psnr: float | None, ms_ssim: float | None
    ) -> dict[str, tuple[Any, ...]]:
        """Return what is asked of a stream, and further arguments of a Target, by parameters.

        Parameters
        ----------
        bpp, psnr, ms_ssim : float or None
            None asks for nothing.

        Returns
        -------
        dict of str to tuple
            For `target_bpp`, `target_psnr` and `target_ms_ssim`.
        """
        return {
            "target_bpp": (bpp, self._bits_per_pixel, "bits per pixel", True),
            "target_psnr": (psnr, self._psnr, "dB", False),
            "target_ms_ssim": (ms_ssim, self._ms_ssim, "of MS-SSIM", False),
        }

    def _bits_per_pixel(self, array: np.ndarray, stream: bytes) -> float:
        return 8 * len(stream) / (array.shape[0] * array.shape[1])

    def _psnr(self, array: np.ndarray, stream: bytes) -> float:
        return psnr([array], [self._streams.read(stream)[0]], max_value=self._span)

    def _ms_ssim(self, array: np.ndarray, stream: bytes) -> float:
        return ms_ssim([array], [self._streams.read(stream)[0]], max_value=self._span)
