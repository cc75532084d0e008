"""Anchors for a forecast: posted comparisons most like the target, from trials that the forecast may know.

The full-text index gives a shortlist of a few hundred trials; each is then scored exactly. The same corpus and target always
give the same anchors.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable, Iterator

import msgspec

from deepimagine_tui.corpus.comparisons import Pair, Profile
from deepimagine_tui.corpus.search import count
from deepimagine_tui.corpus.similarity import (
    WEIGHTS,
    RetrievalTarget,
    Sought,
    agent_words,
    condition_words,
    differing,
    outcome_parts,
    pair_parts,
    prepare,
    similarity,
    trial_parts,
)
from deepimagine_tui.corpus.store import Corpus
from deepimagine_tui.corpus.words import content_words
from deepimagine_tui.trials.factors import Factor

__all__ = ["AnchorCandidate", "RetrievalTarget", "nearest"]

SHORTLIST = 400
"""So many trials are scored exactly."""

_PROFILES = msgspec.msgpack.Decoder(Profile)
_COLUMN_WEIGHTS = "0.0, 2.0, 8.0, 8.0, 2.0, 4.0, 0.0, 0.0"
_ROLES = {"primary": 0, "secondary": 1, "other": 2, "post hoc": 3}


class AnchorCandidate(msgspec.Struct, frozen=True):
    """A posted comparison that a forecast can start from.

    `similarity` in [0, 1] is the weighted mean of `parts` (`similarity.WEIGHTS`); `differs_in` names the factors that a pathway
    has to walk, as far as the target states them. `category` is set where the one class has a named category.
    """

    nct_id: str
    outcome_id: str
    class_title: str
    arm_group_id: str
    comparator_group_id: str
    similarity: float
    parts: dict[str, float]
    differs_in: tuple[Factor, ...]
    category: str = ""


def nearest(
    corpus: Corpus,
    target: RetrievalTarget,
    k: int,
    cutoff: str,
    exclude_programmes: frozenset[str] = frozenset(),
    exclude: frozenset[str] = frozenset(),
) -> list[AnchorCandidate]:
    """The `k` most similar anchors, at most one a trial, the most similar first.

    Args:
        corpus: Where to look.
        target: What they should be like.
        k: At most so many.
        cutoff: ISO date; results posted later, or at an unknown date, are not used. A month counts as its last day.
        exclude_programmes: Trials that have one of these programme keys are not used (`Corpus.programmes` of the target).
        exclude: Trials that are not used, by id: the target itself, and what the user dropped.

    Raises:
        CorpusError: the corpus is damaged.
        CancelledError: `interrupt` was called.
    """
    with corpus.asking() as connection:
        sought = prepare(target, _rarity(connection, target))
        found = []
        for nct_id, profile in _shortlist(connection, target, cutoff, exclude_programmes, exclude):
            candidate = _best(nct_id, profile, sought)
            if candidate is not None:
                found.append(candidate)
    found.sort(key=lambda candidate: (-candidate.similarity, candidate.nct_id))
    return found[:k]


def _rarity(connection: sqlite3.Connection, target: RetrievalTarget) -> dict[str, float]:
    """How telling each word of the target is here: ln(1 + trials / trials with it), counted as far as a search counts."""
    trials = count(connection, "")
    wanted = (
        ("conditions", condition_words(target.conditions)),
        ("interventions", agent_words(target.interventions)),
        ("outcomes", content_words(target.outcome_title)),
    )
    return {
        word: math.log(1 + trials / (1 + count(connection, f'{column} : "{word}"*')))
        for column, words in wanted
        for word in sorted(words)
    }


def _shortlist(
    connection: sqlite3.Connection, target: RetrievalTarget, cutoff: str, programmes: frozenset[str], exclude: frozenset[str]
) -> Iterator[tuple[str, Profile]]:
    barred = set(exclude)
    for key in sorted(programmes):
        rows = connection.execute(
            "SELECT t.nct_id FROM programmes p JOIN trials t ON t.docid = p.docid WHERE p.key = ?", (key,)
        )
        barred.update(nct_id for (nct_id,) in rows)
    left = SHORTLIST
    seen: set[int] = set()
    for match in _expressions(target):
        rows = connection.execute(
            f"""
            SELECT fts.rowid, p.profile FROM fts JOIN profiles p ON p.docid = fts.rowid
            WHERE fts MATCH ? ORDER BY bm25(fts, {_COLUMN_WEIGHTS}), fts.rowid DESC
            """,
            (f'tags : "=hasresults=yes" AND ({match})',),
        )
        for key, blob in rows:
            nct_id = f"NCT{key:08d}"
            if key in seen or nct_id in barred:
                continue
            seen.add(key)
            profile = _PROFILES.decode(blob)
            if not profile.outcomes or not _known_by(profile, cutoff):
                continue
            yield nct_id, profile
            left -= 1
            if left == 0:
                return


def _expressions(target: RetrievalTarget) -> list[str]:
    """From the strictest to the loosest: disease and drug, disease or drug, the measure, anything."""
    disease = _any("conditions", condition_words(target.conditions))
    drug = _any("interventions", agent_words(target.interventions))
    measure = _any("outcomes", content_words(target.outcome_title))
    both = [f"({disease}) AND ({drug})"] if disease and drug else []
    return both + [term for term in (disease, drug, measure) if term] + ['tags : "=hasresults=yes"']


def _any(column: str, words: Iterable[str]) -> str:
    return " OR ".join(f'{column} : "{word}"*' for word in sorted(words))


def _known_by(profile: Profile, cutoff: str) -> bool:
    posted = profile.results_posted
    last_possible = posted + "-99-99"[(len(posted) - 4) :] if posted else "~"
    return last_possible[:10] <= (cutoff + "-99-99"[(len(cutoff) - 4) :])[:10]


def _best(nct_id: str, profile: Profile, sought: Sought) -> AnchorCandidate | None:
    """The trial's most similar comparison; among equals, primary before secondary, then in posted order."""
    shared = trial_parts(sought, profile)
    of_pair: dict[Pair, dict[str, float]] = {}
    best: AnchorCandidate | None = None
    rank = (0.0, 0)
    for outcome in profile.outcomes:
        for point in outcome.points:
            measured = shared | outcome_parts(sought, outcome, point)
            for pair in point.pairs:
                if pair not in of_pair:
                    of_pair[pair] = pair_parts(sought, profile, pair)
                parts = measured | of_pair[pair]
                score = (similarity(parts), -_ROLES.get(outcome.role, 3))
                if best is None or score > rank:
                    rank = score
                    best = AnchorCandidate(
                        nct_id=nct_id,
                        outcome_id=outcome.id,
                        class_title=point.title,
                        arm_group_id=pair.arm_group_id,
                        comparator_group_id=pair.comparator_group_id,
                        similarity=score[0],
                        parts={name: round(parts[name], 6) for name in WEIGHTS if name in parts},
                        differs_in=differing(parts),
                        category=point.category,
                    )
    return best
