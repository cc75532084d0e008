"""`direct`: a model is told of the target trial alone, and asked once how it ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event

import msgspec

from deepimagine_tui.backends.protocol import ModelBackend, Slot
from deepimagine_tui.errors import ModelError
from deepimagine_tui.evaluation.asking import Answer, AskingSettings, Prompt, ask
from deepimagine_tui.evaluation.options import CERTAIN, rates_of
from deepimagine_tui.evaluation.persistent import Persistent
from deepimagine_tui.evaluation.predictions import Prediction, fallback
from deepimagine_tui.evaluation.questions import Question
from deepimagine_tui.evaluation.rules import learnt_facts
from deepimagine_tui.evaluation.system import Learnt, SystemFacts
from deepimagine_tui.reasoning import facts_text as facts
from deepimagine_tui.reasoning.facts_text import Detail
from deepimagine_tui.reasoning.plain import plain
from deepimagine_tui.reasoning.prompts import SHORTENING, VERDICT
from deepimagine_tui.reasoning.scoring import logit, sigmoid

BATCH = 24
"""Questions asked together. Part of what an answer depends on: a batch's shape moves near-ties of a quantised model."""
REMOTE_BATCH = 96
"""Questions handed to a server together, where nothing depends on it but how many requests can be open at once."""

PROMPTS = 2
"""Changes whenever the text of a prompt of `direct` or `rag` can change; part of their settings."""
INSTRUCTION = """\
A clinical trial whose result is not known. First reason in one or two sentences how it ends, then answer in this form:
"""
FORMS = {
    "met": "Verdict: met if the arm is significantly better than the comparator, else not met",
    "better": "Verdict: better if the arm is significantly better than the comparator, worse if significantly worse, "
    "else no difference",
    "endpoint": "Verdict: met if the trial reaches this outcome in the arm, or in one of several, else not met",
}
"""How the options of a question are explained, in the words of the engine's own prompt where they are the same."""


class Direct:
    """One prompt a question, ending in the answer form of the engine: reasoning, then a verdict with its probabilities.

    A step is asked like a forecast: its target is described, and its source's result is left out.

    Args:
        backend: The model.
        learnt: Its base rates are said where there is no answer.
        samples: How often each question is asked; above 1 with that many seeds at `temperature` .7, and the logits of the
            probabilities are averaged. So it can spend as many tokens as a chain does.
        kept_in: Where prompts and answers are kept.
    """

    def __init__(
        self,
        backend: ModelBackend,
        learnt: Learnt,
        samples: int = 1,
        settings: AskingSettings | None = None,
        kept_in: Path | None = None,
    ) -> None:
        self._backend, self._rates, self._samples = Persistent(backend), learnt.base_rates, samples
        self._kept_in = kept_in
        self.batch = batch_of(backend, BATCH)
        self._settings = settings or AskingSettings(temperature=0.7 if samples > 1 else 0.0)
        what = "asked once" if samples == 1 else f"asked {samples} times"
        self.facts = model_facts(
            "direct", what, backend, learnt, self._settings, samples=samples, prompts=PROMPTS, batch=self.batch
        )

    def predict(self, questions: Sequence[Question], cancel: Event) -> list[Prediction]:
        """See `system.System.predict`."""
        prompts = [
            Prompt(f"{question.id}#{number}", texts_of(question), slots_of(question), seed=number)
            for question in questions
            for number in range(self._samples)
        ]
        answers = ask(prompts, self._backend, cancel, self._settings, self._kept_in)
        return [
            prediction(question, [answers[f"{question.id}#{number}"] for number in range(self._samples)], self._rates)
            for question in questions
        ]


