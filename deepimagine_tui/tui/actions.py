"""The one registry of actions: what a key does, what it is called, where it applies.

Bindings, footer, command palette, contextual help, key maps and docs/keys.md all derive from it. No widget writes
a `Binding` by hand; it calls `bind` with action ids.
"""

from __future__ import annotations

from dataclasses import dataclass

from textual.binding import Binding, BindingType


@dataclass(frozen=True)
class Action:
    """One thing that a key can do.

    `id` is what a key map names. `keys` are the default keys, comma-separated, in Textual's names. `run` is the Textual action.
    `label` is the footer's word, `command` the palette's line (`area: Verb thing`, empty: not in the palette), `help` one
    sentence. `where` names the place. `footer` ranks it in the footer, lowest first; 0 keeps it out.
    `at_once` acts before the keys typed after it are looked at, so that nothing typed ahead is lost.
    """

    id: str
    keys: str
    run: str
    label: str
    help: str
    where: str
    command: str = ""
    footer: int = 0
    at_once: bool = False


_SHELL = (
    Action("app.back", "escape", "back", "stop", "Stop what runs; otherwise go back. Never quits.", "everywhere", "", 95),
    Action(
        "app.help",
        "question_mark",
        "help",
        "help",
        "What the focused part is, and its keys.",
        "everywhere",
        "help: Show keys",
        99,
    ),
    Action("app.palette", "ctrl+p", "command_palette", "commands", "Search every action that applies here.", "everywhere"),
    Action("app.quit", "q", "quit", "quit", "Quit; asks when something runs.", "everywhere", "app: Quit"),
    Action(
        "app.theme",
        "ctrl+t",
        "toggle_theme",
        "theme",
        "Switch between the dark and the light theme.",
        "everywhere",
        "view: Switch dark and light",
    ),
    Action("screen.browse", "1", "screen('browse')", "Browse", "Go to Browse.", "everywhere", "view: Go to Browse"),
    Action("screen.imagine", "2", "screen('imagine')", "Imagine", "Go to Imagine.", "everywhere", "view: Go to Imagine"),
    Action("screen.forecast", "3", "screen('forecast')", "Forecast", "Go to Forecast.", "everywhere", "view: Go to Forecast"),
    Action("screen.graph", "4", "screen('graph')", "Graph", "Go to Graph.", "everywhere", "view: Go to Graph"),
    Action("screen.runs", "5", "screen('runs')", "Runs", "Go to Runs.", "everywhere", "view: Go to Runs"),
    Action("screen.models", "6", "screen('models')", "Models", "Go to Models.", "everywhere", "view: Go to Models"),
    Action(
        "pane.next",
        "tab",
        "next_pane",
        "next pane",
        "Move to the next part; on a narrow terminal, to the next pane.",
        "everywhere",
    ),
    Action("pane.previous", "shift+tab", "previous_pane", "previous pane", "Move to the part before.", "everywhere"),
    Action("dialog.close", "escape", "close", "close", "Close this without doing anything.", "any dialog", "", 90),
    Action("dialog.yes", "y", "yes", "yes", "Do it.", "a question", "", 1),
    Action("dialog.no", "n,escape", "close", "no", "Leave it.", "a question", "", 2),
)

