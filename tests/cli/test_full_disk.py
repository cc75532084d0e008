"""A disk that is full while a run goes on: the answer is shown, and the exit code says that it could not be kept."""

from __future__ import annotations

import signal

import pytest

from deepimagine_tui import paths
from deepimagine_tui.cli.session import corpus_path
from deepimagine_tui.errors import ExitCode
from deepimagine_tui.settings import Settings
from tests.cli.conftest import Cli

resource = pytest.importorskip("resource", reason="this system has no limit on file sizes")

STARTER_TRIAL = "NCT02305381"


def small_files_only() -> None:
    """Let no file of this process grow beyond 1,000 bytes, as on a disk that is full."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))


def test_the_answer_is_shown_and_the_exit_code_says_that_it_was_not_kept(process: Cli):
    arguments = ["imagine", STARTER_TRIAL, "--set", "dose=2 mg", "--backend", "scripted"]
    result = process(*arguments, preexec_fn=small_files_only)
    assert result.code == ExitCode.STORAGE, result.err
    assert "○ imagined" in result.out
    assert "Cannot be written" in result.err
    assert "Traceback" not in result.err
    assert corpus_path(Settings()) is None
    assert process("runs", "list").code == ExitCode.OK
    assert paths.runs_dir().is_dir()
