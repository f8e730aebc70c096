"""The command `skae`: files to files, and one line for each mistake."""

import numpy as np
import pytest
from sklearn.datasets import load_sample_image

from skae import cli
from skae.metrics import psnr

Image = pytest.importorskip("PIL.Image")


@pytest.fixture(scope="module")
def photo():
    return load_sample_image("china.jpg")[100:200, 200:321]


@pytest.fixture
def folder(tmp_path, monkeypatch, photo):
    monkeypatch.chdir(tmp_path)
    Image.fromarray(photo).save("photo.png")
    return tmp_path


def failure(capsys, *arguments):
    """Return the one line that a failing command writes."""
    assert cli.main(arguments) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("skae: ")
    return captured.err[len("skae: ") : -1]


def test_there_and_back(folder, photo, capsys):
    assert cli.main(["compress", "photo.png", "-o", "small.skae", "--quality", "60"]) == 0
    size = (folder / "small.skae").stat().st_size
    assert f"small.skae: {size:,} bytes" in capsys.readouterr().out
    assert cli.main(["inspect", "small.skae"]) == 0
    assert "121 x 100 pixels, 3 x uint8, quality 59.8" in capsys.readouterr().out

    assert cli.main(["decompress", "small.skae"]) == 0
    assert psnr(photo, np.asarray(Image.open("small.png"))) > 27
    assert 10 * size < 2 * photo.nbytes


def test_input_is_never_overwritten(folder, capsys):
    message = failure(capsys, "compress", "photo.png", "-o", "photo.png", "--force")
    assert message == "photo.png is the input, which is never overwritten"


@pytest.mark.parametrize("command", ["compress", "decompress"])
def test_folders_are_no_files(folder, command, capsys):
    assert failure(capsys, command, ".").startswith(". is a folder; name files, such as ")


@pytest.mark.parametrize(("option", "value"), [("--bpp", "1"), ("--psnr", "32")])
def test_targets(folder, option, value, photo, capsys):
    assert cli.main(["compress", "photo.png", option, value]) == 0
    assert cli.main(["decompress", "photo.skae", "-o", "back.png"]) == 0
    if option == "--bpp":
        assert 8 * (folder / "photo.skae").stat().st_size <= photo[..., 0].size
    else:
        assert psnr(photo, np.asarray(Image.open("back.png"))) >= 32


def test_many_files_into_a_folder(folder, photo, capsys):
    Image.fromarray(photo[:50]).convert("L").save("gray.jpg")
    (folder / "out").mkdir()

    assert cli.main(["compress", "photo.png", "gray.jpg", "-o", "out"]) == 0
    assert cli.main(["decompress", "out/photo.skae", "out/gray.skae"]) == 0
    assert sorted(path.name for path in (folder / "out").iterdir()) == [
        "gray.png",
        "gray.skae",
        "photo.png",
        "photo.skae",
    ]


def test_one_bad_file_does_not_stop_the_others(folder, capsys):
    (folder / "bad.png").write_bytes(b"no image")
    assert cli.main(["compress", "bad.png", "missing.png", "photo.png"]) == 1
    captured = capsys.readouterr()
    assert "bad.png: it is not an image file" in captured.err
    assert "missing.png" in captured.err
    assert (folder / "photo.skae").exists()


def test_nothing_is_overwritten_unless_told(folder, capsys):
    (folder / "photo.skae").write_bytes(b"mine")
    assert "photo.skae is there already" in failure(capsys, "compress", "photo.png")
    assert (folder / "photo.skae").read_bytes() == b"mine"
    assert cli.main(["compress", "photo.png", "--force"]) == 0
    assert cli.main(["inspect", "photo.skae"]) == 0


def test_two_inputs_never_share_an_output(folder, photo, capsys):
    Image.fromarray(photo).save("photo.bmp")
    assert "would both become" in failure(capsys, "compress", "photo.png", "photo.bmp")
    message = failure(capsys, "compress", "photo.png", "photo.bmp", "-o", "one.skae")
    assert message == "one.skae must be a folder that exists, for 2 files"


def test_what_would_be_lost_is_refused(folder, photo, capsys):
    alpha = np.dstack([photo, np.full(photo.shape[:2], 100, np.uint8)])
    Image.fromarray(alpha).save("photo.png")
    assert "transparent" in failure(capsys, "compress", "photo.png")
    Image.fromarray(alpha[..., 0].astype(np.uint16)).save("photo.png")
    assert "8 bits per channel" in failure(capsys, "compress", "photo.png")
    frames = [Image.fromarray(photo), Image.fromarray(photo[::-1])]
    frames[0].save("photo.png", save_all=True, append_images=frames[1:])
    assert "it has 2 frames" in failure(capsys, "compress", "photo.png")


def test_what_pillow_refuses_is_told(folder, photo, capsys, monkeypatch):
    Image.fromarray(photo).save("profile.png", icc_profile=b"no profile")
    assert cli.main(["compress", "profile.png", "photo.png"]) == 1
    assert "profile.png: its color profile is not understood" in capsys.readouterr().err
    assert (folder / "photo.skae").exists()
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    assert "exceeds limit" in failure(capsys, "compress", "photo.png", "--force")


def test_pictures_are_upright(folder, photo):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    Image.fromarray(photo).save("turned.png", exif=exif)
    np.testing.assert_array_equal(cli.read_image(folder / "turned.png"), np.rot90(photo, -1))


def test_opaque_and_indexed_pictures(folder, photo):
    opaque = np.dstack([photo, np.full(photo.shape[:2], 255, np.uint8)])
    Image.fromarray(opaque).save("opaque.png")
    np.testing.assert_array_equal(cli.read_image(folder / "opaque.png"), photo)
    indexed = Image.fromarray(photo).quantize(16)
    indexed.save("indexed.png")
    expected = np.asarray(indexed.convert("RGB"))
    np.testing.assert_array_equal(cli.read_image(folder / "indexed.png"), expected)


def test_damage_is_told(folder, capsys):
    cli.main(["compress", "photo.png"])
    stream = bytearray((folder / "photo.skae").read_bytes())
    stream[60] ^= 1
    (folder / "photo.skae").write_bytes(stream)
    capsys.readouterr()
    for command in ("inspect", "decompress"):
        arguments = [command, "photo.skae", *(["-o", "x.png"] if command == "decompress" else [])]
        assert "damaged" in failure(capsys, *arguments)
    assert not (folder / "x.png").exists()


def test_without_pillow(folder, capsys, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    assert 'pip install "skae[images]"' in failure(capsys, "compress", "photo.png")


def test_wrong_usage_exits_with_two(capsys):
    for arguments in ([], ["compress"], ["compress", "x", "--bpp", "1", "--psnr", "30"]):
        with pytest.raises(SystemExit) as error:
            cli.main(arguments)
        assert error.value.code == 2
    assert "usage: skae" in capsys.readouterr().err
