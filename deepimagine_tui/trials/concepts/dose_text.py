"""Doses read from labels and descriptions. Source: the text, and the names of the interventions it may speak of."""

from __future__ import annotations

import re
from functools import lru_cache

from deepimagine_tui.trials.concepts.dose_frequency import frequency, route
from deepimagine_tui.trials.concepts.dose_units import AMOUNT, BASIS, UNIT, parse_amount, parse_basis, parse_unit
from deepimagine_tui.trials.dose import Dose
from deepimagine_tui.trials.model import Intervention

_SEPARATOR = r"(?:\s*(?:/|->|→|,(?: and| or| then)?|and|or|to|then|up to|titrated to|increas(?:ed|ing) to|-|–)\s*)"
_DOSE = re.compile(rf"({AMOUNT})[\s-]*({UNIT})(?![\w%])(?:\s*\([\d.,]+ ?\w+\))?{BASIS}")
_STEPS = re.compile(rf"(?<![\w.,^])((?:{AMOUNT}\s*-?\s*(?:{UNIT})?{_SEPARATOR}){{1,6}})$")
_STEP = re.compile(AMOUNT)
_STEP_END = re.compile(r"(?:[/>→,–-]|\b(?:and|or|to|then))\s*$")
_CONCENTRATION = re.compile(
    r"^\s*(?:/|per)\s*(?:\d+\s*)?(?:m[lL]|d[lL]|[lL]\b|lit|min|milli|hour|h\b|actuation|g\b|mg|vial|tablet|capsule|mm|cm)"
)
_LABORATORY = re.compile(
    r"\b(?:creatinine|glucose|hemoglobin|haemoglobin|bilirubin|albumin|weigh\w*|level|baseline|cholesterol|ldl"
    r"|psa)\W+(?:\w+\W+){0,3}$",
)
_PER_DAY = re.compile(r"^\s*(?:/|per |a )\s*(?:day|d\b|24 ?h)")
_DAILY_WORD = re.compile(r"^(?:\s*(?:total )?daily dose)")
_CLAUSE = re.compile(r"[;\n+]|\.\s|,(?!\d)|\b(?:and|plus|with|followed by|then|in combination|or)\b")
_PLACEBO = re.compile(r"\bplacebo\b|\bsham\b|\bvehicle\b")
_NAME_NOISE = re.compile(
    r"\b(?:placebo|tablets?|capsules?|injection|oral|intravenous|subcutaneous|solution|suspension|vaccine|therapy"
    r"|treatment|drug|dose|low|high|mid|medium|\d[\d.,]*|m?c?g|mg|kg|ml|iu)\b|[^\w\s-]",
)
_NEXT_CLAUSE = re.compile(r"[;\n]|\.\s|\bfollowed by\b|\bplus\b|\bthen\b|\+")
_DIGIT = re.compile(r"\d")

_BARE_NAME = re.compile(r"\b([A-Z][A-Za-z]{3,}[\w-]*)[ (:,-]{1,2}$")
# fmt: off
_NO_NAMES = frozenset({
    "arm", "group", "cohort", "part", "phase", "level", "dose", "doses", "drug", "study", "treatment", "treatments",
    "total", "daily", "weekly", "oral", "intravenous", "subcutaneous", "high", "low", "mid", "medium", "maximum",
    "minimum", "once", "twice", "either", "about", "approximately", "received", "receive", "receiving", "subjects",
    "patients", "participants", "infants", "adults", "children", "placebo", "tablet", "tablets", "capsule", "capsules",
    "injection", "infusion", "starting", "initial", "loading", "maintenance", "single", "multiple", "each", "step",
    "stage", "schedule", "regimen", "radiation", "active", "matching", "experimental", "comparator", "control", "with",
    "plus", "then", "titrated", "from", "week", "weeks", "every", "alternating", "combination", "hours", "minutes",
})
# fmt: on
_COUNTED = re.compile(r"\b(?:days?|weeks?|months?|years?|cycles?|phase|arm|cohort|level|grade|stage|part|visit|dose)\s*$")
WIDEST_STEP = 50
"""An amount further from the dose than this factor is no step of its titration."""

WINDOW = 70
REACH = 600
"""How far before a dose its agent may be named, in characters."""

_SHOWN = 40


@lru_cache(maxsize=4096)
def find_doses(text: str, interventions: tuple[Intervention, ...]) -> tuple[Dose, ...]:
    """Every dose that `text` states, in reading order, each once.

    A dose belongs to the intervention named last before it in its clause, else the first named after it, else to the only
    intervention given. A dose whose agent is not named has an empty `intervention`. Concentrations (`40 mg/mL`) and
    laboratory limits are no doses.
    """
    return DoseReader(interventions).find(text)


