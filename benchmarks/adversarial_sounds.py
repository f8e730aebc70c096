"""AudioCompressor(adversarial=True) sounds more like recordings at equal bits.

It is fitted to speech and compresses other clips, the same as in audio_compression.py. For each
quality and realism: kbit/s; means of PESQ, STOI, log-spectral distance (dB) and SI-SDR (dB) over
the test clips; and how often a new critic is right about which of two test clips was decoded, for
each of many patches of spectrograms and for whole seconds, .5 if both are alike. The critic is
trained on clips that the model was fitted to, sees levels beside those of realism 0, as the critics
of the training do, and has frames of another length and layers of another kind. The figure shows
spectrograms of a test clip: original, realism 0 and realism 1.

Needs `pip install soundfile pesq pystoi`.
"""

import argparse
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from _audio_data import AUDIO
from _audio_judges import judge
from _report import write_table
from torch import Tensor, nn
from torch.nn import functional as F

from skae.compression import AudioCompressor

QUALITIES = (0, 10, 20)
REALISMS = (0.0, 1.0)
MEASURES = ("pesq_wb", "stoi", "lsd", "si_sdr")
_N_LEARNED, _SECOND, _FRAME, _STEPS, _BATCH = 60, 16_000, 400, 80, 16


def spectrograms(clips: Sequence[np.ndarray], plain: Sequence[np.ndarray]) -> Tensor:
    """Return levels of whole seconds beside those around, of shape (n, 2, frequencies, frames)."""
    seconds = [
        torch.from_numpy(np.stack([a, b])[:, start : start + _SECOND]).float() / 2**12
        for a, b in zip(clips, plain, strict=True)
        for start in range(0, len(a) - _SECOND + 1, _SECOND)
    ]
    flat = torch.cat(seconds)
    window = torch.hann_window(_FRAME)
    spectra = torch.stft(
        flat, _FRAME, _FRAME // 4, window=window, normalized=True, return_complex=True
    )
    energies = spectra.abs().square().unflatten(0, (-1, 2))
    around = F.avg_pool2d(energies[:, 1:], (9, 5), 1, (4, 2), count_include_pad=False)
    judged, around = (torch.log(x + 1e-4) / 3 for x in (energies[:, :1], around))
    return torch.cat([judged - around, around + 1], 1)


def accuracy(real: Tensor, made: Tensor, real_test: Tensor, made_test: Tensor) -> tuple[float, ...]:
    """Return how often a new critic is right, about patches and about seconds."""
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for n_in, n_out, size, stride in ((2, 16, 4, 2), (16, 32, 4, 2), (32, 32, 3, 1)):
        layers += [nn.Conv2d(n_in, n_out, size, stride, 1), nn.LeakyReLU(0.2)]
    critic = nn.Sequential(*layers, nn.Conv2d(32, 1, 3, 1, 1))
    optimizer = torch.optim.Adam(critic.parameters(), 2e-3, betas=(0.5, 0.9))
    for _ in range(_STEPS):
        some = torch.randperm(len(real))[:_BATCH]
        loss = F.softplus(-critic(real[some])).mean() + F.softplus(critic(made[some])).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        opinions = [critic(x) for x in (real_test, made_test)]
    both = opinions, [x.mean((1, 2, 3)) for x in opinions]
    return tuple(float((a > 0).float().mean() + (b < 0).float().mean()) / 2 for a, b in both)


def measure(model: AudioCompressor, train: Sequence, test: Sequence) -> Iterator[dict[str, Any]]:
    seconds = sum(map(len, test)) / 16_000
    for quality in QUALITIES:
        streams = [model.compress(clips, quality=quality) for clips in (train, test)]
        plain = [model.decompress(some, realism=0) for some in streams]
        real = [spectrograms(*both) for both in zip((train, test), plain, strict=True)]
        for realism in REALISMS:
            decoded = [model.decompress(some, realism=realism) for some in streams]
            made = [spectrograms(*both) for both in zip(decoded, plain, strict=True)]
            of_patches, of_seconds = accuracy(real[0], made[0], real[1], made[1])
            values = [
                judge(a, b, 16_000, ["visqol"]) for a, b in zip(test, decoded[1], strict=True)
            ]
            yield {
                "max_epochs": model.max_epochs_,
                "quality": quality,
                "realism": realism,
                "kbps": 8 * sum(map(len, streams[1])) / seconds / 1000,
                **{name: float(np.mean([v[name] for v in values])) for name in MEASURES},
                "right about patches": of_patches,
                "right about seconds": of_seconds,
            }


def draw(model: AudioCompressor, clip: np.ndarray, path: Path) -> None:
    """Write spectrograms below each other."""
    import matplotlib.pyplot as plt

    streams = model.compress([clip], quality=QUALITIES[1])
    shown = [clip, *(model.decompress(streams, realism=r)[0] for r in (0, 1))]
    figure, axes = plt.subplots(3, figsize=(9, 9), sharex=True, layout="constrained")
    for axis, samples in zip(axes, shown, strict=True):
        axis.specgram(samples / 2**15 + 1e-9, 512, 16_000, noverlap=384, vmin=-120, vmax=-30)
    figure.savefig(path)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--max-epochs", type=int, default=0, help="of the correction before it")
    parser.add_argument("--image", type=Path, help="file to draw spectrograms to")
    args = parser.parse_args()
    torch.set_num_threads(1)
    split = AUDIO["speech_s2i_trim"]()
    train = split.fits[""].train
    params = {"max_epochs": args.max_epochs, "adversarial": True, "random_state": 0}
    model = AudioCompressor(sample_rate=split.rate, **params)
    start = time.process_time()
    model.fit(train)
    print(f"fit: {time.process_time() - start:.0f} CPU seconds")
    rows = list(measure(model, train[:_N_LEARNED], split.test))
    write_table("adversarial_sounds", rows)
    if args.image:
        draw(model, split.test[0], args.image)


if __name__ == "__main__":
    main()
