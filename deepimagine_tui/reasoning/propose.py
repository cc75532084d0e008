"""What a factor could be set to, with how much is known about each value: this trial, trials of the corpus, or none seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, Protocol

import msgspec
from msgspec.structs import replace

from deepimagine_tui.corpus.query import DoseSeen
from deepimagine_tui.errors import DeepImagineError
from deepimagine_tui.reasoning.agents import is_same, ratio
from deepimagine_tui.reasoning.alike import INERT
from deepimagine_tui.reasoning.change import apply
from deepimagine_tui.reasoning.describe import dose_text, number_text
from deepimagine_tui.reasoning.landing import find_posted
from deepimagine_tui.reasoning.state import Perturbation, State
from deepimagine_tui.reasoning.typed.countries import country_key
from deepimagine_tui.reasoning.typed.doses import carried_agents
from deepimagine_tui.reasoning.typed.setting import arms_here, parse_setting
from deepimagine_tui.reasoning.words import agent_key, plain
from deepimagine_tui.trials.dose import Dose
from deepimagine_tui.trials.factors import Factor
from deepimagine_tui.trials.model import Trial
from deepimagine_tui.trials.results import Outcome

__all__ = ["Proposal", "Support", "parse_setting", "propose"]

THIS_TRIAL = "this trial"
NONE_SEEN = "none seen"
_MULTIPLES = (0.5, 2.0, 4.0)
_NEAR = 0.1
"""A multiple this close to a dose that somebody gave is not offered beside it."""
_MOST_DOSES = 12
_MOST_COUNTRIES = 8
_TIMES = ("week 12", "week 24", "week 52")


class Support(Protocol):
    """What a corpus knows about values; `corpus.store.Corpus` is one."""

    def doses_of(self, intervention: str) -> Sequence[DoseSeen]:
        """The doses of a drug that trials gave."""
        ...

    def facets(self, field: Literal["country"], words: str = "") -> Sequence[tuple[str, int]]:
        """Values of a field with the number of trials that have each, the most frequent first."""
        ...


class Proposal(msgspec.Struct, frozen=True):
    """A value to choose: `support` says where it has been seen (`this trial`, `3 trials`, `none seen`), `trials` in how many.
    `can_be_checked` is true where this trial posted the result that the change leads to."""

    label: str
    support: str
    trials: int
    perturbation: Perturbation
    can_be_checked: bool = False


class _Candidate(msgspec.Struct, frozen=True):
    text: str
    support: str
    trials: int = 0
    label: str = ""


def propose(factor: Factor, state: State, trial: Trial, support: Support | None = None) -> tuple[Proposal, ...]:
    """Values for one factor of `state`, those of its own trial first, then by the number of trials that have them.

    Every proposal is a text that `parse_setting` reads; what it refuses is not proposed.
    """
    found: dict[str, Proposal] = {}
    for candidate in _candidates(factor, state, trial, support):
        try:
            perturbation = parse_setting(factor, candidate.text, state, trial)
        except DeepImagineError:
            # Not a value for this state: the agent is another arm's, the unit cannot be compared, it is so already.
            continue
        label = candidate.label or perturbation.after
        checkable = find_posted(apply(state.configuration, perturbation.change), trial) is not None
        found.setdefault(plain(label), Proposal(label, candidate.support, candidate.trials, perturbation, checkable))
    return tuple(found.values())


def _candidates(factor: Factor, state: State, trial: Trial, support: Support | None) -> Iterator[_Candidate]:
    match factor:
        case "dose":
            return _doses(state, trial, support)
        case "arm" | "comparator":
            return _arms(factor, state, trial)
        case "outcome":
            return _outcomes(state, trial)
        case "time_frame":
            return _times(state, trial)
        case "geography":
            return _countries(state, trial, support)
        case "population":
            return _populations()
        case "context":
            return _contexts(state)
        case "enrolment":
            return _enrolments(state)


def _doses(state: State, trial: Trial, support: Support | None) -> Iterator[_Candidate]:
    arm = state.configuration.arm
    if arm.control in INERT:
        return
    agents = carried_agents(arm)
    for name in agents:
        probe = next((dose for dose in arm.doses if dose.intervention == name), None)
        if probe is None:
            continue
        prefix = f"{name}: " if len(agents) > 1 else ""
        listed: list[Dose] = [probe]
        for dose in _doses_in(trial, name):
            if _is_new(dose, listed, probe):
                listed.append(dose)
                yield _Candidate(prefix + dose_text(dose), THIS_TRIAL, 1, prefix + dose_text(dose))
        seen = sorted(support.doses_of(name), key=lambda each: -each.trials) if support else []
        for each in seen[:_MOST_DOSES]:
            dose = Dose(name, each.amount, each.unit, "", _basis(each.basis), each.times_per_day, each.daily_total)
            if _is_new(dose, listed, probe):
                listed.append(dose)
                count = "1 trial" if each.trials == 1 else f"{each.trials} trials"
                yield _Candidate(prefix + dose_text(dose), count, each.trials)
        for times in _MULTIPLES:
            daily = None if probe.daily_total is None else probe.daily_total * times
            dose = replace(probe, amount=probe.amount * times, daily_total=daily, titration=())
            if _is_new(dose, listed, probe) and not any(_is_near(dose, other) for other in listed):
                listed.append(dose)
                yield _Candidate(prefix + dose_text(dose), NONE_SEEN)


def _doses_in(trial: Trial, name: str) -> Iterator[Dose]:
    """The doses of an agent in the trial's arms and result groups, the smallest first."""
    sources = [arm.doses for arm in trial.arms] + [group.doses for outcome in trial.outcomes for group in outcome.groups]
    own = {dose for doses in sources for dose in doses if agent_key(dose.intervention) == agent_key(name)}
    return iter(sorted(own, key=lambda dose: (dose.unit, dose.amount, dose.times_per_day or 0.0, dose.text)))


