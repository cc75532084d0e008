"""Supervised fine-tuning: the engine's own questions with reasoning and the posted answer, learnt as a LoRA adapter.

The pairs decide what is learnt, the recipe how. A run writes only to its folder, can be stopped at any time, and goes on from
its last checkpoint to the same loss curve.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import msgspec

from deepimagine_training import bases, pair_files, run_manifest, traces
from deepimagine_training.disk import writing
from deepimagine_training.encoding import Encoded, encode
from deepimagine_training.examples import Example
from deepimagine_training.recipe import Recipe, SftRecipe
from deepimagine_training.rows import PairRow
from deepimagine_training.run_folder import RunFolder
from deepimagine_training.run_manifest import BaseUsed, DataUsed, Manifest
from deepimagine_training.selection import select
from deepimagine_tui.errors import BadInputError, CancelledError
from deepimagine_tui.evaluation.sides import Sides
from deepimagine_tui.extras import extra
from deepimagine_tui.files import sha256
from deepimagine_tui.reasoning import prompts

if TYPE_CHECKING:
    from peft import PeftModel

    from deepimagine_training.following import Follower

TOO_LONG = "longer than the recipe's max_tokens"
_CHECKPOINTS_KEPT = 2


class Prepared(NamedTuple):
    """The tokens of both sides, with the examples they are of, and the counts of what was left out, by reason."""

    train: list[Encoded]
    validation: list[Encoded]
    examples: list[Example]
    left_out: dict[str, int]


def prepare(recipe: Recipe, pairs: Path, reasonings: Mapping[str, str], tokenizer: Any) -> Prepared:  # noqa: ANN401  # a transformers tokenizer
    """The examples of a recipe as tokens.

    Raises:
        BadInputError: none is left to train on.
        DeepImagineError: the pairs cannot be read.
    """
    rows = pair_files.load_rows(pairs)
    left_out: dict[str, int] = {}
    sides: dict[str, list[Encoded]] = {}
    kept: list[Example] = []
    for side in ("train", "validation"):
        chosen = select(rows, reasonings, recipe.data, side, recipe.seed)
        for reason, count in chosen.left_out.items():
            left_out[f"{side}: {reason}"] = count
        sides[side] = []
        for example in chosen.examples:
            encoded = encode(tokenizer, example, recipe.sft.verdict_weight, recipe.sft.form_share)
            if len(encoded.input_ids) > recipe.data.max_tokens:
                left_out[f"{side}: {TOO_LONG}"] = left_out.get(f"{side}: {TOO_LONG}", 0) + 1
                continue
            sides[side].append(encoded)
            if side == "train":
                kept.append(example)
    if not kept:
        raise BadInputError(
            f"{pairs} holds no pair that the recipe {recipe.name} can learn from.",
            f"Left out: {', '.join(f'{count:,} {reason}' for reason, count in left_out.items()) or 'nothing'}.",
        )
    return Prepared(sides["train"], sides["validation"], kept, left_out)


def train(
    recipe: Recipe,
    base: bases.BaseFacts,
    pairs: Path,
    traces_folder: Path,
    out: Path,
    cancel: Event,
    told: Callable[[str], object] = lambda text: None,
) -> Manifest:
    """Run the supervised stage of `recipe` in the folder `out`; an unfinished run there is gone on with.

    Raises:
        MissingExtraError: the `training` extra is not installed.
        BadInputError: pairs, traces or base cannot be used.
        RefusedError: the folder holds something else.
        ModelError: the loss is no number any more.
        CancelledError: `cancel` was set; a checkpoint was kept.
        StorageError: the folder cannot be written.
    """
    drawn = pair_files.read_manifest(pairs)
    found = traces.load(traces_folder, drawn.data_sha256)
    used = {"pairs": drawn.data_sha256, "traces": traces.data_hash(found.values()), "base": base.sha256}
    with RunFolder(out) as folder:
        begun = folder.begin(recipe, used)
        told("Loading the base model")
        loaded = bases.load(base, recipe.machine.precision, recipe.machine.device)
        reasonings = {pair_id: trace.reasoning for pair_id, trace in found.items()}
        prepared = prepare(recipe, pairs, reasonings, loaded.tokenizer)
        with writing(out):
            trained = _train(recipe, loaded, prepared, folder, cancel, told)
        if cancel.is_set():
            raise CancelledError(f"Training was stopped at step {trained.steps:,}.", "The same command goes on from there.")
        manifest = Manifest(
            run_id=begun.run_id,
            stage="sft",
            recipe=recipe,
            seed=recipe.seed,
            base=BaseUsed(base.name, base.kind, base.sha256, base.architecture),
            data=DataUsed(
                drawn.data_sha256,
                used["traces"],
                drawn.corpus,
                drawn.sides_version,
                len(prepared.train),
                len(prepared.validation),
                prepared.left_out,
            ),
            cutoff=max((max(one.row.source_posted, one.row.target_posted) for one in prepared.examples), default=""),
            prompt_version=prompts.PROMPT_VERSION,
            libraries=run_manifest.libraries(),
            machine=run_manifest.machine(recipe.machine.device, recipe.machine.processes),
            started=begun.started,
            seconds=round(trained.follower.seconds, 1),
            steps=trained.steps,
            tokens=trained.tokens,
            metrics=trained.metrics,
            trained_on=trained_on((example.row for example in prepared.examples), pairs),
            adapter_sha256=sha256(folder.adapter / "adapter_model.safetensors"),
            ended=trained.follower.ended,
        )
        folder.finish(manifest)
        return manifest


def trained_on(rows: Iterable[PairRow], pairs: Path) -> tuple[str, ...]:
    """The NCT ids of all trials that rows are of, with the siblings of their programmes."""
    sides = msgspec.json.decode((pairs / "sides.json").read_bytes(), type=Sides)
    programmes = {sides.programme(nct_id) for row in rows for nct_id in row.trials}
    return tuple(sorted(nct_id for nct_id, place in sides.places.items() if place.programme in programmes))


class _Trained(NamedTuple):
    steps: int
    tokens: int
    metrics: dict[str, float]
    follower: Follower


def _train(
    recipe: Recipe,
    loaded: bases.Loaded,
    prepared: Prepared,
    folder: RunFolder,
    cancel: Event,
    told: Callable[[str], object],
) -> _Trained:
    extra("trl")
    from deepimagine_training import processes, sharding
    from deepimagine_training.following import Follower
    from deepimagine_training.sft_trainer import WeightedSFTTrainer, collator

    checkpoint, spent = folder.go_on()
    if checkpoint is not None:
        told(f"Going on from {checkpoint.name}")
    sharding.keep_to_own_layers(loaded.model)
    tokenizer = loaded.tokenizer
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    follower = Follower(folder, "sft", cancel, recipe.sft.max_minutes, spent, told)
    trainer = WeightedSFTTrainer(
        model=loaded.model,
        args=_arguments(recipe, folder, has_validation=bool(prepared.validation)),
        train_dataset=_dataset(prepared.train),
        eval_dataset=_dataset(prepared.validation) if prepared.validation else None,
        processing_class=tokenizer,
        data_collator=collator(tokenizer.pad_token_id),
        peft_config=lora(recipe),
        callbacks=[follower],
    )
    trainer.remove_callback(extra("transformers").PrinterCallback)
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint is not None else None)
    metrics: dict[str, float] = {}
    if any(processes.by_process(cancel.is_set())):
        cancel.set()
    else:
        if prepared.validation:
            metrics["held_out_loss"] = float(trainer.evaluate()["eval_loss"])
        model = cast("PeftModel", trainer.model)
        sharding.save_adapter(model, sharding.adapter_of(model), folder.adapter)
    losses = [float(record["loss"]) for record in folder.records() if "loss" in record]
    if losses:
        metrics["first_loss"], metrics["last_loss"] = losses[0], losses[-1]
    epoch_tokens = sum(one.completion_tokens for one in prepared.train)
    tokens = round(epoch_tokens * float(trainer.state.epoch or 0.0))
    return _Trained(trainer.state.global_step, tokens, metrics, follower)


def _dataset(examples: Sequence[Encoded]) -> Any:  # noqa: ANN401  # a datasets.Dataset
    columns = {"input_ids": [one.input_ids for one in examples], "weights": [one.weights for one in examples]}
    return extra("datasets").Dataset.from_dict({**columns, "length": [len(one.input_ids) for one in examples]})


def lora(recipe: Recipe) -> Any:  # noqa: ANN401  # a peft.LoraConfig
    """The adapter of a recipe."""
    wanted = recipe.lora
    return extra("peft").LoraConfig(
        r=wanted.r, lora_alpha=wanted.alpha, lora_dropout=wanted.dropout, target_modules="all-linear", task_type="CAUSAL_LM"
    )


def _arguments(recipe: Recipe, folder: RunFolder, *, has_validation: bool) -> Any:  # noqa: ANN401  # a trl.SFTConfig
    sft, machine = recipe.sft, recipe.machine
    return extra("trl").SFTConfig(
        output_dir=str(folder.checkpoints),
        num_train_epochs=sft.epochs,
        max_steps=sft.max_steps or -1,
        per_device_train_batch_size=sft.batch_size,
        per_device_eval_batch_size=sft.batch_size,
        gradient_accumulation_steps=sft.accumulation,
        learning_rate=sft.learning_rate,
        lr_scheduler_type=sft.schedule,
        lr_scheduler_kwargs=_schedule(sft),
        warmup_steps=sft.warmup,
        weight_decay=sft.weight_decay,
        max_grad_norm=sft.clip,
        train_sampling_strategy="group_by_length",
        length_column_name="length",
        logging_steps=1,
        logging_nan_inf_filter=False,
        save_strategy="steps",
        save_steps=sft.save_every,
        save_total_limit=_CHECKPOINTS_KEPT,
        eval_strategy="steps" if has_validation else "no",
        eval_steps=sft.evaluate_every,
        use_cpu=machine.device == "cpu",
        bf16=machine.precision == "bfloat16" and machine.device == "cuda",
        activation_checkpointing=machine.gradient_checkpointing,
        gradient_checkpointing=None,
        max_length=None,
        dataset_kwargs={"skip_prepare_dataset": True},
        remove_unused_columns=False,
        report_to=[],
        disable_tqdm=True,
        seed=recipe.seed,
    )


def _schedule(sft: SftRecipe) -> dict[str, float]:
    return {"min_lr_rate": sft.min_rate} if sft.schedule == "cosine_with_min_lr" else {}
