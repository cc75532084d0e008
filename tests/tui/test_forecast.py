"""Forecast: from a planned trial or one of the user's own, through its anchors, to an aggregate; on the starter corpus."""

from __future__ import annotations

from contextlib import closing

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot
from textual.widgets import Input

from deepimagine_tui.corpus.starter import open_starter
from deepimagine_tui.errors import UsageError
from deepimagine_tui.reasoning.events import DEMO_MARK, AnchorChosen
from deepimagine_tui.reasoning.graph import ReasoningGraph
from deepimagine_tui.reasoning.request import Forecast, ImagineRequest
from deepimagine_tui.reasoning.target import target_of
from deepimagine_tui.trials.model import PartialDate, Trial
from deepimagine_tui.tui.app import DeepImagineApp
from deepimagine_tui.tui.copying import Copyable
from deepimagine_tui.tui.forecast_audit import audit
from deepimagine_tui.tui.forecast_draft import ForecastDraft, TargetFields, default_cutoff, fields_of
from deepimagine_tui.tui.forecast_text import aggregate_text, why_text
from deepimagine_tui.tui.screens.forecast import ForecastScreen
from deepimagine_tui.tui.screens.graph import GraphScreen
from deepimagine_tui.tui.screens.reading import PathwayChain, PathwayDialog, ReadingDialog
from deepimagine_tui.tui.screens.target_fields import TargetFieldsDialog
from deepimagine_tui.tui.widgets.drawn import DrawnPane
from deepimagine_tui.tui.widgets.forecast_table import ForecastTable
from deepimagine_tui.tui.widgets.forecast_target import EMPTY, HIDDEN, TargetList, TargetPart
from tests.support.sample_runs import ALL_RUNS, forecast_run, graph_of
from tests.tui.backends import Waiting, WithBackend
from tests.tui.records import dose_trial, hostile, without_results
from tests.tui.waiting import settled, until

BACKTEST = "NCT04497987"
"""A trial of the starter with posted results and five anchors before them."""


def trial_of(nct_id: str) -> Trial:
    with closing(open_starter()) as corpus:
        return corpus.get(nct_id)


def forecast(app: DeepImagineApp) -> ForecastScreen:
    screen = app.screen
    assert isinstance(screen, ForecastScreen)
    return screen


async def start(pilot: Pilot[None], trial: Trial) -> ForecastScreen:
    app = pilot.app
    assert isinstance(app, DeepImagineApp)
    await until(pilot, lambda: app.corpus_open and app.backend is not None)
    app.forecast_trial(trial)
    await until(pilot, lambda: isinstance(app.screen, ForecastScreen) and app.screen.draft is not None)
    await settled(pilot)
    return forecast(app)


async def ran(pilot: Pilot[None]) -> None:
    app = pilot.app
    assert isinstance(app, DeepImagineApp)
    await until(pilot, lambda: not app.running and app.graph.finished is not None, 30)
    await settled(pilot)


async def run_backtest(pilot: Pilot[None]) -> ForecastScreen:
    screen = await start(pilot, trial_of(BACKTEST))
    await pilot.press("r")
    await ran(pilot)
    return screen


async def test_without_a_target_the_screen_says_where_to_get_one() -> None:
    app = DeepImagineApp(WithBackend())
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await pilot.press("3")
        await settled(pilot)
        assert forecast(app).query_one(TargetPart).copy_text() == EMPTY
        await pilot.press("r")
        assert not app.running


async def test_a_backtest_hides_the_posted_result_and_shows_it_afterwards() -> None:
    app = DeepImagineApp(WithBackend())
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await run_backtest(pilot)
        assert HIDDEN in screen.query_one(TargetPart).copy_text()
        assert "2022-02-03" in screen.query_one(TargetPart).copy_text()
        table = screen.query_one(ForecastTable)
        assert table.row_count == len(screen.graph.pathways) >= 3
        assert table.has_focus
        for row in table.table_text().splitlines()[1:]:
            assert "●" in row
            assert "○" in row
        text = screen.query_one("#aggregate", DrawnPane).copy_text()
        for said in ("Aggregate of", "not calibrated", "IQR", "agree", "anchors met", "comparator rule", DEMO_MARK):
            assert said in text
        assert "● posted result of this trial" in text


