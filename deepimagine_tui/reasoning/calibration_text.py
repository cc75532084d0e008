"""A calibration in words: what it was fitted on, what it covers, whether it held, and what stayed uncalibrated."""

from __future__ import annotations

from collections.abc import Iterator

from deepimagine_tui.reasoning.calibration import Calibration, Check

FAILED = "calibration failed its check"
"""How the word on a calibration begins that did not hold on other trials."""


def calibration_lines(found: Calibration) -> list[str]:
    """The whole of it, a sentence a line."""
    return [*_fitted(found), *(check_text(check, found.level) for check in found.checks), *_left_out(found)]


def calibration_word(found: Calibration | None) -> str:
    """One sentence for beside a run: what its intervals are, or why there are none; a failed check first."""
    if found is None:
        return "not calibrated: no calibration of this model is on file"
    failed = "; ".join(check_text(check, found.level) for check in found.failed)
    if failed:
        return f"{FAILED}: {failed}"
    trials = len(found.fitted_on.trials) if found.fitted_on is not None else 0
    fitted = f", fitted on {trials} held-out trials" if trials else ""
    checked = next((check for check in found.checks if check.what == "coverage" and check.kind is None), None)
    said = f"; {check_text(checked, found.level)}" if checked is not None else ", coverage not checked"
    return f"{found.level:g}% intervals{fitted}{said}"


def check_text(check: Check, level: float) -> str:
    """`intervals of what-ifs held 88% [80%, 94%] of 700 posted values of 42 trials, 90% wanted: passed`, or how it failed."""
    whose = "forecasts" if check.forecast else "what-ifs"
    passed = "passed" if check.is_passed else _failure(check, level)
    kind = "" if check.kind is None else f" ({check.kind})"
    trials = f"{check.trials} trial{'' if check.trials == 1 else 's'}"
    if check.what == "coverage":
        interval = "" if check.lower is None or check.upper is None else f" [{check.lower:.0%}, {check.upper:.0%}]"
        held = f"{check.value:.0%}{interval} of {check.rows:,} posted values of {trials}"
        return f"intervals of {whose}{kind} held {held}, {level:g}% wanted: {passed}"
    interval = "" if check.lower is None or check.upper is None else f" [{check.lower:+.2f}, {check.upper:+.2f}]"
    return f"P(met) of {whose}: share met minus P(met) {check.value:+.2f}{interval} on {trials}, 0 wanted: {passed}"


def _failure(check: Check, level: float) -> str:
    if check.lower is None:
        return "too few trials to pass"
    if check.what == "coverage":
        return f"failed, the intervals are too {'wide' if check.value > level / 100 else 'narrow'}"
    return f"failed, P(met) is too {'low' if check.value > 0 else 'high'}"


def _fitted(found: Calibration) -> Iterator[str]:
    if found.subject is not None:
        yield f"Calibration of {found.subject.name}"
    if found.fitted_on is not None:
        asked = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in found.fitted_on.settings.items())
        trials = f"{len(found.fitted_on.trials)} trials of the {found.fitted_on.side} side"
        yield f"fitted on {trials}{f', asked with {asked}' if asked else ''}"
    for entry in found.quantiles:
        factor = "any factor" if entry.factor is None else entry.factor.replace("_", " ")
        whose = f"aggregates of up to {entry.chain_length} steps" if entry.aggregate else f"step {entry.chain_length}"
        yield f"{found.level:g}% interval, {entry.kind}, {factor}, {whose}: e {entry.quantile:.2f} ({entry.trials} trials)"
    for name, line in (("what-ifs", found.what_if), ("forecasts", found.forecast)):
        if line is not None:
            yield f"P(met) of {name}: slope {line.slope:.2f}, intercept {line.intercept:+.2f} ({line.trials} trials)"


def _left_out(found: Calibration) -> Iterator[str]:
    yield from (f"not calibrated: {reason}" for reason in found.left_out)