_DATA = (
    Action("find", "slash", "find", "find", "Find in what has focus.", "lists and texts", "find: Find here", 10, at_once=True),
    Action(
        "data.copy",
        "y",
        "copy",
        "copy",
        "Copy what has focus, as text without borders.",
        "every list, table and text",
        "copy: Copy what has focus",
        80,
    ),
    Action(
        "data.export",
        "e",
        "export",
        "export",
        "Write what has focus, or the whole run, to a file.",
        "every list, table and text",
        "export: Export what is shown",
        70,
    ),
    Action("list.up", "up,k", "cursor_up", "up", "One row up.", "lists"),
    Action("list.down", "down,j", "cursor_down", "down", "One row down.", "lists"),
    Action("list.left", "left,h", "cursor_left", "left", "One column left.", "lists"),
    Action("list.right", "right,l", "cursor_right", "right", "One column right.", "lists"),
    Action("list.page-up", "pageup,ctrl+u", "page_up", "page up", "One page up.", "lists"),
    Action("list.page-down", "pagedown,ctrl+d", "page_down", "page down", "One page down.", "lists"),
    Action("list.top", "home,ctrl+home", "scroll_top", "top", "To the first row.", "lists"),
    Action("list.bottom", "end,ctrl+end", "scroll_bottom", "bottom", "To the last row.", "lists"),
    Action("list.open", "enter", "select_cursor", "open", "Open the row under the cursor.", "lists", "", 20),
    Action("list.mark", "space", "mark", "mark", "Mark or unmark the row under the cursor.", "lists", "", 50),
    Action(
        "list.compare", "c", "compare", "compare", "Show the marked rows side by side.", "lists", "view: Compare marked", 55
    ),
    Action("text.up", "up,k", "scroll_up", "up", "Scroll up.", "texts"),
    Action("text.down", "down,j", "scroll_down", "down", "Scroll down.", "texts"),
    Action("text.left", "left,h", "scroll_left", "left", "Scroll left.", "texts"),
    Action("text.right", "right,l", "scroll_right", "right", "Scroll right.", "texts"),
    Action("text.page-up", "pageup,ctrl+u", "page_up", "page up", "One page up.", "texts"),
    Action("text.page-down", "pagedown,ctrl+d", "page_down", "page down", "One page down.", "texts"),
    Action("text.top", "home", "scroll_home", "top", "To the beginning.", "texts"),
    Action("text.bottom", "end", "scroll_end", "bottom", "To the end.", "texts"),
    Action("line.submit", "enter", "submit", "go on", "Take what was typed.", "lines to type in", "", 20),
    Action("tabs.previous", "left,h", "previous_tab", "tab before", "The tab before.", "tabs"),
    Action("tabs.back", "left_square_bracket", "previous_tab", "tab before", "The tab before.", "parts with tabs"),
    Action("tabs.forth", "right_square_bracket", "next_tab", "next tab", "The next tab.", "parts with tabs"),
    Action("tabs.next", "right,l", "next_tab", "next tab", "The next tab.", "tabs"),
)

_BROWSE = (
    Action(
        "browse.imagine",
        "i",
        "imagine",
        "imagine",
        "Start a what-if from this row or trial.",
        "Browse",
        "imagine: Start a what-if here",
        30,
    ),
    Action(
        "browse.forecast",
        "f",
        "forecast",
        "forecast",
        "Forecast this trial from trials whose results are known.",
        "Browse",
        "forecast: Forecast this trial",
        40,
    ),
    Action("browse.filter", "plus", "filter", "filter", "Add a filter, or change one.", "Browse", "find: Add a filter", 75),
    Action(
        "browse.unfilter",
        "backspace,delete",
        "unfilter",
        "remove filter",
        "Remove the filter added last.",
        "Browse",
        "find: Remove the last filter",
    ),
)

_IMAGINE = (
    Action(
        "imagine.run",
        "r",
        "run",
        "run",
        "Run the what-if; after a crash, go on from the step that stopped.",
        "Imagine",
        "imagine: Run",
        10,
    ),
    Action(
        "imagine.new-seed",
        "R",
        "run_new_seed",
        "new seed",
        "Run the same question again with a new seed.",
        "Imagine",
        "imagine: Run with a new seed",
        20,
    ),
    Action("imagine.add", "a", "add_factor", "add factor", "Change one more factor.", "Imagine", "imagine: Add a factor", 30),
    Action(
        "imagine.remove",
        "x,delete",
        "remove",
        "remove",
        "Take this change out.",
        "the list of changes",
        "imagine: Remove this change",
    ),
    Action("imagine.earlier", "shift+up,K", "earlier", "earlier", "Walk this change earlier.", "the list of changes"),
    Action("imagine.later", "shift+down,J", "later", "later", "Walk this change later.", "the list of changes"),
    Action(
        "imagine.edit",
        "enter",
        "edit",
        "edit step",
        "Change this step's value or its imagined result, and run from there.",
        "Imagine",
        "",
        35,
    ),
    Action(
        "imagine.anchor",
        "o",
        "anchor",
        "start from",
        "Start from another arm, comparator or outcome of this trial.",
        "Imagine",
        "imagine: Start from another result",
    ),
    Action(
        "imagine.estimand",
        "v",
        "estimand",
        "asks",
        "Ask for both arms' values, or for their contrast alone.",
        "Imagine",
        "imagine: Ask for values or the contrast",
    ),
    Action(
        "imagine.probe",
        "p",
        "probe",
        "probe",
        "Ask this run's question in other ways: do its answers hang together?",
        "Imagine",
        "imagine: Probe this run",
        33,
    ),
    Action("imagine.graph", "g", "graph", "graph", "Show the graph of this run.", "Imagine", "view: Show this run's graph", 60),
    Action("imagine.step-up", "up,k", "step_up", "step before", "The step before.", "the chain"),
    Action("imagine.step-down", "down,j", "step_down", "next step", "The next step.", "the chain"),
)

