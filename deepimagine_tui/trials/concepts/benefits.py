"""Which direction of an outcome is good for a participant. From the measure's words, never from results.

Source fields, in order of preference: what the description says of the score, the title, the unit. It answers `unknown` freely.
"""

from __future__ import annotations

import re
from functools import lru_cache

from deepimagine_tui.trials.results import Benefit, ChangeBasis, ValueKind

_S = r"(?:\w+[ ,/()-]+){0,6}?"
_STATED_WORSE = re.compile(
    rf"\b(?:high(?:er|est)?|great(?:er|est)?|larger|increas(?:e[sd]?|ing)) (?:\w+ ){{0,4}}(?:scores?|values?|numbers?|ratings?|points?|level)?\s*{_S}(?:indicat\w+|represent\w*|mean(?:s|ing)?|reflect\w*|correspond\w*|signif\w+|denot\w+|suggest\w*|=|are|is|being|associated with)\s+{_S}"
    rf"(?:worse\w*|more (?:severe|pain|symptom|disab|impair|depress|anxi|disease|fatigue|problem)|greater (?:severity|impair|disab|symptom|depress|pain|disease|dysfunction)|severe|poor(?:er)?|worst|higher (?:severity|disease|level of (?:pain|symptom))|increased (?:severity|symptom|disease|pain)|maximum (?:pain|severity)|disability)"
    rf"|\b(?:low(?:er|est)?|small(?:er)?|decreas(?:e[sd]?|ing)) (?:\w+ ){{0,4}}(?:scores?|values?|numbers?|ratings?)?\s*{_S}(?:indicat\w+|represent\w*|mean(?:s|ing)?|reflect\w*|=|are|is)\s+{_S}(?:better|improve\w*|less (?:severe|pain|symptom|disab|impair))",
    re.I,
)
_STATED_BETTER = re.compile(
    rf"\b(?:high(?:er|est)?|great(?:er|est)?|larger|increas(?:e[sd]?|ing)) (?:\w+ ){{0,4}}(?:scores?|values?|numbers?|ratings?|points?)?\s*{_S}(?:indicat\w+|represent\w*|mean(?:s|ing)?|reflect\w*|correspond\w*|signif\w+|denot\w+|suggest\w*|=|are|is|being|associated with)\s+{_S}"
    rf"(?:better|improve\w*|best|higher (?:quality|function|level of function)|greater (?:quality|function|satisfaction|health)|good|healthier|more favou?rable|less (?:severe|pain|symptom|impair|disab)|optimal|higher satisfaction)"
    rf"|\b(?:low(?:er|est)?|decreas(?:e[sd]?|ing)) (?:\w+ ){{0,4}}(?:scores?|values?|numbers?|ratings?)?\s*{_S}(?:indicat\w+|represent\w*|mean(?:s|ing)?|reflect\w*|=|are|is)\s+{_S}(?:worse\w*|poor(?:er)?|more (?:severe|impair|disab))",
    re.I,
)
_TOLD_WORSE = re.compile(r"\b(?:negative|decrease|lower|reduction)\w* (?:\w+ ){0,6}(?:indicat\w+|represent\w*|mean\w*|reflect\w*|=) (?:an? |the )?(?:\w+ )?improve", re.I)
_TOLD_BETTER = re.compile(r"\b(?:positive|increase)\w* (?:\w+ ){0,6}(?:indicat\w+|represent\w*|mean\w*|reflect\w*|=) (?:an? |the )?(?:\w+ )?improve", re.I)

