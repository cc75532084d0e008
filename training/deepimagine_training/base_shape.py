"""How large a base model is, without loading its weights: what memory and time are estimated from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from deepimagine_tui.backends.gguf_header import GgufHeader, read_header
from deepimagine_tui.errors import BadInputError, NotFoundError
from deepimagine_tui.extras import extra

EMBEDDED = "gemma-270m"

KNOWN: dict[str, dict[str, Any]] = {
    EMBEDDED: {
        "model_type": "gemma3_text",
        "hidden_size": 640,
        "intermediate_size": 2048,
        "num_hidden_layers": 18,
        "num_attention_heads": 4,
        "num_key_value_heads": 1,
        "head_dim": 256,
        "vocab_size": 262_144,
        "max_position_embeddings": 32_768,
    },
    "google/gemma-3-12b-it": {
        "model_type": "gemma3_text",
        "hidden_size": 3840,
        "intermediate_size": 15_360,
        "num_hidden_layers": 48,
        "num_attention_heads": 16,
        "num_key_value_heads": 8,
        "head_dim": 256,
        "vocab_size": 262_208,
        "max_position_embeddings": 131_072,
    },
    "Qwen/Qwen3.5-9B": {
        "model_type": "qwen3_5_text",
        "hidden_size": 4096,
        "intermediate_size": 12_288,
        "num_hidden_layers": 32,
        "num_attention_heads": 16,
        "num_key_value_heads": 4,
        "head_dim": 256,
        "linear_num_key_heads": 16,
        "linear_num_value_heads": 32,
        "vocab_size": 248_320,
        "max_position_embeddings": 262_144,
        "tie_word_embeddings": False,
    },
}
"""The published configurations of the shipped recipes' bases, so that a plan needs neither a download nor a network."""


class BaseShape(msgspec.Struct, frozen=True):
    """The size of a base model.

    `parameters` are all, `body` those without embeddings and head, through which every token goes; `linear_features` sums
    inputs and outputs over the linear layers that an adapter sits on. `context` is in tokens.
    """

    base: str
    architecture: str
    layers: int
    hidden: int
    heads: int
    vocabulary: int
    parameters: int
    body: int
    linear_features: int
    context: int

    def adapter(self, r: int) -> int:
        """The parameters of a LoRA of rank `r` on every linear layer: r x (in + out) each."""
        return r * self.linear_features


def shape_of(base: str) -> BaseShape:
    """The shape of a base: one of the shipped recipes', a GGUF file, a folder, or a hub id that was downloaded before.

    Raises:
        MissingExtraError: transformers is not installed.
        NotFoundError: there is no such base on this machine.
        BadInputError: it cannot be read.
    """
    if base in KNOWN:
        said = dict(KNOWN[base])
        return _of_config(base, extra("transformers").AutoConfig.for_model(said.pop("model_type"), **said))
    path = Path(base)
    if path.is_file():
        return _of_header(base, read_header(path))
    transformers = extra("transformers")
    try:
        return _of_config(path.name, transformers.AutoConfig.from_pretrained(base, local_files_only=True))
    except OSError as error:
        if path.is_dir():
            raise BadInputError(f"{base} holds no model: it has no readable config.json.", "Name another base.") from error
        raise NotFoundError(
            f"There is no model {base!r} on this machine.", "Name a GGUF file, a folder, or a hub id that was downloaded."
        ) from error
    except (ValueError, KeyError) as error:
        raise BadInputError(f"{base} is a model that transformers does not know ({error}).", "Name another base.") from error


def _of_config(base: str, config: Any) -> BaseShape:  # noqa: ANN401  # a transformers configuration
    """Counted on an empty model, which has shapes and no weights."""
    torch, transformers = extra("torch"), extra("transformers")
    text = config.get_text_config()
    with torch.device("meta"):
        model = transformers.AutoModelForCausalLM.from_config(text)
    head = model.get_output_embeddings()
    outside = {id(weight): weight.numel() for weight in (head.weight, model.get_input_embeddings().weight)}
    parameters = sum(weight.numel() for weight in model.parameters())
    linears = [each for each in model.modules() if isinstance(each, torch.nn.Linear) and each is not head]
    return BaseShape(
        base=base,
        architecture=type(model).__name__,
        layers=text.num_hidden_layers,
        hidden=text.hidden_size,
        heads=text.num_attention_heads,
        vocabulary=text.vocab_size,
        parameters=parameters,
        body=parameters - sum(outside.values()),
        linear_features=sum(each.in_features + each.out_features for each in linears),
        context=text.max_position_embeddings,
    )


def _of_header(base: str, header: GgufHeader) -> BaseShape:
    """Counted from the tensors of the file. In a transformer block, one side of every linear layer is as wide as the model."""
    kind = header.architecture
    hidden, layers, heads = (_whole(header, name) for name in ("embedding_length", "block_count", "attention.head_count"))
    sizes = {tensor.name: tensor.elements for tensor in header.tensors}
    parameters, outside = sum(sizes.values()), sum(size for name, size in sizes.items() if not name.startswith("blk."))
    linears = [size for name, size in sizes.items() if name.startswith("blk.") and _is_linear(name)]
    return BaseShape(
        base=Path(base).name,
        architecture=kind,
        layers=layers,
        hidden=hidden,
        heads=heads,
        vocabulary=sizes.get("token_embd.weight", 0) // hidden,
        parameters=parameters,
        body=parameters - outside,
        linear_features=sum(hidden + size // hidden for size in linears),
        context=header.context_length,
    )


def _whole(header: GgufHeader, name: str) -> int:
    value = header.values.get(f"{header.architecture}.{name}")
    if not isinstance(value, int) or value < 1:
        raise BadInputError(f"{header.path} does not say its {name}.", "Name a GGUF file of a language model.")
    return value


def _is_linear(name: str) -> bool:
    part = name.split(".")[2]
    return name.endswith(".weight") and part.startswith(("attn_", "ffn_", "ssm_")) and not part.endswith(("norm", "conv1d"))
