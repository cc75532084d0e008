"""`deepimagine evaluate interpret`: what can be read off a model's steps, and whether its answers hang together when probed."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from deepimagine_tui.cli.console import emit, emit_json, narrate, table
from deepimagine_tui.cli.options import as_json, corpus_option, offline_option, yes_option

if TYPE_CHECKING:
    from deepimagine_tui.evaluation.interpretability import Interpretability, Measure
    from deepimagine_tui.evaluation.sides import Side
    from deepimagine_tui.settings import Settings


@click.command()
@click.option("--model", metavar="MODEL", help="Id of a model in the catalogue, or the path of a GGUF file.")
@click.option("--adapter", type=click.Path(path_type=Path), help="LoRA adapter (GGUF) to load on the model.")
@corpus_option
@click.option("--set", "questions", default="natural", show_default=True, metavar="SET", help="natural, or pairs:FOLDER.")
@click.option(
    "--side",
    type=click.Choice(["train", "validation", "test"]),
    default="test",
    show_default=True,
    help="Which trials.",
)
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Probe so many trials at most.")
@click.option("--read", "only_read", is_flag=True, help="Ask nothing: measure the runs whose journals FOLDER holds.")
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, metavar="FOLDER", help="Where runs are kept.")
@offline_option
@yes_option
@as_json
def interpret(
    model: str | None,
    adapter: Path | None,
    corpus: Path | None,
    questions: str,
    side: Side,
    limit: int | None,
    only_read: bool,
    out: Path,
    offline: bool | None,
    yes: bool,
    json_output: bool,
) -> None:
    """Measure how a model comes to its answers.

    One natural pair of each trial is asked again and again: there and back, in both orders with another country, by several
    seeds, and over a ladder of doses. Runs are kept in FOLDER as they come, and an interrupted command goes on where it was.
    The measures are written to interpretability.json in FOLDER, which `evaluate report` takes in.
    """
    from deepimagine_tui import settings
    from deepimagine_tui.evaluation import interpretability

    chosen = settings.load(
        {
            "model": model,
            "adapter": None if adapter is None else str(adapter),
            "corpus": None if corpus is None else str(corpus),
            "offline": offline,
        }
    )
    if not only_read:
        _probe(chosen, questions, side, limit or 0, out, yes=yes)
    found = interpretability.read_runs(out)
    interpretability.write(found, out / interpretability.FILE)
    if json_output:
        emit_json(found)
        return
    _tell(found)
    narrate(f"Written to {out / interpretability.FILE}.")


def _probe(chosen: Settings, questions: str, side: Side, limit: int, folder: Path, *, yes: bool) -> None:
    """Ask the probes that `folder` does not hold yet."""
    from deepimagine_tui.cli import evaluate_sets
    from deepimagine_tui.cli.progress import Progress
    from deepimagine_tui.cli.session import opened_backend, opened_corpus, stoppable
    from deepimagine_tui.errors import ModelError
    from deepimagine_tui.evaluation import probing
    from deepimagine_tui.reasoning.anchors import CorpusAnchors

    with ExitStack() as stack:
        cancel = stack.enter_context(stoppable())
        corpus = stack.enter_context(opened_corpus(chosen))
        progress = stack.enter_context(Progress("Probing"))
        progress.say("reading questions")
        asked = evaluate_sets.resolve(questions, corpus, side, cancel).asked
        source = CorpusAnchors(corpus)
        planned = probing.plan(asked, source, limit)
        backend = stack.enter_context(opened_backend(chosen, None, yes=yes, cancel=cancel))
        if backend.info.demo:
            raise ModelError("The demo has no model, so there is nothing to measure.", "Name a model with --model.")
        progress.say("loading the model")
        backend.count_tokens([""])
        info = backend.info
        header = probing.Header(
            model=info.name,
            model_sha256=info.sha256,
            adapter_sha256=info.adapter_sha256,
            corpus=source.name,
            corpus_version=source.version,
            set_name=asked.name,
            set_sha256=asked.sha256,
        )
        probing.ask(planned, header, backend, source, folder, cancel, progress.say)


def _tell(found: Interpretability) -> None:
    rows = [(_name(each), *_value(each), each.definition) for each in found.measures if each.estimate.rows]
    emit(table(("MEASURE", "VALUE", "95% CI", "ROWS", "TRIALS", "DEFINITION"), rows, stretch=5))
    empty = [each.name for each in found.measures if not each.estimate.rows]
    if empty:
        emit(f"Nothing to measure by: {', '.join(empty)}")
    if found.unreadable:
        narrate(f"{found.unreadable} journals cannot be read and count in nothing.")


def _name(measure: Measure) -> str:
    return f"  {measure.factor.replace('_', ' ')}" if measure.factor else measure.name


def _value(measure: Measure) -> tuple[str, str, str, str]:
    """The value, its interval, and the rows and trials behind them."""
    found = measure.estimate
    unit = {"s": " s", "logit": " logit"}.get(measure.unit, "")
    value = "–" if found.value is None else f"{found.value:.2f}{unit}"
    between = "too few" if found.lower is None or found.upper is None else f"{found.lower:.2f} to {found.upper:.2f}"
    return value, between, str(found.rows), str(found.trials)
