"""Imagine: from a posted result through changes to an imagined one, on the starter corpus and the real engine."""

from __future__ import annotations

from pathlib import Path
from threading import Event
from time import perf_counter

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from deepimagine_tui.backends.protocol import ModelBackend
from deepimagine_tui.reasoning.choosing import default_anchor
from deepimagine_tui.reasoning.events import CONTEXT_OF_USE, DEMO_MARK
from deepimagine_tui.reasoning.propose import parse_setting
from deepimagine_tui.reasoning.request import WhatIf
from deepimagine_tui.reasoning.runs import RunStore
from deepimagine_tui.tui.app import DeepImagineApp
from deepimagine_tui.tui.screens.imagine import ImagineScreen
from deepimagine_tui.tui.widgets.chain import ChainView
from deepimagine_tui.tui.widgets.drawn import DrawnPane
from deepimagine_tui.tui.widgets.panes import Pane
from deepimagine_tui.tui.widgets.run_table import RunTable
from deepimagine_tui.tui.widgets.seeds import SeedTable
from deepimagine_tui.tui.widgets.text_pane import TextPane
from deepimagine_tui.tui.widgets.what_if import ChangeList, WhatIfPart
from tests.tui.backends import Crashing, Waiting, WithBackend
from tests.tui.records import dose_trial
from tests.tui.waiting import settled, until

POSTED_DOSE, UNTRIED_DOSE = "0.5 mg", "2 mg"


def imagine(app: DeepImagineApp) -> ImagineScreen:
    screen = app.screen
    assert isinstance(screen, ImagineScreen)
    return screen


async def start(pilot: Pilot[None], *settings: tuple[str, str]) -> ImagineScreen:
    """Open Imagine on the dose trial with changes that are read as typed."""
    app = pilot.app
    assert isinstance(app, DeepImagineApp)
    await settled(pilot)
    trial = dose_trial()
    app.imagine_from(trial, default_anchor(trial))
    await settled(pilot)
    for factor, text in settings:
        await pilot.press("a")
        await pilot.pause()
        picker = app.screen
        await pilot.press("home", *["down"] * ["geography", "context", "arm", "dose"].index(factor), "enter")
        await settled(pilot)
        picker.query_one("#typed").focus()
        await pilot.press(*["space" if char == " " else "full_stop" if char == "." else char for char in text])
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
    return imagine(app)


async def unready(pilot: Pilot[None], app: DeepImagineApp) -> ImagineScreen:
    """Ask for an untried dose while the model is not ready."""
    await until(pilot, lambda: app.corpus_open)
    trial = dose_trial()
    app.imagine_from(trial, default_anchor(trial))
    await until(pilot, lambda: isinstance(app.screen, ImagineScreen) and app.screen.draft is not None)
    screen = imagine(app)
    assert screen.draft is not None
    screen.take(screen.draft.added(parse_setting("dose", UNTRIED_DOSE, screen.draft.source, trial)))
    return screen


async def ran(pilot: Pilot[None]) -> None:
    app = pilot.app
    assert isinstance(app, DeepImagineApp)
    await until(pilot, lambda: not app.running and app.graph.finished is not None)
    await settled(pilot)


async def test_an_untried_dose_is_imagined_with_statuses_on_every_number() -> None:
    app = DeepImagineApp(WithBackend())
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await start(pilot, ("dose", UNTRIED_DOSE), ("geography", "Japan"))
        assert screen.draft is not None
        assert [change.factor for change in screen.draft.changes] == ["dose", "geography"]
        await pilot.press("r")
        await ran(pilot)
        text = screen.query_one(ChainView).copy_text()
        assert "● observed" in text
        assert "○ imagined" in text
        assert "not calibrated" in text
        assert DEMO_MARK in text
        assert CONTEXT_OF_USE in text
        assert "posted result" not in text
        assert "Emax through observed" in screen.query_one("#trajectory", DrawnPane).copy_text()
        assert "serious" in screen.query_one("#trajectory", DrawnPane).copy_text()
        moved = screen.query_one("#waterfall", DrawnPane).copy_text()
        assert "2 geography" in moved
        assert "What moved the result: k1 against k2" in moved
        assert "z-test on the values agrees" in moved
        assert "Japan" in screen.query_one("#prompt", TextPane).copy_text()
    assert RunStore.default().list()


