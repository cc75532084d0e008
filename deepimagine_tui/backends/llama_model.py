"""A GGUF model in this process through llama.cpp's low-level interface: loading, tokens, adapters, memory, evaluation.

Only the model's child process imports this. One thread evaluates; tokenising may happen in another.
"""

from __future__ import annotations

import ctypes
import os
import re
from collections import deque
from collections.abc import Sequence
from typing import Any

import llama_cpp.llama_cpp as cpp
import numpy as np
from llama_cpp.llama_chat_format import Jinja2ChatFormatter

from deepimagine_tui.backends.sampling import Ids, Logits
from deepimagine_tui.backends.wire import Load
from deepimagine_tui.errors import CancelledError, ModelError

_ABORTED = 2
_NO_ROOM = 1
_LOG_BYTES = 1 << 20
_LOG_LEVELS = (2, 3, 4, 5)
_ERROR_LEVEL = 4
_kept: list[object] = []
"""Log callbacks: llama.cpp keeps the address of the last one until the process ends."""

_NUMBER_PIECE = re.compile(rb"[-+. 0-9]+")
_CONTINUATION_GUARDS = ("", ".", "x", "\n")


class AbortFlag:
    """A flag that llama.cpp polls while it computes. Polling is C's `strlen` on one byte, which never waits for Python."""

    def __init__(self) -> None:
        self._byte = ctypes.create_string_buffer(2)
        self.callback = ctypes.cast(ctypes.CDLL(None).strlen, cpp.ggml_abort_callback)
        self.address = ctypes.cast(self._byte, ctypes.c_void_p)

    def set(self) -> None:
        """Make the computation in progress, and every later one, stop."""
        self._byte[0] = b"\x01"

    def clear(self) -> None:
        """Allow computing again."""
        self._byte[0] = b"\x00"

    def is_set(self) -> bool:
        """Whether computing is to stop."""
        return self._byte[0] != b"\x00"


class NativeLog:
    """llama.cpp's messages, sent to standard error up to a megabyte; the last errors are kept to explain a failure."""

    def __init__(self) -> None:
        self.errors: deque[str] = deque(maxlen=8)
        self._left = _LOG_BYTES
        callback = cpp.llama_log_callback(self._write)
        _kept.append(callback)
        cpp.llama_log_set(callback, ctypes.c_void_p(0))

    def _write(self, level: int, text: bytes, _data: object) -> None:
        if level == _ERROR_LEVEL:
            self.errors.append(text.decode("utf-8", "replace").strip())
        if level in _LOG_LEVELS and self._left > 0:
            self._left -= len(text)
            os.write(2, text)


