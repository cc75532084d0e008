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
)
_STATED_BETTER = re.compile(
    rf"\b(?:high(?:er|est)?|great(?:er|est)?|larger|increas(?:e[sd]?|ing)) (?:\w+ ){{0,4}}(?:scores?|values?|numbers?|ratings?|points?)?\s*{_S}(?:indicat\w+|represent\w*|mean(?:s|ing)?|reflect\w*|correspond\w*|signif\w+|denot\w+|suggest\w*|=|are|is|being|associated with)\s+{_S}"
    rf"(?:better|improve\w*|best|higher (?:quality|function|level of function)|greater (?:quality|function|satisfaction|health)|good|healthier|more favou?rable|less (?:severe|pain|symptom|impair|disab)|optimal|higher satisfaction)"
    rf"|\b(?:low(?:er|est)?|decreas(?:e[sd]?|ing)) (?:\w+ ){{0,4}}(?:scores?|values?|numbers?|ratings?)?\s*{_S}(?:indicat\w+|represent\w*|mean(?:s|ing)?|reflect\w*|=|are|is)\s+{_S}(?:worse\w*|poor(?:er)?|more (?:severe|impair|disab))",
)
_TOLD_WORSE = re.compile(
    r"\b(?:negative|decrease|lower|reduction)\w* (?:\w+ ){0,6}(?:indicat\w+|represent\w*|mean\w*|reflect\w*|=) (?:an? |the )?(?:\w+ )?improve",
)
_TOLD_BETTER = re.compile(
    r"\b(?:positive|increase)\w* (?:\w+ ){0,6}(?:indicat\w+|represent\w*|mean\w*|reflect\w*|=) (?:an? |the )?(?:\w+ )?improve",
)

