"""The audit of a finished run: an honest one is clean, every rule is broken by a planted leak, and no prompt holds a report."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import msgspec
import pytest
from deepimagine_training.inputs import opened
from msgspec.structs import replace

from deepimagine_tui.backends.protocol import GenerationEvent, GenerationRequest
from deepimagine_tui.backends.scripted import ScriptedOutput, rule_answers
from deepimagine_tui.corpus.store import Corpus
from deepimagine_tui.errors import BadInputError, ExitCode
from deepimagine_tui.evaluation import audit, ct_open, predictions, runner, systems
from deepimagine_tui.evaluation.asking import ASKED
from deepimagine_tui.evaluation.audit import Audit, Evidence, Rule
from deepimagine_tui.evaluation.forecasts_of_corpus import forecasts, set_of
from deepimagine_tui.evaluation.predictions import Prediction, Predictions, UsedTrial
from deepimagine_tui.evaluation.questions import Key, QuestionSet
from deepimagine_tui.evaluation.siblings import oracle
from deepimagine_tui.evaluation.system import Learnt
from deepimagine_tui.reasoning.anchors import CorpusAnchors
from deepimagine_tui.reasoning.events import AnchorChosen, ReasoningEvent, RunStarted, StepPlanned
from deepimagine_tui.reasoning.journal import SUFFIX, Journal, read_events
from deepimagine_tui.reasoning.request import Forecast
from tests.cli.conftest import Cli, cli, plain_environment
from tests.evaluation.ct_open_made import ARM, SECRET, endpoint, other_records, record, superiority_records, written
from tests.evaluation.made_questions import asked as made_question
from tests.training.answering import Told
from tests.training.made import many_trials, write
from tests.training.test_clinifact import claims
from tests.training.test_clinifact import row as claim

__all__ = ["cli", "plain_environment"]

MODELS = ("direct", "rag", "deepimagine")


class Listening(Told):
    """A model by rule that keeps every prompt it is sent."""

    def __init__(self) -> None:
        super().__init__(lambda request: ScriptedOutput(" So.", rule_answers(request)))
        self.prompts: list[str] = []

    def generate(self, batch: list[GenerationRequest], cancel: Event) -> Iterator[GenerationEvent]:  # type: ignore[override]
        self.prompts += [request.prompt for request in batch]
        yield from super().generate(batch, cancel)


@dataclass(frozen=True)
class Done:
    """A finished run with everything that it is audited by."""

    asked: QuestionSet
    said: Predictions
    folder: Path
    evidence: Evidence

    def audit(self, said: Predictions | None = None, **change: object) -> dict[str, Rule]:
        """The rules by name, with other predictions or evidence."""
        found = audit.audit(self.asked, said or self.said, self.folder, replace(self.evidence, **change))
        return {rule.name: rule for rule in found.rules}

    def with_first(self, **change: object) -> Predictions:
        """The predictions with another one of the first question that used a trial."""
        first = next(one for one in self.said.by_id.values() if one.used and one.run_id)
        return Predictions(self.said.header, self.said.by_id | {first.question_id: replace(first, **change)})


Rewriting = Callable[[Done, Mapping[type, object]], Done]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Corpus]:
    folder = tmp_path_factory.mktemp("records")
    with opened(str(write(folder / "made", many_trials(12))), folder, Event()) as found:
        yield found


def run_of(asked: QuestionSet, learnt: Learnt, corpus: Corpus, folder: Path) -> Predictions:
    needs = systems.Needs(learnt=learnt, model=Listening(), source=CorpusAnchors(corpus), anchors=2, folder=folder)
    return runner.run(systems.make("deepimagine", needs), asked, folder, Event())


@pytest.fixture(scope="module")
def ct_open_run(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Done:
    """The engine's forecasts of CT Open's questions."""
    folder = tmp_path_factory.mktemp("ct-open")
    path = written(folder / "winter_2025.pickle", {**superiority_records(), **other_records()})
    asked = ct_open.read(path)
    learnt = Learnt(forecasts(corpus, Event(), [question.nct_id for question in asked.questions]))
    said = run_of(asked, learnt, corpus, folder)
    evidence = replace(
        audit.evidence_of(corpus, said, Event()),
        learnt=learnt.examples,
        reported=ct_open.reported_texts(path),
        trained_on=frozenset({"NCT00000001"}),
    )
    return Done(asked, said, folder, evidence)


@pytest.fixture(scope="module")
def corpus_run(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Done:
    """The engine's forecasts of posted comparisons, learnt from trials of other programmes."""
    folder = tmp_path_factory.mktemp("forecasts")
    everything = forecasts(corpus, Event())
    some = {question.programme for question in everything.questions[:20]}
    asked = everything.take(frozenset(one.id for one in everything.questions if one.programme in some))
    left = forecasts(corpus, Event(), [question.nct_id for question in asked.questions])
    said = run_of(asked, Learnt(left), corpus, folder)
    return Done(asked, said, folder, replace(audit.evidence_of(corpus, said, Event()), learnt=left, trained_on=frozenset()))