async def test_a_posted_result_that_fits_nothing_is_said_to_be_missing() -> None:
    graph = graph_of(forecast_run())
    assert "none to show" in aggregate_text(graph, running=False, width=100, backtest=True).plain
    assert "none to show" not in aggregate_text(graph, running=False, width=100).plain


async def test_nothing_close_abstains_and_lists_the_nearest() -> None:
    app = DeepImagineApp(WithBackend())
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await start(pilot, dose_trial())
        await pilot.press("r")
        await ran(pilot)
        text = screen.query_one("#aggregate", DrawnPane).copy_text()
        assert "No anchor close enough: the nearest is ." in text
        assert "Nothing was imagined." in text
        assert "The nearest, refused" in text
        assert not screen.query_one(ForecastTable).display


async def test_a_plan_without_results_is_no_backtest() -> None:
    app = DeepImagineApp(WithBackend())
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await start(pilot, without_results())
        assert "no results" in screen.query_one(TargetPart).copy_text()
        assert HIDDEN not in screen.query_one(TargetPart).copy_text()


async def test_arm_outcome_cutoff_and_number_of_anchors_are_chosen_on_their_lines() -> None:
    app = DeepImagineApp(WithBackend())
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await start(pilot, dose_trial())
        before = screen.draft
        assert before is not None
        await pilot.press("enter", "down", "enter")
        await settled(pilot)
        assert screen.draft is not None
        assert screen.draft.target.arm != before.target.arm
        await pilot.press("down", "down", "enter", "down", "enter")
        await settled(pilot)
        assert screen.draft.target.outcome.title == dose_trial().planned_outcomes[1].title
        lines = screen.query_one(TargetList)
        for name, typed, said in (
            ("Cutoff", "2015-06-31", "is no date"),
            ("Anchors", "65", "too many"),
            ("Seed", "x", "no seed"),
        ):
            lines.highlighted = next(n for n in range(lines.option_count) if lines.all_text().splitlines()[n].startswith(name))
            await pilot.press("enter")
            await pilot.pause()
            app.screen.query_one(Input).value = typed
            await pilot.press("enter")
            await settled(pilot)
            assert said in str(screen.query_one("#target-wrong").render())
        lines.highlighted = next(n for n in range(lines.option_count) if lines.all_text().splitlines()[n].startswith("Anchors"))
        await pilot.press("enter")
        await pilot.pause()
        app.screen.query_one(Input).value = "3"
        await pilot.press("enter")
        await settled(pilot)
        assert screen.draft.k == 3


async def test_why_audit_chain_and_graph_of_a_run() -> None:
    app = DeepImagineApp(WithBackend())
    async with app.run_test(size=(120, 36)) as pilot:
        await run_backtest(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(app.screen, PathwayDialog)
        assert "● observed" in app.screen.query_one(PathwayChain).copy_text()
        await pilot.press("y")
        assert "○ imagined" in app.clipboard
        await pilot.press("escape", "w")
        await settled(pilot)
        assert isinstance(app.screen, ReadingDialog)
        assert "counts 24%" in app.screen.query_one(DrawnPane).copy_text()
        await pilot.press("escape", "A")
        await settled(pilot)
        text = app.screen.query_one(DrawnPane).copy_text()
        assert "before the cutoff" in text
        assert "nothing found" in text
        assert "taken away" in text
        assert "DOES NOT HOLD" not in text
        await pilot.press("escape", "g")
        await settled(pilot)
        assert isinstance(app.screen, GraphScreen)
        assert app.screen.graph == app.graph


async def test_one_anchor_is_dropped_and_put_back() -> None:
    app = DeepImagineApp(WithBackend())
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await run_backtest(pilot)
        first = screen.graph.pathways[0].anchor.state.nct_id
        await pilot.press("x")
        await ran(pilot)
        assert first not in {pathway.anchor.state.nct_id for pathway in screen.graph.pathways}
        assert screen.draft is not None
        assert screen.draft.drop == (first,)
        assert first in screen.query_one(TargetPart).copy_text()
        lines = screen.query_one(TargetList)
        lines.highlighted = next(n for n in range(lines.option_count) if lines.all_text().splitlines()[n].startswith("Dropped"))
        lines.focus()
        await pilot.press("enter")
        assert not screen.draft.drop


async def test_find_goes_to_the_row_that_has_the_words() -> None:
    app = DeepImagineApp(WithBackend())
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await run_backtest(pilot)
        third = screen.graph.pathways[2].anchor.state.nct_id
        await pilot.press("slash")
        await pilot.pause()
        app.screen.query_one(Input).value = third.lower()
        await pilot.press("enter")
        await settled(pilot)
        assert screen.query_one(ForecastTable).cursor_pathway == 2


async def test_a_running_forecast_says_which_step_and_esc_stops_it() -> None:
    app = DeepImagineApp(WithBackend(Waiting()))
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await start(pilot, trial_of(BACKTEST))
        await pilot.press("r")
        await until(pilot, lambda: any(pathway.steps and pathway.steps[0].text for pathway in app.graph.pathways))
        table = screen.query_one(ForecastTable)
        assert "▸ step 1 of" in table.table_text()
        await pilot.press("enter")
        await settled_without_workers(pilot)
        assert isinstance(app.screen, PathwayDialog)
        assert "does" in app.screen.query_one(PathwayChain).copy_text()
        assert "\x1b" not in app.screen.query_one(PathwayChain).copy_text()
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)
        await pilot.press("escape")
        await ran(pilot)
        assert "stopped" in table.table_text()
        assert "Stopped" in screen.query_one("#aggregate", DrawnPane).copy_text()


