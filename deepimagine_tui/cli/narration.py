"""What a run does while it does it, on standard error: the model's words in a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from typing import assert_never

import click

from deepimagine_tui.cli.console import is_terminal, narrate
from deepimagine_tui.cli.progress import Progress
from deepimagine_tui.reasoning.events import (
    DEMO_MARK,
    Aggregated,
    AnchorChosen,
    PathwayDone,
    ReasoningEvent,
    RunFinished,
    RunStarted,
    StepEstimated,
    StepFailed,
    StepPlanned,
    TokensArrived,
)
from deepimagine_tui.text import inert, one_line


class Narrator:
    """Tells the events of one run. With one pathway the model's text streams; with several, a line counts."""

    def __init__(self) -> None:
        self._terminal = is_terminal(sys.stderr)
        self._progress = Progress("Imagining")
        self._pathways = 0
        self._done = 0
        self._tokens = 0
        self._streaming = False
        self._opens = False

    def tell(self, event: ReasoningEvent) -> None:
        """Tell one event."""
        match event:
            case RunStarted():
                narrate(f"Run {event.run_id}: {DEMO_MARK if event.model.demo else one_line(event.model.name)}")
            case AnchorChosen():
                self._pathways += 1
                if event.similarity is not None:
                    narrate(f"Anchor {event.pathway + 1}: {event.state.nct_id}, similarity {event.similarity:.2f}")
            case StepPlanned():
                change = event.perturbation
                self._line(
                    event.pathway, f"step {event.step + 1}, {one_line(f'{change.factor}: {change.before} -> {change.after}')}"
                )
                if self._streams and event.opening:
                    self._stream(f"{event.opening} ")
                    self._opens = True
            case TokensArrived():
                self._text(event)
            case StepEstimated():
                cut = ", reasoning cut at the limit" if event.reasoning_cut else ""
                if event.kind == "model":
                    self._line(event.pathway, f"step {event.step + 1} answered ({event.seconds:.1f} s{cut})")
            case StepFailed():
                self._line(event.pathway, f"step {event.step + 1} has no answer: {one_line(event.message)}")
            case PathwayDone():
                self._done += 1
            case Aggregated() | RunFinished():
                self._end_of_text()
                self._progress.clear()
            case _:
                assert_never(event)

    def _line(self, pathway: int, text: str) -> None:
        self._end_of_text()
        self._progress.clear()
        narrate(f"Pathway {pathway + 1}, {text}" if self._pathways > 1 else text[0].upper() + text[1:])

    def _text(self, event: TokensArrived) -> None:
        self._tokens += event.tokens
        if self._streams:
            if event.part == "reasoning":
                self._stream(event.text.lstrip() if self._opens else event.text)
                self._opens = False
        else:
            pathways = f"{self._done} of {self._pathways} pathways done, " if self._pathways > 1 else ""
            self._progress.say(f"{pathways}{self._tokens} tokens")

    @property
    def _streams(self) -> bool:
        """Whether reasoning is shown as it comes: on a terminal, of a single pathway."""
        return self._terminal and self._pathways == 1

    def _stream(self, text: str) -> None:
        click.echo(inert(text), err=True, nl=False)
        self._streaming = True

    def _end_of_text(self) -> None:
        if self._streaming:
            narrate()
            self._streaming = False
