"""Seeds: the same question asked again, with other seeds or samples, side by side, and how far the answers lie apart."""

from __future__ import annotations

from rich.text import Text
from textual.content import Content

from deepimagine_tui.reasoning.graph import ReasoningGraph
from deepimagine_tui.reasoning.request import Forecast, ImagineRequest, WhatIf
from deepimagine_tui.reasoning.state import Estimand, Number
from deepimagine_tui.reasoning.summary import MARKS
from deepimagine_tui.tui.show import digits, probability, style_of
from deepimagine_tui.tui.trajectory import effect_of
from deepimagine_tui.tui.widgets.table import HouseTable

_COLUMNS = {"Seed": 7, "Arm": 8, "Effect": 8, "P(met)": 6, "Verdict": 8}


class SeedTable(HouseTable):
    """One row a run or sample; the last row is the range."""

    HELP = "Seeds: press R to ask the same question with another seed. The last row tells how far the answers lie apart."

    def __init__(self) -> None:
        super().__init__(id="seeds", export_name="seeds")
        self._seen: list[tuple[Number | None, Number | None]] = []
        self._question: tuple[WhatIf | Forecast, Estimand] | None = None

    def on_mount(self) -> None:
        """The columns."""
        for label, width in _COLUMNS.items():
            self.add_column(Text(label), width=width + 1)
        self.begin()

    def begin(self) -> None:
        """Another question: nothing has been asked."""
        self._seen = []
        self.clear()
        self.add_row(Content.styled("none yet", "dim"), *(Content("") for _ in range(4)), key="none")

    def add(self, request: ImagineRequest, graph: ReasoningGraph) -> None:
        """Add the answers of a run; one of another question begins anew."""
        question = request.question, request.estimand
        if question != self._question:
            self.begin()
            self._question = question
        for index, pathway in enumerate(graph.pathways):
            if len(pathway.states) < 2:
                continue
            if not self._seen:
                self.clear()
            elif "range" in self.rows:
                self.remove_row("range")
            state = pathway.states[-1]
            effect = effect_of(state)
            self._seen.append((state.arm_value, effect))
            seed = f"{request.settings.seed}" + (f"/{index + 1}" if len(graph.pathways) > 1 else "")
            met = state.met
            self.add_row(
                Content(seed),
                _number(state.arm_value),
                _number(effect),
                Content.styled(probability(met.probability) if met and met.probability is not None else "–", "italic"),
                Content.styled(met.verdict.replace("undetermined", "–") if met else "–", "italic"),
                key=f"{request.run_id}/{index}",
            )
            self._add_range()

    def _add_range(self) -> None:
        sides = []
        for side in (0, 1):
            values = [pair[side] for pair in self._seen]
            known = [each.value for each in values if each is not None and each.value is not None]
            sides.append(f"{digits(max(known) - min(known))}" if len(known) > 1 else "–")
        cells = [Content.styled(text, "dim") for text in ("range", *sides, "", "")]
        self.add_row(*cells, key="range")


def _number(number: Number | None) -> Content:
    if number is None or number.value is None:
        return Content("–")
    status = "imagined" if number.status == "derived" else number.status
    return Content.styled(f"{MARKS[status]} {digits(number.value)}", style_of(status))
