"""Figures of an evaluation: nothing overlaps or leaves the page, the same numbers give the same bytes, and refusals say why."""

from __future__ import annotations

import io
import re
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import pytest
from deepimagine_exporters.differences_figure import Differences, Row, draw_differences, export_differences, render_differences
from deepimagine_exporters.differences_figure import Panel as DifferencePanel
from deepimagine_exporters.evaluation_marks import Heading
from deepimagine_exporters.reliability_figure import Bin, Reliability, draw_reliability, export_reliability, render_reliability
from deepimagine_exporters.reliability_figure import Panel as ReliabilityPanel
from deepimagine_exporters.sheet import Sheet

from deepimagine_tui.errors import RefusedError, UsageError
from tests.exporters.test_figure import boxes_of, shrunk

HEADING = Heading("Superiority", "Made, 470 questions of 249 trials", ("sha256 of the set abcdef",))
LONG = "rag (gemma-3-270m-q4_k_m + adapter deadbeef) [anchors 7, samples 3]"
NAMES = (LONG, "direct", "ffnn", "random-forest", "majority", "comparator-rule", "copy-anchor", f"{LONG} #2", "x" * 90, "ü")
WORDS = ("better", "worse", "not distinguishable")


def differences(count: int, *, bare: bool = False) -> Differences:
    def rows(unit: float) -> tuple[Row, ...]:
        found = []
        for place, name in enumerate(NAMES[:count]):
            middle = unit * (place - 4)
            limits = (None, None) if bare else (middle - unit * 3, middle + unit * 2)
            found.append(Row(name, middle, *limits, f"{middle:+.3f} [{middle:+.3f}, {middle:+.3f}]", "249", WORDS[place % 3]))
        return tuple(found)

    panels = (
        DifferencePanel("macro-F1", "percentage points", rows(3.0)),
        DifferencePanel("Brier", "Brier score", rows(0.02), lower_is_better=True),
        DifferencePanel("direction", "percentage points", ()),
    )
    return Differences(HEADING, LONG, panels)


def reliability(count: int, filled: tuple[int, ...] = tuple(range(10))) -> Reliability:
    bins = tuple(Bin(at / 10, (at + 1) / 10, at / 10 + 0.05, 0.1 * at, None, None, 3 + at * at * 20) for at in filled)
    panels = [ReliabilityPanel(name, "ECE 0.123 [0.100, 0.150]; 470 questions of 249 trials", bins) for name in NAMES[:count]]
    return Reliability(HEADING, "met", tuple(panels))


def check_layout(sheet: Sheet) -> None:
    texts, _, page = boxes_of(sheet)
    assert len(texts) > 5
    for (one, a), (other, b) in combinations(texts, 2):
        assert not shrunk(a).overlaps(shrunk(b)), f"{one!r} lies over {other!r}"
    for text, box in texts:
        assert page.x0 <= box.x0, text
        assert box.x1 <= page.x1, text
        assert page.y0 <= box.y0, text
        assert box.y1 <= page.y1, text


@pytest.mark.parametrize("count", [1, 10])
@pytest.mark.parametrize("bare", [False, True])
def test_differences_are_laid_out_without_overlap(count: int, bare: bool):
    check_layout(draw_differences(differences(count, bare=bare)))


@pytest.mark.parametrize("count", [1, 2, 10])
@pytest.mark.parametrize("filled", [(0,), (0, 3, 9), tuple(range(10))])
def test_reliability_is_laid_out_without_overlap(count: int, filled: tuple[int, ...]):
    check_layout(draw_reliability(reliability(count, filled)))


def test_every_number_and_word_is_on_the_page():
    texts = [text for text, _ in draw_differences(differences(3)).texts]
    assert texts.count("249") == 6
    assert [text for text in texts if text in WORDS] == [*WORDS, *WORDS]
    assert "← the other is better" in texts
    assert "← this one is better" in texts, "of a score that is better when lower"
    counts = [text for text, _ in draw_reliability(reliability(1, (0, 3))).texts]
    assert "3" in counts
    assert "183" in counts


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_the_same_numbers_give_the_same_bytes(suffix: str, tmp_path: Path):
    first = export_differences(differences(2), tmp_path / f"a{suffix}").read_bytes()
    assert first == export_differences(differences(2), tmp_path / f"b{suffix}").read_bytes()
    second = export_reliability(reliability(2), tmp_path / f"c{suffix}").read_bytes()
    assert second == export_reliability(reliability(2), tmp_path / f"d{suffix}").read_bytes()
    assert first != second


def test_an_svg_holds_its_text_title_and_source():
    for content in (render_differences(differences(1), "svg"), render_reliability(reliability(1), "svg")):
        text = content.decode()
        ElementTree.parse(io.StringIO(text))
        assert "Superiority" in text
        assert "sha256 of the set abcdef" in text
        assert re.search("Not evidence; not for patient care", text)


def test_refusals(tmp_path: Path):
    with pytest.raises(RefusedError, match="no difference to draw"):
        draw_differences(Differences(HEADING, "one", ()))
    with pytest.raises(RefusedError, match="No probability was said"):
        draw_reliability(Reliability(HEADING, "met", (ReliabilityPanel("one", "", ()),)))
    with pytest.raises(UsageError, match="cannot be written"):
        export_differences(differences(1), tmp_path / "figure.gif")
    assert not list(tmp_path.iterdir())
