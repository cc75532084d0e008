"""How good the policy's forecasts are on held-out pairs, before and while it is trained: what decides whether it is kept.

Imported only when training begins: it loads torch and transformers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from statistics import fmean
from typing import Any, NamedTuple

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from deepimagine_training import processes
from deepimagine_training.chains import Forecaster
from deepimagine_training.run_folder import RunFolder
from deepimagine_training.tasks import Task
from deepimagine_tui.errors import CancelledError
from deepimagine_tui.reasoning import scoring

_AT_ONCE = 16
"""Questions asked together: bounds the memory that their prompts take."""


class Judged(NamedTuple):
    """The forecasts of some tasks. `brier` is the mean of (P(met) - met)^2; accuracies are shares, `None` without any task of
    the kind; a flip is a posted verdict that is not the source's."""

    brier: float
    flip_accuracy: float | None
    non_flip_accuracy: float | None

    def record(self) -> dict[str, float]:
        """The fields of a log record."""
        return {f"held_out_{name}": round(value, 6) for name, value in self._asdict().items() if value is not None}

    @property
    def text(self) -> str:
        """Flips and the others in one line, never one alone."""
        return (
            f"Brier {self.brier:.4f}; right on flips {_share(self.flip_accuracy)}, on others {_share(self.non_flip_accuracy)}"
        )


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def accuracies(tasks: Sequence[Task], probabilities: Sequence[float]) -> tuple[float | None, float | None]:
    """The share of right verdicts among flips and among the others, at the threshold of one half."""
    right: dict[bool, list[bool]] = {True: [], False: []}
    for task, probability in zip(tasks, probabilities, strict=True):
        if task.flips is not None:
            right[task.flips].append((probability >= 0.5) == (task.row.target_verdict == "met"))
    flips, others = (fmean(right[flip]) if right[flip] else None for flip in (True, False))
    return flips, others


def probabilities(policy: Forecaster, tasks: Sequence[Task], told: Callable[[str], object]) -> list[float]:
    """P(met) of `tasks`, asked with the likeliest reasoning; one half where the policy gives none. `told` hears how far it is.

    Raises:
        CancelledError: the policy was stopped.
        ModelError: its output is not a number.
    """
    found: list[float] = []
    for start in range(0, len(tasks), _AT_ONCE):
        told(f"Looking at held-out pairs: {start:,} of {len(tasks):,}")
        answers = policy.answers(policy.walked(tasks[start : start + _AT_ONCE]))
        found += [one.probability if one.probability is not None else 0.5 for one in answers]
    return found


def judged(tasks: Sequence[Task], probabilities: Sequence[float]) -> Judged:
    """Grade the P(met) of `tasks`."""
    brier = fmean(
        scoring.brier(probability, task.row.target_verdict) for task, probability in zip(tasks, probabilities, strict=True)
    )
    return Judged(brier, *accuracies(tasks, probabilities))


class Validation(TrainerCallback):
    """Judges the policy at the start and after every so many steps, and logs it.

    Args:
        folder: Whose log it is.
        every: Steps between two looks.
        ask: Judges the policy as it is.
        told: Hears the outcome.
    """

    def __init__(self, folder: RunFolder, every: int, ask: Callable[[], Judged], told: Callable[[str], object]) -> None:
        self._folder = folder
        self._every = every
        self._ask = ask
        self._told = told

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:  # noqa: ANN401
        """Look where the run begins, or at the step it was stopped at if that look is missing.

        Raises:
            CancelledError: it was stopped.
            ModelError: the model's output is not a number.
        """
        if state.global_step % self._every == 0:
            self.look(state.global_step)

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:  # noqa: ANN401
        """Look after a round number of steps; if stopped, leave that to when the run is gone on with."""
        if state.global_step % self._every == 0:
            with suppress(CancelledError):
                self.look(state.global_step)

    def at(self, step: int) -> Judged | None:
        """What was found after a step; `None` where it was not looked."""
        for record in self._folder.records():
            if record["step"] == step and "held_out_brier" in record:
                flips, others = (record.get(f"held_out_{name}") for name in ("flip_accuracy", "non_flip_accuracy"))
                return Judged(float(record["held_out_brier"]), flips, others)
        return None

    def look(self, step: int) -> Judged:
        """Judge the policy after a step, unless that was done.

        Raises:
            CancelledError: it was stopped.
            ModelError: the model's output is not a number.
            StorageError: the log cannot be written.
        """
        found = processes.of_first(self.at(step))
        if found is None:
            found = self._ask()
            self._folder.log({"stage": "grpo", "step": step, **found.record()})
            self._told(f"Held out at step {step:,}: {found.text}")
        return found
