"""Every pitfall that the reference names, on the record that it names."""

from __future__ import annotations

from collections import Counter

from deepimagine_tui.trials.codec import decode, encode
from deepimagine_tui.trials.concepts.titles import is_dose_ranging
from deepimagine_tui.trials.concepts.verdicts import verdict, verdict_reason
from deepimagine_tui.trials.facts import facts_only
from deepimagine_tui.trials.model import Trial
from deepimagine_tui.trials.results import Cell, Contrast, Outcome
from deepimagine_tui.trials.units import dose_ratio, same_dose

Trials = dict[str, Trial]


def _contrasts(trials: Trials) -> list[tuple[Outcome, Contrast]]:
    return [(outcome, contrast) for trial in trials.values() for outcome in trial.outcomes for contrast in outcome.contrasts]


def _outcome(trial: Trial, words: str) -> Outcome:
    return next(outcome for outcome in trial.outcomes if words in outcome.title)


def test_every_record_becomes_a_trial_with_results(trials: Trials) -> None:
    assert len(trials) == 847
    assert all(trial.title for trial in trials.values())
    assert sum(len(trial.outcomes) for trial in trials.values()) == 6271
    assert sum(trial.has_results for trial in trials.values()) > 800
    assert sum(trial.flow is not None for trial in trials.values()) == 847
    assert sum(trial.adverse_events is not None for trial in trials.values()) >= 840


def test_no_cell_is_dropped(trials: Trials) -> None:
    assert sum(len(outcome.cells) for trial in trials.values() for outcome in trial.outcomes) == 36321
    for trial in trials.values():
        for outcome in trial.outcomes:
            assert all((cell.value is None) == (cell.state != "value") for cell in outcome.cells)


def test_outcome_ids_are_unique(trials: Trials) -> None:
    ids = [outcome.id for trial in trials.values() for outcome in trial.outcomes]
    assert len(ids) == len(set(ids))


def test_problems_have_a_path_and_a_code(trials: Trials) -> None:
    problems = [problem for trial in trials.values() for problem in trial.problems]
    assert problems
    assert all(problem.path and problem.code and problem.detail for problem in problems)
    assert {problem.code for problem in problems} <= {
        "group-not-linked",
        "orientation-unknown",
        "dose-without-agent",
        "unknown-value-kind",
        "unknown-parameter",
    }


def test_differences_are_posted_in_either_direction_about_half_each(trials: Trials) -> None:
    """DESIGN 3: of 350 checkable two-group differences 176 are first minus second, 174 the reverse."""
    seen = Counter(
        contrast.orientation
        for _, contrast in _contrasts(trials)
        if contrast.kind == "difference" and contrast.orientation_from == "arm values"
    )
    assert seen["a-b"] + seen["b-a"] >= 350
    assert 0.4 < seen["a-b"] / (seen["a-b"] + seen["b-a"]) < 0.6


def test_ratios_are_posted_in_either_direction_too(trials: Trials) -> None:
    seen = Counter(
        contrast.orientation
        for _, contrast in _contrasts(trials)
        if contrast.kind == "ratio" and contrast.orientation_from == "arm values"
    )
    assert 0.4 < seen["a/b"] / (seen["a/b"] + seen["b/a"]) < 0.6


def test_a_hazard_ratio_above_one_of_deaths_favours_the_other_arm(trials: Trials) -> None:
    deaths = _outcome(trials["NCT00000620"], "Death From Any Cause in the Glycemia")
    contrast = deaths.contrasts[0]
    assert (contrast.estimate, contrast.p and contrast.p.value) == (1.19, 0.02)
    assert contrast.significant
    assert deaths.benefit == "lower"
    assert verdict(contrast, contrast.group_ids[0]) == "not met"
    assert verdict(contrast, contrast.group_ids[1]) == "met"


def test_a_significant_p_without_a_sign_takes_its_direction_from_the_arms(trials: Trials) -> None:
    response = trials["NCT00463385"].outcomes[0]
    contrast = response.contrasts[1]
    values = {cell.group_id: cell.value for cell in response.cells}
    assert (contrast.estimate, contrast.significant) == (None, True)
    assert (round(values["OG000"] or 0), round(values["OG002"] or 0)) == (55, 21)
    assert verdict(contrast, "OG002") == "not met"


def test_points_on_a_count_outcome(trials: Trials) -> None:
    contrast = trials["NCT00491764"].outcomes[0].contrasts[0]
    assert trials["NCT00491764"].outcomes[0].unit.lower() == "participants"
    assert (contrast.estimate, contrast.unit, contrast.orientation) == (22.9, "percentage points", "a-b")


def test_a_log_contrast_under_percent_change(trials: Trials) -> None:
    logs = [
        (outcome, contrast)
        for outcome in trials["NCT04315298"].outcomes
        for contrast in outcome.contrasts
        if "log-scale" in contrast.flags
    ]
    assert len(logs) == 2
    for outcome, contrast in logs:
        assert outcome.unit == "Percent Change"
        assert (contrast.kind, contrast.null, contrast.orientation) == ("difference", 0.0, "unknown")


