"""The tables of an evaluation's written report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from deepimagine_tui.document import Heading, Paragraph, Part, Table
from deepimagine_tui.evaluation import floors, published
from deepimagine_tui.evaluation.estimate_text import NOTHING, cell, change
from deepimagine_tui.evaluation.interpretability import Measure
from deepimagine_tui.evaluation.metrics import EVERY, IN_SLICES, Difference, Metric, Slice, SliceKind
from deepimagine_tui.evaluation.questions import QuestionClass
from deepimagine_tui.evaluation.scoring_report import Report, SystemRow

OURS, RULE, THEIRS = "ours", "rule", "theirs"
"""Whose a row of a leaderboard is."""

_LEADERBOARD: tuple[Metric, ...] = ("macro-F1", "balanced accuracy", "accuracy", "AUROC", "Brier", "cross-entropy", "ECE")
_COMPARED: tuple[Metric, ...] = ("macro-F1", "balanced accuracy", "AUROC", "Brier", "cross-entropy", "direction", "median e")
_VALUES: tuple[Metric, ...] = ("direction", "stated direction", "median e", "skill over copying", "coverage")
_SLICES: dict[SliceKind, tuple[str, str]] = {
    "factor": ("By factor", "The factor that changes."),
    "flips": (
        "Flips and non-flips",
        "A flip is a question whose posted verdict is not its source's: copying is always wrong there.",
    ),
    "anchors": ("By number of anchors", "How many trials a system saw; systems that see none are left out."),
}
_BASE_RATES = {"base-rate": "the base rate", "majority": "the commonest answer"}
"""The systems that know nothing of a question but its factor: the first that there is has to be beaten."""
_HASH = 12


def leaderboard(report: Report, kind: QuestionClass) -> Table:
    """Ours, the rules and the published systems in one order, by macro-F1."""
    rows: list[tuple[float, tuple[str, ...]]] = []
    for system in report.systems:
        found = [report.of(system.name, kind, metric) for metric in _LEADERBOARD]
        if any(found):
            cells = [cell(each, metric) for each, metric in zip(found, _LEADERBOARD, strict=True)]
            f1 = found[0].value if found[0] is not None and found[0].value is not None else -1.0
            rows.append((f1, (system.name, _whose(system), *cells, _fallbacks(system))))
    blank = [NOTHING] * (len(_LEADERBOARD) - 2)
    for row in published.rows(report.set_name):
        scores = (f"{row.macro_f1[kind]:.2f}", f"{row.balanced_accuracy[kind]:.2f}")
        mark = f"{THEIRS}, {published.MAYBE_CONTAMINATED}" if row.is_flagged else THEIRS
        rows.append((row.macro_f1[kind] / 100, (row.system, mark, *scores, *blank, NOTHING)))
    rows.sort(key=lambda row: -row[0])
    return Table(("System", "Whose", *_LEADERBOARD, "No answer, no anchor"), tuple(row for _, row in rows))


def published_notes(report: Report, kind: QuestionClass) -> Iterator[Part]:
    """Where published rows are from, and our scores by the published rules."""
    if published.rows(report.set_name):
        yield Paragraph(
            f"Rows marked {THEIRS} are published numbers of other people's systems, without intervals, and were not repeated "
            f"here: {published.SOURCE}."
        )
    rows = [
        (
            system.name,
            f"{100 * scores.macro_f1:.2f}",
            f"{100 * scores.weighted_accuracy:.2f}",
            NOTHING if scores.cross_entropy is None else f"{scores.cross_entropy:.4f}",
            f"{system.answered:,} questions in all",
        )
        for system in report.systems
        if system.published is not None and (scores := system.published.by_class.get(kind)) is not None
    ]
    if rows:
        yield Paragraph("By CT Open's own rules, as its evaluation computes them:")
        yield Table(("System", "macro-F1", "weighted accuracy", "cross-entropy", "of"), tuple(rows))


def values(report: Report, kind: QuestionClass) -> Iterator[Part]:
    """Directions and values, where any system says some."""
    table = _metric_table(report, kind, EVERY, _VALUES)
    if table is not None:
        yield Heading(3, "Directions and values")
        yield table
        levels = report.levels.get(kind, ())
        if levels:
            yield Paragraph(f"Coverage is of intervals at {', '.join(f'{level:g}%' for level in levels)}.")


def calibration(report: Report, kind: QuestionClass) -> Iterator[Part]:
    """The bins of the judged system's reliability diagram."""
    bins = [each for each in report.bins if (each.system, each.question_class) == (report.judged, kind)]
    if not bins:
        return
    yield Heading(3, "Calibration")
    yield Paragraph(f"What {report.judged} said of the first option, and how often it was posted:")
    rows = [
        (
            f"{each.lower:.1f} to {each.upper:.1f}",
            NOTHING if each.said is None else f"{each.said:.3f}",
            cell(each.met, "AUROC") if each.met.rows else "no question",
        )
        for each in bins
    ]
    yield Table(("Bin", "Mean said", "Share posted"), tuple(rows))


