"""Which models are known, which is used, and what is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from threading import Event

import pytest

from deepimagine_tui import files, paths
from deepimagine_tui.backends import digests, embedded
from deepimagine_tui.backends.catalogue import EMBEDDED, SCRIPTED, Catalogue, ensure_ready, open_backend
from deepimagine_tui.errors import (
    BadInputError,
    CancelledError,
    ModelError,
    NewerSchemaError,
    NotFoundError,
    RefusedError,
    StorageError,
    UsageError,
)


def test_without_the_package_the_demo_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "installed", lambda: False)
    catalogue = Catalogue.load()
    assert list(catalogue) == [SCRIPTED]
    assert catalogue.default() == SCRIPTED
    assert open_backend(catalogue.default()).info.demo
    with pytest.raises(NotFoundError, match="gemma-270m"):
        catalogue.get("gemma-270m")


def test_with_the_package_the_embedded_model_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "installed", lambda: True)
    assert Catalogue.load().default().id == EMBEDDED.id


def test_reading_writes_nothing() -> None:
    Catalogue.load().default()
    assert not paths.models_dir().exists()


def test_a_file_is_listed_once_used_and_removed(tiny_gguf: Path) -> None:
    catalogue = Catalogue.load()
    entry = catalogue.add(tiny_gguf, "My tiny")
    assert (entry.id, entry.licence) == ("my-tiny", "cc0-1.0")
    assert catalogue.add(tiny_gguf, "My tiny").id == "my-tiny"
    catalogue.use("my-tiny")
    again = Catalogue.load()
    assert again.default() == entry
    assert again.get("my-tiny") == entry
    again.remove("my-tiny")
    assert Catalogue.load().default().id in (EMBEDDED.id, SCRIPTED.id)
    assert tiny_gguf.exists()


def test_a_path_can_be_named_without_listing_it(tiny_gguf: Path) -> None:
    catalogue = Catalogue.load()
    assert catalogue.get(str(tiny_gguf)).path == str(tiny_gguf.resolve())
    assert len(catalogue.entries()) == len(Catalogue.load().entries())
    assert catalogue.use(str(tiny_gguf)).id == Catalogue.load().default().id


def test_ids_stay_unique(tiny_gguf: Path, tmp_path: Path) -> None:
    other = tmp_path / "tiny.gguf"
    other.write_bytes(tiny_gguf.read_bytes())
    catalogue = Catalogue.load()
    assert [catalogue.add(tiny_gguf).id, catalogue.add(other).id] == ["tiny", "tiny-2"]
    assert catalogue.add(tiny_gguf, "scripted").id == "scripted-2"


def test_what_cannot_be_listed_says_why(tmp_path: Path, tiny_adapter: Path) -> None:
    catalogue = Catalogue.load()
    with pytest.raises(ModelError, match="is an adapter"):
        catalogue.add(tiny_adapter)
    with pytest.raises(NotFoundError):
        catalogue.get(str(tmp_path / "none.gguf"))
    with pytest.raises(NotFoundError, match="no model 'scriptd'"):
        catalogue.get("scriptd")
    with pytest.raises(RefusedError):
        catalogue.remove("scripted")
    with pytest.raises(UsageError):
        catalogue.add_remote("localhost:8080", "m")


def test_a_damaged_or_newer_catalogue_is_refused() -> None:
    store = paths.models_dir() / "models.json"
    files.write_text(store, "{")
    with pytest.raises(BadInputError, match="is damaged"):
        Catalogue.load()
    files.write_text(store, '{"schema_version": 99}')
    with pytest.raises(NewerSchemaError):
        Catalogue.load()


def test_a_listed_file_that_is_gone_is_named(tmp_path: Path, tiny_gguf: Path) -> None:
    path = tmp_path / "gone.gguf"
    path.write_bytes(tiny_gguf.read_bytes())
    entry = Catalogue.load().add(path)
    path.unlink()
    with pytest.raises(NotFoundError, match="is gone"):
        ensure_ready(entry, lambda _share: None, Event())


def test_a_file_that_is_opened_has_its_digest_before_it_is_loaded(tiny_gguf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shares: list[float] = []
    backend = open_backend(Catalogue.load().get(str(tiny_gguf)), progress=shares.append)
    assert backend.info.sha256 == files.sha256(tiny_gguf)
    assert shares[-1] == 1.0

    def refuse(path: Path, content: bytes) -> None:
        raise StorageError(f"{path} {len(content)}")

    monkeypatch.setattr(files, "write_bytes", refuse)
    tiny_gguf.touch()
    assert open_backend(Catalogue.load().get(str(tiny_gguf))).info.sha256 == backend.info.sha256


def test_adapters_need_a_local_model(tiny_adapter: Path) -> None:
    with pytest.raises(RefusedError, match="takes no adapter"):
        open_backend(SCRIPTED, adapter=tiny_adapter)


def test_a_digest_is_remembered_until_the_file_changes(tmp_path: Path) -> None:
    path = tmp_path / "weights"
    path.write_bytes(b"one")
    first = digests.sha256(path)
    assert digests.recall(path) == first == files.sha256(path)
    path.write_bytes(b"three")
    assert digests.recall(path) == ""
    with pytest.raises(CancelledError):
        digests.sha256(path, lambda: True)


def test_a_failed_assembly_leaves_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    part = tmp_path / "part"
    part.write_bytes(b"not the model")
    monkeypatch.setattr(embedded, "chunks", lambda: [part])
    with pytest.raises(ModelError, match="expected file"):
        embedded.assemble(lambda _share: None, Event())
    stop = Event()
    stop.set()
    with pytest.raises(CancelledError):
        embedded.assemble(lambda _share: None, stop)
    assert list(paths.models_dir().iterdir()) == []


@pytest.mark.model
def test_the_embedded_model_is_assembled_once() -> None:
    pytest.importorskip(embedded.PACKAGE)
    shares: list[float] = []
    path = ensure_ready(EMBEDDED, shares.append, Event())
    assert files.sha256(path) == embedded.SHA256
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    written = path.stat().st_mtime_ns
    assert ensure_ready(EMBEDDED, shares.append, Event()).stat().st_mtime_ns == written
    assert not list(path.parent.glob("*.part"))


def test_the_parent_side_imports_nothing_heavy() -> None:
    modules = ["catalogue", "digests", "embedded", "gguf_header", "host", "llama", "openai", "protocol", "scripted"]
    imports = ";".join(f"import deepimagine_tui.backends.{name}" for name in modules)
    heavy = "{'llama_cpp', 'numpy', 'jinja2', 'textual'} & set(sys.modules)"
    code = f"import sys;{imports};print(sorted({heavy}))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
