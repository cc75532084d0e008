"""Data files come back as what went in, and a spreadsheet computes nothing from them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import networkx as nx
import pytest
from deepimagine_exporters.data import export_data, read_graph, read_run
from deepimagine_exporters.data_csv import COLUMNS, MORE_COLUMNS
from deepimagine_exporters.data_dot import dot_text, parse_dot
from deepimagine_exporters.network import run_network
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from deepimagine_tui.errors import BadInputError, NewerSchemaError, NotFoundError, RefusedError, StorageError, UsageError
from deepimagine_tui.reasoning.events import StepEstimated
from deepimagine_tui.reasoning.graph import ReasoningGraph
from tests.support import sample_runs

EXACTLY = (
    "status,nct_id,outcome_id,class,group,value,unit,basis,dispersion,interval,level,n,analysis set,contrast,orientation,"
    "hypothesis,p,model hash,adapter,seed,data date,seen in training"
)


def same(one: nx.DiGraph, other: nx.DiGraph) -> bool:
    drop = {"node_default", "edge_default"}
    graphs = [{key: value for key, value in graph.graph.items() if key not in drop} for graph in (one, other)]
    return (
        dict(one.nodes(data=True)) == dict(other.nodes(data=True))
        and list(one.edges(data=True)) == list(other.edges(data=True))
        and graphs[0] == graphs[1]
    )


@pytest.mark.parametrize("suffix", ["json", "graphml", "dot"])
def test_graphs_come_back_with_every_attribute_and_its_type(suffix: str, any_run: ReasoningGraph, tmp_path: Path) -> None:
    path = export_data(any_run, tmp_path / f"run.{suffix}")
    assert same(read_graph(path), run_network(any_run))


def test_json_comes_back_as_the_same_run_and_as_networkx_reads_it(any_run: ReasoningGraph, tmp_path: Path) -> None:
    path = export_data(any_run, tmp_path / "run.json")
    assert read_run(path) == any_run
    content = json.loads(path.read_bytes())
    assert content["demo"] is any_run.started.model.demo  # type: ignore[union-attr]  # every sample run has started
    assert same(nx.node_link_graph(content["graph"], edges="edges"), run_network(any_run))


def test_dot_is_read_by_pydot_too(any_run: ReasoningGraph, tmp_path: Path) -> None:
    pytest.importorskip("pydot", reason="pydot is not installed")
    path = export_data(any_run, tmp_path / "run.dot")
    read = nx.nx_pydot.read_dot(path)
    expected = run_network(any_run)
    assert {node.strip('"') for node in read.nodes} == set(expected.nodes)
    assert {(a.strip('"'), b.strip('"')) for a, b, *_ in read.edges} == set(expected.edges)


scalars = st.one_of(st.text(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.booleans())


@given(st.dictionaries(st.text(min_size=1), scalars, max_size=4), st.text(min_size=1), st.text(min_size=1))
def test_any_text_and_number_survives_dot(attributes: dict[str, str | int | float | bool], one: str, other: str) -> None:
    graph = nx.DiGraph()
    kept = {key: value for key, value in attributes.items() if key not in ("shape", "style", "peripheries", "rankdir")}
    graph.add_node(one, **kept)
    graph.add_node(other)
    graph.add_edge(one, other, **kept)
    read = parse_dot(dot_text(graph))
    assert same(read, graph)
    assert [type(value) for value in read.nodes[one].values()] == [type(value) for value in graph.nodes[one].values()]


def read_csv(graph: ReasoningGraph, folder: Path) -> list[dict[str, str]]:
    path = export_data(graph, folder / "run.csv")
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_csv_has_the_promised_columns_first(tmp_path: Path) -> None:
    path = export_data(sample_runs.graph_of(sample_runs.what_if_run()), tmp_path / "run.csv")
    header = path.read_text(encoding="utf-8").splitlines()[0]
    assert header.startswith(EXACTLY + ",")
    assert header.split(",") == [*COLUMNS, *MORE_COLUMNS]


def test_csv_says_of_each_number_what_it_is(tmp_path: Path) -> None:
    rows = read_csv(sample_runs.graph_of(sample_runs.revealed_run()), tmp_path)
    observed = rows[0]
    assert (observed["status"], observed["value"], observed["dispersion"], observed["n"]) == (
        "observed",
        "-0.66",
        "SD 0.79",
        "224",
    )
    assert observed["model hash"] == ""
    contrast = next(row for row in rows if row["role"] == "contrast")
    assert (contrast["interval"], contrast["level"], contrast["interval kind"]) == ("[-0.74, -0.41]", "95", "CI posted")
    assert (contrast["contrast"], contrast["orientation"], contrast["p"]) == ("mean difference", "k1-k2", "p < 0.001")
    imagined = next(row for row in rows if row["status"] == "imagined" and row["role"] == "arm")
    assert (imagined["value"], imagined["interval kind"], imagined["level"]) == ("-0.74", "PI", "90")
    assert imagined["model hash"] == sample_runs.MODEL.sha256
    assert imagined["seed"] == "7"
    assert imagined["factor"] == "dose"
    posted = [row for row in rows if row["row"] == "posted"]
    assert [(row["role"], row["status"], row["value"]) for row in posted[:2]] == [
        ("arm", "observed", "-0.78"),
        ("comparator", "observed", "-0.08"),
    ]
    probability = next(row for row in rows if row["role"] == "P(met)" and row["status"] == "imagined")
    assert (probability["value"], probability["how"], probability["mass"]) == ("0.86", "logits", "0.973")
    assert {row["seen in training"] for row in rows} == {"no"}


def test_csv_says_of_each_imagined_number_how_good_the_model_is_at_it(tmp_path: Path) -> None:
    record = "dose: right in 61% of 212 pairs in 12 trials"
    events = [
        replace(event, record=record) if isinstance(event, StepEstimated) else event for event in sample_runs.revealed_run()
    ]
    rows = read_csv(sample_runs.graph_of(events), tmp_path)
    imagined = [row["record"] for row in rows if row["status"] == "imagined"]
    assert imagined
    assert set(imagined) == {record}
    assert {row["record"] for row in rows if row["status"] == "observed"} == {""}


def test_no_cell_of_a_csv_is_a_formula(tmp_path: Path) -> None:
    rows = read_csv(sample_runs.graph_of(sample_runs.hostile_run()), tmp_path)
    texts = [text for row in rows for text in row.values() if text]
    assert any("HYPERLINK" in text for text in texts)
    for text in texts:
        if text[0] in "=+-@\t\r":
            float(text)
        assert "\x1b" not in text
        assert "\u202e" not in text


def test_a_demo_says_so_in_every_row_and_file(tmp_path: Path) -> None:
    graph = sample_runs.graph_of(sample_runs.demo_run())
    assert {row["demo"] for row in read_csv(graph, tmp_path)} == {"yes"}
    for suffix in ("graphml", "dot"):
        assert read_graph(export_data(graph, tmp_path / f"run.{suffix}")).graph["demo"] is True


def test_every_file_carries_the_context_of_use(any_run: ReasoningGraph, tmp_path: Path) -> None:
    for suffix in ("json", "csv", "graphml", "dot"):
        content = export_data(any_run, tmp_path / f"run.{suffix}").read_text(encoding="utf-8")
        assert "Model output for hypothesis generation. Not evidence; not for patient care." in content


def test_an_abstained_run_is_data_too(tmp_path: Path) -> None:
    graph = sample_runs.graph_of(sample_runs.abstained_run())
    assert read_run(export_data(graph, tmp_path / "run.json")) == graph
    assert read_csv(graph, tmp_path) == []
    assert len(read_graph(export_data(graph, tmp_path / "run.dot"))) == 0


def test_the_format_may_be_named_and_an_unknown_one_names_the_known(tmp_path: Path) -> None:
    graph = sample_runs.graph_of(sample_runs.what_if_run())
    assert export_data(graph, tmp_path / "run", "csv").read_text(encoding="utf-8").startswith("status,")
    with pytest.raises(UsageError, match="json, csv, graphml, dot"):
        export_data(graph, tmp_path / "run.xlsx")
    with pytest.raises(UsageError, match=r"\.json, \.graphml, \.dot"):
        read_graph(tmp_path / "run.csv")
    with pytest.raises(RefusedError):
        export_data(ReasoningGraph(), tmp_path / "run.json")
    with pytest.raises(StorageError):
        export_data(graph, export_data(graph, tmp_path / "run.csv") / "below.json")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", b""),
        ("a.json", b"\xff\xfe{}"),
        ("a.json", b'{"format": "something else"}'),
        ("a.json", b'{"format": "deepimagine run", "schema_version": 1}'),
        ("a.json", b"[" * 100_000),
        ("a.graphml", b"<graphml>"),
        ("a.graphml", b"not xml"),
        ("a.dot", b"graph {}"),
        ("a.dot", b'strict digraph {\n"a" ["x"=1'),
        ("a.dot", b'strict digraph {\n"a"\n}'),
        ("a.dot", b"\xff"),
        ("a.dot", b""),
    ],
)
def test_a_file_that_is_something_else_gives_one_sentence(name: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(BadInputError):
        read_graph(path)


def test_a_newer_file_and_a_missing_one_say_so(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"format": "deepimagine run", "schema_version": 99}')
    with pytest.raises(NewerSchemaError):
        read_run(path)
    with pytest.raises(NotFoundError):
        read_run(tmp_path / "none.json")
