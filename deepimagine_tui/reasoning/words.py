"""When two texts of the registry mean the same: agents, measures, conditions, times. Conservative: a doubt is a difference."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from deepimagine_tui.trials.concepts.time_titles import without_time

SAME_TIME = 0.01
"""Two times that differ by no more than this share of the later one are the same."""

_WORD = re.compile(r"[^\W_]+(?:[.'][^\W_]+)*", re.UNICODE)
_AGENT_WORD = re.compile(r"[^\W_]+(?:[.'-][^\W_]+)*", re.UNICODE)
_MICROGRAM = re.compile(r"(?<![^\W\d])(?:μg|mcg)(?!\w)")
_PARENTHESES = re.compile(r"\([^)]*\)|\[[^\]]*\]")
_AMOUNT = re.compile(
    r"\b\d+(?:[.,]\d+)*\s*(?:mg|mcg|µg|μg|ug|g|kg|ml|l|iu|u|units?|mmol|ng|%|mg/kg|mg/m2|mcg/kg)(?:/(?:kg|m2|day|d|ml|h))*(?=\W|$)",
    re.I,
)


def tokens(text: str) -> tuple[str, ...]:
    """The words and numbers of `text`, case-folded, in order."""
    return tuple(word.casefold() for word in _WORD.findall(text))


_SALTS = frozenset(
    tokens(
        "hydrochloride hcl sodium potassium calcium phosphate sulfate sulphate acetate tartrate mesylate maleate succinate"
        " fumarate citrate besylate bromide chloride tosylate malate monohydrate hydrate"
    )
)
_FORMS = frozenset(
    tokens(
        "tablet tablets capsule capsules injection injectable infusion oral iv intravenous subcutaneous sc topical"
        " cream gel solution suspension inhaler inhaled patch dose drug therapy treatment arm group once twice daily"
        " weekly bid qd tid qid po and of the with"
    )
)
_MEASURE_FILLER = frozenset(
    tokens(
        "a an and at by for from in of on or over per the to with after before during change changes mean median least"
        " squares adjusted baseline number participants patients subjects percentage percent proportion rate who had"
        " have were was week weeks month months day days year years hour hours visit end study treatment period up total"
        " value values score scores level levels whose using based as through until within measured assessed evaluated"
        " primary secondary endpoint endpoints outcome measure"
    )
)
_SYNONYMS = (
    (
        re.compile(
            r"\b(?:glyc(?:osyl)?ated|glyco)\s*ha?emoglobin(?:\s*a?1c)?(?:\s*\(hba1c\))?"
            r"|\bha?emoglobin a1c(?:\s*\(hba1c\))?|\ba1c\b",
            re.I,
        ),
        "hba1c",
    ),
    (re.compile(r"\bfasting (?:plasma|blood|serum) glucose(?:\s*\(fpg\))?", re.I), "fpg"),
    (
        re.compile(r"\blow[- ]density lipoprotein(?:[- ]cholesterol)?(?:\s*\(ldl-?c?\))?|\bldl[- ]?(?:c|cholesterol)\b", re.I),
        "ldl",
    ),
    (re.compile(r"\bforced expiratory volume (?:in|at) (?:1|one) second(?:\s*\(fev1\))?", re.I), "fev1"),
    (re.compile(r"\boverall survival(?:\s*\(os\))?", re.I), "os"),
    (re.compile(r"\bprogression[- ]free survival(?:\s*\(pfs\))?", re.I), "pfs"),
    (re.compile(r"\bsystolic blood pressure(?:\s*\(sbp\))?", re.I), "sbp"),
    (re.compile(r"\bdiastolic blood pressure(?:\s*\(dbp\))?", re.I), "dbp"),
)
_TIME_WORDS = re.compile(
    r"\b(?:weeks?|months?|days?|years?|hours?|minutes?|visits?)[\s-]*\d+(?:\.\d+)?\b|\b\d+(?:\.\d+)?[\s-]*(?:weeks?|months?|days?|years?|hours?|minutes?)\b",
    re.I,
)


@lru_cache(maxsize=16384)
def agent_key(name: str) -> str:
    """What an intervention is called, without amounts, salts, forms and parentheses: `Sitagliptin phosphate 100 mg tablet` is
    `sitagliptin`, `MK-0431` is `mk0431`. Empty when nothing else is left."""
    kept = _agent_words(_PARENTHESES.sub(" ", name))
    without_salts = [word for word in kept if word not in _SALTS]
    return " ".join(without_salts or kept)


@lru_cache(maxsize=16384)
def names_agent(text: str, name: str) -> bool:
    """Whether `text` names the intervention `name`, each word of it, anywhere."""
    key = agent_key(name)
    return bool(key) and set(key.split()) <= set(_agent_words(text))


def _agent_words(text: str) -> list[str]:
    found = _AGENT_WORD.findall(_AMOUNT.sub(" ", text))
    words = ("".join(_WORD.findall(word)).casefold() for word in found)
    return [word for word in words if word not in _FORMS]


@lru_cache(maxsize=16384)
def measure_key(title: str) -> frozenset[str]:
    """The words that say what is measured, without times, filler and change words; a few common measures in one spelling."""
    text = _TIME_WORDS.sub(" ", title)
    for pattern, name in _SYNONYMS:
        text = pattern.sub(f" {name} ", text)
    found = frozenset(word for word in tokens(text) if word not in _MEASURE_FILLER)
    return found or frozenset(tokens(title))


@lru_cache(maxsize=4096)
def unit_key(unit: str) -> str:
    """A unit in one spelling: `Percentage of HbA1c`, `percent` and `%` all begin with `%`; plural and case do not matter."""
    text = re.sub(r"\b(?:percent(?:age)?(?: points?)?|pct)\b", "%", unit.casefold())
    text = re.sub(r"\b(?:change|from baseline|of|units? on a|on a)\b", " ", text)
    words = [word.removesuffix("s") if len(word) > 3 else word for word in re.findall(r"%|[^\s,;()]+", text)]
    people = {"participant", "patient", "subject", "person", "people", "responder"}
    return " ".join("participant" if word in people else word for word in words)


@lru_cache(maxsize=4096)
def condition_key(name: str) -> frozenset[str]:
    """The words of a condition, in any order: `Diabetes Mellitus, Type 2` is `Type 2 Diabetes`."""
    return frozenset(
        word for word in tokens(name) if word not in {"mellitus", "disease", "diseases", "disorder", "disorders", "the", "of"}
    )


def same_weeks(a: float, b: float) -> bool:
    """Whether two times in weeks after the start are one time point, as far as calendars go: 6 months is week 26."""
    return abs(a - b) <= SAME_TIME * max(abs(a), abs(b))


def class_rest(title: str) -> str:
    """What a class names beside a time: `PFS at month 3` is `pfs`, `Week 12` nothing; a class that names no time is itself."""
    rest = without_time(title) if title else None
    return title if rest is None else rest


def plain(text: str) -> str:
    """`text` with single blanks, case-folded, micrograms in one spelling: how labels and typed texts are compared."""
    return " ".join(_MICROGRAM.sub("ug", unicodedata.normalize("NFKC", text).casefold()).split())
