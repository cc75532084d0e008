"""A model by a script that an evaluation accepts, and made trials to start from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from threading import Event

from msgspec.structs import replace

from deepimagine_tui.backends.protocol import GenerationEvent, GenerationFailed, GenerationRequest, ModelInfo
from deepimagine_tui.backends.scripted import ScriptedBackend, ScriptedOutput
from deepimagine_tui.evaluation.questions import TWO_WAY, Key, Question, QuestionSet
from deepimagine_tui.reasoning.state import DoseChange, OutcomeChange, State
from deepimagine_tui.trials.model import PartialDate, Trial
from tests.reasoning.engine.support import Source, anchor_state, anchors_at, dose, made_trial, signed_outcome, stack

MODEL = ModelInfo(name="Told", backend="llama.cpp", context_length=8192, sha256="a" * 64, adapter_sha256="b" * 64)
REMOTE = replace(MODEL, backend="openai", host="cluster.example")
OTHERS = tuple(f"NCT9900000{number}" for number in (2, 3, 4))

Script = Callable[[GenerationRequest], ScriptedOutput | GenerationFailed | str]


class Told:
    """A model by a script; what it is asked is kept in `batches`. Sets `cancel` before a batch of the number `stop_at`."""

    def __init__(self, script: Script | None = None, info: ModelInfo = MODEL, stop_at: int = 0) -> None:
        self._scripted = ScriptedBackend(script or says(0.8))
        self._stop_at = stop_at
        self.info = info
        self.batches: list[list[GenerationRequest]] = []

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._scripted.count_tokens(texts)

    def generate(self, batch: Sequence[GenerationRequest], cancel: Event) -> Iterator[GenerationEvent]:
        self.batches.append(list(batch))
        if self._stop_at and len(self.batches) == self._stop_at:
            cancel.set()
        yield from self._scripted.generate(batch, cancel)

    def close(self) -> None:
        """Nothing to free."""

    @property
    def prompts(self) -> list[str]:
        return [request.prompt for batch in self.batches for request in batch]


def says(share: float) -> Script:
    """Whatever is asked: no change, the value -0.5, and the first option of a verdict with P = `share`, the others alike."""

    def script(request: GenerationRequest) -> ScriptedOutput:
        answers, probabilities = {}, {}
        for slot in request.slots:
            options = [option.strip() for option in slot.options]
            answers[slot.name] = "-0.5" if slot.kind == "number" else options[-1]
            if slot.want_probabilities:
                rest = (1 - share) / (len(options) - 1)
                probabilities[slot.name] = {option: share if at == 0 else rest for at, option in enumerate(options)}
                answers[slot.name] = max(probabilities[slot.name], key=probabilities[slot.name].__getitem__)
        return ScriptedOutput(" The drug works.", answers, probabilities)

    return script


def other_trials() -> list[Trial]:
    """Three trials like the made one, posted on different days."""
    return [
        replace(made_trial(nct_id, signed_outcome(nct_id)), results_posted=PartialDate(f"2015-0{at}-01"))
        for at, nct_id in enumerate(OTHERS, start=1)
    ]


def source(k: int = 3) -> Source:
    """Finds the 10 mg arm of the first `k` other trials for whatever is asked."""
    trials = other_trials()
    found = [(anchor_state("OG001", trial=trial), 0.9 - number / 10) for number, trial in enumerate(trials[:k])]
    return Source(*trials, search=anchors_at(*found))


def forecast(number: int = 1, options: tuple[str, ...] = TWO_WAY) -> Question:
    """The 50 mg arm of the made trial as a forecast, each number another question of another trial."""
    target = anchor_state("OG003").configuration
    nct_id = f"NCT98{number:06}"
    kind = "superiority" if options == TWO_WAY else "comparative effect"
    return Question(
        id=f"{nct_id}/{number}",
        nct_id=nct_id,
        programme=nct_id,
        kind=kind,
        target=replace(target, outcome=replace(target.outcome, outcome_id="")),
        options=options,
        title=f"Trial {number} of Glivazin",
        cutoff="2020-01-01",
    )


def step(number: int = 1, *, several: bool = False) -> Question:
    """From the made trial's 10 mg arm to 50 mg; or to another outcome as well."""
    start: State = anchor_state("OG001")
    changes = [DoseChange(dose(50.0))]
    if several:
        changes.append(OutcomeChange(replace(start.configuration.outcome, title="Change in fasting glucose", outcome_id="")))  # type: ignore[arg-type]
    perturbations = stack(start.configuration, *changes)
    return Question(
        id=f"step-{number}",
        nct_id=start.nct_id,
        programme=start.nct_id,
        kind="approximate pair" if several else "natural pair",
        target=anchor_state("OG003").configuration,
        source=start,
        changes=perturbations,
        factor="several" if several else "dose",
    )


def set_of(questions: Sequence[Question], name: str = "made") -> QuestionSet:
    """A set of these questions, all met."""
    keys = {question.id: Key(question_id=question.id, answer=question.options[0]) for question in questions}
    return QuestionSet(name=name, sha256="c" * 64, questions=tuple(questions), keys=keys)
