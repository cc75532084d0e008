"""A journal is the run: read back, its graph is the live one; torn, it loses one line; on a full disk, the run goes on."""

from __future__ import annotations

import errno
import io
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from deepimagine_tui.errors import BadInputError, NewerSchemaError, NotFoundError, StorageError
from deepimagine_tui.reasoning.events import ReasoningEvent, RunStarted, TokensArrived
from deepimagine_tui.reasoning.graph import build_graph
from deepimagine_tui.reasoning.journal import Journal, read_events, record
from tests.reasoning.engine.support import Spy, ask, to_dose, to_enrolment, to_japan, what_if
from tests.reasoning.engine.test_engine import CancelAfter
from tests.support.sample_runs import ALL_RUNS


def written(events: Sequence[ReasoningEvent], path: Path) -> Path:
    with Journal(path) as journal:
        for event in events:
            journal.write(event)
    return path


def without_tokens(events: Sequence[ReasoningEvent]) -> list[ReasoningEvent]:
    return [event for event in events if not isinstance(event, TokensArrived)]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    stacked=st.lists(st.sampled_from([to_dose(25.0), to_dose(50.0), to_japan(), to_enrolment(99)]), min_size=1, max_size=4),
    samples=st.integers(1, 3),
    cancel_after=st.one_of(st.none(), st.integers(1, 60)),
)
def test_the_live_graph_is_the_replayed_one_is_the_journals(stacked, samples, cancel_after, tmp_path_factory) -> None:
    path = tmp_path_factory.mktemp("run") / "run.jsonl"
    backend = Spy() if cancel_after is None else CancelAfter(cancel_after)
    events = ask(what_if(*stacked, samples=samples), backend)
    content = read_events(written(events, path))
    assert build_graph(content.events) == build_graph(events)
    assert without_tokens(content.events) == without_tokens(events)
    assert content.problems == ()


@pytest.mark.parametrize("name", sorted(ALL_RUNS))
def test_every_kind_of_run_comes_back(name: str, tmp_path: Path) -> None:
    events = ALL_RUNS[name]()
    content = read_events(written(events, tmp_path / "run.jsonl"))
    assert without_tokens(content.events) == without_tokens(events)
    assert build_graph(content.events) == build_graph(events)


def test_tokens_are_coalesced(tmp_path: Path) -> None:
    events = ask(what_if(to_dose(50.0)))
    content = read_events(written(events, tmp_path / "run.jsonl"))
    before = [event for event in events if isinstance(event, TokensArrived)]
    after = [event for event in content.events if isinstance(event, TokensArrived)]
    assert [event.part for event in after] == ["reasoning", "answer"]
    assert len(before) > 10
    assert sum(event.tokens for event in after) == sum(event.tokens for event in before)
    assert "".join(event.text for event in after) == "".join(event.text for event in before)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_journal_cut_anywhere_loses_at_most_its_last_line_and_says_so(share: float, tmp_path_factory) -> None:
    path = written(ask(what_if(to_dose(50.0))), tmp_path_factory.mktemp("run") / "run.jsonl")
    whole = path.read_bytes()
    header = whole.index(b"\n") + 1
    cut = header + int(share * (len(whole) - header))
    path.write_bytes(whole[:cut])
    content = read_events(path)
    assert len(content.events) == whole[header:cut].count(b"\n")
    assert any("no end" in problem for problem in content.problems)
    assert any("cut short" in problem for problem in content.problems) == (whole[cut - 1 : cut] != b"\n")
    build_graph(content.events)


def test_what_follows_a_damaged_line_is_left_out_and_counted(tmp_path: Path) -> None:
    path = written(ask(what_if(to_dose(50.0))), tmp_path / "run.jsonl")
    lines = path.read_bytes().split(b"\n")
    lines[3] = b'{"type": "step_planned"'
    path.write_bytes(b"\n".join(lines))
    content = read_events(path)
    assert len(content.events) == 2
    assert content.problems[0] == f"Line 4 is no event; it and {len(lines) - 5} after it was left out."


def test_a_newer_journal_is_refused(tmp_path: Path) -> None:
    path = written(ask(what_if(to_dose(50.0))), tmp_path / "run.jsonl")
    header, rest = path.read_bytes().split(b"\n", 1)
    path.write_bytes(header.replace(b'"schema_version":1', b'"schema_version":2') + b"\n" + rest)
    with pytest.raises(NewerSchemaError, match="newer"):
        read_events(path)


def test_newer_events_are_refused(tmp_path: Path) -> None:
    started = ask(what_if(to_dose(50.0)))[0]
    assert isinstance(started, RunStarted)
    path = written([replace(started, schema_version=2)], tmp_path / "run.jsonl")
    with pytest.raises(NewerSchemaError):
        read_events(path)


@pytest.mark.parametrize("content", [b"", b"{}", b"not a journal\n", b'{"type":"journal"', b"\xff\xfe\n{}\n"])
def test_other_files_are_no_journals(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_bytes(content)
    with pytest.raises(BadInputError, match="no run"):
        read_events(path)


def test_a_missing_journal_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_events(tmp_path / "run.jsonl")


class FullDisk(io.BytesIO):
    """A file on a disk with room for two lines."""

    lines = 0

    def write(self, text) -> int:
        self.lines += 1
        if self.lines > 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(text)

    def fileno(self) -> int:
        return 0


def on_a_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "open", lambda self, mode: FullDisk())
    monkeypatch.setattr("os.fsync", lambda descriptor: None)


def test_a_full_disk_is_one_sentence_and_the_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events = ask(what_if(to_dose(50.0), to_japan()))
    on_a_full_disk(monkeypatch)
    told: list[StorageError] = []
    seen = list(record(iter(events), tmp_path / "run.jsonl", told.append))
    assert seen == events
    assert [error.message for error in told] == [f"No room is left to write {tmp_path / 'run.jsonl'}."]


def test_a_full_disk_is_raised_at_the_end_where_nobody_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events = ask(what_if(to_dose(50.0)))
    on_a_full_disk(monkeypatch)
    seen: list[ReasoningEvent] = []
    passed_on = record(iter(events), tmp_path / "run.jsonl")
    with pytest.raises(StorageError, match="No room"):
        seen.extend(event for event in passed_on)
    assert seen == events


def test_a_place_that_cannot_be_written_is_found_before_the_model_works(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        Journal(tmp_path / "file" / "run.jsonl")


def test_a_journal_is_never_written_over(tmp_path: Path) -> None:
    path = written(ask(what_if(to_dose(50.0))), tmp_path / "run.jsonl")
    with pytest.raises(StorageError):
        Journal(path)


def test_a_stream_closed_early_leaves_what_was_seen(tmp_path: Path) -> None:
    events = ask(what_if(to_dose(50.0)))
    stream = record(iter(events), tmp_path / "run.jsonl")
    for event in stream:
        if isinstance(event, TokensArrived):
            break
    stream.close()  # type: ignore[attr-defined]  # record is a generator
    content = read_events(tmp_path / "run.jsonl")
    assert [type(event).__name__ for event in content.events] == ["RunStarted", "AnchorChosen", "StepPlanned", "TokensArrived"]


def test_every_event_comes_back_from_json() -> None:
    for make in ALL_RUNS.values():
        for event in make():
            assert msgspec.json.decode(msgspec.json.encode(event), type=ReasoningEvent) == event
