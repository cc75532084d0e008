"""The metrics of systems on questions of one class, over slices of them, each with an interval over trials; and who is better.

A question class is scored apart: there is no mean over classes, whose options and base rates differ.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple, get_args

import msgspec

from deepimagine_tui.evaluation.graded import NO_ANSWER, Graded, classes
from deepimagine_tui.evaluation.intervals import (
    LEVEL,
    Estimate,
    Rows,
    Statistic,
    Word,
    balanced_accuracy,
    difference,
    estimate,
    macro_f1,
    mean,
    median,
    word,
)
from deepimagine_tui.evaluation.predictions import NOT_SAID
from deepimagine_tui.evaluation.questions import QuestionClass
from deepimagine_tui.evaluation.statistics import BINS, auroc, bin_of, calibration_error, skill

Metric = Literal[
    "macro-F1",
    "balanced accuracy",
    "accuracy",
    "AUROC",
    "Brier",
    "cross-entropy",
    "ECE",
    "direction",
    "stated direction",
    "median e",
    "skill over copying",
    "coverage",
]
METRICS: tuple[Metric, ...] = get_args(Metric)
LOWER_IS_BETTER: frozenset[Metric] = frozenset({"Brier", "cross-entropy", "ECE", "median e"})
VALUES: frozenset[Metric] = frozenset({"direction", "stated direction", "median e", "skill over copying", "coverage"})
"""The metrics of directions and values; the others are of verdicts."""
MEANS: frozenset[Metric] = frozenset({"accuracy", "coverage"})
"""The shares that are a mean over rows."""
SHARES: frozenset[Metric] = frozenset(
    {"accuracy", "coverage", "macro-F1", "balanced accuracy", "AUROC", "direction", "stated direction"}
)
"""Metrics of which 1 is perfect and 0 all wrong."""
NOT_COMPARED: frozenset[Metric] = frozenset({"coverage"})
"""Nearer to the level is better, so that a difference says nothing."""
IN_SLICES: tuple[Metric, ...] = ("macro-F1", "accuracy", "Brier", "direction", "median e")
"""What is computed in each slice; on all questions of a class, everything is."""

WORDS: dict[Metric, str] = {
    "macro-F1": "mean over the options of F1, where posted or said, by the likelier option; no answer is wrong",
    "balanced accuracy": "mean over the posted options of the share said rightly, by the likelier option; no answer is wrong",
    "accuracy": "share said rightly, by the likelier option; no answer is wrong",
    "AUROC": "how often a met one was given more than a not met one, a tie counting half; no answer counts as the base rate",
    "Brier": "half the sum of squares over the options, which of two is (P(met) - met)^2; lower is better; no answer counts "
    "as the training base rate",
    "cross-entropy": "mean of -ln of the share given to the posted option, none counting as less than 1e-12; lower is better; "
    "no answer counts as the training base rate",
    "ECE": f"expected calibration error of P(met) over {BINS} bins of equal width; lower is better; never below 0, and the "
    "larger the fewer questions there are",
    "direction": "balanced accuracy of up, down and no clear change, by the value said; no answer is wrong",
    "stated direction": "the same of the direction said in words, where one is",
    "median e": "median error of the values in units of s, lower is better; only where a value was said",
    "skill over copying": "1 - median e / median e of copying the source: 0 is no better than copying, 1 is perfect",
    "coverage": "share of the posted values inside the interval around the imagined ones, which should be its level",
}
"""What each metric is."""

ALL, FLIPS, NON_FLIPS = "all", "flips", "non-flips"
ANCHORS: tuple[tuple[str, int, int | None], ...] = (("0 anchors", 0, 0), ("1-2 anchors", 1, 2), ("3+ anchors", 3, None))
"""Slices by how many trials a system saw, both ends included."""

SliceKind = Literal["all", "flips", "factor", "anchors"]


class Slice(msgspec.Struct, frozen=True):
    """Some questions of a class, by a name: `all`, `flips`, `non-flips`, a factor, `1-2 anchors`. Flips and non-flips may be
    those of one `factor` alone."""

    kind: SliceKind
    name: str
    factor: str = ""

    @property
    def text(self) -> str:
        """`Dose, flips`."""
        return ", ".join(part for part in (self.factor, self.name) if part).replace("_", " ").capitalize()


EVERY = Slice("all", ALL)


class Score(msgspec.Struct, frozen=True):
    """One metric of one system on a slice of a question class. By number of anchors, it is the system's own number."""

    system: str
    question_class: QuestionClass
    slice: Slice
    metric: Metric
    estimate: Estimate


