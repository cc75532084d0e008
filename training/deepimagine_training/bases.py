"""The base model that is trained: a GGUF file, a folder as transformers saves it, or a hub id.

A GGUF file is dequantised, and is from then on an ordinary transformers model that can be saved. The catalogue's embedded model
is a GGUF file too: whoever knows the catalogue passes its path.
"""

from __future__ import annotations

import gc
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from deepimagine_training.recipe import Device, Precision
from deepimagine_tui.backends import digests
from deepimagine_tui.backends.gguf_header import check_model, read_header
from deepimagine_tui.errors import BadInputError, ModelError, NetworkError, NotFoundError
from deepimagine_tui.extras import extra

BaseKind = Literal["gguf", "folder", "hub"]

_WEIGHTS = "*.safetensors"
_OLD_WEIGHTS = "pytorch_model*.bin"
_WRITING = ("ForCausalLM", "LMHeadModel", "ForConditionalGeneration")
"""How transformers' names of models that write text end; what is called another way was trained for something else."""
_INDEX = "model.safetensors.index.json"
_SINGLE = "model.safetensors"


class BaseFacts(msgspec.Struct, frozen=True):
    """Which base it is. `name` is the hub id or the name of the file or folder; `path` is where its weights lie on this
    machine. `sha256` is of the GGUF file, or of the list of the weight files' hashes. `architecture` is as the file names it:
    `general.architecture` of a GGUF file, `model_type` of a configuration."""

    name: str
    kind: BaseKind
    path: str
    sha256: str
    architecture: str


class Loaded(NamedTuple):
    """A model of transformers, in evaluation mode, with its tokenizer and where it is from."""

    model: Any
    tokenizer: Any
    facts: BaseFacts


def resolve(base: str) -> BaseFacts:
    """Find a base and identify its weights; a hub id is downloaded first, unless it was before.

    Raises:
        NotFoundError: there is no such file or folder, and no such model on the hub.
        NetworkError: the hub cannot be reached and the model was not downloaded before.
        BadInputError: the file is damaged, or the folder holds no model.
        ModelError: it is a model that cannot be trained here.
        MissingExtraError: the `training` extra is not installed.
    """
    path = Path(base).expanduser()
    if path.is_dir():
        return _of_folder(path, path.resolve().name, "folder")
    if path.is_file():
        return _of_gguf(path)
    if path.suffix == ".gguf" or path.is_absolute() or base.startswith((".", "~")) or base.count("/") > 1:
        raise NotFoundError(f"There is no model {base}.", "Name a GGUF file, a folder as transformers saves it, or a hub id.")
    return _of_folder(_downloaded(base), base, "hub")


def load(facts: BaseFacts, precision: Precision = "float32", device: Device = "cpu") -> Loaded:
    """Load the weights and the tokenizer of a base; a GGUF of Gemma 3 270M takes under a minute.

    Raises:
        BadInputError: the weights or the tokenizer cannot be read.
        ModelError: transformers does not know the architecture, or the device is not there.
        MissingExtraError: the `training` extra is not installed.
    """
    torch, transformers = extra("torch"), extra("transformers")
    if device == "cuda" and not torch.cuda.is_available():
        raise ModelError("There is no GPU that torch can use on this machine.", "Set machine.device to cpu in the recipe.")
    source: dict[str, Any] = {"pretrained_model_name_or_path": facts.path}
    if facts.kind == "gguf":
        extra("gguf")
        file = Path(facts.path).resolve()
        source = {"pretrained_model_name_or_path": str(file.parent), "gguf_file": file.name}
    with _readable(facts):
        tokenizer = transformers.AutoTokenizer.from_pretrained(local_files_only=True, **source)
        model = transformers.AutoModelForCausalLM.from_pretrained(
            dtype=getattr(torch, precision), local_files_only=True, **source, **_text_only(facts)
        )
    gc.collect()
    _forget_quantisation(model)
    model.config.name_or_path = model.name_or_path = "" if facts.kind == "gguf" else facts.path
    return Loaded(model.to(place_of(device)).eval(), tokenizer, facts)


def place_of(device: Device) -> str:
    """The device of this process as torch names it: of several on a machine, as torch's launchers number them, each has a card
    of its own."""
    return f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if device == "cuda" else device


