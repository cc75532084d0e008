"""The rules that a model has to beat: what each says, and that none of them sees an answer."""

from __future__ import annotations

from collections import Counter
from threading import Event

import pytest
from deepimagine_training import baselines, features, held_out
from deepimagine_training.held_out import HeldOut
from deepimagine_training.inputs import opened
from deepimagine_training.pairs import draw
from deepimagine_training.predictions import System
from msgspec.structs import replace

from tests.training.made import many_trials, write


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[HeldOut], list[HeldOut]]:
    """The questions of the train and the test side."""
    folder = tmp_path_factory.mktemp("drawn")
    with opened(str(write(folder / "made", many_trials(30))), folder, Event()) as corpus:
        rows = draw(corpus).rows
    return held_out.questions(rows, "train"), held_out.questions(rows, "test")


def blind(asked: list[HeldOut]) -> list[HeldOut]:
    """The same questions with another posted result: every value, verdict and direction."""
    changed = []
    for one in asked:
        target = replace(one.target, arm_value=one.step.source.comparator_value, contrast=None, met=None)
        verdict = "met" if one.row.target_verdict == "not met" else "not met"
        row = replace(one.row, target_verdict=verdict, direction="down" if one.row.direction == "up" else "up")
        changed.append(HeldOut(row, one.step, one.question, target))
    return changed


def test_copying_says_the_source_again(sides: tuple[list[HeldOut], list[HeldOut]]):
    train, asked = sides
    found = baselines.copying(train, asked).predictions
    for one in asked:
        said = found[one.row.id]
        if one.row.source_verdict != "undetermined":
            assert said.probability == float(one.row.source_verdict == "met")
        else:
            assert said.probability == pytest.approx(baselines.base_rate(train))
        if one.row.factor != "outcome":
            assert said.direction == "no clear change"
        if one.row.copy_error is not None:
            assert said.error == pytest.approx(one.row.copy_error)


def test_the_constant_rules_are_those_of_the_train_side(sides: tuple[list[HeldOut], list[HeldOut]]):
    train, asked = sides
    doses = [one for one in train if one.row.factor == "dose"]
    verdicts = [one.row.target_verdict for one in doses if one.row.target_verdict != "undetermined"]
    directions = Counter(one.row.direction for one in doses if one.row.direction is not None)
    majority = baselines.majority(train, asked).predictions
    rate = baselines.base_rate_of_factor(train, asked).predictions
    for one in asked:
        if one.row.factor == "dose":
            assert majority[one.row.id].met == (verdicts.count("met") * 2 > len(verdicts))
            assert majority[one.row.id].direction == directions.most_common(1)[0][0]
            assert rate[one.row.id].probability == pytest.approx(verdicts.count("met") / len(verdicts))


def test_more_dose_moves_away_from_placebo_and_less_comes_back(sides: tuple[list[HeldOut], list[HeldOut]]):
    _, asked = sides
    found = baselines.more_dose(asked)
    assert found.says == {"direction"}
    assert found.predictions.keys() == {one.row.id for one in asked if one.row.factor == "dose"}
    seen = set()
    for one in asked:
        source = one.step.source
        if one.row.factor != "dose" or source.arm_value is None or source.comparator_value is None:
            continue
        more = features.dose_ratio(one.step) > 0
        below = source.arm_value.value < source.comparator_value.value
        assert found.predictions[one.row.id].direction == ("down" if more == below else "up")
        seen.add((more, below))
    assert len(seen) >= 2


def test_nothing_of_the_targets_result_is_seen(sides: tuple[list[HeldOut], list[HeldOut]]):
    pytest.importorskip("sklearn", reason="the `training` extra is not installed")
    train, asked = sides
    changed = blind(asked)
    assert [features.fields(one) for one in asked] == [features.fields(one) for one in changed]
    for honest, shuffled in zip(baselines.baselines(train, asked), baselines.baselines(train, changed), strict=True):
        assert without_grades(honest) == without_grades(shuffled), honest.name


def without_grades(system: System) -> dict[str, tuple[object, ...]]:
    """What a system says; e, and copying's direction of another outcome, are grades against what was posted."""
    kept = system.name != "copying"
    return {key: (said.probability, said.met, said.direction if kept else None) for key, said in system.predictions.items()}


def test_the_classical_models_learn_the_train_side(sides: tuple[list[HeldOut], list[HeldOut]]):
    pytest.importorskip("sklearn", reason="the `training` extra is not installed")
    train, _ = sides
    decided = [one for one in train if one.row.target_verdict != "undetermined"]
    always = max(Counter(one.row.target_verdict for one in decided).values()) / len(decided)
    for system in baselines.classical(train, train):
        right = sum(system.predictions[one.row.id].met == (one.row.target_verdict == "met") for one in decided)
        assert right / len(decided) > always, system.name
        assert all(0 <= (said.probability or 0) <= 1 for said in system.predictions.values())


def test_one_verdict_alone_teaches_its_base_rate(sides: tuple[list[HeldOut], list[HeldOut]]):
    pytest.importorskip("sklearn", reason="the `training` extra is not installed")
    train, asked = sides
    met = [one for one in train if one.row.target_verdict == "met"]
    for system in baselines.classical(met, asked):
        assert {said.probability for said in system.predictions.values()} == {1.0}
