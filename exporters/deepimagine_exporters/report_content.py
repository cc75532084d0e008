"""What a report says: question, answer, observed results, the chain with the model's reasons, grades, how to repeat it."""

from __future__ import annotations

from collections.abc import Iterator

from deepimagine_exporters.cards import grade_lines
from deepimagine_exporters.probes import probe_parts
from deepimagine_exporters.provenance import (
    change_text,
    factor_name,
    is_demo,
    model_text,
    provenance_lines,
    question_text,
    seen_text,
    started_of,
    title_of,
)
from deepimagine_exporters.repeat import repeat_command
from deepimagine_exporters.report_tables import results_table, reveal_table
from deepimagine_exporters.words import (
    STATUS_MEANING,
    comparison_text,
    measure_notes,
    outcome_text,
    p_text,
)
from deepimagine_tui.document import Bullets, Code, Heading, Paragraph, Part, Picture, Quote, Table
from deepimagine_tui.reasoning.describe import rounded
from deepimagine_tui.reasoning.events import DEMO_MARK, Aggregated, Revealed
from deepimagine_tui.reasoning.graph import PathwayView, ReasoningGraph, StepView
from deepimagine_tui.reasoning.interpret import interpret
from deepimagine_tui.reasoning.interpret_text import agreements, signed
from deepimagine_tui.reasoning.probe_results import RunProbes
from deepimagine_tui.reasoning.state import State
from deepimagine_tui.reasoning.summary import MARKS, describe_answer, format_probability
from deepimagine_tui.reasoning.waterfall import waterfall_of
from deepimagine_tui.text import one_line

_HOW_TO_READ = (
    "k1 is the arm and k2 the comparator of a state. P(met) is the probability that the trial as configured, at its enrolment, "
    "would post a met superiority test; it is not power, not a p-value, and not the probability that k1 is better. CI posted: "
    "a confidence interval from the registry. PI: a prediction interval calibrated on held-out trials. e: the error on the "
    "measure's scale."
)
_MADE = {
    "model": "Asked of the model, which reasoned:",
    "arithmetic": "Arithmetic, not asked of the model: values stay, standard errors scale with the square root of enrolment.",
    "entered": "The result was entered by the user.",
    "kept": "Kept from an earlier run.",
}


def report_parts(graph: ReasoningGraph, pictures: tuple[Picture, ...], probes: RunProbes | None = None) -> Iterator[Part]:
    """The report of a run, part by part.

    Raises:
        RefusedError: the run never started.
    """
    started = started_of(graph)
    yield Heading(1, title_of(graph))
    yield Paragraph(started.context_of_use, strong=True)
    if is_demo(graph):
        yield Paragraph(
            f"{DEMO_MARK}: the scripted backend answered. No number in this report was imagined by a model.", strong=True
        )
    yield Heading(2, "Question")
    yield Paragraph(question_text(graph) + ".")
    if graph.pathways:
        configuration = graph.pathways[0].states[-1].configuration
        notes = measure_notes(configuration)
        yield Paragraph(f"Measure: {outcome_text(configuration)}" + (f" ({notes})." if notes else "."))
    yield Heading(2, "Answer")
    yield Paragraph(describe_answer(graph) or "None yet.")
    yield Paragraph(seen_text(graph), strong=any(view.anchor.seen_in_training for view in graph.pathways))
    yield from pictures
    yield from _observed(graph)
    yield from _chains(graph)
    yield from _interpretation(graph)
    if probes is not None:
        yield from probe_parts(probes)
    if graph.aggregated:
        yield from _aggregate(graph, graph.aggregated)
    yield from _troubles(graph)
    yield from _repeat(graph)
    yield Heading(2, "How to read this")
    yield Table(("Mark", "Status", "Meaning"), tuple((MARKS[status], status, text) for status, text in STATUS_MEANING.items()))
    yield Paragraph(_HOW_TO_READ)


