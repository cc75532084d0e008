"""A local server that speaks as much of vLLM's protocol as TRL's client asks for, and a client that needs no vLLM and no NCCL.

Reasoning is drawn from the seed and the prompt alone, so that runs can be compared. Weights come over HTTP in place of NCCL.
"""

from __future__ import annotations

import json
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Any, NamedTuple

LOGPROB = -3.3
"""Of every token that the server says it sampled."""


class Push(NamedTuple):
    """One update of weights: what was announced, as (name, type, shape), and what came, by name."""

    announced: list[tuple[str, str, tuple[int, ...]]]
    came: dict[str, Any]


class FakeVllm:
    """What the server was asked and sent. It ends reasoning with `line_end`, and answers no more than `answers` requests for
    samples: at the next one it is gone. `dev_mode` is whether it can take weights."""

    def __init__(self, words: Sequence[int], line_end: int, answers: int | None, *, dev_mode: bool) -> None:
        self.words = list(words)
        self.line_end = line_end
        self.answers = answers
        self.dev_mode = dev_mode
        self.asked: list[dict[str, Any]] = []
        self.pushes: list[Push] = []
        self.order: list[str] = []
        self.url = ""
        self.close: Callable[[], None] = lambda: None

    def sampled(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        choices = []
        for prompt in body["prompt"]:
            for number in range(body["n"]):
                draw = Random(zlib.crc32(json.dumps([prompt, number, body.get("seed")]).encode()))
                words = [draw.choice(self.words) for _ in range(draw.randint(2, body["max_tokens"] - 1))]
                ids = [*words, self.line_end]
                names = [f"token_id:{token}" for token in ids]
                scores = {"tokens": names, "token_logprobs": [LOGPROB] * len(ids), "top_logprobs": None}
                scores["top_logprobs"] = [{name: LOGPROB} for name in names]
                choices.append({"prompt_token_ids": prompt, "token_ids": ids, "logprobs": scores})
        return choices


def _handler(server: FakeVllm) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

        def do_GET(self) -> None:
            path = self.path.partition("?")[0].rstrip("/")
            info = {"weight_transfer_config": {"backend": "nccl"}, "model_config": {"logprobs_mode": "processed_logprobs"}}
            known: dict[str, Any] = {
                "/health": {},
                "/v1/models": {"data": [{"id": "tiny"}]},
                "/get_world_size": {"world_size": 1},
            }
            if server.dev_mode:
                known["/server_info"] = {"vllm_config": info}
            self.answer(200 if path in known else 404, known.get(path, {}))

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("content-length", 0)))
            path = self.path.partition("?")[0]
            server.order.append(path)
            if path == "/broadcast":
                server.pushes[-1].came[self.headers["name"]] = self.tensor(raw)
                self.answer(200, {})
                return
            body = json.loads(raw) if raw else {}
            if path == "/v1/completions":
                if server.answers is not None and len(server.asked) >= server.answers:
                    threading.Thread(target=server.close).start()
                    self.close_connection = True
                    return
                server.asked.append(body)
                self.answer(200, {"choices": server.sampled(body)})
                return
            if path == "/update_weights":
                told = body["update_info"]
                shapes = map(tuple, told["shapes"])
                server.pushes[-1].announced.extend(zip(told["names"], told["dtype_names"], shapes, strict=True))
            if path == "/start_weight_update":
                server.pushes.append(Push([], {}))
            self.answer(200, {"success": True})

        def tensor(self, raw: bytes) -> Any:
            import numpy as np

            return np.frombuffer(raw, dtype=np.float32).reshape(json.loads(self.headers["shape"]))

        def answer(self, status: int, content: object) -> None:
            data = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    return Handler


@contextmanager
def vllm_server(
    words: Sequence[int], line_end: int, answers: int | None = None, *, dev_mode: bool = True
) -> Iterator[FakeVllm]:
    """A running fake that samples from `words`."""
    fake = FakeVllm(words, line_end, answers, dev_mode=dev_mode)
    http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(fake))
    http.daemon_threads = True
    http.handle_error = lambda *_: None
    fake.url = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True)

    def close() -> None:
        http.shutdown()
        http.server_close()

    fake.close = close
    thread.start()
    try:
        yield fake
    finally:
        close()
        thread.join()


class _Transfer:
    """In place of vLLM's NCCL engine: sends every tensor as a request."""

    @staticmethod
    def trainer_send_weights(iterator: Iterator[tuple[str, Any]], trainer_args: Any) -> None:
        import requests

        for name, tensor in iterator:
            data = tensor.detach().float().contiguous().numpy()
            headers = {"name": name, "shape": json.dumps(data.shape)}
            requests.post(f"{trainer_args['group']}/broadcast", data=data.tobytes(), headers=headers, timeout=10)


def _joined(self: Any, device: object = 0) -> None:
    self.get_server_info()
    self.communicator = self.base_url


def do_without_vllm(put: Callable[[object, str, object], None] = setattr) -> None:
    """Let TRL's client in this process send weights without vLLM and NCCL, and try nothing twice; `put` sets an attribute."""
    from trl.generation import vllm_client, vllm_generation
    from urllib3.util.retry import Retry

    there: Callable[..., bool] = lambda *_, **__: True  # noqa: E731
    for module in (vllm_client, vllm_generation):
        put(module, "is_vllm_available", there)
    put(vllm_client, "Retry", lambda **_: Retry(total=0))
    put(vllm_client, "NCCLWeightTransferEngine", _Transfer)
    put(vllm_client, "NCCLTrainerSendWeightsArgs", partial(dict))
    put(vllm_client.VLLMClient, "init_communicator", _joined)
    put(vllm_client.VLLMClient, "close_communicator", lambda self: None)
