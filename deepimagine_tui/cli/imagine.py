"""`deepimagine imagine`: a posted result, one change after another, and what a model makes of it."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from deepimagine_tui.cli.console import emit, emit_json, narrate, table
from deepimagine_tui.cli.options import (
    ESTIMANDS,
    as_json,
    corpus_option,
    estimand_option,
    model_options,
    offline_option,
    sampling_options,
    yes_option,
)
from deepimagine_tui.errors import ExitCode, UsageError
from deepimagine_tui.text import one_line
from deepimagine_tui.trials.factors import WALKING_ORDER, Factor

if TYPE_CHECKING:
    from deepimagine_tui.corpus.store import Corpus
    from deepimagine_tui.reasoning.choosing import AnchorChoice
    from deepimagine_tui.reasoning.state import Perturbation, State
    from deepimagine_tui.trials.model import Trial

_SHOWN_PLACES = 6


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("nct_id")
@click.option("--arm", metavar="TEXT", help="The arm to start from. Default: the one with the highest dose.")
@click.option("--comparator", metavar="TEXT", help="What it is compared with. Default: placebo, else another control.")
@click.option("--outcome", metavar="TEXT", help="The outcome. Default: the first primary one with values in two arms.")
@click.option(
    "--set",
    "changes",
    metavar="FACTOR=VALUE",
    multiple=True,
    help="One change, e.g. --set dose='40 mg' --set geography=Japan. Several are walked in the order given.",
)
@estimand_option
@click.option("--samples", type=int, metavar="N", help="Walk the path this often, each time with another derived seed.")
@click.option("--name", default="", help="A name for the run.")
@click.option("--choices", is_flag=True, help="Ask nothing: list the results to start from, and values for each factor.")
@sampling_options
@model_options
@corpus_option
@offline_option
@yes_option
@as_json
def imagine(
    nct_id: str,
    arm: str | None,
    comparator: str | None,
    outcome: str | None,
    changes: tuple[str, ...],
    estimand: str,
    name: str,
    choices: bool,
    backend: str | None,
    yes: bool,
    json_output: bool,
    corpus: Path | None,
    adapter: Path | None,
    **flags: object,
) -> ExitCode:
    """Change something about a posted trial and imagine its result.

    The anchor is a posted result of the trial NCT_ID; each --set changes one factor of it.

    \b
    Factors: geography, context, arm, dose, comparator, outcome, time_frame, population, enrolment.

    With --json, each event of the run is one line of JSON. The run is kept: see `deepimagine runs`.
    """
    from deepimagine_tui import settings
    from deepimagine_tui.cli.running import Display, answer, imagine_settings
    from deepimagine_tui.cli.session import opened_corpus
    from deepimagine_tui.reasoning.choosing import default_anchor
    from deepimagine_tui.reasoning.ids import new_run_id
    from deepimagine_tui.reasoning.observed import observed_state
    from deepimagine_tui.reasoning.request import ImagineRequest, WhatIf

    chosen = settings.load(flags | {"corpus": _text(corpus), "adapter": _text(adapter)})
    with opened_corpus(chosen) as opened:
        trial = opened.get(nct_id)
        anchor = default_anchor(trial, arm=arm, comparator=comparator, outcome=outcome)
        state = observed_state(trial, anchor)
        if choices:
            _show_choices(trial, state, opened, json_output=json_output)
            return ExitCode.OK
        perturbations = _perturbations(changes, state, trial)
        question = WhatIf(anchor, perturbations)
        request = ImagineRequest(new_run_id(), question, imagine_settings(chosen), ESTIMANDS[estimand], name)
        return answer(request, opened, chosen, Display(json_output), backend=backend, yes=yes)


def _perturbations(changes: tuple[str, ...], state: State, trial: Trial) -> tuple[Perturbation, ...]:
    """The changes as typed, each read against the state that the ones before it lead to."""
    import msgspec

    from deepimagine_tui.reasoning.change import apply
    from deepimagine_tui.reasoning.propose import parse_setting

    if not changes:
        raise UsageError(
            "Say what to change.",
            f"For example: --set dose='40 mg'; `deepimagine imagine {trial.nct_id} --choices` lists values for every factor.",
        )
    found: list[Perturbation] = []
    for change in changes:
        factor, text = _setting(change)
        perturbation = parse_setting(factor, text, state, trial)
        state = msgspec.structs.replace(state, configuration=apply(state.configuration, perturbation.change))
        found.append(perturbation)
    return tuple(found)


def _setting(change: str) -> tuple[Factor, str]:
    """`dose=40 mg` as factor and text; blanks and hyphens in the factor do not matter."""
    typed, equals, text = change.partition("=")
    name = typed.strip().casefold().replace("-", "_").replace(" ", "_")
    name = {"time": "time_frame", "country": "geography", "countries": "geography", "enrollment": "enrolment"}.get(name, name)
    for factor in WALKING_ORDER:
        if factor == name and equals and text.strip():
            return factor, text.strip()
    if name in get_args(Factor):
        raise UsageError(f"--set {change} does not say the value.", f"For example: --set {name}='…'.")
    near = difflib.get_close_matches(name, WALKING_ORDER, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"The factors are: {', '.join(WALKING_ORDER)}."
    raise UsageError(f"{typed.strip() or change!r} is not a factor.", hint)


def _show_choices(trial: Trial, state: State, corpus: Corpus, *, json_output: bool) -> None:
    from deepimagine_tui.reasoning.choosing import anchor_choices
    from deepimagine_tui.reasoning.propose import propose

    anchors = anchor_choices(trial)
    proposals = {factor: propose(factor, state, trial, corpus) for factor in WALKING_ORDER}
    if json_output:
        emit_json({"anchors": anchors, "proposals": proposals})
        return
    emit(f"{trial.nct_id} {one_line(trial.title)}\n\nResults to start from (--outcome NUMBER --arm TEXT --comparator TEXT):")
    emit("\n".join(_anchor_lines(anchors)))
    emit("")
    rows = [
        (factor, proposal.label, proposal.support, "can be checked" if proposal.can_be_checked else "")
        for factor, found in proposals.items()
        for proposal in found
    ]
    emit(table(("FACTOR", "VALUE", "SEEN", ""), rows))
    narrate("Other values may be typed too.")


def _anchor_lines(anchors: Sequence[AnchorChoice]) -> Iterator[str]:
    """One outcome a paragraph: its arms, and the classes it can be read at."""
    for number, group in groupby(anchors, key=lambda choice: choice.number):
        choices = list(group)
        yield f"  {number}  {one_line(choices[0].outcome)} ({choices[0].role})"
        arms = dict.fromkeys(side.label for choice in choices for side in (choice.arm, choice.comparator) if side)
        yield f"     arms: {one_line(' | '.join(arms))}"
        places = [place for place in dict.fromkeys(choice.where for choice in choices) if place]
        if places:
            more = f" and {len(places) - _SHOWN_PLACES} more" if len(places) > _SHOWN_PLACES else ""
            yield f"     at: {one_line(' | '.join(places[:_SHOWN_PLACES]))}{more}"


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