def _observed(graph: ReasoningGraph) -> Iterator[Part]:
    if not graph.pathways:
        return
    yield Heading(2, "What was observed")
    seen: set[str] = set()
    for index, view in enumerate(graph.pathways):
        anchor = view.anchor
        if anchor.state.id in seen:
            continue
        seen.add(anchor.state.id)
        yield Heading(3, f"{_pathway_name(graph, index)}{anchor.state.nct_id}: {comparison_text(anchor.state.configuration)}")
        facts = [outcome_text(anchor.state.configuration)]
        if anchor.similarity is not None:
            parts = ", ".join(f"{one_line(name)} {format_probability(part)}" for name, part in anchor.parts.items())
            facts.append(f"similarity to the target {format_probability(anchor.similarity)}" + (f" ({parts})" if parts else ""))
        if anchor.differs_in:
            facts.append(f"differs in {', '.join(map(factor_name, anchor.differs_in))}")
        if anchor.unknown_factors:
            facts.append(f"unknown and left out of the path: {', '.join(map(factor_name, anchor.unknown_factors))}")
        yield Paragraph("; ".join(facts) + ".")
        yield results_table(anchor.state)


def _chains(graph: ReasoningGraph) -> Iterator[Part]:
    if not any(view.steps for view in graph.pathways):
        return
    yield Heading(2, "The chain, step by step")
    for index, view in enumerate(graph.pathways):
        if len(graph.pathways) > 1:
            yield Heading(3, f"Pathway {index + 1}, from {view.anchor.state.nct_id}")
        for step in view.steps:
            yield from _step(step, 4 if len(graph.pathways) > 1 else 3)
        if view.done and not view.done.complete:
            yield Paragraph("This pathway ended before the target.")


def _interpretation(graph: ReasoningGraph) -> Iterator[Part]:
    found = interpret(graph)
    waterfall = waterfall_of(found)
    if waterfall is None:
        return
    yield Heading(2, "What moved the result")
    bars = (*waterfall.bars, waterfall.total) if waterfall.total is not None else waterfall.bars
    yield Paragraph(f"The contribution of each step to {waterfall.says}, and to logit P(met):")
    yield Table(
        ("Step", "s", "logit P(met)"),
        tuple((each.name, signed(each.moved), signed(each.moved_logit)) for each in bars),
    )
    said = tuple(agreements(found))
    if said:
        yield Bullets(said)


def _step(step: StepView, level: int) -> Iterator[Part]:
    perturbation = step.planned.perturbation
    yield Heading(level, f"Step {step.planned.step + 1}: {change_text(perturbation)}")
    if perturbation.typed:
        reading = f", read as {one_line(perturbation.reading)}" if perturbation.reading else ""
        yield Paragraph(f"Typed: {one_line(perturbation.typed)}{reading}.")
    if step.planned.shortened:
        yield Paragraph(f"The prompt was shortened: {one_line(step.planned.shortened)}.")
    if step.failed:
        yield Paragraph(
            f"No answer ({step.failed.kind}): {one_line(step.failed.message)} {one_line(step.failed.hint)}".strip(), strong=True
        )
        if step.failed.completion:
            yield Quote(step.failed.completion)
        return
    if step.estimated is None:
        yield Paragraph("Not answered: the run ended before this step.")
        return
    estimated = step.estimated
    yield Paragraph(_MADE[estimated.kind])
    if estimated.reasoning:
        yield Quote(estimated.reasoning + (" […cut at the token limit]" if estimated.reasoning_cut else ""))
    if step.planned.opening:
        yield Paragraph(f"Computed, and given to the model to go on from: {one_line(step.planned.opening).removesuffix(':')}.")
    yield results_table(estimated.state)
    if estimated.record:
        yield Paragraph(f"Record of {one_line(estimated.record)}.")
    if estimated.stated_direction:
        yield Paragraph(f"Direction stated by the model: {estimated.stated_direction}.")
    if estimated.state.z_test:
        test = estimated.state.z_test
        beside = "agrees" if test.agrees else "disagrees"
        result = f"z {rounded(test.z)}, {p_text(test.p)}, {'met' if test.met else 'not met'}"
        yield Paragraph(f"z-test on the values: {result}; it {beside} with the verdict.", strong=not test.agrees)
    if estimated.revealed:
        yield from _reveal(estimated.state, estimated.revealed)


def _reveal(result: State | Aggregated, revealed: Revealed) -> Iterator[Part]:
    yield Paragraph("This configuration was posted. Read after the model had answered:")
    yield reveal_table(result, revealed)
    source = f"posted by {revealed.source.nct_id}, outcome {revealed.source.outcome_id}, group {revealed.source.group_id}"
    brier = "" if revealed.brier is None else f", Brier score {rounded(revealed.brier)}"
    grades = "; ".join(grade_lines(revealed))
    yield Paragraph(f"Grade: {grades or 'none'}{brier} ({source}).")


