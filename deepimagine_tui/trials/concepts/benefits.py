"""Which direction of an outcome is good for a participant. From the measure's words, never from results.

Source fields, in order of preference: what the description says of a score, the title, the kind of value. It answers `unknown`
freely: a laboratory value that may be too high or too low, a body weight, a pharmacokinetic parameter.
"""

from __future__ import annotations

import re
from functools import lru_cache

from deepimagine_tui.trials.concepts.vocabulary import any_of
from deepimagine_tui.trials.results import Benefit, ChangeBasis, ValueKind

_MORE = r"\b(?:high(?:er|est)?|great(?:er|est)?|larger|increas(?:e[sd]?|ing)|positive)\b"
_LESS = r"\b(?:low(?:er|est)?|small(?:er)?|decreas(?:e[sd]?|ing)|negative|reduction)\b"
_SAYS = (
    r"(?:\W+\w+){0,6}?\W*(?:\b(?:indicat\w+|represent\w*|mean(?:s|ing)?|reflect\w*|correspond\w*|signif\w+|denot\w+|suggest\w*"
    r"|are|is|being|associated)\b|=)"
)
_GAP = r"(?:\W+\w+){0,5}?\W+"
_WORSE = (
    r"(?:worse\w*|poor(?:er)?|severe|severity|worst|disability|impair\w*|symptom\w*|dysfunction|distress|maximum (?:pain"
    r"|severity)"
    r"|more (?:pain|disab\w+|depress\w+|anxi\w+|fatigue|problems?|disease))\b"
)
_BETTER = (
    r"(?:better|improve\w*|best|good|healthier|favou?rable|optimal|less (?:severe|pain|impair\w*|disab\w+|symptom\w*)"
    r"|higher (?:quality|function\w*|level of function\w*|satisfaction)|greater (?:quality|function\w*|satisfaction|health))\b"
)
_HIGH_IS_WORSE = re.compile(rf"{_MORE}{_SAYS}{_GAP}{_WORSE}|{_LESS}{_SAYS}{_GAP}{_BETTER}")
_HIGH_IS_BETTER = re.compile(rf"{_MORE}{_SAYS}{_GAP}{_BETTER}|{_LESS}{_SAYS}{_GAP}{_WORSE}")

_PHARMACOKINETIC = re.compile(
    r"\bauc(?!\w* (?:of|for) (?:the )?(?:change|viral|shedding|pain|symptom))\w*|\bc ?max\b|\bc ?min\b|\bt ?max\b"
    r"|\bc ?trough\b|\bhalf[- ]life|\bpharmacokinetic"
    r"|\b(?:plasma|serum|trough|peak|whole blood|drug) concentration|\bvolume of distribution|\b(?:oral|systemic|total"
    r"|apparent|drug|plasma) clearance"
    r"|\bmaximum tolerated dose|\bmtd\b|\brecommended (?:phase|dose)|\bbioavailability|\bdose[- ]limiting toxicity dose"
)
_HARM = any_of(
    """adverse toxicit~ side_effects? safety tolerability dlts? teaes? saes? aes? reactogenicity solicited unsolicited
    (?:allergic|local|systemic|infusion|injection|site)_(?:site_)?reactions? hypersensitivity"""
)
_SURVIVAL = any_of(
    r"""surviv~ (?:progression|event|disease|relapse|recurrence|failure|metastas[ei]s|symptom|seizure|leukemia|treatment)_free
    (?:ventilator|hospital)_free
    duration_of_(?:\w+_){0,3}(?:response|remission|disease_control|benefit) pfs os dfs efs rfs days_alive"""
)
_DIED = any_of("progressed died deaths? mortality")
_TIME_TO = re.compile(r"\b(?:time (?:\w+ )?(?:to|until|till|for|from)|days (?:to|until)|onset of)\b(.*)")

