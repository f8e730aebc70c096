"""What each command does with images."""

import io
import math
from argparse import Namespace
from pathlib import Path
from typing import Any, BinaryIO

from ._colors import in_srgb
from ._files import write
from ._media import IMAGES
from ._metadata import Contents, packed, unpacked
from ._models import at_work
from ._outcomes import CommandError, Outcome, name_of
from ._pictures import read_picture
from ._pillow import format_of, pillow
from ._streams import about_stream, told_quality

# How formats are written so that nothing is lost; the others that Pillow writes lose something.
_LOSSLESS: dict[str, dict[str, Any]] = {
    "BMP": {},
    "JPEG2000": {},
    "PNG": {},
    "PPM": {},
    "TGA": {},
    "TIFF": {},
    "WEBP": {"lossless": True},
}
_LOSSY = {"quality": 95}
_WITH_METADATA = ("AVIF", "JPEG", "PNG", "TIFF", "WEBP")


def compress(args: Namespace, file: BinaryIO, output: Path | None) -> Outcome:
    """Write an image as a stream.

    Parameters
    ----------
    args : Namespace
        Options.
    file : file object
        Where to read.
    output : Path or None
        Where to write, None for the standard output.

    Returns
    -------
    Outcome
        How large it is and, if there was a target, what was reached.
    """
    picture = read_picture(file, metadata=args.metadata, background=args.background)
    targets = {"quality": args.quality, "target_bpp": args.bpp, "target_psnr": args.psnr}
    with at_work(args.model, IMAGES) as model:
        (stream,) = model.compress([picture.pixels], **targets)
        facts, missed = _reached(args, model, picture.pixels, stream)
    contents = Contents(stream, picture.exif, picture.profile)
    content = packed(contents)
    write(output, content, force=args.force)
    name = name_of(output)
    summary = f"{name}: {len(content):,} bytes, {facts['bits_per_pixel']:.3f} bits per pixel"
    if args.bpp or args.psnr:
        summary += f", {told_quality(facts['quality'])}"
    if args.psnr:
        summary += ", exact" if facts["psnr"] is None else f", {facts['psnr']:.2f} dB"
    return Outcome(
        summary,
        {"output": name, "bytes": len(content), **facts, **_sizes(contents)},
        (*picture.notes, *missed),
        "missed" if missed else "done",
    )


def _reached(
    args: Namespace, model: Any, pixels: Any, stream: bytes
) -> tuple[dict[str, Any], list[str]]:
    """Return facts about a stream, and which target was missed."""
    about = about_stream(stream)
    facts = {name: about[name] for name in ("width", "height", "channels")}
    facts |= {name: about[name] for name in ("bits_per_pixel", "quality")}
    missed = []
    if args.bpp and facts["bits_per_pixel"] > args.bpp:
        missed = [f"--bpp {args.bpp:g} can't be met, {facts['bits_per_pixel']:.3f} is the least"]
    if args.psnr:
        from ..metrics import psnr

        decoded = model.decompress([stream])[0]
        reached = psnr([pixels], [decoded], max_value=255)
        facts["psnr"] = reached if math.isfinite(reached) else None
        if reached < args.psnr:
            missed = [f"--psnr {args.psnr:g} can't be met, {reached:.2f} is the most"]
    return facts, missed


def decompress(args: Namespace, file: BinaryIO, output: Path | None) -> Outcome:
    """Read a stream and write an image.

    Parameters
    ----------
    args : Namespace
        Options.
    file : file object
        Where to read.
    output : Path or None
        Where to write, None for the standard output.

    Returns
    -------
    Outcome
        How large it is.
    """
    from ..compression._bundled import version_of

    format = "PNG" if output is None else _format_to_write(output, args.force)
    contents = unpacked(file.read())
    about = about_stream(contents.stream)
    if (n_images := about["n_images"]) > 1:
        raise CommandError(
            f"it holds {n_images} images, one is supported; ImageCompressor.decompress_dataset "
            "reads them in Python"
        )
    region = None
    if args.crop is not None:
        x, y, width, height = args.crop
        region = slice(y, y + height), slice(x, x + width)
    with at_work(args.model, IMAGES, version_of(about["fingerprint"])) as model:
        (pixels,) = model.decompress([contents.stream], region=region)
    content, notes = _image_file(pixels, contents, format)
    write(output, content, force=args.force)
    height, width = pixels.shape[:2]
    facts = {"output": name_of(output), "width": width, "height": height, "bytes": len(content)}
    return Outcome(f"{name_of(output)}: {width} x {height} pixels", facts, notes)


def _format_to_write(output: Path, force: bool) -> str:
    format = format_of(output)
    if format not in pillow("Image").SAVE:
        raise CommandError(f"{output}: no image format has the suffix {output.suffix!r}; .png has")
    if format not in _LOSSLESS and not force:
        raise CommandError(
            f"{output} would lose a second time, as {format} does; --force writes it, .png loses "
            "nothing"
        )
    return format


def _image_file(pixels: Any, contents: Contents, format: str) -> tuple[bytes, tuple[str, ...]]:
    """Return an image file with the metadata that its format can hold."""
    image, notes = pillow("Image").fromarray(pixels), ()
    metadata = {"exif": contents.exif, "icc_profile": contents.profile}
    params = {name: value for name, value in metadata.items() if value}
    if params and format not in _WITH_METADATA:
        image, _, _ = in_srgb(image, contents.profile)
        params, notes = {}, (f"{format} files can't hold its metadata, which are left out",)
    file = io.BytesIO()
    image.save(file, format, **params, **_LOSSLESS.get(format, _LOSSY))
    return file.getvalue(), notes


def described(content: bytes) -> tuple[str, dict[str, Any]]:
    """Return what a file holds that :func:`compress` has written, in words and as facts."""
    contents = unpacked(content)
    about = about_stream(contents.stream)
    more = "".join(
        f", {name} of {len(part):,} bytes"
        for name, part in (("EXIF data", contents.exif), ("profile", contents.profile))
        if part
    )
    words = (
        f"{about['n_images']} of {about['width']} x {about['height']} pixels, "
        f"{about['channels']} x {about['dtype']}, {told_quality(about['quality'])}, "
        f"{about['bits_per_pixel']:.3f} bits per pixel, model {about['fingerprint']:08x}{more}"
    )
    return words, {**about, **_sizes(contents)}


def _sizes(contents: Contents) -> dict[str, int]:
    """Return the sizes of metadata, if there are any."""
    sizes = {"exif_bytes": len(contents.exif), "profile_bytes": len(contents.profile)}
    return {name: size for name, size in sizes.items() if size}
