"""A run as text: every number with its status and source, and nothing that a terminal would obey."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from deepimagine_tui.cli.number_text import probability_text
from deepimagine_tui.cli.run_text import run_lines
from deepimagine_tui.reasoning.events import CONTEXT_OF_USE, DEMO_MARK
from deepimagine_tui.reasoning.graph import ReasoningGraph
from tests.support import sample_runs
from tests.support.sample_runs import ALL_RUNS, RUN_ID, Events, graph_of


def text_of(events: Events, *, chains: bool = True) -> str:
    return "\n".join(run_lines(graph_of(events), chains=chains))


def row_with(text: str, *words: str) -> str:
    found = [line for line in text.splitlines() if all(word in line for word in words)]
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize("make", [*ALL_RUNS.values(), sample_runs.abstained_run])
def test_every_run_says_what_it_is_for_and_which_it_is(make: Callable[[], Events]):
    text = text_of(make())
    assert text.splitlines()[-1] == CONTEXT_OF_USE
    assert RUN_ID in text


def test_an_observed_value_has_its_place_in_the_registry():
    row = row_with(text_of(sample_runs.what_if_run()), "Glivazin 10 mg", "-0.66")
    assert row.startswith("● observed")
    assert "<NCT99000101 OG001>" in row
    assert "n 224" in row


def test_an_imagined_value_has_its_interval_or_says_that_it_has_none():
    text = text_of(sample_runs.what_if_three_steps())
    assert "[-1.12, -0.56] 90% PI" in row_with(text, "○ imagined", "-0.84")
    assert "(not calibrated)" in row_with(text, "○ imagined", "-0.7 ")


def test_p_met_says_where_it_comes_from_and_a_disagreement_is_shown():
    text = text_of(sample_runs.what_if_three_steps())
    assert "model's own distribution" in row_with(text, "P(met) .88")
    assert "disagrees" in row_with(text, "z-test", "disagrees")


def test_a_contrast_of_imagined_values_is_not_shown_as_observed():
    text = text_of(sample_runs.what_if_run())
    assert row_with(text, "mean difference", "-0.58").startswith("● observed")
    assert row_with(text, "mean difference", "-0.76").startswith("○ imagined")


def test_a_posted_result_stands_beside_the_imagined_one_with_its_grade():
    text = text_of(sample_runs.revealed_run())
    assert row_with(text, "● posted", "-0.78")
    grade = row_with(text, "Graded")
    assert "same direction" in grade
    assert "e 0.049" in grade
    assert "copying the source: 0.148" in grade


def test_what_was_computed_of_the_reasoning_is_told_apart():
    text = text_of(sample_runs.revealed_run())
    assert "More, 2.5 times the dose: the effect should grow a little." in text
    assert "(computed, not the model's: More, 2.5 times the dose)" in text
    assert "computed, not" not in text_of(sample_runs.what_if_run())


def test_the_demo_is_marked_at_the_top_and_where_the_model_is_named():
    text = text_of(sample_runs.demo_run())
    assert DEMO_MARK in text.splitlines()[0]
    assert DEMO_MARK in row_with(text, "Model  ")
    assert DEMO_MARK not in text_of(sample_runs.what_if_run())


def test_a_failed_step_keeps_the_steps_before_it():
    text = text_of(sample_runs.failed_run())
    assert "-0.84" in text
    assert "no answer: The model stopped (out of memory?)." in text


def test_a_forecast_is_a_table_of_pathways_and_an_aggregate():
    text = text_of(sample_runs.forecast_run(), chains=False)
    assert "NCT99000203" in row_with(text, "no answer")
    assert "Aggregate of 6" in text
    assert "5 of 6 pathways agree" in text
    assert len(text) < len(text_of(sample_runs.forecast_run()))


def test_an_abstention_names_what_was_nearest():
    text = text_of(sample_runs.abstained_run())
    assert "Nothing was imagined" in text
    assert "NCT99000205" in text


def test_a_run_that_was_cut_off_says_so():
    assert "no end" in text_of(sample_runs.what_if_run()[:4])
    assert run_lines(ReasoningGraph())[-1].startswith("This run has no end")


def test_hostile_text_is_inert():
    text = text_of(sample_runs.hostile_run())
    assert "[bold red]" in text
    for character in "\x1b\u202e\u200b\ufeff":
        assert character not in text


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, ".00"), (0.004, "<.01"), (0.5, ".50"), (0.876, ".88"), (0.9951, ">.99"), (1.0, "1.00")]
)
def test_a_probability_is_never_rounded_to_a_certainty(value: float, text: str):
    assert probability_text(value) == text
