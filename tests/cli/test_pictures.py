"""What is read of image files: nothing is cut in silence, and colors are those of sRGB."""

import base64
import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms, TiffImagePlugin

from skae.cli import read_image
from skae.cli._outcomes import CommandError
from skae.cli._pictures import read_picture

AVIF_OF_10_BITS = (
    "AAAAIGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZk1BMUEAAADybWV0YQAAAAAAAAAoaGRscgAAAAAAAAAAcGljdAAAAAAA"
    "AAAAAAAAAGxpYmF2aWYAAAAADnBpdG0AAAAAAAEAAAAeaWxvYwAAAABEAAABAAEAAAABAAABGgAAABkAAAAoaWluZgAA"
    "AAAAAQAAABppbmZlAgAAAAABAABhdjAxQ29sb3IAAAAAamlwcnAAAABLaXBjbwAAABRpc3BlAAAAAAAAAAUAAAAEAAAA"
    "EHBpeGkAAAAAAwoKCgAAAAxhdjFDgSBAAAAAABNjb2xybmNseAABAA0ABoAAAAAXaXBtYQAAAAAAAAABAAEEAQKDBAAA"
    "ACFtZGF0EgAKCDgIZsYCGg0gMgsWQAkkkkQAAHlNAg=="
)


def saved(image, format="PNG", **params):
    file = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(
        file, format, **params
    )
    file.seek(0)
    return file


def read(image, format="PNG", **params):
    return read_picture(saved(image, format, **params)).pixels


def refusal(file):
    with pytest.raises(CommandError) as caught:
        read_picture(io.BytesIO(file) if isinstance(file, bytes) else file)
    return str(caught.value)


# ---------------------------------------------------------------- gray


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P"])
def test_gray_pictures_have_one_channel(photo, mode):
    gray = Image.fromarray(photo).convert("L").point(lambda value: value & 0xF0).convert(mode)

    np.testing.assert_array_equal(read(gray), np.asarray(gray.convert("L")))


def test_gray_pictures_stored_in_colors_have_one_channel(photo):
    np.testing.assert_array_equal(read(np.repeat(photo[..., :1], 3, axis=2)), photo[..., 0])


def test_gray_pictures_with_a_profile_stay_gray(photo, swapped_profile, dark_profile):
    gray = photo[..., 0]
    assert read(gray, icc_profile=swapped_profile).ndim == 2
    darker = read(gray, icc_profile=dark_profile)
    assert darker.shape == gray.shape
    assert darker.mean() < gray.mean() - 10


# ---------------------------------------------------------------- profiles


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_profiles_are_applied_in_every_mode(photo, mode, swapped_profile):
    image = Image.fromarray(photo).convert(mode)
    plain = np.asarray(image.convert("RGB"))

    seen = read(image, icc_profile=swapped_profile)

    # Red and green primaries have changed places.
    assert np.abs(seen[..., [1, 0, 2]].astype(int) - plain).mean() < 3
    np.testing.assert_array_equal(read(image), plain)


@pytest.mark.parametrize("profile", [b"no profile", b"", bytes(200)])
def test_unusable_profiles_are_left_out_with_a_note(photo, profile):
    picture = read_picture(saved(photo, icc_profile=profile))
    np.testing.assert_array_equal(picture.pixels, photo)
    assert bool(profile) == any("color profile can't be used" in note for note in picture.notes)


def test_a_profile_of_another_color_space_is_left_out(photo, dark_profile, swapped_profile):
    picture = read_picture(saved(photo, icc_profile=dark_profile))
    assert "it is for GRAY, the picture is RGB" in picture.notes[0]
    np.testing.assert_array_equal(picture.pixels, photo)
    cmyk = Image.fromarray(photo).convert("CMYK")
    picture = read_picture(saved(cmyk, "TIFF", icc_profile=swapped_profile))
    assert "it is for RGB, the picture is CMYK" in picture.notes[0]


