"""Models: the list, the card, choosing another one, measuring its speed."""

from __future__ import annotations

from pathlib import Path

import pytest
from deepimagine_assets.adapter import adapter_path
from msgspec.structs import replace

from deepimagine_tui.backends.adapter_facts import scores_of
from deepimagine_tui.backends.catalogue import Catalogue
from deepimagine_tui.backends.facts import identity, model_facts
from deepimagine_tui.backends.protocol import ModelBackend
from deepimagine_tui.backends.scripted import ScriptedBackend
from deepimagine_tui.evaluation.on_file import keep, own_folder
from deepimagine_tui.reasoning.calibration import Calibration, Check, Quantile
from deepimagine_tui.reasoning.records import Bin, Record, Records, Reliability
from deepimagine_tui.reasoning.subject import subject_of
from deepimagine_tui.settings import Settings
from deepimagine_tui.tui.app import DeepImagineApp
from deepimagine_tui.tui.evidence import scores_text
from deepimagine_tui.tui.live import LiveServices
from deepimagine_tui.tui.screens.models import CardPart, ModelTable
from deepimagine_tui.tui.services import ModelChoice
from deepimagine_tui.tui.widgets.text_pane import TextPane
from tests.support.tiny_gguf import write_tiny_adapter, write_tiny_gguf
from tests.tui.fakes import FakeServices
from tests.tui.waiting import settled, until


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


async def test_what_is_on_file_of_a_model_is_behind_tabs(tmp_path: Path) -> None:
    entry = Catalogue.load().add(write_tiny_gguf(tmp_path / "tiny.gguf"), "Tiny")
    Catalogue.load().use("scripted")
    subject = subject_of(identity(entry))
    check = Check("coverage", 0.97, 0.94, 1.0, 504, 33, is_passed=False)
    record = Record("direction", 47, 7, 0.66, 0.74, "no better", "dose")
    bins = (Bin(0.1, 0.2, 0.15, 0.3, 20, 9, 0.1, 0.5), Bin(0.2, 0.6, 0.4, 0.2, 12, 6))
    keep(
        own_folder(subject),
        Calibration(90, (Quantile("share", 1, 2.8, 31),), subject=subject, checks=(check,)),
        Records(subject, "test", "data", ("NCT00000001",), (record,), (Reliability(bins, False),)),
    )
    app = DeepImagineApp(CatalogueServices())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("6")
        table = app.screen.query_one(ModelTable)
        await until(pilot, lambda: entry.id in {row.key.value for row in table.ordered_rows})
        table.move_cursor(row=table.get_row_index(entry.id))
        part = app.screen.query_one(CardPart)
        part.show_tab("Records")
        await until(pilot, lambda: "no better than the base rate" in part.active_text())
        assert "No record of this model: geography" in part.active_text()
        part.show_tab("Calibration")
        await settled(pilot)
        text = " ".join(part.active_text().split())
        for words in ("not calibrated", "●", "┄", "met .30 [.10, .50] 20 answers, 9 trials", "the intervals are too wide"):
            assert words in text
        part.show_tab("Scores")
        await settled(pilot)
        assert "No scores of this model are on file" in part.active_text()
        table.move_cursor(row=table.get_row_index("scripted"))
        part.show_tab("Records")
        await until(pilot, lambda: "No record of this model is on file" in part.active_text())


class NamedServices(LiveServices):
    """The services on settings, answered by the demo."""

    def open_model(self, *_given: object) -> ModelBackend:
        return ScriptedBackend()


async def test_what_the_settings_name_is_what_the_model_in_use_shows(tmp_path: Path) -> None:
    path = write_tiny_gguf(tmp_path / "tiny.gguf")
    adapter = write_tiny_adapter(tmp_path / "other-adapter.gguf")
    entry = replace(Catalogue.load().get(str(path)), adapter=str(adapter))
    named = tmp_path / "named" / "calibration.json"
    check = Check("coverage", 0.91, 0.8, 0.98, 200, 25, is_passed=True)
    keep(
        named.parent,
        Calibration(90, (Quantile("share", 1, 2.8, 31),), subject=subject_of(identity(entry)), checks=(check,)),
        None,
    )
    chosen = Settings(model=str(path), adapter=str(adapter), calibration=str(named))
    app = DeepImagineApp(NamedServices(chosen, {}))
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("6")
        card = app.screen.query_one("#card", TextPane)
        await until(pilot, lambda: str(path) in card.copy_text() and "in use" in card.copy_text())
        assert str(adapter) in card.copy_text()
        part = app.screen.query_one(CardPart)
        part.show_tab("Calibration")
        await until(pilot, lambda: "200 posted values of 25 trials" in " ".join(part.active_text().split()))


@pytest.mark.parametrize("width", [44, 55, 90])
def test_the_scores_of_the_shipped_card_stand_beside_the_rules(width: int) -> None:
    adapter = adapter_path()
    if adapter is None:
        pytest.skip("no adapter is shipped")
    scores = scores_of(adapter)
    assert scores is not None
    lines = scores_text(scores, width).plain.splitlines()
    assert all(len(line) <= width for line in lines)
    assert any(line.startswith("model ") for line in lines)
    assert any(line.startswith("copy-") for line in lines)
