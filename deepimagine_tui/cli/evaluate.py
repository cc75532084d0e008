"""`deepimagine evaluate`: what a model's word is worth. A command is imported when it is called."""

from __future__ import annotations

import click

from deepimagine_tui.cli.lazy import LazyGroup

COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("deepimagine_tui.cli.evaluate_run:run", "Let a system answer a question set."),
    "report": ("deepimagine_tui.cli.evaluate_report:report", "Score what systems said of SET."),
    "compare": ("deepimagine_tui.cli.evaluate_compare:compare", "Compare two systems on the questions that both answered."),
    "check": ("deepimagine_tui.cli.evaluate_check:check", "Whether a committed evaluation still holds."),
    "audit": ("deepimagine_tui.cli.evaluate_audit:audit", "Prove the rules against leaks of a finished run."),
    "submit": ("deepimagine_tui.cli.evaluate_submit:submit", "Write predictions in the forms that CT Open takes."),
    "convert": ("deepimagine_tui.cli.evaluate_submit:convert", "Write a CT Open pickle as JSON."),
    "interpret": ("deepimagine_tui.cli.evaluate_interpret:interpret", "Measure how a model comes to its answers."),
    "calibrate": ("deepimagine_tui.cli.evaluate_calibrate:calibrate", "Calibrate a model's intervals and P(met)."),
}


@click.group(cls=LazyGroup, lazy=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
def evaluate() -> None:
    """Measure what a model's word is worth, on trials that it was not trained on."""
