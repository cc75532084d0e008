"""What happens beside a trainer's steps: the log, the clock, a stop that keeps a checkpoint, and a loss that is no number.

Imported only when training begins: it loads transformers.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from threading import Event
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from deepimagine_training import processes
from deepimagine_training.run_folder import RunFolder
from deepimagine_training.run_manifest import Ended, Stage
from deepimagine_tui.errors import ModelError

_MEASURES = {
    "loss": "loss",
    "eval_loss": "held_out_loss",
    "reward": "reward",
    "flip_accuracy": "flip_accuracy",
    "non_flip_accuracy": "non_flip_accuracy",
    "completions/mean_length": "completion_tokens",
    "learning_rate": "learning_rate",
    "grad_norm": "gradient_norm",
    "epoch": "epoch",
}
"""What of a trainer's log is kept, and its name in ours."""


class Follower(TrainerCallback):
    """Writes the log of a run and ends it when it is stopped, or when its time is up.

    Args:
        folder: Whose log it is.
        stage: The stage that trains.
        cancel: Set to stop after the step that runs, with a checkpoint.
        max_minutes: Of all sittings together; 0 is no limit.
        spent: Seconds of earlier sittings.
        told: Hears how far it is.
    """

    def __init__(
        self,
        folder: RunFolder,
        stage: Stage,
        cancel: Event,
        max_minutes: float,
        spent: float,
        told: Callable[[str], object],
    ) -> None:
        self._folder = folder
        self._stage = stage
        self._cancel = cancel
        self._limit = max_minutes * 60 if max_minutes else math.inf
        self._spent = spent
        self._told = told
        self._started = time.monotonic()
        self._first_step = 0
        self.ended: Ended = "complete"

    @property
    def seconds(self) -> float:
        """The time that the run has taken, over all sittings."""
        return self._spent + time.monotonic() - self._started

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:  # noqa: ANN401
        """Note where this sitting begins."""
        self._started = time.monotonic()
        self._first_step = state.global_step

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:  # noqa: ANN401
        """Stop where that was asked for or the time is up, in whichever process; a checkpoint is saved first."""
        late = self.seconds >= self._limit and state.global_step < state.max_steps
        found = processes.by_process((self._cancel.is_set(), late))
        if any(stopped for stopped, _ in found):
            self._cancel.set()
        if any(is_late for _, is_late in found):
            self.ended = "time limit"
        if self._cancel.is_set() or self.ended == "time limit":
            control.should_save = control.should_training_stop = True

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **_: Any,  # noqa: ANN401
    ) -> None:
        """Keep what the trainer logged.

        Raises:
            ModelError: the loss is not a number: nothing that follows would mean anything.
            StorageError: the log cannot be written.
        """
        kept = {name: value for name, value in (logs or {}).items() if _is_measure(name) and value is not None}
        found = {_MEASURES.get(name, name): float(value) for name, value in kept.items()}
        if not found or not state.is_world_process_zero:
            return
        loss = found.get("loss", 0.0)
        if not math.isfinite(loss):
            raise ModelError(
                f"The loss is not a number at step {state.global_step}.",
                "Go on from the last checkpoint with a lower learning rate in a new run, or look at the data.",
            )
        self._folder.log({"stage": self._stage, "step": state.global_step, **found, "seconds": round(self.seconds, 1)})
        self._told(self._progress(state, found))

    def _progress(self, state: TrainerState, found: dict[str, float]) -> str:
        done = state.global_step - self._first_step
        left = ""
        if done and state.global_step < state.max_steps:
            seconds = (time.monotonic() - self._started) / done * (state.max_steps - state.global_step)
            left = f", about {max(0.0, min(seconds, self._limit - self.seconds)) / 60:.0f} min left"
        shown = ", ".join(
            f"{name.replace('_', ' ')} {found[name]:.3f}" for name in ("loss", "held_out_loss", "reward") if name in found
        )
        return f"Step {state.global_step:,} of {state.max_steps:,}: {shown}{left}"


def _is_measure(name: str) -> bool:
    return name in _MEASURES or name.startswith(("rewards/", "eval_"))
