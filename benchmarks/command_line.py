"""What the command `skae` does with files, beside cwebp, cjxl and avifenc: every cell is run.

Each row is a situation, and each cell what a tool made of it, with default options or, where a cell
names one, with that. "Silently" means that the tool did not say so. The user guide shows the table.

needs: the Debian packages webp, libjxl-tools and libavif-bin.
"""

import argparse
import io
import re
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from _report import write_table
from PIL import Image, ImageCms, ImageOps
from sklearn.datasets import load_sample_image

from skae.metrics import psnr

SKAE = [sys.executable, "-m", "skae.cli"]
GOOD = 25.0  # decibels of a picture that is the right one


@dataclass(frozen=True)
class Tool:
    """An encoder and its decoder; `encode` and `decode` hold IN and OUT for the names of files."""

    name: str
    suffix: str
    encode: Sequence[str]
    decode: Sequence[str]
    pipe: Sequence[str]  # from the standard input to the standard output
    many: Sequence[str]  # of a.png and b.png into the folder out
    targets: dict[str, Sequence[str]]  # 2,000 bytes or .5 bits per pixel, 30 decibels
    metadata: Sequence[str] = ()
    threads: Sequence[str] = ()
    crop: Sequence[str] = ()  # of the decoder


PAIR = ["a.png", "b.png"]
TOOLS = (
    Tool(
        "skae",
        ".skae",
        [*SKAE, "compress", "IN", "-o", "OUT", "--force"],
        [*SKAE, "decompress", "IN", "-o", "OUT"],
        [*SKAE, "compress", "-"],
        [*SKAE, "compress", *PAIR, "-o", "out/", "--jobs", "2"],
        {"bits": ["--bpp", ".5"], "decibels": ["--psnr", "30"]},
        ["--metadata"],
        ["--jobs", "2"],
        ["--crop", "10", "20", "60", "40"],
    ),
    Tool(
        "cwebp",
        ".webp",
        ["cwebp", "IN", "-o", "OUT"],
        ["dwebp", "IN", "-o", "OUT"],
        ["cwebp", "-o", "-", "--", "-"],
        ["cwebp", *PAIR, "-o", "out"],
        {"bits": ["-size", "1500"], "decibels": ["-psnr", "30"]},
        ["-metadata", "all"],
        ["-mt"],
        ["-crop", "10", "20", "60", "40"],
    ),
    Tool(
        "cjxl",
        ".jxl",
        ["cjxl", "IN", "OUT"],
        ["djxl", "IN", "OUT"],
        ["cjxl", "-", "-"],
        ["cjxl", *PAIR, "out"],
        {"bits": ["--target_bpp", ".5"], "decibels": ["--target_psnr", "30"]},
        (),
        ["--num_threads", "2"],
        ["--crop", "10", "20", "60", "40"],
    ),
    Tool(
        "avifenc",
        ".avif",
        ["avifenc", "IN", "OUT"],
        ["avifdec", "IN", "OUT"],
        ["avifenc", "--stdin", "-o", "/dev/stdout"],
        ["avifenc", *PAIR, "out"],
        {"bits": ["--target-size", "1500"], "decibels": ["--target-psnr", "30"]},
        (),
        ["--jobs", "2"],
        ["--crop", "10", "20", "60", "40"],
    ),
)