class Difference(msgspec.Struct, frozen=True):
    """One metric of `system` minus that of `other` on the questions that both answered, with the word that it allows. By number
    of anchors, it is that of `system`."""

    system: str
    other: str
    question_class: QuestionClass
    slice: Slice
    metric: Metric
    estimate: Estimate
    word: Word


class Bin(msgspec.Struct, frozen=True):
    """One bin of a reliability diagram: what was said in it on average, and what share was met. An empty one has no rows."""

    system: str
    question_class: QuestionClass
    lower: float
    upper: float
    said: float | None
    met: Estimate


Answers = Mapping[str, Graded]
"""What one system said, by question id."""


class Measured(NamedTuple):
    """The rows that a metric is of, and its statistic for each system."""

    rows: Rows
    statistics: tuple[Statistic, ...]


def scores(name: str, answers: Answers) -> list[Score]:
    """Every metric of one system, in every class and slice that it has something in."""
    found = []
    for kind in classes_of(answers):
        for part in slices(answers, kind):
            for metric in METRICS if part == EVERY else IN_SLICES:
                measured = measure(metric, [_in_slice(answers, answers, kind, part)])
                if measured is not None:
                    scored = estimate(measured.statistics[0], measured.rows)
                    found.append(Score(name, kind, part, metric, without_false_certainty(scored, metric)))
    return found


def differences(name: str, answers: Answers, other: str, theirs: Answers) -> list[Difference]:
    """Every metric of one system minus that of another, on the questions that both answered."""
    common = {key: answers[key] for key in answers if key in theirs}
    found = []
    for kind in classes_of(common):
        for part in slices(common, kind):
            for metric in METRICS if part == EVERY else IN_SLICES:
                if metric in NOT_COMPARED:
                    continue
                both = [_in_slice(each, common, kind, part) for each in (common, theirs)]
                measured = measure(metric, both)
                if measured is not None:
                    gap = difference(measured.statistics[0], measured.statistics[1], measured.rows)
                    said = word(gap, lower_is_better=metric in LOWER_IS_BETTER)
                    found.append(Difference(name, other, kind, part, metric, gap, said))
    return found


def reliability(name: str, answers: Answers) -> list[Bin]:
    """The bins of P(met), or of P(different), of one system in every class; no answers count as their base rate."""
    found = []
    for kind in classes_of(answers):
        known = [each for each in answers.values() if each.question.kind == kind and _counts(each, "Brier")]
        if not known:
            continue
        for place in range(BINS):
            some = [each for each in known if bin_of(each.share) == place]
            said = sum(each.share for each in some) / len(some) if some else None
            met = estimate(mean([float(_is_first(each)) for each in some]), rows_of(some))
            met = without_false_certainty(met, "accuracy")
            found.append(Bin(name, kind, place / BINS, (place + 1) / BINS, said, met))
    return found


def without_false_certainty(found: Estimate, metric: Metric) -> Estimate:
    """A share on which all rows agree, which no bootstrap can doubt: of a mean, its interval is the exact one for that many
    programmes (Clopper and Pearson, Biometrika 1934); of another metric there is none."""
    if metric not in SHARES or found.value not in (0, 1) or found.lower != found.upper or found.lower is None:
        return found
    if metric not in MEANS:
        return msgspec.structs.replace(found, lower=None, upper=None)
    reach = 1 - ((1 - LEVEL / 100) / 2) ** (1 / found.clusters)
    lower, upper = (0.0, reach) if found.value == 0 else (1 - reach, 1.0)
    return msgspec.structs.replace(found, lower=lower, upper=upper)


def classes_of(answers: Answers) -> list[QuestionClass]:
    """The question classes that there are answers of, in their order."""
    return list(dict.fromkeys(each.question.kind for each in answers.values()))


def slices(answers: Answers, kind: QuestionClass) -> list[Slice]:
    """All questions of a class, then what it can be cut into."""
    some = [each for each in answers.values() if each.question.kind == kind]
    found = [EVERY]
    if any(each.is_flip is not None for each in some):
        found += [Slice("flips", FLIPS), Slice("flips", NON_FLIPS)]
    factors = sorted({each.question.factor for each in some if each.question.factor})
    found += [Slice("factor", factor) for factor in factors]
    if any(each.is_flip is not None for each in some):
        found += [Slice("flips", name, factor) for factor in factors for name in (FLIPS, NON_FLIPS)]
    if any(each.anchors for each in some if each.question.source is None):
        found += [Slice("anchors", name) for name, _, _ in ANCHORS]
    return found


