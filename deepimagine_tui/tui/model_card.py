"""A model's card as text: what it is, where it lies, and what is known of how well it does."""

from __future__ import annotations

from textual.content import Content

from deepimagine_tui.backends.facts import ModelFacts
from deepimagine_tui.tui.show import inert

STATES = {
    "ready": "ready",
    "not unpacked": "not unpacked yet",
    "unusable": "cannot be used",
    "remote": "remote",
    "demo": "demo, no model",
}
"""The state of a model, in the words of the screens."""


def size_text(size: int) -> str:
    """`255 MB`; empty for nothing."""
    if not size:
        return ""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def count_text(parameters: int) -> str:
    """`268 M`; empty for nothing."""
    if not parameters:
        return ""
    return f"{parameters / 1e9:.1f} B" if parameters >= 1e9 else f"{parameters / 1e6:.0f} M"


def card(facts: ModelFacts, *, in_use: bool, speed: str = "") -> Content:
    """The card. `speed` is what a measurement on this machine gave."""
    rows = [
        ("id", facts.id),
        ("state", f"{STATES[facts.state]}{', in use' if in_use else ''}"),
        ("architecture", facts.architecture),
        ("parameters", count_text(facts.parameters)),
        ("quantisation", facts.quantisation),
        ("size", size_text(facts.size_bytes)),
        ("context", f"{facts.context_length:,} tokens" if facts.context_length else ""),
        ("template", facts.template),
        ("licence", facts.licence or ("not stated in the file" if facts.path else "")),
        ("lies in", facts.path),
        ("server", facts.url),
        ("served as", facts.served_as),
        ("adapter", facts.adapter or ("none" if facts.kind in ("file", "embedded") else "")),
        ("sha256", facts.sha256),
        ("speed here", speed),
        ("problem", facts.problem),
    ]
    label = max(len(name) for name, _ in rows) + 2
    lines = [Content.styled(inert(facts.name), "bold"), Content("")]
    lines += [Content.assemble((f"{name:<{label}}", "dim"), inert(value)) for name, value in rows if value]
    return Content("\n").join([*lines, Content(""), *_trust(facts)])


def _trust(facts: ModelFacts) -> list[Content]:
    lines = [Content.styled("How far to trust it", "bold"), Content("")]
    if facts.kind == "scripted":
        return [
            *lines,
            Content(
                "There is no model behind this entry. It moves the numbers of the prompt by a fixed rule, so that everything "
                "can be tried without a model; whatever it makes says so."
            ),
        ]
    if facts.card:
        return [*lines, *(Content(inert(sentence)) for sentence in facts.card)]
    return [
        *lines,
        Content(
            "No evaluation of this model is on file. Its numbers carry no calibrated interval, and its P(met) is the model's "
            "own, uncorrected. Most trials were posted before such models were made: the model may have read their results."
        ),
    ]
