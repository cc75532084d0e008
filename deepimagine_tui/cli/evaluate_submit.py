"""`deepimagine evaluate submit` and `convert`: CT Open's own files, written from predictions and from its pickles."""

from __future__ import annotations

from pathlib import Path

import click

from deepimagine_tui.cli.console import emit_json, narrate
from deepimagine_tui.cli.options import as_json
from deepimagine_tui.errors import BadInputError, UsageError

FORMS = ("replies", "published", "choices")


@click.command()
@click.argument("questions", type=click.Path(path_type=Path), metavar="SET")
@click.argument("folders", type=click.Path(path_type=Path), metavar="FOLDER...", nargs=-1, required=True)
@click.option("--form", type=click.Choice(FORMS), default="replies", show_default=True, help="What is written; see above.")
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, metavar="FILE", help="The file to write.")
@as_json
def submit(questions: Path, folders: tuple[Path, ...], form: str, out: Path, json_output: bool) -> None:
    """Write predictions in the forms that CT Open takes.

    SET is the CT Open pickle or JSON that FOLDER has predictions of. `replies` is a JSON object of texts such as
    "DECISION: (0.3, 0.7)" by question; `published` a pickle of the same as CT Open's own evaluation reads it; `choices` the
    JSON of the live challenge, with one choice for every FOLDER.
    """
    from deepimagine_tui.evaluation import ct_open, ct_open_replies, predictions
    from deepimagine_tui.evaluation.questions import NO_CUTOFF

    asked = ct_open.read(questions, NO_CUTOFF)
    runs = [predictions.read(folder) for folder in folders]
    for folder, run in zip(folders, runs, strict=True):
        if run.header.set_sha256 != asked.sha256:
            raise BadInputError(f"{folder} holds predictions of another set than {questions.name}.", "Name its set.")
    if form != "choices" and len(runs) > 1:
        raise UsageError(f"{form} are of one run.", "Name one FOLDER, or write --form choices.")
    replies = [ct_open_replies.replies_of(asked, run) for run in runs]
    if form == "choices":
        shares = [{name: one.probabilities for name, one in run.by_id.items()} for run in runs]
        ct_open_replies.write_choices(out, ct_open_replies.choices_of(asked, shares))
    elif form == "published":
        ct_open_replies.write_published(out, replies[0], ct_open.published_keys(questions))
    else:
        ct_open_replies.write_replies(out, replies[0])
    if json_output:
        emit_json({"file": str(out), "form": form, "questions": len(asked.questions), "runs": len(runs)})
        return
    narrate(f"Wrote the {form} of {len(asked.questions):,} questions to {out}.")


@click.command()
@click.argument("pickle", type=click.Path(path_type=Path), metavar="PICKLE")
@click.argument("out", type=click.Path(path_type=Path), metavar="JSON")
@as_json
def convert(pickle: Path, out: Path, json_output: bool) -> None:
    """Write a CT Open pickle as JSON.

    Nothing in PICKLE is run. JSON holds all of it, with what was reported and the labels, and is read wherever the pickle is.
    """
    from deepimagine_tui.evaluation import ct_open

    if out.suffix.lower() != ".json":
        raise UsageError(f"{out.name} would not be read as JSON.", "Name a file that ends in .json.")
    records = ct_open.convert(pickle, out)
    if json_output:
        emit_json({"file": str(out), "records": records})
        return
    narrate(f"Wrote {records:,} records to {out}.")
