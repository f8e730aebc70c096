"""
========================
Photographs in low light
========================

A camera in the dark counts few photons, and its pictures are noisy. A denoiser learns what noise
looks like from clean pictures, to which it adds noise itself, and then cleans any amount of it: how
much there is, it finds in every picture. Here it learns from the left halves of two photographs and
cleans the right halves. Real use takes more of both, pictures and minutes.
"""

# %%
# Learn from clean pictures
# -------------------------
# Images come as they are, in a list; they may have any size. ``noise_level`` says how much noise
# there may be, as a standard deviation in the units of the pixels, here up to 60 of 255.

import numpy as np
from sklearn.datasets import load_sample_images

from skae import AutoencoderDenoiser
from skae.inspection import ReconstructionDisplay
from skae.metrics import psnr

photographs = load_sample_images().images
left, right = [image[:, :320] for image in photographs], [image[:, 320:] for image in photographs]

denoiser = AutoencoderDenoiser(
    module="conv", noise_level=(0, 60), batch_size=4, max_epochs=20, random_state=0
).fit(left)
wiener = AutoencoderDenoiser(noise_level=(0, 60), max_epochs=0).fit(left)

# %%
# One model for all levels of noise
# ---------------------------------
# ``max_epochs=0`` is the filter that every training starts from. The numbers are peak
# signal-to-noise ratios in dB: 3 more are half the squared error. From two halves, and in half a
# minute, the network learns hardly more than the filter knows; from 190 gray photographs and in
# seven minutes, it gains 1.4 dB (benchmarks/denoising.py).

rng = np.random.default_rng(0)
print("sigma   noisy   filter   network")
for sigma in (5, 10, 25, 50):
    noisy = [rng.normal(image, sigma).clip(0, 255).astype(np.uint8) for image in right]
    cleaned = [model.transform(noisy) for model in (wiener, denoiser)]
    print(
        "{:5} {:7.1f} {:8.1f} {:9.1f}".format(sigma, *(psnr(right, x) for x in [noisy, *cleaned]))
    )

# %%
# Before and after
# ----------------
# Details from both photographs, with noise of a standard deviation of 25. In the map of errors,
# what is left is at edges and in fine texture: from noise it can't be told apart.

corners = [(0, 60, 40), (0, 230, 120), (1, 120, 60), (1, 20, 150)]
details = [right[i][top : top + 128, start : start + 128] for i, top, start in corners]
noisy = [rng.normal(image, 25).clip(0, 255).astype(np.uint8) for image in details]
rows, damaged, cleaned = (
    np.stack(images).reshape(len(images), -1)
    for images in (details, noisy, denoiser.transform(noisy))
)
ReconstructionDisplay.from_predictions(
    rows, cleaned, X_damaged=damaged, image_shape=(128, 128, 3), error_map=True
)

# %%
# Missing pixels
# --------------
# Other damage is other noise. With ``noise="blocks"``, rectangles and strokes are taken out of
# small images, and what is missing is NaN. Only that is filled.

from sklearn.datasets import load_digits

digits = load_digits().data
filler = AutoencoderDenoiser(
    noise="blocks", image_shape=(8, 8), max_epochs=100, random_state=0
).fit(digits[:1500])
scratched = digits[1500:].reshape(-1, 8, 8).copy()
scratched[:, 3:5, :] = np.nan
ReconstructionDisplay.from_estimator(
    filler, digits[1500:], X_damaged=scratched.reshape(-1, 64), image_shape=(8, 8), error_map=True
)
