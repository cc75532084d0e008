"""A pane that draws itself to the size there is."""

from __future__ import annotations

from collections.abc import Callable

from textual.content import Content

from deepimagine_tui.tui.widgets.text_pane import TextPane

Drawer = Callable[[int, int], Content]


class DrawnPane(TextPane):
    """A text made anew for each size, such as a plot."""

    HELP = "A figure in characters. y copies it as text."

    def __init__(self, *, id: str) -> None:  # noqa: A002  # Textual's own keyword
        super().__init__("", id=id)
        self._drawer: Drawer | None = None

    def draw_with(self, drawer: Drawer) -> None:
        """Draw with this from now on."""
        self._drawer = drawer
        self._draw()

    def on_resize(self) -> None:
        """Draw again."""
        self._draw()

    def on_show(self) -> None:
        """Draw once there is a size."""
        self._draw()

    def copy_text(self) -> str:
        """The figure; one that has not been on screen yet is drawn for a pane of 60 by 20."""
        if self._drawer is not None and self.size.width <= 2:
            self.show(self._drawer(60, 20))
        return super().copy_text()

    def _draw(self) -> None:
        if self._drawer is not None and self.size.width > 2:
            self.show(self._drawer(self.size.width - 3, self.size.height))
