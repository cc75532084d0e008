"""Fetching from a registry that pages, throttles, breaks, redirects and changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from deepimagine_tui.corpus import registry as registries
from deepimagine_tui.corpus.registry import (
    FetchCancelled,
    FetchEvent,
    FetchFinished,
    FetchProgress,
    FetchStarted,
    FetchWaiting,
    RegistryClient,
)
from deepimagine_tui.corpus.registry_query import FetchQuery, parameters, plain
from deepimagine_tui.corpus.store import Corpus
from deepimagine_tui.errors import NetworkError, NotFoundError, UsageError
from tests.corpus.conftest import record
from tests.corpus.registry_server import RegistryServer

ASTHMA = FetchQuery(condition="asthma", has_results=True)


class Clock:
    """A time that passes only when somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now

    def pause(self, seconds: float, _cancel: Event) -> None:
        self.waits.append(seconds)
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[RegistryServer]:
    monkeypatch.setattr("deepimagine_tui.corpus.registry_query.PAGE_SIZE", 10)
    studies = [record(f"NCT0000{at:04d}", conditions=("Asthma",) if at <= 35 else ("Gout",)) for at in range(1, 51)]
    with RegistryServer(studies, aliases={"NCT09999999": "NCT00000001"}) as running:
        yield running


@pytest.fixture
def client(server: RegistryServer, clock: Clock) -> Iterator[RegistryClient]:
    made = RegistryClient(server.url, clock=clock, pause=clock.pause)
    yield made
    made.close()


def run(client: RegistryClient, path: Path, query: FetchQuery = ASTHMA) -> list[FetchEvent]:
    return list(client.fetch(path, query, Event()))


def finished(events: list[FetchEvent]) -> FetchFinished:
    last = events[-1]
    assert isinstance(last, FetchFinished)
    return last


def trials(path: Path) -> int:
    with Corpus.open(path) as corpus:
        return corpus.stats().trials


def test_every_page_is_fetched_and_raw_records_are_kept(client: RegistryClient, server: RegistryServer, tmp_path: Path) -> None:
    events = run(client, tmp_path / "c.db")
    assert events[0] == FetchStarted(35, resumed=False, since="")
    assert [event.counts.done for event in events if isinstance(event, FetchProgress)] == [10, 20, 30, 35]
    assert finished(events).counts.added == 35
    assert "countTotal" in server.asked[0]
    assert all("countTotal" not in asked for asked in server.asked[1:])
    with Corpus.open(tmp_path / "c.db") as corpus:
        assert corpus.raw("NCT00000007").startswith(b'{"protocolSection"')
        assert corpus.provenance("NCT00000007").source == server.url
        entry = corpus.history()[0]
    assert (entry.kind, entry.state, entry.added) == ("registry", "finished", 35)


def test_one_request_a_second(client: RegistryClient, clock: Clock, tmp_path: Path) -> None:
    run(client, tmp_path / "c.db")
    assert clock.waits == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("fault", [429, 500, 502, 503, "drop", "cut", "not json"])
def test_a_passing_fault_is_waited_out(
    client: RegistryClient, server: RegistryServer, clock: Clock, tmp_path: Path, fault: int | str
) -> None:
    server.faults.extend([fault, fault])
    events = run(client, tmp_path / "c.db")
    assert finished(events).counts.added == 35
    waited = [event.seconds for event in events if isinstance(event, FetchWaiting)]
    assert waited == [2.0, 4.0]
    assert trials(tmp_path / "c.db") == 35


def test_the_registry_says_how_long_to_wait(client: RegistryClient, server: RegistryServer, tmp_path: Path) -> None:
    server.faults.append(429)
    server.retry_after = "17"
    waited = [event.seconds for event in run(client, tmp_path / "c.db") if isinstance(event, FetchWaiting)]
    assert waited == [17.0]


def test_a_lasting_fault_ends_it_and_the_same_command_goes_on(
    client: RegistryClient, server: RegistryServer, tmp_path: Path
) -> None:
    path = tmp_path / "c.db"
    events = client.fetch(path, ASTHMA, Event())
    for event in events:
        if isinstance(event, FetchProgress) and event.counts.done == 20:
            break
    server.faults.extend([503] * registries.ATTEMPTS)
    with pytest.raises(NetworkError, match="503"):
        list(events)
    assert trials(path) == 20
    again = run(client, path)
    assert again[0] == FetchStarted(None, resumed=True, since="")
    assert finished(again).counts.added == 15
    assert trials(path) == 35


