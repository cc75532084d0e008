"""Reading recipes: the shipped ones by name, anybody's by path; every mistake in one is told with its file and key."""

from __future__ import annotations

import difflib
import re
from collections.abc import Hashable, Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from deepimagine_training.recipe import SCHEMA_VERSION, Recipe
from deepimagine_tui.errors import BadInputError, NewerSchemaError, NotFoundError, UsageError
from deepimagine_tui.extras import extra

_SUFFIX = ".yaml"


def named() -> tuple[str, ...]:
    """The names of the recipes that ship."""
    return tuple(sorted(entry.name.removesuffix(_SUFFIX) for entry in _shipped().iterdir() if entry.name.endswith(_SUFFIX)))


def read(name_or_path: str, overrides: Mapping[str, str] | None = None) -> Recipe:
    """The recipe that ships under a name, or the one in a file, with `overrides` (dotted key -> text) put over it.

    Raises:
        MissingExtraError: PyYAML is not installed.
        NotFoundError: there is neither such a recipe nor such a file.
        BadInputError: the file is not a recipe: no YAML, an unknown key, a value that does not fit.
        NewerSchemaError: it is written for a newer DeepImagine.
        UsageError: an override names no key, or its value does not fit.
    """
    where, text = _text(name_or_path)
    values = _parsed(where, text)
    found = values.get("schema_version", SCHEMA_VERSION)
    if isinstance(found, int) and found > SCHEMA_VERSION:
        raise NewerSchemaError(
            f"{where} is a recipe of version {found}; this DeepImagine reads version {SCHEMA_VERSION}.", "Update DeepImagine."
        )
    _check_keys(where, values)
    for key, given in (overrides or {}).items():
        _override(values, key, given)
    try:
        return msgspec.convert(values, Recipe)
    except msgspec.ValidationError as error:
        raise BadInputError(f"{where} does not fit a recipe: {error}.", "Correct that value.") from error


def keys() -> dict[str, object]:
    """Every key of a recipe in dotted form, with its type."""
    return dict(_keys(Recipe, ""))


def flat(recipe: Recipe) -> dict[str, object]:
    """The values of a recipe by dotted key, in the order of the structs."""
    values = msgspec.to_builtins(recipe)
    found: dict[str, object] = {}
    for key in keys():
        section, _, name = key.rpartition(".")
        found[key] = values[section][name] if section else values[name]
    return found


def _shipped() -> Any:  # noqa: ANN401  # importlib.resources' Traversable, whose module moved between versions
    return files("deepimagine_training") / "recipes"


def _text(name_or_path: str) -> tuple[str, str]:
    if name_or_path in named():
        return f"recipe {name_or_path}", (_shipped() / f"{name_or_path}{_SUFFIX}").read_text("utf-8")
    path = Path(name_or_path)
    if not path.is_file():
        hint = _nearest(name_or_path, named()) or f"The recipes are: {', '.join(named())}; or name a file of YAML."
        raise NotFoundError(f"There is no recipe and no file {name_or_path!r}.", hint)
    try:
        return str(path), path.read_text("utf-8")
    except OSError as error:
        raise BadInputError(f"{path} cannot be read ({error.strerror}).", "Change its permissions.") from error
    except UnicodeDecodeError as error:
        raise BadInputError(f"{path} is not UTF-8 text.", "Save it again as UTF-8.") from error


def _parsed(where: str, text: str) -> dict[str, Any]:
    yaml = extra("yaml")

    class Loader(yaml.SafeLoader):  # type: ignore[name-defined,misc]  # the class of a package without types
        """YAML whose `1e-4` is a number, as in YAML 1.2, and in which no key stands twice."""

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:  # noqa: ANN401
            said = [self.construct_object(key, deep=deep) for key, _ in node.value]
            twice = next((key for key in said if said.count(key) > 1), None)
            if twice is not None:
                raise BadInputError(f"{where} says {twice!r} twice.", "Take one of the two out.")
            constructed: dict[Hashable, Any] = super().construct_mapping(node, deep=deep)
            return constructed

    Loader.add_implicit_resolver(
        "tag:yaml.org,2002:float", re.compile(r"^[-+]?(\d+(\.\d*)?|\.\d+)[eE][-+]?\d+$"), list("-+.0123456789")
    )
    try:
        values = yaml.load(text, Loader=Loader)
    except yaml.YAMLError as error:
        raise BadInputError(f"{where} is not valid YAML ({' '.join(str(error).split())}).", "Correct it there.") from error
    if not isinstance(values, dict):
        raise BadInputError(f"{where} is not a recipe: it holds no keys.", f"Start from a shipped one: {', '.join(named())}.")
    return values


def _keys(cls: type, prefix: str) -> Iterator[tuple[str, object]]:
    for field in msgspec.structs.fields(cls):
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            yield from _keys(field.type, f"{prefix}{field.name}.")
        else:
            yield f"{prefix}{field.name}", field.type


def _check_keys(where: str, values: Mapping[Any, Any]) -> None:
    known = keys()
    sections = {key.partition(".")[0] for key in known if "." in key}
    for name, value in values.items():
        if name in sections and isinstance(value, dict):
            said = [f"{name}.{below}" for below in value]
        elif name in sections:
            raise BadInputError(f"{where} gives {name} no keys of its own.", f"Indent them below {name}: or leave it out.")
        else:
            said = [str(name)]
        for key in said:
            if key not in known:
                raise BadInputError(f"{where} says {key!r}, which is no key of a recipe.", _nearest_key(key))


def _override(values: dict[str, Any], key: str, given: str) -> None:
    known = keys()
    if key not in known:
        raise UsageError(f"--set {key}={given}: a recipe has no key {key!r}.", _nearest_key(key))
    value: object = given
    if isinstance(msgspec.inspect.type_info(known[key]), msgspec.inspect.VarTupleType):
        value = [part.strip() for part in given.split(",") if part.strip()]
    try:
        converted = msgspec.convert(value, known[key], strict=False)
    except msgspec.ValidationError as error:
        raise UsageError(f"--set {key}={given} does not fit: {error}.", "Give it a value of that kind.") from error
    section, _, name = key.rpartition(".")
    (values.setdefault(section, {}) if section else values)[name] = msgspec.to_builtins(converted)


def _nearest_key(key: str) -> str:
    """A hint at the key that was meant: the nearest of its section, else what there is."""
    section, _, name = key.rpartition(".")
    beside = {known.rpartition(".")[2]: known for known in keys() if known.rpartition(".")[0] == section}
    near = difflib.get_close_matches(name, beside, n=1)
    if near:
        return f"Did you mean {beside[near[0]]}?"
    return _nearest(key, tuple(keys())) if not beside else f"The keys there are: {', '.join(beside)}."


def _nearest(word: str, among: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(word, among, n=1)
    return f"Did you mean {near[0]}?" if near else ""
