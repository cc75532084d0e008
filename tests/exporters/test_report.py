"""Reports say everything needed to judge and repeat a run, and nothing in them is obeyed."""

from __future__ import annotations

import re
import shlex
from html.parser import HTMLParser
from pathlib import Path
from threading import Event

import pytest
from deepimagine_exporters.repeat import repeat_command
from deepimagine_exporters.report import export_report
from deepimagine_exporters.report_markdown import escaped
from msgspec.structs import replace

from deepimagine_tui.errors import CancelledError, RefusedError, UsageError
from deepimagine_tui.reasoning.events import RunStarted, StepEstimated
from deepimagine_tui.reasoning.graph import ReasoningGraph
from tests.support import sample_runs

VOID = {"meta", "br", "img", "link", "hr"}


class Reader(HTMLParser):
    """Collects tags and text, and checks that tags are closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "title"):
            self.text.append(data)


def read_html(path: Path) -> Reader:
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    reader.close()
    assert reader.open == []
    return reader


def test_html_is_one_file_with_its_figures_and_nothing_to_load(any_run: ReasoningGraph, tmp_path: Path) -> None:
    path = export_report(any_run, tmp_path / "run.html")
    assert [entry.name for entry in tmp_path.iterdir()] == ["run.html"]
    reader = read_html(path)
    assert reader.tags.count("svg") >= 1
    assert "script" not in reader.tags
    assert not {name for name in reader.attributes if name.startswith("on") or name == "src"}
    content = path.read_text(encoding="utf-8")
    assert "Content-Security-Policy" in content
    assert "prefers-color-scheme: dark" in content
    assert "@media print" in content
    assert not re.search(r"url\((?!data:|#)", content)


def test_markdown_has_its_figures_beside_it(tmp_path: Path) -> None:
    graph = sample_runs.graph_of(sample_runs.forecast_run())
    path = export_report(graph, tmp_path / "my run.md")
    linked = re.findall(r"!\[\w+\]\(([^)]+)\)", path.read_text(encoding="utf-8"))
    assert linked == [f"my%20run_files/{which}.svg" for which in ("graph", "trajectory", "forest", "waterfall")]
    assert sorted(entry.name for entry in (tmp_path / "my run_files").iterdir()) == [
        "forest.svg",
        "graph.svg",
        "trajectory.svg",
        "waterfall.svg",
    ]


@pytest.mark.parametrize("suffix", [".md", ".html"])
def test_a_report_says_what_is_needed_to_judge_the_run(suffix: str, tmp_path: Path) -> None:
    graph = sample_runs.graph_of(sample_runs.revealed_run())
    path = export_report(graph, tmp_path / f"run{suffix}")
    said = (
        " ".join(" ".join(read_html(path).text).split())
        if suffix == ".html"
        else path.read_text(encoding="utf-8").replace("\\", "")
    )
    said = said.replace("&lt;", "<")
    for needed in (
        "Model output for hypothesis generation. Not evidence; not for patient care.",
        "NCT99000101, outcome NCT99000101:1f0c9a2e:1, group OG001",
        "[-0.74, -0.41] 95% CI posted, p < 0.001",
        "More, 2.5 times the dose: the effect should grow a little.",
        "Computed, and given to the model to go on from: More, 2.5 times the dose.",
        "[-0.99, -0.49] 90% PI",
        "logits, mass .97, not calibrated",
        "z -7.4, p < .001, met; it agrees with the verdict",
        "● -0.78 percentage points SD 0.8, n 224",
        "same direction, e 0.049 (copying the source: 0.15), same verdict, Brier score 0.0196",
        "--set 'dose=25 mg once daily' --seed 7",
        sample_runs.MODEL.sha256,
        "data of 2026-10-30",
        "Not seen in adapter training.",
    ):
        assert needed in said, needed


def test_failures_warnings_and_training_are_told(tmp_path: Path) -> None:
    failed = export_report(sample_runs.graph_of(sample_runs.failed_run()), tmp_path / "failed.md").read_text(encoding="utf-8")
    assert "No answer (model stopped): The model stopped (out of memory?)." in failed
    assert "The run ended with: no answer." in failed
    steps = export_report(sample_runs.graph_of(sample_runs.what_if_three_steps()), tmp_path / "s.md").read_text(
        encoding="utf-8"
    )
    assert "step 3: The verdict and the z-test disagree." in steps
    assert "**The model was trained on NCT99000101.**" in steps
    assert "it disagrees with the verdict.**" in steps


def test_a_demo_and_an_abstained_run_say_so(tmp_path: Path) -> None:
    demo = export_report(sample_runs.graph_of(sample_runs.demo_run()), tmp_path / "d.md").read_text(encoding="utf-8")
    assert "**demo, no model: the scripted backend answered." in demo
    abstained = export_report(sample_runs.graph_of(sample_runs.abstained_run()), tmp_path / "a.md").read_text(encoding="utf-8")
    assert "No anchor close enough: the nearest is .31" in abstained
    assert not (tmp_path / "a_files").exists()


def test_hostile_text_is_inert_in_both(tmp_path: Path) -> None:
    graph = sample_runs.graph_of(sample_runs.hostile_run())
    html = export_report(graph, tmp_path / "h.html")
    reader = read_html(html)
    assert "script" not in reader.tags
    assert "<script>alert(1)</script>" in " ".join(reader.text)
    markdown = export_report(graph, tmp_path / "h.md").read_text(encoding="utf-8")
    prose = "\n".join(line for line in markdown.splitlines() if not line.startswith("    "))
    assert "<script" not in prose
    for content in (markdown, html.read_text(encoding="utf-8")):
        assert not re.search("[\x00-\x08\x0b-\x1f\u200b\u202e\ufeff]", content)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("*bold* _it_ `code` [a](b) <b>", r"\*bold\* \_it\_ \`code\` \[a\](b) &lt;b&gt;"),
        ("# heading", r"\# heading"),
        ("- item", r"\- item"),
        ("12. item", r"12\. item"),
        ("-0.66 and 0.7", "-0.66 and 0.7"),
        ("a | b\nc", r"a \| b c"),
        ("&amp;", "&amp;amp;"),
    ],
)
def test_markdown_is_escaped(text: str, shown: str) -> None:
    assert escaped(text) == shown


def test_the_command_repeats_the_question() -> None:
    words = shlex.split(repeat_command(sample_runs.graph_of(sample_runs.what_if_three_steps())))
    assert words[:3] == ["deepimagine", "imagine", "NCT99000101"]
    assert [words[i + 1] for i, word in enumerate(words) if word == "--set"] == [
        "dose=50 mg once daily",
        "geography=Japan",
        "time_frame=week 52",
    ]
    forecast = shlex.split(repeat_command(sample_runs.graph_of(sample_runs.forecast_run())))
    assert forecast[:3] == ["deepimagine", "forecast", "NCT99000900"]
    assert forecast[forecast.index("--anchors") + 1] == "7"


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    graph = sample_runs.graph_of(sample_runs.what_if_run())
    with pytest.raises(UsageError, match=r"\.md, \.html"):
        export_report(graph, tmp_path / "run.docx")
    with pytest.raises(RefusedError):
        export_report(ReasoningGraph(), tmp_path / "run.md")
    cancel = Event()
    cancel.set()
    with pytest.raises(CancelledError):
        export_report(graph, tmp_path / "run.md", cancel)
    assert list(tmp_path.iterdir()) == []


def test_a_report_carries_the_record_and_the_calibration(tmp_path: Path) -> None:
    record = "dose: right direction on 61% of 212 pairs in 12 trials, base rate 45%; better than the base rate"
    calibration = "calibration failed its check: intervals of what-ifs held 97%"
    events = [
        replace(event, record=record)
        if isinstance(event, StepEstimated)
        else replace(event, calibration=calibration)
        if isinstance(event, RunStarted)
        else event
        for event in sample_runs.revealed_run()
    ]
    said = export_report(sample_runs.graph_of(events), tmp_path / "run.md").read_text(encoding="utf-8").replace("\\", "")
    assert f"Record of {record}." in said
    assert calibration in said
