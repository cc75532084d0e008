"""A local OpenAI-compatible server that misbehaves on demand."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import log
from typing import Any


class FakeServer:
    """What the server was asked, and the faults it still has to commit, oldest first.

    Faults: `429`, `500`, `cut` (in mid-stream), `hang` (before the first byte), `slow` (0.05 s a token), `garbage`
    (no JSON), `html`, `stream-error`, `no-done`, `reset` (closes without an answer), and `unknown:<parameter>`.
    """

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.faults: deque[str] = deque()
        self.always = ""
        self.tokens = [
            " The",
            " dose",
            " é",
            " halves",
            ".",
            "\nDirection:",
            " down",
            "\nArm value:",
            " -",
            "7.5",
            "\nVerdict:",
            " not",
        ]
        self.tokens += [" met", "\n", "Anything", " more"]
        self.top = {" not": 0.6, " met": 0.2, " no": 0.1}
        self.url = ""
        self.stopping = threading.Event()

    def logprobs(self, token: str) -> list[dict[str, Any]]:
        if token != " not":
            return [{"token": token, "logprob": -0.1}]
        return [{"token": text, "logprob": log(share)} for text, share in self.top.items()]


def _handler(server: FakeServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None: ...

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            server.requests.append(body)
            server.headers.append(dict(self.headers.items()))
            fault = server.faults.popleft() if server.faults else server.always
            if fault == "reset":
                self.close_connection = True
                return
            if fault == "hang":
                server.stopping.wait(20)
            if fault == "html":
                self.answer(404, b"<html>nothing here</html>")
            elif fault in ("429", "500", "401"):
                self.answer(int(fault), b'{"error": {"message": "Key sk-secret: slow down"}}')
            elif fault.startswith("unknown:"):
                name = fault.partition(":")[2]
                self.answer(400, json.dumps({"error": {"message": f"Unsupported parameter: {name}"}}).encode())
            else:
                self.stream(body, fault)

        def answer(self, status: int, content: bytes) -> None:
            self.send_response(status)
            if status == 429:
                self.send_header("Retry-After", "0")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def stream(self, body: dict[str, Any], fault: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for number, token in enumerate(server.tokens):
                if number == 3 and fault == "cut":
                    self.close_connection = True
                    return
                if number == 3 and fault in ("garbage", "stream-error"):
                    self.event(b"{nonsense" if fault == "garbage" else b'{"error": {"message": "overloaded"}}')
                    break
                if fault == "slow":
                    time.sleep(0.05)
                self.event(self.chunk(body, token))
            self.event(json.dumps({"choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 16}}).encode())
            if fault != "no-done":
                self.event(b"[DONE]")
            self.wfile.write(b"0\r\n\r\n")

        def chunk(self, body: dict[str, Any], token: str) -> bytes:
            if "messages" not in body:
                tops = {entry["token"]: entry["logprob"] for entry in server.logprobs(token)}
                return json.dumps(
                    {"choices": [{"text": token, "logprobs": {"tokens": [token], "top_logprobs": [tops]}}]}
                ).encode()
            choice: dict[str, Any] = {"delta": {"content": token}}
            if body.get("logprobs"):
                choice["logprobs"] = {"content": [{"token": token, "logprob": -0.1, "top_logprobs": server.logprobs(token)}]}
            return json.dumps({"choices": [choice]}, ensure_ascii=False).encode()

        def event(self, data: bytes) -> None:
            """Send an event in two pieces that split it anywhere, also inside a character."""
            content = b"data: " + data + b"\n\n"
            half = len(content) // 2
            for part in (content[:half], content[half:]):
                self.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
                self.wfile.flush()

    return Handler


@contextmanager
def openai_server() -> Iterator[FakeServer]:
    """A running fake; its `url` ends before `/chat/completions`."""
    fake = FakeServer()
    http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(fake))
    http.daemon_threads = True
    http.handle_error = lambda *_: None
    fake.url = f"http://127.0.0.1:{http.server_port}/v1"
    thread = threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        fake.stopping.set()
        http.shutdown()
        http.server_close()
        thread.join()
