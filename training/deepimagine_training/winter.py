"""Scoring CT Open's superiority questions: by rules, by a TF-IDF logistic regression, and by forecast chains of a model.

Models are chosen on held-out registry trials and never here; each scoring is entered into the ledger
(`evaluation.ledger`), so that everybody sees how often the set was looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

import msgspec

from deepimagine_training.clinifact import ClaimFile, assumed_met, configuration_of
from deepimagine_tui.backends.protocol import ModelBackend, ModelInfo
from deepimagine_tui.corpus.store import Corpus
from deepimagine_tui.errors import BadInputError, CancelledError, ModelError, RefusedError
from deepimagine_tui.evaluation.comparisons import comparisons_of
from deepimagine_tui.evaluation.ledger import Verdicts, verdicts
from deepimagine_tui.evaluation.predictions import Header, Prediction, Predictions
from deepimagine_tui.evaluation.questions import Question, QuestionSet
from deepimagine_tui.extras import extra
from deepimagine_tui.files import make_dir, storage_error, write_bytes
from deepimagine_tui.reasoning.anchors import CorpusAnchors
from deepimagine_tui.reasoning.engine import imagine
from deepimagine_tui.reasoning.events import Aggregated, RunFinished
from deepimagine_tui.reasoning.ids import new_run_id
from deepimagine_tui.reasoning.request import Forecast, ImagineRequest, ImagineSettings
from deepimagine_tui.reasoning.state import ArmSpec, Configuration

CUTOFF = "2025-01-31"
"""The last day before the set's own cutoff: no anchor was posted later."""
INERT = frozenset({"placebo", "sham", "no intervention"})
_INERT_TYPES = frozenset({"placebo comparator", "sham comparator", "no intervention"})
SETTINGS = ImagineSettings(temperature=0.0, max_reasoning_tokens=64)
ANSWERS = "answers.jsonl"

_AT_ONCE = 4
"""Questions whose pathways are decoded together: with seven anchors each as many sequences as a batch holds well."""


class Forecasted(msgspec.Struct, frozen=True):
    """P(met) of a question, and whether it is the base rate for want of an anchor or an answer."""

    id: str
    probability: float
    fallback: bool = False


class Comparison(NamedTuple):
    """A posted comparison with a verdict, to learn from."""

    nct_id: str
    title: str
    configuration: Configuration
    met: bool


class _Begun(msgspec.Struct, frozen=True):
    """What the kept answers are of."""

    data_sha256: str
    model_sha256: str
    adapter_sha256: str
    corpus_version: str
    anchors: int
    settings: ImagineSettings


def predictions(
    asked: QuestionSet, system: str, forecasts: Mapping[str, Forecasted], info: ModelInfo | None = None, corpus: str = ""
) -> Predictions:
    """Forecasts as predictions of a set.

    Raises:
        BadInputError: a question has no forecast.
    """
    missing = [question.id for question in asked.questions if question.id not in forecasts]
    if missing:
        raise BadInputError(f"{len(missing):,} questions have no forecast.", "Every question counts: forecast them all.")
    header = Header(
        system=system,
        what=system,
        set_name=asked.name,
        set_sha256=asked.sha256,
        questions=len(asked.questions),
        model=info.name if info else "",
        model_sha256=info.sha256 if info else "",
        adapter_sha256=info.adapter_sha256 if info else "",
        corpus=corpus,
    )
    found = {}
    for question in asked.questions:
        one = forecasts[question.id]
        shares = (one.probability, 1 - one.probability)
        found[question.id] = Prediction(
            question_id=question.id, probabilities=shares, fallback="no anchor" if one.fallback else ""
        )
    return Predictions(header, found)


def score(asked: QuestionSet, forecasts: Mapping[str, Forecasted]) -> Verdicts:
    """The scores of forecasts of every question.

    Raises:
        BadInputError: a question has no forecast.
    """
    return verdicts(asked, predictions(asked, "", forecasts))["superiority"]


def superiority(asked: QuestionSet) -> QuestionSet:
    """The superiority questions of a set: did the study arm achieve a significant improvement over the comparator.

    Raises:
        BadInputError: there is none.
    """
    found = asked.take(frozenset(question.id for question in asked.questions if question.kind == "superiority"))
    if not found.questions:
        raise BadInputError(f"{asked.name} holds no superiority question.", "Name a published question set of CT Open.")
    return found


