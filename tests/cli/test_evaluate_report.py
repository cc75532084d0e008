"""`evaluate report` and `evaluate compare`: from folders of predictions to scores, in each format; looks entered first."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from msgspec.structs import replace

from deepimagine_tui.errors import ExitCode
from deepimagine_tui.evaluation import csv_set, ct_open, ledger, predictions
from deepimagine_tui.evaluation.questions import QuestionSet
from tests.cli.conftest import Cli
from tests.evaluation.answering_systems import at_random, journal, with_share
from tests.evaluation.ct_open_made import CUTOFF, other_records, superiority_records, written
from tests.training.made import many_trials, write

TRIALS = 8


@pytest.fixture
def corpus(cli: Cli, tmp_path: Path) -> Path:
    """A few records, so that the rules have something to learn from."""
    path = tmp_path / "made.db"
    assert cli("corpus", "import", write(tmp_path / "records", many_trials(3)), "--corpus", path).code == ExitCode.OK
    return path


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    """Two questions of each of some trials."""
    lines = ["id,nct_id,condition,arm,comparator,outcome,answer"]
    for trial in range(TRIALS):
        for place, outcome in enumerate(("HbA1c", "Body weight")):
            answer = "met" if place == 0 or trial % 3 == 0 else "not met"
            lines.append(f"q{trial}{place},NCT{99000000 + trial},Diabetes,Drug B 5 mg,placebo,Change in {outcome},{answer}")
    path = tmp_path / "mine.csv"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def answered(asked: QuestionSet, folder: Path, system: str, right: float = 0.0, limit: int | None = None) -> Path:
    """A folder as `evaluate run` writes it: of a system that gives so much to what is right, or knows nothing."""
    said = journal(asked, system, with_share(right) if right else at_random(1), limit=limit)
    path = folder / predictions.JOURNAL
    predictions.begin(path, said.header)
    predictions.append(path, said.by_id.values())
    return folder


@pytest.fixture
def good(csv: Path, tmp_path: Path) -> Path:
    return answered(csv_set.read(csv), tmp_path / "good", "deepimagine", 0.9)


@pytest.fixture
def poor(csv: Path, tmp_path: Path) -> Path:
    return answered(csv_set.read(csv), tmp_path / "poor", "direct")


def test_a_report_as_text_has_the_rules_beside_the_systems(cli: Cli, csv: Path, good: Path, poor: Path, corpus: Path):
    made = cli("evaluate", "report", csv, good, poor, "--corpus", corpus)
    assert made.code == ExitCode.OK, made.err
    assert made.out.startswith("# Evaluation on mine")
    for name in ("deepimagine", "direct", "majority", "comparator-rule"):
        assert f"\n| {name} | " in made.out
    assert "Brier: better than direct" in made.out


def test_a_report_as_json_is_the_report(cli: Cli, csv: Path, good: Path, corpus: Path, tmp_path: Path):
    made = cli("evaluate", "report", csv, good, "--corpus", corpus, "--format", "json")
    assert made.json["questions"] == 2 * TRIALS
    assert made.json["judged"] == "deepimagine"
    assert made.json["looks"] is None
    out = tmp_path / "scores.json"
    assert cli("evaluate", "report", csv, good, "--corpus", corpus, "-o", out).out.strip() == str(out)
    assert out.read_text().startswith("{")


def test_a_report_as_files_has_its_figures(cli: Cli, csv: Path, good: Path, poor: Path, corpus: Path, tmp_path: Path):
    common = ("evaluate", "report", csv, good, poor, "--corpus", corpus, "-o")
    page = tmp_path / "out" / "scores.html"
    assert cli(*common, page).code == ExitCode.OK
    html = page.read_text("utf-8")
    assert html.count("<svg") == 2
    assert "src=" not in html.replace("src:url(data:", "")
    text = tmp_path / "out" / "scores.md"
    assert cli(*common, text, "--figures", tmp_path / "figures").code == ExitCode.OK
    names = ["differences-superiority.svg", "reliability-superiority.svg"]
    assert sorted(path.name for path in (tmp_path / "out" / "scores_files").iterdir()) == names
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == names
    assert all(f"scores_files/{name}" in text.read_text("utf-8") for name in names)
    wrong = cli(*common, tmp_path / "scores.docx")
    assert wrong.code == ExitCode.USAGE
    assert "End it in .md, .html, .json" in wrong.err


def test_two_systems_are_compared_where_both_answered(cli: Cli, csv: Path, good: Path, corpus: Path, tmp_path: Path):
    half = answered(csv_set.read(csv), tmp_path / "half", "half", limit=TRIALS)
    made = cli("evaluate", "compare", half, good, "--set", csv, "--corpus", corpus)
    assert made.code == ExitCode.OK, made.err
    assert made.out.startswith("half minus deepimagine on mine")
    assert f"{TRIALS}/{TRIALS // 2}" in made.out
    assert f"not distinguishable with {TRIALS // 2} trials" in made.out, "four trials show nothing"
    found = cli("evaluate", "compare", good, half, "--set", csv, "--corpus", corpus, "--json").json
    assert (found["first"], found["second"]) == ("deepimagine", "half")
    brier = next(each for each in found["differences"] if each["metric"] == "Brier")
    assert brier["estimate"]["value"] < 0
    assert brier["estimate"]["trials"] == TRIALS // 2


def test_what_cannot_be_scored_says_why(cli: Cli, csv: Path, good: Path, corpus: Path, tmp_path: Path):
    unnamed = cli("evaluate", "compare", good, good, "--corpus", corpus)
    assert unnamed.code == ExitCode.NOT_FOUND
    assert "There is no question set 'mine'" in unnamed.err
    nothing = cli("evaluate", "report", csv, tmp_path / "nothing", "--corpus", corpus)
    assert nothing.code == ExitCode.NOT_FOUND
    other = tmp_path / "other.csv"
    other.write_text(csv.read_text("utf-8") + "q,NCT99000099,Diabetes,Drug C,placebo,Change in HbA1c,met\n", "utf-8")
    refused = cli("evaluate", "report", other, good, "--corpus", corpus)
    assert refused.code == ExitCode.REFUSED
    assert "of another question set: mine" in refused.err


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A git checkout with one commit."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / "file").write_text("x")
    who = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    for words in (("init", "-q"), ("add", "file"), (*who, "commit", "-q", "-m", "x")):
        subprocess.run(("git", "-C", str(folder), *words), check=True, env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull})
    return folder


def test_every_scoring_of_a_watched_set_is_a_look(cli: Cli, corpus: Path, tmp_path: Path, checkout: Path):
    pickle = written(tmp_path / "made.pickle", {**superiority_records(), **other_records()})
    asked = ct_open.read(pickle, CUTOFF)
    folder = answered(asked, tmp_path / "said", "deepimagine", 0.8)
    looks = checkout / "looks.jsonl"
    command = ("evaluate", "report", pickle, folder, "--corpus", corpus, "--ledger", looks)
    first = cli(*command)
    assert first.code == ExitCode.OK, first.err
    assert "Looks at this set so far, these scores included: 3." in first.out
    assert [entry.system for entry in ledger.read(looks)] == ["deepimagine", "majority", "comparator-rule"]
    assert "these scores included: 3." in cli(*command).out, "the same predictions are the same looks"
    part = answered(asked, tmp_path / "part", "direct", limit=4)
    compared = cli("evaluate", "compare", part, folder, "--set", pickle, "--corpus", corpus, "--ledger", looks)
    assert "Looks at this set so far, this one included: 4" in compared.out
    assert ledger.read(looks)[-1].by_class["superiority"].questions == 4
    outside = cli(*command[:-1], tmp_path / "looks.jsonl")
    assert outside.code == ExitCode.REFUSED
    assert "no git checkout" in outside.err
    assert "macro-F1" not in outside.out


def test_equal_systems_keep_their_order_in_a_comparison(cli: Cli, csv: Path, good: Path, corpus: Path, tmp_path: Path):
    said = predictions.read(good)
    twin = tmp_path / "twin" / predictions.JOURNAL
    predictions.begin(twin, replace(said.header, settings={"anchors": 3}))
    predictions.append(twin, said.by_id.values())
    made = cli("evaluate", "compare", good, twin.parent, "--set", csv, "--corpus", corpus)
    assert made.out.startswith("deepimagine minus deepimagine [anchors 3] on mine")
