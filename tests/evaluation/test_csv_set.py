"""A user's CSV of forecasts: what is read, and that whatever is wrong with it is said in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from deepimagine_tui.errors import BadInputError, NotFoundError
from deepimagine_tui.evaluation import csv_set
from deepimagine_tui.evaluation.csv_set import COLUMNS, REQUIRED
from deepimagine_tui.evaluation.questions import NO_CUTOFF

GOOD = {
    "id": "q1",
    "condition": "Type 2 diabetes",
    "arm": "Drug B 5 mg once daily",
    "comparator": "placebo",
    "outcome": "Change from baseline in HbA1c",
}


def written(path: Path, *rows: dict[str, str], names: list[str] | None = None) -> Path:
    columns = names if names is not None else list(dict.fromkeys(name for row in rows for name in row))
    lines = [",".join(columns)]
    lines += [",".join(f'"{row.get(name, "")}"' for name in columns) for row in rows]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def test_a_file_of_forecasts_is_read(tmp_path: Path):
    whole = GOOD | {
        "id": "q2",
        "nct_id": "nct01234567",
        "time": "week 24",
        "unit": "%",
        "title": "A study",
        "countries": "France, Spain",
        "population": "age 18-65",
        "context": "phase 3",
        "enrolment": "300",
        "cutoff": "2024-12-31",
        "answer": "Not met",
    }
    assert set(whole) == set(COLUMNS)
    asked = csv_set.read(written(tmp_path / "mine.csv", GOOD, whole))
    assert (asked.name, asked.is_watched, len(asked.questions)) == ("mine", False, 2)
    first, second = asked.questions
    assert (first.id, first.nct_id, first.kind, first.cutoff) == ("q1", "q1", "superiority", NO_CUTOFF)
    assert first.target.comparator is not None
    assert first.target.comparator.control == "placebo"
    assert first.target.arm.doses[0].amount == 5
    assert asked.key(first).answer is None
    assert (second.nct_id, second.programme, second.title, second.cutoff) == (
        "NCT01234567",
        "NCT01234567",
        "A study",
        "2024-12-31",
    )
    assert (second.target.enrolment, second.target.context.phases) == (300, ("3",))
    assert {place.country for place in second.target.geography} == {"France", "Spain"}
    assert (second.target.time.weeks if second.target.time else None) == 24
    assert asked.key(second).answer == "not met"


def test_order_case_and_empty_rows_do_not_matter(tmp_path: Path):
    path = tmp_path / "mine.csv"
    path.write_bytes("\ufeffOutcome, ID ,arm,Comparator,condition\nHbA1c,1,Drug B,placebo,Diabetes\n,,,,\n".encode())
    asked = csv_set.read(path)
    assert [question.id for question in asked.questions] == ["1"]


@pytest.mark.parametrize("name", REQUIRED)
def test_what_is_needed_is_asked_for(tmp_path: Path, name: str):
    without = {column: text for column, text in GOOD.items() if column != name}
    with pytest.raises(BadInputError, match=f"no column {name}"):
        csv_set.read(written(tmp_path / "mine.csv", without))
    with pytest.raises(BadInputError, match=f"line 3: it has no {name}"):
        csv_set.read(written(tmp_path / "mine.csv", GOOD | {"id": "q0"}, GOOD | {name: " "}))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"nct_id": "NCT123"}, "'NCT123' is no NCT id"),
        ({"answer": "maybe"}, "'maybe' is no answer"),
        ({"cutoff": "31.12.2024"}, "is no date"),
        ({"enrolment": "many"}, "'many' is no number"),
        ({"enrolment": "0"}, "0 is no number of participants"),
        ({"time": "someday"}, "someday"),
        ({"colour": "red"}, "column 'colour' that means nothing"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(tmp_path: Path, change: dict[str, str], said: str):
    with pytest.raises(BadInputError, match=said) as caught:
        csv_set.read(written(tmp_path / "mine.csv", GOOD | change))
    assert caught.value.hint
    assert "mine.csv" in caught.value.message
    assert "\n" not in caught.value.message


def test_files_that_are_no_questions(tmp_path: Path):
    path = tmp_path / "mine.csv"
    with pytest.raises(NotFoundError):
        csv_set.read(path)
    with pytest.raises(BadInputError, match="'q1' was given before"):
        csv_set.read(written(path, GOOD, GOOD))
    with pytest.raises(BadInputError, match="column arm twice"):
        csv_set.read(written(path, GOOD, names=[*GOOD, "arm"]))
    with pytest.raises(BadInputError, match="holds no question"):
        csv_set.read(written(path, names=list(GOOD)))
    path.write_text(",".join(GOOD) + "\nq1,Diabetes,Drug B,placebo,HbA1c,more\n")
    with pytest.raises(BadInputError, match="more cells than columns"):
        csv_set.read(path)
    for content in (b"", b"\xff\xfe\x00", b'id,"arm\n'):
        path.write_bytes(content)
        with pytest.raises(BadInputError, match="mine"):
            csv_set.read(path)


def test_every_column_is_documented():
    page = (Path(__file__).parents[2] / "docs" / "evaluation.md").read_text("utf-8")
    for name, what in COLUMNS.items():
        assert f"| `{name}` | {'needed' if name in REQUIRED else ''}" in page
        assert what in page
