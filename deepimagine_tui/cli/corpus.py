"""`deepimagine corpus`: find and read trials, import records, and fetch them from the registry."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from deepimagine_tui.cli.console import emit, emit_bytes, emit_json, narrate, table
from deepimagine_tui.cli.options import as_json, corpus_option, offline_option
from deepimagine_tui.errors import BadInputError, ExitCode, RefusedError, UsageError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def corpus() -> None:
    """Find, read and import trials."""


@corpus.command()
@click.argument("words", nargs=-1)
@click.option("--condition", help="A condition studied.")
@click.option("--intervention", help="A drug or other intervention.")
@click.option("--phase", type=click.Choice(["early 1", "1", "2", "3", "4"]), help="A phase.")
@click.option("--status", help="Overall status, e.g. completed.")
@click.option("--country", help="A country with sites.")
@click.option("--has-results/--no-results", default=None, help="With, or without, posted results.")
@click.option("--dose-ranging/--not-dose-ranging", default=None, help="With two or more doses of one drug, or without.")
@click.option(
    "--posted-from", metavar="DATE", help="Results (else record) posted on this day or later, e.g. 2015 or 2015-03-01."
)
@click.option("--posted-to", metavar="DATE", help="Posted on this day or earlier.")
@click.option(
    "--order", type=click.Choice(["relevance", "posted"]), default="relevance", show_default=True, help="What comes first."
)
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="Trials on a page.")
@click.option("--after", metavar="KEY", help="Go on after a page: the key that it ended with.")
@corpus_option
@as_json
def search(
    words: tuple[str, ...],
    order: str,
    limit: int,
    after: str | None,
    corpus: Path | None,
    json_output: bool,
    **filters: str | bool | None,
) -> None:
    """Search trials by WORDS and filters.

    All of them must hold. Words are looked for in titles, conditions, interventions and outcomes.
    """
    import msgspec

    from deepimagine_tui import settings
    from deepimagine_tui.cli.session import opened_corpus
    from deepimagine_tui.corpus.query import SearchQuery

    query = msgspec.convert({"words": " ".join(words), "order": order, **filters}, SearchQuery)
    with opened_corpus(settings.load({"corpus": _text(corpus)})) as opened:
        page = opened.search(query, limit, after)
        suggestion = None if page.rows else opened.suggest_removal(query)
    if json_output:
        emit_json({"trials": page.rows, "total": page.total, "next": page.next_key})
        return
    if not page.rows:
        narrate("Nothing found." + (f" {suggestion}." if suggestion else ""))
        return
    rows = [
        (
            row.nct_id,
            "/".join(row.phases) or "-",
            row.title,
            "; ".join(row.conditions[:2]),
            str(row.arms),
            "-" if row.enrolment is None else str(row.enrolment),
            ("results " if row.has_results else "") + (row.posted or "-"),
        )
        for row in page.rows
    ]
    emit(table(("NCT", "PH", "TITLE", "CONDITION", "ARMS", "N", "POSTED"), rows, stretch=2, numeric=(4, 5)))
    narrate(f"{len(page.rows)} of {page.total} trials." + (f" More: --after '{page.next_key}'" if page.next_key else ""))


@corpus.command()
@click.argument("nct_id")
@click.option("--outcome", metavar="TEXT", help="Show the outcomes whose title contains TEXT in full, and no other part.")
@click.option("--all", "everything", is_flag=True, help="Show every outcome in full, not the primary ones only.")
@click.option("--problems", is_flag=True, help="List what in the record was not understood.")
@click.option("--raw", is_flag=True, help="Write the registry's own record, byte for byte.")
@corpus_option
@as_json
def show(
    nct_id: str, outcome: str | None, everything: bool, problems: bool, raw: bool, corpus: Path | None, json_output: bool
) -> None:
    """Show a trial: arms, doses, posted results.

    Every number here was observed, and has its place in the registry beside it.
    """
    from deepimagine_tui import settings
    from deepimagine_tui.cli.session import opened_corpus
    from deepimagine_tui.cli.trial_text import trial_lines

    with opened_corpus(settings.load({"corpus": _text(corpus)})) as opened:
        if raw:
            emit_bytes(opened.raw(nct_id))
            return
        trial, provenance = opened.get(nct_id), opened.provenance(nct_id)
    if json_output:
        emit_json({"trial": trial, "provenance": provenance})
        return
    emit("\n".join(trial_lines(trial, provenance, outcome=outcome, everything=everything, problems=problems)))


@corpus.command()
@click.option("--history", is_flag=True, help="List the imports and fetches, the latest first.")
@click.option("--quarantine", is_flag=True, help="List the records that could not be read, and why.")
@corpus_option
@as_json
def stats(history: bool, quarantine: bool, corpus: Path | None, json_output: bool) -> None:
    """Count what the corpus holds."""
    import msgspec

    from deepimagine_tui import settings
    from deepimagine_tui.cli.session import opened_corpus

    with opened_corpus(settings.load({"corpus": _text(corpus)})) as opened:
        found = opened.stats()
        place = opened.path
        past = opened.history() if history else ()
        unread = opened.quarantine() if quarantine else ()
    if json_output:
        parts: dict[str, object] = {"trials": found.trials, **msgspec.structs.asdict(found), "path": str(place)}
        emit_json(parts | ({"history": past} if history else {}) | ({"quarantine": unread} if quarantine else {}))
        return
    counts = ("trials", "with_results", "dose_ranging", "outcomes", "cells", "contrasts", "quarantined")
    emit(f"{found.name}  data to {found.data_date or 'unknown'}  version {found.version}\n{place}\n")
    emit("\n".join(f"{name.replace('_', ' '):<14}{getattr(found, name):>9,}" for name in counts))
    for title, shares in (("phase", found.phases), ("condition", found.conditions)):
        emit(f"\n{title}")
        emit("\n".join(f"  {name or 'none':<40}{count:>6,}" for name, count in list(shares.items())[:12]))
    if history:
        rows = [(one.started, one.kind, one.state, f"{one.added:,}", f"{one.updated:,}", one.source) for one in past]
        emit("\n" + table(("STARTED", "KIND", "STATE", "ADDED", "UPDATED", "SOURCE"), rows, numeric=(3, 4)))
    if quarantine:
        emit("\n" + table(("RECORD", "WHY"), [(one.name, one.error) for one in unread]))


@corpus.command("import")
@click.argument("sources", nargs=-1, type=click.Path(path_type=Path))
@corpus_option
@as_json
def import_records(sources: tuple[Path, ...], corpus: Path | None, json_output: bool) -> ExitCode:
    """Import registry records from SOURCES.

    Files, folders or .zip; API v2 JSON, NDJSON or classic XML. The records go to your own corpus, which is made when it does
    not exist, or to --corpus. What cannot be read is put into quarantine and told; the rest is kept. A stopped import goes on
    where it was when started again.
    """
    from deepimagine_tui import paths, settings
    from deepimagine_tui.cli.ingesting import follow
    from deepimagine_tui.cli.session import stoppable
    from deepimagine_tui.corpus.ingest import ingest

    if not sources:
        raise UsageError("Say what to import.", "For example: deepimagine corpus import records.zip")
    chosen = settings.load({"corpus": _text(corpus)}).corpus
    target = Path(chosen) if chosen else paths.default_corpus()
    total = None
    with stoppable() as cancel:
        for source in sources:
            total = follow(f"Importing {source.name}", ingest(target, source, cancel), total)
            if cancel.is_set():
                break
    assert total is not None
    if json_output:
        emit_json({"corpus": str(target), **total.counts()})
    else:
        emit(f"{target}\n{total.sentence()}")
    if total.stopped:
        return ExitCode.CANCELLED
    if total.done and total.quarantined == total.done:
        raise BadInputError(
            "No record could be read.", "Give API v2 JSON, NDJSON or classic XML records of ClinicalTrials.gov."
        )
    return ExitCode.OK


@corpus.command()
@click.option("--condition", default="", help="A condition studied.")
@click.option("--intervention", default="", help="A drug or other intervention.")
@click.option("--words", default="", help="Words anywhere in the record.")
@click.option("--phase", type=click.Choice(["early 1", "1", "2", "3", "4"]), help="A phase.")
@click.option("--status", default="", help="Overall status, e.g. completed.")
@click.option("--has-results", is_flag=True, help="With posted results only.")
@click.option("--id", "ids", metavar="NCT_ID", multiple=True, help="One study; may be given several times.")
@click.option("--registry", metavar="URL", help="Address of the registry's interface, version 2.")
@corpus_option
@offline_option
@as_json
def fetch(
    phase: str | None,
    registry: str | None,
    corpus: Path | None,
    offline: bool | None,
    json_output: bool,
    **filters: object,
) -> ExitCode:
    """Fetch studies from ClinicalTrials.gov.

    One request a second. The studies go to your own corpus, or to --corpus. A fetch that was stopped goes on where it was when
    started again; one that was completed asks only for what was updated since.
    """
    import msgspec

    from deepimagine_tui import paths, settings
    from deepimagine_tui.cli.session import stoppable

    if not any(filters.values()) and phase is None:
        raise UsageError("Say what to fetch.", "For example: deepimagine corpus fetch --condition asthma --has-results")
    chosen = settings.load({"corpus": _text(corpus), "offline": offline})
    if chosen.offline:
        raise RefusedError("Fetching needs the network, which is forbidden (offline).", "Leave --offline out, or unset it.")
    from deepimagine_tui.cli.fetching import follow_fetch
    from deepimagine_tui.corpus.registry import REGISTRY, RegistryClient
    from deepimagine_tui.corpus.registry_query import FetchQuery

    query = msgspec.convert(filters | {"phase": phase or ""}, FetchQuery)
    target = Path(chosen.corpus) if chosen.corpus else paths.default_corpus()
    with stoppable() as cancel, closing(RegistryClient(registry or REGISTRY)) as client:
        total = follow_fetch(client.fetch(target, query, cancel))
    if json_output:
        emit_json({"corpus": str(target), **total.counts()})
    else:
        emit(f"{target}\n{total.sentence()}")
    return ExitCode.CANCELLED if total.stopped else ExitCode.OK


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
