"""`deepimagine export gguf` over a made-up run on a tiny base."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from threading import Event

import msgspec
import pytest

pytest.importorskip("peft", reason="the `training` extra is not installed")
pytest.importorskip("llama_cpp", reason="the `local` extra is not installed")

from deepimagine_exporters.gguf import gates
from deepimagine_training import pair_files, run_manifest
from deepimagine_training.inputs import opened
from deepimagine_training.pairs import draw
from deepimagine_training.run_manifest import BaseUsed

from deepimagine_tui.backends.gguf_header import read_header
from deepimagine_tui.backends.llama import LlamaBackend
from deepimagine_tui.errors import ExitCode
from deepimagine_tui.files import sha256
from tests.cli.conftest import Cli
from tests.support.lora import loaded, random_lora
from tests.support.tiny_gguf import write_tiny_gguf
from tests.training.made import many_trials, write
from tests.training.made_runs import made_run


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return write_tiny_gguf(tmp_path / "base.gguf", pre="gpt-2", context_length=4096)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of pairs with a few on every side."""
    folder = tmp_path_factory.mktemp("pairs")
    with opened(str(write(folder / "made", many_trials(24))), folder, Event()) as corpus:
        pair_files.write(draw(corpus), folder / "pairs")
    return folder / "pairs"


@pytest.fixture
def run(tmp_path: Path, base: Path) -> Path:
    """A finished run that was trained on `base`."""
    folder = made_run(tmp_path / "run", overrides={"base": str(base)}).path
    random_lora(loaded(base), folder / "adapter")
    used = BaseUsed("base.gguf", "gguf", sha256(base), "llama")
    run_manifest.write(folder, msgspec.structs.replace(run_manifest.read(folder), base=used))
    return folder


def test_the_adapter_is_written_into_the_run_and_can_be_used(cli: Cli, run: Path, base: Path) -> None:
    done = cli("export", "gguf", run, "--prompts", 0)
    assert (done.code, done.out) == (ExitCode.OK, f"{run / 'gguf' / 'laptop-sft-adapter.gguf'}\n")
    path = Path(done.out.strip())
    assert LlamaBackend(base, adapter=path).info.adapter_sha256 == sha256(path)
    (recorded,) = run_manifest.read(run).gguf
    assert (recorded.name, recorded.kind, recorded.parity) == (path.name, "adapter", {})
    assert (recorded.sha256, recorded.bytes) == (sha256(path), path.stat().st_size)
    assert [each.name for each in (run / "gguf").iterdir()] == [path.name]
    assert path.name in cli("train", "runs", "show", run).out


def test_merged_files_are_written_where_they_are_wanted(cli: Cli, run: Path, tmp_path: Path) -> None:
    arguments = ("--type", "Q8_0", "--type", "F16", "--prompts", 0, "--json")
    done = cli("export", "gguf", run, "-o", tmp_path / "out", *arguments)
    assert done.code == ExitCode.OK, done.err
    assert [file["kind"] for file in done.json["files"]] == ["F16", "Q8_0"]
    for file in done.json["files"]:
        header = read_header(Path(file["path"]))
        assert header.quantisation == file["kind"]
        assert header.text("deepimagine.run_id") == run_manifest.read(run).run_id
    assert cli("models", "use", done.json["files"][0]["path"]).code == ExitCode.OK


def test_each_file_is_compared_with_what_was_trained(cli: Cli, run: Path) -> None:
    done = cli("export", "gguf", run, "--type", "F16", "--prompts", 3)
    assert done.code == ExitCode.OK, done.err
    assert "KL" in done.err
    (recorded,) = run_manifest.read(run).gguf
    assert recorded.parity["prompts"] == 3
    assert recorded.parity["kl_mean"] < gates.MAX_KL["F16"]
    assert recorded.parity["verdict_agreement"] == 1.0
    assert (recorded.past_gate, recorded.forced) == ("", False)


def test_a_file_past_its_gate_is_written_only_where_that_is_asked_for(
    cli: Cli, run: Path, pairs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(gates.MAX_KL, "Q4_K_M", 1e-9)
    asked = ("--type", "Q4_K_M", "--pairs", pairs, "--prompts", 2)
    refused = cli("export", "gguf", run, *asked)
    assert (refused.code, refused.out) == (ExitCode.REFUSED, "")
    assert "laptop-sft-Q4_K_M.gguf: its mean KL divergence is" in refused.err
    assert "--force" in refused.err
    assert list((run / "gguf").iterdir()) == []
    (recorded,) = run_manifest.read(run).gguf
    assert (recorded.forced, bool(recorded.past_gate)) == (False, True)
    assert "not written" in cli("train", "runs", "show", run).out
    forced = cli("export", "gguf", run, *asked, "--force")
    assert forced.code == ExitCode.OK
    assert Path(forced.out.strip()).is_file()
    assert [file.forced for file in run_manifest.read(run).gguf] == [True]


def test_operators_of_factors_become_a_folder_that_a_model_takes(cli: Cli, run: Path, base: Path, tmp_path: Path) -> None:
    for factor in ("dose", "arm"):
        shutil.copytree(run, tmp_path / "operators" / factor)
    whole = tmp_path / "operators"
    done = cli("export", "gguf", whole, "--prompts", 0)
    assert done.code == ExitCode.OK, done.err
    assert {Path(line).name for line in done.out.splitlines()} == {"dose.gguf", "arm.gguf"}
    assert LlamaBackend(base, adapter=whole / "gguf").info.adapter_sha256
    assert [file.name for file in run_manifest.read(whole / "dose").gguf] == ["dose.gguf"]
    refused = cli("export", "gguf", whole, "--type", "F16", "--prompts", 0)
    assert (refused.code, "no merged model" in refused.err) == (ExitCode.USAGE, True)


def test_another_base_is_refused(cli: Cli, run: Path, tmp_path: Path) -> None:
    other = write_tiny_gguf(tmp_path / "other.gguf", seed=8)
    refused = cli("export", "gguf", run, "--base", other, "--prompts", 0)
    assert refused.code == ExitCode.REFUSED
    assert "other.gguf is not the model that run was trained on (base.gguf)" in refused.err
    assert not (run / "gguf").exists()


def test_an_unfinished_run_and_none_are_told_apart(cli: Cli, tmp_path: Path) -> None:
    made_run(tmp_path / "half", finished=False)
    assert cli("export", "gguf", tmp_path / "half", "--prompts", 0).code == ExitCode.BAD_INPUT
    assert cli("export", "gguf", "nowhere", "--prompts", 0).code == ExitCode.NOT_FOUND


def test_a_run_whose_adapter_is_gone_is_one_sentence(cli: Cli, run: Path) -> None:
    (run / "adapter" / "adapter_config.json").unlink()
    failed = cli("export", "gguf", run, "--prompts", 0)
    assert failed.code == ExitCode.BAD_INPUT
    assert "holds no adapter" in failed.err
    assert run_manifest.read(run).gguf == ()


def test_what_a_killed_export_left_is_removed_and_what_another_works_in_is_not(cli: Cli, run: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    dead, alive = (run / "gguf" / f".export-{process}-abc" for process in (ended.pid, os.getppid()))
    for folder in (dead, alive):
        folder.mkdir(parents=True)
        (folder / "F16.gguf").write_bytes(b"half of it")
    done = cli("export", "gguf", run, "--prompts", 0)
    assert done.code == ExitCode.OK, done.err
    assert sorted(path.name for path in (run / "gguf").iterdir()) == [alive.name, "laptop-sft-adapter.gguf"]
