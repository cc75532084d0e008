"""Workers post, handlers mutate: read from the source of every module of the app."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

TUI = Path(__file__).parents[2] / "deepimagine_tui" / "tui"
DECLARED = {"thread", "exclusive", "exit_on_error", "group", "description"}
OWNERS = {"self", "app"}


def modules() -> list[Path]:
    return sorted(TUI.rglob("*.py"))


def workers(path: Path) -> list[tuple[ast.FunctionDef, ast.Call]]:
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                name = decorator.func if isinstance(decorator, ast.Call) else decorator
                if isinstance(name, ast.Name) and name.id == "work":
                    assert isinstance(decorator, ast.Call), f"{path.name}: {node.name} declares nothing"
                    assert isinstance(node, ast.FunctionDef), f"{path.name}: {node.name} must be a thread worker"
                    found.append((node, decorator))
    return found


def test_there_are_workers_to_check() -> None:
    assert sum(len(workers(path)) for path in modules()) >= 8


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(TUI)))
def test_every_worker_is_fully_declared(path: Path) -> None:
    for function, decorator in workers(path):
        given = {keyword.arg: keyword.value for keyword in decorator.keywords}
        assert given.keys() >= DECLARED, f"{function.name} lacks {DECLARED - given.keys()}"
        assert isinstance(given["exit_on_error"], ast.Constant)
        assert given["exit_on_error"].value is False


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(TUI)))
def test_a_worker_only_posts(path: Path) -> None:
    for function, _ in workers(path):
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                owner = node.func.value
                if isinstance(owner, ast.Name) and owner.id in OWNERS:
                    assert node.func.attr == "post_message", f"{function.name} calls {ast.unparse(node.func)}"
            if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                assert not any(
                    isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id in OWNERS
                    for target in targets
                ), f"{function.name} sets an attribute of a widget"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(TUI)))
def test_no_other_way_into_a_thread_or_back(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "call_from_thread" not in text
    assert "run_worker(" not in text
    assert "Thread(" not in text


def test_no_literal_colour_in_a_style_sheet() -> None:
    for path in TUI.rglob("*.tcss"):
        text = path.read_text(encoding="utf-8")
        for line in text.splitlines():
            body = line.partition("{")[2] or line
            assert "rgb(" not in body, f"{path.name}: {line}"
            assert "ansi_" not in body, f"{path.name}: {line}"
            for part in body.replace(";", " ").split():
                assert not (part.startswith("#") and all(char in "0123456789abcdefABCDEF" for char in part[1:4])), (
                    f"{path.name}: {line}"
                )