def test_percent_ratios_have_null_100(trials: Trials) -> None:
    ratios = [
        contrast for outcome in trials["NCT00493220"].outcomes for contrast in outcome.contrasts if contrast.kind == "ratio"
    ]
    assert len(ratios) == 9
    assert {contrast.null for contrast in ratios} == {100.0}
    cmax = _outcome(trials["NCT00493220"], "Cmax").contrasts
    assert {contrast.orientation for contrast in cmax} == {"a/b"}


def test_p_and_interval_disagree_in_38_contrasts_and_both_are_kept(trials: Trials) -> None:
    torn = [contrast for _, contrast in _contrasts(trials) if "p-contradicts-interval" in contrast.flags]
    assert len(torn) == 38
    assert all(contrast.p and contrast.interval for contrast in torn)
    assert {verdict(contrast, contrast.group_ids[0]) for contrast in torn} == {"undetermined"}


def test_values_outside_their_own_limits(trials: Trials) -> None:
    outside = [
        (trial.nct_id, cell)
        for trial in trials.values()
        for outcome in trial.outcomes
        for cell in outcome.cells
        if "value-outside-limits" in cell.flags
    ]
    assert (len(outside), len({nct_id for nct_id, _ in outside})) == (71, 10)
    assert all(cell.value is not None for _, cell in outside)


def test_spread_equal_to_the_lower_limit(trials: Trials) -> None:
    cells = [cell for outcome in trials["NCT01874431"].outcomes for cell in outcome.cells]
    assert any("spread-equals-lower-limit" in cell.flags and cell.dispersion == cell.lower for cell in cells)


def test_escaped_and_comma_p_values(trials: Trials) -> None:
    escaped = [contrast.p for outcome in trials["NCT02540993"].outcomes for contrast in outcome.contrasts if contrast.p]
    assert any(p.operator == "<" and p.value <= 0.0001 for p in escaped)
    commas = [contrast.p for outcome in trials["NCT03191552"].outcomes for contrast in outcome.contrasts if contrast.p]
    assert any(p.operator == "=" and p.value == 0.001 for p in commas)


def test_every_posted_p_value_is_read(trials: Trials) -> None:
    assert not [problem for trial in trials.values() for problem in trial.problems if problem.code == "not-a-p-value"]
    assert sum(contrast.p is not None for _, contrast in _contrasts(trials)) == 1820 + 173


def test_a_pool_beside_its_members(trials: Trials) -> None:
    kinds = {group.title: group.kind for outcome in trials["NCT04426695"].outcomes for group in outcome.groups}
    assert kinds["Phase 3 (Cohort 1): Combined R10933+R10987 IV"] == "pooled"
    members = [title for title, kind in kinds.items() if kind == "arm" and title.startswith("Phase 3 (Cohort 1)")]
    assert len(members) >= 2
    for outcome in trials["NCT04426695"].outcomes:
        assert all(group.link is None for group in outcome.groups if group.kind == "pooled")


def test_arms_as_classes_of_one_group(trials: Trials) -> None:
    outcomes = trials["NCT00494676"].outcomes
    assert {outcome.class_axis for outcome in outcomes} == {"arm"}
    assert outcomes[0].groups[0].kind == "whole study"


def test_units_analysed_other_than_participants(trials: Trials) -> None:
    cell = _outcome(trials["NCT00463047"], "PID15").cells[0]
    assert (cell.n, cell.unit_analysed, cell.also_n, cell.also_unit) == (
        183,
        "participants",
        1764,
        "breakthrough pain episodes",
    )
    lesions = next(
        cell for outcome in trials["NCT00001277"].outcomes for cell in outcome.cells if cell.unit_analysed == "lesions"
    )
    assert (lesions.n, lesions.also_n, lesions.also_unit) == (134, 16, "participants")
    headaches = trials["NCT02381795"].outcomes[0].cells[0]
    assert (headaches.n, headaches.unit_analysed, headaches.also_n) == (23, "cluster headaches", 9)


def test_doses_that_stand_only_in_result_groups(trials: Trials) -> None:
    groups = {group.title: group for group in trials["NCT00495469"].outcomes[0].groups}
    once, twice = groups["GSK189075 500 mg QD"].doses[0], groups["GSK189075 250 mg BID"].doses[0]
    assert (once.amount, once.times_per_day, once.daily_total) == (500, 1, 500)
    assert (twice.amount, twice.times_per_day, twice.daily_total) == (250, 2, 500)
    assert dose_ratio(once, twice) == 1.0
    assert not same_dose(once, twice)
    assert groups["Pioglitazone 30 mg QD"].doses[0].intervention == "Pioglitazone"
    assert groups["Placebo"].doses == ()


def test_medians_not_reached(trials: Trials) -> None:
    """DESIGN 3 counts 222 cells in 51 trials; comments without the word count here too."""
    found = [
        (trial.nct_id, cell)
        for trial in trials.values()
        for outcome in trial.outcomes
        for cell in outcome.cells
        if cell.state == "not reached"
    ]
    assert 222 <= len(found) <= 245
    assert 51 <= len({nct_id for nct_id, _ in found}) <= 57


