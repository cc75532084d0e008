"""Write the documents that say what the code says: `python docs/generate.py` (or `--check`, which writes nothing).

`cli.md` holds every command's help, `exit-codes.md` the docstrings of the exit codes, `settings.md` those of the settings.
A test fails while a file differs from what this makes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import msgspec

from deepimagine_tui import settings
from deepimagine_tui.cli.root import root
from deepimagine_tui.errors import DeepImagineError, ExitCode

HERE = Path(__file__).parent
MADE = "<!-- Made by docs/generate.py: change the code, then run it again. -->"
WIDTH = 96


def commands(command: click.Command, context: click.Context) -> Iterator[tuple[click.Command, click.Context]]:
    """A command and all commands below it, each with its context, in the order of the help."""
    yield command, context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            settings_of_below = {**below.context_settings, "terminal_width": WIDTH, "max_content_width": WIDTH}
            yield from commands(below, click.Context(below, info_name=name, parent=context, **settings_of_below))


def cli_page() -> str:
    """Every `--help`, one after the other."""
    top = click.Context(root, info_name="deepimagine", terminal_width=WIDTH, max_content_width=WIDTH, **root.context_settings)
    parts = [
        "# The commands",
        MADE,
        "Results go to standard output, everything else to standard error. With `--json`, standard output holds JSON alone; an",
        "error is told on standard error and by the [exit code](exit-codes.md) in either case.",
    ]
    for command, context in commands(root, top):
        parts += [f"\n## {context.command_path}\n", "```text", command.get_help(context), "```"]
    return "\n".join(parts) + "\n"


def exit_codes_page() -> str:
    """What a process ends with, and which errors end with it."""
    about = settings.attribute_docstrings(ExitCode)
    titles: dict[ExitCode, list[str]] = {}
    for error in error_classes(DeepImagineError):
        titles.setdefault(error.exit_code, []).append(error.title)
    rows = [f"| {code.value} | {about[code.name]} | {', '.join(titles.get(code, []))} |" for code in ExitCode]
    table = "\n".join(["| code | what it means | shown as |", "|---|---|---|", *rows])
    after = """\
An error is two lines on standard error: `Title: what happened`, and what to do about it. A reader that closes standard
output early (`| head`) counts as a stop. `deepimagine doctor` ends with 0 while the app can work, and with the code of the
first thing that keeps it from working otherwise."""
    return f"# Exit codes\n\n{MADE}\n\n{table}\n\n{after}\n"


def error_classes(base: type[DeepImagineError]) -> Iterator[type[DeepImagineError]]:
    """The classes below `base`, in the order they were written."""
    for below in base.__subclasses__():
        yield below
        yield from error_classes(below)


def settings_page() -> str:
    """Every setting with its variable and default."""
    about = settings.attribute_docstrings(settings.Settings)
    rows = []
    for key in settings.KEYS:
        default = msgspec.json.encode(settings.default_of(key)).decode()
        rows.append(f"| `{key}` | `{settings.environment_variable(key)}` | `{default}` | {about[key]} |")
    table = "\n".join(["| key | variable | default | what it does |", "|---|---|---|---|", *rows])
    before = """\
A value is taken from the first of: a flag of the command, an environment variable, `deepimagine.toml` in the current
folder, `settings.toml` in your configuration folder, the default. A value that somebody typed beats a default, also when it
equals it. An unknown key is an error that names the file and the nearest key. Relative paths in a file start at that file's
folder. `deepimagine doctor` shows the value of each setting and where it came from."""
    example = '```toml\n# deepimagine.toml\nseed = 11\ncorpus = "trials/mine.db"\noffline = true\n```'
    after = """\
`DEEPIMAGINE_HOME` puts configuration, data, cache and log under one folder. `DEEPIMAGINE_API_KEY` (else `OPENAI_API_KEY`)
is sent to a server added with `deepimagine models add --url`. Neither is a setting, and neither is ever stored."""
    return f"# Settings\n\n{MADE}\n\n{before}\n\n{table}\n\n{example}\n\n{after}\n"


PAGES: dict[str, Callable[[], str]] = {"cli.md": cli_page, "exit-codes.md": exit_codes_page, "settings.md": settings_page}


def stale() -> list[str]:
    """The pages that differ from what would be written now."""
    return [name for name, page in PAGES.items() if not (HERE / name).is_file() or (HERE / name).read_text("utf-8") != page()]


def main(arguments: list[str]) -> int:
    """Write the pages, or with `--check` only say which are stale; 1 when any is."""
    found = stale()
    for name in found:
        click.echo(f"{name} {'is stale' if arguments else 'written'}", err=True)
        if not arguments:
            (HERE / name).write_text(PAGES[name](), "utf-8")
    return 1 if arguments and found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
