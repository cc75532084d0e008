"""Where DeepImagine keeps things. Pure: no function here creates a file or a folder."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import PlatformDirs

_DIRS = PlatformDirs("deepimagine", appauthor=False)


def _folder(variable: str, default: str) -> Path:
    home = os.environ.get("DEEPIMAGINE_HOME")
    if home:
        return Path(home) / variable
    return Path(default)


def config_dir() -> Path:
    """Settings and key maps: `settings.toml`, `keymap.toml`."""
    return _folder("config", _DIRS.user_config_dir)


def data_dir() -> Path:
    """The workspace, which cannot be rebuilt: runs, scenarios, the user's corpora."""
    return _folder("data", _DIRS.user_data_dir)


def cache_dir() -> Path:
    """What can be made again: assembled models, the unpacked starter corpus."""
    return _folder("cache", _DIRS.user_cache_dir)


def log_dir() -> Path:
    """Logs of the app and of the model's process."""
    return _folder("log", _DIRS.user_log_dir)


def runs_dir() -> Path:
    """One journal a run, `<run id>.jsonl`."""
    return data_dir() / "runs"


def workspace_db() -> Path:
    """The rebuildable index of the runs folder."""
    return data_dir() / "workspace.db"


def default_corpus() -> Path:
    """The user's own corpus, made by the first import."""
    return data_dir() / "corpus.db"


def models_dir() -> Path:
    """Assembled models and the catalogue file `models.json`."""
    return cache_dir() / "models"


def settings_file() -> Path:
    """The user's settings."""
    return config_dir() / "settings.toml"
