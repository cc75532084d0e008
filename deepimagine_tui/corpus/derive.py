"""From a trial to everything the corpus can find it by. Pure: the same trial gives the same rows, wherever it was read."""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Iterable

import msgspec

from deepimagine_tui.corpus.comparisons import Profile, profile_of
from deepimagine_tui.corpus.words import agent, fold, joined_forms, squash, words
from deepimagine_tui.trials import codec
from deepimagine_tui.trials.concepts.programmes import programme_keys
from deepimagine_tui.trials.concepts.titles import is_dose_ranging
from deepimagine_tui.trials.model import Trial

COMPRESSION = 1
"""The zlib level: higher ones cost more time than the import takes and save a tenth."""

_NCT = re.compile(r"NCT\d{8}")


class Row(msgspec.Struct, frozen=True):
    """The narrow columns of a trial. Tuples are JSON text."""

    title: str
    phases: str
    conditions: str
    interventions: str
    arms: int
    enrolment: int | None
    posted: str
    status: str
    has_results: bool
    dose_ranging: bool
    countries: int
    outcomes: int
    cells: int
    contrasts: int


class Texts(msgspec.Struct, frozen=True):
    """What full-text search sees, in the order of `schema.TEXT_COLUMNS`."""

    nct: str
    title: str
    conditions: str
    interventions: str
    arms: str
    outcomes: str
    other: str
    tags: str


class DoseRow(msgspec.Struct, frozen=True):
    """A dose that some group of the trial received; `agent` as in `words.agent`."""

    agent: str
    amount: float
    unit: str
    basis: str
    times_per_day: float | None
    daily_total: float | None


class Derived(msgspec.Struct, frozen=True):
    """Everything stored about a trial besides its raw record. `digest` identifies the canonical content."""

    nct_id: str
    digest: str
    trial: bytes
    updated: str
    aliases: tuple[str, ...]
    row: Row
    texts: Texts
    facets: tuple[tuple[str, str, str], ...]
    programmes: tuple[str, ...]
    doses: tuple[DoseRow, ...]
    profile: bytes


def docid(nct_id: str) -> int:
    """The row number of a trial: the digits of its id, so that a later row was registered later."""
    return int(nct_id[3:])


def is_nct_id(text: str) -> bool:
    """Whether `text` is a whole registry id, `NCT` and eight digits."""
    return _NCT.fullmatch(text) is not None


def pack(content: bytes) -> bytes:
    """Compress for storage."""
    return zlib.compress(content, COMPRESSION)


def unpack(stored: bytes) -> bytes:
    """What `pack` was given."""
    return zlib.decompress(stored)


def posted_date(trial: Trial) -> str:
    """When the results were first posted, else the record; ISO 8601 to the precision known."""
    date = trial.results_posted or trial.first_posted
    return date.text if date else ""


def derive(trial: Trial, aliases: Iterable[str] = ()) -> Derived:
    """All rows of one trial."""
    encoded = codec.encode(trial)
    known = tuple(sorted(set(aliases) - {trial.nct_id}))
    return Derived(
        nct_id=trial.nct_id,
        digest=hashlib.sha256(trial.nct_id.encode() + encoded).hexdigest()[:32],
        trial=pack(encoded),
        updated=trial.last_updated.text if trial.last_updated else "",
        aliases=known,
        row=_row(trial),
        texts=_texts(trial, known),
        facets=_facets(trial),
        programmes=tuple(sorted(programme_keys(trial))),
        doses=_doses(trial),
        profile=encode_profile(profile_of(trial)),
    )


def encode_profile(profile: Profile) -> bytes:
    """A profile as stored."""
    return msgspec.msgpack.encode(profile)


def _json(values: Iterable[str]) -> str:
    return msgspec.json.encode(tuple(values)).decode()


