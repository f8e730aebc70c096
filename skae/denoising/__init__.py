"""Denoising: rows without the noise that they came with, and missing pixels filled in.

Open ``_denoiser.py`` first, the estimator, then ``_plan.py``: what its net is built from.
``_noise.py`` says what noise is made, ``_level.py`` how much of it there is in noisy rows, and
``_objectives.py`` what is minimised.
"""

from ._denoiser import AutoencoderDenoiser

__all__ = ["AutoencoderDenoiser"]
