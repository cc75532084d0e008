"""Render the app's screens to assets/screenshots, from the app itself: starter corpus, embedded model, a real question.

    python assets/make_screenshots.py [--model ID] [--theme light] [--only browse|imagine|graph]

Each is an SVG of 120x36 that the README and docs show.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from deepimagine_tui.tui.app import DeepImagineApp

FOLDER = Path(__file__).parent / "screenshots"
SIZE = (120, 36)
TRIAL, ARM, DOSE = "NCT01874431", "(10 mg)", "20 mg"
FONTS = "Menlo, Consolas, DejaVu Sans Mono, monospace"
NAMES = ("browse", "imagine", "graph")


async def _until(pilot: Pilot[None], condition: Callable[[], object], seconds: float = 120) -> None:
    for _ in range(int(seconds / 0.1)):
        await pilot.pause(0.1)
        if condition():
            return
    raise TimeoutError("The app did not get there.")


def _save(app: DeepImagineApp, name: str) -> None:
    """Without the web fonts that Textual's SVG names: a picture in a README fetches nothing, so every viewer gets the same."""
    app.clear_notifications()
    picture = re.sub(r"@font-face \{.*?\}\s*", "", app.export_screenshot(title="DeepImagine"), flags=re.DOTALL)
    picture = picture.replace("font-family: Fira Code, monospace", f"font-family: {FONTS}")
    (FOLDER / f"{name}.svg").write_text(picture, encoding="utf-8")


async def _browse(pilot: Pilot[None], app: DeepImagineApp) -> None:
    from deepimagine_tui.tui.widgets.trial_table import TrialTable

    await pilot.press("slash", *"finerenone")
    await _until(pilot, lambda: app.screen.query_one(TrialTable).row_count == 1)
    await pilot.press("enter")
    await pilot.pause(1)


async def _imagine(pilot: Pilot[None], app: DeepImagineApp) -> None:
    from deepimagine_tui.reasoning.choosing import default_anchor
    from deepimagine_tui.reasoning.propose import parse_setting
    from deepimagine_tui.tui.screens.imagine import ImagineScreen

    with closing(app.services.open_corpus()) as corpus:
        trial = corpus.get(TRIAL)
    app.imagine_from(trial, default_anchor(trial, arm=ARM))
    await _until(pilot, lambda: isinstance(app.screen, ImagineScreen) and app.screen.draft is not None)
    screen = cast("ImagineScreen", app.screen)
    assert screen.draft is not None
    screen.take(screen.draft.added(parse_setting("dose", DOSE, screen.draft.source, trial)))
    await pilot.press("r")
    await _until(pilot, lambda: app.graph.finished is not None and not app.running)
    await pilot.pause(1)


async def make(names: tuple[str, ...]) -> None:
    """Drive the app to each screen in turn and save those named."""
    from deepimagine_tui.tui.app import DeepImagineApp
    from deepimagine_tui.tui.live import live_services

    app = DeepImagineApp(live_services())
    async with app.run_test(size=SIZE) as pilot:
        await _until(pilot, lambda: app.corpus_open and app.backend is not None)
        await _browse(pilot, app)
        if "browse" in names:
            _save(app, "browse")
        if {"imagine", "graph"} & set(names):
            await _imagine(pilot, app)
            if "imagine" in names:
                _save(app, "imagine")
        if "graph" in names:
            await pilot.press("g")
            await pilot.pause(6)
            _save(app, "graph")
    app.release()


def main() -> None:
    """Save the screens named, by default all of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=NAMES, help="save this screen; may be given several times")
    parser.add_argument("--model", default="", help="the model that answers; by default the embedded one")
    parser.add_argument("--theme", default="dark", choices=("dark", "light"))
    options = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"DEEPIMAGINE_HOME": home, "DEEPIMAGINE_MODEL": options.model, "DEEPIMAGINE_THEME": options.theme}
        asyncio.run(make(tuple(options.only or NAMES)))


if __name__ == "__main__":
    main()