async def test_a_posted_dose_is_marked_beforehand_and_revealed_after_the_answer() -> None:
    app = DeepImagineApp(WithBackend())
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await start(pilot, ("dose", POSTED_DOSE))
        assert "can be checked" in app.export_screenshot().replace("\xa0", " ").replace("&#160;", " ")
        await pilot.press("r")
        await ran(pilot)
        text = screen.query_one(ChainView).copy_text()
        assert "● posted -1.45" in text
        assert "direction" in text


async def test_a_typed_value_is_read_aloud_and_nonsense_is_refused_in_place() -> None:
    app = DeepImagineApp(WithBackend())
    async with app.run_test(size=(120, 36)) as pilot:
        await start(pilot)
        await pilot.press("a")
        await pilot.pause()
        await pilot.press("enter")
        await settled(pilot)
        app.screen.query_one("#typed").focus()
        await pilot.press(*"2mg")
        await settled(pilot)
        reading = app.screen.query_one("#reading")
        assert "2 mg" in str(reading.render())
        await pilot.press(*"xyz", "enter")
        await settled(pilot)
        assert reading.has_class("wrong")
        await pilot.press("escape")
        assert imagine(app).draft is not None


async def test_esc_stops_at_once_and_keeps_what_was_produced() -> None:
    app = DeepImagineApp(WithBackend(Waiting()))
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await start(pilot, ("dose", UNTRIED_DOSE))
        await pilot.press("r")
        await until(pilot, lambda: app.graph.pathways and app.graph.pathways[0].steps and app.graph.pathways[0].steps[0].text)
        await until(pilot, lambda: "does" in screen.query_one(ChainView).copy_text())
        assert "\x1b" not in screen.query_one(ChainView).copy_text()
        before = perf_counter()
        await pilot.press("escape")
        assert app.run_cancel.is_set()
        assert perf_counter() - before < 0.5
        await ran(pilot)
        assert app.graph.finished is not None
        assert app.graph.finished.outcome == "cancelled"
        assert "Stopped" in screen.query_one(ChainView).copy_text()
        assert app.screen is screen


async def test_a_run_waits_for_the_model_and_says_so() -> None:
    hold = Event()
    app = DeepImagineApp(WithBackend(hold=hold))
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await unready(pilot, app)
        await pilot.press("r")
        await until(pilot, lambda: "Queued until the model is ready" in screen.query_one(ChainView).copy_text())
        assert "queued" in app.status.run.text()
        hold.set()
        await ran(pilot)
        assert "○ imagined" in screen.query_one(ChainView).copy_text()


async def test_a_crash_keeps_the_finished_steps_and_r_goes_on_from_there() -> None:
    backend = Crashing(good=1)
    app = DeepImagineApp(WithBackend(backend))
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await start(pilot, ("dose", UNTRIED_DOSE), ("geography", "Japan"))
        await pilot.press("r")
        await ran(pilot)
        text = screen.query_one(ChainView).copy_text()
        assert "○ imagined" in text
        assert "the model stopped (out of memory?)" in text
        assert "r restarts from this step" in text
        first = screen.request
        await pilot.press("r")
        await until(pilot, lambda: screen.request is not first)
        await ran(pilot)
        assert screen.request is not None
        assert first is not None
        assert screen.request.parent == first.run_id
        assert [kept.step for kept in screen.request.kept] == [0]
        assert backend.asked == 3
        assert app.graph.finished is not None
        assert app.graph.finished.outcome == "answered"