async def settled_without_workers(pilot: Pilot[None]) -> None:
    for _ in range(10):
        await pilot.pause(0.05)


async def test_a_trial_of_ones_own_is_described_and_what_is_wrong_is_said_in_place() -> None:
    app = DeepImagineApp(WithBackend())
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("3")
        await settled(pilot)
        await pilot.press("n")
        await pilot.pause()
        dialog = app.screen
        assert isinstance(dialog, TargetFieldsDialog)
        for name, text in (
            ("condition", "COVID-19"),
            ("arm", "Drug B 5 mg once daily"),
            ("outcome", "Mortality"),
            ("time", "x"),
        ):
            dialog.query_one(f"#{name}", Input).value = text
        dialog.query_one("#enrolment", Input).focus()
        await pilot.press("enter")
        await pilot.pause()
        assert "x" in str(dialog.query_one("#wrong").render())
        assert app.screen is dialog
        dialog.query_one("#time", Input).value = "day 28"
        await pilot.press("enter")
        await settled(pilot)
        screen = forecast(app)
        assert screen.draft is not None
        assert screen.draft.nct_id is None
        assert screen.draft.target.time is not None
        assert screen.draft.target.time.weeks == 4
        assert "A trial of your own" in screen.query_one(TargetPart).copy_text()


async def test_a_question_of_runs_comes_back_with_everything_that_was_asked() -> None:
    target = target_of(dose_trial())
    question = Forecast(target, dose_trial().nct_id, "2015-01-01", 4, ("NCT00000102",))
    request = ImagineRequest("01900000-0000-7000-8000-000000000000", question, estimand="contrast")
    app = DeepImagineApp(WithBackend())
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        app.hand_over("forecast", request)
        await until(pilot, lambda: isinstance(app.screen, ForecastScreen) and app.screen.draft is not None)
        await settled(pilot)
        draft = forecast(app).draft
        assert draft is not None
        asked = draft.request()
        assert asked.question == question
        assert (asked.estimand, asked.parent) == ("contrast", request.run_id)
        assert draft.trial == dose_trial()


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (160, 48)])
async def test_every_part_is_copied_at_every_size(size: tuple[int, int]) -> None:
    app = DeepImagineApp(WithBackend())
    async with app.run_test(size=size) as pilot:
        screen = await run_backtest(pilot)
        table = screen.query_one(ForecastTable)
        assert table.virtual_size.width <= table.size.width
        for part in (screen.query_one(TargetList), table, screen.query_one("#aggregate", DrawnPane)):
            assert isinstance(part, Copyable)
            screen.set_focus(part)
            await settled(pilot)
            assert app.focused is part
            app.copy_to_clipboard("")
            await pilot.press("y")
            assert app.clipboard.strip()
        assert [choice for choice in screen.export_choices() if "forest" in choice.file_name]