def by_slice(report: Report, kind: QuestionClass) -> Iterator[Part]:
    """A table of each factor, of flips and non-flips, and by number of anchors."""
    for slice_kind, (heading, meaning) in _SLICES.items():
        parts = dict.fromkeys(
            each.slice for each in report.scores if (each.question_class, each.slice.kind) == (kind, slice_kind)
        )
        if not parts:
            continue
        yield Heading(3, heading)
        yield Paragraph(meaning)
        for part in parts:
            table = _metric_table(report, kind, part, IN_SLICES)
            if table is not None:
                yield Heading(4, part.text)
                yield table
                compared = differences(report, kind, part)
                yield from [compared] if compared is not None else []
                yield from _knows_nothing(report, kind, part)


def interpretability(report: Report) -> Iterator[Part]:
    """What the runs of each system say of its walks, one column a system."""
    if not report.interpretability:
        return
    yield Heading(2, "Interpretability")
    yield Paragraph("Of the runs that were kept; a cell is the value, its interval, and rows/trials.")
    found = {name: {(each.name, each.factor): each for each in told.measures} for name, told in report.interpretability.items()}
    measures = {key: each for told in found.values() for key, each in told.items()}
    rows = []
    for key, measure in measures.items():
        cells = [_measure(told.get(key)) for told in found.values()]
        if any(each != NOTHING for each in cells):
            of = f", {measure.factor.replace('_', ' ')}" if measure.factor else ""
            rows.append((f"{measure.name}{of}", *cells, f"{measure.definition} ({measure.unit})"))
    yield Table(("Measure", *found, "What it is"), tuple(rows))


def systems(report: Report) -> Table:
    """What each system is, and what it took."""
    return Table(("System", "What it is", "With", "Took"), tuple(map(_system, report.systems)))


def differences(report: Report, kind: QuestionClass, part: Slice = EVERY) -> Table | None:
    """The judged system minus each of the others, with the word that the interval allows."""
    metrics = _COMPARED if part == EVERY else IN_SLICES
    rows = []
    for system in report.systems:
        found = [report.against(system.name, kind, metric, part) for metric in metrics]
        if any(each is not None and each.estimate.value is not None for each in found):
            rows.append((system.name, *(_change(each) for each in found)))
    shown = [place for place in range(len(metrics)) if any(row[place + 1] != NOTHING for row in rows)]
    head = (f"{report.judged} minus", *(metrics[place] for place in shown))
    return Table(head, tuple((row[0], *(row[place + 1] for place in shown)) for row in rows)) if rows else None


def _knows_nothing(report: Report, kind: QuestionClass, part: Slice) -> Iterator[Part]:
    """That the judged system knows no better than the base rate, in so many words."""
    by_system = {system.header.system: system.name for system in report.systems}
    rule = next((each for each in _BASE_RATES if each in by_system), None)
    found = report.against(by_system[rule], kind, "Brier", part) if rule is not None else None
    if rule is not None and found is not None and found.estimate.rows and found.word != "better":
        yield Paragraph(f"Here P(met) of {report.judged} is not shown to be better than {_BASE_RATES[rule]}.")


def _metric_table(report: Report, kind: QuestionClass, part: Slice, metrics: Sequence[Metric]) -> Table | None:
    """One row a system that says anything; metrics that nobody speaks of are left out."""
    found = {
        system.name: {metric: report.of(system.name, kind, metric, part) for metric in metrics} for system in report.systems
    }
    shown: list[Metric] = [metric for metric in metrics if any(each[metric] is not None for each in found.values())]
    rows = [
        (name, *(cell(each[metric], metric) for metric in shown))
        for name, each in found.items()
        if any(each[metric] is not None for metric in shown)
    ]
    return Table(("System", *shown), tuple(rows)) if rows else None


def _whose(system: SystemRow) -> str:
    return RULE if system.header.system in floors.NAMES else OURS


def _fallbacks(system: SystemRow) -> str:
    return f"{system.no_answer:,}, {system.no_anchor:,} of {system.answered:,}"


def _change(found: Difference | None) -> str:
    if found is None or found.estimate.value is None:
        return NOTHING
    return f"{change(found)} {found.word}"


def _measure(found: Measure | None) -> str:
    return NOTHING if found is None else cell(found.estimate, "Brier")


def _system(system: SystemRow) -> tuple[str, ...]:
    header = system.header
    parts = [f"model sha256 {header.model_sha256[:_HASH]}"] if header.model_sha256 else []
    parts += [f"adapter sha256 {header.adapter_sha256[:_HASH]}"] if header.adapter_sha256 else []
    parts += [f"corpus {header.corpus} {header.corpus_version}".rstrip()] if header.corpus else []
    if header.learnt_from:
        parts.append(f"learnt from {header.learnt_trials:,} trials, sha256 {header.learnt_from[:_HASH]}")
    parts += [f"{key} {value}" for key, value in header.settings.items()]
    took = [f"{system.answered:,} questions"]
    if system.prompt_tokens or system.completion_tokens:
        took.append(f"{system.prompt_tokens:,} tokens read, {system.completion_tokens:,} written")
    took += [f"{system.anchors:.1f} trials seen a question"] if system.anchors else []
    took += [f"{system.seconds / 60:.1f} min"] if system.seconds else []
    return system.name, header.what, "; ".join(parts) or NOTHING, "; ".join(took)
