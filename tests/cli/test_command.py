"""The command `skae`: files to files, and one line for each of them."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from skae import ImageCompressor
from skae.cli import main
from skae.metrics import psnr


@pytest.fixture
def wrong_usage(capsys, monkeypatch):
    """Run a command that exits before any model is loaded; return what it says."""
    monkeypatch.setattr(ImageCompressor, "pretrained", None)

    def wrong_usage(*arguments):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert caught.value.code == 2
        return capsys.readouterr().err.splitlines()[-1]

    return wrong_usage


@pytest.fixture
def pipe(capfdbinary, monkeypatch):
    """Run a command with bytes as its standard input; return status and what it writes."""

    def pipe(content, *arguments):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        status = main(arguments)
        captured = capfdbinary.readouterr()
        return status, captured.out, captured.err.decode()

    return pipe


def pixels(file):
    with Image.open(file) as image:
        return np.asarray(image)


def test_there_and_back(folder, run, photo):
    status, [line], err = run("compress", "photo.png", "-o", "small.skae", "--quality", 60)
    size = (folder / "small.skae").stat().st_size
    assert (status, err) == (0, [])
    assert line.startswith(f"small.skae: {size:,} bytes, ")
    _, [line], _ = run("inspect", "small.skae")
    assert line.startswith("small.skae: 1 of 65 x 48 pixels, 3 x uint8, quality 59.8, ")

    assert run("decompress", "small.skae") == (0, ["small.png: 65 x 48 pixels"], [])
    assert psnr(photo, pixels("small.png")) > 26
    assert 5 * size < photo.nbytes


def test_help_is_quick():
    code = (
        "import sys\nfrom skae.cli import main\n"
        "try:\n    main(['compress', 'x', '--quality', '101'])\n"
        "except SystemExit as e:\n    print(e.code, *sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    status, *modules = result.stdout.split()
    assert status == "2"
    assert {"numpy", "PIL", "torch"}.isdisjoint(modules)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--quality", "101"], "'101' must be a number from 0 to 100"),
        (["--quality", "nan"], "'nan' must be a number from 0 to 100"),
        (["--bpp", "0"], "'0' must be a positive number"),
        (["--psnr", "-1"], "'-1' must be a positive number"),
        (["--psnr", "inf"], "'inf' must be a positive number"),
        (["--psnr", "30", "--bpp", "1"], "not allowed with"),
        (["--jobs", "0"], "'0' must be a whole number, 1 or more"),
        (["--jobs", "two"], "'two' must be a whole number, 1 or more"),
        (["--background", "loud"], "'loud' must be a color"),
        (["--force", "--skip-existing"], "not allowed with"),
        (["--quiet", "--json"], "not allowed with"),
        (["b.png", "-o", "one.skae"], "one.skae must be a folder, for more than one file"),
        (["b.png", "-o", "-"], "only one file can go to the standard output"),
        (["-"], "no other file can stand beside it"),
    ],
)
def test_wrong_usage_ends_before_the_model_is_loaded(folder, wrong_usage, options, message):
    assert message in wrong_usage("compress", "photo.png", *options)


def test_wrong_usage_of_decompress(folder, wrong_usage):
    assert "whole number" in wrong_usage("decompress", "a.skae", "--crop", "0", "-1", "2", "2")
    assert "out is a folder" in wrong_usage("decompress", "-", "-o", "out/").replace("/", "")


# ---------------------------------------------------------------- pipes


def test_standard_streams(folder, pipe, photo):
    content = (folder / "photo.png").read_bytes()
    status, stream, err = pipe(content, "compress", "-")
    assert status == 0
    assert err.startswith(f"-: {len(stream):,} bytes")
    status, picture, err = pipe(stream, "decompress", "-")
    assert (status, err) == (0, "-: 65 x 48 pixels\n")
    assert psnr(photo, pixels(io.BytesIO(picture))) > 26
    assert pipe(stream, "inspect", "-")[1].startswith(b"-: 1 of 65 x 48 pixels")
    assert pipe(content, "compress", "-", "-o", "x.skae")[1].startswith(b"x.skae: ")
    assert (folder / "x.skae").read_bytes() == stream
    assert pipe(b"", "compress", "photo.png", "-o", "-")[1] == stream
    assert pipe(b"no", "compress", "-")[::2] == (1, "skae: -: it is not an image file\n")


def test_formats_are_known_in_a_new_process(folder):
    command = [sys.executable, "-m", "skae.cli", "decompress", "missing.skae", "-o", "x.png"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.stderr == "skae: missing.skae: No such file or directory\n"


def test_a_reader_that_stops_and_a_full_device(folder):
    command = f"{sys.executable} -m skae.cli inspect missing.skae photo.png --json"
    for output in ("| true", "> /dev/full"):
        shell = f"set -o pipefail; {command} {output}"
        result = subprocess.run(["bash", "-c", shell], capture_output=True, text=True)
        assert result.returncode == 1
        assert "Traceback" not in result.stderr
    assert result.stderr == "skae: the standard output: No space left on device\n"


# ---------------------------------------------------------------- many files


def test_many_files_into_a_folder(folder, run, photo):
    Image.fromarray(photo[:30, ::-1]).save("other.jpg")
    assert run("compress", "photo.png", "other.jpg", "-o", "new/out/")[0] == 0
    out = folder / "new" / "out"
    assert run("decompress", out / "photo.skae", out / "other.skae")[0] == 0
    names = ["other.png", "other.skae", "photo.png", "photo.skae"]
    assert sorted(path.name for path in out.iterdir()) == names


def test_folders_are_gone_into_and_kept(folder, run, failure, photo):
    (folder / "in" / "deep" / "er").mkdir(parents=True)
    for path in ("in/a.png", "in/deep/a.PNG", "in/deep/er/b.jpg"):
        Image.fromarray(photo).save(path)
    (folder / "in" / "notes.txt").write_text("no picture")
    assert "in: it is a folder; -r goes into it" in failure("compress", "in", "-o", "out/")
    status, lines, err = run("compress", "-r", "in", "photo.png", "-o", "out/")
    assert (status, err, len(lines)) == (0, [], 4)
    out = folder / "out"
    found = sorted(path.relative_to(out).as_posix() for path in out.rglob("*.skae"))
    assert found == ["a.skae", "deep/a.skae", "deep/er/b.skae", "photo.skae"]
    assert len(run("inspect", "-r", ".")[1]) == 4
    assert run("decompress", "-r", "out")[0] == 0
    assert (folder / "out" / "deep" / "er" / "b.png").exists()


def test_two_inputs_never_share_an_output(folder, run, photo):
    Image.fromarray(photo).save("photo.bmp")
    status, out, err = run("compress", "photo.png", "photo.bmp")
    assert (status, len(out)) == (1, 1)
    assert err == ["skae: photo.bmp: photo.skae is what photo.png becomes; name it with -o"]


def test_what_is_there_can_be_skipped(folder, run, facts):
    (folder / "photo.skae").write_bytes(b"mine")
    assert run("compress", "photo.png", "--skip-existing") == (0, ["photo.skae: skipped"], [])
    [fact] = facts("compress", "photo.png", "--skip-existing")
    assert fact == {"file": "photo.png", "status": "skipped", "output": "photo.skae"}
    assert (folder / "photo.skae").read_bytes() == b"mine"


def test_several_jobs_do_the_same(folder, run):
    (folder / "text.png").write_text("no picture")
    files = ["text.png", "missing.png", "photo.png"]
    (folder / "photo.skae").write_bytes(b"mine")  # so no worker needs to load a model
    alone = run("compress", *files, "--skip-existing")
    assert alone[1:] == (
        ["photo.skae: skipped"],
        [
            "skae: text.png: it is not an image file",
            "skae: missing.png: No such file or directory",
        ],
    )
    assert run("compress", *files, "--skip-existing", "--jobs", 2) == alone


def test_quiet_and_json(folder, run, facts):
    assert run("compress", "photo.png", "--quiet") == (0, [], [])
    (folder / "photo.skae").unlink()
    missing, photo = facts("compress", "missing.png", "photo.png", "--psnr", 30)
    message = "No such file or directory"
    assert missing == {"file": "missing.png", "status": "failed", "error": message}
    size = (folder / "photo.skae").stat().st_size
    assert (photo["status"], photo["output"], photo["bytes"]) == ("done", "photo.skae", size)
    assert (photo["width"], photo["height"], photo["channels"]) == (65, 48, 3)
    assert photo["bits_per_pixel"] == 8 * size / (65 * 48)
    assert 30 <= photo["psnr"] < 32
    [about] = facts("inspect", "photo.skae")
    assert (about["status"], about["quality"]) == ("done", photo["quality"])
    [back] = facts("decompress", "photo.skae", "-o", "back.png")
    assert (back["output"], back["width"], back["height"]) == ("back.png", 65, 48)


def test_names_are_one_line(folder, failure):
    name = "two\nlines \udcff.png"
    assert failure("compress", name) == r"two\nlines \udcff.png: No such file or directory"


def test_names_that_no_file_can_have(folder, run):
    status, out, [line] = run("compress", "x" * 300, "photo.png")
    assert (status, len(out)) == (1, 1)
    assert line.endswith("x: File name too long")


def test_whatever_goes_wrong_stops_nothing_else(folder, run, monkeypatch):
    class Panic(BaseException):
        pass

    errors = iter([MemoryError(), RecursionError("too deep"), Panic("in Rust"), None])
    compress = ImageCompressor.compress

    def failing(self, *args, **kwargs):
        if (error := next(errors)) is not None:
            raise error
        return compress(self, *args, **kwargs)

    monkeypatch.setattr(ImageCompressor, "compress", failing)
    for name in "abc":
        (folder / f"{name}.png").write_bytes((folder / "photo.png").read_bytes())
    status, out, err = run("compress", "a.png", "b.png", "c.png", "photo.png")
    assert (status, len(out)) == (1, 1)
    assert err == [
        "skae: a.png: there is not enough memory for it",
        "skae: b.png: RecursionError: too deep",
        "skae: c.png: Panic: in Rust",
    ]


def test_ctrl_c_ends_with_130(folder, run, monkeypatch):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(ImageCompressor, "compress", interrupted)
    assert run("compress", "photo.png", "missing.png") == (130, [], ["skae: interrupted"])
    assert [path.name for path in folder.iterdir()] == ["photo.png"]


# ---------------------------------------------------------------- targets


def test_targets(folder, run, photo):
    status, [line], _ = run("compress", "photo.png", "-o", "b.skae", "--bpp", 1.5)
    assert status == 0
    assert ", quality " in line
    assert 8 * (folder / "b.skae").stat().st_size <= 1.5 * photo[..., 0].size
    status, [line], _ = run("compress", "photo.png", "-o", "p.skae", "--psnr", 32)
    run("decompress", "p.skae")
    reached = psnr(photo, pixels("p.png"))
    assert reached >= 32
    assert line.endswith(f", {reached:.2f} dB")


def test_targets_that_are_not_met_are_told(folder, failure, facts):
    message = failure("compress", "photo.png", "--psnr", 90)
    assert message.startswith("photo.png: --psnr 90 can't be met, ")
    assert (folder / "photo.skae").exists()  # what comes closest
    [fact] = facts("compress", "photo.png", "--force", "--bpp", 0.01)
    assert fact["status"] == "missed"
    assert fact["notes"][0].startswith("--bpp 0.01 can't be met, ")


# ---------------------------------------------------------------- pictures


def test_gray_stays_gray(folder, run, facts, photo):
    gray = Image.fromarray(photo).convert("L")
    gray.save("gray.png")
    Image.merge("RGB", [gray] * 3).save("colored.png")
    gray_file, colored = facts("compress", "gray.png", "colored.png")
    assert gray_file["channels"] == colored["channels"] == 1
    assert (folder / "gray.skae").read_bytes() == (folder / "colored.skae").read_bytes()
    run("decompress", "gray.skae", "-o", "back.png")
    assert psnr(np.asarray(gray), pixels("back.png")) > 26


def test_notes_stand_in_the_line_of_their_file(folder, run, photo):
    Image.fromarray(photo).save("profile.png", icc_profile=b"no profile")
    status, out, [line] = run("compress", "profile.png", "photo.png")
    assert (status, len(out)) == (0, 1)
    assert line.startswith("skae: profile.png: its color profile can't be used and is left out")
    assert "; profile.skae: " in line


def test_a_part_of_a_picture(folder, run, failure):
    run("compress", "photo.png")
    run("decompress", "photo.skae", "-o", "all.png")
    run("decompress", "photo.skae", "-o", "part.png", "--crop", 5, 10, 20, 15)
    whole = pixels("all.png")
    np.testing.assert_array_equal(pixels("part.png"), whole[10:25, 5:25])
    arguments = ["decompress", "photo.skae", "-o", "x.png", "--crop", 100, 0, 1, 1]
    assert "holds no pixel" in failure(*arguments)


def test_outputs_that_lose_again_ask_for_force(folder, run, failure):
    run("compress", "photo.png")
    run("decompress", "photo.skae", "-o", "all.png")
    whole = pixels("all.png")
    assert "back.jpg would lose a second time, as JPEG does; --force" in failure(
        "decompress", "photo.skae", "-o", "back.jpg"
    )
    assert not (folder / "back.jpg").exists()
    assert run("decompress", "photo.skae", "-o", "back.jpg", "--force")[0] == 0
    assert "no image format has the suffix '.xyz'" in failure(
        "decompress", "photo.skae", "-o", "back.xyz"
    )
    for suffix in ("bmp", "jp2", "ppm", "tga", "tif", "webp"):
        assert run("decompress", "photo.skae", "-o", f"back.{suffix}")[0] == 0
        np.testing.assert_array_equal(pixels(f"back.{suffix}"), whole)


def test_streams_of_the_first_bundled_model(folder, run):
    golden = Path(__file__).parents[1] / "compression" / "golden" / "photographs" / "china.skae"
    (folder / "china.skae").write_bytes(golden.read_bytes())
    assert run("decompress", "china.skae")[0] == 0
    (expected,) = ImageCompressor.pretrained(version=1).decompress([golden.read_bytes()])
    with Image.open(folder / "china.png") as image:
        np.testing.assert_array_equal(np.asarray(image), expected)


def test_damage_is_told(folder, run, failure):
    run("compress", "photo.png")
    stream = bytearray((folder / "photo.skae").read_bytes())
    stream[60] ^= 1
    (folder / "photo.skae").write_bytes(stream)
    assert "damaged" in failure("inspect", "photo.skae")
    assert "damaged" in failure("decompress", "photo.skae", "-o", "x.png")


def test_a_data_set_is_refused(folder, failure):
    content = ImageCompressor.pretrained().compress_dataset(np.zeros((2, 9, 8, 3), np.uint8))
    (folder / "set.skae").write_bytes(content)
    assert "it holds 2 images, one is supported" in failure("decompress", "set.skae")
