"""Finding what a user typed among what there is: exactly one, or an error that lists the choices."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import msgspec

from deepimagine_tui.errors import UsageError
from deepimagine_tui.reasoning.words import plain, tokens

Value = TypeVar("Value")

_LISTED = 12


class Option(msgspec.Struct, Generic[Value], frozen=True):
    """Something that can be chosen: `label` as shown, `names` other texts that mean it exactly."""

    value: Value
    label: str
    names: tuple[str, ...] = ()


def find(
    text: str, options: Sequence[Option[Value]], what: str, also: Sequence[Callable[[Option[Value]], bool]] = ()
) -> Option[Value] | None:
    """The one option that `text` means; `None` when nothing fits.

    Tried in turn, until something fits: the exact label or name; each test of `also`; the text as whole words of the label;
    all its words in the label, in any order.

    Raises:
        UsageError: several options fit equally well; the hint lists them.
    """
    wanted = plain(text)
    tests: list[Callable[[Option[Value]], bool]] = [
        lambda option: wanted in (plain(option.label), *map(plain, option.names)),
        *also,
        lambda option: whole_words(wanted, option.label),
        lambda option: bool(tokens(wanted)) and set(tokens(wanted)) <= set(tokens(option.label)),
    ]
    for test in tests:
        fitting = [option for option in options if test(option)]
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            raise UsageError(f"{text!r} fits {len(fitting)} {what}s.", f"Choose one: {listed(fitting)}.")
    return None


def choose(
    text: str, options: Sequence[Option[Value]], what: str, also: Sequence[Callable[[Option[Value]], bool]] = ()
) -> Value:
    """The one option that `text` means, found as by `find`.

    Raises:
        UsageError: nothing fits, or several options fit equally well; the hint lists them.
    """
    found = find(text, options, what, also)
    if found is None:
        raise UsageError(f"No {what} is {text!r}.", f"There are: {listed(options)}." if options else "")
    return found.value


def listed(options: Sequence[Option[Value]]) -> str:
    """The options as a hint lists them: each label with its first name, a dozen at most."""
    texts = [f"{option.names[0]} {option.label}" if option.names else option.label for option in options]
    texts = list(dict.fromkeys(texts))
    rest = len(texts) - _LISTED
    return "; ".join(texts[:_LISTED]) + (f"; and {rest} more" if rest > 0 else "")


def whole_words(wanted: str, text: str) -> bool:
    """Whether `wanted` stands in `text` as whole words: `10 mg` is not in `110 mg`."""
    return bool(wanted) and re.search(rf"(?<![\w.]){re.escape(wanted)}(?![\w])(?!\.\d)", plain(text)) is not None
