"""What classical systems see of a question: which words count as what, and that a step's source is seen."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from deepimagine_tui.evaluation.expectations import expected
from deepimagine_tui.evaluation.features import fields, overlap_of, texts
from deepimagine_tui.evaluation.questions import Question
from deepimagine_tui.reasoning.state import ArmSpec, DoseChange, MetEstimate, Number, Perturbation, State
from deepimagine_tui.trials.units import find_doses
from tests.evaluation.made_questions import asked


def test_texts_are_of_arm_comparator_and_outcome():
    question = replace(asked(1), title="Glivazin in diabetes")
    assert texts(question) == ("Glivazin 25 mg Glivazin", "Placebo Placebo", "Change from baseline in HbA1c")
    assert texts(asked(1, against=None))[1] == ""


@pytest.mark.parametrize(
    ("question", "names"),
    [
        (asked(1), {"outcome laboratory", "outcome change", "area diabetes", "comparator placebo", "arm dose"}),
        (asked(1, "Tolumab", outcome="Overall survival"), {"arm antibody", "outcome overall survival", "outcome mortality"}),
        (asked(1, "ABC-1234"), {"arm code", "inert and arm code"}),
        (asked(1, outcome="Number of adverse events"), {"outcome safety", "inert and outcome safety"}),
    ],
)
def test_words_are_put_into_classes(question: Question, names: set[str]):
    found = fields(question)
    assert {name for name in names if found.get(name) == 1} == names


def test_overlap_tells_an_addition_from_a_rival_and_a_dose():
    added = asked(1, "Tolumab plus Perfinib", "Perfinib", "active").target
    assert overlap_of(added).added_on
    dose = asked(1, "Tolumab 20 mg", "Tolumab 10 mg", "active").target
    assert overlap_of(dose).same
    assert not overlap_of(dose).added_on
    assert overlap_of(asked(1, "Tolumab", "Ranovir", "active").target).shared == 0


def test_a_step_shows_its_source_and_change():
    before = asked(1, "Glivazin 25 mg").target
    before = replace(before, arm=replace(before.arm, doses=find_doses("Glivazin 25 mg")))
    source = State("s", "NCT00000001", before, Number(1.0, "observed"), Number(2.0, "observed"))
    source = replace(source, met=MetEstimate("met", "derived"))
    dose = find_doses("Glivazin 50 mg")[0]
    change = Perturbation("dose", "25 mg", "50 mg", DoseChange(dose))
    question = replace(asked(1, "Glivazin 50 mg"), source=source, changes=(change,), factor="dose")
    found = fields(question)
    assert (found["source"], found["factor"]) == ("met", "dose")
    assert found["dose"] == pytest.approx(0.6931, abs=1e-3)
    assert "source" not in fields(asked(1))


def test_what_is_expected_goes_by_comparator_and_outcome():
    placebo = expected(asked(1)).logit
    assert placebo > expected(asked(1, against="Ranovir", control="active")).logit
    assert placebo > expected(asked(1, "Glivazin 50 mg", "Glivazin 25 mg", "active")).logit
    assert (
        placebo > expected(asked(1, outcome="All-cause mortality")).logit > expected(asked(1, outcome="Adverse events")).logit
    )
    titled = replace(asked(1), title="A pilot study in septic shock")
    assert placebo > expected(titled).logit
    assert expected(titled).design < expected(asked(1)).design
    alone = replace(asked(1).target, comparator=None, arm=ArmSpec("Glivazin"))
    assert expected(replace(asked(1), target=alone)).logit < placebo
