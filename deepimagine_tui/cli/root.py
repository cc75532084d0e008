"""The root command: what there is to do, and the app when nothing is said."""

from __future__ import annotations

import sys

import click

from deepimagine_tui import __version__
from deepimagine_tui.cli.console import is_terminal
from deepimagine_tui.cli.lazy import LazyGroup
from deepimagine_tui.errors import RefusedError

COMMANDS: dict[str, tuple[str, str]] = {
    "imagine": ("deepimagine_tui.cli.imagine:imagine", "Change something about a posted trial and imagine its result."),
    "forecast": (
        "deepimagine_tui.cli.forecast:forecast",
        "Imagine the result of a trial that has none, from its nearest relatives.",
    ),
    "corpus": ("deepimagine_tui.cli.corpus:corpus", "Find, read and import trials."),
    "models": ("deepimagine_tui.cli.models:models", "List, add, choose and describe models."),
    "runs": ("deepimagine_tui.cli.runs:runs", "List, read, rename and delete what was imagined."),
    "export": ("deepimagine_tui.cli.export:export", "Write a run as a figure, a report or data; a training run as GGUF files."),
    "train": ("deepimagine_tui.cli.train:train", "Train a counterfactual model of your own on a corpus of trials."),
    "evaluate": (
        "deepimagine_tui.cli.evaluate:evaluate",
        "Measure what a model's word is worth, on trials that it was not trained on.",
    ),
    "doctor": ("deepimagine_tui.cli.doctor:doctor", "Check what DeepImagine needs on this machine."),
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
        if not (is_terminal(sys.stdin) and is_terminal(sys.stdout)):
            raise RefusedError("The app needs a terminal.", "Open it in one, or use a command: deepimagine --help")
        from deepimagine_tui.tui.app import run_app

        run_app()
