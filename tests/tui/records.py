"""Trials for the app's tests, from the starter corpus; and one made up to be hostile."""

from __future__ import annotations

from contextlib import closing
from functools import lru_cache

from msgspec.structs import replace

from deepimagine_tui.corpus.starter import open_starter
from deepimagine_tui.trials.model import Trial
from deepimagine_tui.trials.results import ResultGroup

DOSES = "NCT02305381"
"""Two doses of one drug against placebo, HbA1c."""
NASTY = "[bold red]markup[/] \x1b[31mescape\x1b]0;title\x07 \u202eright-to-left\u202c zero\u200bwidth [/nonsense]"


@lru_cache(maxsize=1)
def dose_trial() -> Trial:
    """A posted dose-ranging trial."""
    with closing(open_starter()) as corpus:
        return corpus.get(DOSES)


def without_results() -> Trial:
    """The same plan with nothing posted."""
    bare = {"outcomes": (), "flow": None, "baseline": None, "adverse_events": None}
    return replace(dose_trial(), nct_id="NCT99000001", title="A plan", **bare)


def hostile() -> Trial:
    """The same results with foreign text that wants to be obeyed, wherever text is shown."""
    trial = dose_trial()
    outcomes = tuple(
        replace(
            outcome,
            title=f"{NASTY} {outcome.title}",
            unit=NASTY,
            groups=tuple(replace(group, title=f"{group.title} {NASTY}") for group in outcome.groups),
        )
        for outcome in trial.outcomes
    )
    arms = tuple(replace(arm, label=f"{arm.label} {NASTY}") for arm in trial.arms)
    return replace(trial, nct_id="NCT99000002", title=NASTY, conditions=(NASTY,), sponsor=NASTY, outcomes=outcomes, arms=arms)


def many(count: int) -> list[Trial]:
    """As many trials, each with another id and title."""
    return [replace(dose_trial(), nct_id=f"NCT9{index:07d}", title=f"Trial {index}") for index in range(count)]


def group(trial: Trial, words: str) -> ResultGroup:
    """The first result group of the first outcome with these words in its title."""
    return next(group for group in trial.outcomes[0].groups if words in group.title.lower())