@pytest.fixture
def rewritten(tmp_path: Path) -> Rewriting:
    """Copies a run with the events of every journal changed."""

    def rewrite(done: Done, change: Mapping[type, object]) -> Done:
        folder = tmp_path / "copy"
        for path in (done.folder / runner.RUNS).glob(f"*{SUFFIX}"):
            with Journal(folder / runner.RUNS / path.name) as journal:
                for event in read_events(path).events:
                    journal.write(changed(event, change))
        return Done(done.asked, done.said, folder, done.evidence)

    return rewrite


def changed(event: ReasoningEvent, change: Mapping[type, object]) -> ReasoningEvent:
    alter = change.get(type(event))
    return alter(event) if callable(alter) else event


def told(text: str) -> Mapping[type, object]:
    """Adds a text to every prompt."""
    return {StepPlanned: lambda event: replace(event, prompt=f"{event.prompt} {text}") if event.prompt else event}


def test_an_honest_run_is_clean(ct_open_run: Done, corpus_run: Done):
    for done in (ct_open_run, corpus_run):
        found = audit.audit(done.asked, done.said, done.folder, done.evidence)
        assert {rule.name: rule.findings for rule in found.rules if rule.findings} == {}
        assert found.is_clean
        assert not found.is_broken
        rules = {rule.name: rule for rule in found.rules}
        for name in ("every question", "own trial", "cutoff", "learnt", "training trials", "asked as given", "prompts"):
            assert (name, rules[name].state) == (name, "held")
            assert rules[name].checked


def test_the_own_trial_and_its_programme(corpus_run: Done, ct_open_run: Done):
    for done in (ct_open_run, corpus_run):
        first = next(one for one in done.said.by_id.values() if one.used and one.run_id)
        nct_id = next(one.nct_id for one in done.asked.questions if one.id == first.question_id)
        rule = done.audit(done.with_first(used=(*first.used, UsedTrial(nct_id, "2009-01-01"))))["own trial"]
        assert (rule.state, rule.findings[0].question_id) == ("broken", first.question_id)
    programmes = corpus_run.evidence.programmes
    nct_id, sibling = next(
        (question.nct_id, other)
        for question in corpus_run.asked.questions
        for other, programme in programmes.items()
        if programme == question.programme and other != question.nct_id
    )
    question = next(one for one in corpus_run.asked.questions if one.nct_id == nct_id)
    said = Prediction(question_id=question.id, probabilities=(0.5, 0.5), used=(UsedTrial(sibling, "2001-01-01"),))
    rule = corpus_run.audit(Predictions(corpus_run.said.header, corpus_run.said.by_id | {question.id: said}))["own trial"]
    assert [finding.what for finding in rule.findings] == [f"saw {sibling}, of its own programme"]


@pytest.mark.parametrize(
    ("posted", "says"), [("2025-02-01", "after"), ("2025-02", "after"), ("2025", "after"), ("", "not known")]
)
def test_what_was_posted_after_the_cutoff(ct_open_run: Done, posted: str, says: str):
    said = ct_open_run.with_first(used=(UsedTrial("NCT55555555", posted),))
    rule = ct_open_run.audit(said)["cutoff"]
    assert rule.state == "broken"
    assert says in rule.findings[0].what
    before = ct_open_run.with_first(used=(UsedTrial("NCT55555555", "2024-12"),))
    assert ct_open_run.audit(before)["cutoff"].state == "held"


def test_a_date_in_the_journal_does_not_hide_the_registrys(ct_open_run: Done):
    used = next(iter(ct_open_run.evidence.posted))
    said = ct_open_run.with_first(used=(UsedTrial(used, "2001-01-01"),))
    assert ct_open_run.audit(said)["cutoff"].state == "held"
    later = ct_open_run.evidence.posted | {used: "2025-06-01"}
    assert ct_open_run.audit(said, posted=later)["cutoff"].state == "broken"


