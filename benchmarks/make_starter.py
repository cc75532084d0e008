"""Make the starter corpus from registry records, or show where its numbers come from.

    python benchmarks/make_starter.py --data DIR [--out FILE]
    python benchmarks/make_starter.py --data DIR --explain NCT00123456 [--outcome 2]

DIR holds registry records (v2 JSON or classic XML). The same records give the same file, byte for byte, with the same SQLite.
"""

from __future__ import annotations

import argparse
import math
import sqlite3
import sys
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import cast

import msgspec
from deepimagine_assets.starter import starter_path
from lxml import etree

from deepimagine_tui.corpus.comparisons import profile_of
from deepimagine_tui.corpus.connection import open_for_writing, transaction
from deepimagine_tui.corpus.derive import derive, unpack
from deepimagine_tui.corpus.names import facts
from deepimagine_tui.corpus.records import Read, aliases_of
from deepimagine_tui.corpus.starter import open_starter
from deepimagine_tui.corpus.words import fold
from deepimagine_tui.corpus.writer import Writer
from deepimagine_tui.trials import codec
from deepimagine_tui.trials.concepts.titles import is_dose_ranging
from deepimagine_tui.trials.model import Trial
from deepimagine_tui.trials.reading import RawRecord, iter_records, parse_record
from deepimagine_tui.trials.registry.decoding import decode_record
from deepimagine_tui.trials.registry.fields import Log, Node

WITH_RESULTS = 240
WITHOUT_RESULTS = 10
LARGEST = 150_000
"""Trials whose facts take more bytes than this are left out: a few long safety tables would fill the file."""

MADE = "2026-11-22T00:00:00Z"
SOURCE = "ClinicalTrials.gov, facts only"
PROSE = frozenset(
    """
    officialTitle briefSummary detailedDescription eligibilityCriteria whyStopped limitationsAndCaveats preAssignmentDetails
    recruitmentDetails populationDescription description official_title brief_summary detailed_description criteria why_stopped
    limitations_and_caveats pre_assignment_details recruitment_details population
    """.split()  # noqa: SIM905  # as words, the keys can be read at a glance
)
QUOTES_ITS_NAME = frozenset({"outcomesModule", "outcomeMeasures"})
"""Here a description repeats the name it describes, which is no reason to cut the name."""

OUTCOME_TAGS = frozenset({"primary_outcome", "secondary_outcome", "other_outcome", "outcome"})
"""The same in classic XML."""


class Candidate(msgspec.Struct, frozen=True):
    """A trial reduced to facts, with what the choice looks at."""

    trial: Trial
    aliases: tuple[str, ...]
    usable: int
    dose_ranging: bool
    size: int


def prose_of(raw: bytes) -> Iterator[str]:
    """The sentences of a record, in either format, that no name may repeat."""
    if raw.lstrip().startswith(b"<"):
        for element in etree.fromstring(raw).iter(*PROSE):
            parents = {str(parent.tag) for parent in element.iterancestors()}
            if not (element.tag == "description" and parents & OUTCOME_TAGS):
                yield " ".join(str(text) for text in element.itertext())
    else:
        yield from _json_prose(msgspec.json.decode(raw), quoting=False)


def _json_prose(node: object, *, quoting: bool) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in cast("Node", node).items():
            if not isinstance(value, str):
                yield from _json_prose(value, quoting=quoting or key in QUOTES_ITS_NAME)
            elif key in PROSE and not (quoting and key == "description"):
                yield value
    elif isinstance(node, list):
        for entry in cast("list[object]", node):
            yield from _json_prose(entry, quoting=quoting)


def candidates(data: Path) -> Iterator[Candidate]:
    """Every interventional trial of `data`, as facts."""
    for record in iter_records(data):
        if isinstance(record, RawRecord):
            trial = parse_record(record.raw, record.name)
            if trial.study_type == "interventional":
                plain = facts(trial, prose_of(record.raw))
                usable = len(profile_of(plain).outcomes)
                aliases = tuple(sorted(aliases_of(record.raw)))
                yield Candidate(plain, aliases, usable, is_dose_ranging(plain), len(codec.encode(plain)))


def choose(found: Iterable[Candidate]) -> list[Candidate]:
    """The rule of the README: all suitable dose-ranging trials, then breadth of disease, then trials without a result."""
    everything = sorted(found, key=lambda item: item.trial.nct_id)
    suitable = [item for item in everything if item.usable and item.size <= LARGEST]
    chosen = [item for item in suitable if item.dose_ranging]
    seen = Counter(term for item in chosen for term in terms(item))
    rest = [item for item in suitable if not item.dose_ranging]
    while rest and len(chosen) < WITH_RESULTS:
        best = max(rest, key=lambda item: (worth(item, seen), item.trial.nct_id))
        rest.remove(best)
        chosen.append(best)
        seen.update(terms(best))
    empty = [
        item for item in everything if not item.trial.has_results and len(item.trial.arms) > 1 and item.trial.planned_outcomes
    ]
    return sorted(chosen + empty[:WITHOUT_RESULTS], key=lambda item: item.trial.nct_id)


def terms(item: Candidate) -> frozenset[str]:
    """The diseases of a trial."""
    return frozenset(fold(term) for term in item.trial.condition_terms or item.trial.conditions)


