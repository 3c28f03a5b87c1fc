"""What carrying alerts to people tells Prometheus. Channels are labels, people are not."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

SECONDS: Final = (0.5, 1, 2, 3, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600)

CONDITION_DELAY = Histogram(
    "ward_alert_condition_delay_seconds", "From sustained to told of, for each alert", buckets=SECONDS
)
SIGNAL_DELAY = Histogram(
    "ward_alert_signal_delay_seconds",
    "From sustained to taken by a person's channel, for each first telling",
    ["channel"],
    buckets=SECONDS,
)
SENT = Counter("ward_notify_sent", "Deliveries that a channel took", ["channel"])
ATTEMPTS_FAILED = Counter("ward_notify_attempts_failed", "Attempts that did not get through", ["channel"])
UNDELIVERED = Counter("ward_notify_undelivered", "Deliveries that were given up", ["channel"])
WAITING = Gauge("ward_notify_waiting", "Deliveries that are not through yet", ["channel"])
BROKEN = Gauge("ward_notify_channel_broken", "1 while nothing gets through a channel", ["channel"])
