"""A run as data: JSON, CSV, GraphML and DOT, and reading them back.

JSON holds the whole run (`read_run` gives the same `ReasoningGraph`) and its graph in networkx's node-link form; GraphML and
DOT hold the graph; CSV holds one number a row.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from deepimagine_exporters.data_csv import csv_text
from deepimagine_exporters.data_dot import dot_text, parse_dot
from deepimagine_exporters.network import run_network
from deepimagine_exporters.provenance import is_demo, started_of
from deepimagine_tui.errors import BadInputError, NewerSchemaError, NotFoundError, UsageError
from deepimagine_tui.files import write_bytes
from deepimagine_tui.reasoning.graph import ReasoningGraph
from deepimagine_tui.reasoning.probe_results import RunProbes

if TYPE_CHECKING:
    import networkx as nx

DataFormat = Literal["json", "csv", "graphml", "dot"]
SCHEMA_VERSION = 1
FORMAT = "deepimagine run"


class RunFile(msgspec.Struct, frozen=True, kw_only=True):
    """What a JSON export holds. `run` is the whole run; `graph` the same as `run_network`, for other tools; `probes`
    are there where it was probed."""

    format: str
    schema_version: int
    context_of_use: str
    demo: bool
    run: ReasoningGraph
    graph: dict[str, Any]
    probes: RunProbes | None = None


class _Header(msgspec.Struct, frozen=True):
    format: str = ""
    schema_version: int = 0


def export_data(graph: ReasoningGraph, path: Path, file_format: str = "", *, probes: RunProbes | None = None) -> Path:
    """Write a run to `path` in the given format, else in that of the suffix (`.json`, `.csv`, `.graphml`, `.dot`). JSON
    holds its `probes` too, where it was probed.

    Raises:
        UsageError: the format is unknown.
        RefusedError: the run never started.
        StorageError: the file cannot be written.
    """
    wanted = (file_format or path.suffix.removeprefix(".")).casefold()
    writer = _WRITERS.get(wanted)
    if writer is None:
        raise UsageError(f"Data cannot be written as {wanted or path.name!r}.", f"Choose one of {', '.join(_WRITERS)}.")
    started_of(graph)
    write_bytes(path, _json(graph, probes) if wanted == "json" else writer(graph))
    return path


def read_graph(path: Path) -> nx.DiGraph:
    """The networkx graph of an exported `.json`, `.graphml` or `.dot` file.

    Raises:
        UsageError: the suffix names no format that holds a graph.
        NotFoundError: there is no such file.
        BadInputError: the file is not what its suffix says.
    """
    reader = _READERS.get(path.suffix.casefold())
    if reader is None:
        raise UsageError(f"{path.name!r} holds no graph.", f"Choose a file with one of the endings {', '.join(_READERS)}.")
    return reader(_content(path), path)


def read_run(path: Path) -> ReasoningGraph:
    """The run in an exported `.json` file, equal to the one that was exported.

    Raises:
        NotFoundError: there is no such file.
        BadInputError: the file is not an exported run.
        NewerSchemaError: a newer DeepImagine wrote it.
    """
    return _run_file(_content(path), path).run


def _json(graph: ReasoningGraph, probes: RunProbes | None = None) -> bytes:
    content = RunFile(
        format=FORMAT,
        schema_version=SCHEMA_VERSION,
        context_of_use=started_of(graph).context_of_use,
        demo=is_demo(graph),
        run=graph,
        graph=_node_link(run_network(graph)),
        probes=probes if probes is not None and probes.asked else None,
    )
    return msgspec.json.format(msgspec.json.encode(content), indent=1) + b"\n"


def _csv(graph: ReasoningGraph) -> bytes:
    return csv_text(graph).encode("utf-8")


def _graphml(graph: ReasoningGraph) -> bytes:
    import networkx as nx

    stream = io.BytesIO()
    nx.write_graphml(run_network(graph), stream, encoding="utf-8")
    return stream.getvalue()


def _dot(graph: ReasoningGraph) -> bytes:
    return dot_text(run_network(graph)).encode("utf-8")


_WRITERS: dict[str, Callable[[ReasoningGraph], bytes]] = {"json": _json, "csv": _csv, "graphml": _graphml, "dot": _dot}


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no file {path}.") from error
    except OSError as error:
        raise BadInputError(f"{path} cannot be read ({error.strerror or error}).") from error


def _run_file(content: bytes, path: Path) -> RunFile:
    try:
        header = msgspec.json.decode(content, type=_Header)
        if header.format != FORMAT:
            raise BadInputError(f"{path} is not an exported run.", "Export one with `deepimagine export data RUN -o run.json`.")
        if header.schema_version > SCHEMA_VERSION:
            raise NewerSchemaError(f"{path} was written by a newer DeepImagine.", "Update DeepImagine to read it.")
        return msgspec.json.decode(content, type=RunFile)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadInputError(f"{path} is not an exported run ({error}).") from error


def _node_link(network: nx.DiGraph) -> dict[str, Any]:
    """networkx's node-link form, with the names that its releases from 3.4 on use."""
    return {
        "directed": True,
        "multigraph": False,
        "graph": dict(network.graph),
        "nodes": [{**attributes, "id": node} for node, attributes in network.nodes(data=True)],
        "edges": [{**attributes, "source": a, "target": b} for a, b, attributes in network.edges(data=True)],
    }


def _read_json(content: bytes, path: Path) -> nx.DiGraph:
    import networkx as nx

    form = _run_file(content, path).graph
    network = nx.DiGraph()
    try:
        network.graph.update(form["graph"])
        for node in form["nodes"]:
            network.add_node(node.pop("id"), **node)
        for edge in form["edges"]:
            network.add_edge(edge.pop("source"), edge.pop("target"), **edge)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise BadInputError(f"{path} holds no graph that can be read ({error}).") from error
    return network


def _read_graphml(content: bytes, path: Path) -> nx.DiGraph:
    from xml.etree.ElementTree import ParseError

    import networkx as nx

    try:
        return nx.DiGraph(nx.read_graphml(io.BytesIO(content)))
    except (ParseError, nx.NetworkXException, ValueError, KeyError) as error:
        raise BadInputError(f"{path} is not GraphML ({error}).") from error


def _read_dot(content: bytes, path: Path) -> nx.DiGraph:
    try:
        return parse_dot(content.decode("utf-8"))
    except ValueError as error:
        raise BadInputError(f"{path} is not DOT as DeepImagine writes it ({error}).") from error


_READERS: dict[str, Callable[[bytes, Path], nx.DiGraph]] = {".json": _read_json, ".graphml": _read_graphml, ".dot": _read_dot}
