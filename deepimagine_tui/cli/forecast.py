"""`deepimagine forecast`: the result of a trial that has none, walked to from its nearest relatives."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

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

if TYPE_CHECKING:
    from deepimagine_tui.corpus.store import Corpus
    from deepimagine_tui.reasoning.state import Configuration
    from deepimagine_tui.trials.model import Trial


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("nct_id", required=False)
@click.option("--condition", metavar="TEXT", help="The condition studied.")
@click.option("--arm", metavar="TEXT", help="The arm, e.g. 'Drug B 5 mg once daily'. With NCT_ID: one of its arms.")
@click.option("--against", "--comparator", "against", metavar="TEXT", help="What it is compared with. Default: placebo.")
@click.option("--outcome", metavar="TEXT", help="The outcome. With NCT_ID: a planned one; default the first primary.")
@click.option("--unit", metavar="TEXT", help="The outcome's unit, e.g. percent.")
@click.option("--time", metavar="TEXT", help="When it is measured, e.g. 'week 24'.")
@click.option("--countries", metavar="TEXT", help="Where, e.g. Japan.")
@click.option("--population", metavar="TEXT", help="Who, e.g. 'adults 18-80, HbA1c 7-10 %'.")
@click.option("--context", metavar="TEXT", help="How, e.g. 'phase 3, double blind'.")
@click.option("--enrolment", type=click.IntRange(min=1), metavar="N", help="How many participants.")
@click.option("--anchors", type=int, metavar="K", help="How many anchors to walk from. Default: 7.")
@click.option(
    "--cutoff",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="Use nothing posted later. Default: today; for a trial with results, the day before they were posted.",
)
@click.option("--drop", metavar="NCT_ID", multiple=True, help="A trial not to start from; may be given several times.")
@estimand_option
@click.option("--name", default="", help="A name for the run.")
@click.option("--chains", is_flag=True, help="Show every step of every pathway.")
@sampling_options
@model_options
@corpus_option
@offline_option
@yes_option
@as_json
def forecast(
    nct_id: str | None,
    cutoff: datetime.datetime | None,
    drop: tuple[str, ...],
    estimand: str,
    name: str,
    chains: bool,
    backend: str | None,
    yes: bool,
    json_output: bool,
    corpus: Path | None,
    adapter: Path | None,
    condition: str | None,
    arm: str | None,
    against: str | None,
    outcome: str | None,
    unit: str | None,
    time: str | None,
    countries: str | None,
    population: str | None,
    context: str | None,
    enrolment: int | None,
    **flags: object,
) -> ExitCode:
    """Imagine the result of a trial that has none, from its nearest relatives.

    The target is the registered trial NCT_ID, or a trial of your own (--condition, --arm, --outcome).

    The nearest trials with posted results are the anchors; each is walked to the target one factor at a time, and the
    pathways are aggregated. Where nothing is close enough, nothing is imagined, and the exit code is 6.
    """
    from deepimagine_tui import settings
    from deepimagine_tui.cli.running import Display, answer, imagine_settings
    from deepimagine_tui.cli.session import opened_corpus
    from deepimagine_tui.reasoning.ids import new_run_id
    from deepimagine_tui.reasoning.request import Forecast, ImagineRequest
    from deepimagine_tui.reasoning.target import target_from_fields

    own = {"condition": condition, "unit": unit, "time": time, "countries": countries, "population": population}
    own |= {"context": context}
    given = [f"--{key}" for key, value in own.items() if value is not None] + (["--enrolment"] if enrolment else [])
    if nct_id and given:
        raise UsageError(
            f"{nct_id} says that itself: {', '.join(given)}.", "Leave it out, or describe a trial of your own without NCT_ID."
        )
    paths_given = {"corpus": None if corpus is None else str(corpus), "adapter": None if adapter is None else str(adapter)}
    chosen = settings.load(flags | paths_given)
    day = None if cutoff is None else cutoff.date().isoformat()
    with opened_corpus(chosen) as opened:
        if nct_id:
            target, registered, default_day = _registered(opened, nct_id, arm=arm, against=against, outcome=outcome)
        else:
            target = target_from_fields(
                condition=condition or "",
                arm=arm or "",
                outcome=outcome or "",
                comparator=against or "placebo",
                unit=unit or "",
                time=time,
                countries=countries,
                population=population,
                context=context,
                enrolment=enrolment,
            )
            registered, default_day = None, _today().isoformat()
        question = Forecast(target, registered, day or default_day, chosen.anchors, drop)
        request = ImagineRequest(new_run_id(), question, imagine_settings(chosen), ESTIMANDS[estimand], name)
        return answer(request, opened, chosen, Display(json_output, chains), backend=backend, yes=yes)


def _registered(
    corpus: Corpus, nct_id: str, *, arm: str | None, against: str | None, outcome: str | None
) -> tuple[Configuration, str, str]:
    """The target that a registered trial plans, its id, and the cutoff when none was said."""
    from deepimagine_tui.reasoning.target import target_of

    trial = corpus.get(nct_id)
    return target_of(trial, outcome=outcome, arm=arm, comparator=against), trial.nct_id, _cutoff_of(trial)


def _cutoff_of(trial: Trial) -> str:
    """Today, or the day before the trial's own results were posted: a forecast of the past sees only its past."""
    if trial.results_posted is None:
        return _today().isoformat()
    first_day = (trial.results_posted.text + "-01-01")[:10]
    return (datetime.date.fromisoformat(first_day) - datetime.timedelta(days=1)).isoformat()


def _today() -> datetime.date:
    return datetime.datetime.now(datetime.UTC).date()
