"""`deepimagine evaluate audit`: proves that a finished run saw nothing it must not see, or names what it saw."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from deepimagine_tui.cli.console import emit, emit_json, narrate, table
from deepimagine_tui.cli.evaluate_sets import clinifact_option
from deepimagine_tui.cli.options import as_json, corpus_option, kind_option, side_option
from deepimagine_tui.errors import ExitCode, RefusedError

if TYPE_CHECKING:
    from threading import Event

    from deepimagine_tui.evaluation.audit import Audit
    from deepimagine_tui.evaluation.predictions import Header
    from deepimagine_tui.evaluation.sides import Side
    from deepimagine_tui.settings import Settings

_SHOWN = 5
"""So many findings of a rule are shown; --json has all of them."""


@click.command()
@click.argument("questions", metavar="SET")
@click.argument("folder", type=click.Path(path_type=Path), metavar="FOLDER")
@corpus_option
@click.option("--model", metavar="MODEL", help="The model that answered, where it has an adapter.")
@click.option("--adapter", type=click.Path(path_type=Path), help="The adapter that answered, with its manifest beside it.")
@side_option
@kind_option
@clinifact_option
@click.option("--cutoff", metavar="DATE", help="Last day whose posted results may be used, of a set that is not known.")
@as_json
def audit(
    questions: str,
    folder: Path,
    corpus: Path | None,
    model: str | None,
    adapter: Path | None,
    side: Side,
    kind: str,
    clinifact: tuple[Path, ...],
    cutoff: str | None,
    json_output: bool,
) -> ExitCode:
    """Prove the rules against leaks of a finished run.

    FOLDER is what `evaluate run` wrote for SET, from the same corpus. Every rule is held, broken, flagged (a reason to look,
    such as a score that only sibling answers explain) or not checked, with the reason. Ends with 0 where none is broken or
    flagged, and with 5 otherwise.
    """
    from deepimagine_tui import settings
    from deepimagine_tui.cli import evaluate_sets
    from deepimagine_tui.cli.session import opened_corpus, stoppable
    from deepimagine_tui.evaluation import audit as auditing
    from deepimagine_tui.evaluation import predictions, runner

    chosen = settings.load({"model": model, "adapter": _text(adapter), "corpus": _text(corpus)})
    said = predictions.read(folder)
    with stoppable() as cancel, opened_corpus(chosen) as source:
        asked, learnt = evaluate_sets.resolve(questions, source, side, cancel, cutoff or "", kind, clinifact)
        if said.header.questions < len(asked.questions):
            asked = runner.first(asked, said.header.questions)
        evidence = msgspec.structs.replace(
            auditing.evidence_of(source, said, cancel),
            learnt=learnt.examples,
            reported=_reported(Path(questions)) if asked.is_watched else {},
            trained_on=_trained_on(said.header, chosen, cancel),
        )
    found = auditing.audit(asked, said, folder, evidence)
    if json_output:
        emit_json({"audit": found, "clean": found.is_clean})
    else:
        _show(found)
    return ExitCode.OK if found.is_clean else ExitCode.REFUSED


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _reported(path: Path) -> dict[str, tuple[str, ...]]:
    from deepimagine_tui.evaluation import ct_open

    return ct_open.reported_texts(path)


def _trained_on(header: Header, chosen: Settings, cancel: Event) -> frozenset[str] | None:
    """The trials that the adapter of the run was trained on; `None` where it has none, or that is not known.

    Raises:
        RefusedError: the model in force has another adapter.
    """
    from deepimagine_tui.backends.adapter_facts import trained_on
    from deepimagine_tui.cli.session import opened_backend

    if not header.adapter_sha256:
        return None
    with opened_backend(chosen, None, yes=False, cancel=cancel) as backend:
        info = backend.info
    if info.adapter_sha256 != header.adapter_sha256:
        raise RefusedError(
            f"The run was answered with the adapter {header.adapter_sha256[:8]}, and {info.name} has another.",
            "Name the one that answered with --model and --adapter.",
        )
    return trained_on(info)


def _show(found: Audit) -> None:
    emit(f"{found.system} on {found.set_name}")
    rows = [(_word(rule.state), rule.name, f"{rule.checked:,}", rule.says) for rule in found.rules]
    emit(table(("", "RULE", "CHECKED", ""), rows))
    for rule in found.rules:
        if rule.why:
            emit(f"{rule.name}: {rule.why}")
        for finding in rule.findings[:_SHOWN]:
            emit(f"{rule.name}: {finding.question_id or 'the run'} {finding.what}")
        if len(rule.findings) > _SHOWN:
            emit(f"{rule.name}: and {len(rule.findings) - _SHOWN:,} more")
    clean, not_clean = "No rule is broken or flagged.", "Settle this before believing the scores of this run."
    narrate(clean if found.is_clean else not_clean)


def _word(state: str) -> str:
    return {"held": "held", "not checked": "not checked"}.get(state, state.upper())
