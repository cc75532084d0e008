"""One trial: its head, and its results, safety, baseline, flow and design behind tabs.

What draws a trial is imported when one is shown: the first paint needs none of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList, Static

from deepimagine_tui.trials.model import Trial
from deepimagine_tui.tui.copying import ExportChoice, text_choice
from deepimagine_tui.tui.finding import has_all
from deepimagine_tui.tui.widgets.row_list import RowList
from deepimagine_tui.tui.widgets.tabs import TabbedPart
from deepimagine_tui.tui.widgets.text_pane import TextPane

if TYPE_CHECKING:
    from deepimagine_tui.tui.results_rows import Place, Row

NO_RESULTS = "This trial posted no results, so no what-if can start here. Press f to forecast it from trials that did."


class ResultsList(RowList):
    """The outcomes of a trial; enter opens and closes one."""

    HELP = (
        "The posted results. ● is observed; whiskers share one scale per outcome, and the line below says which interval "
        "they show. Enter opens an outcome; i starts a what-if from the row under the cursor."
    )

    def __init__(self) -> None:
        super().__init__(id="results")
        self._trial: Trial | None = None
        self._opened: set[int] = set()
        self._rows: list[tuple[int, Row]] = []

    @property
    def place(self) -> Place | None:
        """What the row under the cursor stands for."""
        return self._rows[self.highlighted][1].place if self.highlighted is not None and self._rows else None

    def show_trial(self, trial: Trial) -> None:
        """Show the outcomes of a trial, the first one open."""
        self._trial = trial
        self._opened = {1}
        self._draw(None)

    def show_nothing(self) -> None:
        """No trial to show."""
        self._trial, self._rows = None, []
        self.show([])

    def _draw(self, highlighted: int | None) -> None:
        if self._trial is None:
            return
        from deepimagine_tui.tui.results_rows import outcome_rows

        width = max(self.size.width - 3, 30)
        self._rows = [
            (number, row)
            for number in range(1, len(self._trial.outcomes) + 1)
            for row in outcome_rows(self._trial, number, width, opened=number in self._opened)
        ]
        self.show([(row.content, row.place is not None, row.copied) for _, row in self._rows], highlighted)

    def on_resize(self) -> None:
        """Whiskers are drawn to the width there is."""
        self._draw(self.highlighted)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Open or close the outcome of the row."""
        event.stop()
        number = self._rows[event.option_index][0]
        self._opened ^= {number}
        heading = next(index for index, (each, _) in enumerate(self._rows) if each == number)
        self._draw(heading)

    def find_words(self, words: str) -> bool:
        """Open the next outcome that has all of `words`, and go there."""
        if self._trial is None:
            return False
        current = self._rows[self.highlighted][0] if self.highlighted is not None else 0
        count = len(self._trial.outcomes)
        for step in range(1, count + 1):
            number = (current + step - 1) % count + 1
            outcome = self._trial.outcomes[number - 1]
            if has_all(words, f"{outcome.title} {outcome.time_frame} {outcome.unit}"):
                self._opened.add(number)
                self._draw(None)
                self.highlighted = next(index for index, (each, _) in enumerate(self._rows) if each == number)
                return True
        return False


class TrialPane(Vertical):
    """The trial under the cursor."""

    DEFAULT_CSS = """
    TrialPane > #head { height: auto; max-height: 5; padding: 0 1; margin-bottom: 1; }
    TrialPane > #why { height: auto; padding: 0 1; margin-bottom: 1; color: $text-warning; display: none; }
    TrialPane ContentSwitcher { height: 1fr; }
    TrialPane TabbedPart { height: 1fr; }
    """
    HELP: ClassVar[str | None] = "One trial. Tabs lead to its results, safety, baseline, flow and design."

    @dataclass
    class Shown(Message):
        """Another trial is shown."""

        trial: Trial

    def __init__(self) -> None:
        super().__init__(id="trial")
        self.trial: Trial | None = None

    def compose(self) -> ComposeResult:
        """Head, the reason why nothing can start here, tabs."""
        yield Static("", id="head", markup=False)
        yield Static(NO_RESULTS, id="why", markup=False)
        yield TabbedPart(
            ("Results", ResultsList()),
            ("Safety", TextPane(id="safety")),
            ("Baseline", TextPane(id="baseline")),
            ("Flow", TextPane(id="flow")),
            ("Design", TextPane(id="design")),
        )

    def show_trial(self, trial: Trial) -> None:
        """Show another trial."""
        from deepimagine_tui.tui import trial_text

        self.trial = trial
        self.query_one("#head", Static).update(trial_text.head(trial))
        self.query_one("#why").display = not trial.has_results
        self.query_one(TabbedPart).display = True
        width = max(self.size.width - 4, 40)
        self.query_one(ResultsList).show_trial(trial)
        self.query_one("#safety", TextPane).show(trial_text.safety(trial, width))
        self.query_one("#baseline", TextPane).show(trial_text.baseline(trial, width))
        self.query_one("#flow", TextPane).show(trial_text.flow(trial, width))
        self.query_one("#design", TextPane).show(trial_text.design(trial))
        self.query_one(TabbedPart).show_tab("Results" if trial.has_results else "Design")
        self.post_message(self.Shown(trial))

    def show_nothing(self, text: str) -> None:
        """No trial to show."""
        self.trial = None
        self.query_one("#head", Static).update(Content.styled(text, "dim"))
        self.query_one("#why").display = False
        self.query_one(TabbedPart).display = False
        self.query_one(ResultsList).show_nothing()
        for name in ("safety", "baseline", "flow", "design"):
            self.query_one(f"#{name}", TextPane).show(Content(""))

    def export_choices(self) -> list[ExportChoice]:
        """The trial's data as JSON or CSV."""
        from deepimagine_tui.tui.trial_files import trial_csv, trial_json

        trial = self.trial
        if trial is None:
            return []
        name = trial.nct_id
        return [
            text_choice("This trial's posted results, CSV", f"{name}-results.csv", lambda: trial_csv(trial)),
            text_choice("This trial, JSON", f"{name}.json", lambda: trial_json(trial)),
        ]
