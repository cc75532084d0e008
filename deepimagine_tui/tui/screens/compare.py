"""`c` on Browse: marked trials side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.content import Content

from deepimagine_tui.reasoning.posted import places
from deepimagine_tui.trials.model import Trial
from deepimagine_tui.trials.results import Outcome
from deepimagine_tui.tui.screens.dialog import Dialog
from deepimagine_tui.tui.show import clip, estimate_text, inert, posted
from deepimagine_tui.tui.widgets.table import HouseTable

_FIRST = 18
_MOST_VALUES = 8


def facts(trial: Trial) -> Iterator[tuple[str, str]]:
    """What is compared, with its name."""
    yield "Title", trial.title
    yield "Condition", ", ".join(trial.conditions[:2])
    yield "Phase", " / ".join(trial.phases)
    yield "Arms", str(len(trial.arms))
    yield "Participants", "" if trial.enrolment is None else f"{trial.enrolment} ({trial.enrolment_kind})"
    yield "Design", ", ".join(each for each in (trial.allocation, trial.intervention_model, trial.masking) if each)
    yield "Countries", ", ".join(each.country for each in trial.countries[:3]) + (" …" if len(trial.countries) > 3 else "")
    yield "Start", trial.start.text if trial.start else ""
    yield "Status", trial.status
    outcome = next((each for each in trial.outcomes if each.cells), None)
    yield "First outcome", f"{outcome.title}, {outcome.unit}" if outcome else "no results posted"
    for index, line in enumerate(_values(outcome) if outcome else ()):
        yield f"● value {index + 1}", line
    for index, contrast in enumerate(outcome.contrasts[:_MOST_VALUES] if outcome else ()):
        titles = {group.id: group.title for group in outcome.groups} if outcome else {}
        names = " vs ".join(titles.get(each, each) for each in contrast.group_ids)
        yield f"● contrast {index + 1}", f"{names}: {estimate_text(contrast)}"


def _values(outcome: Outcome) -> list[str]:
    titles = {group.id: group.title for group in outcome.groups}
    last = places(outcome)[-1]
    cells = [cell for cell in outcome.cells if (cell.class_title, cell.category) == last and cell.value is not None]
    return [f"{titles.get(cell.group_id, '')}: {posted(cell.value or 0.0)}" for cell in cells[:_MOST_VALUES]]


class CompareTrials(Dialog[None]):
    """One column a trial."""

    TITLE_TEXT = "Marked trials"

    def __init__(self, trials: Sequence[Trial]) -> None:
        super().__init__()
        self._trials = trials

    def inside(self) -> ComposeResult:
        """A table."""
        yield HouseTable(id="compared")

    def on_mount(self) -> None:
        """Fill it."""
        self.query_one("#dialog").add_class("-wide")
        table = self.query_one(HouseTable)
        width = max((min(self.app.size.width, 116) - _FIRST - 14) // len(self._trials) - 2, 12)
        table.add_column(Text(""), width=_FIRST + 1)
        for trial in self._trials:
            table.add_column(Text(trial.nct_id), width=width + 1)
        columns = [dict(facts(trial)) for trial in self._trials]
        for name in dict.fromkeys(name for column in columns for name in column):
            cells = [wrapped(column.get(name, ""), width) for column in columns]
            height = max(cell.plain.count("\n") + 1 for cell in cells)
            table.add_row(Content.styled(name, "bold"), *cells, key=name, height=height)
        table.focus()


def wrapped(text: str, width: int) -> Content:
    """`text` in at most four lines of `width` characters."""
    words, lines = clip(inert(text), width * 3).split(), [""]
    for word in words:
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return Content("\n".join(lines[:4]))
