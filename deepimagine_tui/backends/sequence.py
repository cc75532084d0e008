"""One guided generation as a state machine: logits in, the next tokens to evaluate out, events on the way.

Reasoning runs freely until a stop string, the model's own end, or its token limit; then each slot's lead is written for the
model and the slot is filled: a choice among its options' tokens, a number within its form.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal, Protocol

import numpy as np

from deepimagine_tui.backends import number_form
from deepimagine_tui.backends.protocol import (
    GenerationEvent,
    GenerationFailed,
    GenerationRequest,
    Slot,
    SlotFilled,
    TextArrived,
)
from deepimagine_tui.backends.sampling import Ids, Logits, likeliest, sample, sample_among, shares, top
from deepimagine_tui.errors import ModelError

_FIRST_CANDIDATES = 64


class Tokens(Protocol):
    """What a sequence needs of the model: its vocabulary."""

    def continuation(self, text: str) -> list[int]:
        """The tokens of `text` where it follows other text."""
        ...

    def piece(self, token: int) -> bytes:
        """The bytes of one token."""
        ...

    def is_end(self, token: int) -> bool:
        """Whether the model ends its turn with this token."""
        ...

    def number_tokens(self) -> Ids:
        """Every token that can be part of a number."""
        ...


def room(request: GenerationRequest, tokens: Tokens) -> int:
    """How many tokens a request may take after its prompt."""
    return max(0, request.max_reasoning_tokens) + sum(_slot_tokens(slot, tokens) for slot in request.slots)


def _slot_tokens(slot: Slot, tokens: Tokens) -> int:
    longest = max((len(tokens.continuation(option)) for option in slot.options), default=number_form.MAX_CHARS + 1)
    return len(tokens.continuation(slot.lead)) + longest


def refusal(request: GenerationRequest, prompt: Sequence[int], tokens: Tokens, limit: int) -> GenerationFailed | None:
    """Why a model that holds `limit` tokens cannot answer `request`, whose prompt has the tokens `prompt`; `None` if it can."""
    for slot in request.slots:
        if slot.kind == "choice" and not _told_apart(slot.options, tokens):
            return GenerationFailed(request.request_id, f"The options of {slot.name!r} cannot be told apart by this model.")
    needed = room(request, tokens)
    if len(prompt) + needed <= limit:
        return None
    return GenerationFailed(
        request.request_id,
        f"The prompt has {len(prompt):,} tokens and needs {needed:,} for the answer; the model holds {limit:,}.",
        "Shorten the prompt, or choose a model with a longer context.",
    )


def _told_apart(options: Sequence[str], tokens: Tokens) -> bool:
    """Whether there are options and none's tokens begin another's."""
    ids = sorted(tokens.continuation(option) for option in options)
    return bool(ids) and all(after[: len(before)] != before for before, after in pairwise(ids))


def common_prefix(prompts: Sequence[list[int]]) -> list[int]:
    """The tokens that all prompts begin with."""
    low, high = min(prompts), max(prompts)
    pairs = enumerate(zip(low, high, strict=False))
    return low[: next((index for index, (one, other) in pairs if one != other), len(low))]


class GuidedSequence:
    """The state of one request.

    `pending` holds the tokens to evaluate next; `advance` is called with the logits after the last of them. `finished` when the
    last slot is filled.
    """

    def __init__(self, request: GenerationRequest, tokens: Tokens, emit: Callable[[GenerationEvent], None]) -> None:
        self.request = request
        self.pending: list[int] = []
        self.finished = False
        self.reasoning_cut = False
        self.completion_tokens = 0
        self._tokens = tokens
        self._emit = emit
        self._random = np.random.default_rng(request.seed)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""
        self._slot_index = -1
        self._number = ""
        self._options: list[tuple[str, list[int]]] = []
        self._likeliest: dict[int, float] = {}
        self._depth = 0
        self._step: Callable[[Logits], None] = self._reason
        self._reasoned = 0
        self._unsent = 0

    def start(self, prompt: list[int]) -> None:
        """Begin after the prompt's last tokens, which are still to be evaluated."""
        self.pending = prompt
        if self.request.max_reasoning_tokens <= 0:
            self._next_slot()

    def advance(self, logits: Logits) -> None:
        """Take the next step; sets `pending` or `finished`."""
        self.pending = []
        self._step(logits)

    def _write(self, text: str, part: Literal["reasoning", "answer"], count: int) -> None:
        self.completion_tokens += count
        self._unsent += count
        if text:
            self._emit(TextArrived(self.request.request_id, text, part, self._unsent))
            self._unsent = 0

    def _uniform(self) -> float:
        return float(self._random.random())

    # Reasoning

    def _reason(self, logits: Logits) -> None:
        token = sample(logits, self.request.temperature, self.request.top_p, self._uniform())
        self._reasoned += 1
        if self._tokens.is_end(token):
            self._write(self._held, "reasoning", 1)
            self._next_slot()
            return
        before = len(self._held)
        self._held += self._decoder.decode(self._tokens.piece(token))
        stop = self._first_stop()
        if stop is not None:
            if stop > before:
                self.pending = self._tokens.continuation(self._held[before:stop])
            self._write(self._held[:stop], "reasoning", 1)
            self._next_slot()
            return
        self.pending = [token]
        if self._reasoned >= self.request.max_reasoning_tokens:
            self.reasoning_cut = True
            self._write(self._held, "reasoning", 1)
            self._next_slot()
            return
        safe = len(self._held) - self._could_be_stop()
        self._write(self._held[:safe], "reasoning", 1)
        self._held = self._held[safe:]

    def _first_stop(self) -> int | None:
        places = [place for stop in self.request.stop if stop and (place := self._held.find(stop)) >= 0]
        return min(places, default=None)

    def _could_be_stop(self) -> int:
        """How many characters at the end may be the beginning of a stop string, and are held back."""
        return max(
            (size for stop in self.request.stop for size in range(1, len(stop)) if self._held.endswith(stop[:size])),
            default=0,
        )

    # The answer form

    @property
    def _slot(self) -> Slot:
        return self.request.slots[self._slot_index]

    def _next_slot(self) -> None:
        self._slot_index += 1
        if self._slot_index >= len(self.request.slots):
            self.finished = True
            return
        self._likeliest = {}
        lead = self._tokens.continuation(self._slot.lead)
        self.pending = self.pending + lead
        self._write(self._slot.lead, "answer", len(lead))
        if self._slot.kind == "number":
            self._number = ""
            self._step = self._extend_number
            return
        self._options = [(option, self._tokens.continuation(option)) for option in self._slot.options]
        self._depth = 0
        self._force_common()
        self._step = self._choose

    def _fill(self, value: str, probabilities: dict[str, float] | None = None, mass: float | None = None) -> None:
        key = self.request.request_id
        if probabilities:
            self._emit(SlotFilled(key, self._slot.name, value, probabilities, mass, "logits", self._likeliest))
        else:
            self._emit(SlotFilled(key, self._slot.name, value, tokens=self._likeliest))
        self._next_slot()

    def _look(self, logits: Logits) -> None:
        """Keep the likeliest tokens where the slot begins, if they are wanted."""
        if self._slot.want_tokens and not self._likeliest:
            self._likeliest = likeliest(logits, self._slot.want_tokens)

    def _force_common(self) -> None:
        """Queue the tokens that all remaining options share from here on."""
        first = self._options[0][1]
        end = self._depth
        while all(end < len(ids) and ids[end] == first[end] for _, ids in self._options):
            end += 1
        self.pending = self.pending + first[self._depth : end]
        self._depth = end

    def _choose(self, logits: Logits) -> None:
        self._look(logits)
        branches = sorted({ids[self._depth] for _, ids in self._options})
        token = sample_among(logits, np.asarray(branches, dtype=np.intp), self.request.temperature, self._uniform())
        probabilities: dict[str, float] = {}
        mass = None
        if self._slot.want_probabilities and len(branches) == len(self._slot.options):
            each, mass = shares(logits, [ids[self._depth] for _, ids in self._options])
            probabilities = {option.strip(): share for (option, _), share in zip(self._options, each, strict=True)}
        self._options = [(option, ids) for option, ids in self._options if ids[self._depth] == token]
        if len(self._options) > 1:
            self._force_common()
            return
        option, ids = self._options[0]
        self.pending = ids[self._depth :]
        self._write(option, "answer", len(ids))
        self._fill(option.strip(), probabilities, mass)

    # Numbers

    def _extend_number(self, logits: Logits) -> None:
        self._look(logits)
        temperature, uniform = self.request.temperature, self._uniform()
        token = sample(logits, temperature, self.request.top_p, uniform)
        if not self._fits(token):
            if number_form.complete(self._number):
                self._fill(self._number.strip())
                return
            token = self._forced_number(logits, uniform)
        piece = self._tokens.piece(token).decode("utf-8", "replace")
        self._number += piece
        self.pending = [token]
        self._write(piece, "answer", 1)
        if number_form.full(self._number):
            self._fill(self._number.strip())

    def _fits(self, token: int) -> bool:
        piece = self._tokens.piece(token)
        return piece.isascii() and number_form.continues(self._number, piece.decode("ascii"))

    def _forced_number(self, logits: Logits, uniform: float) -> int:
        """The token to take when the model's own choice is no number: from its likeliest, else from every token that fits."""
        for candidates in (top(logits, _FIRST_CANDIDATES), self._tokens.number_tokens()):
            fitting = np.asarray([token for token in candidates.tolist() if self._fits(token)], dtype=np.intp)
            if len(fitting):
                return sample_among(logits, fitting, self.request.temperature, uniform)
        raise ModelError("The model's vocabulary cannot write a number.")
