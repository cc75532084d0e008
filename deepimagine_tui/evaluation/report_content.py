"""What the written report of an evaluation says, in order: first what holds, then the tables that it is read from.

Every number has its questions and trials beside it, and nobody is called better whose interval holds zero.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from deepimagine_tui.document import Bullets, Heading, Paragraph, Part, Picture, Table
from deepimagine_tui.evaluation import report_tables
from deepimagine_tui.evaluation.estimate_text import sentence
from deepimagine_tui.evaluation.graded import DIFFERENT
from deepimagine_tui.evaluation.intervals import DRAWS, LEAST_CLUSTERS, LEVEL
from deepimagine_tui.evaluation.metrics import EVERY, METRICS, WORDS, Metric
from deepimagine_tui.evaluation.questions import THREE_WAY, QuestionClass
from deepimagine_tui.evaluation.scoring_report import ClassRow, Report

DIFFERENCES, RELIABILITY = "differences", "reliability"
"""The figures."""

OF_STEPS = ("base-rate", "more-dose")
"""The rules that are there for steps alone."""

HEADLINES: tuple[Metric, ...] = ("macro-F1", "Brier")
"""What is said in sentences; everything is in the tables."""
MAY_HAVE_READ = (
    "A pretrained model may have read the results of any trial that was posted before the model was made; a score on such "
    "trials may be memory. Rules and systems that were fitted here have read nothing but what they learnt from."
)
NOT_EVIDENCE = "Model output made with these systems is for hypothesis generation. Not evidence; not for patient care."


def title(report: Report) -> str:
    """The report's title."""
    return f"Evaluation on {report.set_name}"


def report_parts(report: Report, pictures: Mapping[tuple[str, QuestionClass], Picture] | None = None) -> Iterator[Part]:
    """The whole report; `pictures` by which figure and class."""
    yield Heading(1, title(report))
    yield Bullets(tuple(_facts(report)))
    yield Table(("Class", "Questions", "Trials", "Programmes", "Posted"), tuple(map(_class_row, report.classes)))
    yield Heading(2, "How to read it")
    yield Bullets(tuple(_cautions(report)))
    for row in report.classes:
        yield from class_parts(report, row, pictures or {})
    yield from report_tables.interpretability(report)
    yield Heading(2, "What each system is")
    yield report_tables.systems(report)
    yield Heading(2, "What the words mean")
    yield Bullets(tuple(f"{metric}: {WORDS[metric]}." for metric in METRICS if _is_shown(report, metric)))
    yield Paragraph(NOT_EVIDENCE)


def sentences(report: Report, kind: QuestionClass) -> Iterator[str]:
    """What the judged system is to the others, by every headline metric that both speak of."""
    for metric in HEADLINES:
        every = (report.against(system.name, kind, metric) for system in report.systems)
        found = [each for each in every if each is not None]
        if found:
            yield sentence(metric, found)


def _facts(report: Report) -> Iterator[str]:
    yield (
        f"{report.questions:,} questions of {report.trials:,} trials in {report.programmes:,} programmes; "
        f"sha256 of the set {report.set_sha256[:12]}"
    )
    yield f"The systems are compared with {report.judged}; scored by DeepImagine {report.deepimagine}"
    if report.looks is not None:
        yield f"Looks at this set so far, these scores included: {report.looks:,}. Every one is in the ledger"
    elif report.is_watched:
        yield "This set is watched, but its looks were not counted here"
    for system in report.systems:
        if system.answered < report.questions:
            yield f"{system.name} answered {system.answered:,} of {report.questions:,} questions: its scores are of those alone"


def _cautions(report: Report) -> Iterator[str]:
    yield (
        f"A cell is the value, its {LEVEL:.0f}% interval, and questions/trials. Intervals and differences are by a bootstrap "
        f"of {DRAWS:,} draws over programmes, whose questions stay together; under {LEAST_CLUSTERS} programmes there is none. "
        "Where all are right or all are wrong, a share has the exact interval for so many programmes, and any other score none"
    )
    yield (
        "A system is called better or worse only where the interval of the paired difference excludes zero; else the two are "
        "not distinguishable with so many trials, which does not mean that they are equal"
    )
    yield f"There are {len(report.differences):,} comparisons here: of twenty intervals, one misses the truth by chance"
    of_steps = [name for name in OF_STEPS if any(system.header.system == name for system in report.systems)]
    rules = ", ".join(("majority", "comparator-rule", "copy-anchor", *of_steps))
    yield f"The rules ({rules}) use no model: they are the floor that a score has to be read from"
    yield (
        "The likelier option counts; no threshold was chosen on these questions. No answer is wrong for F1 and accuracy, and "
        "the base rate of training for Brier, cross-entropy, AUROC and calibration; without an anchor that is the answer"
    )
    if len(report.classes) > 1:
        yield "The classes are scored apart. Their mean is not given: it weighs the smallest class like the largest"
    for row in report.classes:
        yield from _few(row)
    yield MAY_HAVE_READ.removesuffix(".")


def _few(row: ClassRow) -> Iterator[str]:
    """How far one question of the rarest option moves balanced accuracy."""
    posted = counted(row)
    rarest = min(posted, key=lambda option: posted[option], default="")
    count = posted.get(rarest, 0)
    if 0 < count < 30 and len(posted) > 1:
        yield (
            f"Of {row.question_class}, {count} of {row.questions:,} questions are {rarest}: each moves balanced accuracy by "
            f"{100 / len(posted) / count:.1f} points"
        )


def counted(row: ClassRow) -> dict[str, int]:
    """How often each option was posted, as accuracy counts them."""
    if tuple(row.posted) != THREE_WAY:
        return row.posted
    none = row.posted[THREE_WAY[-1]]
    return {DIFFERENT: sum(row.posted.values()) - none, THREE_WAY[-1]: none}


def _class_row(row: ClassRow) -> tuple[str, ...]:
    posted = [f"{option} {count:,}" for option, count in row.posted.items()]
    undetermined = row.questions - sum(row.posted.values())
    posted += [f"undetermined {undetermined:,}"] if undetermined else []
    return row.question_class, f"{row.questions:,}", f"{row.trials:,}", f"{row.programmes:,}", ", ".join(posted)


def class_parts(report: Report, row: ClassRow, pictures: Mapping[tuple[str, QuestionClass], Picture]) -> Iterator[Part]:
    """One question class: what holds, the tables and, where they are drawn, the figures."""
    kind = row.question_class
    yield Heading(2, kind.capitalize())
    said = tuple(sentences(report, kind))
    if said:
        yield Paragraph(f"{report.judged}, against the others:", strong=True)
        yield Bullets(said)
    yield Heading(3, "Leaderboard")
    yield report_tables.leaderboard(report, kind)
    yield from report_tables.published_notes(report, kind)
    compared = report_tables.differences(report, kind)
    if compared is not None:
        yield Heading(3, "Paired differences")
        yield compared
    if (DIFFERENCES, kind) in pictures:
        yield pictures[DIFFERENCES, kind]
    yield from report_tables.values(report, kind)
    yield from report_tables.calibration(report, kind)
    if (RELIABILITY, kind) in pictures:
        yield pictures[RELIABILITY, kind]
    yield from report_tables.by_slice(report, kind)


def _is_shown(report: Report, metric: Metric) -> bool:
    return any(each.metric == metric and each.slice == EVERY for each in report.scores)
