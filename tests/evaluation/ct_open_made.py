"""A made question set of CT Open's shape, with a canary in everything that is an answer."""

from __future__ import annotations

import pickle
from pathlib import Path

Record = dict[str, object]
Records = dict[tuple[str, str], Record]

SECRET = "the canary sang"
ARM, OTHER = "Glivazin 25 mg once daily", "Placebo"
CUTOFF = "2025-01-31"


def superiority_options(arm: str, comparator: str) -> list[str]:
    said = f"statistically significant improvements over the study arm {comparator} with respect to this specific endpoint"
    return [
        f"The study arm {arm} has achieved {said}.",
        f"The study arm {arm} has not achieved {said}, either because of no statistical effect or worse effect.",
    ]


def comparative_options(arm: str, comparator: str) -> list[str]:
    return [
        f"Study Arm {comparator} is statistically significantly worse than Study Arm {arm}.",
        f"Study Arm {arm} is statistically significantly worse than Study Arm {comparator}.",
        f"No statistically significant difference between Study Arm {arm} and Study Arm {comparator}.",
    ]


ENDPOINT_OPTIONS = ["This endpoint is met.", "This endpoint is not met."]
LISTED_OPTIONS = ["At least one arm listed here met this endpoint.", "No arm listed here met this endpoint."]


def endpoint(measure: str) -> str:
    return str({"measure": measure, "timeFrame": "week 24", "outcome_type": "primaryOutcomes"})


def record(
    answer: int,
    options: list[str] | None = None,
    *,
    comparator: str = OTHER,
    kind: str = "PLACEBO_COMPARATOR",
    label: str = "single_arm",
) -> Record:
    """A record of one question, whose answer is the option at `answer`."""
    asked = options or superiority_options(ARM, comparator)
    arms = [
        {"label": ARM, "type": "EXPERIMENTAL", "interventionNames": ["Drug: Glivazin"]},
        {"label": comparator, "type": kind, "interventionNames": [f"Drug: {comparator}"]},
    ]
    return {
        "brief_title": "Glivazin in type 2 diabetes",
        "meta_label": label,
        "arms": arms,
        "list_of_tuples": [(ARM, SECRET, comparator)],
        "no_arm_label": SECRET,
        "distinguishable_arm": None,
        "listed_arms": arms[:1] if label == "no_distinguishable_arm" else None,
        "real_arm": [None],
        "question_list_of_lists": [asked],
        "answer_list_of_lists": [asked[answer]],
        "question_idx2result_idx_list": {0: [0]},
        "reported_results": {"http://example.org": {"date": "2025-03-01", "results": [SECRET]}},
    }


def superiority_records(count: int = 8) -> Records:
    """Questions that the comparator rule answers rightly, but for the last."""
    found: Records = {}
    for at in range(count):
        placebo = at % 2 == 0 or at == count - 1
        found[f"NCT0900000{at}", endpoint("Change From Baseline in HbA1c")] = record(
            int(not (at % 2 == 0 and at < count - 1)),
            comparator=OTHER if placebo else "Metformin",
            kind="PLACEBO_COMPARATOR" if placebo else "ACTIVE_COMPARATOR",
        )
    return found


def other_records() -> Records:
    """A comparative effect and two endpoint questions, of three trials."""
    return {
        ("NCT09000021", endpoint("Time to relapse")): record(1, comparative_options(ARM, OTHER)),
        ("NCT09000022", endpoint("Maximum tolerated dose")): record(0, ENDPOINT_OPTIONS, label="no_arm"),
        ("NCT09000023", endpoint("Pain")): record(1, LISTED_OPTIONS, label="no_distinguishable_arm"),
    }


def pickled(path: Path, count: int = 8) -> Path:
    """Superiority questions, and one of another class."""
    records = superiority_records(count)
    records["NCT09000099", endpoint("Any")] = record(0, ENDPOINT_OPTIONS, label="no_arm")
    return written(path, records)


def written(path: Path, records: Records) -> Path:
    path.write_bytes(pickle.dumps(records))
    return path
