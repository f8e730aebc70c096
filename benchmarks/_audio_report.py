"""Rates at equal quality, Bjontegaard's deltas, and what is claimed, of rows of codecs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from skae.metrics import bd_rate

OURS = "AudioCompressor"
KNOWN = f"{OURS}, known speaker"
FIDELITY = f"{OURS}, fidelity"
TRAINED = f"{OURS}, trained"
SPEECH, DIGITS = "speech_s2i_trim", "fsdd"
MUSIC, LOOPS = "singularity-music", "sonic-pi-samples"

# Levels at which rates are compared.
LEVELS: Mapping[str, Mapping[str, Sequence[float]]] = {
    SPEECH: {"pesq_wb": (2.5, 2.7, 3.2, 3.8, 4.1), "stoi": (0.95, 0.97, 0.98, 0.99)},
    DIGITS: {"pesq_nb": (2.7, 3.1, 3.2, 3.5, 3.8), "stoi": (0.93, 0.95, 0.97)},
    MUSIC: {"visqol": (3.5, 4.0, 4.4), "si_sdr": (15, 20, 25)},
    f"{MUSIC}-stereo": {"visqol": (3.5, 4.0, 4.4), "si_sdr": (15, 20, 25)},
    LOOPS: {"visqol": (3.5, 4.0, 4.4), "si_sdr": (15, 20, 25)},
    f"{LOOPS}-stereo": {"visqol": (3.5, 4.0, 4.4), "si_sdr": (15, 20, 25)},
    "esc10": {"visqol": (3.5, 4.0, 4.4), "si_sdr": (5, 10, 15)},
}
REFERENCES = ("Opus, voip", "Opus, audio", "MP3", "AAC")
LOWER_IS_BETTER = ("lsd",)

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Curve:
    """What a codec reaches at which rates, of one measure."""

    kbps: np.ndarray
    values: np.ndarray

    def rate_at(self, level: float) -> float | None:
        """Return the least rate that reaches a level, interpolated by the logarithm of the rate.

        There is none where all points are above the level, or all below.
        """
        reached = np.maximum.accumulate(self.values)
        if len(reached) < 2 or not reached[0] <= level <= reached[-1]:
            return None
        after = int(np.argmax(reached >= level))
        if after == 0:
            return float(self.kbps[0])
        part = slice(after - 1, after + 1)
        return float(np.exp(np.interp(level, reached[part], np.log(self.kbps[part]))))

    def value_at(self, kbps: float) -> float | None:
        """Return the value at a rate, if that lies between two points."""
        if len(self.kbps) == 0 or not self.kbps[0] <= kbps <= self.kbps[-1]:
            return None
        return float(np.interp(np.log(kbps), np.log(self.kbps), self.values))


@dataclass(frozen=True)
class Claim:
    """A value that must be reached at a rate, or at a share of the rate of another codec.

    With `margin`, the value must be that much above the other codec's at the same rate.
    """

    data: str
    measure: str
    codec: str = OURS
    kbps: float | None = None
    level: float | None = None
    peer: str | None = None
    share: float | None = None
    margin: float | None = None


CLAIMS = (
    Claim(SPEECH, "pesq_wb", kbps=12.5, level=2.9),
    Claim(SPEECH, "pesq_wb", kbps=21, level=3.7),
    Claim(SPEECH, "pesq_wb", level=2.7, peer="MP3", share=0.5),
    Claim(SPEECH, "pesq_wb", level=3.2, peer="MP3", share=0.5),
    Claim(SPEECH, "pesq_wb", level=3.8, peer="MP3", share=0.5),
    Claim(SPEECH, "stoi", kbps=8.5, level=0.97),
    Claim(SPEECH, "pesq_wb", codec=TRAINED, kbps=11, level=3.1),
    Claim(SPEECH, "pesq_wb", codec=TRAINED, kbps=15, level=3.7),
    *(
        Claim(SPEECH, "pesq_wb", codec=TRAINED, kbps=kbps, peer="Opus, voip", margin=0)
        for kbps in (8, 12, 16)
    ),
    Claim(DIGITS, "pesq_nb", kbps=5.5, level=3.2),
    Claim(DIGITS, "pesq_nb", codec=KNOWN, kbps=4.2, level=3.1),
    *(Claim(data, "visqol", level=4.0, peer="MP3", share=2 / 3) for data in (MUSIC, LOOPS)),
    *(
        Claim(data, "si_sdr", codec=FIDELITY, kbps=64, peer=peer, margin=5)
        for data in (MUSIC, LOOPS)
        for peer in ("MP3", "AAC")
    ),
)


def curve(rows: Sequence[Row], data: str, codec: str, measure: str) -> Curve:
    """Return a codec's points by rate; higher values are better."""
    sign = -1 if measure in LOWER_IS_BETTER else 1
    points = sorted(
        (row["kbps"], sign * row[measure])
        for row in rows
        if row["data"] == data
        and row["codec"] == codec
        and row.get(measure) is not None
        and np.isfinite(row[measure])
    )
    return Curve(*np.array(points, dtype=float).reshape(-1, 2).T)


def rates(rows: Sequence[Row]) -> Iterator[dict[str, Any]]:
    """Yield a line for each data set, measure and codec: rates at levels, and deltas in percent."""
    for data, measures in LEVELS.items():
        codecs = dict.fromkeys(row["codec"] for row in rows if row["data"] == data)
        for measure, levels in measures.items():
            for codec in codecs:
                own = curve(rows, data, codec, measure)
                if len(own.kbps) < 2:
                    continue
                line: dict[str, Any] = {"data": data, "measure": measure, "codec": codec}
                for i, level in enumerate(levels, start=1):
                    line |= {f"level {i}": level, f"kbps {i}": own.rate_at(level)}
                for reference in REFERENCES:
                    line[f"delta to {reference}"] = _delta(
                        own, curve(rows, data, reference, measure)
                    )
                yield line


def claims(rows: Sequence[Row]) -> Iterator[dict[str, Any]]:
    """Yield a line for each claim, with what was found and whether it holds."""
    for claim in CLAIMS:
        own = curve(rows, claim.data, claim.codec, claim.measure)
        other = curve(rows, claim.data, claim.peer, claim.measure) if claim.peer else None
        if claim.share is not None:
            found, bound = own.rate_at(claim.level), other.rate_at(claim.level)
            needed = None if bound is None else claim.share * bound
            holds = None if None in (found, needed) else found <= needed
            text = f"kbit/s for {claim.level:g}, {claim.share:.2g} of {claim.peer}"
        else:
            found = own.value_at(claim.kbps)
            bound = claim.level if other is None else other.value_at(claim.kbps)
            needed = None if bound is None else bound + (claim.margin or 0)
            holds = None if None in (found, needed) else found >= needed
            text = f"at {claim.kbps:g} kbit/s"
            text += f", {claim.margin:g} above {claim.peer}" if claim.peer else ""
        yield {
            "data": claim.data,
            "codec": claim.codec,
            "measure": claim.measure,
            "claim": text,
            "needed": needed,
            "found": found,
            "holds": None if holds is None else str(holds),
        }


def _delta(own: Curve, other: Curve) -> float | None:
    try:
        return bd_rate(own.kbps, own.values, other.kbps, other.values)
    except ValueError:  # no quality that both reach, or no such codec here
        return None
