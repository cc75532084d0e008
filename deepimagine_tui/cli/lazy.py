"""A click group whose commands are imported when they are called, so that `--help` stays quick."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from importlib import import_module

import click

from deepimagine_tui.errors import UsageError


class LazyGroup(click.Group):
    """A group that knows its commands by name, module and one line of help.

    Args:
        lazy: By command name: the `module:attribute` that holds it, and its short help, which a test compares with the
            command's own.
    """

    def __init__(self, *args: object, lazy: Mapping[str, tuple[str, str]], **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]  # handed through to click unchanged
        self.lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names in the order they were declared: what one does first comes first."""
        return list(self.lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command, `None` when there is none of that name."""
        if cmd_name not in self.lazy:
            return None
        module, _, attribute = self.lazy[cmd_name][0].partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that `args` start with.

        Raises:
            UsageError: there is none of that name; the hint names the nearest.
        """
        name = args[0]
        if not name.startswith("-") and name not in self.lazy:
            raise unknown_command(name, list(self.lazy), ctx.command_path)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, short) for name, (_, short) in self.lazy.items()])


def unknown_command(name: str, known: list[str], group: str) -> UsageError:
    """The error for a command that a group does not have."""
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"The commands are: {', '.join(known)}."
    return UsageError(f"{group} has no command {name!r}.", hint)
