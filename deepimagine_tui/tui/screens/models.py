"""Models: what there is, what is in use, each model's card."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import DataTable

from deepimagine_tui.backends.protocol import GenerationFailed, GenerationFinished, GenerationRequest, ModelBackend
from deepimagine_tui.errors import ModelError
from deepimagine_tui.tui.actions import bind
from deepimagine_tui.tui.copying import ExportChoice, text_choice
from deepimagine_tui.tui.evidence import Evidence, calibration_figure, records_text, scores_text
from deepimagine_tui.tui.model_card import STATES, card, size_text
from deepimagine_tui.tui.screens.base import HouseScreen
from deepimagine_tui.tui.show import clip
from deepimagine_tui.tui.status import ShellStatus
from deepimagine_tui.tui.widgets.drawn import DrawnPane
from deepimagine_tui.tui.widgets.panes import Pane, Panes
from deepimagine_tui.tui.widgets.table import HouseTable
from deepimagine_tui.tui.widgets.tabs import TabbedPart
from deepimagine_tui.tui.widgets.text_pane import TextPane

if TYPE_CHECKING:
    from deepimagine_tui.backends.facts import ModelFacts

SPEED_PROMPT = (
    "A randomised trial compares two doses of one drug with placebo. The higher dose lowers blood pressure further because"
)
SPEED_TOKENS = 64
REPORT_EVERY = 0.1


@dataclass
class ModelsListed(Message):
    """What is known of each model, and which one is chosen."""

    models: tuple[ModelFacts, ...]
    chosen: str


@dataclass
class EvidenceRead(Message):
    """What is on file of how far a model can be trusted."""

    entry_id: str
    evidence: Evidence


@dataclass
class ModelUsed(Message):
    """Another model was chosen."""


@dataclass
class PullProgress(Message):
    """How far a model is, 0 to 1."""

    entry_id: str
    share: float


@dataclass
class SpeedMeasured(Message):
    """What a measurement gave."""

    entry_id: str
    text: str


class ModelTable(HouseTable, inherit_bindings=False):
    """The models; enter uses the one under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = bind(
        "list.up", "list.down", "list.page-up", "list.page-down", "list.top", "list.bottom", "list.open",
        labels={"list.open": "use"},
    )  # fmt: skip
    HELP = "The models known here; ▸ marks the one that answers. Enter or u uses the one under the cursor."

    def __init__(self) -> None:
        super().__init__(id="models", export_name="models")


class CardPart(TabbedPart):
    """What a model is, how well it did, how often it was right, and how its P(met) and intervals held."""

    def __init__(self) -> None:
        super().__init__(
            ("Card", TextPane(id="card")),
            ("Scores", DrawnPane(id="scores")),
            ("Records", DrawnPane(id="records")),
            ("Calibration", DrawnPane(id="calibration")),
        )

    def draw(self, evidence: Evidence | None) -> None:
        """Show what is on file; `None` while it is read."""
        if evidence is None:
            waiting = Content.styled("Reading…", "dim")
            for name in ("scores", "records", "calibration"):
                self.query_one(f"#{name}", DrawnPane).draw_with(lambda _width, _height: waiting)
            return
        on_file, scores = evidence.on_file, evidence.scores
        self.query_one("#scores", DrawnPane).draw_with(lambda width, _height: scores_text(scores, width))
        self.query_one("#records", DrawnPane).draw_with(lambda width, _height: records_text(on_file.records, width))
        self.query_one("#calibration", DrawnPane).draw_with(lambda width, height: calibration_figure(on_file, width, height))


