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
    if machine.device == "cpu":  # accelerate's launcher starts a single process there
        launcher = ["torchrun", "--nproc_per_node", str(machine.processes // machine.nodes), "--nnodes", str(machine.nodes)]
        where = ("--node_rank", "--master_addr", "--master_port")
    else:
        launcher = ["accelerate", "launch", "--num_processes", str(machine.processes), "--num_machines", str(machine.nodes)]
        launcher += ["--config_file", str(accelerate_config(recipe))]
        where = ("--machine_rank", "--main_process_ip", "--main_process_port")
    if machine.nodes > 1:
        launcher += [word for pair in zip(where, ("RANK", "FIRST_NODE", "29500"), strict=True) for word in pair]
    return shlex.join([*launcher, "-m", "deepimagine_tui.cli", *words])


def server_command(recipe: Recipe) -> str:
    """What starts the vLLM server that a recipe samples by: one that takes weights, and tells log-probabilities as sampled."""
    port = str(urlsplit(recipe.grpo.vllm_server).port or 80)
    takes = ["--weight-transfer-config", '{"backend": "nccl"}', "--logprobs-mode", "processed_logprobs", "--max-logprobs", "-1"]
    return shlex.join(["env", "VLLM_SERVER_DEV_MODE=1", "vllm", "serve", recipe.base, "--port", port, *takes])


def accelerate_config(recipe: Recipe) -> Path:
    """The file for `accelerate launch` that goes with a recipe's machine."""
    machine = recipe.machine
    name = "fsdp" if machine.sharding == "fsdp" else "multi_node" if machine.nodes > 1 else "ddp"
    with as_file(files("deepimagine_training") / "recipes" / "accelerate" / f"{name}.yaml") as path:
        return path
