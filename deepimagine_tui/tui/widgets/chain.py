"""The chain of a run, as it streams: one card a step, the last one growing, each swapped for its result when it is there."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Static

from deepimagine_tui.reasoning.calibration_text import FAILED
from deepimagine_tui.reasoning.events import CONTEXT_OF_USE, DEMO_MARK, RunFinished
from deepimagine_tui.reasoning.graph import PathwayView, ReasoningGraph, StepView
from deepimagine_tui.tui.actions import bind
from deepimagine_tui.tui.chain_text import anchor_card, step_card, stopped_card, streaming_card
from deepimagine_tui.tui.show import inert

REDRAW = 1 / 12
"""Streaming text is drawn this often at most, in seconds."""


class Card(Static):
    """One card; `index` counts from 0, the anchor."""

    DEFAULT_CSS = """
    Card { height: auto; width: 100%; padding: 0 1 0 1; margin-bottom: 1; border-left: blank; }
    Card.-selected { border-left: outer $border-blurred; }
    ChainView:focus Card.-selected { border-left: outer $primary; }
    """

    def __init__(self, index: int, content: Content) -> None:
        super().__init__(content, markup=False)
        self.index = index
        self.content_now = content

    def show(self, content: Content) -> bool:
        """Show something else and tell whether its height changed; where it did not, nothing is laid out again."""
        width = self.content_size.width
        grows = width < 1 or content.get_height({}, width) != self.content_size.height
        self.content_now = content
        self.update(content, layout=grows)
        return grows


class ChainView(VerticalScroll, inherit_bindings=False, can_focus=True):
    """The cards of one pathway. Follows the streaming text until the user scrolls or moves to another card."""

    BINDINGS: ClassVar[list[BindingType]] = bind(
        "imagine.step-up", "imagine.step-down", "imagine.edit", "text.page-up", "text.page-down", "text.top", "text.bottom"
    )
    DEFAULT_CSS = """
    ChainView { height: 1fr; }
    ChainView > #ending { height: auto; padding: 0 2; }
    """
    HELP = (
        "The chain: ● observed at the top, then one imagined step (○, italic) after another. Up and down go from step to step; "
        "enter changes a step's value or its result, and runs from there; y copies the whole chain."
    )

    class Moved(Message):
        """Another card is selected."""

    class EditWanted(Message):
        """The selected step is to be edited."""

    def __init__(self) -> None:
        super().__init__(id="chain")
        self.graph = ReasoningGraph()
        self.selected = 0
        self._cards: list[Card] = []
        self._timer: Timer | None = None
        self._follows = True
        self._streams = False
        self._said = ""

    def compose(self) -> ComposeResult:
        """What the run came to, below the cards."""
        yield Static("The chain of steps appears here as the model answers.", id="ending", classes="muted", markup=False)

    @property
    def pathway(self) -> PathwayView | None:
        """The pathway that is shown."""
        return self.graph.pathways[0] if self.graph.pathways else None

    def on_resize(self) -> None:
        """Draw to the width there is."""
        self._draw_all()

    def start(self, said: str) -> None:
        """Begin anew with an empty chain that says why it is empty."""
        self.graph, self.selected, self._follows, self._streams = ReasoningGraph(), 0, True, True
        for card in self._cards:
            card.remove()
        self._cards = []
        self._said = said
        self._show_ending()

    def show_graph(self, graph: ReasoningGraph, *, running: bool, streaming: bool = False) -> None:
        """Show a graph. While tokens arrive, drawing waits for its turn."""
        self.graph, self._streams = graph, running
        if streaming:
            if self._timer is None:
                self._timer = self.set_timer(REDRAW, self._draw_streaming)
        else:
            self._draw_all()

    def _draw_streaming(self) -> None:
        self._timer = None
        pathway = self.pathway
        if pathway is None or len(self._cards) != len(pathway.steps) + 1:
            self._draw_all()
        elif pathway.steps and self._cards[-1].show(self._content(len(pathway.steps), pathway.steps[-1])):
            self.call_after_refresh(self._follow)

    def _follow(self) -> None:
        if self._follows:
            self.scroll_end(animate=False)

    @property
    def _width(self) -> int:
        return max(self.size.width - 4, 24)

    def _content(self, number: int, step: StepView) -> Content:
        if step.estimated is not None:
            seen = bool(self.pathway and self.pathway.anchor.seen_in_training)
            return step_card(number, step, step.estimated, self._width, seen=seen)
        if step.failed is None and self._streams:
            return streaming_card(number, step, self._width)
        return stopped_card(number, step, self._width, "stopped before an answer")

    def _draw_all(self) -> None:
        pathway = self.pathway
        if pathway is None:
            self._show_ending()
            return
        contents = [anchor_card(pathway.anchor, self._width)]
        contents += [self._content(number, step) for number, step in enumerate(pathway.steps, 1)]
        for card, content in zip(self._cards, contents, strict=False):
            if card.content_now != content:
                card.show(content)
        added = [Card(index, contents[index]) for index in range(len(self._cards), len(contents))]
        if added:
            self._cards += added
            self.mount(*added, before="#ending")
        if self._follows:
            self.selected = len(contents) - 1
        self._mark()
        self._show_ending()
        self.call_after_refresh(self._follow)

    def _mark(self) -> None:
        for card in self._cards:
            card.set_class(card.index == self.selected, "-selected")

    def _show_ending(self) -> None:
        self.query_one("#ending", Static).update(Content("\n").join(self._ending()))

    def _ending(self) -> list[Content]:
        finished, started = self.graph.finished, self.graph.started
        lines = []
        if started is None or not self.graph.pathways:
            lines.append(Content.styled(self._said, "dim"))
        if finished is not None and finished.outcome != "answered":
            lines.append(Content.styled(_ended(finished), "$text-warning"))
        if started is not None and started.calibration:
            style = "$text-warning" if started.calibration.startswith(FAILED) else "dim"
            lines.append(Content.styled(inert(started.calibration), style))
        if started is not None and started.model.demo:
            lines.append(Content.styled(DEMO_MARK, "bold $text-warning"))
        if len(self.graph.pathways) > 1:
            lines.append(Content.styled(f"sample 1 of {len(self.graph.pathways)}; all of them are under Probes", "dim"))
        return lines

    def action_step_up(self) -> None:
        """The step before."""
        self._go(self.selected - 1)

    def action_step_down(self) -> None:
        """The next step."""
        self._go(self.selected + 1)

    def _go(self, index: int) -> None:
        if not self._cards:
            return
        self.selected = min(max(index, 0), len(self._cards) - 1)
        self._follows = self._streams and self.selected == len(self._cards) - 1
        self._mark()
        self.scroll_to_widget(self._cards[self.selected], animate=False)
        self.post_message(self.Moved())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only a step of a run that ended can be edited."""
        return self.selected > 0 and not self._streams if action == "edit" else True

    def action_edit(self) -> None:
        """Edit the selected step."""
        self.post_message(self.EditWanted())

    def on_mouse_scroll_up(self) -> None:
        """Scrolling up stops following."""
        self._follows = False

    def copy_text(self) -> str:
        """The whole chain with the context of use; every number with its mark."""
        lines = [card.content_now.plain for card in self._cards]
        ending = [line.plain for line in self._ending() if line.plain]
        return "\n\n".join([*lines, *ending, CONTEXT_OF_USE])


def _ended(finished: RunFinished) -> str:
    """How a run ended that was not answered; the engine's own words where it has some."""
    word = {"no_answer": "No answer.", "cancelled": "", "failed": "The model stopped."}.get(finished.outcome, "")
    message = inert(finished.message) or ("Stopped; what was produced is kept." if finished.outcome == "cancelled" else "")
    return f"{word} {message} {inert(finished.hint)}".strip()
