"""Recordings of the benchmarks of audio: fixed splits, of speakers, sources and tracks.

Clips are int16, of shape (samples,) or (samples, channels), without their mean and with their peak
at half of full scale, as codecs and judges differ in what they make of quiet recordings. A split
has clips to fit on, clips to choose settings on, and test clips, on which nothing is chosen.

speech_s2i_trim (16 kHz) tells no speakers: files are in the order of their random names, the first
280 to fit on, then 40 to choose on, and 30 for the test.

fsdd (8 kHz) has digits by four speakers, here as strings of ten, 0 to 9. The test are takes 0 to 2
of one speaker. Models of others are fitted on the takes from 5 on of the other three, and models of
this speaker on the same takes of this one; takes 3 and 4 are to choose on, those of the three or of
this one. To choose for speakers that no model knows, name another test speaker.

esc10 (44.1 kHz): the first fold to fit on; of the second one, which has other sources, those of
each class in turn to choose on and for the test, a clip of each.

sonic-pi-samples (44.1 kHz, here 48 kHz, of 1.5 s or more): names that differ in numbers only, or in
their third part, stay together; of six such groups, in the order of names, the third is to choose
on, and the sixth is for the test.

singularity-music (48 kHz): excerpts of tracks, ten to fit on, two to choose on, four for the test.

Both of the last are mono, the mean of the channels; with "-stereo" they have two, and only what was
recorded so is in it.
"""

import io
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import numpy as np
import soundfile as sf
from _data import data_path
from scipy.signal import resample_poly

SONIC_PI = Path("/usr/share/sonic-pi/samples")
SINGULARITY = Path("/usr/share/games/singularity/music")
_VALIDATION_TRACKS = ("Orbital Elevator", "Through Space")
_TEST_TRACKS = ("Nebula", "lose/Chimes They Fade", "lose/March Thee to Dis", "win/Apex Aleph")
_OTHERS, _KNOWN = "", "known speaker"


@dataclass(frozen=True)
class Fit:
    """Clips to fit a model on, and others to choose its settings on."""

    train: list[np.ndarray]
    validation: list[np.ndarray]


@dataclass(frozen=True)
class AudioSplit:
    """Clips of int16; `fits` has a name for each kind of model, "" for the only one."""

    rate: int
    fits: Mapping[str, Fit]
    test: list[np.ndarray] = field(repr=False)

    @property
    def seconds(self) -> float:
        return sum(map(len, self.test)) / self.rate


def speech() -> AudioSplit:
    paths = sorted(data_path("speech_s2i_trim").glob("*.flac"))
    clips = [_clip(*sf.read(path)) for path in paths]
    return AudioSplit(16_000, {"": Fit(clips[:280], clips[280:320])}, clips[320:])


def fsdd(test_speaker: str = "george") -> AudioSplit:
    takes: dict[str, dict[int, dict[int, np.ndarray]]] = {}
    with zipfile.ZipFile(data_path("fsdd", "fsdd_flac.zip")) as archive:
        for name in archive.namelist():
            if match := re.search(r"(\d)_([a-z]+)_(\d+)\.flac$", name):
                digit, speaker, take = int(match[1]), match[2], int(match[3])
                samples, _ = sf.read(io.BytesIO(archive.read(name)))
                takes.setdefault(speaker, {}).setdefault(take, {})[digit] = samples
    if test_speaker not in takes:
        raise ValueError(f"test_speaker must be one of {sorted(takes)}, got {test_speaker!r}.")

    def strings(speakers: Iterable[str], which: range) -> list[np.ndarray]:
        return [
            _clip(np.concatenate([takes[speaker][take][digit] for digit in range(10)]), 8000)
            for speaker in speakers
            for take in which
        ]

    def fit(speakers: Sequence[str]) -> Fit:
        return Fit(strings(speakers, range(5, 50)), strings(speakers, range(3, 5)))

    others = sorted(set(takes) - {test_speaker})
    fits = {_OTHERS: fit(others), _KNOWN: fit([test_speaker])}
    return AudioSplit(8000, fits, strings([test_speaker], range(3)))


