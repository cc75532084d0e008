"""Models: the list, the card, choosing another one, measuring its speed."""

from __future__ import annotations

from pathlib import Path

from deepimagine_tui.backends.catalogue import Catalogue
from deepimagine_tui.backends.facts import model_facts
from deepimagine_tui.backends.protocol import ModelBackend
from deepimagine_tui.backends.scripted import ScriptedBackend
from deepimagine_tui.tui.app import DeepImagineApp
from deepimagine_tui.tui.screens.models import ModelTable
from deepimagine_tui.tui.services import ModelChoice
from deepimagine_tui.tui.widgets.text_pane import TextPane
from tests.support.tiny_gguf import write_tiny_gguf
from tests.tui.fakes import FakeServices
from tests.tui.waiting import until


class CatalogueServices(FakeServices):
    """Services whose model is the catalogue's, answered by the demo."""

    def model_choice(self) -> ModelChoice:
        return ModelChoice(Catalogue.load().default().id)

    def open_model(self, *_given: object) -> ModelBackend:
        return ScriptedBackend()


async def test_a_listed_file_is_described_and_used(tmp_path: Path) -> None:
    path = write_tiny_gguf(tmp_path / "tiny.gguf")
    entry = Catalogue.load().add(path, "Tiny")
    Catalogue.load().use("scripted")
    app = DeepImagineApp(CatalogueServices())
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("6")
        table = app.screen.query_one(ModelTable)
        await until(pilot, lambda: entry.id in {row.key.value for row in table.ordered_rows})
        table.move_cursor(row=table.get_row_index(entry.id))
        card = app.screen.query_one("#card", TextPane)
        await until(pilot, lambda: str(path) in card.copy_text())
        assert model_facts(entry).architecture in card.copy_text()
        assert "No evaluation of this model" in card.copy_text()
        await pilot.press("u")
        await until(pilot, lambda: Catalogue.load().default().id == entry.id)
        await until(pilot, lambda: "in use" in card.copy_text())


async def test_the_demo_says_that_it_is_no_model_and_can_be_measured() -> None:
    Catalogue.load().use("scripted")
    app = DeepImagineApp(CatalogueServices())
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("6")
        card = app.screen.query_one("#card", TextPane)
        table = app.screen.query_one(ModelTable)
        await until(pilot, lambda: table.row_count > 0)
        table.move_cursor(row=table.get_row_index("scripted"))
        await until(pilot, lambda: "There is no model behind this entry" in card.copy_text())
        await until(pilot, lambda: app.backend is not None)
        await pilot.press("b")
        await until(pilot, lambda: "tokens/s" in card.copy_text())