def test_cancelling_keeps_the_pages_and_the_token(client: RegistryClient, server: RegistryServer, tmp_path: Path) -> None:
    path, cancel = tmp_path / "c.db", Event()
    events = []
    for event in client.fetch(path, ASTHMA, cancel):
        events.append(event)
        if isinstance(event, FetchProgress):
            cancel.set()
    assert isinstance(events[-1], FetchCancelled)
    assert trials(path) == 10
    before = len(server.asked)
    assert finished(run(client, path)).counts.added == 25
    assert len(server.asked) - before == 3


def test_an_expired_token_starts_the_listing_anew_without_doubling(
    client: RegistryClient, server: RegistryServer, tmp_path: Path
) -> None:
    path = tmp_path / "c.db"
    cancel = Event()
    for event in client.fetch(path, ASTHMA, cancel):
        if isinstance(event, FetchProgress):
            server.version = "2"
            cancel.set()
    events = run(client, path)
    assert events[0] == FetchStarted(35, resumed=False, since="")
    assert finished(events).counts.unchanged == 10
    assert finished(events).counts.added == 25
    assert trials(path) == 35


def test_after_a_complete_fetch_only_updates_are_asked_for(
    client: RegistryClient, server: RegistryServer, tmp_path: Path
) -> None:
    path = tmp_path / "c.db"
    run(client, path)
    module = server.studies[4]["protocolSection"]["statusModule"]
    module["lastUpdatePostDateStruct"]["date"] = "2999-01-01"
    events = run(client, path)
    assert isinstance(events[0], FetchStarted)
    assert events[0].since
    assert events[0].total == 1
    assert finished(events).counts.updated == 1
    assert run(client, path, FetchQuery(condition="gout"))[0] == FetchStarted(15, resumed=False, since="")


def test_an_older_id_leads_to_the_trial(client: RegistryClient, tmp_path: Path) -> None:
    path = tmp_path / "c.db"
    end = finished(run(client, path, FetchQuery(ids=("NCT09999999", "NCT00000044", "NCT05555555", "nonsense"))))
    assert end.missing == ("NCT05555555", "nonsense")
    with Corpus.open(path) as corpus:
        assert corpus.get("NCT09999999").nct_id == "NCT00000001"
        assert corpus.has("NCT00000044")


def test_an_unknown_id_alone_is_an_error(client: RegistryClient, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="NCT05555555"):
        run(client, tmp_path / "c.db", FetchQuery(ids=("NCT05555555",)))


def test_a_redirect_to_another_host_is_not_followed(client: RegistryClient, server: RegistryServer, tmp_path: Path) -> None:
    server.faults.append("away")
    with pytest.raises(NetworkError, match=r"other\.example"):
        run(client, tmp_path / "c.db")


def test_a_study_that_cannot_be_read_does_not_stop_the_page(
    client: RegistryClient, server: RegistryServer, tmp_path: Path
) -> None:
    del server.studies[3]["protocolSection"]["identificationModule"]["nctId"]
    end = finished(run(client, tmp_path / "c.db"))
    assert (end.counts.added, end.counts.quarantined) == (34, 1)
    with Corpus.open(tmp_path / "c.db") as corpus:
        assert len(corpus.quarantine()) == 1


def test_nobody_answers(clock: Clock, tmp_path: Path) -> None:
    client = RegistryClient("http://127.0.0.1:9/api/v2", clock=clock, pause=clock.pause)
    with pytest.raises(NetworkError, match="attempts"):
        run(client, tmp_path / "c.db")
    client.close()


def test_a_question_it_does_not_understand(client: RegistryClient, server: RegistryServer, tmp_path: Path) -> None:
    server.faults.append(400)
    with pytest.raises(UsageError, match="does not understand"):
        run(client, tmp_path / "c.db")
    with pytest.raises(UsageError, match="phase"):
        run(client, tmp_path / "c.db", FetchQuery(phase="7"))


def test_filters_are_written_as_the_interface_wants_them() -> None:
    query = FetchQuery(
        condition='asthma "OR" (x', intervention="A AND B", phase="3", status="not yet recruiting", has_results=True
    )
    assert parameters(query, "2026-01-31") == {
        "format": "json",
        "pageSize": "100",
        "countTotal": "true",
        "query.cond": "asthma or x",
        "query.intr": "A and B",
        "filter.overallStatus": "NOT_YET_RECRUITING",
        "filter.advanced": "AREA[Phase]PHASE3 AND AREA[ResultsFirstPostDate]RANGE[MIN,MAX]"
        " AND AREA[LastUpdatePostDate]RANGE[2026-01-31,MAX]",
    }
    assert plain("NOT [x]") == "not x"