def test_what_was_learnt_from(corpus_run: Done):
    learnt = corpus_run.evidence.learnt
    assert learnt is not None
    header = replace(corpus_run.said.header, learnt_from=learnt.sha256)
    said = Predictions(header, corpus_run.said.by_id)
    assert corpus_run.audit(said)["learnt"].state == "held"
    leaking = replace(learnt, questions=(*learnt.questions, corpus_run.asked.questions[0]))
    leaking = replace(leaking, keys=learnt.keys | corpus_run.asked.keys)
    rule = corpus_run.audit(said, learnt=leaking)["learnt"]
    assert (rule.state, rule.findings[0].what) == (
        "broken",
        f"learnt from {corpus_run.asked.questions[0].nct_id}, which is asked",
    )
    sibling = replace(corpus_run.asked.questions[0], nct_id="NCT55555555")
    rule = corpus_run.audit(said, learnt=replace(leaking, questions=(*learnt.questions, sibling)))["learnt"]
    assert "of a programme that is asked" in rule.findings[0].what
    other = Predictions(replace(header, learnt_from="0" * 64), corpus_run.said.by_id)
    assert corpus_run.audit(other)["learnt"].state == "flagged"
    rate = Predictions(replace(header, learnt_from="", base_rate=0.123), corpus_run.said.by_id)
    assert corpus_run.audit(rate)["learnt"].state == "flagged"
    assert corpus_run.audit(said, learnt=None)["learnt"].state == "not checked"


def test_trials_of_training_are_flagged_by_question(corpus_run: Done):
    nct_id = corpus_run.asked.questions[0].nct_id
    own = {question.id for question in corpus_run.asked.questions if question.nct_id == nct_id}
    rule = corpus_run.audit(trained_on=frozenset({nct_id}))["training trials"]
    assert rule.state == "flagged"
    assert own <= {finding.question_id for finding in rule.findings}
    assert corpus_run.audit(trained_on=None)["training trials"].state == "not checked"
    base = Predictions(replace(corpus_run.said.header, adapter_sha256=""), corpus_run.said.by_id)
    assert corpus_run.audit(base, trained_on=None)["training trials"].state == "held"


def test_a_missing_prediction_or_run(corpus_run: Done):
    some = dict(corpus_run.said.by_id)
    gone = some.popitem()[0]
    rule = corpus_run.audit(Predictions(corpus_run.said.header, some))["every question"]
    assert [finding.question_id for finding in rule.findings] == [gone]
    rule = corpus_run.audit(corpus_run.with_first(run_id="0190-none"))["asked as given"]
    assert "is not there" in rule.findings[0].what


def test_a_run_that_asked_something_else(corpus_run: Done, rewritten: Rewriting):
    def asks(**change: object) -> Mapping[type, object]:
        def alter(event: RunStarted) -> RunStarted:
            assert isinstance(event.request.question, Forecast)
            return replace(event, request=replace(event.request, question=replace(event.request.question, **change)))

        return {RunStarted: alter}

    other = corpus_run.asked.questions[0].target
    changes = (
        asks(cutoff="2026-01-01"),
        asks(nct_id="NCT55555555"),
        asks(target=replace(other, arm=replace(other.arm, label="x"))),
        {AnchorChosen: lambda event: replace(event, state=replace(event.state, nct_id="NCT55555555"))},
    )
    for number, (change, says) in enumerate(zip(changes, ("cutoff", "is of", "target", "starts from"), strict=True)):
        done = rewritten(Done(corpus_run.asked, corpus_run.said, corpus_run.folder, corpus_run.evidence), change)
        rule = done.audit()["asked as given"]
        assert (number, rule.state) == (number, "broken")
        assert any(says in finding.what for finding in rule.findings)
        for path in (done.folder / runner.RUNS).iterdir():
            path.unlink()


@pytest.mark.parametrize("leak", ["And then " + SECRET + " again.", "(NCT09000000, NCT09000002)"])
def test_a_report_or_an_id_in_a_prompt(ct_open_run: Done, rewritten: Rewriting, leak: str):
    assert ct_open_run.audit()["prompts"].checked > 2
    rule = rewritten(ct_open_run, told(leak)).audit()["prompts"]
    assert rule.state == "broken"


def test_part_of_a_long_report_is_found_and_the_questions_own_words_are_not(ct_open_run: Done, rewritten: Rewriting):
    long = "The primary endpoint of change from baseline in HbA1c was met at week 24 with a p value of 0.003 in all."
    reported = {question.nct_id: (long,) for question in ct_open_run.asked.questions}
    part = "It says: endpoint of change from baseline in hba1c was met, and more."
    assert rewritten(ct_open_run, told(part)).audit(reported=reported)["prompts"].state == "broken"
    own = {question.nct_id: (question.title, ARM) for question in ct_open_run.asked.questions}
    assert ct_open_run.audit(reported=own)["prompts"].state == "held"