def is_in(each: Graded, part: Slice) -> bool:
    """Whether an answer belongs to a slice."""
    match part.kind:
        case "all":
            return True
        case "flips":
            of_factor = part.factor in ("", each.question.factor)
            return of_factor and each.is_flip is not None and each.is_flip == (part.name == FLIPS)
        case "factor":
            return each.question.factor == part.name
        case "anchors":
            least, most = next((least, most) for name, least, most in ANCHORS if name == part.name)
            return each.anchors >= least and (most is None or each.anchors <= most)


def measure(metric: Metric, systems: Sequence[Sequence[Graded]]) -> Measured | None:
    """A metric of each system on the same questions, which are given in the same order; `None` where there is nothing that all
    of them speak of."""
    if metric in VALUES and not all(_speaks(answers, metric) for answers in systems):
        return None
    counts = [all(_counts(each, metric) for each in answers) for answers in zip(*systems, strict=True)]
    known = [[each for each, is_counted in zip(answers, counts, strict=True) if is_counted] for answers in systems]
    if not known[0]:
        return None
    return Measured(rows_of(known[0]), tuple(_STATISTICS[metric](answers) for answers in known))


def rows_of(answers: Sequence[Graded]) -> Rows:
    """Whose rows these are."""
    return Rows(tuple(each.question.nct_id for each in answers), tuple(each.question.programme for each in answers))


def _in_slice(answers: Answers, by: Answers, kind: QuestionClass, part: Slice) -> list[Graded]:
    """The answers to the questions that are in a slice by the answers `by`."""
    return [answers[key] for key, each in by.items() if each.question.kind == kind and is_in(each, part)]


def _speaks(answers: Sequence[Graded], metric: Metric) -> bool:
    """Whether a system says anything of the kind: a classical one has no direction."""
    if metric == "direction":
        return any(each.direction is not None for each in answers)
    if metric == "stated direction":
        return any(each.stated is not None for each in answers)
    return True


def _counts(each: Graded, metric: Metric) -> bool:
    match metric:
        case "direction" | "stated direction":
            return each.posted_direction is not None and (each.direction is not None or each.fallback != NOT_SAID)
        case "median e":
            return each.error is not None
        case "skill over copying":
            return each.error is not None and each.copy_error is not None
        case "coverage":
            return each.covered is not None
        case _:
            return each.truth is not None and each.fallback != NOT_SAID


def _is_first(each: Graded) -> bool:
    return each.truth == classes(each.question.options)[0]


def _truth(answers: Sequence[Graded]) -> list[str]:
    return [each.truth or "" for each in answers]


def _said(answers: Sequence[Graded]) -> list[str]:
    return [each.said for each in answers]


def _known(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _accuracy(answers: Sequence[Graded]) -> Statistic:
    return mean([float(each.truth == each.said) for each in answers])


def _macro_f1(answers: Sequence[Graded]) -> Statistic:
    options = dict.fromkeys(option for each in answers for option in classes(each.question.options))
    return macro_f1(_truth(answers), _said(answers), tuple(options))


def _direction(answers: Sequence[Graded]) -> Statistic:
    said = [each.direction or NO_ANSWER for each in answers]
    return balanced_accuracy([str(each.posted_direction) for each in answers], said)


def _stated(answers: Sequence[Graded]) -> Statistic:
    said = [each.stated or each.direction or NO_ANSWER for each in answers]
    return balanced_accuracy([str(each.posted_direction) for each in answers], said)


_STATISTICS: dict[Metric, Callable[[Sequence[Graded]], Statistic]] = {
    "macro-F1": _macro_f1,
    "balanced accuracy": lambda answers: balanced_accuracy(_truth(answers), _said(answers)),
    "accuracy": _accuracy,
    "AUROC": lambda answers: auroc([each.share for each in answers], [_is_first(each) for each in answers]),
    "Brier": lambda answers: mean(_known([each.squares for each in answers])),
    "cross-entropy": lambda answers: mean(_known([each.loss for each in answers])),
    "ECE": lambda answers: calibration_error([each.share for each in answers], [_is_first(each) for each in answers]),
    "direction": _direction,
    "stated direction": _stated,
    "median e": lambda answers: median(_known([each.error for each in answers])),
    "skill over copying": lambda answers: skill(
        _known([each.error for each in answers]), _known([each.copy_error for each in answers])
    ),
    "coverage": lambda answers: mean(_known([each.covered for each in answers])),
}