def texts_of(question: Question, shown: Sequence[Sequence[str]] = ((),)) -> tuple[str, ...]:
    """The prompt, from the fullest to the shortest: with what is `shown` before the target, the fullest first, each with every
    shortening of the target."""
    found = []
    for others in shown:
        detail = Detail()
        for rule in (lambda same: same, *(rule for _, rule in SHORTENING)):
            detail = rule(detail)
            lines = [*others, *_target_lines(question, detail), "Reasoning:"]
            found.append(f"{INSTRUCTION}{FORMS[_form(question)]}\n\n" + "\n".join(lines))
    return tuple(dict.fromkeys(found))


def _target_lines(question: Question, detail: Detail) -> Iterator[str]:
    """The target trial as it was planned. Where its title is all that is known of its condition, it is not said twice."""
    title = plain(question.title, detail.title)
    if title:
        yield f"Title: {title}"
    target, conditions = question.target, question.target.population.conditions
    if title and conditions == (question.title,):
        target = msgspec.structs.replace(target, population=msgspec.structs.replace(target.population, conditions=()))
    yield from facts.configuration_lines(target, detail)


def slots_of(question: Question) -> tuple[Slot, ...]:
    """The answer form: the verdict, over the question's options."""
    return (Slot(VERDICT, "\nVerdict:", "choice", tuple(f" {option}" for option in question.options), want_probabilities=True),)


def prediction(question: Question, answers: Sequence[Answer], base_rates: dict[str, float]) -> Prediction:
    """What the answers to one question say together: the mean of their logits, renormalised. An answer without
    probabilities (a backend that gives none) counts as all but certain of its verdict."""
    known = [found for answer in answers if (found := _probabilities(question, answer))]
    if not known:
        problem = next((answer.problem for answer in answers if answer.problem), "The answer cannot be read.")
        rates = rates_of(question.options, base_rates)
        said = fallback(question.id, question.options, rates, "no answer", problem)
    else:
        means = [sigmoid(sum(logit(each[at]) for each in known) / len(known)) for at in range(len(question.options))]
        masses = [slot.mass for answer in answers if (slot := answer.slots.get(VERDICT)) and slot.mass is not None]
        said = Prediction(
            question_id=question.id,
            probabilities=tuple(mean / sum(means) for mean in means),
            mass=min(masses) if masses else None,
        )
    return msgspec.structs.replace(
        said,
        prompt_tokens=sum(answer.prompt_tokens for answer in answers),
        completion_tokens=sum(answer.completion_tokens for answer in answers),
        seconds=round(sum(answer.seconds for answer in answers), 3),
    )


def batch_of(backend: ModelBackend, own: int) -> int:
    """How many questions are asked together: `own`, or more where a server answers."""
    return max(own, REMOTE_BATCH) if backend.info.host else own


def model_facts(
    name: str, what: str, backend: ModelBackend, learnt: Learnt, settings: AskingSettings, **more: int
) -> SystemFacts:
    """The facts of a system that asks a model, which is loaded, so that its weights are known by their hash; `learnt` is what
    its base rates are of.

    Raises:
        ModelError: it cannot be loaded, or is the demo, which has no model.
    """
    if backend.info.demo:
        raise ModelError("The demo has no model, so there is nothing to measure.", "Name a model with --model.")
    backend.count_tokens([""])
    info = backend.info
    return msgspec.structs.replace(
        learnt_facts(name, what, learnt),
        model=info.name,
        model_sha256=info.sha256,
        adapter_sha256=info.adapter_sha256,
        settings={**msgspec.structs.asdict(settings), **more},
    )


def _form(question: Question) -> str:
    return "endpoint" if question.kind == "endpoint" else "better" if len(question.options) == 3 else "met"


def _probabilities(question: Question, answer: Answer) -> list[float]:
    """Over the options, none of them 0 or 1; empty without an answer."""
    slot = answer.slots.get(VERDICT)
    if slot is None or slot.value not in question.options:
        return []
    found = slot.probabilities or {option: float(option == slot.value) for option in question.options}
    return [min(max(found.get(option, 0.0), CERTAIN), 1 - CERTAIN) for option in question.options]
