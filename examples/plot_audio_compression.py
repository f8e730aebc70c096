"""
=============================
Sounds as short byte strings
=============================

An :class:`~skae.AudioCompressor` learns from recordings how to write others of their kind in few
bits. Here it learns an instrument, a plucked string, from a minute of it, and writes a tune that it
has not heard.
"""

# %%
# A minute of an instrument
# -------------------------
# Strings are noise that goes round and round in a delay line, and gets a little softer each time
# (Karplus and Strong, Computer Music Journal 7, 1983). A melody is the sum of its notes.

import matplotlib.pyplot as plt
import numpy as np
from scipy.signal import lfilter

from skae import AudioCompressor
from skae.inspection import RateDistortionDisplay, SpectrogramDisplay
from skae.metrics import si_sdr

RATE = 22_050
random = np.random.default_rng(0)


def string(frequency, seconds=1.5):
    """Pluck a string."""
    delay = round(RATE / frequency)
    noise = np.zeros(round(seconds * RATE))
    noise[:delay] = random.uniform(-1, 1, delay)
    loop = np.zeros(delay + 2)
    loop[0], loop[-2:] = 1, -0.499
    return lfilter([1], loop, noise)


def melody(n_notes):
    """Play random notes of a scale, five a second."""
    step = RATE // 5
    tune = np.zeros((n_notes + 8) * step)
    for i in range(n_notes):
        note = string(220 * 2 ** (random.choice([0, 2, 4, 7, 9, 12, 14]) / 12))
        tune[i * step : i * step + len(note)] += note
    return (tune * 3000).astype(np.int16)


recordings = [melody(30) for _ in range(8)]
tune = melody(20)

# %%
# The fit takes a few seconds: nothing in it is trained step by step.

model = AudioCompressor(sample_rate=RATE).fit(recordings)
seconds = len(tune) / RATE
print(f"{seconds:.1f} s, {tune.nbytes:,} bytes; frames of {model.hop_length_} samples")
for quality in (10, 30, 50, 70):
    [stream] = model.compress([tune], quality=quality)
    [decoded] = model.decompress([stream])
    rate, fidelity = len(stream) / 125 / seconds, si_sdr(tune, decoded)
    print(
        f"quality {quality}: {len(stream):6,} bytes, {rate:5.1f} kbit/s, SI-SDR {fidelity:.1f} dB"
    )

# %%
# What is lost
# ------------
# Where the tune is loud, it is kept; what is far below is replaced by noise about as loud. Around
# the beginning of a note, noise is spread over the frames of a twentieth of a second.

[stream] = model.compress([tune], quality=20)
[decoded] = model.decompress([stream])
rate = len(stream) / 125 / seconds
SpectrogramDisplay.from_predictions(tune, decoded, RATE, name=f"at {rate:.1f} kbit/s")

# %%
# For ears, or for measurements
# -----------------------------
# By default noise stays where it is not heard. ``shaping="fidelity"`` spreads it evenly instead,
# for signals that are measured: the squared error is smaller at the same rate.

faithful = AudioCompressor(sample_rate=RATE, shaping="fidelity").fit(recordings)
qualities = [0, 15, 30, 45, 60, 75]
display = RateDistortionDisplay.from_estimator(
    model, [tune], qualities=qualities, sample_rate=RATE, estimator_name="for ears"
)
RateDistortionDisplay.from_estimator(
    faithful,
    [tune],
    qualities=qualities,
    sample_rate=RATE,
    estimator_name="for measurements",
    ax=display.ax_,
)

# %%
# While it goes on
# ----------------
# An encoder takes samples as they come, and a decoder takes bytes. Together, what they write is the
# stream of the whole tune.

encoder, decoder = model.encoder(quality=20), model.decoder()
pieces = [encoder.push(piece) for piece in np.array_split(tune, 40)] + [encoder.flush()]
print([len(piece) for piece in pieces if piece], b"".join(pieces) == stream)
heard = [decoder.push(piece) for piece in pieces] + [decoder.flush()]
print(np.array_equal(np.concatenate(heard), decoded))

plt.show()
