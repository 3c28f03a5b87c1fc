"""The dead man's switch: an outside address hears from ward while it is well, and so hears when it is not.

What watches from inside ends with the machine. Somebody outside who misses a ping does not.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

import httpx
import structlog

from ward.live import metrics

TIMEOUT_S: Final = 10.0
LASTING_S: Final = 30.0
"""Not ready for so long is told; a reconnect of a second is not."""
LOOK_S: Final = 1.0

log = structlog.get_logger(__name__)


class DeadMan:
    """One thread that nothing waits for. ``reasons()`` is empty while the ward is watched.

    ``url`` is asked (GET) every ``every_s`` seconds, only while there are no reasons; ``fail_url``, if
    there is one, is sent the reasons (POST, text) when they last. Neither is ever logged: they are secrets.
    """

    def __init__(
        self,
        url: str,
        reasons: Callable[[], Sequence[str]],
        *,
        every_s: float,
        fail_url: str | None = None,
        timeout_s: float = TIMEOUT_S,
        lasting_s: float = LASTING_S,
        look_s: float = LOOK_S,
    ) -> None:
        self._url, self._fail_url, self._reasons = url, fail_url, reasons
        self._every_s, self._lasting_s, self._look_s = every_s, lasting_s, look_s
        self._timeout = httpx.Timeout(timeout_s)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="deadman", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Returns at once: a ping on its way is nobody's concern any more."""
        self._stop.set()

    def _run(self) -> None:
        next_ping = next_fail = ill_since = 0.0
        with httpx.Client(timeout=self._timeout, follow_redirects=False, trust_env=True) as client:
            while not self._stop.wait(self._look_s):
                now = time.monotonic()
                try:
                    reasons = list(self._reasons())
                except Exception as error:  # who cannot say that it is well, is not
                    reasons = [f"health: {type(error).__name__}"]
                if not reasons:
                    ill_since = next_fail = 0.0
                    if now >= next_ping:
                        next_ping = now + self._every_s
                        self._send(client, "GET", self._url, None)
                    continue
                ill_since = ill_since or now
                if self._fail_url and now - ill_since >= self._lasting_s and now >= next_fail:
                    next_fail = now + self._every_s
                    self._send(client, "POST", self._fail_url, "\n".join(reasons))

    def _send(self, client: httpx.Client, method: str, url: str, text: str | None) -> None:
        """One try: the next one is due soon, and a miss is what the other side is there to notice."""
        outcome = "ok" if text is None else "told"
        try:
            # The answer's body is not read: nobody needs it, and it could be endless.
            with client.stream(method, url, content=text) as answer:
                if answer.status_code >= 300:
                    outcome = f"status {answer.status_code}"
        except Exception as error:  # any: the network's faults are not ours
            outcome = type(error).__name__
        good = outcome in ("ok", "told")
        metrics.DEADMAN.labels(outcome if good else "failed").inc()
        if not good:
            log.warning("the dead man's switch was not reached", outcome=outcome)
