"""The figures of a what-if behind tabs: trajectory, waterfall, probes, and the exact prompt."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content

from deepimagine_tui.reasoning.graph import PathwayView, ReasoningGraph
from deepimagine_tui.reasoning.probe_asking import ProbeProgress
from deepimagine_tui.reasoning.probe_results import RunProbes
from deepimagine_tui.text import inert
from deepimagine_tui.tui.draft import Draft
from deepimagine_tui.tui.probe_card import NOTHING, probe_card
from deepimagine_tui.tui.run_details import interpretation_card
from deepimagine_tui.tui.trajectory import waterfall, what_if_figure
from deepimagine_tui.tui.widgets.drawn import DrawnPane
from deepimagine_tui.tui.widgets.seeds import SeedTable
from deepimagine_tui.tui.widgets.tabs import TabbedPart
from deepimagine_tui.tui.widgets.text_pane import TextPane

NO_PROMPT = "The exact prompt of the selected step appears here once it is asked."


class ProbesPart(Vertical):
    """The same question by the seeds that were asked one by one, above the probes of the run."""

    def __init__(self) -> None:
        super().__init__(id="probes-part")

    def compose(self) -> ComposeResult:
        """Table and card."""
        yield SeedTable()
        yield DrawnPane(id="probes")

    def copy_text(self) -> str:
        """Both."""
        return f"{self.query_one(SeedTable).copy_text()}\n\n{self.query_one('#probes', DrawnPane).copy_text()}"


class FiguresPart(TabbedPart):
    """What a question and its answer look like."""

    def __init__(self) -> None:
        super().__init__(
            ("Trajectory", DrawnPane(id="trajectory")),
            ("Waterfall", DrawnPane(id="waterfall")),
            ("Probes", ProbesPart()),
            ("Prompt", TextPane(id="prompt")),
        )

    def draw(self, draft: Draft | None, graph: ReasoningGraph) -> None:
        """Draw the question, and its answer as far as there is one."""
        pathway = graph.pathways[0] if graph.pathways else None
        trajectory = self.query_one("#trajectory", DrawnPane)
        if draft is None:
            nothing = Content.styled("Figures of the what-if appear here.", "dim")
            trajectory.draw_with(lambda _width, _height: nothing)
        else:
            trajectory.draw_with(lambda width, height: what_if_figure(draft, pathway, width, height))
        self.query_one("#waterfall", DrawnPane).draw_with(
            lambda width, _height: Content("\n\n").join([waterfall(pathway, width), interpretation_card(graph, width)])
        )

    def show_probes(self, probes: RunProbes | None, progress: ProbeProgress | None = None) -> None:
        """Show the probes of the run, `progress` while they are asked; `None` before there is an answer to probe."""
        pane = self.query_one("#probes", DrawnPane)
        if probes is None:
            pane.draw_with(lambda _width, _height: Content.styled(NOTHING, "dim"))
        else:
            pane.draw_with(lambda width, _height: probe_card(probes, width, progress))

    def show_prompt(self, pathway: PathwayView | None, selected: int) -> None:
        """Show the prompt of a step, counted from 1; the anchor (0) has none of its own, so the first step's is shown."""
        steps = pathway.steps if pathway else ()
        prompt = steps[min(max(selected, 1), len(steps)) - 1].planned.prompt if steps else ""
        said = Content(inert(prompt)) if prompt else Content.styled(NO_PROMPT, "dim")
        self.query_one("#prompt", TextPane).show(said)
