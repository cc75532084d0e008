"""`+`: choose a filter, then its value; values come with how many trials have them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from textual import on, work
from textual.app import ComposeResult
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from deepimagine_tui.corpus.query import SearchQuery
from deepimagine_tui.errors import UsageError
from deepimagine_tui.tui.filters import FACETS, FILTERS, Facet, Filter, with_filter
from deepimagine_tui.tui.screens.dialog import Dialog
from deepimagine_tui.tui.show import inert
from deepimagine_tui.tui.widgets.choices import Choices
from deepimagine_tui.tui.widgets.line import EntryLine

if TYPE_CHECKING:
    from deepimagine_tui.tui.app import DeepImagineApp


@dataclass
class FacetsLoaded(Message):
    """The values that a filter can take."""

    name: Facet
    typed: str
    values: Sequence[tuple[str, int]]


class FilterPicker(Dialog[SearchQuery]):
    """Two lists in one place: the filters, then the values of the one chosen."""

    TITLE_TEXT = "Filter"
    HELP = "Choose a filter, then a value. Typing narrows the values; counts are trials."

    def __init__(self, query: SearchQuery) -> None:
        super().__init__()
        self._query = query
        self._chosen: Filter | None = None
        self._values: list[str | bool | None] = []

    def inside(self) -> ComposeResult:
        """A line to type in, a list, what is wrong."""
        yield EntryLine(id="typed")
        yield Choices(id="choices")
        yield Static("", classes="wrong", id="wrong", markup=False)

    def on_mount(self) -> None:
        """The filters first."""
        self.query_one("#typed").display = False
        self.query_one("#wrong").display = False
        choices = self.query_one("#choices", Choices)
        choices.add_options(Option(Content(each.words)) for each in FILTERS)
        choices.highlighted = 0
        choices.focus()

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        if self._chosen is None:
            self._choose(FILTERS[event.option_index])
        else:
            self._take(self._values[event.option_index])

    def _choose(self, chosen: Filter) -> None:
        self._chosen = chosen
        self.query_one("#dialog").border_title = Content(f"Filter: {chosen.words}")
        typed, choices = self.query_one("#typed", Input), self.query_one("#choices", Choices)
        choices.clear_options()
        if chosen.name in ("has_results", "dose_ranging"):
            self._show([(chosen.words, True), (f"not {chosen.words}", False), ("either", None)])
        elif chosen.name in FACETS:
            typed.display = True
            typed.placeholder = f"type to find a {chosen.words}"
            typed.focus()
            self.load_facets(chosen.name, "")
        else:
            choices.display = False
            typed.display = True
            typed.placeholder = "2014, 2014-03 or 2014-03-19"
            typed.focus()

    def _show(self, values: Sequence[tuple[str, str | bool | None]]) -> None:
        choices = self.query_one("#choices", Choices)
        choices.clear_options()
        self._values = [value for _, value in values]
        choices.add_options(Option(Content(inert(label))) for label, _ in values)
        if values:
            choices.highlighted = 0

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        if self._chosen is not None and self._chosen.name in FACETS:
            self.load_facets(self._chosen.name, event.value)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        if self._chosen is None:
            return
        if self._chosen.name not in FACETS:
            self._take(event.value.strip() or None)
        elif self._values:
            self._take(self._values[self.query_one("#choices", Choices).highlighted or 0])

    def on_key(self, event: object) -> None:
        """The arrow down leads from the line into the list."""
        if getattr(event, "key", "") == "down" and self.query_one("#typed").has_focus and self._values:
            self.query_one("#choices", Choices).focus()

    @work(thread=True, exclusive=True, exit_on_error=False, group="facets", description="read the values of a filter")
    def load_facets(self, name: Facet, typed: str) -> None:
        """Read which values there are."""
        services = cast("DeepImagineApp", self.app).services
        with closing(services.open_corpus()) as corpus:
            self.post_message(FacetsLoaded(name, typed, corpus.facets(name, typed)))

    @on(FacetsLoaded)
    def _facets(self, event: FacetsLoaded) -> None:
        if event.typed == self.query_one("#typed", Input).value:
            self._show([(f"{value}  ({count})", value) for value, count in event.values])

    def _take(self, value: str | bool | None) -> None:
        assert self._chosen is not None
        try:
            self.dismiss(with_filter(self._query, self._chosen.name, value))
        except UsageError as error:
            wrong = self.query_one("#wrong", Static)
            wrong.update(Content(str(error)))
            wrong.display = True
