"""The built wheel, installed into a fresh environment away from the checkout, imagines there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def run(*command: str | Path, cwd: Path, **env: str) -> str:
    keep = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "DEEPIMAGINE", "COV", "VIRTUAL_ENV"))
    }
    done = subprocess.run(command, cwd=cwd, env=keep | env, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` folder of a fresh environment that holds the base install alone."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT, cwd=folder)
    (wheel,) = folder.glob("*.whl")
    run(sys.executable, "-m", "venv", "venv", cwd=folder)
    python = folder / "venv" / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel, cwd=folder)
    return python.parent


def test_the_base_install_imagines_away_from_the_checkout(installed: Path, tmp_path: Path) -> None:
    home = {"DEEPIMAGINE_HOME": str(tmp_path / "home"), "HOME": str(tmp_path)}
    command = installed / "deepimagine"
    where = run(installed / "python", "-c", "import deepimagine_tui; print(deepimagine_tui.__file__)", cwd=tmp_path)
    assert str(ROOT) not in where

    found = json.loads(run(command, "corpus", "search", "--dose-ranging", "--json", cwd=tmp_path, **home))
    trial = found["trials"][0]["nct_id"]
    lines = run(
        command, "imagine", trial, "--backend", "scripted", "--set", "geography=Japan", "--json", cwd=tmp_path, **home
    ).splitlines()
    events = [json.loads(line) for line in lines]
    assert events[0]["type"] == "run_started"
    assert events[0]["model"]["demo"] is True
    assert events[-1]["type"] == "run_finished"
    assert events[-1]["outcome"] == "answered"

    runs = json.loads(run(command, "runs", "list", "--json", cwd=tmp_path, **home))["runs"]
    assert [row["run_id"] for row in runs] == [events[0]["run_id"]]
    figure = tmp_path / "figure.svg"
    run(command, "export", "figure", runs[0]["run_id"], "-o", figure, cwd=tmp_path, **home)
    assert figure.read_text(encoding="utf-8").lstrip().startswith("<?xml")


def test_the_recipes_are_in_the_wheel(installed: Path, tmp_path: Path) -> None:
    code = (
        "from importlib.resources import files; from deepimagine_training.recipes import named;"
        "print(*named(), *sorted(path.name for path in (files('deepimagine_training') / 'recipes' / 'accelerate').iterdir()))"
    )
    told = run(installed / "python", "-c", code, cwd=tmp_path).split()
    assert told == ["gemma-3-12b", "laptop", "qwen3.5-9b", "ddp.yaml", "fsdp.yaml", "multi_node.yaml"]


def test_the_base_install_needs_no_compiler(installed: Path, tmp_path: Path) -> None:
    listed = json.loads(run(installed / "python", "-m", "pip", "list", "--format", "json", cwd=tmp_path))
    names = {row["name"].lower().replace("_", "-") for row in listed}
    assert "textual" in names
    assert not names & {"llama-cpp-python", "torch", "transformers", "trl"}
