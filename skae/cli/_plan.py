"""Which files are read, and where what becomes of them is written."""

import os
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from ._outcomes import CommandError, Outcome


class Step(NamedTuple):
    """A file to read and one to write, None for standard streams, or why nothing is done."""

    source: Path | None
    output: Path | None = None
    outcome: Outcome | None = None


def found(
    args: Namespace, is_wanted: Callable[[Path], bool] | None
) -> Iterator[tuple[Step, Path | None]]:
    """Yield a step for each input, and its path below the folder that it was found in.

    Parameters
    ----------
    args : Namespace
        Options: `files` and `recursive`.
    is_wanted : callable or None
        Tells which files in folders are inputs; None if folders are inputs themselves.

    Yields
    ------
    step : Step
        Without output.
    name : Path or None
        None for the standard input.
    """
    for file in args.files:
        is_input = file is None or is_wanted is None
        if is_input or not os.path.isdir(file):  # which raises nothing, unlike Path.is_dir
            yield Step(file), file and Path(file.name)
        elif not args.recursive:
            error = CommandError("it is a folder; -r goes into it")
            yield Step(file, None, Outcome.failure(error)), None
        else:
            failures: list[OSError] = []
            for folder, folders, names in os.walk(file, onerror=failures.append):
                folders.sort()
                for path in (Path(folder, name) for name in sorted(names)):
                    if is_wanted(path) and os.path.isfile(path):
                        yield Step(path), path.relative_to(file)
            for failure in failures:
                yield Step(Path(failure.filename), None, Outcome.failure(failure)), None


def planned(
    args: Namespace,
    suffix_of: Callable[[Path | None], str],
    is_wanted: Callable[[Path], bool] | None,
) -> list[Step]:
    """Return what is done with each input.

    Parameters
    ----------
    args : Namespace
        Options.
    suffix_of : callable
        Returns the suffix that the output of a file gets, if it has no name yet.
    is_wanted : callable or None
        Tells which files in folders are inputs; None if folders are inputs themselves.

    Returns
    -------
    list of Step
        One for each input; nothing is overwritten unless that is wanted, and no input ever.
    """
    inputs = list(found(args, is_wanted))
    sources = {os.path.realpath(step.source): step.source for step, _ in inputs if step.source}
    taken: dict[Path, Path | None] = {}

    def with_output(step: Step, name: Path | None) -> Step:
        if step.outcome is not None:
            return step
        if args.output is None:
            output = step.source.with_suffix(suffix_of(step.source))
        elif args.output.is_folder:
            output = args.output.path / name.with_suffix(suffix_of(step.source))
        else:
            output = args.output.path
        if output is None:
            return step
        try:
            if output in taken:
                raise CommandError(f"{output} is what {taken[output]} becomes; name it with -o")
            if (real := os.path.realpath(output)) in sources:
                is_own = sources[real] == step.source
                raise CommandError(
                    f"{output} is {'the' if is_own else 'an'} input, which is never overwritten"
                )
            check_is_no_input(output, [args.model])
            if args.skip_existing and os.path.lexists(output):
                facts = {"output": str(output)}
                return Step(
                    step.source, output, Outcome(f"{output}: skipped", facts, (), "skipped")
                )
            if not args.force:
                check_free(output)
        except CommandError as error:
            return step._replace(outcome=Outcome.failure(error))
        taken[output] = step.source
        return step._replace(output=output)

    return [with_output(step, name) for step, name in inputs]


def check_free(output: Path) -> None:
    """Raise CommandError if a file is there; pipes and devices are there to be written to."""
    if os.path.lexists(output) and (os.path.isfile(output) or not os.path.exists(output)):
        raise CommandError(f"{output} is there already; --force overwrites it")


def check_is_no_input(output: Path, inputs: Iterable[Path | None]) -> None:
    """Raise CommandError if an output is a file that is read, be it a table or a model."""
    real = os.path.realpath(output)
    if any(file is not None and os.path.realpath(file) == real for file in inputs):
        raise CommandError(f"{output} is an input, which is never overwritten")