@pytest.mark.parametrize("format", ["JPEG", "TIFF"])
def test_cmyk_becomes_rgb(photo, format):
    cmyk = Image.fromarray(photo).convert("CMYK")
    params = {"quality": 100, "subsampling": 0} if format == "JPEG" else {}
    difference = np.abs(read(cmyk, format, **params).astype(int) - photo)
    assert difference.mean() < 3


def test_lab_becomes_rgb(photo):
    srgb, lab = (ImageCms.createProfile(name) for name in ("sRGB", "LAB"))
    image = ImageCms.profileToProfile(Image.fromarray(photo), srgb, lab, outputMode="LAB")
    assert np.abs(read(image, "TIFF").astype(int) - photo).mean() < 3


# ---------------------------------------------------------------- depth


@pytest.mark.parametrize("format", ["PNG", "PPM", "TIFF", "JPEG2000"])
def test_16_bits_of_gray_are_refused(format):
    values = np.arange(64, dtype=np.uint16).reshape(8, 8) * 900
    assert "more than 8 bits" in refusal(saved(values, format))


def test_16_bits_of_color_are_refused_though_pillow_reads_8(deep_png):
    assert Image.open(io.BytesIO(deep_png)).mode == "RGB"
    assert "more than 8 bits" in refusal(deep_png)
    values = np.arange(4 * 5 * 3, dtype=">u2").tobytes()
    assert "more than 8 bits" in refusal(b"P6\n5 4\n4095\n" + values)
    assert read_picture(io.BytesIO(b"P6\n5 4\n100\n" + bytes(60))).pixels.shape == (4, 5)


def test_16_bits_of_a_tiff_file_are_refused(photo):
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    file = saved(photo, "TIFF", tiffinfo=tags)
    content = bytearray(file.getvalue())
    with Image.open(io.BytesIO(content)) as image:
        assert image.tag_v2[258] == (8, 8, 8)
    place = content.index(struct.pack("<3H", 8, 8, 8))
    content[place : place + 6] = struct.pack("<3H", 16, 16, 16)
    assert "more than 8 bits" in refusal(bytes(content))


def test_deep_jpeg_2000_and_avif_files_are_refused(photo):
    content = bytearray(saved(photo, "JPEG2000").getvalue())
    depths = content.index(b"\xff\x4f\xff\x51") + 42
    content[depths : depths + 9 : 3] = [11] * 3
    assert "more than 8 bits" in refusal(bytes(content))
    file = io.BytesIO(base64.b64decode(AVIF_OF_10_BITS))
    assert Image.open(file).mode == "RGB"
    assert "more than 8 bits" in refusal(file)


@pytest.mark.parametrize("format", ["AVIF", "BMP", "JPEG2000", "PPM", "TGA", "TIFF", "WEBP"])
def test_8_bits_are_read(photo, format):
    difference = np.abs(read(photo, format).astype(int) - photo)
    assert difference.mean() < 8


# ---------------------------------------------------------------- alpha, orientation, frames


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_opaque_alpha_is_dropped(photo, mode):
    image = Image.fromarray(photo).convert("RGBA").convert(mode)
    params = {"transparency": b"\xff" * 256} if mode == "P" else {}
    expected = image.convert("L" if mode == "LA" else "RGB")
    np.testing.assert_array_equal(read(image, **params), np.asarray(expected))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "L", "RGB", "P"])
def test_transparent_pixels_are_refused_or_flattened(photo, mode):
    image = Image.fromarray(photo).convert(mode)
    if mode in ("RGBA", "LA"):
        image.putpixel((3, 2), (10,) * (len(mode) - 1) + (0,))
        file = saved(image)
    else:
        first = image.getpixel((3, 2))
        file = saved(image, transparency=first)
    assert "transparent pixels" in refusal(file)
    picture = read_picture(file, background=(255, 255, 255))
    assert picture.pixels[2, 3].min() == 255
    assert picture.notes == ("its transparent pixels were flattened",)
    assert picture.pixels.ndim == (2 if mode in ("L", "LA") else 3)
    assert read_picture(file, background=(255, 0, 0)).pixels[2, 3].tolist() == [255, 0, 0]


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_pictures_are_upright(tmp_path, format):
    steps = np.repeat(np.repeat(np.arange(6, dtype=np.uint8).reshape(2, 3) * 40, 16, 0), 16, 1)
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    path = tmp_path / "turned"
    Image.fromarray(steps).save(path, format, exif=exif)
    turned = read_image(path)
    assert turned.shape == (48, 32)
    assert np.abs(turned.astype(int) - np.rot90(steps, -1)).max() < 12


