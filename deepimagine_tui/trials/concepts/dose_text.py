"""Doses read from labels and descriptions. Source: the text, and the names of the interventions it may speak of."""

from __future__ import annotations

import re
from functools import lru_cache

from deepimagine_tui.trials.concepts.numbers import parse_number
from deepimagine_tui.trials.dose import Dose, DoseBasis
from deepimagine_tui.trials.model import Intervention

_NUMBER = r"\d(?:\d{0,2}(?:,\d{3})+(?!\d)|\d*)(?:\.\d+)?"
_POWER = r"(?:\s*[x×*]\s*10\s*(?:\^|\*\*|e)?\s*\(?\d{1,2}\)?)"
_AMOUNT = rf"{_NUMBER}{_POWER}?"
_UNIT = (
    r"(?:micrograms?|milligrams?|millilit(?:er|re)s?|grams?|nanograms?|international units?|milli-?curies?|mcg|µg|μg|ug|mg|ng|kg(?!\w)|gm?|"
    r"MIU|mIU|KIU|IU|million (?:international )?units?|million IU|units?|U|mEq|mmol|µmol|nmol|PFU|pfu|TCID50|CCID50|CFU|cfu|FFU|vp|vg|EID50|"
    r"(?:CAR[- ]?(?:positive )?(?:\+ )?)?T?[- ]?cells|cGy|Gy|mCi|MBq|GBq|kBq|mL|ml|puffs?|actuations?|"
    r"% (?=(?:\w+ ){0,2}(?:cream|gel|ointment|solution|lotion|foam|drops|ophthalmic|suspension|spray|shampoo))"
    r"|%(?= (?:\w+ ){0,2}(?:cream|gel|ointment|solution|lotion|foam|drops|ophthalmic|suspension|spray|shampoo)))"
)
_SEPARATOR = r"(?:\s*(?:/|->|→|,(?: and| or| then)?|and|or|to|then|up to|titrated to|increas(?:ed|ing) to|-|–)\s*)"
_BASIS = r"(?:\s*(?:/|per)\s*(kg|kilogram|m2|m\^2|m²|m\(2\)|square met(?:er|re))\b\.?)?"
_DOSE = re.compile(rf"({_AMOUNT})[\s-]*({_UNIT})(?![\w%])(?:\s*\([\d.,]+ ?\w+\))?{_BASIS}")
_STEPS = re.compile(rf"(?<![\w.,^])((?:{_AMOUNT}\s*-?\s*(?:{_UNIT})?{_SEPARATOR}){{1,6}})$")
_STEP = re.compile(_AMOUNT)
_STEP_END = re.compile(r"(?:[/>→,–-]|\b(?:and|or|to|then))\s*$")
_CONCENTRATION = re.compile(
    r"^\s*(?:/|per)\s*(?:\d+\s*)?(?:m[lL]|d[lL]|[lL]\b|lit|min|milli|hour|h\b|actuation|g\b|mg|vial|tablet|capsule|mm|cm)"
)
_LABORATORY = re.compile(
    r"\b(?:creatinine|glucose|hemoglobin|haemoglobin|bilirubin|albumin|weigh\w*|level|baseline|cholesterol|ldl|psa)\W+(?:\w+\W+){0,3}$",
)
_PER_DAY = re.compile(r"^\s*(?:/|per |a )\s*(?:day|d\b|24 ?h)")
_DAILY_WORD = re.compile(r"^(?:\s*(?:total )?daily dose)")
_N = {"two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0, "six": 6.0, "other": 2.0}
_FREQUENCY = re.compile(
    r"""
    \b(?P<twice_daily>b\.?i\.?d\b\.?|twice[- ](?:(?:a|per|each)[ ])?(?:daily|day)|(?:two|2)[ ]?(?:times|x)[ ]?(?:/|a[ ]|per[ ])?(?:daily|day)
        |(?:every|q\.?)[ ]?(?:12|twelve)[ ]?(?:hours|hrs|h)\b)
    |\b(?P<thrice_daily>t\.?i\.?d\b\.?|thrice[ ]daily|(?:three|3)[ ]?(?:times|x)[ ]?(?:/|a[ ]|per[ ])?(?:daily|day)
        |(?:every|q\.?)[ ]?(?:8|eight)[ ]?(?:hours|hrs|h)\b)
    |\b(?P<four_daily>q\.?i\.?d\b\.?|(?:four|4)[ ]?(?:times|x)[ ]?(?:/|a[ ]|per[ ])?(?:daily|day)|(?:every|q\.?)[ ]?(?:6|six)[ ]?(?:hours|hrs|h)\b)
    |\b(?P<six_daily>(?:every|q\.?)[ ]?(?:4|four)[ ]?(?:hours|hrs|h)\b)
    |\b(?P<alternate>every[ ]other[ ]day|q\.?o\.?d\b\.?|on[ ]alternate[ ]days|every[ ](?:second|2)[ ]days?)
    |\b(?P<twice_weekly>twice[ ](?:(?:a|per|each)[ ])?week(?:ly)?|(?:two|2)[ ]?(?:times|x)[ ]?(?:/|a[ ]|per[ ])?week(?:ly)?|biw\b)
    |\b(?P<thrice_weekly>thrice[ ]weekly|(?:three|3)[ ]?(?:times|x)[ ]?(?:/|a[ ]|per[ ])?week(?:ly)?|tiw\b)
    |\b(?P<every_weeks>(?:every|q)[ ]?(\d{1,2}|two|three|four|five|six|other)?[ ]?-?(w(?:ee)?ks?|w|months?|m)\b)
    |\b(?P<every_days>(?:every|q)[ ]?(\d{1,2})[ ]?-?(?:days?|d)\b)
    |(?P<weekly>\bonce[- ](?:(?:a|per|every)[ ])?week(?:ly)?|\bweekly|\bq\.?w\b\.?|/[ ]?week|\bper[ ]week|\ba[ ]week)
    |\b(?P<monthly>once[- ](?:(?:a|per)[ ])?month(?:ly)?|monthly)
    |\b(?P<daily>once[- ](?:(?:a|per)[ ])?(?:daily|day)|q\.?[ ]?d\b\.?|o\.?d\b\.?|q\.?[ ]?24[ ]?h|every[ ](?:24[ ]hours|day|morning|evening|night)
        |nightly|each[ ](?:day|morning|evening)|daily|at[ ]bedtime|qhs\b|q[ap]m\b)
    """,
    re.X,
)
_TIMES_PER_DAY = {
    "twice_daily": 2.0,
    "thrice_daily": 3.0,
    "four_daily": 4.0,
    "six_daily": 6.0,
    "alternate": 0.5,
    "twice_weekly": 2 / 7,
    "thrice_weekly": 3 / 7,
    "weekly": 1 / 7,
    "monthly": 1 / 30.4375,
    "daily": 1.0,
}
_PERIOD = re.compile(r"(\d{1,2}|two|three|four|five|six|other)?[ ]?-?(weeks?|wks?|w|months?|m|days?|d)$")
_PERIOD_DAYS = {"w": 7.0, "m": 30.4375, "d": 1.0}
_ROUTE = re.compile(
    r"""
    \b(?:(?P<oral>oral(?:ly)?\b|p\.?o\b|by[ ]mouth|tablets?\b|capsules?\b|pills?\b|per[ ]os\b)
    |(?P<intravenous>i\.?v\b|intravenous(?:ly)?\b|infusions?\b|infused\b)
    |(?P<subcutaneous>s\.?c\b|s/c\b|subq\b|sub-?cutaneous(?:ly)?\b)
    |(?P<intramuscular>i\.?m\b|intramuscular(?:ly)?\b)
    |(?P<inhaled>inhal\w*|nebuli[sz]\w*|[dm]pi\b|mdi\b)
    |(?P<intranasal>(?:intra)?nasal(?:ly)?\b)
    |(?P<topical>topical(?:ly)?\b|cream\b|gel\b|ointment\b|lotion\b|patch\b|transdermal\b)
    |(?P<intravitreal>intravitreal(?:ly)?\b)
    |(?P<rectal>rectal(?:ly)?\b)
    |(?P<vaginal>(?:intra)?vaginal(?:ly)?\b))
    """,
    re.X,
)
_CLAUSE = re.compile(r"[;\n+]|\.\s|,(?!\d)|\b(?:and|plus|with|followed by|then|in combination|or)\b")
_PLACEBO = re.compile(r"\bplacebo\b|\bsham\b|\bvehicle\b")
_NAME_NOISE = re.compile(
    r"\b(?:placebo|tablets?|capsules?|injection|oral|intravenous|subcutaneous|solution|suspension|vaccine|therapy|treatment|drug|dose|low|high|mid|medium|\d[\d.,]*|m?c?g|mg|kg|ml|iu)\b|[^\w\s-]",
)
_NEXT_CLAUSE = re.compile(r"[;\n]|\.\s|\bfollowed by\b|\bplus\b|\bthen\b|\+")
_DIGIT = re.compile(r"\d")

_BARE_NAME = re.compile(r"\b([A-Z][A-Za-z]{3,}[\w-]*)[ (:,-]{1,2}$")
_NO_NAMES = frozenset(
    """arm group cohort part phase level dose doses drug study treatment treatments total daily weekly oral intravenous subcutaneous high low mid medium
    maximum minimum once twice either about approximately received receive receiving subjects patients participants infants adults children placebo
    tablet tablets capsule capsules injection infusion starting initial loading maintenance single multiple each step stage schedule regimen radiation
    active matching experimental comparator control with plus then titrated from week weeks every alternating combination hours minutes""".split()
)
_COUNTED = re.compile(r"\b(?:days?|weeks?|months?|years?|cycles?|phase|arm|cohort|level|grade|stage|part|visit|dose)\s*$")
WIDEST_STEP = 50
"""An amount further from the dose than this factor is no step of its titration."""

WINDOW = 70
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
            at = _find_word(lowered, spelling, 0, start, last=True)
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
    """The capitalised word right before an amount: an agent that was not registered as an intervention. Empty when there is none."""
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
    return [value for value in map(_amount, _STEP.findall(found[1])) if value], start - len(found[1])


def _dose(text: str, match: re.Match[str], rest: str, steps: list[float], agent: str) -> Dose | None:
    amount, unit = _amount(match[1]), _unit(match[2])
    if not amount or unit is None:
        return None
    steps = [step for step in steps if amount / WIDEST_STEP <= step <= amount * WIDEST_STEP]
    clause = _until_next(rest)
    said = clause.lower()
    per_day = _PER_DAY.match(said)
    skipped = per_day.end() if per_day else 0
    times, ends = _frequency(said[skipped:])
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
        basis=_basis(match[3]),
        times_per_day=times,
        daily_total=daily,
        route=route(text[max(0, match.start() - 40) : match.start()] + match[0] + clause),
        titration=(*steps, amount) if steps else (),
    )


