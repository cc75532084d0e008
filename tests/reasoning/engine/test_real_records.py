"""Real records, asked about at random: every run ends in an answer, every pathway reaches its target, every prompt is short."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from deepimagine_tui.reasoning.choosing import anchor_choices
from deepimagine_tui.reasoning.difference import path as path_between
from deepimagine_tui.reasoning.events import RunFinished, RunStarted, StepPlanned
from deepimagine_tui.reasoning.graph import build_graph
from deepimagine_tui.reasoning.observed import observed_state
from deepimagine_tui.reasoning.request import ImagineRequest, WhatIf
from deepimagine_tui.reasoning.state import Estimand, Perturbation
from deepimagine_tui.trials.model import Trial
from deepimagine_tui.trials.reading import parse_record
from tests.reasoning.engine.support import Source, Spy, ask, stack, to_enrolment, to_japan

EVERY = 15
MOST_CHARACTERS = 4000
"""About 1,000 tokens; the median prompt of the real records has about 1,000 characters."""


def requests_about(trial: Trial, chance: random.Random) -> list[ImagineRequest]:
    """From one posted result towards another, then to Japan with 321 participants."""
    choices = anchor_choices(trial)
    if not choices:
        return []
    estimands: tuple[Estimand, ...] = ("arm values", "contrast")
    found = []
    for number, estimand in enumerate(estimands):
        first, second = chance.choice(choices), chance.choice(choices)
        source, target = observed_state(trial, first.ref), observed_state(trial, second.ref)
        walked: tuple[Perturbation, ...] = path_between(source.configuration, target.configuration).perturbations
        changes = [*(each.change for each in walked), to_japan(), to_enrolment(321)]
        question = WhatIf(first.ref, stack(source.configuration, *changes))
        found.append(ImagineRequest(f"{trial.nct_id}-{number}", question, estimand=estimand))
    return found


def test_every_question_about_a_real_record_ends_in_an_answer(shared_data: Path) -> None:
    chance = random.Random(20261122)
    asked = 0
    for file in sorted((shared_data / "ctgov").glob("NCT*"))[::EVERY]:
        trial = parse_record(file.read_bytes(), file.name)
        requests = requests_about(trial, chance)
        backend = Spy()
        events = ask(requests, backend, Source(trial))
        ends = [event for event in events if isinstance(event, RunFinished)]
        assert [(end.outcome, end.message) for end in ends] == [("answered", "")] * len(requests), file.name
        for request in requests:
            own = [event for event in events if event.run_id == request.run_id]
            assert isinstance(own[0], RunStarted)
            assert all(pathway.done is not None and pathway.done.complete for pathway in build_graph(own).pathways)
        prompts = [event.prompt for event in events if isinstance(event, StepPlanned)]
        assert max(map(len, prompts), default=0) < MOST_CHARACTERS
        asked += len(requests)
    if asked < 80:
        pytest.fail(f"only {asked} questions could be asked")
