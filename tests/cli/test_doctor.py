"""Doctor: what it looks at, and when it says that the app cannot work."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from deepimagine_tui.cli import checks
from deepimagine_tui.errors import ExitCode
from tests.cli.conftest import Cli, Result
from tests.cli.records import write_records


@pytest.fixture
def corpus(cli: Cli, tmp_path: Path) -> None:
    assert cli("corpus", "import", write_records(tmp_path / "records")).code == ExitCode.OK


def check(result: Result, name: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = [one for one in result.json["checks"] if one["name"] == name]
    assert len(found) == 1
    return found[0]


@pytest.mark.usefixtures("corpus")
def test_a_machine_that_works_ends_with_zero(cli: Cli):
    result = cli("doctor", "--json")
    assert result.code == ExitCode.OK
    assert result.json["works"] is True
    assert "3 trials" in check(result, "corpus")["detail"]
    assert cli("doctor").code == ExitCode.OK


@pytest.mark.usefixtures("corpus")
def test_each_setting_is_shown_with_where_it_came_from(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "deepimagine.toml").write_text("anchors = 3\n")
    monkeypatch.setenv("DEEPIMAGINE_SEED", "11")
    listed = {row["key"]: row for row in cli("doctor", "--json").json["settings"]}
    assert listed["seed"] == {"key": "seed", "value": 11, "from": "environment: DEEPIMAGINE_SEED"}
    assert listed["anchors"]["from"] == f"project file: {tmp_path / 'deepimagine.toml'}"
    assert listed["theme"]["from"] == "default"


def test_a_corpus_that_cannot_be_opened_is_a_problem(cli: Cli, tmp_path: Path):
    bad = tmp_path / "bad.db"
    bad.write_text("no corpus " * 50)
    result = cli("doctor", "--json", "--corpus", bad)
    assert result.code == ExitCode.CORPUS
    assert check(result, "corpus")["state"] == "problem"


@pytest.mark.usefixtures("corpus")
def test_a_model_that_is_gone_does_not_keep_the_app_from_working(cli: Cli, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DEEPIMAGINE_MODEL", "gone.gguf")
    result = cli("doctor", "--json")
    assert result.code == ExitCode.OK
    assert check(result, "model")["state"] == "note"


def test_a_home_that_cannot_be_written_is_a_problem(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    blocker = tmp_path / "blocker"
    blocker.write_text("")
    monkeypatch.setenv("DEEPIMAGINE_HOME", str(blocker))
    result = cli("doctor", "--json")
    assert result.code == ExitCode.STORAGE
    assert check(result, "data folder")["state"] == "problem"


@pytest.mark.usefixtures("corpus")
def test_a_full_disk_is_a_problem(cli: Cli, monkeypatch: pytest.MonkeyPatch):
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(checks.shutil, "disk_usage", lambda _path: usage._replace(free=1_000_000))
    result = cli("doctor", "--json")
    assert result.code == ExitCode.STORAGE
    assert check(result, "disk")["state"] == "problem"


@pytest.mark.usefixtures("corpus")
def test_a_variable_that_means_nothing_is_told(cli: Cli, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DEEPIMAGINE_SEDE", "3")
    assert "DEEPIMAGINE_SEDE" in check(cli("doctor", "--json"), "environment")["detail"]


@pytest.mark.usefixtures("corpus")
def test_doctor_writes_nothing(cli: Cli, private_home: Path):
    def files() -> list[Path]:
        return sorted(path for path in private_home.rglob("*") if not path.name.endswith(("-wal", "-shm")))

    before = files()
    cli("doctor")
    assert files() == before


@pytest.mark.usefixtures("corpus")
def test_offline_is_said(cli: Cli, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DEEPIMAGINE_OFFLINE", "1")
    assert "offline" in check(cli("doctor", "--json"), "network")["detail"]
