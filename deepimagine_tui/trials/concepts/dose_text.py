"""Doses read from labels and descriptions. Source: the text, and the names of the interventions it may speak of."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from deepimagine_tui.trials.concepts.numbers import parse_number
from deepimagine_tui.trials.dose import Dose, DoseBasis
from deepimagine_tui.trials.model import Intervention

_NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
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
_DOSE = re.compile(
    rf"(?<![\w.,/^-])(?:({_AMOUNT})\s*-?\s*(?:{_UNIT})?{_SEPARATOR})?(?:({_AMOUNT})\s*-?\s*(?:{_UNIT})?{_SEPARATOR})?(?:({_AMOUNT})\s*-?\s*(?:{_UNIT})?{_SEPARATOR})?"
    rf"({_AMOUNT})[\s-]*({_UNIT})(?![\w%])(?:\s*\([\d.,]+ ?\w+\))?{_BASIS}",
)
_CONCENTRATION = re.compile(r"^\s*(?:/|per)\s*(?:\d+\s*)?(?:m[lL]|d[lL]|[lL]\b|lit|min|milli|hour|h\b|actuation|g\b|mg|vial|tablet|capsule|mm|cm)")
_LABORATORY = re.compile(r"\b(?:creatinine|glucose|hemoglobin|haemoglobin|bilirubin|albumin|weigh\w*|level|baseline|cholesterol|LDL|PSA)\W+(?:\w+\W+){0,3}$", re.I)
_PER_DAY = re.compile(r"^\s*(?:/|per |a )\s*(?:day|d\b|24 ?h)", re.I)
_DIVIDED = re.compile(r"\b(?:divided|split) (?:in|into|between|over)? ?(?:two|three|four|2|3|4|twice|bid|tid)?", re.I)
_DAILY_WORD = re.compile(r"^(?:\s*(?:total )?daily dose)", re.I)
_TITRATED = re.compile(r"titrat|escalat|step|increas|uptitrat|flexible|ramp|→|->|up to|then", re.I)
_N = {"one": 1.0, "two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0, "six": 6.0, "once": 1.0, "twice": 2.0, "thrice": 3.0}
_COUNT = r"(once|twice|thrice|one time|two times|three times|four times|five times|six times|\d+ ?times|\d+ ?x)"
_FREQUENCIES: tuple[tuple[re.Pattern[str], float | None], ...] = (
    (re.compile(r"\b(?:b\.?i\.?d\.?|twice[- ](?:a |per |each )?(?:daily|day)|two times (?:a |per )?(?:daily|day)|2 ?x ?(?:daily|/day|a day)|every (?:12|twelve) hours|q\.? ?12 ?h)", re.I), 2.0),
    (re.compile(r"\b(?:t\.?i\.?d\.?|three times (?:a |per )?(?:daily|day)|thrice daily|3 ?(?:x|times) ?(?:daily|/day|a day|per day)|every (?:8|eight) hours|q\.? ?8 ?h)\b", re.I), 3.0),
    (re.compile(r"\b(?:q\.?i\.?d\.?|four times (?:a |per )?(?:daily|day)|4 ?(?:x|times) ?(?:daily|/day|a day|per day)|every (?:6|six) hours|q\.? ?6 ?h)\b", re.I), 4.0),
    (re.compile(r"\b(?:q\.? ?4 ?h|every (?:4|four) hours)\b", re.I), 6.0),
    (re.compile(r"\b(?:every other day|q\.?o\.?d\.?|on alternate days|every (?:second|2) days?)\b", re.I), 0.5),
    (re.compile(r"\b(?:twice (?:a |per |each )?week(?:ly)?|two times (?:a |per )?week|2 ?(?:x|times) ?(?:/|a |per )?week(?:ly)?|biw)\b", re.I), 2 / 7),
    (re.compile(r"\b(?:three times (?:a |per )?week(?:ly)?|thrice weekly|3 ?(?:x|times) ?(?:/|a |per )?week(?:ly)?|tiw)\b", re.I), 3 / 7),
)
_EVERY_WEEKS = re.compile(r"\b(?:every|q) ?(\d{1,2}|two|three|four|five|six|other)? ?-?(w(?:ee)?ks?|w|months?|m)\b", re.I)
_EVERY_DAYS = re.compile(r"\b(?:every|q) ?(\d{1,2}) ?-?(?:days?|d)\b", re.I)
_WEEKLY = re.compile(r"\b(?:once[- ](?:a |per |every )?week(?:ly)?|weekly|q\.?w\.?|/ ?week|per week|a week)\b", re.I)
_MONTHLY = re.compile(r"\b(?:once[- ](?:a |per )?month(?:ly)?|monthly)\b", re.I)
_DAILY = re.compile(r"\b(?:once[- ](?:a |per )?(?:daily|day)|once[- ]daily|q\.? ?d\.?|o\.?d\.?|q\.? ?24 ?h|every (?:24 hours|day|morning|evening|night)|nightly|each (?:day|morning|evening)|daily|at bedtime|qhs|qam|qpm)(?!\w)", re.I)
_ROUTES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("oral", re.compile(r"\b(?:oral(?:ly)?|p\.?o\.?|by mouth|tablets?|capsules?|pills?|per os)(?!\w)", re.I)),
    ("intravenous", re.compile(r"\b(?:i\.?v\.?|intravenous(?:ly)?|infusion|infused)(?!\w)", re.I)),
    ("subcutaneous", re.compile(r"\b(?:s\.?c\.?|s/c|subq|sub-?cutaneous(?:ly)?)(?!\w)", re.I)),
    ("intramuscular", re.compile(r"\b(?:i\.?m\.?|intramuscular(?:ly)?)(?!\w)", re.I)),
    ("inhaled", re.compile(r"\b(?:inhal\w*|nebuli[sz]\w*|DPI|MDI)\b", re.I)),
    ("intranasal", re.compile(r"\b(?:intranasal(?:ly)?|nasal(?:ly)?)\b", re.I)),
    ("topical", re.compile(r"\b(?:topical(?:ly)?|cream|gel|ointment|lotion|patch|transdermal)\b", re.I)),
    ("intravitreal", re.compile(r"\bintravitreal(?:ly)?\b", re.I)),
    ("rectal", re.compile(r"\brectal(?:ly)?\b", re.I)),
    ("vaginal", re.compile(r"\b(?:intra)?vaginal(?:ly)?\b", re.I)),
)
_CLAUSE = re.compile(r"[;\n+]|\.\s|,(?!\d)|\b(?:and|plus|with|followed by|then|in combination|or)\b", re.I)
_PLACEBO = re.compile(r"\bplacebo\b|\bsham\b|\bvehicle\b", re.I)
_NAME_NOISE = re.compile(r"\b(?:placebo|tablets?|capsules?|injection|oral|intravenous|subcutaneous|solution|suspension|vaccine|therapy|treatment|drug|dose|low|high|mid|medium|\d[\d.,]*|m?c?g|mg|kg|ml|iu)\b|[^\w\s-]", re.I)
_BARE_BEFORE = re.compile(r"([A-Za-z][\w-]{3,}(?: [A-Za-z][\w-]{3,})?)[\s(:,-]*$")

WINDOW = 70


@lru_cache(maxsize=8192)
def find_doses(text: str, interventions: tuple[Intervention, ...]) -> tuple[Dose, ...]:
    """Every dose that `text` states, in reading order, each once.

    A dose belongs to the intervention named last before it in its clause, else the first named after it, else to the only
    intervention given. A dose whose agent is not named has an empty `intervention`. Concentrations (`40 mg/mL`) and
    laboratory limits are no doses.
    """
    if not any(character.isdigit() for character in text):
        return ()
    found: list[Dose] = []
    names = _names(interventions)
    for match in _DOSE.finditer(text):
        rest = text[match.end() : match.end() + WINDOW]
        if _CONCENTRATION.match(rest) or _LABORATORY.search(text[max(0, match.start() - 50) : match.start()]):
            continue
        dose = _dose(text, match, rest, _agent(text, match, names, interventions))
        if dose is not None and dose not in found:
            found.append(dose)
    return tuple(found)


def _dose(text: str, match: re.Match[str], rest: str, agent: str) -> Dose | None:
    amounts = [value for value in (_amount(part) for part in match.groups()[:4] if part) if value]
    unit = _unit(match[5])
    if not amounts or unit is None:
        return None
    clause = _until_next(rest)
    around = text[max(0, match.start() - 40) : match.start()] + match[0] + clause
    steps = tuple(amounts) if len(amounts) > 1 else ()
    amount = amounts[-1]
    per_day = _PER_DAY.match(rest)
    times = times_per_day(clause[per_day.end() :] if per_day else clause)
    daily: float | None = None
    if per_day or _DAILY_WORD.match(rest):
        daily = amount
        if times and times > 1:
            amount = amount / times
        else:
            times = None if _DIVIDED.search(clause) else times
    elif times is not None:
        daily = round(amount * times, 6)
    return Dose(
        intervention=agent,
        amount=amount,
        unit=unit,
        text=(match[0] + _shown(clause)).strip(" ,;("),
        basis=_basis(match[6]),
        times_per_day=times,
        daily_total=daily,
        route=route(around),
        titration=steps,
    )


def _until_next(rest: str) -> str:
    """What follows a dose, up to the next dose or clause that speaks of something else."""
    following = _DOSE.search(rest)
    cut = rest[: following.start()] if following else rest
    end = re.search(r"[;\n]|\.\s|\bfollowed by\b|\bplus\b|\bthen\b|\+", cut)
    return cut[: end.start()] if end else cut


def _shown(clause: str) -> str:
    """The frequency that was read, to keep beside the amount; empty when none was."""
    ends = [found.end() for found in (pattern.search(clause) for pattern, _ in _FREQUENCIES) if found]
    ends += [found.end() for found in (p.search(clause) for p in (_EVERY_WEEKS, _EVERY_DAYS, _WEEKLY, _MONTHLY, _DAILY)) if found]
    return clause[: min(ends)] if ends and min(ends) <= 40 else ""


@lru_cache(maxsize=4096)
def times_per_day(text: str) -> float | None:
    """How often a day `text` says, rounded to 6 decimals (`every 3 weeks` is 1/21); `None` when it does not say."""
    best: tuple[int, float] | None = None

    def offer(found: re.Match[str] | None, value: float | None) -> None:
        nonlocal best
        if found and value and (best is None or found.start() < best[0]):
            best = (found.start(), value)

    for pattern, value in _FREQUENCIES:
        offer(pattern.search(text), value)
    weeks = _EVERY_WEEKS.search(text)
    if weeks:
        offer(weeks, 1 / (_period(weeks[1]) * (30.4375 if weeks[2].lower().startswith("m") else 7)))
    days = _EVERY_DAYS.search(text)
    if days and int(days[1]):
        offer(days, 1 / int(days[1]))
    offer(_WEEKLY.search(text), 1 / 7)
    offer(_MONTHLY.search(text), 1 / 30.4375)
    offer(_DAILY.search(text), 1.0)
    return round(best[1], 6) if best else None


def _period(text: str | None) -> float:
    if not text:
        return 1.0
    if text.lower() == "other":
        return 2.0
    return float(text) if text.isdigit() and int(text) else _N.get(text.lower(), 1.0)


@lru_cache(maxsize=4096)
def route(text: str) -> str | None:
    """The route of administration that `text` names; `None` when it names none or several."""
    found = [name for name, pattern in _ROUTES if pattern.search(text)]
    return found[0] if len(found) == 1 else None


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


def _names(interventions: Iterable[Intervention]) -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple(pair for item in interventions for pair in _name_patterns(item))


@lru_cache(maxsize=8192)
def _name_patterns(item: Intervention) -> tuple[tuple[str, re.Pattern[str]], ...]:
    pairs: list[tuple[str, re.Pattern[str]]] = []
    for name in (item.name, *item.other_names):
        core = " ".join(_NAME_NOISE.sub(" ", name).split())
        if len(core) >= 3:
            pairs.append((item.name, re.compile(r"\b" + re.escape(core).replace(r"\ ", r"[\s-]+"), re.I)))
            first = core.split()[0]
            if len(first) >= 5 and first != core:
                pairs.append((item.name, re.compile(r"\b" + re.escape(first) + r"\b", re.I)))
    return tuple(pairs)


def _agent(
    text: str, match: re.Match[str], names: tuple[tuple[str, re.Pattern[str]], ...], interventions: tuple[Intervention, ...]
) -> str:
    before, after = text[: match.start()], text[match.end() :]
    last: tuple[int, str] | None = None
    for name, pattern in names:
        for found in pattern.finditer(before):
            if last is None or found.end() > last[0]:
                last = (found.end(), name)
    following: tuple[int, str] | None = None
    for name, pattern in names:
        found_after = pattern.search(after[:60])
        if found_after and (following is None or found_after.start() < following[0]):
            following = (found_after.start(), name)
    if following and (last is None or _CLAUSE.search(before[last[0] :])) and not _CLAUSE.search(after[: following[0]]):
        return following[1]
    if last:
        return last[1]
    if following:
        return following[1]
    drugs = [item for item in interventions if not _PLACEBO.search(item.name)]
    if len({item.name for item in drugs}) == 1:
        return drugs[0].name
    return ""
