"""Which model a calibration or a record is of: by its weights, not by its name."""

from __future__ import annotations

import msgspec

from deepimagine_tui.backends.protocol import ModelInfo
from deepimagine_tui.reasoning.prompts import PROMPT_VERSION


class Subject(msgspec.Struct, frozen=True):
    """The model with its adapter, by SHA-256, and the prompts that it was asked with. A served model shows no weights, and is
    known by name alone."""

    model: str
    model_sha256: str = ""
    adapter_sha256: str = ""
    prompt_version: str = PROMPT_VERSION

    @property
    def name(self) -> str:
        """The model with its adapter, for texts."""
        return self.model + (f" with adapter {self.adapter_sha256[:12]}" if self.adapter_sha256 else "")

    def is_same(self, other: Subject) -> bool:
        """Whether both are one model, whatever it is called, asked with the same prompts."""
        mine, theirs = ((each.model_sha256, each.adapter_sha256, each.prompt_version) for each in (self, other))
        return mine == theirs and (bool(self.model_sha256) or self.model == other.model)

    def is_of(self, info: ModelInfo) -> bool:
        """Whether `info` is this very model, asked with the prompts of this version."""
        return self.is_same(subject_of(info))


def subject_of(info: ModelInfo) -> Subject:
    """The model of `info`, asked with the prompts of this version."""
    return Subject(info.name, info.sha256, info.adapter_sha256)
