"""`week 52`, `6 months`: when an outcome is read, as typed."""

from __future__ import annotations

from deepimagine_tui.errors import UsageError
from deepimagine_tui.reasoning.describe import number_text
from deepimagine_tui.trials.concepts.time_points import weeks
from deepimagine_tui.trials.results import TimePoint


def parse_time(text: str) -> tuple[TimePoint, str]:
    """The single time that `text` names, and its weeks where it was not given in weeks.

    Raises:
        UsageError: it names none, or several.
    """
    after = weeks(text.strip())
    if after is None or after <= 0:
        raise UsageError(f"{text!r} names no single time after the start.", "Write e.g. week 52, 6 months or day 28.")
    reading = "" if "week" in text.lower() else f"{text.strip()} = week {number_text(round(after, 1))}"
    return TimePoint(text.strip(), after), reading
