"""A training recipe: everything that decides what a run learns, in one file of YAML that is checked when it is read."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from deepimagine_tui.trials.factors import Factor

SCHEMA_VERSION = 1

Operators = Literal["joint", "per factor"]
Device = Literal["cpu", "cuda"]
Precision = Literal["float32", "bfloat16"]
Rollouts = Literal["transformers", "vllm"]
Schedule = Literal["cosine", "cosine_with_min_lr", "linear", "constant"]
Sharding = Literal["none", "ddp", "fsdp"]

Count = Annotated[int, msgspec.Meta(ge=1)]
CountOrNone = Annotated[int, msgspec.Meta(ge=0)]
Rate = Annotated[float, msgspec.Meta(gt=0, le=1)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Weight = Annotated[float, msgspec.Meta(ge=0)]
Positive = Annotated[float, msgspec.Meta(gt=0)]


class DataRecipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which pairs are learnt from.

    `sample` bounds the number of training examples (0: all), drawn evenly over factors and verdicts; `validation_sample` those
    that curves are computed on. `max_tokens` is of prompt and completion together; a longer example is left out and counted.
    """

    factors: tuple[Factor, ...] = ()
    kinds: tuple[Literal["natural", "approximate"], ...] = ("natural", "approximate")
    sample: CountOrNone = 0
    validation_sample: CountOrNone = 128
    max_tokens: Count = 512
    balance_verdicts: bool = True


class LoraRecipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The adapter: rank, alpha, dropout in [0, 1). It is on every linear layer and never on embeddings."""

    r: Count = 16
    alpha: Count = 32
    dropout: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.0


class SftRecipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Supervised fine-tuning. Batches are of sequences per process; `max_minutes` 0 is no limit, else the schedule is that of
    the whole and training ends early, which the manifest says. `warmup` and `min_rate` are shares of the steps and of the rate.
    `verdict_weight` multiplies the loss on the verdict's tokens; `form_share` of the examples learn the answer form's words.
    `max_steps` 0 is as many as the epochs have."""

    epochs: Positive = 1.0
    max_steps: CountOrNone = 0
    max_minutes: Weight = 0.0
    batch_size: Count = 8
    accumulation: Count = 1
    learning_rate: Rate = 2e-4
    schedule: Schedule = "cosine"
    warmup: Share = 0.05
    min_rate: Share = 0.0
    weight_decay: Weight = 0.0
    clip: Positive = 1.0
    verdict_weight: Weight = 1.0
    form_share: Share = 1.0
    save_every: Count = 50
    evaluate_every: Count = 50


class GrpoRecipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Reinforcement learning. `prompts` a step, each with `generations` samples of at most `max_reasoning_tokens` and the
    answer form. `beta` is the weight of the divergence from the model before; `scale_rewards` divides by a group's SD, which
    distorts a proper score. `run` false leaves this stage out."""

    run: bool = True
    max_steps: Count = 60
    max_minutes: Weight = 0.0
    prompts: Count = 4
    generations: Annotated[int, msgspec.Meta(ge=2)] = 4
    max_reasoning_tokens: Count = 48
    temperature: Positive = 1.0
    learning_rate: Rate = 2e-5
    beta: Weight = 0.0
    scale_rewards: bool = False
    rollouts: Rollouts = "transformers"
    vllm_server: str = ""
    save_every: Count = 20
    evaluate_every: Count = 20


class MachineRecipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the run needs. `processes` are all of them, over `nodes`; `memory_gb` is per process."""

    device: Device = "cpu"
    processes: Count = 1
    nodes: Count = 1
    memory_gb: Positive = 6.0
    precision: Precision = "float32"
    gradient_checkpointing: bool = False
    sharding: Sharding = "none"


class Recipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One recipe. `base` is the embedded model (`gemma-270m`), a GGUF file, a folder as transformers saves it, or a hub id."""

    name: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    base: Annotated[str, msgspec.Meta(min_length=1)]
    schema_version: int = SCHEMA_VERSION
    seed: CountOrNone = 7
    operators: Operators = "joint"
    data: DataRecipe = DataRecipe()
    lora: LoraRecipe = LoraRecipe()
    sft: SftRecipe = SftRecipe()
    grpo: GrpoRecipe = GrpoRecipe()
    machine: MachineRecipe = MachineRecipe()