def test_a_posted_number_in_a_prompt(corpus_run: Done, rewritten: Rewriting):
    keys = {
        name: replace(key, target=replace(key.target, arm_value=replace(key.target.arm_value, value=77.7731)))
        for name, key in corpus_run.asked.keys.items()
        if key.target is not None and key.target.arm_value is not None
    }
    asked = replace(corpus_run.asked, keys=corpus_run.asked.keys | keys)
    done = rewritten(Done(asked, corpus_run.said, corpus_run.folder, corpus_run.evidence), told("HbA1c: 77.7731"))
    rule = done.audit()["prompts"]
    assert rule.state == "broken"
    assert {finding.what for finding in rule.findings} == {"a prompt holds 77.7731, which its target posted"}


@pytest.mark.parametrize("system", ["direct", "rag"])
def test_prompts_that_no_run_keeps_are_read_too(corpus: Corpus, corpus_run: Done, tmp_path: Path, system: str):
    learnt = corpus_run.evidence.learnt
    assert learnt is not None
    model = Listening()
    needs = systems.Needs(learnt=Learnt(learnt), model=model, source=CorpusAnchors(corpus), anchors=2, folder=tmp_path)
    said = runner.run(systems.make(system, needs), corpus_run.asked, tmp_path, Event())
    evidence = replace(audit.evidence_of(corpus, said, Event()), learnt=learnt, trained_on=frozenset())
    done = Done(corpus_run.asked, said, tmp_path, evidence)
    rules = done.audit()
    assert {name for name, rule in rules.items() if rule.findings} == set()
    assert (rules["prompts"].state, rules["prompts"].checked) == ("held", len(model.prompts))
    path = tmp_path / ASKED
    lines = path.read_text().splitlines()
    first = json.loads(lines[-1])
    question = next(one for one in done.asked.questions if one.id == first["id"].partition("#")[0])
    for leak in (question.nct_id, "99.4321"):
        key = done.asked.key(question)
        assert key.target is not None
        assert key.target.arm_value is not None
        posted = replace(key, target=replace(key.target, arm_value=replace(key.target.arm_value, value=99.4321)))
        leaking = replace(done.asked, keys=done.asked.keys | {question.id: posted})
        planted = json.dumps(first | {"prompt": f"{first['prompt']} {leak}"})
        path.write_text("\n".join([*lines[:-1], planted]) + "\n")
        rule = replace_asked(done, leaking).audit()["prompts"]
        assert (rule.state, rule.findings[0].question_id) == ("broken", question.id)
        assert leak in rule.findings[0].what


def replace_asked(done: Done, asked: QuestionSet) -> Done:
    return Done(asked, done.said, done.folder, done.evidence)


