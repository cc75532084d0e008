"""How fast the llama.cpp backend decodes beside llama.cpp itself, on the same model, prompt and machine, in the same run.

    python benchmarks/decode.py [--model model.gguf] [--repeats 5] [--json decode.json]

Prints a table and exits with 1 when a bound is missed. Each repeat uses a prompt of its own, so that no cached prefix helps,
and measures both sides one right after the other; the ratio is the median over the repeats. Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event, Timer
from typing import Any

import llama_cpp.llama_cpp as cpp
import numpy as np
from machine import describe_machine

from deepimagine_tui.backends.catalogue import EMBEDDED, ensure_ready
from deepimagine_tui.backends.llama import CONTEXT_TOKENS, LlamaBackend
from deepimagine_tui.backends.llama_model import thread_count
from deepimagine_tui.backends.protocol import GenerationFinished, GenerationRequest, Slot

SEQUENCES = 7
REASONING_TOKENS = 96
SLOTS = (
    Slot("direction", "\nDirection:", "choice", (" up", " down", " no clear change")),
    Slot("arm", "\nValue in Drug A 10 mg:", "number"),
    Slot("comparator", "\nValue in Placebo:", "number"),
    Slot("verdict", "\nVerdict:", "choice", (" met", " not met"), want_probabilities=True),
)
TRIAL = (
    "Clinical trial: one thing changes. Reason about how the result changes, then answer.\n"
    "Phase 3, quadruple-masked, started 2014, 412 participants, adults with essential hypertension, mean age 57, 46% female.\n"
    "Arm: Drug A 20 mg once daily by mouth for 12 weeks, after a two-week titration. Comparator: Placebo, once daily.\n"
    "Countries: United States 21 sites, Germany 9, Poland 7, Canada 4. Eligibility: systolic pressure 140 to 179 mmHg.\n"
    "Outcome: change from baseline in seated systolic blood pressure, mmHg, at week 12, lower is better, all randomised.\n"
    "Value in Placebo: -4.2 (SD 12.1, n 205)\nValue in Drug A 20 mg: -13.6 (SD 11.8, n 207)\nVerdict: met\n"
)


class BareLoop:
    """llama.cpp's low-level interface and nothing else: one context, greedy tokens by `argmax`."""

    def __init__(self, path: Path, threads: int) -> None:
        self._log = cpp.llama_log_callback(lambda *_: None)
        cpp.llama_log_set(self._log, ctypes.c_void_p(0))
        cpp.llama_backend_init()
        self._model: Any = cpp.llama_model_load_from_file(str(path).encode(), cpp.llama_model_default_params())
        params = cpp.llama_context_default_params()
        params.n_ctx, params.n_batch, params.n_ubatch, params.n_seq_max = CONTEXT_TOKENS, 512, 512, SEQUENCES
        params.kv_unified = True
        params.n_threads = params.n_threads_batch = threads
        self._context: Any = cpp.llama_init_from_model(self._model, params)
        self._vocab: Any = cpp.llama_model_get_vocab(self._model)
        self._size = cpp.llama_vocab_n_tokens(self._vocab)
        self._batch: Any = cpp.llama_batch_init(512, 0, 1)

    def tokens(self, text: str) -> list[int]:
        content = text.encode()
        found = (cpp.llama_token * (len(content) + 8))()
        count = cpp.llama_tokenize(self._vocab, content, len(content), found, len(found), True, False)
        return list(found[:count])

    def run_apart(self, prompts: Sequence[list[int]], steps: int) -> float:
        """Seconds to evaluate prompts that share nothing and decode `steps` tokens after each, all in one batch."""
        started = time.perf_counter()
        cpp.llama_memory_clear(cpp.llama_get_memory(self._context), False)
        chosen: list[int] = []
        for sequence, prompt in enumerate(prompts):
            last = len(prompt) - 1
            for start in range(0, len(prompt), 512):
                chunk = enumerate(prompt[start : start + 512], start)
                self._decode([(token, place, sequence, place == last) for place, token in chunk])
            chosen.append(self._best(-1))
        for step in range(steps - 1):
            self._decode([(token, len(prompts[n]) + step, n, True) for n, token in enumerate(chosen)])
            chosen = [self._best(n) for n in range(len(prompts))]
        return time.perf_counter() - started

    def run(self, prompt: list[int], sequences: int, steps: int) -> float:
        """Seconds to evaluate `prompt` once and decode `steps` tokens in each of `sequences` branches of it."""
        started = time.perf_counter()
        memory = cpp.llama_get_memory(self._context)
        cpp.llama_memory_clear(memory, False)
        for start in range(0, len(prompt), 512):
            chunk = prompt[start : start + 512]
            last = start + len(chunk) == len(prompt)
            self._decode([(token, start + place, 0, last and place == len(chunk) - 1) for place, token in enumerate(chunk)])
        for sequence in range(1, sequences):
            cpp.llama_memory_seq_cp(memory, 0, sequence, -1, -1)
        chosen = [self._best(-1)] * sequences
        for step in range(steps - 1):
            self._decode([(token, len(prompt) + step, sequence, True) for sequence, token in enumerate(chosen)])
            chosen = [self._best(sequence) for sequence in range(sequences)]
        return time.perf_counter() - started

    def _decode(self, rows: Sequence[tuple[int, int, int, bool]]) -> None:
        batch = self._batch
        batch.n_tokens = len(rows)
        for index, (token, position, sequence, wanted) in enumerate(rows):
            batch.token[index], batch.pos[index], batch.n_seq_id[index] = token, position, 1
            batch.seq_id[index][0], batch.logits[index] = sequence, wanted
        if cpp.llama_decode(self._context, batch):
            raise SystemExit("llama.cpp could not decode")

    def _best(self, index: int) -> int:
        pointer = cpp.llama_get_logits_ith(self._context, index)
        return int(np.ctypeslib.as_array(pointer, shape=(self._size,)).argmax())


