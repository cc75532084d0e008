"""The written report: every number with its trials, the rules and the published rows beside ours, and no word too many."""

from __future__ import annotations

import re

import pytest
from deepimagine_exporters.report_html import html_document
from deepimagine_exporters.report_markdown import markdown_document
from msgspec.structs import replace

from deepimagine_tui.document import Bullets, Heading, Paragraph, Part, Picture, Table
from deepimagine_tui.evaluation import floors
from deepimagine_tui.evaluation.estimate_text import cell, change, sentence
from deepimagine_tui.evaluation.interpretability import Interpretability, Measure
from deepimagine_tui.evaluation.intervals import Estimate
from deepimagine_tui.evaluation.metrics import EVERY, Difference
from deepimagine_tui.evaluation.predictions import Prediction, UsedTrial
from deepimagine_tui.evaluation.questions import Key, Question, QuestionSet
from deepimagine_tui.evaluation.report_content import DIFFERENCES, report_parts, title
from deepimagine_tui.evaluation.scoring_report import Report, score
from tests.evaluation.answering_systems import at_random, journal, made_set, with_share
from tests.evaluation.made_questions import learnt

FOUND = Estimate(0.612, 0.55, 0.671, 1470, 249, 240)


def parts_of(report: Report) -> list[Part]:
    return list(report_parts(report))


def text_of(report: Report) -> str:
    """Everything as plain text."""
    found = []
    for part in parts_of(report):
        match part:
            case Heading(_, text) | Paragraph(text, _):
                found.append(text)
            case Bullets(items):
                found += items
            case Table():
                found += [" | ".join(row) for row in (part.head, *part.rows)]
            case _:
                continue
    return "\n".join(found)


def tables_under(report: Report, heading: str) -> list[Table]:
    """The tables between a heading and the next one."""
    found: list[Table] = []
    inside = False
    for part in parts_of(report):
        if isinstance(part, Heading):
            inside = part.text == heading
        elif inside and isinstance(part, Table):
            found.append(part)
    return found


def winter(watched: bool = True) -> QuestionSet:
    return replace(made_set(24, watched=watched, kinds=("superiority", "comparative effect")), name="Winter_2025")


def seeing(question: Question, key: Key) -> Prediction:
    """A system that saw as many trials as the questions' numbers say."""
    used = tuple(UsedTrial(f"NCT{place:08}", "") for place in range(int(question.nct_id[-2:]) % 5))
    return replace(with_share(0.7)(question, key), used=used)


@pytest.fixture(scope="module")
def report() -> Report:
    asked = winter()
    journals = [
        journal(asked, "deepimagine", seeing, model="gemma", model_sha256="c" * 64, settings={"anchors": 3}),
        journal(asked, "direct", at_random(1), model="gemma"),
        journal(asked, "logistic-regression", at_random(2), limit=40, learnt_from="d" * 64, learnt_trials=500),
    ]
    return score(asked, [*journals, *floors.missing(asked, journals, learnt())], looks=9)


def test_the_head_says_what_it_is_of(report: Report):
    text = text_of(report)
    assert title(report) == "Evaluation on Winter_2025"
    assert "96 questions of 24 trials in 24 programmes" in text
    assert "Looks at this set so far, these scores included: 9." in text
    assert "logistic-regression answered 40 of 96 questions" in text
    assert "met 32, not met 16" in text
    assert "A pretrained model may have read the results of any trial" in text
    assert "The classes are scored apart. Their mean is not given" in text
    # Of 48 comparative effects 16 are no difference: 100 / 2 / 16.
    assert "each moves balanced accuracy by 3.1 points" in text


def test_uncounted_looks_are_said():
    asked = winter()
    assert "its looks were not counted here" in text_of(score(asked, [journal(asked, "one", at_random(1))]))
    unwatched = winter(watched=False)
    assert "ooks" not in text_of(score(unwatched, [journal(unwatched, "one", at_random(1))]))


