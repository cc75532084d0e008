"""TRL's `GRPOTrainer` on the engine's questions: reasoning sampled, the answer form filled, P(met) scored by the one grader.

The policy's actions are the tokens of its reasoning. Its reward depends on the policy in a second way, since P(met) is the
policy's own: that part of the gradient is exact and is taken at the verdict's token. Imported only when training begins.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from threading import Event
from typing import Any

import torch
from trl.trainer.grpo_trainer import GRPOTrainer
from trl.trainer.utils import split_tensor_dict

from deepimagine_training import processes, serving, sharding
from deepimagine_training.chains import Forecaster
from deepimagine_training.grpo_validation import Judged, accuracies, judged, probabilities
from deepimagine_training.hf_tokens import HfTokens
from deepimagine_training.rewards import DIRECTION_WEIGHT, VALUE_WEIGHT, Reward, reward
from deepimagine_training.rollouts import Asked, Rollout, roll_out
from deepimagine_training.shared_prompts import completions_log_probs
from deepimagine_training.tasks import Task
from deepimagine_tui.reasoning import prompts
from deepimagine_tui.reasoning.ids import sequence_seed


def verdict(grade: Sequence[Reward], **_: Any) -> list[float | None]:  # noqa: ANN401
    """1 - (P(met) - met)^2 of each sample."""
    return [one.verdict for one in grade]


def direction(grade: Sequence[Reward], **_: Any) -> list[float | None]:  # noqa: ANN401
    """Whether each sample's direction is right."""
    return [one.direction for one in grade]


def value(grade: Sequence[Reward], **_: Any) -> list[float | None]:  # noqa: ANN401
    """exp(-e) of each sample's values."""
    return [one.value for one in grade]


def rails(grade: Sequence[Reward], **_: Any) -> list[float | None]:  # noqa: ANN401
    """What the guard-rails take from each sample."""
    return [one.rails for one in grade]


_REWARDS = (verdict, direction, value, rails)
REWARD_WEIGHTS = (1.0, DIRECTION_WEIGHT, VALUE_WEIGHT, 1.0)
"""Of the parts of a reward, in the order of `_REWARDS`."""
_SEEDS = 2**31
"""Seeds that a vLLM server takes."""


