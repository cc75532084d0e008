"""Graph: the run as a tree with provenance, and its figure in characters."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot
from textual.widget import Widget

from deepimagine_tui.reasoning.graph import ReasoningGraph
from deepimagine_tui.tui.app import DeepImagineApp
from deepimagine_tui.tui.copying import Copyable
from deepimagine_tui.tui.graph_text import TreeLine, detail_of, tree_of
from deepimagine_tui.tui.screens.graph import NOTHING, GraphScreen
from deepimagine_tui.tui.widgets.drawn import DrawnPane
from deepimagine_tui.tui.widgets.figure_view import FigureView
from deepimagine_tui.tui.widgets.graph_tree import GraphTree
from deepimagine_tui.tui.widgets.tabs import TabStrip
from tests.support.sample_runs import ALL_RUNS, graph_of, revealed_run
from tests.tui.backends import WithBackend
from tests.tui.test_imagine import UNTRIED_DOSE, ran, start
from tests.tui.waiting import settled, until


async def shown(pilot: Pilot[None], graph: ReasoningGraph) -> GraphScreen:
    app = pilot.app
    assert isinstance(app, DeepImagineApp)
    await settled(pilot)
    app.hand_over("graph", graph)
    await until(pilot, lambda: isinstance(app.screen, GraphScreen) and app.screen.graph == graph)
    screen = app.screen
    assert isinstance(screen, GraphScreen)
    await until(pilot, lambda: view(screen).preview is not None or not graph.pathways, 20)
    await settled(pilot)
    return screen


def view(screen: GraphScreen) -> FigureView:
    return screen.query_one(f"#figure-{screen.kind}", FigureView)


def every(line: TreeLine) -> list[TreeLine]:
    return [line, *(each for child in line.children for each in every(child))]


async def test_without_a_run_the_screen_says_what_to_do() -> None:
    app = DeepImagineApp(WithBackend())
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await pilot.press("4")
        await settled(pilot)
        assert str(app.screen.query_one("#graph-nothing").render()) == NOTHING
        assert app.screen.query_one("#graph-nothing").display
        assert not app.screen.query_one(GraphTree).display


@pytest.mark.parametrize("name", list(ALL_RUNS))
async def test_every_run_has_a_tree_and_a_figure_whose_texts_can_be_read(name: str) -> None:
    app = DeepImagineApp(WithBackend())
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await shown(pilot, graph_of(ALL_RUNS[name]()))
        tree = screen.query_one(GraphTree)
        assert tree.has_focus
        assert "●" in tree.copy_text()
        text = view(screen).copy_text()
        assert "observed" in text
        assert "Not evidence" in text
        assert "\x1b" not in text + tree.copy_text()
        assert app.export_screenshot()


async def test_the_detail_of_a_number_says_where_it_stands_in_the_registry() -> None:
    graph = graph_of(revealed_run())
    root = tree_of(graph)
    assert root is not None
    texts = {line.key: detail_of(graph, line, 60).plain for line in every(root)}
    observed = next(text for text in texts.values() if "observed: posted in the registry" in text)
    for said in ("NCT9", "outcome", "group", "SD", "n "):
        assert said in observed
    assert any("imagined: said by a model" in text for text in texts.values())
    assert any("posted" in line.label for line in every(root))
    assert all(texts.values())


async def test_moving_in_the_tree_opens_lines_and_shows_their_detail() -> None:
    app = DeepImagineApp(WithBackend())
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await shown(pilot, graph_of(ALL_RUNS["forecast"]()))
        tree, detail = screen.query_one(GraphTree), screen.query_one("#graph-detail", DrawnPane)
        await pilot.press("j", "l", "j")
        await settled(pilot)
        assert "● observed" in detail.copy_text()
        await pilot.press("l", "l")
        await settled(pilot)
        assert "posted in the registry" in detail.copy_text()
        await pilot.press("h", "h", "h")
        await settled(pilot)
        assert tree.cursor_node is not None
        assert tree.cursor_node.data is not None
        assert tree.cursor_node.data.key == "p0"
        await pilot.press("end")
        await settled(pilot)
        assert "Aggregate of" in detail.copy_text()
        await pilot.press("home", "y")
        assert len(app.clipboard.splitlines()) > 20


async def test_the_figures_are_switched_and_shown_whole() -> None:
    app = DeepImagineApp(WithBackend())
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await shown(pilot, graph_of(ALL_RUNS["forecast"]()))
        large = view(screen).preview
        assert large is not None
        await pilot.press("z")
        await until(pilot, lambda: (small := view(screen).preview) is not None and small.columns < large.columns)
        small = view(screen).preview
        assert small is not None
        assert small.columns <= view(screen).size.width
        await pilot.press("z", "right_square_bracket", "right_square_bracket")
        await until(pilot, lambda: screen.kind == "forest" and view(screen).preview is not None)
        await until(pilot, lambda: "Aggregate of 6" in view(screen).copy_text())
        assert [choice.file_name[-4:] for choice in screen.export_choices() if "forest" in choice.file_name] == [
            ".pdf",
            ".svg",
            ".png",
        ]


async def test_the_figure_gets_the_screen_and_esc_gives_it_back() -> None:
    app = DeepImagineApp(WithBackend())
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await shown(pilot, graph_of(ALL_RUNS["what_if"]()))
        await pilot.press("f")
        await settled(pilot)
        assert view(screen).has_focus
        assert view(screen).size.width > 110
        await pilot.press("escape")
        await settled(pilot)
        assert app.screen is screen
        assert screen.query_one(GraphTree).has_focus


async def test_the_graph_follows_the_run_that_goes_on_and_keeps_what_was_handed_over() -> None:
    app = DeepImagineApp(WithBackend())
    async with app.run_test(size=(120, 36)) as pilot:
        imagine = await start(pilot, ("dose", UNTRIED_DOSE))
        await pilot.press("r")
        await ran(pilot)
        await pilot.press("4")
        await until(pilot, lambda: isinstance(app.screen, GraphScreen) and app.screen.graph == app.graph)
        screen = app.screen
        assert isinstance(screen, GraphScreen)
        assert app.graph.started is not None
        other = graph_of(ALL_RUNS["what_if"]())
        screen.receive(other)
        await settled(pilot)
        assert imagine.draft is not None
        app.start_run(imagine.draft.with_seed(11).request())
        await ran(pilot)
        assert screen.graph == other


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_every_part_is_copied_at_every_size(size: tuple[int, int]) -> None:
    app = DeepImagineApp(WithBackend())
    async with app.run_test(size=size) as pilot:
        screen = await shown(pilot, graph_of(ALL_RUNS["three_steps"]()))
        parts = [screen.query_one(GraphTree), screen.query_one("#graph-detail"), screen.query_one(TabStrip), view(screen)]
        for part in parts:
            assert isinstance(part, Copyable)
            assert isinstance(part, Widget)
            screen.set_focus(part)
            await settled(pilot)
            assert app.focused is part
            app.copy_to_clipboard("")
            await pilot.press("y")
            assert app.clipboard.strip()
