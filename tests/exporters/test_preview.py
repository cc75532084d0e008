"""The figure in cells: nothing of its text is lost or covered, and its lines are there."""

from __future__ import annotations

from threading import Event

import pytest
from deepimagine_exporters.figure import KINDS, FigureKind, sheet_of
from deepimagine_exporters.preview import preview
from deepimagine_exporters.sheet import LOCK

from deepimagine_tui.errors import CancelledError, RefusedError
from tests.support.sample_runs import ALL_RUNS, graph_of


@pytest.mark.parametrize("which", KINDS)
@pytest.mark.parametrize("name", list(ALL_RUNS))
def test_every_text_of_the_figure_is_a_text_of_the_preview_and_none_covers_another(name: str, which: FigureKind) -> None:
    graph = graph_of(ALL_RUNS[name]())
    try:
        with LOCK:
            sheet = sheet_of(graph, which)
    except RefusedError:
        with pytest.raises(RefusedError):
            preview(graph, which)
        return
    shown = preview(graph, which)
    watermark = {"demo, no model"} if name == "demo" else set()
    assert {text for text, _ in sheet.texts if text} - {each.text for each in shown.texts} <= watermark
    taken: set[tuple[int, int]] = set()
    for text in shown.texts:
        cells = {(text.row, text.column + offset) for offset in range(len(text.text))}
        assert not cells & taken
        taken |= cells
        assert 0 <= text.row < shown.rows
        assert text.column >= 0
        assert text.column + len(text.text) <= shown.columns
    assert len(shown.pixels) == shown.columns * shown.rows * 6
    assert min(shown.pixels) < 100


def test_a_figure_is_made_small_enough() -> None:
    shown = preview(graph_of(ALL_RUNS["forecast"]()), "graph", fit=(70, 30))
    assert shown.columns <= 70
    assert shown.rows <= 30
    assert shown.texts == ()


def test_drawing_is_cancelled() -> None:
    cancel = Event()
    cancel.set()
    with pytest.raises(CancelledError):
        preview(graph_of(ALL_RUNS["what_if"]()), "graph", cancel=cancel)
