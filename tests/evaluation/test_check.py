"""A committed evaluation is scored again and asked again, and whatever differs is named."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path
from threading import Event

import pytest
from msgspec.structs import replace

from deepimagine_tui.backends import catalogue
from deepimagine_tui.errors import ExitCode, NotFoundError
from deepimagine_tui.evaluation import check, runner
from deepimagine_tui.evaluation.chain import BATCH, Chain
from deepimagine_tui.evaluation.predictions import Predictions
from tests.cli.conftest import Cli, cli, plain_environment
from tests.evaluation.answering import MODEL, Told, forecast, says, set_of, source
from tests.evaluation.made_questions import learnt

__all__ = ["cli", "plain_environment"]

ASKED = set_of([forecast(number) for number in range(1, 9)])
ROWS = "id,nct_id,condition,arm,comparator,outcome,answer\n" + "".join(
    f"q{number},NCT{number:08},Diabetes,Drug {number} 10 mg,placebo,Change in HbA1c,{'met' if number % 3 else 'not met'}\n"
    for number in range(12)
)


def chain(share: float = 0.7) -> Chain:
    return Chain(Told(says(share)), source(), learnt(), anchors=2)


def committed(tmp_path: Path) -> Predictions:
    return runner.run(chain(), ASKED, tmp_path / "committed", Event())


def test_the_same_model_gives_the_same_answers_in_whole_batches(tmp_path: Path):
    before = committed(tmp_path)
    again = check.ask_again(chain(), ASKED, before, tmp_path / "again", Event(), count=BATCH - 4)
    assert (again.questions, again.largest, again.beyond) == (BATCH, 0.0, ())


def test_an_answer_that_moved_is_named_and_a_small_difference_is_not(tmp_path: Path):
    before = committed(tmp_path)
    assert check.ask_again(chain(0.71), ASKED, before, tmp_path / "near", Event()).beyond == ()
    moved = check.ask_again(chain(0.8), ASKED, before, tmp_path / "far", Event())
    assert moved.largest == pytest.approx(0.1)
    assert set(moved.beyond) == {question.id for question in ASKED.questions}


def test_a_question_that_was_not_answered_before_is_named(tmp_path: Path):
    before = committed(tmp_path)
    left_out = ASKED.questions[0].id
    some = replace(before, by_id={key: each for key, each in before.by_id.items() if key != left_out})
    assert check.ask_again(chain(), ASKED, some, tmp_path / "again", Event()).beyond == (left_out,)


def test_what_is_not_the_committed_system_is_said(tmp_path: Path):
    header = committed(tmp_path).header
    assert check.other_model(header, chain()) == ""
    assert check.other_model(replace(header, adapter_sha256="ab" * 32), chain()) == "another adapter"
    other = Chain(Told(says(0.7)), source(), learnt(), anchors=3)
    assert check.other_model(header, other) == "other settings"


def test_lines_that_differ_are_shown_as_committed_and_as_now():
    assert check.unlike("one\ntwo\n", "one\ntwo\n") == []
    assert check.unlike("one\ntwo\n", "one\n2\n") == ["- two", "+ 2"]


def test_a_folder_without_predictions_is_no_committed_evaluation(tmp_path: Path):
    with pytest.raises(NotFoundError):
        check.system_folders(tmp_path)


def test_a_committed_report_holds_until_a_number_in_it_is_changed(cli: Cli, tmp_path: Path):
    asked, folder = tmp_path / "asked.csv", tmp_path / "committed"
    asked.write_text(ROWS, encoding="utf-8")
    assert cli("evaluate", "run", asked, "--system", "majority", "--out", folder / "majority").code == ExitCode.OK
    assert cli("evaluate", "check", asked, folder).code == ExitCode.BAD_INPUT
    report = folder / "report.md"
    written = cli("evaluate", "report", asked, folder / "majority", "--out", report)
    assert written.code == ExitCode.OK, written.err
    held = cli("evaluate", "check", asked, folder)
    assert held.code == ExitCode.OK, held.err
    assert "The committed evaluation holds." in held.err
    assert "majority" in held.out
    report.write_text(report.read_text(encoding="utf-8").replace("12 questions", "13 questions"), encoding="utf-8")
    differs = cli("evaluate", "check", asked, folder)
    assert differs.code == ExitCode.REFUSED
    assert "13 questions" in differs.err


def test_each_system_is_asked_again_of_the_model_that_it_was_asked_of(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    asked, folder = tmp_path / "asked.csv", tmp_path / "committed"
    asked.write_text(ROWS, encoding="utf-8")
    untuned = replace(MODEL, adapter="", adapter_sha256="")
    models = cycle([Told(says(0.7), MODEL), Told(says(0.4), untuned)])
    monkeypatch.setattr(catalogue, "open_backend", lambda *given, **named: next(models))
    for name in ("tuned", "untuned"):
        ran = cli("evaluate", "run", asked, "--system", "direct", "--model", "scripted", "--out", folder / name)
        assert ran.code == ExitCode.OK, ran.err
    assert (
        cli("evaluate", "report", asked, folder / "tuned", folder / "untuned", "--out", folder / "report.md").code
        == ExitCode.OK
    )
    held = cli("evaluate", "check", asked, folder, "--model", "scripted", "--model", "scripted")
    assert held.code == ExitCode.OK, held.err
    assert held.err.count("largest difference 0.0000") == 2
    alone = cli("evaluate", "check", asked, folder, "--model", "scripted")
    assert alone.code == ExitCode.REFUSED
    assert "another adapter" in alone.err
