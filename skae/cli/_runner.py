"""The command from beginning to end: options, a plan, and one line for each file."""

import contextlib
import logging
import multiprocessing
import os
import signal
import sys
import threading
import warnings
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from . import _commands
from ._outcomes import CommandError, Outcome
from ._parser import parsed
from ._progress import tracked

_INTERRUPTED = 130  # what shells expect after Ctrl-C
_SILENCE = logging.NullHandler()
_is_told_to_end = False  # in a process of the pool


class Job(NamedTuple):
    """A file, and what is to be done with it."""

    source: Path | None
    work: Callable[[], Outcome]


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
        other files are done nevertheless. 130 after Ctrl-C. Wrong usage exits with 2.
    """
    try:
        args = parsed(arguments)
        return _run(args)
    except CommandError as error:
        print(f"skae: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("skae: interrupted", file=sys.stderr)
        return _INTERRUPTED
    except OSError as error:  # the standard output is full or, after `| head -1`, closed
        with contextlib.suppress(OSError):  # what is still to be flushed would fail again
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            print(f"skae: the standard output: {error.strerror}", file=sys.stderr)
        return 1


def _run(args: Namespace) -> int:
    jobs = [Job(*pair) for pair in _commands.jobs_of(args)]
    all_good = True
    for job, outcome in tracked(_outcomes(jobs, args.jobs), len(jobs)):
        all_good &= outcome.is_good
        _tell(job, outcome, args)
    return int(not all_good)


def _outcomes(jobs: Sequence[Job], n_together: int) -> Iterator[tuple[Job, Outcome]]:
    """Yield what becomes of each job, in their order."""
    if n_together == 1 or len(jobs) == 1:
        for job in jobs:
            yield job, _attempt(job)
        return
    # Not threads, of which coding keeps but one busy.
    others = multiprocessing.active_children()
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(n_together, len(jobs)), context, _end_when_told)
    try:
        with _interrupts_ignored():
            futures = [pool.submit(_attempt, job) for job in jobs]
        for job, future in zip(jobs, futures, strict=True):
            error = future.exception()
            yield job, future.result() if error is None else Outcome.failure(error, job.source)
    except BaseException:
        for process in multiprocessing.active_children():
            if process not in others:
                process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _end_when_told() -> None:
    """Let a process of the pool leave no half files when it is terminated."""

    def end(*_: Any) -> None:
        global _is_told_to_end
        _is_told_to_end = True
        sys.exit(1)

    signal.signal(signal.SIGTERM, end)


@contextlib.contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Ignore Ctrl-C, as will all processes that start in the meantime."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _attempt(job: Job) -> Outcome:
    """Return what becomes of a job, whatever goes wrong in it."""
    if _is_told_to_end:
        sys.exit(1)
    logging.getLogger("PIL").addHandler(_SILENCE)  # damage is told in the line of its file
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return job.work()
    except (KeyboardInterrupt, SystemExit, BrokenPipeError):
        raise
    except BaseException as error:  # a panic in Rust is no Exception
        return Outcome.failure(error, job.source)


def _tell(job: Job, outcome: Outcome, args: Namespace) -> None:
    output = getattr(args, "output", None)
    is_pipe = isinstance(output, tuple) and output.path is None
    if args.json:
        print(outcome.json(job.source), file=sys.stderr if is_pipe else sys.stdout, flush=True)
    elif outcome.summary and not (args.quiet and outcome.is_good):
        stream: Any = sys.stderr if is_pipe or not outcome.is_plain else sys.stdout
        line = outcome.line(job.source)
        encoding = stream.encoding or "utf-8"
        print(line.encode(encoding, "backslashreplace").decode(encoding), file=stream, flush=True)
