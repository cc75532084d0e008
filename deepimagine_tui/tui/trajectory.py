"""What a run looks like as a plot: over doses where the dose changes, else over its steps; and as a waterfall of effects."""

from __future__ import annotations

from msgspec.structs import replace
from textual.content import Content

from deepimagine_tui.errors import DeepImagineError
from deepimagine_tui.reasoning.choosing import anchor_choices
from deepimagine_tui.reasoning.describe import amount_text
from deepimagine_tui.reasoning.graph import PathwayView
from deepimagine_tui.reasoning.interpret_text import bar
from deepimagine_tui.reasoning.observed import observed_state
from deepimagine_tui.reasoning.state import DoseChange, Number, State
from deepimagine_tui.reasoning.summary import MARKS
from deepimagine_tui.trials.dose import Dose
from deepimagine_tui.trials.model import Trial
from deepimagine_tui.trials.units import dose_ratio
from deepimagine_tui.tui.draft import Draft
from deepimagine_tui.tui.emax import fit
from deepimagine_tui.tui.nearest_safety import nearest_safety
from deepimagine_tui.tui.plot import Plot, Point, draw
from deepimagine_tui.tui.show import clip, digits, inert, style_of

MOST_HEIGHT = 26
"""Lines of a plot with its title and legend; taller ones say no more."""
EMAX_LABEL = "┄ Emax through observed"


def trajectory(draft: Draft, pathway: PathwayView | None, width: int, height: int) -> Content:
    """The plot of a what-if: its observed doses even before it ran, then what was imagined."""
    doses = [change.change.dose for change in draft.changes if isinstance(change.change, DoseChange)]
    outcome = draft.source.configuration.outcome
    title = Content.styled(clip(f"{outcome.title}, {outcome.unit}", width), "bold")
    plot = _by_dose(draft, pathway, doses[-1]) if doses else None
    said = EMAX_LABEL if plot and plot.curve else ""
    if plot is None:
        plot = _by_step(draft.source, pathway)
    legend = [
        Content.styled(clip(line, width), "dim")
        for line in ("● observed  ○ imagined (step)" if pathway else "● observed", said)
        if line
    ]
    return Content("\n").join([title, draw(plot, width, height - 1 - len(legend)), *legend])


def what_if_figure(draft: Draft, pathway: PathwayView | None, width: int, height: int) -> Content:
    """The trajectory, and where a dose changes the safety of the nearest studied arms below it."""
    doses = [change.change.dose for change in draft.changes if isinstance(change.change, DoseChange)]
    if not doses:
        return trajectory(draft, pathway, width, min(height, MOST_HEIGHT))
    safety = nearest_safety(draft.trial, doses[-1], width)
    room = min(max(height - safety.plain.count("\n") - 2, 10), MOST_HEIGHT)
    return Content("\n").join([trajectory(draft, pathway, width, room), Content(""), safety])


def observed_doses(trial: Trial, draft: Draft, target: Dose) -> list[tuple[float, Number, str]]:
    """The posted values of the anchor's outcome by dose of the target's agent, in its unit; a placebo is dose 0."""
    ref, found = draft.anchor, {}
    for choice in anchor_choices(trial):
        if (choice.ref.outcome_id, choice.ref.category) != (ref.outcome_id, ref.category):
            continue
        if choice.ref.class_title != ref.class_title and not ref.comparator_class_title:
            continue
        try:
            state = observed_state(trial, choice.ref)
        except DeepImagineError:
            # Not a value that can be shown alone.
            continue
        for spec, number in ((choice.arm, state.arm_value), (choice.comparator, state.comparator_value)):
            if spec is None or number is None or number.value is None:
                continue
            at = 0.0 if spec.control in ("placebo", "sham", "no intervention") else _in_unit(spec.doses, target)
            if at is not None:
                found[spec.label] = (at, number, spec.label)
    return sorted(found.values(), key=lambda each: each[0])


def _in_unit(doses: tuple[Dose, ...], target: Dose) -> float | None:
    for dose in doses:
        try:
            return dose_ratio(dose, target) * target.amount
        except DeepImagineError:
            # Another agent, route or basis: it has no place on this axis.
            continue
    return None


