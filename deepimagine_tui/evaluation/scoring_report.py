"""The scores of systems on one question set, as a file: what the written report, the card and the app are told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from deepimagine_tui import __version__
from deepimagine_tui.errors import BadInputError, RefusedError
from deepimagine_tui.evaluation import ct_open_metrics, metrics
from deepimagine_tui.evaluation.ct_open_metrics import PublishedReport
from deepimagine_tui.evaluation.graded import Graded, graded
from deepimagine_tui.evaluation.interpretability import Interpretability
from deepimagine_tui.evaluation.intervals import Estimate
from deepimagine_tui.evaluation.metrics import EVERY, Bin, Difference, Metric, Score, Slice
from deepimagine_tui.evaluation.predictions import Header, Prediction, Predictions
from deepimagine_tui.evaluation.questions import QuestionClass, QuestionSet
from deepimagine_tui.files import write_text
from deepimagine_tui.reasoning.calibration import Calibration
from deepimagine_tui.reasoning.subject import Subject
from deepimagine_tui.reasoning.versioned import read_versioned

FORMAT = "deepimagine evaluation scores"
SCHEMA_VERSION = 1
REPORT = "evaluation.json"
JUDGED = "deepimagine"
"""The system that the others are compared with, where nobody names another."""


class SystemRow(msgspec.Struct, frozen=True, kw_only=True):
    """A system by the name it has in this report, with its journal's header, and how it answered: of `answered` questions
    `no_answer` had none and `no_anchor` nothing to start from. `anchors` is the mean number of trials seen; tokens are read
    and written over all questions, `seconds` taken. `published` are its scores by CT Open's own rules."""

    name: str
    header: Header
    answered: int
    no_answer: int
    no_anchor: int
    anchors: float
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    published: PublishedReport | None = None


class ClassRow(msgspec.Struct, frozen=True):
    """A question class: how many questions, trials and programmes, and how often each option was posted; those whose verdict
    is undetermined are under none."""

    question_class: QuestionClass
    questions: int
    trials: int
    programmes: int
    posted: dict[str, int]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Scores with what they are of. `looks` counts the scorings of a watched set so far, these included, `None` where they are
    not counted; `judged` is the system that the others are compared with; `nct_ids` are the trials that were asked about."""

    format: str = FORMAT
    schema_version: int = SCHEMA_VERSION
    deepimagine: str = __version__
    set_name: str
    set_sha256: str
    is_watched: bool
    questions: int
    trials: int
    programmes: int
    looks: int | None
    classes: tuple[ClassRow, ...]
    systems: tuple[SystemRow, ...]
    judged: str
    scores: tuple[Score, ...]
    differences: tuple[Difference, ...]
    bins: tuple[Bin, ...]
    levels: dict[QuestionClass, tuple[float, ...]] = {}
    interpretability: dict[str, Interpretability] = {}
    nct_ids: tuple[str, ...] = ()

    def of(self, system: str, kind: QuestionClass, metric: Metric, part: Slice = EVERY) -> Estimate | None:
        """One score; `None` where the system does not speak of it, or there is no such question."""
        wanted = (system, kind, part, metric)
        found = (each.estimate for each in self.scores if (each.system, each.question_class, each.slice, each.metric) == wanted)
        return next(found, None)

    def against(self, other: str, kind: QuestionClass, metric: Metric, part: Slice = EVERY) -> Difference | None:
        """The judged system minus another; `None` where there is nothing to compare."""
        wanted = (other, kind, part, metric)
        found = (each for each in self.differences if (each.other, each.question_class, each.slice, each.metric) == wanted)
        return next(found, None)


def score(
    asked: QuestionSet,
    journals: Sequence[Predictions],
    looks: int | None = None,
    judged: str = "",
    interpretability: Sequence[Interpretability | None] = (),
    calibration: Calibration | None = None,
) -> Report:
    """Score what systems said of a set.

    A journal with some of the questions is scored on those, and the report says so; two are compared on the questions that
    both answered.

    Args:
        looks: How often the set was scored so far, these journals included.
        judged: The system to compare the others with, by its name in the header; by default `deepimagine`, of several the one
            with an adapter; else the first.
        interpretability: What was measured of the runs of each journal, in the journals' order; none of those at the end.
        calibration: Whose intervals coverage is of, for the systems of the model that it is of.

    Raises:
        RefusedError: a journal is of another set.
        BadInputError: there is none, one holds nothing, or no system is called `judged`.
    """
    names = _names(journals)
    for journal in journals:
        require_of(asked, journal)
    chosen = _judged(names, journals, judged)
    answers = {
        name: graded(asked, journal.by_id, calibration if _is_of(calibration, journal.header) else None)
        for name, journal in zip(names, journals, strict=True)
    }
    others = [name for name in names if name != chosen]
    return Report(
        set_name=asked.name,
        set_sha256=asked.sha256,
        is_watched=asked.is_watched,
        questions=len(asked.questions),
        trials=len({question.nct_id for question in asked.questions}),
        programmes=len({question.programme for question in asked.questions}),
        looks=looks,
        classes=tuple(_class_rows(asked)),
        systems=tuple(_system_row(asked, name, journal) for name, journal in zip(names, journals, strict=True)),
        judged=chosen,
        scores=tuple(each for name in names for each in metrics.scores(name, answers[name])),
        differences=tuple(
            each for other in others for each in metrics.differences(chosen, answers[chosen], other, answers[other])
        ),
        bins=tuple(each for name in names for each in metrics.reliability(name, answers[name])),
        levels=_levels(each for answered in answers.values() for each in answered.values()),
        interpretability={
            name: found for name, found in zip(names, interpretability, strict=False) if found is not None and found.runs
        },
        nct_ids=tuple(sorted({question.nct_id for question in asked.questions})),
    )


def write(path: Path, made: Report) -> None:
    """Write a report as JSON.

    Raises:
        StorageError: it cannot be written.
    """
    write_text(path, encode(made))


def encode(made: Report) -> str:
    """A report as JSON, to be read by people too."""
    return msgspec.json.format(msgspec.json.encode(made), indent=1).decode() + "\n"


def read(path: Path) -> Report:
    """The report of a file, or of a folder.

    Raises:
        NotFoundError: there is none.
        BadInputError: it is damaged.
        NewerSchemaError: a newer DeepImagine wrote it.
    """
    file = path / REPORT if path.is_dir() else path
    how = "deepimagine evaluate report --format json"
    return read_versioned(file, Report, (FORMAT, SCHEMA_VERSION), "scores of an evaluation", how)


def require_of(asked: QuestionSet, journal: Predictions) -> None:
    """Refuse a journal that is not of this set.

    Raises:
        RefusedError: it is of another set.
        BadInputError: it holds nothing.
    """
    name = journal.header.name
    if journal.header.set_sha256 != asked.sha256:
        raise RefusedError(
            f"The predictions of {name} are of another question set: {journal.header.set_name}.",
            f"Name that set, or let {journal.header.system} answer {asked.name}: deepimagine evaluate run",
        )
    known = {question.id for question in asked.questions}
    unknown = next((question_id for question_id in journal.by_id if question_id not in known), None)
    if unknown is not None:
        raise RefusedError(f"{name} answered a question that {asked.name} does not have: {unknown}.", "Answer the set again.")
    if not journal.by_id:
        raise BadInputError(f"{name} has answered nothing yet.", "Let it answer: deepimagine evaluate run")


def _names(journals: Sequence[Predictions]) -> list[str]:
    """A name for each, its header's; of equals, with the settings in which they differ, or numbered."""
    headers = [journal.header for journal in journals]
    if not headers:
        raise BadInputError("There are no predictions to score.", "Make some: deepimagine evaluate run")
    count = Counter(header.name for header in headers)
    found: list[str] = []
    for header in headers:
        name = header.name
        if count[name] > 1:
            name += _apart(header, [other for other in headers if other.name == header.name])
        number = sum(each == name or each.startswith(f"{name} #") for each in found)
        found.append(f"{name} #{number + 1}" if number else name)
    return found


