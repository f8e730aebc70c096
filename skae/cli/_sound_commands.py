"""What each command does with sounds, block by block."""

import math
import mmap
from argparse import Namespace
from pathlib import Path
from typing import Any, BinaryIO

from ._files import written
from ._media import SOUNDS
from ._models import at_work
from ._outcomes import CommandError, Outcome, name_of
from ._recordings import Recording, kind_of_sound, opened_recording
from ._sound_writer import check_suffix, writing
from ._streams import about_stream, told_quality

_BYTES_TOGETHER = 2**12  # of a stream: silence of minutes


def compress(args: Namespace, file: BinaryIO, output: Path | None) -> Outcome:
    """Write a sound as a stream.

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
    with opened_recording(file) as sound, at_work(args.model, SOUNDS) as model:
        _check_kind(sound, model)
        with written(output, force=args.force) as path:
            facts = {**_write(args, sound, model, path), **_facts(path)}
        notes = sound.notes
    name, missed = name_of(output), []
    summary = f"{name}: {facts['bytes']:,} bytes, {facts['kbps']:.2f} kbit/s"
    summary += f", {told_quality(facts['quality'])}"
    if args.kbps and facts["kbps"] > args.kbps:
        missed = [f"--kbps {args.kbps:g} can't be met, {facts['kbps']:.2f} is the least"]
    if args.snr:
        reached = facts["snr"]
        if reached < args.snr:
            missed = [f"--snr {args.snr:g} can't be met, {reached:.2f} is the most"]
        facts["snr"] = reached if math.isfinite(reached) else None
        summary += ", exact" if facts["snr"] is None else f", {reached:.2f} dB"
    status = "missed" if missed else "done"
    return Outcome(summary, {"output": name, **facts}, (*notes, *missed), status)


def _write(args: Namespace, sound: Recording, model: Any, path: Path) -> dict[str, float]:
    """Write a stream; return the signal-to-noise ratio, if it was asked for."""
    with path.open("wb") as stream:
        if args.kbps or args.snr:  # what meets a target is searched for in the whole sound
            samples = sound.whole()
            (content,) = model.compress([samples], target_kbps=args.kbps, target_snr=args.snr)
            stream.write(content)
            return {"snr": model._snr(samples, content)} if args.snr else {}
        encoder = model.encoder(args.quality)
        stream.writelines(map(encoder.push, sound.blocks()))
        stream.write(encoder.flush())
        return {}


def _check_kind(sound: Recording, model: Any) -> None:
    """Raise CommandError if a model was fitted to other rates or numbers of channels."""
    rate, n_channels = model.sample_rate_, model._form.arrays[0].shape[1]
    if (sound.sample_rate, sound.n_channels) != (rate, n_channels):
        raise CommandError(
            f"it has {sound.kind}, but the model is for {kind_of_sound(rate, n_channels)}; "
            f"convert it, as with `ffmpeg -i in.wav -ar {rate:g} -ac {n_channels} out.wav`, or fit "
            "a model to such sounds with `skae fit-codec` and name it with --model"
        )


def _facts(path: Path) -> dict[str, Any]:
    """Return facts about a stream that was written, after a look at its checksums."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        about = about_stream(view)
    names = "seconds", "sample_rate", "n_channels", "kbps", "quality"
    return {"bytes": path.stat().st_size, **{name: about[name] for name in names}}


def decompress(args: Namespace, file: BinaryIO, output: Path | None) -> Outcome:
    """Read a stream and write a sound.

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
        How long it is.
    """
    suffix = SOUNDS.file_suffix if output is None else output.suffix.lower()
    check_suffix(output, suffix, args.force)
    with (
        at_work(args.model, SOUNDS) as model,
        written(output, force=args.force) as path,
        writing(path, suffix, model.sample_rate_) as sound,
    ):
        decoder = model.decoder()
        while content := file.read(_BYTES_TOGETHER):
            sound.write(decoder.push(content))
        sound.write(decoder.flush())
        facts = {"output": name_of(output), **sound.close()}
    kind = kind_of_sound(facts["sample_rate"], facts["n_channels"])
    return Outcome(f"{facts['output']}: {facts['seconds']:,.2f} s, {kind}", facts, sound.notes)


def described(content: bytes) -> tuple[str, dict[str, Any]]:
    """Return what a stream holds, in words and as facts."""
    about = about_stream(content)
    words = (
        f"{about['n_signals']} of {about['seconds']:,.2f} s, "
        f"{kind_of_sound(about['sample_rate'], about['n_channels'])}, {about['dtype']}, "
        f"{told_quality(about['quality'])}, {about['kbps']:.2f} kbit/s, "
        f"model {about['fingerprint']:08x}"
    )
    return words, about