def _by_dose(draft: Draft, pathway: PathwayView | None, target: Dose) -> Plot | None:
    observed = observed_doses(draft.trial, draft, target)
    if not observed:
        return None
    points = [_point(at, number, "" if at else "placebo") for at, number, _ in observed]
    curve = fit([(at, number.value) for at, number, _ in observed if number.value is not None])
    places = {at for at, _, _ in observed} | {target.amount}
    for step in pathway.steps if pathway else ():
        if step.estimated is None:
            continue
        state = step.estimated.state
        at = _in_unit(state.configuration.arm.doses, target)
        if at is not None and state.arm_value is not None and state.arm_value.value is not None:
            points.append(_point(at, state.arm_value, str(step.planned.step + 1)))
            places.add(at)
            revealed = step.estimated.revealed
            if revealed and revealed.arm_value and revealed.arm_value.value is not None:
                points.append(Point(at, revealed.arm_value.value, "●", "bold", "posted"))
    last = max(places)
    unit = amount_text(replace(target, titration=())).partition(" ")[2]
    ticks = {at: f"{at:g} {unit}" if at == last else f"{at:g}" for at in places}
    drawn = tuple((x, curve.at(x)) for x in (last * step / 120 for step in range(121))) if curve else ()
    return Plot(tuple(points), tuple(sorted(ticks.items())), drawn)


def _point(x: float, number: Number, label: str) -> Point:
    lower, upper = (number.interval.lower, number.interval.upper) if number.interval else (None, None)
    style = f"bold {style_of(number.status)} $primary" if number.status != "observed" else "bold"
    firm = number.status in ("observed", "derived")
    return Point(x, number.value or 0.0, MARKS[number.status], style, label, lower, upper, firm)


def _by_step(source: State, pathway: PathwayView | None) -> Plot:
    states = pathway.states if pathway else (source,)
    points = []
    for index, state in enumerate(states):
        for number, label in ((state.arm_value, "arm"), (state.comparator_value, "comparator")):
            if number is not None and number.value is not None:
                points.append(_point(index, number, label if index == 0 else ""))
    if not points and source.contrast and source.contrast.number.value is not None:
        points = [_point(i, state.contrast.number, "") for i, state in enumerate(states) if state.contrast]
    return Plot(
        tuple(points), tuple((index, "start" if index == 0 else str(index)) for index in range(len(states))), (), "step"
    )


def effect_of(state: State) -> Number | None:
    """What the waterfall follows: the contrast where it has a value, else the arm's value."""
    contrast = state.contrast
    return contrast.number if contrast is not None and contrast.number.value is not None else state.arm_value


def waterfall(pathway: PathwayView | None, width: int) -> Content:
    """How much each change moved the effect: bars on one scale, from the observed effect to the imagined one."""
    states: list[State] = list(pathway.states) if pathway else []
    numbers = [effect_of(state) for state in states]
    if pathway is None or len(numbers) < 2 or any(number is None or number.value is None for number in numbers):
        return Content.styled("Runs show here how much each change moved the effect.", "dim")
    values = [number.value for number in numbers if number is not None and number.value is not None]
    names = [
        "observed",
        *(f"{i} {step.planned.perturbation.factor.replace('_', ' ')}" for i, step in enumerate(pathway.steps, 1)),
    ]
    rows = [(names[0], 0.0, values[0], values[0], False)]
    rows += [(names[i], values[i - 1], values[i], values[i] - values[i - 1], True) for i in range(1, len(values))]
    rows.append(("imagined", 0.0, values[-1], values[-1], False))
    low, high = min(0.0, *values), max(0.0, *values)
    label, number = max(len(name) for name, *_ in rows) + 2, 8
    room = max(width - label - number - 2, 8)
    lines = [Content.styled(clip(_effect_name(states[0]), width), "bold")]
    for index, (name, start, end, shown, is_change) in enumerate(rows):
        imagined = index > 0
        drawn = bar(start, end, low, high, room, "░" if imagined else "█")
        mark = "○" if imagined else "●"
        said = f"{shown:+.3g}" if is_change else digits(shown)
        style = "italic" if imagined else ""
        lines.append(
            Content.assemble(
                (f"{mark} {inert(name):<{label - 2}}", style), (f"{said:>{number}}  ", f"bold {style}"), (drawn, "$primary")
            )
        )
    lines.append(Content.styled(f"bars from {digits(low)} to {digits(high)}".rjust(label + number + 2 + room), "dim"))
    return Content("\n").join(lines)


def _effect_name(state: State) -> str:
    contrast = state.contrast
    if contrast is not None and contrast.number.value is not None:
        return f"{contrast.scale or contrast.kind}, {contrast.number.unit}".strip(", ")
    return f"value of the arm, {state.configuration.outcome.unit}".strip(", ")
