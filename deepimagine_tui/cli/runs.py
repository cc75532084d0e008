"""`deepimagine runs`: what was imagined, kept as one journal a run."""

from __future__ import annotations

import click

from deepimagine_tui.cli.console import emit, emit_json, is_terminal, narrate, table
from deepimagine_tui.cli.options import as_json
from deepimagine_tui.cli.runs_probe import probe
from deepimagine_tui.errors import ExitCode, RefusedError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def runs() -> None:
    """List, read, rename and delete what was imagined.

    RUN is a run's id, the beginning of one, or `last`.
    """


@runs.command("list")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="So many at most.")
@as_json
def list_runs(limit: int | None, json_output: bool) -> None:
    """List the runs, newest first."""
    from deepimagine_tui.reasoning.events import DEMO_MARK
    from deepimagine_tui.reasoning.runs import RunStore

    found = RunStore.default().list()[:limit]
    if json_output:
        emit_json({"runs": found})
        return
    if not found:
        narrate("There are no runs yet. Ask something: deepimagine imagine NCT… --set dose='…'")
        return
    rows = [
        (
            run.run_id,
            run.when[:16].replace("T", " "),
            run.outcome.replace("_", " "),
            DEMO_MARK if run.demo else run.model,
            run.name or run.target,
            run.answer,
        )
        for run in found
    ]
    emit(table(("RUN", "WHEN (UTC)", "ENDED", "MODEL", "NAME OR QUESTION", "ANSWER"), rows, stretch=4))


@runs.command()
@click.argument("run")
@click.option("--chains/--no-chains", default=None, help="Show every step of a forecast's pathways, or one line each.")
@as_json
def show(run: str, chains: bool | None, json_output: bool) -> None:
    """Show RUN as it was shown when it was asked; with --json, its events, one a line."""
    from deepimagine_tui.cli.run_text import run_lines
    from deepimagine_tui.reasoning.runs import RunStore

    store = RunStore.default()
    content = store.events(run)
    if json_output:
        for event in content.events:
            emit_json(event)
    else:
        emit("\n".join(run_lines(store.show(run), chains=bool(chains), probes=store.probes(run))))
        notes = store.notes(run)
        if notes:
            emit(f"Notes    {notes}")
    for problem in content.problems:
        narrate(problem)


runs.add_command(probe)


@runs.command()
@click.argument("run")
@click.argument("name")
def rename(run: str, name: str) -> None:
    """Give RUN a NAME; an empty one takes it away."""
    from deepimagine_tui.reasoning.runs import RunStore

    store = RunStore.default()
    run_id = store.resolve(run)
    store.rename(run_id, name)
    narrate(f"{run_id} is now called {name!r}." if name else f"{run_id} has no name any more.")


@runs.command()
@click.argument("run")
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(run: str, yes: bool) -> ExitCode:
    """Delete RUN with its name and notes. It cannot be brought back."""
    import sys

    from deepimagine_tui.reasoning.runs import RunStore

    store = RunStore.default()
    run_id = store.resolve(run)
    if not yes:
        if not is_terminal(sys.stdin):
            raise RefusedError(f"{run_id} was not deleted: nobody could be asked.", "Say --yes to delete it.")
        if not click.confirm(f"Delete {run_id}?", err=True):
            return ExitCode.CANCELLED
    store.delete(run_id)
    narrate(f"{run_id} is deleted.")
    return ExitCode.OK