class DoseReader:
    """Reads doses of a fixed set of interventions."""

    def __init__(self, interventions: tuple[Intervention, ...]) -> None:
        self._names = tuple(pair for item in interventions for pair in _spellings(item))
        drugs = {item.name for item in interventions if not _PLACEBO.search(item.name.lower())}
        self._only = drugs.pop() if len(drugs) == 1 else ""

    def find(self, text: str) -> tuple[Dose, ...]:
        """Every dose that `text` states; see `find_doses`."""
        if not _DIGIT.search(text):
            return ()
        found: list[tuple[int, Dose]] = []
        matches = [match for match in _DOSE.finditer(text) if not _is_inside(text, match.start())]
        lowered = text.lower() if matches else ""
        for index, match in enumerate(matches):
            end = matches[index + 1].start() if index + 1 < len(matches) else len(text)
            rest = text[match.end() : min(end, match.end() + WINDOW)]
            tail = text[match.end() : match.end() + 24]
            if _CONCENTRATION.match(tail) or _LABORATORY.search(lowered[max(0, match.start() - 50) : match.start()]):
                continue
            steps, start = _steps_before(text, match.start())
            while found and found[-1][0] > start:
                found.pop()
            dose = _dose(text, match, rest, steps, self._agent(text, lowered, start, match.end()))
            if dose is not None:
                found.append((match.end(), dose))
        return tuple(dict.fromkeys(dose for _, dose in found))

    def _agent(self, text: str, lowered: str, start: int, end: int) -> str:
        """Whose dose it is: the name that stands closest, before it or after it within the clause."""
        last, last_end = "", -1
        following, following_at = "", -1
        for name, spelling in self._names:
            at = _find_word(lowered, spelling, max(0, start - REACH), start, last=True)
            if at >= 0 and at + len(spelling) > last_end:
                last, last_end = name, at + len(spelling)
            at = _find_word(lowered, spelling, end, min(len(lowered), end + 60), last=False)
            if at >= 0 and (following_at < 0 or at < following_at):
                following, following_at = name, at
        if (
            following
            and (not last or _CLAUSE.search(lowered[last_end:start]))
            and not _CLAUSE.search(lowered[end:following_at])
        ):
            return following
        return last or following or _bare_name(text[:start]) or self._only


def _bare_name(before: str) -> str:
    """The capitalised word right before an amount: an agent that was not registered as an intervention. Empty when there is
    none."""
    found = _BARE_NAME.search(before)
    return found[1] if found and found[1].lower() not in _NO_NAMES else ""


def _is_inside(text: str, start: int) -> bool:
    """Whether the number at `start` is the rest of a longer word or number. Asked here, since a pattern that begins with a
    digit is searched for many times faster than one that begins by looking back."""
    before = text[start - 1] if start else " "
    return before.isalnum() or (before in ".,^" and not (before == "," and (start < 2 or not text[start - 2].isdigit())))


def _find_word(lowered: str, word: str, start: int, end: int, *, last: bool) -> int:
    """Where `word` stands in the slice as a word's beginning; -1 when nowhere."""
    at = lowered.rfind(word, start, end) if last else lowered.find(word, start, end)
    while at > 0 and lowered[at - 1].isalnum():
        at = lowered.rfind(word, start, at + len(word) - 1) if last else lowered.find(word, at + 1, end)
    return at


def _steps_before(text: str, start: int) -> tuple[list[float], int]:
    """The amounts that lead up to one (`10/20/` before `40 mg`), and where they begin."""
    before = text[max(0, start - 48) : start]
    if not _STEP_END.search(before):
        return [], start
    found = _STEPS.search(before)
    if not found or _COUNTED.search(before[: found.start()].lower()):
        return [], start
    return [value for value in map(parse_amount, _STEP.findall(found[1])) if value], start - len(found[1])


def _dose(text: str, match: re.Match[str], rest: str, steps: list[float], agent: str) -> Dose | None:
    amount, unit = parse_amount(match[1]), parse_unit(match[2])
    if not amount or unit is None:
        return None
    steps = [step for step in steps if amount / WIDEST_STEP <= step <= amount * WIDEST_STEP]
    clause = _until_next(rest)
    said = clause.lower()
    per_day = _PER_DAY.match(said)
    skipped = per_day.end() if per_day else 0
    times, ends = frequency(said[skipped:])
    daily: float | None = None
    if per_day or _DAILY_WORD.match(said):
        daily = amount
        if times and times > 1:
            amount = amount / times
        else:
            times = times if times == 1 else None
    elif times is not None:
        daily = round(amount * times, 6)
    return Dose(
        intervention=agent,
        amount=amount,
        unit=unit,
        text=(match[0] + (clause[: skipped + ends] if ends <= _SHOWN else clause[:skipped])).strip(" ,;("),
        basis=parse_basis(match[3]),
        times_per_day=times,
        daily_total=daily,
        route=route(text[max(0, match.start() - 40) : match.start()] + match[0] + clause),
        titration=(*steps, amount) if steps else (),
    )


def _until_next(rest: str) -> str:
    """What follows a dose, up to a clause that speaks of something else."""
    end = _NEXT_CLAUSE.search(rest)
    return rest[: end.start()] if end else rest


@lru_cache(maxsize=4096)
def _spellings(item: Intervention) -> tuple[tuple[str, str], ...]:
    """The lower-case spellings by which texts may call an intervention: its names, and their first words."""
    found: dict[str, None] = {}
    for name in (item.name, *item.other_names):
        core = " ".join(_NAME_NOISE.sub(" ", name.lower()).split())
        if len(core) >= 3:
            found[core] = None
            first = core.split()[0]
            if len(first) >= 5:
                found[first] = None
    return tuple((item.name, spelling) for spelling in found)