def _until_next(rest: str) -> str:
    """What follows a dose, up to a clause that speaks of something else."""
    end = _NEXT_CLAUSE.search(rest)
    return rest[: end.start()] if end else rest


def times_per_day(text: str) -> float | None:
    """How often a day `text` says first, rounded to 6 decimals (`every 3 weeks` is 1/21); `None` when it does not say."""
    return _frequency(text.lower())[0]


@lru_cache(maxsize=4096)
def _frequency(text: str) -> tuple[float | None, int]:
    """The first frequency in lower-case text, and where it ends."""
    found = _FREQUENCY.search(text)
    return (_as_times(found), found.end()) if found else (None, 0)


def _as_times(found: re.Match[str]) -> float | None:
    if not found.lastgroup:
        return None
    known = _TIMES_PER_DAY.get(found.lastgroup)
    if known is not None:
        return round(known, 6)
    period = _PERIOD.search(found[0])
    if not period:
        return None
    number = period[1] or "1"
    count = float(number) if number.isdigit() else _N[number]
    return round(1 / (count * _PERIOD_DAYS[period[2][0]]), 6) if count else None


@lru_cache(maxsize=4096)
def route(text: str) -> str | None:
    """The route of administration that `text` names; `None` when it names none or several."""
    found = {match.lastgroup for match in _ROUTE.finditer(text.lower())}
    return found.pop() if len(found) == 1 else None


