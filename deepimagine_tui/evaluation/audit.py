"""Proving the rules against leaks (DESIGN 3) of a finished run: what it saw, what it learnt from, what its prompts held.

A rule is `held`, `broken` (the run is worth nothing), `flagged` (to be looked at: the run may be honest) or `not checked`,
where what it takes is not at hand. A run is clean when no rule is broken or flagged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from threading import Event
from typing import Literal

import msgspec

from deepimagine_tui.corpus.store import Corpus
from deepimagine_tui.errors import BadInputError
from deepimagine_tui.evaluation import audit_prompts, siblings
from deepimagine_tui.evaluation.findings import Finding
from deepimagine_tui.evaluation.forecasts_of_corpus import sides_of
from deepimagine_tui.evaluation.predictions import Predictions, UsedTrial
from deepimagine_tui.evaluation.questions import MET, NO_CUTOFF, Question, QuestionSet
from deepimagine_tui.evaluation.system import Learnt
from deepimagine_tui.trials.model import Trial

NO_RATE = 0.5
"""The base rate where there is nothing to learn from."""

RuleState = Literal["held", "broken", "flagged", "not checked"]


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What rules are checked by, beside the run itself.

    `programmes` and `posted` are of the corpus's trials by NCT id: the programme by its smallest id, the date of first posting.
    `retrieved` holds the words and numbers of trials that predictions saw, `reported` texts that are an answer, by NCT id.
    `learnt` is what the set and the corpus give to learn from, of other programmes. `trained_on` are the trials of the
    adapter, their siblings included. `None` where it is not known.
    """

    programmes: dict[str, str] = {}
    posted: dict[str, str] = {}
    retrieved: dict[str, str] = {}
    reported: dict[str, tuple[str, ...]] = {}
    learnt: QuestionSet | None = None
    trained_on: frozenset[str] | None = None


class Rule(msgspec.Struct, frozen=True):
    """One rule as it stands: `checked` counts what was looked at, `why` says why it was not, or what is meant."""

    name: str
    says: str
    state: RuleState
    checked: int = 0
    findings: tuple[Finding, ...] = ()
    why: str = ""


class Audit(msgspec.Struct, frozen=True):
    """Every rule of a run."""

    system: str
    set_name: str
    rules: tuple[Rule, ...]

    @property
    def is_clean(self) -> bool:
        """Whether no rule is broken or flagged."""
        return all(rule.state in ("held", "not checked") for rule in self.rules)

    @property
    def is_broken(self) -> bool:
        """Whether a rule is broken."""
        return any(rule.state == "broken" for rule in self.rules)


def evidence_of(corpus: Corpus, predictions: Predictions, cancel: Event) -> Evidence:
    """What a corpus says of its trials, and of those that predictions saw.

    Raises:
        CancelledError: `cancel` was set.
    """
    places = sides_of(corpus, cancel).places
    seen = {used.nct_id for one in predictions.by_id.values() for used in one.used if used.nct_id in places}
    posted = {nct_id: corpus.get(nct_id).results_posted for nct_id in seen}
    return Evidence(
        programmes={nct_id: place.programme for nct_id, place in places.items()},
        posted={nct_id: date.text for nct_id, date in posted.items() if date is not None},
        retrieved={nct_id: audit_prompts.words_of(_shown(corpus.get(nct_id))) for nct_id in seen},
    )


def _shown(trial: Trial) -> Trial:
    """A trial without what no prompt shows of it."""
    return msgspec.structs.replace(trial, adverse_events=None, flow=None, prose=None)


def audit(asked: QuestionSet, predictions: Predictions, folder: Path, evidence: Evidence) -> Audit:
    """Check every rule of the run in `folder`.

    Raises:
        BadInputError: the predictions are of another set, or what the folder holds is damaged.
    """
    if predictions.header.set_sha256 != asked.sha256:
        raise BadInputError(
            f"{folder} holds predictions of {predictions.header.set_name}, not of this {asked.name}.", "Name the set it is of."
        )
    runs = audit_prompts.runs_of(asked, predictions, folder)
    rules = (
        _whole(asked, predictions),
        _own_trial(asked, predictions, evidence),
        _cutoff(asked, predictions, evidence),
        _learnt(asked, predictions, evidence),
        _trained(asked, predictions, evidence),
        _asked_as_given(runs),
        _prompts(list(audit_prompts.sent(asked, predictions, runs.found, folder, evidence.retrieved)), evidence),
        _oracle(asked, predictions),
    )
    return Audit(predictions.header.name, asked.name, rules)


def _rule(name: str, says: str, checked: int, findings: Iterable[Finding], *, flags: bool = False, why: str = "") -> Rule:
    found = tuple(findings)
    state: RuleState = "held" if not found else "flagged" if flags else "broken"
    return Rule(name, says, state, checked, found, why)


def _whole(asked: QuestionSet, predictions: Predictions) -> Rule:
    findings = [Finding(one.id, "has no prediction") for one in asked.questions if one.id not in predictions.by_id]
    return _rule("every question", "Every question has a prediction.", len(asked.questions), findings)


def _used(asked: QuestionSet, predictions: Predictions) -> Iterator[tuple[Question, UsedTrial]]:
    """Every trial that a prediction saw, but the one that a step starts from, which is part of its question."""
    for question in asked.questions:
        prediction = predictions.by_id.get(question.id)
        for used in prediction.used if prediction else ():
            if question.source is None or used.nct_id != question.source.nct_id:
                yield question, used