class Bench:
    """A tool in a new folder with pictures."""

    def __init__(self, tool: Tool, folder: Path) -> None:
        self.tool, self.folder = tool, folder
        self.photo = load_sample_image("china.jpg")[100:228, 200:392]

    @property
    def option(self) -> str:
        """The first word of the option that keeps metadata."""
        return self.tool.metadata[0]

    def path(self, name: str) -> Path:
        return self.folder / name

    def save(self, name: str, image: Image.Image | None = None, **params: object) -> Image.Image:
        image = Image.fromarray(self.photo) if image is None else image
        image.save(self.path(name), **params)
        return image

    def run(self, command: Sequence[str], **params: object) -> subprocess.CompletedProcess:
        return subprocess.run(command, cwd=self.folder, capture_output=True, check=False, **params)

    def encode(
        self, name: str, options: Sequence[str] = (), **params: object
    ) -> subprocess.CompletedProcess:
        """Write an encoded file, with the suffix of the tool."""
        return self.run(
            [*self._named(self.tool.encode, name, self.coded(name)), *options], **params
        )

    def coded(self, name: str) -> str:
        return str(Path(name).with_suffix(self.tool.suffix))

    def decoded(self, name: str, options: Sequence[str] = ()) -> Image.Image | None:
        """Return the picture of an encoded file, None if there is none."""
        self.path("back.png").unlink(missing_ok=True)
        self.run([*self._named(self.tool.decode, self.coded(name), "back.png"), *options])
        if not self.path("back.png").exists():
            return None
        image = Image.open(io.BytesIO(self.path("back.png").read_bytes()))
        image.load()
        return image

    def _named(self, command: Sequence[str], source: str, output: str) -> list[str]:
        return [{"IN": source, "OUT": output}.get(part, part) for part in command]


def said(result: subprocess.CompletedProcess, words: str) -> str:
    """Return "said" if an output has one of the words."""
    text = (result.stdout + result.stderr).decode(errors="replace")
    return "said" if re.search(words, text, re.IGNORECASE) else "silently"


def close(image: Image.Image | None, other: np.ndarray) -> bool:
    """Tell whether a picture is the one that it should be."""
    if image is None:
        return False
    pixels = np.asarray(image.convert("RGB"))
    return pixels.shape == other.shape and psnr(other, pixels) > GOOD


def in_srgb(image: Image.Image) -> np.ndarray:
    profile = image.info.get("icc_profile")
    if profile:
        srgb = ImageCms.createProfile("sRGB")
        image = ImageCms.profileToProfile(image.convert("RGB"), io.BytesIO(profile), srgb)
    return np.asarray(image.convert("RGB"))


def deep_png(values: np.ndarray) -> bytes:
    """Return a PNG file of 16 bits per channel, which Pillow can't write."""

    def chunk(name: bytes, data: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + checksum

    height, width, _ = values.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    head = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


# ---------------------------------------------------------------- situations


def pipes(b: Bench) -> str:
    b.save("a.png")
    result = b.run(b.tool.pipe, input=b.path("a.png").read_bytes())
    b.path(b.coded("a.png")).write_bytes(result.stdout)
    return "both" if close(b.decoded("a.png"), b.photo) else "not of PNG"


def overwriting(b: Bench) -> str:
    b.save("a.png")
    command = [part for part in b._named(b.tool.encode, "a.png", "old") if part != "--force"]
    b.path("old").write_bytes(b"old")
    result = b.run(command)
    if b.path("old").read_bytes() != b"old":
        return "overwrites"
    return "with --force" if said(result, "--force") == "said" else "refused"


def full_disk(b: Bench) -> str:
    b.save("a.png")
    b.encode("a.png")
    before = b.path(b.coded("a.png")).read_bytes()
    limit = (1000, 1000)
    b.encode("a.png", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit))
    after = b.path(b.coded("a.png"))
    if not after.exists():
        return "old file is lost"
    return "old file stays" if after.read_bytes() == before else "part of a file"


def many_files(b: Bench) -> str:
    b.save("a.png")
    b.save("b.png")
    b.run(b.tool.many)
    names = [b.path(f"out/{name}{b.tool.suffix}") for name in "ab"]
    if not all(path.exists() for path in names):
        return "one at a time"
    b.path("b.png").write_bytes(b"no picture")
    shutil.rmtree(b.path("out"))
    b.run(b.tool.many)
    return "yes, bad ones stop none" if names[0].exists() else "yes, bad ones stop all"


def targets(b: Bench) -> str:
    b.save("a.png")
    met = []
    for name, options in b.tool.targets.items():
        b.path(b.coded("a.png")).unlink(missing_ok=True)
        b.encode("a.png", options)
        back = b.decoded("a.png")
        if back is None:
            continue
        size = b.path(b.coded("a.png")).stat().st_size
        reached = psnr(b.photo, np.asarray(back.convert("RGB")))
        is_met = size <= 1.02 * 1536 if name == "bits" else 30 <= reached < 32
        missed = f" ({size} bytes for 1,536)" if name == "bits" else f" ({reached:.0f} for 30)"
        met.append(name if is_met else name + missed)
    return ", ".join(met) or "none"


