"""What can be asked of the engine, with everything needed to ask it again."""

from __future__ import annotations

import msgspec

from deepimagine_tui.reasoning.state import Configuration, Estimand, Perturbation, State

DEFAULT_ANCHORS = 7


class AnchorRef(msgspec.Struct, frozen=True):
    """An observed state by its place in the registry: k1 and k2 are result groups of one outcome. Where the arms are classes
    of one group, both ids name that group, `class_title` is k1 and `comparator_class_title` k2."""

    nct_id: str
    outcome_id: str
    arm_group_id: str
    comparator_group_id: str | None
    class_title: str = ""
    category: str = ""
    comparator_class_title: str = ""


class StepEdit(msgspec.Struct, frozen=True):
    """The user's own result for the state that `step` (from 0) of a what-if leads to; everything after it says so."""

    step: int
    arm_value: float
    comparator_value: float | None = None


class WhatIf(msgspec.Struct, frozen=True, tag="what-if"):
    """Start at a posted result and stack perturbations, walked in the order given."""

    anchor: AnchorRef
    perturbations: tuple[Perturbation, ...]
    edits: tuple[StepEdit, ...] = ()


class Forecast(msgspec.Struct, frozen=True, tag="forecast"):
    """Walk from `k` retrieved anchors to one target.

    `nct_id` is the registered target, `None` for one made up by the user. `cutoff` (ISO date): nothing posted after it is used.
    `drop` lists trials that the user took out of the anchors.
    """

    target: Configuration
    nct_id: str | None
    cutoff: str
    k: int = DEFAULT_ANCHORS
    drop: tuple[str, ...] = ()


class ImagineSettings(msgspec.Struct, frozen=True):
    """How to ask. `seed` is 0 to 2**32-1; `samples` walks each what-if path that often with derived seeds.

    `max_steps` are the steps of a forecast's pathway that are walked, the most consequential ones (see `lean`); 0 walks all.
    `max_prompt_tokens` shortens prompts until they fit it, as far as they can be; 0 leaves it to the model's context.
    """

    seed: int = 7
    temperature: float = 0.7
    top_p: float = 0.95
    max_reasoning_tokens: int = 96
    samples: int = 1
    max_steps: int = 0
    max_prompt_tokens: int = 0


class KeptStep(msgspec.Struct, frozen=True):
    """A step of the parent run that is not asked again: its state and text are taken over as they were."""

    pathway: int
    step: int
    state: State
    reasoning: str = ""
    completion: str = ""
    opening: str = ""


class ImagineRequest(msgspec.Struct, frozen=True):
    """One question. `run_id` is a UUIDv7; `parent` the run that it repeats, edits or continues; `kept` its steps that stand."""

    run_id: str
    question: WhatIf | Forecast
    settings: ImagineSettings = ImagineSettings()
    estimand: Estimand = "arm values"
    name: str = ""
    parent: str = ""
    kept: tuple[KeptStep, ...] = ()
