"""Sounds, in the same manners as images: what is read, written, asked for and refused."""

import io
import os
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile

import skae
from skae import AudioCompressor
from skae.cli import _models, _recordings, _sound_writer

RATE = 8000


def tones(n_samples, seed=0):
    """Return decaying tones, of shape (n_samples,), between -.5 and .5."""
    random = np.random.default_rng(seed)
    time = np.arange(n_samples) / RATE
    frequencies, phases = random.uniform(100, 900, (2, 3, 1))
    waves = np.sin(2 * np.pi * frequencies * time + phases) * np.exp(-4 * (2 * time % 1))
    return waves.mean(0) / 2 + random.normal(0, 0.003, n_samples)


@pytest.fixture(scope="module")
def model():
    sounds = [tones(RATE // 2, i) for i in range(6)]
    return AudioCompressor(sample_rate=RATE, segment_duration=0.25, random_state=0).fit(sounds)


@pytest.fixture(autouse=True)
def bundled(monkeypatch, model):
    """Let a small model stand for the one that comes with the package."""
    _models.model_of.cache_clear()
    monkeypatch.setattr(AudioCompressor, "pretrained", lambda: model, raising=False)
    yield
    _models.model_of.cache_clear()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    soundfile.write("talk.wav", tones(RATE), RATE)
    return tmp_path


def written(name, samples, **params):
    soundfile.write(name, samples, params.pop("rate", RATE), **params)


def error(decoded, original):
    return np.sqrt(np.mean((decoded - original) ** 2) / np.mean(original**2))


def test_there_and_back(folder, run):
    status, [line], err = run("compress", "talk.wav", "--quality", 60)
    size = (folder / "talk.ska").stat().st_size
    assert (status, err) == (0, [])
    assert line == f"talk.ska: {size:,} bytes, {size / 125:.2f} kbit/s, quality 59.8"
    _, [line], _ = run("inspect", "talk.ska")
    assert line.startswith("talk.ska: 1 of 1.00 s, 8,000 Hz, 1 channel, int16, quality 59.8, ")

    status, lines, err = run("decompress", "talk.ska", "-o", "back.wav")
    assert (status, lines, err) == (0, ["back.wav: 1.00 s, 8,000 Hz, 1 channel"], [])
    decoded, rate = soundfile.read("back.wav")
    assert (len(decoded), rate, soundfile.info("back.wav").subtype) == (RATE, RATE, "PCM_16")
    assert error(decoded, tones(RATE)) < 0.2
    assert 3 * size < (folder / "talk.wav").stat().st_size


@pytest.mark.parametrize("n_together", [999, 10**6])
def test_files_are_what_compress_returns_whatever_the_blocks(
    folder, run, monkeypatch, model, n_together
):
    monkeypatch.setattr(_recordings, "_TOGETHER", n_together)
    monkeypatch.setattr(_sound_writer, "_TOGETHER", n_together)
    run("compress", "talk.wav", "--quality", 70)
    samples, _ = soundfile.read("talk.wav", dtype="int16")
    stream = (folder / "talk.ska").read_bytes()
    assert [stream] == model.compress([samples], quality=70)
    run("decompress", "talk.ska", "-o", "back.wav")
    decoded, _ = soundfile.read("back.wav", dtype="int16")
    np.testing.assert_array_equal(decoded, model.decompress([stream])[0])


@pytest.mark.parametrize(
    ("name", "params", "dtype"),
    [
        ("a.wav", {"subtype": "PCM_U8"}, "int16"),
        ("a.wav", {"subtype": "PCM_24"}, "int32"),
        ("a.wav", {"subtype": "PCM_32"}, "int32"),
        ("a.wav", {"subtype": "FLOAT"}, "float32"),
        ("a.wav", {"format": "RF64"}, "int16"),
        ("a.flac", {}, "int16"),
        ("a.ogg", {}, "float32"),
        ("a.opus", {"format": "OGG", "subtype": "OPUS"}, "float32"),
        ("a.mp3", {}, "float32"),
        ("a.aiff", {}, "int16"),
        ("a.au", {"subtype": "PCM_24"}, "int32"),
        ("a.caf", {}, "int16"),
        ("a.w64", {"subtype": "DOUBLE"}, "float32"),
        ("sound.png", {"format": "WAV"}, "int16"),
        ("sound.skae", {"format": "OGG"}, "float32"),
        ("sound", {"format": "MP3"}, "float32"),
    ],
)
def test_what_is_read(folder, run, facts, name, params, dtype):
    written(name, tones(2000), **params)
    assert run("compress", name, "-o", "x.ska")[::2] == (0, [])
    [fact] = facts("inspect", "x.ska")
    assert fact["dtype"] == dtype
    assert fact["n_samples"] == soundfile.info(name).frames
    run("decompress", "x.ska", "-o", "x.wav")
    assert error(soundfile.read("x.wav")[0], soundfile.read(name)[0]) < 0.3


def test_images_are_no_sounds_whatever_their_names(folder, run):
    from PIL import Image

    Image.fromarray(np.zeros((4, 5), np.uint8)).save("image.wav", "PNG")
    _, lines, err = run("compress", "image.wav", "talk.wav", "-o", "out/")
    assert not err
    assert [line.split(": ")[0] for line in lines] == ["out/image.skae", "out/talk.ska"]
    (folder / "out" / "image.skae").rename("swapped.ska")
    (folder / "out" / "talk.ska").rename("swapped.skae")
    assert run("decompress", "swapped.skae", "swapped.ska", "-o", "back/")[0] == 0
    assert {path.name for path in (folder / "back").iterdir()} == {"swapped.png", "swapped.wav"}
    image, sound = run("inspect", "-r", ".")[1]
    assert image.startswith("swapped.ska: 1 of 5 x 4 pixels, ")
    assert sound.startswith("swapped.skae: 1 of 1.00 s, ")


@pytest.mark.parametrize(
    ("suffix", "subtype"),
    [("wav", "FLOAT"), ("aiff", "FLOAT"), ("au", "FLOAT"), ("caf", "FLOAT"), ("w64", "FLOAT")],
)
def test_what_is_written_loses_nothing(folder, run, model, suffix, subtype):
    written("loud.wav", 3 * tones(RATE), subtype="FLOAT")
    run("compress", "loud.wav")
    assert run("decompress", "loud.ska", "-o", f"x.{suffix}")[0] == 0
    assert soundfile.info(f"x.{suffix}").subtype == subtype
    decoded, _ = soundfile.read(f"x.{suffix}", dtype="float32")
    (expected,) = model.decompress([(folder / "loud.ska").read_bytes()])
    np.testing.assert_array_equal(decoded, expected)
    assert abs(decoded).max() > 1


def test_what_formats_can_not_hold_is_told(folder, run, failure):
    run("compress", "talk.wav")
    assert run("decompress", "talk.ska", "-o", "x.flac")[::2] == (0, [])
    assert soundfile.info("x.flac").subtype == "PCM_16"
    for suffix in ("mp3", "ogg", "opus"):
        assert "would lose a second time" in failure("decompress", "talk.ska", "-o", f"x.{suffix}")
        assert run("decompress", "talk.ska", "-o", f"x.{suffix}", "--force")[0] == 0
        assert soundfile.info(f"x.{suffix}").duration == pytest.approx(1, abs=0.01)
    assert "no sound format has the suffix '.png'" in failure(
        "decompress", "talk.ska", "-o", "x.png"
    )
    written("float.wav", tones(RATE), subtype="FLOAT")
    run("compress", "float.wav")
    status, _, [line] = run("decompress", "float.ska", "-o", "y.flac")
    assert (status, soundfile.info("y.flac").subtype) == (0, "PCM_24")
    assert "FLAC has 24 bits at most" in line


# ---------------------------------------------------------------- models


def test_other_rates_and_channels_are_refused(folder, failure):
    written("fast.wav", tones(RATE), rate=44100)
    message = failure("compress", "fast.wav")
    assert "it has 44,100 Hz, 1 channel, but the model is for 8,000 Hz, 1 channel; " in message
    assert "-ar 8000 -ac 1" in message
    assert "--model" in message
    written("stereo.wav", np.stack([tones(RATE)] * 2, 1))
    assert "it has 8,000 Hz, 2 channels, but" in failure("compress", "stereo.wav")
    assert not list(folder.glob("*.ska"))


def test_a_model_of_ones_own(folder, run, failure):
    (folder / "in" / "deep").mkdir(parents=True)
    for i in range(3):
        written(f"in/{i}.wav", np.stack([tones(RATE // 2, i)] * 2, 1))
    written("in/deep/x.flac", np.stack([tones(RATE // 2, 9)] * 2, 1), subtype="PCM_24")
    written("in/mono.wav", tones(RATE))
    (folder / "in" / "notes.txt").write_text("no sound")

    status, [line], [bad] = run("fit-codec", "in", "-o", "my.skae-model")

    assert status == 1
    assert "fitted to 4 sounds of 2.0 s, 8,000 Hz, 2 channels, model " in line
    assert bad.startswith("skae: in/mono.wav: it has 8,000 Hz, 1 channel, but the first file has")
    assert run("compress", "-r", "in", "-o", "out/", "--model", "my.skae-model")[0] == 1
    names = {path.as_posix() for path in Path("out").rglob("*.ska")}
    assert names == {"out/0.ska", "out/1.ska", "out/2.ska", "out/deep/x.ska"}
    assert run("decompress", "out/0.ska", "--model", "my.skae-model")[0] == 0
    assert soundfile.info("out/0.wav").channels == 2
    assert "was written by the model" in failure("decompress", "out/0.ska", "-o", "x.wav")
    assert not (folder / "x.wav").exists()


def test_a_model_is_of_images_or_of_sounds(folder, run, failure, model):
    from PIL import Image

    Image.fromarray(np.zeros((9, 8, 3), np.uint8)).save("image.png")
    skae.save(model, folder / "my.skae-model")
    assert failure("compress", "image.png", "--model", "my.skae-model") == (
        "my.skae-model is a model of sounds, and images need another"
    )
    status, out, err = run("compress", "image.png", "talk.wav", "--model", "my.skae-model")
    assert (status, len(out), len(err)) == (1, 1, 1)
    status, _, err = run("fit-codec", "talk.wav", "image.png", "-o", "x.skae-model")
    assert status == 1
    assert err[0] == (
        "skae: image.png: a model is fitted to images or to sounds, and the first file was of "
        "sounds"
    )
    assert (folder / "x.skae-model").exists()


def test_soundfile_may_be_missing(folder, run, failure, monkeypatch):
    run("compress", "talk.wav")
    monkeypatch.setitem(sys.modules, "soundfile", None)
    need = 'sound files need soundfile, which is not installed: pip install "skae[audio]"'
    assert failure("compress", "talk.wav", "-o", "x.ska") == need
    assert failure("decompress", "talk.ska", "-o", "x.wav") == need
    assert run("inspect", "talk.ska")[0] == 0


def test_pillow_may_be_missing(folder, run, failure, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    (folder / "in").mkdir()
    (folder / "talk.wav").rename("in/talk.wav")
    (folder / "in" / "image.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    status, [line], [bad] = run("compress", "-r", "in", "-o", "out/")
    assert (status, line.split(":")[0]) == (1, "out/talk.ska")
    assert "in/image.png: image files need Pillow" in bad
    assert failure("compress", "in/image.png").startswith("image files need Pillow")


# ---------------------------------------------------------------- options


def test_targets(folder, run, facts):
    [fact] = facts("compress", "talk.wav", "--kbps", 12)
    assert fact["bytes"] == (folder / "talk.ska").stat().st_size
    assert 8 < fact["kbps"] == fact["bytes"] / 125 <= 12
    [fact] = facts("compress", "talk.wav", "--snr", 20, "--force")
    assert 20 <= fact["snr"] < 22
    run("decompress", "talk.ska", "-o", "back.wav")
    original, decoded = (soundfile.read(name)[0] for name in ("talk.wav", "back.wav"))
    assert fact["snr"] == pytest.approx(-20 * np.log10(error(decoded, original)))


def test_targets_that_are_not_met_are_told(folder, failure, facts):
    message = failure("compress", "talk.wav", "--kbps", 0.1)
    assert message.startswith("talk.wav: --kbps 0.1 can't be met, ")
    assert (folder / "talk.ska").exists()  # what comes closest
    [fact] = facts("compress", "talk.wav", "--force", "--snr", 200)
    assert fact["status"] == "missed"
    assert fact["notes"][0].startswith("--snr 200 can't be met, ")


@pytest.mark.parametrize(
    ("arguments", "flag"),
    [
        (["compress", "talk.wav", "--bpp", "1"], "--bpp"),
        (["compress", "talk.wav", "--psnr", "30"], "--psnr"),
        (["compress", "talk.wav", "--metadata"], "--metadata"),
        (["decompress", "talk.ska", "-o", "x.wav", "--crop", "0", "0", "1", "1"], "--crop"),
    ],
)
def test_options_of_images_are_refused(folder, run, failure, arguments, flag):
    if arguments[0] == "decompress":
        run("compress", "talk.wav")
    assert failure(*arguments).endswith(f"{flag} is for images, not for sounds")


def test_a_model_is_trained_if_told(folder, facts, monkeypatch):
    shapes = []

    def look(self, X):
        shapes.extend((self.sample_rate, self.max_epochs, x.dtype.name, x.shape) for x in X)
        return fit(self.set_params(max_epochs=0), X)

    fit = AudioCompressor.fit
    monkeypatch.setattr(AudioCompressor, "fit", look)
    read, fitted = facts("fit-codec", "talk.wav", "-o", "x.skae-model", "--max-epochs", 3)
    assert shapes == [(RATE, 3, "float32", (RATE, 1))]
    assert (read["status"], fitted["n_sounds"], fitted["seconds"]) == ("done", 1, 1.0)
    assert fitted["bytes"] == (folder / "x.skae-model").stat().st_size


def test_options_of_sounds_are_refused(folder, failure):
    from PIL import Image

    Image.fromarray(np.zeros((9, 8, 3), np.uint8)).save("image.png")
    for flag in ("--kbps", "--snr"):
        message = failure("compress", "image.png", flag, "9")
        assert message == f"image.png: {flag} is for sounds, not for images"


# ---------------------------------------------------------------- files


def test_standard_streams(folder, capfdbinary, monkeypatch):
    from skae.cli import main

    def pipe(content, *arguments):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        status = main(arguments)
        captured = capfdbinary.readouterr()
        return status, captured.out, captured.err.decode()

    status, stream, err = pipe((folder / "talk.wav").read_bytes(), "compress", "-")
    assert (status, err[:3]) == (0, "-: ")
    status, sound, err = pipe(stream, "decompress", "-")
    assert (status, err) == (0, "-: 1.00 s, 8,000 Hz, 1 channel\n")
    assert error(soundfile.read(io.BytesIO(sound))[0], tones(RATE)) < 0.3
    assert pipe(stream, "inspect", "-")[1].startswith(b"-: 1 of 1.00 s, 8,000 Hz")


def test_nothing_is_overwritten_unless_told(folder, run, failure):
    (folder / "talk.ska").write_bytes(b"mine")
    assert "talk.ska is there already; --force" in failure("compress", "talk.wav")
    assert run("compress", "talk.wav", "--skip-existing")[1] == ["talk.ska: skipped"]
    assert (folder / "talk.ska").read_bytes() == b"mine"
    assert run("compress", "talk.wav", "--force")[0] == 0
    assert "talk.wav is there already; --force" in failure("decompress", "talk.ska")
    assert "is the input" in failure("compress", "talk.wav", "-o", "talk.wav", "--force")


def test_bad_files_are_told_and_leave_nothing(folder, run):
    content = (folder / "talk.wav").read_bytes()
    written("a.flac", tones(RATE))
    flac = (folder / "a.flac").read_bytes()
    written("nan.wav", np.r_[tones(RATE), np.nan], subtype="FLOAT")
    written("empty.wav", np.zeros(0))
    for name, bad in {
        "cut.flac": flac[: len(flac) // 2],
        "header.wav": content[:20],
        "nothing.wav": b"",
        "text.wav": b"This is no sound.\n",
    }.items():
        (folder / name).write_bytes(bad)
    names = ["cut.flac", "empty.wav", "header.wav", "nan.wav", "nothing.wav", "text.wav", "no.wav"]
    status, out, err = run("compress", *names, "talk.wav", "-o", "out/")
    assert (status, len(out)) == (1, 1)
    told = dict(line.removeprefix("skae: ").split(": ", 1) for line in err)
    assert told["cut.flac"].startswith("it can't be read: ")
    assert told["empty.wav"] == "it holds no samples"
    assert told["header.wav"].startswith("it can't be read: ")
    assert told["nan.wav"] == "it contains NaN or infinity at sample 8,000"
    assert told["nothing.wav"] == told["text.wav"] == "it is not a sound file"
    assert told["no.wav"] == "No such file or directory"
    assert [path.name for path in (folder / "out").iterdir()] == ["talk.ska"]


def test_files_that_were_cut_are_noted(folder, run):
    content = (folder / "talk.wav").read_bytes()
    (folder / "cut.wav").write_bytes(content[: len(content) // 2])
    status, _, [line] = run("compress", "cut.wav")
    assert status == 0
    assert line.startswith("skae: cut.wav: it is shorter than its header says")


def test_damage_is_told(folder, run, failure):
    run("compress", "talk.wav")
    stream = bytearray((folder / "talk.ska").read_bytes())
    stream[-60] ^= 1
    (folder / "talk.ska").write_bytes(stream)
    assert "damaged" in failure("inspect", "talk.ska")
    assert "damaged" in failure("decompress", "talk.ska", "-o", "x.wav")
    (folder / "talk.ska").write_bytes(stream[:-100])
    assert "the stream ends before its end" in failure("decompress", "talk.ska", "-o", "x.wav")
    assert sorted(path.name for path in folder.iterdir()) == ["talk.ska", "talk.wav"]


def test_a_data_set_is_refused(folder, failure, model):
    content = model.compress_dataset([tones(500)] * 3)
    (folder / "set.ska").write_bytes(content)
    assert "decompress_dataset reads it" in failure("decompress", "set.ska")


def test_what_libsndfile_can_not_write_is_told(folder, run, failure, monkeypatch):
    def fail(*args):
        raise soundfile.LibsndfileError(2)

    run("compress", "talk.wav")
    monkeypatch.setattr(soundfile.SoundFile, "write", fail)
    message = failure("decompress", "talk.ska", "-o", "x.wav")
    assert message == "talk.ska: x.wav can't be written: System error."
    assert sorted(path.name for path in folder.iterdir()) == ["talk.ska", "talk.wav"]


def test_pipes_with_names(folder, run):
    os.mkfifo("pipe")
    content = (folder / "talk.wav").read_bytes()
    writer = threading.Thread(target=lambda: Path("pipe").write_bytes(content))
    writer.start()
    status, lines, err = run("compress", "pipe", "-o", "x.ska")
    writer.join()
    assert (status, len(lines), err) == (0, 1, [])
    run("compress", "talk.wav")
    assert (folder / "x.ska").read_bytes() == (folder / "talk.ska").read_bytes()


def test_a_full_disk_is_told(folder, run, failure, monkeypatch):
    run("compress", "talk.wav")

    def fail(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    message = "talk.wav: x.ska can't be written: No space left on device"
    assert failure("compress", "talk.wav", "-o", "x.ska") == message
    message = "talk.ska: x.wav can't be written: No space left on device"
    assert failure("decompress", "talk.ska", "-o", "x.wav") == message
    assert sorted(path.name for path in folder.iterdir()) == ["talk.ska", "talk.wav"]


def test_rates_that_are_no_whole_numbers(folder, failure, monkeypatch):
    model = AudioCompressor(sample_rate=250.5).fit([tones(4000)])
    monkeypatch.setattr(AudioCompressor, "pretrained", lambda: model)
    (folder / "slow.ska").write_bytes(model.compress([tones(4000)])[0])
    assert "its sample rate is 250.5 Hz, but sound files need" in failure("decompress", "slow.ska")
