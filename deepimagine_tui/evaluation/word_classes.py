"""Classes of words that trials use: what is measured, in which disease, what is given and against what.

Each class is a regular expression over a text, case ignored but for the few in `_AS_WRITTEN`. They are the vocabulary of the
classical features (`features.fields`): a stem of a drug's name says its class ("-mab"), a code its age ("ABC-1234").
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

_AS_WRITTEN = frozenset({"code", "overall survival"})
_CHEMOTHERAPY = r"\w{3,}(?:platin|taxel|rubicin|citabine|tecan|bine)\b|fluorouracil|cyclophosph|folf|chemotherapy|temozolomide"
_PROGRAMME = (
    r"counsel|education|training|exercise|cognitive|behavio|coaching|app\b|mobile|text messag|mindful|yoga|program|support"
    r"|self-?management|walking|rehabilitation|physiotherap|psychotherap|video|virtual|telehealth|care\b"
)
_DEVICE = (
    r"stimulation|laser|device|catheter|stent|mask|pump|implant|tdcs|tms\b|lens|cpap|ventilation|balloon|acupunct|light"
    r"|ultrasound|needle|taping|bandage|dressing|tourniquet|robot"
)
_PROCEDURE = (
    r"surg|technique|resection|repair|approach|procedure|incision|suture|ablation|transplant|laparoscop|drain|biopsy|radiother"
    r"|radiation|\bgy\b|irradiat"
)
_CODE = r"\b[A-Z]{1,6}[- ]?\d{3,}[A-Za-z]?\b"
_DOSE = r"\d ?(?:mg|mcg|µg|μg|g|ml|iu|units?|%)\b"


class Classes:
    """Classes of words by name."""

    def __init__(self, patterns: Mapping[str, str]) -> None:
        self._patterns = {
            name: re.compile(text, 0 if name in _AS_WRITTEN else re.IGNORECASE) for name, text in patterns.items()
        }

    def named(self, text: str) -> tuple[str, ...]:
        """The names of those that a text has words of."""
        return tuple(name for name, pattern in self._patterns.items() if pattern.search(text))


OUTCOMES = Classes(
    {
        "mortality": r"\bmortality|\bdeath|\bdied\b|surviv(?!al free)|\balive\b|all-cause",
        "overall survival": r"[Oo]verall [Ss]urvival|\bOS\b",
        "event-free survival": r"(?:progression|disease|event|relapse|recurrence|metastasis)[- ]free|\b[pde]fs\b"
        r"|time to progression",
        "response": r"respon(?:se|der)|\borr\b|\bacr ?\d\d|pasi ?\d|easi[- ]?\d|iga\b|hiscr|clear(?:ance)?\b|success",
        "remission": r"remission|complete response|pathological|\bpcr\b|cure\b|healing|eradicat|seroconver|resol",
        "change": r"change|reduction|decrease|increase|improvement|from baseline",
        "share": r"percent(?:age)?|proportion|number of (?:participants|patients|subjects)|rate\b|incidence",
        "score": r"score|scale|index|inventory|questionnaire|rating",
        "pain": r"\bpain\b|vas\b|\bnrs\b|analges|opioid|morphine",
        "consumption": r"consumption|rescue|requirement|usage|\buse of\b|dos(?:e|age) of",
        "quality of life": r"quality of life|\bqol|eq-?5d|sf-?36|patient[- ]reported|hrq|eortc|satisfaction|well-?being|fact-",
        "safety": r"adverse|safety|tolerab|toxicit|side effect|teae|\bsae|complication|hypotension|hypoglyc|bleeding|nausea",
        "pharmacokinetics": r"pharmacokin|\bauc|cmax|concentration|plasma level|half-life|exposure",
        "immunogenicity": r"antibod|titer|titre|immunogen|seroprotect|seroconver|gmt|neutraliz",
        "laboratory": r"hba1c|glucose|cholesterol|ldl|triglycer|ha?emoglobin|platelet|creatinine|crp\b|interleukin|il-\d|serum"
        r"|plasma|urine|level|biomarker|albumin|cortisol|ferritin|egfr|uric|phosph",
        "blood pressure": r"blood pressure|heart rate|hemodynamic|systolic|diastolic",
        "imaging": r"\bmri\b|imaging|ultrasound|echocardio|ejection|lesion|radiograph|bone mineral|thickness|volume",
        "weight": r"weight|bmi|waist|body mass|fat\b",
        "lungs": r"fev|spirometr|exacerbation|lung function|oxygen|pao2|saturation|ventilat|intubat",
        "duration": r"time to|time until|duration|onset|length of|days",
        "stay": r"hospital(?:i[sz]ation)?|length of stay|\bicu\b|admission|readmission|discharge|emergency",
        "relapse": r"relapse|recurren|exacerbation|attack|flare|seizure|episode|frequency",
        "function": r"function|walk|mobility|strength|disab|\badl\b|activity|performance|range of motion|motor|6mw|gait|grip",
        "cognition": r"cogniti|memory|adas|cdr\b|mmse|dementia|delirium|attention|executive",
        "mood": r"depress|anxi|ham-?d|madrs|panss|stress|mood|phq|suicid|psych",
        "sleep": r"sleep|insomnia|fatigue|apnea",
        "vision": r"visual|acuity|retina|intraocular|eye|ocular|myopi|bcva",
        "infection": r"infect|viral|virus|bacter|sepsis|pneumonia|fever|parasit|malaria|culture",
        "pregnancy": r"birth|pregnan|deliver|neonat|gestation|fetal|labou?r|embryo|oocyte|ovulat|breast ?feed",
        "cardiovascular": r"mace\b|stroke|myocardial|cardiovascular|heart failure|atrial|arrhythm|thrombo|ischemi|revascular",
        "adherence": r"adheren|complian|attend|uptake|retention|knowledge|self-effic|behavio|abstinen|smok|drink|alcohol",
        "skin": r"skin|acne|psoria|eczema|dermatit|wound|ulcer|scar|prurit|itch",
        "growth": r"height|growth|develop|length",
    }
)
AREAS = Classes(
    {
        "cancer": r"cancer|carcinoma|tumou?r|neoplas|sarcoma|melanoma|metasta|chemo|glioma|oncolog|nsclc|malignan",
        "blood": r"lymphoma|leuk|myeloma|aml\b|cll\b|an[a]?emia|sickle|hemophilia|thalass|thrombocyto|transplant|neutropen",
        "covid": r"covid|sars-cov|coronavirus",
        "infection": r"infect|hiv\b|hepatitis|virus|malaria|tubercul|pneumonia|influenza|bacter|sepsis|fung|parasit",
        "vaccine": r"vaccin|immuni[sz]ation",
        "critical care": r"sepsis|septic|shock|icu\b|critical|cardiac arrest|ards\b|respiratory failure|resuscitat|intubat",
        "heart": r"heart|cardi|coronary|hypertens|atrial|myocard|thromb|vascular|cholesterol|lipid|arter",
        "stroke": r"stroke|ischemic|hemorrhage|intracerebral|brain injury",
        "diabetes": r"diabet|insulin|glyc|hba1c",
        "obesity": r"obes|overweight|weight",
        "lungs": r"asthma|copd|pulmonary|lung disease|cystic fibrosis|bronch|respir",
        "neurodegeneration": r"alzheimer|parkinson|amyotrophic|huntington|dementia|ataxia|supranuclear|frontotemporal",
        "muscle and nerve": r"duchenne|muscular dystrophy|myasthenia|spinal muscular|neuropathy|cidp|myotonic",
        "epilepsy": r"epilep|seizure",
        "migraine": r"migraine|headache",
        "psychiatry": r"depress|schizo|bipolar|anxiety|ptsd|autis|adhd|psychos|mental|suicid",
        "addiction": r"alcohol|opioid use|cocaine|smok|tobacco|nicotine|addict|substance|cannabis|methamphet",
        "pain": r"pain|analges|an[a]?esth|\bblock\b|postoperative|neuropathic|fibromyalg",
        "surgery": r"surg|operat|arthroplasty|c[a]?esarean|laparosc|bypass|ectomy|arthroscop",
        "skin": r"psoria|dermatit|eczema|acne|alopecia|vitiligo|hidradenitis|urticaria|rosacea|pruri|skin|wart|wrinkle",
        "joints": r"arthritis|lupus|spondyl|gout|osteoarth|sjogren|vasculitis|sclerod",
        "gut": r"crohn|colitis|bowel|gerd|reflux|gastro|constipation|diarrhea|pylori|celiac|esophag",
        "liver": r"hepat|liver|nash\b|mash\b|cirrho|cholang|biliary",
        "kidney": r"kidney|renal|dialysis|nephro|iga\b|hyperkal|hyperphosph|ckd",
        "eye": r"macular|glaucoma|retin|uveitis|dry eye|myopia|ocular|ophthal|eye|cataract|presbyop|blephar",
        "women and birth": r"pregnan|preterm|labou?r|endometri|ivf\b|ovar|polycystic|contracep|menopaus|vasomotor|uter|vagin"
        r"|fertil|menstru",
        "urology": r"prostat|bladder|urinary|erectile|incontinence|overactive",
        "bone": r"osteopor|fracture|bone",
        "allergy": r"allerg|rhinitis|sinusitis|polyp",
        "children": r"child|infant|p[a]?ediatric|neonat|preterm|adolescent|newborn",
        "teeth": r"dental|tooth|periodont|caries|gingiv|molar|oral mucositis",
        "rare": r"syndrome|congenital|hereditary|genetic|disorder|deficien|fabry|pompe|gaucher|achondro|angioedema",
        "older": r"older|elderly|aging|frail|sarcopen",
    }
)
INTERVENTIONS = Classes(
    {
        "antibody": r"\w{3,}mab\b",
        "kinase inhibitor": r"\w{3,}nib\b",
        "peptide": r"\w{3,}tide\b",
        "diabetes drug": r"\w+(?:gliptin|gliflozin|glutide|glitazone)\b|insulin|metformin",
        "antisense": r"\w{3,}(?:sen|siran|mersen)\b",
        "antiviral": r"\w{3,}vir\b",
        "receptor": r"\w{3,}cept\b",
        "statin": r"\w{3,}statin\b",
        "pressure drug": r"\w{3,}(?:sartan|pril|dipine|olol|semide|thiazide|one)\b",
        "antibiotic": r"\w{3,}(?:cillin|mycin|micin|floxacin|cycline|penem|azole)\b|cef\w+|antibiotic",
        "chemotherapy": _CHEMOTHERAPY,
        "steroid": r"\w*(?:sone|solone|sonide)\b|steroid|cortico",
        "anaesthetic": r"\w{3,}caine\b|\bblock\b|dexmedetomidine|ketamine|an[a]?esthe|lidocaine",
        "opioid": r"morphine|fentanyl|oxycod|opioid|tramadol|methadone|bupren",
        "painkiller": r"ibuprofen|ketorolac|celecoxib|aspirin|acetaminophen|paracetamol|diclofenac|naproxen",
        "code": _CODE,
        "vaccine": r"vaccin|mrna|adjuvant",
        "cells": r"stem cell|car-?t\b|\bcells?\b|leucel|plasma\b|gene therapy|vec\b",
        "supplement": r"vitamin|probiotic|omega|supplement|zinc|iron|magnesium|calcium|folic|melatonin|curcumin|extract|herbal"
        r"|diet|nutrition|amino|protein|milk|formula|oil\b|honey|tea\b|fiber",
        "programme": _PROGRAMME,
        "device": _DEVICE,
        "procedure": _PROCEDURE,
        "hormone": r"estradiol|estrogen|progest|testost|oxytocin|trozole|tamoxifen|gnrh|growth hormone|levothyrox|misoprostol",
        "psychotropic": r"\w{3,}(?:pine|peridone|xetine|triptyline|azepam|faxine|giline|triptan)\b|lithium|valpro|psilocyb",
        "toxin": r"botulinum|toxin",
        "topical": r"cream|ointment|gel\b|topical|ophthalmic|drops|spray|foam|lotion|patch",
        "inhaled": r"inhal|nebul|nasal",
        "infused": r"intraven|infusion|\biv\b",
        "injected": r"subcut|\bsc\b",
        "by mouth": r"oral|tablet|capsule|\bpo\b",
        "dose": _DOSE,
        "higher": r"\bhigh(?:er)?\b",
        "lower": r"\blow(?:er)?\b",
        "combined": r"\+|\bplus\b|combin|\bwith\b|\band\b|add-?on|adjunct",
        "more of it": r"early|intensive|immediate|extended|prolong|continu",
        "old drug": r"\bmetformin|aspirin|ketamine|dexamethasone|tranexamic|colchicine|azithromycin|hydroxychloroquine"
        r"|ivermectin|allopurinol|spironolactone|vitamin d|statin|losartan",
    }
)
COMPARATORS = Classes(
    {
        "placebo": r"placebo|vehicle|dummy|saline|sodium chloride|sugar",
        "sham": r"sham",
        "nothing": r"no (?:treatment|intervention|therapy|drug|prophyl)|untreated|observation|wait|delayed|deferred|without"
        r"|alone",
        "usual care": r"usual|standard|routine|conventional|soc\b|best supportive|care\b|control",
        "attention": r"attention|education",
        "choice": r"choice|investigator|physician",
        "dose": _DOSE,
        "combined": r"\+|\bplus\b|\bwith\b|\band\b",
        "lower": r"\blow(?:er)?\b",
        "higher": r"\bhigh(?:er)?\b",
        "code": _CODE,
        "antibody": r"\w{3,}mab\b",
        "chemotherapy": _CHEMOTHERAPY,
        "programme": _PROGRAMME,
        "device": _DEVICE,
        "procedure": _PROCEDURE,
    }
)


@lru_cache(maxsize=65536)
def found(classes: Classes, text: str) -> tuple[str, ...]:
    """The names of the classes that a text has words of; the same texts are read again and again."""
    return classes.named(text)