def _row(trial: Trial) -> Row:
    return Row(
        title=trial.title,
        phases=_json(trial.phases),
        conditions=_json(trial.conditions),
        interventions=_json(intervention.name for intervention in trial.interventions),
        arms=len(trial.arms),
        enrolment=trial.enrolment,
        posted=posted_date(trial),
        status=trial.status,
        has_results=trial.has_results,
        dose_ranging=is_dose_ranging(trial),
        countries=len(trial.countries),
        outcomes=len(trial.outcomes),
        cells=sum(len(outcome.cells) for outcome in trial.outcomes),
        contrasts=sum(len(outcome.contrasts) for outcome in trial.outcomes),
    )


def _texts(trial: Trial, aliases: tuple[str, ...]) -> Texts:
    prose_title = trial.prose.brief_title if trial.prose else ""
    names = [name for item in trial.interventions for name in (item.name, *item.other_names)]
    groups = [group.title for outcome in trial.outcomes for group in outcome.groups]
    measures = [outcome.title for outcome in trial.outcomes] + [planned.title for planned in trial.planned_outcomes]
    return Texts(
        nct=" ".join((trial.nct_id, *aliases)),
        title=_text((trial.title, trial.acronym, prose_title)),
        conditions=_text((*trial.conditions, *trial.condition_terms)),
        interventions=_text((*names, *trial.intervention_terms)),
        arms=_text((*(arm.label for arm in trial.arms), *groups)),
        outcomes=_text(measures),
        other=_text(
            (
                *trial.keywords,
                trial.sponsor,
                *trial.collaborators,
                trial.org_study_id,
                *trial.secondary_ids,
                *(place.country for place in trial.countries),
            )
        ),
        tags=" ".join(_tags(trial)),
    )


def _text(parts: Iterable[str]) -> str:
    """Every word once: a search asks whether a trial has a word in a column, never how often or where."""
    text = " · ".join(dict.fromkeys(part for part in parts if part))
    return " ".join(dict.fromkeys((*words(text), *joined_forms(text))))


def _tags(trial: Trial) -> list[str]:
    posted = posted_date(trial)
    return [
        tag("has results", "yes" if trial.has_results else "no"),
        tag("dose ranging", "yes" if is_dose_ranging(trial) else "no"),
        tag("status", trial.status),
        *(tag("phase", phase) for phase in trial.phases),
        *(tag("country", place.country) for place in trial.countries),
        *date_tags(posted),
    ]


def tag(field: str, value: str) -> str:
    """The filter token of one value, as a word that no text holds."""
    return f"={squash(field)}={squash(value)}"


def date_tags(date: str) -> list[str]:
    """The filter tokens of a date: its year, month and day, as far as known."""
    return [tag("posted", date[:length]) for length in (4, 7, 10) if len(date) >= length]


def _facets(trial: Trial) -> tuple[tuple[str, str, str], ...]:
    values = [
        *(("condition", value) for value in (*trial.conditions, *trial.condition_terms)),
        *(("intervention", value) for value in (*(item.name for item in trial.interventions), *trial.intervention_terms)),
        *(("phase", value) for value in trial.phases),
        *(("country", place.country) for place in trial.countries),
        *((("status", trial.status),) if trial.status else ()),
    ]
    found: dict[tuple[str, str], str] = {}
    for field, value in values:
        found.setdefault((field, fold(value).strip()), value)
    return tuple((field, key, value) for (field, key), value in sorted(found.items()) if key)


def _doses(trial: Trial) -> tuple[DoseRow, ...]:
    given = [dose for arm in trial.arms for dose in arm.doses]
    given += [dose for outcome in trial.outcomes for group in outcome.groups for dose in group.doses]
    rows: dict[DoseRow, None] = {
        DoseRow(agent(dose.intervention), dose.amount, dose.unit, dose.basis, dose.times_per_day, dose.daily_total): None
        for dose in given
        if dose.intervention
    }
    return tuple(
        sorted(
            rows, key=lambda row: (row.agent, row.unit, row.basis, row.amount, row.daily_total or 0.0, row.times_per_day or 0.0)
        )
    )
