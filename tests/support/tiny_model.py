"""Tiny random models of real architectures, as transformers saves them, with a tokenizer of single bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

_IDS = {"pad_token_id": 0, "eos_token_id": 1, "bos_token_id": 2}
_SMALL = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "initializer_range": 0.2,  # at the usual 0.02 the logits of so narrow a model are too small to learn from
    "max_position_embeddings": 4096,
}


def tiny_gemma3(folder: Path, seed: int = 0) -> Path:
    """Write a Gemma 3 of some twenty thousand parameters to `folder`."""
    from transformers import Gemma3ForCausalLM, Gemma3TextConfig

    config = Gemma3TextConfig(
        vocab_size=_tokenizer(folder),
        num_hidden_layers=2,
        head_dim=16,
        query_pre_attn_scalar=16,  # as wide as a head, which is what llama.cpp takes it for
        **_SMALL,
        **_IDS,
    )
    return _saved(Gemma3ForCausalLM, config, folder, seed)


def tiny_qwen35(folder: Path, seed: int = 0) -> Path:
    """Write a Qwen3.5 to `folder`, with layers of linear and of full attention."""
    from transformers import Qwen3_5ForCausalLM, Qwen3_5TextConfig

    config = Qwen3_5TextConfig(
        vocab_size=_tokenizer(folder),
        num_hidden_layers=2,
        layer_types=["linear_attention", "full_attention"],
        full_attention_interval=2,
        head_dim=32,
        linear_key_head_dim=16,
        linear_value_head_dim=16,
        linear_num_key_heads=2,
        linear_num_value_heads=4,
        **_SMALL,
        **_IDS,
    )
    return _saved(Qwen3_5ForCausalLM, config, folder, seed)


def _saved(model: Any, config: Any, folder: Path, seed: int) -> Path:
    import torch

    torch.manual_seed(seed)
    model(config).save_pretrained(folder)
    return folder


def _tokenizer(folder: Path) -> int:
    """Write the tokenizer to `folder`; how many tokens it knows."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    special = ["<pad>", "<eos>", "<bos>"]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: number for number, token in enumerate([*special, *alphabet, "ĠĠ"])}
    fast = Tokenizer(models.BPE(vocabulary, [("Ġ", "Ġ")]))  # llama.cpp reads no vocabulary without merges
    fast.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    fast.decoder = decoders.ByteLevel()
    fast.post_processor = processors.TemplateProcessing(single="<bos> $A", special_tokens=[("<bos>", 2)])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=fast, pad_token="<pad>", eos_token="<eos>", bos_token="<bos>")
    tokenizer.save_pretrained(folder)
    return len(vocabulary)