async def test_a_step_can_get_a_result_of_ones_own_and_the_rest_says_so() -> None:
    app = DeepImagineApp(WithBackend())
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await start(pilot, ("dose", UNTRIED_DOSE), ("geography", "Japan"))
        await pilot.press("r")
        await ran(pilot)
        screen.query_one(ChainView).focus()
        await pilot.press("k", "enter")
        await pilot.pause()
        await pilot.press("down", "down", "enter")
        await pilot.pause()
        for entry, text in (("#arm", "-2.5"), ("#comparator", "-0.1")):
            app.screen.query_one(entry).value = text  # type: ignore[attr-defined]  # both are inputs
        first = screen.request
        await pilot.press("enter", "enter")
        await until(pilot, lambda: screen.request is not first)
        await ran(pilot)
        text = screen.query_one(ChainView).copy_text()
        assert "✎ entered" in text
        assert "✎  -2.50" in text
        assert "after an entered value" in text


async def test_a_new_seed_is_another_run_of_the_same_question() -> None:
    app = DeepImagineApp(WithBackend())
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await start(pilot, ("dose", UNTRIED_DOSE))
        await pilot.press("r")
        await ran(pilot)
        first = screen.request
        await pilot.press("R")
        await until(pilot, lambda: screen.request is not first)
        await ran(pilot)
        second = screen.request
        assert first is not None
        assert second is not None
        assert second.settings.seed != first.settings.seed
        assert second.question == first.question
        assert screen.query_one(SeedTable).row_count == 3


async def test_changes_are_reordered_and_taken_out_by_key() -> None:
    app = DeepImagineApp(WithBackend())
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await start(pilot, ("dose", UNTRIED_DOSE), ("geography", "Japan"))
        screen.query_one(ChangeList).focus()
        await pilot.press("home", "shift+down")
        await pilot.pause()
        assert screen.draft is not None
        assert [change.factor for change in screen.draft.changes] == ["geography", "dose"]
        await pilot.press("home", "x")
        await pilot.pause()
        assert [change.factor for change in screen.draft.changes] == ["dose"]


async def test_q_asks_while_something_runs() -> None:
    app = DeepImagineApp(WithBackend(Waiting()))
    async with app.run_test(size=(120, 36)) as pilot:
        await start(pilot, ("dose", UNTRIED_DOSE))
        await pilot.press("r")
        await until(pilot, lambda: app.running)
        await pilot.press("q")
        await pilot.pause()
        assert app.is_running
        await pilot.press("escape")
        await pilot.pause()
        assert app.running
        await pilot.press("escape")
        await ran(pilot)


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (160, 48)])
async def test_the_question_fits_and_all_parts_can_be_reached(size: tuple[int, int]) -> None:
    app = DeepImagineApp(WithBackend(theme="light"))
    async with app.run_test(size=size) as pilot:
        screen = await start(pilot, ("dose", UNTRIED_DOSE))
        await pilot.press("r")
        await ran(pilot)
        shown = set()
        for _ in range(8):
            await pilot.press("tab")
            await settled(pilot)
            assert app.focused is not None
            shown |= {node.id for node in app.focused.ancestors_with_self}
        assert {"what-if-pane", "chain-pane", "figure-pane"} <= shown
        for pane in ("what-if-pane", "chain-pane", "figure-pane"):
            assert screen.query_one(f"#{pane}").region.right <= size[0]


async def test_the_figure_of_a_run_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    app = DeepImagineApp(WithBackend())
    async with app.run_test(size=(120, 36)) as pilot:
        await start(pilot, ("dose", UNTRIED_DOSE))
        await pilot.press("r")
        await ran(pilot)
        await pilot.press("e")
        await pilot.pause()
        await pilot.press("enter", "enter")
        await until(pilot, lambda: list(tmp_path.glob("*.pdf")), 30)


async def test_the_engine_is_asked_exactly_what_is_on_screen() -> None:
    app = DeepImagineApp(WithBackend())
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await start(pilot, ("dose", UNTRIED_DOSE))
        asked = screen.query_one(WhatIfPart).copy_text()
        await pilot.press("r")
        await ran(pilot)
        assert screen.request is not None
        question = screen.request.question
        assert isinstance(question, WhatIf)
        assert question.perturbations[0].after in asked
        assert question.anchor == default_anchor(dose_trial())


