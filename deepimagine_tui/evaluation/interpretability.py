"""Interpretability over a set: the measures of `reasoning.interpret` and `reasoning.probes`, read from the journals of runs.

Each measure is a mean or a median over rows (steps, runs or probes), with an interval over programmes, and the number of trials
behind it. A measure without a single row is there too, with nothing in its estimate, so that a table has all of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from deepimagine_tui.errors import BadInputError, NewerSchemaError, NotFoundError
from deepimagine_tui.evaluation import probing
from deepimagine_tui.evaluation.intervals import Estimate, Rows, estimate, mean, median
from deepimagine_tui.evaluation.runner import RUNS
from deepimagine_tui.files import write_bytes
from deepimagine_tui.reasoning.graph import ReasoningGraph, build_graph
from deepimagine_tui.reasoning.interpret import Together, interpret
from deepimagine_tui.reasoning.journal import SUFFIX, read_events
from deepimagine_tui.reasoning.probe_findings import measure
from deepimagine_tui.reasoning.probe_numbers import (
    AWAY,
    BACK,
    BACK_VERDICT,
    IN_ORDER,
    LEVEL,
    ORDER,
    ORDER_P,
    ORDER_VERDICT,
    SEEDS,
    SEEDS_SPREAD,
    SEEDS_SPREAD_P,
    TAU,
    told,
)
from deepimagine_tui.reasoning.probes import Probe
from deepimagine_tui.reasoning.request import Forecast, WhatIf
from deepimagine_tui.reasoning.versioned import read_versioned
from deepimagine_tui.trials.factors import WALKING_ORDER, Factor

FORMAT = "deepimagine interpretability"
SCHEMA_VERSION = 1
FILE = "interpretability.json"

Unit = Literal["share", "s", "logit", "probability", "tau"]
"""A share or a probability in [0, 1], units of s on the scoring scale, logits, or Kendall's tau in [-1, 1]."""


class Measure(msgspec.Struct, frozen=True):
    """One number with what it means. `factor` is empty for all factors together."""

    name: str
    definition: str
    estimate: Estimate
    unit: Unit
    factor: Factor | Literal[""] = ""


class Interpretability(msgspec.Struct, frozen=True, kw_only=True):
    """The measures of the runs in one folder, of one or more models by name; `unreadable` journals count in nothing."""

    format: str = FORMAT
    schema_version: int = SCHEMA_VERSION
    models: tuple[str, ...]
    runs: int
    measures: tuple[Measure, ...]
    unreadable: int = 0


class Row(NamedTuple):
    """A value of the measure `name`, of a trial."""

    name: str
    value: float
    nct_id: str
    factor: Factor | Literal[""] = ""


class _Kind(NamedTuple):
    definition: str
    unit: Unit
    middle: Literal["mean", "median"]


