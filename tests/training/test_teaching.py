"""A model that writes the reasoning: what is kept, what falls out and why, and that a stop loses nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Event

import pytest
from deepimagine_training import pair_files, teaching, traces
from deepimagine_training.examples import example_of, pose
from deepimagine_training.pairs import PairSet
from deepimagine_training.rows import PairRow
from deepimagine_training.tasks import task_of
from deepimagine_training.teaching import Asking
from deepimagine_training.trace_checks import names_trial, objection, quotes_result
from msgspec.structs import replace

from deepimagine_tui.backends.protocol import GenerationFailed, GenerationRequest, SlotFilled
from deepimagine_tui.backends.scripted import ScriptedBackend, ScriptedOutput
from deepimagine_tui.errors import BadInputError, CancelledError, ExitCode, ModelError, RefusedError
from tests.cli.conftest import Cli, cli, plain_environment
from tests.support.openai_server import openai_server

__all__ = ["cli", "plain_environment"]

GOOD = " More of the drug moves the value further from placebo, so the effect should grow a little."
Script = Callable[[GenerationRequest], ScriptedOutput | GenerationFailed]


@pytest.fixture(scope="module")
def rows(small_pairs: PairSet) -> dict[str, PairRow]:
    """Askable pairs of the training side with a posted verdict, by id."""
    found: dict[str, PairRow] = {}
    for row in small_pairs.rows:
        if row.side == "train" and row.target_verdict != "undetermined" and row.direction is not None:
            try:
                example_of(row, GOOD)
            except RefusedError:
                continue
            found[row.id] = row
        if len(found) == 6:
            break
    assert len(found) == 6
    return found


def posted(row: PairRow) -> dict[str, str]:
    """The posted answer, by slot."""
    pieces = example_of(row, GOOD).pieces
    return {piece.role: piece.text.strip() for piece in pieces if piece.role not in ("reasoning", "form")}


def right(rows: Mapping[str, PairRow]) -> Script:
    return lambda request: ScriptedOutput(GOOD, posted(rows[request.request_id]))


def wrong(rows: Mapping[str, PairRow]) -> Script:
    def answer(request: GenerationRequest) -> ScriptedOutput:
        answers = posted(rows[request.request_id])
        return ScriptedOutput(GOOD, answers | {"verdict": "not met" if answers["verdict"] == "met" else "met"})

    return answer


def test_what_is_right_is_kept_with_where_it_is_from(rows: dict[str, PairRow], tmp_path: Path):
    backend = ScriptedBackend(right(rows), name="teacher")
    taught = teaching.write_model(rows.values(), tmp_path / "traces", backend, Asking(batch=4), Event())
    assert (taught.traces, taught.rejected, taught.left_out) == (6, {}, 0)
    written = traces.read_lines(tmp_path / "traces")
    assert written.keys() == rows.keys()
    seeds = {request.request_id: request.seed for request in backend.history}
    for key, trace in written.items():
        opening = pose(rows[key]).question.opening
        assert trace.reasoning == f"{opening} {GOOD.strip()}".strip()
        assert (trace.writer, trace.model, trace.attempts, trace.seed) == ("model", "teacher", 1, seeds[key])
    assert len(set(seeds.values())) == 6
    assert traces.finish(tmp_path / "traces", "hash", 0).writer == "model"


def test_a_pair_is_tried_again_with_another_seed(rows: dict[str, PairRow], tmp_path: Path):
    asked: dict[str, int] = {}

    def second(request: GenerationRequest) -> ScriptedOutput | GenerationFailed:
        asked[request.request_id] = asked.get(request.request_id, 0) + 1
        return (wrong if asked[request.request_id] == 1 else right)(rows)(request)

    backend = ScriptedBackend(second)
    teaching.write_model(rows.values(), tmp_path / "traces", backend, Asking(), Event())
    assert {trace.attempts for trace in traces.read_lines(tmp_path / "traces").values()} == {2}
    assert len({request.seed for request in backend.history}) == 12


def test_what_is_never_right_falls_out_and_is_not_asked_again(rows: dict[str, PairRow], tmp_path: Path):
    good, bad = list(rows)[:4], list(rows)[4:]
    script: Script = lambda request: (right if request.request_id in good else wrong)(rows)(request)  # noqa: E731
    backend = ScriptedBackend(script)
    taught = teaching.write_model(rows.values(), tmp_path / "traces", backend, Asking(tries=3), Event())
    assert (taught.traces, taught.rejected) == (4, {"wrong verdict": 2})
    assert [request.request_id for request in backend.history].count(bad[0]) == 3
    again = ScriptedBackend(script)
    assert teaching.write_model(rows.values(), tmp_path / "traces", again, Asking(tries=3), Event()) == taught
    assert again.history == []


def test_a_stop_keeps_what_was_written_and_goes_on(rows: dict[str, PairRow], tmp_path: Path):
    cancel = Event()

    def stopping(request: GenerationRequest) -> ScriptedOutput | GenerationFailed:
        if request.request_id == list(rows)[2]:
            cancel.set()
        return right(rows)(request)

    with pytest.raises(CancelledError, match="Stopped after 2 traces"):
        teaching.write_model(rows.values(), tmp_path / "traces", ScriptedBackend(stopping), Asking(batch=2), cancel)
    backend = ScriptedBackend(right(rows))
    assert teaching.write_model(rows.values(), tmp_path / "traces", backend, Asking(), Event()).traces == 6
    assert len(backend.history) == 4


def test_a_teacher_that_is_never_right_ends_early_in_one_sentence(
    small_pairs: PairSet, rows: dict[str, PairRow], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(teaching, "GIVE_UP", 4)
    backend = ScriptedBackend(wrong(rows), name="parrot")
    with pytest.raises(ModelError, match="parrot was right of none of 4 pairs") as caught:
        teaching.write_model(rows.values(), tmp_path / "traces", backend, Asking(tries=2, batch=2), Event())
    assert caught.value.exit_code == ExitCode.MODEL
    assert "wrong verdict" in caught.value.message
    assert len(backend.history) == 8
    assert not (tmp_path / "traces" / traces.MANIFEST).exists()
    tests = [row for row in small_pairs.rows if row.side == "test"]
    with pytest.raises(ModelError, match="None of the pairs can be taught"):
        teaching.write_model(tests, tmp_path / "none", backend, Asking(), Event())


def test_a_model_that_stopped_says_so_and_traces_of_another_are_not_mixed(rows: dict[str, PairRow], tmp_path: Path):
    gone = ScriptedBackend(lambda request: GenerationFailed(request.request_id, "The server is gone.", "Start it."))
    with pytest.raises(ModelError, match="The server is gone"):
        teaching.write_model(rows.values(), tmp_path / "gone", gone, Asking(), Event())
    teaching.write_model(rows.values(), tmp_path / "traces", ScriptedBackend(right(rows), name="one"), Asking(), Event())
    with pytest.raises(RefusedError, match="another writer, model"):
        teaching.write_model(rows.values(), tmp_path / "traces", ScriptedBackend(right(rows), name="two"), Asking(), Event())
    (tmp_path / "traces" / traces.REJECTED).write_text("nonsense\n")
    with pytest.raises(BadInputError, match="Line 1"):
        teaching.write_model(rows.values(), tmp_path / "traces", ScriptedBackend(right(rows), name="one"), Asking(), Event())


@pytest.mark.parametrize(
    ("reasoning", "reason"),
    [
        (GOOD, None),
        ("", "missing"),
        (" So it is. " * 70, "too long"),
        (GOOD + " Verdict: met, I think.", "answered early"),
        (GOOD + " As in the LEADER trial.", "names a trial"),
        (GOOD + " See NCT01234567.", "names a trial"),
        (" dose " * 9, "babble"),
        (" The weather in the mountains is often rather cold and windy.", "off topic"),
    ],
)
def test_reasoning_is_refused_for_a_reason(rows: dict[str, PairRow], reasoning: str, reason: str | None):
    row = next(iter(rows.values()))
    form = "".join(piece.text for piece in example_of(row, GOOD).pieces[1:])
    assert objection(task_of(row), reasoning + form, None) == reason
    assert objection(task_of(row), reasoning + form, None, cut=True) == "too long"
    assert objection(task_of(row), reasoning, None) == "form"


def test_a_posted_number_of_the_target_is_a_quotation(rows: dict[str, PairRow]):
    row = next(row for row in rows.values() if row.factor == "dose")
    task = task_of(row)
    assert task.target.arm_value is not None
    value = task.target.arm_value.value
    assert value is not None
    assert quotes_result(f"It should reach {value:g} then.", "", task.target)
    assert quotes_result(f"It should reach {-value:.2f} then.", "", task.target)
    assert not quotes_result(f"It should reach {value:g} then.", f"Before: {abs(value):g}", task.target)
    assert not quotes_result(f"It should reach {abs(value) + 0.27:g} then, in 2 of 3.", "", task.target)


def test_a_name_that_the_prompt_gives_is_no_hint():
    assert names_trial("As SUSTAIN-6 showed.", "A trial of semaglutide")
    assert not names_trial("As in COVID-19 patients; SGLT2 and GLP-1 agonists.", "Condition: COVID-19")


def test_the_verdict_is_the_one_that_the_model_finds_likelier(rows: dict[str, PairRow]):
    row = next(iter(rows.values()))
    answers = posted(row)
    shares = {"met": 0.2, "not met": 0.8} if answers["verdict"] == "met" else {"met": 0.8, "not met": 0.2}
    completion = example_of(row, GOOD).completion
    slot = SlotFilled(row.id, "verdict", answers["verdict"], shares, 1.0, "logits")
    assert objection(task_of(row), completion, slot) == "wrong verdict"


@pytest.fixture
def drawn(small_pairs: PairSet, rows: dict[str, PairRow], tmp_path: Path) -> Path:
    pytest.importorskip("datasets", reason="the `training` extra is not installed")
    pair_files.write(replace(small_pairs, rows=tuple(rows.values())), tmp_path / "pairs")
    return tmp_path / "pairs"


def test_a_server_teaches_from_the_command_line(cli: Cli, drawn: Path, tmp_path: Path):
    with openai_server() as server:
        server.tokens = ["It", " may", " be", ".", "\nDirection:", " up"]
        assert cli("models", "add", "--url", server.url, "--served-as", "teacher").code == ExitCode.OK
        failed = cli(
            "train",
            "traces",
            drawn,
            "--out",
            tmp_path / "traces",
            "--writer",
            "model",
            "--model",
            "teacher",
            "--yes",
            "--tries",
            1,
            "--batch",
            64,
        )
    assert failed.code == ExitCode.MODEL
    assert "was right of none" in failed.err


def test_the_demo_and_a_model_without_its_writer_are_refused(cli: Cli, drawn: Path, tmp_path: Path):
    demo = cli("train", "traces", drawn, "--out", tmp_path / "t", "--writer", "model", "--backend", "scripted")
    assert demo.code == ExitCode.REFUSED
    assert "The demo is no model" in demo.err
    mixed = cli("train", "traces", drawn, "--out", tmp_path / "t", "--model", "gemma-270m")
    assert mixed.code == ExitCode.USAGE
    assert not (tmp_path / "t").exists()


def test_a_folder_of_transformers_teaches(cli: Cli, drawn: Path, tmp_path: Path):
    pytest.importorskip("torch", reason="the `training` extra is not installed")
    from tests.support.tiny_model import tiny_gemma3

    model = tiny_gemma3(tmp_path / "model")
    failed = cli(
        "train",
        "traces",
        drawn,
        "--out",
        tmp_path / "t",
        "--writer",
        "model",
        "--model",
        model,
        "--tries",
        1,
        "--max-reasoning-tokens",
        4,
    )
    assert failed.code == ExitCode.MODEL
    assert "model was right of none" in failed.err
    fallen = traces.read_rejected(tmp_path / "t")
    assert fallen
    assert {each.model for each in fallen.values()} == {"model"}
    assert len({each.model_sha256 for each in fallen.values()}) == 1
