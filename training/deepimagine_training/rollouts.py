"""Sampling from the policy that is trained: reasoning, then the answer form, with P(met) read at the verdict slot.

A prompt is evaluated once for all its samples. The form is filled greedily: what reinforcement learning varies is the
reasoning. Imported only when training begins: it loads torch and transformers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from threading import Event
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
import torch
from msgspec.structs import replace

from deepimagine_training.hf_tokens import HfTokens
from deepimagine_tui.backends.protocol import GenerationEvent, GenerationRequest, SlotFilled, TextArrived
from deepimagine_tui.backends.sequence import GuidedSequence
from deepimagine_tui.errors import CancelledError, ModelError
from deepimagine_tui.reasoning import prompts
from deepimagine_tui.reasoning.prompts import Question

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class Asked(NamedTuple):
    """One question to sample from: the prompt's tokens, one seed a sample. `written` are reasoning tokens that come after the
    prompt and stand already; then only the form is filled, once."""

    prompt_ids: Sequence[int]
    question: Question
    seeds: Sequence[int]
    written: Sequence[int] = ()


class Rollout(NamedTuple):
    """One sample.

    `ids` are the tokens after the prompt up to the verdict, which is not among them; `actions` are true for those that the
    policy chose: the reasoning and its end. `text` is the whole completion, `probability` P(met) at the verdict slot,
    renormalised over both verdicts, which had `mass` together. `cut` is whether the token limit ended the reasoning.
    """

    ids: tuple[int, ...]
    actions: tuple[bool, ...]
    text: str
    probability: float | None
    mass: float
    cut: bool


@torch.no_grad()
def roll_out(
    model: PreTrainedModel,
    tokens: HfTokens,
    asked: Sequence[Asked],
    temperature: float,
    max_reasoning_tokens: int,
    cancel: Event,
) -> list[Rollout]:
    """Sample from every question, all together; the rollouts of a question stand together, in the order of its seeds.

    Args:
        model: A causal language model of transformers in evaluation mode.
        tokens: Its vocabulary.
        asked: What to sample from.
        temperature: Of the reasoning; 0 takes the likeliest token.
        max_reasoning_tokens: The most that reasoning may take.
        cancel: Set to stop within a token.

    Raises:
        ModelError: the model's output is not a number.
        CancelledError: `cancel` was set.
    """
    rows: list[_Row] = []
    for one in asked:
        limit = 0 if one.written else max_reasoning_tokens
        form = GenerationRequest("", one.question.prompt, one.question.slots, 0, limit, ("\n",), temperature, 1.0)
        rows += [_Row(replace(form, seed=seed), tokens) for seed in one.seeds]
        for row in rows[-len(one.seeds) :]:
            row.begin(one.written, cut=len(one.written) >= max_reasoning_tokens)
    reader = _Reader(model, [one.prompt_ids for one in asked], [len(one.seeds) for one in asked])
    while True:
        _advance(reader, rows)
        if all(row.finished for row in rows):
            return [row.rollout() for row in rows]
        if cancel.is_set():
            raise CancelledError("Sampling was stopped.")
        reader.feed([row.next_token() for row in rows])


def _advance(reader: _Reader, rows: Sequence[_Row]) -> None:
    """Let every row that has nothing left to read take its next step."""
    waiting = [at for at, row in enumerate(rows) if not row.finished and not row.unread]
    if not waiting:
        return
    logits = reader.logits(waiting)
    if not np.isfinite(logits).all():
        raise ModelError(
            "The model's output is not a number.",
            "Go on from the last checkpoint with a lower learning rate in a new run, or look at the adapter.",
        )
    for at, found in zip(waiting, logits, strict=True):
        rows[at].advance(found)


class _Reader:
    """The model over all rows: it reads one token of each at a time, and has their prompts behind it."""

    def __init__(self, model: PreTrainedModel, prompt_ids: Sequence[Sequence[int]], copies: Sequence[int]) -> None:
        self._model = model
        self._head = cast("torch.nn.Linear", model.get_output_embeddings())  # type: ignore[no-untyped-call]
        self._device = model.device
        longest = max(map(len, prompt_ids))
        gaps = [longest - len(ids) for ids in prompt_ids]
        mask = torch.tensor([[0] * gap + [1] * (longest - gap) for gap in gaps], device=self._device)
        padded = [[0] * gap + list(ids) for gap, ids in zip(gaps, prompt_ids, strict=True)]
        places = (mask.cumsum(-1) - 1).clamp(min=0)
        found = self._read(torch.tensor(padded, device=self._device), mask, places, None)
        of_row = torch.tensor([at for at, count in enumerate(copies) for _ in range(count)], device=self._device)
        self._cache = found.past_key_values
        self._cache.reorder_cache(of_row)
        self._mask, self._place = mask[of_row], places[of_row, -1:]
        self._hidden = found.last_hidden_state[of_row, -1]

    def feed(self, tokens: Sequence[int]) -> None:
        self._mask = torch.cat([self._mask, torch.ones_like(self._mask[:, :1])], dim=1)
        self._place = self._place + 1
        column = torch.tensor(tokens, device=self._device)[:, None]
        self._hidden = self._read(column, self._mask, self._place, self._cache).last_hidden_state[:, -1]

    def logits(self, rows: Sequence[int]) -> Any:  # noqa: ANN401  # a numpy array, float32, (rows, vocabulary)
        return self._head(self._hidden[list(rows)]).float().cpu().numpy()

    def _read(self, tokens: torch.Tensor, mask: torch.Tensor, places: torch.Tensor, cache: Any) -> Any:  # noqa: ANN401
        return self._model.base_model(
            input_ids=tokens, attention_mask=mask, position_ids=places, past_key_values=cache, use_cache=True
        )


class _Row:
    """One sample on its way."""

    def __init__(self, request: GenerationRequest, tokens: HfTokens) -> None:
        self.unread: deque[int] = deque()
        self._ids: list[int] = []
        self._actions: list[bool] = []
        self._text: list[str] = []
        self._probability: float | None = None
        self._mass = 0.0
        self._reasons = True
        self._cut = False
        self._tokens = tokens
        self._sequence = GuidedSequence(request, tokens, self._hear)

    @property
    def finished(self) -> bool:
        return self._sequence.finished

    def begin(self, written: Sequence[int], *, cut: bool) -> None:
        """Start after the prompt, or after reasoning that was written elsewhere."""
        self._cut = cut
        if written:
            self._text.append(b"".join(map(self._tokens.piece, written)).decode("utf-8", "replace"))
            self._take(written, [True] * len(written))
        self._sequence.start([])
        pending = self._sequence.pending
        # Where reasoning ended by itself, that was chosen too: the first token of the lead stands for it.
        self._take(pending, [bool(written) and not cut and at == 0 for at in range(len(pending))])

    def advance(self, logits: Any) -> None:  # noqa: ANN401  # a numpy array of the vocabulary's length
        reasoned = self._reasons
        self._sequence.advance(logits)
        while not self._sequence.pending and not self.finished:
            self._sequence.advance(logits)
        pending = self._sequence.pending
        if self.finished:
            return
        chosen = [False] * len(pending)
        # The policy chose a token of reasoning, or to end it: then the first token of the lead stands for its choice.
        if reasoned and (self._reasons or self._sequence.reasoning_cut or len(pending) == self._lead_length()):
            chosen[0] = True
        self._take(pending, chosen)

    def next_token(self) -> int:
        """The token to read next; a finished row reads on, to no effect."""
        return self.unread.popleft() if self.unread else 0

    def rollout(self) -> Rollout:
        cut = self._cut or self._sequence.reasoning_cut
        return Rollout(tuple(self._ids), tuple(self._actions), "".join(self._text), self._probability, self._mass, cut)

    def _take(self, tokens: Sequence[int], chosen: Sequence[bool]) -> None:
        self.unread.extend(tokens)
        self._ids += tokens
        self._actions += chosen

    def _lead_length(self) -> int:
        return len(self._tokens.continuation(self._sequence.request.slots[0].lead))

    def _hear(self, event: GenerationEvent) -> None:
        if isinstance(event, SlotFilled) and event.slot == prompts.VERDICT:
            self._probability, self._mass = event.probabilities.get(prompts.MET), event.mass or 0.0
        if isinstance(event, TextArrived):
            self._text.append(event.text)
            if event.part == "answer" and self._reasons:
                self._reasons = False
                self._sequence.request = replace(self._sequence.request, temperature=0.0)
