"""Sides: every trial on one, programmes together, the same whatever the order."""

from __future__ import annotations

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from deepimagine_tui.evaluation.sides import DOSE_RANGING_SHARES, SHARES, SIDES, Member, assign

NCT = st.integers(1, 40).map(lambda number: f"NCT{number:08d}")
MEMBERS = st.lists(st.builds(Member, NCT, st.frozensets(st.sampled_from("abcdefgh"), max_size=2), st.booleans()), max_size=40)


@given(MEMBERS)
def test_trials_that_share_a_key_share_a_side(members: list[Member]):
    sides = assign(members)
    assert set(sides.places) == {member.nct_id for member in members}
    for one in members:
        for other in members:
            if one.keys & other.keys:
                assert sides.of(one.nct_id) == sides.of(other.nct_id)
                assert sides.programme(one.nct_id) == sides.programme(other.nct_id)


@given(MEMBERS, st.randoms(use_true_random=False))
def test_the_order_does_not_matter(members: list[Member], rng: random.Random):
    mixed = list(members)
    rng.shuffle(mixed)
    assert assign(mixed) == assign(members)


@given(MEMBERS)
def test_trials_with_no_key_in_common_are_of_different_programmes(members: list[Member]):
    alone = [Member(member.nct_id) for member in members]
    assert all(place.programme == nct_id for nct_id, place in assign(alone).places.items())


def test_another_trial_moves_nobody_that_it_does_not_join():
    members = [Member(f"NCT{number:08d}", frozenset({f"key {number % 50}"})) for number in range(1, 200)]
    before, after = assign(members), assign([*members, Member("NCT99999999", frozenset({"key 3"}))])
    assert all(after.of(nct_id) == before.of(nct_id) for nct_id in before.places)


def test_a_trial_of_two_data_sets_is_one_trial_with_the_keys_of_both():
    one, two, three = "NCT00000001", "NCT00000002", "NCT00000003"
    sides = assign(
        [Member(one, frozenset("a")), Member(two, frozenset("b")), Member(three, frozenset("a")), Member(three, frozenset("b"))]
    )
    assert {sides.programme(nct_id) for nct_id in (one, two, three)} == {one}


def test_the_shares_are_those_stated():
    for ranging, shares in ((False, SHARES), (True, DOSE_RANGING_SHARES)):
        sides = assign(Member(f"NCT{number:08d}", dose_ranging=ranging) for number in range(4000))
        counts = Counter(place.side for place in sides.places.values())
        for side in SIDES:
            assert abs(counts[side] / 4000 - shares[side]) < 0.03
    assert round(1 - DOSE_RANGING_SHARES["train"], 9) == 0.4


def test_a_side_is_the_same_on_every_machine_and_for_ever():
    sides = assign(Member(f"NCT{number:08d}") for number in range(1, 21))
    of_side = {
        side: [int(nct_id[3:]) for nct_id in sides.places if sides.of(nct_id) == side] for side in ("validation", "test")
    }
    assert of_side == {"validation": [12, 16], "test": [19]}
