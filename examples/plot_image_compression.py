"""
=============================
Images as short byte strings
=============================

An :class:`~skae.ImageCompressor` learns from images how to write others of their kind in few bytes.
Here it learns handwritten digits, then photographs, and is compared with JPEG, if Pillow is
installed.
"""

# %%
# A data set of small images
# --------------------------
# Half of the digits are for learning. The others, images of 8 x 8 pixels, become one byte string,
# in which each takes a fraction of its 64 bytes.

import io

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits, load_sample_images

from skae import ImageCompressor
from skae.inspection import CompressedImageDisplay, RateDistortionDisplay
from skae.metrics import bd_rate, bits_per_pixel, ms_ssim, psnr

try:
    from PIL import Image
except ModuleNotFoundError:
    Image = None

digits = np.uint8(load_digits().images * 15)
train, test = digits[:900], digits[900:]
model = ImageCompressor().fit(train)

qualities = [10, 30, 50, 70]
streams = [model.compress_dataset(test, quality=quality) for quality in qualities]
decoded = [model.decompress_dataset(stream) for stream in streams]
print("quality   bytes per image   PSNR")
for quality, stream, images in zip(qualities, streams, decoded, strict=True):
    print(f"{quality:4} {len(stream) / len(test):14.1f} {psnr(list(test), list(images)):13.1f} dB")

# %%
# Any image can be read without the others. Here are fifteen of them, put together.


def mosaic(images, n_columns, gap=0):
    """Put images side by side."""
    images = np.pad(images, [(0, -len(images) % n_columns), (gap, gap), (gap, gap)])
    rows = images.reshape(-1, n_columns, *images.shape[1:])
    return np.vstack([np.hstack(row) for row in rows])


some = np.arange(100, 850, 50)
CompressedImageDisplay.from_predictions(
    mosaic(test[some], 5, gap=1),
    [mosaic(model.decompress_dataset(stream, some), 5, gap=1) for stream in streams[:3]],
    [8 * len(stream) / test.size for stream in streams[:3]],
    names=[f"quality {quality}" for quality in qualities[:3]],
    n_columns=2,
    max_value=240,
    image_kwargs={"cmap": "gray_r", "vmax": 240},
)

# %%
# JPEG cuts pictures into blocks of 8 x 8 pixels. One large picture of all digits suits it well, as
# each digit fills a block. But its cosines are made for all pictures, and these are digits.


def jpeg(images, quality, **options):
    """Write images as JPEG files; return these, and what is read from them."""
    files, back = [], []
    for image in images:
        file = io.BytesIO()
        picture = Image.fromarray(np.ascontiguousarray(image))
        picture.save(file, "JPEG", quality=quality, optimize=True, **options)
        files.append(file.getvalue())
        back.append(np.asarray(Image.open(file)))
    return files, back


whole = mosaic(test, 30)
rates = {"ImageCompressor": [8 * len(stream) / whole.size for stream in streams]}
ratios = {"ImageCompressor": [psnr([whole], [mosaic(images, 30)]) for images in decoded]}
if Image is not None:
    files = [jpeg([whole], quality) for quality in (5, 15, 30, 50, 70, 85, 95)]
    rates["JPEG, one picture"] = [bits_per_pixel(file, [whole]) for file, _ in files]
    ratios["JPEG, one picture"] = [psnr([whole], back) for _, back in files]
display = RateDistortionDisplay.from_predictions(rates, ratios, log_scale=False)
display.ax_.set_title("Digits that the model has not seen")

# %%
# Photographs
# -----------
# One model learns from the left halves of two photographs, and is tested on the right halves.
# Nothing could be more like these, but two halves are very little to learn from.
# :meth:`~skae.ImageCompressor.pretrained` returns a model that has learned from many photographs,
# others than these.

pictures = load_sample_images().images
left, right = [image[:, :320] for image in pictures], [image[:, 320:] for image in pictures]
models = {
    "fitted to the left halves": ImageCompressor().fit(left),
    "pretrained": ImageCompressor.pretrained(),
}

rates, ratios = {}, {}
for name, model in models.items():
    streams = [model.compress(right, quality=quality) for quality in (0, 10, 25, 40, 55, 70)]
    rates[name] = [bits_per_pixel(some, right) for some in streams]
    ratios[name] = [psnr(right, model.decompress(some)) for some in streams]
if Image is not None:
    files = [jpeg(right, quality, subsampling=2) for quality in (5, 10, 20, 35, 50, 70, 85, 92)]
    rates["JPEG"] = [bits_per_pixel(some, right) for some, _ in files]
    ratios["JPEG"] = [psnr(right, back) for _, back in files]
    for name in models:
        change = bd_rate(rates[name], ratios[name], rates["JPEG"], ratios["JPEG"])
        print(f"{name}: {change:+.0f} % bits for the same PSNR as JPEG")
display = RateDistortionDisplay.from_predictions(rates, ratios)
display.ax_.set_title("The right halves of two photographs")

# %%
# The same number of bits
# -----------------------
# `target_bpp` asks for the best picture that a number of bits per pixel allows. JPEG gets the
# lowest quality that takes no fewer. What is lost looks different: the model from two halves leaves
# grains, where JPEG leaves squares.

flower = right[1]
names, decoded, rates = list(models), [], []
for model in models.values():
    streams = model.compress([flower], target_bpp=0.25)
    decoded.extend(model.decompress(streams))
    rates.append(bits_per_pixel(streams, [flower]))
if Image is not None:
    for quality in range(1, 96):
        file, back = jpeg([flower], quality, subsampling=2)
        if bits_per_pixel(file, [flower]) >= max(rates):
            break
    names.append(f"JPEG, quality {quality}")
    decoded.extend(back)
    rates.append(bits_per_pixel(file, [flower]))
for name, image in zip(names, decoded, strict=True):
    print(f"MS-SSIM {ms_ssim(flower, image):.3f}, {name}")
CompressedImageDisplay.from_predictions(
    flower, decoded, rates, names=names, crop=(110, 20, 180, 180), n_columns=2
)
plt.show()
