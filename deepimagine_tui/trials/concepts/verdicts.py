"""Whether a contrast was significant, whom it favours, and so whether a superiority claim was met.

Source fields: p, then the interval; the estimate with its orientation, then the arm values; the outcome's direction of benefit.
"""

from __future__ import annotations

from deepimagine_tui.trials.results import Benefit, Contrast, ContrastInterval, Orientation, PValue, Verdict

ALPHA = {1: 0.025, 2: 0.05}
"""The level taken where none is stated, by the number of sides."""

CONTRADICTION = "p-contradicts-interval"
_SUPERIORITY = ("superiority", "superiority (assumed)")


def p_significant(p: PValue | None, alpha: float | None) -> bool | None:
    """Whether p reaches alpha (else .05 two-sided, .025 one-sided); `None` without p or where it settles nothing (`<0.1`)."""
    if p is None:
        return None
    level = alpha if alpha is not None else ALPHA[p.sides]
    if p.operator == "=":
        return p.value <= level
    if p.operator in ("<", "<="):
        return True if p.value <= level else None
    return False if p.value > level or (p.operator == ">" and p.value >= level) else None


def interval_significant(interval: ContrastInterval | None, null: float | None, alpha: float | None) -> bool | None:
    """Whether the interval leaves out the null, if its level is that of the test; `None` when it cannot tell."""
    if interval is None or null is None or interval.level is None:
        return None
    needed = 100 * (1 - (alpha if alpha is not None else ALPHA[interval.sides]))
    one_sided_needed = 100 * (1 - 2 * (alpha if alpha is not None else ALPHA[1]))
    if abs(interval.level - needed) > 0.6 and abs(interval.level - one_sided_needed) > 0.6:
        return None
    if interval.lower is not None and interval.lower > null:
        return True
    if interval.upper is not None and interval.upper < null:
        return True
    return False if interval.lower is not None and interval.upper is not None else None


def favoured(
    group_ids: tuple[str, ...],
    estimate: float | None,
    null: float | None,
    orientation: Orientation,
    benefit: Benefit,
    inverse: bool,
    values: tuple[float, float] | None,
) -> str | None:
    """The group that does better, in the direction of benefit; `None` when that is unknown or there is no difference.

    `inverse` holds where a larger estimate means a smaller value: the hazard of a time. `values` are the two arm values of
    the class compared, used where the estimate is missing or its orientation unknown.
    """
    if benefit == "unknown" or len(group_ids) != 2:
        return None
    a_higher: bool | None = None
    if estimate is not None and null is not None and orientation != "unknown" and estimate != null:
        a_higher = ((estimate > null) == (orientation in ("a-b", "a/b"))) is not inverse
    elif values is not None and values[0] != values[1]:
        a_higher = values[0] > values[1]
    if a_higher is None:
        return None
    return group_ids[0] if a_higher == (benefit == "higher") else group_ids[1]


def verdict(contrast: Contrast, k1: str) -> Verdict:
    """Whether group `k1` met superiority in this contrast.

    *met*: a two-group superiority test reaches alpha in k1's direction of benefit. *not met*: it does not, or it favours
    the other group. *undetermined*: everything else, and never a label.
    """
    return _decide(contrast, k1)[0]


def verdict_reason(contrast: Contrast, k1: str) -> str:
    """One sentence on why the verdict is what it is."""
    return _decide(contrast, k1)[1]


def _decide(contrast: Contrast, k1: str) -> tuple[Verdict, str]:
    if k1 not in contrast.group_ids:
        return "undetermined", "The contrast does not hold this group."
    if len(contrast.group_ids) != 2:
        return "undetermined", f"The analysis is over {len(contrast.group_ids)} group(s), not two."
    if contrast.hypothesis not in _SUPERIORITY:
        return "undetermined", f"The hypothesis is {contrast.hypothesis}, not superiority."
    if CONTRADICTION in contrast.flags:
        return "undetermined", "The p-value and the interval contradict one another."
    if contrast.significant is None:
        return "undetermined", "Neither p nor interval settles significance."
    if not contrast.significant:
        return "not met", "The difference is not significant."
    if contrast.favours is None:
        return "undetermined", "The difference is significant, but its direction or the direction of benefit is unknown."
    if contrast.favours == k1:
        return "met", "The difference is significant in favour of this group."
    return "not met", "The difference is significant in favour of the other group."