def comparator_rule(asked: QuestionSet) -> dict[str, Forecasted]:
    """Met exactly where the comparator is registered as placebo, sham or no intervention."""
    return {one.id: Forecasted(one.id, float(one.comparator_type in _INERT_TYPES)) for one in asked.questions}


def always_met(asked: QuestionSet) -> dict[str, Forecasted]:
    """The commoner verdict of such questions."""
    return {one.id: Forecasted(one.id, 1.0) for one in asked.questions}


def comparisons(corpus: Corpus, left_out: Iterable[str], cancel: Event) -> list[Comparison]:
    """Every posted comparison of a randomised trial with a verdict whose arm is no control, each arm, comparator, outcome and
    time once; none of the trials `left_out` or of their programmes.

    Raises:
        CancelledError: `cancel` was set.
        BadInputError: there is none.
    """
    barred = {key for nct_id in left_out if corpus.has(nct_id) for key in corpus.programmes(nct_id)}
    own = set(left_out)
    found: dict[tuple[object, ...], Comparison] = {}
    for nct_id in corpus.nct_ids():
        if cancel.is_set():
            raise CancelledError("Reading comparisons was stopped.")
        trial = corpus.get(nct_id)
        if trial.allocation != "randomized" or nct_id in own or corpus.programmes(nct_id) & barred:
            continue
        for state in comparisons_of(trial):
            at = state.configuration
            if state.met is None or state.met.verdict == "undetermined" or at.arm.control in INERT:
                continue
            key = (nct_id, at.arm.label, _label(at.comparator), at.outcome.title, at.time)
            found[key] = Comparison(nct_id, trial.title, at, state.met.verdict == "met")
    if not found:
        raise BadInputError(f"{corpus.name} holds no comparison with a verdict.", "Import trials with results.")
    return list(found.values())


def assumed(files: Iterable[ClaimFile], left_out: Iterable[str], corpus: Corpus) -> list[Comparison]:
    """CliniFact's superiority claims of other trials than those `left_out` and those of `corpus`, for the regression alone: a
    significant p-value, which has no sign there, is taken to favour the intervention."""
    own = set(left_out)
    found = []
    for claim in (claim for file in files for claim in file.claims):
        met = assumed_met(claim)
        if met is not None and claim.nct_id not in own and not corpus.has(claim.nct_id):
            found.append(Comparison(claim.nct_id, "", configuration_of(claim), met))
    return found