def _is_new(dose: Dose, listed: Iterable[Dose], probe: Dose) -> bool:
    named = replace(dose, intervention=probe.intervention)
    return ratio(named, probe) is not None and not any(is_same(named, other) for other in listed)


def _is_near(a: Dose, b: Dose) -> bool:
    times = ratio(a, replace(b, intervention=a.intervention))
    return times is not None and abs(times - 1) <= _NEAR


def _basis(text: str) -> Literal["flat", "per kg", "per m2"]:
    return "per kg" if text == "per kg" else "per m2" if text == "per m2" else "flat"


def _arms(factor: Literal["arm", "comparator"], state: State, trial: Trial) -> Iterator[_Candidate]:
    for arm in arms_here(state.configuration, trial):
        yield _Candidate(arm.group_id or arm.label, THIS_TRIAL, 1, arm.label)
    if factor == "comparator":
        for control in ("placebo", "no treatment", "standard of care"):
            yield _Candidate(control, NONE_SEEN)


def _outcomes(state: State, trial: Trial) -> Iterator[_Candidate]:
    for number, outcome in enumerate(trial.outcomes, 1):
        if outcome.id != state.configuration.outcome.outcome_id:
            yield _Candidate(str(number), THIS_TRIAL, 1, f"{number} {outcome.title}")


def _times(state: State, trial: Trial) -> Iterator[_Candidate]:
    own = _own_outcome(state, trial)
    seen = {cell.time.text: cell.time.weeks for cell in own.cells if cell.time and cell.time.weeks} if own else {}
    for text, _ in sorted(seen.items(), key=lambda item: item[1] or 0.0):
        yield _Candidate(text, THIS_TRIAL, 1)
    for text in _TIMES:
        yield _Candidate(text, NONE_SEEN)


def _own_outcome(state: State, trial: Trial) -> Outcome | None:
    return next((outcome for outcome in trial.outcomes if outcome.id == state.configuration.outcome.outcome_id), None)


def _countries(state: State, trial: Trial, support: Support | None) -> Iterator[_Candidate]:
    own = [place.country for place in trial.countries][:_MOST_COUNTRIES] if len(trial.countries) > 1 else []
    for name in own:
        yield (
            _Candidate(name.replace(",", " "), THIS_TRIAL, 1)
            if "," not in name
            else _Candidate(country_key(name), THIS_TRIAL, 1)
        )
    for name, trials in support.facets("country", "")[:_MOST_COUNTRIES] if support else ():
        yield _Candidate(country_key(name), "1 trial" if trials == 1 else f"{trials} trials", trials)
    yield _Candidate("EU", NONE_SEEN, label="EU")


def _populations() -> Iterator[_Candidate]:
    for text in ("adults", "age 65-100", "adolescents", "female", "male"):
        yield _Candidate(text, NONE_SEEN, label=text)


def _contexts(state: State) -> Iterator[_Candidate]:
    year = state.configuration.context.start_year
    texts = ["phase 2", "phase 3", "phase 4", "open label", "double blind"]
    for text in [*texts, f"start {year + 10}"] if year else texts:
        yield _Candidate(text, NONE_SEEN, label=text)


def _enrolments(state: State) -> Iterator[_Candidate]:
    now = state.configuration.enrolment
    for times in (0.5, 2, 4):
        if now and now * times >= 2:
            yield _Candidate(str(round(now * times)), NONE_SEEN, label=f"{round(now * times)} ({number_text(times)}x)")
