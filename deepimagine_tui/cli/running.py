"""Asking the engine one question: events to the journal, to standard output or error, and the exit code of how it ended."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import msgspec

from deepimagine_tui.cli.boundary import tell
from deepimagine_tui.cli.console import emit, emit_json, is_terminal, narrate
from deepimagine_tui.cli.narration import Narrator
from deepimagine_tui.cli.run_text import run_lines
from deepimagine_tui.cli.session import opened_backend, stoppable
from deepimagine_tui.errors import ExitCode, StorageError
from deepimagine_tui.reasoning.events import RunFinished
from deepimagine_tui.reasoning.graph import ReasoningGraph, fold
from deepimagine_tui.reasoning.request import ImagineRequest, ImagineSettings
from deepimagine_tui.settings import Settings

if TYPE_CHECKING:
    from deepimagine_tui.corpus.store import Corpus

_CODES = {
    "answered": ExitCode.OK,
    "no_answer": ExitCode.NO_ANSWER,
    "cancelled": ExitCode.CANCELLED,
    "failed": ExitCode.MODEL,
}


class Display(msgspec.Struct, frozen=True):
    """How a run is shown: as `json` events, or as text with or without every step of every pathway."""

    json: bool
    chains: bool = True


def imagine_settings(settings: Settings) -> ImagineSettings:
    """The part of the settings that says how to ask."""
    return ImagineSettings(
        seed=settings.seed,
        temperature=settings.temperature,
        top_p=settings.top_p,
        max_reasoning_tokens=settings.max_reasoning_tokens,
        samples=settings.samples,
    )


def answer(
    request: ImagineRequest, corpus: Corpus, settings: Settings, display: Display, *, backend: str | None, yes: bool
) -> ExitCode:
    """Run `request` and keep it. Ctrl-C ends it with what it has; a reader that went away does the same.

    Raises:
        DeepImagineError: the model cannot be opened, or the run cannot be kept.
    """
    from deepimagine_tui.backends.adapter_facts import trained_on
    from deepimagine_tui.evaluation.on_file import on_file
    from deepimagine_tui.reasoning.anchors import CorpusAnchors
    from deepimagine_tui.reasoning.engine import imagine
    from deepimagine_tui.reasoning.journal import record
    from deepimagine_tui.reasoning.runs import RunStore

    graph, narrator, gone, problems = ReasoningGraph(), Narrator(), False, list[StorageError]()
    path = RunStore.default().path(request.run_id)
    with stoppable() as cancel, opened_backend(settings, backend, yes=yes, cancel=cancel) as model:
        known = on_file(model.info, settings.calibration)
        events = imagine(
            [request],
            model,
            CorpusAnchors(corpus),
            cancel,
            trained_on=trained_on(model.info),
            calibration=known.calibration,
            records=known.records,
        )
        for event in record(events, path, problems.append):
            graph = fold(graph, event)
            try:
                if display.json and not gone:
                    emit_json(event)
                elif not display.json:
                    narrator.tell(event)
            except BrokenPipeError:
                gone = True
                cancel.set()
    if gone:
        raise BrokenPipeError
    if not display.json:
        if is_terminal(sys.stderr):
            narrate()
        emit("\n".join(run_lines(graph, chains=display.chains)))
    if problems:
        raise problems[0]
    return _told(graph.finished, seen=not display.json and is_terminal(sys.stdout))


def _told(finished: RunFinished | None, *, seen: bool) -> ExitCode:
    """Say on standard error why there is no answer, unless the result beside it was `seen` to; give the exit code."""
    assert finished is not None
    titles = {"no_answer": "No answer", "cancelled": "Stopped", "failed": "The model cannot be used"}
    if finished.outcome in titles and not seen:
        title = titles[finished.outcome]
        tell(title, finished.message.removeprefix(f"{title}; "), finished.hint)
    elif finished.outcome in titles and finished.hint:
        narrate(finished.hint)
    elif finished.outcome == "answered" and finished.message:
        narrate(finished.message)
    return _CODES[finished.outcome]
