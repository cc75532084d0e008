"""One number a row: every value, contrast and P(met) of a run with its status and where it comes from."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import msgspec

from deepimagine_exporters.provenance import HASH_DIGITS, factor_name, is_demo, started_of
from deepimagine_tui.reasoning.events import Aggregated, Revealed
from deepimagine_tui.reasoning.graph import PathwayView, ReasoningGraph, StepView
from deepimagine_tui.reasoning.state import Configuration, ContrastEstimate, Interval, MetEstimate, Number, State
from deepimagine_tui.text import one_line

COLUMNS = (
    "status",
    "nct_id",
    "outcome_id",
    "class",
    "group",
    "value",
    "unit",
    "basis",
    "dispersion",
    "interval",
    "level",
    "n",
    "analysis set",
    "contrast",
    "orientation",
    "hypothesis",
    "p",
    "model hash",
    "adapter",
    "seed",
    "data date",
    "seen in training",
)
MORE_COLUMNS = (
    "row",
    "pathway",
    "step",
    "factor",
    "before",
    "after",
    "role",
    "interval kind",
    "outcome",
    "time",
    "category",
    "arm",
    "comparator",
    "verdict",
    "how",
    "mass",
    "calibrated",
    "after entered",
    "note",
    "record",
    "model",
    "run_id",
    "demo",
    "context of use",
)
_ORIENTATIONS = {"a-b": "k1-k2", "b-a": "k2-k1", "a/b": "k1/k2", "b/a": "k2/k1", "unknown": "unknown"}
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


Row = dict[str, str | float | int]


class _Place(msgspec.Struct, frozen=True):
    """Where in the run a row stands: `row` is state, posted or aggregate. `record` is how good the model is at what it
    imagined here."""

    row: str
    pathway: str
    step: str
    nct_id: str
    seen: str
    configuration: Configuration | None
    change: tuple[str, str, str] = ("", "", "")
    record: str = ""


def csv_text(graph: ReasoningGraph) -> str:
    """All numbers of a run as CSV (RFC 4180, UTF-8); texts that a spreadsheet would compute are quoted with an apostrophe."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, [*COLUMNS, *MORE_COLUMNS], lineterminator="\r\n", restval="")
    writer.writeheader()
    for row in rows(graph):
        writer.writerow({key: _safe(value) if isinstance(value, str) else value for key, value in row.items()})
    return stream.getvalue()


def rows(graph: ReasoningGraph) -> Iterator[Row]:
    """One dictionary a number, keyed by `COLUMNS` and `MORE_COLUMNS`; absent where a column does not apply."""
    for index, view in enumerate(graph.pathways):
        seen = {True: "yes", False: "no", None: "unknown"}[view.anchor.seen_in_training]
        anchor = view.anchor.state
        place = _Place("state", str(index + 1), "0", anchor.nct_id, seen, anchor.configuration)
        yield from _result_rows(graph, place, anchor)
        for step in view.steps:
            yield from _step_rows(graph, index, view, step, seen)
    if graph.aggregated:
        total = graph.aggregated
        question = started_of(graph).request.question
        target = getattr(question, "target", None)
        place = _Place("aggregate", "", "", getattr(question, "nct_id", "") or "", "", target, record=total.record)
        yield from _result_rows(graph, place, total)
        if total.revealed:
            posted = _Place("posted", "", "", total.revealed.source.nct_id, "", target)
            yield from _result_rows(graph, posted, total.revealed)


def _step_rows(graph: ReasoningGraph, index: int, view: PathwayView, step: StepView, seen: str) -> Iterator[Row]:
    perturbation = step.planned.perturbation
    change = (factor_name(perturbation.factor), perturbation.before, perturbation.after)
    number = str(step.planned.step + 1)
    if step.estimated is None:
        return
    state = step.estimated.state
    anchor = view.anchor.state.nct_id
    place = _Place("state", str(index + 1), number, anchor, seen, state.configuration, change, step.estimated.record)
    yield from _result_rows(graph, place, state)
    if step.revealed:
        posted = _Place("posted", str(index + 1), number, step.revealed.source.nct_id, seen, state.configuration, change)
        yield from _result_rows(graph, posted, step.revealed)


