"""What happens during a run: a closed union of frozen records. Every view, file and figure is a fold over these.

Consumers `match` on them and end in `assert_never`. Journals hold their JSON, one a line.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from deepimagine_tui.backends.protocol import ModelInfo
from deepimagine_tui.reasoning.request import ImagineRequest
from deepimagine_tui.reasoning.state import ContrastEstimate, Direction, MetEstimate, Number, Perturbation, Source, State
from deepimagine_tui.trials.factors import Factor

SCHEMA_VERSION = 1

CONTEXT_OF_USE = "Model output for hypothesis generation. Not evidence; not for patient care."
DEMO_MARK = "demo, no model"


class Event(msgspec.Struct, frozen=True, tag_field="type", kw_only=True):
    """What all events share: `seq` counts from 0 within the run; `at` is an ISO 8601 time in UTC."""

    run_id: str
    seq: int
    at: str


class RunStarted(Event, frozen=True, tag="run_started"):
    """The question and everything needed to repeat it. `calibration` says in words what the intervals are, or why there are
    none; empty in runs of before that was said."""

    request: ImagineRequest
    model: ModelInfo
    prompt_version: str
    corpus_name: str
    corpus_version: str
    data_date: str
    calibration: str = ""
    context_of_use: str = CONTEXT_OF_USE
    schema_version: int = SCHEMA_VERSION


class AnchorChosen(Event, frozen=True, tag="anchor_chosen"):
    """A pathway starts here. `similarity` and its `parts` in [0, 1] for a forecast; `None` for a what-if, whose
    anchor the user chose. `differs_in` are the factors that are walked, `unwalked` those that differ and are left out."""

    pathway: int
    state: State
    similarity: float | None = None
    parts: dict[str, float] = {}
    differs_in: tuple[Factor, ...] = ()
    unknown_factors: tuple[Factor, ...] = ()
    unwalked: tuple[Factor, ...] = ()
    seen_in_training: bool | None = None
    warnings: tuple[str, ...] = ()


class StepPlanned(Event, frozen=True, tag="step_planned"):
    """A step is ready to be asked. `prompt` is the text sent, `shortened` which rule shortened it, `opening` how the reasoning
    begins, in words that were computed and given to the model; all empty for arithmetic steps."""

    pathway: int
    step: int
    step_id: str
    perturbation: Perturbation
    source_state_id: str
    prompt: str = ""
    shortened: str = ""
    opening: str = ""
    can_be_checked: bool = False


class TokensArrived(Event, frozen=True, tag="tokens_arrived"):
    """More of the model's text. Excluded from replay equality; coalesced in journals."""

    pathway: int
    step: int
    text: str
    part: Literal["reasoning", "answer"]
    tokens: int = 1


class Revealed(msgspec.Struct, frozen=True):
    """The posted result that a step landed on, graded by the one grader against the imagined one.

    `error` is e on the scoring scale, `None` where values are not comparable (`why` says so); `direction_right` is
    `None` where either
    side has no direction, and `direction_of` says whose it is: of the value that changed, of the contrast, or of the benefit
    (`up`: the arm does better than the comparator). `brier` is (P(met) - met)^2, `None` without a posted verdict
    or a probability.
    """

    arm_value: Number | None
    comparator_value: Number | None
    met: MetEstimate | None
    source: Source
    error: float | None = None
    copy_error: float | None = None
    imagined_direction: Direction | None = None
    posted_direction: Direction | None = None
    direction_right: bool | None = None
    verdict_right: bool | None = None
    brier: float | None = None
    why: str = ""
    contrast: ContrastEstimate | None = None
    direction_of: Literal["value", "contrast", "benefit"] = "value"


class StepEstimated(Event, frozen=True, tag="step_estimated"):
    """The model answered: the new state. `kind` is `arithmetic` for enrolment, `entered` for the user's own result,
    `kept` for a step taken over from the parent run. `record` says how often the model was right about this factor on trials
    that it was not trained on; empty where no model answered. `reasoning` begins with the opening of its question."""

    pathway: int
    step: int
    step_id: str
    state: State
    kind: Literal["model", "arithmetic", "entered", "kept"]
    stated_direction: Direction | None = None
    completion: str = ""
    reasoning: str = ""
    reasoning_cut: bool = False
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    revealed: Revealed | None = None
    record: str = ""
    warnings: tuple[str, ...] = ()


class StepFailed(Event, frozen=True, tag="step_failed"):
    """The step has no answer: `kind` says whether the model stopped, wrote no readable answer, or the prompt cannot fit."""

    pathway: int
    step: int
    step_id: str
    kind: Literal["model stopped", "no answer", "too long"]
    message: str
    hint: str = ""
    completion: str = ""
    restartable: bool = False


class PathwayDone(Event, frozen=True, tag="pathway_done"):
    """A pathway ended, at the target (`complete`) or before it."""

    pathway: int
    complete: bool
    steps: int
    final_state_id: str


class PathwayShare(msgspec.Struct, frozen=True):
    """What one pathway gave to the aggregate."""

    pathway: int
    nct_id: str
    similarity: float | None
    weight: float
    value: float | None
    probability: float | None
    verdict: str


class Aggregated(Event, frozen=True, tag="aggregated"):
    """All pathways together: similarity-weighted median on g, mean logit of P(met), spread as IQR on g.

    `agreement` counts pathways with the majority verdict of `answered`. `anchors_met` of `anchors_with_verdict`
    anchors were met;
    `comparator_rule` says what the rule "met iff the comparator is placebo, sham or no intervention" answers for this target.
    `revealed` is the target's posted result, where it has one, read only after everything above was settled. `record` says how
    often the model's forecasts were right.
    """

    arm_value: Number | None
    comparator_value: Number | None
    met: MetEstimate | None
    spread_lower: float | None
    spread_upper: float | None
    answered: int
    agreement: int
    anchors_met: int
    anchors_with_verdict: int
    comparator_rule: str
    shares: tuple[PathwayShare, ...]
    contrast: ContrastEstimate | None = None
    revealed: Revealed | None = None
    record: str = ""
    warnings: tuple[str, ...] = ()


class RunFinished(Event, frozen=True, tag="run_finished"):
    """The terminal event. `no_answer` covers abstaining: `message` says why, `nearest` names what was closest."""

    outcome: Literal["answered", "no_answer", "cancelled", "failed"]
    message: str = ""
    hint: str = ""
    nearest: tuple[str, ...] = ()
    seconds: float = 0.0


ReasoningEvent = (
    RunStarted
    | AnchorChosen
    | StepPlanned
    | TokensArrived
    | StepEstimated
    | StepFailed
    | PathwayDone
    | Aggregated
    | RunFinished
)
