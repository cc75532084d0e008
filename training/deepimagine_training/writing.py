"""Writing the traces of many pairs, a batch at a time, so that a stop or a crash loses nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event

from deepimagine_training import rationale, traces
from deepimagine_training.rows import PairRow
from deepimagine_training.traces import Trace
from deepimagine_tui.errors import CancelledError, RefusedError
from deepimagine_tui.reasoning import prompts

_BATCH = 100


def write_facts(rows: Sequence[PairRow], folder: Path, cancel: Event, told: Callable[[str], object] = lambda text: None) -> int:
    """Write the deterministic reasoning of every pair that is one step and has none in `folder` yet; how many pairs are not.

    Traces of another version of the prompts, or of another writer, are refused rather than mixed.

    Raises:
        RefusedError: the folder holds something else.
        BadInputError: a trace there is damaged.
        CancelledError: `cancel` was set; what was written is kept.
        StorageError: the folder cannot be written.
    """
    traces.check_target(folder)
    before = traces.read_lines(folder)
    if any(trace.writer != "facts" or trace.prompt_version != prompts.PROMPT_VERSION for trace in before.values()):
        raise RefusedError(f"{folder} holds traces of another writer or version.", "Name a new folder with --out.")
    left_out = 0
    with traces.appending(folder) as stream:
        for start in range(0, len(rows), _BATCH):
            if cancel.is_set():
                raise CancelledError("Writing traces was stopped.", "The same command goes on from there.")
            made: list[Trace] = []
            for row in rows[start : start + _BATCH]:
                try:
                    reasoning = rationale.write(row)
                except RefusedError:
                    left_out += 1
                    continue
                if row.id not in before:
                    made.append(Trace(row.id, row.factor, reasoning, "facts", prompts.PROMPT_VERSION))
            traces.append(stream, made)
            told(f"{min(start + _BATCH, len(rows)):,} of {len(rows):,} pairs")
    return left_out
