"""The command line as one of several processes that train together on a CPU, which a GPU's launcher would start.

`SHARDED=1` has accelerate shard the model as `fsdp.yaml` says, which it does for GPUs only.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

from tests.support.vllm_server import do_without_vllm

_FSDP = {
    "ACCELERATE_USE_FSDP": "true",
    "FSDP_VERSION": "2",
    "FSDP_AUTO_WRAP_POLICY": "TRANSFORMER_BASED_WRAP",
    "FSDP_RESHARD_AFTER_FORWARD": "true",
    "FSDP_STATE_DICT_TYPE": "FULL_STATE_DICT",
    "FSDP_CPU_RAM_EFFICIENT_LOADING": "true",
    "FSDP_OFFLOAD_PARAMS": "false",
    "FSDP_ACTIVATION_CHECKPOINTING": "false",
}


def start(words: list[str], home: Path, *, sharded: bool = False, count: int = 2) -> list[subprocess.Popen[str]]:
    """`count` processes that run the command of `words`, the first one first."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    environment = os.environ | {"OMP_NUM_THREADS": "1", "DEEPIMAGINE_HOME": str(home), "WORLD_SIZE": str(count)}
    environment |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "LOCAL_WORLD_SIZE": str(count)}
    environment |= {"SHARDED": "1", **_FSDP} if sharded else {}
    command = [sys.executable, "-m", "tests.support.together", *words]
    return [
        subprocess.Popen(
            command,
            env=environment | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(count)
    ]


def _shard_on_a_cpu() -> None:
    from accelerate import PartialState
    from accelerate.utils import DistributedType

    begin = PartialState.__init__

    def begun(self: PartialState, *given: object, **named: object) -> None:
        begin(self, *given, **named)
        if self.distributed_type == DistributedType.MULTI_CPU:
            self.distributed_type = DistributedType.MULTI_GPU

    PartialState.__init__ = begun


if __name__ == "__main__":
    from deepimagine_tui.cli import main

    do_without_vllm()
    if os.environ.get("SHARDED"):
        _shard_on_a_cpu()
    sys.exit(main())
