"""The shell: screens, header, keys, help, palette, quitting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from threading import Event

import pytest

from deepimagine_tui.backends.protocol import ModelBackend
from deepimagine_tui.reasoning.events import CONTEXT_OF_USE
from deepimagine_tui.tui.app import DeepImagineApp
from deepimagine_tui.tui.defects import defect_log
from deepimagine_tui.tui.screens.dialog import ErrorDialog, Question
from deepimagine_tui.tui.services import CorpusReader, Report
from deepimagine_tui.tui.widgets.header import Header
from tests.tui.fakes import FakeServices
from tests.tui.waiting import until

SIZES = [(80, 24), (120, 36), (160, 48)]


def header_text(app: DeepImagineApp) -> str:
    return app.screen.query_one(Header).render().plain


@pytest.mark.parametrize("size", SIZES)
async def test_every_screen_opens_with_the_context_of_use_and_the_status(size: tuple[int, int]) -> None:
    app = DeepImagineApp(FakeServices())
    async with app.run_test(size=size) as pilot:
        await app.workers.wait_for_complete()
        await pilot.pause()
        for key, name in zip("123456", ("Browse", "Imagine", "Forecast", "Graph", "Runs", "Models"), strict=True):
            if app.focused is not None and app.focused.check_consume_key(key, key):
                await pilot.press("escape")
            await pilot.press(key)
            await pilot.pause()
            assert name == app.screen.NAME
            text = header_text(app)
            assert CONTEXT_OF_USE in text
            assert "fake" in text
            assert "demo, no model" in text


async def test_a_model_that_is_being_assembled_says_how_far_it_is() -> None:
    hold = Event()
    app = DeepImagineApp(FakeServices(hold_model=hold))
    async with app.run_test(size=(120, 36)) as pilot:
        for _ in range(20):
            await pilot.pause(0.02)
            if app.status.model.phase == "assembling":
                break
        assert app.status.model.progress == pytest.approx(0.42)
        hold.set()
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert app.status.model.usable


async def test_q_quits_and_esc_never_does() -> None:
    app = DeepImagineApp(FakeServices())
    async with app.run_test() as pilot:
        await pilot.press("escape", "escape", "6", "escape", "escape")
        assert app.is_running
        await pilot.press("2", "q")
    assert app.return_code == 0


async def test_help_tells_the_keys_of_what_has_focus() -> None:
    app = DeepImagineApp(FakeServices())
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("escape", "6", "question_mark")
        await pilot.pause()
        await pilot.press("y")
        assert "Copy what has focus" in app.clipboard
        await pilot.press("escape")
        assert app.screen.NAME == "Models"


async def test_a_key_map_moves_a_key() -> None:
    app = DeepImagineApp(FakeServices(keymap={"screen.runs": "f5"}))
    async with app.run_test() as pilot:
        await pilot.press("escape", "f5")
        assert app.screen.NAME == "Runs"


class Remote(FakeServices):
    """A model that sends to a host, after asking."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[bool] = []

    def open_model(self, report: Report, cancel: Event, confirm_remote: Callable[[str], bool]) -> ModelBackend:
        self.answers.append(confirm_remote("models.example.org"))
        return super().open_model(report, cancel, confirm_remote)


@pytest.mark.parametrize(("key", "answer"), [("y", True), ("n", False), ("escape", False)])
async def test_a_remote_model_is_asked_for_before_the_first_send(key: str, answer: bool) -> None:
    services = Remote()
    app = DeepImagineApp(services)
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, Question) and app.focused is not None)
        assert "models.example.org" in app.export_screenshot()
        await pilot.press(key)
        await until(pilot, lambda: app.status.model.usable)
    assert services.answers == [answer]


async def test_quitting_before_answering_means_no_and_does_not_hang() -> None:
    services = Remote()
    app = DeepImagineApp(services)
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, Question) and app.focused is not None)
        app.exit()
        app.release()
    for _ in range(100):
        if services.answers:
            break
        await asyncio.sleep(0.05)
    assert services.answers == [False]


async def test_a_defect_in_a_worker_is_shown_and_logged_and_the_app_goes_on() -> None:
    class Defective(FakeServices):
        def open_corpus(self) -> CorpusReader:
            raise ZeroDivisionError("[bold]by zero[/nonsense]")

    app = DeepImagineApp(Defective())
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, ErrorDialog))
        await pilot.press("y")
        assert "A defect of DeepImagine while it tried to open the corpus" in app.clipboard
        await pilot.press("escape")
        assert app.is_running
    assert "ZeroDivisionError" in defect_log().read_text(encoding="utf-8")
