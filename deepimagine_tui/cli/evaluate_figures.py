"""The figures of an evaluation's report, from its numbers: a pair for every question class."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from deepimagine_tui.evaluation import estimate_text
from deepimagine_tui.evaluation.graded import classes
from deepimagine_tui.evaluation.metrics import LOWER_IS_BETTER, Metric
from deepimagine_tui.evaluation.report_content import DIFFERENCES, RELIABILITY
from deepimagine_tui.evaluation.scoring_report import ClassRow, Report

if TYPE_CHECKING:
    from deepimagine_exporters import differences_figure, reliability_figure
    from deepimagine_exporters.evaluation_marks import Heading
    from deepimagine_exporters.figure import FigureFormat

    from deepimagine_tui.evaluation.questions import QuestionClass

_AXES: dict[Metric, str] = {
    "macro-F1": "Percentage points of macro-F1",
    "Brier": "Brier score",
    "direction": "Percentage points of balanced accuracy of three",
    "median e": "Median e, in units of s",
}
_CAPTIONS = {
    DIFFERENCES: "{judged} minus each of the others on the same {kind} questions, with intervals over trials.",
    RELIABILITY: "What was said of {kind} questions against what was posted, with trials in each bin.",
}


class Drawing(NamedTuple):
    """A figure that can be drawn: which one, of which class, as which format."""

    which: str
    kind: QuestionClass
    caption: str
    render: Callable[[FigureFormat], bytes]

    @property
    def name(self) -> str:
        """What its file is called, without an ending."""
        return f"{self.which}-{self.kind.replace(' ', '-')}"


def drawings(report: Report) -> Iterator[Drawing]:
    """Every figure that the report has something for."""
    from deepimagine_exporters.differences_figure import render_differences
    from deepimagine_exporters.reliability_figure import render_reliability

    for row in report.classes:
        kind = row.question_class
        captions = {which: text.format(judged=report.judged, kind=kind) for which, text in _CAPTIONS.items()}
        compared, said = _differences(report, row), _reliability(report, row)
        if any(panel.rows for panel in compared.panels):
            yield Drawing(DIFFERENCES, kind, captions[DIFFERENCES], partial(render_differences, compared))
        if any(panel.bins for panel in said.panels):
            yield Drawing(RELIABILITY, kind, captions[RELIABILITY], partial(render_reliability, said))


def _differences(report: Report, row: ClassRow) -> differences_figure.Differences:
    from deepimagine_exporters.differences_figure import Differences, Panel

    panels = tuple(
        Panel(metric, axis, tuple(_rows(report, row, metric)), metric in LOWER_IS_BETTER) for metric, axis in _AXES.items()
    )
    return Differences(_heading(report, row, f"{report.judged} against the others"), report.judged, panels)


def _rows(report: Report, row: ClassRow, metric: Metric) -> Iterator[differences_figure.Row]:
    from deepimagine_exporters.differences_figure import Row

    unit = 100.0 if metric in estimate_text.PERCENT else 1.0
    for system in report.systems:
        found = report.against(system.name, row.question_class, metric)
        if found is None or found.estimate.value is None:
            continue
        lower, upper = (None if limit is None else unit * limit for limit in (found.estimate.lower, found.estimate.upper))
        text = estimate_text.change(found, with_rows=False)
        yield Row(system.name, unit * found.estimate.value, lower, upper, text, f"{found.estimate.trials:,}", found.word)


def _reliability(report: Report, row: ClassRow) -> reliability_figure.Reliability:
    from deepimagine_exporters.reliability_figure import Bin, Panel, Reliability

    panels = []
    for system in report.systems:
        bins = tuple(
            Bin(each.lower, each.upper, each.said, each.met.value, each.met.lower, each.met.upper, each.met.trials)
            for each in report.bins
            if (each.system, each.question_class) == (system.name, row.question_class)
            and each.said is not None
            and each.met.value is not None
        )
        error = report.of(system.name, row.question_class, "ECE")
        note = f"ECE {estimate_text.cell(error, 'ECE', with_rows=False)}"
        if error is not None:
            note += f"; {error.rows:,} questions of {error.trials:,} trials"
        panels.append(Panel(system.name, note, bins))
    return Reliability(_heading(report, row, "what was said and what was posted"), classes(tuple(row.posted))[0], tuple(panels))


def _heading(report: Report, row: ClassRow, title: str) -> Heading:
    from deepimagine_exporters.evaluation_marks import Heading

    sizes = f"{row.questions:,} questions of {row.trials:,} trials in {row.programmes:,} programmes"
    about = f"Question set {report.set_name}, sha256 {report.set_sha256[:12]}, scored by DeepImagine {report.deepimagine}."
    looks = f"Looks at this set so far: {report.looks:,}." if report.looks is not None else ""
    return Heading(f"{row.question_class.capitalize()}: {title}", sizes, tuple(filter(None, (about, looks))))