def _aggregate(graph: ReasoningGraph, total: Aggregated) -> Iterator[Part]:
    yield Heading(2, f"Aggregate of {total.answered} pathways")
    yield results_table(total)
    facts = [f"{total.agreement} of {total.answered} pathways agree on the verdict."]
    if total.spread_lower is not None and total.spread_upper is not None:
        facts.append(
            f"Spread of the pathways (interquartile range): {rounded(total.spread_lower)} to {rounded(total.spread_upper)}."
        )
    if total.anchors_with_verdict:
        facts.append(f"{total.anchors_met} of {total.anchors_with_verdict} anchors with a posted verdict were met.")
    if total.comparator_rule:
        facts.append(f"Comparator rule: {one_line(total.comparator_rule)}.")
    if total.record:
        facts.append(f"Record of {one_line(total.record)}.")
    yield Bullets(tuple(facts))
    yield Table(
        ("Pathway", "Anchor", "Similarity", "Weight", "Value at the target", "P(met)", "Verdict"),
        tuple(
            (
                str(share.pathway + 1),
                share.nct_id,
                "" if share.similarity is None else format_probability(share.similarity),
                format_probability(share.weight) if share.weight else "0",
                "no answer" if share.value is None else rounded(share.value),
                "" if share.probability is None else format_probability(share.probability),
                share.verdict,
            )
            for share in total.shares
        ),
    )
    if total.revealed:
        yield from _reveal(total, total.revealed)


def _troubles(graph: ReasoningGraph) -> Iterator[Part]:
    found: list[str] = []
    for index, view in enumerate(graph.pathways):
        found += _pathway_troubles(_pathway_name(graph, index), view)
    if graph.aggregated:
        found += [f"Aggregate: {one_line(warning)}" for warning in graph.aggregated.warnings]
    if graph.finished and graph.finished.outcome != "answered":
        found.append(
            f"The run ended with: {graph.finished.outcome.replace('_', ' ')}. {one_line(graph.finished.message)}".strip()
        )
    elif graph.finished and graph.finished.message:
        found.append(one_line(graph.finished.message))
    if graph.finished is None:
        found.append("The run has not ended: this is what it had said so far.")
    yield Heading(2, "Warnings and failures")
    yield Bullets(tuple(found)) if found else Paragraph("None.")


def _pathway_troubles(name: str, view: PathwayView) -> list[str]:
    found = [f"{name}{one_line(warning)}" for warning in view.anchor.warnings]
    for step in view.steps:
        place = f"{name}step {step.planned.step + 1}: "
        if step.planned.shortened:
            found.append(f"{place}the prompt was shortened: {one_line(step.planned.shortened)}")
        if step.failed:
            found.append(f"{place}{step.failed.kind}: {one_line(step.failed.message)}")
        if step.estimated:
            found += [f"{place}{one_line(warning)}" for warning in step.estimated.warnings]
    return found


def _pathway_name(graph: ReasoningGraph, index: int) -> str:
    return f"Pathway {index + 1}: " if len(graph.pathways) > 1 else ""


def _repeat(graph: ReasoningGraph) -> Iterator[Part]:
    started = started_of(graph)
    settings, model = started.request.settings, started.model
    yield Heading(2, "To repeat it")
    yield Code(repeat_command(graph))
    rows = [
        ("run", started.run_id),
        ("asked at", started.at),
        ("model", model_text(model)),
        ("model sha256", model.sha256),
        ("adapter sha256", model.adapter_sha256),
        ("backend", model.backend),
        ("prompt version", started.prompt_version),
        ("calibration", one_line(started.calibration)),
        ("seed", str(settings.seed)),
        ("temperature, top-p", f"{settings.temperature:g}, {settings.top_p:g}"),
        ("reasoning tokens", f"at most {settings.max_reasoning_tokens} a step"),
        ("samples", str(settings.samples)),
        ("corpus", f"{one_line(started.corpus_name)} {started.corpus_version}, data of {started.data_date}"),
        ("parent run", started.request.parent),
    ]
    yield Table(("Setting", "Value"), tuple(row for row in rows if row[1]))
    yield Paragraph("The same seed gives the same text only with the same build of the model's runtime and the same batch.")
    yield Paragraph(provenance_lines(graph)[0])
