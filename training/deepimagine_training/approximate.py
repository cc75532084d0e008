"""Approximate pairs: posted comparisons of two similar trials of one side, with the factors in which they differ.

Similarity is the corpus's (`corpus.retrieval`), what is close enough to start from the engine's (`reasoning.anchors`), and what
differs the path's (`reasoning.difference`). Trials of one programme are never paired: a forecast never sees a sibling either.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from deepimagine_training.natural import DrawnPair, undetermined
from deepimagine_training.rows import factors_of
from deepimagine_tui.corpus.retrieval import AnchorCandidate, nearest
from deepimagine_tui.corpus.similarity import RetrievalTarget, agent_words, condition_words
from deepimagine_tui.corpus.store import Corpus
from deepimagine_tui.errors import RefusedError
from deepimagine_tui.evaluation.comparisons import comparisons_of
from deepimagine_tui.evaluation.sides import hash_share
from deepimagine_tui.reasoning.anchors import retrieval_target, why_not_close
from deepimagine_tui.reasoning.difference import path
from deepimagine_tui.reasoning.observed import default_anchor, observed_state
from deepimagine_tui.reasoning.request import AnchorRef
from deepimagine_tui.reasoning.state import State
from deepimagine_tui.trials.factors import Factor
from deepimagine_tui.trials.model import Trial

APPROXIMATE_FACTORS: frozenset[Factor] = frozenset({"geography", "population", "context", "arm", "outcome"})
"""An approximate pair differs in at least one of these."""

NEIGHBOURS = 24
"""So many of the nearest trials are looked at."""

_EVER = "9999-12-31"
_TRIALS_KEPT = 512


class Neighbours(NamedTuple):
    """Two states of similar trials: `parts` of the similarity as `corpus.similarity` names them."""

    pair: DrawnPair
    similarity: float
    parts: dict[str, float]


class Compared(NamedTuple):
    """What became of some trials: the pairs found, and what was looked at and not taken, by reason."""

    found: list[Neighbours]
    excluded: dict[str, int]


def compare(corpus: Corpus, nct_ids: Iterable[str], side: Sequence[str]) -> Iterator[Compared]:
    """For each trial of `nct_ids`, its pairs with the most similar trials of `side` in `corpus`.

    A trial is asked for by its first comparison with a verdict, primary outcomes first, else by its default anchor. The source
    is the state that was posted first.
    """
    looking = _Looking(corpus, side)
    for nct_id in nct_ids:
        excluded: Counter[str] = Counter()
        found = list(looking.neighbours(nct_id, excluded))
        yield Compared(found, dict(excluded))


def in_order(found: Iterable[Neighbours]) -> list[Neighbours]:
    """Each unordered pair of states once, the most similar first."""
    best: dict[frozenset[str], Neighbours] = {}
    for one in found:
        key = frozenset((one.pair.source.id, one.pair.target.id))
        if key not in best or one.similarity > best[key].similarity:
            best[key] = one
    return sorted(best.values(), key=lambda one: (-one.similarity, hash_share(one.pair.source.id, one.pair.target.id)))


class _Looking:
    """Looking for similar trials of one side."""

    def __init__(self, corpus: Corpus, side: Sequence[str]) -> None:
        self._corpus = corpus
        self._trial_of = lru_cache(_TRIALS_KEPT)(corpus.get)
        self._with_word: dict[tuple[str, str], set[str]] = defaultdict(set)
        for nct_id in side:
            for word in _words(self._trial_of(nct_id)):
                self._with_word[word].add(nct_id)
        self._side = frozenset(side)
        self._elsewhere = frozenset(corpus.nct_ids()) - self._side

    def neighbours(self, nct_id: str, excluded: Counter[str]) -> Iterator[Neighbours]:
        trial = self._trial_of(nct_id)
        own = _asked_by(trial)
        if own is None:
            excluded["the trial has no comparison to ask by"] += 1
            return
        target = retrieval_target(own.configuration, trial)
        siblings = self._corpus.programmes(nct_id)
        for candidate in nearest(self._corpus, target, NEIGHBOURS, _EVER, siblings, self._barred(target, nct_id)):
            if why_not_close(candidate.similarity, candidate.parts):
                excluded["not close enough"] += 1
                continue
            other = self._trial_of(candidate.nct_id)
            try:
                state = observed_state(other, _ref(candidate))
            except RefusedError:
                excluded["the similar result cannot be an anchor"] += 1
                continue
            drawn = _drawn(*_by_date((trial, own), (other, state)))
            if drawn is None:
                excluded["differs in none of geography, population, context, arm and outcome"] += 1
            else:
                yield Neighbours(drawn, candidate.similarity, candidate.parts)

    def _barred(self, target: RetrievalTarget, nct_id: str) -> frozenset[str]:
        """The trials that need not be looked at: of the other sides, the trial itself, and those that share no word of a
        disease or drug with it, which are never close enough."""
        if not target.conditions or not (target.interventions or target.intervention_kinds):
            return self._elsewhere | {nct_id}
        words = [("disease", word) for word in condition_words(target.conditions)]
        words += [("drug", word) for word in agent_words(target.interventions)]
        sharing = set[str]().union(*(self._with_word.get(word, ()) for word in words))
        return self._elsewhere | (self._side - sharing) | {nct_id}


def _words(trial: Trial) -> set[tuple[str, str]]:
    """The words of a trial's diseases and drugs, as similarity reads them."""
    doses = (dose.intervention for arm in trial.arms for dose in arm.doses)
    of_groups = (dose.intervention for outcome in trial.outcomes for group in outcome.groups for dose in group.doses)
    named = {*(item.name for item in trial.interventions), *trial.intervention_terms, *doses, *of_groups}
    diseases = {("disease", word) for word in condition_words((*trial.condition_terms, *trial.conditions))}
    return diseases | {("drug", word) for word in agent_words(name for name in named if name)}


def _asked_by(trial: Trial) -> State | None:
    """The comparison of `trial` that similar ones are sought for; `None` where it has none."""
    try:
        default = observed_state(trial, default_anchor(trial))
    except RefusedError:
        return None
    if not undetermined(default):
        return default
    known = [state for state in comparisons_of(trial) if not undetermined(state)]
    chosen = min(known, key=lambda state: state.configuration.outcome.role != "primary", default=default)
    return chosen if chosen.configuration.comparator is not None else None


def _ref(candidate: AnchorCandidate) -> AnchorRef:
    return AnchorRef(
        candidate.nct_id,
        candidate.outcome_id,
        candidate.arm_group_id,
        candidate.comparator_group_id,
        candidate.class_title,
        candidate.category,
    )


def _by_date(one: tuple[Trial, State], other: tuple[Trial, State]) -> tuple[State, State]:
    """The states as history had them: first the one posted first."""

    def when(of: tuple[Trial, State]) -> tuple[str, str]:
        return (of[0].results_posted.text if of[0].results_posted else "", of[0].nct_id)

    first, second = sorted((one, other), key=when)
    return first[1], second[1]


def _drawn(first: State, second: State) -> DrawnPair | None:
    try:
        way = path(first.configuration, second.configuration)
    except RefusedError:
        return None
    if not APPROXIMATE_FACTORS & set(factors_of(way.perturbations)):
        return None
    return DrawnPair(first, second, way.perturbations, way.unknown_factors)