_GOOD_EVENT = any_of(
    """respon(?:d|se|ses|der|ders|ding|ded) orr remissions? cured? cures success~ improve~ recover~ resol(?:ve|ved|ution)
    heal(?:ed|ing)
    clear(?:ed|ance)? alleviat~ relie(?:f|ved) negativ(?:e|ity) undetectable eradicat~ effective discharged? abstinen~
    abstain~ cessation quit
    extubat~ controlled normali[sz]~ alive weaned liberat~ negative_conversion return_to_work return_to_play wean~"""
)
_GOOD = any_of(
    r"""seroconver~ seroprotect~ seropositiv~ seroresponse titers? titres? gmts? gmcs? antibod~ immunogenicity immun~
    opsonophagocytic
    quality_of_life qol hrqol sf-?36 eq-?5d fact-\w+ kdqol functioning function functional fev_?1 fvc peak_flow pef
    walk(?:ing)?_(?:distance|test) 6mwd 6mwt
    visual_acuity bcva letters pasi-?_?(?:50|75|90|100) acr_?-?(?:20|50|70) asas_?-?\d+ adheren~ complian~ satisf~ acceptab~
    prefer~ efficacy
    engraft~ bone_mineral_density bmd ejection_fraction lvef hdl~ cd4~ virologic(?:al)?_suppression svr~ suppress~ protect~
    knowledge uptake
    disease_control clinical_benefit pregnanc(?:y|ies)_rate live_births? ongoing_pregnancy ovulation patency sleep_efficiency
    total_sleep_time
    memory cognit~ mmse mini-mental sensitivity specificity accuracy detection resect(?:ed|ion|ability) persistence mmr ccyr
    chr feasib~ retention retained
    oxygenation oxygen_saturation spo2 saturation bowel_movements? ventilator-free vaccinated vaccination_appointments?
    screened completion completed"""
)
_BAD = any_of(
    r"""mortality deaths? died dying fatal~ relaps~ recurren~ progress(?:ion|ed|ive_disease) failures? infect(?:ions?|ed)
    bleed~ ha?emorrhag~
    hospitali[sz]~ re-?admission~ exacerbation~ pain~ hba1c a1c ha?emoglobin_a1c glycosylated_ha?emoglobin
    fasting_(?:plasma_|blood_|serum_)?glucose fpg
    (?:postprandial|plasma|blood)_glucose fructosamine hypoglyc~ hyperglyc~ blood_pressure sbp dbp ldl~ triglycerides?
    total_cholesterol c-?_?reactive_protein crp
    depress~ anxiety ham-?[ad]~ hdrs~ madrs phq-?9 bdi~ panss bprs ymrs updrs edss adas-?_?cog adhd-rs adhd cgi-?s
    hallucination~
    viral_load viral_shedding shedding viremia rna_level seizures? das-?28~ haq(?:-di)? easi scorad ipss cdai womac nausea
    vomiting emesis rejection
    gvhd graft_versus_host thrombo~ stroke myocardial_infarction mace cardiovascular_events? heart_failure fractures?
    discontinu~ withdraw~ drop-?outs?
    headaches? migraines? fatigue itch~ prurit~ symptoms? severity disability distress insomnia sleep_disturbance
    wake_after_sleep_onset waso sleep_latency
    length_of_(?:hospital_|icu_)?stay intubation ventilation icu_(?:admission|stay) intensive_care
    rescue_(?:medication|therapy) complications? neutropenia an(?:a)?emia
    transfusion~ diarrho?ea mucositis neuropathy injur~ impair~ abuse craving smoking cigarettes drinking_days heavy_drinking
    tumou?r_(?:size|volume|burden)
    lesions? intraocular_pressure iop proteinuria albuminuria albumin-?_?to-?_?creatin\w+ uacr creatinine transmission
    malaria parasita?emia delirium cough
    nocturia incontinence urgency micturition~ hot_flash~ flares? events? disease_activity worsen~ deteriorat~ decline loss
    fever spasticity ashworth
    (?:detectable_)?(?:\w+_)?cancer_(?:incidence|rates?) incidence_of_\w+ biopsy-detectable positiv(?:e|ity)_rates?
    dyskinesia~ dyspnea off_time d-dimer ferritin (?:with|of)_(?:sars-cov-2|covid-19)"""
)
_TURNED = any_of(
    r"""\w+_free free_(?:of|from) freedom_from without absence_of no_evidence_of no_need_for avoid~ prevent(?:ion|ed|ing)
    reduc(?:tion|ed|ing|e) decreas(?:e|ed|es|ing) lower(?:ed|ing)
    achiev~ reach(?:ed|ing)? attain~ target goal control maintain~ normal"""
)
_BELOW = re.compile(r"(?:<|≤|less than|below) ?\d")
_FAILED = any_of(
    r"""worsen~ deteriorat~ loss_of fail(?:ed|ure|ures|ing)? lack_of non-?respon~ refractory not_(?:achiev|respon|resol)~
    disease_progression
    progressive_disease no_(?:response|improvement|recovery)"""
)
_CHANGED = any_of("reduc(?:tion|ed|ing|e) decreas(?:e|ed|es|ing) declin(?:e|ed|ing) drop")
_AMBIGUOUS = re.compile(
    r"\bweight (?:loss|gain)|\bresponse (?:to|time)\b|\b(?:heart|pulse|respiratory) rate\b"
    r"|\bglobal (?:clinical )?im(?:provement|pression)"
)
_OPPOSITE: dict[Benefit, Benefit] = {"higher": "lower", "lower": "higher", "unknown": "unknown"}


