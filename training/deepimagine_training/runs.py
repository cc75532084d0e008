"""The training runs of a folder: found, told in short, and compared."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from deepimagine_training import run_manifest
from deepimagine_training.recipe import Recipe
from deepimagine_training.recipes import flat
from deepimagine_training.run_folder import BEGUN, read_begun, read_log, read_recipe, trainer_of, training_dir
from deepimagine_training.run_manifest import MANIFEST, Manifest
from deepimagine_tui.errors import NotFoundError, UsageError

State = Literal["complete", "time limit", "unfinished", "training"]


class Run(msgspec.Struct, frozen=True):
    """One run in short. `steps` and `metrics` of an unfinished run are what its log holds so far; its stage is then the log's,
    empty before the first step."""

    name: str
    path: str
    run_id: str
    started: str
    stage: str
    base: str
    steps: int
    ended: State
    metrics: dict[str, float]
    manifest: Manifest | None
    recipe: Recipe
    inputs: dict[str, str]


class Difference(msgspec.Struct, frozen=True):
    """Something that two runs differ in."""

    what: str
    first: str
    second: str


class MetricDifference(msgspec.Struct, frozen=True):
    """A metric of two runs; `difference` is the second less the first. `None` is a run that did not measure it."""

    name: str
    first: float | None
    second: float | None
    difference: float | None


class Comparison(msgspec.Struct, frozen=True):
    """What two runs differ in, and what came out."""

    first: str
    second: str
    recipe: tuple[Difference, ...]
    data: tuple[Difference, ...]
    metrics: tuple[MetricDifference, ...]


def runs_in(folder: Path) -> list[Run]:
    """The runs below `folder`, newest first; a folder that holds none is passed over.

    Raises:
        BadInputError: a run there is damaged.
    """
    if not folder.is_dir():
        return []
    found = [read_run(path) for path in folder.iterdir() if (path / BEGUN).is_file()]
    return sorted(found, key=lambda run: run.run_id, reverse=True)


def find(run: str, folder: Path | None = None) -> Run:
    """The run of a name, an id or the beginning of one, or a path; `last` is the newest.

    Raises:
        NotFoundError: there is none.
        UsageError: several begin so.
        BadInputError: it is damaged.
    """
    place = folder or training_dir()
    every = runs_in(place)
    if run == "last" and every:
        return every[0]
    matching = [each for each in every if each.name == run] or [each for each in every if each.run_id.startswith(run)]
    if not matching and (Path(run) / BEGUN).is_file():
        return read_run(Path(run))
    if not matching:
        raise NotFoundError(f"There is no training run {run!r} in {place}.", "See which there are: deepimagine train runs list")
    if len(matching) > 1:
        raise UsageError(f"Several runs begin with {run!r}.", f"They are: {', '.join(each.run_id for each in matching)}.")
    return matching[0]


def read_run(path: Path) -> Run:
    """The run in a folder.

    Raises:
        BadInputError: it holds none, or it is damaged.
        NewerSchemaError: a newer DeepImagine made it.
    """
    begun, recipe = read_begun(path), read_recipe(path)
    name = path.resolve().name
    if (path / MANIFEST).is_file():
        made = run_manifest.read(path)
        return Run(
            name=name,
            path=str(path),
            run_id=made.run_id,
            started=made.started,
            stage=made.stage,
            base=made.base.name,
            steps=made.steps,
            ended=made.ended,
            metrics=made.metrics,
            manifest=made,
            recipe=made.recipe,
            inputs=begun.inputs,
        )
    records = read_log(path)
    measured = {
        name: float(value)
        for record in records
        for name, value in record.items()
        if name in ("loss", "reward") or name.startswith("held_out_")
    }
    return Run(
        name=name,
        path=str(path),
        run_id=begun.run_id,
        started=begun.started,
        stage=str(records[-1]["stage"]) if records else "",
        base=recipe.base,
        steps=max((int(record["step"]) for record in records), default=0),
        ended="training" if trainer_of(path) else "unfinished",
        metrics=measured,
        manifest=None,
        recipe=recipe,
        inputs=begun.inputs,
    )


def compare(first: Run, second: Run) -> Comparison:
    """What two runs differ in: keys of their recipes, their data and libraries, their metrics."""
    recipes, data = (flat(first.recipe), flat(second.recipe)), (_data(first), _data(second))
    metrics = []
    for name in sorted({*first.metrics, *second.metrics}):
        one, other = first.metrics.get(name), second.metrics.get(name)
        metrics.append(MetricDifference(name, one, other, None if one is None or other is None else other - one))
    return Comparison(first.name, second.name, _differences(*recipes), _differences(*data), tuple(metrics))


def _differences(first: dict[str, object], second: dict[str, object]) -> tuple[Difference, ...]:
    keys = list(dict.fromkeys([*first, *second]))
    return tuple(
        Difference(key, str(first.get(key, "")), str(second.get(key, ""))) for key in keys if first.get(key) != second.get(key)
    )


def _data(run: Run) -> dict[str, object]:
    found: dict[str, object] = {"stage": run.stage, "ended": run.ended, "steps": run.steps, **run.inputs}
    if run.manifest is not None:
        made = run.manifest
        found |= {
            "parent": made.parent,
            "base sha256": made.base.sha256,
            "corpus": f"{made.data.corpus.name} {made.data.corpus.version}",
            "training examples": made.data.examples,
            "held-out examples": made.data.validation,
            "training trials": len(made.trained_on),
            "cutoff": made.cutoff,
            "prompt version": made.prompt_version,
            "deepimagine": made.deepimagine,
            "machine": f"{made.machine.cpu}, {made.machine.cores} cores, {made.machine.device}",
            "seconds": round(made.seconds),
            **made.libraries,
        }
    return found
