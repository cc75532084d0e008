"""What is said beside an answer that contradicts itself or cannot be: the answer is kept, and flagged."""

from __future__ import annotations

from msgspec.structs import replace

from deepimagine_tui.reasoning import derived
from deepimagine_tui.reasoning.describe import number_text
from deepimagine_tui.reasoning.state import Number, OutcomeSpec, State
from deepimagine_tui.trials.factors import Factor

UNBOUNDED = 10**12


def range_warnings(source: State, state: State, factor: Factor, stated: str) -> tuple[str, ...]:
    """Warnings about `state`, which the model reached from `source` while stating the direction `stated`."""
    outcome = state.configuration.outcome
    warnings = []
    for number, name in ((state.arm_value, "the arm's value"), (state.comparator_value, "the comparator's value")):
        if number is not None and number.status == "imagined" and number.value is not None:
            warnings += _range_warning(number, outcome, name)
    warnings += _direction_warning(source, state, factor, stated)
    if state.z_test is not None and not state.z_test.agrees and state.met is not None:
        side = "would reach" if state.z_test.met else "would not reach"
        warnings.append(f"the verdict is {state.met.verdict}, but a z-test on the values {side} .05 in favour of the arm")
    return tuple(warnings)


def _range_warning(number: Number, outcome: OutcomeSpec, name: str) -> list[str]:
    if number.value is None:
        return []
    shown = f"{name}, {number_text(number.value)} {number.unit}".strip()
    # A count without participants has no upper bound that could be checked.
    bounded = number if number.n else replace(number, n=UNBOUNDED)
    if outcome.kind == "share" and derived.share_of(bounded, outcome) is None:
        return [f"{shown}, is no possible share"]
    if outcome.kind in ("positive", "time to event") and number.value < 0:
        return [f"{shown}, is negative, and the outcome cannot be"]
    return []


def _direction_warning(source: State, state: State, factor: Factor, stated: str) -> list[str]:
    """The model's word against its number; for an outcome change the two measures cannot be compared."""
    if factor == "outcome" or stated not in ("up", "down"):
        return []
    pair = (source.comparator_value, state.comparator_value) if factor == "comparator" else (source.arm_value, state.arm_value)
    if pair == (None, None) and source.contrast is not None and state.contrast is not None:
        pair = (source.contrast.number, state.contrast.number)
    before, after = (number.value if number is not None else None for number in pair)
    if before is None or after is None or ((after > before) == (stated == "up") and after != before):
        return []
    went = "up" if after > before else "down" if after < before else "nowhere"
    return [f"the model said {stated}, but its value went {went} from {number_text(before)} to {number_text(after)}"]