def test_broken_exif_data_are_left_out(photo):
    picture = read_picture(saved(photo, "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff"))
    assert picture.pixels.shape == photo.shape
    assert read_picture(saved(photo, "WEBP", exif=b"nothing")).pixels.shape == photo.shape


def test_the_first_picture_of_a_phone_is_taken(photo):
    second = Image.fromarray(photo[::4, ::4])
    file = saved(photo, "MPO", save_all=True, append_images=[second])
    picture = read_picture(file)
    assert picture.pixels.shape == photo.shape
    assert picture.notes == ("the first of its 2 pictures is taken",)


@pytest.mark.parametrize("format", ["GIF", "PNG", "TIFF", "WEBP", "AVIF"])
def test_animations_are_refused(photo, format):
    frames = [Image.fromarray(photo), Image.fromarray(photo[::-1])]
    file = saved(frames[0], format, save_all=True, append_images=frames[1:])
    assert "it has 2 frames" in refusal(file)


def test_damage_is_told(photo, monkeypatch):
    for content in (b"", b"text\n", saved(photo).getvalue()[:30]):
        assert refusal(content) in ("it is not an image file", "it can't be read: broken PNG file")
    assert "truncated" in refusal(saved(photo, "JPEG").getvalue()[:-400])
    with monkeypatch.context() as patch:
        patch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
        assert "exceeds limit" in refusal(saved(photo))


# ---------------------------------------------------------------- metadata


@pytest.mark.parametrize("format", ["AVIF", "JPEG", "PNG", "WEBP"])
def test_metadata_are_kept_on_request(photo, format, swapped_profile):
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "A camera", 3
    exif.get_ifd(0x8769)[0x9003] = "2024:05:06 07:08:09"
    file = saved(photo, format, exif=exif, icc_profile=swapped_profile)
    assert (read_picture(file).exif, read_picture(file).profile) == (b"", b"")

    picture = read_picture(file, metadata=True)

    kept = Image.Exif()
    kept.load(picture.exif)
    assert (kept[0x010F], kept.get_ifd(0x8769)[0x9003]) == ("A camera", "2024:05:06 07:08:09")
    assert 0x0112 not in kept  # it is upright now
    assert picture.profile == swapped_profile
    assert np.abs(picture.pixels[::-1, ::-1].astype(int) - photo).mean() < 10


def test_metadata_of_tiff_files_are_those_of_the_photograph(photo, swapped_profile):
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[0x010F], tags[0x0112], tags[0x8769] = "A camera", 3, {0x9003: "2024:05:06 07:08:09"}
    file = saved(photo, "TIFF", tiffinfo=tags, icc_profile=swapped_profile)

    picture = read_picture(file, metadata=True)

    kept = Image.Exif()
    kept.load(picture.exif)
    assert set(kept) == {0x010F, 0x8769}  # and not where the pixels are in the file
    assert kept.get_ifd(0x8769) == {0x9003: "2024:05:06 07:08:09"}
    assert picture.profile == swapped_profile
    np.testing.assert_array_equal(picture.pixels[::-1, ::-1], photo)


def test_profiles_that_do_not_fit_what_is_kept_are_applied(photo, swapped_profile, dark_profile):
    gray = photo[..., 0]
    assert read_picture(saved(gray, icc_profile=swapped_profile), metadata=True).profile == b""
    picture = read_picture(saved(gray, icc_profile=dark_profile), metadata=True)
    assert picture.profile == dark_profile
    np.testing.assert_array_equal(picture.pixels, gray)
    colored = np.repeat(gray[..., None], 3, axis=2)
    picture = read_picture(saved(colored, icc_profile=swapped_profile), metadata=True)
    assert (picture.profile, picture.pixels.ndim) == (b"", 2)
