"""What a recipe would take: steps, tokens, memory and time, worked out before anything is loaded.

Floating-point operations are 2 for each parameter and token in a forward pass. The base is frozen, so a backward pass costs as
much as a forward one, and recomputing activations one more: 4 or 6 x body x tokens (6ND with recomputation), and 4 x head x
the positions that are learnt from. Attention is left out, which is small at the lengths of these prompts.
"""

from __future__ import annotations

import math
import os
from typing import Literal

import msgspec

from deepimagine_training import memory
from deepimagine_training.base_shape import BaseShape
from deepimagine_training.counting import Counted
from deepimagine_training.memory import Part
from deepimagine_training.recipe import Recipe
from deepimagine_tui.errors import RefusedError

CPU_CORE_FLOPS = 55e9
"""Operations a second of one core with AVX2 in float32, as measured over steps of Gemma 3 270M."""
GPU_FLOPS = 0.35 * 989e12
"""Operations a second of one H100 in bfloat16: its dense peak at 35%, which is usual for LoRA at these lengths."""
_BANDWIDTH = {"cpu": 20e9, "cuda": 3.35e12}
"""Bytes of weights read in a second where one token at a time is sampled."""
_TYPICAL_TOKENS, _TYPICAL_COMPLETION = 400, 75
"""Tokens of an example where no pairs are named."""


class Speed(msgspec.Struct, frozen=True):
    """Operations a second of one process, and where the number is from."""

    flops: float
    source: str


class StagePlan(msgspec.Struct, frozen=True):
    """One stage. `steps` 0: not known without pairs. `tokens` are of prompts and completions over all steps, `seconds` with
    evaluation left out; `stops_at` is the step at which the time limit would end it (0: it ends by itself)."""

    stage: Literal["sft", "grpo"]
    steps: int
    warmup_steps: int
    sequences_a_step: int
    tokens: int
    seconds: float
    stops_at: int
    memory: tuple[Part, ...]

    @property
    def memory_gb(self) -> float:
        """All parts of the memory of one process, in 10^9 bytes."""
        return memory.total(self.memory) / 1e9


class Plan(msgspec.Struct, frozen=True):
    """What a recipe would take on the machine that it states."""

    recipe: Recipe
    base: BaseShape
    counted: Counted | None
    speed: Speed
    stages: tuple[StagePlan, ...]
    notes: tuple[str, ...]


def plan(recipe: Recipe, base: BaseShape, counted: Counted | None = None, speed: Speed | None = None) -> Plan:
    """The plan of a recipe; without `counted` pairs, that of its `sample`.

    Raises:
        RefusedError: the recipe cannot run as it is written: it does not fit its memory or the base's context, or
            contradicts itself.
    """
    check(recipe, base)
    chosen = speed or assumed_speed(recipe)
    stages = [_sft(recipe, base, counted, chosen)]
    if recipe.grpo.run:
        stages.append(_grpo(recipe, base, counted, chosen))
    for stage in stages:
        _check_memory(recipe, stage)
    return Plan(recipe, base, counted, chosen, tuple(stages), tuple(_notes(recipe, counted, stages)))


