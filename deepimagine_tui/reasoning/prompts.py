"""The question of one step: what is known of the source state, the single change, and the form of the answer.

A prompt holds the source state's own results and nothing else of any results section. It never holds the seed, so that all
sequences of a pathway share it.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from deepimagine_tui.backends.protocol import Slot
from deepimagine_tui.reasoning import facts_text as facts
from deepimagine_tui.reasoning.asked import Asked, asked, contrast_form
from deepimagine_tui.reasoning.facts_text import Detail
from deepimagine_tui.reasoning.opening_words import opening_of
from deepimagine_tui.reasoning.state import Configuration, Estimand, Perturbation, State

PROMPT_VERSION = "3"
"""Changes whenever the text of any prompt or slot can change; part of every step's id."""

DIRECTION, ARM_VALUE, COMPARATOR_VALUE, CONTRAST, VERDICT = "direction", "arm_value", "comparator_value", "contrast", "verdict"
MET, NOT_MET = "met", "not met"
INSTRUCTION = """\
A clinical trial with its result, and one change to the trial. First reason in one or two sentences how the change moves the \
result, then answer in this form:
Direction: up, down or no clear change
Value: a number in the outcome's unit
Verdict: met if the arm is significantly better than the comparator, else not met

"""
"""Shared by all prompts. It names the form and gives no example: a small base model copies an example's verdict and words."""

OUTCOME_DIRECTION = "Direction here is up if the arm does better than the comparator on the new outcome, down if worse."
COMPARATOR_DIRECTION = "Direction here is where the value of the comparator goes; the arm stays as it was."
CONTRAST_DIRECTION = "Direction here is where the {} goes."


class Question(msgspec.Struct, frozen=True):
    """One prompt with its answer form. `asked` says what the slots stand for; `opening` is how the reasoning begins, in words
    that were computed (`opening_words`): the prompt ends with it, and the model goes on from there."""

    prompt: str
    slots: tuple[Slot, ...]
    asked: Asked
    opening: str = ""


SHORTENING: tuple[tuple[str, Callable[[Detail], Detail]], ...] = (
    ("baseline values left out", lambda detail: msgspec.structs.replace(detail, baseline=False)),
    ("eligibility thresholds left out", lambda detail: msgspec.structs.replace(detail, thresholds=False)),
    ("countries beyond three left out", lambda detail: msgspec.structs.replace(detail, countries=3)),
    ("conditions beyond two left out", lambda detail: msgspec.structs.replace(detail, conditions=2)),
    ("arms named by their labels alone", lambda detail: msgspec.structs.replace(detail, arm_details=False)),
    ("outcome title cut to 120 characters", lambda detail: msgspec.structs.replace(detail, title=120)),
    ("free text cut to 80 characters", lambda detail: msgspec.structs.replace(detail, free_text=80)),
)
"""What is dropped when a prompt does not fit the context, in this order, one after another until it fits."""


def question(
    source: State, perturbation: Perturbation, target: Configuration, estimand: Estimand = "arm values", shortening: int = 0
) -> Question:
    """The question that takes `source` over `perturbation` to `target`, with the first `shortening` rules applied."""
    detail = Detail()
    for _, rule in SHORTENING[:shortening]:
        detail = rule(detail)
    wants = asked(source, perturbation.factor, target, estimand)
    opening = opening_of(source.configuration, perturbation, target)
    lines = [
        *facts.configuration_lines(source.configuration, detail),
        *facts.result_lines(source, wants),
        facts.change_line(source.configuration, perturbation, target, detail),
        *_direction_line(source, perturbation, target, wants),
        f"Reasoning: {opening}".rstrip(),
    ]
    return Question(INSTRUCTION + "\n".join(lines), slots(source, target, wants), wants, opening)


def _direction_line(source: State, perturbation: Perturbation, target: Configuration, wants: Asked) -> list[str]:
    """Of what the direction is asked, where it is not of the arm's value: as `directions.step_direction` grades it."""
    if perturbation.factor == "outcome":
        return [OUTCOME_DIRECTION] if target.comparator is not None else []
    contrast = contrast_form(source, target) if wants.contrast else None
    if contrast is not None:
        return [CONTRAST_DIRECTION.format(facts.contrast_label(contrast).lower())]
    return [COMPARATOR_DIRECTION] if perturbation.factor == "comparator" else []


def shortened_by(
    source: State, perturbation: Perturbation, target: Configuration, estimand: Estimand = "arm values", shortening: int = 0
) -> str:
    """Which of the first `shortening` rules took something out of the prompt, as a step says it; empty when none did."""
    levels = range(shortening + 1)
    texts = [question(source, perturbation, target, estimand, level).prompt for level in levels]
    return "; ".join(SHORTENING[level - 1][0] for level in levels[1:] if texts[level] != texts[level - 1])


def slots(source: State, target: Configuration, wants: Asked) -> tuple[Slot, ...]:
    """The answer form: direction, the values asked for, verdict. Every lead ends on a token boundary (its colon)."""
    arm_label, comparator_label = facts.short_labels(target)
    form = [Slot(DIRECTION, "\nDirection:", "choice", (" up", " down", " no clear change"))]
    if wants.arm:
        form.append(Slot(ARM_VALUE, f"\nValue in {arm_label}:", "number"))
    if wants.comparator:
        form.append(Slot(COMPARATOR_VALUE, f"\nValue in {comparator_label}:", "number"))
    if wants.contrast:
        contrast = contrast_form(source, target)
        assert contrast is not None
        form.append(Slot(CONTRAST, f"\n{facts.contrast_label(contrast)}:", "number"))
    if wants.verdict:
        form.append(Slot(VERDICT, "\nVerdict:", "choice", (f" {MET}", f" {NOT_MET}"), want_probabilities=True))
    return tuple(form)


def answer_budget_text(form: tuple[Slot, ...]) -> str:
    """A longest plausible answer in `form`, to be counted in tokens and kept free beside the reasoning."""
    return "".join(slot.lead + (max(slot.options, key=len) if slot.options else " -123456.78901") for slot in form)
