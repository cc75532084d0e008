"""Server-sent events, as far as streamed completions use them.

Splits bytes, not text: a character may span two chunks, and Unicode line separators inside JSON are no line ends here.
"""

from __future__ import annotations

from collections.abc import Iterator


class SseDecoder:
    """Turns the bytes of a response into the data of its events."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The data of every event that `chunk` completes, in order."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            text = line.removesuffix(b"\r")
            if text.startswith(b"data:"):
                self._data.append(text[5:].removeprefix(b" "))
            elif not text and self._data:
                yield b"\n".join(self._data)
                self._data = []

    def end(self) -> Iterator[bytes]:
        """The data of a last event that no blank line followed."""
        yield from self.feed(b"\n\n")