def check(recipe: Recipe, base: BaseShape) -> None:
    """Refuse what cannot be, whatever the machine.

    Raises:
        RefusedError: the recipe contradicts itself or the base.
    """
    data, machine, grpo = recipe.data, recipe.machine, recipe.grpo
    if base.context and data.max_tokens > base.context:
        raise RefusedError(
            f"The recipe {recipe.name} has sequences of {data.max_tokens:,} tokens; {base.base} reads {base.context:,}.",
            f"Lower data.max_tokens to at most {base.context:,}.",
        )
    if machine.processes % machine.nodes:
        raise RefusedError(
            f"{machine.processes} processes cannot be spread evenly over {machine.nodes} nodes.",
            "Make machine.processes a multiple of machine.nodes.",
        )
    if machine.sharding == "none" and machine.processes > 1:
        raise RefusedError(
            f"The recipe {recipe.name} has {machine.processes} processes and does not say how they train together.",
            "Set machine.sharding to ddp or fsdp.",
        )
    if machine.sharding == "fsdp" and machine.device == "cpu":
        raise RefusedError("A model is sharded over GPUs only.", "Set machine.sharding to ddp, or machine.device to cuda.")
    if grpo.run and grpo.rollouts == "vllm" and not grpo.vllm_server:
        raise RefusedError(
            f"The recipe {recipe.name} samples by a vLLM server and names none.", "Set grpo.vllm_server, e.g. http://host:8000."
        )
    if grpo.run and grpo.rollouts == "vllm" and machine.device == "cpu":
        raise RefusedError("vLLM needs a GPU.", "Set grpo.rollouts=transformers.")
    if grpo.run and grpo.prompts * grpo.generations % machine.processes:
        raise RefusedError(
            f"{grpo.prompts} x {grpo.generations} samples cannot be spread evenly over {machine.processes} processes.",
            "Make grpo.prompts times grpo.generations a multiple of machine.processes.",
        )


def assumed_speed(recipe: Recipe, cores: int | None = None) -> Speed:
    """The speed of one process of a recipe where none was measured."""
    if recipe.machine.device == "cuda":
        return Speed(GPU_FLOPS, "assumed: an H100's bfloat16 peak of 989 TFLOP/s at 35%")
    found = cores or os.cpu_count() or 1
    here = max(found * recipe.machine.nodes / recipe.machine.processes, 1)
    return Speed(here * CPU_CORE_FLOPS, f"assumed: {here:.0f} cores with AVX2 at {CPU_CORE_FLOPS / 1e9:.0f} GFLOP/s each")


def step_flops(recipe: Recipe, base: BaseShape, tokens: float, learnt: float) -> float:
    """The operations of learning from `tokens`, `learnt` of which are in the loss."""
    passes = 6 if recipe.machine.gradient_checkpointing else 4
    return passes * base.body * tokens + 4 * base.vocabulary * base.hidden * learnt


def _sft(recipe: Recipe, base: BaseShape, counted: Counted | None, speed: Speed) -> StagePlan:
    sft, processes = recipe.sft, recipe.machine.processes
    sequences = sft.batch_size * sft.accumulation * processes
    by_operator = _by_operator(recipe, counted)
    steps = sum(math.ceil(math.ceil(examples / sequences) * sft.epochs) for examples in by_operator)
    if sft.max_steps:
        steps = min(steps, sft.max_steps * len(by_operator)) if steps else sft.max_steps
    tokens, learnt = (counted.tokens, counted.completion_tokens) if counted else (_TYPICAL_TOKENS, _TYPICAL_COMPLETION)
    seconds = steps * step_flops(recipe, base, sequences * tokens, sequences * learnt) / (speed.flops * processes)
    return StagePlan(
        stage="sft",
        steps=steps,
        warmup_steps=math.ceil(steps * sft.warmup),
        sequences_a_step=sequences,
        tokens=round(steps * sequences * tokens),
        seconds=seconds,
        stops_at=_stops_at(steps, seconds, sft.max_minutes),
        memory=memory.sft_parts(recipe, base),
    )


