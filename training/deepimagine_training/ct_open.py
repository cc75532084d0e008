"""CT Open's published question sets: pickles without a single global, read by an unpickler that refuses every one.

Only the superiority class is used here: did the study arm achieve a significant improvement over the comparator. The registry's
and the press's reports that come with a question are its answer, and are dropped while reading.
"""

from __future__ import annotations

import ast
import pickle
import re
from io import BytesIO
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from deepimagine_tui.errors import BadInputError, NotFoundError
from deepimagine_tui.files import sha256
from deepimagine_tui.reasoning.planned import planned_spec
from deepimagine_tui.reasoning.state import ArmSpec, Configuration, Population
from deepimagine_tui.trials.concepts.groups import control
from deepimagine_tui.trials.concepts.time_points import time_point
from deepimagine_tui.trials.units import find_doses

_OPTION = re.compile(
    r"The study arm (?P<arm>.+) has achieved statistically significant improvements over the study arm "
    r"(?P<comparator>.+) with respect to this specific endpoint\.",
    re.DOTALL,
)
_SUPERIORITY = frozenset({"single_arm", "distinguishable_arm"})
_ROLES = {"primaryOutcomes": "primary", "secondaryOutcomes": "secondary"}
_DAMAGE = (pickle.UnpicklingError, EOFError, AttributeError, KeyError, IndexError, TypeError, ValueError, SyntaxError)
"""What reading a file that is something else may raise."""


class Question(msgspec.Struct, frozen=True):
    """One question as it was before its trial reported: a trial's arm against another in one outcome. `comparator_type` is the
    registered type of the comparator's arm, empty where no arm has its label."""

    id: str
    nct_id: str
    title: str
    comparator_type: str
    target: Configuration


class QuestionSet(msgspec.Struct, frozen=True):
    """The superiority questions of a file, and apart from them whether each was `met`, by question id."""

    name: str
    sha256: str
    questions: tuple[Question, ...]
    answers: dict[str, bool]


class _Refusing(pickle.Unpickler):
    """Builds plain containers and texts, and nothing else."""

    def find_class(self, module_name: str, global_name: str) -> NoReturn:
        raise pickle.UnpicklingError(f"it asks for {module_name}.{global_name}")


def read(path: Path) -> QuestionSet:
    """The superiority questions of a published file.

    Raises:
        NotFoundError: there is no such file.
        BadInputError: it is no question set of CT Open, or wants to run code.
    """
    if not path.is_file():
        raise NotFoundError(f"There is no file {path}.", "Name a published question set of CT Open.")
    try:
        records = _Refusing(BytesIO(path.read_bytes())).load()
        questions, answers = _read(records)
    except _DAMAGE as error:
        raise BadInputError(f"{path.name} is no question set of CT Open ({error}).", "Name a published file.") from error
    if not questions:
        raise BadInputError(f"{path.name} holds no superiority question.", "Name a published question set of CT Open.")
    return QuestionSet(path.stem, sha256(path), tuple(questions), answers)


def _read(records: dict[tuple[str, str], dict[str, Any]]) -> tuple[list[Question], dict[str, bool]]:
    questions: list[Question] = []
    answers: dict[str, bool] = {}
    for at, ((nct_id, endpoint), record) in enumerate(records.items()):
        if record["meta_label"] not in _SUPERIORITY:
            continue
        measure = ast.literal_eval(endpoint)
        asked = zip(record["question_list_of_lists"], record["answer_list_of_lists"], strict=True)
        for number, (options, answer) in enumerate(asked):
            named = _OPTION.fullmatch(options[0].strip()) if len(options) == 2 else None
            if named is None:
                continue
            arms = (_arm(named[side], record["arms"]) for side in ("arm", "comparator"))
            question = Question(
                f"{nct_id}/{at}/{number}",
                nct_id,
                record["brief_title"],
                _type(_registered(named["comparator"], record["arms"])),
                _target(record, measure, *arms),
            )
            questions.append(question)
            answers[question.id] = options.index(answer) == 0
    return questions, answers


def _target(record: dict[str, Any], measure: dict[str, str], arm: ArmSpec, comparator: ArmSpec) -> Configuration:
    return Configuration(
        arm=arm,
        comparator=comparator,
        outcome=planned_spec(measure["measure"], role=_ROLES.get(measure["outcome_type"], "other")),
        time=time_point(measure.get("timeFrame", "")),
        population=Population((record["brief_title"],)),
    )


def _arm(label: str, arms: list[dict[str, Any]]) -> ArmSpec:
    """The arm as registered under this label; the label alone where there is none."""
    arm = _registered(label, arms)
    names = tuple(name.partition(": ")[2] or name for name in arm.get("interventionNames", ()))
    kind: Any = _type(arm) or None
    return ArmSpec(label, names, find_doses(label, names), control(label, kind))


def _registered(label: str, arms: list[dict[str, Any]]) -> dict[str, Any]:
    return next((each for each in arms if each["label"].strip() == label.strip()), {})


def _type(arm: dict[str, Any]) -> str:
    """`placebo comparator` and so on."""
    return str(arm.get("type", "")).lower().replace("_", " ")
