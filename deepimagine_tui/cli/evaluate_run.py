"""`deepimagine evaluate run`: a system answers a question set; what it said is kept, and gone on with."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from deepimagine_tui.cli.console import emit, emit_json, narrate
from deepimagine_tui.cli.evaluate_sets import clinifact_option
from deepimagine_tui.cli.options import as_json, corpus_option, kind_option, offline_option, side_option, yes_option

if TYPE_CHECKING:
    from deepimagine_tui.backends.protocol import ModelBackend
    from deepimagine_tui.evaluation.predictions import Predictions
    from deepimagine_tui.evaluation.questions import QuestionSet
    from deepimagine_tui.evaluation.sides import Side
    from deepimagine_tui.reasoning.request import ImagineSettings
    from deepimagine_tui.settings import Settings


@click.command()
@click.argument("questions", metavar="SET")
@click.option("--system", required=True, metavar="SYSTEM", help="What answers, e.g. deepimagine, rag, direct, majority.")
@click.option("--model", metavar="MODEL", help="Id of a model in the catalogue, or the path of a GGUF file.")
@click.option("--adapter", type=click.Path(path_type=Path), help="LoRA adapter (GGUF) to load on the model.")
@corpus_option
@click.option("--anchors", type=click.IntRange(1), default=7, show_default=True, metavar="K", help="Trials retrieved for each.")
@click.option("--far", is_flag=True, help="Take the nearest trials even where a forecast in the app would abstain.")
@click.option("--samples", type=click.IntRange(1), default=1, show_default=True, help="How often `direct` asks each question.")
@click.option("--as-app", is_flag=True, help="Let `deepimagine` ask with the temperature and tokens of the settings, not lean.")
@side_option
@kind_option
@clinifact_option
@click.option(
    "--chain",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="What `deepimagine` said of examples that its adapter did not see, and of SET: for the ensemble. Repeatable.",
)
@click.option("--cutoff", metavar="DATE", help="Last day whose posted results may be used, of a set that is not known.")
@click.option(
    "--limit",
    type=click.IntRange(1),
    metavar="N",
    help="Take the first N questions in the order of asking, which is that of a hash of their ids.",
)
@click.option("-o", "--out", type=click.Path(path_type=Path), metavar="FOLDER", help="Where predictions are kept.")
@click.option("--no-runs", is_flag=True, help="Keep no prompts and no journals of the engine's runs.")
@click.option(
    "--concurrency",
    type=click.IntRange(1),
    default=16,
    show_default=True,
    metavar="N",
    help="Requests open at a server at once.",
)
@offline_option
@yes_option
@as_json
def run(
    questions: str,
    system: str,
    model: str | None,
    adapter: Path | None,
    corpus: Path | None,
    anchors: int,
    far: bool,
    samples: int,
    as_app: bool,
    side: Side,
    kind: str,
    clinifact: tuple[Path, ...],
    chain: tuple[Path, ...],
    cutoff: str | None,
    limit: int | None,
    out: Path | None,
    no_runs: bool,
    concurrency: int,
    offline: bool | None,
    yes: bool,
    json_output: bool,
) -> None:
    """Let a system answer a question set.

    SET is a CT Open pickle or JSON, a CSV file, pairs:FOLDER (drawn by `train pairs`), or natural, approximate or forecasts,
    drawn from the corpus. What is said of each question is kept in FOLDER as it comes; nothing is scored here
    (`evaluate report`). An interrupted command goes on where it was.
    """
    from deepimagine_tui import settings
    from deepimagine_tui.cli import evaluate_sets
    from deepimagine_tui.cli.progress import Progress
    from deepimagine_tui.cli.session import opened_backend, opened_corpus, stoppable
    from deepimagine_tui.evaluation import predictions, runner, systems
    from deepimagine_tui.evaluation.asking import LEAN
    from deepimagine_tui.reasoning.anchors import CorpusAnchors

    entry = systems.entry_of(system)
    chosen = settings.load(
        {
            "model": model,
            "adapter": None if adapter is None else str(adapter),
            "corpus": None if corpus is None else str(corpus),
            "offline": offline,
        }
    )
    with ExitStack() as stack:
        cancel = stack.enter_context(stoppable())
        source = stack.enter_context(opened_corpus(chosen))
        progress = stack.enter_context(Progress("Predicting"))
        progress.say("reading questions")
        sets = evaluate_sets.resolve(questions, source, side, cancel, cutoff or "", kind, clinifact)
        asked, learnt = sets
        if entry.learns_derived:
            learnt = evaluate_sets.with_derived(questions, sets, source, cancel, clinifact)
        asked = runner.first(asked, limit or 0)
        backend = (
            stack.enter_context(opened_backend(chosen, None, yes=yes, cancel=cancel, concurrency=concurrency))
            if entry.needs_model
            else None
        )
        folder = out or _folder(asked, system, backend, limit)
        needs = systems.Needs(
            learnt=learnt,
            model=backend,
            source=CorpusAnchors(source, far=far),
            anchors=anchors,
            samples=samples,
            folder=None if no_runs else folder,
            chain=tuple(predictions.read(each) for each in chain),
            are_steps=evaluate_sets.are_steps(asked),
            settings=_as_app(chosen) if as_app else LEAN,
        )
        made = systems.make(system, needs)
        said = runner.run(made, asked, folder, cancel, progress.say)
    _tell(said, folder, json_output)


def _as_app(chosen: Settings) -> ImagineSettings:
    """How the app asks, in chains as short as an evaluation's."""
    from msgspec.structs import replace

    from deepimagine_tui.evaluation.asking import LEAN

    return replace(
        LEAN,
        seed=chosen.seed,
        temperature=chosen.temperature,
        top_p=chosen.top_p,
        max_reasoning_tokens=chosen.max_reasoning_tokens,
    )


def _folder(asked: QuestionSet, system: str, backend: ModelBackend | None, limit: int | None) -> Path:
    """Where predictions are kept that are given no folder: by set, system and model."""
    from deepimagine_tui import paths

    parts = [asked.name, system]
    if backend is not None:
        backend.count_tokens([""])
        parts += [backend.info.name, backend.info.adapter_sha256[:8]]
    parts += [str(limit or "")]
    name = "-".join(part for part in parts if part).lower()
    return paths.data_dir() / "evaluations" / "".join(letter if letter.isalnum() or letter in "+-" else "-" for letter in name)


def _tell(said: Predictions, folder: Path, json_output: bool) -> None:
    """What was done, without a score."""
    fallbacks = [each.fallback for each in said.by_id.values() if each.fallback]
    seconds = sum(each.seconds for each in said.by_id.values())
    if json_output:
        summary = {"questions": len(said.by_id), "no_anchor": fallbacks.count("no anchor")}
        summary["no_answer"] = fallbacks.count("no answer")
        emit_json({"folder": str(folder), "header": said.header, "summary": summary, "seconds": round(seconds, 1)})
        return
    emit(f"{said.header.name}: {len(said.by_id):,} questions of {said.header.set_name}")
    emit(f"no anchor {fallbacks.count('no anchor'):,}, no answer {fallbacks.count('no answer'):,}")
    narrate(f"Predictions are in {folder}.")
