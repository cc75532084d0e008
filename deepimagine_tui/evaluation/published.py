"""CT Open's published leaderboards: other people's systems, scored by them, to stand beside ours and marked as theirs."""

from __future__ import annotations

import msgspec

from deepimagine_tui.evaluation.ct_open_metrics import CLASSES
from deepimagine_tui.evaluation.questions import QuestionClass

SOURCE = (
    "seed rows of the CT Open platform's database (github.com/HanyuanZhang25/clinical-trial-benchmark, "
    "backend/database.js; CT Open: arXiv 2604.16742)"
)
"""Where the rows are from."""

MAYBE_CONTAMINATED = "flagged by the site as possibly contaminated"


class PublishedRow(msgspec.Struct, frozen=True):
    """A published system: macro-F1 and balanced accuracy in percent, by class, as published without intervals."""

    system: str
    macro_f1: dict[QuestionClass, float]
    balanced_accuracy: dict[QuestionClass, float]
    is_flagged: bool = False


def rows(set_name: str) -> tuple[PublishedRow, ...]:
    """The published rows of a set by its name (`Winter_2025`), in the published order; none of another set."""
    return _ROWS.get(set_name.lower().replace(" ", "_"), ())


def _row(system: str, *scores: tuple[float, float], flagged: bool = False) -> PublishedRow:
    f1: dict[QuestionClass, float] = {kind: first for kind, (first, _) in zip(CLASSES, scores, strict=True)}
    balanced: dict[QuestionClass, float] = {kind: second for kind, (_, second) in zip(CLASSES, scores, strict=True)}
    return PublishedRow(system, f1, balanced, flagged)


_SUMMER = (
    _row("Gemini-3.1-Pro Preview", (68.02, 71.24), (78.00, 80.56), (76.71, 71.86)),
    _row("o3-mini + Agent", (61.75, 62.84), (73.33, 73.96), (69.81, 92.75)),
    _row("GPT-5 + RAG", (50.13, 55.55), (70.18, 73.78), (68.95, 70.05)),
    _row("o3-mini + RAG", (59.07, 58.98), (73.15, 72.94), (56.75, 60.87)),
    _row("Feed-Forward NN", (65.25, 67.78), (64.95, 67.58), (57.56, 85.87)),
    _row("o3-mini", (59.83, 59.46), (72.48, 71.93), (54.94, 59.78)),
    _row("GPT-5", (51.54, 58.24), (70.23, 73.71), (64.81, 64.49)),
    _row("Claude Opus 4.5 + RAG", (58.69, 62.72), (69.59, 74.10), (48.42, 50.00), flagged=True),
    _row("L2 logistic regression", (60.62, 67.20), (70.92, 73.10), (43.46, 49.28)),
    _row("Claude Opus 4.5", (53.71, 57.86), (68.76, 73.68), (48.24, 49.64), flagged=True),
    _row("Random forest", (65.57, 66.48), (55.88, 61.63), (46.15, 45.65)),
    _row("HINT", (64.08, 66.86), (56.28, 63.89), (46.15, 45.65)),
    _row("KNN + random forest", (62.13, 63.29), (57.56, 62.88), (46.74, 46.74)),
)
_WINTER = (
    _row("o3-mini + RAG", (76.88, 73.48), (69.21, 69.18), (56.81, 57.14)),
    _row("Random forest", (66.60, 71.54), (55.39, 63.76), (80.70, 79.12)),
    _row("Gemini-3.1-Pro Preview", (78.42, 87.59), (68.05, 71.52), (52.02, 51.99)),
    _row("KNN + random forest", (65.49, 70.78), (54.87, 63.55), (75.45, 72.87)),
    _row("GPT-5 + RAG", (67.98, 78.03), (67.54, 71.86), (56.96, 57.49)),
    _row("Claude Opus 4.5 + RAG", (70.36, 81.85), (63.43, 69.62), (56.00, 55.19), flagged=True),
    _row("o3-mini", (69.30, 68.02), (68.70, 68.50), (50.54, 50.86)),
    _row("Claude Opus 4.5", (70.17, 80.23), (62.31, 68.91), (55.52, 54.83), flagged=True),
    _row("o3-mini + Agent", (64.83, 66.67), (67.46, 68.06), (54.74, 55.72)),
    _row("GPT-5", (65.29, 77.63), (66.17, 71.20), (54.25, 54.70)),
    _row("L2 logistic regression", (62.38, 70.56), (54.46, 58.58), (65.01, 67.55)),
    _row("Feed-Forward NN", (67.74, 72.29), (54.23, 57.91), (58.87, 74.60)),
    _row("HINT", (57.28, 64.72), (51.87, 62.33), (46.08, 50.00)),
)
_ROWS: dict[str, tuple[PublishedRow, ...]] = {"summer_2025": _SUMMER, "winter_2025": _WINTER}
