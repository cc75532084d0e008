"""Settings: which layer wins, what is refused, and what writing keeps."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deepimagine_tui import paths, settings
from deepimagine_tui.errors import StorageError, UsageError


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DEEPIMAGINE_HOME", str(tmp_path / "home"))
    for variable in [name for name in os.environ if name.startswith("DEEPIMAGINE_") and name != "DEEPIMAGINE_HOME"]:
        monkeypatch.delenv(variable)
    return tmp_path


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def user_file(text: str) -> Path:
    path = paths.settings_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def project_file(folder: Path, text: str) -> Path:
    path = folder / "deepimagine.toml"
    path.write_text(text, "utf-8")
    return path


def test_without_anything_every_value_is_the_default(project: Path):
    found = settings.resolve(environment={}, folder=project)
    assert found.settings == settings.Settings()
    assert {origin.layer for origin in found.origins.values()} == {"default"}


@pytest.mark.parametrize(
    ("layers", "value", "layer"),
    [
        (("user",), 1, "user file"),
        (("user", "project"), 2, "project file"),
        (("user", "project", "environment"), 3, "environment"),
        (("user", "project", "environment", "flag"), 4, "flag"),
        (("environment",), 3, "environment"),
        (("user", "flag"), 4, "flag"),
    ],
)
def test_the_most_deliberate_layer_wins(project: Path, layers: tuple[str, ...], value: int, layer: str):
    if "user" in layers:
        user_file("seed = 1\n")
    if "project" in layers:
        project_file(project, "seed = 2\n")
    environment = {"DEEPIMAGINE_SEED": "3"} if "environment" in layers else {}
    flags = {"seed": 4} if "flag" in layers else {"seed": None}
    found = settings.resolve(flags, environment=environment, folder=project)
    assert found.settings.seed == value
    assert found.origins["seed"].layer == layer


def test_what_was_typed_beats_a_lower_layer_even_when_it_equals_the_default(project: Path):
    user_file("offline = true\nseed = 99\n")
    found = settings.resolve({"seed": 7}, environment={"DEEPIMAGINE_OFFLINE": "false"}, folder=project)
    assert (found.settings.seed, found.settings.offline) == (7, False)
    assert str(found.origins["seed"]) == "flag: --seed"
    assert str(found.origins["offline"]) == "environment: DEEPIMAGINE_OFFLINE"


def test_layers_are_merged_key_by_key(project: Path):
    user_file('theme = "light"\nseed = 1\n')
    project_file(project, "seed = 2\n")
    found = settings.resolve(environment={"DEEPIMAGINE_ANCHORS": "3"}, folder=project).settings
    assert (found.theme, found.seed, found.anchors) == ("light", 2, 3)


def test_an_unknown_key_names_the_file_the_key_and_the_nearest(project: Path):
    path = project_file(project, "sede = 3\n")
    with pytest.raises(UsageError) as caught:
        settings.resolve(environment={}, folder=project)
    assert str(path) in caught.value.message
    assert "'sede'" in caught.value.message
    assert "'seed'" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('seed = "seven"\n', "seed"),
        ("seed = -1\n", "seed"),
        ("temperature = 3.5\n", "temperature"),
        ('figure_format = "gif"\n', "figure_format"),
        ("seed = \n", "not valid TOML"),
        ("offline = 1\n", "offline"),
    ],
)
def test_a_value_that_does_not_fit_names_the_file_and_the_key(project: Path, text: str, said: str):
    path = project_file(project, text)
    with pytest.raises(UsageError) as caught:
        settings.resolve(environment={}, folder=project)
    assert str(path) in caught.value.message
    assert said in caught.value.message
    assert caught.value.hint


def test_a_variable_that_does_not_fit_is_named(project: Path):
    with pytest.raises(UsageError, match="DEEPIMAGINE_SEED"):
        settings.resolve(environment={"DEEPIMAGINE_SEED": "many"}, folder=project)


def test_an_empty_variable_is_not_set(project: Path):
    assert settings.resolve(environment={"DEEPIMAGINE_SEED": ""}, folder=project).settings.seed == 7


def test_a_file_that_is_not_text_is_refused(project: Path):
    (project / "deepimagine.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="UTF-8"):
        settings.resolve(environment={}, folder=project)


def test_a_path_in_a_file_starts_at_the_file(project: Path):
    project_file(project, 'corpus = "trials/mine.db"\n')
    found = settings.resolve(environment={}, folder=project).settings
    assert found.corpus == str(project / "trials" / "mine.db")


def test_saving_keeps_comments_and_other_keys(project: Path):
    path = user_file('# mine\ntheme = "dark"  # at night\nseed = 3\n')
    assert settings.save({"theme": "light", "anchors": 5}) == path
    text = path.read_text("utf-8")
    assert "# mine" in text
    assert "# at night" in text
    found = settings.resolve(environment={}, folder=project).settings
    assert (found.theme, found.seed, found.anchors) == ("light", 3, 5)


def test_saving_none_brings_the_default_back(project: Path):
    path = user_file("seed = 3\n")
    settings.save({"seed": None})
    assert "seed" not in path.read_text("utf-8")
    assert settings.resolve(environment={}, folder=project).settings.seed == 7


@pytest.mark.parametrize("changes", [{"sede": 3}, {"seed": "x"}])
def test_saving_something_wrong_changes_nothing(changes: dict[str, object]):
    path = user_file("seed = 3\n")
    with pytest.raises(UsageError):
        settings.save(changes)
    assert path.read_text("utf-8") == "seed = 3\n"


def test_saving_where_nothing_can_be_written_is_a_storage_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    blocker = tmp_path / "file"
    blocker.write_text("")
    monkeypatch.setenv("DEEPIMAGINE_HOME", str(blocker))
    with pytest.raises(StorageError):
        settings.save({"seed": 3})


def test_reading_writes_nothing(tmp_path: Path, project: Path):
    settings.resolve(environment={}, folder=project)
    assert not (tmp_path / "home").exists()
