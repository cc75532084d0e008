"""Where forecasts get their anchors: what the engine asks, what it hears when nothing is close, and the corpus as a source."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import NamedTuple, Protocol

import msgspec

from deepimagine_tui.corpus.query import CorpusStats
from deepimagine_tui.corpus.retrieval import AnchorCandidate, RetrievalTarget, nearest
from deepimagine_tui.corpus.store import Corpus
from deepimagine_tui.errors import RefusedError
from deepimagine_tui.reasoning.alike import INERT
from deepimagine_tui.reasoning.observed import observed_state
from deepimagine_tui.reasoning.parts import is_comparison
from deepimagine_tui.reasoning.request import AnchorRef
from deepimagine_tui.reasoning.state import Configuration, State
from deepimagine_tui.trials.model import Trial

MINIMUM_SIMILARITY = 0.4
"""An anchor less similar than this is not close: among the real records such trials differ in drug and disease or measure."""
MINIMUM_OF_MEASURE = 0.25
"""Likeness of the measures below which an anchor says nothing about the target's outcome, however alike the rest is."""
MINIMUM_OF_DISEASE = 0.25
"""Likeness of the diseases below which the drug must be the same (`MINIMUM_OF_DRUG`)."""
MINIMUM_OF_DRUG = 0.5
MINIMUM_OF_RELATED_MEASURE = 0.1
"""What is enough of the measures where disease and drug are the same: of one drug in one disease, a goal attained tells of the
change, and an `outcome` step walks from one to the other."""
FAR = ", near or far"
"""After the name of a corpus whose nearest comparisons are taken even where they are not close."""

_LOOK_AT = 5
"""So many times k candidates are looked at, because some are refused."""
_REPORTED = 3
_DIFFERENT = (
    ("condition", "different disease"),
    ("intervention", "different drug"),
    ("comparator", "different comparator"),
    ("outcome", "different measure"),
    ("population", "different population"),
)


class Anchor(msgspec.Struct, frozen=True):
    """An observed state close to a target. `similarity` and its `parts` are in [0, 1]."""

    state: State
    similarity: float
    parts: dict[str, float] = {}


class Refused(NamedTuple):
    """A trial that was near but not taken, and why, as a phrase: `different drug class, different measure`."""

    nct_id: str
    similarity: float
    reason: str


class AnchorSearch(msgspec.Struct, frozen=True):
    """Up to k anchors, the closest first; and the closest that were refused, the closest first."""

    anchors: tuple[Anchor, ...] = ()
    nearest_refused: tuple[Refused, ...] = ()

    @property
    def why_none(self) -> str:
        """One sentence on why there is no anchor: `No anchor close enough: the nearest is .31 (different measure).`"""
        if not self.nearest_refused:
            return "No anchor close enough: no trial here posted a comparison like it."
        nearest = self.nearest_refused[0]
        return f"No anchor close enough: the nearest is {f'{nearest.similarity:.2f}'.lstrip('0')} ({nearest.reason})."


class AnchorSource(Protocol):
    """The trials that a run may start from. `name`, `version` and `data_date` go into the run's record."""

    @property
    def name(self) -> str:
        """What the source is called, e.g. `starter`."""
        ...

    @property
    def version(self) -> str:
        """Changes exactly when the content does."""
        ...

    @property
    def data_date(self) -> str:
        """The newest registry date in it, ISO 8601."""
        ...

    def trial(self, nct_id: str) -> Trial:
        """The trial with this id.

        Raises:
            NotFoundError: it is not here.
        """
        ...

    def nearest(
        self, target: Configuration, nct_id: str | None, k: int, cutoff: str, drop: tuple[str, ...] = ()
    ) -> AnchorSearch:
        """The `k` observed states closest to `target`, at most one a trial.

        Never from the target's own trial `nct_id` or its programme, from trials in `drop`, or posted after `cutoff` (ISO date).
        """
        ...


