"""The probes of a run as a card: the lines of every surface, styled; numbers in italics, since a model said them."""

from __future__ import annotations

import re

from textual.content import Content

from deepimagine_tui.reasoning.probe_asking import ProbeProgress
from deepimagine_tui.reasoning.probe_results import RunProbes
from deepimagine_tui.reasoning.probe_text import LineKind, probe_lines
from deepimagine_tui.reasoning.summary import MARKS

NOTHING = "Once a run is answered, p asks its question in other ways: do its answers hang together?"
_STYLES: dict[LineKind, str] = {"heading": "bold", "probe": "bold", "doses": "italic", "number": "italic", "note": "dim"}


def probe_card(probes: RunProbes, width: int, progress: ProbeProgress | None = None) -> Content:
    """The block of a run; `progress` while its probes are asked."""
    said = [line for line in probe_lines(probes, width) if progress is None or probes.asked or line.kind != "note"]
    lines = [_doses(line.text) if line.kind == "doses" else Content.styled(line.text, _STYLES[line.kind]) for line in said]
    if progress is not None:
        so_far = f"{progress.done} of {progress.total} steps answered" if progress.total else "asking the model"
        lines.insert(1, Content.styled(f"Probing: {so_far}; esc stops and keeps them", "$primary"))
    elif probes.open:
        lines.insert(1, Content.styled("p asks the rest" if probes.asked else "p asks them", "$primary"))
    return Content("\n").join(lines)


def _doses(text: str) -> Content:
    """The doses of a ladder with their values; the posted one upright."""
    parts = re.split(r"(,\s*)", text)
    return Content.assemble(*((part, "bold" if MARKS["observed"] in part else "italic") for part in parts))
