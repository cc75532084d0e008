"""The same made-up study in both formats gives equal trials."""

from __future__ import annotations

import pytest

from deepimagine_tui.trials.reading import parse_record
from tests.trials.conftest import TWINS

NAMES = sorted(path.stem for path in TWINS.glob("*.xml"))


def test_there_are_at_least_five() -> None:
    assert len(NAMES) >= 5


@pytest.mark.parametrize("name", NAMES)
def test_twins_are_equal(name: str) -> None:
    classic = parse_record((TWINS / f"{name}.xml").read_bytes())
    modern = parse_record((TWINS / f"{name}.json").read_bytes())
    for field in classic.__struct_fields__:
        assert getattr(classic, field) == getattr(modern, field), field


def test_what_the_survival_twins_hold() -> None:
    trial = parse_record((TWINS / "survival.xml").read_bytes())
    assert trial.problems == ()
    assert trial.title == "Velatinib 150 mg vs placebo"
    assert (trial.phases, trial.masking, trial.status) == (("2", "3"), "quadruple", "active not recruiting")
    assert [(site.country, site.sites) for site in trial.countries] == [("France", 2), ("Japan", 1)]
    assert [(bound.measure, bound.lower, bound.upper) for bound in trial.eligibility.thresholds] == [("ECOG", None, 1.0)]
    treated, placebo = trial.outcomes[0].cells
    assert (treated.state, treated.lower, treated.upper) == ("not reached", 28.1, None)
    assert placebo.value == 19.2
    contrast = trial.outcomes[0].contrasts[0]
    assert (contrast.orientation, contrast.orientation_from, contrast.favours) == ("a/b", "comment", "OG000")
    assert contrast.p is not None
    assert contrast.p.sides == 1


def test_what_the_dose_ranging_twins_hold() -> None:
    outcome = parse_record((TWINS / "dose_ranging.json").read_bytes()).outcomes[0]
    assert [cell.n for cell in outcome.cells] == [100, 100, 100, 90, 80, None]
    assert [cell.time.weeks for cell in outcome.cells if cell.time] == [24, 24, 24, 48, 48, 48]
    contrast = outcome.contrasts[0]
    assert (contrast.class_title, contrast.orientation, contrast.favours) == ("Week 24", "b-a", "OG001")
    assert (contrast.hypothesis, contrast.unit) == ("superiority (assumed)", "percentage points")


def test_what_the_older_form_holds() -> None:
    trial = parse_record((TWINS / "older_form.xml").read_bytes())
    assert (trial.allocation, trial.intervention_model, trial.masking) == ("randomized", "crossover", "double")
    assert trial.results_posted is not None
    assert (trial.results_posted.text, trial.results_posted.kind) == ("2010-12-24", "unknown")
    assert {group.kind for group in trial.outcomes[0].groups} == {"crossover period"}
    assert trial.outcomes[0].class_axis == "time"
