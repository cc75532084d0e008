"""Probes of one run: asked from Imagine and from Runs, kept with the run, stopped without losing what was answered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from threading import Event

import pytest
from textual.pilot import Pilot

from deepimagine_tui.backends.protocol import GenerationEvent, GenerationRequest
from deepimagine_tui.backends.scripted import ScriptedBackend
from deepimagine_tui.reasoning.events import DEMO_MARK
from deepimagine_tui.reasoning.ids import new_run_id
from deepimagine_tui.reasoning.journal import Journal
from deepimagine_tui.reasoning.probe_results import RunProbes
from deepimagine_tui.reasoning.probe_text import IMAGINED, UNASKED
from deepimagine_tui.reasoning.runs import RunStore
from deepimagine_tui.tui.app import DeepImagineApp
from deepimagine_tui.tui.screens.dialog import ErrorDialog
from deepimagine_tui.tui.screens.imagine import ImagineScreen
from deepimagine_tui.tui.widgets.drawn import DrawnPane
from deepimagine_tui.tui.widgets.figures import FiguresPart
from deepimagine_tui.tui.widgets.run_table import RunTable
from tests.support import sample_runs
from tests.tui.backends import Crashing, WithBackend
from tests.tui.test_imagine import UNTRIED_DOSE, ran, start
from tests.tui.waiting import until


class Holding(ScriptedBackend):
    """The demo, which answers its first batch, that of the run, and then nothing until it is stopped."""

    def __init__(self) -> None:
        super().__init__()
        self.batches = 0

    def generate(self, batch: Sequence[GenerationRequest], cancel: Event) -> Iterator[GenerationEvent]:
        self.batches += 1
        if self.batches > 1:
            cancel.wait(20)
        yield from super().generate(batch, cancel)


async def answered(pilot: Pilot[None]) -> ImagineScreen:
    """A run of the demo at an untried dose, its answer on the screen."""
    screen = await start(pilot, ("dose", UNTRIED_DOSE))
    await pilot.press("r")
    await ran(pilot)
    return screen


def panel(screen: ImagineScreen) -> str:
    return screen.query_one("#probes", DrawnPane).copy_text()


def kept() -> RunProbes:
    store = RunStore.default()
    return store.probes(store.list()[0].run_id)


@pytest.mark.parametrize("size", [(120, 36), (80, 24)])
async def test_a_run_is_probed_where_it_was_asked_and_shows_each_number_with_its_meaning(size: tuple[int, int]) -> None:
    app = DeepImagineApp(WithBackend())
    async with app.run_test(size=size) as pilot:
        screen = await answered(pilot)
        assert UNASKED in " ".join(panel(screen).split())
        await pilot.press("p")
        await until(pilot, lambda: not app.running and "seeds agree" in panel(screen))
        text = " ".join(panel(screen).split())
        assert screen.query_one(FiguresPart).active_part.id == "probes-part"
        assert IMAGINED in text
        assert DEMO_MARK in text
        for name in ("doses are in order", "perturbing back returns", "order of changes, value", "seeds agree"):
            assert name in text
        assert "Share of seeds with the verdict of most seeds." in text
        assert "1 mg ●" in text
        assert not screen.check_action("probe", ())
    # The probes' own runs are not listed beside it.
    assert len(RunStore.default().list()) == 1


async def test_a_kept_run_is_probed_from_the_list_and_found_again() -> None:
    app = DeepImagineApp(WithBackend())
    async with app.run_test(size=(120, 36)) as pilot:
        await answered(pilot)
        await pilot.press("5")
        details = app.screen.query_one("#run-details", DrawnPane)
        await until(pilot, lambda: "p asks them" in details.copy_text())
        await pilot.press("p")
        await until(pilot, lambda: not app.running and "seeds agree" in details.copy_text())
    again = DeepImagineApp(WithBackend())
    async with again.run_test(size=(120, 36)) as pilot:
        await pilot.press("5")
        await until(pilot, lambda: bool(again.screen.query(RunTable)))
        details = again.screen.query_one("#run-details", DrawnPane)
        await until(pilot, lambda: "seeds agree" in details.copy_text())


async def test_esc_stops_the_probes_and_p_asks_the_rest() -> None:
    app = DeepImagineApp(WithBackend(Holding()))
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await answered(pilot)
        await pilot.press("p")
        await until(pilot, lambda: "Probing" in panel(screen) and "probing" in app.status.run.doing)
        await pilot.press("escape")
        await until(pilot, lambda: not app.running and "It was stopped" in panel(screen))
        assert isinstance(app.screen, ImagineScreen)
        assert {each.standing for each in kept().results} == {"no answer"}
        app.backend = ScriptedBackend()
        await pilot.press("p")
        await until(pilot, lambda: not app.running and "seeds agree" in panel(screen))
        assert {each.standing for each in kept().results} == {"answered"}


async def test_a_model_that_stops_is_told_and_the_probes_can_be_asked_again() -> None:
    app = DeepImagineApp(WithBackend(Crashing(good=1)))
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await answered(pilot)
        await pilot.press("p")
        await until(pilot, lambda: not app.running and "No answer" in panel(screen))
        if isinstance(app.screen, ErrorDialog):
            await pilot.press("escape")
        await pilot.press("p")
        await until(pilot, lambda: not app.running and "seeds agree" in panel(screen))


async def test_a_forecast_says_why_it_cannot_be_probed() -> None:
    run_id = new_run_id()
    with Journal(RunStore.default().path(run_id)) as journal:
        for event in sample_runs.forecast_run(3):
            journal.write(event)
    app = DeepImagineApp(WithBackend())
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("5")
        details = app.screen.query_one("#run-details", DrawnPane)
        await until(pilot, lambda: "A forecast has no one anchor" in " ".join(details.copy_text().split()))
        assert not app.screen.check_action("probe", ())
