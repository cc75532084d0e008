"""What kind of number an outcome reports, against what, and in whom.

Source fields, in order of preference: parameter type, unit, title, description, analysis population.
"""

from __future__ import annotations

import re
from functools import lru_cache

from deepimagine_tui.trials.results import AnalysisSet, ChangeBasis, ValueKind

_SHARE_UNIT = re.compile(
    r"\b(?:percent(?:age)?|proportion|probability|rate|%)\s*(?:\(%\)\s*)?(?:of|with|in)?\s*(?:\w+\s+){0,3}"
    r"(?:participants?|patients?|subjects?|people|persons?|adults|children|infants|women|men|volunteers|responders?"
    r"|vaccinees|cases|eyes|events?|episodes|lesions)\b"
    r"|^(?:percent(?:age)?|%|proportion|probability|percentage \(%\)|estimated (?:probability|percentage|proportion).*)$"
    r"|^(?:number of )?(?:participants?|patients?|subjects?|persons?|people|adults|children|infants|women|men|pts"
    r"|individuals)\b",
)
_PART_UNIT = re.compile(
    r"^(?:estimated |cumulative |incidence )*(?:perc|percent|percentage|proportion|probability|%)\b(?! (?:change"
    r"|inhibition|reduction|increase|decrease|per))"
    r"|\b(?:incidence percentage|survival probability|probability)$"
)
_NOT_SHARE_UNIT = re.compile(
    r"\bper (?:participant|patient|subject|person)|(?:participant|patient|subject|person)[- ](?:year|month|day|week)"
)
_TIME_UNIT = re.compile(
    r"^(?:\w+ )?(?:days?|weeks?|months?|years?|hours?|minutes?|hrs?|mins?|seconds?|h|min)(?:\s*\(.*\)|\s+\w+)?$"
)
_EVENT_TIME = re.compile(
    r"\bsurviv|\btime (?:to|until|from|till|for)\b|\bduration of (?:\w+ ){0,3}(?:response|remission|disease control"
    r"|stable disease|control)\b|\bpfs\b|\bos\b|\bdfs\b|\befs\b"
    r"|\bttp\b|\bttf\b|\bprogression[- ]free\b|\bdays to\b|\bmonths to\b",
)
_POSITIVE = re.compile(
    r"\btit(?:er|re)s?\b|\bgmt\b|\bgmc\b|\bconcentration|\bauc|\bcmax\b|\btmax\b|\bhalf[- ]life|\bclearance\b|\brate\b"
    r"|/m[ll]\b|\bper (?:year|month|week|day|participant|patient|subject|person|100)"
    r"|\bevents?\b|\bepisodes?\b|\bcopies\b|\bratio\b|\bng\b|\bpg\b|\bmiu\b|\bfold\b|\bcells\b|\bnumber of\b|\bcount\b"
    r"|\blength of\b|\bduration\b|\bvolume\b|\bdistance\b",
)
_CHANGE = re.compile(
    r"\bchang(?:e|es)\b(?! of (?:therapy|treatment|dose))|\bdelta\b"
    r"|\breduction\b|\bdecrease\b|\bincrease\b|\bimprovement\b",
)
_FROM_BASELINE = re.compile(
    r"\b(?:from|over|versus|vs\.?|to|compared (?:to|with)|relative to|since|between) (?:\w+ ){0,3}baseline|\bchange[sd]?\b",
)
_PERCENT_CHANGE = re.compile(
    r"\b(?:percent(?:age)?|%|relative)[- ](?:\w+ ){0,3}(?:chang|reduc|decreas|increas|improve)|\b(?:chang|reduc|decreas"
    r"|increas|improve)\w* \(?(?:in )?(?:percent|%)|% ?change",
)
_RATIO = re.compile(
    r"\bfold[- ](?:rise|increase|change|difference|ratio)|\bgmfr\b|\bratio (?:to|of|over|from) (?:\w+ ){0,4}(?:baseline"
    r"|pre)|\bgeometric mean (?:fold|ratio)|\bgmr\b|\bratio to baseline",
)
_SETS: tuple[tuple[AnalysisSet, re.Pattern[str]], ...] = (
    (
        "modified intention to treat",
        re.compile(r"\bm-?itt\b|\bmodified[- ](?:intent(?:ion)?[- ]to[- ]treat|itt|full analysis)"),
    ),
    (
        "per protocol",
        re.compile(
            r"\bper[- ]?protocol\b|\batp\b|\baccording[- ]to[- ]protocol\b|\bpps?\b(?! ?\d)|\bevaluable\b"
            r"|\befficacy[- ]evaluable\b",
        ),
    ),
    (
        "intention to treat",
        re.compile(
            r"\bintent(?:ion)?[- ]?to[- ]?treat|\bitt\b|\bfull analysis set\b|\bfas\b|\ball randomi[sz]ed\b"
            r"|\brandomi[sz]ed set\b|\ball (?:patients|participants|subjects) (?:who were )?randomi[sz]ed",
        ),
    ),
    (
        "safety",
        re.compile(
            r"\bsafety (?:analysis |evaluable )?(?:set|population|sample|analys\w+)\b|\bas[- ]treated\b|\btreated (?:set"
            r"|population)\b|\breceived (?:at least|≥ ?|> ?=)? ?(?:one|1|any|a) (?:\w+ ){0,3}dose",
        ),
    ),
    ("completers", re.compile(r"\bcompleters?\b|\bcompleted (?:the )?(?:study|treatment|trial|follow|all)")),
)


