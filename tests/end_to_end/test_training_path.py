"""From registry files to a chain on the model just trained, by the commands that docs/training.md names, on a tiny model."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("trl", reason="the `training` extra is not installed")
pytest.importorskip("llama_cpp", reason="the `local` extra is not installed")

from deepimagine_tui.errors import ExitCode
from tests.cli.conftest import Cli, Result, cli, plain_environment
from tests.support.converter import for_tiny_models
from tests.support.tiny_model import tiny_gemma3
from tests.training.made import many_trials, write

__all__ = ["cli", "plain_environment"]

SMALL = {
    "data.sample": 8,
    "data.validation_sample": 2,
    "data.max_tokens": 4096,
    "sft.max_steps": 2,
    "sft.batch_size": 2,
    "grpo.max_steps": 1,
    "grpo.prompts": 1,
    "grpo.generations": 2,
    "grpo.max_reasoning_tokens": 4,
}


def test_registry_files_become_a_model_that_answers_in_the_engine(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DEEPIMAGINE_HOME", str(tmp_path / "home"))
    for_tiny_models(tmp_path / "converter", monkeypatch)
    records, base = write(tmp_path / "records", many_trials(24)), tiny_gemma3(tmp_path / "base")
    changed = [word for key, value in SMALL.items() for word in ("--set", f"{key}={value}")]

    def run(*words: object) -> Result:
        done = cli(*words)
        assert done.code == ExitCode.OK, done.err
        return done

    run("corpus", "import", records)
    run("train", "pairs", "--out", tmp_path / "pairs")
    run("train", "traces", tmp_path / "pairs", "--out", tmp_path / "traces")
    learn = ("laptop", "--base", base, "--pairs", tmp_path / "pairs", *changed)
    run("train", "sft", *learn, "--traces", tmp_path / "traces", "--out", tmp_path / "sft")
    run("train", "grpo", *learn, "--from", tmp_path / "sft", "--out", tmp_path / "grpo")
    made = run(
        "export", "gguf", tmp_path / "grpo", "--base", base, "--type", "F16", "--pairs", tmp_path / "pairs", "--prompts", 1
    )
    run("models", "add", made.out.splitlines()[0])
    run("models", "use", Path(made.out.splitlines()[0]).stem.lower())
    trial = run("corpus", "search", "--dose-ranging", "--json").json["trials"][0]["nct_id"]
    events = run("imagine", trial, "--set", "dose=40 mg", "--max-reasoning-tokens", 4, "--json").lines
    assert events[-1]["type"] == "run_finished"
    assert events[-1]["outcome"] == "answered"
    assert "demo, no model" not in run("runs", "show", "last").out
    shown = [run("train", "runs", "show", tmp_path / stage, "--json").json["run"]["manifest"] for stage in ("sft", "grpo")]
    assert shown[1]["parent"] == shown[0]["run_id"]
    assert [file["kind"] for file in shown[1]["gguf"]] == ["F16"]
