"""The words of a card: sentences for the app, and the whole of it as the parts of a document."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from deepimagine_training.run_manifest import Manifest
from deepimagine_tui.document import Bullets, Heading, Paragraph, Part, Table
from deepimagine_tui.evaluation import report_content
from deepimagine_tui.evaluation.estimate_text import SAID, cell
from deepimagine_tui.evaluation.intervals import LEVEL, Word
from deepimagine_tui.evaluation.metrics import EVERY, FLIPS, NON_FLIPS, Metric, Slice
from deepimagine_tui.evaluation.questions import QuestionClass
from deepimagine_tui.evaluation.scoring_report import Report

KIND: QuestionClass = "natural pair"
"""What a card is of."""
MODEL, UNTUNED, BASE_RATE = "model", "untuned base", "base-rate"
CAUTION = (
    "Most of these trials were posted before the base model was made, which may have read their results.",
    "Model output made with this is for hypothesis generation. Not evidence; not for patient care.",
)
_BRIEF: tuple[tuple[Metric, str], ...] = (
    ("macro-F1", "Verdict, macro-F1"),
    ("Brier", "P(met), Brier score (lower is better)"),
    ("direction", "Direction, balanced accuracy of three"),
    ("median e", "Values, median error e (lower is better)"),
)
_FIRST = ("arm", "dose")
"""The factors with headlines of their own."""


def brief(manifest: Manifest, report: Report, parents: Sequence[Manifest] = ()) -> Iterator[str]:
    """What the app shows: what was learnt from what, every headline with whom it is better than, and where it knows nothing."""
    yield _made(manifest, parents)
    yield (
        f"Held out ({report.set_name}): {_asked(report)} of {report.trials} trials, none of which was trained on. "
        f"{LEVEL:.0f}% intervals are over trials."
    )
    for metric, name in _BRIEF:
        yield from _headline(report, metric, name, EVERY)
    for factor in _FIRST:
        for metric, name in _BRIEF:
            yield from _headline(report, metric, f"{name}, {factor} pairs", Slice("factor", factor))
    yield from _flips(report)
    yield from _no_better(report)
    yield from CAUTION


def parts(manifest: Manifest, report: Report, parents: Sequence[Manifest] = ()) -> Iterator[Part]:
    """The card as a document: the sentences, the training, and every table of the scores."""
    yield Heading(1, f"{manifest.recipe.name} on {manifest.base.name}: model card")
    yield Bullets(tuple(brief(manifest, report, parents)))
    yield Heading(2, "Training")
    yield Table(("what", "value"), tuple(_facts(manifest, parents)))
    left_out = ", ".join(f"{count:,} {reason}" for reason, count in manifest.data.left_out.items())
    yield Paragraph(f"Pairs left out: {left_out or 'none'}.")
    yield from list(report_content.report_parts(report))[1:]


def _made(manifest: Manifest, parents: Sequence[Manifest]) -> str:
    stages = " then ".join(one.stage for one in reversed((manifest, *parents)))
    hours = sum(one.seconds for one in (manifest, *parents)) / 3600
    return (
        f"An adapter on {manifest.base.name}, trained by the recipe {manifest.recipe.name} ({stages}) in {hours:.1f} hours on "
        f"{manifest.data.examples:,} pairs; it may have learnt from {len(manifest.trained_on):,} trials, posted until "
        f"{manifest.cutoff or 'an unknown date'}."
    )


def _asked(report: Report) -> str:
    answered = next(row.answered for row in report.systems if row.name == MODEL)
    return f"{answered:,} of {report.questions:,} pairs" if answered < report.questions else f"{answered:,} pairs"


def _headline(report: Report, metric: Metric, name: str, part: Slice) -> Iterator[str]:
    found = report.of(MODEL, KIND, metric, part)
    if found is not None and found.value is not None:
        where = f"on {found.rows:,} pairs of {found.trials} trials"
        yield f"{name}: {cell(found, metric, with_rows=False)} {where}; {_words(report, metric, part)}."


def _words(report: Report, metric: Metric, part: Slice) -> str:
    by_word: dict[Word, list[str]] = defaultdict(list)
    for system in report.systems:
        found = report.against(system.name, KIND, metric, part)
        if found is not None:
            by_word[found.word].append(found.other)
    return "; ".join(f"{said} {', '.join(by_word[word])}" for word, said in SAID.items() if by_word[word]) or "alone"


def _flips(report: Report) -> Iterator[str]:
    flips, others = (report.of(MODEL, KIND, "accuracy", Slice("flips", name)) for name in (FLIPS, NON_FLIPS))
    if flips is not None and others is not None and flips.value is not None and others.value is not None:
        yield (
            f"Right verdicts on flips {flips.value:.0%} ({flips.rows:,} pairs of {flips.trials} trials), on others "
            f"{others.value:.0%} ({others.rows:,} of {others.trials})."
        )


def _no_better(report: Report) -> Iterator[str]:
    """The factors in which P(met) is not shown to be better than the base rate."""
    weak = [
        f"{each.slice.name.replace('_', ' ')} ({each.estimate.trials} trials)"
        for each in report.differences
        if (each.other, each.metric, each.slice.kind) == (BASE_RATE, "Brier", "factor") and each.word != "better"
    ]
    if weak:
        yield f"P(met) is not shown to be better than the base rate in: {', '.join(weak)}."


def _facts(manifest: Manifest, parents: Sequence[Manifest]) -> Iterator[tuple[str, str]]:
    data, machine, recipe = manifest.data, manifest.machine, manifest.recipe
    yield "run", manifest.run_id
    yield (
        "stages",
        "; ".join(f"{one.stage}, {one.steps:,} steps, {one.seconds / 60:.0f} min" for one in (*parents[::-1], manifest)),
    )
    yield "ended", manifest.ended
    yield "base", f"{manifest.base.name}, sha256 {manifest.base.sha256}"
    yield "recipe", f"{recipe.name}: LoRA r={recipe.lora.r}, alpha={recipe.lora.alpha}; seed {manifest.seed}"
    yield "corpus", f"{data.corpus.name}, version {data.corpus.version}, data to {data.corpus.data_date or 'unknown'}"
    yield "pairs", f"{data.examples:,} learnt from, {data.validation:,} to watch; sha256 {data.pairs_sha256}"
    yield "traces", data.traces_sha256 or "none"
    yield "sides", f"{data.sides_version}: by programme, before any pair was drawn"
    yield "trials seen", f"{len(manifest.trained_on):,}, siblings of their programmes included; newest posted {manifest.cutoff}"
    yield "machine", f"{machine.cpu}, {machine.cores} cores, {machine.device}"
    yield "libraries", ", ".join(f"{name} {version}" for name, version in manifest.libraries.items())
