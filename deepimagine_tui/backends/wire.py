"""What the app and the model's process say to one another: one JSON object a line, UTF-8, on the child's stdin and stdout."""

from __future__ import annotations

import msgspec

from deepimagine_tui.backends.protocol import GenerationEvent, GenerationRequest


class Load(msgspec.Struct, frozen=True, tag="load"):
    """Load the GGUF file at `path`. Sent first, once.

    `context_tokens` is the room of all sequences together, `sequences` how many may be decoded at once, `batch_tokens` how many
    tokens one evaluation takes; `threads` 0 lets the child choose.
    """

    path: str
    context_tokens: int
    sequences: int = 16
    batch_tokens: int = 512
    threads: int = 0


class Count(msgspec.Struct, frozen=True, tag="count"):
    """Count the tokens of each text, wrapped as a prompt. Answered at once, also while generating."""

    id: int
    texts: list[str]


class Generate(msgspec.Struct, frozen=True, tag="generate"):
    """Generate all requests, those of one adapter together. `adapters` are paths by the operator that requests name, or
    one under the empty name for all; empty for none."""

    id: int
    requests: list[GenerationRequest]
    adapters: dict[str, str] = {}


class Cancel(msgspec.Struct, frozen=True, tag="cancel"):
    """End the `Generate` with this id now."""

    id: int


Command = Load | Count | Generate | Cancel


class Loaded(msgspec.Struct, frozen=True, tag="loaded"):
    """The model is ready; a sequence may have up to `sequence_tokens` tokens."""

    sequence_tokens: int


class Counted(msgspec.Struct, frozen=True, tag="counted"):
    """The answer to `Count`."""

    id: int
    counts: list[int]


class Happened(msgspec.Struct, frozen=True, tag="happened"):
    """Events of a `Generate`, in order."""

    id: int
    events: list[GenerationEvent]


class Done(msgspec.Struct, frozen=True, tag="done"):
    """Every request of a `Generate` has ended."""

    id: int


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """A command failed as a whole; `id` is 0 for `Load`."""

    id: int
    message: str
    hint: str = ""


Reply = Loaded | Counted | Happened | Done | Refused
