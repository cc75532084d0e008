"""Keys are acted on one after another: one that is typed while a dialog still opens waits for it, so none is lost."""

from __future__ import annotations

from collections import deque
from time import monotonic

from textual.app import App
from textual.events import Event, Key
from textual.widget import Widget

_LOOK = 0.01
_QUIET = 3
"""Looks in a row that must find nothing left to handle: what waits for the next frame has run by then."""
_LONGEST = 0.5
"""No key waits longer than this, in seconds, however busy the app is."""


class TypingAhead(App[None]):
    """An app that holds a key back while the one before is being acted on.

    Textual hands a key to what has focus when it arrives; what the key before opens has the focus a moment later.
    """

    def __init__(self) -> None:
        super().__init__()
        self._held: deque[Key] = deque()
        self._let_through: Key | None = None
        self._acting_until = 0.0
        self._quiet_looks = 0

    async def on_event(self, event: Event) -> None:
        """Hold a key back, or hand it on."""
        if not isinstance(event, Key) or event.is_forwarded:
            await super().on_event(event)
            return
        if event is not self._let_through and (self._held or self._acting_until):
            self._held.append(event)
            return
        self._let_through = None
        is_text = self._is_text(event)
        self._acting_until, self._quiet_looks = 0.0 if is_text else monotonic() + _LONGEST, 0
        await super().on_event(event)
        if is_text:
            self._go_on()
        else:
            self.set_timer(_LOOK, self._look)

    def _is_text(self, event: Key) -> bool:
        focused = self.focused
        return focused is not None and event.is_printable and focused.check_consume_key(event.key, event.character)

    def _look(self) -> None:
        if not self.screen_stack:
            # The app is closing.
            return
        self._quiet_looks = 0 if self._is_handling() else self._quiet_looks + 1
        if self._quiet_looks < _QUIET and monotonic() < self._acting_until:
            self.set_timer(_LOOK, self._look)
        else:
            self._go_on()

    def _go_on(self) -> None:
        self._acting_until = 0.0
        if not self._held:
            return
        self._let_through = self._held.popleft()
        # A key that arrives before this one is handled lines up behind it.
        self._acting_until = monotonic() + _LONGEST
        self.post_message(self._let_through)

    def _is_handling(self) -> bool:
        focused = self.focused
        parts: list[Widget] = [self.screen]
        if focused is not None:
            parts += [part for part in focused.ancestors_with_self if isinstance(part, Widget)]
        return not self.screen.is_mounted or any(part.message_queue_size for part in (self, *parts))