@lru_cache(maxsize=8192)
def benefit(title: str, description: str, kind: ValueKind, change: ChangeBasis) -> Benefit:
    """The direction in which a participant does better: `higher`, `lower`, or `unknown`.

    Order: what the description says about a score; pharmacokinetics are unknown; harms are lower; survival is higher;
    a time to something bad is higher and to something good lower; then the good or bad thing that the title names, turned round
    by words like `free of`, `without` and, for shares of people, `reduction in`. Where a mean is of a reduction its sign is
    not known.
    """
    if kind == "unknown":
        return "unknown"
    title = title.lower()
    if _PHARMACOKINETIC.search(title) or _AMBIGUOUS.search(title):
        return "unknown"
    if kind in ("signed", "positive"):
        stated = _stated(f"{title}. {description.lower()}")
        if stated != "unknown":
            return stated
    if _HARM.search(title):
        return "higher" if kind == "share" and (" free" in title or "without" in title) else "lower"
    if _SURVIVAL.search(title) and not (kind == "share" and _DIED.search(title)):
        return "higher"
    timed = _TIME_TO.search(title)
    if timed and kind != "share":
        return _OPPOSITE[_of_event(timed[1])]
    if kind == "share":
        return _of_event(title)
    if _CHANGED.search(title):
        return "unknown"
    good, bad = _GOOD.search(title) or _GOOD_EVENT.search(title), _BAD.search(title)
    return "unknown" if bool(good) == bool(bad) else "higher" if good else "lower"


def _stated(text: str) -> Benefit:
    worse, better = _HIGH_IS_WORSE.search(text), _HIGH_IS_BETTER.search(text)
    if bool(worse) == bool(better):
        return "unknown"
    return "lower" if worse else "higher"


def _of_event(text: str) -> Benefit:
    """Whether more people with an event is better. The event decides over the illness that it happens to."""
    if _FAILED.search(text):
        return "lower"
    if _GOOD_EVENT.search(text):
        return "higher"
    bad, good = _BAD.search(text), _GOOD.search(text)
    if bad and (_TURNED.search(text) or _BELOW.search(text)):
        return "higher"
    if bad and (not good or bad.start() < good.start()):
        return "lower"
    return "higher" if good else "unknown"
