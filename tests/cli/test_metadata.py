"""EXIF data and profiles in files of the command."""

import zlib

import numpy as np
import pytest
from PIL import Image

from skae.cli._metadata import Contents, packed, unpacked
from skae.cli._outcomes import CommandError
from skae.compression import BitstreamError, ImageCompressor
from skae.metrics import psnr


@pytest.fixture
def with_metadata(folder, photo, swapped_profile):
    exif = Image.Exif()
    exif[0x010F] = "A camera"
    Image.fromarray(photo).save("photo.jpg", exif=exif, icc_profile=swapped_profile, quality=95)
    return folder / "photo.jpg"


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp"])
def test_metadata_go_through(with_metadata, run, facts, photo, swapped_profile, suffix):
    [fact] = facts("compress", "photo.jpg", "--metadata")
    assert fact["profile_bytes"] == len(swapped_profile)
    assert fact["exif_bytes"] > 0
    assert fact["bytes"] * 8 > fact["bits_per_pixel"] * photo[..., 0].size + 8 * 500
    [line] = run("inspect", "photo.skae")[1]
    assert line.endswith(
        f", EXIF data of {fact['exif_bytes']} bytes, profile of {len(swapped_profile)} bytes"
    )
    name = f"back.{suffix}"
    assert run("decompress", "photo.skae", "-o", name, "--force")[0] == 0
    with Image.open(name) as back:
        assert back.getexif()[0x010F] == "A camera"
        assert back.info["icc_profile"] == swapped_profile
        assert psnr(photo, np.asarray(back)) > 25  # its colors are as they were


def test_formats_without_metadata_get_srgb(with_metadata, run, photo):
    run("compress", "photo.jpg", "--metadata")
    run("compress", "photo.jpg", "-o", "plain.skae")
    run("decompress", "plain.skae")
    status, out, [line] = run("decompress", "photo.skae", "-o", "back.ppm")
    assert (status, out) == (0, [])
    assert "PPM files can't hold its metadata, which are left out" in line
    with Image.open("plain.png") as plain, Image.open("back.ppm") as back:
        assert psnr(np.asarray(plain), np.asarray(back)) > 25
        assert "icc_profile" not in plain.info


def test_without_metadata_a_file_is_a_stream(folder, run, photo):
    run("compress", "photo.png", "--metadata")
    (image,) = ImageCompressor.pretrained().decompress([(folder / "photo.skae").read_bytes()])
    assert image.shape == photo.shape


def test_the_bytes_of_a_file():
    head = b"\x89SKM\x01\x04\0\0\0\x07\0\0\0exifprofile"
    content = head + zlib.crc32(head).to_bytes(4, "little") + b"stream"
    assert packed(Contents(b"stream", b"exif", b"profile")) == content
    assert unpacked(content) == (b"stream", b"exif", b"profile")
    assert packed(Contents(b"stream")) == b"stream"
    with pytest.raises(BitstreamError, match="starts with"):
        ImageCompressor.pretrained().decompress([content])


def test_damage_is_noticed():
    content = packed(Contents(b"stream", b"exif", b"profile"))
    front = len(content) - len(b"stream")
    for place in range(4, front):
        changed = bytearray(content)
        changed[place] ^= 1
        with pytest.raises(CommandError, match="metadata"):
            unpacked(bytes(changed))
        with pytest.raises(CommandError, match="metadata"):
            unpacked(content[:place])


def test_metadata_have_a_limit():
    with pytest.raises(CommandError, match="at most 16,777,216 can be kept"):
        packed(Contents(b"stream", bytes(2**24 + 1)))
