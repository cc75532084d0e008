"""The diseases that a title names, by the names that a corpus knows."""

from __future__ import annotations

from deepimagine_tui.evaluation.conditions import named_in

KNOWN = ["Diabetes Mellitus, Type 2", "Diabetes Mellitus", "Asthma", "Heart Failure", "Pain"]


def test_a_condition_is_named_where_all_its_words_are_in_the_title() -> None:
    title = "A Study of Drug X in Adults With Type 2 Diabetes Mellitus and Chronic Heart Failure"
    assert named_in(title, KNOWN) == ("Diabetes Mellitus, Type 2", "Heart Failure")


def test_a_more_exact_name_stands_for_the_wider_one() -> None:
    assert named_in("Insulin in diabetes mellitus", KNOWN) == ("Diabetes Mellitus",)


def test_a_title_that_names_none_gives_none() -> None:
    assert named_in("Heart rate monitoring at home", KNOWN) == ()
