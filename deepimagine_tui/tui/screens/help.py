"""`?`: what the focused part is, and every key that works there now."""

from __future__ import annotations

import textwrap

from textual.app import ComposeResult
from textual.content import Content
from textual.screen import Screen

from deepimagine_tui.tui.actions import ACTIONS
from deepimagine_tui.tui.keymap import shown
from deepimagine_tui.tui.screens.dialog import Dialog
from deepimagine_tui.tui.widgets.text_pane import TextPane

_WIDTH = 64


def help_content(screen: Screen[object]) -> Content:
    """The help of what has focus in `screen`: its own words, then its keys, nearest first."""
    said: list[str] = []
    for node in screen.focused.ancestors_with_self if screen.focused else [screen]:
        text = getattr(node, "HELP", "") or ""
        if text and text not in said:
            said.append(text)
    keys: dict[str, list[str]] = {}
    for active in screen.active_bindings.values():
        if active.binding.id in ACTIONS and active.enabled:
            keys.setdefault(active.binding.id, []).append(active.binding.key)
    rows = [(" ".join(shown(key) for key in names), ACTIONS[name].help) for name, names in keys.items()]
    width = max((len(key) for key, _ in rows), default=0)
    lines = [Content("\n\n").join([Content(text) for text in said]), Content("")]
    for key, text in rows:
        first, *more = textwrap.wrap(text, max(_WIDTH - width - 2, 20)) or [""]
        lines.append(Content.assemble((f"{key:>{width}}  ", "bold $primary"), first))
        lines += [Content(f"{'':{width}}  {line}") for line in more]
    return Content("\n").join(lines)


class HelpDialog(Dialog[None]):
    """The help of the screen below."""

    TITLE_TEXT = "Help"

    def __init__(self, content: Content) -> None:
        super().__init__()
        self._content = content

    def inside(self) -> ComposeResult:
        """One text."""
        yield TextPane(self._content, classes="help")
