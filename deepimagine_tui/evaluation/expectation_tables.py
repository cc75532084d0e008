"""What people of the field expect of a comparison, by its kind: how often such ones succeed. For `expectations`.

A judgement of the authors', written down from general knowledge of drug development and never fitted: orders of magnitude, not
data, and of kinds of trials alone, not of any trial or drug under test. Case is ignored. Of subjects and of outcomes the first
pattern that is found counts, so the special stand before the general.
"""

from __future__ import annotations

SUBJECTS: tuple[tuple[str, float], ...] = (
    (r"angioedema", 95),
    (
        r"achondroplas|growth velocity|growth hormone|hypophosphat[ae]m|hypoparathyr|acromegal"
        r"|adrenal hyperplas|cushing",
        85,
    ),
    (r"alopecia|wrinkle|glabellar|crow|facial lines|submental|hyperhidros", 92),
    (
        r"alzheimer|amyotrophic|\bALS\b|huntington|supranuclear|multiple system atrophy|frontotemporal"
        r"|mild cognitive|dementia|ataxia",
        18,
    ),
    (r"parkinson", 45),
    (r"duchenne|muscular dystroph|becker|inclusion body", 28),
    (r"myasthenia|CIDP|demyelinating poly|neuromyelitis|spinal muscular", 78),
    (r"amyloid", 65),
    (r"multiple sclerosis", 58),
    (r"epilep|seizure|dravet|lennox", 60),
    (r"migraine|headache", 68),
    (
        r"cardiac arrest|septic|sepsis|shock|\bARDS\b|acute respiratory distress|respiratory failure"
        r"|mechanical(?:ly)? ventilat|critically ill|intensive care|brain injury|resuscitat|trauma"
        r"|delirium",
        22,
    ),
    (r"covid|sars-cov|coronavirus", 25),
    (r"stroke|subarachnoid|intracerebral|thrombectomy", 33),
    (r"narcolep|insomnia|hypersomn|daytime sleepiness", 72),
    (r"ADHD|attention[- ]deficit", 75),
    (r"autis|fragile x|angelman|rett|prader|down syndrome", 28),
    (r"schizo|psychosis|psychotic|bipolar|mania", 52),
    (r"depress|suicid", 45),
    (r"PTSD|post-?traumatic stress|anxiety|panic|obsessive", 42),
    (r"cocaine|methamphet|cannabis|marijuana|stimulant", 15),
    (r"alcohol", 30),
    (r"smok|tobacco|nicotine|vaping", 48),
    (r"opioid use|opioid depend|heroin", 42),
    (r"plaque psoriasis|psoriasis|psoriatic", 88),
    (r"atopic dermat|eczema|urticaria|prurigo|hidradenitis|prurit|seborr", 80),
    (r"acne|rosacea|keratosis|wart|molluscum|vitiligo|onychomyc|tinea|melasma", 75),
    (r"obes|overweight|weight (?:loss|management)", 72),
    (r"type 2 diabet|T2DM|hba1c|glycemic|glycaemic|insulin", 72),
    (r"type 1 diabet", 48),
    (r"hypercholest|LDL|lipoprotein|hyperlipid|dyslipid|triglycerid|chylomicron", 88),
    (r"hypertension(?! pulm)|blood pressure", 68),
    (r"pulmonary (?:arterial )?hypertension|PAH\b", 62),
    (r"heart failure|cardiomyopathy", 48),
    (r"atrial fib", 48),
    (
        r"myocardial infarc|coronary|acute coronary|cardiovascular|PCI\b|STEMI|angina|cardiac surgery"
        r"|bypass",
        33,
    ),
    (r"thrombo(?:embol|sis)|VTE|anticoag|DVT", 48),
    (r"peripheral arter|claudicat|limb isch", 35),
    (r"cystic fibrosis", 58),
    (r"asthma", 68),
    (r"COPD|chronic obstructive", 58),
    (r"pulmonary fibrosis|\bIPF\b|interstitial lung", 38),
    (r"cough", 50),
    (r"rhinit|allerg|polyp|sinusit|eosinophilic|conjunctivit", 75),
    (r"ulcerative colitis|crohn", 70),
    (r"irritable|constipat|bowel prep|GERD|reflux|esophagitis|gastropar|dyspeps", 64),
    (r"pylori", 42),
    (r"diarrh", 48),
    (r"steatohepat|NASH|MASH|fatty liver|NAFLD", 50),
    (r"cholangitis|PBC|cholesta", 65),
    (r"hepatitis c|HCV", 72),
    (r"hepatitis b|HBV", 48),
    (r"cirrho|hepatic enceph|liver failure|alcoholic hep|hepatorenal", 35),
    (r"hyperkal|hyperphosph|hyperparathyr|anemia|anaemia|iron defic", 75),
    (r"IgA neph|glomerul|nephrotic|membranous|lupus neph", 62),
    (r"acute kidney|contrast|AKI\b", 24),
    (r"kidney|renal|dialysis|nephro", 45),
    (r"rheumatoid|spondyl|ankylos|juvenile idio|giant cell|polymyalg", 72),
    (r"lupus|sjogren|sclerod|systemic scler|vasculit|myositis", 46),
    (r"gout|uric|urate", 72),
    (r"osteoarth|knee pain|back pain|tendin|rotator|musculoskel|neck pain|shoulder", 38),
    (r"fibromyalg|neuropath|neuralg|CRPS", 42),
    (r"osteopor|bone mineral|bone loss|fracture", 55),
    (r"macular|diabetic retin|retinal vein|retinopathy", 42),
    (r"dry eye|meibom|blephar", 50),
    (r"glaucoma|intraocular|ocular hypert", 48),
    (r"myopia|presbyop|mydria|thyroid eye|uveit|cataract|post-?operative inflam", 68),
    (r"vaccin|immunogen|immunis|immuniz", 72),
    (r"HIV|antiretrovir", 45),
    (r"malaria|plasmod|helminth|schisto|filaria|trachoma", 52),
    (r"tubercul", 32),
    (r"influenza|RSV|herpes|zoster|CMV|cytomegal|mpox|monkeypox|dengue|ebola", 52),
    (
        r"pneumonia|urinary tract inf|UTI\b|skin infection|difficile|bacter|surgical site|wound infection"
        r"|infect|antibiotic",
        38,
    ),
    (r"hot flash|vasomotor|endometrio|fibroid|menstrual|menorrh|vaginal atrophy|vulvovag", 78),
    (
        r"preterm|preeclam|pre-eclam|miscarr|stillb|bronchopulm|premature|neonat|very low birth"
        r"|extremely low|newborn",
        26,
    ),
    (r"IVF|fertili|embryo|ovarian stim|ICSI|live birth|ovulat", 32),
    (r"labou?r|cesarean|caesarean|deliver|postpartum|pregnan|breast-?feed|hysterosc|IUD|abortion", 52),
    (r"polycystic|PCOS", 48),
    (r"overactive bladder|incontinen|enuresis|nocturia|prostatic hyper|BPH|erectile|premature ejac", 66),
    (r"interstitial cyst|pelvic pain|prostatitis", 38),
    (
        r"nerve block|plane block|plexus block|spinal anesth|spinal anaesth|epidural|intrathecal|anesthe"
        r"|anaesthe|analges|postoperative pain|post-operative pain|opioid consum|PONV|nausea|shiver"
        r"|emergence|tranexamic|blood loss|arthroplast",
        62,
    ),
    (r"dental|tooth|teeth|periodont|gingiv|caries|dentin|oral mucos|molar|pulp", 55),
    (r"myeloma", 72),
    (r"hemophil|thrombocytop|ITP\b|hemoglobinuria|sickle|thalass|neutropen", 70),
    (r"graft|GVHD|transplant", 46),
    (r"lymphoma|CLL\b|leuk|AML\b|myelodys|myelofib", 52),
    (r"melanoma|renal cell|breast|ovarian|prostate canc|lung|NSCLC|thyroid canc|urothel", 52),
    (
        r"pancrea|gliobl|glioma|gastric|hepatocell|colorectal|esophag|head and neck|sarcoma|mesothel"
        r"|biliary",
        45,
    ),
    (r"cancer|carcinoma|tumou?r|neoplas|oncolog|chemother|radiat", 44),
)
"""By disease: of a hundred comparisons with nothing active, in an outcome of efficacy, how many are met."""