class ForecastTrainer(GRPOTrainer):
    """Raises the expected reward of forecasts.

    The `prompt` column of its datasets holds the ids of `tasks`. Everything sampled at a step derives from the seed and the
    step, so that a run that goes on from a checkpoint samples what it would have.

    Args:
        tasks: By id.
        max_reasoning_tokens: The most that reasoning may take.
        served_prefix: What a vLLM server's model has before the policy's names, where it is more than the policy.
        settings: Of TRL's trainer: `model`, `args`, `train_dataset`, `processing_class`, `callbacks`.
    """

    def __init__(self, tasks: Mapping[str, Task], max_reasoning_tokens: int, served_prefix: str, **settings: Any) -> None:  # noqa: ANN401
        self._tasks = tasks
        self._max_reasoning_tokens = max_reasoning_tokens
        self._pull: list[float] = []
        self._wanted: torch.Tensor | None = None
        with warnings.catch_warnings():
            # TRL may change what a rollout function is: the versions of both are pinned together.
            warnings.filterwarnings("ignore", message="You are using 'rollout_func'", category=UserWarning)
            with serving.asked(settings["args"].vllm_server_base_url or ""):
                super().__init__(reward_funcs=list(_REWARDS), rollout_func=self._roll_out, **settings)
        if self.use_vllm:
            policy: Any = self.model
            self.vllm_generation._iter_named_params = lambda: sharding.merged(policy, served_prefix)  # type: ignore[method-assign]
        self._tokens = HfTokens(self.processing_class, list(self.eos_token_ids))

    def judge(self, tasks: Sequence[Task], cancel: Event, told: Callable[[str], object]) -> Judged:
        """How the policy as it is forecasts `tasks`; `told` hears how far this process is.

        Raises:
            CancelledError: `cancel` was set.
            ModelError: its output is not a number.
        """
        first, step = self.accelerator.process_index, self.accelerator.num_processes
        # Of several processes none may leave the others waiting, so only the end of a step stops them.
        stop = cancel if step == 1 else Event()
        with self._policy() as model:
            mine = probabilities(Forecaster(model, self._tokens, self._max_reasoning_tokens, stop), tasks[first::step], told)
        found = [0.5] * len(tasks)
        for at, of_one in enumerate(processes.by_process(mine)):
            found[at::step] = of_one
        return judged(tasks, found)

    def _generate(self, prompts: list[Any]) -> Any:  # noqa: ANN401  # as TRL has it
        """As TRL's: a server gets the weights and is asked for samples; what it fails at is told as that."""
        asked: Any = self.args
        with serving.asked(asked.vllm_server_base_url or ""):
            return super()._generate(prompts)

    def _roll_out(self, names: list[str], _trainer: GRPOTrainer) -> dict[str, Any]:
        """Samples of the tasks `names`, each of which comes as often as it is to be sampled."""
        with self._policy() as model:
            known = list(dict.fromkeys(names))
            walker = Forecaster(model, self._tokens, self._max_reasoning_tokens, Event())
            walked = dict(zip(known, walker.walked([self._tasks[name] for name in known]), strict=True))
        tasks = [walked[name] for name in names]
        rows = [self._tokens.prompt(task.question.prompt) for task in tasks]
        first = self.accelerator.process_index * len(names)
        seeds = [sequence_seed(self.args.seed, first + at, self.state.global_step) for at in range(len(names))]
        logprobs: list[list[float | None]] | None = None
        if self.use_vllm:
            asked, logprobs = self._served(tasks, rows, seeds)
        else:
            asked = _grouped(tasks, rows, seeds)
        with self._policy() as model:
            found = roll_out(model, self._tokens, asked, self.temperature, self._max_reasoning_tokens, Event())
        grades = [reward(task, one.text, one.probability, cut=one.cut) for task, one in zip(tasks, found, strict=True)]
        self._pull = [_pull(task, one, grade) for task, one, grade in zip(tasks, found, grades, strict=True)]
        self._log_flips(tasks, found)
        completions = [[*one.ids, self._label(task)] for task, one in zip(tasks, found, strict=True)]
        if logprobs is not None:
            logprobs = [[*of, *[None] * (len(ids) - len(of))] for of, ids in zip(logprobs, completions, strict=True)]
        return {
            "prompt_ids": rows,
            "completion_ids": completions,
            "logprobs": logprobs,
            "env_mask": [[*map(int, one.actions), int(one.probability is not None)] for one in found],
            "grade": grades,
        }

    def _served(
        self, tasks: Sequence[Task], rows: Sequence[list[int]], seeds: Sequence[int]
    ) -> tuple[list[Asked], list[list[float | None]]]:
        """Questions with the reasoning that a vLLM server sampled, up to the line's end, and its log-probabilities."""
        step = self.state.global_step
        self.vllm_generation.generation_kwargs["seed"] = sequence_seed(self.args.seed, 0, step) % _SEEDS
        sampled, logprobs = self._generate_single_turn(list(rows), None, {}, self.num_generations)  # type: ignore[no-untyped-call]
        written = [self._line(ids) for ids in sampled]
        asked = [
            Asked(row, task.question, (seed,), ids) for row, task, seed, ids in zip(rows, tasks, seeds, written, strict=True)
        ]
        return asked, [list(of[: len(ids)]) for of, ids in zip(logprobs or (), written, strict=True)]

    def _line(self, ids: Sequence[int]) -> list[int]:
        ends = (at for at, token in enumerate(ids) if self._tokens.is_end(token) or b"\n" in self._tokens.piece(token))
        return list(ids[: next(ends, len(ids))])

    @contextmanager
    def _policy(self) -> Iterator[Any]:
        """The model to sample from, without dropout."""
        model = self.accelerator.unwrap_model(self.model)
        was_training = model.training
        model.eval()
        try:
            with sharding.whole(model):
                yield model.get_base_model()
        finally:
            model.train(was_training)

    def _label(self, task: Task) -> int:
        """The token in which the posted verdict differs from the other."""
        met, other = (self._tokens.continuation(f" {word}") for word in (prompts.MET, prompts.NOT_MET))
        at = next(at for at, (one, two) in enumerate(zip(met, other, strict=False)) if one != two)
        return (met if task.row.target_verdict == "met" else other)[at]

    def _log_flips(self, tasks: Sequence[Task], found: Sequence[Rollout]) -> None:
        flips, others = accuracies(tasks, [0.5 if one.probability is None else one.probability for one in found])
        for name, share in (("flip_accuracy", flips), ("non_flip_accuracy", others)):
            if share is not None:
                self._log_metric(name, share)

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        """A generation batch whose advantages are by token: a sample's own on its reasoning, and on the verdict's token the
        derivative of the reward.

        With q = P(posted verdict), d(1 - (1 - q)^2) = 2 q (1 - q) d(log q): what an advantage of 2 q (1 - q) gives.
        """
        batch: dict[str, Any] = super()._generate_and_score_completions(inputs)
        mask = batch["completion_mask"]
        advantages = batch["advantages"][:, None].repeat(1, mask.shape[1])
        pull = torch.tensor(self._pull, dtype=advantages.dtype, device=advantages.device)
        batch["advantages"] = advantages.scatter(1, mask.sum(1, keepdim=True).long() - 1, pull[:, None])
        return batch

    def _prepare_inputs(self, generation_batch: Any) -> Any:  # noqa: ANN401  # as TRL has it
        """As TRL's, but in order, so that the samples of one prompt are learnt from together."""
        parts: int = self.args.steps_per_generation  # type: ignore[attr-defined]  # of GRPOConfig
        if self._buffered_inputs is None or self._step % (parts * self.num_iterations) == 0:
            batch = self._generate_and_score_completions(generation_batch)
            self._buffered_inputs: Any = split_tensor_dict(batch, parts)
        return self._buffered_inputs[self._step % parts]

    def _compute_loss(self, model: Any, inputs: dict[str, Any]) -> torch.Tensor:  # noqa: ANN401  # as TRL has it
        self._wanted = (inputs["completion_mask"] * inputs["tool_mask"]).bool()
        try:
            loss: torch.Tensor = super()._compute_loss(model, inputs)  # type: ignore[no-untyped-call]
        finally:
            self._wanted = None
        return loss

    def _get_per_token_logps_and_entropies(
        self,
        model: Any,  # noqa: ANN401  # as TRL has it
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        logits_to_keep: int,
        *more: Any,  # noqa: ANN401  # as TRL has it
        **settings: Any,  # noqa: ANN401  # as TRL has it
    ) -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor | None]:
        """On a CPU, only where a token was chosen, and each prompt once; entropies are not worked out there. Several processes
        call the model as it is wrapped, without which their gradients would stay apart."""
        found: tuple[torch.Tensor, torch.Tensor | None, torch.Tensor | None]
        if input_ids.device.type != "cpu" or self.accelerator.num_processes > 1:
            found = super()._get_per_token_logps_and_entropies(
                model, input_ids, attention_mask, logits_to_keep, *more, **settings
            )
            return found
        base = self.accelerator.unwrap_model(model).get_base_model()
        cut = input_ids.shape[1] - logits_to_keep
        before, completions, mask = input_ids[:, :cut], input_ids[:, cut:], attention_mask[:, cut:]
        wanted = mask.bool() if self._wanted is None else self._wanted
        pieces, start = [], 0
        for _, same in groupby(before.tolist()):
            rows = slice(start, start + len(list(same)))
            prompt = before[start][attention_mask[start, :cut].bool()]
            longest = int(mask[rows].sum(1).max())
            own = (completions[rows, :longest], mask[rows, :longest], wanted[rows, :longest])
            scored = completions_log_probs(base, prompt, *own, self.temperature)
            pieces.append(torch.nn.functional.pad(scored, (0, logits_to_keep - longest)))
            start = rows.stop
        log_probs = torch.cat(pieces)
        return log_probs, torch.full_like(log_probs, torch.nan), None


def _grouped(tasks: Sequence[Task], rows: Sequence[list[int]], seeds: Sequence[int]) -> list[Asked]:
    """Each question once, with the seeds of its samples, which stand together."""
    asked, start = [], 0
    for _, same in groupby(task.row.id for task in tasks):
        stop = start + len(list(same))
        asked.append(Asked(rows[start], tasks[start].question, seeds[start:stop]))
        start = stop
    return asked


def _pull(task: Task, found: Rollout, grade: Reward) -> float:
    """2 q (1 - q), q being P(the posted verdict's token) over the whole vocabulary; 0 where the verdict earns nothing."""
    if found.probability is None or grade.verdict is None:
        return 0.0
    share = found.probability if task.row.target_verdict == "met" else 1 - found.probability
    q = share * found.mass
    return 2 * q * (1 - q)