def test_the_backends_of_these_tests_are_backends() -> None:
    backends: list[ModelBackend] = [Waiting(), Crashing(1)]
    assert len(backends) == 2


async def test_an_earlier_question_is_taken_up_again_from_the_list_of_runs() -> None:
    app = DeepImagineApp(WithBackend())
    async with app.run_test(size=(120, 36)) as pilot:
        first = await start(pilot, ("dose", UNTRIED_DOSE))
        assert first.draft is not None
        await pilot.press("r")
        await ran(pilot)
        earlier = app.request
        assert earlier is not None
        app.imagine_from(dose_trial(), default_anchor(dose_trial()))
        await settled(pilot)
        assert imagine(app).draft is not None
        assert imagine(app).draft.changes == ()
        await pilot.press("5")
        await until(pilot, lambda: app.screen.query_one(RunTable).row_count == 1)
        await until(pilot, lambda: app.screen.check_action("again", ()))
        await pilot.press("r")
        await until(pilot, lambda: isinstance(app.screen, ImagineScreen) and app.screen.draft is not None)
        await until(pilot, lambda: imagine(app).draft.changes != ())
        taken = imagine(app).draft
        assert taken is not None
        assert isinstance(earlier.question, WhatIf)
        assert taken.changes == earlier.question.perturbations
        assert taken.parent == earlier.run_id
        assert taken.request().settings == earlier.settings


async def test_a_chain_says_when_it_answers_another_question_than_the_one_asked_now() -> None:
    app = DeepImagineApp(WithBackend())
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        screen = await start(pilot, ("dose", UNTRIED_DOSE), ("geography", "Japan"))
        pane = screen.query_one("#chain-pane", Pane)
        await pilot.press("r")
        await ran(pilot)
        assert not pane.border_subtitle
        assert not app.screen.query("Toast"), "what is on screen needs no toast"
        screen.query_one(ChangeList).focus()
        await pilot.press("home", "x")
        await settled(pilot)
        assert "question before" in str(pane.border_subtitle)
        await pilot.press("r")
        await ran(pilot)
        assert not pane.border_subtitle


async def test_a_run_that_ends_out_of_sight_says_so() -> None:
    ready = Event()
    app = DeepImagineApp(WithBackend(hold=ready))
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        screen = await unready(pilot, app)
        await pilot.press("r", "1")
        await until(pilot, lambda: app.screen is not screen)
        ready.set()
        await ran(pilot)
        await until(pilot, lambda: app.screen.query("Toast"))


async def test_the_question_is_wrapped_under_its_words_and_says_each_value_once() -> None:
    app = DeepImagineApp(WithBackend())
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await start(pilot, ("dose", UNTRIED_DOSE))
        asks = [line.rstrip() for line in str(screen.query_one("#asks", Static).content).splitlines()]
        assert all(line[:7].strip() in ("Asks", "Order", "Model", "Seed", "r  Run", "") for line in asks), asks
        assert all(len(line) <= 34 for line in asks)
        assert screen.query_one(ChangeList).copy_text().count("2 mg weekly") == 1
        shown = str(screen.query_one(ChangeList).get_option_at_index(0).prompt)
        assert shown.count("2 mg weekly") == 1


async def test_probes_compare_only_answers_to_one_question() -> None:
    app = DeepImagineApp(WithBackend())
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await start(pilot, ("dose", UNTRIED_DOSE), ("geography", "Japan"))
        probes = screen.query_one(SeedTable)
        for key in ("r", "R"):
            await pilot.press(key)
            await ran(pilot)
        assert probes.row_count == 3
        screen.query_one(ChangeList).focus()
        await pilot.press("home", "x", "r")
        await ran(pilot)
        assert probes.row_count == 2
