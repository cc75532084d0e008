"""The user's keys: `keymap.toml` read and checked, and the page of keys for the docs."""

from __future__ import annotations

import difflib
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

from deepimagine_tui.errors import UsageError
from deepimagine_tui.paths import config_dir
from deepimagine_tui.tui.actions import ACTIONS, Action


def keymap_file() -> Path:
    """Where the user's keys are read from; the file need not exist."""
    return config_dir() / "keymap.toml"


def load_keymap(path: Path) -> dict[str, str]:
    """Read `[keys]` of a key map: action ids with their keys, comma-separated. A missing file is an empty map.

    Raises:
        UsageError: the file is no TOML, names an unknown action, or gives it no key.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(
            f"{path} cannot be read as TOML ({error}).", 'Write lines like "data.copy" = "ctrl+y" under [keys].'
        ) from error
    for table in content:
        if table != "keys":
            raise UsageError(f"{path}: unknown table or key {table!r}.", "Put every line under [keys].")
    keys = content.get("keys", {})
    if not isinstance(keys, dict):
        raise UsageError(f"{path}: keys is not a table.", 'Begin with a line [keys], then "data.copy" = "ctrl+y".')
    return {name: _checked(path, name, key) for name, key in keys.items()}


def _checked(path: Path, name: str, key: object) -> str:
    if name not in ACTIONS:
        near = difflib.get_close_matches(name, ACTIONS, n=1, cutoff=0.0)
        raise UsageError(f"{path}: there is no action {name!r}.", f"Did you mean {near[0]!r}?")
    if not isinstance(key, str) or not all(part.strip() for part in key.split(",")):
        raise UsageError(f"{path}: {name} = {key!r} is no key.", 'A key is a text like "ctrl+y" or "f5,y".')
    return key


def shown(keys: str) -> str:
    """Keys as a person reads them: `up,k` is `↑ k`."""
    return " ".join(_NAMES.get(key, key) for key in keys.split(","))


_NAMES = {
    "up": "↑", "down": "↓", "left": "←", "right": "→", "question_mark": "?", "slash": "/", "plus": "+", "escape": "esc",
    "left_square_bracket": "[", "right_square_bracket": "]",
    "shift+up": "shift+↑", "shift+down": "shift+↓", "pageup": "page up", "pagedown": "page down",
}  # fmt: skip


def keys_page() -> str:
    """docs/keys.md: every action with its id, default keys and meaning."""
    groups: dict[str, list[Action]] = {}
    for action in ACTIONS.values():
        groups.setdefault(action.where, []).append(action)
    lines = [
        "# Keys",
        "",
        "Every key is an action with an id. To change one, name its id in `keymap.toml`, in the folder that",
        "`deepimagine doctor` shows as the settings folder:",
        "",
        "```toml",
        "[keys]",
        '"data.copy" = "ctrl+y"',
        '"list.down" = "down,n"',
        "```",
        "",
        "Keys are Textual's key names, separated by commas. An unknown id is refused with the nearest one that exists.",
    ]
    for where, actions in groups.items():
        lines += ["", f"## {where[0].upper()}{where[1:]}", "", "| keys | action | what it does |", "|---|---|---|"]
        lines += [f"| `{shown(action.keys)}` | `{action.id}` | {action.help} |" for action in actions]
    return "\n".join(lines) + "\n"


def clashes(keymap: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """(key, action, action) where a key map gives one key to two actions of the same place."""
    taken: dict[tuple[str, str], str] = {}
    found = []
    for action in ACTIONS.values():
        for key in keymap.get(action.id, action.keys).split(","):
            other = taken.setdefault((action.where, key.strip()), action.id)
            if other != action.id and (action.id in keymap or other in keymap):
                found.append((key.strip(), other, action.id))
    return found


if __name__ == "__main__":
    sys.stdout.write(keys_page())
