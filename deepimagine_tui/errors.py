"""The one error tree: every error a user can meet has a title, a message, a hint and an exit code.

The core raises these; only a worker boundary and `cli.main` turn them into text.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What a process of ours ends with."""

    OK = 0
    """The command did what it was asked."""
    UNEXPECTED = 1
    """A defect of DeepImagine: nothing the user did explains it."""
    USAGE = 2
    """The command line, a setting or a key map cannot be understood."""
    BAD_INPUT = 3
    """A file or record given to us cannot be read as what it should be."""
    NOT_FOUND = 4
    """A trial, run, model or file that was named does not exist."""
    REFUSED = 5
    """The question cannot be asked as posed, or asking it was forbidden."""
    NO_ANSWER = 6
    """The run ended without an answer; what was produced is kept."""
    CORPUS = 7
    """The corpus or workspace database is locked, damaged or of a newer version."""
    MODEL = 8
    """The model cannot be loaded, or stopped while it worked."""
    NETWORK = 9
    """A server cannot be reached or answered with an error."""
    STORAGE = 10
    """Something cannot be written: no room, no permission."""
    MISSING_EXTRA = 11
    """An optional package that this command needs is not installed."""
    CANCELLED = 130
    """The user stopped it; what was produced is kept."""


class DeepImagineError(Exception):
    """An error a user can act on.

    Args:
        message: What happened, in one sentence.
        hint: What to do about it, in one sentence; empty when nothing can be done.
    """

    title = "Something went wrong"
    exit_code = ExitCode.UNEXPECTED

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class UsageError(DeepImagineError):
    """The command line, a setting or a key map cannot be understood."""

    title = "Not understood"
    exit_code = ExitCode.USAGE


class BadInputError(DeepImagineError):
    """A file or record given to us cannot be read as what it should be."""

    title = "Cannot read this"
    exit_code = ExitCode.BAD_INPUT


class NewerSchemaError(BadInputError):
    """A stored object was written by a newer DeepImagine."""

    title = "Written by a newer version"


class NotFoundError(DeepImagineError):
    """A trial, run, model or file that was named does not exist."""

    title = "Not found"
    exit_code = ExitCode.NOT_FOUND


class RefusedError(DeepImagineError):
    """The question cannot be asked as posed, or asking it was forbidden."""

    title = "Cannot be asked"
    exit_code = ExitCode.REFUSED


class CorpusError(DeepImagineError):
    """The corpus or workspace database is locked, damaged or of a newer version."""

    title = "The corpus cannot be used"
    exit_code = ExitCode.CORPUS


class ModelError(DeepImagineError):
    """The model cannot be loaded, or stopped while it worked."""

    title = "The model cannot be used"
    exit_code = ExitCode.MODEL


class NetworkError(DeepImagineError):
    """A server cannot be reached or answered with an error."""

    title = "The network failed"
    exit_code = ExitCode.NETWORK


class StorageError(DeepImagineError):
    """Something cannot be written: no room, no permission."""

    title = "Cannot be written"
    exit_code = ExitCode.STORAGE


class MissingExtraError(DeepImagineError):
    """An optional package that this command needs is not installed."""

    title = "Not installed"
    exit_code = ExitCode.MISSING_EXTRA


class CancelledError(DeepImagineError):
    """The user stopped it; what was produced is kept."""

    title = "Stopped"
    exit_code = ExitCode.CANCELLED
