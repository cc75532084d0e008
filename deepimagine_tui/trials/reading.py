"""Reading registry records: bytes to a Trial, and files, folders and archives to records."""

from __future__ import annotations

from deepimagine_tui.trials.model import Trial
from deepimagine_tui.trials.registry.build import build_trial
from deepimagine_tui.trials.registry.decoding import decode_record
from deepimagine_tui.trials.registry.fields import Log
from deepimagine_tui.trials.registry.sources import BadRecord, RawRecord, iter_records

__all__ = ["BadRecord", "RawRecord", "iter_records", "parse_record"]


def parse_record(raw: bytes, source: str = "") -> Trial:
    """The trial that `raw` describes, in v2 JSON or classic XML; what was not understood is in its `problems`.

    Args:
        raw: One record, at most 64 MB.
        source: Where it came from, for messages.

    Raises:
        BadInputError: these bytes are no registry record: empty, cut short, too large, nested too deep, neither JSON nor
        XML, XML
            with a document type, or without an NCT id.
    """
    log = Log()
    return build_trial(decode_record(raw, source, log), log)
