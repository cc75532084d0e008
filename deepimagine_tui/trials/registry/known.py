"""Every field of a registry record that is known, read or not. Whatever else a record holds is recorded as a problem.

A field without an entry of its own below is not looked into: its value is read as a whole, or left out on purpose (contacts,
documents, references, what the registry derived by itself).
"""

from __future__ import annotations

from deepimagine_tui.trials.registry.fields import Log, Node

UNKNOWN = "unknown-field"


class Known:
    """The known fields of one kind of object, and the kinds of the objects under them."""

    __slots__ = ("deeper", "names")

    def __init__(self, names: str, **deeper: Known) -> None:
        self.names = frozenset((*names.split(), *deeper))
        self.deeper = tuple(deeper.items())


_DATE = Known("date type")
_NAMED = Known("name class")
_PLANNED = Known("measure description timeFrame")
_MESH = Known("ancestors browseBranches browseLeaves", meshes=Known("id term"))
_GROUP = Known("id title description")
_DENOM = Known("units scope", counts=Known("groupId value comment"))
_CELL = Known("groupId value spread lowerLimit upperLimit comment")
_CLASS = Known("title", denoms=_DENOM, categories=Known("title", measurements=_CELL))
_MILESTONE = Known("type comment", achievements=Known("groupId numSubjects numUnits comment"))
_DROPOUT = Known("type comment", reasons=Known("groupId numSubjects numUnits comment"))
_TERM = Known("term organSystem sourceVocabulary assessmentType notes", stats=Known("groupId numAffected numAtRisk numEvents"))
_PROTOCOL = Known(
    "oversightModule referencesModule ipdSharingStatementModule",
    identificationModule=Known(
        "nctId nctIdAliases briefTitle officialTitle acronym organization",
        orgStudyIdInfo=Known("id type link domain"),
        secondaryIdInfos=Known("id type link domain"),
    ),
    statusModule=Known(
        "overallStatus lastKnownStatus whyStopped delayedPosting statusVerifiedDate expandedAccessInfo studyFirstSubmitDate "
        "studyFirstSubmitQcDate resultsWaived resultsFirstSubmitDate resultsFirstSubmitQcDate dispFirstSubmitDate "
        "dispFirstSubmitQcDate lastUpdateSubmitDate",
        startDateStruct=_DATE,
        primaryCompletionDateStruct=_DATE,
        completionDateStruct=_DATE,
        studyFirstPostDateStruct=_DATE,
        resultsFirstPostDateStruct=_DATE,
        dispFirstPostDateStruct=_DATE,
        lastUpdatePostDateStruct=_DATE,
    ),
    sponsorCollaboratorsModule=Known("responsibleParty", leadSponsor=_NAMED, collaborators=_NAMED),
    descriptionModule=Known("briefSummary detailedDescription"),
    conditionsModule=Known("conditions keywords"),
    designModule=Known(
        "studyType nPtrsToThisExpAccNctId expandedAccessTypes patientRegistry targetDuration phases bioSpec",
        designInfo=Known(
            "allocation interventionModel interventionModelDescription primaryPurpose observationalModel timePerspective",
            maskingInfo=Known("masking maskingDescription whoMasked"),
        ),
        enrollmentInfo=Known("count type"),
    ),
    armsInterventionsModule=Known(
        "",
        armGroups=Known("label type description interventionNames"),
        interventions=Known("type name description armGroupLabels otherNames"),
    ),
    outcomesModule=Known("", primaryOutcomes=_PLANNED, secondaryOutcomes=_PLANNED, otherOutcomes=_PLANNED),
    eligibilityModule=Known(
        "eligibilityCriteria healthyVolunteers sex genderBased genderDescription minimumAge maximumAge stdAges "
        "studyPopulation samplingMethod"
    ),
    contactsLocationsModule=Known(
        "centralContacts overallOfficials",
        locations=Known("facility status city state zip country countryOnly contacts geoPoint"),
    ),
)
_RESULTS = Known(
    "",
    participantFlowModule=Known(
        "preAssignmentDetails recruitmentDetails typeUnitsAnalyzed",
        groups=_GROUP,
        periods=Known("title", milestones=_MILESTONE, dropWithdraws=_DROPOUT),
    ),
    baselineCharacteristicsModule=Known(
        "populationDescription typeUnitsAnalyzed",
        groups=_GROUP,
        denoms=_DENOM,
        measures=Known(
            "title description populationDescription paramType dispersionType unitOfMeasure calculatePct denomUnitsSelected "
            "typeUnitsAnalyzed",
            denoms=_DENOM,
            classes=_CLASS,
        ),
    ),
    outcomeMeasuresModule=Known(
        "",
        outcomeMeasures=Known(
            "type title description populationDescription reportingStatus anticipatedPostingDate paramType dispersionType "
            "unitOfMeasure calculatePct timeFrame typeUnitsAnalyzed denomUnitsSelected",
            groups=_GROUP,
            denoms=_DENOM,
            classes=_CLASS,
            analyses=Known(
                "paramType paramValue dispersionType dispersionValue statisticalMethod statisticalComment pValue pValueComment "
                "ciNumSides ciPctValue ciLowerLimit ciUpperLimit ciLowerLimitComment ciUpperLimitComment estimateComment "
                "testedNonInferiority nonInferiorityType nonInferiorityComment otherAnalysisDescription groupDescription "
                "groupIds"
            ),
        ),
    ),
    adverseEventsModule=Known(
        "frequencyThreshold timeFrame description allCauseMortalityComment",
        eventGroups=Known(
            "id title description deathsNumAffected deathsNumAtRisk seriousNumAffected seriousNumAtRisk otherNumAffected "
            "otherNumAtRisk"
        ),
        seriousEvents=_TERM,
        otherEvents=_TERM,
    ),
    moreInfoModule=Known("certainAgreement pointOfContact", limitationsAndCaveats=Known("description")),
)
_STUDY = Known(
    "annotationSection documentSection hasResults ctrname record_last_import",
    protocolSection=_PROTOCOL,
    resultsSection=_RESULTS,
    derivedSection=Known("miscInfoModule", conditionBrowseModule=_MESH, interventionBrowseModule=_MESH),
)


def record_unknown_fields(study: Node, log: Log) -> None:
    """Record every field of a v2-shaped study object that nobody here knows, with its path."""
    if not _is_known(study, _STUDY):
        _record(study, _STUDY, "", log)


def _is_known(node: Node, known: Known) -> bool:
    """Whether all fields are known. Most records pass, and they are large: paths are built only for those that do not."""
    if not known.names.issuperset(node):
        return False
    for name, kind in known.deeper:
        value = node.get(name)
        if type(value) is list:
            names, is_leaf = kind.names, not kind.deeper
            for item in value:
                if type(item) is dict and not (names.issuperset(item) if is_leaf else _is_known(item, kind)):
                    return False
        elif type(value) is dict and not _is_known(value, kind):
            return False
    return True


def _record(node: Node, known: Known, path: str, log: Log) -> None:
    for name in node:
        if name not in known.names:
            log.add(f"{path}{name}", UNKNOWN, "This field is not known to the reader and was left out.")
    for name, kind in known.deeper:
        value = node.get(name)
        if type(value) is dict:
            _record(value, kind, f"{path}{name}.", log)
        elif type(value) is list:
            for index, item in enumerate(value):
                if type(item) is dict:
                    _record(item, kind, f"{path}{name}[{index}].", log)
