"""The list of runs: newest first, named and noted by the user, and independent of its index."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from deepimagine_tui.errors import NewerSchemaError, NotFoundError, UsageError
from deepimagine_tui.reasoning.graph import build_graph
from deepimagine_tui.reasoning.ids import new_run_id
from deepimagine_tui.reasoning.journal import Journal
from deepimagine_tui.reasoning.request import ImagineRequest
from deepimagine_tui.reasoning.runs import RunStore
from tests.reasoning.engine.support import Source, anchor_state, anchors_at, ask, forecast, to_dose, to_japan, what_if

FIRST, SECOND, THIRD = (f"01a00000-0000-7000-8000-00000000000{n}" for n in range(3))


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "runs", tmp_path / "workspace.db")


def keep(store: RunStore, request: ImagineRequest, *, day: int = 1, events: int | None = None, source: Source | None = None):
    made = [replace(event, at=f"2026-11-{day:02d}T09:00:00.000Z") for event in ask(request, source=source)]
    with Journal(store.path(request.run_id)) as journal:
        for event in made[:events]:
            journal.write(event)
    return made


def test_there_are_no_runs_and_nothing_is_written(store: RunStore, tmp_path: Path) -> None:
    assert store.list() == ()
    assert list(tmp_path.iterdir()) == []


def test_runs_are_listed_newest_first(store: RunStore) -> None:
    keep(store, what_if(to_dose(50.0), run_id=FIRST), day=2)
    keep(store, what_if(to_japan(), run_id=SECOND), day=3)
    keep(store, what_if(to_dose(25.0), run_id=THIRD), day=1)
    assert [run.run_id for run in store.list()] == [SECOND, FIRST, THIRD]


def test_a_line_says_what_was_asked_and_what_came_of_it(store: RunStore) -> None:
    keep(store, replace(what_if(to_dose(50.0), run_id=FIRST), name="a higher dose"))
    run = store.list()[0]
    assert (run.name, run.kind, run.nct_id, run.outcome) == ("a higher dose", "what-if", "NCT99000001", "answered")
    assert run.target == "NCT99000001: dose 10 mg once daily -> 50 mg once daily"
    assert run.answer.startswith("○ ")
    assert "not calibrated" in run.answer
    assert run.demo
    assert run.when == "2026-11-01T09:00:00.000Z"


def test_a_forecast_and_an_interrupted_run_say_so(store: RunStore) -> None:
    there = anchor_state()
    keep(store, forecast(there.configuration, run_id=FIRST), source=Source(search=anchors_at((there, 1.0))))
    keep(store, what_if(to_dose(50.0), run_id=SECOND), events=5, day=2)
    interrupted, forecasted = store.list()
    assert (interrupted.outcome, forecasted.kind, forecasted.outcome) == ("interrupted", "forecast", "answered")
    assert forecasted.answer.startswith("● -0.66")


def test_a_run_is_shown_as_the_graph_of_its_events(store: RunStore) -> None:
    events = keep(store, what_if(to_dose(50.0), to_japan(), run_id=FIRST))
    assert store.show(FIRST) == build_graph(events)
    assert store.show(FIRST[:8]) == store.show("last") == store.show(FIRST)


def test_a_short_id_must_mean_one_run(store: RunStore) -> None:
    keep(store, what_if(to_dose(50.0), run_id=FIRST))
    keep(store, what_if(to_japan(), run_id=SECOND))
    with pytest.raises(UsageError, match="2 runs begin"):
        store.show("01a0")
    for unknown in ("02", "", "../workspace"):
        with pytest.raises(NotFoundError):
            store.show(unknown)


def test_names_and_notes_outlive_the_index(store: RunStore) -> None:
    keep(store, what_if(to_dose(50.0), run_id=FIRST))
    assert store.list()[0].name == ""
    store.rename(FIRST, "my run")
    store.set_notes(FIRST, "compare with 25 mg\nagain")
    store.index.unlink(missing_ok=True)
    run = store.list()[0]
    assert (run.name, run.notes) == ("my run", "compare with 25 mg\nagain")
    assert store.notes(FIRST) == "compare with 25 mg\nagain"
    started = store.show(FIRST).started
    assert started is not None
    assert started.request.name == "my run"


def test_the_index_is_used_and_is_only_a_copy(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(store, what_if(to_dose(50.0), run_id=FIRST))
    listed = store.list()
    read = []
    monkeypatch.setattr("deepimagine_tui.reasoning.journal.read_events", lambda path: read.append(path))
    assert store.list() == listed
    assert read == []
    monkeypatch.undo()
    store.index.write_bytes(b"no database at all" * 100)
    assert store.list() == listed
    assert store.list() == listed
    assert store.index.read_bytes().startswith(b"SQLite format 3")


def test_the_list_does_not_need_to_write(store: RunStore, tmp_path: Path) -> None:
    keep(store, what_if(to_dose(50.0), run_id=FIRST))
    unwritable = RunStore(store.folder, tmp_path / "missing" / "workspace.db")
    assert [run.run_id for run in unwritable.list()] == [FIRST]
    assert not (tmp_path / "missing").exists()


def test_a_run_can_be_asked_again_under_a_new_id(store: RunStore) -> None:
    request = what_if(to_dose(50.0), run_id=FIRST)
    keep(store, request)
    again = store.duplicate(FIRST, seed=99)
    assert again.run_id != FIRST
    assert (again.parent, again.question, again.settings.seed) == (FIRST, request.question, 99)


def test_a_deleted_run_is_gone(store: RunStore) -> None:
    keep(store, what_if(to_dose(50.0), run_id=FIRST))
    store.rename(FIRST, "x")
    store.list()
    store.delete(FIRST)
    assert store.list() == ()
    assert list(store.folder.iterdir()) == []
    with pytest.raises(NotFoundError):
        store.delete(FIRST)


def test_a_damaged_journal_is_listed_and_says_why(store: RunStore) -> None:
    keep(store, what_if(to_dose(50.0), run_id=FIRST))
    store.path(SECOND).write_bytes(b"garbage\n")
    newer = store.path(FIRST).read_bytes().replace(b'"schema_version":1', b'"schema_version":9', 1)
    store.path(THIRD).write_bytes(newer)
    outcomes = {run.run_id: run for run in store.list()}
    assert outcomes[FIRST].outcome == "answered"
    assert outcomes[SECOND].outcome == "unreadable"
    assert "newer" in outcomes[THIRD].answer
    with pytest.raises(NewerSchemaError):
        store.show(THIRD)


def test_run_ids_are_in_the_order_of_time() -> None:
    ids = [new_run_id() for _ in range(50)]
    assert len(set(ids)) == 50
    assert ids == sorted(ids)
    assert all(run_id[14] == "7" for run_id in ids)
