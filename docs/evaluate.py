"""The evaluations that are committed in docs/evaluation: made again whole, or checked.

`python docs/evaluate.py check --data FOLDER` scores the committed predictions again, asks 24 questions of every system with a
model again, prints the reports, and fails on a difference. `python docs/evaluate.py run --data FOLDER` lets every system answer
every question, goes on where it was stopped, and writes the reports. FOLDER holds `ctgov` (registry records), `ct_open` and
`clinifact`, as their authors publish them.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from deepimagine_tui.evaluation import interpretability
from deepimagine_tui.evaluation.predictions import JOURNAL
from deepimagine_tui.evaluation.runner import RUNS

HERE = Path(__file__).parent
COMMITTED = HERE / "evaluation"
WORK = HERE.parent / "build" / "evaluation"
CORPUS = WORK / "corpus.db"
REPORT = "report.md"
CLASSICAL = ("logistic-regression", "random-forest", "ffnn")
WITH_MODEL = ("deepimagine", "rag", "direct")
LEARNS_CLAIMS = (*CLASSICAL, "deepimagine+ensemble")


class Evaluation(NamedTuple):
    """One committed evaluation: its folder's name, its set, and the options of every run over it."""

    name: str
    questions: str
    options: tuple[str, ...] = ()
    systems: tuple[str, ...] = (*CLASSICAL, *WITH_MODEL, "deepimagine+ensemble")
    is_committed: bool = True


def evaluations(data: Path) -> list[Evaluation]:
    """Everything that is evaluated, in the order of running: what the ensemble learns its weights from comes first."""
    held_out = ("--anchors", "3", "--limit", "120")
    return [
        Evaluation(
            "forecasts-validation", "forecasts", ("--side", "validation", *held_out), ("deepimagine",), is_committed=False
        ),
        Evaluation("forecasts", "forecasts", ("--side", "test", *held_out)),
        Evaluation("winter", str(data / "ct_open" / "Winter_2025.pickle")),
    ]


def deepimagine(*words: str | Path) -> None:
    """Run one command of the program.

    Raises:
        SystemExit: it failed; its own words went to standard error.
    """
    code = subprocess.run([sys.executable, "-m", "deepimagine_tui.cli", *map(str, words)], check=False).returncode
    if code:
        raise SystemExit(code)


def corpus_of(data: Path) -> None:
    """Import the records once."""
    if not CORPUS.is_file():
        WORK.mkdir(parents=True, exist_ok=True)
        deepimagine("corpus", "import", data / "ctgov", "--corpus", CORPUS)


def run(data: Path) -> None:
    """Let every system answer what it has not answered yet, and write the reports."""
    claims = [word for path in sorted((data / "clinifact").glob("*.csv")) for word in ("--clinifact", str(path))]
    for each in evaluations(data):
        for system in each.systems:
            words: list[str | Path] = ["evaluate", "run", each.questions, "--system", system, "--corpus", CORPUS, *each.options]
            words += claims if system in LEARNS_CLAIMS else []
            words += chains(each) if system == "deepimagine+ensemble" else []
            deepimagine(*words, "--out", WORK / each.name / system)
        if each.is_committed:
            commit(each)


def chains(each: Evaluation) -> list[str]:
    """What the ensemble is told of the chain: its word on validation trials, which its adapter did not see, and on the set."""
    folders = (WORK / "forecasts-validation" / "deepimagine", WORK / each.name / "deepimagine")
    return [word for folder in folders for word in ("--chain", str(folder))]


def commit(each: Evaluation) -> None:
    """Put predictions, what was measured of the runs, and the report into the folder that is committed."""
    for system in each.systems:
        made, kept = WORK / each.name / system, COMMITTED / each.name / system
        kept.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(made / JOURNAL, kept / JOURNAL)
        if any((made / RUNS).glob("*")):
            interpretability.write(interpretability.read_runs(made), kept / interpretability.FILE)
    folders = [COMMITTED / each.name / system for system in each.systems]
    deepimagine("evaluate", "report", each.questions, *folders, "--corpus", CORPUS, "--out", COMMITTED / each.name / REPORT)


def check(data: Path) -> None:
    """Check every committed evaluation."""
    for each in evaluations(data):
        if each.is_committed:
            deepimagine("evaluate", "check", each.questions, COMMITTED / each.name, "--corpus", CORPUS)


def main(arguments: Sequence[str]) -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("check", "run"))
    parser.add_argument("--data", type=Path, required=True)
    given = parser.parse_args(arguments)
    corpus_of(given.data)
    (check if given.what == "check" else run)(given.data)


if __name__ == "__main__":
    main(sys.argv[1:])
