"""A user's own forecasts as a question set: a CSV file, UTF-8, with one question a row under the names of `COLUMNS`."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NoReturn

from deepimagine_tui.errors import BadInputError, NotFoundError, UsageError
from deepimagine_tui.evaluation.questions import NO_CUTOFF, TWO_WAY, Key, Question, QuestionSet
from deepimagine_tui.files import sha256
from deepimagine_tui.reasoning.target import target_from_fields

REQUIRED: dict[str, str] = {
    "id": "what the question is called, once in the file",
    "condition": "the disease; several with `;` between them",
    "arm": "the arm that is asked about, with its dose: `Drug B 5 mg once daily`",
    "comparator": "what it is compared with: `placebo`, `Drug C 10 mg`",
    "outcome": "the measure: `Change from baseline in HbA1c`",
}
OPTIONAL: dict[str, str] = {
    "nct_id": "the trial; its own results and its programme are never used, and questions of one trial are not independent",
    "time": "when it is measured: `week 24`",
    "unit": "the measure's unit: `%`",
    "title": "the trial's title",
    "countries": "where it recruits: `France, Spain`",
    "population": "who takes part: `age 18-65, HbA1c 7-10 %`",
    "context": "phase, masking and the like: `phase 3, double blind`",
    "enrolment": "how many take part: a whole number",
    "cutoff": "the last day whose posted results may be used: `2024-12-31`",
    "answer": "`met` or `not met` where it is known; a row without one is predicted and not scored",
}
COLUMNS = REQUIRED | OPTIONAL
"""The columns in the order in which they are best written; what each holds."""

_NCT_ID = re.compile(r"NCT\d{8}")


def read(path: Path) -> QuestionSet:
    """The questions of a CSV file: did `arm` achieve a significant improvement over `comparator` in `outcome`.

    Raises:
        NotFoundError: there is no such file.
        BadInputError: it cannot be read as questions; the message names the line and what is wrong with it.
    """
    if not path.is_file():
        raise NotFoundError(f"There is no file {path}.", f"Give a CSV file with the columns {', '.join(REQUIRED)}.")
    questions: list[Question] = []
    keys: dict[str, Key] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            for line, row in _rows(stream, path):
                question, key = _question(row, f"{path.name}, line {line}")
                if question.id in keys:
                    _bad(f"{path.name}, line {line}", f"the id {question.id!r} was given before", "Give every row its own id.")
                questions.append(question)
                keys[question.id] = key
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInputError(f"{path.name} cannot be read as CSV ({error}).", "Save it as CSV in UTF-8.") from error
    if not questions:
        raise BadInputError(f"{path.name} holds no question.", "Write one question a row, under a row of column names.")
    return QuestionSet(name=path.stem, sha256=sha256(path), questions=tuple(questions), keys=keys)


def _rows(stream: Iterator[str], path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows that hold anything, with their lines."""
    reader = csv.DictReader(stream, strict=True)
    names = [(name or "").strip().lower() for name in reader.fieldnames or ()]
    for name in REQUIRED:
        if name not in names:
            _bad(path.name, f"it has no column {name}", f"The columns are: {', '.join(COLUMNS)}.")
    for name in names:
        if name not in COLUMNS:
            _bad(path.name, f"it has a column {name!r} that means nothing here", f"The columns are: {', '.join(COLUMNS)}.")
        if names.count(name) > 1:
            _bad(path.name, f"it has the column {name} twice", "Keep one of them.")
    reader.fieldnames = names
    for row in reader:
        if None in row:
            _bad(f"{path.name}, line {reader.line_num}", "it has more cells than columns", "Put texts with commas in quotes.")
        cells = {name: (cell or "").strip() for name, cell in row.items()}
        if any(cells.values()):
            yield reader.line_num, {name: cells.get(name, "") for name in COLUMNS}


def _question(row: dict[str, str], place: str) -> tuple[Question, Key]:
    for name in REQUIRED:
        if not row[name]:
            _bad(place, f"it has no {name}", f"{name}: {REQUIRED[name]}.")
    nct_id = row["nct_id"].upper()
    if nct_id and not _NCT_ID.fullmatch(nct_id):
        _bad(place, f"{row['nct_id']!r} is no NCT id", "Write NCT and eight digits, or leave it empty.")
    answer = row["answer"].lower()
    if answer and answer not in TWO_WAY:
        _bad(place, f"{row['answer']!r} is no answer", "Write `met` or `not met`, or leave it empty.")
    try:
        target = target_from_fields(
            condition=row["condition"],
            arm=row["arm"],
            outcome=row["outcome"],
            comparator=row["comparator"],
            unit=row["unit"],
            time=row["time"] or None,
            countries=row["countries"] or None,
            population=row["population"] or None,
            context=row["context"] or None,
            enrolment=_enrolment(row["enrolment"], place),
        )
    except UsageError as error:
        raise BadInputError(f"{place}: {error.message}", error.hint) from error
    trial = nct_id or row["id"]
    question = Question(
        id=row["id"],
        nct_id=trial,
        programme=trial,
        kind="superiority",
        target=target,
        title=row["title"],
        cutoff=_cutoff(row["cutoff"], place),
    )
    return question, Key(question_id=question.id, answer=answer or None)


def _enrolment(text: str, place: str) -> int | None:
    if not text:
        return None
    if not text.isdecimal():
        _bad(place, f"{text!r} is no number of participants", "Write a whole number from 1.")
    return int(text)


def _cutoff(text: str, place: str) -> str:
    if not text:
        return NO_CUTOFF
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        _bad(place, f"{text!r} is no date", "Write the cutoff as YYYY-MM-DD.")


def _bad(place: str, what: str, hint: str) -> NoReturn:
    raise BadInputError(f"{place}: {what}.", hint)
