"""Whether two backends answer alike: a trained model and the file made of it are asked the same slots after the same text.

Each slot is asked by itself, after a fixed reasoning and the answers that the registry posted, so that one answer which differs
does not move the next. The divergence is of the next token's distribution where a slot begins. Where both backends see their
vocabulary, it is over the tokens that are likeliest to both, and the rest as one: a lower bound, near to it; else it is over a
slot's options. Which distance a file may have is `deepimagine_exporters.gguf.gates`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from statistics import fmean
from threading import Event
from typing import Literal, NamedTuple

import msgspec
from msgspec.structs import replace

from deepimagine_training import rationale
from deepimagine_training.examples import Example, example_of, pose
from deepimagine_training.rows import PairRow
from deepimagine_tui.backends.protocol import (
    GenerationFailed,
    GenerationFinished,
    GenerationRequest,
    ModelBackend,
    Slot,
    SlotFilled,
)
from deepimagine_tui.errors import BadInputError, CancelledError, ModelError, RefusedError
from deepimagine_tui.evaluation.sides import Side, hash_share
from deepimagine_tui.reasoning import prompts as form

PROMPTS = 32
"""How many prompts are compared, unless another number is asked for."""
LIKELIEST = 256
"""How many of the next tokens are compared one by one."""

_LEAST = 1e-12
"""The least probability in a divergence: what is beyond the reach of 32-bit softmax counts as this."""


class Probe(NamedTuple):
    """One prompt, and what is asked after it: a request for every slot, each with the answer up to it as its lead."""

    pair_id: str
    requests: tuple[GenerationRequest, ...]


class Parity(msgspec.Struct, frozen=True):
    """How a candidate answers beside a reference on `prompts` prompts with `slots` slots.

    Agreements are the shares of equal verdicts and of equal directions, `changed_share` is the share of all slots, numbers
    included, that have another value; in [0, 1]. P(met) differences are absolute. `kl_mean` and `kl_max` are in nats, of the
    reference from the candidate, over what `kl_over` says: next `tokens`, or the `options` of the slots that are choices.
    """

    prompts: int
    slots: int
    verdict_agreement: float
    direction_agreement: float
    p_met_max_difference: float
    p_met_mean_difference: float
    kl_mean: float
    kl_max: float
    kl_over: Literal["tokens", "options"]
    changed_share: float


Answers = dict[str, SlotFilled]
"""What a backend filled in, by the id of the request."""


def probes(rows: Iterable[PairRow], count: int = PROMPTS, side: Side = "validation") -> list[Probe]:
    """A fixed prompt set: `count` pairs of `side` by a hash of their ids, with the deterministic reasoning; fewer, where
    there are no more. The same rows give the same set.

    Raises:
        BadInputError: no pair of that side can be asked as one step with a verdict.
    """
    found: list[Probe] = []
    for row in sorted((row for row in rows if row.side == side), key=lambda row: hash_share("parity", row.id)):
        if len(found) == count:
            break
        try:
            example = example_of(row, rationale.write(row))
        except RefusedError:
            continue
        if any(piece.role == form.VERDICT for piece in example.pieces):
            found.append(_probe(example))
    if not found:
        raise BadInputError(f"None of the pairs of the {side} side can be asked.", "Draw pairs of more trials.")
    return found


def _probe(example: Example) -> Probe:
    slots = iter(pose(example.row).question.slots)
    requests: list[GenerationRequest] = []
    before = ""
    for piece in example.pieces:
        if piece.role not in ("reasoning", "form"):
            requests.append(_request(example, next(slots), before))
        before += piece.text
    return Probe(example.row.id, tuple(requests))


def _request(example: Example, slot: Slot, before: str) -> GenerationRequest:
    asked = replace(slot, lead=before, want_probabilities=slot.kind == "choice", want_tokens=LIKELIEST)
    return GenerationRequest(
        f"{example.row.id}/{slot.name}",
        example.prompt,
        (asked,),
        seed=0,
        max_reasoning_tokens=0,
        temperature=0.0,
        operator=example.row.factor,
    )


def ask(
    backend: ModelBackend, asked: Sequence[Probe], cancel: Event, told: Callable[[str], object] = lambda text: None
) -> Answers:
    """What a backend answers, greedily: one batch a prompt.

    Raises:
        ModelError: it cannot answer.
        CancelledError: `cancel` was set.
    """
    answers: Answers = {}
    for number, probe in enumerate(asked, 1):
        for event in backend.generate(probe.requests, cancel):
            match event:
                case SlotFilled():
                    answers[event.request_id] = event
                case GenerationFailed():
                    raise ModelError(event.message, event.hint)
                case GenerationFinished(reason="cancelled"):
                    raise CancelledError("Comparing was stopped.")
        told(f"{number:,} of {len(asked):,} prompts")
    return answers


def compare(reference: Answers, candidate: Answers) -> Parity:
    """The distance of two sets of answers to the same probes.

    Raises:
        ModelError: they give no probabilities, or are not of the same probes.
    """
    if not reference or reference.keys() != candidate.keys():
        raise ModelError("The two models were not asked the same.")
    pairs = [(reference[key], candidate[key]) for key in sorted(reference)]
    verdicts = [pair for pair in pairs if pair[0].slot == form.VERDICT]
    if not all(one.probabilities and other.probabilities for one, other in verdicts):
        raise ModelError("One of the two models gives no probabilities, so that they cannot be compared.")
    differences = [abs(one.probabilities[form.MET] - other.probabilities[form.MET]) for one, other in verdicts]
    by_token = all(one.tokens and other.tokens for one, other in pairs)
    divergences = [
        _over_tokens(one.tokens, other.tokens) if by_token else _divergence(_options(one, other))
        for one, other in pairs
        if by_token or (one.probabilities and other.probabilities)
    ]
    return Parity(
        prompts=len(verdicts),
        slots=len(pairs),
        verdict_agreement=_agreement(verdicts),
        direction_agreement=_agreement([pair for pair in pairs if pair[0].slot == form.DIRECTION]),
        p_met_max_difference=max(differences),
        p_met_mean_difference=fmean(differences),
        kl_mean=fmean(divergences),
        kl_max=max(divergences),
        kl_over="tokens" if by_token else "options",
        changed_share=1 - _agreement(pairs),
    )


def measure(
    reference: ModelBackend,
    candidate: ModelBackend,
    asked: Sequence[Probe],
    cancel: Event,
    told: Callable[[str], object] = lambda text: None,
) -> Parity:
    """How near `candidate` answers to `reference`. To compare several with one, `ask` that one once and `compare`.

    Raises:
        DeepImagineError: as `ask` and `compare`.
    """
    return compare(ask(reference, asked, cancel, told), ask(candidate, asked, cancel, told))


def _agreement(pairs: Sequence[tuple[SlotFilled, SlotFilled]]) -> float:
    return fmean(one.value == other.value for one, other in pairs)


def _options(one: SlotFilled, other: SlotFilled) -> list[tuple[float, float]]:
    return [(share, other.probabilities.get(option, 0.0)) for option, share in one.probabilities.items()]


def _over_tokens(one: dict[int, float], other: dict[int, float]) -> float:
    """KL(one || other) over the tokens that both tell of, and everything else as one event. Merging events never raises a
    divergence, so that this is at most the one over the whole vocabulary."""
    shared = sorted(one.keys() & other.keys())
    shares = [(one[token], other[token]) for token in shared]
    rest = (1 - sum(share for share, _ in shares), 1 - sum(share for _, share in shares))
    return _divergence([*shares, rest])


def _divergence(shares: Sequence[tuple[float, float]]) -> float:
    """Sum of p ln(p / q), at least 0."""
    return max(0.0, sum(p * math.log(p / max(q, _LEAST)) for p, q in shares if p > _LEAST))
