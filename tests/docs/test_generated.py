"""The documents say what the code says."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from deepimagine_tui import settings
from deepimagine_tui.errors import ExitCode

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["docs_generate"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["cli.md", "exit-codes.md", "settings.md"])
def test_a_page_is_what_the_generator_makes(generate: ModuleType, name: str):
    assert (DOCS / name).read_text("utf-8") == generate.PAGES[name](), "run: python docs/generate.py"


def test_every_exit_code_and_setting_is_explained():
    assert set(settings.attribute_docstrings(ExitCode)) == {code.name for code in ExitCode}
    assert set(settings.attribute_docstrings(settings.Settings)) == set(settings.KEYS)


def test_no_two_exit_codes_share_a_number():
    numbers = re.findall(r"^\| (\d+) \|", (DOCS / "exit-codes.md").read_text("utf-8"), flags=re.M)
    assert len(numbers) == len(set(numbers)) == len(ExitCode)
