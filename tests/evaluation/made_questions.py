"""Made questions to learn from and to ask, without a corpus."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event

from deepimagine_tui.evaluation.predictions import Prediction
from deepimagine_tui.evaluation.questions import MET, NOT_MET, TWO_WAY, Key, Question, QuestionClass, QuestionSet
from deepimagine_tui.evaluation.system import Learnt, System
from deepimagine_tui.reasoning.state import ArmSpec, Configuration, Control, OutcomeSpec, State
from deepimagine_tui.trials.results import TimePoint

AGENTS = ("Glivazin", "Tolumab", "Perfinib", "Dostatin", "Ranovir", "Meliden")


def asked(
    trial: int,
    arm: str = "Glivazin 25 mg",
    against: str | None = "Placebo",
    control: Control = "placebo",
    outcome: str = "Change from baseline in HbA1c",
    options: tuple[str, ...] = TWO_WAY,
    kind: QuestionClass = "superiority",
    registered: str = "",
) -> Question:
    """One forecast question of the made trial of this number."""
    nct_id = f"NCT{trial:08}"
    comparator = ArmSpec(against, (against,), control=control) if against is not None else None
    return Question(
        id=f"{nct_id}/{outcome}/{arm}/{against}",
        nct_id=nct_id,
        programme=nct_id,
        kind=kind,
        options=options,
        comparator_type=registered,
        target=Configuration(
            ArmSpec(arm, (arm.split()[0],)), comparator, OutcomeSpec(outcome, role="primary"), TimePoint("24 weeks", 24.0)
        ),
    )


def learnt(count: int = 40, *, turned: bool = False) -> Learnt:
    """Trials that are met in HbA1c and not in mortality, two questions each; `turned` says the opposite of all."""
    questions, keys = [], {}
    for trial in range(count):
        arm = f"{AGENTS[trial % len(AGENTS)]} {trial} mg"
        for outcome, met in (("Change from baseline in HbA1c", True), ("All-cause mortality", False)):
            question = asked(trial, arm, outcome=outcome)
            questions.append(question)
            keys[question.id] = Key(question_id=question.id, answer=MET if met != turned else NOT_MET)
    return Learnt(QuestionSet(name="made", sha256="0" * 64, questions=tuple(questions), keys=keys))


def step(trial: int, source: State, factor: str = "outcome") -> Question:
    """A step from a posted state, without a change that is looked at."""
    question = asked(trial)
    return Question(
        id=f"{question.id}/step",
        nct_id=question.nct_id,
        programme=question.programme,
        kind="natural pair",
        target=question.target,
        source=source,
        factor=factor,
    )


def predict(system: System, questions: Sequence[Question]) -> list[Prediction]:
    """Its predictions, with nobody who cancels."""
    return system.predict(questions, Event())


def met(system: System, questions: Sequence[Question]) -> list[float]:
    """What it says of the first option of each question."""
    return [prediction.probabilities[0] for prediction in predict(system, questions)]
