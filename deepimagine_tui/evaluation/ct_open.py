"""CT Open's published question sets: pickles without a single global, read by an unpickler that refuses every one, or JSON.

The registry's and the press's reports that come with a question are its answer, and so are its labels: none of them gets into
a `Question`. The JSON shape is a dump of the pickle: a list of `{"key": [nct_id, endpoint], "value": record}`, in its order,
with tuples as lists and the keys of objects as texts.
"""

from __future__ import annotations

import ast
import pickle
import re
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from deepimagine_tui.errors import BadInputError, NotFoundError
from deepimagine_tui.evaluation.questions import THREE_WAY, TWO_WAY, Key, Question, QuestionClass, QuestionSet
from deepimagine_tui.files import sha256, write_bytes
from deepimagine_tui.reasoning.planned import planned_spec
from deepimagine_tui.reasoning.state import ArmSpec, Configuration, Population
from deepimagine_tui.trials.concepts.groups import control
from deepimagine_tui.trials.concepts.time_points import time_point
from deepimagine_tui.trials.units import find_doses

CUTOFFS = {"winter_2025": "2025-01-31", "summer_2025": "2025-08-31"}
"""The last day before each published set's own cutoff, by the name of its file: nothing posted later is used."""

_SUPERIORITY = re.compile(
    r"The study arm (?P<arm>.+) has achieved statistically significant improvements over the study arm "
    r"(?P<comparator>.+) with respect to this specific endpoint\.",
    re.DOTALL,
)
_COMPARATIVE = re.compile(
    r"Study Arm (?P<comparator>.+) is statistically significantly worse than Study Arm (?P<arm>.+)\.", re.DOTALL
)
"""The first option of a comparative effect: the comparator is worse, so that the arm is better."""
_ONE_ARM = frozenset({"single_arm", "distinguishable_arm"})
_NO_ARM = frozenset({"no_arm", "no_distinguishable_arm"})
_CONTROLS = ("PLACEBO_COMPARATOR", "SHAM_COMPARATOR", "NO_INTERVENTION", "ACTIVE_COMPARATOR")
_ROLES = {"primaryOutcomes": "primary", "secondaryOutcomes": "secondary"}
_DAMAGE = (pickle.UnpicklingError, EOFError, AttributeError, KeyError, IndexError, TypeError, ValueError, SyntaxError)
"""What reading a file that is something else may raise; damaged JSON is a `ValueError`."""

PublishedKey = tuple[str, str, int]
"""How CT Open's own evaluation names a question: its NCT id, the text of its endpoint, and its number there."""

_Record = dict[str, Any]
_Records = list[tuple[tuple[str, str], _Record]]


class _Refusing(pickle.Unpickler):
    """Builds plain containers and texts, and nothing else."""

    def find_class(self, module_name: str, global_name: str) -> NoReturn:
        raise pickle.UnpicklingError(f"it asks for {module_name}.{global_name}")


def read(path: Path, cutoff: str = "") -> QuestionSet:
    """The questions of a published file, in its order: superiority, comparative effect and endpoint.

    `cutoff` is an ISO date; without one it is that of the published set that the file is named after.

    Raises:
        NotFoundError: there is no such file.
        BadInputError: it is no question set of CT Open, or wants to run code; or its cutoff is not known.
    """
    records = _records(path)
    cutoff = cutoff or CUTOFFS.get(path.stem.lower(), "")
    if not cutoff:
        raise BadInputError(
            f"The cutoff of {path.name} is not known.", "Give the last day that may be used with --cutoff YYYY-MM-DD."
        )
    try:
        read_ones = list(_read(records, cutoff))
    except _DAMAGE as error:
        raise BadInputError(f"{path.name} is no question set of CT Open ({error}).", "Name a published file.") from error
    if not read_ones:
        raise BadInputError(f"{path.name} holds no question.", "Name a published question set of CT Open.")
    return QuestionSet(
        name=path.stem,
        sha256=sha256(path),
        questions=tuple(question for question, _ in read_ones),
        keys={key.question_id: key for _, key in read_ones},
        is_watched=True,
    )


def convert(path: Path, out: Path) -> int:
    """Write a published pickle as JSON, and return how many records it holds. The reports and labels stay in it.

    Raises:
        NotFoundError: there is no such file.
        BadInputError: it is no question set of CT Open, or wants to run code.
        StorageError: the JSON cannot be written.
    """
    records = _records(path)
    dumped = msgspec.json.encode([{"key": list(key), "value": record} for key, record in records])
    write_bytes(out, msgspec.json.format(dumped, indent=1) + b"\n")
    return len(records)


def reported_texts(path: Path) -> dict[str, tuple[str, ...]]:
    """What was reported of each trial, by NCT id: for an audit that looks for it in prompts, and for nothing else.

    Raises:
        NotFoundError: there is no such file.
        BadInputError: it is no question set of CT Open, or wants to run code.
    """
    found: dict[str, list[str]] = {}
    try:
        for (nct_id, _), record in _records(path):
            for report in record["reported_results"].values():
                found.setdefault(nct_id, []).extend(report["results"])
    except _DAMAGE as error:
        raise BadInputError(f"{path.name} is no question set of CT Open ({error}).", "Name a published file.") from error
    return {nct_id: tuple(dict.fromkeys(texts)) for nct_id, texts in found.items()}


