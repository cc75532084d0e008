"""The header: the screens, the corpus, the model, what runs; and under it the context of use, always."""

from __future__ import annotations

from textual.content import Content
from textual.events import Click
from textual.reactive import reactive
from textual.widget import Widget

from deepimagine_tui.reasoning.events import CONTEXT_OF_USE
from deepimagine_tui.tui.show import clip, inert
from deepimagine_tui.tui.status import ShellStatus

SCREENS = ("Browse", "Imagine", "Forecast", "Graph", "Runs", "Models")
_LEFT = len(CONTEXT_OF_USE) + 2
NARROW = 112
"""Below this width the corpus and the model get a line of their own."""


class Header(Widget):
    """Two lines, or three on a narrow terminal. `current` is the name of the screen shown."""

    DEFAULT_CSS = """
    Header { dock: top; height: 2; padding: 0 1; background: $panel; color: $foreground; }
    Header.-three { height: 3; }
    """

    status: reactive[ShellStatus] = reactive(ShellStatus())

    def __init__(self, current: str) -> None:
        super().__init__()
        self.current = current

    def on_resize(self) -> None:
        """Take a third line where two would be a squeeze."""
        self.set_class(self.app.size.width < NARROW, "-three")

    def watch_status(self) -> None:
        """Draw again when anything changed."""
        self.refresh()

    def _tabs(self, brand: bool) -> Content:
        parts: list[tuple[str, str]] = [("DeepImagine  ", "bold")] if brand else []
        for number, name in enumerate(SCREENS, 1):
            style = "bold $primary underline" if name == self.current else "$foreground 80%"
            parts += [(f"{number} {name}", style), ("  ", "")]
        return Content.assemble(*parts)

    def render(self) -> Content:
        """Everything, left and right, cut where it does not fit."""
        width = self.size.width
        status = self.status
        corpus, right = inert(status.corpus.text()), inert(_right(status, width - (0 if self.has_class("-three") else _LEFT)))
        if not self.has_class("-three"):
            first = _spread(self._tabs(brand=True), corpus, width, "$foreground")
            return Content("\n").join(
                [first, _spread(Content.styled(CONTEXT_OF_USE, "dim"), right, width, _model_style(status))]
            )
        second = _spread(Content(clip(corpus, width)), right, width, _model_style(status))
        return Content("\n").join([self._tabs(brand=False), second, Content.styled(clip(CONTEXT_OF_USE, width), "dim")])

    def on_click(self, event: Click) -> None:
        """Go to the screen whose name was clicked."""
        if event.y != 0:
            return
        column = 1 + (0 if self.has_class("-three") else len("DeepImagine  "))
        for number, name in enumerate(SCREENS, 1):
            length = len(f"{number} {name}")
            if column <= event.x < column + length:
                self.app.call_later(self.app.run_action, f"screen('{name.lower()}')")
            column += length + 2


def _right(status: ShellStatus, room: int) -> str:
    """The model and what runs, in the longest form that has room."""
    if not status.run.busy:
        return status.model.text()
    full = f"{status.model.text()} · {status.run.text()}"
    return full if len(full) <= room else f"{status.model.short()} · {status.run.short()}"


def _model_style(status: ShellStatus) -> str:
    if status.model.phase == "failed":
        return "$text-error"
    return "$primary" if status.run.busy else "$foreground"


def _spread(left: Content, right: str, width: int, style: str) -> Content:
    room = width - left.cell_length - 2
    shown = clip(right, room) if room > 3 else ""
    return Content.assemble(left, " " * max(width - left.cell_length - Content(shown).cell_length, 0), (shown, style))