def request(name: str, prompt: str, *, form: bool, seed: int) -> GenerationRequest:
    """A question that reasons to the token limit, with the answer form or without."""
    slots = SLOTS if form else ()
    return GenerationRequest(name, prompt, slots, seed, max_reasoning_tokens=REASONING_TOKENS, stop=())


def ours(backend: LlamaBackend, batch: Sequence[GenerationRequest]) -> tuple[float, int]:
    """Seconds, and tokens generated."""
    started = time.perf_counter()
    tokens = sum(event.completion_tokens for event in backend.generate(batch, Event()) if isinstance(event, GenerationFinished))
    return time.perf_counter() - started, tokens


def against_bare(backend: LlamaBackend, bare: BareLoop, sequences: int, repeats: int, tag: str) -> dict[str, float]:
    """Tokens a second of both, with the prompt's evaluation in both times, and the median ratio."""
    rates: list[tuple[float, float]] = []
    for repeat in range(repeats + 1):
        prompt = f"{tag} {repeat}. {TRIAL}Change of dose: 20 mg -> 10 mg (0.5 times the dose)\nReasoning:"
        batch = [request(str(number), prompt, form=False, seed=number) for number in range(sequences)]
        seconds, tokens = ours(backend, batch)
        steps = round(tokens / sequences)
        rates.append((tokens / seconds, sequences * steps / bare.run(bare.tokens(prompt), sequences, steps)))
    rates = rates[1:]
    return {
        "ours": statistics.median(mine for mine, _ in rates),
        "bare": statistics.median(other for _, other in rates),
        "ratio": statistics.median(mine / other for mine, other in rates),
    }


def together(backend: LlamaBackend, repeats: int, tag: str, prompt: Callable[[str, int], str]) -> dict[str, float]:
    """Seconds of seven whole questions at once and one after another, and the median ratio."""
    times: list[tuple[float, float]] = []
    for repeat in range(repeats):
        batch = [request(str(n), prompt(f"{tag} {repeat}. ", n), form=True, seed=n) for n in range(SEQUENCES)]
        at_once, _ = ours(backend, batch)
        single = sum(ours(backend, [one])[0] for one in batch)
        times.append((at_once, single))
    return {
        "ours": statistics.median(mine for mine, _ in times),
        "bare": statistics.median(other for _, other in times),
        "ratio": statistics.median(other / mine for mine, other in times),
    }


