"""The chain of a run as cards: the observed anchor, then each step with its change, reasoning and imagined state."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from textual.content import Content

from deepimagine_tui.reasoning.describe import arm_text, outcome_text, time_text
from deepimagine_tui.reasoning.events import AnchorChosen, Revealed, StepEstimated
from deepimagine_tui.reasoning.graph import StepView
from deepimagine_tui.reasoning.opening_words import with_opening
from deepimagine_tui.reasoning.state import ContrastEstimate, MetEstimate, Number, State, Status
from deepimagine_tui.reasoning.summary import MARKS
from deepimagine_tui.text import inert as inert_lines
from deepimagine_tui.tui.show import clip, digits, hanging, inert, interval_text, met_text, posted, probability, style_of

SEEN = "the model was trained on this trial"
TAIL_LINES = 14
"""How much of a streaming text is shown; all of it is once the step ends."""
_NO_BREAK = "\N{NO-BREAK SPACE}"
_VALUE = 9
"""Columns of a mark and a value."""
_HOW = {"arithmetic": "arithmetic, no model", "entered": "typed by you", "kept": "kept from the run before"}


def anchor_card(anchor: AnchorChosen, width: int) -> Content:
    """The posted result that the chain starts from."""
    state = anchor.state
    lines = [Content.assemble(("● observed", "bold"), (f"  {state.nct_id}", "dim")), *_state_lines(state, width)]
    if anchor.seen_in_training:
        lines.append(Content.styled(f"  {SEEN}", "$text-warning"))
    if anchor.unknown_factors:
        lines.append(Content.styled(f"  left out, not known: {', '.join(anchor.unknown_factors)}", "dim"))
    lines += [_hanging("  ! ", warning, width, "$text-warning") for warning in anchor.warnings]
    return Content("\n").join(lines)


def step_title(number: int, step: StepView, width: int) -> Content:
    """`├ 1 dose  10 mg -> 50 mg`."""
    change = step.planned.perturbation
    head = f"├ {number} {change.factor.replace('_', ' ')}  "
    return Content.assemble((head, "bold"), clip(f"{change.before} -> {change.after}", max(2 * width - len(head), 20)))


def streaming_card(number: int, step: StepView, width: int) -> Content:
    """A step that is being answered: the last lines of its text, so that drawing stays quick however long it is."""
    text = inert_lines(with_opening(step.planned.opening, step.text)[-TAIL_LINES * width :]).strip()
    lines = textwrap.wrap(text, max(width - 2, 20))[-TAIL_LINES:]
    state = "streaming…" if step.text else "reading the prompt…"
    tail = [Content.styled("\n".join(lines), "italic")] if lines else []
    return Content("\n").join([step_title(number, step, width), *tail, Content.styled(f"○ {state}", "italic $primary")])


def stopped_card(number: int, step: StepView, width: int, why: str) -> Content:
    """A step that was not answered: stopped, or the model had no readable answer."""
    lines = [step_title(number, step, width)]
    if step.text.strip():
        text = inert_lines(with_opening(step.planned.opening, step.text))
        lines.append(Content.styled(text, "italic dim"))
    if step.failed is not None:
        lines.append(Content.styled(f"✕ {inert(step.failed.message)}", "$text-error"))
        if step.failed.restartable:
            lines.append(Content("  r restarts from this step"))
        if step.failed.hint:
            lines.append(Content.styled(f"  {inert(step.failed.hint)}", "dim"))
    else:
        lines.append(Content.styled(f"✕ {why}", "$text-warning"))
    return Content("\n").join(lines)


def step_card(number: int, step: StepView, estimated: StepEstimated, width: int, *, seen: bool = False) -> Content:
    """An answered step. `seen` when the model was trained on this trial, which a posted result beside it must say."""
    lines = [step_title(number, step, width)]
    if step.planned.shortened:
        lines.append(Content.styled(f"prompt shortened: {inert(step.planned.shortened)}", "dim"))
    opening = step.planned.opening
    reasoning = inert_lines(estimated.reasoning.removeprefix(opening)).strip()
    if reasoning or opening:
        computed = f"{inert(opening)} " if opening else ""
        cut = " [cut at the token limit]" if estimated.reasoning_cut else ""
        lines.append(Content.assemble(computed, (reasoning, "italic"), (cut, "dim")))
    how = _HOW.get(estimated.kind, "")
    seconds = f"{estimated.completion_tokens} tokens, {estimated.seconds:.1f} s" if estimated.seconds else ""
    word = "✎ entered" if estimated.kind == "entered" else "○ imagined"
    if estimated.kind == "arithmetic":
        word = f"{MARKS[_status(estimated.state)]} {_status(estimated.state)}"
    notes = ", ".join(note for note in (how, seconds) if note)
    style = "bold italic" if word.startswith("○") else "bold"
    lines.append(Content.assemble((word, style), (f"  {notes}", "dim")))
    lines += _state_lines(estimated.state, width)
    if estimated.record:
        lines.append(_hanging("  ", estimated.record, width, ""))
    lines += [_hanging("  ! ", warning, width, "$text-warning") for warning in estimated.warnings]
    if estimated.revealed is not None:
        lines += reveal_lines(estimated.state, estimated.revealed, width)
        if seen:
            lines.append(Content.styled(f"  {SEEN}", "$text-warning"))
    return Content("\n").join(lines)


def _hanging(mark: str, text: str, width: int, style: str) -> Content:
    return Content.styled("\n".join(hanging(mark, text, width)), style)


def _status(state: State) -> Status:
    numbers = [number for number in (state.arm_value, state.comparator_value) if number is not None]
    return "imagined" if any(number.status == "imagined" for number in numbers) else "derived"


def _state_lines(state: State, width: int) -> list[Content]:
    configuration = state.configuration
    when = f", {inert(time_text(configuration.time))}" if configuration.time else ""
    title = clip(outcome_text(configuration.outcome), max(width - len(when) - 3, 12))
    lines = [Content.styled(f"  {title}{when}", "dim")]
    sides = [(arm_text(configuration.arm), state.arm_value)]
    if configuration.comparator is not None:
        sides.append((arm_text(configuration.comparator), state.comparator_value))
    names = [inert(name) for name, _ in sides]
    if state.contrast is not None:
        names.append(_contrast_name(state.contrast))
    label = min(max(len(name) for name in names), max(width - _VALUE - 4, 10))
    every = [number for _, number in sides if number is not None]
    every += [state.contrast.number] if state.contrast is not None else []
    bare = all(number.interval is None for number in every if number.status == "imagined")
    for name, number in sides:
        lines += _number_lines(clip(name, label), number, label, width, bare=bare)
    imagined = _status(state) == "imagined"
    if state.contrast is not None:
        lines += _contrast_lines(state.contrast, label, width, imagined=imagined, bare=bare)
    if bare and any(number.status == "imagined" for number in every):
        lines.append(Content.styled("  no intervals: not calibrated", "dim"))
    lines += _met_lines(state.met, width)
    if state.z_test is not None and state.z_test.agrees:
        test = state.z_test
        lines.append(Content.styled(f"  z-test agrees: {'met' if test.met else 'not met'}, p {_p(test.p)}", "dim"))
    return lines


def _p(value: float) -> str:
    return "<.001" if value < 0.001 else f"{value:.3f}".removeprefix("0")


def _number_lines(name: str, number: Number | None, label: int, width: int, *, bare: bool) -> list[Content]:
    if number is None:
        return [Content.styled(f"  {name:<{label}}  not asked", "dim")]
    extra = _interval(number, bare=bare)
    if number.n is not None and number.status == "observed" and number.source is not None:
        extra.append(f"n {number.n}")
    if number.after_entered and number.status != "entered":
        extra.append("after an entered value")
    return _lines(name, number.status, _value(number), extra, label, width)


def _interval(number: Number, *, bare: bool) -> list[str]:
    """The interval, or that there is none; where the state is `bare` of them, one line below says so for all."""
    return [text] if (text := interval_text(number)) and (number.interval is not None or not bare) else []


def _value(number: Number) -> str:
    if number.value is None:
        return inert(number.note) or "–"
    return posted(number.value) if number.status == "observed" else digits(number.value)


def _lines(name: str, status: Status, value: str, extra: Sequence[str], label: int, width: int) -> list[Content]:
    first = Content.assemble(f"  {name:<{label}}  ", (f"{MARKS[status]} {value:>6}", f"bold {style_of(status)}"))
    room = width - len(first.plain)
    if sum(len(part) + 2 for part in extra) <= room:
        return [Content.assemble(first, ("".join(f"  {part}" for part in extra), "dim"))]
    # Each part stays whole where it can: a p-value cut in two is misread.
    whole = "  ".join(part.replace(" ", _NO_BREAK) for part in extra)
    lines = textwrap.wrap(whole, max(width - 4, 10))
    return [first, *(Content.styled(f"    {line.replace(_NO_BREAK, ' ')}", "dim") for line in lines)]


def _contrast_name(contrast: ContrastEstimate) -> str:
    return inert(contrast.scale) or contrast.kind


def _contrast_lines(contrast: ContrastEstimate, label: int, width: int, *, imagined: bool, bare: bool) -> list[Content]:
    number = contrast.number
    computed = imagined and number.status == "derived"
    status: Status = "imagined" if computed else number.status
    extra = _interval(number, bare=bare)
    if contrast.p_text:
        extra.append(inert(contrast.p_text))
    if computed:
        extra.append("from imagined values")
    if contrast.orientation == "unknown":
        extra.append("which minus which is unknown")
    return _lines(clip(_contrast_name(contrast), label), status, _value(number), extra, label, width)


def _met_lines(met: MetEstimate | None, width: int) -> Iterator[Content]:
    if met is None or (met.verdict == "undetermined" and not met.reason and met.probability is None):
        return
    said = f"  {MARKS[met.status]} {met_text(met)}"
    head = Content.styled(said, f"bold {style_of(met.status)}")
    reason = inert(met.reason)
    if len(said) + 2 + len(reason) <= width:
        yield Content.assemble(head, (f"  {reason}" if reason else "", "dim"))
    else:
        yield _hanging("  ", said.strip(), width, f"bold {style_of(met.status)}")
        if reason:
            yield _hanging("    ", reason, width, "dim")


def reveal_lines(state: State, revealed: Revealed, width: int = 200) -> list[Content]:
    """`○ -0.74   ● posted -0.78   same direction, e 0.03`."""
    rows = []
    pairs = ((state.arm_value, revealed.arm_value), (state.comparator_value, revealed.comparator_value))
    for name, (mine, theirs) in zip(("arm", "comparator"), pairs, strict=True):
        if theirs is None or mine is None or mine.status == "observed":
            continue
        imagined = digits(mine.value) if mine.value is not None else "–"
        found = posted(theirs.value) if theirs.value is not None else inert(theirs.note)
        rows.append(Content.assemble(f"  {name:<10}  ", (f"○ {imagined}", "italic"), "   ", (f"● posted {found}", "bold")))
    grades = []
    if revealed.direction_right is not None:
        grades.append("same direction" if revealed.direction_right else "other direction")
    if revealed.error is not None:
        copying = f" (copying: {revealed.copy_error:.2f})" if revealed.copy_error is not None else ""
        grades.append(f"e {revealed.error:.2f}{copying}")
    if revealed.met is not None and revealed.met.verdict != "undetermined":
        right = {True: ", verdict right", False: ", verdict wrong", None: ""}[revealed.verdict_right]
        grades.append(f"posted {revealed.met.verdict}{right}")
    if revealed.brier is not None:
        grades.append(f"Brier {probability(revealed.brier)}")
    lines = [Content.styled("● posted result of this trial", "bold"), *rows]
    if grades:
        lines.append(_hanging("  ", ", ".join(grades), width, ""))
    if revealed.why:
        lines.append(_hanging("  ", revealed.why, width, "dim"))
    return lines
