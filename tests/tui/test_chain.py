"""The chain and the figures over every kind of run: statuses, intervals, reveals, failures, hostile text."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from deepimagine_tui.cli.run_text import run_lines
from deepimagine_tui.reasoning.events import StepEstimated
from deepimagine_tui.reasoning.graph import build_graph
from deepimagine_tui.tui.chain_text import anchor_card, step_card, stopped_card, streaming_card
from deepimagine_tui.tui.trajectory import waterfall
from tests.support import sample_runs

RUNS = [
    sample_runs.what_if_run,
    sample_runs.what_if_three_steps,
    sample_runs.revealed_run,
    sample_runs.demo_run,
    sample_runs.failed_run,
    sample_runs.abstained_run,
    sample_runs.forecast_run,
    sample_runs.single_arm_run,
    sample_runs.hostile_run,
]


def cards(events: sample_runs.Events, width: int) -> list[str]:
    found = []
    for pathway in build_graph(events).pathways:
        found.append(anchor_card(pathway.anchor, width).plain)
        for number, step in enumerate(pathway.steps, 1):
            found.append(streaming_card(number, step, width).plain)
            if step.estimated is not None:
                found.append(step_card(number, step, step.estimated, width, seen=False).plain)
            else:
                found.append(stopped_card(number, step, width, "stopped").plain)
    return found


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.__name__)
@pytest.mark.parametrize("width", [24, 44, 90])
def test_every_run_can_be_shown_and_nothing_in_it_is_obeyed(run: Callable[[], sample_runs.Events], width: int) -> None:
    text = "\n".join(cards(run(), width))
    assert all(char == "\n" or char.isprintable() for char in text)
    for pathway in build_graph(run()).pathways:
        assert waterfall(pathway, width).plain


def test_an_imagined_number_is_hollow_and_italic_and_an_observed_one_is_neither() -> None:
    pathway = build_graph(sample_runs.what_if_run()).pathways[0]
    step = pathway.steps[0]
    assert step.estimated is not None
    observed, imagined = anchor_card(pathway.anchor, 60), step_card(1, step, step.estimated, 60, seen=False)
    assert "●" in observed.plain
    assert "○" not in observed.plain
    assert not any("italic" in str(span.style) for span in observed.spans)
    for place in [index for index, char in enumerate(imagined.plain) if char == "○"]:
        assert any(span.start <= place < span.end and "italic" in str(span.style) for span in imagined.spans)


def test_every_bracket_names_its_level_and_kind() -> None:
    text = "\n".join(cards(sample_runs.what_if_run(), 90))
    assert "90% PI" in text
    assert text.count("[") == text.count("% PI") + text.count("% CI")


def test_a_reveal_shows_both_values_the_grade_and_whether_the_trial_was_seen() -> None:
    pathway = build_graph(sample_runs.revealed_run()).pathways[0]
    step = next(step for step in pathway.steps if step.revealed is not None)
    assert step.estimated is not None
    text = step_card(1, step, step.estimated, 90, seen=True).plain
    assert "● posted" in text
    assert "○" in text
    assert "direction" in text
    assert "e 0." in text
    assert "the model was trained on this trial" in text


def test_what_was_computed_of_the_reasoning_is_upright_and_the_model_s_own_words_are_not() -> None:
    (step,) = build_graph(sample_runs.revealed_run()).pathways[0].steps
    assert step.estimated is not None
    card = step_card(1, step, step.estimated, 90)
    own = [card.plain[span.start : span.end] for span in card.spans if span.style == "italic"]
    assert "More, 2.5 times the dose: the effect should grow a little." in card.plain
    assert own[0] == "the effect should grow a little."


def test_while_the_prompt_is_read_the_opening_stands_there_and_nothing_streams() -> None:
    (step,) = build_graph(sample_runs.revealed_run()).pathways[0].steps
    waiting = streaming_card(1, replace(step, text="", estimated=None), 60).plain
    assert "More, 2.5 times the dose:" in waiting
    assert "reading the prompt…" in waiting
    going = streaming_card(1, replace(step, text=" the effect", estimated=None), 60).plain
    assert "More, 2.5 times the dose: the effect" in going
    stopped = stopped_card(1, replace(step, text=" the effect", estimated=None), 60, "stopped").plain
    assert "More, 2.5 times the dose: the effect" in stopped
    unasked = stopped_card(1, replace(step, text="", estimated=None), 60, "stopped").plain
    assert "More" not in unasked, "nothing was reasoned yet"
    assert "streaming…" in going


@pytest.mark.parametrize("width", [36, 44])
def test_a_line_that_goes_on_stands_under_its_first_word_and_no_p_value_is_cut(width: int) -> None:
    for run in (sample_runs.what_if_run, sample_runs.revealed_run):
        for card in cards(run(), width):
            lines = card.splitlines()
            marked = [index for index, line in enumerate(lines) if line.startswith(("  ! ", "    ["))]
            for index in marked:
                following = lines[index + 1] if index + 1 < len(lines) else "    "
                assert following.startswith("  "), card
            assert not any(line.rstrip().endswith(("p <", "p =")) for line in lines), card


def test_every_imagined_number_has_its_interval_or_says_that_it_is_not_calibrated() -> None:
    step = build_graph(sample_runs.what_if_run()).pathways[0].steps[0]
    estimated = step.estimated
    assert estimated is not None
    state = estimated.state
    assert state.contrast is not None
    assert state.arm_value is not None
    contrast = replace(state.contrast, number=replace(state.contrast.number, status="imagined"))
    lines = step_card(1, step, replace(estimated, state=replace(state, contrast=contrast)), 90).plain.splitlines()
    assert sum("90% PI" in line for line in lines) == 1
    assert next(line for line in lines if "mean difference" in line).endswith("not calibrated")
    bare = replace(state, arm_value=replace(state.arm_value, interval=None), contrast=contrast)
    text = step_card(1, step, replace(estimated, state=bare), 90).plain
    assert "no intervals: not calibrated" in text
    assert "90% PI" not in text


def test_the_record_of_the_factor_stands_with_the_number() -> None:
    pathway = build_graph(sample_runs.what_if_run()).pathways[0]
    estimated = pathway.steps[0].estimated
    assert estimated is not None
    record = "dose: right direction on 61% of 212 pairs in 12 trials, base rate 45%; better than the base rate"
    text = step_card(1, pathway.steps[0], replace(estimated, record=record), 40).plain
    assert record in " ".join(text.split())
    assert record in " ".join(run_lines_of(record))


def run_lines_of(record: str) -> list[str]:
    """The same run as the command prints it, with that record, each line without its margin."""
    graph = build_graph(
        replace(event, record=record) if isinstance(event, StepEstimated) else event for event in sample_runs.what_if_run()
    )
    return [line.strip() for line in run_lines(graph)]
