"""Errors become two lines on standard error and an exit code; standard output stays data."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest

from deepimagine_tui import errors, paths
from deepimagine_tui.cli import boundary, root
from deepimagine_tui.errors import DeepImagineError, ExitCode
from tests.cli.conftest import Cli


def all_errors(base: type[DeepImagineError] = DeepImagineError) -> list[type[DeepImagineError]]:
    return [found for below in base.__subclasses__() for found in (below, *all_errors(below))]


def raising(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    @click.command()
    def command() -> None:
        raise error

    monkeypatch.setattr(root.root, "lazy", {"boom": (f"{__name__}:boom", "")})
    monkeypatch.setattr(sys.modules[__name__], "boom", command, raising=False)


@pytest.mark.parametrize("kind", all_errors())
def test_every_error_is_two_lines_and_its_exit_code(cli: Cli, monkeypatch: pytest.MonkeyPatch, kind: type[DeepImagineError]):
    raising(monkeypatch, kind("The thing is broken.", "Mend it."))
    code, out, err = cli("boom")
    assert code == kind.exit_code != ExitCode.OK
    assert out == ""
    assert err == f"{kind.title}: The thing is broken.\n  Mend it.\n"


def test_an_error_of_ours_shows_its_traceback_only_when_asked(cli: Cli, monkeypatch: pytest.MonkeyPatch):
    raising(monkeypatch, errors.BadInputError("No."))
    assert "Traceback" not in cli("boom").err
    assert "Traceback" in cli("--debug", "boom").err


def test_a_defect_is_one_sentence_with_its_details_in_the_log(cli: Cli, monkeypatch: pytest.MonkeyPatch):
    raising(monkeypatch, KeyError("the key"))
    code, out, err = cli("boom")
    assert code == ExitCode.UNEXPECTED
    assert out == ""
    assert "KeyError" in err
    assert "Traceback" not in err
    log = paths.log_dir() / "deepimagine.log"
    assert str(log) in err
    assert "Traceback" in log.read_text("utf-8")
    assert "Traceback" in cli("--debug", "boom").err


def test_a_defect_where_no_log_can_be_written_still_says_so(cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    blocker = tmp_path / "file"
    blocker.write_text("")
    monkeypatch.setenv("DEEPIMAGINE_HOME", str(blocker))
    raising(monkeypatch, KeyError("x"))
    code, _, err = cli("boom")
    assert code == ExitCode.UNEXPECTED
    assert "could not be logged" in err


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_an_interrupt_is_no_defect(cli: Cli, monkeypatch: pytest.MonkeyPatch, error: BaseException):
    raising(monkeypatch, error)
    assert cli("boom").code == ExitCode.CANCELLED


def test_what_an_error_quotes_is_inert(cli: Cli, monkeypatch: pytest.MonkeyPatch):
    raising(monkeypatch, errors.NotFoundError("No trial '\x1b[31mred\u202e'."))
    assert "\x1b" not in cli("boom").err
    assert "\u202e" not in cli("boom").err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["modles"], "models"),
        (["models", "info", "--jsn"], "--json"),
        (["models", "lst"], "list"),
        (["models", "use"], "MODEL"),
    ],
)
def test_what_was_mistyped_is_told_with_what_was_meant(cli: Cli, arguments: list[str], said: str):
    code, out, err = cli(*arguments)
    assert code == ExitCode.USAGE
    assert out == ""
    assert said in err


def test_a_full_disk_behind_standard_output_is_a_storage_error():
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "deepimagine_tui.cli", "models", "list"], stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == ExitCode.STORAGE
    assert b"No room" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_closed_pipe_is_quiet():
    script = f"{sys.executable} -m deepimagine_tui.cli models list --json | true"
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, check=False)
    assert done.stderr == b""


def test_standard_output_without_unicode_still_gets_the_marks():
    code = "from deepimagine_tui.cli.console import emit, mark; emit(mark('observed') + mark('imagined') + 'é')"
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment, check=True)
    assert done.stdout == b"*o?\n"


def test_json_is_ascii_where_standard_output_is():
    code = "from deepimagine_tui.cli.console import emit_json; emit_json({'a': 'é😀\\u202e'})"
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment, check=True)
    assert done.stdout == b'{"a":"\\u00e9\\ud83d\\ude00\\u202e"}\n'


def test_the_exit_code_reaches_the_shell(process: Cli):
    assert process("models", "info", "nothing-like-this").code == ExitCode.NOT_FOUND
    assert process("--version").code == ExitCode.OK


def test_only_the_boundary_catches_everything():
    package = Path(boundary.__file__).parent
    broad = [path.name for path in package.glob("*.py") if "except Exception" in path.read_text("utf-8")]
    assert broad == ["boundary.py"]


def test_a_signal_number_is_what_a_shell_expects():
    assert ExitCode.CANCELLED == 128 + signal.SIGINT
