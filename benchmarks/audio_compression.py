"""AudioCompressor takes fewer bits than MP3 and AAC for speech, music and sounds of equal quality.

Every codec encodes the same test clips (`_audio_data.py`), which no model has seen and on which no
setting is chosen. Rates are those of real streams: ours with all headers and checksums, those of
others without their containers, in `kbps`, and whole files in `file_kbps` (`_audio_peers.py` says
what exactly is counted). A row is one codec at one setting: kbit/s over all test clips together,
and means over these of PESQ, STOI, ViSQOL, log-spectral distance (dB), SI-SDR and segmental SNR
(dB). `encode_x` and, of ours, `decode_x` are how many times faster than playing one thread was.

Rows are saved one by one, and those of others that are there with all their measures are not
measured again, so the run can be stopped and started. ViSQOL takes nine tenths of the time;
--without-visqol leaves it out, and a later run fills it in.

audio_compression_rates has the rates at equal quality, interpolated over their logarithm, and
Bjontegaard's delta rates: -25 are a quarter fewer bits than the reference. audio_compression_claims
has what is claimed beside what was found.

Needs `pip install av soundfile pesq pystoi visqol-python[lattice]`; with numba, ViSQOL is faster.
"""

import argparse
import os
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from _audio_data import AUDIO, AudioSplit
from _audio_judges import MEASURES, judge, measures_at
from _audio_peers import PEERS, decoded_clips
from _audio_report import FIDELITY, OURS, TRAINED, claims, rates
from _report import read_table, save_table, write_table

QUALITIES = (0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100)
MODELS: Mapping[str, Mapping[str, Any]] = {
    OURS: {},
    TRAINED: {"max_epochs": "auto"},
    FIDELITY: {"shaping": "fidelity"},
}
CODECS = (*PEERS, *MODELS)
KEY = ("data", "codec", "setting")


class Codec(Protocol):
    """What is measured of a fitted model."""

    def encode(self, clip: np.ndarray, quality: float) -> bytes: ...

    def decode(self, stream: bytes) -> np.ndarray: ...


class _SkaeCodec:
    def __init__(self, clips: list[np.ndarray], rate: int, params: Mapping[str, Any]) -> None:
        import torch

        from skae.compression import AudioCompressor

        torch.set_num_threads(1)
        self.model = AudioCompressor(sample_rate=rate, random_state=0, **params).fit(clips)

    def encode(self, clip: np.ndarray, quality: float) -> bytes:
        return self.model.compress([clip], quality=quality)[0]

    def decode(self, stream: bytes) -> np.ndarray:
        return self.model.decompress([stream])[0]


def skae_codec(clips: list[np.ndarray], rate: int, params: Mapping[str, Any]) -> Codec:
    """Fit skae's codec to clips."""
    return _SkaeCodec(clips, rate, params)


def by_peer(name: str, split: AudioSplit, done: Callable[..., bool]) -> Iterator[dict[str, Any]]:
    """Yield rows of one of the others, with decoded clips, but for those that are done."""
    peer = PEERS[name]
    n_channels = 1 if split.test[0].ndim == 1 else split.test[0].shape[1]
    for setting in peer.settings(split.rate, n_channels):
        if done(name, setting):
            continue
        start = time.process_time()
        encoded = [peer.encode(clip, split.rate, setting) for clip in split.test]
        between = time.process_time()
        decoded = decoded_clips(peer, split.test, encoded, split.rate)
        yield {
            "codec": name,
            "setting": setting,
            "kbps": _kbps([file.n_bytes for file in encoded], split),
            "file_kbps": _kbps([file.n_file_bytes for file in encoded], split),
            "encode_x": split.seconds / (between - start),
            "decoded": decoded,
        }


def by_model(name: str, split: AudioSplit) -> Iterator[dict[str, Any]]:
    """Yield rows of skae's codec, with decoded clips, for each kind of model that there is."""
    for kind, fit in split.fits.items():
        start = time.process_time()
        codec = skae_codec(fit.train, split.rate, MODELS[name])
        fit_seconds = time.process_time() - start
        for quality in QUALITIES:
            start = time.process_time()
            streams = [codec.encode(clip, quality) for clip in split.test]
            between = time.process_time()
            decoded = [codec.decode(stream) for stream in streams]
            end = time.process_time()
            rate = _kbps(list(map(len, streams)), split)
            yield {
                "codec": f"{name}, {kind}" if kind else name,
                "setting": quality,
                "kbps": rate,
                "file_kbps": rate,
                "encode_x": split.seconds / (between - start),
                "decode_x": split.seconds / (end - between),
                "fit_seconds": fit_seconds,
                "decoded": decoded,
            }


def measure(data: str, names: Sequence[str], leave_out: Sequence[str]) -> None:
    """Measure codecs on one data set, and save row by row."""
    split = AUDIO[data]()
    asked = [name for name in measures_at(split.rate) if name not in leave_out]
    known = {
        (row["codec"], float(row["setting"])): row
        for row in read_table("audio_compression")
        if row["data"] == data
    }

    def done(codec: str, setting: float) -> bool:
        row = known.get((codec, float(setting)), {})
        return all(row.get(name) is not None for name in asked)

    for name in names:
        rows = by_peer(name, split, done) if name in PEERS else by_model(name, split)
        for row in rows:
            decoded = row.pop("decoded")
            values = [
                judge(clip, other, split.rate, leave_out)
                for clip, other in zip(split.test, decoded, strict=True)
            ]
            old = known.get((row["codec"], float(row["setting"])), {}) if name in PEERS else {}
            row = {"data": data, **row} | {m: _mean(values, m) for m in MEASURES}
            row |= {m: old.get(m) for m in leave_out}
            save_table("audio_compression", [row], KEY)
            shown = {
                c: v if isinstance(v, str) else f"{v:.4g}" for c, v in row.items() if v is not None
            }
            print(" ".join(f"{column}={text}" for column, text in shown.items()), flush=True)


def _kbps(n_bytes: Sequence[int], split: AudioSplit) -> float:
    return 8 * sum(n_bytes) / split.seconds / 1000


def _mean(values: Sequence[Mapping[str, float | None]], name: str) -> float | None:
    """Return the mean over the clips that have a value."""
    known = [value[name] for value in values if value.get(name) is not None]
    return float(np.mean(known)) if known else None


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", nargs="+", choices=AUDIO, default=list(AUDIO))
    parser.add_argument("--codecs", nargs="+", choices=CODECS, default=CODECS)
    parser.add_argument("--without-visqol", action="store_true")
    parser.add_argument("--report", action="store_true", help="only write rates and claims anew")
    args = parser.parse_args()
    warnings.simplefilter("ignore", RuntimeWarning)  # of judges, about silent frames
    for data in () if args.report else args.data:
        measure(data, args.codecs, ["visqol"] if args.without_visqol else [])
    rows = read_table("audio_compression")
    write_table("audio_compression_rates", list(rates(rows)))
    write_table("audio_compression_claims", list(claims(rows)))


if __name__ == "__main__":
    main()