def thread_count(wanted: int) -> int:
    """Every processor up to four, then half of them: the rest are usually the second threads of the same cores."""
    if wanted > 0:
        return wanted
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    return max(1, min(available, max(4, available // 2)))


class LlamaModel:
    """A loaded model and its context.

    Args:
        load: What to load and how much room to give it.
        abort: The flag that stops evaluation.
        log: Where the reasons of a failure are found.

    Raises:
        ModelError: llama.cpp cannot load it.
    """

    def __init__(self, load: Load, abort: AbortFlag, log: NativeLog) -> None:
        self._log = log
        self._abort = abort
        cpp.llama_backend_init()
        self._model: Any = cpp.llama_model_load_from_file(load.path.encode(), cpp.llama_model_default_params())
        if not self._model:
            raise self._load_error(load.path)
        if cpp.llama_model_has_encoder(self._model):
            raise ModelError(f"{load.path} is an encoder-decoder model, which cannot be used here.")
        self.sequences, self.batch_tokens, self.context_tokens = load.sequences, load.batch_tokens, load.context_tokens
        self._context: Any = cpp.llama_init_from_model(self._model, self._context_params(load))
        if not self._context:
            raise ModelError(f"There is no room for {load.context_tokens} tokens of context.", "Choose a smaller model.")
        cpp.llama_set_abort_callback(self._context, abort.callback, abort.address)
        self._memory: Any = cpp.llama_get_memory(self._context)
        self._vocab: Any = cpp.llama_model_get_vocab(self._model)
        self.vocabulary = cpp.llama_vocab_n_tokens(self._vocab)
        trained = cpp.llama_model_n_ctx_train(self._model)
        self.sequence_tokens = min(trained, self.context_tokens) if trained > 0 else self.context_tokens
        self._pieces: dict[int, bytes] = {}
        self._numbers: Ids | None = None
        self._adapters: dict[str, Any] = {}
        self._adapter = ""
        self._formatter = self._chat_formatter()
        self._batch: Any = cpp.llama_batch_init(self.batch_tokens, 0, 1)

    def _context_params(self, load: Load) -> Any:  # noqa: ANN401 - a ctypes structure
        params = cpp.llama_context_default_params()
        params.n_ctx = load.context_tokens
        params.n_batch = params.n_ubatch = load.batch_tokens
        params.n_seq_max = params.n_outputs_max = load.sequences + 1
        params.kv_unified = True
        params.swa_full = True
        params.n_threads = params.n_threads_batch = thread_count(load.threads)
        return params

    def _load_error(self, path: str) -> ModelError:
        said = " ".join(self._log.errors)
        unknown = re.search(r"unknown model architecture: '([^']*)'", said)
        if unknown:
            return ModelError(
                f"{path} has the architecture {unknown[1]!r}, which the installed llama.cpp does not support.",
                "Choose another model, or update the local extra.",
            )
        reason = re.sub(r"^\w+: ", "", self._log.errors[0]).rstrip(".") if self._log.errors else "no reason was given"
        return ModelError(f"llama.cpp cannot load {path}: {reason}.", "Check the file, or choose another model.")

    # Tokens

    def _text_of(self, token: Any) -> str:  # noqa: ANN401 - a C integer
        return (cpp.llama_vocab_get_text(self._vocab, token) or b"").decode("utf-8", "replace") if token >= 0 else ""

    def _chat_formatter(self) -> Jinja2ChatFormatter | None:
        template = cpp.llama_model_chat_template(self._model, None)
        if not template:
            return None
        return Jinja2ChatFormatter(
            template=template.decode("utf-8", "replace"),
            eos_token=self._text_of(cpp.llama_vocab_eos(self._vocab)),
            bos_token=self._text_of(cpp.llama_vocab_bos(self._vocab)),
        )

    def tokenize(self, text: str, *, start: bool, special: bool) -> list[int]:
        """The tokens of `text`; `start` adds what the model wants at the start, `special` reads its control tokens by name."""
        content = text.encode("utf-8")
        room = len(content) + 8
        tokens = (cpp.llama_token * room)()
        count = cpp.llama_tokenize(self._vocab, content, len(content), tokens, room, start, special)
        if count < 0:
            raise ModelError("The prompt cannot be split into tokens.")
        return list(tokens[:count])

    def continuation(self, text: str) -> list[int]:
        """The tokens of `text` where it follows other text: no start token, and no space that some tokenisers put first."""
        for guard in _CONTINUATION_GUARDS:
            before = self.tokenize(guard, start=False, special=False) if guard else []
            tokens = self.tokenize(guard + text, start=False, special=False)
            rest = tokens[len(before) :]
            if tokens[: len(before)] == before and b"".join(map(self.piece, rest)) == text.encode("utf-8"):
                return rest
        return self.tokenize(text, start=False, special=False)

    def prompt_tokens(self, prompt: str) -> list[int]:
        """The tokens of a prompt as the model sees it: one user turn of its chat template, or plain after its start token."""
        if self._formatter is None:
            return self.tokenize(prompt, start=True, special=False)
        text = self._formatter(messages=[{"role": "user", "content": prompt}], enable_thinking=False).prompt
        bos = self._text_of(cpp.llama_vocab_bos(self._vocab))
        return self.tokenize(text, start=not (bos and text.startswith(bos)), special=True)

    def piece(self, token: int) -> bytes:
        """The bytes of one token; control tokens have none."""
        known = self._pieces.get(token)
        if known is None:
            room = ctypes.create_string_buffer(256)
            length = cpp.llama_token_to_piece(self._vocab, token, room, len(room), 0, False)
            known = self._pieces[token] = room.raw[:length] if length > 0 else b""
        return known

    def number_tokens(self) -> Ids:
        """Every token that can be part of a number; found once, in about a second for the largest vocabularies."""
        if self._numbers is None:
            found = [token for token in range(self.vocabulary) if _NUMBER_PIECE.fullmatch(self.piece(token))]
            self._numbers = np.asarray(found, dtype=np.intp)
        return self._numbers

    def is_end(self, token: int) -> bool:
        """Whether the model ends its turn with this token."""
        return bool(cpp.llama_vocab_is_eog(self._vocab, token))

    # Adapters and memory

    def use_adapter(self, path: str) -> bool:
        """Apply the LoRA adapter at `path` (empty: none) from now on; true when that was a change, and memory was cleared.

        Raises:
            ModelError: llama.cpp refuses it.
        """
        if path == self._adapter:
            return False
        if path and path not in self._adapters:
            self._log.errors.clear()
            adapter = cpp.llama_adapter_lora_init(self._model, path.encode())
            if not adapter:
                reason = self._log.errors[0].rstrip(".") if self._log.errors else "it does not fit the model"
                raise ModelError(f"The adapter {path} cannot be used: {reason}.")
            self._adapters[path] = adapter
        count = 1 if path else 0
        chosen = (cpp.llama_adapter_lora_p_ctypes * 1)(*([self._adapters[path]] if path else []))
        if cpp.llama_set_adapters_lora(self._context, chosen, count, (ctypes.c_float * 1)(1.0)):
            raise ModelError(f"The adapter {path} cannot be used with this model.")
        self._adapter = path
        self.clear()
        return True

    def clear(self) -> None:
        """Forget every sequence."""
        cpp.llama_memory_clear(self._memory, False)

    def branch(self, source: int, target: int) -> None:
        """Let sequence `target` continue from the whole of `source`."""
        cpp.llama_memory_seq_cp(self._memory, source, target, -1, -1)

    def drop(self, sequence: int) -> None:
        """Forget the whole of one sequence."""
        cpp.llama_memory_seq_rm(self._memory, sequence, -1, -1)

    # Evaluation

    def evaluate(
        self, tokens: Sequence[int], positions: Sequence[int], sequences: Sequence[int], wanted: Sequence[bool]
    ) -> None:
        """Evaluate up to `batch_tokens` tokens, each at its position of its sequence; `wanted` ones get logits.

        Raises:
            CancelledError: the abort flag was set; memory is not usable until `clear`.
            ModelError: llama.cpp failed; likewise.
        """
        batch, count = self._batch, len(tokens)
        if count > self.batch_tokens:
            raise ModelError(f"{count} tokens do not fit an evaluation of {self.batch_tokens}.")
        batch.n_tokens = count
        for index in range(count):
            batch.token[index] = tokens[index]
            batch.pos[index] = positions[index]
            batch.n_seq_id[index] = 1
            batch.seq_id[index][0] = sequences[index]
            batch.logits[index] = wanted[index]
        status = cpp.llama_decode(self._context, batch)
        if status == _ABORTED or self._abort.is_set():
            raise CancelledError("Stopped while computing.")
        if status:
            reason = "no room is left in its context" if status == _NO_ROOM else f"llama.cpp answered {status}"
            raise ModelError(f"The model could not go on: {reason}.")

    def logits(self, index: int) -> Logits:
        """The logits after the wanted token at `index` of the last evaluation; valid until the next one."""
        pointer = cpp.llama_get_logits_ith(self._context, index)
        return np.ctypeslib.as_array(pointer, shape=(self.vocabulary,))
