"""Which arm a typed text means: a group id, a title, a kind of control, a dose."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec.structs import replace

from deepimagine_tui.errors import UsageError
from deepimagine_tui.reasoning.agents import is_same
from deepimagine_tui.reasoning.alike import INERT
from deepimagine_tui.reasoning.matching import Option, find, listed
from deepimagine_tui.reasoning.state import ArmSpec
from deepimagine_tui.reasoning.words import plain
from deepimagine_tui.trials.dose import Dose
from deepimagine_tui.trials.units import find_doses

_GROUP_ID = re.compile(r"^o(\d{1,3})$")


def choose_arm(text: str, arms: Sequence[ArmSpec], what: str) -> ArmSpec:
    """The one of `arms` that a text means: group id, title, kind of control (`placebo`), dose (`10 mg`), or words of the title.

    Raises:
        UsageError: none or several; the hint lists them.
    """
    found = find_arm(text, arms, what)
    if found is None:
        options = [Option(arm, arm.label, (arm.group_id,) if arm.group_id else ()) for arm in arms]
        raise UsageError(f"No {what} is {text!r}.", f"There are: {listed(options)}." if options else "")
    return found


def find_arm(text: str, arms: Sequence[ArmSpec], what: str) -> ArmSpec | None:
    """As `choose_arm`, but `None` when nothing fits.

    Raises:
        UsageError: several fit equally well; the hint lists them.
    """
    doses = find_doses(text)
    group = _GROUP_ID.match(plain(text))
    group_id = f"OG{int(group[1]) - 1:03d}" if group and int(group[1]) else ""

    def has_id(option: Option[ArmSpec]) -> bool:
        return bool(group_id) and option.value.group_id == group_id and not option.value.class_title

    def is_control(option: Option[ArmSpec]) -> bool:
        return plain(text) == option.value.control and option.value.control in (*INERT, "active")

    def has_dose(option: Option[ArmSpec]) -> bool:
        return len(doses) == 1 and plain(text) == plain(doses[0].text) and _carries(option.value, doses[0])

    options = [Option(arm, arm.label, (arm.group_id,) if arm.group_id and not arm.class_title else ()) for arm in arms]
    found = find(text, options, what, (has_id, is_control, has_dose))
    return found.value if found else None


def _carries(arm: ArmSpec, dose: Dose) -> bool:
    return any(is_same(replace(dose, intervention=other.intervention), other) for other in arm.doses)
