"""The curves of a run's log: what was measured at which step, as panels that can be drawn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

_HELD_OUT = "held_out_"
_PARTS = "rewards/"


class Line(msgspec.Struct, frozen=True):
    """One curve. `held_out` is measured on trials that are not learnt from; `points` are (step, value), in order."""

    label: str
    held_out: bool
    points: tuple[tuple[int, float], ...]


class Panel(msgspec.Struct, frozen=True):
    """Curves over steps that share one y axis."""

    title: str
    y_label: str
    lines: tuple[Line, ...]


def panels(records: Iterable[Mapping[str, Any]]) -> tuple[Panel, ...]:
    """The panels of a log: loss, reward, the parts of the reward, and whatever else was measured on held-out trials.

    A panel is there only where something of it was logged; a step that was logged twice counts once, as it was last.
    """
    found: dict[str, dict[int, float]] = {}
    for record in records:
        for name, value in record.items():
            if name not in ("step", "seconds", "epoch") and isinstance(value, int | float) and not isinstance(value, bool):
                found.setdefault(name, {})[int(record["step"])] = float(value)
    wanted = [
        ("Loss", "Loss (nats a token)", ("loss", f"{_HELD_OUT}loss")),
        ("Reward", "Mean reward of a sample", ("reward", f"{_HELD_OUT}reward")),
        ("Parts of the reward", "Mean of a sample", tuple(name for name in found if _is_part(name))),
        *((_words(name), _words(name), (name,)) for name in found if _is_other_held_out(name)),
    ]
    made = [
        Panel(title, label, tuple(_line(name, found[name]) for name in names if name in found))
        for title, label, names in wanted
    ]
    return tuple(panel for panel in made if panel.lines)


def _line(name: str, values: Mapping[int, float]) -> Line:
    held_out = name.startswith(_HELD_OUT)
    label = (
        "held out"
        if held_out
        else name.removeprefix(_PARTS).removesuffix("/mean").replace("_", " ")
        if _is_part(name)
        else "training"
    )
    return Line(label, held_out, tuple(sorted(values.items())))


def _is_part(name: str) -> bool:
    return name.startswith(_PARTS) and not name.endswith("/std")


def _is_other_held_out(name: str) -> bool:
    return name.startswith(_HELD_OUT) and name not in (f"{_HELD_OUT}loss", f"{_HELD_OUT}reward")


def _words(name: str) -> str:
    return f"Held-out {name.removeprefix(_HELD_OUT).replace('_', ' ')}"