_PHARMACOKINETIC = re.compile(r"\b(?:AUC\w*|C ?max|C ?min|T ?max|C ?trough|half[- ]life|pharmacokinetic\w*|PK|plasma concentration|serum concentration|trough concentration|volume of distribution|(?:oral|systemic|total|apparent|drug|plasma) clearance|maximum tolerated dose|MTD|recommended phase|recommended dose|bioavailability|t1/2|dose[- ]limiting toxicity dose)\b", re.I)
_BAD = re.compile(
    r"\b(?:mortality|deaths?|died|dying|fatal\w*|adverse|side effects?|toxicit\w*|DLTs?|TEAEs?|SAEs?|AEs?|relapse\w*|recurren\w*|progress(?:ion|ed|ive disease)(?![- ]free)|failures?|infect(?:ion|ed)\w*|bleed\w*|h(?:a)?emorrhag\w*"
    r"|hospitali[sz]ation|hospitali[sz]ed|re-?admission|exacerbation\w*|pain\w*|HbA1c|A1C|h(?:a)?emoglobin A1c|glycosylated h(?:a)?emoglobin|fasting (?:plasma |blood |serum )?glucose|FPG|(?:postprandial|plasma) glucose|hypoglyc\w*|hyperglyc\w*"
    r"|blood pressure|SBP|DBP|LDL\w*|triglycerides?|total cholesterol|C-?reactive protein|CRP|depress\w*|anxiety|HAM-?[AD]\w*|HDRS\w*|MADRS|PHQ-?9|BDI\w*|PANSS|BPRS|YMRS|UPDRS|EDSS|ADAS-?cog|ADHD-RS|CGI-?S|viral load|viremia|RNA level"
    r"|seizures?|DAS-?28\w*|HAQ(?:-DI)?|EASI|SCORAD|IPSS|CDAI|WOMAC|nausea|vomiting|emesis|rejection|GVHD|graft[- ]versus[- ]host|thrombo\w*|stroke|myocardial infarction|MACE|cardiovascular events?|heart failure|fractures?|discontinu\w*|withdraw\w*|drop-?outs?"
    r"|headaches?|migraines?|fatigue|itch\w*|prurit\w*|symptoms?|severity|disability|distress|insomnia|wake after sleep onset|WASO|sleep latency|length of (?:hospital |ICU )?stay|duration of (?:hospital\w*|mechanical ventilation|ventilation|neutropenia|symptoms|illness|oxygen\w*|fever|diarrh\w*|viral shedding|stay)"
    r"|(?:mechanical )?ventilation|intubation|ICU admission|rescue (?:medication|therapy)|complications?|neutropenia|an(?:a)?emia|thrombocytopenia|transfusion\w*|diarrh(?:o)?ea|mucositis|neuropathy|injur\w*|impair\w*|abuse|relaps\w*|craving|smoking(?! cessation| abstinence)|cigarettes|drinking days|heavy drinking|tumou?r (?:size|volume|burden)|lesions?|intraocular pressure|IOP"
    r"|proteinuria|albuminuria|creatinine(?! clearance)|incidence of (?:influenza|herpes|malaria|HIV|cancer|zoster|pneumon\w*|disease)|transmission|clinical malaria|parasit(?:a)?emia|loss|delirium|cough|nocturia|incontinence|urgency|micturition\w*|hot flash\w*|flares?|events?|disease activity|worsen\w*|deteriorat\w*|decline)\b",
    re.I,
)
_GOOD = re.compile(
    r"\b(?:surviv(?:al|ing|e|ed|ors?)|alive|response|respon(?:d|se|der|ding|ded)\w*|ORR|remission\w*|cured?|cures|success\w*|improve\w*|recover\w*|resol(?:ve|ved|ution)|heal(?:ed|ing)|clearance|cleared|clear or almost clear|seroconver\w*|seroprotect\w*|seropositiv\w*|seroresponse|titers?|titres?|GMTs?|GMCs?|antibod\w*|immunogenicity|immune response"
    r"|quality of life|QoL|HRQoL|SF-?36|EQ-?5D|FACT-\w+|KDQOL|function(?:ing|al)?|FEV ?1|FVC|peak flow|PEF|walk(?:ing)? (?:distance|test)|6MWD|6MWT|visual acuity|BCVA|letters|PASI[- ]?(?:50|75|90|100)|ACR ?-?(?:20|50|70)|ASAS ?-?\d+|IGA|abstinen\w*|abstain\w*|cessation|quit|adheren\w*|complian\w*|satisf\w*|acceptab\w*|prefer\w*|efficacy"
    r"|engraft\w*|bone mineral density|BMD|ejection fraction|LVEF|HDL\w*|CD4\w*|undetectable|virologic(?:al)? (?:response|suppression|success)|SVR\w*|suppress\w*|HIV-1 RNA ?(?:<|less than|below)|(?:<|less than|below) ?\d+ copies|protect\w*|knowledge|uptake|eradicat\w*|negativ(?:e|ity)|disease control|clinical benefit|benefit|pregnan(?:cy|cies) rate|live births?|ongoing pregnancy|ovulation|patency|relief|pain[- ]free|sleep efficiency|total sleep time|immuni(?:ty|zed)|memory|cognit\w*|MMSE|mini-mental|sensitivity|specificity|accuracy|detection|complete(?:d)? (?:response|resection)|resect(?:ed|ion|ability)|return to work|discharged|weight gain|persistence|MMR|CCyR|CHR|event[- ]free|feasib\w*|persons? retained|retention)\b",
    re.I,
)
_FREE = re.compile(r"[- ]free\b|\bfree (?:of|from)\b|\bfreedom from\b|\bwithout\b|\babsence of\b|\bno (?:evidence of |need for |)(?=\w)|\bavoid\w*|\bprevent(?:ion|ed|ing) of\b|\bprevented\b", re.I)
_REDUCED = re.compile(r"\b(?:reduc(?:tion|ed|ing|e)|decreas(?:e|ed|es|ing)|lower(?:ed|ing)|declin(?:e|ed|ing)|≥ ?\d+ ?% (?:reduction|decrease)|drop)\b", re.I)
_TARGET = re.compile(r"\b(?:achiev\w*|reach\w*|attain\w*|target|goal|controlled|normali[sz]\w*|control|maintain\w*|normal)\b|\b(?:with|having)? ?(?:a )?(?:HbA1c|A1C|LDL-?C?|blood pressure|SBP|DBP|IOP|hemoglobin A1c)\b.{0,30}(?:<|≤|less than|below)", re.I)
_WORSE = re.compile(r"\b(?:worsen\w*|deteriorat\w*|declin\w*|loss of|fail(?:ed|ure|ing)|lack of|non-?respon\w*|refractory|progressi(?:on|ve)(?! ?-?free)|not (?:achiev\w*|respon\w*))\b", re.I)
_TIME_TO = re.compile(r"\b(?:time (?:to|until|till|for)|days (?:to|until)|duration until|onset of)\b(.*)", re.I)
_SURVIVAL = re.compile(r"\bsurviv|\b(?:progression|event|disease|relapse|recurrence|failure|metastas[ei]s|symptom|seizure|pain|leuk(?:a)?emia|treatment|ventilator|steroid|hospital)[- ]free\b|\bduration of (?:\w+ ){0,3}(?:response|remission|disease control|benefit)\b|\bPFS\b|\bOS\b|\bDFS\b|\bEFS\b|\bRFS\b|\btime to (?:\w+ ){0,2}(?:progression|relapse|death|recurrence|treatment failure|failure|worsening|deterioration)\b|\bdays alive\b", re.I)
_NAMED_TOXICITY = re.compile(r"\b(?:adverse|toxicit|side effect|safety|tolerability|DLT|TEAE|SAE|reactogenicity|solicited|unsolicited|reaction)\w*", re.I)


