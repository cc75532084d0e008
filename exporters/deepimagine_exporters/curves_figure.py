"""Curves over the steps of a training run as PNG or SVG: what is learnt from in grey, what is held out black and marked."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from deepimagine_exporters.figure import DPI, drawing_settings
from deepimagine_exporters.sheet import LOCK
from deepimagine_tui.errors import RefusedError, UsageError
from deepimagine_tui.files import write_bytes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SUFFIXES = (".png", ".svg")
_STYLES = ("-", "--", ":", "-.")
_GREY, _SOFT, _INK = "#707070", "#c4c4c4", "#000000"
_WIDTH, _HEIGHT = 5.6, 2.5
"""Inches of one panel."""
_MARKED = 40
"""Points up to which every one is marked."""


class Line(Protocol):
    """One curve: `points` are (step, value)."""

    @property
    def label(self) -> str: ...

    @property
    def held_out(self) -> bool: ...

    @property
    def points(self) -> Sequence[tuple[int, float]]: ...


class Panel(Protocol):
    """Curves that share one y axis."""

    @property
    def title(self) -> str: ...

    @property
    def y_label(self) -> str: ...

    @property
    def lines(self) -> Sequence[Line]: ...


def export_curves(title: str, panels: Sequence[Panel], path: Path) -> Path:
    """Draw the panels below one another and write them to `path` (`.png` or `.svg`); the same curves give the same bytes.

    Raises:
        UsageError: the suffix is another one.
        RefusedError: there is no curve.
        StorageError: the file cannot be written.
    """
    suffix = path.suffix.casefold()
    if suffix not in SUFFIXES:
        raise UsageError(f"Curves cannot be written as {path.name!r}.", f"Give it one of the endings {', '.join(SUFFIXES)}.")
    if not panels:
        raise RefusedError(f"{title} has logged nothing to draw.", "Wait for its first step.")
    write_bytes(path, _drawn(title, panels, suffix.removeprefix(".")))
    return path


def _drawn(title: str, panels: Sequence[Panel], file_format: str) -> bytes:
    with LOCK:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        with drawing_settings("curves"):
            figure = Figure(figsize=(_WIDTH, _HEIGHT * len(panels) + 0.4), layout="constrained")
            FigureCanvasAgg(figure)
            figure.suptitle(title, fontsize=10, fontweight="bold", x=0.02, ha="left")
            grid = figure.subplots(len(panels), 1, squeeze=False)
            for axes, panel in zip(grid[:, 0], panels, strict=True):
                _draw(axes, panel)
            stream = io.BytesIO()
            metadata = {"Software": "DeepImagine", "Title": title} if file_format == "png" else {"Date": None, "Title": title}
            figure.savefig(stream, format=file_format, dpi=DPI, metadata=metadata)
        return stream.getvalue()


def _draw(axes: Axes, panel: Panel) -> None:
    from matplotlib.ticker import MaxNLocator

    alone = sum(not line.held_out for line in panel.lines) == 1
    styles = iter(_STYLES * len(panel.lines))
    for line in panel.lines:
        steps, values = [step for step, _ in line.points], [value for _, value in line.points]
        marker = "o" if line.held_out or len(steps) == 1 else ""
        if line.held_out:
            every = max(1, len(steps) // _MARKED)
            axes.plot(
                steps, values, color=_INK, linewidth=1.2, marker=marker, markersize=3.5, markevery=every, label=line.label
            )
            continue
        window = max(1, len(values) // 20)
        if alone and window > 1:
            axes.plot(steps, values, color=_SOFT, linewidth=0.7, label=f"{line.label}, each step")
            values, label = _means(values, window), f"{line.label}, mean of {window} steps"
        else:
            label = line.label
        axes.plot(steps, values, color=_GREY, linewidth=1.4, linestyle=next(styles), marker=marker, markersize=3.5, label=label)
    axes.set_title(panel.title, fontsize=9, loc="left")
    axes.set_xlabel("Step", fontsize=8)
    axes.set_ylabel(panel.y_label, fontsize=8)
    axes.tick_params(labelsize=7)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=7, frameon=False)


def _means(values: Sequence[float], window: int) -> list[float]:
    return [sum(values[max(0, end - window) : end]) / min(window, end) for end in range(1, len(values) + 1)]
