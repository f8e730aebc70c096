"""A folder with a photograph, and a way to run the command in it."""

import json

import numpy as np
import pytest
from sklearn.datasets import load_sample_image

from skae.cli import main

Image = pytest.importorskip("PIL.Image")


@pytest.fixture(scope="session")
def photo():
    return load_sample_image("china.jpg")[100:148, 200:265]


@pytest.fixture
def folder(tmp_path, monkeypatch, photo):
    monkeypatch.chdir(tmp_path)
    Image.fromarray(photo).save("photo.png")
    return tmp_path


@pytest.fixture
def run(capsys):
    """Run the command; return its status, and the lines of both streams."""

    def run(*arguments):
        capsys.readouterr()
        status = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return status, captured.out.splitlines(), captured.err.splitlines()

    return run


@pytest.fixture
def failure(run):
    """Run a command that fails with one line; return what it says."""

    def failure(*arguments):
        status, out, err = run(*arguments)
        assert (status, out, len(err)) == (1, [], 1)
        assert err[0].startswith("skae: ")
        return err[0][len("skae: ") :]

    return failure


@pytest.fixture
def facts(run):
    """Run a command with ``--json``; return what it says of its files."""

    def facts(*arguments):
        _, out, err = run(*arguments, "--json")
        assert not err
        return [json.loads(line) for line in out]

    return facts


@pytest.fixture(scope="session")
def swapped_profile():
    """The profile of a color space like sRGB, in which red and green have changed places."""
    from PIL import ImageCms

    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = profile.index(b"rXYZ") + 4, profile.index(b"gXYZ") + 4
    profile[red : red + 8], profile[green : green + 8] = (
        profile[green : green + 8],
        profile[red : red + 8],
    )
    return bytes(profile)


@pytest.fixture(scope="session")
def dark_profile():
    """A profile of gray values, which are squares of the light: 100 is darker than in sRGB."""
    curve = b"curv" + bytes(4) + (1).to_bytes(4, "big") + (3 * 256).to_bytes(2, "big") + bytes(2)
    white = b"XYZ " + bytes(4) + b"".join(v.to_bytes(4, "big") for v in (63190, 65536, 54061))
    parts = {b"wtpt": white, b"kTRC": curve}
    offset, table, body = 128 + 4 + 12 * len(parts), b"", b""
    for name, part in parts.items():
        table += name + (offset + len(body)).to_bytes(4, "big") + len(part).to_bytes(4, "big")
        body += part
    head = bytearray(128)
    head[8:12] = bytes([2, 0x40, 0, 0])
    head[12:24] = b"mntrGRAYXYZ "
    head[36:40] = b"acsp"
    head[68:80] = white[8:]
    profile = bytes(head) + len(parts).to_bytes(4, "big") + table + body
    return len(profile).to_bytes(4, "big") + profile[4:]


@pytest.fixture(scope="session")
def deep_png():
    """Return a PNG file of 16 bits per channel, of which Pillow reads 8."""
    import struct
    import zlib

    def chunk(name, data):
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    values = np.arange(8 * 9 * 3, dtype=">u2").reshape(8, -1) * 300
    rows = b"".join(b"\0" + row.tobytes() for row in values)
    head = struct.pack(">IIBBBBB", 9, 8, 16, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)
