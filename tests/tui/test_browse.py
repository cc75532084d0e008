"""Browse: search, filters, pages, one trial and what starts from it."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.widgets import Input, Static

from deepimagine_tui.corpus.starter import open_starter
from deepimagine_tui.tui.app import DeepImagineApp
from deepimagine_tui.tui.results_rows import outcome_rows
from deepimagine_tui.tui.screens.browse import BrowseScreen
from deepimagine_tui.tui.screens.imagine import ImagineScreen
from deepimagine_tui.tui.show import clip_apart
from deepimagine_tui.tui.trial_text import design
from deepimagine_tui.tui.widgets.footer import HouseFooter
from deepimagine_tui.tui.widgets.trial_pane import NO_RESULTS, ResultsList, TrialPane
from deepimagine_tui.tui.widgets.trial_table import TrialTable
from tests.tui.fakes import FakeServices
from tests.tui.records import DOSES, dose_trial, group, hostile, many, without_results
from tests.tui.waiting import settled, until


def browse(app: DeepImagineApp) -> BrowseScreen:
    screen = app.screen
    assert isinstance(screen, BrowseScreen)
    return screen


async def test_the_corpus_is_listed_and_the_first_trial_shown() -> None:
    app = DeepImagineApp(FakeServices([dose_trial(), without_results()]))
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        table = browse(app).query_one(TrialTable)
        assert table.row_count == 2
        assert table.has_focus
        results = browse(app).query_one(ResultsList)
        assert browse(app).query_one(TrialPane).trial == dose_trial()
        text = results.all_text()
        assert "observed" in text
        assert "95% CI posted" in text
        assert "p<" in text


async def test_search_as_you_type_keeps_only_the_newest_answer() -> None:
    services = FakeServices([dose_trial(), without_results()])
    app = DeepImagineApp(services)
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await pilot.press("slash", *"plan")
        await settled(pilot)
        assert browse(app).query_one(TrialTable).row_count == 1
        assert services.corpus.queries[-1].words == "plan"
        assert len(services.corpus.queries) < 2 + len("plan"), "keystrokes are gathered"
        await pilot.press("enter")
        assert browse(app).query_one(TrialTable).has_focus


async def test_nothing_found_names_query_filters_and_what_to_remove() -> None:
    app = DeepImagineApp(FakeServices([dose_trial()]))
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        screen = browse(app)
        await pilot.press("plus", "enter")
        await settled(pilot)
        await pilot.press("down", "enter")
        await settled(pilot)
        assert screen.asked.phase == "2"
        said = str(screen.query_one("#nothing", Static).content)
        assert "phase 2" in said
        assert "Take out phase" in said
        await pilot.press("backspace")
        await settled(pilot)
        assert screen.asked.phase is None
        assert screen.query_one(TrialTable).row_count == 1


async def test_more_rows_come_as_the_cursor_nears_the_end() -> None:
    app = DeepImagineApp(FakeServices(many(450)))
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        table = browse(app).query_one(TrialTable)
        assert table.row_count == 200
        await pilot.press("end")
        await until(pilot, lambda: table.row_count == 400)
        await pilot.press("end")
        await until(pilot, lambda: table.row_count == 450)


async def test_a_what_if_starts_at_the_row_under_the_cursor() -> None:
    app = DeepImagineApp(FakeServices([dose_trial()]))
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        await pilot.press("down")
        place = browse(app).query_one(ResultsList).place
        assert place is not None
        assert place.group_id
        await pilot.press("i")
        await settled(pilot)
        screen = app.screen
        assert isinstance(screen, ImagineScreen)
        assert screen.draft is not None
        assert screen.draft.anchor.arm_group_id == place.group_id
        assert screen.draft.anchor.comparator_group_id == group(dose_trial(), "placebo").id


async def test_a_trial_without_results_offers_the_forecast_alone_and_says_why() -> None:
    app = DeepImagineApp(FakeServices([without_results()]))
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        assert browse(app).query_one("#why").display
        assert "f to forecast" in NO_RESULTS
        await pilot.press("i")
        assert browse(app).NAME == "Browse"
        await pilot.press("f")
        await settled(pilot)
        assert app.screen.NAME == "Forecast"  # type: ignore[attr-defined]  # every screen of ours has a name


async def test_marked_trials_stand_side_by_side() -> None:
    app = DeepImagineApp(FakeServices([dose_trial(), without_results()]))
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await pilot.press("space", "space", "c")
        await settled(pilot)
        await pilot.press("y")
        assert DOSES in app.clipboard


async def test_the_data_of_a_trial_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    app = DeepImagineApp(FakeServices([dose_trial()]))
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        await pilot.press("e")
        await pilot.pause()
        await pilot.press("enter", "enter")
        await settled(pilot)
        written = (tmp_path / f"{DOSES}-results.csv").read_text(encoding="utf-8")
        assert "Not evidence; not for patient care." in written
        assert "observed" in written
        await pilot.press("e")
        await pilot.pause()
        await pilot.press("down", "enter", "enter")
        await settled(pilot)
        assert json.loads((tmp_path / f"{DOSES}.json").read_text(encoding="utf-8"))["trial"]["nct_id"] == DOSES


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_hostile_text_is_shown_and_not_obeyed(size: tuple[int, int]) -> None:
    app = DeepImagineApp(FakeServices([hostile()]))
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        for _ in range(5):
            await pilot.press("right_square_bracket")
            await pilot.pause()
        await pilot.press("i")
        await settled(pilot)
        drawn = app.export_screenshot()
        assert "\x1b" not in drawn
        assert "\u202e" not in drawn
        assert app.screen.NAME == "Imagine"  # type: ignore[attr-defined]  # every screen of ours has a name


async def test_on_a_narrow_terminal_one_pane_shows_and_tab_goes_on() -> None:
    app = DeepImagineApp(FakeServices([dose_trial()]))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        screen = browse(app)
        left, right = screen.query_one("#trials-pane"), screen.query_one("#trial-pane")
        assert left.region.width == 80
        assert right.region.width == 0
        await pilot.press("tab")
        await settled(pilot)
        assert right.region.width == 80
        assert left.region.width == 0
        assert right in app.focused.ancestors_with_self if app.focused else False


async def test_esc_leads_from_the_search_line_to_the_list() -> None:
    app = DeepImagineApp(FakeServices([dose_trial()]))
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await pilot.press("slash")
        assert browse(app).query_one("#words", Input).has_focus
        await pilot.press("escape")
        assert browse(app).query_one(TrialTable).has_focus


async def test_words_are_found_within_the_trial() -> None:
    app = DeepImagineApp(FakeServices([dose_trial()]))
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        await pilot.press("slash", *"weight", "enter")
        await settled(pilot)
        results = browse(app).query_one(ResultsList)
        assert "Weight" in results.copy_text()
        await pilot.press("right_square_bracket", "slash")
        await pilot.pause()
        await pilot.press(*["backspace"] * 6, *"nausea", "enter")
        await settled(pilot)
        assert browse(app).query_one("#safety").scroll_offset.y > 0


async def test_every_character_can_be_typed_into_the_search_line() -> None:
    app = DeepImagineApp(FakeServices([dose_trial()]))
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await pilot.press("slash", *"a1/2+b-c?[q")
        await settled(pilot)
        assert browse(app).query_one("#words", Input).value == "a1/2+b-c?[q"
        assert app.screen is browse(app)


async def test_nothing_found_leaves_nothing_of_the_trial_before() -> None:
    app = DeepImagineApp(FakeServices([dose_trial()]))
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        assert browse(app).query_one(ResultsList).all_text()
        await pilot.press("slash", *"zzzz")
        await settled(pilot)
        await pilot.resize_terminal(140, 40)
        await settled(pilot)
        assert not browse(app).query_one(ResultsList).all_text()
        assert "HbA1c" not in app.export_screenshot()


async def test_without_words_the_newest_results_come_first() -> None:
    services = FakeServices([dose_trial(), without_results()])
    app = DeepImagineApp(services)
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        assert services.corpus.queries[-1].order == "posted"
        await pilot.press("slash", *"plan")
        await settled(pilot)
        assert services.corpus.queries[-1].order == "relevance"


async def test_the_search_line_says_which_keys_lead_on() -> None:
    app = DeepImagineApp(FakeServices([dose_trial()]))
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await pilot.press("slash")
        await settled(pilot)
        footer = str(browse(app).query_one(HouseFooter).render())
        assert "to the list" in footer


@given(st.lists(st.text("ab + ", min_size=1, max_size=60), min_size=1, max_size=5), st.integers(8, 40))
def test_labels_keep_to_their_column(texts: list[str], width: int) -> None:
    assert all(len(label) <= width for label in clip_apart(texts, width).values())


def test_groups_that_differ_late_in_their_names_can_be_told_apart() -> None:
    common = "GSK's 10-valent Pneumococcal Vaccine 1024850A + "
    labels = clip_apart([f"{common}{other}" for other in ("Meningitec", "NeisVac-C", "Menitorix")] + ["Prevenar"], 30)
    assert len(set(labels.values())) == 4
    assert labels[f"{common}NeisVac-C"].endswith("NeisVac-C")


def test_an_early_time_is_said_in_hours_and_nothing_is_said_of_a_time_that_is_not_stated() -> None:
    with closing(open_starter()) as corpus:
        trial = corpus.get("NCT01406860")
    heading = outcome_rows(trial, 1, 60, opened=False)[0].content.plain
    assert "hour 1" in heading
    text = design(trial).plain
    assert "; )" not in text
    assert ": \n" not in text