def _apart(header: Header, alike: Sequence[Header]) -> str:
    differing = [key for key in header.settings if any(other.settings.get(key) != header.settings[key] for other in alike)]
    return f" [{', '.join(f'{key} {header.settings[key]}' for key in differing)}]" if differing else ""


def _judged(names: Sequence[str], journals: Sequence[Predictions], wanted: str) -> str:
    found = [
        (not journal.header.adapter_sha256, place)
        for place, (name, journal) in enumerate(zip(names, journals, strict=True))
        if (wanted or JUDGED) in (name, journal.header.name, journal.header.system)
    ]
    if found:
        return names[min(found)[1]]
    if wanted:
        raise BadInputError(f"No predictions of {wanted} were given.", f"There are those of {', '.join(names)}.")
    return names[0]


def _is_of(calibration: Calibration | None, header: Header) -> bool:
    if calibration is None or calibration.subject is None or not header.model:
        return False
    return calibration.subject.is_same(Subject(header.model, header.model_sha256, header.adapter_sha256, header.prompt_version))


def _class_rows(asked: QuestionSet) -> list[ClassRow]:
    found = []
    kinds: dict[QuestionClass, None] = dict.fromkeys(question.kind for question in asked.questions)
    for kind in kinds:
        some = [question for question in asked.questions if question.kind == kind]
        answers = [asked.key(question).answer for question in some]
        posted = {option: answers.count(option) for option in dict.fromkeys(one for each in some for one in each.options)}
        trials, programmes = ({getattr(each, name) for each in some} for name in ("nct_id", "programme"))
        found.append(ClassRow(kind, len(some), len(trials), len(programmes), posted))
    return found


def _levels(answers: Iterable[Graded]) -> dict[QuestionClass, tuple[float, ...]]:
    found: dict[QuestionClass, set[float]] = {}
    for each in answers:
        if each.level is not None:
            found.setdefault(each.question.kind, set()).add(each.level)
    return {kind: tuple(sorted(levels)) for kind, levels in found.items()}


def _system_row(asked: QuestionSet, name: str, journal: Predictions) -> SystemRow:
    said: Sequence[Prediction] = list(journal.by_id.values())
    return SystemRow(
        name=name,
        header=journal.header,
        answered=len(said),
        no_answer=sum(each.fallback == "no answer" for each in said),
        no_anchor=sum(each.fallback == "no anchor" for each in said),
        anchors=sum(len({used.nct_id for used in each.used}) for each in said) / len(said),
        prompt_tokens=sum(each.prompt_tokens for each in said),
        completion_tokens=sum(each.completion_tokens for each in said),
        seconds=sum(each.seconds for each in said),
        published=_published(asked, journal),
    )


def _published(asked: QuestionSet, journal: Predictions) -> PublishedReport | None:
    """The scores by CT Open's own rules, of a set of CT Open that was answered whole."""
    if not asked.is_watched or len(journal.by_id) < len(asked.questions):
        return None
    return ct_open_metrics.score(asked, [{key: each.probabilities for key, each in journal.by_id.items()}])
