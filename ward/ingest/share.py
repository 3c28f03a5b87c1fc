"""Which messages are an engine's own, where several share the devices of one broker.

A broker that knows subject mappings (NATS) gives each engine what is its own, on topics below a word and the
partition's number: ``parts/3/ward/v1/{ward}/{device}/vitals``. Any other gives all to all, and each engine
passes over what another has the durable duty for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ward.ingest.topics import SUBSCRIPTIONS, parse_topic
from ward.partitions import WHOLE, Partition

KEPT = 20_000


@dataclass(slots=True)
class Share:
    """``mapped``: the word before the partition's number; empty: the broker maps nothing."""

    partition: Partition = WHOLE
    mapped: str = ""
    _passed: dict[str, bool] = field(default_factory=dict)

    @property
    def prefix(self) -> str:
        """What its topics have before the devices' own."""
        return f"{self.mapped}/{self.partition.number}/" if self.mapped else ""

    @property
    def topics(self) -> Sequence[str]:
        return tuple(self.prefix + topic for topic in SUBSCRIPTIONS)

    def passes_over(self, topic: str) -> bool:
        """Whether it is another's, who hears it too. What cannot be told is everybody's."""
        if self.partition.is_whole or self.mapped:
            return False
        known = self._passed.get(topic)
        if known is None:
            known = self._is_strange(topic)
            if len(self._passed) >= KEPT:
                self._passed.clear()
            self._passed[topic] = known
        return known

    def is_lost(self, topic: str) -> bool:
        """Whether it is another's and came to us alone: the broker maps to another number of partitions."""
        return bool(self.mapped) and self._is_strange(topic)

    def _is_strange(self, topic: str) -> bool:
        address = parse_topic(topic)
        return address is not None and not self.partition.has(address.ward)
