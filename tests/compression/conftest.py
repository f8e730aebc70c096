"""Small data everywhere, that a fit warns of in one place, and models that several files share."""

import numpy as np
import pytest

from skae.compression import AudioCompressor

_FEW = pytest.mark.filterwarnings("ignore:X has .* few to learn")
RATE = 8000


def pytest_collection_modifyitems(items):
    """Let compressors learn from little."""
    for item in items:
        if "compression" in item.path.parts:
            item.add_marker(_FEW)


def made_sounds(n, n_samples, n_channels=1, seed=0):
    """Return sounds of tones that fade, between -1 and 1, of shape (n, n_samples, n_channels)."""
    random, time = np.random.default_rng(seed), np.arange(n_samples)[None, :, None]
    sounds = random.normal(0, 0.005, (n, n_samples, n_channels))
    for _ in range(4):
        pitch, size = random.uniform(0.05, 1, (n, 1, 1)), random.uniform(-0.2, 0.2, (n, 1, 1))
        start, length = random.integers(0, n_samples, (n, 1, 1)), random.uniform(300, 3000)
        fading = np.exp(-np.abs(time - start) / length)
        sounds += size * random.uniform(0.3, 1, n_channels) * fading * np.sin(pitch * time)
    return sounds.clip(-1, 1)


@pytest.fixture(scope="session")
def sounds():
    """Four sounds of one channel and a second, as int16."""
    return list((32_767 * made_sounds(4, RATE)[..., 0]).astype(np.int16))


@pytest.fixture(scope="session")
def of_sounds(sounds):
    """A model of one channel, with segments of a quarter of a second."""
    params = {"sample_rate": RATE, "hop_length": 64, "segment_duration": 0.25, "random_state": 0}
    return AudioCompressor(**params).fit(sounds[:3])


@pytest.fixture(scope="session")
def stereo():
    """Sounds of two channels, of several lengths, as float32."""
    return [x[: 4000 - 777 * i].astype(np.float32) for i, x in enumerate(made_sounds(4, 4000, 2))]


@pytest.fixture(scope="session")
def of_stereo(stereo):
    """A model of two channels, for measurements."""
    params = {"hop_length": 32, "segment_duration": 0.05, "shaping": "fidelity"}
    return AudioCompressor(**params, random_state=0).fit(stereo[:3])
