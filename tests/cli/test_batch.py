"""Two hundred odd files: one line each, and the good ones are done."""

import io

import numpy as np
import pytest
from PIL import Image

from skae.cli._pictures import read_picture


def encoded(image, format, **params):
    file = io.BytesIO()
    image.save(file, format, **params)
    return file.getvalue()


def sizes(photo):
    """Yield pictures that are good whatever their size, mode and format."""
    shapes = [
        (1, 1),
        (1, 2),
        (2, 1),
        (1, 65),
        (48, 1),
        (3, 5),
        (5, 3),
        (7, 8),
        (8, 9),
        (9, 7),
        (16, 17),
    ]
    for height, width in shapes:
        image = Image.fromarray(photo[:height, :width])
        for mode in ("1", "L", "P", "RGB"):
            yield f"{height}x{width}.{mode}.png", encoded(image.convert(mode), "PNG")
        for suffix, format in (("jpg", "JPEG"), ("webp", "WEBP"), ("bmp", "BMP"), ("tif", "TIFF")):
            yield f"{height}x{width}.{suffix}.{suffix}", encoded(image, format)
    image = Image.fromarray(photo[:9, :10])
    for mode in ("CMYK", "YCbCr"):
        yield f"{mode}.tif", encoded(image.convert(mode), "TIFF")
    yield "LAB.tif", encoded(Image.new("LAB", (4, 3)), "TIFF")
    yield "opaque.png", encoded(image.convert("RGBA"), "PNG")
    yield "opaque-gray.png", encoded(image.convert("LA"), "PNG")
    yield "wrong-suffix.jpg", encoded(image, "PNG")
    yield "no-suffix", encoded(image, "JPEG")
    yield "Ünïcode 名前 name.png", encoded(image, "PNG")


def profiles(photo, swapped_profile, dark_profile):
    """Yield pictures that are good whatever their profile and EXIF data."""
    image = Image.fromarray(photo[:9, :10])
    broken = swapped_profile[:100], swapped_profile[:-50], b"no profile", bytes(300), b"\xff" * 900
    for i, profile in enumerate([swapped_profile, dark_profile, *broken]):
        for mode in ("1", "L", "LA", "P", "RGB", "RGBA"):
            yield (
                f"profile-{i}.{mode}.png",
                encoded(image.convert(mode), "PNG", icc_profile=profile),
            )
        cmyk = encoded(image.convert("CMYK"), "JPEG", icc_profile=profile)
        yield f"profile-{i}.CMYK.jpg", cmyk
    for i, exif in enumerate((b"II*\0\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff", b"nothing")):
        yield f"exif-{i}.jpg", encoded(image, "JPEG", exif=b"Exif\0\0" + exif)
        yield f"exif-{i}.webp.webp", encoded(image, "WEBP", exif=exif)
    yield "phone.jpg", encoded(image, "MPO", save_all=True, append_images=[image])


def bad_ones(photo, deep_png):
    """Yield files that can't be compressed."""
    image = Image.fromarray(photo)
    for i, share in enumerate((0.02, 0.2, 0.5, 0.8, 0.95)):
        for format in ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "AVIF", "JPEG2000"):
            params = {"compression": "tiff_lzw"} if format == "TIFF" else {}
            content = encoded(image, format, **params)
            yield f"cut-{i}.{format}", content[: int(share * len(content))]
    yield "empty.png", b""
    yield "text.png", b"This is no picture.\n"
    yield "page.jpg", b"<!DOCTYPE html><title>404</title>"
    yield "zeros.tif", bytes(1000)
    yield (
        "huge.png",
        encoded(image, "PNG").replace(
            (65).to_bytes(4, "big") + (48).to_bytes(4, "big"), b"\x7f\xff\xff\xff" * 2
        ),
    )
    yield "huge.ppm", b"P6\n999999 999999\n255\n"
    yield "depth.png", deep_png
    yield "depth.pgm", b"P5\n2 2\n65535\n" + bytes(8)
    yield "numbers.tif", encoded(Image.fromarray(np.ones((3, 4), np.float32)), "TIFF")
    yield "transparent.png", encoded(Image.new("RGBA", (5, 4)), "PNG")
    yield "film.gif", encoded(image, "GIF", save_all=True, append_images=[image.rotate(90)])
    yield "film.webp", encoded(image, "WEBP", save_all=True, append_images=[image.rotate(90)])


def test_two_hundred_odd_files(
    tmp_path, monkeypatch, run, photo, swapped_profile, dark_profile, deep_png
):
    monkeypatch.setattr("os.fsync", lambda file: None)
    monkeypatch.chdir(tmp_path)
    good = dict(sizes(photo)) | dict(profiles(photo, swapped_profile, dark_profile))
    bad = dict(bad_ones(photo, deep_png))
    for name, content in (good | bad).items():
        (tmp_path / name).write_bytes(content)
    names = [*good, *bad, "missing.png"]
    assert len(names) >= 200

    status, out, err = run("compress", *names, "-o", "out/")

    assert status == 1
    assert len(out) + len(err) == len(names)
    assert all(line.startswith("skae: ") for line in err)
    assert not any("Traceback" in line or "Error:" in line for line in err)
    done = {path.stem for path in (tmp_path / "out").iterdir()}
    lost = [name for name in good if name.rsplit(".", 1)[0] not in done]
    assert not lost
    assert len(done) == len(good)


@pytest.mark.filterwarnings("ignore")  # Pillow's, of damaged EXIF data
def test_metadata_of_odd_files(photo, swapped_profile, dark_profile):
    n_kept = 0
    for name, content in profiles(photo, swapped_profile, dark_profile):
        picture = read_picture(io.BytesIO(content), metadata=True)
        assert picture.pixels.shape[:2] == (9, 10), name
        assert picture.profile in (b"", swapped_profile, dark_profile)
        n_kept += bool(picture.profile)
    assert n_kept == 6  # RGB, RGBA and P of the one, L, LA and 1 of the other
