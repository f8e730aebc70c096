"""The command `skae`: photographs to small files and back."""

import argparse
import io
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import __version__

if TYPE_CHECKING:
    import numpy as np

__all__ = ["main"]

SUFFIX = ".skae"


class CommandError(Exception):
    """What the user is told in one line."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    arguments : sequence of str, default=None
        Those of the command line; None takes them from there.

    Returns
    -------
    int
        0 if all went well, else 1: what went wrong is written to the standard error stream, and the
        other files are done nevertheless. Wrong usage exits with 2.
    """
    args = _parser().parse_args(arguments)
    try:
        jobs = args.prepare(args)
    except CommandError as error:
        print(f"skae: {error}", file=sys.stderr)
        return 1
    n_failed = 0
    for source, work in _progress(jobs):
        try:
            print(work())
        except (CommandError, OSError, ValueError) as error:
            n_failed += 1
            print(f"skae: {source}: {error}", file=sys.stderr)
    return int(n_failed > 0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="skae", description="Compress photographs by an autoencoder."
    )
    parser.add_argument("--version", action="version", version=f"skae {__version__}")
    commands = parser.add_subparsers(required=True, metavar="command")

    def add(name: str, summary: str, prepare: Callable[[Any], Any]) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=summary, description=f"{summary}.")
        command.add_argument("files", nargs="+", type=Path, metavar="file")
        command.set_defaults(prepare=prepare)
        return command

    def add_output(command: argparse.ArgumentParser, default: str) -> None:
        command.add_argument(
            "-o",
            "--output",
            type=Path,
            help=f"file, or folder for many; default: beside the input, as {default}",
        )
        command.add_argument("--force", action="store_true", help="overwrite what is there")

    compress = add("compress", "write images as .skae files", _prepare_compress)
    add_output(compress, "name.skae")
    target = compress.add_mutually_exclusive_group()
    target.add_argument(
        "--quality", type=float, help="from 0, small files, to 100, fine pictures; default: 50"
    )
    target.add_argument("--bpp", type=float, help="at most so many bits per pixel")
    target.add_argument("--psnr", type=float, help="at least so many decibels")
    decompress = add("decompress", "read .skae files and write images", _prepare_decompress)
    add_output(decompress, "name.png")
    add("inspect", "tell what .skae files hold", _prepare_inspect)
    return parser


def _progress(jobs: Sequence[Any]) -> Iterable[Any]:
    """Show a bar if there are many files, somebody looks, and rich is installed."""
    if len(jobs) < 2 or not sys.stderr.isatty():
        return jobs
    try:
        from rich.console import Console
        from rich.progress import track
    except ModuleNotFoundError:
        return jobs
    return track(jobs, console=Console(stderr=True), description="")


Job = tuple[Path, Callable[[], str]]


def _prepare_compress(args: Any) -> list[Job]:
    targets = {"quality": args.quality, "target_bpp": args.bpp, "target_psnr": args.psnr}
    image_module()
    model = _model()

    def work(source: Path, output: Path) -> str:
        image = read_image(source)
        (stream,) = model.compress([image], **targets)
        output.write_bytes(stream)
        bpp = 8 * len(stream) / (image.shape[0] * image.shape[1])
        return f"{output}: {len(stream):,} bytes, {bpp:.3f} bits per pixel"

    return _jobs(args, SUFFIX, work)


def _prepare_decompress(args: Any) -> list[Job]:
    module = image_module()
    model = _model()

    def work(source: Path, output: Path) -> str:
        (image,) = model.decompress([source.read_bytes()])
        module.fromarray(image).save(output)
        return f"{output}: {image.shape[1]} x {image.shape[0]} pixels"

    return _jobs(args, ".png", work)


