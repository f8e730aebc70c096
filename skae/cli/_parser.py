"""What can be typed after `skae`, and what is wrong usage."""

import argparse
import ast
import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from .. import __version__

STATUS = """\
Each file has one line, on the standard output stream or, if it failed or something is to be noted,
on the standard error stream. Exit status: 0 if all went well, 1 if not, 2 after wrong usage."""

TABLE_COMMANDS = ("fit", "score", "transform", "sample")
ESTIMATORS = (
    "Autoencoder",
    "AutoencoderOutlierDetector",
    "VariationalAutoencoder",
    "AdversarialAutoencoder",
    "AutoencoderDenoiser",
    "AutoencoderImputer",
)


class Output(NamedTuple):
    """Where results go: a file, or a folder for many; `path` is None for the standard output."""

    path: Path | None
    is_folder: bool


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options, or exit with 2 and a message after wrong usage.

    Parameters
    ----------
    arguments : sequence of str or None
        Those of the command line; None takes them from there.

    Returns
    -------
    Namespace
        Options, and `command`, the name of the command.
    """
    parser, commands = _parser()
    args = parser.parse_args(arguments)
    fail = commands.choices[args.command].error
    output = getattr(args, "output", None)
    if None in args.files and len(args.files) > 1:
        fail("- is the standard input, and no other file can stand beside it")
    of_tables = args.command in TABLE_COMMANDS
    if of_tables and None in args.files:
        fail("- is no table: parts of it are read in any order, so it has to be in a file")
    if args.command == "fit" and len(args.files) > 1:
        fail("a model is fitted to one table; a folder of Parquet files is one")
    if args.command == "sample" and len(args.files) > 1:
        fail("new rows are drawn from one model")
    if args.command in ("inspect", "info", "fit-codec", "fit", "sample"):
        return args
    many = len(args.files) > 1 or (not of_tables and any(map(_is_folder, args.files)))
    if output is None:
        args.output = Output(None, False) if None in args.files else None
    elif many and output.path is None:
        fail("argument -o/--output: only one file can go to the standard output")
    elif None in args.files and output.is_folder:
        fail(
            f"argument -o/--output: {output.path} is a folder; what comes from the standard input "
            "needs a name in it"
        )
    elif many and not output.is_folder:
        fail(
            f"argument -o/--output: {output.path} must be a folder, for more than one file: "
            f"{output.path}{os.sep} makes it"
        )
    return args


def _parser() -> tuple[argparse.ArgumentParser, Any]:
    parser = argparse.ArgumentParser(
        prog="skae",
        description="Compress photographs and sounds by an autoencoder, fit models to tables and "
        "score their rows, and look into model files.",
        epilog=STATUS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"skae {__version__}")
    commands = parser.add_subparsers(required=True, metavar="command", dest="command")

    def add(name: str, summary: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=summary, description=f"{summary}.", epilog=STATUS)
        what = "- is the standard input"
        if name in TABLE_COMMANDS:
            what = "Parquet, CSV or NPY; a folder of Parquet files is one table"
        if name == "sample":
            what = "a model that fit or skae.save wrote"
        command.add_argument("files", nargs="+", type=_input, metavar="file", help=what)
        _add_reports(command)
        return command

    _add_compress(add("compress", "write images as .skae files, and sounds as .ska files"))
    _add_decompress(add("decompress", "read .skae and .ska files, and write images and sounds"))
    _add_recursion(add("inspect", "tell what .skae and .ska files hold"))
    add("info", "tell what model files hold").set_defaults(recursive=False, jobs=1)
    _add_fit(
        add("fit-codec", "fit a model of your own to images or to sounds, or to folders of them")
    )
    _add_fit_to_table(add("fit", "fit a model to a table, which need not fit into memory"))
    _add_apply(
        add("score", "write how normal the rows of tables are"), "name.scores and its own suffix"
    )
    _add_apply(
        add("transform", "write the codes of the rows of tables, or cleaned or filled rows"),
        "name.codes likewise",
    )
    _add_sample(add("sample", "write new rows that a generator draws"))
    return parser, commands


def _add_compress(command: argparse.ArgumentParser) -> None:
    target = command.add_mutually_exclusive_group()
    target.add_argument(
        "-q",
        "--quality",
        type=_number("a number from 0 to 100", lambda x: 0 <= x <= 100),
        help="from 0, small files, to 100, faithful ones; default: 50",
    )
    positive = _number("a positive number", lambda x: 0 < x < math.inf)
    target.add_argument("--bpp", type=positive, help="of images, at most so many bits per pixel")
    target.add_argument("--psnr", type=positive, help="of images, at least so many decibels")
    target.add_argument("--kbps", type=positive, help="of sounds, at most so many kbit per second")
    target.add_argument(
        "--snr", type=positive, help="of sounds, at least so many decibels over what gets lost"
    )
    command.add_argument(
        "--metadata",
        action="store_true",
        help="of images, keep EXIF data, and the color profile instead of turning colors into sRGB",
    )
    command.add_argument(
        "--background",
        type=_color,
        metavar="color",
        help="put this behind transparent pixels, as white or #ff8800; else these are refused",
    )
    _add_model(command)
    _add_recursion(command)
    _add_outputs(command, "name.skae or name.ska")


def _add_decompress(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--crop",
        nargs=4,
        type=_whole(0),
        metavar=("x", "y", "width", "height"),
        help="of an image, read this part alone, and leave the rest undecoded",
    )
    _add_model(command)
    _add_recursion(command)
    _add_outputs(command, "name.png or name.wav")


def _add_fit(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "-o", "--output", type=Path, required=True, help="the model, such as my.skae-model"
    )
    command.add_argument("--force", action="store_true", help="overwrite it if it is there")
    command.add_argument(
        "--max-epochs",
        type=_whole(0),
        default=0,
        help="passes of training after the closed form; default: 0, as it takes minutes",
    )
    command.set_defaults(recursive=True, jobs=1)


def _add_fit_to_table(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "-o", "--output", type=Path, required=True, help="the model, such as model.skae"
    )
    command.add_argument("--force", action="store_true", help="overwrite it if it is there")
    command.add_argument(
        "-e",
        "--estimator",
        choices=ESTIMATORS,
        default=ESTIMATORS[0],
        help="what to fit; default: Autoencoder",
    )
    command.add_argument(
        "-s",
        "--set",
        action="append",
        type=_setting,
        default=[],
        metavar="name=value",
        help="a parameter of it, as n_components=8, as often as there are any; random_state is 0 "
        "unless it is set",
    )
    command.add_argument(
        "--columns", nargs="+", metavar="name", help="which columns to take; default: all"
    )
    command.add_argument(
        "--training",
        action="store_true",
        help="store what it takes to train on, four times as much",
    )
    command.set_defaults(jobs=1)


def _add_apply(command: argparse.ArgumentParser, default: str) -> None:
    command.add_argument(
        "-m", "--model", type=Path, required=True, help="a file that fit or skae.save wrote"
    )
    _add_outputs(command, default)


def _add_sample(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "-o", "--output", type=_input, required=True, help="file, or - for the standard output"
    )
    command.add_argument("--force", action="store_true", help="overwrite it if it is there")
    command.add_argument(
        "-n", "--rows", type=_whole(1), default=1000, help="how many rows; default: 1000"
    )
    command.add_argument(
        "--seed", type=_whole(0), default=0, help="another draws other rows; default: 0"
    )
    command.set_defaults(jobs=1)


def _add_model(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--model", type=Path, help="a file that fit-codec wrote; default: the bundled one"
    )


def _add_recursion(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "-r", "--recursive", action="store_true", help="go into folders; below -o they are kept"
    )
    command.set_defaults(jobs=1)


def _add_outputs(command: argparse.ArgumentParser, default: str) -> None:
    command.add_argument(
        "-o",
        "--output",
        type=_output,
        help="file, - for the standard output, or folder, which is made if its name ends with "
        f"{os.sep}; default: beside the input, as {default}",
    )
    there = command.add_mutually_exclusive_group()
    there.add_argument("--force", action="store_true", help="overwrite what is there")
    there.add_argument("--skip-existing", action="store_true", help="leave alone what is there")
    command.add_argument(
        "-j", "--jobs", type=_whole(1), default=1, help="so many files at once; default: 1"
    )


def _add_reports(command: argparse.ArgumentParser) -> None:
    reports = command.add_mutually_exclusive_group()
    reports.add_argument("--quiet", action="store_true", help="tell only what went wrong")
    reports.add_argument("--json", action="store_true", help="tell everything in lines of JSON")


def _input(text: str) -> Path | None:
    return None if text == "-" else Path(text)


def _is_folder(file: Path | None) -> bool:
    return file is not None and os.path.isdir(file)


def _setting(text: str) -> tuple[str, Any]:
    """Return the name and the value of a parameter; what is no Python literal is a text."""
    name, sign, value = text.partition("=")
    if not sign or not name.isidentifier():
        raise argparse.ArgumentTypeError(f"{text!r} must be name=value")
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return name, value


def _output(text: str) -> Output:
    if text in ("-", "/dev/stdout"):  # the link must not be replaced by a file
        return Output(None, False)
    return Output(Path(text), text.endswith(("/", os.sep)) or os.path.isdir(text))


def _number(allowed: str, is_allowed: Callable[[float], bool]) -> Callable[[str], float]:
    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not is_allowed(value):
            raise argparse.ArgumentTypeError(f"{text!r} must be {allowed}")
        return value

    return read


def _whole(least: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} must be a whole number, {least} or more")
        return int(text)

    return read


def _color(text: str) -> tuple[int, ...]:
    from ._pillow import pillow

    try:
        return pillow("ImageColor").getrgb(text)[:3]
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} must be a color, such as white or #ff8800"
        ) from None