def logistic_regression(learnt: Sequence[Comparison], asked: QuestionSet) -> dict[str, Forecasted]:
    """A logistic regression (L2, C = 1, both verdicts weighing the same, each trial 1) on TF-IDF of words and word pairs, apart
    for the arm, the comparator (with its kind) and the outcome (with its role).

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    text, linear, sparse = (extra(name) for name in ("sklearn.feature_extraction.text", "sklearn.linear_model", "scipy.sparse"))
    train = [_texts(one.title, one.configuration) for one in learnt]
    wanted = [_texts(one.title, one.target) for one in asked.questions]
    columns: list[tuple[Any, Any]] = []
    for part in range(len(train[0])):
        words = text.TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
        columns.append((words.fit_transform([each[part] for each in train]), words.transform([each[part] for each in wanted])))
    weights = Counter(one.nct_id for one in learnt)
    model = linear.LogisticRegression(C=1.0, max_iter=2000, class_weight="balanced").fit(
        sparse.hstack([first for first, _ in columns]).tocsr(),
        [one.met for one in learnt],
        sample_weight=[1 / weights[one.nct_id] for one in learnt],
    )
    shares = model.predict_proba(sparse.hstack([second for _, second in columns]).tocsr())[:, 1]
    return {one.id: Forecasted(one.id, float(share)) for one, share in zip(asked.questions, shares, strict=True)}


def chains(
    asked: QuestionSet,
    backend: ModelBackend,
    corpus: Corpus,
    base_rate: float,
    folder: Path,
    cancel: Event,
    anchors: int = 7,
    told: Callable[[str], object] = lambda text: None,
) -> dict[str, Forecasted]:
    """P(met) by the engine's forecasts, walked from `anchors` anchors of `corpus`; kept in `folder` as they come, and gone on
    with. Where there is no anchor or no answer, it is `base_rate`.

    Raises:
        RefusedError: the folder holds answers of another model, corpus or setting; or the model is the demo.
        BadInputError: they are damaged.
        ModelError: the model cannot answer.
        CancelledError: `cancel` was set; what was answered is kept.
        StorageError: they cannot be written.
    """
    backend.count_tokens([""])
    info = backend.info
    if info.demo:
        raise RefusedError("The demo has no model, so there is nothing to score.", "Name a model with --model.")
    source = CorpusAnchors(corpus)
    begun = _Begun(asked.sha256, info.sha256, info.adapter_sha256, source.version, anchors, SETTINGS)
    path = folder / ANSWERS
    found = _begin(path, begun)
    left = [question for question in asked.questions if question.id not in found]
    for at in range(0, len(left), _AT_ONCE):
        some = left[at : at + _AT_ONCE]
        answers = list(_forecast(some, backend, source, base_rate, anchors, cancel))
        if cancel.is_set():
            raise CancelledError("Forecasting was stopped.", "The same command goes on from there.")
        try:
            with path.open("ab") as stream:
                stream.write(b"".join(msgspec.json.encode(answer) + b"\n" for answer in answers))
        except OSError as error:
            raise storage_error(path, error) from error
        found.update((answer.id, answer) for answer in answers)
        told(f"{len(found):,} of {len(asked.questions):,} questions")
    return found


def _forecast(
    some: Sequence[Question],
    backend: ModelBackend,
    source: CorpusAnchors,
    base_rate: float,
    anchors: int,
    cancel: Event,
) -> Iterator[Forecasted]:
    requests = {new_run_id(): question for question in some}
    asked = [
        ImagineRequest(run_id, Forecast(question.target, question.nct_id, CUTOFF, anchors), SETTINGS)
        for run_id, question in requests.items()
    ]
    probabilities: dict[str, float | None] = {}
    for event in imagine(asked, backend, source, cancel):
        match event:
            case Aggregated(run_id=run_id, met=met):
                probabilities[run_id] = met.probability if met is not None else None
            case RunFinished(outcome="failed", message=message, hint=hint):
                raise ModelError(message, hint)
            case _:
                continue
    for run_id, question in requests.items():
        share = probabilities.get(run_id)
        yield Forecasted(question.id, base_rate if share is None else share, share is None)


def _begin(path: Path, begun: _Begun) -> dict[str, Forecasted]:
    if not path.exists():
        make_dir(path.parent)
        write_bytes(path, msgspec.json.encode(begun) + b"\n")
        return {}
    lines = path.read_bytes().splitlines(keepends=True)
    whole = [line for line in lines if line.endswith(b"\n")]
    try:
        before = msgspec.json.decode(whole[0], type=_Begun)
        answers = [msgspec.json.decode(line, type=Forecasted) for line in whole[1:]]
    except (msgspec.MsgspecError, IndexError) as error:
        raise BadInputError(f"{path} is damaged ({error}).", "Name another folder with --out.") from error
    if before != begun:
        raise RefusedError(f"{path} holds answers of another model, corpus or setting.", "Name another folder with --out.")
    if len(whole) < len(lines):
        write_bytes(path, b"".join(whole))
    return {answer.id: answer for answer in answers}


def _texts(title: str, configuration: Configuration) -> tuple[str, str, str]:
    arm, comparator, outcome = configuration.arm, configuration.comparator, configuration.outcome
    time = configuration.time.text if configuration.time else ""
    kind = f"kind_{_control(comparator)}".replace(" ", "_")
    against = comparator.interventions if comparator is not None else ()
    return (
        " ".join((arm.label, *arm.interventions)),
        " ".join((_label(comparator), *against, kind)),
        " ".join((title, outcome.title, time, f"role_{outcome.role}")),
    )


def _control(comparator: ArmSpec | None) -> str:
    return comparator.control if comparator is not None else "none"


def _label(comparator: ArmSpec | None) -> str:
    return comparator.label if comparator is not None else ""
