"""What judges say of decoded recordings, by packages of others and by `skae.metrics`.

PESQ (ITU-T P.862, at 8 kHz in its narrow band as mean opinion scores of P.862.1, at 16 kHz in its
wide band of P.862.2) and STOI are for speech. ViSQOL is in its mode for speech at these rates, with
its network of lattices, and in its mode for audio at others. Of stereo, ViSQOL hears the mean of
the channels.
Where a recording is too short or has nothing that a judge could hear, there is no value.
"""

import functools
import warnings
from collections.abc import Callable, Collection

import numpy as np
from _audio_peers import resampled
from pesq import PesqError, pesq
from pystoi import stoi
from visqol import VisqolApi

from skae.metrics import log_spectral_distance, segmental_snr, si_sdr

MEASURES = ("pesq_wb", "pesq_nb", "stoi", "visqol", "lsd", "si_sdr", "segmental_snr")


def measures_at(rate: int) -> list[str]:
    """Return the measures that there are of recordings at a rate."""
    speech_only = {"pesq_wb": rate == 16_000, "pesq_nb": rate == 8000, "stoi": _is_speech(rate)}
    return [name for name in MEASURES if speech_only.get(name, True)]


def judge(
    reference: np.ndarray, decoded: np.ndarray, rate: int, leave_out: Collection[str] = ()
) -> dict[str, float | None]:
    """Return the values of all measures that there are at this rate.

    Recordings are int16 or floats of shape (samples,) or (samples, channels), at `rate` Hz.
    """
    if reference.shape != decoded.shape:
        raise ValueError(f"Clips must have one shape, got {reference.shape} and {decoded.shape}.")
    # Windows of 512 samples for speech, and of 2048 for anything else.
    frame_ms = 1000 * (512 if _is_speech(rate) else 2048) / rate
    x, y = _mono(reference), _mono(decoded)
    judges: dict[str, Callable[[], float]] = {
        "pesq_wb": lambda: pesq(rate, x, y, "wb"),
        "pesq_nb": lambda: pesq(rate, x, y, "nb"),
        "stoi": lambda: stoi(x, y, rate),
        "visqol": lambda: _visqol(x, y, rate),
        "lsd": lambda: log_spectral_distance(reference, decoded, rate, frame_ms=frame_ms),
        "si_sdr": lambda: si_sdr(reference, decoded),
        "segmental_snr": lambda: segmental_snr(reference, decoded, rate),
    }
    return {name: _or_none(judges[name]) for name in measures_at(rate) if name not in leave_out}


def _is_speech(rate: int) -> bool:
    return rate in (8000, 16_000)


def _visqol(x: np.ndarray, y: np.ndarray, rate: int) -> float:
    mode, heard_at = ("speech", 16_000) if _is_speech(rate) else ("audio", 48_000)
    x, y = (resampled(samples, rate, heard_at) for samples in (x, y))
    return float(_visqol_api(mode).measure_from_arrays(x, y, sample_rate=heard_at).moslqo)


@functools.cache
def _visqol_api(mode: str) -> VisqolApi:
    api = VisqolApi()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        api.create(mode=mode, **({"use_lattice_model": True} if mode == "speech" else {}))
    return api


def _mono(samples: np.ndarray) -> np.ndarray:
    scale = 32768 if samples.dtype == np.int16 else 1
    mono = samples / scale
    return mono if mono.ndim == 1 else mono.mean(axis=1)


def _or_none(value: Callable[[], float]) -> float | None:
    try:
        return value()
    except (PesqError, ValueError):
        return None
