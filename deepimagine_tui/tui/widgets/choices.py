"""A list to choose from, with the house's keys."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from deepimagine_tui.tui.actions import bind


class Choices(OptionList, inherit_bindings=False):
    """Options with a cursor; enter chooses one."""

    BINDINGS: ClassVar[list[BindingType]] = bind(
        "list.up", "list.down", "list.page-up", "list.page-down", "list.top", "list.bottom", "list.open"
    )
    HELP = "A list of choices. Move with the arrows or jk, choose with enter."

    def action_select_cursor(self) -> None:
        """Choose the option under the cursor."""
        self.action_select()

    def action_scroll_top(self) -> None:
        """To the first option."""
        self.action_first()

    def action_scroll_bottom(self) -> None:
        """To the last option."""
        self.action_last()

    def copy_text(self) -> str:
        """Every option, one a line."""
        return "\n".join(_prompt(self.get_option_at_index(index)) for index in range(self.option_count))


def _prompt(option: Option) -> str:
    return str(getattr(option.prompt, "plain", option.prompt))
