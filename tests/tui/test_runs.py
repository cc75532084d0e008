"""Runs: what was kept is listed, read, compared, renamed, deleted."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from deepimagine_tui.reasoning.events import ReasoningEvent, RunStarted
from deepimagine_tui.reasoning.graph import build_graph
from deepimagine_tui.reasoning.ids import new_run_id
from deepimagine_tui.reasoning.journal import record
from deepimagine_tui.reasoning.runs import RunStore
from deepimagine_tui.tui.app import DeepImagineApp
from deepimagine_tui.tui.run_comparison import comparison, movements, tornado
from deepimagine_tui.tui.screens.compare_runs import CompareRuns
from deepimagine_tui.tui.screens.runs import RunsScreen
from deepimagine_tui.tui.widgets.drawn import DrawnPane
from deepimagine_tui.tui.widgets.run_table import RunTable
from tests.support import sample_runs
from tests.tui.fakes import FakeServices
from tests.tui.waiting import until


def keep(events: Sequence[ReasoningEvent]) -> str:
    """Write a run's journal under an id of its own and return the id."""
    run_id = new_run_id()
    own = [replace(event, run_id=run_id) for event in events]
    assert isinstance(own[0], RunStarted)
    own[0] = replace(own[0], request=replace(own[0].request, run_id=run_id))
    list(record(iter(own), RunStore.default().path(run_id), lambda _error: None))
    return run_id


def the_app() -> DeepImagineApp:
    return DeepImagineApp(FakeServices())


async def test_without_runs_the_screen_says_how_to_get_one() -> None:
    app = the_app()
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("5")
        await until(pilot, lambda: app.screen.query_one("#no-runs").display)


async def test_runs_are_listed_newest_first_and_the_one_under_the_cursor_is_read() -> None:
    first, second = keep(sample_runs.what_if_run()), keep(sample_runs.forecast_run(3))
    app = the_app()
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("5")
        await until(pilot, lambda: app.screen.query_one(RunTable).row_count == 2)
        keys = [row.key.value for row in app.screen.query_one(RunTable).ordered_rows]
        assert keys == [run.run_id for run in RunStore.default().list()]
        assert set(keys) == {first, second}
        details = app.screen.query_one("#run-details", DrawnPane)
        await until(pilot, lambda: str(keys[0]) in details.copy_text())
        await pilot.press("j")
        await until(pilot, lambda: str(keys[1]) in details.copy_text())
        assert "What moved the result" in details.copy_text()


async def test_a_run_is_renamed_and_deleted() -> None:
    run_id = keep(sample_runs.what_if_run())
    app = the_app()
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("5")
        await until(pilot, lambda: app.screen.query_one(RunTable).row_count == 1)
        await pilot.press("n")
        await until(pilot, lambda: bool(app.screen.query("#line")))
        await pilot.press("ctrl+u", *"mine", "enter")
        await until(pilot, lambda: RunStore.default().list()[0].name == "mine")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen))
        await pilot.press("x")
        await until(pilot, lambda: not isinstance(app.screen, RunsScreen))
        assert RunStore.default().path(run_id).exists()
        await pilot.press("y")
        await until(pilot, lambda: not RunStore.default().path(run_id).exists())


async def test_marked_runs_are_compared() -> None:
    keep(sample_runs.what_if_run())
    keep(sample_runs.what_if_three_steps())
    app = the_app()
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("5")
        await until(pilot, lambda: app.screen.query_one(RunTable).row_count == 2)
        await pilot.press("space", "space", "c")
        await until(pilot, lambda: isinstance(app.screen, CompareRuns))


def test_the_comparison_says_what_differs() -> None:
    graphs = [build_graph(sample_runs.what_if_run()), build_graph(sample_runs.what_if_three_steps())]
    rows = {row.name: row for row in comparison(graphs)}
    assert rows["Change 3"].differs
    assert not rows["Question"].differs


def test_the_tornado_puts_the_largest_movement_of_a_unit_on_top() -> None:
    moves = movements([build_graph(sample_runs.what_if_three_steps())])
    sizes = [abs(move.by) for move in moves if move.unit == moves[0].unit]
    assert sizes == sorted(sizes, reverse=True)
    lines = tornado(moves, 80).plain.splitlines()
    assert len(lines) == 2 + len(moves) + len({move.unit for move in moves})
    assert max(map(len, lines)) <= 90