def _of_gguf(path: Path) -> BaseFacts:
    header = read_header(path)
    check_model(header)
    known = extra("transformers.modeling_gguf_pytorch_utils").GGUF_SUPPORTED_ARCHITECTURES
    if header.architecture not in known:
        raise ModelError(
            f"transformers reads no GGUF file of the architecture {header.architecture!r}, so {path.name} cannot be trained.",
            "Give the model as a folder or a hub id instead.",
        )
    return BaseFacts(path.name, "gguf", str(path.resolve()), digests.sha256(path), header.architecture)


def _of_folder(folder: Path, name: str, kind: BaseKind) -> BaseFacts:
    architecture = _configuration(folder, name).get_text_config().model_type
    weights = sorted(folder.glob(_WEIGHTS)) or sorted(folder.glob(_OLD_WEIGHTS))
    if not weights:
        raise BadInputError(f"{name} holds no weights: neither {_WEIGHTS} nor {_OLD_WEIGHTS}.", "Copy the folder again.")
    digest = hashlib.sha256("".join(f"{digests.sha256(file)}  {file.name}\n" for file in weights).encode()).hexdigest()
    return BaseFacts(name, kind, str(folder.resolve()), digest, architecture)


def _configuration(folder: Path, name: str) -> Any:  # noqa: ANN401  # a transformers configuration
    transformers = extra("transformers")
    unreadable = BadInputError(f"{name} holds no model: it has no readable config.json.", "Name another base.")
    if not (folder / "config.json").is_file():
        raise unreadable
    try:
        config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
    except OSError as error:
        raise unreadable from error
    except (ValueError, KeyError) as error:
        raise ModelError(f"{name} is of an architecture that transformers does not know.", "Name another base.") from error
    named = config.architectures or ()
    reads = named and not any(name.endswith(_WRITING) for name in named)
    if reads or type(config.get_text_config()) not in transformers.AutoModelForCausalLM._model_mapping:
        raise ModelError(f"{name} is a {config.model_type!r} model, which does not write text.", "Name a language model.")
    return config


def _text_only(facts: BaseFacts) -> dict[str, Any]:
    """For a model that also sees images: the configuration of its language model alone."""
    if facts.kind == "gguf":
        return {}
    config = _configuration(Path(facts.path), facts.name)
    return {"config": config.get_text_config()} if config.get_text_config() is not config else {}


def prefix_of_language(facts: BaseFacts) -> str:
    """What the names of a language model's layers have before them in its base, where that also sees images; else none."""
    return "model.language_model." if _text_only(facts) else ""


def _downloaded(name: str) -> Path:
    """The folder of a hub model on this machine, weights and tokenizer included."""
    hub = extra("transformers.utils.hub")
    transformers = extra("transformers")
    try:
        config = hub.cached_file(name, "config.json")
        transformers.AutoTokenizer.from_pretrained(name)
        index = hub.cached_file(name, _INDEX, _raise_exceptions_for_missing_entries=False)
        if index is None:
            hub.cached_file(name, _SINGLE)
        else:
            hub.get_checkpoint_shard_files(name, index)
    except (OSError, ValueError) as error:
        hint = "Name a GGUF file or a folder, or download it where there is a network and copy the hub's cache."
        if "not a valid model identifier" in str(error) or "not a local folder" in str(error):
            raise NotFoundError(f"There is no model {name!r}, neither here nor on the hub.", hint) from error
        raise NetworkError(f"The model {name!r} is not on this machine and cannot be downloaded now.", hint) from error
    return Path(config).parent


@contextmanager
def _readable(facts: BaseFacts) -> Iterator[None]:
    """Tell what libraries raise over weights that they cannot read as one sentence."""
    errors = (OSError, ValueError, KeyError, IndexError, RuntimeError, extra("safetensors").SafetensorError)
    try:
        yield
    except errors as error:
        reason = " ".join(str(error).split())[:200].rstrip(".")
        raise BadInputError(f"{facts.name} cannot be loaded: {reason}.", "Copy it again, or name another base.") from error


def _forget_quantisation(model: Any) -> None:  # noqa: ANN401  # a transformers model
    """Remove the mark of a quantised file: the weights are dequantised by now, and a marked model cannot be saved."""
    quantiser = getattr(model, "hf_quantizer", None)
    if quantiser is not None:
        quantiser.remove_quantization_config(model)
