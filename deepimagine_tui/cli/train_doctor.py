"""`deepimagine train doctor`: what training needs on this machine, and what of it is there."""

from __future__ import annotations

import click

from deepimagine_tui.cli.console import emit, emit_json, narrate, table
from deepimagine_tui.cli.options import as_json
from deepimagine_tui.errors import ExitCode

_STATES = {"ok": "ok", "note": "note", "problem": "PROBLEM"}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("recipe", required=False)
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Another value of the recipe.")
@as_json
def doctor(recipe: str | None, settings: tuple[str, ...], json_output: bool) -> ExitCode:
    """Check what training needs on this machine.

    With RECIPE (the name of one that is shipped, or a YAML file), also what that recipe asks for: GPUs, memory, a vLLM server.
    Ends with the exit code of the first problem, and with 0 where there is none.
    """
    from deepimagine_training import doctor, recipes
    from deepimagine_training.run_folder import training_dir

    from deepimagine_tui.cli.training_base import overrides_of
    from deepimagine_tui.settings import load

    resolved = recipes.read(recipe, overrides_of(settings)) if recipe is not None else None
    checks = doctor.checks(training_dir(), resolved, offline=load().offline)
    broken = [check for check in checks if check.state == "problem"]
    if json_output:
        emit_json({"works": not broken, "checks": checks})
    else:
        emit(table(("", "WHAT", "FOUND"), [(_STATES[check.state], check.name, check.detail) for check in checks]))
        for check in checks:
            if check.hint:
                narrate(f"{check.name}: {check.hint}")
    return broken[0].code if broken else ExitCode.OK
