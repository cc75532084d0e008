"""Figures: nothing overlaps, nothing is missing, the same run gives the same bytes, and refusals are one sentence."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import threading
import warnings
from itertools import combinations
from pathlib import Path
from threading import Event
from xml.etree import ElementTree

import pytest
from deepimagine_exporters.figure import KINDS, FigureKind, drawing_settings, export_figure, render
from deepimagine_exporters.forest_figure import draw_forest
from deepimagine_exporters.graph_figure import draw_graph
from deepimagine_exporters.sheet import Sheet, Style, drawable, width_of, wrap
from deepimagine_exporters.trajectory_figure import draw_trajectory
from deepimagine_exporters.waterfall_figure import draw_waterfall
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from deepimagine_tui.errors import CancelledError, RefusedError, StorageError, UsageError
from deepimagine_tui.reasoning.graph import ReasoningGraph
from tests.support import sample_runs

DRAW = {"graph": draw_graph, "trajectory": draw_trajectory, "forest": draw_forest, "waterfall": draw_waterfall}


def boxes_of(sheet: Sheet) -> tuple[list[tuple[str, Bbox]], list[Bbox], Bbox]:
    """The extents, in pixels, of every text (but the watermark) and every card, and of the page."""
    with drawing_settings("graph"):
        figure = sheet.figure()
        renderer = FigureCanvasAgg(figure).get_renderer()
        shown = [text for text in figure.findobj(Text) if text.get_text() and text.get_gid() != "watermark"]
        texts = [(text.get_text(), text.get_window_extent(renderer)) for text in shown]
        cards = [patch.get_window_extent(renderer) for patch in figure.findobj(Rectangle) if patch.get_gid() == "card"]
        return texts, cards, figure.bbox


def shrunk(box: Bbox, by: float = 1.0) -> Bbox:
    return Bbox.from_extents(box.x0 + by, box.y0 + by, box.x1 - by, box.y1 - by)


def drawn(which: FigureKind, graph: ReasoningGraph) -> Sheet:
    try:
        return DRAW[which](graph)
    except RefusedError:
        pytest.skip("this run has nothing that the figure could show")


@pytest.mark.parametrize("which", KINDS)
def test_no_text_overlaps_another_and_all_are_on_the_page(which: FigureKind, any_run: ReasoningGraph) -> None:
    texts, _, page = boxes_of(drawn(which, any_run))
    assert len(texts) > 5
    for (one, a), (other, b) in combinations(texts, 2):
        assert not shrunk(a).overlaps(shrunk(b)), f"{one!r} lies over {other!r}"
    for text, box in texts:
        assert page.x0 <= box.x0, text
        assert box.x1 <= page.x1, text
        assert page.y0 <= box.y0, text
        assert box.y1 <= page.y1, text


def test_no_card_overlaps_another_and_each_text_is_inside_one_or_outside_all(any_run: ReasoningGraph) -> None:
    texts, cards, _ = boxes_of(draw_graph(any_run))
    assert cards
    for a, b in combinations(cards, 2):
        assert not a.overlaps(b)
    for text, box in texts:
        for card in cards:
            inside = card.x0 <= box.x0 and box.x1 <= card.x1 and card.y0 <= box.y0 and box.y1 <= card.y1
            assert inside or not shrunk(box).overlaps(card), text


@pytest.mark.parametrize("k", [1, 2, 10])
def test_forecasts_of_any_size_are_drawn_without_overlap(k: int) -> None:
    graph = sample_runs.graph_of(sample_runs.forecast_run(k))
    for which in KINDS:
        texts, _, _ = boxes_of(DRAW[which](graph))
        for (one, a), (other, b) in combinations(texts, 2):
            assert not shrunk(a).overlaps(shrunk(b)), f"{which}: {one!r} lies over {other!r}"


def test_the_graph_shows_values_intervals_provenance_and_context_of_use() -> None:
    said = " ".join(text for text, _ in draw_graph(sample_runs.graph_of(sample_runs.what_if_three_steps())).texts)
    for needed in (
        "−0.66",
        "[−0.74, −0.41] 95% CI posted, p < 0.001",
        "[−1.12, −0.56] 90% PI",
        "not calibrated",
        "10 mg once daily → 50 mg once daily",
        "9 countries → Japan",
        "percentage points",
        "seen in training",
        "z-test on the values disagrees: met",
        sample_runs.RUN_ID,
        "sha256 3f9ad1c08b5e",
        "adapter di-dose-v1",
        "prompt p1",
        "seed 7",
        "data of 2026-10-30",
        "NCT99000101",
        "Model output for hypothesis generation. Not evidence; not for patient care.",
    ):
        assert needed in said, needed


def test_statuses_differ_without_colour() -> None:
    figure = draw_graph(sample_runs.graph_of(sample_runs.what_if_run())).figure()
    styles = {
        (str(patch.get_linestyle()), patch.get_linewidth()) for patch in figure.findobj(Rectangle) if patch.get_gid() == "card"
    }
    assert len(styles) == 2
    slants = {text.get_text(): text.get_fontproperties().get_style() for text in figure.findobj(Text)}
    assert slants["−0.66"] == "normal"
    assert slants["−0.84"] == "oblique"


def test_the_posted_result_stands_beside_the_imagined_one() -> None:
    said = " ".join(text for text, _ in draw_graph(sample_runs.graph_of(sample_runs.revealed_run())).texts)
    assert "posted" in said
    assert "−0.78" in said
    assert "same direction, e 0.049 (copying the source: 0.15), same verdict" in said


@pytest.mark.parametrize("which", KINDS)
def test_a_demo_is_marked_on_every_figure(which: FigureKind) -> None:
    graph = sample_runs.graph_of(sample_runs.demo_run())
    texts = [text for text, _ in DRAW[which](graph).texts]
    assert texts.count("demo, no model") == 2
    assert "demo, no model" not in [text for text, _ in DRAW[which](sample_runs.graph_of(sample_runs.what_if_run())).texts]


def test_the_forest_has_a_row_for_each_pathway_and_the_aggregate() -> None:
    texts = [text for text, _ in draw_forest(sample_runs.graph_of(sample_runs.forecast_run())).texts]
    assert sum(text.startswith("NCT9900020") for text in texts) == 7
    assert "Aggregate of 6" in texts
    assert "step 3: no answer" in texts
    assert ".83" in texts


@pytest.mark.parametrize("suffix", [".svg", ".pdf", ".png"])
@pytest.mark.parametrize("which", KINDS)
def test_the_same_run_gives_the_same_bytes(which: FigureKind, suffix: str, tmp_path: Path) -> None:
    graph = sample_runs.graph_of(sample_runs.revealed_run())
    first = export_figure(graph, tmp_path / f"one{suffix}", which).read_bytes()
    assert export_figure(graph, tmp_path / f"two{suffix}", which).read_bytes() == first


def test_an_svg_keeps_its_text_carries_its_fonts_and_is_inert(tmp_path: Path) -> None:
    path = export_figure(sample_runs.graph_of(sample_runs.hostile_run()), tmp_path / "hostile.svg")
    content = path.read_text(encoding="utf-8")
    root = ElementTree.fromstring(content)
    said = " ".join("".join(text.itertext()) for text in root.iter("{http://www.w3.org/2000/svg}text"))
    assert "<script>alert(1)</script>" in said
    assert "$x_1^2$" in said
    assert not list(root.iter("{http://www.w3.org/2000/svg}script"))
    assert not re.search("[\x00-\x08\x0b-\x1f\u200b\u202e\ufeff]", content)
    assert content.count("@font-face") == 4
    assert "data:font/woff;base64," in content


def test_a_pdf_embeds_truetype_fonts(tmp_path: Path) -> None:
    content = export_figure(sample_runs.graph_of(sample_runs.what_if_run()), tmp_path / "a.PDF").read_bytes()
    assert content.startswith(b"%PDF")
    assert b"/FontFile2" in content
    assert b"/Type3" not in content


def test_a_png_has_300_dpi_and_a_huge_one_fewer_pixels() -> None:
    from PIL import Image

    small = Image.open(io.BytesIO(render(sample_runs.graph_of(sample_runs.what_if_run()), "graph", "png")))
    assert round(small.info["dpi"][0]) == 300
    big = render(sample_runs.graph_of(sample_runs.forecast_run(30)), "graph", "png")
    image = Image.open(io.BytesIO(big))
    assert image.size[0] * image.size[1] < 61_000_000
    assert max(image.size) < 2**16


@pytest.mark.parametrize("which", KINDS)
def test_a_run_without_an_anchor_is_refused_in_one_sentence(which: FigureKind, tmp_path: Path) -> None:
    path = tmp_path / "a.svg"
    with pytest.raises(RefusedError, match=r"^This run has no anchor to draw\."):
        export_figure(sample_runs.graph_of(sample_runs.abstained_run()), path, which)
    assert not path.exists()


def test_an_empty_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedError):
        export_figure(ReasoningGraph(), tmp_path / "a.png")


def test_an_unknown_ending_or_kind_names_the_known_ones(tmp_path: Path) -> None:
    graph = sample_runs.graph_of(sample_runs.what_if_run())
    with pytest.raises(UsageError, match=r"\.svg, \.png, \.pdf"):
        export_figure(graph, tmp_path / "figure.jpg")
    with pytest.raises(UsageError, match="graph, trajectory, forest, waterfall"):
        export_figure(graph, tmp_path / "figure.svg", "tornado")  # type: ignore[arg-type]  # what a user may type


def test_every_partial_run_is_drawn_or_refused() -> None:
    """A run can be exported at any moment: each prefix of its events is drawn, or refused with a sentence."""
    for make in (sample_runs.what_if_three_steps, sample_runs.failed_run, sample_runs.revealed_run):
        events = make()
        for end in range(1, len(events)):
            graph = sample_runs.graph_of(events[:end])
            for which in KINDS:
                try:
                    width = DRAW[which](graph).width
                except RefusedError:
                    continue
                assert width > 0


def test_cancelling_writes_nothing(tmp_path: Path) -> None:
    cancel = Event()
    cancel.set()
    path = tmp_path / "a.png"
    with pytest.raises(CancelledError):
        export_figure(sample_runs.graph_of(sample_runs.what_if_run()), path, cancel=cancel)
    assert list(tmp_path.iterdir()) == []


def test_an_unwritable_place_is_one_sentence(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("")
    with pytest.raises(StorageError):
        export_figure(sample_runs.graph_of(sample_runs.what_if_run()), blocker / "a.svg")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.svg"
    path.write_text("old")
    monkeypatch.setattr("os.fdopen", lambda *_args, **_more: open("/dev/full", "wb"))  # noqa: SIM115
    with pytest.raises(StorageError, match="No room is left"):
        export_figure(sample_runs.graph_of(sample_runs.what_if_run()), path)
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.svg"]


def test_threads_draw_the_same_and_pyplot_is_never_loaded() -> None:
    graph = sample_runs.graph_of(sample_runs.revealed_run())
    expected = {which: render(graph, which, "svg") for which in KINDS}
    found: dict[FigureKind, bytes] = {}
    threads = [threading.Thread(target=lambda w=which: found.update({w: render(graph, w, "svg")})) for which in KINDS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == expected
    assert "matplotlib.pyplot" not in sys.modules


def test_importing_the_exporters_loads_nothing_heavy() -> None:
    code = (
        "import sys, deepimagine_exporters.figure, deepimagine_exporters.report, deepimagine_exporters.data;"
        "print({'matplotlib', 'networkx', 'numpy', 'fontTools', 'textual'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_drawing_warns_of_nothing(any_run: ReasoningGraph) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        render(any_run, "graph", "png", dpi=40)


def test_text_is_measured_as_it_is_drawn_and_wrapped_to_fit() -> None:
    style = Style(8)
    lines = wrap("a word " * 20 + "x" * 200, style, 1.5)
    assert all(width_of(line, style) <= 1.5 for line in lines)
    assert "".join(lines).replace(" ", "") == "aword" * 20 + "x" * 200
    cut = wrap("a word " * 20, style, 1.5, 2)
    assert len(cut) == 2
    assert cut[-1].endswith("…")
    assert drawable("k1 - k2 -0.5 [-1, -2] NCT-01 10-20 \u6f22") == "k1 − k2 −0.5 [−1, −2] NCT-01 10-20 \ufffd"
