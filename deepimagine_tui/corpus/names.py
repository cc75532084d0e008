"""Facts without sentences: what of a trial may ship in a corpus that holds no prose of the registry.

The rule. A *name* says what something is called: an arm, a measure, a class, a term. It ships as the registry has it while it
is at most 25 words long. A longer one is cut where its explanation begins: at the end of its first sentence, at a colon,
semicolon or dash, at a bracket of more than four words, at words such as "defined as"; and to 25 words after that, ending in
an ellipsis. A name that repeats eight consecutive words of the record's prose is cut before the eighth. A time frame ships
while it is at most eight words long, else as the one time read from it, else not. Texts that are neither name nor number
(comments, summaries, reasons, what a dose was read from) never ship; a dose is written anew from its numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from msgspec.structs import replace

from deepimagine_tui.corpus.words import words
from deepimagine_tui.trials.concepts.time_points import point_text
from deepimagine_tui.trials.dose import Dose
from deepimagine_tui.trials.model import Arm, PlannedOutcome, Problem, Trial
from deepimagine_tui.trials.results import (
    AdverseEvents,
    Baseline,
    Cell,
    Contrast,
    Flow,
    FlowRow,
    NamedGroup,
    Outcome,
    ResultGroup,
    TimePoint,
)

NAME_WORDS = 25
TIME_FRAME_WORDS = 8
SHINGLE = 8
"""So many consecutive words in common with prose count as prose."""

_WORD = re.compile(r"\S+")
_LONG_BRACKET = re.compile(r"\s*[(\[](?:[^\s()\[\]]+\s+){4,}[^()\[\]]*[)\]]")
_EXPLAINS = re.compile(
    r"(?<=[a-z)\]\d])\.\s+(?=[A-Z])|[;:]\s|\s[-–—]\s"
    r"|,?\s(?:(?:as )?(?:defined|measured|assessed|determined|evaluated|described)(?: as| by| in| using| per| according)?"
    r"|i\.e\.|e\.g\.|which|where|including|according to)\s"
)
_TIMES = {1.0: "once daily", 2.0: "twice daily", 3.0: "three times daily", 4.0: "four times daily"}


def shingles(text: str) -> frozenset[tuple[str, ...]]:
    """Every run of eight words in `text`, folded."""
    found = words(text)
    return frozenset(tuple(found[at : at + SHINGLE]) for at in range(len(found) - SHINGLE + 1))


class Shortener:
    """Cuts names by the rule; `prose` are the record's own sentences, which no name may repeat."""

    def __init__(self, prose: Iterable[str] = ()) -> None:
        self._prose: frozenset[tuple[str, ...]] = frozenset().union(*(shingles(text) for text in prose))

    def name(self, text: str, most: int = NAME_WORDS) -> str:
        """`text` as a name of at most `most` words."""
        short = text.strip()
        if len(_WORD.findall(short)) > most:
            short = _LONG_BRACKET.sub("", short)
        if len(_WORD.findall(short)) > most:
            cut = _EXPLAINS.search(short, 12)
            short = short[: cut.start()] if cut else short
        short = _first_words(short, most)
        if self._prose and not self._prose.isdisjoint(shingles(short)):
            found = words(short)
            start = next(at for at in range(len(found)) if tuple(found[at : at + SHINGLE]) in self._prose)
            short = _until_word(short, start + SHINGLE - 1)
        return short

    def time_frame(self, text: str, time: TimePoint | None) -> str:
        """A short time frame as it is, a long one as the single time read from it; empty when there is none."""
        if len(_WORD.findall(text)) <= TIME_FRAME_WORDS and self._prose.isdisjoint(shingles(text)):
            return text.strip()
        return point_text(time.weeks) if time and time.weeks is not None else ""

    def unique(self, texts: Iterable[str], most: int = NAME_WORDS) -> Callable[[str], str]:
        """A function that shortens each of these texts, two different ones never to the same name."""
        taken: dict[str, str] = {}
        for text in dict.fromkeys(texts):
            short = self.name(text, most)
            number = 1
            while (candidate := short if number == 1 else f"{short} ({number})") in taken.values():
                number += 1
            taken[text] = candidate
        return lambda text: taken.get(text, "") if text else ""


def _first_words(text: str, most: int) -> str:
    found = list(_WORD.finditer(text))
    return text if len(found) <= most else text[: found[most - 1].end()].rstrip(" ,;:-") + "…"


def _until_word(text: str, count: int) -> str:
    """The first `count` words of `text`, counted as `words` counts."""
    for match in _WORD.finditer(text):
        if len(words(text[: match.end()])) > count:
            return text[: match.start()].rstrip(" ,;:-(") + "…"
    return text


def plain_dose(dose: Dose) -> str:
    """A dose written from its numbers: `25 mg twice daily`."""
    basis = {"flat": "", "per kg": "/kg", "per m2": "/m2"}[dose.basis]
    parts = [f"{dose.amount:g} {dose.unit}{basis}", _TIMES.get(dose.times_per_day or 0.0, ""), dose.route or ""]
    return " ".join(part for part in parts if part)


