"""`deepimagine runs probe`: a run's question asked again in other ways, to see whether its answers hang together."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from deepimagine_tui.cli.console import emit, emit_json
from deepimagine_tui.cli.options import as_json, corpus_option, model_options, offline_option, yes_option

if TYPE_CHECKING:
    from deepimagine_tui.reasoning.runs import RunStore
    from deepimagine_tui.settings import Settings


@click.command()
@click.argument("run")
@click.option("--read", "only_read", is_flag=True, help="Ask nothing: show what was answered before.")
@model_options
@corpus_option
@offline_option
@yes_option
@as_json
def probe(
    run: str,
    only_read: bool,
    model: str | None,
    backend: str | None,
    adapter: Path | None,
    calibration: str | None,
    corpus: Path | None,
    offline: bool | None,
    yes: bool,
    json_output: bool,
) -> None:
    """Ask RUN's question again in other ways: whether its answers hang together.

    Over other doses, there and back, in the other order, and by other seeds; of the model that answered RUN. The answers are
    kept with RUN and are no runs of the list; what is answered already is not asked again.
    """
    from deepimagine_tui import settings
    from deepimagine_tui.cli.run_text import INTERPRETATION_WIDTH
    from deepimagine_tui.reasoning.probe_text import probe_lines
    from deepimagine_tui.reasoning.runs import RunStore

    store = RunStore.default()
    run_id = store.resolve(run)
    if not only_read:
        chosen = settings.load(
            {
                "model": model,
                "adapter": None if adapter is None else str(adapter),
                "calibration": calibration,
                "corpus": None if corpus is None else str(corpus),
                "offline": offline,
            }
        )
        _ask(store, run_id, chosen, backend, yes=yes)
    found = store.probes(run_id)
    if json_output:
        emit_json(found)
    else:
        emit("\n".join(line.text for line in probe_lines(found, INTERPRETATION_WIDTH)))


def _ask(store: RunStore, run_id: str, chosen: Settings, backend: str | None, *, yes: bool) -> None:
    """Ask the probes of a run that have no answer yet."""
    from deepimagine_tui.cli.progress import Progress
    from deepimagine_tui.cli.session import opened_backend, opened_corpus, stoppable
    from deepimagine_tui.evaluation.on_file import on_file
    from deepimagine_tui.reasoning.anchors import CorpusAnchors
    from deepimagine_tui.reasoning.probe_asking import ask_probes
    from deepimagine_tui.reasoning.probe_offers import offers

    graph = store.show(run_id)
    offers(graph)
    with ExitStack() as stack:
        cancel = stack.enter_context(stoppable())
        corpus = stack.enter_context(opened_corpus(chosen))
        model = stack.enter_context(opened_backend(chosen, backend, yes=yes, cancel=cancel))
        progress = stack.enter_context(Progress("Probing"))
        known = on_file(model.info, chosen.calibration)
        anchors, folder = CorpusAnchors(corpus), store.probes_folder(run_id)
        for step in ask_probes(graph, model, anchors, folder, cancel, calibration=known.calibration):
            progress.say(f"{step.done} of {step.total} steps")
