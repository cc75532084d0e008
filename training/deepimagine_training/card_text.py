"""The words of a card: sentences for the app, and the whole of it as Markdown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from deepimagine_training import score_text
from deepimagine_training.run_manifest import Manifest
from deepimagine_training.score_report import MODEL, Report
from deepimagine_training.scores import ALL, WORDS, Difference, Metric, Subset
from deepimagine_tui.evaluation.intervals import LEVEL, Word

CAUTION = (
    "Most of these trials were posted before the base model was made, which may have read their results.",
    "Model output made with this is for hypothesis generation. Not evidence; not for patient care.",
)
BASE_RATE = "base rate"
_BRIEF: tuple[tuple[Metric, str], ...] = (
    ("macro-F1", "Verdict, macro-F1"),
    ("Brier", "P(met), Brier score (lower is better)"),
    ("direction", "Direction, balanced accuracy of three"),
    ("e", "Values, median error e (lower is better)"),
)
_SAID: dict[Word, str] = {
    "better": "better than",
    "worse": "worse than",
    "not distinguishable": "not distinguishable from",
}


def brief(manifest: Manifest, report: Report, parents: Sequence[Manifest] = ()) -> Iterator[str]:
    """What the app shows: what was learnt from what, every headline with whom it is better than, and where it knows nothing."""
    yield _made(manifest, parents)
    yield (
        f"Held out ({report.side}): {report.pairs:,} pairs of {report.trials} trials, none of which was trained on. "
        f"{LEVEL:.0f}% intervals are over trials."
    )
    for metric, name in _BRIEF:
        yield from _headline(report, metric, name, ALL)
    for factor in ("arm", "dose"):
        if factor in score_text.factors(report):
            for metric, name in _BRIEF:
                yield from _headline(report, metric, f"{name}, {factor} pairs", factor)
    yield from _flips(report)
    yield from _no_better(report)
    yield from CAUTION


def markdown(manifest: Manifest, report: Report, parents: Sequence[Manifest] = ()) -> str:
    """The card as Markdown."""
    data = manifest.data
    no_answers = next(system.no_answers for system in report.scores.systems if system.name == MODEL)
    lines = [
        f"# {manifest.recipe.name} on {manifest.base.name}: model card",
        "",
        *(f"- {sentence}" for sentence in brief(manifest, report, parents)),
        "",
        "## Training",
        "",
        *_table(("what", "value"), list(_facts(manifest, parents))),
        "",
        f"Pairs left out: {', '.join(f'{count:,} {reason}' for reason, count in data.left_out.items()) or 'none'}.",
        "",
        "## Held-out scores",
        "",
        f"Natural registry pairs of the {report.side} side, asked as the engine asks one step: {report.pairs:,} of "
        f"{report.available:,} pairs, of {report.trials} trials. {no_answers:,} had no answer. Reasoning of at most "
        f"{report.settings.max_reasoning_tokens} tokens at temperature {report.settings.temperature:g}, prompts version "
        f"{report.prompt_version}. P(met) is the model's own, uncorrected.",
        "",
        f"A cell is the value, its {LEVEL:.0f}% interval by a bootstrap over trials (programmes together), and pairs/trials; "
        "with few trials there is no interval. A flip is a pair whose verdict is not the source's. There are "
        f"{len(report.scores.differences):,} comparisons in this card: of twenty intervals, one misses the truth by chance.",
        "",
        *(f"- **{metric}**: {WORDS[metric]}." for metric in score_text.METRICS),
        "",
        *_table(("system", "what it is"), [(system.name, system.what) for system in report.scores.systems]),
    ]
    for factor in score_text.factors(report):
        lines += ["", f"### {factor.replace('_', ' ').capitalize()}"]
        for subset in ("all", "flips", "non-flips"):
            lines += _scores(report, factor, _SUBSETS[subset])
    return "\n".join(lines) + "\n"


_SUBSETS: dict[str, Subset] = {"all": "all", "flips": "flips", "non-flips": "non-flips"}


def _scores(report: Report, factor: str, subset: Subset) -> list[str]:
    rows = score_text.rows(report, factor, subset)
    if not rows:
        return []
    said = [f"- {sentence}" for sentence in score_text.comparisons(report, factor, subset)]
    return ["", *([f"On {subset}:", ""] if subset != "all" else []), *_table(score_text.HEADERS, rows), "", *said]


def _made(manifest: Manifest, parents: Sequence[Manifest]) -> str:
    stages = " then ".join(one.stage for one in reversed((manifest, *parents)))
    hours = sum(one.seconds for one in (manifest, *parents)) / 3600
    return (
        f"An adapter on {manifest.base.name}, trained by the recipe {manifest.recipe.name} ({stages}) in {hours:.1f} hours on "
        f"{manifest.data.examples:,} pairs; it may have learnt from {len(manifest.trained_on):,} trials, posted until "
        f"{manifest.cutoff or 'an unknown date'}."
    )


def _headline(report: Report, metric: Metric, name: str, factor: str) -> Iterator[str]:
    found = report.scores.of(MODEL, metric, factor)
    if found is None or found.value is None:
        return
    interval = "" if found.lower is None or found.upper is None else f" [{found.lower:.2f}, {found.upper:.2f}]"
    where = f"on {found.rows:,} pairs of {found.trials} trials"
    yield f"{name}: {found.value:.2f}{interval} {where}; {_words(_compared(report, metric, factor))}."


def _words(differences: Sequence[Difference]) -> str:
    by_word: dict[Word, list[str]] = defaultdict(list)
    for each in differences:
        by_word[each.word].append(each.other)
    return "; ".join(f"{said} {', '.join(by_word[word])}" for word, said in _SAID.items() if by_word[word]) or "alone"


def _compared(report: Report, metric: Metric, factor: str, subset: Subset = "all") -> list[Difference]:
    wanted = (MODEL, metric, factor, subset)
    return [each for each in report.scores.differences if (each.system, each.metric, each.factor, each.subset) == wanted]


def _flips(report: Report) -> Iterator[str]:
    flips, others = (report.scores.of(MODEL, "accuracy", ALL, _SUBSETS[name]) for name in ("flips", "non-flips"))
    if flips is not None and others is not None and flips.value is not None and others.value is not None:
        yield (
            f"Right verdicts on flips {flips.value:.0%} ({flips.rows:,} pairs of {flips.trials} trials), on others "
            f"{others.value:.0%} ({others.rows:,} of {others.trials})."
        )


def _no_better(report: Report) -> Iterator[str]:
    """The factors in which P(met) is not shown to be better than the base rate."""
    weak = [
        f"{each.factor.replace('_', ' ')} ({each.estimate.trials} trials)"
        for each in report.scores.differences
        if (each.system, each.other, each.metric, each.subset) == (MODEL, BASE_RATE, "Brier", "all")
        and each.word != "better"
        and each.factor != ALL
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


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table whose columns are aligned, to be read as it is too."""
    cells = [[cell.replace("|", "\\|") for cell in row] for row in (headers, *rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(headers))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in cells]
    return [lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]]