class CorpusAnchors:
    """A corpus as a source of anchors. Not for several threads at once: a corpus has one connection.

    Args:
        corpus: Where anchors are looked for.
        far: Take the nearest comparisons even where they are not close, as an evaluation does, which never abstains.
    """

    def __init__(self, corpus: Corpus, *, far: bool = False) -> None:
        self._corpus = corpus
        self._far = far

    @property
    def name(self) -> str:
        """The corpus's name, and whether comparisons that are not close are taken."""
        return self._corpus.name + (FAR if self._far else "")

    @property
    def version(self) -> str:
        """Changes exactly when the corpus's content does."""
        return self._stats.version

    @property
    def data_date(self) -> str:
        """The newest registry date in the corpus, ISO 8601."""
        return self._stats.data_date

    @cached_property
    def _stats(self) -> CorpusStats:
        return self._corpus.stats()

    def trial(self, nct_id: str) -> Trial:
        """The trial with this id.

        Raises:
            NotFoundError: it is not here.
        """
        return self._corpus.get(nct_id)

    def nearest(
        self, target: Configuration, nct_id: str | None, k: int, cutoff: str, drop: tuple[str, ...] = ()
    ) -> AnchorSearch:
        """The `k` observed states closest to `target`, at most one a trial; see `AnchorSource.nearest`.

        Raises:
            CorpusError: the corpus is damaged.
        """
        own = self._corpus.get(nct_id) if nct_id and self._corpus.has(nct_id) else None
        candidates = nearest(
            self._corpus,
            retrieval_target(target, own),
            k * _LOOK_AT,
            cutoff,
            self._corpus.programmes(own.nct_id) if own else frozenset(),
            frozenset((*drop, *((nct_id,) if nct_id else ()), *((own.nct_id,) if own else ()))),
        )
        anchors: list[Anchor] = []
        refused: list[Refused] = []
        for candidate in candidates:
            why = "" if self._far else why_not_close(candidate.similarity, candidate.parts)
            if why:
                refused.append(Refused(candidate.nct_id, candidate.similarity, why))
            elif len(anchors) < k:
                try:
                    state = self._state(candidate, single_arm=target.comparator is None)
                except RefusedError as error:
                    refused.append(Refused(candidate.nct_id, candidate.similarity, error.message.rstrip(".")))
                else:
                    anchors.append(Anchor(state, candidate.similarity, candidate.parts))
        return AnchorSearch(tuple(anchors), tuple(refused[:_REPORTED]))

    def _state(self, candidate: AnchorCandidate, single_arm: bool) -> State:
        """The candidate's posted comparison; of a target without comparator, its first arm alone.

        Raises:
            RefusedError: it cannot be an anchor, or compares people who got the same.
        """
        comparator = None if single_arm else candidate.comparator_group_id
        ref = AnchorRef(
            candidate.nct_id,
            candidate.outcome_id,
            candidate.arm_group_id,
            comparator,
            candidate.class_title,
            candidate.category,
        )
        trial = self._corpus.get(candidate.nct_id)
        state = observed_state(trial, ref)
        k1, k2 = state.configuration.arm, state.configuration.comparator
        if k2 is not None and not is_comparison(trial, trial.outcome(ref.outcome_id), k1, k2):
            raise RefusedError("both groups got the same")
        return state


def retrieval_target(target: Configuration, own: Trial | None) -> RetrievalTarget:
    """What to look for: all that the target states. `own` is its registered trial, for the kinds of its interventions."""
    k2 = target.comparator
    comparator = "" if k2 is None else k2.control if k2.control in (*INERT, "active") else k2.label
    return RetrievalTarget(
        conditions=tuple(dict.fromkeys((*target.population.condition_terms, *target.population.conditions))),
        interventions=target.arm.interventions,
        intervention_kinds=tuple(sorted({item.kind for item in own.interventions if item.kind})) if own else (),
        comparator=comparator,
        outcome_title=target.outcome.title,
        unit=target.outcome.unit,
        time_weeks=target.time.weeks if target.time else None,
        phases=target.context.phases,
        ages=target.population.eligibility,
        countries=tuple(place.country for place in target.geography),
        enrolment=target.enrolment,
    )


def why_not_close(similarity: float, parts: Mapping[str, float]) -> str:
    """Why a candidate is no anchor, as a phrase; empty when it is close enough."""
    same_disease = parts.get("condition", 1.0) >= MINIMUM_OF_DISEASE
    same_drug = parts.get("intervention", 1.0) >= MINIMUM_OF_DRUG
    enough = MINIMUM_OF_RELATED_MEASURE if same_disease and same_drug else MINIMUM_OF_MEASURE
    if similarity >= MINIMUM_SIMILARITY and parts.get("outcome", 1.0) >= enough and (same_disease or same_drug):
        return ""
    different = [phrase for part, phrase in _DIFFERENT if parts.get(part, 1.0) < 0.5]
    return ", ".join(different) or "little in common"
