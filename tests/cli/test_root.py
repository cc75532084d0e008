"""The root command: the app when nothing is said, help that agrees with the commands, and no command left out."""

from __future__ import annotations

import click
import pytest

from deepimagine_tui import __version__
from deepimagine_tui.cli import root, train
from deepimagine_tui.cli.lazy import LazyGroup
from deepimagine_tui.errors import ExitCode
from deepimagine_tui.tui import app
from tests.cli.conftest import Cli


def test_without_a_command_the_app_opens(cli: Cli, monkeypatch: pytest.MonkeyPatch):
    opened: list[bool] = []
    monkeypatch.setattr(root, "is_terminal", lambda _stream: True)
    monkeypatch.setattr(app, "run_app", lambda: opened.append(True))
    assert cli().code == ExitCode.OK
    assert opened == [True]


def test_where_there_is_no_terminal_the_app_is_refused(cli: Cli, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(app, "run_app", lambda: pytest.fail("opened"))
    result = cli()
    assert (result.code, result.out) == (ExitCode.REFUSED, "")
    assert "--help" in result.err


@pytest.mark.parametrize("group", [root.root, train.train], ids=lambda group: group.name)
def test_the_listed_help_is_each_commands_own(group: LazyGroup):
    context = click.Context(group)
    for name, (_, short) in group.lazy.items():
        command = group.get_command(context, name)
        assert command is not None
        assert command.name == name
        assert command.get_short_help_str(200).removesuffix(".") == short.removesuffix(".")


def test_every_command_and_option_explains_itself():
    bare: list[str] = []

    def walk(command: click.Command, path: str) -> None:
        if not command.help:
            bare.append(path)
        bare.extend(
            f"{path} {option.opts[-1]}" for option in command.params if isinstance(option, click.Option) and not option.help
        )
        if isinstance(command, click.Group):
            context = click.Context(command)
            for name in command.list_commands(context):
                below = command.get_command(context, name)
                assert below is not None
                walk(below, f"{path} {name}")

    walk(root.root, "deepimagine")
    assert bare == []


def test_the_version_is_told(cli: Cli):
    assert cli("--version").out == f"deepimagine {__version__}\n"
