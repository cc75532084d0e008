"""The checks of `doctor`. Each only looks; none writes, and none sends anything."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import msgspec

from deepimagine_tui import __version__, paths, settings
from deepimagine_tui.cli.console import is_terminal
from deepimagine_tui.errors import DeepImagineError, ExitCode
from deepimagine_tui.settings import Settings

_ROOM_NEEDED = 50_000_000
_ROOM_FOR_A_MODEL = 600_000_000


class Check(msgspec.Struct, frozen=True):
    """What was looked at and found. A `problem` keeps the app from working and names the exit code; a `note` does not."""

    name: str
    state: Literal["ok", "note", "problem"]
    detail: str
    hint: str = ""
    code: ExitCode = ExitCode.OK


def all_checks(chosen: Settings) -> list[Check]:
    """Every check, in the order in which one would fix things."""
    return [
        _version(),
        _terminal(),
        *(_folder(name, path) for name, path in _folders().items()),
        _room(),
        _corpus(chosen),
        _local_extra(),
        _model(chosen),
        _training_extra(),
        _network(chosen),
        *_variables(),
    ]


def _version() -> Check:
    return Check("version", "ok", f"DeepImagine {__version__}, Python {platform.python_version()}, {platform.system()}")


def _terminal() -> Check:
    unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    colours = "truecolor" if os.environ.get("COLORTERM") in ("truecolor", "24bit") else os.environ.get("TERM") or "unknown"
    size = shutil.get_terminal_size()
    detail = (
        f"{size.columns}x{size.lines}, {colours}, {sys.stdout.encoding}"
        if is_terminal(sys.stdout)
        else "standard output is no terminal"
    )
    if not unicode:
        return Check("terminal", "note", detail, "Marks are shown as * and o: set a UTF-8 locale, e.g. LANG=C.UTF-8.")
    if is_terminal(sys.stdout) and (size.columns < 80 or size.lines < 24):
        return Check("terminal", "note", detail, "The app needs 80 columns and 24 lines.")
    return Check("terminal", "ok", detail)


def _folders() -> dict[str, Path]:
    return {
        "settings folder": paths.config_dir(),
        "data folder": paths.data_dir(),
        "cache folder": paths.cache_dir(),
        "log folder": paths.log_dir(),
    }


def _existing(path: Path) -> Path:
    """The folder itself, or the nearest one above it that exists."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def _folder(name: str, path: Path) -> Check:
    base = _existing(path)
    if base.is_dir() and os.access(base, os.W_OK | os.X_OK):
        return Check(name, "ok", str(path))
    hint = "Set DEEPIMAGINE_HOME to a folder you can write to."
    if name == "data folder":
        return Check(name, "problem", f"{path} cannot be written: runs could not be kept", hint, ExitCode.STORAGE)
    return Check(name, "note", f"{path} cannot be written", hint)


def _room() -> Check:
    free = min(shutil.disk_usage(_existing(path)).free for path in (paths.data_dir(), paths.cache_dir()))
    detail = f"{free / 1e9:.1f} GB free"
    if free < _ROOM_NEEDED:
        return Check("disk", "problem", detail, "Free some space.", ExitCode.STORAGE)
    if free < _ROOM_FOR_A_MODEL:
        return Check("disk", "note", detail, "Unpacking the embedded model needs up to 0.6 GB.")
    return Check("disk", "ok", detail)


def _corpus(chosen: Settings) -> Check:
    from deepimagine_tui.cli.session import opened_corpus

    try:
        with opened_corpus(chosen) as corpus:
            found = corpus.stats()
            where = corpus.path
    except DeepImagineError as error:
        return Check("corpus", "problem", error.message, error.hint, error.exit_code)
    return Check("corpus", "ok", f"{found.name}: {found.trials:,} trials, data to {found.data_date or 'unknown'} ({where})")


def _local_extra() -> Check:
    compiler = next((name for name in ("c++", "g++", "clang++", "cl") if shutil.which(name)), None)
    if find_spec("llama_cpp"):
        return Check("local models", "ok", "llama-cpp-python is installed")
    detail = f"llama-cpp-python is not installed; C++ compiler: {compiler or 'none found'}"
    first = "" if compiler else "Install a C++ compiler first. "
    return Check("local models", "note", detail, f"{first}pip install 'deepimagine[local]'; until then the demo answers.")


def _model(chosen: Settings) -> Check:
    from deepimagine_tui import files
    from deepimagine_tui.backends import digests, embedded
    from deepimagine_tui.backends.catalogue import Catalogue
    from deepimagine_tui.backends.gguf_header import check_model, read_header
    from deepimagine_tui.cli.session import choose_model

    try:
        entry = choose_model(Catalogue.load(), chosen, None)
        if entry.kind == "scripted":
            return Check("model", "note", "no model: the demo answers", "deepimagine models add FILE.gguf")
        if entry.kind == "openai":
            return Check("model", "ok", f"{entry.model} at {entry.url}")
        path = paths.models_dir() / embedded.FILE_NAME if entry.kind == "embedded" else Path(entry.path)
        if entry.kind == "embedded" and not path.is_file():
            return Check("model", "ok", f"{entry.name}, unpacked at its first use")
        header = read_header(path)
        check_model(header)
    except DeepImagineError as error:
        return Check("model", "note", error.message, error.hint)
    digest = digests.recall(path) or files.sha256(path)
    if entry.kind == "embedded" and digest != embedded.SHA256:
        return Check("model", "note", f"{path} is not the file that was shipped", "Delete it; the next use unpacks it again.")
    return Check("model", "ok", f"{entry.name}, {header.quantisation}, sha256 {digest[:12]} ({path})")


def _training_extra() -> Check:
    if find_spec("torch"):
        return Check("training", "ok", "torch is installed")
    return Check("training", "ok", "not installed, and not needed to imagine")


def _network(chosen: Settings) -> Check:
    return Check("network", "ok", "forbidden (offline)" if chosen.offline else "used by `corpus fetch` and remote models only")


def _variables() -> list[Check]:
    known = {settings.environment_variable(key) for key in settings.KEYS}
    known |= {"DEEPIMAGINE_HOME", "DEEPIMAGINE_API_KEY", "DEEPIMAGINE_SHARED_DATA"}
    unknown = sorted(name for name in os.environ if name.startswith(settings.ENVIRONMENT_PREFIX) and name not in known)
    return [Check("environment", "note", f"{name} is set, but means nothing", "See docs/settings.md.") for name in unknown]
