"""Drawing pairs from a corpus: sides first, then the natural pairs of each trial, then the approximate pairs of each side.

The same corpus, claims and options give the same rows, whatever the machine.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from threading import Event

import msgspec

from deepimagine_training.approximate import Neighbours, in_order
from deepimagine_training.clinifact import Claim, ClaimFile, members_of, states_of
from deepimagine_training.comparing import Comparison
from deepimagine_training.natural import OVER_QUOTA, natural_pairs, undetermined
from deepimagine_training.quota import PAIRS_PER_TRIAL_AND_FACTOR, Quota
from deepimagine_training.rows import DataSet, Origin, PairRow, row_of
from deepimagine_tui.corpus.query import CorpusStats
from deepimagine_tui.corpus.store import Corpus
from deepimagine_tui.errors import BadInputError, CancelledError
from deepimagine_tui.evaluation.comparisons import comparisons_of
from deepimagine_tui.evaluation.sides import SIDES, Member, Sides, assign
from deepimagine_tui.reasoning.state import State
from deepimagine_tui.trials.concepts.programmes import programme_keys
from deepimagine_tui.trials.concepts.titles import is_dose_ranging
from deepimagine_tui.trials.model import Trial

NOTHING_TO_LEARN = "no verdict, no direction and no value with a scale"

_TRIALS_KEPT = 512
_WAIT = 0.1


class PairOptions(msgspec.Struct, frozen=True):
    """Which trials pairs are drawn from, and how many pairs a trial may be in."""

    min_enrolment: int = 50
    randomised_only: bool = True
    per_trial_and_factor: int = PAIRS_PER_TRIAL_AND_FACTOR


DEFAULT_OPTIONS = PairOptions()


class PairSet(msgspec.Struct, frozen=True):
    """The pairs, by side and id; `used` are the trials that they could be drawn from; `excluded` says by part and reason how
    many trials, pairs or claims were left out."""

    rows: tuple[PairRow, ...]
    sides: Sides
    used: tuple[str, ...]
    excluded: dict[str, dict[str, int]]
    corpus: CorpusStats
    claims: tuple[ClaimFile, ...] = ()
    options: PairOptions = DEFAULT_OPTIONS


def draw(
    corpus: Corpus,
    claims: Sequence[ClaimFile] = (),
    options: PairOptions = DEFAULT_OPTIONS,
    cancel: Event | None = None,
    told: Callable[[str], object] = lambda text: None,
) -> PairSet:
    """Every pair of `corpus` and of the claims' trials that it does not hold; `told` hears how far it is.

    Raises:
        BadInputError: no trial can be used.
        CancelledError: `cancel` was set.
    """
    drawing = _Drawing(corpus, options, cancel or Event(), told)
    members, used = drawing.choose()
    if not used:
        raise BadInputError(
            f"No trial of {corpus.name} can be used: {_counted(drawing.excluded['trials'])}.",
            "Allow smaller trials with --min-enrolment, or other designs with --no-randomised-only.",
        )
    sides = assign([*members, *members_of(claims)])
    with Comparison(corpus, [[nct_id for nct_id in used if sides.of(nct_id) == side] for side in SIDES]) as comparison:
        rows = [*drawing.natural(sides, used), *drawing.claims(sides, claims), *drawing.approximate(sides, comparison)]
    rows.sort(key=lambda row: (SIDES.index(row.side), row.id))
    excluded = {part: dict(sorted(reasons.items())) for part, reasons in drawing.excluded.items()}
    return PairSet(tuple(rows), sides, tuple(used), excluded, corpus.stats(), tuple(claims), options)


def _counted(reasons: Counter[str]) -> str:
    return "; ".join(f"{count:,} {reason}" for reason, count in reasons.most_common())


class _Drawing:
    """One drawing: what its parts share."""

    def __init__(self, corpus: Corpus, options: PairOptions, cancel: Event, told: Callable[[str], object]) -> None:
        self.corpus = corpus
        self.options = options
        self.cancel = cancel
        self.told = told
        self.trial = lru_cache(_TRIALS_KEPT)(corpus.get)
        self.quota = Quota(options.per_trial_and_factor)
        self.excluded: dict[str, Counter[str]] = {
            part: Counter() for part in ("trials", "natural", "claims", "clinifact", "approximate")
        }

    def choose(self) -> tuple[list[Member], list[str]]:
        """Every trial as a member of its programme, and the ids of those that pairs may be drawn from."""
        members, used = [], []
        for nct_id in self._each(self.corpus.nct_ids(), "Reading trials"):
            trial = self.corpus.get(nct_id)
            members.append(Member(nct_id, programme_keys(trial), is_dose_ranging(trial)))
            why = self._unusable(trial)
            if why:
                self.excluded["trials"][why] += 1
            else:
                used.append(nct_id)
        return members, used

    def natural(self, sides: Sides, used: Sequence[str]) -> Iterator[PairRow]:
        """The natural pairs of the trials."""
        for nct_id in self._each(used, "Drawing natural pairs"):
            trial = self.corpus.get(nct_id)
            yield from self._within(nct_id, list(comparisons_of(trial)), sides, _posted(trial), "registry")

    def claims(self, sides: Sides, files: Iterable[ClaimFile]) -> Iterator[PairRow]:
        """The natural pairs of the claims' trials, but those that the corpus holds with values."""
        by_trial: dict[str, list[Claim]] = defaultdict(list)
        for claim in (claim for file in files for claim in file.claims):
            by_trial[claim.nct_id].append(claim)
        excluded = self.excluded["claims"]
        for nct_id, found in sorted(by_trial.items()):
            if self.corpus.has(nct_id):
                excluded["the trial is in the corpus, with values"] += len(found)
                continue
            states = states_of(found)
            excluded["another analysis of the same comparison"] += len(found) - len(states)
            known = [state for state in states if not undetermined(state)]
            for state in states:
                if undetermined(state) and state.met is not None:
                    excluded[f"undetermined: {state.met.reason}"] += 1
            excluded["the trial's only comparison with a verdict"] += len(known) == 1
            yield from self._within(nct_id, known, sides, "", "clinifact")

    def approximate(self, sides: Sides, comparison: Comparison) -> Iterator[PairRow]:
        """The approximate pairs within each side."""
        excluded = self.excluded["approximate"]
        while not comparison.is_done:
            self._go_on("Comparing trials")
            time.sleep(_WAIT)
        found: list[Neighbours] = []
        for compared in comparison.results():
            found.extend(compared.found)
            excluded.update(compared.excluded)
        for pair in in_order(found):
            row = self._approximate_row(pair, sides)
            if row.source_programme == row.target_programme:
                excluded["of one programme"] += 1
            elif not row.teaches:
                excluded[NOTHING_TO_LEARN] += 1
            elif self.quota.is_full(row.trials, row.factor):
                excluded[OVER_QUOTA] += 1
            else:
                self.quota.take(row.trials, row.factor)
                yield row

    def _approximate_row(self, found: Neighbours, sides: Sides) -> PairRow:
        ids = found.pair.source.nct_id, found.pair.target.nct_id
        first, second = (Origin(sides.programme(nct_id), _posted(self.trial(nct_id))) for nct_id in ids)
        return row_of(
            found.pair,
            kind="approximate",
            side=sides.of(ids[0]),
            origins=(first, second),
            similarity=found.similarity,
            parts=found.parts,
        )

    def _within(self, nct_id: str, states: list[State], sides: Sides, posted: str, data: DataSet) -> Iterator[PairRow]:
        excluded = self.excluded["natural" if data == "registry" else "clinifact"]
        origin = Origin(sides.programme(nct_id), posted)
        for pair in natural_pairs(nct_id, states, self.quota, excluded):
            row = row_of(pair, kind="natural", side=sides.of(nct_id), origins=(origin, origin), data=data)
            if row.teaches:
                self.quota.take(row.trials, row.factor)
                yield row
            else:
                excluded[NOTHING_TO_LEARN] += 1

    def _unusable(self, trial: Trial) -> str:
        """Why no pair is drawn from a trial; empty when they are."""
        if not trial.has_results:
            return "without posted results"
        if self.options.randomised_only and trial.allocation != "randomized":
            return "not randomised, or not said to be"
        if trial.enrolment is None:
            return "of unknown enrolment"
        if trial.enrolment < self.options.min_enrolment:
            return f"of fewer than {self.options.min_enrolment} participants"
        return "" if next(comparisons_of(trial), None) else "without two arms of one part with values on one outcome"

    def _each(self, nct_ids: Sequence[str], what: str) -> Iterator[str]:
        for number, nct_id in enumerate(nct_ids, 1):
            self._go_on(f"{what}: {number:,} of {len(nct_ids):,}")
            yield nct_id

    def _go_on(self, what: str) -> None:
        if self.cancel.is_set():
            raise CancelledError("Drawing pairs was stopped.", "Nothing was written.")
        self.told(what)


def _posted(trial: Trial) -> str:
    return trial.results_posted.text if trial.results_posted else ""
