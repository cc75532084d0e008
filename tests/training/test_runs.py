"""Run folders, their manifests, and `deepimagine train runs` over them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

pytest.importorskip("filelock")
pytest.importorskip("yaml")

from deepimagine_training import recipes, run_manifest, runs
from deepimagine_training.run_folder import RunFolder, trainer_of
from deepimagine_training.run_manifest import GgufFile

from deepimagine_tui.errors import BadInputError, ExitCode, NewerSchemaError, NotFoundError, RefusedError, UsageError
from tests.cli.conftest import Cli, cli, plain_environment
from tests.training.made_runs import INPUTS, made_run

__all__ = ["cli", "plain_environment"]

RECIPE = recipes.read("laptop")


def test_a_run_leaves_recipe_log_and_manifest_and_nothing_of_the_lock(tmp_path: Path):
    folder = made_run(tmp_path / "run", steps=10)
    assert {path.name for path in folder.path.iterdir()} - {".lock"} == {
        "recipe.json",
        "run.json",
        "log.jsonl",
        "checkpoints",
        "manifest.json",
    }
    manifest = run_manifest.read(folder.path)
    assert manifest.recipe == RECIPE
    assert manifest.machine.cores >= 1
    assert "numpy" in manifest.libraries
    assert [record["step"] for record in folder.records() if "loss" in record] == list(range(1, 11))


def test_two_trainers_cannot_write_to_one_folder(tmp_path: Path):
    with RunFolder(tmp_path / "run") as first:
        first.begin(RECIPE, INPUTS)
        with pytest.raises(RefusedError, match="Another trainer"):
            RunFolder(tmp_path / "run").begin(RECIPE, INPUTS)
    with RunFolder(tmp_path / "run") as second:
        assert second.begin(RECIPE, INPUTS).inputs == INPUTS


def test_a_killed_trainer_leaves_a_folder_that_can_be_gone_on_with(tmp_path: Path):
    code = (
        "import sys, time; from pathlib import Path; from deepimagine_training import recipes;"
        "from deepimagine_training.run_folder import RunFolder;"
        "folder = RunFolder(Path(sys.argv[1])); folder.begin(recipes.read('laptop'), {'pairs': 'a'});"
        "folder.log({'stage': 'sft', 'step': 1, 'loss': 2.0}); print('begun', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "run")], stdout=subprocess.PIPE, text=True) as trainer:
        assert trainer.stdout is not None
        assert trainer.stdout.readline() == "begun\n"
        assert trainer_of(tmp_path / "run") == trainer.pid
        with pytest.raises(RefusedError, match=f"process {trainer.pid}"):
            RunFolder(tmp_path / "run").begin(RECIPE, {"pairs": "a"})
        trainer.send_signal(signal.SIGKILL)
    assert trainer_of(tmp_path / "run") is None
    with RunFolder(tmp_path / "run") as folder:
        folder.begin(RECIPE, {"pairs": "a"})
        assert [record["step"] for record in folder.records()] == [1]


def test_what_a_run_was_begun_with_cannot_change_under_it_but_its_time_limit(tmp_path: Path):
    made_run(tmp_path / "run", finished=False)
    with pytest.raises(RefusedError, match=r"another recipe \(sft.learning_rate\)"):
        RunFolder(tmp_path / "run").begin(recipes.read("laptop", {"sft.learning_rate": "1e-3"}), INPUTS)
    with pytest.raises(RefusedError, match=r"other data \(pairs\)"):
        RunFolder(tmp_path / "run").begin(RECIPE, INPUTS | {"pairs": "other"})
    with RunFolder(tmp_path / "run") as folder:
        folder.begin(recipes.read("laptop", {"sft.max_minutes": "1"}), INPUTS)


def test_a_folder_of_other_things_and_a_finished_run_are_left_alone(tmp_path: Path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("mine", "utf-8")
    made_run(tmp_path / "done")
    (tmp_path / "file").write_text("mine", "utf-8")
    for name, says in (("other", "thesis.txt"), ("done", "finished run"), ("file", "is a file")):
        with pytest.raises(RefusedError, match=says):
            RunFolder(tmp_path / name).begin(RECIPE, INPUTS)
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["thesis.txt"]


def test_the_latest_checkpoint_is_the_last_whole_one(tmp_path: Path):
    folder = RunFolder(tmp_path)
    assert folder.latest_checkpoint() is None
    for step, state in ((50, '{"global_step": 50}'), (100, '{"global_step": 100}'), (150, '{"global_'), (200, None)):
        place = folder.checkpoints / f"checkpoint-{step}"
        place.mkdir(parents=True)
        if state is not None:
            (place / "trainer_state.json").write_text(state, "utf-8")
    assert folder.latest_checkpoint() == folder.checkpoints / "checkpoint-100"


def test_a_log_is_cut_back_to_its_checkpoint_and_survives_half_a_line(tmp_path: Path):
    folder = made_run(tmp_path / "run", steps=10, finished=False)
    with (folder.path / "log.jsonl").open("ab") as stream:
        stream.write(b'{"stage": "sft", "st')
    folder.rewind(6)
    assert max(record["step"] for record in folder.records()) == 6
    (folder.path / "log.jsonl").write_text('{"step": 1}\nnonsense\n{"step": 2}\n', "utf-8")
    with pytest.raises(BadInputError, match="Line 2"):
        folder.records()


def test_only_the_first_of_several_processes_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with RunFolder(tmp_path / "run") as first:
        begun = first.begin(RECIPE, INPUTS)
        monkeypatch.setenv("RANK", "1")
        with RunFolder(tmp_path / "run") as other:
            assert other.begin(RECIPE, INPUTS) == begun
            other.log({"stage": "sft", "step": 1, "loss": 1.0})
            other.rewind(0)
    assert not (tmp_path / "run" / "log.jsonl").exists()


def test_a_manifest_of_another_kind_version_or_none_is_told(tmp_path: Path):
    folder = made_run(tmp_path / "run")
    with pytest.raises(NotFoundError):
        run_manifest.read(tmp_path / "nowhere")
    path = folder.path / "manifest.json"
    made = json.loads(path.read_text("utf-8"))
    for change, error in (
        ({"schema_version": 99}, NewerSchemaError),
        ({"format": "deepimagine pairs"}, BadInputError),
        ({"steps": "many"}, BadInputError),
    ):
        path.write_text(json.dumps(made | change), "utf-8")
        with pytest.raises(error):
            run_manifest.read(folder.path)
    path.unlink()
    with pytest.raises(BadInputError, match="no finished run"):
        run_manifest.read(folder.path)


def test_exported_files_are_put_into_the_manifest_each_once(tmp_path: Path):
    folder = made_run(tmp_path / "run")
    run_manifest.add_gguf(folder.path, [GgufFile("adapter.gguf", "adapter", "e" * 64, 10, {"kl": 0.01})])
    made = run_manifest.add_gguf(folder.path, [GgufFile("adapter.gguf", "adapter", "f" * 64, 12, {"kl": 0.02})])
    assert [(file.name, file.sha256) for file in made.gguf] == [("adapter.gguf", "f" * 64)]
    assert run_manifest.read(folder.path) == made


def test_runs_are_found_by_name_folder_id_and_last(tmp_path: Path):
    old = made_run(tmp_path / "old")
    time.sleep(0.002)
    new = made_run(tmp_path / "new", finished=False, steps=7)
    found = runs.runs_in(tmp_path)
    assert [run.name for run in found] == ["new", "old"]
    assert [(run.ended, run.steps) for run in found] == [("unfinished", 7), ("complete", 20)]
    assert runs.find("old", tmp_path) == runs.find(str(old.path)) == runs.find(found[1].run_id, tmp_path)
    assert runs.find("last", tmp_path).path == str(new.path)
    with pytest.raises(UsageError, match="Several"):
        runs.find("0", tmp_path)
    with pytest.raises(NotFoundError):
        runs.find("nothing", tmp_path)


def test_list_and_show_tell_a_run_with_its_curves(cli: Cli, tmp_path: Path):
    made_run(tmp_path / "first")
    listed = cli("train", "runs", "list", "--folder", tmp_path)
    assert listed.code == ExitCode.OK
    assert "first" in listed.out
    assert "held-out loss 1.25" in listed.out
    shown = cli("train", "runs", "show", "first", "--folder", tmp_path)
    assert shown.code == ExitCode.OK, shown.err
    for words in ("gemma-270m", "2, siblings", "Loss (nats a token)", "held out", "step 1", "2.95"):
        assert words in shown.out
    told = cli("train", "runs", "show", "first", "--folder", tmp_path, "--json").json
    (loss,) = told["curves"]
    assert [line["label"] for line in loss["lines"]] == ["training", "held out"]
    assert loss["lines"][1]["points"] == [[step, pytest.approx(3.1 - 0.05 * step)] for step in (5, 10, 15, 20)]


def test_curves_are_drawn_the_same_each_time_and_nothing_is_not_drawn(cli: Cli, tmp_path: Path):
    made_run(tmp_path / "runs" / "first")
    made_run(tmp_path / "runs" / "empty", steps=0, finished=False)
    for name in ("one.png", "two.png"):
        assert (
            cli("train", "runs", "show", "first", "--folder", tmp_path / "runs", "--figure", tmp_path / name).code
            == ExitCode.OK
        )
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")
    empty = cli("train", "runs", "show", "empty", "--folder", tmp_path / "runs", "--figure", tmp_path / "no.png")
    assert empty.code == ExitCode.REFUSED
    assert not (tmp_path / "no.png").exists()
    wrong = cli("train", "runs", "show", "first", "--folder", tmp_path / "runs", "--figure", tmp_path / "one.bmp")
    assert wrong.code == ExitCode.USAGE


def test_compare_names_what_differs_and_by_how_much(cli: Cli, tmp_path: Path):
    made_run(tmp_path / "one", held_out_loss=1.25)
    made_run(tmp_path / "two", held_out_loss=1.5, overrides={"lora.r": "8"}, inputs=INPUTS | {"pairs": "f" * 64})
    told = cli("train", "runs", "compare", "one", "two", "--folder", tmp_path, "--json").json
    assert told["recipe"] == [{"what": "lora.r", "first": "16", "second": "8"}]
    assert {each["what"] for each in told["data"]} == {"pairs"}
    assert {each["name"]: each["difference"] for each in told["metrics"]} == {"held_out_loss": 0.25, "last_loss": 0.0}
    text = cli("train", "runs", "compare", "one", "two", "--folder", tmp_path)
    assert text.code == ExitCode.OK
    assert "+0.25" in text.out


def test_a_run_of_nothing_is_told(cli: Cli, tmp_path: Path):
    none = cli("train", "runs", "list", "--folder", tmp_path)
    assert (none.code, none.out) == (ExitCode.OK, "")
    assert "no training runs" in none.err
    assert cli("train", "runs", "show", "last", "--folder", tmp_path).code == ExitCode.NOT_FOUND


def test_a_recipe_survives_its_journey_through_json(tmp_path: Path):
    folder = made_run(tmp_path / "run", finished=False)
    assert msgspec.json.decode((folder.path / "recipe.json").read_bytes(), type=type(RECIPE)) == RECIPE