ANY_SUBJECT = 47.5
"""The same for any other disease."""

OUTCOMES: tuple[tuple[str, float], ...] = (
    (r"adverse|safety|tolerab|toxicit|side effect|\bTEAE|\bSAE|complication", -1.3),
    (
        r"progression[- ]free|\bPFS\b|disease[- ]free|\bDFS\b|event[- ]free|\bEFS\b|relapse[- ]free"
        r"|recurrence[- ]free|metastasis[- ]free|\brPFS",
        0.35,
    ),
    (r"mortality|\bdeath|\bdied\b|survival\b|all-cause|\balive\b", -0.9),
    (r"antibod|titer|titre|immunogen|seroprotect|seroconver|\bGMT|neutrali[sz]ing", 1.0),
    (r"quality of life|\bQoL|EQ-?5D|SF-?(?:36|12)|HRQ|EORTC|FACT-|WHOQOL|satisfaction", -0.5),
    (r"length of (?:hospital |icu )?stay|hospital stay|\bICU\b|readmission|ventilator|days alive|cost", -0.7),
    (r"cogniti|memory|executive|MMSE|MoCA", -0.4),
    (r"overall response|objective response|\bORR\b", 0.3),
    (r"complete response|pathologic", 0.2),
    (r"MACE|stroke|myocardial infarction|hospitali[sz]ation", -0.3),
    (r"pharmacokin|\bAUC|Cmax|plasma conc", 0.1),
    (
        r"consumption|requirement|rescue|pain|VAS\b|NRS\b|onset|duration of (?:sensory|motor|anal|anes"
        r"|block)",
        0.35,
    ),
    (
        r"HbA1c|LDL|triglycer|body weight|blood pressure|hemoglobin|platelet|phosph|potassium|uric|\bIgE"
        r"|eosinophil|proteinuria|UACR|UPCR|albumin-to",
        0.5,
    ),
    (r"PASI|EASI|IGA|ACR ?\d\d|DLQI|NRS|itch|clear|HiSCR|ASAS", 0.3),
    (r"insulin resist|CRP|interleukin|TNF|cytokine|inflammat|biomarker|oxidative", -0.1),
    (r"weight|BMI|body fat|lean", 0.0),
    (r"hypogly|bleeding|infection|fall|fractur", -0.2),
    (r"walk|6MW|strength|mobility|function|disab|ADL|mRS|rankin|activity", -0.2),
    (r"knowledge|uptake|screening|complet|adheren|attend", 0.3),
)
"""By outcome: what it adds, in logits."""

