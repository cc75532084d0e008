"""Posted analyses, read as contrasts. v2-shaped objects in, result structs out."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from deepimagine_tui.trials.concepts import orientations, scales, terms, verdicts
from deepimagine_tui.trials.concepts.arm_values import compared_values, counts_people
from deepimagine_tui.trials.concepts.hypotheses import hypothesis
from deepimagine_tui.trials.concepts.p_values import parse_p, stated_alpha, test_sides
from deepimagine_tui.trials.registry.fields import Log, Node, each, number, text, texts
from deepimagine_tui.trials.results import Contrast, ContrastInterval, Orientation, Outcome

_LOG_SCALE = re.compile(r"\blog(?:10|2|e)?\b|\bln\b")


def contrasts(node: Node, at: str, outcome: Outcome, log: Log) -> tuple[Contrast, ...]:
    """The contrasts of an outcome whose groups and cells were read."""
    found = tuple(
        _contrast(index, item, where, outcome, log) for index, (where, item) in enumerate(each(node, "analyses", at, log))
    )
    return tuple(_with_sibling(contrast, found) for contrast in found)


def _contrast(index: int, node: Node, at: str, outcome: Outcome, log: Log) -> Contrast:
    group_ids = texts(node, "groupIds", at, log)
    known = {group.id for group in outcome.groups}
    for strange in group_ids:
        if strange not in known:
            log.add(f"{at}.groupIds", "unknown-group", f"{strange!r} is not a group of the outcome.")
    comments = tuple(
        value
        for value in (
            text(node, key, at, log)
            for key in (
                "groupDescription",
                "estimateComment",
                "pValueComment",
                "statisticalComment",
                "nonInferiorityComment",
                "otherAnalysisDescription",
            )
        )
        if value
    )
    method, scale = text(node, "statisticalMethod", at, log), text(node, "paramType", at, log)
    estimate = number(node, "paramValue", at, log)
    written = text(node, "pValue", at, log)
    sides = test_sides(method, *comments)
    p = parse_p(written, sides) if written else None
    if written and p is None:
        log.add(f"{at}.pValue", "not-a-p-value", f"{written!r} is no p-value.")
    kind = scales.contrast_kind(scale, estimate is not None)
    null = scales.null_value(kind, scale, outcome.unit, estimate)
    tested = node.get("testedNonInferiority")
    spread_kind, _ = terms.dispersion(text(node, "dispersionType", at, log))
    contrast = Contrast(
        index=index,
        group_ids=group_ids,
        hypothesis=hypothesis(
            text(node, "nonInferiorityType", at, log),
            tested if isinstance(tested, str | bool) else None,
            len(group_ids),
            p is not None,
            " ".join(comments),
        ),
        kind=kind,
        scale=scale.lower(),
        null=null,
        estimate=estimate,
        dispersion_kind=spread_kind,
        dispersion=number(node, "dispersionValue", at, log),
        interval=_interval(node, at, log),
        p=p,
        alpha=stated_alpha(*comments),
        method=method,
        unit=outcome.unit if kind == "difference" else "",
        class_title=_class_title(outcome, comments),
        flags=("log-scale",) if kind == "difference" and _LOG_SCALE.search(scale.lower()) else (),
    )
    if kind == "other":
        log.add(
            f"{at}.paramType", "unknown-parameter", f"{scale!r} is neither a difference, a ratio nor a slope that is known."
        )
    return _judged(contrast, outcome, comments, at, log)


def _interval(node: Node, at: str, log: Log) -> ContrastInterval | None:
    lower = number(node, "ciLowerLimit", at, log)
    upper = number(node, "ciUpperLimit", at, log)
    if lower is None and upper is None:
        return None
    level = number(node, "ciPctValue", at, log)
    if level is not None and not 0 < level < 100:
        log.add(f"{at}.ciPctValue", "not-a-level", f"{level} is no level of confidence.")
        level = None
    written = terms.words(text(node, "ciNumSides", at, log))
    sides: Literal[1, 2] = 1 if written.startswith(("one", "1")) or lower is None or upper is None else 2
    return ContrastInterval(lower, upper, level, sides)


def _class_title(outcome: Outcome, comments: tuple[str, ...]) -> str:
    """The one class that the comments name; empty when they name none or several."""
    titles = {cell.class_title for cell in outcome.cells if cell.class_title}
    if len(titles) < 2:
        return ""
    joined = " ".join(comments).lower()
    named = [title for title in titles if _names(joined, title.lower())]
    longest = max(named, key=len, default="")
    return longest if all(title.lower() in longest.lower() for title in named) else ""


def _names(joined: str, title: str) -> bool:
    """Whether a title stands in a comment as a whole: not within a longer word or number."""
    return title in joined and re.search(rf"(?<![\w.]){re.escape(title)}(?![\w.]?\w)", joined) is not None


def _judged(contrast: Contrast, outcome: Outcome, comments: tuple[str, ...], at: str, log: Log) -> Contrast:
    """The contrast with its orientation, significance and favoured group."""
    by_p = verdicts.p_significant(contrast.p, contrast.alpha)
    if len(contrast.group_ids) != 2 or len(set(contrast.group_ids)) != 2:
        return msgspec.structs.replace(contrast, significant=by_p)
    a_id, b_id = contrast.group_ids
    pairs = compared_values(outcome, a_id, b_id, contrast.class_title, " ".join((contrast.scale, *comments)))
    inverse = orientations.is_inverse(contrast.scale, outcome.kind, outcome.title)
    orientation, shown_by, unit = _orientation(contrast, outcome, pairs, inverse, comments)
    if orientation == "unknown" and contrast.kind in ("difference", "ratio"):
        log.add(at, "orientation-unknown", _why_unknown(contrast, pairs))
    by_interval = verdicts.interval_significant(contrast.interval, contrast.null, contrast.alpha)
    contradicts = by_p is not None and by_interval is not None and by_p != by_interval
    return msgspec.structs.replace(
        contrast,
        orientation=orientation,
        orientation_from=shown_by,
        reference=_reference(contrast, orientation),
        unit=unit,
        significant=by_p if by_p is not None else by_interval,
        favours=verdicts.favoured(
            contrast.group_ids,
            contrast.estimate if contrast.kind in ("difference", "ratio") else None,
            contrast.null,
            orientation,
            outcome.benefit,
            inverse,
            pairs[0] if len(pairs) == 1 else None,
        ),
        flags=(*contrast.flags, verdicts.CONTRADICTION) if contradicts else contrast.flags,
    )


def _orientation(
    contrast: Contrast, outcome: Outcome, pairs: list[tuple[float, float]], inverse: bool, comments: tuple[str, ...]
) -> tuple[Orientation, Literal["arm values", "comment", "none"], str]:
    """The orientation, what showed it, and the contrast's own unit, which need not be that of the cells."""
    if contrast.estimate is None or contrast.kind not in ("difference", "ratio"):
        return "unknown", "none", contrast.unit
    for factor, unit in _scales(contrast, outcome):
        shown = orientations.from_values(contrast.kind, contrast.estimate * factor, contrast.null, pairs, inverse)
        if shown != "unknown":
            return shown, "arm values", unit
    titles = {group.id: group.title for group in outcome.groups}
    a, b = (titles.get(identifier, "") for identifier in contrast.group_ids)
    said = orientations.from_comments(contrast.kind, a, b, contrast.scale, *comments)
    return (said, "comment", contrast.unit) if said != "unknown" else ("unknown", "none", contrast.unit)