def esc10() -> AudioSplit:
    train, validation, test = [], [], []
    for folder in sorted(path for path in data_path("esc10").iterdir() if path.is_dir()):
        paths = sorted(folder.glob("*.ogg"))
        train += [path for path in paths if path.name.startswith("1-")]
        sources = [
            list(group)
            for _, group in groupby(
                (path for path in paths if path.name.startswith("2-")),
                key=lambda path: path.name.split("-")[1],
            )
        ]
        validation += [source[0] for source in sources[::2]]
        test.append(sources[1][0])
    return _split_of_files(44_100, 1, train, validation, test)


def sonic_pi(n_channels: int = 1) -> AudioSplit:
    _existing_package(SONIC_PI, "sonic-pi-samples")
    infos = {path: sf.info(path) for path in sorted(SONIC_PI.glob("*.flac"))}
    long = [path for path, info in infos.items() if info.duration >= 1.5]
    groups = [list(group) for _, group in groupby(long, key=_family)]
    parts = [
        [path for group in groups[i::6] for path in group if infos[path].channels >= n_channels]
        for i in range(6)
    ]
    train = sorted(path for i in (0, 1, 3, 4) for path in parts[i])
    return _split_of_files(48_000, n_channels, train, parts[2], parts[5])


def singularity(n_channels: int = 1) -> AudioSplit:
    _existing_package(SINGULARITY, "singularity-music")
    names = sorted(str(p.relative_to(SINGULARITY))[:-4] for p in SINGULARITY.rglob("*.ogg"))
    train = [name for name in names if name not in (*_VALIDATION_TRACKS, *_TEST_TRACKS)]

    def excerpts(tracks: Iterable[str], places: Sequence[float], seconds: float) -> list:
        return [
            _excerpt(SINGULARITY / f"{track}.ogg", place, seconds, n_channels)
            for track in tracks
            for place in places
        ]

    fit = Fit(
        excerpts(train, (0.2, 0.5, 0.8), 10), excerpts(_VALIDATION_TRACKS, (0.15, 0.45, 0.75), 5)
    )
    return AudioSplit(48_000, {"": fit}, excerpts(_TEST_TRACKS, (0.3, 0.6), 5))


AUDIO: Mapping[str, Callable[[], AudioSplit]] = {
    "speech_s2i_trim": speech,
    "fsdd": fsdd,
    "esc10": esc10,
    "sonic-pi-samples": sonic_pi,
    "singularity-music": singularity,
    "sonic-pi-samples-stereo": lambda: sonic_pi(2),
    "singularity-music-stereo": lambda: singularity(2),
}


def _family(path: Path) -> str:
    return "_".join(re.sub(r"\d+", "", part) for part in path.stem.split("_")[:2])


def _split_of_files(
    rate: int, n_channels: int, train: list[Path], validation: list[Path], test: list[Path]
) -> AudioSplit:
    parts = []
    for paths in (train, validation, test):
        clips = (
            _clip(*sf.read(path, always_2d=True), rate=rate, n_channels=n_channels)
            for path in paths
        )
        parts.append([clip for clip in clips if clip.any()])
    return AudioSplit(rate, {"": Fit(*parts[:2])}, parts[2])


def _excerpt(path: Path, place: float, seconds: float, n_channels: int) -> np.ndarray:
    """Return so many seconds that start at a share of the track."""
    with sf.SoundFile(path) as file:
        length = int(seconds * file.samplerate)
        file.seek(int(place * (len(file) - length)))
        return _clip(
            file.read(length, always_2d=True), file.samplerate, rate=48_000, n_channels=n_channels
        )


def _clip(
    samples: np.ndarray, recorded_at: int, *, rate: int | None = None, n_channels: int = 1
) -> np.ndarray:
    """Return what was recorded as int16, at another rate and as one channel where wanted."""
    if samples.ndim == 2 and n_channels == 1:
        samples = samples.mean(axis=1)
    if rate is not None and rate != recorded_at:
        samples = resample_poly(samples, rate, recorded_at)
    samples = samples - samples.mean(axis=0)
    peak = np.abs(samples).max()
    return np.round(samples * (2**14 / peak if peak else 0)).astype(np.int16)


def _existing_package(folder: Path, package: str) -> None:
    if not folder.exists():
        raise SystemExit(f"{folder} does not exist: apt-get install {package}.")
