"""A v2-shaped study object built into a Trial. Total by design: every access is typed, and what does not fit is a Problem."""

from __future__ import annotations

import re

from deepimagine_tui.errors import BadInputError
from deepimagine_tui.trials.concepts import terms
from deepimagine_tui.trials.concepts.titles import compose_title
from deepimagine_tui.trials.model import Prose, Trial
from deepimagine_tui.trials.registry import protocol
from deepimagine_tui.trials.registry.fields import Log, Node, child, each, paragraphs, text, texts
from deepimagine_tui.trials.registry.groups import GroupReader
from deepimagine_tui.trials.registry.known import record_unknown_fields
from deepimagine_tui.trials.registry.outcomes import Plan, outcomes
from deepimagine_tui.trials.registry.tables import results_modules

_NCT = re.compile(r"^NCT\d{8}$")


def build_trial(study: Node, log: Log) -> Trial:
    """The trial of a v2-shaped study object.

    Raises:
        BadInputError: the object has no NCT id, so it is no registry record.
    """
    section = child(study, "protocolSection", "", log)
    identity = child(section, "identificationModule", "protocolSection", log)
    nct_id = text(identity, "nctId", "protocolSection.identificationModule", log).upper()
    if not _NCT.match(nct_id):
        raise BadInputError(
            "This holds no NCT id, so it is no registry record.", "Give a study as ClinicalTrials.gov exports it."
        )
    record_unknown_fields(study, log)
    return _trial(nct_id, study, section, identity, log)


def _module(section: Node, name: str, log: Log) -> tuple[Node, str]:
    return child(section, name, "protocolSection", log), f"protocolSection.{name}"


def _trial(nct_id: str, study: Node, section: Node, identity: Node, log: Log) -> Trial:
    at = "protocolSection.identificationModule"
    status, at_status = _module(section, "statusModule", log)
    design, at_design = _module(section, "designModule", log)
    info = child(design, "designInfo", at_design, log)
    at_info = f"{at_design}.designInfo"
    sponsors, at_sponsors = _module(section, "sponsorCollaboratorsModule", log)
    lead = child(sponsors, "leadSponsor", at_sponsors, log)
    conditions, at_conditions = _module(section, "conditionsModule", log)
    arms, interventions = protocol.arms_and_interventions(*_module(section, "armsInterventionsModule", log), log)
    eligibility, criteria = protocol.eligibility(*_module(section, "eligibilityModule", log), log)
    enrolment, enrolment_kind = protocol.enrolment(design, at_design, log)
    model = terms.design_word(text(info, "interventionModel", at_info, log))
    results = child(study, "resultsSection", "", log)
    named = texts(conditions, "conditions", at_conditions, log)
    names = tuple(item.name for item in interventions)
    plan = Plan(nct_id, tuple(arm.label for arm in arms), names, GroupReader(arms, interventions, model == "crossover"))
    flow, baseline, events = results_modules(results, "resultsSection", log)
    outcome_module = child(results, "outcomeMeasuresModule", "resultsSection", log)
    return Trial(
        nct_id=nct_id,
        title=compose_title(arms, interventions, named),
        acronym=text(identity, "acronym", at, log),
        conditions=named,
        condition_terms=_mesh(study, "conditionBrowseModule", log),
        keywords=texts(conditions, "keywords", at_conditions, log),
        study_type=terms.words(text(design, "studyType", at_design, log)),
        status=terms.status(text(status, "overallStatus", at_status, log)),
        phases=protocol.phases(design, at_design, log),
        allocation=terms.design_word(text(info, "allocation", at_info, log)),
        intervention_model=model,
        purpose=terms.design_word(text(info, "primaryPurpose", at_info, log)),
        masking=terms.masking(text(child(info, "maskingInfo", at_info, log), "masking", f"{at_info}.maskingInfo", log)),
        start=protocol.partial_date(status, "startDateStruct", at_status, log),
        primary_completion=protocol.partial_date(status, "primaryCompletionDateStruct", at_status, log),
        completion=protocol.partial_date(status, "completionDateStruct", at_status, log),
        first_posted=protocol.posted_date(status, "studyFirstPostDateStruct", "studyFirstSubmitDate", at_status, log),
        results_posted=protocol.posted_date(status, "resultsFirstPostDateStruct", "resultsFirstSubmitDate", at_status, log),
        last_updated=protocol.posted_date(status, "lastUpdatePostDateStruct", "lastUpdateSubmitDate", at_status, log),
        enrolment=enrolment,
        enrolment_kind=terms.date_kind(enrolment_kind),
        sponsor=text(lead, "name", f"{at_sponsors}.leadSponsor", log),
        sponsor_class=terms.sponsor_class(text(lead, "class", f"{at_sponsors}.leadSponsor", log)),
        collaborators=tuple(
            text(item, "name", where, log) for where, item in each(sponsors, "collaborators", at_sponsors, log)
        ),
        org_study_id=text(child(identity, "orgStudyIdInfo", at, log), "id", f"{at}.orgStudyIdInfo", log),
        secondary_ids=tuple(text(item, "id", where, log) for where, item in each(identity, "secondaryIdInfos", at, log)),
        interventions=interventions,
        intervention_terms=_mesh(study, "interventionBrowseModule", log),
        arms=arms,
        planned_outcomes=protocol.planned_outcomes(*_module(section, "outcomesModule", log), log),
        countries=protocol.countries(*_module(section, "contactsLocationsModule", log), log),
        eligibility=eligibility,
        outcomes=outcomes(outcome_module, "resultsSection.outcomeMeasuresModule", plan, log),
        flow=flow,
        baseline=baseline,
        adverse_events=events,
        prose=_prose(section, identity, status, results, criteria, log),
        problems=tuple(log.problems),
    )


def _mesh(study: Node, module: str, log: Log) -> tuple[str, ...]:
    """The MeSH terms of a browse module; the ancestors that the classic XML mixes in come as they are."""
    derived = child(study, "derivedSection", "", log)
    at = f"derivedSection.{module}"
    found = (
        text(item, "term", where, log) for where, item in each(child(derived, module, "derivedSection", log), "meshes", at, log)
    )
    return tuple(dict.fromkeys(term for term in found if term))


def _prose(section: Node, identity: Node, status: Node, results: Node, criteria: str, log: Log) -> Prose:
    at = "protocolSection.identificationModule"
    description, at_description = _module(section, "descriptionModule", log)
    more = child(results, "moreInfoModule", "resultsSection", log)
    caveats = child(more, "limitationsAndCaveats", "resultsSection.moreInfoModule", log)
    return Prose(
        brief_title=text(identity, "briefTitle", at, log),
        official_title=text(identity, "officialTitle", at, log),
        brief_summary=paragraphs(description, "briefSummary", at_description, log),
        eligibility=criteria,
        why_stopped=text(status, "whyStopped", "protocolSection.statusModule", log),
        limitations=text(caveats, "description", "resultsSection.moreInfoModule.limitationsAndCaveats", log),
    )