def facts(trial: Trial, prose: Iterable[str] = ()) -> Trial:
    """`trial` with facts only: numbers, dates, identifiers, terms and names. The same trial gives the same facts."""
    cut = Shortener(prose)
    arm = cut.unique(item.label for item in trial.arms)
    drug = cut.unique(item.name for item in trial.interventions)
    return replace(
        trial,
        title=cut.name(trial.title),
        keywords=tuple(word for word in trial.keywords if len(words(word)) <= TIME_FRAME_WORDS),
        interventions=tuple(
            replace(
                item, name=drug(item.name), other_names=tuple(cut.name(name, TIME_FRAME_WORDS) for name in item.other_names)
            )
            for item in trial.interventions
        ),
        arms=tuple(_arm(item, arm, drug) for item in trial.arms),
        planned_outcomes=tuple(
            PlannedOutcome(item.role, cut.name(item.title), cut.time_frame(item.time_frame, None))
            for item in trial.planned_outcomes
        ),
        outcomes=tuple(_outcome(outcome, cut, arm, drug) for outcome in trial.outcomes),
        flow=_flow(trial.flow, cut) if trial.flow else None,
        baseline=_baseline(trial.baseline, cut) if trial.baseline else None,
        adverse_events=_adverse_events(trial.adverse_events, cut) if trial.adverse_events else None,
        prose=None,
        problems=tuple(Problem(problem.path, problem.code, "") for problem in trial.problems),
    )


def _doses(doses: tuple[Dose, ...], drug: Callable[[str], str]) -> tuple[Dose, ...]:
    return tuple(
        replace(dose, text=plain_dose(dose), intervention=drug(dose.intervention) or dose.intervention) for dose in doses
    )


def _arm(arm: Arm, label: Callable[[str], str], drug: Callable[[str], str]) -> Arm:
    names = tuple(drug(name) for name in arm.interventions)
    return replace(arm, label=label(arm.label), interventions=names, doses=_doses(arm.doses, drug))


def _outcome(outcome: Outcome, cut: Shortener, arm: Callable[[str], str], drug: Callable[[str], str]) -> Outcome:
    group = cut.unique(item.title for item in outcome.groups)
    classes = cut.unique(
        [cell.class_title for cell in outcome.cells] + [contrast.class_title for contrast in outcome.contrasts]
    )
    category = cut.unique(cell.category for cell in outcome.cells)
    return replace(
        outcome,
        title=cut.name(outcome.title),
        time_frame=cut.time_frame(outcome.time_frame, outcome.time),
        time=_time(outcome.time, cut),
        unit=cut.name(outcome.unit, TIME_FRAME_WORDS),
        groups=tuple(_group(item, group, arm, drug) for item in outcome.groups),
        cells=tuple(_cell(cell, cut, classes, category) for cell in outcome.cells),
        contrasts=tuple(_contrast(contrast, cut, classes) for contrast in outcome.contrasts),
    )


def _time(time: TimePoint | None, cut: Shortener) -> TimePoint | None:
    return TimePoint(cut.time_frame(time.text, time), time.weeks) if time else None


def _group(
    group: ResultGroup, title: Callable[[str], str], arm: Callable[[str], str], drug: Callable[[str], str]
) -> ResultGroup:
    link = replace(group.link, arm_label=arm(group.link.arm_label)) if group.link else None
    return replace(group, title=title(group.title), link=link, doses=_doses(group.doses, drug))


def _cell(cell: Cell, cut: Shortener, classes: Callable[[str], str], category: Callable[[str], str]) -> Cell:
    return replace(
        cell,
        text="" if len(words(cell.text)) > 2 else cell.text,
        class_title=classes(cell.class_title),
        category=category(cell.category),
        unit_analysed=cut.name(cell.unit_analysed, TIME_FRAME_WORDS),
        time=_time(cell.time, cut),
    )


def _contrast(contrast: Contrast, cut: Shortener, classes: Callable[[str], str]) -> Contrast:
    return replace(
        contrast,
        scale=cut.name(contrast.scale, TIME_FRAME_WORDS),
        method=cut.name(contrast.method, TIME_FRAME_WORDS),
        unit=cut.name(contrast.unit, TIME_FRAME_WORDS),
        class_title=classes(contrast.class_title),
    )


def _groups(groups: tuple[NamedGroup, ...], cut: Shortener) -> tuple[NamedGroup, ...]:
    title = cut.unique(group.title for group in groups)
    return tuple(replace(group, title=title(group.title)) for group in groups)


def _flow(flow: Flow, cut: Shortener) -> Flow:
    def named(rows: Iterable[FlowRow]) -> tuple[FlowRow, ...]:
        return tuple(replace(row, name=cut.name(row.name)) for row in rows)

    periods = tuple(
        replace(period, title=cut.name(period.title), milestones=named(period.milestones), dropouts=named(period.dropouts))
        for period in flow.periods
    )
    return Flow(_groups(flow.groups, cut), periods)


def _baseline(baseline: Baseline, cut: Shortener) -> Baseline:
    measures = []
    for measure in baseline.measures:
        classes = cut.unique(cell.class_title for cell in measure.cells)
        category = cut.unique(cell.category for cell in measure.cells)
        cells = tuple(
            replace(cell, class_title=classes(cell.class_title), category=category(cell.category)) for cell in measure.cells
        )
        measures.append(
            replace(measure, title=cut.name(measure.title), unit=cut.name(measure.unit, TIME_FRAME_WORDS), cells=cells)
        )
    return replace(baseline, groups=_groups(baseline.groups, cut), measures=tuple(measures))


def _adverse_events(events: AdverseEvents, cut: Shortener) -> AdverseEvents:
    return replace(
        events,
        groups=_groups(events.groups, cut),
        events=tuple(replace(event, term=cut.name(event.term)) for event in events.events),
        time_frame=cut.time_frame(events.time_frame, None),
    )
