"""`deepimagine doctor`: what DeepImagine needs on this machine, and what of it is there."""

from __future__ import annotations

import click

from deepimagine_tui.cli.console import emit, emit_json, narrate, table
from deepimagine_tui.cli.options import as_json, corpus_option
from deepimagine_tui.errors import ExitCode


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@corpus_option
@as_json
def doctor(corpus: str | None, json_output: bool) -> ExitCode:
    """Check what DeepImagine needs on this machine.

    Ends with 0 while the app can work, also when something optional is missing.
    """
    from deepimagine_tui import settings
    from deepimagine_tui.cli.checks import all_checks

    resolved = settings.resolve({"corpus": None if corpus is None else str(corpus)})
    checks = all_checks(resolved.settings)
    broken = [check for check in checks if check.state == "problem"]
    values = {key: getattr(resolved.settings, key) for key in settings.KEYS}
    if json_output:
        origins = {key: str(origin) for key, origin in resolved.origins.items()}
        listed = [{"key": key, "value": value, "from": origins[key]} for key, value in values.items()]
        emit_json({"works": not broken, "checks": checks, "settings": listed})
    else:
        rows = [({"ok": "ok", "note": "note", "problem": "PROBLEM"}[check.state], check.name, check.detail) for check in checks]
        emit(table(("", "WHAT", "FOUND"), rows))
        emit("")
        shown = [(key, "-" if value == "" else str(value), str(resolved.origins[key])) for key, value in values.items()]
        emit(table(("SETTING", "VALUE", "FROM"), shown))
        for check in checks:
            if check.hint:
                narrate(f"{check.name}: {check.hint}")
    return broken[0].code if broken else ExitCode.OK