async def test_hostile_text_is_shown_inert() -> None:
    app = DeepImagineApp(WithBackend())
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await start(pilot, hostile())
        text = screen.query_one(TargetPart).copy_text()
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "[bold red]" in text


def test_a_lifted_number_of_the_target_is_found_in_a_prompt() -> None:
    trial = dose_trial()
    value = next(cell.value for cell in trial.outcomes[0].cells if cell.value is not None and len(f"{abs(cell.value):g}") > 3)
    graph = graph_of(forecast_run())
    started = graph.started
    assert started is not None
    question = Forecast(target_of(trial), trial.nct_id, "2020-01-01")
    clean = replace(graph, started=replace(started, request=replace(started.request, question=question)))
    pathway = clean.pathways[0]
    planned = replace(pathway.steps[0].planned, prompt=f"It was {value}.")
    leaking = replace(clean, pathways=(replace(pathway, steps=(replace(pathway.steps[0], planned=planned),)),))
    assert audit(clean, trial, {})[-1].passed
    assert not audit(leaking, trial, {})[-1].passed


def test_an_anchor_posted_after_the_cutoff_or_of_the_same_programme_fails_the_audit() -> None:
    trial = dose_trial()
    graph = graph_of(forecast_run())
    started = graph.started
    assert started is not None
    question = Forecast(target_of(trial), trial.nct_id, "2019-12-31")
    asked = replace(graph, started=replace(started, request=replace(started.request, question=question)))
    ids = [pathway.anchor.state.nct_id for pathway in asked.pathways]
    early = {each: replace(trial_of(BACKTEST), nct_id=each, results_posted=PartialDate("2019-12-31")) for each in ids}
    dates, siblings, fields, _ = audit(asked, trial, early)
    assert dates.passed
    assert siblings.passed
    assert fields.passed
    late = early | {ids[0]: replace(trial, nct_id=ids[0], results_posted=PartialDate("2020-01-01"))}
    dates, siblings, _, _ = audit(asked, trial, late)
    assert dates.passed is False
    assert siblings.passed is False
    assert audit(asked, trial, {})[0].passed is None


def test_drafts_swap_sides_and_refuse_what_makes_no_sense() -> None:
    trial = dose_trial()
    draft = ForecastDraft(target_of(trial), default_cutoff(trial), trial, trial.nct_id)
    arm, against = draft.target.arm.label, draft.target.comparator
    assert against is not None
    swapped = draft.planned_as(arm=against.label)
    assert swapped.target.comparator is not None
    assert (swapped.target.arm.label, swapped.target.comparator.label) == (against.label, arm)
    assert draft.planned_as(comparator=arm).target == swapped.target
    with pytest.raises(UsageError):
        draft.with_cutoff("yesterday")
    with pytest.raises(UsageError):
        draft.with_anchors("0")
    assert draft.with_cutoff(" 2020-02-29 ").cutoff == "2020-02-29"


def test_a_target_of_ones_own_can_be_changed_from_its_configuration_alone() -> None:
    typed = TargetFields(
        "Type 2 diabetes", "Drug B 5 mg once daily", "placebo", "Change in HbA1c", "percent", "week 24", "age 18-80", "phase 3",
        "Japan 20, Germany", "400",
    )  # fmt: skip
    target = typed.target()
    assert fields_of(target).target() == target


def test_why_and_aggregate_of_a_sample_run_say_what_they_must() -> None:
    graph = graph_of(forecast_run())
    why = why_text(graph, {"condition": 0.24}, 80).plain
    assert "the model was trained on this trial" in why
    assert "left out" in why
    first = next(event for event in forecast_run() if isinstance(event, AnchorChosen))
    assert first.state.nct_id in why
    assert "90% PI" in aggregate_text(graph, running=False, width=80).plain
    assert aggregate_text(ReasoningGraph(), running=False, width=80).plain == ""
    assert "\x1b" not in why_text(graph_of(ALL_RUNS["hostile"]()), {}, 60).plain
