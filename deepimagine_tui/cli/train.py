"""`deepimagine train`: from pairs to a model of one's own. A command, and training itself, is imported when it is called."""

from __future__ import annotations

import click

from deepimagine_tui.cli.lazy import LazyGroup

COMMANDS: dict[str, tuple[str, str]] = {
    "pairs": ("deepimagine_tui.cli.train_pairs:pairs", "Draw pairs of posted results that differ in few factors."),
    "traces": ("deepimagine_tui.cli.train_traces:traces", "Write the reasoning of each pair that is one step."),
    "sft": ("deepimagine_tui.cli.train_sft:sft", "Train an adapter on pairs and their reasoning."),
    "grpo": ("deepimagine_tui.cli.train_grpo:grpo", "Reward an adapter for forecasts that the registry bears out."),
    "card": ("deepimagine_tui.cli.train_card:card", "Put the adapter of RUN and a card of its scores into a folder."),
    "plan": ("deepimagine_tui.cli.train_plan:plan", "Work out what RECIPE would take: steps, tokens, memory, time."),
    "runs": ("deepimagine_tui.cli.train_runs:runs", "List, show and compare training runs."),
    "doctor": ("deepimagine_tui.cli.train_doctor:doctor", "Check what training needs on this machine."),
}


@click.group(cls=LazyGroup, lazy=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
def train() -> None:
    """Train a counterfactual model of your own on a corpus of trials."""
