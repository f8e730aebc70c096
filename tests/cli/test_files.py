"""Outputs are whole files or none, and nothing else changes."""

import os
import stat

import pytest

from skae.cli import _files


def test_input_is_never_overwritten(folder, failure, run):
    message = failure("compress", "photo.png", "-o", "photo.png", "--force")
    assert message == "photo.png: photo.png is the input, which is never overwritten"
    message = failure("fit-codec", ".", "-o", "photo.png", "--force")
    assert message == "photo.png is an input, which is never overwritten"
    (folder / "model").touch()
    message = failure("compress", "photo.png", "--model", "model", "-o", "model", "--force")
    assert message == "photo.png: model is an input, which is never overwritten"
    other = folder / "other.skae"
    other.write_bytes(b"no picture")
    status, _, err = run("compress", "photo.png", "other.skae", "-o", ".", "--force")
    assert status == 1
    assert "other.skae is the input" in err[0]
    assert other.read_bytes() == b"no picture"


def test_nothing_is_overwritten_unless_told(folder, failure, run):
    (folder / "photo.skae").write_bytes(b"mine")
    message = failure("compress", "photo.png")
    assert message == "photo.png: photo.skae is there already; --force overwrites it"
    assert (folder / "photo.skae").read_bytes() == b"mine"
    assert run("compress", "photo.png", "--force")[0] == 0
    assert run("inspect", "photo.skae")[0] == 0


def test_hard_links_to_the_input_leave_it_as_it_is(folder, run):
    before = (folder / "photo.png").read_bytes()
    os.link("photo.png", "link.skae")
    assert run("compress", "photo.png", "-o", "link.skae", "--force")[0] == 0
    assert (folder / "photo.png").read_bytes() == before
    assert run("inspect", "link.skae")[0] == 0


def test_symbolic_links_are_not_written_through(folder, run, failure):
    os.symlink("photo.png", "input.skae")
    assert "is the input" in failure("compress", "photo.png", "-o", "input.skae", "--force")
    (folder / "other.txt").write_text("other")
    os.symlink("other.txt", "link.skae")
    os.symlink("nowhere", "dangling.skae")
    for name in ("link.skae", "dangling.skae"):
        assert "is there already" in failure("compress", "photo.png", "-o", name)
        assert run("compress", "photo.png", "-o", name, "--force")[0] == 0
        assert not (folder / name).is_symlink()
    assert (folder / "other.txt").read_text() == "other"
    assert not (folder / "nowhere").exists()


def test_new_files_have_the_usual_permissions(folder, run):
    before = os.umask(0o027)
    try:
        run("compress", "photo.png")
    finally:
        os.umask(before)
    assert stat.S_IMODE((folder / "photo.skae").stat().st_mode) == 0o640


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_leaves_what_was_there(folder, run, failure, monkeypatch, step):
    run("compress", "photo.png")
    before = (folder / "photo.skae").read_bytes()

    def fail(*args):
        raise OSError(28, "No space left on device", "somewhere")

    place = (_files.os, "fsync") if step == "fsync" else (_files.Path, "replace")
    monkeypatch.setattr(*place, fail)
    message = failure("compress", "photo.png", "--quality", "80", "--force")
    assert message == "photo.png: photo.skae can't be written: No space left on device"
    assert (folder / "photo.skae").read_bytes() == before
    assert sorted(path.name for path in folder.iterdir()) == ["photo.png", "photo.skae"]


def test_devices_are_written_to(folder, run):
    assert run("compress", "photo.png", "-o", "/dev/null")[0] == 0
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_folders_that_can_not_be_written_are_told(folder, failure):
    (folder / "file").write_bytes(b"")
    message = failure("compress", "photo.png", "-o", "file/x.skae")
    assert "x.skae can't be written: " in message
