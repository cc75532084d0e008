"""What every language model looks like to the engine: a batch of guided generations in, a stream of events out.

A generation is free reasoning followed by a fixed answer form. The form is a sequence of slots, each with the
literal text that leads to it; a backend that controls decoding writes the leads itself and constrains every slot, so that the
text is always parseable. A backend that cannot returns whatever the model wrote, and the parser decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from threading import Event
from typing import Literal, Protocol

import msgspec

SlotKind = Literal["choice", "number"]
ProbabilityKind = Literal["logits", "samples"]
FinishReason = Literal["answered", "cancelled"]


class Slot(msgspec.Struct, frozen=True):
    """One place to fill in the answer form.

    `lead` is the literal text before it, e.g. `"\\nVerdict:"`; it ends on a token boundary, so options and numbers start
    with the space. `options` (choice) differ in their first token. A `number` is an optional sign, digits and at most one
    decimal point.
    `want_probabilities` asks for the model's own distribution over the options at this slot; `want_tokens` for that many of its
    likeliest next tokens where the slot begins.
    """

    name: str
    lead: str
    kind: SlotKind
    options: tuple[str, ...] = ()
    want_probabilities: bool = False
    want_tokens: int = 0


class GenerationRequest(msgspec.Struct, frozen=True):
    """One sequence to generate.

    `prompt` is the whole plain-text task, ending where the reasoning starts; a backend whose model has a chat
    template wraps it. Reasoning ends at any of `stop`, or after `max_reasoning_tokens`; then the slots are filled.
    `temperature` 0 is greedy. Seeds are 0 to 2**32-1. `operator` is the factor that is asked about, for a model that has an
    adapter of its own for each.
    """

    request_id: str
    prompt: str
    slots: tuple[Slot, ...]
    seed: int
    max_reasoning_tokens: int = 96
    stop: tuple[str, ...] = ("\n",)
    temperature: float = 0.7
    top_p: float = 0.95
    operator: str = ""


class TextArrived(msgspec.Struct, frozen=True, tag="text_arrived", tag_field="type"):
    """More text of one sequence. The concatenation of all its texts is the completion, leads included."""

    request_id: str
    text: str
    part: Literal["reasoning", "answer"]
    tokens: int = 1


class SlotFilled(msgspec.Struct, frozen=True, tag="slot_filled", tag_field="type"):
    """A slot has its value, without the space around it; the keys of `probabilities` are the options in the same form.

    `probabilities` sum to 1 over the options, `mass` is what they had before renormalising; empty and `None` where the backend
    gives no log-probabilities. `tokens` are the likeliest next tokens, where they were wanted, by their number in the model's
    vocabulary, each with its probability among all; empty where the backend does not see the vocabulary.
    """

    request_id: str
    slot: str
    value: str
    probabilities: dict[str, float] = {}
    mass: float | None = None
    probability_kind: ProbabilityKind | None = None
    tokens: dict[int, float] = {}


class GenerationFinished(msgspec.Struct, frozen=True, tag="generation_finished", tag_field="type"):
    """One sequence ended. Times in seconds; `reasoning_cut` when the token limit ended the reasoning."""

    request_id: str
    reason: FinishReason
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    reasoning_cut: bool = False


class GenerationFailed(msgspec.Struct, frozen=True, tag="generation_failed", tag_field="type"):
    """One sequence could not be generated; the others go on. `restartable` when trying again may work (a crashed host)."""

    request_id: str
    message: str
    hint: str = ""
    restartable: bool = False


GenerationEvent = TextArrived | SlotFilled | GenerationFinished | GenerationFailed


class ModelInfo(msgspec.Struct, frozen=True):
    """What is known of a model, read from its file or server. `sha256` identifies the weights; `demo` marks the
    scripted backend,
    whose output says "demo, no model" wherever it appears. `host` is set for a remote model only."""

    name: str
    backend: Literal["scripted", "llama.cpp", "openai", "transformers"]
    context_length: int
    architecture: str = ""
    quantisation: str = ""
    size_bytes: int = 0
    parameters: int = 0
    template: Literal["plain", "chat"] = "plain"
    licence: str = ""
    path: str = ""
    sha256: str = ""
    adapter: str = ""
    adapter_sha256: str = ""
    demo: bool = False
    host: str = ""

    @property
    def full_name(self) -> str:
        """The name with the quantisation, once."""
        known = not self.quantisation or self.quantisation in self.name
        return self.name if known else f"{self.name} {self.quantisation}"


class ModelBackend(Protocol):
    """A model that generates. One owner at a time; every method may be called from a worker thread."""

    @property
    def info(self) -> ModelInfo:
        """What the model is. May load the model's header, never its weights."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """How many tokens each text takes, special tokens of the template included.

        Raises:
            ModelError: the model cannot be loaded.
        """
        ...

    def generate(self, batch: Sequence[GenerationRequest], cancel: Event) -> Iterator[GenerationEvent]:
        """Generate all of `batch` together, interleaving their events; every request ends in exactly one
        `GenerationFinished` or `GenerationFailed`.

        Setting `cancel` ends every unfinished sequence with reason `cancelled` within 0.2 s, during prompt evaluation too.
        Closing the iterator early cancels as well. The backend stays usable.

        Raises:
            ModelError: the model cannot be loaded at all.
        """
        ...

    def close(self) -> None:
        """Free the model. A later call of another method loads it again."""
        ...