def bare_together(bare: BareLoop, repeats: int) -> float:
    """What llama.cpp itself gains by decoding seven prompts that share nothing in one batch: the median ratio of times."""
    prompts = [bare.tokens(many_trials("", number)) for number in range(SEQUENCES)]
    gains = []
    for _ in range(repeats):
        at_once = bare.run_apart(prompts, REASONING_TOKENS)
        gains.append(sum(bare.run_apart([prompt], REASONING_TOKENS) for prompt in prompts) / at_once)
    return statistics.median(gains)


def cancel_seconds(backend: LlamaBackend, batch: Sequence[GenerationRequest], after: float) -> float:
    """Seconds from cancelling, `after` seconds into generating, to the last event."""
    cancel, asked = Event(), [0.0]

    def stop() -> None:
        asked[0] = time.perf_counter()
        cancel.set()

    timer = Timer(after, stop)
    timer.start()
    list(backend.generate(batch, cancel))
    ended = time.perf_counter()
    timer.join()
    return ended - asked[0]


def one_trial(tag: str, number: int) -> str:
    """Prompts that differ in their last line, as those of one anchor do."""
    return f"{tag}{TRIAL}Change of dose: 20 mg -> {number + 1} mg\nReasoning:"


def many_trials(tag: str, number: int) -> str:
    """Prompts that differ from their beginning, as those of several anchors do."""
    return f"{tag}Anchor {number}. {TRIAL}Change of dose: 20 mg -> 10 mg\nReasoning:"


def main() -> int:
    """Measure, print, and compare with the bounds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--model", type=Path, help="a GGUF file; by default the embedded model")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=0, help="processor threads of both sides; 0 chooses")
    parser.add_argument("--json", type=Path, help="also write the numbers here")
    options = parser.parse_args()
    path = options.model or ensure_ready(EMBEDDED, lambda _share: None, Event())
    threads = thread_count(options.threads)
    backend = LlamaBackend(path, threads=threads)
    info = backend.load()
    bare = BareLoop(path, threads)
    repeats = options.repeats
    gain = bare_together(bare, repeats)
    rows: list[tuple[str, dict[str, float], str, float]] = [
        ("One sequence, tokens/s (bare loop)", against_bare(backend, bare, 1, repeats, "One"), ">=", 0.9),
        ("Seven in a batch, tokens/s (bare batched loop)", against_bare(backend, bare, SEQUENCES, repeats, "Seven"), ">=", 0.9),
        ("Seven questions on one trial, s (one after another)", together(backend, repeats, "Same", one_trial), ">=", 1.3),
        (
            f"Seven questions on seven trials, s (one after another; llama.cpp's own loop gains {gain:.2f})",
            together(backend, repeats, "Other", many_trials),
            ">=",
            1.3,
        ),
    ]
    long_prompt = [request("long", f"{TRIAL * 20}Reasoning:", form=False, seed=1)]
    cancels = {
        "Cancel during prompt evaluation, s": max(cancel_seconds(backend, long_prompt, 0.5) for _ in range(repeats)),
        "Cancel while decoding seven, s": max(
            cancel_seconds(backend, [request(str(n), one_trial("", n), form=False, seed=n) for n in range(SEQUENCES)], 1.5)
            for _ in range(repeats)
        ),
    }
    backend.close()
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    lines = [
        f"{info.name} {info.quantisation}, {threads} threads; {describe_machine()}; load {load:.1f}; median of {repeats}",
        "",
        "| measurement (against) | ours | theirs | ratio | bound | |",
        "|---|---|---|---|---|---|",
    ]
    missed = False
    for name, found, sign, bound in rows:
        kept = found["ratio"] >= bound
        missed |= not kept
        numbers = " | ".join((f"{found['ours']:.1f}", f"{found['bare']:.1f}", f"{found['ratio']:.2f}"))
        lines.append(f"| {name} | {numbers} | {sign} {bound} | {'kept' if kept else 'missed'} |")
    for name, worst in cancels.items():
        kept = worst <= 0.2
        missed |= not kept
        lines.append(f"| {name}, worst of {repeats} | {worst:.3f} | | | <= 0.2 | {'kept' if kept else 'missed'} |")
    sys.stdout.write("\n".join(lines) + "\n")
    if options.json:
        about = {"machine": describe_machine(), "model": info.sha256, "threads": threads, "load": load, "repeats": repeats}
        results = about | {"rows": {name: found for name, found, _, _ in rows}, "cancel": cancels}
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
