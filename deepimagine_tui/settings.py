"""The settings: one typed model, read from flags, environment, project file and user file, in that order of precedence.

Owns the keys, their defaults and the rule that what a person typed beats a default, whichever value it has. Reading never
writes; `save` is the only function that does, and it keeps the comments of the file it changes.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from deepimagine_tui import files, paths
from deepimagine_tui.errors import UsageError

PROJECT_FILE = "deepimagine.toml"
ENVIRONMENT_PREFIX = "DEEPIMAGINE_"

Layer = Literal["flag", "environment", "project file", "user file", "default"]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that can be set once instead of being said each time."""

    corpus: str = ""
    """Path of the corpus to use. Empty: your own corpus once you have imported something, else the starter corpus."""
    model: str = ""
    """Name of the model in the catalogue (`deepimagine models list`). Empty: the one chosen with `deepimagine models use`."""
    adapter: str = ""
    """Path of a LoRA adapter (GGUF) to load on the model. Empty: the one that the catalogue names for the model, if any."""
    calibration: str = ""
    """Path of a calibration file for the model. Empty: your own for it, else the one beside its adapter, else none."""
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)] = 7
    """Seed of the sampling, 0 to 4294967295. The same seed repeats a text on the same build and batch layout only."""
    samples: Annotated[int, msgspec.Meta(ge=1, le=64)] = 1
    """How often each what-if is walked, each time with a seed derived from `seed`; 1 to 64."""
    temperature: Annotated[float, msgspec.Meta(ge=0, le=2)] = 0.7
    """Sampling temperature, 0 (always the likeliest token) to 2."""
    top_p: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.95
    """Nucleus sampling: the smallest set of tokens with this much probability is kept; above 0, at most 1."""
    max_reasoning_tokens: Annotated[int, msgspec.Meta(ge=1, le=8192)] = 96
    """How many tokens the model may reason for at each step before it has to answer; 1 to 8192."""
    anchors: Annotated[int, msgspec.Meta(ge=1, le=64)] = 7
    """How many anchors a forecast walks from; 1 to 64."""
    offline: bool = False
    """Forbid the network: no registry, no remote model."""
    theme: Literal["dark", "light"] = "dark"
    """Theme of the app: `dark` or `light`."""
    figure_format: Literal["svg", "png", "pdf"] = "svg"
    """Format of an exported figure when its file name does not say: `svg`, `png` or `pdf`."""


class Origin(msgspec.Struct, frozen=True):
    """Where the value of a setting was found: the layer, and the file, variable or flag within it (empty for a default)."""

    layer: Layer
    where: str = ""

    def __str__(self) -> str:
        return f"{self.layer}: {self.where}" if self.where else self.layer


class Resolved(msgspec.Struct, frozen=True):
    """The settings in force and, by key, where each came from."""

    settings: Settings
    origins: dict[str, Origin]


KEYS: tuple[str, ...] = Settings.__struct_fields__
_FIELDS = {field.encode_name: field for field in msgspec.structs.fields(Settings)}
_PATH_KEYS = frozenset({"corpus", "adapter", "calibration"})


def load(flags: Mapping[str, object] | None = None) -> Settings:
    """The settings in force; see `resolve`."""
    return resolve(flags).settings


def resolve(
    flags: Mapping[str, object] | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Resolved:
    """Read every layer and keep, per key, the most deliberate one: flag, environment, project file, user file, default.

    Args:
        flags: What was typed on the command line; `None` values were not typed.
        environment: Variables instead of the process's own. An empty variable counts as not set.
        folder: Where `deepimagine.toml` is looked for instead of the current folder.

    Raises:
        UsageError: a file cannot be read, names an unknown key, or a value does not fit its key.
    """
    variables = os.environ if environment is None else environment
    project = (Path.cwd() if folder is None else folder) / PROJECT_FILE
    values: dict[str, object] = {}
    origins = dict.fromkeys(KEYS, Origin("default"))
    for origin in (Origin("user file", str(paths.settings_file())), Origin("project file", str(project))):
        for key, value in _read(Path(origin.where)).items():
            values[key] = value
            origins[key] = origin
    for key in KEYS:
        variable = environment_variable(key)
        if text := variables.get(variable, ""):
            values[key] = _converted(key, text, variable, strict=False)
            origins[key] = Origin("environment", variable)
    for key, value in (flags or {}).items():
        if value is not None:
            flag = f"--{key.replace('_', '-')}"
            values[key] = _converted(key, value, flag, strict=True)
            origins[key] = Origin("flag", flag)
    return Resolved(msgspec.convert(values, Settings), origins)


def environment_variable(key: str) -> str:
    """The variable that sets `key`, e.g. `DEEPIMAGINE_SEED`."""
    return ENVIRONMENT_PREFIX + key.upper()


def save(changes: Mapping[str, object], path: Path | None = None) -> Path:
    """Write `changes` into the user's settings file (or `path`), leaving its comments and other keys alone; return its path.

    A value of `None` takes the key out, which brings the default back.

    Raises:
        UsageError: a key or value cannot be understood, or the file as it stands cannot.
        StorageError: the file cannot be written.
    """
    import tomlkit

    target = path or paths.settings_file()
    _read(target)
    document = tomlkit.parse(_text(target))
    for key, value in changes.items():
        _known(key, str(target))
        if value is None:
            document.pop(key, None)
        else:
            document[key] = msgspec.to_builtins(_converted(key, value, str(target), strict=True))
    files.write_text(target, tomlkit.dumps(document))
    return target


def attribute_docstrings(cls: type) -> dict[str, str]:
    """The string below each attribute of a class, by attribute name: what documents are generated from."""
    import ast
    import inspect
    import textwrap

    tree = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
    found: dict[str, str] = {}
    name = ""
    for node in tree.body if isinstance(tree, ast.ClassDef) else ():
        match node:
            case ast.AnnAssign(target=ast.Name(id=attribute)) | ast.Assign(targets=[ast.Name(id=attribute)]):
                name = attribute
            case ast.Expr(value=ast.Constant(value=str(text))) if name:
                found[name] = " ".join(text.split())
                name = ""
            case _:
                name = ""
    return found


def default_of(key: str) -> object:
    """The value that `key` has when nobody set it."""
    return _FIELDS[key].default


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        raise UsageError(f"The settings file {path} cannot be read ({error.strerror}).", "Change its permissions.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"The settings file {path} is not UTF-8 text.", "Save it again as UTF-8.") from error


def _read(path: Path) -> dict[str, object]:
    try:
        document = tomllib.loads(_text(path))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"The settings file {path} is not valid TOML: {error}.", "Lines look like: seed = 7") from error
    values: dict[str, object] = {}
    for key, value in document.items():
        _known(key, str(path))
        converted = _converted(key, value, str(path), strict=True)
        if key in _PATH_KEYS and isinstance(converted, str) and converted:
            converted = str(path.parent / Path(converted).expanduser())
        values[key] = converted
    return values


def _known(key: str, where: str) -> None:
    if key in _FIELDS:
        return
    near = difflib.get_close_matches(key, KEYS, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"The keys are: {', '.join(KEYS)}."
    raise UsageError(f"{where} sets {key!r}, which is not a setting.", hint)


def _converted(key: str, value: object, where: str, *, strict: bool) -> object:
    try:
        return msgspec.convert(value, _FIELDS[key].type, strict=strict)
    except msgspec.ValidationError as error:
        about = attribute_docstrings(Settings)[key]
        raise UsageError(f"{where} sets {key} to {value!r}, which does not fit: {error}.", f"{key}: {about}") from error
