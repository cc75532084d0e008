"""Fetching from a registry on this machine: what is asked, what is waited for, what is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from deepimagine_tui.corpus import registry as client
from deepimagine_tui.errors import ExitCode
from tests.cli.conftest import Cli
from tests.cli.records import DOSE_TRIAL, PLANNED_TRIAL, all_records
from tests.corpus.registry_server import RegistryServer


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[RegistryServer]:
    monkeypatch.setattr(client, "SECONDS_BETWEEN", 0.0)
    monkeypatch.setattr(client, "LONGEST_WAIT", 0.01)
    with RegistryServer([json.dumps(record).encode() for record in all_records()]) as server:
        yield server


def test_what_was_fetched_is_in_your_corpus(cli: Cli, registry: RegistryServer):
    result = cli("corpus", "fetch", "--condition", "diabetes", "--has-results", "--registry", registry.url)
    assert result.code == ExitCode.OK
    assert "2 added" in result.out
    assert "2 studies to fetch" in result.err
    assert cli("corpus", "stats", "--json").json["trials"] == 2
    assert registry.asked[0]["query.cond"] == "diabetes"


def test_one_study_by_its_id(cli: Cli, registry: RegistryServer):
    result = cli("corpus", "fetch", "--id", PLANNED_TRIAL, "--id", "NCT99009999", "--registry", registry.url, "--json")
    assert result.json["added"] == 1
    assert "NCT99009999" in result.err


def test_a_second_fetch_asks_for_updates_only(cli: Cli, registry: RegistryServer):
    cli("corpus", "fetch", "--intervention", "glivazin", "--registry", registry.url)
    again = cli("corpus", "fetch", "--intervention", "glivazin", "--registry", registry.url)
    assert "updated since" in again.err
    assert "LastUpdatePostDate" in registry.asked[-1]["filter.advanced"]


def test_a_busy_registry_is_waited_for_and_said_so(cli: Cli, registry: RegistryServer):
    registry.faults.extend([429, 503])
    result = cli("corpus", "fetch", "--words", "glivazin", "--registry", registry.url)
    assert result.code == ExitCode.OK
    assert result.err.count("Waiting") == 2
    assert "429" in result.err


def test_a_registry_that_keeps_failing_is_a_network_error(cli: Cli, registry: RegistryServer):
    registry.faults.extend([503] * 20)
    result = cli("corpus", "fetch", "--words", "glivazin", "--registry", registry.url)
    assert (result.code, result.out) == (ExitCode.NETWORK, "")
    assert "503" in result.err


@pytest.mark.usefixtures("registry")
def test_without_a_network_it_is_told(cli: Cli):
    result = cli("corpus", "fetch", "--id", DOSE_TRIAL, "--registry", "http://127.0.0.1:9/api/v2")
    assert result.code == ExitCode.NETWORK
    assert "Traceback" not in result.err


@pytest.mark.parametrize("how", ["flag", "variable"])
def test_offline_sends_nothing(cli: Cli, registry: RegistryServer, monkeypatch: pytest.MonkeyPatch, how: str):
    if how == "variable":
        monkeypatch.setenv("DEEPIMAGINE_OFFLINE", "true")
    flag = ["--offline"] if how == "flag" else []
    result = cli("corpus", "fetch", "--words", "glivazin", "--registry", registry.url, *flag)
    assert (result.code, result.out) == (ExitCode.REFUSED, "")
    assert "offline" in result.err
    assert registry.paths == []


def test_everything_at_once_is_not_fetched_by_mistake(cli: Cli):
    result = cli("corpus", "fetch")
    assert result.code == ExitCode.USAGE
    assert "--condition" in result.err