def gray(b: Bench) -> str:
    image = b.save("a.png", Image.fromarray(b.photo).convert("L"))
    b.encode("a.png")
    back = b.decoded("a.png")
    if not close(back, np.asarray(image.convert("RGB"))):
        return "refused"
    if back.mode == "L":
        return "one channel"
    apart = np.ptp(np.asarray(back.convert("RGB")).astype(int), axis=2).max()
    return f"three channels, up to {apart} apart" if apart else "three equal channels"


def alpha(b: Bench) -> str:
    values = np.dstack([b.photo, np.full(b.photo.shape[:2], 255, np.uint8)])
    b.save("opaque.png", Image.fromarray(values))
    b.encode("opaque.png")
    opaque = close(b.decoded("opaque.png"), b.photo)
    values[:40, :, 3] = 100
    b.save("a.png", Image.fromarray(values))
    result = b.encode("a.png")
    back = b.decoded("a.png")
    if back is not None:
        return "kept" if "A" in back.mode and back.getchannel("A").getextrema()[0] < 110 else "lost"
    assert said(result, "transparent") == "said"
    assert opaque
    option = b.encode("a.png", ["--background", "white"]).returncode == 0
    return "dropped if opaque, else refused or --background" if option else "refused"


def sixteen_bits(b: Bench) -> str:
    b.path("a.png").write_bytes(deep_png(b.photo.astype(np.uint16) * 257))
    result = b.encode("a.png")
    coded = b.path(b.coded("a.png"))
    if not coded.exists():
        return "refused"
    depth = 8
    if b.tool.suffix == ".avif":
        about = b.run(["avifdec", "--info", coded.name]).stdout.decode()
        depth = int(re.search(r"Bit Depth\s*:\s*(\d+)", about).group(1))
    elif b.decoded("a.png") is not None:
        depth = b.path("back.png").read_bytes()[24]
    return "kept" if depth == 16 else f"cut to {depth}, {said(result, '16.bits?|depth')}"


def profile(b: Bench) -> str:
    content = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = content.index(b"rXYZ") + 4, content.index(b"gXYZ") + 4
    content[red : red + 8], content[green : green + 8] = (
        content[green : green + 8],
        content[red : red + 8],
    )
    b.save("a.png", icc_profile=bytes(content))
    expected = in_srgb(Image.open(b.path("a.png")))
    answers = []
    for options in ((), b.tool.metadata):
        b.encode("a.png", options)
        back = b.decoded("a.png")
        coded = b.path(b.coded("a.png"))
        if back is None:
            return "refused"
        is_kept = bytes(content) in coded.read_bytes()
        seen = in_srgb(back)
        is_right = psnr(expected, seen) > psnr(b.photo, seen)
        if is_right:
            answers.append("kept" if is_kept or back.info.get("icc_profile") else "applied")
        else:
            answers.append("kept in the file alone" if is_kept else "lost, colors change")
        if not b.tool.metadata:
            break
    return answers[0] if len(set(answers)) == 1 else f"{answers[0]}; {b.option}: {answers[1]}"


def broken_profile(b: Bench) -> str:
    b.save("a.png", icc_profile=b"no profile" * 20)
    result = b.encode("a.png", b.tool.metadata if b.tool.name == "cwebp" else ())
    if result.returncode or not close(b.decoded("a.png"), b.photo):
        return "refused"
    kept = b"no profile" * 20 in b.path(b.coded("a.png")).read_bytes()
    return "kept as it is" if kept else f"left out, {said(result, 'profile|ICC')}"


def exif(b: Bench) -> str:
    data = Image.Exif()
    data[0x010F] = "A camera of ours"
    b.save("a.jpg", exif=data, quality=95)

    def is_kept(options: Sequence[str]) -> bool:
        b.path(b.coded("a.jpg")).unlink(missing_ok=True)
        b.encode("a.jpg", options)
        coded = b.path(b.coded("a.jpg"))
        return coded.exists() and b"A camera of ours" in coded.read_bytes()

    if is_kept(()):
        return "kept"
    return f"{b.option}" if b.tool.metadata and is_kept(b.tool.metadata) else "lost"


