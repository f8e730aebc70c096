"""A model of one's own, fitted to image files or to sound files."""

import warnings
from argparse import Namespace
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from ._commands import Jobs, job_of
from ._files import opened, written
from ._media import IMAGES, Medium, is_original, medium_of
from ._outcomes import CommandError, Outcome
from ._pictures import read_picture
from ._plan import check_free, check_is_no_input, found
from ._recordings import kind_of_sound, opened_recording


@dataclass
class Examples:
    """What a model is fitted to: arrays of the medium, and of sounds of the kind, of the first."""

    arrays: list[Any] = field(default_factory=list)
    medium: Medium | None = None
    sound: tuple[int, int] | None = None  # sample rate, number of channels


def jobs_of_fit(args: Namespace) -> Jobs:
    """Return a job for each file that is read, and one that fits a model to all of them.

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
    steps = [step for step, _ in found(args, is_original)]
    check_is_no_input(args.output, [step.source for step in steps])
    examples = Examples()
    jobs = [job_of(step, partial(_read, step.source, examples)) for step in steps]
    return [*jobs, (args.output, partial(_fit, args, examples))]


def _read(source: Path | None, examples: Examples) -> Outcome:
    """Add an image or a sound to the others."""
    with opened(source) as file:
        medium = medium_of(source, file)
        if examples.medium not in (None, medium):
            raise CommandError(
                f"a model is fitted to images or to sounds, and the first file was of "
                f"{examples.medium.name}"
            )
        notes = (_read_image if medium == IMAGES else _read_sound)(file, examples)
    examples.medium = medium
    return Outcome("read", {}, notes) if notes else Outcome("")


def _read_image(file: BinaryIO, examples: Examples) -> tuple[str, ...]:
    """Add an image, with three channels; return notes."""
    import numpy as np

    picture = read_picture(file)
    pixels = picture.pixels
    examples.arrays.append(pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2))
    return picture.notes


def _read_sound(file: BinaryIO, examples: Examples) -> tuple[str, ...]:
    """Add a sound, in floats, for files of several encodings are fitted to together."""
    with opened_recording(file, dtype="float32") as sound:
        kind = sound.sample_rate, sound.n_channels
        if examples.sound not in (None, kind):
            raise CommandError(
                f"it has {sound.kind}, but the first file has {kind_of_sound(*examples.sound)}; a "
                "model is fitted to files of one kind"
            )
        examples.arrays.append(sound.whole())
        examples.sound = kind
        return sound.notes


def _fit(args: Namespace, examples: Examples) -> Outcome:
    from ..persistence import save

    if not examples.arrays:
        raise CommandError("there is no image and no sound to fit a model to")
    if examples.medium == IMAGES:
        model, amount, facts = _for_images(args, examples)
    else:
        model, amount, facts = _for_sounds(args, examples)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        model.fit(examples.arrays)
    with written(args.output, force=args.force) as path:
        save(model, path)
        n_bytes = path.stat().st_size
    return Outcome(
        f"{args.output}: {n_bytes:,} bytes, fitted to {amount}, model {model.fingerprint_:08x}",
        {
            "output": str(args.output),
            "bytes": n_bytes,
            **facts,
            "fingerprint": model.fingerprint_,
        },
        tuple(" ".join(str(warning.message).split()) for warning in seen),
    )


def _for_images(args: Namespace, examples: Examples) -> tuple[Any, str, dict[str, Any]]:
    """Return what is to be fitted, and to how much, in words and as facts."""
    from ..compression import ImageCompressor

    n_images = len(examples.arrays)
    n_pixels = sum(image.shape[0] * image.shape[1] for image in examples.arrays)
    amount = f"{n_images} images of {n_pixels / 1e6:.1f} megapixels"
    model = ImageCompressor(max_epochs=args.max_epochs, random_state=0)
    return model, amount, {"n_images": n_images, "n_pixels": n_pixels}


def _for_sounds(args: Namespace, examples: Examples) -> tuple[Any, str, dict[str, Any]]:
    """Return the same for sounds."""
    from ..compression import AudioCompressor

    assert examples.sound is not None
    (rate, n_channels), n_sounds = examples.sound, len(examples.arrays)
    seconds = sum(map(len, examples.arrays)) / rate
    amount = f"{n_sounds} sounds of {seconds:,.1f} s, {kind_of_sound(rate, n_channels)}"
    facts = {"n_sounds": n_sounds, "seconds": seconds, "sample_rate": rate}
    model = AudioCompressor(sample_rate=rate, max_epochs=args.max_epochs, random_state=0)
    return model, amount, {**facts, "n_channels": n_channels}
