"""Build wheel and sdist, check them, and use the wheel as somebody who has just installed it.

    python tools/check_dist.py    # writes to dist/; needs the network, or wheels that pip knows

- the sdist builds the same wheel as the repository, file by file;
- `twine check` and `check-wheel-contents` have nothing to say, and both are small;
- in a new environment without extras, the first three blocks of README.md run;
- with the extra `images`, so does the block on photographs;
- the recipe for conda-forge gets the checksum of the sdist.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DIST = ROOT / "dist"
LARGEST = 4_000_000  # bytes


def run(*command: object, cwd: Path | None = None) -> None:
    """Run a command, and say which."""
    print("$", *command, flush=True)
    subprocess.run(list(map(str, command)), cwd=cwd, check=True)


def build() -> tuple[Path, Path]:
    """Return the wheel and the sdist, both made anew."""
    shutil.rmtree(DIST, ignore_errors=True)
    run(sys.executable, "-m", "build", "--outdir", DIST, ROOT)  # the wheel from the sdist
    (wheel,), (sdist,) = DIST.glob("*.whl"), DIST.glob("*.tar.gz")
    with tempfile.TemporaryDirectory() as folder:
        run(sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT)
        (direct,) = Path(folder).glob("*.whl")
        contents, others = map(contents_of, (wheel, direct))
    differ = sorted(name for name in contents | others if contents.get(name) != others.get(name))
    if differ:
        sys.exit(f"The sdist builds another wheel than the repository: {differ}")
    return wheel, sdist


def contents_of(wheel: Path) -> dict[str, bytes]:
    """Return the files of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def check(wheel: Path, sdist: Path) -> None:
    """Stop if one of them is not fit to be published."""
    run(sys.executable, "-m", "twine", "check", "--strict", wheel, sdist)
    run(sys.executable, "-m", "check_wheel_contents", wheel)
    for path in (wheel, sdist):
        print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB")
        if path.stat().st_size > LARGEST:
            sys.exit(f"{path.name} is larger than {LARGEST / 1e6:g} MB")


def use(wheel: Path) -> None:
    """Install the wheel where nothing else is, and run what the README shows."""
    readme = (ROOT / "README.md").read_text("utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", readme, re.DOTALL | re.MULTILINE)
    photographs = next(block for block in blocks if "load_sample_image" in block)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        venv.create(folder / "env", with_pip=True)
        python = folder / "env" / ("Scripts" if os.name == "nt" else "bin") / "python"
        for extra, chosen in (("", blocks[:3]), ("[images]", [blocks[0], photographs])):
            tested = ROOT / "constraints.txt"  # the versions that the tests ran with
            run(python, "-m", "pip", "install", "--quiet", "-c", tested, f"{wheel}{extra}")
            (folder / "try.py").write_text("\n".join(chosen), encoding="utf-8")
            run(python, "-W", "error::DeprecationWarning", "try.py", cwd=folder)


def fill_in_recipe(sdist: Path) -> None:
    """Write the recipe with the checksum of the sdist beside it."""
    checksum = hashlib.sha256(sdist.read_bytes()).hexdigest()
    version = re.fullmatch(r"skae-(.+)\.tar\.gz", sdist.name)[1]
    recipe = (ROOT / "packaging" / "recipe.yaml").read_text("utf-8")
    recipe = recipe.replace("@VERSION@", version).replace("@SHA256@", checksum)
    (DIST / "recipe.yaml").write_text(recipe, encoding="utf-8")


if __name__ == "__main__":
    built = build()
    check(*built)
    use(built[0])
    fill_in_recipe(built[1])
    print("All is well.")
