"""The reasoning graph as a figure: states are cards, steps are labelled arrows, in the layers of the networkx graph."""

from __future__ import annotations

from msgspec.structs import replace

from deepimagine_exporters.graph_across import draw_across
from deepimagine_exporters.graph_down import draw_down
from deepimagine_exporters.marks import draw_footer, finish
from deepimagine_exporters.network import run_network
from deepimagine_exporters.sheet import Sheet
from deepimagine_exporters.words import met_how
from deepimagine_tui.errors import RefusedError
from deepimagine_tui.reasoning.graph import ReasoningGraph

NO_ANCHOR = "This run has no anchor to draw."
_EXPLAIN = ("k1: arm, k2: comparator. P(met): the probability that the trial as configured would post a met superiority test.",)
_PAGE = 1.5
"""Width over height of the page that a figure is meant for: a slide or a landscape sheet."""


def draw_graph(graph: ReasoningGraph) -> Sheet:
    """The reasoning graph of a run: one pathway from top to bottom with the model's reasons beside the arrows; several in
    rows or in columns, whichever fits a page better.

    Raises:
        RefusedError: the run has no anchor.
    """
    if not graph.pathways:
        raise RefusedError(NO_ANCHOR, graph.finished.message if graph.finished else "")
    sheet = Sheet()
    width = draw_across(sheet, graph) if _reads_across(graph) else draw_down(sheet, graph)
    draw_footer(sheet, graph, sheet.height, width, (*_EXPLAIN, *_pathway_probabilities(graph)))
    finish(sheet, graph)
    return sheet


def _reads_across(graph: ReasoningGraph) -> bool:
    """Whether rows need a smaller page: a layer of cards takes about 3.9 by 1.3 inches in rows, 3.2 by 2.0 in columns."""
    import networkx as nx

    network = run_network(graph)
    network.remove_nodes_from([node for node, kind in network.nodes(data="kind") if kind == "posted"])
    layers = len(list(nx.topological_generations(network)))
    pathways = len(graph.pathways)
    if pathways == 1:
        return False
    return max(3.9 * layers / _PAGE, 1.3 * pathways) < max(3.2 * pathways / _PAGE, 2.0 * layers)


def _pathway_probabilities(graph: ReasoningGraph) -> tuple[str, ...]:
    """How the P(met) of the small cards were made, which they have no room to say."""
    if len(graph.pathways) == 1:
        return ()
    states = [state for view in graph.pathways for state in view.states]
    how = {met_how(replace(state.met, mass=None)) for state in states if state.met and state.met.probability is not None}
    return (f"P(met) of the pathways: {'; '.join(sorted(how))}.",) if how else ()
