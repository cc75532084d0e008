"""A trial's data as files: every posted value and contrast in CSV, everything in JSON. The context of use is in both."""

from __future__ import annotations

import csv
import io

import msgspec

from deepimagine_tui.reasoning.events import CONTEXT_OF_USE
from deepimagine_tui.trials.model import Trial
from deepimagine_tui.tui.whiskers import spread_of

COLUMNS = (
    "status", "nct_id", "outcome_id", "role", "outcome", "class", "category", "group", "value", "unit", "basis",
    "dispersion_kind", "dispersion", "lower", "upper", "interval", "n", "analysis_set", "contrast", "orientation", "hypothesis",
    "p",
)  # fmt: skip


def trial_csv(trial: Trial) -> str:
    """Posted values, then contrasts, one a line, under COLUMNS; the first line is the context of use."""
    text = io.StringIO()
    text.write(f"# {CONTEXT_OF_USE} The values below are observed: posted to the registry.\n")
    writer = csv.DictWriter(text, list[str](COLUMNS), restval="", lineterminator="\n")
    writer.writeheader()
    for outcome in trial.outcomes:
        titles = {group.id: group.title for group in outcome.groups}
        shared = {
            "status": "observed", "nct_id": trial.nct_id, "outcome_id": outcome.id, "role": outcome.role,
            "outcome": outcome.title, "unit": outcome.unit, "basis": outcome.change_basis, "analysis_set": outcome.analysis_set,
        }  # fmt: skip
        for cell in outcome.cells:
            spread = spread_of(trial.nct_id, outcome, cell)
            row: dict[str, object] = {
                **shared, "class": cell.class_title, "category": cell.category,
                "group": titles.get(cell.group_id, cell.group_id),
                "value": cell.value if cell.value is not None else cell.state, "dispersion_kind": outcome.dispersion_kind,
                "dispersion": cell.dispersion, "lower": spread.lower, "upper": spread.upper,
                "interval": spread.label, "n": cell.n,
            }  # fmt: skip
            writer.writerow(row)
        for contrast in outcome.contrasts:
            interval = contrast.interval
            writer.writerow({
                **shared, "class": contrast.class_title,
                "group": " | ".join(titles.get(each, each) for each in contrast.group_ids),
                "value": contrast.estimate, "unit": contrast.unit, "contrast": contrast.scale or contrast.kind,
                "lower": interval.lower if interval else None, "upper": interval.upper if interval else None,
                "interval": f"{interval.level:g}% CI posted" if interval and interval.level else "",
                "orientation": contrast.orientation, "hypothesis": contrast.hypothesis,
                "p": f"{contrast.p.operator}{contrast.p.value:g}" if contrast.p else "",
            })  # fmt: skip
    return text.getvalue()


def trial_json(trial: Trial) -> str:
    """The trial as DeepImagine understood it."""
    wrapped = {"context_of_use": CONTEXT_OF_USE, "trial": trial}
    return msgspec.json.format(msgspec.json.encode(wrapped)).decode() + "\n"
