"""The footer: at most seven keys, those that matter most where the focus is."""

from __future__ import annotations

from textual.binding import Binding
from textual.content import Content
from textual.events import Click
from textual.screen import Screen
from textual.widget import Widget

from deepimagine_tui.tui.actions import ACTIONS

MOST_KEYS = 7
_LAST = 90
"""Actions ranked here or beyond are always shown, at the end."""


class HouseFooter(Widget):
    """One line of keys, ranked by the registry, none cut in half. A click on one is its key."""

    DEFAULT_CSS = """
    HouseFooter { dock: bottom; height: 1; padding: 0 1; background: $footer-background; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._shown: list[tuple[int, int, Binding]] = []
        self._busy = False

    def on_mount(self) -> None:
        """Follow the bindings of the screen."""
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_changed)

    def show_busy(self, busy: bool) -> None:
        """Offer `esc` while there is something to stop."""
        if busy != self._busy:
            self._busy = busy
            self.refresh()

    def _bindings_changed(self, _screen: Screen[object]) -> None:
        self.refresh()

    def _ranked(self) -> list[tuple[int, Binding]]:
        seen: set[str] = set()
        ranked = []
        for active in self.screen.active_bindings.values():
            action = ACTIONS.get(active.binding.id or "")
            if action is None or action.id in seen or not active.binding.show or not active.enabled:
                continue
            if action.id == "app.back" and not self._busy:
                continue
            seen.add(action.id)
            ranked.append((action.footer, active.binding))
        return sorted(ranked, key=lambda pair: pair[0])

    def render(self) -> Content:
        """The keys that apply now, by rank, as many as fit."""
        ranked = self._ranked()
        last = [binding for rank, binding in ranked if rank >= _LAST]
        chosen: list[Binding] = []
        room = self.size.width
        for binding in [*last, *(binding for rank, binding in ranked if rank < _LAST)]:
            width = len(self.app.get_key_display(binding)) + len(binding.description) + 3
            if len(chosen) < MOST_KEYS and width <= room:
                chosen.append(binding)
                room -= width
        parts: list[tuple[str, str]] = []
        self._shown = []
        column = 0
        for binding in [*(each for each in chosen if each not in last), *(each for each in last if each in chosen)]:
            key = self.app.get_key_display(binding)
            parts += [(key, "bold $footer-key-foreground"), (f" {binding.description}  ", "$footer-description-foreground")]
            width = len(key) + len(binding.description) + 3
            self._shown.append((column, column + width, binding))
            column += width
        return Content.assemble(*parts)

    def on_click(self, event: Click) -> None:
        """Do what the key under the pointer does."""
        for start, end, binding in self._shown:
            if start <= event.x - 1 < end:
                self.app.simulate_key(binding.key)
