"""A transformers model as the engine's backend: for parity, for traces and for tests, in this process.

The answer form is filled by the same state machine as llama.cpp's backend uses, so that both ask the same of a model. Sequences
run one after another, each from a copy of the memory of what their prompts share; many at once are a matter for llama.cpp or
a server.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

from deepimagine_training.bases import Loaded
from deepimagine_training.hf_tokens import HfTokens
from deepimagine_tui.backends.protocol import (
    FinishReason,
    GenerationEvent,
    GenerationFailed,
    GenerationFinished,
    GenerationRequest,
    ModelInfo,
)
from deepimagine_tui.backends.sampling import Logits
from deepimagine_tui.backends.sequence import GuidedSequence, common_prefix, refusal
from deepimagine_tui.errors import BadInputError, CancelledError, ModelError
from deepimagine_tui.extras import extra
from deepimagine_tui.files import sha256

_CHUNK = {"cpu": 64, "cuda": 1024}
"""Tokens evaluated between two looks at `cancel`: a fifth of a second of a small model on a CPU, or of a large one on a GPU."""
_WEIGHTS = "adapter_model.safetensors"


class _Waiting(NamedTuple):
    request: GenerationRequest
    prompt: list[int]


class HfBackend:
    """A loaded model, with or without an adapter. The weights belong to whoever loaded them.

    Args:
        loaded: The model. With an adapter, its layers are changed until `close`.
        adapter: A LoRA adapter's folder as PEFT saves it.

    Raises:
        BadInputError: the folder holds no readable adapter.
        ModelError: the adapter is of another model.
    """

    def __init__(self, loaded: Loaded, adapter: Path | None = None) -> None:
        self._loaded = loaded
        self._adapter = adapter
        self._adapted: Any = None
        self._tokens = HfTokens(loaded.tokenizer, _ends(loaded.model))
        self._chunk = _CHUNK.get(loaded.model.device.type, _CHUNK["cpu"])
        self._model()
        self._info = _describe(loaded, adapter)

    @property
    def info(self) -> ModelInfo:
        """What the model is."""
        return self._info

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """How many tokens each text takes as a prompt."""
        return [len(self._tokens.prompt(text)) for text in texts]

    def generate(self, batch: Sequence[GenerationRequest], cancel: Event) -> Iterator[GenerationEvent]:
        """Generate all of `batch`; see `ModelBackend.generate`."""
        started = time.monotonic()
        waiting: list[_Waiting] = []
        for request in batch:
            prompt = self._tokens.prompt(request.prompt)
            refused = refusal(request, prompt, self._tokens, self._info.context_length)
            if refused is not None:
                yield refused
            else:
                waiting.append(_Waiting(request, prompt))
        if not waiting:
            return
        shared = common_prefix([one.prompt[:-1] for one in waiting]) if len(waiting) > 1 else []
        memory = self._memory()
        try:
            if shared:
                self._evaluate(shared, memory, cancel)
        except CancelledError:
            yield from (_finished(one, "cancelled", started) for one in waiting)
            return
        except ModelError as error:
            yield from (GenerationFailed(one.request.request_id, error.message, error.hint) for one in waiting)
            return
        for one in waiting:
            yield from self._answer(one, len(shared), copy.deepcopy(memory), cancel, started)

    def close(self) -> None:
        """Take the adapter off the model again. The next use puts it back."""
        if self._adapted is not None:
            self._adapted.unload()
            self._adapted = None

    def _answer(
        self,
        one: _Waiting,
        known: int,
        memory: Any,  # noqa: ANN401  # a transformers cache
        cancel: Event,
        started: float,
    ) -> Iterator[GenerationEvent]:
        """One sequence; `memory` holds the first `known` tokens of its prompt, and is used up."""
        events: list[GenerationEvent] = []
        guided = GuidedSequence(one.request, self._tokens, events.append)
        guided.start(one.prompt[known:])
        try:
            while not guided.finished:
                logits = self._evaluate(guided.pending, memory, cancel)
                guided.advance(logits)
                while not guided.pending and not guided.finished:
                    guided.advance(logits)
                yield from events
                events.clear()
        except CancelledError:
            yield _finished(one, "cancelled", started, guided)
        except ModelError as error:
            yield GenerationFailed(one.request.request_id, error.message, error.hint)
        else:
            yield from events
            yield _finished(one, "answered", started, guided)

    def _model(self) -> Any:  # noqa: ANN401  # a transformers or PEFT model
        if self._adapter is None:
            return self._loaded.model
        if self._adapted is None:
            self._adapted = _adapted(self._loaded, self._adapter)
        return self._adapted

    def _memory(self) -> Any:  # noqa: ANN401  # a transformers cache
        return extra("transformers").DynamicCache(config=self._loaded.model.config)

    def _evaluate(self, tokens: Sequence[int], memory: Any, cancel: Event) -> Logits:  # noqa: ANN401  # a transformers cache
        """The logits after the last of `tokens`, which `memory` holds from then on.

        Raises:
            CancelledError: `cancel` was set.
            ModelError: there is no room, or torch failed otherwise.
        """
        torch, model = extra("torch"), self._model()
        logits: Any = None
        for start in range(0, len(tokens), self._chunk):
            if cancel.is_set():
                raise CancelledError("Stopped while computing.")
            ids = torch.tensor([tokens[start : start + self._chunk]], device=model.device)
            try:
                with torch.inference_mode():
                    logits = (
                        model(input_ids=ids, past_key_values=memory, use_cache=True, logits_to_keep=1).logits[0, -1].float()
                    )
            except RuntimeError as error:
                raise ModelError(f"The model could not go on: {str(error).splitlines()[0].rstrip('.')}.") from error
        found: Logits = logits.cpu().numpy()
        return found


def _describe(loaded: Loaded, adapter: Path | None) -> ModelInfo:
    facts, model = loaded.facts, loaded.model
    return ModelInfo(
        name=facts.name,
        backend="transformers",
        context_length=model.config.get_text_config().max_position_embeddings,
        architecture=facts.architecture,
        quantisation=str(model.dtype).removeprefix("torch."),
        parameters=model.num_parameters(),
        template="chat" if getattr(loaded.tokenizer, "chat_template", None) else "plain",
        path=facts.path,
        sha256=facts.sha256,
        adapter=str(adapter) if adapter is not None else "",
        adapter_sha256=sha256(adapter / _WEIGHTS) if adapter is not None else "",
    )


def _ends(model: Any) -> list[int]:  # noqa: ANN401  # a transformers model
    """The tokens with which the model's configuration ends a text."""
    found = model.generation_config.eos_token_id if model.generation_config is not None else None
    return [] if found is None else list(found) if isinstance(found, list | tuple) else [found]


