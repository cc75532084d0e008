"""The models commands: what is listed, what is added, what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from deepimagine_tui.errors import ExitCode
from tests.cli.conftest import Cli
from tests.support.tiny_gguf import write_tiny_gguf


@pytest.fixture
def gguf(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.gguf"
    write_tiny_gguf(path)
    return path


def test_the_demo_is_always_listed(cli: Cli):
    listed = cli("models", "list", "--json").json["models"]
    assert listed[-1]["id"] == "scripted"
    assert sum(model["used"] for model in listed) == 1
    assert "scripted" in cli("models", "list").out


def test_a_file_is_added_used_described_and_removed(cli: Cli, gguf: Path):
    added = cli("models", "add", gguf, "--name", "Mine")
    assert (added.code, added.out) == (ExitCode.OK, "mine\n")
    assert cli("models", "use", "mine").out == "mine\n"
    facts = cli("models", "info", "--json").json
    assert facts["path"] == str(gguf)
    assert facts["architecture"]
    assert len(facts["sha256"]) == 64
    assert "sha256" in cli("models", "info", "mine").out
    assert cli("models", "remove", "mine").code == ExitCode.OK
    assert gguf.exists()
    assert cli("models", "info", "mine").code == ExitCode.NOT_FOUND


def test_a_setting_that_hides_the_choice_is_told(cli: Cli, gguf: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DEEPIMAGINE_MODEL", "scripted")
    assert "DEEPIMAGINE_MODEL" in cli("models", "use", gguf).err


def test_a_remote_model_is_added_without_being_asked_anything(cli: Cli):
    added = cli("models", "add", "--url", "http://127.0.0.1:9/v1", "--served-as", "m", "--name", "far")
    assert added.out == "far\n"
    facts = cli("models", "info", "far", "--json").json
    assert (facts["url"], facts["served_as"]) == ("http://127.0.0.1:9/v1", "m")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["add"], ExitCode.USAGE),
        (["add", "x.gguf", "--url", "http://h/v1"], ExitCode.USAGE),
        (["add", "--url", "http://h/v1"], ExitCode.USAGE),
        (["add", "--url", "no address", "--served-as", "m"], ExitCode.USAGE),
        (["add", "missing.gguf"], ExitCode.NOT_FOUND),
        (["add", "text.gguf"], ExitCode.BAD_INPUT),
        (["use", "nothing"], ExitCode.NOT_FOUND),
        (["remove", "scripted"], ExitCode.REFUSED),
    ],
)
def test_what_cannot_be_is_refused_with_a_hint(cli: Cli, tmp_path: Path, arguments: list[str], code: ExitCode):
    (tmp_path / "text.gguf").write_text("this is no model")
    result = cli("models", *arguments)
    assert (result.code, result.out) == (code, "")
    assert "Traceback" not in result.err
