"""Over the ward's own broker: for pagers, lamps and gateways that subscribe there."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from ward.ingest.topics import notices_topic
from ward.notify.channels import Failed, Refused
from ward.notify.message import Message


class MqttChannel:
    """Publishes at QoS 1, not retained: who subscribes later is not told what is over.

    ``publish(topic, payload)`` says whether the broker has it.
    """

    def __init__(self, name: str, publish: Callable[[str, bytes], bool]) -> None:
        self._name, self._publish = name, publish

    def send(self, message: Message) -> None:
        if not message.ward:
            raise Refused("what belongs to no ward has no topic")
        topic = notices_topic(message.ward, self._name)
        if not self._publish(topic, msgspec.json.encode(message.as_json())):
            raise Failed("the broker did not take it")

    def close(self) -> None:
        """The link is the service's."""
