"""The root command: what there is to do, and the app when nothing is said."""

from __future__ import annotations

import click

from deepimagine_tui import __version__
from deepimagine_tui.cli.lazy import LazyGroup

COMMANDS: dict[str, tuple[str, str]] = {
    "corpus": ("deepimagine_tui.cli.corpus:corpus", "Find, read and import trials."),
    "doctor": ("deepimagine_tui.cli.doctor:doctor", "Check what DeepImagine needs on this machine."),
    "models": ("deepimagine_tui.cli.models:models", "List, add, choose and describe models."),
}


@click.group(
    cls=LazyGroup, lazy=COMMANDS, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, prog_name="deepimagine", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def root(context: click.Context, debug: bool) -> None:
    """Ask what a clinical trial would have found had one thing been different.

    Without a command, the app opens. Results go to standard output, everything else to standard error; what each exit code
    means is in docs/exit-codes.md.

    Model output for hypothesis generation. Not evidence; not for patient care.
    """
    if context.invoked_subcommand is None:
        from deepimagine_tui.tui.app import run_app

        run_app()