MOVE, MOVE_P = "a step moves the result", "a step moves P(met)"
FACTS = "the reasoning tells the facts"
WORD, Z_AGREES, Z_GAP = (
    "the stated direction fits the values",
    "the z-test agrees with P(met)",
    "gap of P(met) to the z-test",
)
PATHS, PATHS_SPREAD, PATHS_SPREAD_P = "anchors agree", "spread of anchors", "spread of anchors, P(met)"
READ: dict[str, _Kind] = {
    MOVE: _Kind("median over steps of |contribution| to k1 against k2, on the scoring scale g / s", "s", "median"),
    MOVE_P: _Kind("median over steps between two imagined states of |contribution| to logit P(met)", "logit", "median"),
    FACTS: _Kind(
        "share of steps whose reasoning says nothing false of the change's dose or time or of the source's verdict, of those "
        "that say something of them",
        "share",
        "mean",
    ),
    WORD: _Kind("share of steps whose values went where the model said: up, down or no clear change", "share", "mean"),
    Z_AGREES: _Kind("share of steps in which a z-test on the imagined values is met where P(met) >= .5", "share", "mean"),
    Z_GAP: _Kind("mean over steps of |P(met) - the probability by arithmetic on the imagined values|", "probability", "mean"),
    SEEDS: _Kind("mean over what-ifs of the share of seeds with the majority verdict", "share", "mean"),
    SEEDS_SPREAD: _Kind("median over what-ifs of the interquartile range of g(k1) / s over seeds", "s", "median"),
    SEEDS_SPREAD_P: _Kind("median over what-ifs of the interquartile range of logit P(met) over seeds", "logit", "median"),
    PATHS: _Kind("mean over forecasts of the share of pathways with the majority verdict", "share", "mean"),
    PATHS_SPREAD: _Kind("median over forecasts of the interquartile range of g(k1) / s over pathways", "s", "median"),
    PATHS_SPREAD_P: _Kind("median over forecasts of the interquartile range of logit P(met) over pathways", "logit", "median"),
}
PROBED: dict[str, _Kind] = {
    IN_ORDER: _Kind(
        "mean over ladders of the share of neighbouring doses whose values go the way in which the posted one lies from the "
        "inert comparator",
        "share",
        "mean",
    ),
    LEVEL: _Kind("mean over ladders of the share of neighbouring doses with one and the same value", "share", "mean"),
    TAU: _Kind("mean over ladders of Kendall's tau-a between dose and value in that direction", "tau", "mean"),
    BACK: _Kind("median over A -> B -> A' of |g(A') - g(A)| / s; 0 returns", "s", "median"),
    AWAY: _Kind("median over A -> B -> A' of |g(B) - g(A)| / s; what there was to return from", "s", "median"),
    BACK_VERDICT: _Kind("share of A -> B -> A' whose A' has the posted verdict of A", "share", "mean"),
    ORDER: _Kind("median over two changes in both orders of |delta g| / s; 0 does not mind the order", "s", "median"),
    ORDER_P: _Kind("median over two changes in both orders of |delta logit P(met)|", "logit", "median"),
    ORDER_VERDICT: _Kind("share of two changes whose orders give one verdict", "share", "mean"),
}
BY_FACTOR = (MOVE, FACTS, WORD, Z_AGREES)
"""What is told of every factor too."""


def journals(folder: Path) -> list[Path]:
    """The journals of the runs in `folder`, or in its folder `runs`, by name.

    Raises:
        NotFoundError: there is none.
    """
    inner = folder / RUNS
    found = sorted((inner if inner.is_dir() else folder).glob(f"*{SUFFIX}"))
    if not found:
        raise NotFoundError(f"There are no runs in {folder}.", "Make some: deepimagine evaluate interpret --limit 8 -o FOLDER")
    return found


def read_runs(folder: Path, programmes: Mapping[str, str] | None = None) -> Interpretability:
    """The measures of every run in `folder`, and of the probes that `probing` kept there. `programmes` are clusters of trials
    by NCT id; without one, a trial is its own.

    Raises:
        NotFoundError: there is no run.
        BadInputError: the list of probes is damaged.
    """
    rows: list[Row] = []
    models: dict[str, None] = {}
    unreadable = runs = 0
    asked = probing.read(folder).asked if (folder / probing.JOURNAL).is_file() else ()
    clusters = dict(programmes or {}) | {each.probe.anchor.nct_id: each.programme for each in asked}
    wanted = {run_id for each in asked for run_id in each.run_ids if each.probe.kind != "seeds"}
    graphs: dict[str, ReasoningGraph] = {}
    for path in journals(folder):
        try:
            graph = build_graph(read_events(path).events)
        except (BadInputError, NewerSchemaError):
            unreadable += 1
            continue
        runs += 1
        rows += rows_of(graph)
        if path.stem in wanted:
            graphs[path.stem] = graph
        if graph.started is not None:
            models[graph.started.model.full_name] = None
    for each in asked:
        if wanted.issuperset(each.run_ids) and graphs.keys() >= set(each.run_ids):
            rows += rows_of_probe(each.probe, [graphs[run_id] for run_id in each.run_ids])
    found = measures(rows, READ | PROBED, clusters)
    return Interpretability(models=tuple(models), runs=runs, measures=found, unreadable=unreadable)


