"""What there is to do for a command: a job for each file, by what the file is."""

import os
from argparse import Namespace
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import ModuleType

from . import _image_commands, _sound_commands
from ._files import opened
from ._media import IMAGES, SOUNDS, Medium, is_original, is_stream, medium_of
from ._models import model_of
from ._outcomes import CommandError, Outcome, name_of
from ._parser import TABLE_COMMANDS
from ._pillow import pillow
from ._plan import Step, found, planned
from ._soundfile import soundfile

Jobs = list[tuple[Path | None, Callable[[], Outcome]]]

_COMMANDS: dict[Medium, ModuleType] = {IMAGES: _image_commands, SOUNDS: _sound_commands}


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
    if args.command in TABLE_COMMANDS:
        from ._tables import jobs_of_tables

        return jobs_of_tables(args)
    if args.command == "inspect":
        steps = [step for step, _ in found(args, is_stream)]
        return [job_of(step, partial(inspect, step.source)) for step in steps]
    if args.command == "info":
        return [(source, partial(info, source)) for source in args.files]
    if args.command == "compress":
        steps, work = planned(args, lambda x: medium_of(x).stream_suffix, is_original), compress
    else:
        steps, work = planned(args, lambda x: medium_of(x).file_suffix, is_stream), decompress
    _check_needs(args, steps)
    return [job_of(step, partial(work, args, step.source, step.output)) for step in steps]


def job_of(step: Step, work: Callable[[], Outcome]) -> tuple[Path | None, Callable[[], Outcome]]:
    """Return a job that does some work, unless it is known already what becomes of a file."""
    return step.source, work if step.outcome is None else partial(_known, step.outcome)


def _known(outcome: Outcome) -> Outcome:
    return outcome


def _check_needs(args: Namespace, steps: Sequence[Step]) -> None:
    """Raise CommandError if no file can be done: one line, rather than one for each of them."""
    todo = [step.source for step in steps if step.outcome is None]
    media = {medium_of(source) for source in todo if source is not None and os.path.isfile(source)}
    errors = []
    for medium in media:
        try:
            pillow("Image") if medium == IMAGES else soundfile()
            if args.model is not None:
                model_of(args.model, medium)
        except CommandError as error:
            errors.append(error)
    if errors and len(errors) == len(media):
        raise errors[0]


def compress(args: Namespace, source: Path | None, output: Path | None) -> Outcome:
    """Write an image or a sound as a stream.

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
        medium = medium_of(source, file)
        medium.check_options(args)
        return _COMMANDS[medium].compress(args, file, output)


def decompress(args: Namespace, source: Path | None, output: Path | None) -> Outcome:
    """Read a stream and write an image or a sound.

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
    with opened(source) as file:
        medium = medium_of(source, file)
        medium.check_options(args)
        return _COMMANDS[medium].decompress(args, file, output)


def inspect(source: Path | None) -> Outcome:
    """Tell what a stream holds.

    Parameters
    ----------
    source : Path or None
        A file, None for the standard input.

    Returns
    -------
    Outcome
        What it holds.
    """
    with opened(source) as file:
        words, facts = _COMMANDS[medium_of(source, file)].described(file.read())
    return Outcome(f"{name_of(source)}: {words}", facts)


def info(source: Path | None) -> Outcome:
    """Tell what a model file holds.

    Parameters
    ----------
    source : Path or None
        A file that :func:`skae.save` has written, None for the standard input.

    Returns
    -------
    Outcome
        What it holds.
    """
    from ..persistence._info import facts_of

    name = name_of(source)
    with opened(source) as file:
        facts = facts_of(file, name)
    words = [facts["estimator"], f"skae {facts['versions'].get('skae', 'of unknown version')}"]
    if "n_features_in_" in facts:
        words.append(f"{facts['n_features_in_']:,} features")
    words.append(f"{facts['n_arrays']:,} arrays of {facts['bytes']:,} bytes")
    words.append("a training can go on" if facts["training"] else "no training can go on")
    if facts["types"]:
        words.append(f"needs types=[{', '.join(facts['types'])}]")
    return Outcome(f"{name}: {', '.join(words)}", facts)
