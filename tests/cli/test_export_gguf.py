"""`deepimagine export gguf` over a made-up run on a tiny base."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

pytest.importorskip("peft", reason="the `training` extra is not installed")
pytest.importorskip("llama_cpp", reason="the `local` extra is not installed")

from deepimagine_training import run_manifest
from deepimagine_training.run_manifest import BaseUsed

from deepimagine_tui.backends.llama import LlamaBackend
from deepimagine_tui.errors import ExitCode
from deepimagine_tui.files import sha256
from tests.cli.conftest import Cli
from tests.support.lora import loaded, random_lora
from tests.support.tiny_gguf import write_tiny_gguf
from tests.training.made_runs import made_run


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return write_tiny_gguf(tmp_path / "base.gguf")


@pytest.fixture
def run(tmp_path: Path, base: Path) -> Path:
    """A finished run that was trained on `base`."""
    folder = made_run(tmp_path / "run", overrides={"base": str(base)}).path
    random_lora(loaded(base), folder / "adapter")
    used = BaseUsed("base.gguf", "gguf", sha256(base), "llama")
    run_manifest.write(folder, msgspec.structs.replace(run_manifest.read(folder), base=used))
    return folder


def test_the_adapter_is_written_into_the_run_and_can_be_used(cli: Cli, run: Path, base: Path) -> None:
    done = cli("export", "gguf", run)
    assert (done.code, done.out) == (ExitCode.OK, f"{run / 'gguf' / 'laptop-sft-adapter.gguf'}\n")
    path = Path(done.out.strip())
    assert LlamaBackend(base, adapter=path).info.adapter_sha256 == sha256(path)
    (recorded,) = run_manifest.read(run).gguf
    assert (recorded.name, recorded.kind, recorded.sha256, recorded.bytes) == (
        path.name,
        "adapter",
        sha256(path),
        path.stat().st_size,
    )
    assert [each.name for each in (run / "gguf").iterdir()] == [path.name]
    assert path.name in cli("train", "runs", "show", run).out


def test_another_base_is_refused(cli: Cli, run: Path, tmp_path: Path) -> None:
    other = write_tiny_gguf(tmp_path / "other.gguf", seed=8)
    refused = cli("export", "gguf", run, "--base", other)
    assert refused.code == ExitCode.REFUSED
    assert "other.gguf is not the model that run was trained on (base.gguf)" in refused.err
    assert not (run / "gguf").exists()


def test_an_unfinished_run_and_none_are_told_apart(cli: Cli, tmp_path: Path) -> None:
    made_run(tmp_path / "half", finished=False)
    assert cli("export", "gguf", tmp_path / "half").code == ExitCode.BAD_INPUT
    assert cli("export", "gguf", "nowhere").code == ExitCode.NOT_FOUND


def test_a_run_whose_adapter_is_gone_is_one_sentence(cli: Cli, run: Path) -> None:
    (run / "adapter" / "adapter_config.json").unlink()
    failed = cli("export", "gguf", run)
    assert failed.code == ExitCode.BAD_INPUT
    assert "holds no adapter" in failed.err
    assert run_manifest.read(run).gguf == ()
