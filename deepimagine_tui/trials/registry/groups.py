"""Result groups of outcomes. The same group stands in most outcomes of a record, so each is understood once."""

from __future__ import annotations

from deepimagine_tui.trials.concepts import groups as concepts
from deepimagine_tui.trials.concepts.dose_text import DoseReader
from deepimagine_tui.trials.concepts.links import link_group
from deepimagine_tui.trials.dose import Dose
from deepimagine_tui.trials.model import Arm, Intervention
from deepimagine_tui.trials.registry.fields import Log, Node, each, text
from deepimagine_tui.trials.results import ArmLink, GroupKind, ResultGroup

LABEL_IS_ARM = 0.9
"""From this confidence on a group carries an arm's own label, and is that arm whatever its words say."""


UNLINKED_KINDS = frozenset({"pooled", "whole study"})
"""Groups that are no single arm."""


INERT = frozenset({"placebo", "sham"})
"""Controls whose description names the dose of what they imitate."""


class GroupReader:
    """Reads the groups of one record's outcomes against its registered arms."""

    def __init__(self, arms: tuple[Arm, ...], interventions: tuple[Intervention, ...], is_crossover: bool) -> None:
        self._arms = arms
        self._by_label = {arm.label: arm for arm in arms}
        self._doses = DoseReader(interventions)
        self._is_crossover = is_crossover
        self._known: dict[tuple[str, str, bool], tuple[GroupKind, concepts.Control, ArmLink | None, tuple[Dose, ...]]] = {}

    def read(self, node: Node, path: str, log: Log) -> tuple[ResultGroup, ...]:
        """The groups of an outcome."""
        found: list[ResultGroup] = []
        given = each(node, "groups", path, log)
        is_alone = len(given) == 1
        for at, item in given:
            title, description = text(item, "title", at, log), text(item, "description", at, log)
            known = self._known.get((title, description, is_alone))
            if known is None:
                known = self._known[title, description, is_alone] = self._understand(title, description, is_alone)
                self._record(known, title, at, log)
            kind, control, link, doses = known
            found.append(ResultGroup(text(item, "id", at, log), title, kind, control, link, doses))
        return tuple(found)

    def _record(
        self, known: tuple[GroupKind, concepts.Control, ArmLink | None, tuple[Dose, ...]], title: str, at: str, log: Log
    ) -> None:
        """Record, once for each group, what was not understood of it."""
        kind, _, link, doses = known
        if link is None and kind not in UNLINKED_KINDS and self._arms:
            log.add(at, "group-not-linked", f"{title!r} is none of the registered arms for certain.")
        for dose in doses:
            if not dose.intervention:
                log.add(at, "dose-without-agent", f"Whose dose {dose.text!r} is, is not said.")

    def _understand(
        self, title: str, description: str, is_alone: bool
    ) -> tuple[GroupKind, concepts.Control, ArmLink | None, tuple[Dose, ...]]:
        doses = group_doses(title, description, self._doses)
        link = link_group(title, doses, self._arms)
        kind = concepts.group_kind(title, self._is_crossover, link is not None and link.confidence >= LABEL_IS_ARM, is_alone)
        if kind in UNLINKED_KINDS:
            link = None
        arm = self._by_label.get(link.arm_label) if link else None
        control = concepts.control(title, arm.type if arm else None)
        if control in INERT and not concepts.names_addition(title):
            return kind, control, link, arm.doses if arm else ()
        return kind, control, link, doses or (arm.doses if arm else ())


def group_doses(label: str, description: str, reader: DoseReader) -> tuple[Dose, ...]:
    """The doses of a group: those of its label, then those of other agents in its description."""
    first, described = reader.find(label), reader.find(description)
    if not first:
        return described
    agents = {dose.intervention for dose in first}
    first = tuple(_with_frequency(dose, described) for dose in first)
    return first + tuple(dose for dose in described if dose.intervention not in agents) if all(agents) else first


def _with_frequency(dose: Dose, described: tuple[Dose, ...]) -> Dose:
    """The same dose as the description states it, when only that says how often."""
    if dose.times_per_day is not None or dose.daily_total is not None:
        return dose
    for other in described:
        same = (other.intervention, other.amount, other.unit, other.basis) == (
            dose.intervention,
            dose.amount,
            dose.unit,
            dose.basis,
        )
        if same and other.times_per_day is not None:
            return other
    return dose