def test_a_score_that_only_siblings_explain_is_flagged(tmp_path: Path):
    questions = [made_question(trial, outcome=f"Outcome {each}") for trial in range(10) for each in range(3)]
    answers = {one.id: "met" if (at // 3) % 2 else "not met" for at, one in enumerate(questions)}
    answers[questions[0].id] = "met"

    def said(choices: Mapping[str, str], truth: Mapping[str, str] = answers) -> dict[str, Rule]:
        asked = set_of("made", [(one, Key(question_id=one.id, answer=truth[one.id])) for one in questions])
        header = predictions.Header(system="x", what="x", set_name="made", set_sha256=asked.sha256, questions=len(questions))
        found = {
            name: Prediction(question_id=name, probabilities=(1.0, 0.0) if choice == "met" else (0.0, 1.0))
            for name, choice in choices.items()
        }
        report = audit.audit(asked, Predictions(header, found), tmp_path, Evidence())
        return {rule.name: rule for rule in report.rules}

    siblings = dict(zip(answers, oracle(questions, list(answers.values())), strict=True))
    assert siblings[questions[0].id] == "not met"
    assert siblings[questions[29].id] == "met"
    assert said(siblings)["sibling oracle"].state == "flagged"
    assert said(answers)["sibling oracle"].state == "flagged"
    weak = {name: answer if at % 3 else "met" for at, (name, answer) in enumerate(answers.items())}
    assert said(weak)["sibling oracle"].state == "held"
    turned = {name: "met" if at % 3 == 0 else "not met" for at, name in enumerate(answers)}
    assert said(turned, turned)["sibling oracle"].state == "not checked", "where siblings disagree, they betray nothing"


def test_the_published_oracle_comes_out(shared_data: Path):
    """The oracle's macro-F1 on Winter as published: no system is scored."""
    import numpy as np

    from deepimagine_tui.evaluation.intervals import macro_f1

    asked = ct_open.read(shared_data / "ct_open" / "Winter_2025.pickle")
    questions = [question for question in asked.questions if question.kind == "superiority"]
    truth = [asked.key(question).answer or "" for question in questions]
    found = macro_f1(truth, oracle(questions, truth), ("met", "not met"))(np.ones((1, len(truth))))[0]
    assert round(100 * found, 1) == 76.4


def test_predictions_of_another_set_are_refused(ct_open_run: Done, corpus_run: Done):
    with pytest.raises(BadInputError, match="holds predictions of"):
        audit.audit(corpus_run.asked, ct_open_run.said, ct_open_run.folder, Evidence())


@pytest.mark.parametrize("system", MODELS)
def test_no_prompt_of_a_run_over_ct_open_holds_a_report(corpus: Corpus, tmp_path: Path, system: str):
    """A canary is planted in everything that is an answer, and every prompt of the run is searched for it."""
    records = {**superiority_records(), **other_records(), ("NCT09000031", endpoint("HbA1c")): record(1)}
    asked = ct_open.read(written(tmp_path / "winter_2025.pickle", records))
    model = Listening()
    learnt = Learnt(forecasts(corpus, Event()))
    needs = systems.Needs(learnt=learnt, model=model, source=CorpusAnchors(corpus), anchors=2, folder=tmp_path / "out")
    said = runner.run(systems.make(system, needs), asked, tmp_path / "out", Event())
    assert said.is_complete
    assert len(model.prompts) >= len(asked.questions) // 2
    assert any(ARM in prompt for prompt in model.prompts)
    kept = [path.read_text() for path in (tmp_path / "out").rglob("*.jsonl")]
    assert kept
    for text in (*model.prompts, *kept):
        assert SECRET not in text
        assert "canary" not in text
        assert "2025-03-01" not in text


def test_the_command_says_what_it_found(ct_open_run: Done, corpus: Corpus, tmp_path: Path, cli: Cli):
    path = ct_open_run.folder / "winter_2025.pickle"
    records = write(tmp_path / "records", many_trials(12))
    database = tmp_path / "made.db"
    assert cli("corpus", "import", records, "--corpus", database).code == ExitCode.OK
    folder = tmp_path / "out"
    assert cli("evaluate", "run", path, "--system", "copy-anchor", "--corpus", database, "--out", folder).code == ExitCode.OK
    told = cli("evaluate", "audit", path, folder, "--corpus", database)
    assert told.code == ExitCode.OK, told.err
    assert "own trial" in told.out
    journal = folder / "predictions.jsonl"
    lines = journal.read_text().splitlines()
    first = json.loads(lines[1])
    first["used"] = [{"nct_id": first["question_id"].split("/")[0], "posted": "2012-01-01", "similarity": 1.0}]
    journal.write_text("\n".join([lines[0], json.dumps(first), *lines[2:]]) + "\n")
    told = cli("evaluate", "audit", path, folder, "--corpus", database)
    assert told.code == ExitCode.REFUSED
    assert "BROKEN" in told.out
    told = cli("evaluate", "audit", path, folder, "--corpus", database, "--json")
    assert told.code == ExitCode.REFUSED
    found = msgspec.convert(told.json["audit"], Audit)
    assert found.is_broken
    assert [rule.name for rule in found.rules if rule.state == "broken"] == ["own trial"]


def test_what_claims_taught_has_to_be_named(ct_open_run: Done, tmp_path: Path, cli: Cli):
    path = ct_open_run.folder / "winter_2025.pickle"
    database, folder = tmp_path / "made.db", tmp_path / "out"
    assert cli("corpus", "import", write(tmp_path / "records", many_trials(12)), "--corpus", database).code == ExitCode.OK
    claims(tmp_path, claim("NCT99200001", pValues="['0.001']"), claim("NCT09000000", pValues="['0.4']"))
    taught = ("--clinifact", next(tmp_path.glob("*.csv")))
    told = cli("evaluate", "run", path, "--system", "majority", "--corpus", database, "--out", folder, *taught)
    assert told.code == ExitCode.OK, told.err
    told = cli("evaluate", "audit", path, folder, "--corpus", database)
    assert told.code == ExitCode.REFUSED
    assert "learnt from other examples" in told.out
    told = cli("evaluate", "audit", path, folder, "--corpus", database, *taught)
    assert told.code == ExitCode.OK, told.out
