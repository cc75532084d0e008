"""The command palette: the registry's actions that apply where the focus is, as `area: Verb thing`."""

from __future__ import annotations

from functools import partial

from textual.binding import Binding
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.dom import DOMNode

from deepimagine_tui.tui.actions import ACTIONS, Action


class ActionCommands(Provider):
    """Every action that applies now, also those whose key an input line would take as text."""

    def _applying(self) -> list[tuple[Action, Binding, DOMNode]]:
        found: dict[str, tuple[Action, Binding, DOMNode]] = {}
        for node in self.focused.ancestors_with_self if self.focused else (self.screen, self.app):
            for binding in _bindings(node):
                action = ACTIONS.get(binding.id or "")
                if action and action.command and node.check_action(binding.action.partition("(")[0], ()):
                    found.setdefault(action.id, (action, binding, node))
        return sorted(found.values(), key=lambda each: each[0].command)

    async def discover(self) -> Hits:
        """All of them, before anything is typed."""
        for action, binding, node in self._applying():
            run = partial(self.app.run_action, binding.action, node)
            yield DiscoveryHit(action.command, run, help=action.help)

    async def search(self, query: str) -> Hits:
        """Those that match."""
        matcher = self.matcher(query)
        for action, binding, node in self._applying():
            score = matcher.match(action.command)
            if score > 0:
                run = partial(self.app.run_action, binding.action, node)
                yield Hit(score, matcher.highlight(action.command), run, help=action.help)


def _bindings(node: DOMNode) -> list[Binding]:
    return [
        binding for cls in type(node).__mro__ for binding in cls.__dict__.get("BINDINGS", ()) if isinstance(binding, Binding)
    ]