def _result_rows(graph: ReasoningGraph, place: _Place, result: State | Revealed | Aggregated) -> Iterator[Row]:
    for role, number in (("arm", result.arm_value), ("comparator", result.comparator_value)):
        if number is not None:
            yield _base(graph, place, role, number.status) | _number(number)
    if result.contrast:
        yield _contrast(graph, place, result.contrast)
    if result.met:
        yield _met(graph, place, result.met)


def _contrast(graph: ReasoningGraph, place: _Place, contrast: ContrastEstimate) -> Row:
    return (
        _base(graph, place, "contrast", contrast.number.status)
        | _number(contrast.number)
        | {
            "contrast": contrast.scale or contrast.kind,
            "orientation": _ORIENTATIONS[contrast.orientation],
            "hypothesis": contrast.hypothesis,
            "p": contrast.p_text,
        }
    )


def _met(graph: ReasoningGraph, place: _Place, met: MetEstimate) -> Row:
    row = _base(graph, place, "P(met)", met.status) | {"verdict": met.verdict, "note": met.reason, "unit": "probability"}
    if met.probability is not None:
        row |= {"value": met.probability, "how": met.how, "calibrated": "yes" if met.calibrated else "no"}
    if met.mass is not None:
        row["mass"] = met.mass
    return row


def _base(graph: ReasoningGraph, place: _Place, role: str, status: str) -> Row:
    started = started_of(graph)
    row: Row = {
        "status": status,
        "nct_id": place.nct_id,
        "data date": started.data_date,
        "seen in training": place.seen,
        "row": place.row,
        "pathway": place.pathway,
        "step": place.step,
        "factor": place.change[0],
        "before": place.change[1],
        "after": place.change[2],
        "role": role,
        "run_id": started.run_id,
        "demo": "yes" if is_demo(graph) else "no",
        "context of use": started.context_of_use,
    }
    if status == "imagined":
        model = started.model
        adapter = f"{model.adapter} {model.adapter_sha256[:HASH_DIGITS]}".strip()
        row |= {"model hash": model.sha256, "adapter": adapter, "seed": started.request.settings.seed, "model": model.name}
        row["record"] = place.record
    configuration = place.configuration
    if configuration:
        outcome, arm, comparator = configuration.outcome, configuration.arm, configuration.comparator
        row |= {
            "outcome_id": outcome.outcome_id,
            "class": outcome.class_title,
            "category": outcome.category,
            "basis": outcome.change_basis,
            "analysis set": outcome.analysis_set,
            "outcome": outcome.title,
            "time": configuration.time.text if configuration.time else "",
            "arm": arm.label,
            "comparator": comparator.label if comparator else "",
            "group": {"arm": arm.label, "comparator": comparator.label if comparator else ""}.get(role, ""),
        }
    return row


def _number(number: Number) -> Row:
    row: Row = {"unit": number.unit, "note": number.note}
    row["after entered"] = "yes" if number.after_entered else "no"
    if number.value is not None:
        row["value"] = number.value
    if number.lower is not None and number.upper is not None:
        row["dispersion"] = f"{number.dispersion_kind} {number.lower!r} to {number.upper!r}"
    elif number.dispersion is not None:
        row["dispersion"] = f"{number.dispersion_kind} {number.dispersion!r}"
    if number.n is not None:
        row["n"] = number.n
    if number.source:
        row |= {"nct_id": number.source.nct_id, "outcome_id": number.source.outcome_id}
        if number.source.class_title:
            row["class"] = number.source.class_title
    if number.interval:
        interval = number.interval
        row |= {"interval": _limits(interval), "level": interval.level, "interval kind": interval.kind}
    elif number.status == "imagined" and number.value is not None:
        row["interval"] = "not calibrated"
    return row


def _limits(interval: Interval) -> str:
    lower = "-inf" if interval.lower is None else repr(interval.lower)
    upper = "inf" if interval.upper is None else repr(interval.upper)
    return f"[{lower}, {upper}]"


def _safe(text: str) -> str:
    line = one_line(text)
    return f"'{line}" if line.startswith(_FORMULA) else line