_FORECAST = (
    Action("forecast.run", "r", "run", "run", "Run the forecast.", "Forecast", "forecast: Run", 10),
    Action(
        "forecast.new-seed",
        "R",
        "run_new_seed",
        "new seed",
        "Run the same forecast again with a new seed.",
        "Forecast",
        "forecast: Run with a new seed",
        35,
    ),
    Action(
        "forecast.new",
        "n,plus",
        "new",
        "own trial",
        "Describe a trial of your own as the target.",
        "Forecast",
        "forecast: Describe a trial of your own",
        15,
    ),
    Action(
        "forecast.why",
        "w",
        "why",
        "why these",
        "Why these anchors: how alike each is, in every part.",
        "Forecast",
        "forecast: Why these anchors",
        25,
    ),
    Action(
        "forecast.drop",
        "x,delete",
        "drop",
        "drop one",
        "Run again without the anchor under the cursor.",
        "Forecast",
        "forecast: Run without this anchor",
        27,
    ),
    Action(
        "forecast.audit",
        "A",
        "audit",
        "audit",
        "What this forecast knew: dates, siblings, removed fields, the prompts.",
        "Forecast",
        "forecast: Audit what it knew",
        30,
    ),
    Action(
        "forecast.graph",
        "g",
        "graph",
        "graph",
        "Show the graph of this run.",
        "Forecast",
        "view: Show the forecast's graph",
        60,
    ),
)
_GRAPH = (
    Action("graph.open", "right,l", "open", "open line", "Open the line, or go to what is under it.", "the tree of a run"),
    Action("graph.close", "left,h", "close", "close line", "Close the line, or go to what it is under.", "the tree of a run"),
    Action(
        "graph.whole",
        "z",
        "whole",
        "whole figure",
        "All of the figure at once, or as large as its texts need.",
        "Graph",
        "view: Show the whole figure",
        30,
    ),
    Action(
        "graph.alone",
        "f",
        "alone",
        "figure alone",
        "The figure without the tree beside it, and back.",
        "Graph",
        "view: Show the figure alone",
        25,
    ),
)
_RUNS = (
    Action("runs.graph", "g", "graph", "graph", "Show the graph of this run.", "Runs", "runs: Show this run's graph", 30),
    Action(
        "runs.again",
        "r",
        "again",
        "ask again",
        "Take this run's question to Imagine or Forecast.",
        "Runs",
        "runs: Ask again",
        40,
    ),
    Action(
        "runs.probe",
        "p",
        "probe",
        "probe",
        "Ask this run's question in other ways: do its answers hang together?",
        "Runs",
        "runs: Probe this run",
        42,
    ),
    Action("runs.rename", "n", "rename", "rename", "Give this run a name.", "Runs", "runs: Rename", 45),
    Action("runs.delete", "x,delete", "delete", "delete", "Delete this run; asks first.", "Runs", "runs: Delete", 60),
)
_MODELS = (
    Action("models.use", "u", "use", "use", "Use this model from now on.", "Models", "models: Use this one", 30),
    Action(
        "models.pull", "p", "pull", "make ready", "Assemble and check this model's file.", "Models", "models: Make ready", 40
    ),
    Action(
        "models.bench",
        "b",
        "bench",
        "measure",
        "Measure this model's tokens per second.",
        "Models",
        "models: Measure speed",
        50,
    ),
)

ACTIONS: dict[str, Action] = {
    action.id: action for action in (*_SHELL, *_DATA, *_BROWSE, *_IMAGINE, *_FORECAST, *_GRAPH, *_RUNS, *_MODELS)
}
"""Every action by id, in the order in which help and docs list them."""


def bind(*ids: str, labels: dict[str, str] | None = None) -> list[BindingType]:
    """The bindings of the actions named; `labels` renames some of them for one place (`{"list.open": "run"}`).

    Raises:
        KeyError: there is no such action.
    """
    return [_binding(ACTIONS[name], (labels or {}).get(name, "")) for name in ids]


def _binding(action: Action, label: str) -> Binding:
    return Binding(
        action.keys,
        action.run,
        label or action.label,
        show=action.footer > 0,
        tooltip=action.help,
        id=action.id,
        priority=action.at_once,
    )