def rows_of(graph: ReasoningGraph) -> Iterator[Row]:
    """What one run gives to each measure."""
    trial = trial_of(graph)
    found = interpret(graph)
    for step in (step for walk in found.walks for step in walk.steps if step.kind == "model"):
        said: dict[str, float | bool | None] = {
            MOVE: abs(step.moved) if step.moved is not None else None,
            MOVE_P: abs(step.moved_logit) if step.moved_logit is not None else None,
            FACTS: step.tells_the_facts,
            WORD: step.fits_its_word,
            Z_AGREES: step.z_agrees,
            Z_GAP: step.z_gap,
        }
        yield from (Row(name, float(value), trial, step.factor) for name, value in said.items() if value is not None)
    if found.together is not None:
        names = (
            (SEEDS, SEEDS_SPREAD, SEEDS_SPREAD_P) if found.together.from_one_anchor else (PATHS, PATHS_SPREAD, PATHS_SPREAD_P)
        )
        values = found.together.agree.value, found.together.spread, found.together.spread_logit
        yield from (Row(name, value, trial) for name, value in zip(names, values, strict=True) if value is not None)


def rows_of_probe(probe: Probe, graphs: Sequence[ReasoningGraph]) -> Iterator[Row]:
    """What the runs of one probe give to each measure; seeds are read off their run as any are."""
    found = measure(probe, graphs)
    if found is None or isinstance(found, Together):
        return
    yield from (Row(name, value, probe.anchor.nct_id) for name, value in told(found).items() if value is not None)


def trial_of(graph: ReasoningGraph) -> str:
    """The trial that a run is about: a what-if's anchor, a forecast's target; the run itself where that has none."""
    if graph.started is None:
        return ""
    match graph.started.request.question:
        case WhatIf(anchor=anchor):
            return anchor.nct_id
        case Forecast(nct_id=nct_id):
            return nct_id or graph.started.run_id


def measures(rows: Iterable[Row], kinds: Mapping[str, _Kind], programmes: Mapping[str, str]) -> tuple[Measure, ...]:
    """Every one of `kinds` over the rows of its name; those of `BY_FACTOR` also by factor, where a factor has rows."""
    by_name: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_name[row.name].append(row)
    found = []
    for name, kind in kinds.items():
        every = by_name[name]
        found.append(_measure(name, kind, every, programmes))
        for factor in WALKING_ORDER if name in BY_FACTOR else ():
            own = [row for row in every if row.factor == factor]
            if own:
                found.append(msgspec.structs.replace(_measure(name, kind, own, programmes), factor=factor))
    return tuple(found)


def _measure(name: str, kind: _Kind, rows: Sequence[Row], programmes: Mapping[str, str]) -> Measure:
    values = [row.value for row in rows]
    trials = tuple(row.nct_id for row in rows)
    statistic = mean(values) if kind.middle == "mean" else median(values)
    whose = Rows(trials, tuple(programmes.get(trial, trial) for trial in trials))
    return Measure(name, kind.definition, estimate(statistic, whose), kind.unit)


def write(found: Interpretability, path: Path) -> None:
    """Write the measures as JSON.

    Raises:
        StorageError: the file cannot be written.
    """
    write_bytes(path, msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")


def read(path: Path) -> Interpretability:
    """The measures in the file `path`, or in that of the folder `path`.

    Raises:
        NotFoundError: there is none.
        BadInputError: it holds none.
        NewerSchemaError: a newer DeepImagine wrote it.
    """
    file = path / FILE if path.is_dir() else path
    how = "deepimagine evaluate interpret"
    return read_versioned(file, Interpretability, (FORMAT, SCHEMA_VERSION), "measures of interpretability", how)
