"""`e`: what to write, and where. Writing runs in a worker; the toast says where the file lies."""

from __future__ import annotations

from pathlib import Path

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Button, Input, OptionList, Static
from textual.widgets.option_list import Option

from deepimagine_tui.tui.copying import ExportChoice
from deepimagine_tui.tui.screens.dialog import Dialog
from deepimagine_tui.tui.show import inert
from deepimagine_tui.tui.widgets.choices import Choices
from deepimagine_tui.tui.widgets.line import Line


class ExportDialog(Dialog[tuple[ExportChoice, Path]]):
    """Choose what, then where. An existing file is named before it is replaced."""

    TITLE_TEXT = "Export"

    def __init__(self, choices: list[ExportChoice], folder: Path) -> None:
        super().__init__()
        self._choices = choices
        self._folder = folder
        self._warned: Path | None = None

    def inside(self) -> ComposeResult:
        """The list, the path, what is wrong with it."""
        yield Choices(*(Option(Content(inert(choice.label))) for choice in self._choices), id="what")
        yield Line(str(self._folder / self._choices[0].file_name), id="where")
        yield Static("", classes="wrong", id="wrong", markup=False)
        with Horizontal(classes="buttons"):
            yield Button("Cancel", id="no")
            yield Button("Write", id="yes", variant="primary")

    def on_mount(self) -> None:
        """The first choice is made already."""
        self.query_one("#what", Choices).highlighted = 0
        self.query_one("#wrong").display = False

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Another choice brings its own file name."""
        self.query_one("#where", Input).value = str(self._folder / self._choices[event.option_index].file_name)

    def on_option_list_option_selected(self) -> None:
        """On to where."""
        self.query_one("#where", Input).focus()

    def on_input_submitted(self) -> None:
        """Write."""
        self._accept()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Write or not."""
        if event.button.id == "yes":
            self._accept()
        else:
            self.dismiss(None)

    def _accept(self) -> None:
        index = self.query_one("#what", Choices).highlighted or 0
        path = Path(self.query_one("#where", Input).value).expanduser()
        wrong = self.query_one("#wrong", Static)
        if not path.name or path.is_dir():
            self._say(wrong, "Name a file.")
        elif path.exists() and path != self._warned:
            self._warned = path
            self._say(wrong, "This file exists. Write again to replace it.")
        else:
            self.dismiss((self._choices[index], path))

    def _say(self, wrong: Static, text: str) -> None:
        wrong.update(text)
        wrong.display = True
