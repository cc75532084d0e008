"""The vocabulary of a transformers tokenizer, as guided decoding needs it: the bytes of a token, its ends, its numbers."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np

from deepimagine_training.encoding import continuation_ids, prompt_ids
from deepimagine_tui.backends.sampling import Ids
from deepimagine_tui.extras import extra

_NUMBER_PIECE = re.compile(rb"[-+. 0-9]+")
_BYTE_TOKEN = re.compile(r"<0x([0-9A-Fa-f]{2})>")
_SPACE = "▁"
_END_TEXTS = ("<end_of_turn>", "<|im_end|>", "<|eot_id|>", "<|endoftext|>")
"""Ends of a turn by name, for models whose configuration names their end of text alone; llama.cpp knows the same ones."""


class HfTokens:
    """Implements `sequence.Tokens`.

    Args:
        tokenizer: The transformers tokenizer.
        ends: The tokens with which the model's configuration ends a text.
    """

    def __init__(self, tokenizer: Any, ends: list[int]) -> None:  # noqa: ANN401  # a transformers tokenizer
        self._tokenizer = tokenizer
        known = tokenizer.get_vocab()
        self._ends = {*ends, *(known[text] for text in _END_TEXTS if text in known)}
        if tokenizer.eos_token_id is not None:
            self._ends.add(tokenizer.eos_token_id)
        self._added: dict[int, Any] = tokenizer.added_tokens_decoder
        self._bytes = _bytes_of_letters(tokenizer)
        self._continuations: dict[str, list[int]] = {}
        self._numbers: Ids | None = None

    def prompt(self, text: str) -> list[int]:
        """The tokens of a prompt as the model sees it."""
        return prompt_ids(self._tokenizer, text)

    def continuation(self, text: str) -> list[int]:
        """The tokens of `text` where it follows other text."""
        found = self._continuations.get(text)
        if found is None:
            found = self._continuations[text] = continuation_ids(self._tokenizer, text)
        return found

    def piece(self, token: int) -> bytes:
        """The bytes of one token; control tokens, and numbers beyond the vocabulary, have none."""
        added = self._added.get(token)
        if added is not None:
            return b"" if added.special else added.content.encode()
        text = self._tokenizer.convert_ids_to_tokens(token)
        return self._written(text) if text is not None else b""

    def is_end(self, token: int) -> bool:
        """Whether the model ends its turn with this token."""
        return token in self._ends

    def number_tokens(self) -> Ids:
        """Every token that can be part of a number; found once."""
        if self._numbers is None:
            found = (token for token in self._tokenizer.get_vocab().values() if _NUMBER_PIECE.fullmatch(self.piece(token)))
            self._numbers = np.asarray(sorted(found), dtype=np.intp)
        return self._numbers

    def _written(self, text: str) -> bytes:
        if self._bytes:
            return bytes(self._bytes[letter] for letter in text)
        byte = _BYTE_TOKEN.fullmatch(text)
        return bytes([int(byte[1], 16)]) if byte else text.replace(_SPACE, " ").encode()


def _bytes_of_letters(tokenizer: Any) -> dict[str, int]:  # noqa: ANN401  # a transformers tokenizer
    """The byte that each letter stands for, where tokens are spelt in bytes; empty where they are spelt in text."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    decoder = json.loads(backend.to_str())["decoder"] if backend is not None else None
    if decoder is None or "ByteLevel" not in {decoder["type"], *(part["type"] for part in decoder.get("decoders", ()))}:
        return {}
    letters: dict[int, str] = extra("transformers.convert_slow_tokenizer").bytes_to_unicode()
    return {letter: byte for byte, letter in letters.items()}
