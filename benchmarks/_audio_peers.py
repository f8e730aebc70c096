"""Audio codecs of others: Opus, MP3, AAC and AMR-NB by FFmpeg's libraries, FLAC by libsndfile.

What is counted: `n_bytes` are the packets that the encoder hands over, with what each says of
itself (the first byte of a packet of Opus or AMR, headers and side information of an MP3 frame, of
FLAC the frames with their headers and checksums), and without the container: no pages of Ogg, no
tag of LAME, no ADTS headers, no first line of an AMR file, no metadata of FLAC. That is the least
anyone could take them for. `n_file_bytes` is the length of the whole file: Ogg, MP3 with the tag
of LAME, AAC with ADTS headers, AMR, FLAC.

Encoders run with their own settings but for these: Opus with variable bit rate, for "voip" or
"audio", MP3 with a constant one.

A recording whose rate a codec does not take is resampled to the next higher one, or to the highest,
by a polyphase filter without delay, and what is decoded is resampled back. The delay of codecs is
undone to the sample at the rate of the decoder, before that: one delay for all clips of a setting,
where the sum of their cross-correlations is greatest.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import av
import numpy as np
import soundfile as sf
from scipy.fft import next_fast_len
from scipy.signal import resample_poly

_MOST_DELAY = 4096  # samples

_MPEG_RATES = (8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)


@dataclass(frozen=True)
class Encoded:
    """A file, and how many of its bytes are packets."""

    file: bytes = field(repr=False)
    n_bytes: int

    @property
    def n_file_bytes(self) -> int:
        return len(self.file)


@dataclass(frozen=True)
class Peer:
    """An encoder of FFmpeg with its container, the rates that it takes, and bit rates by rate."""

    encoder: str
    container: str
    rates: Sequence[int]
    kbps: Mapping[int, Sequence[float]]  # of one channel
    options: Mapping[str, str] = field(default_factory=dict)
    stereo: bool = True

    def settings(self, rate: int, n_channels: int) -> list[float]:
        """Return total bit rates in kbit/s, none where the codec is not made for such clips."""
        if n_channels > 1 and not self.stereo:
            return []
        return [n_channels * kbps for kbps in self.kbps.get(rate, ())]

    def coded_rate(self, rate: int) -> int:
        return min((r for r in self.rates if r >= rate), default=max(self.rates))

    def encode(self, clip: np.ndarray, rate: int, kbps: float) -> Encoded:
        coded_rate = self.coded_rate(rate)
        samples = resampled(clip / 32768, rate, coded_rate)
        file = io.BytesIO()
        n_bytes = 0
        with av.open(file, "w", format=self.container) as container:
            stream = container.add_stream(self.encoder, rate=coded_rate, options=dict(self.options))
            stream.layout = _layout(clip)
            stream.bit_rate = round(1000 * kbps)
            stream.codec_context.open()
            for frame in _frames(samples, coded_rate, stream.codec_context):
                for packet in stream.encode(frame):
                    n_bytes += packet.size
                    container.mux(packet)
        return Encoded(file.getvalue(), n_bytes)

    def decode(self, encoded: Encoded) -> tuple[np.ndarray, int]:
        """Return what the decoder gives, with its delay, and the rate."""
        with av.open(io.BytesIO(encoded.file)) as container:
            planar = av.AudioResampler(format="fltp")
            frames = [f for coded in container.decode(audio=0) for f in planar.resample(coded)]
        samples = np.concatenate([frame.to_ndarray() for frame in frames], axis=1).T
        return samples.astype(np.float64), frames[0].sample_rate


@dataclass(frozen=True)
class Flac:
    """Lossless; settings are levels of effort."""

    def settings(self, rate: int, n_channels: int) -> list[float]:
        return [8]

    def encode(self, clip: np.ndarray, rate: int, level: float) -> Encoded:
        file = io.BytesIO()
        sf.write(file, clip, rate, format="FLAC", subtype="PCM_16", compression_level=level / 8)
        content = file.getvalue()
        return Encoded(content, len(content) - _flac_metadata(content))

    def decode(self, encoded: Encoded) -> tuple[np.ndarray, int]:
        return sf.read(io.BytesIO(encoded.file), always_2d=True)


def _mpeg_kbps(low: Sequence[float], middle: Sequence[float], high: Sequence[float]) -> Mapping:
    return {8000: low, 16_000: middle, 44_100: high, 48_000: high}


_OPUS_RATES = (8000, 12_000, 16_000, 24_000, 48_000)
_OPUS_VOICE = dict.fromkeys((8000, 16_000), (6, 7, 8, 9, 10, 12, 16, 20, 24))
_OPUS_MUSIC = (16, 24, 32, 40, 48, 64, 96)
_MP3_KBPS = _mpeg_kbps((8, 16, 24, 32), (16, 24, 32, 40, 48, 64), (48, 64, 80, 96, 128))
_AMR_KBPS = (4.75, 5.15, 5.9, 6.7, 7.4, 7.95, 10.2, 12.2)

PEERS: Mapping[str, Peer | Flac] = {
    "Opus, voip": Peer(
        "libopus", "ogg", _OPUS_RATES, _OPUS_VOICE, {"application": "voip", "vbr": "on"}
    ),
    "Opus, audio": Peer(
        "libopus",
        "ogg",
        _OPUS_RATES,
        {**_OPUS_VOICE, 44_100: _OPUS_MUSIC, 48_000: _OPUS_MUSIC},
        {"application": "audio", "vbr": "on"},
    ),
    "MP3": Peer("libmp3lame", "mp3", _MPEG_RATES, _MP3_KBPS),
    "AAC": Peer(
        "aac",
        "adts",
        _MPEG_RATES,
        _mpeg_kbps((8, 12, 16, 24), (12, 16, 24, 32, 48, 64), (48, 64, 96, 128)),
    ),
    "AMR-NB": Peer(
        "libopencore_amrnb", "amr", (8000,), {8000: _AMR_KBPS, 16_000: _AMR_KBPS}, stereo=False
    ),
    "FLAC": Flac(),
}


def decoded_clips(
    peer: Peer | Flac, clips: Sequence[np.ndarray], files: Sequence[Encoded], rate: int
) -> list[np.ndarray]:
    """Return decoded clips as floats: without delay, at their rate, of their shapes."""
    decoded = [peer.decode(file) for file in files]
    decoded_rate = decoded[0][1]
    originals = [resampled(_columns(clip) / 32768, rate, decoded_rate) for clip in clips]
    delay = common_delay(originals, [samples for samples, _ in decoded])
    return [
        _fitted(resampled(_shifted(samples, delay), decoded_rate, rate), len(clip)).reshape(
            clip.shape
        )
        for clip, (samples, _) in zip(clips, decoded, strict=True)
    ]


def common_delay(originals: Sequence[np.ndarray], decoded: Sequence[np.ndarray]) -> int:
    """Return by how many samples all decoded clips are late."""
    total = np.zeros(2 * _MOST_DELAY + 1)
    for x, y in zip(originals, decoded, strict=True):
        x, y = x.sum(axis=1), y.sum(axis=1)
        n = next_fast_len(len(x) + len(y) + _MOST_DELAY, real=True)
        correlation = np.fft.irfft(np.fft.rfft(y, n) * np.conj(np.fft.rfft(x, n)), n)
        around = np.concatenate([correlation[-_MOST_DELAY:], correlation[: _MOST_DELAY + 1]])
        total += around / (np.linalg.norm(x) * np.linalg.norm(y) + 1e-12)
    return int(np.argmax(total)) - _MOST_DELAY


def resampled(samples: np.ndarray, rate: int, new_rate: int) -> np.ndarray:
    if rate == new_rate:
        return samples
    ratio = Fraction(new_rate, rate)
    return resample_poly(samples, ratio.numerator, ratio.denominator)


def _frames(samples: np.ndarray, rate: int, codec: av.AudioCodecContext) -> list:
    """Return frames as the encoder takes them, and None, which flushes it."""
    planes = np.ascontiguousarray(_columns(samples).T, dtype=np.float32)
    whole = av.AudioFrame.from_ndarray(planes, format="fltp", layout=_layout(samples))
    whole.sample_rate, whole.pts = rate, 0
    converter = av.AudioResampler(codec.format, codec.layout, rate, frame_size=codec.frame_size)
    return [*converter.resample(whole), *converter.resample(None), None]


def _columns(samples: np.ndarray) -> np.ndarray:
    return samples.reshape(len(samples), -1)


def _layout(samples: np.ndarray) -> str:
    return "stereo" if samples.ndim == 2 else "mono"


def _shifted(samples: np.ndarray, delay: int) -> np.ndarray:
    return samples[delay:] if delay >= 0 else np.pad(samples, ((-delay, 0), (0, 0)))


def _fitted(samples: np.ndarray, length: int) -> np.ndarray:
    return np.pad(samples, ((0, max(0, length - len(samples))), (0, 0)))[:length]


def _flac_metadata(content: bytes) -> int:
    """Return the length of what stands before the first frame."""
    place, last = 4, False
    while not last:
        last = bool(content[place] & 0x80)
        place += 4 + int.from_bytes(content[place + 1 : place + 4], "big")
    return place
