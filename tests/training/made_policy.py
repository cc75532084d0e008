"""A tiny random model that speaks in words of trials, so that some of what it samples keeps the guard-rails."""

from __future__ import annotations

from pathlib import Path

from tests.support.tiny_model import tiny_gemma3, tiny_qwen35

WORDS = tuple(
    "dose effect placebo control value larger smaller benefit risk trial treatment time course baseline margin patients noise "  # noqa: SIM905
    "higher lower better worse related outcome change the new of to arm more less than".split()
)
_LOUD, _APART = 4.0, 0.5


def wordy_gemma3(folder: Path, seed: int = 0) -> Path:
    """Write a `tiny_gemma3` to `folder` that speaks in `WORDS`."""
    return _taught_words(tiny_gemma3(folder, seed), seed)


def wordy_qwen35(folder: Path, seed: int = 0) -> Path:
    """Write a `tiny_qwen35` to `folder` that speaks in `WORDS`."""
    return _taught_words(tiny_qwen35(folder, seed), seed)


def _taught_words(folder: Path, seed: int) -> Path:
    """Give a tiny model a token for each of `WORDS`, which it says far more often than single bytes; in a slot, after a space,
    it is sure to begin a verdict."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tokenizer.add_tokens([f" {word}" for word in WORDS])
    torch.manual_seed(seed)
    model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    space, *verdicts = tokenizer.convert_tokens_to_ids(["Ġ", "m", "n"])
    with torch.no_grad():
        table = model.get_input_embeddings().weight
        words = table[-len(WORDS) :]
        # Near to one another, so that after any word every word is likely.
        words.copy_(words[0] * _LOUD + words * _APART)
        for verdict in verdicts:
            table[verdict] = table[space] * _LOUD + table[verdict] * _APART
        model.get_output_embeddings().weight.copy_(table)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
