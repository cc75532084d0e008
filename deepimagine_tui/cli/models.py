"""`deepimagine models`: which models there are, which one answers, and what is known of each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from deepimagine_tui.cli.console import emit, emit_json, narrate, table
from deepimagine_tui.cli.options import as_json
from deepimagine_tui.errors import UsageError

if TYPE_CHECKING:
    from deepimagine_tui.backends.catalogue import CatalogueEntry


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def models() -> None:
    """List, add, choose and describe models."""


@models.command("list")
@as_json
def list_models(json_output: bool) -> None:
    """List the models that can answer; `*` marks the one that does."""
    from deepimagine_tui.backends.catalogue import Catalogue

    catalogue = Catalogue.load()
    used = catalogue.default().id
    facts = [_facts(entry) | {"used": entry.id == used} for entry in catalogue.entries()]
    if json_output:
        emit_json({"models": facts})
        return
    rows = [
        (
            "*" if fact["used"] else "",
            *(str(fact[key] or "-") for key in ("id", "name", "kind", "quantisation")),
            _size(fact),
            _state(fact),
        )
        for fact in facts
    ]
    emit(table(("", "ID", "NAME", "KIND", "QUANT", "SIZE", "STATE"), rows, stretch=2, numeric=(5,)))


@models.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--name", default="", help="Name to show instead of the file's own.")
@click.option(
    "--url", default="", metavar="URL", help="Add a model of an OpenAI-compatible server, e.g. http://localhost:8080/v1."
)
@click.option("--served-as", default="", metavar="NAME", help="With --url: the server's name of the model.")
@click.option(
    "--api",
    type=click.Choice(["completions", "chat"]),
    default="chat",
    show_default=True,
    help="With --url: which of its interfaces.",
)
@click.option(
    "--context-length", type=click.IntRange(256), default=8192, show_default=True, help="With --url: tokens it can read."
)
def add(file: Path | None, name: str, url: str, served_as: str, api: str, context_length: int) -> None:
    """Add a GGUF FILE, or with --url a model of a server, to the catalogue.

    The file stays where it is. Nothing is sent to a server.
    """
    from deepimagine_tui.backends.catalogue import Catalogue

    if bool(file) == bool(url):
        raise UsageError("Say which model to add: a GGUF file, or --url.", "For example: deepimagine models add model.gguf")
    catalogue = Catalogue.load()
    if file:
        entry = catalogue.add(file, name)
    elif served_as:
        entry = catalogue.add_remote(url, served_as, name, "chat" if api == "chat" else "completions", context_length)
    else:
        raise UsageError("Say which model of the server to use.", "Add --served-as NAME, as the server lists it.")
    emit(entry.id)
    narrate(f"Added. Use it with: deepimagine models use {entry.id}")


@models.command()
@click.argument("model")
def use(model: str) -> None:
    """Make MODEL (an id, or the path of a GGUF file) the one that answers.

    The embedded model is unpacked here if that has not been done yet.
    """
    from deepimagine_tui import settings
    from deepimagine_tui.backends.catalogue import Catalogue, ensure_ready
    from deepimagine_tui.cli.progress import Progress
    from deepimagine_tui.cli.session import stoppable

    entry = Catalogue.load().get(model)
    if entry.kind in ("embedded", "file"):
        with stoppable() as cancel, Progress(f"Unpacking {entry.name}") as progress:
            ensure_ready(entry, progress.share, cancel)
    used = Catalogue.load().use(model)
    emit(used.id)
    resolved = settings.resolve()
    if resolved.settings.model not in ("", used.id):
        narrate(f"Note: {resolved.settings.model!r} still answers, because model is set ({resolved.origins['model']}).")


@models.command()
@click.argument("model", required=False)
@as_json
def info(model: str | None, json_output: bool) -> None:
    """Describe MODEL, by default the one that answers: architecture, size, context, template, licence, hash, and its card."""
    from deepimagine_tui.backends.catalogue import Catalogue

    catalogue = Catalogue.load()
    entry = catalogue.get(model) if model else catalogue.default()
    facts = _facts(entry, hashed=True)
    if json_output:
        emit_json(facts)
        return
    shown = [
        (key.replace("_", " "), f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value))
        for key, value in facts.items()
        if key != "card"
    ]
    emit("\n".join(f"{key:<16}{value}" for key, value in shown if value not in ("", "0")))
    card = facts["card"]
    if isinstance(card, tuple) and card:
        emit("\n" + "\n".join(str(sentence) for sentence in card))


@models.command()
@click.argument("model")
def remove(model: str) -> None:
    """Take MODEL off the catalogue. Its file is not touched."""
    from deepimagine_tui.backends.catalogue import Catalogue

    Catalogue.load().remove(model)
    narrate(f"{model} is no longer listed; its file was left alone.")


def _facts(entry: CatalogueEntry, *, hashed: bool = False) -> dict[str, object]:
    from deepimagine_tui.backends.facts import model_facts

    return msgspec.structs.asdict(model_facts(entry, hashed=hashed))


def _size(fact: dict[str, object]) -> str:
    size = fact["size_bytes"]
    return f"{size / 1e6:.0f} MB" if isinstance(size, int) and size else "-"


def _state(fact: dict[str, object]) -> str:
    return str(fact["problem"]) or ("answers without a model" if fact["kind"] == "scripted" else "ready")
