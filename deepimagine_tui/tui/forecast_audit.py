"""What a forecast knew, checked after the fact: dates, siblings, fields, and the very prompts. Pure; the texts at the end."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec
from textual.content import Content

from deepimagine_tui.reasoning.graph import ReasoningGraph
from deepimagine_tui.reasoning.request import Forecast
from deepimagine_tui.reasoning.target import as_planned
from deepimagine_tui.trials.concepts.programmes import programme_keys
from deepimagine_tui.trials.model import Trial
from deepimagine_tui.tui.show import inert, posted

_NUMBER = re.compile(r"(?<![\w.])[-−]?\d[\d,]*(?:\.\d+)?(?![\w]|\.\d)")
_FIELD_NAMES = {
    "status": "status",
    "start": "actual start",
    "primary_completion": "actual primary completion",
    "completion": "actual completion",
    "results_posted": "when results were posted",
    "last_updated": "last update",
    "enrolment": "actual enrolment",
    "outcomes": "posted results",
    "flow": "participant flow",
    "baseline": "baseline measures",
    "adverse_events": "adverse events",
    "prose": "the registry's sentences",
}
TELLING_DIGITS = 3
"""Posted values with fewer digits occur everywhere and tell nothing."""


@dataclass(frozen=True)
class Check:
    """One question of the audit. `passed` is `None` where it cannot be answered."""

    question: str
    passed: bool | None
    said: tuple[str, ...]


def audit(graph: ReasoningGraph, target: Trial | None, anchors: Mapping[str, Trial]) -> tuple[Check, ...]:
    """The checks of a forecast's run. `target` is the registered trial, if it is one; `anchors` the trials it started from."""
    question = graph.started.request.question if graph.started else None
    if not isinstance(question, Forecast):
        return ()
    ids = [pathway.anchor.state.nct_id for pathway in graph.pathways]
    return (
        _posted_before(question.cutoff, ids, anchors),
        _not_its_own(target, question.nct_id, ids, anchors),
        _fields_removed(target, question),
        *_prompts(graph, target, anchors),
    )


def _posted_before(cutoff: str, ids: Sequence[str], anchors: Mapping[str, Trial]) -> Check:
    said, late, unknown = [], 0, 0
    for nct_id in ids:
        trial = anchors.get(nct_id)
        date = trial.results_posted.text if trial is not None and trial.results_posted else ""
        late += bool(date) and date > cutoff
        unknown += not date
        word = "not known" if not date else "AFTER the cutoff" if date > cutoff else "before the cutoff"
        said.append(f"{nct_id}  results posted {date or '–'}  {word}")
    passed = False if late else None if unknown else True
    return Check(f"Was every anchor posted by the cutoff, {cutoff}?", passed, tuple(said) or ("there was no anchor",))


def _not_its_own(target: Trial | None, nct_id: str | None, ids: Sequence[str], anchors: Mapping[str, Trial]) -> Check:
    question = "Are the target's own trial and its programme left out?"
    if nct_id is None:
        return Check(question, True, ("the target is no registered trial",))
    if target is None:
        return Check(question, None, (f"{nct_id} is not in this corpus: its programme is not known",))
    keys = programme_keys(target)
    said = [f"{nct_id} is {'AMONG' if nct_id in ids else 'not among'} the anchors"]
    shared = [each for each in ids if each in anchors and keys & programme_keys(anchors[each])]
    names = ", ".join(sorted(key.partition(":")[2] for key in keys)) or "none known"
    said.append(f"ids of its programme: {names}")
    said.append(f"anchors that share one: {', '.join(shared) or 'none'}")
    return Check(question, nct_id not in ids and not shared, tuple(said))


def _fields_removed(target: Trial | None, question: Forecast) -> Check:
    asked = "Was everything written after the fact taken from the target?"
    sides = (question.target.arm, question.target.comparator)
    linked = bool(question.target.outcome.outcome_id) or any(side is not None and side.group_id for side in sides)
    said = ["the target points at no posted outcome or group" if not linked else "the target POINTS AT a posted result"]
    if question.target.population.baseline:
        linked = True
        said.append("the target HOLDS baseline measures")
    if target is not None:
        plan = as_planned(target)
        removed = [name for field, name in _FIELD_NAMES.items() if getattr(plan, field) != getattr(target, field)]
        said.append(f"taken away: {', '.join(removed) or 'nothing was there'}")
    return Check(asked, not linked, tuple(said))


def _prompts(graph: ReasoningGraph, target: Trial | None, anchors: Mapping[str, Trial]) -> Iterable[Check]:
    prompts = [
        (number, step.planned.step + 1, pathway, step.planned.prompt)
        for number, pathway in enumerate(graph.pathways, 1)
        for step in pathway.steps
        if step.planned.prompt
    ]
    question = "Is a posted value of the target in any prompt?"
    if target is None or not target.has_results:
        yield Check(question, True, (f"{len(prompts)} prompts; the target has posted nothing that could be in them",))
        return
    telling = posted_values(target)
    innocent = _numbers(_text(as_planned(target)))
    found, explained = [], 0
    for number, step, pathway, prompt in prompts:
        trial = anchors.get(pathway.anchor.state.nct_id)
        known = innocent | (_numbers(_text(trial)) if trial is not None else set()) | _numbers(_text(pathway.states))
        here = _numbers(prompt) & telling
        explained += len(here & known)
        found += [f"pathway {number}, step {step}: {posted(value)}" for value in sorted(here - known)]
    said = [f"{len(prompts)} prompts searched for {len(telling)} posted values of {TELLING_DIGITS} digits or more"]
    if explained:
        said.append(f"{explained} coincide with numbers of the plan, of the anchor, or that the model had imagined")
    yield Check(question, not found, (*said, *(found or ("nothing found",))))


def posted_values(trial: Trial) -> set[float]:
    """The sizes of the values that `trial` posted, of enough digits to be recognised."""
    values = [cell.value for outcome in trial.outcomes for cell in outcome.cells]
    values += [contrast.estimate for outcome in trial.outcomes for contrast in outcome.contrasts]
    return {abs(value) for value in values if value is not None and _digits(value) >= TELLING_DIGITS}


def _digits(value: float) -> int:
    return len(f"{abs(value):.10g}".replace(".", "").strip("0"))


def _numbers(text: str) -> set[float]:
    return {abs(float(match[0].replace(",", "").replace("−", "-"))) for match in _NUMBER.finditer(text)}


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode("utf-8").replace(",", ", ")


def audit_text(checks: Sequence[Check]) -> Content:
    """The checks as a person reads them: the question, whether it holds, what was found."""
    lines: list[Content] = []
    for check in checks:
        mark, style = {True: ("✓", "bold $primary"), False: ("✕", "bold $text-error"), None: ("?", "bold $text-warning")}[
            check.passed
        ]
        word = {True: "holds", False: "DOES NOT HOLD", None: "cannot be told"}[check.passed]
        lines.append(Content.assemble((f"{mark} ", style), (check.question, "bold"), (f"  {word}", style)))
        lines += [Content(f"    {inert(line)}") for line in check.said]
        lines.append(Content(""))
    return Content("\n").join(lines[:-1])
