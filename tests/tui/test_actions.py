"""One registry: bindings, key maps, docs and the footer come from it."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

import pytest
from textual.binding import Binding
from textual.dom import DOMNode

import deepimagine_tui.tui as tui
from deepimagine_tui.errors import UsageError
from deepimagine_tui.tui.actions import ACTIONS
from deepimagine_tui.tui.keymap import clashes, keys_page, load_keymap

ROOT = Path(__file__).parents[2]


def house_nodes() -> list[type[DOMNode]]:
    found: dict[str, type[DOMNode]] = {}
    for module in pkgutil.walk_packages(tui.__path__, "deepimagine_tui.tui."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and issubclass(value, DOMNode) and value.__module__.startswith("deepimagine_tui."):
                found[f"{value.__module__}.{value.__qualname__}"] = value
    return list(found.values())


def test_every_binding_of_the_app_is_in_the_registry() -> None:
    bound: set[str] = set()
    for node in house_nodes():
        for binding in node.__dict__.get("BINDINGS", ()):
            assert isinstance(binding, Binding), f"{node.__name__} binds {binding!r} by hand"
            assert binding.id in ACTIONS, f"{node.__name__} binds {binding.key} to an action without an id"
            bound.add(binding.id)
    assert set(ACTIONS) - bound == set(), "actions that no part of the app offers"


def test_a_bound_action_exists_where_it_is_bound() -> None:
    for node in house_nodes():
        for binding in node.__dict__.get("BINDINGS", ()):
            name = f"action_{binding.action.partition('(')[0]}"
            assert hasattr(node, name), f"{node.__name__} has no {name}"


def test_the_page_of_keys_is_up_to_date() -> None:
    page = (ROOT / "docs" / "keys.md").read_text(encoding="utf-8")
    assert page == keys_page(), "run: python -m deepimagine_tui.tui.keymap > docs/keys.md"


def test_no_two_default_keys_clash_in_one_place() -> None:
    assert clashes({action.id: action.keys for action in ACTIONS.values()}) == []


def test_a_missing_key_map_is_an_empty_one(tmp_path: Path) -> None:
    assert load_keymap(tmp_path / "keymap.toml") == {}


def test_a_key_map_names_actions(tmp_path: Path) -> None:
    path = tmp_path / "keymap.toml"
    path.write_text('[keys]\n"data.copy" = "ctrl+y,f6"\n', encoding="utf-8")
    assert load_keymap(path) == {"data.copy": "ctrl+y,f6"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[keys]\n"data.cpoy" = "y"', "data.copy"),
        ('[keys]\n"data.copy" = 5', "data.copy"),
        ('[keys]\n"data.copy" = ""', "data.copy"),
        ('[bindings]\n"data.copy" = "y"', "[keys]"),
        ("keys = 5", "[keys]"),
        ("[keys", "[keys]"),
    ],
)
def test_a_wrong_key_map_is_refused_with_file_and_nearest_key(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "keymap.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        load_keymap(path)
    assert str(path) in str(caught.value)
    assert said in str(caught.value)