@lru_cache(maxsize=8192)
def value_kind(parameter: str, unit: str, title: str, change: ChangeBasis) -> ValueKind:
    """On which scale the values live.

    *share*: a count over n, or a percentage of people or of another counted unit. *time to event*: a median time until
    something happens. *positive*: times, titres, geometric means, concentrations and rates. *signed*: other means and
    medians, and
    every change. `unknown` when no parameter type was posted.
    """
    if not parameter:
        return "unknown"
    unit, title = unit.lower(), title.lower()
    if parameter in ("count of participants", "count of units"):
        return "share"
    if "geometric" in parameter or change == "ratio to baseline":
        return "positive"
    if change in ("change", "percent change"):
        return "signed"
    if parameter == "log mean":
        return "signed"
    timed = bool(_TIME_UNIT.match(unit))
    if timed and _EVENT_TIME.search(title):
        return "time to event"
    if parameter == "number" and (_SHARE_UNIT.search(unit) or _PART_UNIT.search(unit)) and not _NOT_SHARE_UNIT.search(unit):
        return "share"
    if timed or parameter == "number" or _POSITIVE.search(unit) or _POSITIVE.search(title):
        return "positive" if timed or _POSITIVE.search(unit) or _POSITIVE.search(title) else "unknown"
    return "signed"


@lru_cache(maxsize=8192)
def change_basis(parameter: str, unit: str, title: str) -> ChangeBasis:
    """Whether values are final ones or relative to baseline. A share of people is `final`, whatever it is a share of."""
    if not parameter:
        return "unknown"
    unit, title = unit.lower(), title.lower()
    if parameter.startswith("count of") or (_SHARE_UNIT.search(unit) and parameter == "number"):
        return "final"
    if _RATIO.search(title) or _RATIO.search(unit):
        return "ratio to baseline"
    if _PERCENT_CHANGE.search(title) or _PERCENT_CHANGE.search(unit):
        return "percent change"
    if _CHANGE.search(unit) or (_CHANGE.search(title) and _FROM_BASELINE.search(title)):
        return "percent change" if unit in ("percent change", "% change") else "change"
    return "final"


@lru_cache(maxsize=8192)
def analysis_set(population: str) -> AnalysisSet:
    """Who was analysed, from the population description; `other` when it says something else, `unknown` when it says
    nothing."""
    if not population:
        return "unknown"
    population = population.lower()
    for name, pattern in _SETS:
        if pattern.search(population):
            return name
    return "other"
