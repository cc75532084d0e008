"""`rag`: a model is told of the target trial and of the k trials that a chain would start from, and asked once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event
from typing import NamedTuple

from msgspec.structs import replace

from deepimagine_tui.backends.protocol import ModelBackend
from deepimagine_tui.errors import CancelledError
from deepimagine_tui.evaluation.asking import LIKELIEST, AskingSettings, Prompt, ask
from deepimagine_tui.evaluation.direct import PROMPTS, batch_of, model_facts, prediction, slots_of, texts_of
from deepimagine_tui.evaluation.options import rates_of
from deepimagine_tui.evaluation.persistent import Persistent
from deepimagine_tui.evaluation.predictions import Prediction, UsedTrial, fallback
from deepimagine_tui.evaluation.questions import Question
from deepimagine_tui.evaluation.system import Learnt
from deepimagine_tui.reasoning import facts_text as facts
from deepimagine_tui.reasoning.anchors import Anchor, AnchorSource
from deepimagine_tui.reasoning.asked import Asked
from deepimagine_tui.reasoning.facts_text import Detail
from deepimagine_tui.reasoning.state import State

BATCH = 8
"""Questions asked together, with their long prompts."""
DEFAULT_ANCHORS = 7
_TITLES = (200, 100, 60)
"""Characters of an outcome's title in the description of a retrieved trial, from the fullest on."""


class Retrieved(NamedTuple):
    """The anchors of a question, as its prediction names them; without any, `why_none` says why."""

    anchors: tuple[Anchor, ...]
    used: tuple[UsedTrial, ...]
    why_none: str = ""


class Rag:
    """One prompt a question: the retrieved trials briefly, each with its values and its verdict, then the target.

    They are the anchors that `deepimagine` starts from. Of a step, it is the source alone, with what was posted of it. Without
    a retrieved trial the prediction is the base rate, as the chain's is.

    Args:
        backend: The model.
        source: Where trials are retrieved from.
        learnt: Its base rates are said for want of a trial or an answer.
        anchors: How many trials are retrieved, k.
        kept_in: Where prompts and answers are kept.
    """

    def __init__(
        self,
        backend: ModelBackend,
        source: AnchorSource,
        learnt: Learnt,
        anchors: int = DEFAULT_ANCHORS,
        settings: AskingSettings = LIKELIEST,
        kept_in: Path | None = None,
    ) -> None:
        self._backend, self._source, self._rates, self._anchors = Persistent(backend), source, learnt.base_rates, anchors
        self._settings, self._kept_in = settings, kept_in
        self.batch = batch_of(backend, BATCH)
        what = f"asked once, with {anchors} retrieved trials"
        facts = model_facts("rag", what, backend, learnt, settings, anchors=anchors, prompts=PROMPTS, batch=self.batch)
        self.facts = replace(facts, corpus=source.name, corpus_version=source.version)

    def predict(self, questions: Sequence[Question], cancel: Event) -> list[Prediction]:
        """See `system.System.predict`.

        Raises:
            CorpusError: the corpus is damaged.
        """
        found = {question.id: retrieved(question, self._source, self._anchors, cancel) for question in questions}
        asked = [question for question in questions if found[question.id].anchors]
        prompts = [
            Prompt(
                question.id,
                texts_of(question, [list(_shown(found[question.id], title)) for title in _TITLES]),
                slots_of(question),
                max_tokens=0,
            )
            for question in asked
        ]
        answers = ask(prompts, self._backend, cancel, self._settings, self._kept_in)
        predictions = []
        for question in questions:
            if question.id in answers:
                said = prediction(question, [answers[question.id]], self._rates)
            else:
                rates = rates_of(question.options, self._rates)
                said = fallback(question.id, question.options, rates, "no anchor", found[question.id].why_none)
            predictions.append(replace(said, used=found[question.id].used))
        return predictions


def retrieved(question: Question, source: AnchorSource, k: int, cancel: Event) -> Retrieved:
    """The `k` anchors of a forecast; of a step its source.

    Raises:
        CorpusError: the corpus is damaged.
        CancelledError: `cancel` was set.
    """
    if cancel.is_set():
        raise CancelledError("Predicting was stopped.", "The same command goes on from there.")
    if question.source is not None:
        return Retrieved((Anchor(question.source, 1.0),), (UsedTrial(question.source.nct_id, ""),))
    search = source.nearest(question.target, question.nct_id, k, question.cutoff)
    used = tuple(UsedTrial(each.state.nct_id, posted(source, each.state.nct_id), each.similarity) for each in search.anchors)
    return Retrieved(search.anchors, used, "" if search.anchors else search.why_none)


def posted(source: AnchorSource, nct_id: str) -> str:
    """The date on which a trial's results were first posted, ISO 8601; empty where it is not known."""
    date = source.trial(nct_id).results_posted
    return date.text if date is not None else ""


def _shown(found: Retrieved, title: int) -> Iterator[str]:
    for number, anchor in enumerate(found.anchors, start=1):
        yield from _trial_lines(number, anchor.state, title)
    yield "The trial:"


def _trial_lines(number: int, state: State, title: int) -> Iterator[str]:
    """A retrieved trial: what, against what, measured how, and how it ended."""
    at, detail = state.configuration, Detail(conditions=2, title=title)
    yield f"Relevant trial {number}: {facts.list_text(at.population.conditions, detail.conditions, '; ')}"
    yield f"Arm: {facts.arm_text(at.arm, detail)}"
    if at.comparator is not None:
        yield f"Comparator: {facts.arm_text(at.comparator, detail, comparator=True)}"
    yield f"Outcome: {facts.outcome_text(at, detail)}"
    yield from facts.result_lines(state, Asked(arm=True, comparator=True, contrast=False, verdict=True))
    yield ""
