"""The options that several commands share, so that one word means one thing everywhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from deepimagine_tui.reasoning.state import Estimand

Command = TypeVar("Command", bound=Callable[..., object])
Decorator = Callable[[Command], Command]

ESTIMANDS: dict[str, Estimand] = {"values": "arm values", "contrast": "contrast"}
"""What can be asked for, by the word that is typed."""

as_json = click.option("--json", "json_output", is_flag=True, help="Write JSON instead of text.")
corpus_option = click.option(
    "--corpus",
    type=click.Path(path_type=Path),
    help="Corpus file to use. Default: your own once you have imported something, else the starter corpus.",
)
offline_option = click.option("--offline", is_flag=True, default=None, help="Forbid the network.")
estimand_option = click.option(
    "--estimand",
    type=click.Choice(list(ESTIMANDS)),
    default="values",
    show_default=True,
    help="What to ask for: both arms' values, or their contrast (hazard ratio, odds ratio, difference).",
)
yes_option = click.option("--yes", is_flag=True, help="Answer yes to questions, such as sending to a remote model.")


def model_options(command: Command) -> Command:
    """Which model answers."""
    for option in (
        click.option(
            "--calibration", metavar="FILE", help="Calibration of the model. Default: your own for it, else its adapter's."
        ),
        click.option("--adapter", type=click.Path(path_type=Path), help="LoRA adapter (GGUF) to load on the model."),
        click.option(
            "--backend",
            type=click.Choice(["scripted", "llama.cpp", "openai"]),
            help="Kind of model: the demo without a model, a GGUF on this machine, or an OpenAI-compatible server.",
        ),
        click.option("--model", metavar="MODEL", help="Id of a model in the catalogue, or the path of a GGUF file."),
    ):
        command = option(command)
    return command


def sampling_options(command: Command) -> Command:
    """How the model is asked."""
    for option in (
        click.option("--max-reasoning-tokens", type=int, metavar="N", help="Tokens of reasoning at each step."),
        click.option("--top-p", type=float, metavar="P", help="Nucleus sampling: probability kept, above 0 to 1."),
        click.option("--temperature", type=float, metavar="T", help="Sampling temperature, 0 (likeliest token) to 2."),
        click.option("--seed", type=int, metavar="N", help="Seed of the sampling."),
    ):
        command = option(command)
    return command


side_option = click.option(
    "--side",
    type=click.Choice(["train", "validation", "test"]),
    default="test",
    show_default=True,
    help="Which trials, of pairs and of a corpus's own forecasts.",
)
kind_option = click.option(
    "--kind",
    type=click.Choice(["natural", "approximate"]),
    default="natural",
    show_default=True,
    help="Which pairs, of a folder of them.",
)
