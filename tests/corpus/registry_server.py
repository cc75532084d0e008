"""A registry on this machine that speaks the documented interface, and fails in documented and undocumented ways."""

from __future__ import annotations

import json
import re
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PREFIX = "/api/v2"
Study = dict[str, Any]


class RegistryServer:
    """Serves `studies`. The next requests meet `faults` first, one each: a status code, or `drop`, `cut`, `not json`, `away`.

    A new `version` makes every page token of the old one invalid. `asked` holds the parameters of every request to a listing.
    """

    def __init__(self, studies: list[bytes], aliases: dict[str, str] | None = None) -> None:
        self.studies: list[Study] = [json.loads(study) for study in studies]
        self.aliases = aliases or {}
        self.faults: deque[int | str] = deque()
        self.retry_after = ""
        self.version = "1"
        self.asked: list[dict[str, str]] = []
        self.paths: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}{PREFIX}"

    def __enter__(self) -> RegistryServer:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def listing(self, wanted: dict[str, str]) -> tuple[int, bytes]:
        """A page of the studies that match, or why not."""
        self.asked.append(wanted)
        known = {"format", "pageSize", "countTotal", "pageToken", "query.cond", "query.intr", "query.term", "filter.advanced"}
        unknown = set(wanted) - known - {"filter.overallStatus"}
        if unknown:
            return 400, f"`{unknown.pop()}` is unknown parameter".encode()
        start = 0
        if "pageToken" in wanted:
            version, _, position = wanted["pageToken"].partition("-")
            if version != self.version:
                return 400, b"`pageToken` is invalid"
            start = int(position)
        found = [study for study in self.studies if self._matches(study, wanted)]
        size = int(wanted.get("pageSize", "10"))
        answer: dict[str, Any] = {"studies": found[start : start + size]}
        if "countTotal" in wanted and start == 0:
            answer["totalCount"] = len(found)
        if start + size < len(found):
            answer["nextPageToken"] = f"{self.version}-{start + size}"
        return 200, json.dumps(answer).encode()

    def _matches(self, study: Study, wanted: dict[str, str]) -> bool:
        protocol = study["protocolSection"]
        status = protocol["statusModule"]
        text = " ".join(protocol["conditionsModule"]["conditions"]).lower()
        drugs = " ".join(item["name"] for item in protocol["armsInterventionsModule"]["interventions"]).lower()
        advanced = wanted.get("filter.advanced", "")
        since = re.search(r"AREA\[LastUpdatePostDate\]RANGE\[([\d-]+),MAX\]", advanced)
        phase = re.search(r"AREA\[Phase\](\w+)", advanced)
        return (
            wanted.get("query.cond", "").lower() in text
            and wanted.get("query.intr", "").lower() in drugs
            and ("AREA[ResultsFirstPostDate]" not in advanced or "resultsFirstPostDateStruct" in status)
            and (since is None or status["lastUpdatePostDateStruct"]["date"] >= since[1])
            and (phase is None or phase[1] in protocol["designModule"]["phases"])
            and wanted.get("filter.overallStatus", status["overallStatus"]) == status["overallStatus"]
        )

    def study(self, nct_id: str) -> bytes | None:
        """One study by its present id."""
        for study in self.studies:
            if study["protocolSection"]["identificationModule"]["nctId"] == nct_id:
                return json.dumps(study).encode()
        return None

    def _handler(registry: RegistryServer) -> type[BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                place = urlsplit(self.path)
                path = place.path.removeprefix(PREFIX)
                registry.paths.append(path)
                fault = registry.faults.popleft() if registry.faults else None
                if fault == "drop":
                    self.connection.close()
                    return
                if fault == "away":
                    self._answer(301, b"", {"Location": "http://other.example/studies"})
                    return
                if isinstance(fault, int):
                    self._answer(fault, b"busy", {"Retry-After": registry.retry_after} if registry.retry_after else {})
                    return
                wanted = {name: values[0] for name, values in parse_qs(place.query).items()}
                if path == "/studies":
                    status, body = registry.listing(wanted)
                    headers: dict[str, str] = {}
                else:
                    status, body, headers = self._one(path.removeprefix("/studies/"))
                if fault == "not json":
                    body = b"<html>maintenance</html>"
                self._answer(status, body, headers, cut=fault == "cut")

            def _one(self, nct_id: str) -> tuple[int, bytes, dict[str, str]]:
                if nct_id in registry.aliases:
                    return 301, b"", {"Location": f"{PREFIX}/studies/{registry.aliases[nct_id]}?format=json"}
                study = registry.study(nct_id)
                return (200, study, {}) if study else (404, b"NCT number not found", {})

            def _answer(self, status: int, body: bytes, headers: dict[str, str], *, cut: bool = False) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2] if cut else body)
                if cut:
                    self.close_connection = True

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                return

        return Handler
