"""Reinforcement learning with verifiable rewards: what the registry posted says how much a sampled forecast is worth.

It goes on from a supervised run's adapter, or from the base. What comes out is kept only where it forecasts held-out pairs
better than what it began from. A run writes only to its folder, can be stopped at any time, and goes on from its last
checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from deepimagine_training import bases, pair_files, run_manifest, serving, sft
from deepimagine_training.disk import writing
from deepimagine_training.encoding import prompt_ids
from deepimagine_training.recipe import Recipe
from deepimagine_training.run_folder import RunFolder
from deepimagine_training.run_manifest import BaseUsed, DataUsed, Manifest
from deepimagine_training.tasks import Task, balanced, evenly, tasks_of
from deepimagine_tui.errors import BadInputError, CancelledError
from deepimagine_tui.extras import extra
from deepimagine_tui.files import sha256
from deepimagine_tui.reasoning import prompts

if TYPE_CHECKING:
    from peft import PeftModel

    from deepimagine_training.following import Follower
    from deepimagine_training.grpo_validation import Judged


class Prepared(NamedTuple):
    """The tasks that are learnt from, as often as they come, and the held-out ones; what was left out, by reason."""

    train: list[Task]
    validation: list[Task]
    left_out: dict[str, int]


def prepare(recipe: Recipe, pairs: Path, tokenizer: Any) -> Prepared:  # noqa: ANN401  # a transformers tokenizer
    """The tasks of a recipe, both sides even over verdicts and flips.

    Raises:
        BadInputError: a side has none, or only one verdict to learn from.
        DeepImagineError: the pairs cannot be read.
    """
    rows = pair_files.load_rows(pairs)
    left_out: dict[str, int] = {}
    room = recipe.data.max_tokens - recipe.grpo.max_reasoning_tokens
    fitting: dict[str, list[Task]] = {}
    for side in ("train", "validation"):
        found, without = tasks_of(rows, recipe.data, side)
        fitting[side] = [task for task in found if len(prompt_ids(tokenizer, task.question.prompt)) <= room]
        left_out |= {f"{side}: {reason}": count for reason, count in without.items()}
        if len(fitting[side]) < len(found):
            left_out[f"{side}: {sft.TOO_LONG}"] = len(found) - len(fitting[side])
        if not fitting[side]:
            raise BadInputError(
                f"{pairs} holds no {side} pair with a posted verdict that the recipe {recipe.name} can ask.",
                f"Left out: {', '.join(f'{count:,} {reason}' for reason, count in left_out.items()) or 'nothing'}.",
            )
    drawn = balanced(fitting["train"], recipe.grpo.prompts * recipe.grpo.max_steps, recipe.seed)
    held_out = evenly(fitting["validation"], recipe.data.validation_sample or len(fitting["validation"]), recipe.seed)
    return Prepared(drawn, held_out, left_out)


def train(
    recipe: Recipe,
    base: bases.BaseFacts,
    pairs: Path,
    out: Path,
    cancel: Event,
    parent: Path | None = None,
    told: Callable[[str], object] = lambda text: None,
) -> Manifest:
    """Run the reinforcement stage of `recipe` in the folder `out`, from the adapter of the run `parent` or from the base; an
    unfinished run there is gone on with.

    Raises:
        MissingExtraError: the `training` extra is not installed.
        BadInputError: pairs, base or parent cannot be used, or do not belong together.
        RefusedError: the folder holds something else.
        NetworkError: the vLLM server that is to sample does not answer.
        ModelError: the loss or the model's output is no number any more.
        CancelledError: `cancel` was set; a checkpoint was kept.
        StorageError: the folder cannot be written.
    """
    _check(recipe)
    drawn = pair_files.read_manifest(pairs)
    begun_from = _parent(parent, base, drawn.sides_version) if parent is not None else None
    parent_id = begun_from.run_id if begun_from is not None else ""
    with RunFolder(out) as folder:
        begun = folder.begin(recipe, {"pairs": drawn.data_sha256, "base": base.sha256, "parent": parent_id})
        told("Loading the model")
        loaded = bases.load(base, recipe.machine.precision, recipe.machine.device)
        prepared = prepare(recipe, pairs, loaded.tokenizer)
        with writing(out):
            trained = _train(recipe, loaded, parent, prepared, folder, cancel, told)
        learnt = sft.trained_on([task.row for task in prepared.train[: trained.steps * recipe.grpo.prompts]], pairs)
        manifest = Manifest(
            run_id=begun.run_id,
            stage="grpo",
            parent=parent_id,
            recipe=recipe,
            seed=recipe.seed,
            base=BaseUsed(base.name, base.kind, base.sha256, base.architecture),
            data=DataUsed(
                drawn.data_sha256,
                "",
                drawn.corpus,
                drawn.sides_version,
                len({task.row.id for task in prepared.train}),
                len(prepared.validation),
                prepared.left_out,
            ),
            cutoff=max(_cutoff(prepared.train), begun_from.cutoff if begun_from is not None else ""),
            prompt_version=prompts.PROMPT_VERSION,
            libraries=run_manifest.libraries(),
            machine=run_manifest.machine(recipe.machine.device, recipe.machine.processes),
            started=begun.started,
            seconds=round(trained.follower.seconds, 1),
            steps=trained.steps,
            tokens=trained.tokens,
            metrics=trained.metrics,
            trained_on=tuple(sorted({*learnt, *(begun_from.trained_on if begun_from is not None else ())})),
            adapter_sha256=sha256(folder.adapter / "adapter_model.safetensors"),
            ended=trained.follower.ended,
        )
        folder.finish(manifest)
        return manifest


def _check(recipe: Recipe) -> None:
    if recipe.grpo.rollouts == "vllm":
        serving.check_answers(recipe.grpo.vllm_server)


def _parent(folder: Path, base: bases.BaseFacts, sides_version: str) -> Manifest:
    """The manifest of the run whose adapter is gone on from, which must be of this base and of the same sides.

    Raises:
        NotFoundError: there is no such folder.
        BadInputError: the run is unfinished, or is of another base, other sides or other prompts.
    """
    found = run_manifest.read(folder)
    if found.base.sha256 != base.sha256:
        raise BadInputError(
            f"The adapter of {folder} is of another base ({found.base.name}) than {base.name}.", "Name its base with --base."
        )
    if found.data.sides_version != sides_version:
        raise BadInputError(
            f"The run {folder} was trained on other sides ({found.data.sides_version}), so it may know held-out trials.",
            "Train it again on these pairs.",
        )
    if found.prompt_version != prompts.PROMPT_VERSION:
        raise BadInputError(
            f"The run {folder} was trained on prompts of version {found.prompt_version}, not {prompts.PROMPT_VERSION}.",
            "Train it again.",
        )
    return found


def _cutoff(tasks: Sequence[Task]) -> str:
    return max((max(task.row.source_posted, task.row.target_posted) for task in tasks), default="")


class _Trained(NamedTuple):
    steps: int
    tokens: int
    metrics: dict[str, float]
    follower: Follower


def _train(
    recipe: Recipe,
    loaded: bases.Loaded,
    parent: Path | None,
    prepared: Prepared,
    folder: RunFolder,
    cancel: Event,
    told: Callable[[str], object],
) -> _Trained:
    extra("trl")
    from deepimagine_training import processes, sharding
    from deepimagine_training.following import Follower
    from deepimagine_training.grpo_arguments import arguments
    from deepimagine_training.grpo_trainer import ForecastTrainer
    from deepimagine_training.grpo_validation import Validation

    checkpoint, spent = folder.go_on()
    if checkpoint is not None:
        told(f"Going on from {checkpoint.name}")
    sharding.keep_to_own_layers(loaded.model)
    tokenizer = loaded.tokenizer
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    tokenizer.padding_side = "left"
    trainer = ForecastTrainer(
        {task.row.id: task for task in prepared.train},
        recipe.grpo.max_reasoning_tokens,
        bases.prefix_of_language(loaded.facts),
        model=_policy(recipe, loaded, parent),
        args=arguments(recipe, folder.checkpoints),
        train_dataset=extra("datasets").Dataset.from_dict({"prompt": [task.row.id for task in prepared.train]}),
        processing_class=tokenizer,
    )
    trainer.remove_callback(extra("transformers").PrinterCallback)
    validation = Validation(folder, recipe.grpo.evaluate_every, lambda: trainer.judge(prepared.validation, cancel, told), told)
    follower = Follower(folder, "grpo", cancel, recipe.grpo.max_minutes, spent, told)
    trainer.add_callback(validation)
    trainer.add_callback(follower)
    policy: Any = trainer.model
    start = sharding.adapter_of(policy)
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint is not None else None)
    steps = trainer.state.global_step
    if any(processes.by_process(cancel.is_set())):
        raise CancelledError(f"Training was stopped at step {steps:,}.", "The same command goes on from there.")
    before, after = validation.look(0), validation.look(steps)
    kept = after.brier < before.brier
    if not kept:
        told(f"Not kept: held-out Brier {before.brier:.4f} before, {after.brier:.4f} after")
    model = cast("PeftModel", trainer.model)
    sharding.save_adapter(model, sharding.adapter_of(model) if kept else start, folder.adapter)
    records = folder.records()
    tokens = sum(float(record.get("completion_tokens", 0)) for record in records)
    tokens *= recipe.grpo.prompts * recipe.grpo.generations
    return _Trained(steps, round(tokens), _metrics(before, after, records, kept=kept), follower)


def _metrics(before: Judged, after: Judged, records: Sequence[dict[str, Any]], *, kept: bool) -> dict[str, float]:
    metrics = {f"{name}_before": value for name, value in before.record().items()}
    metrics |= {f"{name}_after": value for name, value in after.record().items()}
    rewards = [float(record["reward"]) for record in records if "reward" in record]
    if rewards:
        metrics["first_reward"], metrics["last_reward"] = rewards[0], rewards[-1]
    return {**metrics, "rl_kept": float(kept)}


def _policy(recipe: Recipe, loaded: bases.Loaded, parent: Path | None) -> Any:  # noqa: ANN401  # a PEFT model
    """The base with the adapter that is trained: the parent's, or a new one, which changes nothing yet."""
    peft = extra("peft")
    if parent is not None:
        return peft.PeftModel.from_pretrained(loaded.model, str(parent / "adapter"), is_trainable=True)
    extra("transformers").set_seed(recipe.seed)
    return peft.get_peft_model(loaded.model, sft.lora(recipe))
