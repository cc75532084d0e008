"""The reward: what it pays for, on a fixed set of pairs that is even over verdicts and flips."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from statistics import mean
from threading import Event

import pytest
from deepimagine_training import rationale
from deepimagine_training.inputs import opened
from deepimagine_training.pairs import draw
from deepimagine_training.recipe import DataRecipe
from deepimagine_training.rewards import BROKEN, CUT, Reward, reward
from deepimagine_training.tasks import Task, balanced, tasks_of

from deepimagine_tui.reasoning import prompts
from deepimagine_tui.reasoning.describe import number_text
from deepimagine_tui.reasoning.state import Number
from tests.training.made import many_trials, write

GIBBERISH = (
    "banana wug frob the zyx quux lorem ipsum dolor blub",
    "so so so so so so so so so so",
    "",
    "ok",
)


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> list[Task]:
    """Twelve tasks of made-up trials: half of them met, half of each a flip."""
    folder = tmp_path_factory.mktemp("tasks")
    with opened(str(write(folder / "made", many_trials(24))), folder, Event()) as corpus:
        found, _ = tasks_of(draw(corpus).rows, DataRecipe(), "train")
    chosen = balanced([task for task in found if task.flips is not None and not task.later], 12, seed=1)
    assert sum(task.row.target_verdict == "met" for task in chosen) == 6
    assert sum(bool(task.flips) for task in chosen) == 6
    return chosen


def value_text(number: Number | None) -> str:
    return number_text(number.value) if number is not None and number.value is not None else "0"


def completion(task: Task, reasoning: str, *, like: str, verdict: str, direction: str = "no clear change") -> str:
    """The filled form with the values of the `source` or the `target`."""
    state = task.step.source if like == "source" else task.target
    values = {
        prompts.DIRECTION: direction,
        prompts.ARM_VALUE: value_text(state.arm_value),
        prompts.COMPARATOR_VALUE: value_text(state.comparator_value),
        prompts.CONTRAST: value_text(state.contrast.number if state.contrast else None),
        prompts.VERDICT: verdict,
    }
    return f" {reasoning}" + "".join(f"{slot.lead} {values[slot.name]}" for slot in task.question.slots)


def average(tasks: list[Task], policy: Callable[[Task], Reward]) -> float:
    return mean(policy(task).total for task in tasks)


def gibberish(task: Task, text: str = GIBBERISH[0]) -> Reward:
    return reward(task, completion(task, text, like="source", verdict="met"), 0.5)


def saying(task: Task, verdict: str, probability: float | None, like: str = "source") -> Reward:
    text = completion(task, rationale.write(task.row), like=like, verdict=verdict, direction=task.row.direction or "up")
    return reward(task, text, probability)


def always_met(task: Task) -> Reward:
    return saying(task, "met", 1.0)


def copying(task: Task) -> Reward:
    return saying(task, task.row.source_verdict, float(task.row.source_verdict == "met"))


def base_rate(task: Task) -> Reward:
    return saying(task, "met", 0.5)


def oracle(task: Task) -> Reward:
    verdict = task.row.target_verdict
    return saying(task, verdict, float(verdict == "met"), like="target")


def test_gibberish_is_below_guessing_which_is_below_the_base_rate_which_is_below_knowing(tasks: list[Task]):
    for text in GIBBERISH:
        assert average(tasks, lambda task, text=text: gibberish(task, text)) < average(tasks, always_met)
    assert average(tasks, always_met) <= average(tasks, base_rate)
    assert average(tasks, copying) <= average(tasks, base_rate)
    assert average(tasks, base_rate) < average(tasks, oracle)


def test_the_true_probability_is_worth_most(tasks: list[Task]):
    """On six met and six not met, no constant earns more than one half."""
    earned = {share / 10: average(tasks, lambda task, share=share: saying(task, "met", share / 10)) for share in range(11)}
    assert max(earned, key=lambda share: earned[share]) == 0.5


def test_a_sampled_label_earns_nothing(tasks: list[Task]):
    right = [saying(task, task.row.target_verdict, None) for task in tasks]
    wrong = [saying(task, "not met" if task.row.target_verdict == "met" else "met", None) for task in tasks]
    assert [one.verdict for one in (*right, *wrong)] == [None] * 24
    assert right == wrong
    assert saying(tasks[0], "met", 0.3) == saying(tasks[0], "not met", 0.3)


def test_an_exact_value_is_worth_more_than_the_source_s(tasks: list[Task]):
    graded = [(saying(task, "met", 0.5, "target"), saying(task, "met", 0.5)) for task in tasks]
    exact = [one.value for one, _ in graded if one.value is not None]
    assert exact
    assert min(exact) > 0.99
    assert mean(copied.value for _, copied in graded if copied.value is not None) < 0.9


def test_a_wrong_direction_costs(tasks: list[Task]):
    told = [saying(task, "met", 0.5, "target").direction for task in tasks]
    assert 1.0 in told
    assert 0.0 in [saying(task, "met", 0.5).direction for task in tasks]


@pytest.mark.parametrize(
    ("broken", "text"),
    [
        ("missing", "it grows"),
        ("babble", "the effect the effect the effect the effect the effect"),
        ("off topic", "my cat sat down upon a warm mat and slept until noon"),
    ],
)
def test_reasoning_must_be_there_and_about_the_question(tasks: list[Task], broken: str, text: str):
    found = reward(tasks[0], completion(tasks[0], text, like="target", verdict="met"), 1.0)
    assert (found.broken, found.total) == (broken, BROKEN)


def test_reasoning_copied_from_the_prompt_earns_nothing(tasks: list[Task]):
    task = tasks[0]
    lines = task.question.prompt.splitlines()
    copied = " ".join(lines[-4:-1])
    assert reward(task, completion(task, copied, like="target", verdict="met"), 1.0).broken == "copied"


def test_an_answer_out_of_form_earns_nothing(tasks: list[Task]):
    task = tasks[0]
    whole = completion(task, rationale.write(task.row), like="target", verdict="met")
    for text in ("", rationale.write(task.row), whole.replace("\nDirection:", "\nSo:"), whole.replace(" met", " maybe")):
        assert (reward(task, text, 1.0).broken, reward(task, text, 1.0).total) == ("form", BROKEN)


def test_reasoning_that_does_not_end_costs_a_little(tasks: list[Task]):
    text = completion(tasks[0], rationale.write(tasks[0].row), like="target", verdict="met")
    assert reward(tasks[0], text, 0.5, cut=True).total == pytest.approx(reward(tasks[0], text, 0.5).total + CUT)


def test_what_the_deterministic_writer_writes_keeps_the_rails(tasks: list[Task]):
    assert {oracle(task).broken for task in tasks} == {None}


def test_no_number_of_a_real_shape_breaks_the_grader(tasks: list[Task], tmp_path: Path):
    for value in ("0", "-1", "999999999999", "0.0000001"):
        for task in tasks:
            text = completion(task, rationale.write(task.row), like="target", verdict="met")
            for slot in task.question.slots:
                if slot.kind == "number":
                    start = text.index(slot.lead) + len(slot.lead)
                    end = text.find("\n", start) if "\n" in text[start:] else len(text)
                    text = f"{text[:start]} {value}{text[end:]}"
            assert 0 <= reward(task, text, 0.5).total <= 1.5