def orientation(b: Bench) -> str:
    data = Image.Exif()
    data[0x0112] = 6
    b.save("a.jpg", exif=data, quality=95)
    upright = np.asarray(ImageOps.exif_transpose(Image.open(b.path("a.jpg"))))
    b.encode("a.jpg")
    back = b.decoded("a.jpg")
    if close(back, upright):
        return "applied"
    return "kept as a tag" if close(ImageOps.exif_transpose(back), upright) else "lost"


def cmyk(b: Bench) -> str:
    image = b.save("a.jpg", Image.fromarray(b.photo).convert("CMYK"), quality=95)
    b.encode("a.jpg")
    back = b.decoded("a.jpg")
    if back is None:
        return "refused"
    return "converted" if close(back, np.asarray(image.convert("RGB"))) else "wrong colors"


def second_picture(b: Bench) -> str:
    small = Image.fromarray(np.ascontiguousarray(b.photo[::4, ::4]))
    b.save("a.jpg", format="MPO", save_all=True, append_images=[small], quality=95)
    result = b.encode("a.jpg")
    if not close(b.decoded("a.jpg"), b.photo):
        return "refused"
    return f"first one, {said(result, 'pictures')}"


def animation(b: Bench) -> str:
    others = [Image.fromarray(np.ascontiguousarray(b.photo[::-1]))]
    b.save("one.png")
    b.encode("one.png")
    b.save("a.png", save_all=True, append_images=others)
    result = b.encode("a.png")
    back = b.decoded("a.png")
    if back is None:
        return "refused"
    sizes = [b.path(b.coded(name)).stat().st_size for name in ("one.png", "a.png")]
    if sizes[1] > 1.5 * sizes[0]:  # decoders may write the first frame alone
        return "kept"
    return f"first frame, {said(result, 'frames|animat')}"


def threads(b: Bench) -> str:
    b.save("a.png")
    b.save("b.png")
    b.encode("a.png")
    b.path(b.coded("b.png")).unlink(missing_ok=True)
    result = b.encode("b.png", b.tool.threads)
    if result.returncode:
        return "none"
    same = b.path(b.coded("a.png")).read_bytes() == b.path(b.coded("b.png")).read_bytes()
    kind = "of files" if b.tool.name == "skae" else "within a picture"
    return f"{b.tool.threads[0]}, {kind}, {'same' if same else 'other'} bytes"


def part_decoding(b: Bench) -> str:
    b.save("a.png")
    b.encode("a.png")
    whole, part = b.decoded("a.png"), b.decoded("a.png", b.tool.crop)
    if part is None or part.size != (60, 40):
        return "no"
    same = np.array_equal(np.asarray(part), np.asarray(whole)[20:60, 10:70])
    return f"{b.tool.crop[0]}{'' if same else ', other pixels'}"


SITUATIONS: dict[str, Callable[[Bench], str]] = {
    "stdin and stdout": pipes,
    "overwriting": overwriting,
    "full disk": full_disk,
    "many files": many_files,
    "targets": targets,
    "gray": gray,
    "alpha": alpha,
    "16 bits": sixteen_bits,
    "profile": profile,
    "broken profile": broken_profile,
    "EXIF data": exif,
    "orientation": orientation,
    "CMYK": cmyk,
    "second picture": second_picture,
    "animation": animation,
    "threads": threads,
    "part decoding": part_decoding,
}


def cell(tool: Tool, situation: Callable[[Bench], str]) -> str:
    with tempfile.TemporaryDirectory() as folder:
        return situation(Bench(tool, Path(folder)))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--situations", nargs="+", choices=list(SITUATIONS), default=list(SITUATIONS)
    )
    args = parser.parse_args()
    rows = []
    for name in args.situations:
        cells = {tool.name: cell(tool, SITUATIONS[name]) for tool in TOOLS}
        rows.append({"situation": name, **cells})
    write_table("command_line", rows, key=["situation"])


if __name__ == "__main__":
    main()