def _why_unknown(contrast: Contrast, pairs: list[tuple[float, float]]) -> str:
    if not pairs:
        return "No class has a value in both groups."
    if contrast.estimate == contrast.null or any(a == b for a, b in pairs[:1]):
        return "The estimate or the arm values show no difference."
    if len(pairs) > 1:
        return f"{len(pairs)} classes or categories, and which one is meant is not said."
    return f"{contrast.estimate:g} fits neither order of {pairs[0][0]:g} and {pairs[0][1]:g}."


def _scales(contrast: Contrast, outcome: Outcome) -> list[tuple[float, str]]:
    """The scales on which a difference may have been posted: factors to that of the arm values, with the unit each means."""
    if contrast.kind != "difference" or outcome.kind != "share":
        return [(1.0, contrast.unit)]
    plain = "percentage points" if counts_people(outcome.parameter, outcome.unit) else outcome.unit
    return [(1.0, plain), (100.0, "proportion")]


def _reference(contrast: Contrast, orientation: Orientation) -> str | None:
    if orientation in ("a-b", "a/b"):
        return contrast.group_ids[1]
    return contrast.group_ids[0] if orientation in ("b-a", "b/a") else None


def _with_sibling(contrast: Contrast, others: tuple[Contrast, ...]) -> Contrast:
    """A p-value and its estimate are at times posted as two analyses: a test without an estimate takes its direction from
    there."""
    if contrast.favours is not None or contrast.estimate is not None or contrast.p is None or len(contrast.group_ids) != 2:
        return contrast
    siblings = {
        other.favours
        for other in others
        if other.estimate is not None
        and other.p is None
        and set(other.group_ids) == set(contrast.group_ids)
        and other.class_title == contrast.class_title
    }
    if len(siblings) == 1:
        return msgspec.structs.replace(contrast, favours=siblings.pop())
    return contrast
