"""The tables of a report: the results of a state with their provenance, and the posted result beside the one here."""

from __future__ import annotations

from deepimagine_exporters.words import contrast_name, contrast_spread, met_how, spread_text
from deepimagine_tui.document import Table
from deepimagine_tui.reasoning.describe import value_text
from deepimagine_tui.reasoning.events import Aggregated, Revealed
from deepimagine_tui.reasoning.state import ContrastEstimate, MetEstimate, Number, State
from deepimagine_tui.reasoning.summary import MARKS, format_probability
from deepimagine_tui.text import one_line

_HEAD = ("Status", "What", "Value", "Unit", "Interval, dispersion, participants", "Where it comes from")


def reveal_table(result: State | Aggregated, revealed: Revealed) -> Table:
    """What was reached here beside what was posted."""
    ours, posted = (found.contrast.number if found.contrast else None for found in (result, revealed))
    pairs = (
        ("k1", result.arm_value, revealed.arm_value),
        ("k2", result.comparator_value, revealed.comparator_value),
        ("contrast", ours, posted),
    )
    rows = [(name, _marked(here), _marked(there)) for name, here, there in pairs if here or there]
    if result.met or revealed.met:
        rows.append(("verdict", _verdict(result.met), _verdict(revealed.met)))
    return Table(("What", "Here", "Posted"), tuple(rows))


def _marked(number: Number | None) -> str:
    if number is None:
        return "-"
    return " ".join(
        part for part in (MARKS[number.status], value_text(number), one_line(number.unit), spread_text(number)) if part
    )


def _verdict(met: MetEstimate | None) -> str:
    if met is None:
        return "-"
    probability = "" if met.probability is None else f", P(met) {format_probability(met.probability)}"
    return f"{MARKS[met.status]} {met.verdict}{probability}"


def results_table(state: State | Aggregated) -> Table:
    """Every number of a state or aggregate, with status, unit, spread and provenance."""
    configuration = state.configuration if isinstance(state, State) else None
    arm = f"k1 {one_line(configuration.arm.label)}" if configuration else "k1"
    comparator = f"k2 {one_line(configuration.comparator.label)}" if configuration and configuration.comparator else "k2"
    rows: list[tuple[str, ...]] = []
    imagined: set[int] = set()
    for name, number in ((arm, state.arm_value), (comparator, state.comparator_value)):
        if number:
            imagined |= {len(rows)} if number.status == "imagined" else set()
            rows.append(_result(name, number, spread_text(number)))
    if state.contrast:
        imagined |= {len(rows)} if state.contrast.number.status == "imagined" else set()
        rows.append(_contrast_result(state.contrast))
    if state.met:
        imagined |= {len(rows)} if state.met.status == "imagined" else set()
        value = "-" if state.met.probability is None else format_probability(state.met.probability)
        name = "verdict" if state.met.probability is None else "P(met)"
        shown = state.met.verdict if state.met.probability is None else f"{value} ({state.met.verdict})"
        rows.append((f"{MARKS[state.met.status]} {state.met.status}", name, shown, "", "", met_how(state.met)))
    return Table(_HEAD, tuple(rows), frozenset(imagined))


def _result(name: str, number: Number, spread: str) -> tuple[str, ...]:
    return (f"{MARKS[number.status]} {number.status}", name, value_text(number), one_line(number.unit), spread, _origin(number))


def _contrast_result(contrast: ContrastEstimate) -> tuple[str, ...]:
    return _result(contrast_name(contrast), contrast.number, contrast_spread(contrast))


def _origin(number: Number) -> str:
    source = number.source
    if source is None:
        return {"imagined": "the model", "entered": "the user"}.get(number.status, "")
    parts = [source.nct_id, f"outcome {source.outcome_id}"]
    parts += [f"group {source.group_id}"] if source.group_id else []
    parts += [one_line(text) for text in (source.class_title, source.category) if text]
    parts += [f"analysis {source.contrast_index + 1}"] if source.contrast_index is not None else []
    return ", ".join(parts)
