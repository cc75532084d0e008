"""The block that every surface shows of a run: its waterfall, and what agrees with what."""

from __future__ import annotations

import pytest

from deepimagine_tui.cli.run_text import run_lines
from deepimagine_tui.reasoning.graph import build_graph
from deepimagine_tui.reasoning.interpret import interpret
from deepimagine_tui.reasoning.interpret_text import interpretation_lines
from tests.reasoning.engine.support import ask, to_dose, to_japan, what_if
from tests.reasoning.test_interpret import saying
from tests.support import sample_runs


def block(events: sample_runs.Events, width: int = 78) -> list[str]:
    return interpretation_lines(interpret(build_graph(events)), width)


def test_the_bars_stand_where_the_steps_went() -> None:
    said = saying((-0.98, 0, "down", 0.6), (-0.58, -0.08, "up", 0.8))
    lines = block(tuple(ask(what_if(to_dose(50.0), to_japan()), said)))
    assert lines[0] == "What moved the result: k1 against k2, in units of s"
    first, second, total = lines[2:5]
    assert first.split()[:4] == ["1", "dose", "-0.40", "–"]
    assert second.split()[:4] == ["2", "geography", "+0.50", "+0.98"]
    assert total.split()[:4] == ["in", "all", "+0.10", "+0.98"]
    # Down to the left end, up from there to the right end, and the whole from where it began to the right end.
    assert second.index("░") < first.rindex("░") == total.index("▒") < second.rindex("░") == total.rindex("▒")
    assert second.index("░") == first.index("░")


def test_agreements_are_sentences_with_their_counts() -> None:
    text = "\n".join(block(tuple(ask(what_if(to_dose(50.0), samples=3), saying((-0.98, 0, "up", 0.6)))), 200))
    assert "The stated direction fits the values in 0 of 3 steps." in text
    assert "A z-test on the values agrees with P(met) in 3 of 3 steps; they lie .40 apart on average." in text
    assert "3 of 3 seeds agree on the verdict; their middle half spans 0.00 s and 0.00 logit P." in text


@pytest.mark.parametrize("run", sample_runs.ALL_RUNS.values(), ids=lambda run: run.__name__)
@pytest.mark.parametrize("width", [34, 44, 78])
def test_no_line_is_wider_than_the_screen(run: object, width: int) -> None:
    assert callable(run)
    assert all(len(line) <= width for line in block(run(), width))


def test_a_run_without_an_answer_has_no_block() -> None:
    assert block(sample_runs.abstained_run()) == []
    assert "What moved" not in "\n".join(run_lines(build_graph(sample_runs.abstained_run())))


def test_a_run_is_shown_with_its_block_and_a_forecast_by_factor() -> None:
    assert "What moved the result: k1 against k2" in "\n".join(run_lines(build_graph(sample_runs.what_if_three_steps())))
    lines = run_lines(build_graph(sample_runs.forecast_run()), chains=False)
    assert any(line.startswith("What moved the result: the mean over the pathways") for line in lines)