INTERVENTIONS: tuple[tuple[str, float], ...] = (
    (r"\w{3,}mab\b", 0.35),
    (r"glutide|tirzepatide|\w+tide\b", 0.6),
    (r"\w{3,}(?:siran|rsen)\b", 0.6),
    (r"\w{3,}(?:tinib|citinib|ciclib|parib)\b", 0.4),
    (r"botulinum|toxin", 0.7),
    (r"\bblock\b|caine\b|dexmedetomidine|ketamine|dexamethasone", 0.35),
    (r"vitamin|cholecalc|omega|fish oil|selenium|zinc|antioxid|multivit|folic", -0.8),
    (r"probiotic|supplement|extract|herbal|curcumin|diet\b|nutrition", -0.25),
    (
        r"statin\b|hydroxychloroquine|ivermectin|azithromycin|minocycline|colchicine|metformin|aspirin"
        r"|simva|melatonin|n-acetyl|doxycycline",
        -0.45,
    ),
    (r"stem cell|stromal|plasma\b|platelet-rich|PRP\b", -0.4),
    (r"text messag|mobile|app\b|web|internet|telephone|peer|navigat|decision|reminder|incentiv", 0.05),
    (r"exercise|training|yoga|rehabil|physio", 0.0),
    (r"cognitive behav|CBT|psychotherap|mindful|counsel", 0.05),
    (r"stimulation|tDCS|TMS|laser|acupunct", -0.05),
    (r"surg|techni|suture|mesh|stent|catheter|drain", -0.25),
    (r"\blow(?:er)?[- ]dose|\blow\b", -0.25),
    (r"\bhigh(?:er)?[- ]dose|\bhigh\b", 0.15),
)
"""By what is given: what each that is found adds, in logits."""