@lru_cache(maxsize=8192)
def benefit(title: str, description: str, unit: str, kind: ValueKind, change: ChangeBasis) -> Benefit:
    """The direction in which a participant does better: `higher`, `lower`, or `unknown`.

    Order: what the description says about the score (means only); pharmacokinetics are unknown; harms are lower; survival and
    time to a bad event are higher; time to a good event is lower; then the good or bad thing that the title names, turned round by
    words like `free of`, `without` and, for shares of people, `reduction in`.
    """
    if kind == "unknown":
        return "unknown"
    if _PHARMACOKINETIC.search(title):
        return "unknown"
    if kind == "signed":
        stated = _stated(f"{title}. {description}")
        if stated != "unknown":
            return stated
    if _SURVIVAL.search(title) and not (kind == "share" and re.search(r"\b(?:progress(?:ed|ion events)|died|deaths?|mortality)\b", title, re.I)):
        return "higher"
    if _NAMED_TOXICITY.search(title):
        return "higher" if kind == "share" and _FREE.search(title) else "lower"
    timed = _TIME_TO.search(title)
    if timed and kind in ("time to event", "positive", "signed"):
        target = _of_words(timed[1], "share")
        return {"higher": "lower", "lower": "higher", "unknown": "unknown"}[target]  # type: ignore[return-value]
    if kind in ("signed", "positive") and _REDUCED.search(title) and change != "ratio to baseline":
        return "unknown"
    return _of_words(title, kind)


def _stated(text: str) -> Benefit:
    worse = bool(_STATED_WORSE.search(text) or _TOLD_WORSE.search(text))
    better = bool(_STATED_BETTER.search(text) or _TOLD_BETTER.search(text))
    if worse == better:
        return "unknown"
    return "lower" if worse else "higher"


def _of_words(text: str, kind: ValueKind) -> Benefit:
    bad, good = _BAD.search(text), _GOOD.search(text)
    if kind == "share":
        if _WORSE.search(text):
            return "lower"
        if bad and (_FREE.search(text) or _REDUCED.search(text) or _TARGET.search(text)):
            return "higher"
        if good and bad:
            return "higher" if good.start() < bad.start() else "lower"
    elif good and bad:
        return "unknown"
    if good:
        return "higher"
    return "lower" if bad else "unknown"