def _grpo(recipe: Recipe, base: BaseShape, counted: Counted | None, speed: Speed) -> StagePlan:
    """A step walks the chains of its tasks to their last question, samples answers to those, and learns from them.

    Whatever is written is decoded a token of all sequences at a time, which reads the weights once. A prompt is read once for
    all its samples when they are sampled, and on a CPU also when they are learnt from.
    """
    grpo, machine = recipe.grpo, recipe.machine
    samples = grpo.prompts * grpo.generations
    prompt = (counted.tokens - counted.completion_tokens) if counted else _TYPICAL_TOKENS - _TYPICAL_COMPLETION
    form = (counted.completion_tokens if counted else _TYPICAL_COMPLETION) / 2
    written = grpo.max_reasoning_tokens + form
    questions = counted.questions if counted else 1.0
    on_the_way = grpo.prompts * (questions - 1)
    read = grpo.prompts if machine.device == "cpu" else samples
    sampled = 2 * base.body * (grpo.prompts * questions * prompt + (samples + on_the_way) * written)
    scored = 2 * base.vocabulary * base.hidden * (samples + on_the_way) * written
    learnt = step_flops(recipe, base, read * prompt + samples * written, samples * grpo.max_reasoning_tokens)
    decoding = math.ceil(questions) * written * base.parameters * memory.BYTES[machine.precision] / _BANDWIDTH[machine.device]
    seconds = grpo.max_steps * (decoding + (sampled + scored + learnt) / (speed.flops * machine.processes))
    operators = len(_by_operator(recipe, counted))
    return StagePlan(
        stage="grpo",
        steps=operators * grpo.max_steps,
        warmup_steps=0,
        sequences_a_step=samples,
        tokens=round(operators * grpo.max_steps * samples * (prompt + written)),
        seconds=operators * seconds,
        stops_at=_stops_at(grpo.max_steps, seconds, grpo.max_minutes),
        memory=memory.grpo_parts(recipe, base),
    )


def _by_operator(recipe: Recipe, counted: Counted | None) -> list[int]:
    """The training examples of each adapter that is trained."""
    if counted is None:
        return [recipe.data.sample]
    return list(counted.by_factor.values()) if recipe.operators == "per factor" else [counted.train]


def _stops_at(steps: int, seconds: float, minutes: float) -> int:
    return max(int(steps * minutes * 60 / seconds), 1) if minutes and seconds > minutes * 60 else 0


def _check_memory(recipe: Recipe, stage: StagePlan) -> None:
    if stage.memory_gb <= recipe.machine.memory_gb:
        return
    largest = max(stage.memory, key=lambda part: part.bytes)
    raise RefusedError(
        f"{stage.stage} of the recipe {recipe.name} needs about {stage.memory_gb:.1f} GB in each process, and"
        f" machine.memory_gb is {recipe.machine.memory_gb:g}: {largest.name} alone take {largest.bytes / 1e9:.1f} GB.",
        _cure(recipe, largest),
    )


def _cure(recipe: Recipe, largest: Part) -> str:
    if largest.name == "activations" and not recipe.machine.gradient_checkpointing:
        return "Set machine.gradient_checkpointing=true, or lower sft.batch_size or data.max_tokens."
    if largest.name == "activations":
        return "Lower sft.batch_size or data.max_tokens."
    if recipe.machine.device == "cuda" and recipe.machine.sharding != "fsdp":
        return "Set machine.sharding=fsdp with more processes, or choose a smaller base."
    return "Choose a smaller base or a machine with more memory."


def _notes(recipe: Recipe, counted: Counted | None, stages: list[StagePlan]) -> list[str]:
    notes = []
    if counted is None:
        sample = f"its sample of {recipe.data.sample:,}" if recipe.data.sample else "an unknown number of"
        notes.append(
            f"No pairs are named: {sample} examples of {_TYPICAL_TOKENS} tokens are planned for. Name them with --pairs."
        )
    elif not counted.train:
        notes.append("The pairs hold no example that this recipe can learn from.")
    if recipe.operators == "per factor":
        notes.append("One adapter for each factor: the steps are those of all of them together.")
    if recipe.machine.device == "cpu" and recipe.machine.precision == "bfloat16":
        notes.append("bfloat16 on a CPU without instructions for it is about 12 times slower than float32.")
    if recipe.grpo.run and recipe.grpo.rollouts == "vllm":
        notes.append("The GPUs of the vLLM server are not counted: it needs the whole base model once more.")
    notes += [
        f"{stage.stage} would reach its time limit after about {stage.stops_at:,} of {stage.steps:,} steps."
        for stage in stages
        if stage.stops_at
    ]
    return notes
