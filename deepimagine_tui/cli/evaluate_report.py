"""`deepimagine evaluate report`: what systems said of a question set, scored and written down."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import click

from deepimagine_tui.cli.console import emit, emit_json, narrate
from deepimagine_tui.cli.evaluate_scoring import Chosen, ledger_option, scored
from deepimagine_tui.cli.options import corpus_option
from deepimagine_tui.errors import UsageError

if TYPE_CHECKING:
    from deepimagine_tui.cli.evaluate_figures import Drawing
    from deepimagine_tui.evaluation.questions import QuestionClass
    from deepimagine_tui.evaluation.scoring_report import Report

Format = Literal["md", "html", "json"]
FORMATS: tuple[Format, ...] = get_args(Format)


@click.command()
@click.argument("questions", metavar="SET")
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FOLDER...")
@click.option("-o", "--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="File to write, else text.")
@click.option("--format", "chosen", type=click.Choice(FORMATS), help="Format. Default: by the file's ending, else md.")
@click.option(
    "--figures", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER", help="Write the figures into a folder too."
)
@click.option(
    "--judged", default="", metavar="SYSTEM", help="What the others are compared with. Default: deepimagine, else the first."
)
@click.option(
    "--calibration",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Calibration of the model, for the coverage of its intervals on other trials than it was fitted on.",
)
@corpus_option
@ledger_option
def report(
    questions: str,
    folders: tuple[Path, ...],
    out: Path | None,
    chosen: Format | None,
    figures: Path | None,
    judged: str,
    calibration: Path | None,
    corpus: Path | None,
    ledger: Path,
) -> None:
    """Score what systems said of SET.

    Each FOLDER is what `evaluate run` wrote for SET. The rules that need no model stand beside them, and of CT Open's sets the
    published systems, marked as theirs. Every number has an interval over trials, and nobody is called better whose difference
    holds zero. Every scoring of CT Open is entered into the ledger before it is shown.
    """
    from deepimagine_tui.cli.progress import Progress

    written = chosen or _format_of(out)
    with Progress("Scoring") as progress:
        given = Chosen(questions, folders, corpus, ledger, judged, calibration)
        made = scored(given, progress, with_rules=True, with_runs=True)
        if figures is not None:
            _write_figures(made, figures)
        if out is not None:
            progress.say("writing")
            _write(made, out, written)
    if out is not None:
        emit(str(out))
    elif written == "json":
        emit_json(made)
    else:
        emit(text_of(made, written))


def _format_of(out: Path | None) -> Format:
    """The format that a file's ending names; Markdown where there is no file.

    Raises:
        UsageError: it names none.
    """
    if out is None:
        return "md"
    ending = out.suffix.casefold().removeprefix(".")
    for each in FORMATS:
        if each == ending:
            return each
    raise UsageError(f"A report cannot be written as {out.name!r}.", f"End it in .{', .'.join(FORMATS)}, or give --format.")


def _write(made: Report, out: Path, written: Format) -> None:
    from deepimagine_tui.evaluation import scoring_report
    from deepimagine_tui.files import write_bytes, write_text

    if written == "json":
        scoring_report.write(out, made)
        return
    drawn = drawn_svg(made)
    folder = out.with_name(f"{out.stem}_files")
    if written == "md":
        for drawing, content in drawn:
            write_bytes(folder / f"{drawing.name}.svg", content)
    write_text(out, text_of(made, written, drawn, folder.name))


def drawn_svg(made: Report) -> list[tuple[Drawing, bytes]]:
    """The figures of a report, as SVG."""
    from deepimagine_tui.cli.evaluate_figures import drawings

    return [(drawing, drawing.render("svg")) for drawing in drawings(made)]


def text_of(made: Report, written: Format, drawn: list[tuple[Drawing, bytes]] | None = None, folder: str = "") -> str:
    """The report as Markdown or HTML; figures are linked from `folder`, or inside the HTML."""
    from deepimagine_exporters.report_html import html_document
    from deepimagine_exporters.report_markdown import markdown_document

    from deepimagine_tui.document import Picture
    from deepimagine_tui.evaluation import report_content

    pictures: dict[tuple[str, QuestionClass], Picture] = {
        (drawing.which, drawing.kind): Picture(drawing.name, drawing.caption, content) for drawing, content in drawn or ()
    }
    parts = report_content.report_parts(made, pictures)
    if written == "html":
        return html_document(report_content.title(made), parts)
    return markdown_document(parts, folder)


def _write_figures(made: Report, folder: Path) -> None:
    from deepimagine_tui import settings
    from deepimagine_tui.cli.evaluate_figures import drawings
    from deepimagine_tui.files import write_bytes

    ending = settings.load().figure_format
    for drawing in drawings(made):
        path = folder / f"{drawing.name}.{ending}"
        write_bytes(path, drawing.render(ending))
        narrate(str(path))
