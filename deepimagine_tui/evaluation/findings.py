"""What an audit finds."""

from __future__ import annotations

import msgspec


class Finding(msgspec.Struct, frozen=True):
    """One thing that a rule forbids: of which question, empty for the whole run, and what it is, as half a sentence."""

    question_id: str
    what: str