def test_a_missing_median_is_not_always_not_reached(trials: Trials) -> None:
    states: dict[str, set[str]] = {}
    for trial in trials.values():
        for outcome in trial.outcomes:
            for cell in outcome.cells:
                if cell.value is None:
                    states.setdefault(cell.state, set()).add(cell.text)
    assert any("not reached" in text.lower() for text in states["not reached"])
    assert "NA: No participants were evaluable." in states["not estimable"]
    assert any("MTD was not reached" in text for text in states["not estimable"])


def test_class_denominators_override_the_outcomes(trials: Trials) -> None:
    varying = [
        outcome
        for trial in trials.values()
        for outcome in trial.outcomes
        if len({cell.n for cell in outcome.cells if cell.group_id == "OG000"}) > 1
    ]
    assert len(varying) > 300


def test_classes_that_differ_in_time_only(trials: Trials) -> None:
    """DESIGN 3: of 1,787 multi-class outcomes 763 have only time-like class titles."""
    multi = [
        outcome
        for trial in trials.values()
        for outcome in trial.outcomes
        if len({cell.class_title for cell in outcome.cells}) > 1
    ]
    timed = [outcome for outcome in multi if outcome.class_axis == "time"]
    assert abs(len(multi) - 1787) < 60
    assert abs(len(timed) - 763) < 45
    assert all(cell.time is not None for outcome in timed for cell in outcome.cells if cell.class_title)


def test_the_older_records_with_two_measures(trials: Trials) -> None:
    outcome = trials["NCT00097500"].outcomes[0]
    assert {cell.group_id: (cell.value, cell.n) for cell in outcome.cells} == {"OG000": (2.89, 30), "OG001": (1.15, 30)}
    assert outcome.contrasts[0].hypothesis == "superiority (assumed)"
    assert (trials["NCT00097500"].allocation, trials["NCT00097500"].masking) == ("randomized", "none")
    baseline = trials["NCT00097500"].baseline
    assert baseline is not None
    assert [count.count for count in baseline.counts] == [36, 33, 69]


def test_groups_are_linked_by_label_in_about_half(trials: Trials) -> None:
    groups = [group for trial in trials.values() for outcome in trial.outcomes for group in outcome.groups]
    same = [group for group in groups if group.link and group.link.confidence == 1]
    assert 0.45 < len(same) / len(groups) < 0.53
    assert all(0 < group.link.confidence <= 1 for group in groups if group.link)


def test_most_dose_ranging_trials_are_found(trials: Trials) -> None:
    found = {trial.nct_id for trial in trials.values() if is_dose_ranging(trial)}
    assert {"NCT00491764", "NCT00495469", "NCT00460811"} <= found
    assert 60 <= len(found) <= 110


def test_verdicts_follow_their_reasons(trials: Trials) -> None:
    for _, contrast in _contrasts(trials):
        for group_id in contrast.group_ids:
            label, reason = verdict(contrast, group_id), verdict_reason(contrast, group_id)
            assert reason.endswith(".")
            if label == "met":
                other = next((other for other in contrast.group_ids if other != group_id), "")
                assert contrast.significant
                assert verdict(contrast, other) == "not met"


def test_a_drug_that_beats_placebo_significantly_is_nearly_always_favoured(trials: Trials) -> None:
    """A check on the direction of benefit, which is never read from results: treatments seldom do significant harm."""
    favoured: Counter[bool] = Counter()
    for outcome, contrast in _contrasts(trials):
        controls = {group.id for group in outcome.groups if group.control in ("placebo", "sham", "no intervention")}
        if contrast.significant and contrast.favours and len(controls & set(contrast.group_ids)) == 1:
            favoured[contrast.favours not in controls] += 1
    assert favoured[True] > 150
    assert favoured[False] / favoured[True] < 0.08


def test_codec_keeps_every_trial(trials: Trials) -> None:
    assert all(decode(encode(trial)) == trial for trial in trials.values())


def test_facts_keep_numbers_and_names_and_no_sentence(trials: Trials) -> None:
    for trial in trials.values():
        facts = facts_only(trial)
        assert facts.prose is None
        assert [outcome.id for outcome in facts.outcomes] == [outcome.id for outcome in trial.outcomes]
        assert [_numbers(outcome) for outcome in facts.outcomes] == [_numbers(outcome) for outcome in trial.outcomes]
        written = encode(facts).decode("utf-8", "ignore")
        assert trial.prose is not None
        for sentence in (trial.prose.brief_summary, trial.prose.eligibility, trial.prose.limitations):
            assert len(sentence) < 60 or sentence not in written


def _numbers(outcome: Outcome) -> list[tuple[float | None, int | None, str]]:
    return [_number(cell) for cell in outcome.cells]


def _number(cell: Cell) -> tuple[float | None, int | None, str]:
    return cell.value, cell.n, cell.state
