"""The states and steps of a run as a tree, kept open where the user opened it while the run goes on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from rich.text import Text
from textual.binding import BindingType
from textual.widgets import Tree
from textual.widgets.tree import TreeNode

from deepimagine_tui.tui.actions import bind
from deepimagine_tui.tui.graph_text import TreeLine


class GraphTree(Tree[TreeLine], inherit_bindings=False):
    """One line a pathway, state, step or number. `y` copies the line under the cursor with all that is under it."""

    BINDINGS: ClassVar[list[BindingType]] = bind(
        "list.up", "list.down", "graph.close", "graph.open", "list.page-up", "list.page-down", "list.top",
        "list.bottom", "list.open",
    )  # fmt: skip
    HELP = (
        "The run as a tree: ● observed, ◆ derived, ○ imagined, ✎ entered. Enter or right opens a line, left closes it or goes "
        "up; what is known of it stands below. y copies it with all that is under it."
    )
    DEFAULT_CSS = """
    GraphTree { height: 1fr; background: $background; padding: 0 1; }
    GraphTree:focus { background-tint: transparent; }
    GraphTree > .tree--guides { color: $foreground 40%; }
    GraphTree > .tree--guides-selected, GraphTree > .tree--guides-hover { color: $foreground 60%; }
    GraphTree > .tree--cursor { background: $block-cursor-blurred-background; color: $block-cursor-blurred-foreground; }
    GraphTree:focus > .tree--cursor { background: $block-cursor-background; color: $block-cursor-foreground; text-style: none; }
    """

    def __init__(self) -> None:
        super().__init__(Text(""), id="graph-tree")
        self.guide_depth = 2
        self.show_root = True
        self._shown: TreeLine | None = None

    def show(self, root: TreeLine, *, anew: bool) -> None:
        """Show a tree; unless `anew`, what is open stays open and the cursor stays where it is."""
        opened = {} if anew else {node.data.key: node.is_expanded for node in self._each(self.root) if node.data}
        cursor = "" if anew or self.cursor_node is None or self.cursor_node.data is None else self.cursor_node.data.key
        self._shown = root
        self.clear()
        self.root.data = root
        self.root.set_label(_label(root))
        self._fill(self.root, root, opened)
        self.root.expand()
        found = next((node for node in self._each(self.root) if node.data and node.data.key == cursor), self.root)
        self.call_after_refresh(self._put_cursor, found)

    def _put_cursor(self, node: TreeNode[TreeLine]) -> None:
        if node.line >= 0:
            self.move_cursor(node)

    def _fill(self, node: TreeNode[TreeLine], line: TreeLine, opened: dict[str, bool]) -> None:
        for child in line.children:
            expand = opened.get(child.key, child.opens)
            if child.children:
                self._fill(node.add(_label(child), child, expand=expand), child, opened)
            else:
                node.add_leaf(_label(child), child)

    def _each(self, node: TreeNode[TreeLine]) -> Iterator[TreeNode[TreeLine]]:
        yield node
        for child in node.children:
            yield from self._each(child)

    def action_scroll_top(self) -> None:
        """To the first line."""
        self.move_cursor_to_line(0)

    def action_scroll_bottom(self) -> None:
        """To the last line."""
        self.move_cursor_to_line(self.last_line)

    def action_open(self) -> None:
        """Open the line, or go to what is under it."""
        node = self.cursor_node
        if node is None or not node.allow_expand:
            return
        if not node.is_expanded:
            node.expand()
        elif node.children:
            self.move_cursor(node.children[0])

    def action_close(self) -> None:
        """Close the line, or go to what it is under."""
        node = self.cursor_node
        if node is None:
            return
        if node.allow_expand and node.is_expanded and node is not self.root:
            node.collapse()
        elif node.parent is not None:
            self.move_cursor(node.parent)

    def copy_text(self) -> str:
        """The line under the cursor and all that is under it, indented."""
        line = self.cursor_node.data if self.cursor_node is not None else self._shown
        return "\n".join(_indented(line, 0)) if line is not None else ""


def _label(line: TreeLine) -> Text:
    style = "italic" if line.italic else "bold" if line.kind in ("run", "pathway") else ""
    return Text(line.label, style=style, no_wrap=True)


def _indented(line: TreeLine, depth: int) -> Iterator[str]:
    yield "  " * depth + line.label
    for child in line.children:
        yield from _indented(child, depth + 1)
