"""The factors: the closed set of axes along which a configuration can change, in default walking order."""

from __future__ import annotations

from typing import Literal, get_args

Factor = Literal["geography", "context", "arm", "dose", "comparator", "outcome", "time_frame", "population", "enrolment"]

WALKING_ORDER: tuple[Factor, ...] = get_args(Factor)

CHANGES_FIRST_ARM_ONLY: frozenset[Factor] = frozenset({"arm", "dose"})
CHANGES_COMPARATOR_ONLY: frozenset[Factor] = frozenset({"comparator"})
CHANGES_BOTH_ARMS: frozenset[Factor] = frozenset({"geography", "context", "population", "time_frame", "outcome"})
ARITHMETIC: frozenset[Factor] = frozenset({"enrolment"})