def test_the_leaderboard_has_ours_the_rules_and_theirs_marked(report: Report):
    board = tables_under(report, "Leaderboard")[0]
    whose = {row[0]: row[1] for row in board.rows}
    assert whose["deepimagine (gemma)"] == "ours"
    assert whose["majority"] == whose["comparator-rule"] == "rule"
    assert whose["HINT"] == "theirs"
    assert whose["Claude Opus 4.5"] == "theirs, flagged by the site as possibly contaminated"
    f1 = [float(row[2].split(" ")[0]) for row in board.rows]
    assert f1 == sorted(f1, reverse=True)
    assert next(row for row in board.rows if row[0] == "HINT")[2:4] == ("51.87", "62.33")
    assert "arXiv 2604.16742" in text_of(report)
    elsewhere = score(made_set(), [journal(made_set(), "one", at_random(1))])
    assert "theirs" not in text_of(elsewhere)


def test_every_number_of_ours_has_its_questions_and_trials(report: Report):
    headings = ("Leaderboard", "Paired differences", "0 anchors", "1-2 anchors", "3+ anchors")
    seen = 0
    for heading in headings:
        for table in tables_under(report, heading):
            if "weighted accuracy" in table.head:
                continue
            for row in (row for row in table.rows if not row[1].startswith("theirs")):
                for text in row[1:]:
                    if re.match(r"[+-]?\d+\.\d", text):
                        assert re.search(r" \d[\d,]*/\d[\d,]*( |$)", text), text
                        seen += 1
    assert seen > 100


def test_who_is_not_better_is_not_called_better(report: Report):
    text = text_of(report)
    assert "deepimagine (gemma), against the others:" in text
    asked = winter()
    twins = [journal(asked, name, at_random(1)) for name in ("one", "twin")]
    said = text_of(score(asked, twins))
    assert re.search(r"macro-F1: [^\n;]*not distinguishable from [^\n;]*\btwin\b", said)
    assert not re.search(r"(?:better|worse) than [^\n;]*\btwin\b", said)


def test_that_the_base_rate_is_not_beaten_is_said_in_so_many_words():
    asked = made_set(24)
    journals = [journal(asked, "deepimagine", seeing), journal(asked, "majority", seeing)]
    words = "Here P(met) of deepimagine is not shown to be better than the commonest answer."
    assert text_of(score(asked, journals)).count(words) == 3, "with no anchor, one or two, three and more"
    wrong = journal(asked, "majority", with_share(0.0))
    # It is better than that everywhere, but five trials without an anchor are too few to show it.
    assert text_of(score(asked, [journals[0], wrong])).count(words) == 1


def test_published_metrics_stand_under_their_own_rules(report: Report):
    board = tables_under(report, "Leaderboard")[1]
    assert board.head == ("System", "macro-F1", "weighted accuracy", "cross-entropy", "of")
    assert "logistic-regression" not in [row[0] for row in board.rows], "not all questions were answered"
    ours = next(row for row in board.rows if row[0] == "deepimagine (gemma)")
    assert ours[1:3] == ("100.00", "100.00")


def test_bins_that_hold_nothing_say_so(report: Report):
    bins = tables_under(report, "Calibration")[0]
    assert len(bins.rows) == 10
    assert bins.rows[0][1:] == ("-", "no question")
    assert bins.rows[7][1] == "0.700"
    assert bins.rows[7][2].endswith(" 32/24")


def test_interpretability_is_a_column_a_system_with_definitions():
    asked = made_set()
    measure = Measure("seeds agree", "share of seeds with one verdict", Estimate(0.8, 0.7, 0.9, 40, 12, 12), "share", "dose")
    unknown = Measure("spread", "unknown here", Estimate(None, None, None, 0, 0, 0), "s")
    told = Interpretability(models=("gemma",), runs=4, measures=(measure, unknown))
    made = score(asked, [journal(asked, "one", at_random(1))], interpretability=[told])
    table = tables_under(made, "Interpretability")[0]
    assert table.rows == (("seeds agree, dose", "0.800 [0.700, 0.900] 40/12", "share of seeds with one verdict (share)"),)


