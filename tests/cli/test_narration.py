"""Narration and progress: quiet where nobody watches, one rewritten line where somebody does."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from deepimagine_tui.cli import narration, progress
from deepimagine_tui.cli.narration import Narrator
from deepimagine_tui.cli.progress import Progress
from deepimagine_tui.reasoning.events import TokensArrived
from tests.support.sample_runs import ALL_RUNS, Events, forecast_run, revealed_run, what_if_run


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(narration, "is_terminal", lambda _stream: True)
    monkeypatch.setattr(progress, "is_terminal", lambda _stream: True)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def told(events: Events, capsys: pytest.CaptureFixture[str]) -> str:
    narrator = Narrator()
    for event in events:
        narrator.tell(event)
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err


@pytest.mark.parametrize("name", ALL_RUNS)
def test_every_run_is_told_in_plain_inert_lines(name: str, capsys: pytest.CaptureFixture[str]):
    text = told(ALL_RUNS[name](), capsys)
    assert "\x1b" not in text
    assert "\r" not in text
    assert "\u202e" not in text


def test_one_pathway_streams_its_reasoning_in_a_terminal_only(capsys: pytest.CaptureFixture[str], terminal: None):
    assert "near the plateau" in told(what_if_run(), capsys)


@pytest.mark.parametrize("blank", ["", " "])
def test_the_computed_opening_is_streamed_before_the_model_s_words(
    blank: str, capsys: pytest.CaptureFixture[str], terminal: None
):
    events = tuple(
        replace(event, text=f"{blank}{event.text}") if isinstance(event, TokensArrived) else event for event in revealed_run()
    )
    assert "\nMore, 2.5 times the dose: the effect should grow a little.\n" in told(events, capsys)


def test_elsewhere_the_reasoning_is_left_to_the_result(capsys: pytest.CaptureFixture[str]):
    text = told(what_if_run(), capsys)
    assert "near the plateau" not in text
    assert "Step 1" in text


def test_several_pathways_are_numbered(capsys: pytest.CaptureFixture[str]):
    text = told(forecast_run(), capsys)
    assert "Anchor 7" in text
    assert "Pathway 4, step" in text


def test_quick_work_says_nothing(capsys: pytest.CaptureFixture[str], clock: list[float]):
    with Progress("Importing") as shown:
        clock[0] = 9.0
        shown.say("3 of 4")
    assert capsys.readouterr().err == ""


def test_long_work_says_a_line_now_and_then(capsys: pytest.CaptureFixture[str], clock: list[float]):
    with Progress("Importing") as shown:
        for second in range(25):
            clock[0] = float(second)
            shown.share(second / 25)
    assert capsys.readouterr().err == "Importing: 40%\nImporting: 80%\n"


def test_a_terminal_has_one_line_that_is_taken_away(capsys: pytest.CaptureFixture[str], clock: list[float], terminal: None):
    with Progress("Importing") as shown:
        for tenth in range(10):
            clock[0] = tenth * 0.15
            shown.say(f"record \x1b[31m{tenth}")
    text = capsys.readouterr().err
    assert "\n" not in text
    assert text.endswith("\r")
    assert "\x1b[31m" not in text