_PHARMACOKINETIC = re.compile(
    r"\b(?:auc\w*|c ?max|c ?min|t ?max|c ?trough|half[- ]life|pharmacokinetic\w*|pk|plasma concentration|serum concentration|trough concentration|volume of distribution|(?:oral|systemic|total|apparent|drug|plasma) clearance|maximum tolerated dose|mtd|recommended phase|recommended dose|bioavailability|t1/2|dose[- ]limiting toxicity dose)\b",
)
_BAD = re.compile(
    r"\b(?:mortality|deaths?|died|dying|fatal\w*|adverse|side effects?|toxicit\w*|dlts?|teaes?|saes?|aes?|relapse\w*|recurren\w*|progress(?:ion|ed|ive disease)(?![- ]free)|failures?|infect(?:ion|ed)\w*|bleed\w*|h(?:a)?emorrhag\w*"
    r"|hospitali[sz]ation|hospitali[sz]ed|re-?admission|exacerbation\w*|pain\w*|hba1c|a1c|h(?:a)?emoglobin a1c|glycosylated h(?:a)?emoglobin|fasting (?:plasma |blood |serum )?glucose|fpg|(?:postprandial|plasma) glucose|hypoglyc\w*|hyperglyc\w*"
    r"|blood pressure|sbp|dbp|ldl\w*|triglycerides?|total cholesterol|c-?reactive protein|crp|depress\w*|anxiety|ham-?[ad]\w*|hdrs\w*|madrs|phq-?9|bdi\w*|panss|bprs|ymrs|updrs|edss|adas-?cog|adhd-rs|cgi-?s|viral load|viremia|rna level"
    r"|seizures?|das-?28\w*|haq(?:-di)?|easi|scorad|ipss|cdai|womac|nausea|vomiting|emesis|rejection|gvhd|graft[- ]versus[- ]host|thrombo\w*|stroke|myocardial infarction|mace|cardiovascular events?|heart failure|fractures?|discontinu\w*|withdraw\w*|drop-?outs?"
    r"|headaches?|migraines?|fatigue|itch\w*|prurit\w*|symptoms?|severity|disability|distress|insomnia|wake after sleep onset|waso|sleep latency|length of (?:hospital |icu )?stay|duration of (?:hospital\w*|mechanical ventilation|ventilation|neutropenia|symptoms|illness|oxygen\w*|fever|diarrh\w*|viral shedding|stay)"
    r"|(?:mechanical )?ventilation|intubation|icu admission|rescue (?:medication|therapy)|complications?|neutropenia|an(?:a)?emia|thrombocytopenia|transfusion\w*|diarrh(?:o)?ea|mucositis|neuropathy|injur\w*|impair\w*|abuse|relaps\w*|craving|smoking(?! cessation| abstinence)|cigarettes|drinking days|heavy drinking|tumou?r (?:size|volume|burden)|lesions?|intraocular pressure|iop"
    r"|proteinuria|albuminuria|creatinine(?! clearance)|incidence of (?:influenza|herpes|malaria|hiv|cancer|zoster|pneumon\w*|disease)|transmission|clinical malaria|parasit(?:a)?emia|loss|delirium|cough|nocturia|incontinence|urgency|micturition\w*|hot flash\w*|flares?|events?|disease activity|worsen\w*|deteriorat\w*|decline)\b",
)
_GOOD = re.compile(
    r"\b(?:surviv(?:al|ing|e|ed|ors?)|alive|response|respon(?:d|se|der|ding|ded)\w*|orr|remission\w*|cured?|cures|success\w*|improve\w*|recover\w*|resol(?:ve|ved|ution)|heal(?:ed|ing)|clearance|cleared|clear or almost clear|seroconver\w*|seroprotect\w*|seropositiv\w*|seroresponse|titers?|titres?|gmts?|gmcs?|antibod\w*|immunogenicity|immune response"
    r"|quality of life|qol|hrqol|sf-?36|eq-?5d|fact-\w+|kdqol|function(?:ing|al)?|fev ?1|fvc|peak flow|pef|walk(?:ing)? (?:distance|test)|6mwd|6mwt|visual acuity|bcva|letters|pasi[- ]?(?:50|75|90|100)|acr ?-?(?:20|50|70)|asas ?-?\d+|iga|abstinen\w*|abstain\w*|cessation|quit|adheren\w*|complian\w*|satisf\w*|acceptab\w*|prefer\w*|efficacy"
    r"|engraft\w*|bone mineral density|bmd|ejection fraction|lvef|hdl\w*|cd4\w*|undetectable|virologic(?:al)? (?:response|suppression|success)|svr\w*|suppress\w*|hiv-1 rna ?(?:<|less than|below)|(?:<|less than|below) ?\d+ copies|protect\w*|knowledge|uptake|eradicat\w*|negativ(?:e|ity)|disease control|clinical benefit|benefit|pregnan(?:cy|cies) rate|live births?|ongoing pregnancy|ovulation|patency|relief|pain[- ]free|sleep efficiency|total sleep time|immuni(?:ty|zed)|memory|cognit\w*|mmse|mini-mental|sensitivity|specificity|accuracy|detection|complete(?:d)? (?:response|resection)|resect(?:ed|ion|ability)|return to work|discharged|weight gain|persistence|mmr|ccyr|chr|event[- ]free|feasib\w*|persons? retained|retention)\b",
)
_FREE = re.compile(
    r"[- ]free\b|\bfree (?:of|from)\b|\bfreedom from\b|\bwithout\b|\babsence of\b|\bno (?:evidence of |need for |)(?=\w)|\bavoid\w*|\bprevent(?:ion|ed|ing) of\b|\bprevented\b",
)
_REDUCED = re.compile(
    r"\b(?:reduc(?:tion|ed|ing|e)|decreas(?:e|ed|es|ing)|lower(?:ed|ing)|declin(?:e|ed|ing)|≥ ?\d+ ?% (?:reduction|decrease)|drop)\b",
)
_TARGET = re.compile(
    r"\b(?:achiev\w*|reach\w*|attain\w*|target|goal|controlled|normali[sz]\w*|control|maintain\w*|normal)\b|\b(?:with|having)? ?(?:a )?(?:hba1c|a1c|ldl-?c?|blood pressure|sbp|dbp|iop|hemoglobin a1c)\b.{0,30}(?:<|≤|less than|below)",
)
_WORSE = re.compile(
    r"\b(?:worsen\w*|deteriorat\w*|declin\w*|loss of|fail(?:ed|ure|ing)|lack of|non-?respon\w*|refractory|progressi(?:on|ve)(?! ?-?free)|not (?:achiev\w*|respon\w*))\b",
)
_TIME_TO = re.compile(r"\b(?:time (?:to|until|till|for)|days (?:to|until)|duration until|onset of)\b(.*)")
_SURVIVAL = re.compile(
    r"\bsurviv|\b(?:progression|event|disease|relapse|recurrence|failure|metastas[ei]s|symptom|seizure|pain|leuk(?:a)?emia|treatment|ventilator|steroid|hospital)[- ]free\b|\bduration of (?:\w+ ){0,3}(?:response|remission|disease control|benefit)\b|\bpfs\b|\bos\b|\bdfs\b|\befs\b|\brfs\b|\btime to (?:\w+ ){0,2}(?:progression|relapse|death|recurrence|treatment failure|failure|worsening|deterioration)\b|\bdays alive\b",
)
_NAMED_TOXICITY = re.compile(
    r"\b(?:adverse|toxicit|side effect|safety|tolerability|dlt|teae|sae|reactogenicity|solicited|unsolicited|reaction)\w*"
)


@lru_cache(maxsize=8192)
def benefit(title: str, description: str, unit: str, kind: ValueKind, change: ChangeBasis) -> Benefit:
    """The direction in which a participant does better: `higher`, `lower`, or `unknown`.

    Order: what the description says about the score (means only); pharmacokinetics are unknown; harms are lower; survival and
    time to a bad event are higher; time to a good event is lower; then the good or bad thing that the title names, turned round by
    words like `free of`, `without` and, for shares of people, `reduction in`.
    """
    if kind == "unknown":
        return "unknown"
    title = title.lower()
    if _PHARMACOKINETIC.search(title):
        return "unknown"
    if kind == "signed":
        stated = _stated(f"{title}. {description.lower()}")
        if stated != "unknown":
            return stated
    if _SURVIVAL.search(title) and not (
        kind == "share" and re.search(r"\b(?:progress(?:ed|ion events)|died|deaths?|mortality)\b", title)
    ):
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
