"""A forecast being put together: its target, what may be known, how many anchors. Pure values."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime, timedelta

from msgspec.structs import replace as with_fields

from deepimagine_tui.errors import UsageError
from deepimagine_tui.reasoning.describe import context_text, geography_text, population_text
from deepimagine_tui.reasoning.ids import new_run_id
from deepimagine_tui.reasoning.request import DEFAULT_ANCHORS, Forecast, ImagineRequest, ImagineSettings
from deepimagine_tui.reasoning.state import Configuration, Estimand
from deepimagine_tui.reasoning.target import target_from_fields, target_of
from deepimagine_tui.trials.model import Trial
from deepimagine_tui.tui.draft import MOST_SEED

MOST_ANCHORS = 64


@dataclass(frozen=True)
class TargetFields:
    """A target of the user's own, as typed. What is left empty is unknown, and no pathway walks it."""

    condition: str = ""
    arm: str = ""
    against: str = "placebo"
    outcome: str = ""
    unit: str = ""
    time: str = ""
    population: str = ""
    context: str = ""
    countries: str = ""
    enrolment: str = ""

    def target(self) -> Configuration:
        """What the texts mean.

        Raises:
            UsageError: one of them is not understood.
        """
        return target_from_fields(
            condition=self.condition,
            arm=self.arm,
            outcome=self.outcome,
            comparator=self.against or None,
            unit=self.unit,
            time=self.time or None,
            countries=self.countries or None,
            population=self.population or None,
            context=self.context or None,
            enrolment=_whole_number(self.enrolment, "a number of participants") if self.enrolment else None,
        )

    def stripped(self) -> TargetFields:
        """Without spaces around the texts."""
        return TargetFields(**{each.name: getattr(self, each.name).strip() for each in fields(self)})


@dataclass(frozen=True)
class ForecastDraft:
    """The question so far. `trial` is the registered target, if there is one and it can be read; `typed` a target of the
    user's own; neither is known of some questions that are asked again."""

    target: Configuration
    cutoff: str
    trial: Trial | None = None
    nct_id: str | None = None
    typed: TargetFields | None = None
    k: int = DEFAULT_ANCHORS
    settings: ImagineSettings = field(default_factory=ImagineSettings)
    drop: tuple[str, ...] = ()
    estimand: Estimand = "arm values"
    parent: str = ""

    @property
    def is_backtest(self) -> bool:
        """Whether the target has posted results, which the forecast does not see."""
        return self.trial is not None and self.trial.has_results

    def planned_as(self, *, outcome: int | None = None, arm: str | None = None, comparator: str | None = None) -> ForecastDraft:
        """With another planned outcome (counted from 0), arm or comparator of the registered target.

        Raises:
            UsageError: the trial has no such arm, or several.
            RefusedError: the trial plans nothing.
        """
        if self.trial is None:
            return self
        number = outcome if outcome is not None else self.outcome_index
        now, other = self.target.arm.label, self.target.comparator.label if self.target.comparator else None
        k1, k2 = arm or now, comparator or other
        if k1 == k2:
            # Choosing what is on the other side swaps the two.
            k1, k2 = (k1, now) if arm else (other or now, k2)
        target = target_of(self.trial, outcome=str(number + 1), arm=k1, comparator=k2)
        return replace(self, target=target)

    @property
    def outcome_index(self) -> int:
        """Which planned outcome of the registered target is asked for, from 0; the first where none is recognised."""
        planned = self.trial.planned_outcomes if self.trial else ()
        title, time = self.target.outcome.title, self.target.time.text if self.target.time else ""
        titled = [index for index, each in enumerate(planned) if each.title == title]
        exact = [index for index in titled if planned[index].time_frame == time]
        return next(iter(exact or titled), 0)

    def with_cutoff(self, text: str) -> ForecastDraft:
        """With another cutoff.

        Raises:
            UsageError: the text is no ISO date.
        """
        try:
            day = date.fromisoformat(text.strip())
        except ValueError as error:
            raise UsageError(f"{text!r} is no date.", "Write it as year-month-day, e.g. 2026-11-22.") from error
        return replace(self, cutoff=day.isoformat())

    def with_anchors(self, text: str) -> ForecastDraft:
        """With another number of anchors.

        Raises:
            UsageError: it is no number from 1 to 64.
        """
        count = _whole_number(text, "a number of anchors")
        if count > MOST_ANCHORS:
            raise UsageError(f"{count} anchors are too many.", f"Write a number from 1 to {MOST_ANCHORS}.")
        return replace(self, k=count)

    def with_seed(self, seed: int) -> ForecastDraft:
        """With another seed."""
        return replace(self, settings=with_fields(self.settings, seed=seed & MOST_SEED))

    def with_seed_text(self, text: str) -> ForecastDraft:
        """With the seed that was typed.

        Raises:
            UsageError: it is no number from 0 to 4294967295.
        """
        if not text.strip().isdecimal() or int(text) > MOST_SEED:
            raise UsageError(f"{text!r} is no seed.", f"Write a whole number from 0 to {MOST_SEED}.")
        return self.with_seed(int(text))

    def dropping(self, nct_id: str) -> ForecastDraft:
        """Without one trial among the anchors."""
        return replace(self, drop=tuple(dict.fromkeys((*self.drop, nct_id))))

    def name(self) -> str:
        """`NCT00000001: HbA1c, 10 mg vs placebo`."""
        against = f" vs {self.target.comparator.label}" if self.target.comparator else ""
        return f"{self.nct_id or 'own trial'}: {self.target.outcome.title}, {self.target.arm.label}{against}"

    def request(self) -> ImagineRequest:
        """The question as the engine takes it, with a new id."""
        question = Forecast(self.target, self.nct_id, self.cutoff, self.k, self.drop)
        return ImagineRequest(new_run_id(), question, self.settings, self.estimand, self.name(), self.parent)


def today() -> date:
    """The day it is, in UTC."""
    return datetime.now(UTC).date()


def default_cutoff(trial: Trial | None) -> str:
    """Today; for a trial with posted results the day before they were posted: a forecast of the past sees only its past."""
    if trial is None or trial.results_posted is None:
        return today().isoformat()
    posted = date.fromisoformat(f"{trial.results_posted.text}-01-01"[:10])
    return (posted - timedelta(days=1)).isoformat()


def fields_of(target: Configuration) -> TargetFields:
    """The texts from which a target of the user's own can be changed; what says nothing is empty."""
    people = with_fields(target.population, conditions=(), condition_terms=(), free_text="")
    texts = TargetFields(
        condition="; ".join(target.population.conditions),
        arm=target.arm.label,
        against=target.comparator.label if target.comparator else "",
        outcome=target.outcome.title,
        unit=target.outcome.unit,
        time=target.time.text if target.time else "",
        population=target.population.free_text or population_text(people),
        context=context_text(target.context),
        countries=", ".join(f"{each.country} {each.sites or ''}".strip() for each in target.geography)
        or geography_text(target.geography),
        enrolment=str(target.enrolment or ""),
    )
    return TargetFields(
        **{each.name: "" if (text := getattr(texts, each.name)) == "not stated" else text for each in fields(texts)}
    )


def _whole_number(text: str, what: str) -> int:
    if not text.strip().isdecimal() or int(text) < 1:
        raise UsageError(f"{text!r} is not {what}.", "Write a whole number from 1.")
    return int(text)