def _amount(text: str) -> float | None:
    base, *power = re.split(r"[x×*]", text, maxsplit=1)
    value = parse_number(base)
    if value is None or not power:
        return value
    exponent = re.sub(r"^\s*10\s*(?:\^|\*\*|e)?\s*\(?|\)?\s*$", "", power[0])
    return value * 10.0 ** int(exponent) if exponent.isdigit() and int(exponent) < 20 else None


_UNITS = {
    "microgram": "mcg", "µg": "mcg", "μg": "mcg", "ug": "mcg", "mcg": "mcg", "milligram": "mg", "gram": "g", "gm": "g", "nanogram": "ng",
    "international unit": "IU", "iu": "IU", "unit": "units", "u": "units", "million international unit": "MIU", "million unit": "MIU", "million iu": "MIU",
    "milliliter": "mL", "millilitre": "mL", "ml": "mL", "puff": "puffs", "actuation": "puffs", "pfu": "PFU", "cfu": "CFU", "millicurie": "mCi",
    "milli-curie": "mCi",
}  # fmt: skip


def _unit(text: str) -> str | None:
    plain = text.strip()
    if plain == "mIU":
        return "mIU"
    if plain.lower().endswith("cells"):
        return "cells"
    if plain == "kg":
        return None
    known = _UNITS.get(plain.lower()) or _UNITS.get(plain.lower().removesuffix("s"))
    return known or plain


def _basis(text: str | None) -> DoseBasis:
    if not text:
        return "flat"
    return "per kg" if text.lower().startswith("k") else "per m2"


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