def _own_trial(asked: QuestionSet, predictions: Predictions, evidence: Evidence) -> Rule:
    used = list(_used(asked, predictions))
    findings = []
    for question, trial in used:
        if trial.nct_id == question.nct_id:
            findings.append(Finding(question.id, f"saw its own trial, {trial.nct_id}"))
        elif evidence.programmes.get(trial.nct_id, trial.nct_id) in _programmes(question, evidence.programmes):
            findings.append(Finding(question.id, f"saw {trial.nct_id}, of its own programme"))
    why = "" if evidence.programmes or not used else "Without a corpus, programmes are those that the questions name."
    return _rule("own trial", "No question saw its own trial or one of its programme.", len(used), findings, why=why)


def _programmes(question: Question, programmes: Mapping[str, str]) -> set[str]:
    """The programme of a question as the set has it, and as the corpus has it."""
    return {question.programme, programmes.get(question.nct_id, question.nct_id)}


def _cutoff(asked: QuestionSet, predictions: Predictions, evidence: Evidence) -> Rule:
    used = [(question, trial) for question, trial in _used(asked, predictions) if question.cutoff != NO_CUTOFF]
    findings = []
    for question, trial in used:
        posted = evidence.posted.get(trial.nct_id, trial.posted)
        if not posted:
            findings.append(Finding(question.id, f"saw {trial.nct_id}, and when that was posted is not known"))
        elif _last_day(posted) > question.cutoff:
            findings.append(Finding(question.id, f"saw {trial.nct_id}, posted {posted}, after its cutoff {question.cutoff}"))
    return _rule("cutoff", "No question saw what was posted after its cutoff.", len(used), findings)


def _last_day(posted: str) -> str:
    """The latest that an ISO date of any precision may mean, for comparing."""
    return posted + "-99-99"[len(posted) - 4 :]


def _learnt(asked: QuestionSet, predictions: Predictions, evidence: Evidence) -> Rule:
    """What was learnt is known where the examples have the hash, or the base rate, that the predictions name."""
    name, says, learnt = "learnt", "Nothing was learnt from a trial that is asked, or from its programme.", evidence.learnt
    if learnt is None:
        return Rule(name, says, "not checked", why="What may be learnt from is not known without a corpus.")
    header = predictions.header
    rate = Learnt(learnt).base_rates.get(MET, NO_RATE)
    findings = []
    if header.learnt_from not in ("", learnt.sha256) or (not header.learnt_from and header.base_rate not in (rate, NO_RATE)):
        what = "it learnt from other examples than the corpus gives for these questions"
        return _rule(name, says, len(learnt.questions), [Finding("", what)], flags=True)
    own = {question.nct_id for question in asked.questions}
    programmes = {each for question in asked.questions for each in _programmes(question, evidence.programmes)}
    for example in {example.nct_id: example for example in learnt.questions}.values():
        if example.nct_id in own:
            findings.append(Finding("", f"learnt from {example.nct_id}, which is asked"))
        elif _programmes(example, evidence.programmes) & programmes:
            findings.append(Finding("", f"learnt from {example.nct_id}, of a programme that is asked"))
    return _rule(name, says, len(learnt.questions), findings)


def _trained(asked: QuestionSet, predictions: Predictions, evidence: Evidence) -> Rule:
    name, says = "training trials", "The adapter was trained on no trial that is asked, nor on its programme."
    if not predictions.header.model:
        return Rule(name, says, "held", why="It has no model.")
    if evidence.trained_on is None:
        why = "What the model was trained on is not known." if predictions.header.adapter_sha256 else "It has no adapter."
        return Rule(name, says, "not checked" if predictions.header.adapter_sha256 else "held", why=why)
    trained = evidence.trained_on | {evidence.programmes.get(nct_id, nct_id) for nct_id in evidence.trained_on}
    findings = [
        Finding(question.id, f"the adapter was trained on {question.nct_id} or its programme")
        for question in asked.questions
        if question.nct_id in trained or _programmes(question, evidence.programmes) & trained
    ]
    return _rule(name, says, len(asked.questions), findings, flags=True)


def _asked_as_given(runs: audit_prompts.Runs) -> Rule:
    name, says = "asked as given", "Every run asked its question, with its cutoff, from the trials that its prediction names."
    if not runs.found and not runs.missing:
        return Rule(name, says, "not checked", why="The predictions name no runs.")
    findings = [*runs.missing, *(finding for run in runs.found for finding in audit_prompts.asked_otherwise(run))]
    return _rule(name, says, len(runs.found), findings)


def _prompts(sent: Sequence[audit_prompts.Sent], evidence: Evidence) -> Rule:
    name, says = "prompts", "No prompt holds what was reported or posted of its target, or its id."
    prompts = sum(len(one.prompts) for one in sent)
    if not prompts:
        return Rule(name, says, "not checked", why="No prompts are kept.")
    findings = (
        finding
        for one in sent
        for finding in audit_prompts.leaks(one, evidence.reported.get(one.question.nct_id, ()), evidence.programmes)
    )
    return _rule(name, says, prompts, findings)


def _oracle(asked: QuestionSet, predictions: Predictions) -> Rule:
    name, says = "sibling oracle", "No score is near that of answering with a trial's other answers."
    compared = siblings.beside_oracle(asked, predictions)
    if not compared:
        return Rule(name, says, "not checked", why="Too few trials have several forecasts whose answers agree.")
    findings = [
        Finding("", f"has a macro-F1 on {one.kind} that is near the oracle's {one.oracle:.3f} or above it")
        for one in compared
        if one.is_suspicious
    ]
    return _rule(name, says, len(compared), findings, flags=True)
