"""What a command and a room may load: proved in processes of their own, because a static contract cannot see a late import."""

from __future__ import annotations

import importlib.util
import json
import os
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from deepimagine_tui.cli.root import root

HEAVY = {
    "textual",
    "llama_cpp",
    "numpy",
    "sqlite_utils",
    "torch",
    "matplotlib",
    "networkx",
    "lxml",
    "pint",
    "httpx",
    "transformers",
}
HEADLESS = ["trials", "corpus", "backends", "reasoning", "evaluation", "cli"]
TRAINING = {"deepimagine_training", "torch", "transformers", "trl", "peft", "datasets"}


def commands(command: click.Command = root, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from commands(below, (*path, name))


def loaded_after(code: str, **environment: str) -> set[str]:
    """The top-level modules that a process has loaded after running `code`."""
    script = f"{code}\nimport sys, json; print('\\n' + json.dumps(sorted({{name.partition('.')[0] for name in sys.modules}})))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        encoding="utf-8",
        env=os.environ | environment,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def modules_of(package: str) -> list[str]:
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.submodule_search_locations is not None
    found = pkgutil.walk_packages(list(spec.submodule_search_locations), f"{package}.")
    return [package, *(module.name for module in found if not module.name.endswith("__main__"))]


@pytest.mark.parametrize("path", list(commands()), ids=" ".join)
def test_help_loads_nothing_heavy(path: tuple[str, ...]):
    arguments = [*path, "--help"]
    loaded = loaded_after(f"from deepimagine_tui.cli import main\nassert main({arguments!r}) == 0")
    assert loaded & HEAVY == set()


def test_the_command_line_itself_loads_nothing_of_the_rooms():
    code = (
        "import sys, deepimagine_tui.cli\nassert not [name for name in sys.modules if name.startswith('deepimagine_tui.cli.')]"
    )
    assert "click" not in loaded_after(code)


@pytest.mark.parametrize("room", HEADLESS)
def test_a_headless_room_never_loads_textual(room: str):
    names = modules_of(f"deepimagine_tui.{room}")
    assert "textual" not in loaded_after("import " + ", ".join(names))


def test_the_exporters_never_load_textual():
    assert "textual" not in loaded_after("import " + ", ".join(modules_of("deepimagine_exporters")))


def test_the_app_never_loads_training():
    assert loaded_after("import " + ", ".join(modules_of("deepimagine_tui.tui"))) & TRAINING == set()


@pytest.mark.parametrize("package", ["deepimagine_tui", *(f"deepimagine_tui.{room}" for room in [*HEADLESS, "tui"])])
def test_a_package_imports_nothing_of_ours(package: str):
    parts = package.split(".")
    parents = [".".join(parts[: index + 1]) for index in range(len(parts))]
    code = f"import sys, {package}\nassert [m for m in sys.modules if m.startswith('deepimagine_tui')] == {parents!r}"
    loaded_after(code)


@pytest.mark.parametrize("path", list(commands()), ids=" ".join)
def test_help_writes_nothing(path: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("DEEPIMAGINE_HOME")
    code = f"from deepimagine_tui.cli import main\nassert main({[*path, '--help']!r}) == 0"
    loaded_after(code, HOME=str(tmp_path))
    assert list(tmp_path.rglob("*")) == []


def test_everything_can_be_imported_where_there_is_no_home(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("DEEPIMAGINE_HOME")
    names = [name for room in HEADLESS for name in modules_of(f"deepimagine_tui.{room}")]
    loaded_after("import " + ", ".join(names), HOME=os.devnull)
