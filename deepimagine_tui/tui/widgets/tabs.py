"""Parts behind tabs: one line of names, one part shown."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.events import Click
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import ContentSwitcher

from deepimagine_tui.tui.actions import bind


class TabStrip(Widget, can_focus=True):
    """The names, the active one underlined."""

    BINDINGS: ClassVar[list[BindingType]] = bind("tabs.previous", "tabs.next")
    DEFAULT_CSS = """
    TabStrip { height: 1; width: 1fr; padding: 0 1; }
    TabStrip:focus { background: $block-cursor-blurred-background; }
    """
    HELP = "Tabs. Left and right choose one; [ and ] do so from within it."

    active: reactive[int] = reactive(0, init=False)

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__()
        self.names = names

    def render(self) -> Content:
        """All names on one line."""
        gap = "   " if sum(len(name) + 3 for name in self.names) <= self.size.width else " "
        parts: list[tuple[str, str]] = []
        for index, name in enumerate(self.names):
            parts += [(name, "bold underline $primary" if index == self.active else "$foreground 75%"), (gap, "")]
        return Content.assemble(*parts[:-1])

    def watch_active(self) -> None:
        """Show the part behind the name."""
        if isinstance(self.parent, TabbedPart):
            self.parent.switch(self.active)

    def action_previous_tab(self) -> None:
        """The tab before."""
        self.active = (self.active - 1) % len(self.names)

    def action_next_tab(self) -> None:
        """The next tab."""
        self.active = (self.active + 1) % len(self.names)

    def on_click(self, event: Click) -> None:
        """The tab under the pointer."""
        column = 1
        gap = 3 if sum(len(name) + 3 for name in self.names) <= self.size.width else 1
        for index, name in enumerate(self.names):
            if column <= event.x < column + len(name):
                self.active = index
            column += len(name) + gap

    def copy_text(self) -> str:
        """What the active tab says, where that can be copied."""
        part = self.parent
        return part.active_text() if isinstance(part, TabbedPart) else ""


class TabbedPart(Vertical):
    """Named parts of which one shows. `[` and `]` change it wherever the focus is inside."""

    BINDINGS: ClassVar[list[BindingType]] = bind("tabs.back", "tabs.forth")

    def __init__(self, *parts: tuple[str, Widget], id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._parts = parts

    def compose(self) -> ComposeResult:
        """The strip above the parts."""
        yield TabStrip(tuple(name for name, _ in self._parts))
        with ContentSwitcher(initial=self._parts[0][1].id):
            for _, part in self._parts:
                yield part

    @property
    def active_part(self) -> Widget:
        """The part that shows."""
        return self._parts[self.query_one(TabStrip).active][1]

    def active_text(self) -> str:
        """The text of the part that shows."""
        part = self.active_part
        whole = getattr(part, "all_text", None) or getattr(part, "copy_text", None)
        return str(whole()) if whole is not None else ""

    def switch(self, index: int) -> None:
        """Show another part; the focus goes with it when it was in the one before."""
        switcher = self.query_one(ContentSwitcher)
        inside = self.screen.focused is not None and switcher in self.screen.focused.ancestors_with_self
        switcher.current = self._parts[index][1].id
        if inside:
            part = self._parts[index][1]
            (part if part.focusable else self.query_one(TabStrip)).focus()

    def show_tab(self, name: str) -> None:
        """Show the part with this name."""
        self.query_one(TabStrip).active = [each for each, _ in self._parts].index(name)

    def action_previous_tab(self) -> None:
        """The tab before."""
        self.query_one(TabStrip).action_previous_tab()

    def action_next_tab(self) -> None:
        """The next tab."""
        self.query_one(TabStrip).action_next_tab()
