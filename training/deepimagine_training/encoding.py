"""Examples as tokens, cut where a backend cuts them: prompt, reasoning, each lead and each value by itself.

A backend writes the leads of the answer form for the model and tokenises every part alone, so training on the text as one piece
would teach tokens that are never met.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from deepimagine_training.examples import Example, Piece
from deepimagine_tui.evaluation.sides import hash_share
from deepimagine_tui.reasoning import prompts


class Encoded(msgspec.Struct, frozen=True):
    """The tokens of one example; `weights` are of the loss on each, 0 on the prompt and on what the registry does not say."""

    input_ids: tuple[int, ...]
    weights: tuple[float, ...]

    @property
    def completion_tokens(self) -> int:
        """How many tokens the loss is taken on."""
        return sum(weight > 0 for weight in self.weights)


def prompt_ids(tokenizer: Any, prompt: str) -> list[int]:  # noqa: ANN401  # a transformers tokenizer
    """The tokens of a prompt as a backend asks it: one user turn of the chat template, or plain text after the start token."""
    if not getattr(tokenizer, "chat_template", None):
        return list(tokenizer(prompt)["input_ids"])
    turn = [{"role": "user", "content": prompt}]
    text = tokenizer.apply_chat_template(turn, tokenize=False, add_generation_prompt=True, enable_thinking=False)
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def continuation_ids(tokenizer: Any, text: str) -> list[int]:  # noqa: ANN401  # a transformers tokenizer
    """The tokens of a text that follows other text."""
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def encode(
    tokenizer: Any,  # noqa: ANN401  # a transformers tokenizer
    example: Example,
    verdict_weight: float = 1.0,
    form_share: float = 1.0,
) -> Encoded:
    """The tokens of an example; the verdict's count `verdict_weight` times.

    The answer form's leads are the same everywhere: only a share of the examples, chosen by their ids, learns the whole of
    them. Their first tokens, with which reasoning and numbers end, are always learnt.
    """
    ids = prompt_ids(tokenizer, example.prompt)
    weights = [0.0] * len(ids)
    whole_form = hash_share("form", example.row.id) < form_share
    for piece in example.pieces:
        tokens = continuation_ids(tokenizer, piece.text)
        ids += tokens
        weight = _weight(piece, verdict_weight)
        learnt = len(tokens) if piece.role != "form" or whole_form else 1
        weights += [weight] * learnt + [0.0] * (len(tokens) - learnt)
    return Encoded(tuple(ids), tuple(weights))


def _weight(piece: Piece, verdict_weight: float) -> float:
    if not piece.known:
        return 0.0
    return verdict_weight if piece.role == prompts.VERDICT else 1.0


def padded(batch: Sequence[Encoded], padding: int) -> dict[str, list[list[float]]]:
    """Columns of one length, padded on the right: `input_ids`, `attention_mask` and `weights`."""
    length = max(len(one.input_ids) for one in batch)
    return {
        "input_ids": [[*one.input_ids, *[padding] * (length - len(one.input_ids))] for one in batch],
        "attention_mask": [[*[1] * len(one.input_ids), *[0] * (length - len(one.input_ids))] for one in batch],
        "weights": [[*one.weights, *[0.0] * (length - len(one.weights))] for one in batch],
    }
