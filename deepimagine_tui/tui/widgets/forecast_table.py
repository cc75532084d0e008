"""The anchors of a forecast, one row each: how alike, what differs, what was observed, and what is imagined at the target."""

from __future__ import annotations

from rich.text import Text
from textual.content import Content

from deepimagine_tui.reasoning.graph import PathwayView, ReasoningGraph
from deepimagine_tui.reasoning.request import Forecast
from deepimagine_tui.reasoning.state import MetEstimate, Number
from deepimagine_tui.trials.factors import Factor
from deepimagine_tui.tui.forecast_text import TRAINED, number_of, steps_planned
from deepimagine_tui.tui.show import clip, marked, probability
from deepimagine_tui.tui.widgets.table import HouseTable

_NUMBER, _TRIAL, _VALUE, _TARGET, _MET = 2, 14, 13, 15, 12
_LEAST_UNIT = 5
_WIDE = 96
_SHORT: dict[Factor, str] = {
    "geography": "ctry", "time_frame": "time", "comparator": "against", "population": "people", "enrolment": "n",
}  # fmt: skip


class ForecastTable(HouseTable):
    """One row an anchor, in the order of similarity. Rows are keyed by the anchor's trial."""

    HELP = (
        "One row an anchor: ● what it observed, ○ what its pathway imagines at the target. Enter shows the pathway's chain, "
        "w why these anchors, x runs again without this one."
    )

    def __init__(self) -> None:
        super().__init__(id="pathways", export_name="pathways")
        self.graph = ReasoningGraph()
        self._going = False
        self._width = 0

    def show(self, graph: ReasoningGraph, *, running: bool) -> None:
        """Show the pathways of a graph, keeping the cursor on its trial."""
        self.graph, self._going = graph, running
        self._fill()

    def on_resize(self) -> None:
        """Fit the columns to another width."""
        if self.size.width and self.size.width != self._width:
            self._width = self.size.width
            self._fill()

    @property
    def _unit(self) -> str:
        question = self.graph.started.request.question if self.graph.started else None
        return question.target.outcome.unit if isinstance(question, Forecast) else ""

    @property
    def cursor_pathway(self) -> int | None:
        """The number of the pathway under the cursor, from 0."""
        return self.cursor_row if self.cursor_key else None

    def find(self, words: str) -> bool:
        """Move to the next row that contains `words`; False when there is none."""
        keys = [row.key.value or "" for row in self.ordered_rows]
        start = self.cursor_row + 1
        for index in (*range(start, len(keys)), *range(min(start, len(keys)))):
            if words.lower() in self.row_text(keys[index]).lower():
                self.move_cursor(row=index)
                return True
        return False

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Rows are not marked here."""
        return False if action == "mark" else super().check_action(action, parameters)

    def _fill(self) -> None:
        if not self._width:
            return
        row = self.cursor_row
        wide = self._width >= _WIDE
        near, value = (11, _VALUE + 7) if wide else (5, _VALUE)
        free = max(self._width - _NUMBER - _TRIAL - near - value - _TARGET - _MET, 8)
        self.clear(columns=True)
        names = {
            "": _NUMBER, "trial": _TRIAL, "similarity" if wide else "sim.": near, "differs in": free,
            "anchor": value, "at the target": _TARGET, "P(met)": _MET,
        }  # fmt: skip
        for name, width in names.items():
            self.add_column(Text(name), width=width)
        for index, pathway in enumerate(self.graph.pathways):
            self.add_row(*self._cells(index, pathway, free, value, wide=wide), key=str(index))
        if 0 < row < self.row_count:
            self.move_cursor(row=row, animate=False)

    def _cells(self, index: int, pathway: PathwayView, free: int, value: int, *, wide: bool) -> list[Content]:
        anchor = pathway.anchor
        names = [factor.replace("_", " ") if wide else _SHORT.get(factor, factor) for factor in anchor.differs_in]
        differs = ", ".join(names) or "nothing"
        seen = f" {TRAINED}" if anchor.seen_in_training else ""
        similarity = "" if anchor.similarity is None else probability(anchor.similarity)
        differs_in_unit = self._unit != anchor.state.configuration.outcome.unit
        return [
            Content(str(index + 1)),
            Content(f"{anchor.state.nct_id}{seen}"),
            Content(similarity),
            Content(clip(differs, free - 1)),
            _value(number_of(anchor.state), value if differs_in_unit else 0),
            *self._at_target(pathway, _TARGET),
        ]

    def _at_target(self, pathway: PathwayView, width: int) -> tuple[Content, Content]:
        planned = steps_planned(pathway)
        if pathway.done is not None and pathway.done.complete:
            state = pathway.states[-1]
            return _value(number_of(state)), _met(state.met)
        failed = pathway.steps[-1].failed if pathway.steps else None
        if failed is not None:
            return Content.styled(f"✕ {clip(failed.kind, width - 3)}", "$text-error"), Content("")
        if not self._going:
            return Content.styled("✕ stopped", "$text-warning"), Content("")
        answered = sum(step.estimated is not None for step in pathway.steps)
        return Content.styled(f"▸ step {min(answered + 1, planned)} of {planned}", "italic $primary"), Content("")


def _value(number: Number | None, width: int = 0) -> Content:
    """The number, and its unit where there are enough of the `width` columns for it."""
    if number is None:
        return Content.styled("no value", "dim")
    shown = marked(number)
    room = width - len(shown.plain) - 2
    unit = clip(number.unit, room) if room >= _LEAST_UNIT and number.unit else ""
    return Content.assemble(shown, (f" {unit}", "dim") if unit else "")


def _met(met: MetEstimate | None) -> Content:
    if met is None or (met.verdict == "undetermined" and met.probability is None):
        return Content("–")
    chance = "" if met.probability is None else f" {probability(met.probability)}"
    return Content.styled(f"{met.verdict}{chance}", "italic" if met.status == "imagined" else "")