def test_systems_are_told_by_what_they_depend_on(report: Report):
    table = tables_under(report, "What each system is")[0]
    rows = {row[0]: " | ".join(row[1:]) for row in table.rows}
    assert "model sha256 cccccccccccc; anchors 3" in rows["deepimagine (gemma)"]
    assert "learnt from 500 trials" in rows["logistic-regression"]


def test_markdown_and_html_hold_the_same_report_with_its_figures(report: Report):
    svg = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0"/></svg>'
    pictures = {(DIFFERENCES, "superiority"): Picture("differences-superiority", "Paired differences.", svg)}
    parts = list(report_parts(report, pictures))  # type: ignore[arg-type]
    markdown = markdown_document(parts, "made_files")
    assert "![differences-superiority](made_files/differences-superiority.svg)" in markdown
    html = html_document(title(report), parts)
    assert html.count("<svg") == 1
    assert "<script" not in html
    assert "http-equiv" in html
    for text in ("Winter_2025", "comparator-rule", "theirs"):
        assert text in html
    assert html.count("<table") == markdown.count("| --- |") - sum(
        line.count("| --- |") - 1 for line in markdown.splitlines() if line.startswith("| --- |")
    )


def test_names_cannot_become_markup():
    asked = made_set()
    nasty = journal(asked, "<script>alert(1)</script>|x", at_random(1))
    made = score(asked, [nasty])
    assert "<script>" not in html_document(title(made), parts_of(made))
    assert "<script>" not in markdown_document(parts_of(made), "files")


def test_cells_and_sentences():
    assert cell(FOUND, "macro-F1") == "61.2 [55.0, 67.1] 1,470/249"
    assert cell(FOUND, "Brier") == "0.612 [0.550, 0.671] 1,470/249"
    assert cell(replace(FOUND, lower=None, upper=None), "macro-F1") == "61.2 1,470/249"
    assert cell(Estimate(None, None, None, 3, 3, 3), "AUROC") == cell(None, "AUROC") == "-"
    gap = Difference(
        "a", "rag", "superiority", EVERY, "macro-F1", Estimate(0.031, -0.004, 0.066, 470, 249, 240), "not distinguishable"
    )
    assert change(gap) == "+3.1 [-0.4, +6.6] 470/249"
    better = replace(gap, other="direct", word="better", estimate=replace(gap.estimate, lower=0.004))
    assert sentence("macro-F1", [gap, better, replace(gap, other="ffnn")]) == (
        "macro-F1: better than direct (+3.1 [+0.4, +6.6]); not distinguishable from rag, ffnn (470 questions of 249 trials)"
    )
    fewer = replace(better, other="ffnn", estimate=replace(better.estimate, rows=9, trials=8))
    assert sentence("macro-F1", [better, fewer, gap]) == (
        "macro-F1: better than direct (+3.1 [+0.4, +6.6], 470 questions of 249 trials), "
        "ffnn (+3.1 [+0.4, +6.6], 9 questions of 8 trials); not distinguishable from rag (470 questions of 249 trials)"
    )
    one = replace(gap, estimate=Estimate(0.1, None, None, 1, 1, 1))
    assert sentence("macro-F1", [one]) == "macro-F1: not distinguishable from rag (1 question of 1 trial)"


def test_an_interval_is_on_one_line_of_a_page():
    page = html_document("Scores", [Table(("System", "F1"), (("<b>", "61.2 [55.0, 67.1] 470/249"), ("[x]", "-")))])
    assert '<td dir="auto">61.2 <span>[55.0, 67.1]</span> 470/249</td>' in page
    assert '<td dir="auto">[x]</td>' in page
