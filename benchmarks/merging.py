"""How long it takes to merge an adapter into the embedded model and to quantise the result, beside writing as many bytes.

    python benchmarks/merging.py

The adapter is a random one, of rank 16 on every linear layer, as the shipped one is. Prints a row of markdown; the bar is a
minute for both together.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from threading import Event

import gguf
import numpy as np
from deepimagine_exporters.gguf.merge import merge
from deepimagine_exporters.gguf.metadata import Origin
from deepimagine_exporters.gguf.quantise import quantise
from machine import describe_machine

from deepimagine_tui.backends.catalogue import EMBEDDED, ensure_ready
from deepimagine_tui.backends.gguf_header import GgufHeader, read_header

BAR_SECONDS = 60.0
KIND = "Q8_0"
RANK = 16
LAYERS = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")


def write_random_adapter(base: GgufHeader, path: Path) -> None:
    """A LoRA adapter of small random numbers on every linear layer of `base`."""
    random = np.random.default_rng(1)
    writer = gguf.GGUFWriter(path, base.architecture)
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", 2.0 * RANK)
    for tensor in base.tensors:
        if any(f".{layer}.weight" in tensor.name for layer in LAYERS):
            inputs, outputs = tensor.shape
            for half, shape in (("lora_a", (RANK, inputs)), ("lora_b", (outputs, RANK))):
                writer.add_tensor(f"{tensor.name}.{half}", (random.standard_normal(shape) * 0.01).astype(np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_plain(path: Path, size: int) -> float:
    """Seconds to write `size` bytes, to tell a slow disk from slow work."""
    block = bytes(1 << 24)
    started = time.perf_counter()
    with path.open("wb") as stream:
        for _ in range(size // len(block)):
            stream.write(block)
        stream.flush()
        os.fsync(stream.fileno())
    return time.perf_counter() - started


def main() -> int:
    """Measure, print, and compare with the bar."""
    base = ensure_ready(EMBEDDED, lambda share: None, Event())
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_random_adapter(read_header(base), folder / "adapter.gguf")
        started = time.perf_counter()
        merge(base, folder / "adapter.gguf", Origin("Benchmark", "none", "base", ""), folder / "merged.gguf", Event())
        merged = time.perf_counter() - started
        quantise(folder / "merged.gguf", folder / "small.gguf", KIND, Event())
        total = time.perf_counter() - started
        sizes = [(folder / file).stat().st_size for file in ("merged.gguf", "small.gguf")]
        plain = write_plain(folder / "plain", sum(sizes))
    kept = total <= BAR_SECONDS
    found = f"merged in {merged:.1f} s, {KIND} in {total - merged:.1f} s; its {sum(sizes) / 1e6:,.0f} MB alone in {plain:.1f} s"
    sys.stdout.write(
        f"| merging the embedded model, load {load:.1f} | {found} | {BAR_SECONDS:.0f} s | {'kept' if kept else 'missed'} |\n"
        f"\n{describe_machine()}\n"
    )
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