def _prepare_inspect(args: Any) -> list[Job]:
    from .compression import inspect_stream

    def work(source: Path) -> str:
        about = inspect_stream(source.read_bytes())
        quality = "stored" if about["quality"] is None else f"quality {about['quality']:g}"
        return (
            f"{source}: {about['n_images']} of {about['width']} x {about['height']} pixels, "
            f"{about['channels']} x {about['dtype']}, {quality}, "
            f"{about['bits_per_pixel']:.3f} bits per pixel, model {about['fingerprint']:08x}"
        )

    return [(source, lambda source=source: work(source)) for source in args.files]


def _model() -> Any:
    from .compression import ImageCompressor

    return ImageCompressor.pretrained()


def _jobs(args: Any, suffix: str, work: Callable[[Path, Path], str]) -> list[Job]:
    return [
        (source, lambda source=source, output=output: work(source, output))
        for source, output in _outputs(args, suffix)
    ]


def _outputs(args: Any, suffix: str) -> Iterator[tuple[Path, Path]]:
    """Yield inputs and where their outputs go; nothing is overwritten unless that is wanted."""
    folder = args.output if args.output is not None and args.output.is_dir() else None
    if args.output is not None and folder is None and len(args.files) > 1:
        raise CommandError(
            f"{args.output} must be a folder that exists, for {len(args.files)} files"
        )
    taken: dict[Path, Path] = {}
    for source in args.files:
        if source.is_dir():
            raise CommandError(f"{source} is a folder; name files, such as {source / '*'}")
        if folder is not None:
            output = folder / source.with_suffix(suffix).name
        else:
            output = args.output or source.with_suffix(suffix)
        if output in taken:
            raise CommandError(f"{taken[output]} and {source} would both become {output}")
        if output.exists() and output.resolve() == source.resolve():
            raise CommandError(f"{output} is the input, which is never overwritten")
        if output.exists() and not args.force:
            raise CommandError(f"{output} is there already; --force overwrites it")
        taken[output] = source
        yield source, output


def image_module() -> Any:
    """Return Pillow's module, or say how to get it.

    Returns
    -------
    module
        ``PIL.Image``.
    """
    try:
        from PIL import Image
    except ModuleNotFoundError:
        raise CommandError(
            'image files need Pillow, which is not installed: pip install "skae[images]"'
        ) from None
    return Image


def read_image(path: Path) -> "np.ndarray":
    """Read an image file as the bundled model wants it.

    Parameters
    ----------
    path : Path
        A file of any format that Pillow reads.

    Returns
    -------
    ndarray of uint8 of shape (height, width, 3)
        The picture, upright, in sRGB.

    Raises
    ------
    CommandError
        If it is no image file or a broken one, too large for Pillow, or if the picture has what
        would be lost: transparency, more than 8 bits, or further frames.
    """
    module = image_module()
    import numpy as np
    from PIL import ImageCms, ImageOps, UnidentifiedImageError

    try:
        with module.open(path) as file:
            if getattr(file, "n_frames", 1) > 1:
                raise CommandError(f"it has {file.n_frames} frames, one is supported")
            if file.mode.startswith(("I", "F")):
                raise CommandError(
                    f"its mode is {file.mode}, only 8 bits per channel are supported"
                )
            image = ImageOps.exif_transpose(file)
    except UnidentifiedImageError:
        raise CommandError("it is not an image file") from None
    except module.DecompressionBombError as error:
        raise CommandError(str(error)) from None
    if image.has_transparency_data:
        image = image.convert("RGBA")
        if image.getextrema()[3][0] < 255:
            raise CommandError("it has transparent pixels, which are not supported; flatten it")
    profile = image.info.get("icc_profile")
    if profile and image.mode in ("RGB", "CMYK"):
        source = io.BytesIO(profile)
        try:
            image = ImageCms.profileToProfile(
                image, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
        except ImageCms.PyCMSError as error:
            raise CommandError(f"its color profile is not understood: {error}") from None
    return np.asarray(image.convert("RGB"))


if __name__ == "__main__":
    sys.exit(main())