class ModelsScreen(HouseScreen):
    """The list on the left, the card of the model under the cursor on the right."""

    NAME = "Models"
    HELP = "u uses the model under the cursor from now on, p makes its file ready, b measures its speed on this machine."
    BINDINGS: ClassVar[list[BindingType]] = bind("models.use", "models.pull", "models.bench")

    def __init__(self) -> None:
        super().__init__()
        self._models: dict[str, ModelFacts] = {}
        self._chosen = ""
        self._speeds: dict[str, str] = {}
        self._shares: dict[str, float] = {}
        self._evidence: dict[str, Evidence] = {}
        self._cancel = Event()

    def body(self) -> ComposeResult:
        """List and card."""
        yield Panes(
            Pane("Models", ModelTable(), id="models-list"),
            Pane("Card", CardPart(), id="card-pane"),
        )

    def on_screen_resume(self) -> None:
        """Models may have been added, or got ready."""
        super().on_screen_resume()
        self.list_models()

    def show_status(self, status: ShellStatus) -> None:
        """A model that got ready can be measured now."""
        super().show_status(status)
        self.refresh_bindings()

    # Reading

    @work(thread=True, exclusive=True, exit_on_error=False, group="models", description="list the models")
    def list_models(self) -> None:
        """Read the catalogue and the files' headers."""
        from deepimagine_tui.backends.facts import model_facts

        chosen = self.house.services.model_choice().name
        facts = tuple(model_facts(entry) for entry in self.house.services.models())
        self.post_message(ModelsListed(facts, chosen))

    @on(ModelsListed)
    def _listed(self, event: ModelsListed) -> None:
        self._models = {facts.id: facts for facts in event.models}
        self._evidence.clear()
        self._chosen = event.chosen
        self._fill()
        if self.focused is None:
            self.query_one(ModelTable).focus()
        self._show_card()

    def _fill(self) -> None:
        table = self.query_one(ModelTable)
        key = table.cursor_key or self._chosen
        table.clear(columns=True)
        widths = {"": 2, "Model": max(table.size.width - 46, 14), "Quant.": 8, "Size": 8, "Context": 9, "State": 17}
        for name, width in widths.items():
            table.add_column(Text(name), width=width)
        for facts in self._models.values():
            share = self._shares.get(facts.id)
            state = STATES[facts.state] if share is None else f"{share:.0%}"
            context = f"{facts.context_length:,}" if facts.context_length else ""
            cells = (clip(facts.name, widths["Model"] - 1), facts.quantisation, size_text(facts.size_bytes), context, state)
            used = Content("▸" if facts.id == self._chosen else "")
            table.add_row(used, *(Content(cell) for cell in cells), key=facts.id)
        if key in table.rows:
            table.move_cursor(row=table.get_row_index(key), animate=False)

    @on(DataTable.RowHighlighted, "#models")
    def _show_card(self) -> None:
        facts = self._current
        if facts is not None:
            shown = card(facts, in_use=facts.id == self._chosen, speed=self._speeds.get(facts.id, ""))
            self.query_one("#card", TextPane).show(shown)
            evidence = self._evidence.get(facts.id)
            self.query_one(CardPart).draw(evidence)
            if evidence is None:
                self.read_evidence(facts.id)
        self.refresh_bindings()

    @work(thread=True, exclusive=True, exit_on_error=False, group="evidence", description="read what is known of the model")
    def read_evidence(self, entry_id: str) -> None:
        """Find the scores, records and calibration of a model, by the hashes of its weights."""
        from deepimagine_tui.backends.adapter_facts import scores_of

        entry = next(each for each in self.house.services.models() if each.id == entry_id)
        scores = scores_of(Path(entry.adapter)) if entry.adapter else None
        self.post_message(EvidenceRead(entry_id, Evidence(self.house.services.on_file(entry), scores)))

    @on(EvidenceRead)
    def _evidence_read(self, event: EvidenceRead) -> None:
        self._evidence[event.entry_id] = event.evidence
        if self._current is not None and self._current.id == event.entry_id:
            self.query_one(CardPart).draw(event.evidence)

    @property
    def _current(self) -> ModelFacts | None:
        return self._models.get(self.query_one(ModelTable).cursor_key)

    # Using

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What the model under the cursor cannot do is not offered."""
        facts = self._current if self.is_mounted else None
        if action == "use":
            return facts is not None and facts.id != self._chosen and facts.state != "unusable"
        if action == "pull":
            return facts is not None and facts.state == "not unpacked" and facts.id not in self._shares
        if action == "bench":
            return facts is not None and facts.id == self._chosen and self.house.backend is not None
        return super().check_action(action, parameters)

    @on(DataTable.RowSelected, "#models")
    def action_use(self) -> None:
        """Use the model under the cursor from now on."""
        facts = self._current
        if facts is not None and self.check_action("use", ()) and self.house.may_start():
            self.use_model(facts.id)

    @work(thread=True, exclusive=True, exit_on_error=False, group="choose", description="choose the model")
    def use_model(self, entry_id: str) -> None:
        """Write the choice."""
        self.house.services.use_model(entry_id)
        self.post_message(ModelUsed())

    @on(ModelUsed)
    def _model_used(self) -> None:
        self.house.prepare_model()
        self.list_models()

    def action_pull(self) -> None:
        """Assemble the file of the model under the cursor."""
        facts = self._current
        if facts is not None:
            self._cancel = Event()
            self.pull_model(facts.id, self._cancel)

    @work(thread=True, exclusive=True, exit_on_error=False, group="pull", description="make the model's file ready")
    def pull_model(self, entry_id: str, cancel: Event) -> None:
        """Assemble and check it, telling how far it is."""
        from deepimagine_tui.backends.catalogue import ensure_ready

        last = 0.0

        def progress(share: float) -> None:
            nonlocal last
            if share >= 1 or monotonic() - last > REPORT_EVERY:
                last = monotonic()
                self.post_message(PullProgress(entry_id, share))

        ensure_ready(self.house.services.catalogue().get(entry_id), progress, cancel)
        self.post_message(PullProgress(entry_id, 1.0))

    @on(PullProgress)
    def _pulled(self, event: PullProgress) -> None:
        if event.share >= 1:
            self._shares.pop(event.entry_id, None)
            self.list_models()
        else:
            self._shares[event.entry_id] = event.share
            self._fill()

    def back(self) -> bool:
        """Stop the assembling; it goes on where it was when asked again."""
        if not self._shares:
            return False
        self._cancel.set()
        self._shares.clear()
        self._fill()
        return True

    def action_bench(self) -> None:
        """Measure the model in use."""
        if self.house.backend is not None and self.house.may_start():
            self.notify("Measuring…", markup=False)
            self.measure(self._chosen, self.house.backend)

    @work(thread=True, exclusive=True, exit_on_error=False, group="pull", description="measure the model")
    def measure(self, entry_id: str, backend: ModelBackend) -> None:
        """Time one sequence of a fixed length."""
        request = GenerationRequest("speed", SPEED_PROMPT, (), 1, SPEED_TOKENS, stop=(), temperature=0.0)
        started = monotonic()
        first = started
        for event in backend.generate([request], Event()):
            match event:
                case GenerationFailed(message=message, hint=hint):
                    raise ModelError(message, hint)
                case GenerationFinished(prompt_tokens=prompt, completion_tokens=tokens):
                    writing = max(monotonic() - first, 1e-3)
                    wait = f"after {first - started:.2f} s for a prompt of {prompt}"
                    text = f"{tokens / writing:.0f} tokens/s over {tokens} tokens, {wait}"
                    self.post_message(SpeedMeasured(entry_id, text))
                case _:
                    first = monotonic() if first == started else first

    @on(SpeedMeasured)
    def _measured(self, event: SpeedMeasured) -> None:
        self._speeds[event.entry_id] = event.text
        self.notify(event.text, title="Speed on this machine", markup=False)
        self._show_card()

    def export_choices(self) -> list[ExportChoice]:
        """The card as text."""
        facts = self._current
        if facts is None:
            return []
        shown = card(facts, in_use=facts.id == self._chosen, speed=self._speeds.get(facts.id, ""))
        return [text_choice("This model's card, text", f"{facts.id}-card.txt", lambda: shown.plain + "\n")]