def published_keys(path: Path) -> dict[str, PublishedKey]:
    """How CT Open names each question of a file, by the id that it has here.

    Raises:
        NotFoundError: there is no such file.
        BadInputError: it is no question set of CT Open, or wants to run code.
    """
    found: dict[str, PublishedKey] = {}
    try:
        for at, ((nct_id, endpoint), record) in enumerate(_records(path)):
            for number in range(len(record["question_list_of_lists"])):
                found[_id(nct_id, at, number)] = (nct_id, endpoint, number)
    except _DAMAGE as error:
        raise BadInputError(f"{path.name} is no question set of CT Open ({error}).", "Name a published file.") from error
    return found


def _records(path: Path) -> _Records:
    if not path.is_file():
        raise NotFoundError(f"There is no file {path}.", "Name a published question set of CT Open.")
    try:
        if path.suffix.lower() == ".json":
            return [((each["key"][0], each["key"][1]), each["value"]) for each in msgspec.json.decode(path.read_bytes())]
        return list(_Refusing(BytesIO(path.read_bytes())).load().items())
    except _DAMAGE as error:
        raise BadInputError(f"{path.name} is no question set of CT Open ({error}).", "Name a published file.") from error


def _read(records: _Records, cutoff: str) -> Iterable[tuple[Question, Key]]:
    for at, ((nct_id, endpoint), record) in enumerate(records):
        measure = ast.literal_eval(endpoint)
        asked = zip(record["question_list_of_lists"], record["answer_list_of_lists"], strict=True)
        for number, (options, answer) in enumerate(asked):
            kind = _kind(record["meta_label"], len(options))
            arm, comparator, listed = _sides(kind, options, record)
            names = THREE_WAY if kind == "comparative effect" else TWO_WAY
            question = Question(
                id=_id(nct_id, at, number),
                nct_id=nct_id,
                programme=nct_id,
                kind=kind,
                target=_target(record, measure, arm, comparator),
                options=names,
                title=record["brief_title"],
                cutoff=cutoff,
                comparator_type=_type(comparator),
                arms=listed,
            )
            yield question, Key(question_id=question.id, answer=names[options.index(answer)])


def _id(nct_id: str, at: int, number: int) -> str:
    return f"{nct_id}/{at}/{number}"


def _kind(meta_label: str, options: int) -> QuestionClass:
    """The class as the published evaluation tells it: by the record's label and the number of options."""
    if meta_label in _ONE_ARM and options == 2:
        return "superiority"
    if meta_label in _ONE_ARM and options == 3:
        return "comparative effect"
    if meta_label in _NO_ARM and options == 2:
        return "endpoint"
    raise ValueError(f"a question of {options} options is labelled {meta_label}")


def _sides(kind: QuestionClass, options: list[str], record: _Record) -> tuple[_Record, _Record, tuple[str, ...]]:
    """The arm and the comparator as registered, the latter empty where there is none, and the labels that an endpoint lists.

    An endpoint question names no one arm: its arm is made of those listed, or else of those that are no controls, and its
    comparator is the first of the others that is registered as a control.
    """
    arms: list[_Record] = record["arms"]
    if kind != "endpoint":
        pattern = _SUPERIORITY if kind == "superiority" else _COMPARATIVE
        named = pattern.fullmatch(options[0].strip())
        if named is None:
            raise ValueError(f"a question reads {options[0][:60]!r}")
        return _registered(named["arm"], arms), _registered(named["comparator"], arms), ()
    listed: list[_Record] = record.get("listed_arms") or [arm for arm in arms if arm.get("type") not in _CONTROLS] or arms
    labels = tuple(arm["label"].strip() for arm in listed)
    others = [arm for arm in arms if arm["label"].strip() not in labels]
    comparator = next((arm for kind_of in _CONTROLS for arm in others if arm.get("type") == kind_of), {})
    names = dict.fromkeys(name for arm in listed for name in arm.get("interventionNames", ()))
    return {**listed[0], "label": " or ".join(labels), "interventionNames": list(names)}, comparator, labels


def _target(record: _Record, measure: dict[str, str], arm: _Record, comparator: _Record) -> Configuration:
    return Configuration(
        arm=_arm(arm),
        comparator=_arm(comparator) if comparator else None,
        outcome=planned_spec(measure["measure"], role=_ROLES.get(measure["outcome_type"], "other")),
        time=time_point(measure.get("timeFrame", "")),
        population=Population((record["brief_title"],)),
    )


def _arm(arm: _Record) -> ArmSpec:
    label = arm["label"].strip()
    names = tuple(name.partition(": ")[2] or name for name in arm.get("interventionNames", ()))
    kind: Any = _type(arm) or None
    return ArmSpec(label, names, find_doses(label, names), control(label, kind))


def _registered(label: str, arms: list[_Record]) -> _Record:
    """The arm as registered under this label; the label alone where there is none."""
    return next((each for each in arms if each["label"].strip() == label.strip()), {"label": label})


def _type(arm: _Record) -> str:
    """`placebo comparator` and so on."""
    return str(arm.get("type", "")).lower().replace("_", " ")
