"""What the header answers: which corpus, which model, what runs now. Plain values, replaced as a whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

ModelPhase = Literal["none", "assembling", "loading", "ready", "failed"]


@dataclass(frozen=True)
class CorpusStatus:
    """The open corpus. `trials` is `None` until it is open."""

    name: str = ""
    trials: int | None = None
    data_date: str = ""
    failed: str = ""

    def text(self) -> str:
        """`starter · 212 trials · data 2026-10`."""
        if self.failed:
            return "no corpus"
        if self.trials is None:
            return "opening corpus…"
        parts = [self.name, f"{self.trials:,} trials"]
        if self.data_date:
            parts.append(f"data {self.data_date}")
        return " · ".join(parts)


@dataclass(frozen=True)
class ModelStatus:
    """The model in use. `progress` in [0, 1] while it is assembled; `host` for a remote one."""

    name: str = ""
    adapter: str = ""
    phase: ModelPhase = "none"
    progress: float = 0.0
    demo: bool = False
    host: str = ""
    failed: str = ""

    def text(self) -> str:
        """`gemma-270m+di assembling 42%`, `demo, no model`, `gpt at example.org ready`."""
        if self.demo:
            return "demo, no model"
        if not self.name:
            return "no model"
        name = f"{self.name}+{self.adapter}" if self.adapter else self.name
        if self.host:
            name = f"{name} at {self.host}"
        phase = (
            f"assembling {self.progress:.0%}"
            if self.phase == "assembling"
            else {"none": "not loaded"}.get(self.phase, self.phase)
        )
        return f"{name} {phase}"

    def short(self) -> str:
        """The name, and how far it is, for a narrow header."""
        if self.demo:
            return "demo, no model"
        return f"{self.name} {self.progress:.0%}" if self.phase == "assembling" else self.name or "no model"

    @property
    def usable(self) -> bool:
        """Whether a run can start now."""
        return self.phase == "ready"


@dataclass(frozen=True)
class RunStatus:
    """What runs now: empty `doing` when nothing does."""

    doing: str = ""
    stopping: bool = False
    queued: bool = False

    def text(self) -> str:
        """`imagining 2 of 3 · esc stops`."""
        if self.queued:
            return "queued until the model is ready · esc cancels"
        if not self.doing:
            return ""
        return "stopping…" if self.stopping else f"{self.doing} · esc stops"

    def short(self) -> str:
        """The same for a narrow header."""
        return "queued · esc cancels" if self.queued else self.text()

    @property
    def busy(self) -> bool:
        """Whether there is something that `esc` stops."""
        return self.queued or bool(self.doing)


@dataclass(frozen=True)
class ShellStatus:
    """All three."""

    corpus: CorpusStatus = field(default_factory=CorpusStatus)
    model: ModelStatus = field(default_factory=ModelStatus)
    run: RunStatus = field(default_factory=RunStatus)
