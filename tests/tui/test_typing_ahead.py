"""Keys typed faster than the app can show what they open."""

from __future__ import annotations

from textual.events import Key
from textual.pilot import Pilot

from deepimagine_tui.tui.app import DeepImagineApp
from deepimagine_tui.tui.widgets.trial_table import TrialTable
from deepimagine_tui.tui.widgets.what_if import WhatIfPart
from tests.tui.backends import WithBackend
from tests.tui.records import DOSES
from tests.tui.waiting import settled, until

_NAMES = {" ": "space", "/": "slash"}


def burst(pilot: Pilot[None], *keys: str) -> None:
    """All keys at once, as a terminal hands over what was typed while the app was busy."""
    for key in keys:
        pilot.app.post_message(Key(_NAMES.get(key, key), key if len(key) == 1 else None))


async def test_what_is_typed_while_dialogs_open_is_not_lost() -> None:
    app = DeepImagineApp(WithBackend())
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        burst(pilot, "/", *DOSES.lower(), "enter")
        await settled(pilot)
        burst(pilot, "i", "a", "enter", *"2 mg", "enter")
        await until(pilot, lambda: any("2 mg" in part.copy_text() for part in app.screen.query(WhatIfPart)))


async def test_enter_goes_to_what_the_words_just_typed_find() -> None:
    app = DeepImagineApp(WithBackend())
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await pilot.press("slash", *"zzzz")
        await settled(pilot)
        await pilot.press("escape")
        burst(pilot, "/", *"semaglutide", "enter")
        await until(pilot, lambda: app.focused is not None and app.focused.id == "trials")
        assert app.screen.query_one(TrialTable).cursor_key in (DOSES, "NCT01930188")
