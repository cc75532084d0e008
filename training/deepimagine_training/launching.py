"""The command lines that start a recipe's stages on the machines that it states."""

from __future__ import annotations

import shlex
from importlib.resources import as_file, files
from pathlib import Path
from urllib.parse import urlsplit

from deepimagine_training.recipe import Recipe
from deepimagine_training.run_manifest import Stage


def launch_command(recipe: Recipe, named: str, stage: Stage, overrides: tuple[str, ...] = ()) -> str:
    """What is typed to start a stage, with words in capitals for what the recipe does not know.

    Args:
        named: The recipe's name or file, as the command takes it.
        overrides: The `KEY=VALUE` that were put over it.
    """
    data = ("--pairs", "PAIRS", "--traces", "TRACES") if stage == "sft" else ("--pairs", "PAIRS", "--from", "RUN")
    changed = [word for setting in overrides for word in ("--set", setting)]
    words = ["train", stage, named, *data, *changed]
    machine = recipe.machine
    if machine.processes == 1:
        return shlex.join(["deepimagine", *words])
    launcher = ["accelerate", "launch", "--num_processes", str(machine.processes), "--num_machines", str(machine.nodes)]
    if machine.device == "cpu":
        launcher.append("--cpu")
    else:
        launcher += ["--config_file", str(accelerate_config(recipe))]
    if machine.nodes > 1:
        launcher += ["--machine_rank", "RANK", "--main_process_ip", "FIRST_NODE", "--main_process_port", "29500"]
    return shlex.join([*launcher, "-m", "deepimagine_tui.cli", *words])


def server_command(recipe: Recipe) -> str:
    """What starts the vLLM server that a recipe samples by."""
    address = urlsplit(recipe.grpo.vllm_server)
    return shlex.join(["trl", "vllm-serve", "--model", recipe.base, "--port", str(address.port or 80)])


def accelerate_config(recipe: Recipe) -> Path:
    """The file for `accelerate launch` that goes with a recipe's machine."""
    machine = recipe.machine
    name = "fsdp" if machine.sharding == "fsdp" else "multi_node" if machine.nodes > 1 else "ddp"
    with as_file(files("deepimagine_training") / "recipes" / "accelerate" / f"{name}.yaml") as path:
        return path
