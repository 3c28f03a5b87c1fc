"""An MQTT broker of our own for demos, tests and one machine: iotcore in a child process."""

from __future__ import annotations

import contextlib
import socket
from typing import Final

from iotcore import Broker

from ward.ingest.payload import MAX_PAYLOAD

HOST: Final = "127.0.0.1"
MARGIN: Final = 64 << 10
"""The packet is larger than its payload by topic and header; and what is a little too large must
reach the service, to be refused there with its reason."""


class BrokerError(RuntimeError):
    """The broker cannot start; the text says why and what helps."""


class EmbeddedBroker:
    """A broker on 127.0.0.1, as a context manager; it ends with this process, however that ends.

    ``port`` 0 takes a free one. It speaks MQTT 3.1.1; sessions and retained messages live in memory.
    A subscriber has at most 100 messages unacknowledged: acknowledge often.
    """

    def __init__(self, port: int = 1883) -> None:
        self.port = port or free_port()
        self._broker: Broker | None = None

    @property
    def url(self) -> str:
        return f"mqtt://{HOST}:{self.port}?protocol=3.1.1"

    @property
    def is_running(self) -> bool:
        return self._broker is not None and bool(self._broker.is_running)

    def __enter__(self) -> EmbeddedBroker:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Returns when the broker listens. Raises BrokerError, also where the port is taken."""
        broker = Broker(port=self.port, listen=HOST, max_payload_size=MAX_PAYLOAD + MARGIN)
        try:
            broker.start()
        except OSError as error:
            raise BrokerError(
                f"port {self.port} on {HOST} is taken, perhaps by a broker that runs already: "
                "use that one, or choose another port in WARD_MQTT_URL"
            ) from error
        except RuntimeError as error:
            raise BrokerError(f"the embedded broker did not start on port {self.port}: {error}") from error
        self._broker = broker

    def stop(self) -> None:
        """End the broker; safe to call twice."""
        broker, self._broker = self._broker, None
        if broker is not None:
            with contextlib.suppress(ProcessLookupError):
                broker.stop()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
