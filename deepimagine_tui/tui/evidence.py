"""What is known of how far a model can be trusted, as text: its scores beside the rules, its records, its calibration."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from textual.content import Content

from deepimagine_tui.backends.adapter_facts import CardScore, CardScores
from deepimagine_tui.evaluation.on_file import OnFile
from deepimagine_tui.reasoning.calibration import Calibration
from deepimagine_tui.reasoning.calibration_text import calibration_lines, check_text
from deepimagine_tui.reasoning.records import Bin, Records, Reliability
from deepimagine_tui.trials.factors import ARITHMETIC, WALKING_ORDER, Factor
from deepimagine_tui.tui.plot import Plot, Point, draw
from deepimagine_tui.tui.show import clip, inert, probability

NO_SCORES = "No scores of this model are on file."
NO_RECORDS = "No record of this model is on file: how often it is right is not known."
NO_CALIBRATION = "Not calibrated: imagined values carry no interval, and P(met) is the model's own."
HOW_TO_CALIBRATE = "deepimagine evaluate calibrate makes a calibration and records from answers about held-out trials."
_METRICS = {"macro-F1": "macro-F1", "Brier": "Brier ↓", "direction": "direct.", "median e": "e ↓"}
_MARKS = {"better": "▲", "worse": "▼", "not distinguishable": "≈"}
_CELL = 9
_LEAST_PLOT, _MOST_PLOT = 9, 14
"""Lines of a plot: so few that the shares below it are seen with it."""


@dataclass(frozen=True)
class Evidence:
    """What is on file of one model."""

    on_file: OnFile
    scores: CardScores | None = None


def scores_text(found: CardScores | None, width: int) -> Content:
    """The model and the rules, a row each; a mark says how the model stands against each rule."""
    if found is None or not found.scores:
        return Content.styled(NO_SCORES, "dim")
    first = found.judged
    systems = list(dict.fromkeys([first, *(score.system for score in _overall(found) if score.metric in _METRICS)]))
    name = max(min(max(map(len, systems)) + 1, width - _CELL * len(_METRICS)), 8)
    lines = [
        Content.styled("Scores beside the rules", "bold"),
        *_wrapped(f"{found.set_name.capitalize()} side: {found.questions:,} of {found.trials} held-out trials.", width),
        Content(""),
        Content.styled(" " * name + "".join(f"{label:>{_CELL}}" for label in _METRICS.values()), "dim"),
    ]
    for system in systems:
        cells = "".join(f"{_cell(found, first, system, metric):>{_CELL}}" for metric in _METRICS)
        lines.append(Content.styled(f"{clip(system, name - 1):<{name}}{cells}", "bold" if system == first else ""))
    legend = (
        f"▲ the {first} is better than this one, ▼ worse, ≈ not distinguishable: by the 95% interval over trials of the "
        "paired difference. ↓ lower is better. Direct.: balanced accuracy of up, down and no clear change. e: median error "
        "of the values in standard deviations."
    )
    lines += [Content(""), *_wrapped(legend, width), Content("")]
    lines += [line for score in _headlines(found, first) for line in _wrapped(_headline(score), width, "")]
    return Content("\n").join(lines)


def records_text(found: Records | None, width: int) -> Content:
    """How often the model was right by factor, and which factors have no record."""
    if found is None:
        return Content("\n").join([Content(NO_RECORDS), *_wrapped(HOW_TO_CALIBRATE, width)])
    lines = [
        Content.styled("How often it was right", "bold"),
        *_wrapped(f"{len(found.trials)} trials of the {found.side} side, none of which it was trained on.", width),
        *_wrapped("Base rate: the commonest answer of the factor in training.", width),
    ]
    unknown: list[str] = []
    every: list[Factor | None] = [*(factor for factor in WALKING_ORDER if factor not in ARITHMETIC), None]
    for factor in every:
        records = found.of(factor)
        if not records:
            unknown.append(_name(factor))
            continue
        lines.append(Content(""))
        lines.append(Content.styled(_name(factor), "bold"))
        for record in records:
            style = "" if record.standing == "better" else "$text-warning"
            lines += _wrapped(record.said, width, style, "  ")
    if unknown:
        lines += [Content(""), *_wrapped(f"No record of this model: {', '.join(unknown)}.", width, "$text-warning")]
    return Content("\n").join(lines)


def calibration_figure(found: OnFile, width: int, height: int) -> Content:
    """P(met) against the share met, and the calibration in words."""
    lines: list[Content] = []
    for each in found.records.reliability if found.records is not None else ():
        lines += [*_reliability(each, width, height), Content("")]
    lines += _calibration(found.calibration, width)
    return Content("\n").join(lines)


def _name(factor: Factor | None) -> str:
    return "forecasts" if factor is None else factor.replace("_", " ")


def _calibration(found: Calibration | None, width: int) -> Iterator[Content]:
    if found is None:
        yield from _wrapped(NO_CALIBRATION, width, "")
        yield from _wrapped(HOW_TO_CALIBRATE, width)
        return
    failed = {check_text(check, found.level) for check in found.checks if not check.is_passed}
    for line in calibration_lines(found):
        yield from _wrapped(line, width, "$text-warning" if line in failed else "")


def _reliability(found: Reliability, width: int, height: int) -> Iterator[Content]:
    whose = "forecasts" if found.forecast else "what-ifs"
    how = "calibrated" if found.is_calibrated else "as the model said it, not calibrated"
    yield Content.styled(f"P(met) of {whose} against the share met", "bold")
    yield from _wrapped(f"P(met) {how}; each trial weighs 1; ┄ is perfect calibration.", width)
    top = _top(found.bins)
    points = tuple(
        Point(each.mean, each.met, "●", "bold $primary", lower=each.met_lower, upper=each.met_upper) for each in found.bins
    )
    steps = [top * at / 60 for at in range(61)]
    ticks = tuple((top * at / 2, probability(top * at / 2)) for at in range(3))
    plot = Plot(points, ticks, tuple((step, step) for step in steps), "P(met) said", (0.0, top))
    yield draw(plot, width, min(max(height - len(found.bins) - 2, _LEAST_PLOT), _MOST_PLOT))
    for each in found.bins:
        yield Content(f"  said {probability(each.mean):>4}  met {_met(each)}")


def _met(found: Bin) -> str:
    interval = ""
    if found.met_lower is not None and found.met_upper is not None:
        interval = f" [{probability(found.met_lower)}, {probability(found.met_upper)}]"
    return f"{probability(found.met):>4}{interval}  {found.rows} answers, {found.trials} trials"


def _top(bins: tuple[Bin, ...]) -> float:
    """Where the axes end: the first fifth above everything that is drawn."""
    most = max(max(each.mean, each.met, each.met_upper or 0.0) for each in bins)
    return min((int(most * 5) + 1) / 5, 1.0)


def _cell(found: CardScores, first: str, system: str, metric: str) -> str:
    value = next((score.estimate.value for score in _overall(found) if (score.system, score.metric) == (system, metric)), None)
    if value is None:
        return "–  "
    word = next(
        (
            each.word
            for each in found.differences
            if (each.system, each.other, each.metric, each.slice.kind) == (first, system, metric, "all")
        ),
        "",
    )
    return f"{value:.2f} {_MARKS.get(word, ' ')}"


def _overall(found: CardScores) -> Iterator[CardScore]:
    return (score for score in found.scores if score.slice.kind == "all")


def _headlines(found: CardScores, first: str) -> Iterator[CardScore]:
    return (score for score in _overall(found) if score.system == first and score.metric in _METRICS)


def _headline(score: CardScore) -> str:
    estimate = score.estimate
    value = "–" if estimate.value is None else f"{estimate.value:.2f}"
    interval = "" if estimate.lower is None or estimate.upper is None else f" [{estimate.lower:.2f}, {estimate.upper:.2f}]"
    return f"{score.metric} {value}{interval} on {estimate.rows:,} pairs of {estimate.trials} trials"


def _wrapped(text: str, width: int, style: str = "dim", indent: str = "") -> Iterator[Content]:
    lines = textwrap.wrap(inert(text), max(width, 20), initial_indent=indent, subsequent_indent=indent + "  " * bool(indent))
    return (Content.styled(line, style) for line in lines)
