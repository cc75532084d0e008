"""`deepimagine train plan`: what a recipe would take, before anything is loaded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from deepimagine_tui.cli.console import emit, emit_json, narrate, table
from deepimagine_tui.cli.options import as_json
from deepimagine_tui.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deepimagine_training.base_shape import BaseShape
    from deepimagine_training.plan import Plan, Speed, StagePlan
    from deepimagine_training.recipe import Recipe


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("recipe")
@click.option(
    "--pairs",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="The pairs that `train pairs` drew, to count examples in.",
)
@click.option("--traces", type=click.Path(path_type=Path), metavar="FOLDER", help="Their reasoning, from `train traces`.")
@click.option(
    "--measure",
    "measured",
    is_flag=True,
    help="Take three real steps in a folder that is thrown away, for the speed; needs --pairs and --traces.",
)
@click.option("--base", metavar="MODEL", help="Another base than the recipe's: gemma-270m, a GGUF file, a folder, a hub id.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Another value of the recipe, e.g. sft.epochs=2.")
@click.option(
    "--tflops",
    type=click.FloatRange(min=0, min_open=True),
    metavar="N",
    help="10^12 operations a second that one process reaches; else an H100 or this machine's cores are assumed.",
)
@as_json
def plan(
    recipe: str,
    pairs: Path | None,
    traces: Path | None,
    measured: bool,
    base: str | None,
    settings: tuple[str, ...],
    tflops: float | None,
    json_output: bool,
) -> None:
    """Work out what RECIPE would take: steps, tokens, memory, time.

    RECIPE is the name of one that is shipped (gemma-3-12b, laptop, qwen3.5-9b) or a YAML file. Nothing is written, and nothing
    is loaded but for --measure.
    What cannot fit the memory that the recipe states, or the context of its base, is refused.
    """
    from deepimagine_training import recipes
    from deepimagine_training.base_shape import shape_of
    from deepimagine_training.counting import count
    from deepimagine_training.launching import launch_command, server_command
    from deepimagine_training.plan import Speed
    from deepimagine_training.plan import plan as planned

    from deepimagine_tui.cli.training_base import overrides_of

    overrides = overrides_of(settings, base)
    resolved = recipes.read(recipe, overrides)
    counted = count(resolved, pairs) if pairs is not None else None
    shape = shape_of(resolved.base)
    speed = Speed(tflops * 1e12, "as given by --tflops") if tflops else None
    if measured:
        speed = _measured(resolved, shape, pairs, traces)
    made = planned(resolved, shape, counted, speed)
    typed = tuple(f"{key}={value}" for key, value in overrides.items())
    commands: dict[str, str] = {stage.stage: launch_command(resolved, recipe, stage.stage, typed) for stage in made.stages}
    if resolved.grpo.run and resolved.grpo.rollouts == "vllm":
        commands["server"] = server_command(resolved)
    if json_output:
        memory = {stage.stage: stage.memory_gb for stage in made.stages}
        emit_json({"plan": made, "memory_gb": memory, "commands": commands})
        return
    emit("\n".join([*_recipe_lines(resolved), "", *_plan_lines(made)]))
    emit("\nStart it with")
    emit("\n".join(f"  {command}" for command in commands.values()))
    for note in made.notes:
        narrate(note)


def _measured(recipe: Recipe, shape: BaseShape, pairs: Path | None, traces: Path | None) -> Speed:
    from deepimagine_training import bases
    from deepimagine_training.measuring import measure

    from deepimagine_tui.cli.progress import Progress
    from deepimagine_tui.cli.session import stoppable
    from deepimagine_tui.cli.training_base import base_path

    if pairs is None or traces is None:
        raise UsageError("--measure trains on examples.", "Give --pairs FOLDER and --traces FOLDER.")
    with stoppable() as cancel, Progress("Measuring") as progress:
        base = bases.resolve(base_path(recipe.base, cancel))
        return measure(recipe, shape, base, pairs, traces, cancel, progress.say)


def _recipe_lines(recipe: Recipe) -> Iterator[str]:
    from deepimagine_training.recipes import flat

    section = ""
    for key, value in flat(recipe).items():
        above, _, name = key.rpartition(".")
        if above != section:
            section = above
            yield f"{section}:"
        yield f"{'  ' if above else ''}{name}: {_value(value)}"


def _value(value: object) -> str:
    match value:
        case list() | tuple():
            return ", ".join(str(each) for each in value) or "all"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}"
        case _:
            return str(value)


def _plan_lines(made: Plan) -> Iterator[str]:
    base, counted = made.base, made.counted
    yield (
        f"Base {base.base}: {base.architecture}, {base.parameters / 1e6:,.0f} M parameters, {base.layers} layers,"
        f" context {base.context:,}; adapter {base.adapter(made.recipe.lora.r) / 1e6:,.1f} M"
    )
    if counted is not None:
        factors = ", ".join(f"{factor.replace('_', ' ')} {number:,}" for factor, number in counted.by_factor.items())
        yield f"Examples {counted.train:,} ({factors}) of about {counted.tokens:.0f} tokens; {counted.validation:,} held out"
        for reason, number in counted.left_out.items():
            yield f"Left out {number:,}: {reason}"
    yield f"Speed {made.speed.flops / 1e12:,.3g} TFLOP/s a process ({made.speed.source})"
    rows = [_row(stage, made.recipe.machine.memory_gb) for stage in made.stages]
    yield ""
    yield table(("STAGE", "STEPS", "WARM-UP", "SEQUENCES A STEP", "TOKENS", "TIME", "MEMORY"), rows, numeric=(1, 2, 3, 4, 5, 6))
    yield ""
    parts = [
        (stage.stage, part.name, f"{part.bytes / 1e9:.2f} GB", part.formula)
        for stage in made.stages[:1]
        for part in stage.memory
    ]
    yield table(("STAGE", "MEMORY OF", "SIZE", "FROM"), parts, numeric=(2,))


def _row(stage: StagePlan, limit: float) -> tuple[str, ...]:
    return (
        stage.stage,
        f"{stage.steps:,}" if stage.steps else "unknown",
        f"{stage.warmup_steps:,}",
        f"{stage.sequences_a_step:,}",
        f"{stage.tokens:,}",
        _duration(stage.seconds) if stage.steps else "unknown",
        f"{stage.memory_gb:.1f} of {limit:g} GB",
    )


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
