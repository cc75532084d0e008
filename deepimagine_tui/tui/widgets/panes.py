"""Panes side by side; on a narrow terminal one at a time, `tab` going through them."""

from __future__ import annotations

from textual.containers import Horizontal, Vertical
from textual.widget import Widget


class Pane(Vertical):
    """A titled part of a screen. Its border lights up while the focus is in it."""

    DEFAULT_CSS = """
    Pane {
        border: round $border-blurred; padding: 0; height: 1fr; width: 1fr;
        border-title-color: $foreground; border-title-style: bold; border-subtitle-color: $foreground 70%;
    }
    Pane:focus-within { border: round $border; border-title-color: $primary; }
    """

    def __init__(self, title: str, *children: Widget, id: str) -> None:  # noqa: A002
        super().__init__(*children, id=id)
        self.title = title
        self.border_title = title


class Panes(Horizontal):
    """Panes in a row. In a screen with class `-narrow` only the current one shows, and says where `tab` leads."""

    DEFAULT_CSS = """
    Panes { height: 1fr; }
    """

    def on_mount(self) -> None:
        """The first pane is the current one."""
        self.make_current(self.panes[0])

    @property
    def panes(self) -> list[Pane]:
        """The panes, left to right."""
        return [child for child in self.children if isinstance(child, Pane)]

    @property
    def current(self) -> Pane:
        """The pane that shows on a narrow terminal."""
        return next((pane for pane in self.panes if pane.has_class("-current")), self.panes[0])

    def make_current(self, pane: Pane) -> None:
        """Show `pane` where only one has room."""
        for each in self.panes:
            each.set_class(each is pane, "-current")
        self.label(self.screen.has_class("-narrow"))

    def label(self, narrow: bool) -> None:
        """On a narrow terminal a pane names its place and the next pane in its title."""
        panes = self.panes
        for index, pane in enumerate(panes):
            following = panes[(index + 1) % len(panes)].title
            pane.border_title = f"{pane.title} ({index + 1} of {len(panes)}, tab: {following})" if narrow else pane.title
