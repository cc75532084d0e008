"""Everything visible can leave: on every screen, each part that holds data is copied with `y`."""

from __future__ import annotations

import pytest
from textual.widget import Widget

from deepimagine_tui.errors import CorpusError
from deepimagine_tui.paths import cache_dir
from deepimagine_tui.tui.app import DeepImagineApp
from deepimagine_tui.tui.copying import Copyable
from deepimagine_tui.tui.services import CorpusReader
from tests.tui.backends import WithBackend
from tests.tui.test_imagine import UNTRIED_DOSE, ran, start
from tests.tui.waiting import settled

SCREENS = ("browse", "imagine", "forecast", "graph", "runs", "models")


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_y_copies_every_part_that_holds_data(size: tuple[int, int]) -> None:
    app = DeepImagineApp(WithBackend())
    async with app.run_test(size=size) as pilot:
        await start(pilot, ("dose", UNTRIED_DOSE))
        await pilot.press("r")
        await ran(pilot)
        for name in SCREENS:
            app.go(name)
            await settled(pilot)
            parts = [widget for widget in app.screen.query("*") if widget.can_focus and isinstance(widget, Copyable)]
            assert parts, f"{name} has no part that can be copied"
            for part in parts:
                assert isinstance(part, Widget)
                if not part.copy_text():
                    continue
                app.screen.set_focus(part)
                await pilot.pause()
                if app.focused is not part:
                    continue
                app.copy_to_clipboard("")
                await pilot.press("y")
                assert app.clipboard.strip(), f"y on {part!r} copied nothing"


async def test_without_a_clipboard_the_copy_goes_to_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "linux")
    app = DeepImagineApp(WithBackend())
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await pilot.press("y")
        await pilot.pause()
        assert (cache_dir() / "copied.txt").read_text(encoding="utf-8").startswith("NCT") or "NCT" in (
            cache_dir() / "copied.txt"
        ).read_text(encoding="utf-8")


async def test_a_corpus_that_cannot_be_opened_is_an_error_with_a_hint_and_the_app_goes_on() -> None:
    class Broken(WithBackend):
        def open_corpus(self) -> CorpusReader:
            raise CorpusError("The corpus is damaged.", "Move it away.")

    app = DeepImagineApp(Broken())
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await pilot.press("y")
        assert "The corpus is damaged. Move it away." in app.clipboard
        await pilot.press("escape")
        assert app.is_running
        assert "no corpus" in app.status.corpus.text()
