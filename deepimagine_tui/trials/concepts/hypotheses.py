"""Which hypothesis an analysis tested. Source fields: `nonInferiorityType`, `testedNonInferiority`, then the comments."""

from __future__ import annotations

import re

from deepimagine_tui.trials.concepts.terms import words
from deepimagine_tui.trials.results import Hypothesis

_NON_INFERIOR = re.compile(r"\bnon-?\s?inferior")
_EQUIVALENT = re.compile(r"\b(?:bio)?equivalen")
_SUPERIOR = re.compile(r"\bsuperior")
_OTHER = re.compile(
    r"\btrend\b|\blinear (?:contrast|trend)|\bdose[- ]response\b|\binteraction\b|\bhomogeneity\b|\bwithin[- ](?:group"
    r"|subject|patient|participant|arm)\b|\bchange from baseline within\b|\bcorrelation\b|\bfutility\b"
    r"|\bnot powered\b|\bexploratory only\b|\bdescriptive\b",
)


def hypothesis(kind: str, tested_non_inferiority: str | bool | None, n_groups: int, has_p: bool, comments: str) -> Hypothesis:
    """The hypothesis tested.

    `Superiority or Other` (and the older records that only say that no non-inferiority was tested) is *assumed* superiority
    when two groups are compared with a p-value and no comment names another hypothesis. `Non-Inferiority or Equivalence` is
    told
    apart by the comments, else it is non-inferiority.
    """
    name = words(kind).removesuffix(" legacy")
    comments = comments.lower()
    if name == "superiority":
        return "superiority"
    if name in ("non-inferiority", "non inferiority"):
        return "non-inferiority"
    if name == "equivalence":
        return "equivalence"
    if name in ("non-inferiority or equivalence", "non inferiority or equivalence") or tested_non_inferiority in (
        True,
        "Yes",
        "yes",
    ):
        return "equivalence" if _EQUIVALENT.search(comments) and not _NON_INFERIOR.search(comments) else "non-inferiority"
    if name == "superiority or other" or tested_non_inferiority in (False, "No", "no"):
        return _assumed(n_groups, has_p, comments)
    if name == "other":
        return "other"
    return "unknown"


def _assumed(n_groups: int, has_p: bool, comments: str) -> Hypothesis:
    if n_groups != 2 or not has_p:
        return "unknown"
    if _NON_INFERIOR.search(comments):
        return "superiority (assumed)" if _SUPERIOR.search(comments) else "non-inferiority"
    if _EQUIVALENT.search(comments):
        return "equivalence"
    return "other" if _OTHER.search(comments) else "superiority (assumed)"
