"""What each command does with a file."""

import contextlib
import io
import math
from argparse import Namespace
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from ._colors import in_srgb
from ._files import opened, write
from ._metadata import Contents, packed, unpacked
from ._models import model_of
from ._outcomes import CommandError, Outcome, name_of
from ._parser import SUFFIX
from ._pictures import read_picture
from ._pillow import FORMATS, format_of, pillow
from ._plan import found, planned

Jobs = list[tuple[Path | None, Callable[[], Outcome]]]

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


def jobs_of(args: Namespace) -> Jobs:
    """Return what there is to do for the options of a command.

    Parameters
    ----------
    args : Namespace
        Options.

    Returns
    -------
    list of tuples
        A file, None for a standard stream, and a function that can be pickled.
    """
    if args.command == "fit-codec":
        from ._fit_codec import jobs_of_fit

        return jobs_of_fit(args)
    if args.command == "inspect":
        steps, work = [step for step, _ in found(args, _is_stream)], inspect
    elif args.command == "compress":
        pillow("Image")
        steps, work = planned(args, SUFFIX, is_picture), compress
    else:
        pillow("Image")
        steps, work = planned(args, ".png", _is_stream), decompress
    if getattr(args, "model", None) is not None and any(step.outcome is None for step in steps):
        model_of(args.model)  # one line if it is no model, rather than one for each file
    return [
        (
            step.source,
            partial(work, args, step.source, step.output)
            if step.outcome is None
            else partial(_known, step.outcome),
        )
        for step in steps
    ]


def is_picture(path: Path) -> bool:
    """Tell whether a file in a folder is to be read as a picture."""
    return format_of(path) in FORMATS


def _is_stream(path: Path) -> bool:
    return path.suffix.lower() == SUFFIX


def _known(outcome: Outcome) -> Outcome:
    return outcome


def compress(args: Namespace, source: Path | None, output: Path | None) -> Outcome:
    """Write an image as a stream.

    Parameters
    ----------
    args : Namespace
        Options.
    source, output : Path or None
        Files, None for standard streams.

    Returns
    -------
    Outcome
        How large it is and, if there was a target, what was reached.
    """
    with opened(source) as file:
        picture = read_picture(file, metadata=args.metadata, background=args.background)
    targets = {"quality": args.quality, "target_bpp": args.bpp, "target_psnr": args.psnr}
    with _one_thread():
        model = model_of(args.model)
        (stream,) = model.compress([picture.pixels], **targets)
        facts, missed = _reached(args, model, picture.pixels, stream)
    contents = Contents(stream, picture.exif, picture.profile)
    content = packed(contents)
    write(output, content, force=args.force)
    name = name_of(output)
    summary = f"{name}: {len(content):,} bytes, {facts['bits_per_pixel']:.3f} bits per pixel"
    if args.bpp or args.psnr:
        summary += f", {_quality(facts['quality'])}"
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
    about = _about(stream)
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


def decompress(args: Namespace, source: Path | None, output: Path | None) -> Outcome:
    """Read a stream and write an image.

    Parameters
    ----------
    args : Namespace
        Options.
    source, output : Path or None
        Files, None for standard streams.

    Returns
    -------
    Outcome
        How large it is.
    """
    format = "PNG" if output is None else _format_to_write(output, args.force)
    with opened(source) as file:
        contents = unpacked(file.read())
    if (n_images := _about(contents.stream)["n_images"]) > 1:
        raise CommandError(
            f"it holds {n_images} images, one is supported; ImageCompressor.decompress_dataset "
            "reads them in Python"
        )
    region = None
    if args.crop is not None:
        x, y, width, height = args.crop
        region = slice(y, y + height), slice(x, x + width)
    with _one_thread():
        (pixels,) = model_of(args.model).decompress([contents.stream], region=region)
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


def inspect(args: Namespace, source: Path | None, output: None) -> Outcome:
    """Tell what a stream holds.

    Parameters
    ----------
    args : Namespace
        Options.
    source : Path or None
        A file, None for the standard input.
    output : None
        There is none.

    Returns
    -------
    Outcome
        What it holds.
    """
    with opened(source) as file:
        contents = unpacked(file.read())
    about = _about(contents.stream)
    more = "".join(
        f", {name} of {len(part):,} bytes"
        for name, part in (("EXIF data", contents.exif), ("profile", contents.profile))
        if part
    )
    summary = (
        f"{name_of(source)}: {about['n_images']} of {about['width']} x {about['height']} pixels, "
        f"{about['channels']} x {about['dtype']}, {_quality(about['quality'])}, "
        f"{about['bits_per_pixel']:.3f} bits per pixel, model {about['fingerprint']:08x}{more}"
    )
    return Outcome(summary, {**about, **_sizes(contents)})


def _about(stream: bytes) -> dict[str, Any]:
    from ..compression import inspect_stream

    return inspect_stream(stream)


def _sizes(contents: Contents) -> dict[str, int]:
    """Return the sizes of metadata, if there are any."""
    sizes = {"exif_bytes": len(contents.exif), "profile_bytes": len(contents.profile)}
    return {name: size for name, size in sizes.items() if size}


def _quality(quality: float | None) -> str:
    return "stored" if quality is None else f"quality {quality:g}"


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Let torch use one core: more of them gain little, and wait for one another when busy."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
