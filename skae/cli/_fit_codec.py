"""A model of one's own, fitted to image files."""

import warnings
from argparse import Namespace
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from ._commands import Jobs, _known, is_picture
from ._files import opened, write
from ._models import bytes_of
from ._outcomes import CommandError, Outcome
from ._pictures import read_picture
from ._plan import check_free, found


def jobs_of_fit(args: Namespace) -> Jobs:
    """Return a job for each image that is read, and one that fits a model to all of them.

    Parameters
    ----------
    args : Namespace
        Options.

    Returns
    -------
    list of tuples
        As of the other commands.
    """
    if not args.force:
        check_free(args.output)
    images: list[Any] = []
    jobs: Jobs = []
    for step, _ in found(args, is_picture):
        work: Callable[[], Outcome] = partial(_read, step.source, images)
        jobs.append((step.source, partial(_known, step.outcome) if step.outcome else work))
    return [*jobs, (args.output, partial(_fit, args, images))]


def _read(source: Path | None, images: list[Any]) -> Outcome:
    """Add an image, with three channels, to the others."""
    import numpy as np

    with opened(source) as file:
        picture = read_picture(file)
    pixels = picture.pixels
    images.append(pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2))
    return Outcome("read", {}, picture.notes) if picture.notes else Outcome("")


def _fit(args: Namespace, images: list[Any]) -> Outcome:
    from ..compression import ImageCompressor

    if not images:
        raise CommandError("there is no image to fit a model to")
    n_pixels = sum(image.shape[0] * image.shape[1] for image in images)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        model = ImageCompressor(max_epochs=args.max_epochs, random_state=0).fit(images)
    content = bytes_of(model)
    write(args.output, content, force=args.force)
    return Outcome(
        f"{args.output}: {len(content):,} bytes, fitted to {len(images)} images of "
        f"{n_pixels / 1e6:.1f} megapixels, model {model.fingerprint_:08x}",
        {
            "output": str(args.output),
            "bytes": len(content),
            "n_images": len(images),
            "n_pixels": n_pixels,
            "fingerprint": model.fingerprint_,
        },
        tuple(" ".join(str(warning.message).split()) for warning in seen),
    )
