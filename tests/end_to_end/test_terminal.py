"""The app in a real pseudo-terminal: start, find, imagine, export, quit; the terminal is as it was."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deepimagine_tui.reasoning.events import CONTEXT_OF_USE, DEMO_MARK
from tests.support.terminal import CLEAR, ENTER, TAB, Terminal

TRIAL = "NCT02305381"


@pytest.fixture
def terminal(private_home: Path, tmp_path: Path) -> Iterator[Terminal]:
    environment = os.environ | {
        "DEEPIMAGINE_HOME": str(private_home),
        "DEEPIMAGINE_MODEL": "scripted",
        "HOME": str(tmp_path),
        "PWD": str(tmp_path),
    }
    running = Terminal([sys.executable, "-m", "deepimagine_tui.cli"], environment)
    yield running
    running.close()


def test_a_scientist_finds_a_trial_imagines_exports_and_quits(terminal: Terminal, tmp_path: Path) -> None:
    terminal.wait_for(CONTEXT_OF_USE)
    terminal.wait_for("starter ·")
    terminal.wait_for(DEMO_MARK)

    terminal.press("/")
    terminal.press(*TRIAL)
    terminal.wait_for("1 of ")
    terminal.press(ENTER)
    terminal.wait_for("95% CI posted")

    terminal.press("i")
    terminal.wait_for("What if")
    terminal.press("a")
    terminal.wait_for("Change a factor")
    terminal.press(ENTER)
    terminal.wait_for("Dose, now:")
    terminal.press(*"2 mg", ENTER)
    terminal.wait_until_gone("Dose, now:")
    terminal.wait_for("2 mg")
    terminal.press("r")
    terminal.wait_for("○ imagined")
    terminal.wait_until_gone("esc stops")

    figure = tmp_path / "figure.pdf"
    terminal.press("e")
    terminal.wait_for("Export")
    terminal.press(TAB)
    time.sleep(1)  # a line selects its text when it gets the focus; a person does not type before
    terminal.press(CLEAR, *str(figure), ENTER)
    terminal.wait_until_gone("Export")
    terminal.wait_for("Written")
    assert figure.read_bytes().startswith(b"%PDF")

    terminal.press("q")
    assert terminal.finish() == 0
    assert terminal.modes_after == terminal.modes_before
    for on, off in ((b"\x1b[?1049h", b"\x1b[?1049l"), (b"\x1b[?25l", b"\x1b[?25h"), (b"\x1b[?1000h", b"\x1b[?1000l")):
        assert terminal.output.rfind(off) > terminal.output.rfind(on) > -1
