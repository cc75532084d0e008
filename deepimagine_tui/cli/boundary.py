"""Where a command ends: errors become text on standard error and an exit code. Nothing else in this package catches them.

What a command writes to standard output is data alone, also when it fails with `--json`: the error is told on standard
error and by the exit code.
"""

from __future__ import annotations

import datetime
import os
import sys
import traceback
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

import click

from deepimagine_tui import paths
from deepimagine_tui.errors import DeepImagineError, ExitCode, StorageError
from deepimagine_tui.files import make_dir, storage_error

DEBUG_FLAG = "--debug"


def run(argv: Sequence[str] | None) -> int:
    """Run the command line `argv` and return its exit code; this is the one place that turns errors into text."""
    from deepimagine_tui.cli.root import root

    arguments = list(sys.argv[1:] if argv is None else argv)
    debug = DEBUG_FLAG in takewhile(lambda argument: argument.startswith("-"), arguments)
    try:
        code = root.main(args=arguments, prog_name="deepimagine", standalone_mode=False)
        sys.stdout.flush()
    except DeepImagineError as error:
        if debug:
            traceback.print_exc()
        tell(error.title, error.message, error.hint)
        return error.exit_code
    except click.ClickException as error:
        return _click_error(error)
    except (click.Abort, KeyboardInterrupt):
        tell("Stopped", "Nothing more was done.")
        return ExitCode.CANCELLED
    except BrokenPipeError:
        _silence_stdout()
        return ExitCode.CANCELLED
    except OSError as error:
        return _system_error(error, debug=debug)
    except Exception as error:  # noqa: BLE001  # the documented boundary: a defect ends as one sentence, its details in the log
        return _unexpected(error, debug=debug)
    return int(code) if isinstance(code, int) else ExitCode.OK


def tell(title: str, message: str, hint: str = "") -> None:
    """Write an error to standard error: one line of what happened, one of what to do about it."""
    from deepimagine_tui.cli.console import narrate

    narrate(f"{title}: {message}" + (f"\n  {hint}" if hint else ""))


def _click_error(error: click.ClickException) -> ExitCode:
    hint = ""
    if isinstance(error, click.UsageError) and error.ctx is not None:
        hint = f"See: {error.ctx.command_path} --help"
    tell("Not understood", error.format_message(), hint)
    return ExitCode.BAD_INPUT if isinstance(error, click.FileError) else ExitCode.USAGE


def _system_error(error: OSError, *, debug: bool) -> ExitCode:
    if debug:
        traceback.print_exc()
    told = storage_error(Path(str(error.filename or "standard output")), error)
    _silence_stdout()
    tell(told.title, told.message, told.hint)
    return told.exit_code


def _silence_stdout() -> None:
    """Point standard output at nothing, so that the interpreter's last flush does not fail a second time."""
    try:
        descriptor = sys.stdout.fileno()
    except (OSError, ValueError):
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


def _unexpected(error: Exception, *, debug: bool) -> ExitCode:
    detail = traceback.format_exc()
    try:
        where = f"The details are in {_log(detail)}"
    except StorageError as storage:
        where = f"The details could not be logged ({storage.message})"
    said = " ".join(str(error).split())
    tell(
        "A defect of DeepImagine",
        f"it met something it did not expect ({type(error).__name__}{': ' if said else ''}{said}).",
        f"{where}; `deepimagine {DEBUG_FLAG} …` shows them here.",
    )
    if debug:
        click.echo(detail, err=True)
    return ExitCode.UNEXPECTED


def _log(detail: str) -> Path:
    path = make_dir(paths.log_dir()) / "deepimagine.log"
    stamp = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    try:
        with path.open("a", encoding="utf-8") as stream:
            stream.write(f"{stamp} deepimagine {' '.join(sys.argv[1:])}\n{detail}\n")
    except OSError as failure:
        raise storage_error(path, failure) from failure
    return path
