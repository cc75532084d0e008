"""Training by two processes on a CPU: one writes, they end together, and they learn what one process would."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

import pytest

pytest.importorskip("trl", reason="the `training` extra is not installed")

from deepimagine_training import bases, pair_files, run_folder, run_manifest, traces
from deepimagine_training.inputs import opened
from deepimagine_training.pairs import draw
from deepimagine_training.writing import write_facts

from deepimagine_tui.errors import ExitCode
from tests.support.tiny_model import tiny_qwen35
from tests.support.together import start
from tests.support.vllm_server import FakeVllm, vllm_server
from tests.training.made import many_trials, write
from tests.training.made_policy import WORDS, wordy_gemma3, wordy_qwen35

pytestmark = pytest.mark.xdist_group("together")
"""In one worker, which trains the whole runs once."""

STEPS = 6
SETTINGS = {
    "data.sample": 16,
    "data.validation_sample": 2,
    "data.max_tokens": 4096,
    "lora.r": 4,
    "lora.alpha": 8,
    "sft.batch_size": 2,
    "sft.max_steps": STEPS,
    "sft.save_every": 1,
    "sft.evaluate_every": 4,
    "sft.learning_rate": 5e-3,
    "sft.warmup": 0,
    "grpo.prompts": 2,
    "grpo.generations": 2,
    "grpo.max_steps": 2,
    "grpo.max_reasoning_tokens": 12,
    "grpo.learning_rate": 1e-2,
    "grpo.save_every": 1,
    "grpo.evaluate_every": 2,
}
SELF = {"grpo__rollouts": "transformers"}
LONGER = SELF | {"grpo__max_steps": 4}
REINFORCED = ("loss", "gradient_norm", "reward", "held_out_brier", "completion_tokens")


class Done(NamedTuple):
    codes: list[int]
    outs: list[str]
    errs: list[str]


class Room:
    """A folder with a base, pairs and their traces, and the commands that train there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._learned: dict[str, Done] = {}
        wordy_gemma3(folder / "base")
        with opened(str(write(folder / "made", many_trials(24))), folder, Event()) as corpus:
            drawn = draw(corpus)
        manifest = pair_files.write(drawn, folder / "pairs")
        write_facts(drawn.rows, folder / "traces", Event())
        traces.finish(folder / "traces", manifest.data_sha256, 0)
        (folder / "tiny.yaml").write_text("name: tiny\nbase: base\n")

    def begin(self, stage: str, out: Path, sharding: str, base: str = "base", **changes: Any) -> list[subprocess.Popen[str]]:
        count = 1 if sharding == "none" else 2
        settings: dict[str, Any] = SETTINGS | {"machine.sharding": sharding, "machine.processes": count}
        settings |= {name.replace("__", "."): value for name, value in changes.items()}
        words = ["train", stage, str(self.folder / "tiny.yaml"), "--pairs", str(self.folder / "pairs"), "--json"]
        words += ["--base", str(self.folder / base), "--out", str(out)]
        words += ["--traces", str(self.folder / "traces")] if stage == "sft" else []
        words += [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
        return start(words, self.folder / "home", sharded=sharding == "fsdp", count=count)

    def train(self, stage: str, out: Path, sharding: str, base: str = "base", **changes: Any) -> Done:
        return ended(self.begin(stage, out, sharding, base, **changes))

    def interrupted(self, stage: str, out: Path, sharding: str, by: signal.Signals, **changes: Any) -> Done:
        """A run whose second process gets a signal after the first checkpoint, and that is then gone on with."""
        began = self.begin(stage, out, sharding, **changes)
        until = time.monotonic() + 200
        while not (out / "checkpoints" / "checkpoint-1").exists() and began[0].poll() is None:
            assert time.monotonic() < until
            time.sleep(0.02)
        began[1].send_signal(by)
        stopped = ended(began)
        assert stopped.codes == [ExitCode.CANCELLED, ExitCode.CANCELLED], stopped.errs
        assert not (out / "manifest.json").exists()
        return self.train(stage, out, sharding, **changes)

    def learned(self, stage: str, sharding: str, **changes: Any) -> tuple[Done, Path]:
        """A whole run of a stage, trained once for all tests, and its folder."""
        out = self.folder / f"{stage}-{sharding}"
        if out.name not in self._learned:
            self._learned[out.name] = self.train(stage, out, sharding, **changes)
        return self._learned[out.name], out


def ended(processes: list[subprocess.Popen[str]]) -> Done:
    try:
        told = [process.communicate(timeout=300) for process in processes]
    finally:
        for process in processes:
            process.kill()
    return Done([process.returncode for process in processes], [out for out, _ in told], [err for _, err in told])


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Room:
    return Room(tmp_path_factory.mktemp("sharded"))


@pytest.fixture
def server(room: Room) -> Iterator[FakeVllm]:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(room.folder / "base")
    words = tokenizer.convert_tokens_to_ids([f" {word}" for word in WORDS])
    with vllm_server(words, tokenizer.convert_tokens_to_ids("Ċ")) as fake:
        yield fake


def measured(out: Path, name: str) -> list[float]:
    return [record[name] for record in run_folder.read_log(out) if name in record]


@pytest.mark.parametrize("sharding", ["ddp", "fsdp"])
def test_two_processes_learn_what_one_does_that_accumulates(room: Room, sharding: str):
    one, alone = room.learned("sft", "none", sft__accumulation=2)
    two, together = room.learned("sft", sharding)
    assert (one.codes, two.codes) == ([0], [0, 0]), two.errs
    assert json.loads(two.outs[0])["runs"][0]["manifest"]["steps"] == STEPS
    assert two.outs[1] == ""
    assert [record["step"] for record in run_folder.read_log(together) if "loss" in record] == list(range(1, STEPS + 1))
    assert run_manifest.read(together).machine.processes == 2
    assert measured(together, "loss") == pytest.approx(measured(alone, "loss"), rel=1e-5)
    ours, theirs = adapter(together), adapter(alone)
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        assert (ours[name] - value).abs().max().item() < 1e-5
    assert loads(room, together)


def test_a_language_model_that_names_layers_of_eyes_it_has_not_is_sharded(room: Room, tmp_path: Path):
    tiny_qwen35(room.folder / "qwen")
    short = {"base": "qwen", "sft__max_steps": 2}
    one = room.train("sft", tmp_path / "one", "none", sft__accumulation=2, **short)
    two = room.train("sft", tmp_path / "two", "fsdp", **short)
    assert (one.codes, two.codes) == ([0], [0, 0]), two.errs
    assert measured(tmp_path / "two", "loss") == pytest.approx(measured(tmp_path / "one", "loss"), rel=1e-5)


def test_such_a_model_is_reinforced_by_two_processes_as_by_one(room: Room, tmp_path: Path):
    wordy_qwen35(room.folder / "wordy-qwen")
    one = room.train("grpo", tmp_path / "one", "none", "wordy-qwen", **SELF)
    two = room.train("grpo", tmp_path / "two", "fsdp", "wordy-qwen", **SELF)
    assert (one.codes, two.codes) == ([0], [0, 0]), two.errs
    assert any(measured(tmp_path / "one", "gradient_norm"))
    for name in REINFORCED:
        assert measured(tmp_path / "two", name) == pytest.approx(measured(tmp_path / "one", name), rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("sharding", ["ddp", "fsdp"])
def test_a_signal_to_one_process_stops_both_and_they_go_on_to_the_same_curve(room: Room, tmp_path: Path, sharding: str):
    whole, uncut = room.learned("sft", sharding)
    assert whole.codes == [0, 0], whole.errs
    again = room.interrupted("sft", tmp_path / "cut", sharding, signal.SIGINT)
    assert again.codes == [0, 0], again.errs
    assert measured(tmp_path / "cut", "loss") == pytest.approx(measured(uncut, "loss"), rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("sharding", ["ddp", "fsdp"])
def test_reinforcement_that_a_signal_to_one_process_stops_goes_on_to_the_same_curve(room: Room, tmp_path: Path, sharding: str):
    whole, uncut = room.learned("grpo", sharding, **LONGER)
    assert whole.codes == [0, 0], whole.errs
    again = room.interrupted("grpo", tmp_path / "cut", sharding, signal.SIGTERM, **LONGER)
    assert again.codes == [0, 0], again.errs
    assert len(measured(tmp_path / "cut", "reward")) == 4
    for name in REINFORCED:
        assert measured(tmp_path / "cut", name) == pytest.approx(measured(uncut, name), rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("sharding", ["ddp", "fsdp"])
def test_two_processes_reinforce_as_one_does(room: Room, server: FakeVllm, tmp_path: Path, sharding: str):
    served = {"grpo__rollouts": "vllm", "grpo__vllm_server": server.url}
    one = room.train("grpo", tmp_path / "one", "none", **served)
    alone = list(server.pushes)
    server.pushes.clear()
    two = room.train("grpo", tmp_path / "two", sharding, **served)
    assert (one.codes, two.codes) == ([0], [0, 0]), two.errs
    for name in REINFORCED:
        assert measured(tmp_path / "two", name) == pytest.approx(measured(tmp_path / "one", name), rel=1e-3, abs=1e-5)
    assert len(server.pushes) == len(alone) == 2
    for ours, theirs in zip(server.pushes, alone, strict=True):
        assert ours.came.keys() == theirs.came.keys()
        for name, value in theirs.came.items():
            assert ours.came[name] == pytest.approx(value, abs=2e-3)
    assert loads(room, tmp_path / "two")


def test_a_sharded_policy_samples_by_itself(room: Room):
    done, run = room.learned("grpo", "fsdp", **LONGER)
    assert done.codes == [0, 0], done.errs
    assert len(measured(run, "reward")) == 4
    assert run_manifest.read(run).machine.processes == 2
    assert loads(room, run)


def adapter(run: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    return load_file(run / "adapter" / "adapter_model.safetensors")


def loads(room: Room, run: Path) -> bool:
    """Whether the base reads the adapter of a run, and all of it has the shape that it had there."""
    from peft import PeftModel

    loaded = bases.load(bases.resolve(str(room.folder / "base")))
    return len(PeftModel.from_pretrained(loaded.model, str(run / "adapter")).peft_config) == 1
