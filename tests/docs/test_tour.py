"""The tour is run: each command ends with 0, and each line shown below it is in what it writes (`…` stands for anything)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

TOUR = Path(__file__).parents[2] / "docs" / "tour.md"


class Shown(NamedTuple):
    """A command of the tour and the lines shown below it."""

    command: str
    lines: tuple[str, ...]


def commands(text: str) -> list[Shown]:
    found: list[Shown] = []
    for block in re.findall(r"```console\n(.*?)```", text, flags=re.S):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, output = part.replace("\\\n", "").partition("\n")
            found.append(Shown(command, tuple(line for line in output.splitlines() if line.strip())))
    return found


def matches(shown: str, line: str) -> bool:
    pattern = ".*".join(re.escape(" ".join(part.split())) for part in shown.split("…"))
    return re.search(pattern, " ".join(line.split())) is not None


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    folder = tmp_path / "bin"
    folder.mkdir()
    shim = folder / "deepimagine"
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m deepimagine_tui.cli "$@"\n')
    shim.chmod(0o755)
    home = {
        "DEEPIMAGINE_HOME": str(tmp_path / "home"),
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
        "LC_ALL": "C.UTF-8",
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DEEPIMAGINE_")}
    return kept | home


def test_a_shown_line_may_leave_something_out():
    assert matches("● observed … -0.78 …", "● observed  Glivazin 25 mg   -0.78  percent")
    assert not matches("○ imagined … -0.78", "● observed  Glivazin 25 mg   -0.78  percent")


def test_every_command_of_the_tour_works_as_shown(environment: dict[str, str], tmp_path: Path):
    shown = commands(TOUR.read_text("utf-8"))
    assert len(shown) >= 8
    for command, lines in shown:
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            capture_output=True,
            encoding="utf-8",
            env=environment,
            cwd=tmp_path,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        written = (done.stdout + done.stderr).splitlines()
        missing = [line for line in lines if not any(matches(line, one) for one in written)]
        assert missing == [], f"{command}\n{done.stdout}{done.stderr}"