def _adapted(loaded: Loaded, adapter: Path) -> Any:  # noqa: ANN401  # a PEFT model
    """The model with its adapter, every tensor of which has found its place."""
    peft, safetensors = extra("peft"), extra("safetensors")
    try:
        config = peft.PeftConfig.from_pretrained(str(adapter))
        weights = peft.utils.load_peft_weights(str(adapter), device="cpu")
    except (OSError, ValueError, TypeError, KeyError, safetensors.SafetensorError) as error:
        raise BadInputError(f"{adapter} holds no readable adapter.", "Name the folder `adapter` of a run.") from error
    config.inference_mode = True
    misfit = ModelError(
        f"The adapter {adapter} is of another model than {loaded.facts.name}.", "Name the model it was made for."
    )
    try:
        model = peft.PeftModel(loaded.model, config)
    except ValueError as error:
        raise misfit from error
    try:
        placed = peft.set_peft_model_state_dict(model, weights)
    except (RuntimeError, KeyError) as error:
        model.unload()
        raise misfit from error
    if placed.unexpected_keys or any("lora_" in key for key in placed.missing_keys):
        model.unload()
        raise misfit
    return model.eval()


def _finished(one: _Waiting, reason: FinishReason, started: float, guided: GuidedSequence | None = None) -> GenerationFinished:
    return GenerationFinished(
        request_id=one.request.request_id,
        reason=reason,
        prompt_tokens=len(one.prompt),
        completion_tokens=guided.completion_tokens if guided is not None else 0,
        seconds=time.monotonic() - started,
        reasoning_cut=guided.reasoning_cut if guided is not None else False,
    )
