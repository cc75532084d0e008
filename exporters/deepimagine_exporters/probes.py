"""The probes of a run in its report: each number with its n and what it means."""

from __future__ import annotations

from collections.abc import Iterator

from deepimagine_tui.document import Bullets, Heading, Paragraph, Part, Table
from deepimagine_tui.reasoning.probe_numbers import SCALE
from deepimagine_tui.reasoning.probe_results import RunProbes
from deepimagine_tui.reasoning.probe_text import HEADING, IMAGINED, count_text, probe_name, rung_text, value_text


def probe_parts(probes: RunProbes) -> Iterator[Part]:
    """The probes that were asked, and why the others were not; nothing of a run that was not probed."""
    if not probes.asked:
        return
    yield Heading(2, HEADING)
    yield Paragraph(f"Asked of {probes.model}. {IMAGINED}")
    rows = [(each, number) for each in probes.results for number in each.numbers]
    yield Table(
        ("Probe", "Number", "Value", "n", "What it says"),
        tuple(
            (probe_name(each.kind).partition(":")[0], number.name, value_text(number), count_text(number), number.definition)
            for each, number in rows
        ),
        frozenset(range(len(rows))),
    )
    said = [f"Doses: {', '.join(map(rung_text, each.rungs))}." for each in probes.results if each.rungs]
    said += [
        f"{probe_name(each.kind).partition(':')[0]}: {each.standing}. {each.why}".rstrip()
        for each in probes.results
        if not each.numbers
    ]
    if said:
        yield Bullets(tuple(said))
    yield Paragraph(SCALE)
