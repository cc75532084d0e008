"""Operators of factors that were learnt by reinforcement, from their runs to a chain in the engine."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from threading import Event

import pytest

pytest.importorskip("trl", reason="the `training` extra is not installed")
pytest.importorskip("llama_cpp", reason="the `local` extra is not installed")

from deepimagine_exporters.gguf.convert import convert
from deepimagine_training import pair_files
from deepimagine_training.pairs import PairSet

from deepimagine_tui.backends.llama import LlamaBackend
from deepimagine_tui.backends.protocol import GenerationRequest, TextArrived
from deepimagine_tui.errors import ExitCode
from deepimagine_tui.reasoning.state import OutcomeChange
from tests.cli.conftest import Cli, cli, plain_environment
from tests.cli.records import DOSE_TRIAL, write_records
from tests.reasoning.engine.support import Spy, anchor_state, ask, estimated, to_dose, what_if
from tests.support.converter import for_tiny_models
from tests.support.tiny_gguf import write_tiny_adapter, write_tiny_gguf
from tests.training.made_policy import wordy_gemma3

__all__ = ["cli", "plain_environment"]

FACTORS = ("dose", "outcome")
SETTINGS = (
    "operators=per factor",
    f"data.factors={','.join(FACTORS)}",
    "data.validation_sample=2",
    "data.max_tokens=4096",
    "lora.r=4",
    "grpo.max_steps=1",
    "grpo.prompts=2",
    "grpo.generations=2",
    "grpo.max_reasoning_tokens=6",
)


def test_operators_that_were_reinforced_are_exported_as_one_folder_and_each_answers_its_factor(
    cli: Cli, drawn: PairSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    base, whole = wordy_gemma3(tmp_path / "base"), tmp_path / "second"
    pair_files.write(drawn, tmp_path / "pairs")
    settings = [word for setting in SETTINGS for word in ("--set", setting)]
    learns = ("train", "grpo", "laptop", "--pairs", tmp_path / "pairs", "--base", base, *settings)
    first = cli(*learns, "--out", tmp_path / "first")
    assert first.code == ExitCode.OK, first.err
    second = cli(*learns, "--from", tmp_path / "first", "--out", whole)
    assert second.code == ExitCode.OK, second.err

    for place, factor in enumerate(FACTORS):
        speak_its_own_way(whole / factor / "adapter" / "adapter_model.safetensors", seed=place)
    for_tiny_models(tmp_path / "converter", monkeypatch)
    done = cli("export", "gguf", whole, "--base", base, "--prompts", 0)
    assert done.code == ExitCode.OK, done.err
    assert [Path(line).name for line in done.out.splitlines()] == ["dose.gguf", "outcome.gguf"]

    model = tmp_path / "base.gguf"
    convert(base, model, Event())
    assert cli("corpus", "import", write_records(tmp_path / "records")).code == ExitCode.OK
    asked = ("imagine", DOSE_TRIAL, "--model", model, "--temperature", 0, "--json", "--adapter", whole / "gguf")

    def answers(*changes: str, operator: str = "") -> list[tuple[str, float]]:
        """What the model writes at each step and its P(met), with the folder of operators or with one of them alone."""
        words = (*asked[:-1], whole / "gguf" / f"{operator}.gguf") if operator else asked
        done = cli(*words, *(word for change in changes for word in ("--set", change)))
        assert done.lines[-1]["outcome"] == "answered", done.err
        steps = [event for event in done.lines if event["type"] == "step_estimated"]
        return [(step["completion"], round(step["state"]["met"]["probability"], 4)) for step in steps]

    dose, outcome = "dose=50 mg", "outcome=Body weight"
    both = answers(dose, outcome)
    assert answers(dose) == answers(dose, operator="dose") == both[:1]
    assert answers(dose, operator="outcome") != both[:1]
    assert answers(outcome) == answers(outcome, operator="outcome")
    # The same question after the same first step, and another operator answers it.
    first, second = answers(dose, outcome, operator="dose")
    assert (first, second != both[1]) == (both[0], True)

    unknown = cli(*asked, "--set", "geography=Japan")
    assert unknown.lines[-1]["outcome"] != "answered"
    assert "no operator for 'geography'" in unknown.out + unknown.err
    (whole / "gguf" / "dose.gguf").unlink()
    without = cli(*asked, "--set", "dose=50 mg")
    assert "no operator for 'dose'" in without.out + without.err


def test_a_step_of_a_chain_is_answered_as_its_operator_answers_it_alone(tmp_path: Path):
    model = write_tiny_gguf(tmp_path / "tiny.gguf", context_length=8192)
    (tmp_path / "each").mkdir()
    dose, outcome = (write_tiny_adapter(tmp_path / "each" / f"{factor}.gguf", seed=at) for at, factor in enumerate(FACTORS))
    to_share = OutcomeChange(anchor_state(outcome="bbbb").configuration.outcome)
    asked = what_if(to_dose(50.0), to_share, to_dose(10.0), max_reasoning_tokens=12, temperature=0)
    with closing(LlamaBackend(model, adapter=tmp_path / "each", threads=1)) as backend:
        spy = Spy(backend)
        steps = [step.completion for step in estimated(ask(asked, spy))]
    right, wrong = (
        [answered(model, operator, batch) for operator, batch in zip(operators, spy.batches, strict=True)]
        for operators in ((dose, outcome, dose), (outcome, dose, outcome))
    )
    assert steps == right
    assert not any(ours == theirs for ours, theirs in zip(right, wrong, strict=True))


def answered(model: Path, operator: Path, batch: Sequence[GenerationRequest]) -> str:
    """What a model writes that has one operator and was asked nothing before."""
    with closing(LlamaBackend(model, adapter=operator, threads=1)) as backend:
        return "".join(event.text for event in backend.generate(batch, Event()) if isinstance(event, TextArrived))


def speak_its_own_way(weights: Path, seed: int) -> None:
    """Put other numbers in an adapter, large enough that what it says is unlike what another one would."""
    import torch
    from safetensors.torch import load_file, save_file

    draws = torch.Generator().manual_seed(seed)
    values = load_file(weights)
    save_file(
        {name: torch.randn(value.shape, generator=draws) / 4 for name, value in values.items()}, weights, {"format": "pt"}
    )