def worth(item: Candidate, seen: Counter[str]) -> float:
    """How much a trial adds: rare diseases first, then more arms, more comparable outcomes, posted contrasts."""
    novelty = max((1 / math.sqrt(1 + seen[term]) for term in terms(item)), default=0.0)
    contrasts = any(outcome.contrasts for outcome in item.trial.outcomes)
    return round(novelty + 0.1 * (len(item.trial.arms) > 2) + 0.1 * (item.usable > 2) + 0.1 * contrasts, 9)


def write(chosen: list[Candidate], out: Path) -> None:
    """Write a corpus whose bytes depend on its content alone."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "starter.db"
        with closing(open_for_writing(path)) as connection:
            writer = Writer(connection, "starter", SOURCE, now=lambda: MADE)
            writer.write([Read(item.trial.nct_id, derive(item.trial, item.aliases)) for item in chosen])
            writer.tidy()
            writer.finish("finished")
            settle(connection)
        out.write_bytes(path.read_bytes())


def settle(connection: sqlite3.Connection) -> None:
    """Fix every date of making, compress as far as possible, and leave the file as one that is only read."""
    with transaction(connection):
        connection.execute("UPDATE _sqlite_migrations SET applied_at = ?", (MADE,))
        for key, blob in connection.execute("SELECT docid, trial FROM records").fetchall():
            connection.execute("UPDATE records SET trial = ? WHERE docid = ?", (zlib.compress(unpack(blob), 9), key))
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("ANALYZE")
    connection.commit()
    connection.execute("VACUUM")


def explain(data: Path, nct_id: str, number: int | None) -> None:
    """Print, for each number of a trial's results in the starter, its place in the record and what stands there."""
    raw = next(
        (record.raw for record in iter_records(data) if isinstance(record, RawRecord) and nct_id in Path(record.name).stem),
        None,
    )
    if raw is None:
        raise SystemExit(f"No record of {nct_id} under {data}.")
    with open_starter() as corpus:
        trial = corpus.get(nct_id)
    node = decode_record(raw, nct_id, Log())
    for at, (outcome, measure) in enumerate(zip(trial.outcomes, _nodes(node, OUTCOMES), strict=True), 1):
        if number not in (None, at):
            continue
        say(f"{at}. {outcome.title} [{outcome.unit}] {outcome.id}")
        places = list(_measurements(measure, f"{OUTCOMES}[{at - 1}]"))
        for cell in outcome.cells:
            path, text = _take(places, cell.group_id, cell.value)
            value = cell.state if cell.value is None else cell.value
            say(f"   {cell.class_title or '-'} | {cell.group_id} | {value} <- {path} = {text!r}")
        for contrast in outcome.contrasts:
            p = f"p {contrast.p.operator} {contrast.p.value:g}" if contrast.p else "no p"
            place = f"{OUTCOMES}[{at - 1}].analyses[{contrast.index}]"
            say(f"   contrast {' '.join(contrast.group_ids)} | {contrast.estimate} {p} <- {place}")


OUTCOMES = "resultsSection.outcomeMeasuresModule.outcomeMeasures"


def say(line: str) -> None:
    """One line of output."""
    sys.stdout.write(line + "\n")


def _nodes(node: object, path: str) -> list[object]:
    for key in path.split("."):
        node = cast("Node", node).get(key, {}) if isinstance(node, dict) else {}
    return cast("list[object]", node) if isinstance(node, list) else []


def _measurements(measure: object, path: str) -> Iterator[tuple[str, str, str]]:
    for at, one_class in enumerate(_nodes(measure, "classes")):
        for inner, category in enumerate(_nodes(one_class, "categories")):
            for last, entry in enumerate(_nodes(category, "measurements")):
                values = cast("Node", entry)
                place = f"{path}.classes[{at}].categories[{inner}].measurements[{last}]"
                yield str(values.get("groupId", "")), str(values.get("value", "")), place


def _take(places: list[tuple[str, str, str]], group_id: str, value: float | None) -> tuple[str, str]:
    """The first place not yet taken with this group and value; places and cells are in the same order."""
    for at, (group, text, path) in enumerate(places):
        if group == group_id and (value is None or _reads(text, value)):
            del places[at]
            return path, text
    return "derived", ""


def _reads(text: str, value: float) -> bool:
    try:
        return math.isclose(float(text.replace(",", "")), value)
    except ValueError:
        return str(value) in text or text.replace(",", ".").lstrip("<>= ").startswith(f"{value:g}")


def main() -> None:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="a folder of registry records")
    parser.add_argument("--out", type=Path, default=starter_path(), help="where to write; the shipped file unless told")
    parser.add_argument("--explain", metavar="NCT", help="show where the numbers of this trial come from")
    parser.add_argument("--outcome", type=int, help="with --explain: this outcome only, from 1")
    options = parser.parse_args()
    if options.explain:
        explain(options.data, options.explain, options.outcome)
        return
    chosen = choose(candidates(options.data))
    write(chosen, options.out)
    ranging = sum(item.dose_ranging for item in chosen)
    empty = sum(not item.trial.has_results for item in chosen)
    size = options.out.stat().st_size / 1e6
    say(f"{len(chosen)} trials, {ranging} dose-ranging, {empty} without results, {size:.2f} MB: {options.out}")


if __name__ == "__main__":
    main()
