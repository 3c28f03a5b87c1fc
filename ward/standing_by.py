"""What a service answers over HTTP while it stands by for another one to fail: alive, and not ready."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from ward.config import Settings

REASON: Final = "standing by: another service has this database"
PATIENCE_S: Final = 5.0
"""A client that says nothing for so long is let go."""


class _Handler(BaseHTTPRequestHandler):
    server_version, sys_version = "ward", ""
    timeout = PATIENCE_S

    def do_GET(self) -> None:
        if self.path == "/healthz":
            self._answer(200, {"status": "alive"})
        else:
            self._answer(503, {"ready": False, "reasons": [REASON]})

    def do_HEAD(self) -> None:
        self.do_GET()

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-store")
        if status == 503:
            self.send_header("Retry-After", "2")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """A load balancer that asks each second is no news."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False


@contextlib.contextmanager
def standing_by(settings: Settings) -> Iterator[None]:
    """Answers at the service's own address until the block ends."""
    server = _Server((settings.http_host, settings.http_port), _Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), name="standing-by", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
