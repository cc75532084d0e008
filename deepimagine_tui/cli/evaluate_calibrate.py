"""`deepimagine evaluate calibrate`: intervals and P(met) of a model, by trials that it was not trained on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from deepimagine_tui.cli.console import emit, emit_json, narrate
from deepimagine_tui.cli.options import as_json, corpus_option
from deepimagine_tui.errors import RefusedError

if TYPE_CHECKING:
    from deepimagine_tui.backends.protocol import ModelInfo
    from deepimagine_tui.evaluation.calibrate import Said
    from deepimagine_tui.evaluation.questions import QuestionSet
    from deepimagine_tui.evaluation.sides import Side
    from deepimagine_tui.reasoning.calibration import Calibration
    from deepimagine_tui.reasoning.records import Records
    from deepimagine_tui.settings import Settings

FOLDER = click.Path(path_type=Path)


@click.command()
@click.option("--pairs", type=FOLDER, required=True, metavar="FOLDER", help="The pairs that `train pairs` drew.")
@click.option(
    "--fit",
    type=FOLDER,
    required=True,
    multiple=True,
    metavar="FOLDER",
    help="Answers to fit on: what `evaluate run` wrote, of the validation side.",
)
@click.option(
    "--check",
    type=FOLDER,
    multiple=True,
    metavar="FOLDER",
    help="Answers to check the coverage on, and to take the records from: of the test side.",
)
@click.option(
    "--level",
    type=click.FloatRange(50, 99),
    default=90.0,
    show_default=True,
    metavar="PERCENT",
    help="Level of the intervals.",
)
@click.option("--model", metavar="MODEL", help="Id of the model in the catalogue, or the path of a GGUF file.")
@click.option("--adapter", type=click.Path(path_type=Path), help="LoRA adapter (GGUF) of the model.")
@click.option(
    "-o",
    "--out",
    type=FOLDER,
    metavar="FOLDER",
    help="Where the files go. Default: a folder of the workspace in which they are found for this model.",
)
@corpus_option
@as_json
def calibrate(
    pairs: Path,
    fit: tuple[Path, ...],
    check: tuple[Path, ...],
    level: float,
    model: str | None,
    adapter: Path | None,
    out: Path | None,
    corpus: Path | None,
    json_output: bool,
) -> None:
    """Calibrate a model's intervals and P(met).

    Intervals are split conformal: the error that a new trial stays under at the level, each trial weighing 1. P(met) is
    corrected by slope and intercept. Both are fitted on one side of the trials and checked on another; a check that fails is
    written and said. Trials that the model was trained on count in nothing. Beside the calibration goes the record of every
    factor, which the app shows with each number.
    """
    from threading import Event

    from deepimagine_tui import settings
    from deepimagine_tui.backends.adapter_facts import trained_on
    from deepimagine_tui.cli.evaluate_sets import PAIRS
    from deepimagine_tui.cli.session import opened_backend
    from deepimagine_tui.evaluation import calibrate as fitting
    from deepimagine_tui.evaluation.measured import posted_set
    from deepimagine_tui.evaluation.on_file import keep, own_folder
    from deepimagine_tui.evaluation.recording import record

    paths = {"adapter": adapter, "corpus": corpus}
    chosen = settings.load({"model": model} | {key: str(path) for key, path in paths.items() if path is not None})
    with opened_backend(chosen, None, yes=False, cancel=Event()) as backend:
        info = backend.info
    fit_on = _joined([_said(folder, pairs, chosen) for folder in fit], info)
    check_on = _joined([_said(folder, pairs, chosen) for folder in check], info) if check else None
    seen = trained_on(info) or frozenset()
    fitted = fitting.calibrate(fit_on, check_on, seen, level)
    recorded = None
    if check_on is not None:
        training = posted_set(_set(f"{PAIRS}{pairs}", "train", "natural", chosen))
        recorded = record(check_on, training, seen, fitted)
    folder = out or own_folder(fit_on.subject)
    keep(folder, fitted, recorded)
    if json_output:
        emit_json({"folder": str(folder), "calibration": fitted, "records": recorded})
        return
    emit("\n".join(_lines(fitted, recorded)))
    narrate(f"Written to {folder}.")


def _said(folder: Path, pairs: Path, chosen: Settings) -> Said:
    """What `evaluate run` wrote, about pairs or about forecasts of the corpus.

    Raises:
        NotFoundError: there is nothing.
        BadInputError: it is damaged.
        RefusedError: it is of other questions.
    """
    from deepimagine_tui.cli.evaluate_sets import PAIRS
    from deepimagine_tui.evaluation import predictions
    from deepimagine_tui.evaluation.calibrate import Said
    from deepimagine_tui.evaluation.measured import measured_set
    from deepimagine_tui.reasoning.subject import Subject

    read = predictions.read(folder)
    header = read.header
    about, _, side_name = header.set_name.rpartition(", ")
    side: Side = "test" if side_name == "test" else "validation"
    name = "forecasts" if about.startswith("forecasts") else f"{PAIRS}{pairs}"
    asked = _set(name, side, about.partition(" ")[0], chosen)
    if asked.sha256 != header.set_sha256:
        raise RefusedError(
            f"The predictions in {folder} are of other questions: {header.set_name}.",
            "Name the pairs with --pairs, and the corpus with --corpus, that they were asked about.",
        )
    return Said(
        subject=Subject(header.model, header.model_sha256, header.adapter_sha256, header.prompt_version),
        side=side,
        data_sha256=header.set_sha256,
        rows=tuple(measured_set(asked, read.by_id.values(), folder / "runs")),
        settings=header.settings,
    )


def _set(name: str, side: Side, kind: str, chosen: Settings) -> QuestionSet:
    from threading import Event

    from deepimagine_tui.cli.evaluate_sets import resolve
    from deepimagine_tui.cli.session import opened_corpus

    with opened_corpus(chosen) as corpus:
        return resolve(name, corpus, side, Event(), kind=kind).asked


def _joined(every: Sequence[Said], info: ModelInfo) -> Said:
    """The answers of several folders as those of one, all of the model in force.

    Raises:
        RefusedError: they are of another model, other prompts, or of two sides.
    """
    from deepimagine_tui.reasoning.subject import subject_of

    first = every[0]
    for each in every:
        if not each.subject.is_of(info):
            raise RefusedError(
                f"Answers of {each.subject.name} do not calibrate {subject_of(info).name}.",
                "Name the model that answered with --model and --adapter, or ask this one.",
            )
        if each.side != first.side:
            raise RefusedError("The answers are of two sides.", "Fit on one side and check on another.")
    rows = tuple(row for each in every for row in each.rows)
    return msgspec.structs.replace(first, subject=subject_of(info), rows=rows)


def _lines(fitted: Calibration, recorded: Records | None) -> list[str]:
    from deepimagine_tui.reasoning.calibration_text import calibration_lines

    lines = calibration_lines(fitted)
    if recorded is not None:
        lines += [
            "",
            f"Records on the {recorded.side} side",
            *(f"  {_factor(each.factor)}: {each.said}" for each in recorded.records),
        ]
    return lines


def _factor(factor: str | None) -> str:
    return "forecasts" if factor is None else factor.replace("_", " ")
