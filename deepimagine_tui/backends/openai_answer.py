"""What is asked of an OpenAI-compatible server, and how its streamed answer is read: text, slot values, probabilities."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from deepimagine_tui.backends.number_form import MAX_CHARS
from deepimagine_tui.backends.protocol import GenerationRequest, Slot, SlotFilled, TextArrived

_NUMBER = re.compile(rf"(?=.{{1,{MAX_CHARS}}}$)[-+]?\d+(?:\.\d+)?")
_TOKENS_OF_A_LEAD_CHAR = 0.5
_ROOM = 32


class Candidate(msgspec.Struct, frozen=True):
    """A token that could have come, with its natural log-probability."""

    token: str = ""
    logprob: float = -math.inf


class TokenScore(msgspec.Struct, frozen=True):
    """The token that came, and what else could have."""

    token: str = ""
    logprob: float | None = None
    bytes: list[int] | None = None
    top_logprobs: list[Candidate] = []


class Scores(msgspec.Struct, frozen=True):
    """Log-probabilities of a chunk: in `content` as chat servers give them, in the rest as completion servers do."""

    content: list[TokenScore] | None = None
    tokens: list[str] | None = None
    top_logprobs: list[dict[str, float] | None] | None = None

    def scores(self) -> list[TokenScore]:
        """The tokens of the chunk in one form."""
        if self.content is not None:
            return self.content
        tops = self.top_logprobs or []
        return [
            TokenScore(token, top_logprobs=[Candidate(text, value) for text, value in (tops[index] or {}).items()])
            for index, token in enumerate(self.tokens or [])
            if index < len(tops)
        ]


class Delta(msgspec.Struct, frozen=True):
    """The new text of a chat chunk."""

    content: str | None = None


class Choice(msgspec.Struct, frozen=True):
    """One alternative; only the first is asked for."""

    delta: Delta | None = None
    text: str | None = None
    finish_reason: str | None = None
    logprobs: Scores | None = None


class Usage(msgspec.Struct, frozen=True):
    """Tokens as the server counted them."""

    prompt_tokens: int = 0
    completion_tokens: int = 0


class ErrorBody(msgspec.Struct, frozen=True):
    """What went wrong, in the server's words."""

    message: str = ""


class Chunk(msgspec.Struct, frozen=True):
    """One streamed event."""

    choices: list[Choice] = []
    usage: Usage | None = None
    error: ErrorBody | str | None = None


def instruction(slots: Sequence[Slot]) -> str:
    """The answer form in words, for a model that is not guided."""
    lines = [
        f"{slot.lead.strip()} {' | '.join(option.strip() for option in slot.options) if slot.kind == 'choice' else '<number>'}"
        for slot in slots
    ]
    return (
        "First reason in one short paragraph. Then write exactly these lines, each once, in this order, as plain text. "
        "Choose one of the words between bars, give bare numbers without units, and write nothing after them:\n"
        + "\n".join(lines)
    )


def payload(request: GenerationRequest, model: str, api: Literal["chat", "completions"]) -> dict[str, object]:
    """The JSON body that asks for `request`."""
    form = instruction(request.slots) if request.slots else ""
    answer = sum(len(slot.lead) * _TOKENS_OF_A_LEAD_CHAR + _ROOM for slot in request.slots)
    body: dict[str, object] = {
        "model": model,
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": request.temperature,
        "top_p": request.top_p,
        "seed": request.seed,
        "max_tokens": request.max_reasoning_tokens * 2 + int(answer),
    }
    if api == "chat":
        content = f"{request.prompt}\n\n{form}" if form else request.prompt
        return body | {"messages": [{"role": "user", "content": content}], "logprobs": True, "top_logprobs": 20}
    return body | {"prompt": f"{form}\n\n{request.prompt}" if form else request.prompt, "logprobs": 5}


class StreamedAnswer:
    """The completion so far. It is `over` when the line of the last slot has ended; what comes after that is dropped."""

    def __init__(self, request: GenerationRequest) -> None:
        self._request = request
        self._text = ""
        self._scores: list[TokenScore] = []
        self.tokens = 0
        self.over = False

    def add(self, text: str, scores: Sequence[TokenScore]) -> Iterator[TextArrived]:
        """Take a chunk's text and log-probabilities."""
        self._scores += scores
        before, whole = len(self._text), self._text + text
        places = self._places(whole)
        self.over = bool(places) and len(places) == len(self._request.slots) and places[-1][1] < len(whole)
        self._text = whole[: places[-1][1]] if self.over else whole
        fresh = self._text[before:]
        if fresh:
            count = max(1, len(scores))
            self.tokens += count
            answering = bool(places) and places[0][0] - len(self._request.slots[0].lead) <= before
            yield TextArrived(self._request.request_id, fresh, "answer" if answering else "reasoning", count)

    def slots(self) -> Iterator[SlotFilled]:
        """Every slot that was answered in the form asked for, in order, up to the first that was not."""
        for slot, (start, end) in zip(self._request.slots, self._places(self._text), strict=False):
            line = self._text[start:end]
            value = line.strip()
            options = [option.strip() for option in slot.options]
            if not (value in options if slot.kind == "choice" else _NUMBER.fullmatch(value)):
                return
            at = start + len(line) - len(line.lstrip())
            weights = self._weights(at, options) if slot.want_probabilities else {}
            mass = sum(weights.values())
            if mass > 0:
                shares = {option: weight / mass for option, weight in weights.items()}
                yield SlotFilled(self._request.request_id, slot.name, value, shares, min(1.0, mass), "logits")
            else:
                yield SlotFilled(self._request.request_id, slot.name, value)

    def _places(self, text: str) -> list[tuple[int, int]]:
        """Where the values of the slots stand in `text`, as far as the form is there: from after the lead to the line's end."""
        found: list[tuple[int, int]] = []
        position = text.find(self._request.slots[0].lead) if self._request.slots else -1
        for slot in self._request.slots:
            if position < 0 or not text.startswith(slot.lead, position):
                break
            start = position + len(slot.lead)
            line_end = text.find("\n", start)
            position = len(text) if line_end < 0 else line_end
            found.append((start, position))
        return found

    def _weights(self, at: int, options: Sequence[str]) -> dict[str, float]:
        """Each option's probability where the value at character `at` begins; empty when the server gave none there.

        A server lists its likeliest tokens only. An option that is not among them gets the bound that the list implies: no more
        than the least one listed, and no more than what the list leaves.
        """
        place, start = len(self._text[:at].encode()), 0
        for score in self._scores:
            content = bytes(score.bytes) if score.bytes else score.token.encode()
            if not start <= place < start + len(content):
                start += len(content)
                continue
            if not score.top_logprobs or not self._text.encode().startswith(content, start):
                return {}
            lead = content[: place - start].decode("utf-8", "replace")
            return _by_option(lead, score.top_logprobs, options)
        return {}


def _by_option(lead: str, candidates: Sequence[Candidate], options: Sequence[str]) -> dict[str, float]:
    """Sum the candidates' probabilities by the one option that each begins, after the `lead` that the token carries."""
    weights = dict.fromkeys(options, 0.0)
    for candidate in candidates:
        rest = candidate.token.removeprefix(lead).strip()
        fits = [option for option in options if rest and option.startswith(rest)]
        if len(fits) == 1 and candidate.token.startswith(lead):
            weights[fits[0]] += math.exp(candidate.logprob)
    if not any(weights.values()):
        return {}
    listed = [math.exp(candidate.logprob) for candidate in candidates]
    bound = max(0.0, min(min(listed), 1.0 - sum(listed)))
    return {option: weight or bound for option, weight in weights.items()}
