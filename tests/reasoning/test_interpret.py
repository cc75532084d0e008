"""How a run came to its answer: contributions that add up, and what agrees with what, on runs with known numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from deepimagine_tui.backends.protocol import GenerationRequest
from deepimagine_tui.backends.scripted import ScriptedBackend, ScriptedOutput
from deepimagine_tui.reasoning import prompts
from deepimagine_tui.reasoning.graph import build_graph
from deepimagine_tui.reasoning.interpret import Interpretation, Share, interpret, spread
from deepimagine_tui.reasoning.request import ImagineRequest
from deepimagine_tui.reasoning.scales import SHARE_SCALE, logit
from deepimagine_tui.reasoning.state import OutcomeChange
from tests.reasoning.engine.support import anchor_state, ask, ref, to_dose, to_enrolment, to_japan, what_if
from tests.support import sample_runs

Said = tuple[float, float, str, float]
"""k1's value, k2's, the direction in words, and P(met)."""


def saying(*said: Said) -> ScriptedBackend:
    """A backend that answers one step after the other, the last answer for all that follow."""
    left = list(said)

    def output(request: GenerationRequest) -> ScriptedOutput:
        arm, comparator, direction, chance = left.pop(0) if len(left) > 1 else left[0]
        answers = {
            prompts.ARM_VALUE: f"{arm}",
            prompts.COMPARATOR_VALUE: f"{comparator}",
            prompts.DIRECTION: direction,
            prompts.VERDICT: "met" if chance >= 0.5 else "not met",
        }
        return ScriptedOutput(" Because.", answers, {prompts.VERDICT: {"met": chance, "not met": 1 - chance}})

    return ScriptedBackend(output)


def read(request: ImagineRequest, *said: Said) -> Interpretation:
    return interpret(build_graph(ask(request, saying(*said))))


def test_contributions_are_on_the_scoring_scale_and_add_up_to_the_whole_move() -> None:
    # The anchor is -.66 against -.08, and its comparator's SD is .8.
    walk = read(what_if(to_dose(50.0), to_japan()), (-0.9, 0, "down", 0.6), (-0.5, -0.1, "up", 0.8)).walks[0]
    assert walk.footing == "effect"
    moves = [step.moved for step in walk.steps]
    assert moves == [pytest.approx(-0.24 / 0.8), pytest.approx((-0.4 + 0.82) / 0.8)]
    assert walk.total == pytest.approx(sum(move for move in moves if move is not None))
    assert walk.total == pytest.approx((-0.4 + 0.58) / 0.8)


def test_the_move_of_p_met_begins_with_the_first_p_since_a_posted_anchor_has_none() -> None:
    walk = read(what_if(to_dose(50.0), to_japan()), (-0.9, 0, "down", 0.6), (-0.5, -0.1, "up", 0.8)).walks[0]
    assert [step.moved_logit for step in walk.steps] == [None, pytest.approx(logit(0.8) - logit(0.6))]
    assert walk.total_logit == walk.steps[1].moved_logit


def test_shares_are_followed_as_log_odds() -> None:
    walk = read(what_if(to_dose(50.0), anchor=ref(outcome="bbbb")), (50.0, 0, "up", 0.6)).walks[0]
    # 100.5 of 201 is logit 0; 70.5 of 201 is what 35% of 200 is.
    assert walk.total == pytest.approx(-logit(70.5 / 201) / SHARE_SCALE)


@pytest.mark.parametrize(("stated", "fits"), [("down", 1), ("up", 0), ("no clear change", 0)])
def test_the_word_is_held_against_the_number(stated: str, fits: int) -> None:
    found = read(what_if(to_dose(50.0)), (-0.9, 0, stated, 0.6))
    assert found.walks[0].steps[0].went == "down"
    assert found.fits_its_word == Share(fits, 1)


@pytest.mark.parametrize(("chance", "agrees"), [(0.9, 1), (0.5, 1), (0.49, 0)])
def test_the_z_test_on_the_imagined_values_is_held_against_p_met(chance: float, agrees: int) -> None:
    # .82 below the comparator at an SE of .08: met beyond doubt.
    found = read(what_if(to_dose(50.0)), (-0.9, 0, "down", chance))
    assert found.z_agrees == Share(agrees, 1)
    assert found.z_gap == pytest.approx(1 - chance, abs=1e-3)


def test_arithmetic_moves_the_result_but_is_no_word_of_the_model() -> None:
    found = read(what_if(to_enrolment(440)), (0, 0, "up", 0.5))
    assert (found.fits_its_word, found.z_agrees) == (Share(), Share())
    assert found.walks[0].steps[0].kind == "arithmetic"
    assert found.walks[0].total == pytest.approx(0)


def test_seeds_agree_by_the_majority_and_lie_as_far_apart_as_their_quartiles() -> None:
    said: Sequence[Said] = ((-0.9, 0, "down", 0.9), (-0.7, 0, "down", 0.8), (-0.5, 0, "up", 0.2), (-0.1, 0, "up", 0.7))
    together = read(what_if(to_dose(50.0), samples=4), *said).together
    assert together is not None
    assert together.from_one_anchor
    assert together.agree == Share(3, 4)
    assert together.spread == pytest.approx((-0.3 + 0.8) / 0.8)
    assert together.spread_logit == pytest.approx((logit(0.9) + logit(0.8)) / 2 - (logit(0.7) + logit(0.2)) / 2)


def test_a_model_that_copies_moves_nothing() -> None:
    found = read(what_if(to_dose(50.0), to_japan(), samples=3), (-0.66, -0.08, "no clear change", 0.7))
    assert [walk.total for walk in found.walks] == [pytest.approx(0)] * 3
    assert [walk.total_logit for walk in found.walks] == [0.0] * 3
    assert found.together is not None
    assert (found.together.spread, found.together.agree) == (0.0, Share(3, 3))
    assert found.fits_its_word == Share(6, 6)


def test_values_of_another_measure_have_no_contribution_and_no_total() -> None:
    response = anchor_state(outcome="bbbb").configuration.outcome
    walk = read(what_if(OutcomeChange(response), to_dose(50.0)), (40.0, 20.0, "up", 0.7), (50.0, 0, "up", 0.7)).walks[0]
    first, second = walk.steps
    assert first.moved is None
    assert second.moved is not None
    assert second.moved > 0
    assert walk.total is None


def test_a_run_that_broke_off_is_read_as_far_as_it_goes() -> None:
    whole = sample_runs.what_if_three_steps()
    found = interpret(build_graph(whole[: len(whole) // 2]))
    assert len(found.walks) == 1
    assert interpret(build_graph(whole[:1])).walks == ()


def test_the_spread_of_one_value_is_not_known() -> None:
    assert spread([1.0]) is None
    assert spread([1.0, 2.0, 3.0, 4.0]) == pytest.approx(2.0)
    assert not math.isnan(spread([1.0, 1.0]) or 0.0)
