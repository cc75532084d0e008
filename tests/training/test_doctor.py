"""`deepimagine train doctor`: what is missing is named, with what to do and an exit code."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

pytest.importorskip("yaml")
pytest.importorskip("psutil")
pytest.importorskip("torch")

from deepimagine_training import doctor, recipes

from deepimagine_tui.errors import ExitCode
from tests.cli.conftest import Cli, cli, plain_environment

__all__ = ["cli", "plain_environment"]


class _Health(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/health/" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    running = HTTPServer(("127.0.0.1", 0), _Health)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    running.server_close()


def by_name(checks: list[doctor.Check]) -> dict[str, doctor.Check]:
    return {check.name: check for check in checks}


def test_this_machine_can_train_the_laptop_recipe(tmp_path: Path):
    found = by_name(doctor.checks(tmp_path, recipes.read("laptop", {"machine.memory_gb": "0.1"})))
    assert [check for check in found.values() if check.state == "problem" and check.name != "disk"] == []
    assert found["precision"].detail == "float32"
    assert set(doctor.REQUIRED) <= set(found)


def test_a_missing_package_is_a_problem_with_its_cure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    real = doctor.version

    def version(name: str) -> str:
        if name == "trl":
            raise PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(doctor, "version", version)
    check = by_name(doctor.checks(tmp_path))["trl"]
    assert (check.state, check.code) == ("problem", ExitCode.MISSING_EXTRA)
    assert "deepimagine[training]" in check.hint


def test_what_a_recipe_asks_for_beyond_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import torch

    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    found = by_name(doctor.checks(tmp_path, recipes.read("qwen3.5-9b"), offline=True))
    assert found["device"].state == "problem"
    assert "8 GPUs on each node" in found["device"].detail
    assert found["precision"].state == "problem"
    assert found["rollouts"].state == "note"
    huge = by_name(doctor.checks(tmp_path, recipes.read("laptop", {"machine.memory_gb": "1e6"})))
    assert (huge["memory"].state, huge["memory"].code) == ("problem", ExitCode.REFUSED)


def test_a_vllm_server_is_asked(server: str, tmp_path: Path):
    up = by_name(doctor.checks(tmp_path, recipes.read("qwen3.5-9b", {"grpo.vllm_server": server})))["rollouts"]
    assert up.state == "ok"
    down = by_name(doctor.checks(tmp_path, recipes.read("qwen3.5-9b", {"grpo.vllm_server": "http://127.0.0.1:9"})))["rollouts"]
    assert (down.state, down.code) == ("problem", ExitCode.NETWORK)
    strange = by_name(doctor.checks(tmp_path, recipes.read("qwen3.5-9b", {"grpo.vllm_server": f"{server}/v1"})))["rollouts"]
    assert "404" in strange.detail


def test_a_folder_that_cannot_be_written_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(doctor.os, "access", lambda *_: False)
    check = by_name(doctor.checks(tmp_path / "new"))["disk"]
    assert (check.state, check.code) == ("problem", ExitCode.STORAGE)
    assert not (tmp_path / "new").exists()


def test_the_command_ends_with_the_code_of_the_first_problem(cli: Cli):
    told = cli("train", "doctor", "laptop", "--set", "machine.memory_gb=1e6", "--json")
    assert told.code == ExitCode.REFUSED
    assert told.json["works"] is False
    shown = cli("train", "doctor", "laptop", "--set", "machine.memory_gb=1e6")
    assert "PROBLEM  memory" in shown.out
    assert "memory: " in shown.err
